"""Copying a sweep to another store, and merging it into the one of that name there."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import catalog
from catalog import run
from catalog.store.copy_sweep import Copied, copy
from catalog.store.leases import Leases
from catalog.store.storage import storage
from catalog.sweeps.sweep import Sweep
from tests.catalog.dying import changes_of, killed_before
from tests.catalog.support import AXES, refused, tiny_sweep
from tests.catalog.test_compact import LARGER, SCATTERED, SMALL, everything, groups, plain
from tests.catalog.test_rename_delete import files

KILLS = int(os.environ.get("HEATCAT_KILLS", "4"))
"""Moments at which copying is killed; HEATCAT_KILLS=1000 tries them all."""


def sweep_of(**axes: list[float]) -> Sweep:
    return tiny_sweep(variables=["power", "cop"], axes={**AXES, **axes}, blocks={})


BEYOND = sweep_of(N=[2, 3], delta_E=[50.0, 300.0])
"""Shares 2 points with `SMALL`, has 6 more."""


@pytest.fixture
def source(tmp_path) -> Path:
    run(BEYOND, tmp_path / "source", scheduler="synchronous")
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path) -> Path:
    run(SMALL, tmp_path / "target", scheduler="synchronous")
    return tmp_path / "target"


def selected(location: Path, like: Path) -> xr.Dataset:
    """What a store has at the labels of another."""
    labels = catalog.open(like)["tiny"].dataset()
    found = catalog.open(location)["tiny"].dataset().compute()
    return found.sel({dim: labels[dim] for dim in ("N", "delta_E", "T_mean")})


@contextmanager
def unchanged(*locations: Path) -> Iterator[None]:
    before = [files(location) for location in locations]
    yield
    assert [files(location) for location in locations] == before


def test_every_bit_and_the_history_are_copied(source, tmp_path):
    run(LARGER, source, scheduler="synchronous")
    run(SCATTERED, source, scheduler="synchronous")
    with unchanged(source):
        done = copy(source, "tiny", tmp_path / "new")
    assert done == Copied("tiny", 30, 0, merged=False)
    assert everything(tmp_path / "new") == everything(source)
    assert groups(tmp_path / "new") == groups(source)
    assert [catalog.open(p)["tiny"].history() for p in (source, tmp_path / "new")] == 2 * [
        catalog.open(source)["tiny"].history()
    ]
    assert catalog.check(tmp_path / "new").sound


def test_under_another_name_in_the_same_store(source):
    copy(source, "tiny", source, new="twin")
    assert sorted(catalog.open(source)) == ["tiny", "twin"]
    assert everything(source, "twin") == everything(source)


def test_from_an_archive(source, tmp_path):
    catalog.zip_store(source, tmp_path / "s.zip")
    copy(tmp_path / "s.zip", "tiny", tmp_path / "new")
    assert everything(tmp_path / "new") == everything(source)


def test_onto_itself_is_refused(source):
    with unchanged(source), refused("'tiny' would be copied onto itself: give another .*"):
        copy(source, "tiny", source)


def test_while_somebody_works_on_it_is_refused(source, tmp_path):
    leases = Leases(storage(str(source)), "tiny")
    with leases.hold("0.0.0", wait=False), refused("cannot copy tiny: .* is at work on .*"):
        copy(source, "tiny", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_damage_is_found_and_nothing_is_there_of_the_copy(source, tmp_path):
    chunk = next(path for path in (source / "tiny" / "power" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with refused("is damaged .*: run heatcat repair .*"):
        copy(source, "tiny", tmp_path / "new")
    with refused("holds no sweep: fill it with heatcat run SWEEP --store …"):
        catalog.open(tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["zarr.json"]


def test_labels_that_the_target_lacks_are_added_with_their_runs(source, target):
    before = everything(target)
    with unchanged(source):
        assert copy(source, "tiny", target) == Copied("tiny", 6, 2, merged=True)
    then, now = catalog.open(source)["tiny"].dataset(), selected(target, source)
    for name in ("power", "cop", "status", "residual"):
        np.testing.assert_array_equal(now[name].values, then[name].values)
    new = now.run.values == 2
    assert new.sum() == 6
    np.testing.assert_array_equal(now.wall_time.values[new], then.wall_time.values[new])
    whole = catalog.open(target)["tiny"]
    assert whole.points_by_run() == {1: {"ok": 12}, 2: {"ok": 6}}
    assert whole.history()[1]["copied_from"] == f"run 1 of tiny in {source}"
    assert whole.history()[1]["started"] == catalog.open(source)["tiny"].history()[0]["started"]
    old = catalog.open(target)["tiny"].dataset().compute()
    old = old.sel(N=[1, 2], delta_E=[50.0, 125.0, 250.0])
    assert {str(n): _bits(old[n]) for n in before if n in old} == before
    assert catalog.check(target).sound


def test_points_that_the_target_asked_for_are_filled(tmp_path, source):
    target = tmp_path / "half"
    catalog.dataset(BEYOND, target).power.sel(N=2, delta_E=50.0).compute()
    before = catalog.open(target)["tiny"].counts()
    assert before["not computed"] == 4  # N = 3; a block has all of N = 2
    part = sweep_of(N=[3], delta_E=[300.0], T_mean=[100.0])
    run(part, tmp_path / "one", scheduler="synchronous")
    assert copy(tmp_path / "one", "tiny", target) == Copied("tiny", 1, 0, merged=True)
    assert catalog.open(target)["tiny"].counts()["not computed"] == 3
    assert groups(target) == ["tiny"]
    solved: list[Any] = []
    run(BEYOND, target, scheduler="synchronous", on_block=lambda b, _: solved.append(b.size))
    assert sum(solved) == 3


def test_a_second_merge_adds_nothing(source, target):
    copy(source, "tiny", target)
    with unchanged(target):
        assert copy(source, "tiny", target) == Copied("tiny", 0, 8, merged=True)


def test_scattered_points_are_merged(source, target):
    run(SCATTERED, source, scheduler="synchronous")
    assert copy(source, "tiny", target).points == 8
    assert catalog.open(target)["tiny"].counts()["ok"] == 20
    assert catalog.check(target).sound


def test_other_values_are_refused_by_their_labels(source, target, monkeypatch):
    from catalog.store import copy_sweep

    def other(parts, part, chunk):
        arrays = read(parts, part, chunk)
        return {**arrays, "power": arrays["power"] * (1 + 1e-15)}

    read = copy_sweep.read
    monkeypatch.setattr(copy_sweep, "read", other)
    with (
        unchanged(source, target),
        refused("different values at N = 2, delta_E = 50.0, T_mean = 60.0; N = 2, .*: copy the .*"),
    ):
        copy(source, "tiny", target)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variables": ["power"]}, r"different sweep named 'tiny' \(variables differ\): .*"),
        ({"axes": {**AXES, "delta_E": [50.0 * (1 + 1e-10)]}}, "nearly equals the stored .*"),
        ({"axes": {**AXES, "delta_E": [50.0 * (1 + 1e-14)]}}, "differ by rounding .*: copy .*"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message, target, tmp_path):
    arguments = {"variables": ["power", "cop"], "blocks": {}, **changes}
    run(tiny_sweep(**arguments), tmp_path / "odd", scheduler="synchronous")
    with unchanged(target), refused(message):
        copy(tmp_path / "odd", "tiny", target)


def test_arrays_of_users_in_the_source_are_refused(source, target):
    mine = 2 * plain(source)[["power"]].rename(power="mine")
    mine.attrs = plain(source).attrs
    mine.to_zarr(source, group="tiny", mode="a", consolidated=False)
    with unchanged(target), refused("the array 'mine' .* cannot be merged .*: export it .*"):
        copy(source, "tiny", target)
    copy(source, "tiny", target, new="other")
    assert "mine" in plain(target, "other")


def _bits(array: xr.DataArray) -> Any:
    values = array.values
    return values.tolist() if values.dtype.kind in "OTU" else values.tobytes()


def test_killed_before_changes_of_the_disk_nothing_or_all_is_merged(tmp_path):
    run(BEYOND, tmp_path / "source", scheduler="synchronous")
    filled = tmp_path / "filled"
    catalog.dataset(SMALL, filled).power.sel(N=1).compute()
    whole = Path(shutil.copytree(filled, tmp_path / "whole"))
    number = changes_of(lambda: copy(tmp_path / "source", "tiny", whole))
    before, after = everything(filled), everything(whole)
    moments = sorted(random.Random(4).sample(range(number), min(KILLS, number)))
    for count, moment in enumerate(moments):
        target = Path(shutil.copytree(filled, tmp_path / str(moment)))
        assert killed_before(moment, lambda t=target: copy(tmp_path / "source", "tiny", t))
        found = everything(target)
        assert found in (before, after)
        if count % 2:
            catalog.repair(target)
            assert everything(target) == found
        copy(tmp_path / "source", "tiny", target)
        assert everything(target) == after
        assert len(catalog.open(target)["tiny"].history()) == 2
        assert catalog.check(target) == catalog.check(whole)
        shutil.rmtree(target)
    print(f"{len(moments)} kills before one of {number} changes")


labels = st.lists(st.sampled_from([25.0, 50.0, 75.0, 125.0]), min_size=1, max_size=3, unique=True)
temperatures = st.lists(st.sampled_from([60.0, 75.0, 100.0]), min_size=1, max_size=2, unique=True)
grids = st.tuples(labels, temperatures, st.booleans())


@settings(max_examples=int(os.environ.get("HEATCAT_MERGES", "5")), deadline=None)
@given(grids, grids)
def test_a_merge_has_every_computed_point_of_both(tmp_path_factory, one, other):
    folder = tmp_path_factory.mktemp("random")
    computed = {}
    for name, (delta_E, T_mean, whole) in (("source", one), ("target", other)):
        axes = {"delta_E": sorted(delta_E), "T_mean": sorted(T_mean)}
        fixed = {**SMALL.fixed, "N": 1}
        sweep = tiny_sweep(variables=["power"], axes=axes, fixed=fixed, blocks={"delta_E": 2})
        if whole:
            run(sweep, folder / name, scheduler="synchronous")
        else:
            catalog.dataset(sweep, folder / name).power.isel(delta_E=0, T_mean=0).compute()
        computed[name] = _points(folder / name)
    done = copy(folder / "source", "tiny", folder / "target")
    assert _points(folder / "target") == {**computed["source"], **computed["target"]}
    assert done.known == len(computed["source"].keys() & computed["target"].keys())
    assert done.points == len(computed["source"].keys() - computed["target"].keys())
    assert catalog.check(folder / "target").sound
    shutil.rmtree(folder)


def _points(location: Path) -> dict[tuple[float, float], float]:
    """Power and the time that it took, of the computed points by their labels."""
    ds = catalog.open(location)["tiny"].dataset(filled=True).compute()
    grid = ds.expand_dims([dim for dim in ("delta_E", "T_mean") if dim not in ds.dims])
    return {
        (e, t): (
            grid.power.sel(delta_E=e, T_mean=t).item(),
            grid.wall_time.sel(delta_E=e, T_mean=t).item(),
        )
        for e in grid.delta_E.values.tolist()
        for t in grid.T_mean.values.tolist()
        if grid.status.sel(delta_E=e, T_mean=t)
    }
