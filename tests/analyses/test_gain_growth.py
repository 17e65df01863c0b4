"""Exponential growth rates, against exponentials and the Boltzmann factors of a cold engine."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses import growth_rate, local_growth_rate
from ensemble import Engine, Exact, InvalidInput

LABELS = np.array([1.0, 2.0, 4.0, 7.0, 11.0])


def curve(values):
    axis = xr.Variable("delta_E", LABELS, {"units": "E_1"})
    return xr.DataArray(values, {"delta_E": axis}, "delta_E", name="gain")


@given(st.floats(-3, 3), st.floats(-5, 5))
def test_an_exponential_is_found_exactly(rate, offset):
    gain = curve(np.exp(rate * LABELS + offset))
    fit = growth_rate(gain, start=2, stop=11)
    # ln of the data has errors of eps (|κΔE| + |c| + 1) ≲ 1e-14.
    assert fit.growth_rate.item() == pytest.approx(rate, abs=1e-13)
    assert fit.fit_deviation.item() < 1e-13
    assert fit.n_points.item() == 4
    np.testing.assert_allclose(local_growth_rate(gain), rate, atol=1e-12)


def test_units_are_inverse_and_the_window_is_told():
    fit = growth_rate(curve(np.exp(LABELS)), start=1, stop=7)
    assert fit.growth_rate.attrs["units"] == "E_1^-1"
    assert (fit.growth_rate.attrs["start"], fit.growth_rate.attrs["stop"]) == (1, 7)
    assert local_growth_rate(curve(np.exp(LABELS))).attrs["units"] == "E_1^-1"


def test_the_range_is_that_of_the_windows():
    noise = np.array([0.0, 0.1, -0.1, 0.1, 0.0])
    y = 0.5 * LABELS + noise
    found = growth_rate(curve(np.exp(y)), start=1, stop=11)
    slopes = [
        np.polyfit(LABELS[i:j], y[i:j], 1)[0] for i, j in ((0, 5), (0, 4), (1, 5), (2, 5), (1, 4))
    ]  # the windows of 3 labels or more that span at least 5 of 10
    assert found.n_fits.item() == 5
    assert found.growth_rate.item() == pytest.approx(slopes[0], rel=1e-12)
    assert found.growth_rate_low.item() == pytest.approx(min(slopes), rel=1e-12)
    assert found.growth_rate_high.item() == pytest.approx(max(slopes), rel=1e-12)
    local = np.gradient(y, LABELS, edge_order=2)
    assert found.local_growth_rate_low.item() == pytest.approx(local.min(), rel=1e-12)
    assert found.local_growth_rate_high.item() == pytest.approx(local.max(), rel=1e-12)


@pytest.mark.parametrize("bad", [0.0, np.nan, -1.0])
def test_a_hole_is_left_out_and_a_zero_or_a_change_of_sign_leaves_no_rate(bad):
    values = np.exp(LABELS)
    values[2] = bad
    fit = growth_rate(curve(values), start=1, stop=11)
    if np.isnan(bad):
        assert fit.growth_rate.item() == pytest.approx(1, abs=1e-13)
        assert (fit.n_points, fit.n_missing, fit.growth_rate_status) == (4, 1, 0)
    else:
        assert np.isnan(fit.growth_rate.item())
        assert (fit.n_points, fit.n_missing, fit.growth_rate_status) == (0, 0, 2)
    local = local_growth_rate(curve(values))
    np.testing.assert_array_equal(np.isnan(local), [True, True, True, True, True])


def test_lazy_in_lazy_out():
    gain = curve(np.exp(LABELS)).expand_dims(N=[1, 2]).chunk({"delta_E": 2})
    fit = growth_rate(gain, start=1, stop=11)
    assert fit.growth_rate.chunks is not None
    np.testing.assert_allclose(fit.growth_rate.compute(), [1, 1], atol=1e-14)


def test_a_window_of_two_is_refused():
    with pytest.raises(InvalidInput, match="holds 2 labels, but a fit needs 3: widen it"):
        growth_rate(curve(np.exp(LABELS)), start=1, stop=2)


def test_two_cold_pairs_gain_at_half_the_hot_bath_s_rate():
    """κ₂ → (1 − 1/2)/T₂ once ΔE ≫ N T₂: Fig. 10's engine, T₂ = 100."""
    spacings = np.array([1800.0, 2000.0, 2200.0, 2400.0])

    def power(N, delta_E):
        engine = Engine(
            N=N, E_1=1, delta_E=delta_E, T_mean=50.01, delta_T=99.98, omega_0=0.006,
            Gamma_0=0.001, scaling="high-temperature",
        )  # fmt: skip
        return Exact().solve(engine, ["power"]).values["power"]

    values = [power(2, spacing) / (2 * power(1, spacing)) for spacing in spacings]
    gain = xr.DataArray(values, {"delta_E": spacings}, "delta_E")
    rate = growth_rate(gain, start=1800, stop=2400).growth_rate.item()
    # What is left is exp(−ΔE/(N T₂)) relative: 1e-4 at ΔE = 1800.
    assert 100 * rate == pytest.approx(0.5, rel=1e-3)
