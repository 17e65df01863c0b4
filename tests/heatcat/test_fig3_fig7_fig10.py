"""Figs. 3, 7 and 10 from small sweeps: their files, and that what they show is the physics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ensemble import Cumulant, Engine, Exact, Macroscopic
from ensemble.closed_forms.single_pair import single_pair_power
from heatcat.figures.fig3 import FIG3
from heatcat.figures.fig7 import FIG7
from heatcat.figures.fig10 import FIG10
from tests.heatcat.tiny import assert_four_files, tiny_figure

RECIPES = {recipe.name: recipe for recipe in (FIG3, FIG7, FIG10)}
METHODS = {"limit": Macroscopic(), "closure": Cumulant()}
WIDE = {"E_1": 1.0, "T_mean": 50.01, "delta_T": 99.98, "omega_0": 0.006, "Gamma_0": 0.001}

AXES = {
    "fig3": {"N": [1, 2, 3, 6], "T_mean": [10.5, 11.5, 12.0]},
    "fig7": {"N": [1, 4, 8], "omega_0": [1e-3, 0.004, 0.006, 0.02]},
    "fig10": {"N": [1, 2, 4], "delta_E": [100.0, 1000.0, 1800.0, 2100.0, 2400.0]},
}


def axes_of(recipe):
    """Labels of each part; a limit has no N."""
    return {
        part: {name: labels for name, labels in AXES[recipe.name].items() if name in preset.axes}
        for part, preset in recipe.presets(quick=True).items()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, dict[str, Path]]:
    out = tmp_path_factory.mktemp("figures")
    return {name: tiny_figure(recipe, axes_of(recipe), out) for name, recipe in RECIPES.items()}


@pytest.fixture
def reduced(made):
    def load(name: str) -> xr.Dataset:
        return xr.load_dataset(made[name][".nc"], engine="h5netcdf")

    return load


@pytest.mark.parametrize("name", RECIPES)
def test_four_files(made, name):
    assert_four_files(made[name])


def test_fig3_has_both_readings(reduced):
    """Only T₂ − T₁ = 20 E₁ has C₁ > 1; nothing has C₂ > 1."""
    ds = reduced("fig3")
    np.testing.assert_array_equal(ds.delta_T, [10, 20])
    assert not ds.violation.sel(delta_T=10).any()
    assert ds.violation.sel(delta_T=20, N=1).any()
    assert not ds.violation.sel(N=slice(2, None)).any()
    engine = Engine(N=1, E_1=1, delta_E=9, T_mean=11.5, delta_T=20, omega_0=0.006, Gamma_0=0.001)
    expected = Exact().solve(engine, ["constancy"]).values["constancy"]
    found = ds.constancy.sel(delta_T=20, N=1, T_mean=11.5).item()
    assert found == pytest.approx(expected, rel=1e-12)
    assert found > 1


def test_fig7_keeps_the_excess_in_the_limit_but_not_in_the_closure(reduced):
    ds = reduced("fig7")
    at = ds.sel(omega_0=0.006)
    # The example of the macroscopic limit, 10 digits known; the closure's 6.
    assert at.limit_constancy.item() == pytest.approx(1.000015874, abs=1e-9)
    assert at.closure_constancy.item() == pytest.approx(0.636121, abs=1e-6)
    assert ds.limit_violation.sel(omega_0=0.004)
    assert not ds.closure_violation.any()
    assert ds.best_constancy.sel(N=1).item() == ds.constancy.sel(N=1).max().item()
    # Finite N approaches the limit.
    distance = abs(at.constancy - at.limit_constancy)
    assert (distance.diff("N") < 0).all()


def test_fig10_grows_at_the_ratio_of_boltzmann_factors(reduced):
    ds = reduced("fig10")
    np.testing.assert_allclose(
        100 * ds.asymptotic_growth_rate, [0, 0.5, 0.75], rtol=1e-12, atol=1e-15
    )
    rates = 100 * ds.growth_rate.sel(N=[2, 4])
    # The rest is exp(−ΔE/(N T₂)): below 1e-2 for N = 4 at ΔE = 2100.
    np.testing.assert_allclose(rates, [0.5, 0.75], rtol=2e-2)
    assert ds.limit_growth_rate > ds.growth_rate.sel(N=4)
    single = single_pair_power(Engine(N=1, delta_E=1000, **WIDE, scaling="high-temperature"))
    engine = Engine(N=4, delta_E=1000, **WIDE, scaling="high-temperature")
    power = Exact().solve(engine, ["power"]).values["power"]
    assert ds.gain.sel(N=4, delta_E=1000).item() == pytest.approx(power / (4 * single), rel=1e-9)
