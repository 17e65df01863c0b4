"""Where values come from: the hash of the solver's code, and the state of its checkout."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ensemble
from catalog.heat_engine.sources import method_hash, modules_of
from catalog.models import source_code
from catalog.store import provenance
from ensemble import Exact, Macroscopic

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
    assert source_code._code(CODE.replace(old, new)) == source_code._code(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("radius**2", "radius**3"),
        ("    return pi * radius**2\n", "    return\n    pi * radius**2\n"),
        ("return pi", 'return "text" and pi'),
        ("return pi", 'return f"{pi}" and pi'),
        ("    return", "    if radius:\n        return"),
    ],
)
def test_code_changes_the_hash(old, new):
    assert old in CODE
    assert source_code._code(CODE.replace(old, new)) != source_code._code(CODE)


STRIPPED = {
    "comment": ("x = 1  # one\n", "x = 1"),
    "comment without an end of line": ("x = 1  # one", "x = 1"),
    "# in a string": ("x = '#'  # \"\n", "x = '#'"),
    "# in an f-string": ("x = f'#{y}# {z!r:#x}'  # f\n", "x = f'#{y}# {z!r:#x}'"),
    "# in a nested string": (
        """x = f"{d['#']} #{f'#{y}'}"  # n\n""",
        """x = f"{d['#']} #{f'#{y}'}\"""",
    ),
    "braces": ("x = f'{{#}} {y}'  # {\n", "x = f'{{#}} {y}'"),
    "raw": (r"x = rf'\#{y}' + rb'#'.decode()", r"x = rf'\#{y}' + rb'#'.decode()"),
    "docstring": (
        'def f():\n    """Do.\n\n    It # does.\n    """  # done\n    return 1\n',
        "def f():\n    return 1",
    ),
    "docstring alone": ('class A(B):\n    """Say."""\n', "class A(B):"),
    "docstring of a module": ('"""A module."""\n', ""),
    "docstring of two strings": ("'a' \"b\"\nx = 1\n", "x = 1"),
    "docstring of a constant": ('x = 1\nr"""Of\n\\int."""\ny = 2\n', "x = 1\ny = 2"),
    "an f-string is evaluated": ("f'{y}'\n'a' f'{y}'\nF'#'\n", "f'{y}'\n'a' f'{y}'\nF'#'"),
    "a string in an expression": (
        "'a'.join(x)\n('b')\n'c'; x = 1\n",
        "'a'.join(x)\n('b')\n'c'; x = 1",
    ),
    "a string in brackets": (
        "x = [\n    'a',  # first\n    # second\n    'b'\n]\n",
        "x = [\n    'a',\n    'b'\n]",
    ),
    "blank lines": ("x = 1\n\n   \n\t\ny = 2   \n\n\n", "x = 1\ny = 2"),
    "ends of lines": ("x = 1\r\ny = 2\rz = 3\r\n", "x = 1\ny = 2\nz = 3"),
    "the inside of a string": (
        "x = '''a  \n\n # b\n'''  # c\ny = 2\n",
        "x = '''a  \n\n # b\n'''\ny = 2",
    ),
    "the inside of an f-string": (
        "x = f'''a  \n\n # {y}\n'''  # c\n",
        "x = f'''a  \n\n # {y}\n'''",
    ),
    "continued": ("x = 1 + \\\n    2  # three\n", "x = 1 + \\\n    2"),
    "docstring, not ASCII": (
        "x = 1\n\"\"\"σ\n\nΓ₀ ≥ ω₀ ρ\"\"\"  # ħ\nσ = '''ρ\nω'''  # γ\n",
        "x = 1\nσ = '''ρ\nω'''",
    ),
    "not ASCII": ("σ = 'πr²'  # ρ₀\n'''Σ'''  # ω\nΓ = 'ħ'  # k\n", "σ = 'πr²'\nΓ = 'ħ'"),
    "indented comments": (
        "if x:\n        # why\n    y = 1\n# and\nelse:\n    y = 2\n",
        "if x:\n    y = 1\nelse:\n    y = 2",
    ),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("source", "expected"), STRIPPED.values(), ids=STRIPPED)
def test_the_text_that_is_hashed(source, expected):
    """The expected texts are written out, so that every version of Python is held to them."""
    assert source_code._code(source) == expected


IN_ANOTHER_PYTHON = """
from __future__ import annotations
import hashlib, io, json, re, sys, tokenize
{functions}
sources, table = json.load(sys.stdin)
for name in sources:
    code = _code(open(name, encoding="utf-8-sig").read())
    print(name, hashlib.sha256(code.encode()).hexdigest())
for source in table:
    print(json.dumps(_code(source)))
"""


def test_every_version_of_python_hashes_the_same_text():
    """Each interpreter on this machine is given the two functions, our sources and the table."""
    functions = [
        inspect.getsource(function) for function in (source_code._code, source_code._positions)
    ]
    program = IN_ANOTHER_PYTHON.replace("{functions}", "\n".join(functions))
    sources = sorted(map(str, Path(ensemble.__file__).parent.rglob("*.py")))
    given = json.dumps([sources, [source for source, _ in STRIPPED.values()]])
    printed = {
        python: subprocess.run(
            [python, "-c", program], input=given, capture_output=True, text=True, check=True
        ).stdout
        for python in interpreters()
    }
    expected = printed.pop(sys.executable).splitlines()
    assert len(expected) == len(sources) + len(STRIPPED)
    for python, found in printed.items():
        assert found.splitlines() == expected, python


def interpreters() -> list[str]:
    """This one, and all from Python 3.11 on that are on the path or that pyenv installed."""
    found = {sys.executable}
    versions = Path.home() / ".pyenv" / "versions"
    for minor in range(11, 20):
        found.update(map(str, versions.glob(f"3.{minor}.*/bin/python3.{minor}")))
        on_path = shutil.which(f"python3.{minor}")
        if on_path and "shims" not in on_path:
            found.add(on_path)
    return sorted(found)


def test_threads_may_ask_for_the_hash_at_the_same_time():
    expected = method_hash(Exact)
    hashes = []
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            method_hash.cache_clear()
            source_code.modules_hash.cache_clear()
            hashes += pool.map(lambda _: method_hash(Exact), range(4))
    assert set(hashes) == {expected}


def test_a_method_is_known_by_the_files_that_it_uses_and_no_others():
    exact, limit = (modules_of(method.__module__) for method in (Exact, Macroscopic))
    assert "ensemble.steady.stationary" in exact
    assert "ensemble.engine" in {*exact} & {*limit}
    assert not any(module.startswith(("ensemble.limits", "ensemble.closure")) for module in exact)
    assert "ensemble.counting.cumulants" in exact
    assert "ensemble.counting.cumulants" not in limit
    assert method_hash(Exact) != method_hash(Macroscopic)


def test_the_record_names_versions_machine_and_commit():
    record = provenance.provenance(method_hash(Exact))
    assert {"heatcat", "numpy", "zarr"} <= set(record["packages"])
    assert re.fullmatch(r"[0-9a-f]{64}", record["solver_hash"])
    if record["git"] is not None:  # an installed copy has none
        assert re.fullmatch(r"[0-9a-f]{40}", record["git"]["commit"])
        assert isinstance(record["git"]["dirty"], bool)
