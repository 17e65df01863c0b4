"""The lazy Dataset: nothing is computed before it is asked for, and then just what is asked for."""

from __future__ import annotations

import itertools
import json

import dask
import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

import catalog
from catalog import dataset, find_stored
from catalog.heat_engine.terms import vocabulary
from catalog.names.described import without_derived
from catalog.names.vocabulary import DIAGNOSTICS
from ensemble import Bosonic, Engine, Exact, Status
from tests.analyses.conftest import no_computing
from tests.catalog.support import AXES, FIXED, exact, finished_blocks, refused, tiny_sweep

OURS = {term.name for term in DIAGNOSTICS}


@pytest.mark.parametrize("stored", [False, True])
def test_opening_selecting_and_arithmetic_compute_nothing(stored, tmp_path, solved):
    with no_computing():
        ds = dataset(tiny_sweep(), tmp_path / "store" if stored else None)
        part = ds.sel(N=2).isel(delta_E=slice(1, None)).sel(T_mean=100, method="nearest")
        derived = (part.power / part.N).where(part.status == Status.OK).mean("delta_E")
        xr.concat([derived, derived], "copy").rename("twice").to_dataset()
        repr(ds), ds._repr_html_()
    assert solved == []
    assert all(array.chunks for array in ds.data_vars.values())


def test_the_guard_of_laziness_can_fail():
    with pytest.raises(AssertionError, match="asked to compute 1 times"), no_computing():
        dataset(tiny_sweep()).power.max().compute()


def test_a_selection_solves_just_the_blocks_that_it_touches(solved):
    ds = dataset(tiny_sweep())
    ds.power.sel(N=2, delta_E=250).compute()
    assert sorted(solved) == [(1, 1, 0), (1, 1, 1)]
    solved.clear()
    ds.power.sel(N=1, delta_E=50, T_mean=60).compute()
    assert solved == [(0, 0, 0)]


def test_a_store_keeps_what_a_selection_solved_and_it_is_not_solved_again(tmp_path, solved):
    sweep = tiny_sweep()
    first = dataset(sweep, tmp_path).sel(N=2, delta_E=[50, 125]).compute()
    assert sorted(solved) == [(1, 0, 0), (1, 0, 1)]
    assert finished_blocks(tmp_path) == set(solved)

    solved.clear()
    again = dataset(sweep, tmp_path).sel(N=2, delta_E=[50, 125]).compute()
    assert solved == []
    assert again.identical(first)

    whole = dataset(sweep, tmp_path).compute()
    assert len(solved) == 6
    assert not {(1, 0, 0), (1, 0, 1)} & set(solved)
    assert whole.sel(N=2, delta_E=[50, 125]).identical(first)
    store = find_stored(tmp_path, sweep)
    assert store is not None
    assert store.missing() == []


def test_variables_that_are_computed_together_share_their_blocks(solved):
    sweep = tiny_sweep()
    dask.compute(*(dataset(sweep)[name] for name in ("power", "constancy", "status", "error")))
    assert sorted(solved) == list(sweep.grid.block_indices())
    solved.clear()
    dataset(sweep).compute()
    assert sorted(solved) == list(sweep.grid.block_indices())


def test_values_are_those_of_the_solver_at_the_labels():
    alone = Exact(solver="superlu")  # engines that are solved together differ in the last digit
    ds = dataset(tiny_sweep(scaling="high-temperature", method=alone)).compute()
    for N, delta_E, T_mean in itertools.product(*AXES.values()):
        engine = Engine(N=N, delta_E=delta_E, T_mean=T_mean, scaling="high-temperature", **FIXED)
        solution = Exact().solve(engine)
        point = ds.sel(N=N, delta_E=delta_E, T_mean=T_mean)
        for name, value in {**solution.values, **solution.diagnostics}.items():
            assert exact(point[name].values) == exact(np.asarray(value, point[name].dtype)), name
        assert point.status == solution.status
        assert point.error == ""
        assert point.wall_time > 0
    assert ds.cop.isnull().any()  # the bits of a NaN were compared, too
    assert ds.cop.notnull().any()


def test_undefined_values_are_nan_although_their_points_are_ok():
    ds = dataset(tiny_sweep()).compute()
    assert (ds.status == Status.OK).all()
    refrigerator = ds.sel(delta_E=250, T_mean=100)
    assert refrigerator.efficiency.isnull().all()
    assert (refrigerator.cop > 0).all()


def test_everything_is_labelled_with_name_and_unit():
    sweep = tiny_sweep()
    ds = dataset(sweep)
    assert ds.sizes == {"N": 2, "delta_E": 3, "T_mean": 2}
    assert set(ds.data_vars) == {*Exact().chosen(None), *Exact.diagnostics, *OURS}
    assert {name: labels.tolist() for name, labels in ds.indexes.items()} == AXES
    assert ds.N.dtype == np.int64
    assert {name: ds[name].item() for name in FIXED} == FIXED
    assert set(ds.coords) - set(AXES) - set(FIXED) == {"E_2", "T_1", "T_2", "carnot_efficiency"}
    for name, array in without_derived(ds).variables.items():
        assert array.attrs == vocabulary("omega_0")[str(name)].attributes()
    for name, array in ds.data_vars.items():
        assert array.dims == sweep.dims
        assert array.dtype.kind == np.dtype(vocabulary()[str(name)].dtype).kind.replace("U", "O")
    assert ds.power.attrs["units"] == "omega_0^2"
    assert json.loads(ds.attrs["sweep"]) == sweep.family.identity()


def test_variables_that_were_not_asked_for_are_not_there():
    ds = dataset(tiny_sweep(variables=["power", "affinity"]))
    assert set(ds.data_vars) == {"power", "affinity", *Exact.diagnostics, *OURS}
    values = ds.sel(N=1, delta_E=50, T_mean=60).compute()
    engine = Engine(N=1, delta_E=50, T_mean=60, **FIXED)
    assert float(values.power) == pytest.approx(Exact().solve(engine, ["power"]).values["power"])


def test_sweeps_of_one_axis_and_of_another_parameter():
    fixed = {name: value for name, value in FIXED.items() if name != "omega_0"}
    sweep = tiny_sweep(
        axes={"ω₀": [0.5, 1.0, 2.0]}, fixed={**fixed, "N": 1, "ΔE": 50, "T̄": 100}, blocks={}
    )
    power = dataset(sweep).power.compute()
    assert power.dims == ("omega_0",)
    assert power.sel(omega_0=2) > power.sel(omega_0=1) > power.sel(omega_0=0.5) > 0


def test_a_limit_has_no_size():
    axes = {name: labels for name, labels in AXES.items() if name != "N"}
    ds = dataset(tiny_sweep(method=Bosonic(), axes=axes)).compute()
    assert ds.sizes == {"delta_E": 3, "T_mean": 2}
    assert "N" not in ds.variables
    engine = Engine(N=1, delta_E=50, T_mean=60, **FIXED)
    power = Bosonic().solve(engine).values["power_per_pair"]
    assert ds.power_per_pair.sel(delta_E=50, T_mean=60) == power
    assert "coherence_order" not in ds  # the method has no such diagnostic


def test_fermionic_baths_take_chemical_potentials():
    axes = {"N": [2], "μ₁": [0.0, 5.0], "delta_E": [50]}
    fixed = {**FIXED, "T_mean": 100}
    ds = dataset(tiny_sweep(statistics="fermionic", axes=axes, fixed=fixed, blocks={})).compute()
    for mu_1 in (0.0, 5.0):
        engine = Engine(N=2, mu_1=mu_1, delta_E=50, statistics="fermionic", **fixed)
        power = Exact().solve(engine, ["power"]).values["power"]
        assert ds.power.sel(mu_1=mu_1).item() == pytest.approx(power, rel=1e-12)


def test_a_failing_solver_does_not_stop_the_others(monkeypatch):
    solve = Exact.solve

    def flaky(self, engine, variables=None):
        if engine.delta_E == 125:
            raise ArithmeticError("singular")
        return solve(self, engine, variables)

    monkeypatch.setattr(Exact, "solve", flaky)
    ds = dataset(tiny_sweep()).compute()
    assert (ds.status.sel(delta_E=125) == Status.FAILED).all()
    assert (ds.error.sel(delta_E=125) == "ArithmeticError: singular").all()
    assert ds.power.sel(delta_E=125).isnull().all()
    assert (ds.status.sel(delta_E=[50, 250]) == Status.OK).all()


def test_another_sweep_under_that_name_is_refused(tmp_path):
    dataset(tiny_sweep(), tmp_path)
    with refused(
        r"holds a different sweep named 'tiny' \(variables differ\): rename the sweep or choose "
        "another store"
    ):
        dataset(tiny_sweep(variables=["power"]), tmp_path)


def test_a_whole_dataset_can_be_masked(tmp_path):
    sweep = tiny_sweep(variables=["power"])
    catalog.run(sweep, tmp_path, scheduler="synchronous")
    for ds in (dataset(sweep), dataset(sweep, tmp_path), catalog.open(tmp_path)["tiny"].dataset()):
        masked = ds.where(ds.N == 2).compute()
        assert masked.power.sel(N=1).isnull().all()
        assert masked.error.sel(N=1).isnull().all()
        assert masked.power.sel(N=2).notnull().all()
        assert (masked.error.sel(N=2) == "").all()


@pytest.mark.parametrize("kept", [False, True], ids=["without a store", "in a store"])
def test_a_scheduler_meets_each_task_under_one_name(kept, tmp_path, caplog):
    """Persisted, then used in parts: dask warns of two tasks of one name, and may wait for ever."""
    ds = catalog.dataset(tiny_sweep(variables=["power", "cop"]), tmp_path if kept else None)
    with (
        caplog.at_level("WARNING", "distributed"),
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=True),
    ):
        persisted = ds.persist()
        whole = ds.compute()
        ds, persisted, whole = (d.drop_vars("wall_time") for d in (ds, persisted, whole))
        assert persisted.compute().identical(whole)
        assert (ds.power * 2).compute().identical(whole.power * 2)
        assert ds[["power"]].compute().identical(whole[["power"]])
        assert ds.sel(N=1).compute().identical(whole.sel(N=1))
    assert [record.message for record in caplog.records if "run_spec" in record.message] == []
