"""Collective gain, power ratio and conductance."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses import collective_gain, conductance, power_ratio
from ensemble import InvalidInput
from tests.analyses.conftest import no_computing

N = np.arange(1.0, 9.0)
RATIOS = {"collective_gain": collective_gain, "power_ratio": power_ratio}
each_ratio = pytest.mark.parametrize("ratio", RATIOS.values(), ids=RATIOS)


@given(alpha=st.floats(-3, 3), c=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6))
def test_power_law(alpha, c):
    power = xr.DataArray(c * N**alpha, coords={"N": N}, dims="N")
    np.testing.assert_allclose(collective_gain(power), N ** (alpha - 1), rtol=1e-13)
    np.testing.assert_allclose(power_ratio(power), N**alpha, rtol=1e-13)


class TestRatios:
    @each_ratio
    def test_labels_and_attributes(self, ratio, sweep):
        result = ratio(sweep.power)
        assert result.dims == sweep.power.dims
        xr.testing.assert_identical(result.coords.to_dataset(), sweep.power.coords.to_dataset())
        assert result.attrs["units"] == "1"
        assert {"long_name", "symbol"} <= set(result.attrs)
        assert result.name == ratio.__name__

    @each_ratio
    def test_coordinates_along_the_axis_are_kept(self, ratio, curve):
        power = curve(N)
        xr.testing.assert_identical(ratio(power).wall_time.variable, power.wall_time.variable)

    @each_ratio
    def test_undefined_without_power_of_one_pair(self, ratio, curve):
        for nothing in (0.0, np.nan):
            assert np.isnan(ratio(curve([nothing, 1.0, 2.0]))).all()
        assert ratio(curve([2.0, 0.0, 2.0]))[1] == 0

    @each_ratio
    def test_needs_one_pair_but_not_first(self, ratio, curve):
        with pytest.raises(InvalidInput, match=r"one pair is missing: add N = 1 to the sweep$"):
            ratio(curve(N, labels=N + 1))
        assert ratio(curve([1.0, 3.0, 4.0], labels=[0.5, 1.0, 2.0])).sel(N=1) == 1
        with pytest.raises(InvalidInput, match=r"no dimension 'N': did you mean 'n'\?$"):
            ratio(curve(N).rename(N="n"))

    @each_ratio
    def test_lazy_and_pure(self, ratio, sweep):
        before = sweep.copy(deep=True)
        with no_computing():
            result = ratio(sweep.power.chunk(N=1, delta_E=1))
        assert result.chunks is not None
        xr.testing.assert_identical(result.compute(), ratio(sweep.power))
        xr.testing.assert_identical(sweep, before)


class TestConductance:
    def test_current_per_affinity(self, sweep):
        """P = ΔE a G away from the Carnot point, where a = E₁/T₁ − E₂/T₂ = 1 − 225/200."""
        G = conductance(sweep.constancy, sweep.quanta_noise).sel(delta_E=125)
        np.testing.assert_allclose(125 * (1 - 225 / 200) * G, sweep.power.sel(delta_E=125))

    def test_finite_at_the_carnot_point(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise).sel(delta_E=100)
        assert (sweep.power.sel(delta_E=100) == 0).all()
        assert (G > 0).all()

    def test_gain_is_that_of_the_power(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise)
        for ratio in RATIOS.values():
            from_power, from_conductance = ratio(sweep.power), ratio(G)
            xr.testing.assert_allclose(
                from_power.sel(delta_E=125), from_conductance.sel(delta_E=125), rtol=1e-12
            )
            assert np.isnan(from_power.sel(delta_E=100)).all()
            assert np.isfinite(from_conductance).all()

    def test_high_temperature_scaling(self, hot_sweep):
        """a ∝ 1/N: the power's ratio is the conductance's collective gain."""
        G = conductance(hot_sweep.constancy, hot_sweep.quanta_noise).sel(delta_E=125)
        power = hot_sweep.power.sel(delta_E=125)
        np.testing.assert_allclose(power_ratio(power), collective_gain(G), rtol=1e-12)

    def test_labels_and_units(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise)
        assert (G.name, G.attrs["units"]) == ("conductance", "omega_0")
        assert G.dims == sweep.constancy.dims
        xr.testing.assert_identical(G.coords.to_dataset(), sweep.coords.to_dataset())
        del (bare := sweep.quanta_noise.copy()).attrs["units"]
        assert "units" not in conductance(sweep.constancy, bare).attrs

    def test_lazy_and_pure(self, sweep):
        before = sweep.copy(deep=True)
        chunked = sweep.chunk(N=1, delta_E=1)
        with no_computing():
            G = conductance(chunked.constancy, chunked.quanta_noise)
        assert G.chunks is not None
        xr.testing.assert_identical(G.compute(), conductance(sweep.constancy, sweep.quanta_noise))
        xr.testing.assert_identical(sweep, before)

    def test_different_points_are_refused(self, sweep):
        constancy, noise = sweep.constancy, sweep.quanta_noise
        for other in (
            noise.isel(N=slice(1, None)),
            noise.assign_coords(N=sweep.N + 1),
            noise.assign_coords(T_mean=151.0),
        ):
            with pytest.raises(InvalidInput, match=r"different labels .*: select both from one"):
                conductance(constancy, other)
        with pytest.raises(InvalidInput, match=r"different labels or coordinates"):
            conductance(constancy.sel(delta_E=100), noise.sel(delta_E=125))
