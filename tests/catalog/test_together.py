"""Sweeps whose blocks are solved together: what is stored, resumed, timed and reproduced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import catalog
from catalog.models.contract import Timed
from catalog.running.solve import solve_block
from catalog.sweeps.sweep import Sweep
from ensemble import Exact, Status
from tests.catalog.support import FIXED, exact, stored_values

AXES = {"N": [1, 3, 16], "delta_E": np.linspace(20, 250, 6), "T_mean": [60.0, 80.0, 100.0, 150.0]}


def sweep(**changes) -> Sweep:
    """72 engines and fridges in 6 blocks, of which those at N = 16 are too large."""
    arguments = {
        "name": "tiny", "axes": AXES, "fixed": FIXED, "blocks": {"delta_E": 3},
        "variables": ["power", "constancy", "discord", "cop"],
    }  # fmt: skip
    return Sweep(**{**arguments, **changes})


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    location = tmp_path_factory.mktemp("together")
    catalog.run(sweep(), location, scheduler="synchronous")
    return location


def entry(location):
    return catalog.open(location)["tiny"]


def test_small_engines_are_solved_together_and_agree_with_the_others(stored, tmp_path):
    ds = catalog.dataset(sweep(), stored).compute()
    assert (ds.status == Status.OK).all()
    assert set(ds.solver.sel(N=[1, 3]).values.ravel()) == {"together"}
    assert set(ds.solver.sel(N=16).values.ravel()) == {"superlu"}
    alone = sweep(method=Exact(solver="superlu"))
    catalog.run(alone, tmp_path, scheduler="synchronous")
    other = catalog.dataset(alone, tmp_path).compute()
    for name in ("power", "constancy", "discord", "cop"):
        assert np.allclose(ds[name], other[name], rtol=1e-10, atol=0, equal_nan=True)


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_stopped_resumed_and_threaded_runs_store_the_same_bits(stored, tmp_path, scheduler):
    catalog.dataset(sweep(), tmp_path).power.sel(N=3, delta_E=20).compute()  # one block
    catalog.run(sweep(), tmp_path, scheduler=scheduler)
    assert stored_values(tmp_path) == stored_values(stored)


def test_the_time_of_a_block_is_shared_by_its_points():
    grid = sweep(axes={**AXES, "N": [2]}, blocks={}).grid
    (index,) = grid.block_indices()
    times = solve_block(grid, index, grid.model)["wall_time"]
    assert (times > 0).all()
    assert np.ptp(times) == 0


def test_a_point_that_fails_ends_neither_its_block_nor_the_way_of_the_others():
    model = sweep().model
    points = [{**FIXED, "N": 2, "delta_E": 50.0, "T_mean": t} for t in np.linspace(60, 90, 10)]
    points[4] = {**points[4], "T_mean": 10.0}  # T₁ < 0
    found = list(model.solve(points, ["power"]))
    failed = found.pop(4).solution
    assert failed.status == Status.FAILED
    assert "T_mean must exceed" in failed.message
    assert all(isinstance(one, Timed) and one.solution.status == Status.OK for one in found)


def test_an_error_of_the_batch_leaves_every_point_to_the_engine(monkeypatch):
    def broken(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Exact, "solve_together", broken)
    points = [{**FIXED, "N": 2, "delta_E": 50.0, "T_mean": t} for t in (60.0, 70.0)]
    found = [one.solution for one in sweep().model.solve(points, ["power"])]
    assert [one.diagnostics["solver"] for one in found] == ["superlu", "superlu"]


def test_values_do_not_depend_on_the_shape_of_blocks():
    axes = {**AXES, "N": [3]}
    found = []
    for blocks in ({"delta_E": 6}, {"delta_E": 2}):
        grid = sweep(axes=axes, blocks=blocks).grid
        blocks_ = [solve_block(grid, index, grid.model) for index in grid.block_indices()]
        found.append(np.concatenate([block["constancy"] for block in blocks_], axis=1))
    assert exact(found[0]) == exact(found[1])


def test_variables_with_a_dimension_are_solved_point_by_point():
    given = sweep(
        axes={**AXES, "N": [2]}, variables=["power", "coherence"], profiles={"coherences": 2}
    )
    (index, *_) = given.grid.block_indices()
    arrays = solve_block(given.grid, index, given.model)
    assert set(arrays["solver"].ravel()) == {"superlu"}
    assert np.isfinite(arrays["coherence"]).all()


def test_a_point_is_reproduced_by_itself_within_the_certificate(stored):
    point = entry(stored).point(N=3, delta_E=20.0, T_mean=60.0)
    again = point.reproduce()
    assert point.diagnostics["solver"] == "together"
    assert again.diagnostics["solver"] == "superlu"
    assert again.values["power"] == pytest.approx(point.values["power"], rel=1e-10)


LIMIT = {
    "axes": {"delta_E": np.linspace(8, 12, 6), "T_mean": [13.0, 13.5, 14.0, 14.5]},
    "fixed": {"omega_0": 0.006, "E_1": 1.0, "delta_T": 23.0, "Gamma_0": 0.001},
    "scaling": "high-temperature",
    "method": "macroscopic",
    "variables": ["constancy", "discord"],
}
"""24 engines in 2 blocks."""


@pytest.fixture(scope="module")
def limit(tmp_path_factory):
    location = tmp_path_factory.mktemp("limit")
    catalog.run(sweep(**LIMIT), location, scheduler="synchronous")
    return location


def test_limits_of_stopped_threaded_and_other_processes_are_the_same_bits(limit, tmp_path):
    catalog.dataset(sweep(**LIMIT), tmp_path / "one").discord.sel(delta_E=8).compute()  # one block
    catalog.run(sweep(**LIMIT), tmp_path / "one", scheduler="threads")
    assert stored_values(tmp_path / "one") == stored_values(limit)
    code = (
        "import sys, catalog; from tests.catalog.test_together import LIMIT, sweep; "
        "catalog.run(sweep(**LIMIT), sys.argv[1], scheduler='synchronous')"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "two")],
        check=True, timeout=100, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert stored_values(tmp_path / "two") == stored_values(limit)


def test_limits_are_solved_together_and_reproduced_one_by_one(limit, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("every point is solved with the others of its block")

    ds = catalog.dataset(sweep(**LIMIT), limit).compute()
    assert (ds.status == Status.OK).all()
    again = entry(limit).point(delta_E=8.0, T_mean=13.5).reproduce()
    stored = ds.sel(delta_E=8.0, T_mean=13.5)
    assert again.values["constancy"] == pytest.approx(float(stored.constancy), rel=1e-10)
    assert again.values["discord"] == pytest.approx(float(stored.discord), abs=1e-10)
    grid = sweep(**LIMIT).grid
    monkeypatch.setattr(type(grid.model), "attempt", forbidden)
    (index, _) = grid.block_indices()
    arrays = solve_block(grid, index, grid.model)
    assert arrays["constancy"].tobytes() == ds.constancy[:3].values.tobytes()


def test_the_identity_of_a_sweep_is_that_of_stores_that_are_there():
    assert sweep().model.options()["method"] == {
        "name": "exact", "tolerance": 1e-10, "solver": "auto", "coherence_order": None,
    }  # fmt: skip
