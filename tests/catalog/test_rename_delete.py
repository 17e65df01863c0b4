"""Renaming and deleting a sweep: all of it or nothing, and nothing that is not of heatcat."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import catalog
from catalog import run
from catalog.store.delete import delete
from catalog.store.leases import Leases
from catalog.store.rename import rename
from catalog.store.storage import storage
from tests.catalog.dying import changes_of, killed_before
from tests.catalog.support import refused, tiny_sweep
from tests.catalog.test_compact import LARGER, SCATTERED, SMALL, everything, groups, plain

KILLS = int(os.environ.get("HEATCAT_KILLS", "4"))
"""Moments at which each command is killed; HEATCAT_KILLS=1000 tries them all."""
OTHER = tiny_sweep(name="other", variables=["power"], axes={"N": [1], "delta_E": [50.0, 125.0]},
                   fixed={**SMALL.fixed, "T_mean": 60.0}, blocks={})  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """Two sweeps, one of them extended, with scattered points and a block that waits to settle."""
    location = tmp_path_factory.mktemp("filled") / "store"
    for sweep in (SMALL, LARGER, SCATTERED, OTHER):
        run(sweep, location, scheduler="synchronous")
    return location


@pytest.fixture
def store(filled, tmp_path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "store"))


def add_an_array(store: Path) -> None:
    """What a user does, with xarray."""
    mine = 2 * plain(store)[["power"]].rename(power="mine")
    mine.attrs = {**plain(store).attrs, "paper": "section 3"}
    mine.to_zarr(store, group="tiny", mode="a", consolidated=False)


def files(location: Path, *names: str) -> dict[Path, bytes]:
    """What a store holds of some sweeps, all by default."""
    found = {p.relative_to(location): p for p in location.rglob("*") if p.is_file()}
    chosen = {p: f for p, f in found.items() if not names or p.parts[0].split("~")[0] in names}
    return {path: file.read_bytes() for path, file in chosen.items()}


def test_every_bit_and_the_history_stay_under_the_new_name(store):
    before, other = everything(store), files(store, "other")
    history = catalog.open(store)["tiny"].history()
    rename(store, "tiny", "engine-2")
    assert sorted(catalog.open(store)) == ["engine-2", "other"]
    assert everything(store, "engine-2") == before
    assert catalog.open(store)["engine-2"].history() == history
    assert groups(store, "engine-2") == [
        "engine-2", "engine-2~1", "engine-2~2", "engine-2~3"
    ]  # fmt: skip
    assert files(store, "other") == other
    assert catalog.check(store).sound
    ds = plain(store, "engine-2")
    assert ds.attrs["title"] == "engine-2"
    assert ds.attrs["parts"].startswith("4 groups hold this sweep together: engine-2, eng")
    assert {path.name for path in store.iterdir()} == {
        "zarr.json", "other", *groups(store, "engine-2")
    }  # fmt: skip


def test_a_run_under_the_new_name_goes_on_with_it(store):
    rename(store, "tiny", "new")
    solved: list[Any] = []
    sweep = tiny_sweep(name="new", variables=["power", "cop"])
    run(sweep, store, scheduler="synchronous", on_block=lambda block, _: solved.append(block))
    assert solved == []


def test_arrays_and_attributes_of_users_come_along(store):
    add_an_array(store)
    rename(store, "tiny", "new")
    ds = plain(store, "new")
    assert ds.attrs["paper"] == "section 3"
    np.testing.assert_array_equal(ds.mine.values, 2 * ds.power.values)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("tiny", "the sweep is named 'tiny' already: give another name"),
        ("other", r"has 'other/\S+' where the sweep 'other' would go: choose another name"),
        ("a/b", "sweep name 'a/b' cannot name a group: use at most 100 letters, .*"),
        ("new~1", "sweep name 'new~1' cannot name a group: use at most 100 letters, .*"),
        (3, "new must be text, but is 3: put it in quotes"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_changed(new, message, store):
    before = files(store)
    with refused(message):
        rename(store, "tiny", new)
    assert files(store) == before


def test_what_is_not_of_heatcat_is_never_replaced(store):
    (store / "new").mkdir()
    (store / "new" / "notes.txt").write_text("mine")
    with refused("has 'new/notes.txt' where the sweep 'new' would go: choose another name"):
        rename(store, "tiny", "new")
    (store / "tiny~1" / "notes.txt").write_text("mine")
    with refused("has 'tiny~1/notes.txt', which heatcat did not write: move it .*"):
        rename(store, "tiny", "newer")
    assert (store / "tiny~1" / "notes.txt").read_text() == "mine"


def test_a_run_that_is_to_begin_there_finds_the_renamed_sweep(store):
    """The name is decided before the groups are in their places."""
    with (
        Leases(storage(str(store)), "new").hold("structure", wait=False),
        refused("cannot rename tiny: .* is at work on 'new' .*: wait until it has .*"),
    ):
        rename(store, "tiny", "new")
    rename(store, "tiny", "new")


def test_all_groups_go_and_nothing_else(store):
    other = files(store, "other", "zarr.json")
    delete(store, "tiny")
    assert files(store) == other
    assert list(catalog.open(store)) == ["other"]
    assert {path.name for path in store.iterdir()} == {"zarr.json", "other"}
    assert run(SMALL, store, scheduler="synchronous")["ok"] == 12  # it can be begun again
    assert catalog.open(store)["tiny"].history()[0]["run"] == 1


def test_files_and_arrays_of_others_are_refused_and_stay(store):
    add_an_array(store)
    before = files(store)
    with refused(r"has 'tiny/mine/\S+', which heatcat did not write: move it elsewhere first"):
        delete(store, "tiny")
    assert files(store) == before


def test_what_was_deleted_is_not_written_to(store):
    part = catalog.open(store)["tiny"].parts[0]
    delete(store, "tiny")
    with refused("the sweep 'tiny' is no longer in .*: give its new place and run the .*"):
        part.whole("power")


def test_an_extension_that_was_killed_goes_with_it(store):
    template = store / "tiny~2" / "status" / ".heatcat-template"
    begun = store / "tiny~4" / "status" / ".heatcat-template"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(template.read_bytes())
    delete(store, "other")
    assert begun.is_file()
    begun.unlink()


@pytest.mark.parametrize("command", ["rename", "delete"])
def test_killed_before_changes_of_the_disk_it_is_there_or_not(command, filled, tmp_path):
    def work(store: Path) -> None:
        rename(store, "tiny", "new") if command == "rename" else delete(store, "tiny")

    if command == "rename":
        filled = Path(shutil.copytree(filled, tmp_path / "added"))
        add_an_array(filled)
    before, other = everything(filled), files(filled, "other")
    counted = Path(shutil.copytree(filled, tmp_path / "counted"))
    number = changes_of(lambda: work(counted))
    moments = sorted(random.Random(3).sample(range(number), min(KILLS, number)))
    for count, moment in enumerate(moments):
        store = Path(shutil.copytree(filled, tmp_path / str(moment)))
        assert killed_before(moment, lambda store=store: work(store))
        names = sorted(catalog.open(store))
        expected = {"rename": [["other", "tiny"], ["new", "other"]],
                    "delete": [["other", "tiny"], ["other"]]}[command]  # fmt: skip
        assert names in expected
        for name in {"tiny", "new"} & set(names):
            assert everything(store, name) == before
        if count % 2:
            catalog.repair(store)
            assert sorted(catalog.open(store)) == names
            groups_there = {path.name.split("~")[0] for path in store.iterdir()}
            assert groups_there == {"zarr.json", *names}
        if "tiny" in names:
            work(store)
        elif not count % 2:
            catalog.repair(store)
        assert sorted(catalog.open(store)) == expected[1]
        if command == "rename":
            assert "mine" in plain(store, "new")
            assert everything(store, "new") == before
        assert files(store, "other") == other
        assert catalog.check(store) == catalog.check(counted)
        assert {p.name for p in store.iterdir()} == {p.name for p in counted.iterdir()}
        shutil.rmtree(store)
    print(f"{command}: {len(moments)} kills before one of {number} changes")
