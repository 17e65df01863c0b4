"""Figs. 5, 6 and 8 from small sweeps: their files, and that what they show is the physics."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import catalog
from catalog.names.described import without_derived
from ensemble import Cumulant, Engine, Macroscopic
from ensemble.closed_forms.single_pair import single_pair_power
from heatcat.figures.fig5 import FIG5
from heatcat.figures.fig6 import CALCULATIONS, FIG6
from heatcat.figures.fig8 import FIG8
from tests.heatcat.tiny import assert_four_files

FIXED = {"omega_0": 0.006, "E_1": 1.0, "delta_T": 20.0, "Gamma_0": 0.001}
METHODS = {"closure": Cumulant(), "exact": Macroscopic()}
RECIPES = {recipe.name: recipe for recipe in (FIG5, FIG6, FIG8)}
LETTERS = {"fig5": "abcde", "fig6": "abcdefghi", "fig8": "abcd"}
SPACINGS = [2.0, 5.0, 30.0, 100.0]
T_MEANS = [10.1, 10.2, 10.4, 14.0, 30.0]
"""Gain 1 lies between ΔE = 2 and 100 E₁ at the first three; (5, 14) is a Carnot point."""


def sweeps(part, axes, variables):
    return catalog.Sweep(
        name=f"tiny-{part}",
        axes=axes,
        fixed=FIXED,
        scaling="high-temperature",
        method=METHODS[part],
        energy_unit="E_1",
        variables=variables,
    )


@pytest.fixture(scope="module")
def datasets():
    curves = {"delta_E": [0.5, 2.0, 5.0], "T_mean": [11, 12, 13, 15, 17, 25, 35, 45, 52, 56, 60]}
    maps = {"delta_E": SPACINGS, "T_mean": T_MEANS}
    stored = FIG6.presets(quick=True)["exact"].variables
    wanted = {"fig5": (curves, ["gap"]), "fig6": (maps, stored)}
    made = {
        name: {part: catalog.dataset(sweeps(part, *given)).compute() for part in METHODS}
        for name, given in wanted.items()
    }
    return made | {"fig8": made["fig6"]}


@pytest.fixture(scope="module")
def made(datasets, tmp_path_factory) -> dict[str, dict[str, Path]]:
    out = tmp_path_factory.mktemp("figures")
    files = {name: recipe.make(datasets[name], out) for name, recipe in RECIPES.items()}
    return {name: {path.suffix: path for path in paths} for name, paths in files.items()}


@pytest.fixture
def reduced(made):
    def load(name: str) -> xr.Dataset:
        return xr.load_dataset(made[name][".nc"], engine="h5netcdf")

    return load


@pytest.mark.parametrize("name", RECIPES)
def test_four_files(made, name):
    assert_four_files(made[name])
    for suffix, path in made[name].items():
        assert path.name == f"{name}{suffix}"


@pytest.mark.parametrize("name", RECIPES)
def test_the_page_has_its_panels_and_asks_for_nothing(made, name):
    page = made[name][".html"].read_text(encoding="utf-8")
    models = page[page.index("const docs_json") :]
    assert re.findall(r"<figcaption>\((.)\) ", page) == list(LETTERS[name])
    assert "http" not in models


def test_the_maps_share_their_sweeps_and_skip_the_gap():
    assert FIG6.sweeps == FIG8.sweeps
    for recipe in RECIPES.values():
        for quick in (False, True):
            for part, sweep in recipe.presets(quick=quick).items():
                assert sweep.model.method == METHODS[part]
                assert sweep.fixed == FIXED
                assert ("gap" in sweep.variables) == (recipe is FIG5)


class TestFig5:
    def test_gap_of_the_methods(self, reduced):
        ds = reduced("fig5")
        assert ds.gap_per_Gamma_0.attrs["units"] == "1"
        assert ds.calculation.values.tolist() == list(CALCULATIONS)
        for part, method in METHODS.items():
            engine = Engine(N=1, delta_E=2.0, T_mean=25.0, scaling="high-temperature", **FIXED)
            gap = method.solve(engine, ["gap"]).values["gap"] / 0.001
            found = ds.gap_per_Gamma_0.sel(calculation=part, delta_E=2.0, T_mean=25.0)
            assert found.item() == pytest.approx(gap, rel=1e-8)

    def test_slopes_of_hot_baths(self, reduced):
        """Γ₀/E₁ below the Carnot point and Γ₀/E₂ above, up to terms in (E/T)² and ω₀²."""
        ds = reduced("fig5")
        np.testing.assert_allclose(ds.carnot_T_mean, [50, 20, 14])
        slope = ds.slope.sel(delta_E=[0.5, 2.0])
        np.testing.assert_allclose(slope.sel(side="below"), 1.0, rtol=0.06)
        above = slope.sel(side="above")
        np.testing.assert_allclose(above, 0 * above + 1 / (1 + above.delta_E), rtol=0.02)
        np.testing.assert_allclose(ds.kink.sel(delta_E=0.5), 50, rtol=0.01)


class TestFig6:
    def test_power_and_gain_of_every_engine(self, reduced, datasets):
        ds = reduced("fig6")
        assert ds.power_per_Gamma_0.attrs["units"] == "E_1"
        for part in METHODS:
            power = without_derived(datasets["fig6"][part]).power_per_pair
            at = ds.sel(calculation=part, drop=True)
            xr.testing.assert_allclose(at.power_per_Gamma_0, power / 0.001)
            for spacing in SPACINGS:
                for T_mean in T_MEANS:
                    here = {"delta_E": spacing, "T_mean": T_mean}
                    single = single_pair_power(Engine(N=1, **here, **FIXED))
                    if here == {"delta_E": 5.0, "T_mean": 14.0}:
                        assert single == 0
                        continue
                    gain = 10 ** at.log_gain.sel(here).item()
                    assert gain == pytest.approx(power.sel(here).item() / single, rel=1e-10)
        assert np.isfinite(ds.log_gain).all()

    def test_boundary_and_its_exponent(self, reduced):
        ds = reduced("fig6")
        cold = ds.gain_boundary.sel(T_mean=[10.1, 10.2, 10.4])
        assert ((cold > 2) & (cold < 100)).all()
        assert (cold.diff("T_mean") > 0).all()
        assert ds.gain_boundary.sel(T_mean=[14, 30]).isnull().all()
        for part in METHODS:
            line = np.polyfit(np.log(cold.T_mean), np.log(cold.sel(calculation=part)), 1)
            found = ds.exponent.sel(calculation=part).item()
            assert found == pytest.approx(line[0], rel=1e-9)

    def test_the_closure_gets_the_power_and_not_the_constancy(self, reduced):
        ds = reduced("fig6")
        assert np.abs(ds.power_per_pair_error).max() < 0.1
        assert np.abs(ds.constancy_error).max() > 0.5
        # Linear response: the exact limit has C = 1 at the Carnot point.
        carnot = ds.constancy.sel(delta_E=5.0, T_mean=14.0)
        assert carnot.sel(calculation="exact").item() == pytest.approx(1, abs=1e-8)
        assert carnot.sel(calculation="closure").item() < 0.9


class TestFig8:
    def test_information_and_concurrence(self, reduced, datasets):
        ds = reduced("fig8")
        assert ds.mutual_information.attrs["units"] == "nat"
        for part in METHODS:
            found = ds.mutual_information.sel(calculation=part, drop=True)
            expected = without_derived(datasets["fig8"][part]).mutual_information
            xr.testing.assert_equal(found, expected)
        assert (ds.mutual_information >= 0).all()
        assert (ds.concurrence == 0).all()

    def test_it_follows_the_current_more_closely_than_the_power(self, reduced):
        rank = reduced("fig8").rank_correlation.sel(mode="all")
        assert (rank.sel(output="quanta_current_per_pair") > 0.95).all()
        assert (
            rank.sel(output="power_per_pair") < rank.sel(output="quanta_current_per_pair")
        ).all()
