"""The commands compact, rename, delete and copy: what they say before and after."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import catalog
from tests.catalog.support import AXES, refused, tiny_sweep
from tests.heatcat.test_store_commands import call

SWEEP = tiny_sweep(variables=["power"])
LARGER = tiny_sweep(variables=["power"], axes={**AXES, "N": [1, 2, 3]})
CORNER = tiny_sweep(
    variables=["power"], axes={"N": [4], "delta_E": [50.0], "T_mean": [60.0]}, blocks={}
)


@pytest.fixture
def store(tmp_path) -> Path:
    location = tmp_path / "engines.zarr"
    for sweep in (SWEEP, LARGER):
        catalog.run(sweep, location, scheduler="synchronous")
    return location


def test_compact_says_what_becomes_of_what(store):
    assert call("compact", store).stdout == (
        "tiny: tiny, tiny~1 become one grid of 3 N × 3 delta_E × 2 T_mean\n"
        "tiny: done, 18 computed points are in tiny\n"
    )
    assert call("compact", store, "tiny").stdout == "tiny is one grid already: nothing to do\n"


def test_compact_says_how_many_holes_there_would_be_before_it_does_anything(store):
    catalog.run(CORNER, store, scheduler="synchronous")
    with refused("of its 24 points 5 were never asked for and would .*: say that these .*"):
        call("compact", store)
    said = call("compact", store, "--holes").stdout
    assert "5 of its points were never asked for, and heatcat status will count 5 points as" in said
    counts = json.loads(call("status", store, "--json").stdout)["tiny"]
    assert (counts["ok"], counts["not computed"]) == (19, 5)


def test_compact_as_json(store):
    found = json.loads(call("compact", store, "--json").stdout)
    assert (found["groups"], found["compacted"]) == (["tiny", "tiny~1"], True)
    assert json.loads(call("compact", store, "--json").stdout)["compacted"] is False


def test_rename_and_copy_and_merge(store, tmp_path):
    assert call("rename", store, "tiny", "new").stdout == "tiny is now new\n"
    other = tmp_path / "other.zarr"
    said = call("copy", store, "new", other, "--name", "tiny").stdout
    assert said == f"18 computed points of new copied  ->  tiny in {other}\n"
    catalog.run(CORNER, tmp_path / "corner.zarr", scheduler="synchronous")
    said = call("copy", tmp_path / "corner.zarr", "tiny", other).stdout
    assert said == f"1 computed points of tiny merged, 0 were there already  ->  tiny in {other}\n"
    found = json.loads(call("copy", store, "new", other, "--name", "tiny", "--json").stdout)
    assert found == {"name": "tiny", "points": 0, "known": 18, "merged": True}


def test_delete_needs_a_yes(store):
    with refused("tiny of 18 points would be deleted, and there is no terminal to .*: add --yes"):
        call("delete", store, "tiny")
    assert list(catalog.open(store)) == ["tiny"]
    assert call("delete", store, "tiny", "--yes").stdout == "tiny of 18 points deleted\n"
    assert [path.name for path in store.iterdir()] == ["zarr.json"]


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 1), (b"y\n", 0)])
def test_delete_asks_on_a_terminal(answer, code, store):
    controller, terminal = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "heatcat", "delete", str(store), "tiny"],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.write(controller, answer)
        out, err = process.communicate(timeout=60)
    finally:
        os.close(controller)
        os.close(terminal)
    assert f"Delete tiny of 18 points from {store}? [y/N]" in err
    assert process.returncode == code
    assert (store / "tiny").exists() == bool(code)
    assert ("nothing deleted" in err) == bool(code)
    assert ("deleted" in out) != bool(code)


@pytest.mark.parametrize(
    "words", [("compact", "tinny"), ("delete", "tinny"), ("rename", "tinny", "new")]
)
def test_a_sweep_that_is_not_there_is_refused(words, store):
    command, *rest = words
    with refused("sweep 'tinny'.*"):
        call(command, store, *rest)
