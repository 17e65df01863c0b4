"""T₁, T₂ and E₂ as parameters, and coordinates that follow from the parameters alone."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import catalog
from catalog import Derived, InvalidInput, Model, Parameter, Sweep, Variable, select
from catalog.heat_engine.derived import completed
from ensemble import Engine, Exact

REST = {"N": 2, "omega_0": 1.0, "Gamma_0": 1.0}
NATURAL = Sweep(
    name="natural",
    axes={"T₁": [1.0, 2.0], "T_2": [2.0, 3.0, 5.0]},
    fixed={**REST, "E_1": 1.0, "E₂": 1.5},
    variables=["power", "efficiency"],
)


def test_a_sweep_over_the_temperatures_of_the_baths():
    ds = catalog.dataset(NATURAL).compute()
    for T_1 in (1.0, 2.0):
        for T_2 in (2.0, 3.0, 5.0):
            engine = Engine.of(**REST, E_1=1.0, E_2=1.5, T_1=T_1, T_2=T_2)
            cell = ds.sel(T_1=T_1, T_2=T_2)
            assert cell.status == 1
            alone = Exact().solve(engine, ["power"]).values["power"]
            assert float(cell.power) == pytest.approx(alone, rel=1e-12)
            for name in ("T_mean", "delta_T", "delta_E", "affinity"):
                assert float(cell[name]) == pytest.approx(getattr(engine, name), rel=1e-15)
            assert float(cell.carnot_efficiency) == pytest.approx(1 - T_1 / T_2, rel=1e-15)
    assert ds.T_mean.dims == ds.affinity.dims == ("T_1", "T_2")
    assert ds.delta_E.dims == ()
    assert ds.T_mean.attrs["role"] == ds.carnot_efficiency.attrs["role"] == "derived"
    assert ds.T_1.attrs["role"] == "parameter"


def test_they_are_stored_run_and_read(tmp_path):
    store = tmp_path / "engines.zarr"
    assert catalog.run(NATURAL, store, workers=1)["ok"] == 6  # in another process
    entry = catalog.open(store)["natural"]
    ds = entry.dataset()
    assert "T_mean" in ds.coords
    assert {"T_mean", "carnot_efficiency"}.isdisjoint(
        xr.open_zarr(store, group="natural", consolidated=False)
    )
    larger = NATURAL.replace(axes={"T_1": [1.0, 2.0], "T_2": [2.0, 3.0, 5.0, 8.0]})
    assert catalog.run(larger, store, scheduler="synchronous")["ok"] == 8
    assert catalog.check(store).sound


def test_conditions_know_them():
    ds = catalog.dataset(NATURAL)
    held = catalog.where_expression(ds, "η_C > 0.5 and T̄ < 3 and a > 0")
    assert held.dims == ("T_1", "T_2")
    assert held.values.tolist() == [[False, True, False], [False, False, False]]
    # η ≤ η_C wherever there is an engine
    assert not catalog.where_expression(ds, "efficiency > carnot_efficiency").any()


def test_usual_sweeps_have_the_temperatures_of_the_baths():
    sweep = Sweep(
        name="usual",
        axes={"N": [1, 2], "delta_E": [0.5, 1.0], "T_mean": [2.0, 3.0]},
        fixed={"E_1": 1.0, "delta_T": 2.0, "omega_0": 1.0, "Gamma_0": 1.0},
        scaling="high-temperature",
        variables=["power"],
    )
    ds = catalog.dataset(sweep)
    assert (ds.T_1.dims, ds.E_2.dims, ds.affinity.dims) == (
        ("T_mean",),
        ("delta_E",),
        ("N", "delta_E", "T_mean"),
    )
    assert select(ds, {"T₁": 2.0}).sizes["T_mean"] == 1
    engine = sweep.model.engine({"N": 2, "delta_E": 0.5, "T_mean": 3.0, **sweep.fixed})
    cell = ds.affinity.sel(N=2, delta_E=0.5, T_mean=3.0)
    assert float(cell) == pytest.approx(engine.affinity, rel=1e-14)
    both = catalog.dataset(sweep.replace(variables=["affinity"]))
    assert "affinity" in both.data_vars


def test_chemical_potentials_are_part_of_the_affinity():
    sweep = Sweep(
        name="fermions",
        axes={"mu_1": [-1.0, 0.0, 1.0]},
        fixed={**REST, "E_1": 1.0, "E_2": 1.5, "T_1": 1.0, "T_2": 2.0, "mu_2": 0.5},
        statistics="fermionic",
        variables=["power"],
    )
    np.testing.assert_allclose(catalog.dataset(sweep).affinity, [1.5, 0.5, -0.5])


@pytest.mark.parametrize(
    "given", [("E_1", "E_2", "T_1", "T_2"), ("delta_E", "E_2", "T_2", "T_mean")]
)
def test_completed_columns_are_those_of_an_engine(given):
    engine = Engine.of(**REST, E_1=1.0, E_2=1.7, T_1=0.3, T_2=0.9)
    points = {name: np.array([[getattr(engine, name)]]) for name in given}
    for name, values in completed(points).items():
        assert values.item() == pytest.approx(getattr(engine, name), rel=1e-15), name


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        (
            {"T_1": 1, "T_2": 2, "T_mean": 3, "E_1": 1, "E_2": 2},
            r"two temperatures determine .*out",
        ),
        ({"T_1": 1, "E_1": 1, "E_2": 2}, r"T_1 alone does not determine .* T_mean, delta_T, T_2"),
        (
            {"T_mean": 1, "E_1": 1, "E_2": 2},
            r"no value for delta_T: give it under axes",
        ),
        ({"T_1": 1, "T_2": 2}, r"no value for delta_E, E_1: give it under axes or under fixed"),
        ({"T_1": 3, "T_2": 2, "E_1": 1, "E_2": 2}, r"T_2 must not be smaller than T_1, .* hot one"),
        ({"T_3": 1}, r"unknown parameter 'T_3': did you mean 'T_2'\?"),
    ],
)
def test_refusals(fixed, message):
    with pytest.raises(InvalidInput, match=message):
        Sweep(name="x", axes={"N": [1, 2]}, fixed={"omega_0": 1, "Gamma_0": 1, **fixed})


class Ratio(Model):
    """A model of the tests that derives the ratio of its parameters."""

    name = "ratio"
    parameters = (Parameter("x", "x"), Parameter("y", "y"))
    variables = (Variable("work", "W"),)
    derived = (Derived("ratio", "ρ", "x over y"),)

    def derive(self, points):
        return {"ratio": points["x"] / points["y"]}

    def solve_point(self, point, variables):
        return {"work": point["x"] * point["y"]}


def test_any_model_may_derive_coordinates():
    sweep = Sweep(name="any", axes={"x": [1.0, 2.0]}, fixed={"y": 4.0}, model=Ratio())
    ds = catalog.dataset(sweep).compute()
    assert ds.ratio.dims == ("x",)
    assert ds.ratio.values.tolist() == [0.25, 0.5]
    assert (ds.ratio.attrs["symbol"], ds.ratio.attrs["role"]) == ("ρ", "derived")
    assert catalog.where_expression(ds, "ρ > 0.3").values.tolist() == [False, True]
    grid = sweep.replace(axes={"x": [1.0, 2.0], "y": [1.0, 2.0, 4.0]}, fixed={})
    assert catalog.dataset(grid).ratio.shape == (2, 3)


class Misspelt(Ratio):
    """A model of the tests that derives what it does not declare."""

    def derive(self, points):
        return {"ration": points["x"] / points["y"]}


def test_what_a_model_derives_is_declared():
    sweep = Sweep(name="any", axes={"x": [1.0, 2.0]}, fixed={"y": 4.0}, model=Misspelt())
    with pytest.raises(InvalidInput, match=r"derives 'ration', which .*: did you mean 'ratio'\?"):
        catalog.dataset(sweep)


def test_scattered_points_have_them_along_the_points():
    sweep = Sweep(
        name="points",
        axes={},
        points={"T_1": [1.0, 2.0, 1.5], "T_2": [4.0, 3.0, 2.0]},
        fixed={**REST, "E_1": 1.0, "E_2": 1.5},
        variables=["power"],
    )
    ds = catalog.dataset(sweep)
    assert ds.T_mean.dims == ("point",)
    np.testing.assert_allclose(ds.T_mean, [2.5, 2.5, 1.75])
