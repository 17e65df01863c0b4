"""Regimes of engines whose currents are known, and what a dataset does not tell."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from analyses import collective_gain, operating_regime
from analyses.regimes import Regime
from ensemble import InvalidInput, Status
from tests.analyses.conftest import no_computing


def test_each_regime_by_its_definition():
    """One point for each regime, N = 2 with P₁ given by hand, and C on both sides of 1."""
    power = np.array([[1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 0.0, np.nan], [1, 3, 1, 3, -1, -1, 0, 1.0]])
    grid = xr.Dataset(
        {
            "power": (("N", "delta_E"), power),
            "constancy": (("N", "delta_E"), power * 0 + [0.9, 0.9, 1.1, 1.1, 2, 2, 1, 1]),
            "heat_current_1": (("N", "delta_E"), power * 0 + [-1, -1, -1, -1, 1, -1, 0, 1.0]),
        },
        {"N": [1, 2], "delta_E": np.arange(1.0, 9.0)},
    )
    found = operating_regime(grid)
    assert found.sel(N=2).values.tolist() == [
        Regime.ENGINE,
        Regime.ENGINE_WITH_GAIN,
        Regime.STEADY_ENGINE,
        Regime.STEADY_ENGINE_WITH_GAIN,
        Regime.REFRIGERATOR,
        Regime.DISSIPATES,
        Regime.NO_POWER,
        Regime.ENGINE,
    ]
    assert found.sel(N=1)[-1] == Regime.NO_VALUE
    assert found.attrs["not_judged"] == ""
    assert len(found.attrs["flag_values"]) == len(found.attrs["flag_meanings"].split()) == 8


def test_solved_engines(sweep):
    """ΔE = 125 takes power at T̄ = 150; ΔE = 100 is the Carnot line, within rounding."""
    found = operating_regime(sweep)
    gain = collective_gain(sweep.power)
    expected = np.where(sweep.power > 0, Regime.ENGINE, Regime.REFRIGERATOR)
    expected = np.where((sweep.power > 0) & (gain > 1), Regime.ENGINE_WITH_GAIN, expected)
    expected = np.where(sweep.power == 0, Regime.NO_POWER, expected)
    assert np.array_equal(found, expected)
    assert {Regime.REFRIGERATOR} == {*found.sel(delta_E=125.0).values.tolist()}


def test_failed_points_have_no_regime(sweep):
    failed = sweep.assign(status=xr.full_like(sweep.power, Status.FAILED, dtype=np.uint8))
    assert (operating_regime(failed) == Regime.NO_VALUE).all()


def test_what_is_not_stored_is_not_judged():
    grid = xr.Dataset({"power_per_pair": ("omega_0", [1.0, -1.0])}, {"omega_0": [1.0, 2.0]})
    found = operating_regime(grid)
    assert found.values.tolist() == [Regime.ENGINE, Regime.REFRIGERATOR]
    assert found.attrs["not_judged"] == "gain > 1, C > 1"
    with pytest.raises(InvalidInput, match="needs the variable 'power'"):
        operating_regime(grid.drop_vars("power_per_pair"))
    with pytest.raises(InvalidInput, match="it takes heat_current_1 to tell what cools"):
        operating_regime(grid.assign_coords(Gamma_local=0.1))


def test_lazy_stays_lazy(sweep):
    with no_computing():
        lazy = operating_regime(sweep.chunk({"N": 4}))
    assert np.array_equal(lazy.compute(), operating_regime(sweep))
