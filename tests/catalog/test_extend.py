"""Extension in any direction: finished blocks stay as they are, holes have a status."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import catalog
from catalog import create_or_open, run
from catalog.sweeps.grid import Index
from catalog.sweeps.sweep import Sweep
from ensemble import Status
from tests.catalog.support import AXES, FIXED, exact, refused, tiny_sweep

SMALL = tiny_sweep(variables=["power", "cop"])


def files(location: Path) -> dict[str, tuple]:
    """Identity, time and content of every chunk: any rewriting changes one of them."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in location.glob("tiny*/*/c/**/*")
        if path.is_file()
    }


def assert_equal(found: xr.Dataset, expected: xr.Dataset) -> None:
    """The same to the last bit, but for when and by which run."""
    assert set(found.data_vars) == set(expected.data_vars)
    for name in set(found.data_vars) - {"wall_time", "run"}:
        assert found[name].dims == expected[name].dims
        assert exact(found[name].values) == exact(expected[name].values), name
    for name in expected.coords:
        assert found[name].values.tolist() == expected[name].values.tolist(), name


def without(mapping: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


EXTENSIONS = {
    "after": {"axes": {**AXES, "delta_E": [50, 125, 250, 300]}},
    "before": {"axes": {**AXES, "T_mean": [55, 60, 100]}},
    "between": {"axes": {**AXES, "delta_E": [50, 60, 125, 200, 250]}},
    "new N": {"axes": {**AXES, "N": [1, 2, 3]}},
    "all of these": {
        "axes": {"N": [1, 2, 4], "delta_E": [40, 50, 125, 130, 250, 260], "T_mean": [60, 80, 100]}
    },
    "promoted": {"axes": {**AXES, "E_1": [100, 110]}, "fixed": without(FIXED, "E_1")},
    "two promoted": {
        "axes": {**AXES, "E_1": [90, 100], "omega_0": [0.5, 1, 2]},
        "fixed": without(FIXED, "E_1", "omega_0"),
    },
}


@pytest.mark.parametrize("changes", EXTENSIONS.values(), ids=EXTENSIONS)
def test_a_larger_sweep_adds_what_is_lacking(changes, tmp_path, solved):
    run(SMALL, tmp_path, scheduler="synchronous")
    before = files(tmp_path)
    larger = tiny_sweep(**{"variables": ["power", "cop"], **changes})
    solved.clear()
    counts = run(larger, tmp_path, scheduler="synchronous")
    assert counts["ok"] == larger.size
    assert before.items() <= files(tmp_path).items()
    stored = catalog.open(tmp_path)["tiny"]
    assert sum(part.grid.size for part in stored.parts) == larger.size  # nothing is there twice
    assert stored.grid.axes == larger.axes
    expected = catalog.dataset(larger).compute()
    assert_equal(stored.dataset().compute(), expected)
    assert_equal(catalog.dataset(larger, tmp_path).compute(), expected)
    assert stored.values("power").tobytes() == expected.power.values.tobytes()

    # The smaller one is still there, and complete.
    solved.clear()
    assert run(SMALL, tmp_path, scheduler="synchronous")["ok"] == SMALL.size
    assert_equal(catalog.dataset(SMALL, tmp_path).compute(), catalog.dataset(SMALL).compute())
    assert sorted(solved) == list(
        SMALL.grid.block_indices()
    )  # by the dataset without a store alone


def test_holes_are_a_status(tmp_path):
    run(SMALL, tmp_path, scheduler="synchronous")
    corner = tiny_sweep(
        variables=["power", "cop"], axes={"N": [3], "delta_E": [300], "T_mean": [200]}, blocks={}
    )
    counts = run(corner, tmp_path, scheduler="synchronous")
    assert counts["ok"] == sum(counts.values()) == 1
    stored = catalog.open(tmp_path)["tiny"]
    assert dict(stored.dataset().sizes) == dict(zip(SMALL.dims, SMALL.shape, strict=True))
    ds = stored.dataset(filled=True).compute()
    assert ds.sizes == {"N": 3, "delta_E": 4, "T_mean": 3}
    there = ds.status == Status.OK
    assert there.sum() == 13
    assert (ds.status.where(~there, 0) == Status.NOT_COMPUTED).all()
    assert ds.power.notnull().sum() == 13
    assert ds.coherence_order.dtype.kind == "i"
    assert (ds.coherence_order.values[~there.values] == -1).all()
    assert ds.status.sel(N=3, delta_E=300, T_mean=200) == Status.OK
    # Of what was asked for, all is there: holes are no work to do.
    assert stored.counts()["not computed"] == 0
    assert stored.missing() == []


def test_an_extension_resumes_like_any_run(tmp_path, solved):
    """Old and new blocks that are missing, and only those, are solved."""
    catalog.dataset(SMALL, tmp_path).power.sel(N=1).compute()
    larger = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 3]})
    catalog.dataset(larger, tmp_path).power.sel(N=3, delta_E=50, T_mean=60).compute()
    done = len(solved)
    solved.clear()
    assert run(larger, tmp_path, scheduler="synchronous")["ok"] == larger.size
    blocks = create_or_open(tmp_path, larger).blocks(larger)
    assert len(solved) == len(blocks) - done
    assert create_or_open(tmp_path, larger).missing() == []


def test_a_run_completes_only_the_blocks_of_its_labels(tmp_path, solved):
    create_or_open(tmp_path, SMALL)
    part = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [2], "delta_E": [50]})
    counts = run(part, tmp_path, scheduler="synchronous")
    assert sorted(solved) == [(1, 0, 0), (1, 0, 1)]
    assert counts["ok"] == part.size == sum(counts.values())
    assert catalog.open(tmp_path)["tiny"].counts()["not computed"] == 8


def test_a_selection_across_parts_solves_just_its_blocks(tmp_path, solved):
    run(SMALL, tmp_path, scheduler="synchronous")
    larger = tiny_sweep(
        variables=["power", "cop"], axes={**AXES, "delta_E": [50, 90, 125, 250]}, blocks={}
    )
    solved.clear()
    found = catalog.dataset(larger, tmp_path).power.sel(N=2, T_mean=60).compute()
    assert len(solved) == 1
    assert exact(found.values) == exact(catalog.dataset(larger).power.sel(N=2, T_mean=60).values)


def test_every_part_opens_without_this_package_and_says_what_it_is(tmp_path):
    run(SMALL, tmp_path, scheduler="synchronous")
    larger = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 3]})
    run(larger, tmp_path, scheduler="synchronous")
    with xr.open_datatree(tmp_path, engine="zarr", consolidated=False) as tree:
        assert set(tree.children) == {"tiny", "tiny~1"}
        joined = xr.concat([tree["tiny"].to_dataset(), tree["tiny~1"].to_dataset()], "N")
        assert tree["tiny~1"].attrs["title"] == "tiny"
        expected = catalog.dataset(larger).power.values
        assert joined.power.values.tobytes() == expected.tobytes()


def test_near_misses_and_other_kinds_are_refused_and_nothing_is_written(tmp_path):
    run(SMALL, tmp_path, scheduler="synchronous")
    before = files(tmp_path)
    near = tiny_sweep(variables=["power", "cop"], axes={**AXES, "delta_E": [50.0000000001, 300]})
    with refused(r"delta_E = 50\.0000000001 nearly equals the stored label 50\.0: use that one"):
        run(near, tmp_path)
    with refused(r"\(parameters differ\): rename the sweep or choose another store"):
        run(tiny_sweep(variables=["power", "cop"], fixed={**FIXED, "spin_1": 0.5}), tmp_path)
    assert files(tmp_path) == before
    assert len(catalog.open(tmp_path)["tiny"].parts) == 1


def test_many_extensions_in_random_order_make_the_same_grid(tmp_path):
    """Ten random sub-grids of one grid, each run into the store: never twice, never wrong."""
    rng = np.random.default_rng(6)
    whole = {"N": [1, 2, 3], "delta_E": [50.0, 60, 70, 80, 90], "T_mean": [60.0, 70, 80, 90]}

    def drawn() -> Sweep:
        axes = {
            name: sorted(rng.choice(labels, rng.integers(1, len(labels) + 1), replace=False))
            for name, labels in whole.items()
        }
        return tiny_sweep(variables=["power"], axes=axes, blocks={})

    asked: set[Index] = set()
    for _ in range(10):
        sweep = drawn()
        run(sweep, tmp_path, scheduler="synchronous")
        asked |= {(n, e, t) for n in sweep.axes["N"] for e in sweep.axes["delta_E"]
                  for t in sweep.axes["T_mean"]}  # fmt: skip
    stored = catalog.open(tmp_path)["tiny"]
    assert sum(part.grid.size for part in stored.parts) == len(asked)
    expected = catalog.dataset(tiny_sweep(variables=["power"], axes=whole, blocks={})).power
    expected = expected.compute().sel({n: list(v) for n, v in stored.filled_grid.axes.items()})
    ds = stored.dataset(filled=True).compute()
    known = ds.status.values == Status.OK
    assert known.sum() == len(asked)
    assert (ds.power.values[known] == expected.values[known]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(ds.power.values[~known]).all()


def test_scattered_points_are_run_extended_and_read_one_by_one(tmp_path, solved):
    def scattered(delta_E: list[float], T_mean: list[float]) -> Sweep:
        return tiny_sweep(
            axes={"N": [1, 2]}, points={"delta_E": delta_E, "T_mean": T_mean}, blocks={"point": 1},
            variables=["power"],
        )  # fmt: skip

    first = scattered([50.0, 125.0, 60.0], [60.0, 70.0, 100.0])
    assert run(first, tmp_path, scheduler="synchronous")["ok"] == 6
    assert len(solved) == 6
    more = scattered([50.0, 80.0, 60.0, 125.0], [60.0, 70.0, 100.0, 60.0])
    forecast = catalog.plan(more, catalog.find_stored(tmp_path, more))
    assert (forecast.points, forecast.points_done) == (8, 4)
    assert run(more, tmp_path, scheduler="synchronous")["ok"] == 8
    assert len(solved) == 6 + 4  # just the two new points, at both sizes
    found = catalog.dataset(more, tmp_path).power.compute()
    assert found.dims == ("point", "N")
    assert found.values.tobytes() == catalog.dataset(more).power.values.tobytes()
    assert len(solved) == 10 + 8
    assert catalog.open(tmp_path)["tiny"].counts()["ok"] == 10
