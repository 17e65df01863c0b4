"""Sweeps whose blocks are solved from a reduced basis: layout, cost, stored bits, reproduction."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import catalog
from catalog.cost.block_shapes import layout
from catalog.cost.model import CostModel, predicted
from catalog.running.solve import solve_block
from catalog.sweeps.sweep import Sweep
from ensemble import Exact, Status
from tests.catalog.support import FIXED, exact, stored_values

AXES = {"N": [4, 14], "delta_E": np.linspace(120, 124, 12), "T_mean": np.linspace(140, 142, 12)}
BASIS = Exact(solver="basis")


def sweep(**changes) -> Sweep:
    arguments = {
        "name": "tiny", "axes": AXES, "fixed": FIXED, "method": BASIS,
        "variables": ["power", "constancy"],
    }  # fmt: skip
    return Sweep(**{**arguments, **changes})


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    location = tmp_path_factory.mktemp("basis")
    catalog.run(sweep(), location, scheduler="synchronous")
    return location


def test_a_map_of_one_N_is_one_block_and_agrees_with_its_engines(stored):
    ds = catalog.dataset(sweep(), stored).compute()
    assert (ds.status == Status.OK).all()
    assert set(ds.solver.sel(N=4).values.ravel()) == {"together"}
    assert set(ds.solver.sel(N=14).values.ravel()) == {"basis"}
    point = catalog.open(stored)["tiny"].point(N=14, delta_E=120.0, T_mean=142.0)
    again = point.reproduce()
    assert point.diagnostics["solver"] == "basis"
    assert again.diagnostics["solver"] == "superlu"
    for name in ("power", "constancy"):
        assert again.values[name] == pytest.approx(point.values[name], rel=1e-10)


def test_stopped_threaded_and_other_processes_store_the_same_bits(stored, tmp_path):
    catalog.dataset(sweep(), tmp_path / "one").power.sel(N=4).compute()  # one block of two
    catalog.run(sweep(), tmp_path / "one", scheduler="threads")
    assert stored_values(tmp_path / "one") == stored_values(stored)
    code = (
        "import sys, catalog; from tests.catalog.test_basis import sweep; "
        "catalog.run(sweep(), sys.argv[1], scheduler='synchronous')"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "two")],
        check=True, timeout=100, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert stored_values(tmp_path / "two") == stored_values(stored)


def test_bits_do_not_depend_on_the_threads_of_blas(stored, tmp_path):
    """Blocks in this thread, then in others: each limits BLAS, which has two threads else."""
    code = (
        "import sys, catalog, threadpoolctl\n"
        "import ensemble.basis.solve as solve\n"
        "from tests.catalog.test_basis import sweep\n"
        "threads = lambda: {one['num_threads'] for one in threadpoolctl.threadpool_info()}\n"
        "original, seen = solve._solve, []\n"
        "def counted(*arguments):\n"
        "    seen.append(threads())\n"
        "    original(*arguments)\n"
        "solve._solve = counted\n"
        "for name, scheduler in (('a', 'synchronous'), ('b', 'threads'), ('c', 'synchronous')):\n"
        "    catalog.run(sweep(), f'{sys.argv[1]}/{name}', scheduler=scheduler)\n"
        "assert seen == [{1}] * 3, seen\n"
        "assert threads() == {2}, threads()\n"
    )
    several = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True, timeout=100, cwd=Path(__file__).parents[2], env={**os.environ, **several},
    )  # fmt: skip
    for name in "abc":
        assert stored_values(tmp_path / name) == stored_values(stored)


def test_a_block_gives_the_same_bits_each_time():
    grid = sweep(axes={**AXES, "N": [14]}, blocks={"delta_E": 12, "T_mean": 12}).grid
    (index,) = grid.block_indices()
    first, again = (solve_block(grid, index, grid.model)["constancy"] for _ in range(2))
    assert exact(first) == exact(again)


def map_of(sizes, solver: str, hottest: float = 250.0) -> Sweep:
    axes = {
        "N": list(sizes), "delta_E": np.linspace(5, 250, 50),
        "T_mean": np.linspace(55, hottest, 40),
    }  # fmt: skip
    return sweep(axes=axes, method=Exact(solver=solver))


def test_blocks_hold_whole_maps_where_the_basis_is_asked_for():
    (part,) = layout(map_of([4, 20, 24], "basis"))
    assert part.blocks == {"N": 1, "delta_E": 50, "T_mean": 40}
    for solver in ("auto", "superlu"):
        sweep_ = map_of([4, 20, 24], solver)
        assert layout(sweep_) == [sweep_.grid]
    given = map_of([20], "basis").replace(blocks={"delta_E": 5})
    assert layout(given) == [given.grid]


def test_blocks_that_would_take_too_long_are_cut():
    """Hours at N = 1000 and hot baths are not put at stake for one block."""
    parts = layout(map_of([20, 1000], "basis", hottest=5e3))
    assert [part.axes["N"] for part in parts] == [(20,), (1000,)]
    first, last = (np.prod(list(part.blocks.values())) for part in parts)
    assert first == 2000
    assert last <= 128


def test_the_prediction_knows_the_basis():
    whole, usual = layout(map_of([24], "basis"))[0], map_of([24], "basis").grid
    assert predicted(whole).seconds.sum() < predicted(usual).seconds.sum() / 3
    small, large = (
        float(CostModel().peak_bytes([(part, (0, 0, 0))])[0])
        for part in (layout(map_of([size], "basis"))[0] for size in (16, 64))
    )
    assert small < large < 3e9
    few = map_of([24], "basis").replace(blocks={"delta_E": 2})
    alone = map_of([24], "superlu").replace(blocks={"delta_E": 2})
    assert np.array_equal(predicted(few.grid).seconds, predicted(alone.grid).seconds)
