"""Compacting: the parts of a sweep become one grid, of which every bit is what it was."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import catalog
from catalog import run
from catalog.store.compact import compact, plan_compaction
from catalog.store.exclusive import closed
from catalog.store.leases import Leases
from catalog.store.storage import storage
from ensemble import Exact
from tests.catalog.dying import changes_of, killed_before
from tests.catalog.support import AXES, exact, refused, tiny_sweep

KILLS = int(os.environ.get("HEATCAT_KILLS", "6"))
"""Moments at which compacting is killed; HEATCAT_KILLS=1000 tries them all."""
SMALL = tiny_sweep(variables=["power", "cop"])
LARGER = tiny_sweep(
    variables=["power", "cop"],
    axes={"N": [1, 2, 3], "delta_E": [25.0, 50.0, 125.0, 250.0], "T_mean": [60.0, 100.0]},
    blocks={},
)
SCATTERED = tiny_sweep(
    variables=["power", "cop"],
    axes={},
    points={"N": [1, 2], "delta_E": [60.0, 70.0], "T_mean": [65.0, 75.0]},
    blocks={},
)


def everything(location: str | Path, name: str = "tiny") -> dict[str, Any]:
    """All arrays as heatcat reads them, to the last bit: times and numbers of runs, too.

    Single points beside the grid are part of it: compacting and merging may join them to the grid.
    """
    ds = catalog.open(location)[name].dataset(filled=True).compute()
    return {str(n): exact(ds[n].values) for n in (*ds.data_vars, *ds.coords)}


def groups(location: Path, name: str = "tiny") -> list[str]:
    return [part.group for part in catalog.open(location)[name].parts]


def plain(location: Path, group: str = "tiny") -> xr.Dataset:
    """What a colleague without this package sees."""
    with xr.open_zarr(location, group=group, consolidated=False) as ds:
        return ds.load()


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """A sweep in three groups, one point of which failed; tests copy it."""
    location = tmp_path_factory.mktemp("extended") / "store"
    solve = Exact.solve

    def flaky(self, engine, variables=None):
        if engine.N == 2 and engine.delta_E == 125:
            raise ZeroDivisionError("no pivot")
        return solve(self, engine, variables)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exact, "solve", flaky)
        run(SMALL, location, scheduler="synchronous")
    run(LARGER, location, scheduler="synchronous")
    assert groups(location) == ["tiny", "tiny~1", "tiny~2"]
    return location


@pytest.fixture
def store(extended, tmp_path) -> Path:
    return Path(shutil.copytree(extended, tmp_path / "store"))


def test_parts_become_one_group_and_every_bit_stays(store):
    entry = catalog.open(store)["tiny"]
    before, counts, runs = everything(store), entry.counts(), entry.points_by_run()
    history = entry.history()
    done = compact(store, "tiny")
    assert (done.groups, done.group, done.holes) == (("tiny", "tiny~1", "tiny~2"), "tiny", 0)
    assert everything(store) == before
    entry = catalog.open(store)["tiny"]
    assert groups(store) == ["tiny"]
    assert entry.counts() == counts
    assert counts["failed"] == 2
    assert entry.points_by_run() == runs
    assert sorted(runs) == [1, 2]
    assert entry.history() == history
    assert entry.point(N=2, delta_E=125, T_mean=60).error == "ZeroDivisionError: no pivot"
    assert catalog.check(store).sound
    assert sorted(path.name for path in store.iterdir()) == ["tiny", "zarr.json"]


def test_plain_xarray_sees_the_whole_grid_in_one_group(store):
    before = catalog.open(store)["tiny"].dataset().compute()
    compact(store, "tiny")
    ds = plain(store)
    assert dict(ds.sizes) == {"N": 3, "delta_E": 4, "T_mean": 2}
    assert "parts" not in ds.attrs
    for name in ("power", "cop", "wall_time", "run", "status"):
        np.testing.assert_array_equal(ds[name].values, before[name].values)
    assert [name for name, _ in zarr.open_group(store, mode="r").members()] == ["tiny"]


def test_a_parameter_that_was_fixed_becomes_a_dimension(tmp_path):
    fixed = {**SMALL.fixed, "T_mean": 60.0}
    axes = {"N": [1, 2], "delta_E": [50.0, 125.0]}
    first = tiny_sweep(variables=["power"], axes=axes, fixed=fixed, blocks={})
    run(first, tmp_path, scheduler="synchronous")
    larger = tiny_sweep(variables=["power"], axes={**axes, "T_mean": [60.0, 80.0]}, blocks={})
    run(larger, tmp_path, scheduler="synchronous")
    before = everything(tmp_path)
    assert compact(tmp_path, "tiny").shape == {"N": 2, "delta_E": 2, "T_mean": 2}
    assert everything(tmp_path) == before
    assert plain(tmp_path).power.notnull().all()


def test_the_sweeps_so_far_find_everything_computed_and_can_be_extended_again(store):
    compact(store, "tiny")
    solved: list[Any] = []
    for sweep in (SMALL, LARGER):
        run(sweep, store, scheduler="synchronous", on_block=lambda b, _: solved.append(b.index))
    assert solved == []
    axes = {"N": [1, 2, 3, 4], "delta_E": [25.0, 50.0, 125.0, 250.0], "T_mean": [60.0, 100.0]}
    counts = run(tiny_sweep(variables=["power", "cop"], axes=axes, blocks={}), store)
    assert counts["ok"] == 30
    assert groups(store) == ["tiny", "tiny~1"]
    compact(store, "tiny")
    assert plain(store).status.values.all()


def test_what_is_one_grid_is_left_as_it_is(tmp_path):
    run(SMALL, tmp_path, scheduler="synchronous")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert not compact(tmp_path, "tiny").needed
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.fixture
def corner(tmp_path) -> Path:
    """A grid, and one point beyond it: of the hull's 18 points 5 were never asked for."""
    run(SMALL, tmp_path, scheduler="synchronous")
    one = {"N": [3], "delta_E": [50.0], "T_mean": [60.0]}
    run(tiny_sweep(variables=["power", "cop"], axes=one, blocks={}), tmp_path)
    return tmp_path


def test_they_are_refused_unless_they_are_meant(corner):
    before = {path: path.read_bytes() for path in corner.rglob("*") if path.is_file()}
    with refused(r"of its 18 points 5 were never asked for .*: say that these holes are .*"):
        compact(corner, "tiny")
    assert before == {path: path.read_bytes() for path in corner.rglob("*") if path.is_file()}
    assert plan_compaction(corner, "tiny").holes == 5


def test_then_they_count_as_not_computed_and_no_run_so_far_computes_them(corner):
    values = everything(corner)
    assert compact(corner, "tiny", holes=True).holes == 5
    assert everything(corner) == values
    counts = catalog.open(corner)["tiny"].counts()
    assert (counts["ok"], counts["not computed"]) == (13, 5)
    solved: list[Any] = []
    run(SMALL, corner, scheduler="synchronous", on_block=lambda b, _: solved.append(b))
    assert solved == []
    whole = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 3]}, blocks={})
    assert run(whole, corner, scheduler="synchronous")["ok"] == 18
    assert groups(corner) == ["tiny"]


def test_points_that_were_asked_for_and_not_computed_stay_work_to_do(tmp_path):
    ds = catalog.dataset(SMALL, tmp_path)
    ds.power.sel(N=1, T_mean=60.0).compute()
    more = {"N": [3], "delta_E": [50.0, 125.0, 250.0], "T_mean": [60.0, 100.0]}
    run(tiny_sweep(variables=["power", "cop"], axes=more, blocks={}), tmp_path)
    before = catalog.open(tmp_path)["tiny"].counts()
    compact(tmp_path, "tiny")
    assert catalog.open(tmp_path)["tiny"].counts() == before
    assert before["not computed"] == 9
    solved: list[Any] = []
    run(SMALL, tmp_path, scheduler="synchronous", on_block=lambda b, _: solved.append(b.size))
    assert sum(solved) == 9


def test_scattered_points_stay_in_groups_of_their_own(store):
    run(SCATTERED, store, scheduler="synchronous")
    before = everything(store)
    done = compact(store, "tiny")
    assert done.apart == ("tiny~3",)
    assert groups(store) == ["tiny", "tiny~3"]
    assert everything(store) == before
    assert plain(store).attrs["parts"].startswith("2 groups hold this sweep together: tiny, tiny~3")


def test_arrays_in_every_group_and_attributes_are_carried_over(store):
    for group in groups(store):
        mine = 2 * plain(store, group)[["power"]].rename(power="mine")
        mine.mine.attrs["unit"] = "W"
        mine.attrs = {**plain(store, group).attrs, "paper": "section 3"}
        mine.to_zarr(store, group=group, mode="a", consolidated=False)
    compact(store, "tiny")
    ds = plain(store)
    assert ds.attrs["paper"] == "section 3"
    assert ds.mine.attrs == {**ds.power.attrs, "unit": "W"}
    np.testing.assert_array_equal(ds.mine.values, 2 * ds.power.values)
    assert catalog.check(store).sound
    assert sorted(path.name for path in store.iterdir()) == ["tiny", "zarr.json"]


def test_an_array_in_one_group_only_is_refused_and_nothing_is_changed(store):
    mine = plain(store)[["power"]].rename(power="mine")
    mine.to_zarr(store, group="tiny", mode="a", consolidated=False)
    before = everything(store)
    with refused("the array 'mine' .* cannot be carried over, 'tiny~1' lacks it.*: export .*"):
        compact(store, "tiny")
    assert everything(store) == before
    assert groups(store) == ["tiny", "tiny~1", "tiny~2"]


def test_a_file_of_another_program_is_refused_and_stays(store):
    note = store / "tiny~1" / "power" / "notes.txt"
    note.write_text("mine")
    with refused(r"has 'tiny~1/power/notes.txt', which heatcat did not write: move it .*"):
        compact(store, "tiny")
    assert note.read_text() == "mine"
    assert groups(store) == ["tiny", "tiny~1", "tiny~2"]


def test_a_sweep_that_somebody_works_on(store):
    with (
        Leases(storage(str(store)), "tiny~1").hold("0.0.0", wait=False),
        refused("cannot compact tiny: process .* is at work on 'tiny~1' .*: wait until .*"),
    ):
        compact(store, "tiny")
    assert compact(store, "tiny").needed


def test_damage_is_found_before_anything_goes(store):
    chunk = store / "tiny~1" / "power" / "c" / "0" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    content[5] ^= 1
    chunk.write_bytes(content)
    with refused("tiny~1/power/c/0/0/0 .* is damaged .*: run heatcat repair .*"):
        compact(store, "tiny")
    assert (store / "tiny~2").is_dir()
    catalog.repair(store)
    run(LARGER, store, scheduler="synchronous")
    compact(store, "tiny")
    assert groups(store) == ["tiny"]


def test_a_new_copy_that_the_disk_changed_is_found_before_anything_goes(store, monkeypatch):
    from catalog.store import gather

    def wrong(part, *sources):
        fill(part, *sources)
        found = part.read_chunk((0, 0, 0), part.grid.arrays)
        found = {**found, "power": found["power"] + 1e-16}
        blocks = part.manifest((0, 0, 0)).blocks
        gather.write_chunk(part, (0, 0, 0), part.manifest((0, 0, 0)), blocks, found)

    fill = gather.fill
    monkeypatch.setattr("catalog.store.compact.fill", wrong)
    before = everything(store)
    with refused("the new copy of power of 'tiny~.' .* differs from the old one, which is .*"):
        compact(store, "tiny")
    assert everything(store) == before
    assert groups(store) == ["tiny", "tiny~1", "tiny~2"]


def test_a_sweep_that_is_not_there(store):
    with refused("holds no sweep 'other': heatcat status lists those that it holds"):
        compact(store, "other")


def test_an_archive(store, tmp_path):
    catalog.zip_store(store, tmp_path / "s.zip")
    with refused(r"s\.zip is an archive, only to be read: unpack it first"):
        compact(tmp_path / "s.zip", "tiny")


def test_a_run_that_waited_meanwhile_ends_in_one_line(store):
    """It holds the sweep as it was: what it solved would not belong there any more."""
    part = catalog.open(store)["tiny"].parts[0]
    compact(store, "tiny")
    with refused("the sweep 'tiny' is no longer in .* the sweep replaced: give its new place .*"):
        part.require_present()
    with refused("the sweep 'tiny' is no longer in .* the sweep replaced: give its new place .*"):
        part.read_chunk((0, 0, 0), ["power"])


def test_a_dataset_that_was_opened_before_says_so_and_shows_no_holes(store):
    ds = catalog.open(store)["tiny"].dataset()
    compact(store, "tiny")
    with refused("is no longer in .* as it was opened, .*"):
        ds.power.compute()


def test_a_run_that_is_begun_meanwhile_waits(tmp_path):
    catalog.dataset(SMALL, tmp_path).power.sel(N=1).compute()
    with closed(storage(str(tmp_path)), ["tiny"], "compact tiny"):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN_SMALL, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.5)
        assert catalog.open(tmp_path)["tiny"].counts()["ok"] == 6
        assert process.poll() is None
    assert process.communicate(timeout=60)[0] == "12\n"


RUN_SMALL = """
import sys
import catalog
from tests.catalog.test_compact import SMALL
print("begun", flush=True)
print(catalog.run(SMALL, sys.argv[1], scheduler="synchronous")["ok"])
"""


COMPLETIONS: tuple[Callable[[Path], Any], ...] = (
    lambda store: compact(store, "tiny"),
    lambda store: run(LARGER, store, scheduler="synchronous"),
    catalog.repair,
)


def test_killed_before_changes_of_the_disk_it_leaves_the_old_groups_or_the_new_one(
    extended, tmp_path
):
    before = everything(extended)
    old, new = plain(extended), None
    whole = Path(shutil.copytree(extended, tmp_path / "whole"))
    number = changes_of(lambda: compact(whole, "tiny"))
    new = plain(whole)
    assert number > 50
    moments = sorted(random.Random(7).sample(range(number), min(KILLS, number)))
    seen = set()
    for count, moment in enumerate(moments):
        store = Path(shutil.copytree(extended, tmp_path / str(moment)))
        if not killed_before(moment, lambda store=store: compact(store, "tiny")):
            # The count includes renewals of the lease, of which a faster run makes fewer.
            assert moment > 0.9 * number
            shutil.rmtree(store)
            continue
        # heatcat and plain xarray both see all that was there, before anything is completed.
        assert everything(store) == before
        found = plain(store)
        assert found.power.identical(old.power) or found.power.identical(new.power), moment
        COMPLETIONS[count % 3](store)
        assert everything(store) == before
        assert groups(store) in (["tiny", "tiny~1", "tiny~2"], ["tiny"])
        seen.add(len(groups(store)))
        compact(store, "tiny")
        assert everything(store) == before
        assert catalog.check(store) == catalog.check(whole)
        assert sorted(path.name for path in store.iterdir()) == ["tiny", "zarr.json"]
        shutil.rmtree(store)
    assert seen == {1, 3}, "the kills did not fall on both sides of the switch"
    print(f"{len(moments)} kills before one of {number} changes")


def test_the_command_killed_at_random_moments(store):
    before, rng = everything(store), random.Random(5)
    for _ in range(max(2, KILLS // 10)):
        process = subprocess.Popen(
            [sys.executable, "-m", "heatcat", "compact", str(store)], stdout=subprocess.DEVNULL
        )
        while process.poll() is None and not (store / ".heatcat-change").exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.wait()
        assert everything(store) == before
    compact(store, "tiny")
    assert everything(store) == before
    assert groups(store) == ["tiny"]
    assert catalog.check(store).sound


def test_a_file_system_that_cannot_exchange_folders_needs_two_renames(store, monkeypatch):
    monkeypatch.setattr("catalog.store.conclude.exchange", lambda *_: False)
    before = everything(store)
    compact(store, "tiny")
    assert everything(store) == before
    assert sorted(path.name for path in store.iterdir()) == ["tiny", "zarr.json"]


labels = st.lists(st.sampled_from([25.0, 50.0, 75.0, 125.0]), min_size=1, max_size=4, unique=True)
temperatures = st.lists(st.sampled_from([60.0, 75.0, 100.0]), min_size=1, max_size=3, unique=True)


@settings(max_examples=int(os.environ.get("HEATCAT_COMPACTIONS", "5")), deadline=None)
@given(st.lists(st.tuples(labels, temperatures, st.booleans()), min_size=2, max_size=3))
def test_any_grids_in_any_order_become_one_and_every_bit_stays(tmp_path_factory, boxes):
    """Also half computed: no block then has a point that is computed beside one that is not."""
    store = tmp_path_factory.mktemp("random") / "store"
    for delta_E, T_mean, whole in boxes:
        axes = {"delta_E": sorted(delta_E), "T_mean": sorted(T_mean)}
        fixed = {**SMALL.fixed, "N": 1}
        sweep = tiny_sweep(variables=["power"], axes=axes, fixed=fixed, blocks={"delta_E": 2})
        if whole:
            run(sweep, store, scheduler="synchronous")
        else:
            catalog.dataset(sweep, store).power.isel(delta_E=0, T_mean=0).compute()
    before = everything(store)
    counts = catalog.open(store)["tiny"].counts()
    done = compact(store, "tiny", holes=True)
    assert everything(store) == before
    now = catalog.open(store)["tiny"].counts()
    assert now["ok"] == counts["ok"]
    assert now["not computed"] == counts["not computed"] + done.holes
    assert len(groups(store)) == 1
    assert catalog.check(store).sound
    shutil.rmtree(store)
