"""Where values come from: the hash of the solver's code, and the state of its checkout."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog import provenance

CODE = '''"""A module."""

from math import pi  # the number


def area(radius: float) -> float:
    """Of a disc."""
    # πr²
    return pi * radius**2
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Of a disc."""', '"""Of a circular disc, in the unit of ``radius`` squared."""'),
        ('"""A module."""', '"""Another\nline."""'),
        ("# πr²\n", "\n\n    # the formula\n"),
        ("  # the number", ""),
    ],
)
def test_comments_and_docstrings_do_not_change_the_hash(old, new):
    assert old in CODE
    assert provenance._code(CODE.replace(old, new)) == provenance._code(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("radius**2", "radius**3"),
        ("    return pi * radius**2\n", "    return\n    pi * radius**2\n"),
        ("return pi", 'return "text" and pi'),
        ("    return", "    if radius:\n        return"),
    ],
)
def test_code_changes_the_hash(old, new):
    assert old in CODE
    assert provenance._code(CODE.replace(old, new)) != provenance._code(CODE)


def test_threads_may_ask_for_the_hash_at_the_same_time():
    expected = provenance.solver_hash()
    hashes = []
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            provenance.solver_hash.cache_clear()
            hashes += pool.map(lambda _: provenance.solver_hash(), range(4))
    assert set(hashes) == {expected}


def test_the_record_names_versions_machine_and_commit():
    record = provenance.provenance()
    assert {"heatcat", "numpy", "zarr"} <= set(record["packages"])
    assert re.fullmatch(r"[0-9a-f]{64}", record["solver_hash"])
    if record["git"] is not None:  # an installed copy has none
        assert re.fullmatch(r"[0-9a-f]{40}", record["git"]["commit"])
        assert isinstance(record["git"]["dirty"], bool)
