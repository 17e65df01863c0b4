"""Slopes of the gap on two sides of a label: known kinks, errors, laziness."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses import carnot_T_mean
from analyses._lines import fit_lines
from analyses.relaxation import relaxation_slopes
from ensemble import InvalidInput
from tests.analyses.conftest import no_computing

T = np.linspace(10.5, 60.0, 100)
slopes = st.floats(-50, 50)


def kinked(below, above, at, value=3.0):
    return value + np.where(at > T, below, above) * (T - at)


def as_gap(values, dims=("T_mean",), **coords):
    return xr.DataArray(
        values,
        dims=dims,
        coords={"T_mean": ("T_mean", T, {"units": "E_1"}), "E_1": 1.0, **coords},
        name="gap",
        attrs={"units": "E_1"},
    )


@pytest.fixture
def undriven():
    """Γ₀ min(T₁/E₁, T₂/E₂) at four spacings, Γ₀ = E₁ = 1, ΔT = 20, whose kink is Carnot's."""
    delta_E = np.array([0.5, 1.0, 2.0, 5.0])
    gap = np.minimum(T - 10, (T + 10) / (1 + delta_E[:, None]))
    gap = as_gap(gap, ("delta_E", "T_mean"), delta_E=delta_E)
    return gap, carnot_T_mean(gap.delta_E, E_1=1.0, delta_T=20.0)


class TestKinkedLine:
    @given(below=slopes, above=slopes, at=st.floats(15, 55))
    def test_slopes(self, below, above, at):
        fit = relaxation_slopes(as_gap(kinked(below, above, at)), at)
        # Rounding of the values (≤ 3 + 50 · 50) times weights of the fit, below 1 each.
        np.testing.assert_allclose(fit.slope, [below, above], atol=1e-10)
        np.testing.assert_allclose(fit.slope_low, fit.slope, atol=1e-10)
        np.testing.assert_allclose(fit.slope_high, fit.slope, atol=1e-10)

    @given(above=st.floats(0, 0.9), at=st.floats(15, 55))
    def test_kink_and_ratio(self, above, at):
        fit = relaxation_slopes(as_gap(kinked(1.0, above, at)), at)
        assert fit.kink == pytest.approx(at, rel=1e-10)  # the slopes differ by 0.1 or more
        assert fit.slope_ratio == pytest.approx(above, abs=1e-11)

    def test_each_curve_has_its_own_label(self, undriven):
        fit = relaxation_slopes(*undriven)
        np.testing.assert_allclose(fit.slope.sel(side="below"), 1.0)
        np.testing.assert_allclose(fit.slope.sel(side="above"), 1 / (1 + fit.delta_E))
        np.testing.assert_allclose(fit.kink, undriven[1])

    def test_margin_leaves_out_a_rounded_kink(self):
        at, width = 30.0, 0.5
        smooth = -np.logaddexp(-(T - at) / width, 0) * width  # slope 1 below, 0 above
        blurred, clean = (relaxation_slopes(as_gap(smooth), at, margin=m) for m in (0.0, 0.2))
        # At 6 E₁ = 12 widths from the kink its tail is e⁻¹² of a slope.
        np.testing.assert_allclose(clean.slope, [1.0, 0.0], atol=np.exp(-12))
        assert (np.abs(blurred.slope - [1.0, 0.0]) > 1e-3).all()
        assert (blurred.fit_deviation > 100 * clean.fit_deviation).sel(side="below")

    def test_range_and_number_of_points(self):
        gap = as_gap(kinked(1.0, 0.5, 30.0))
        fit = relaxation_slopes(gap, 30.0, start=20.0, stop=50.0)
        assert fit.n_points.values.tolist() == [21, 41]  # 20 … 30 and 30 … 50: both have 30
        apart = relaxation_slopes(gap, 30.0, margin=1e-3, start=20.0, stop=50.0)
        assert apart.n_points.values.tolist() == [20, 40]


class TestRange:
    def test_by_brute_force(self):
        gap = as_gap(T - 10 + 0.3 * np.sin(T / 3))
        fit = relaxation_slopes(gap, 30.0)
        ends = []
        for side, chosen in (("below", T <= 30.0), ("above", T >= 30.0)):
            x, y = T[chosen], gap.values[chosen]
            slopes = [
                np.polyfit(x[i:j], y[i:j], 1)[0]
                for i in range(x.size)
                for j in range(i + 3, x.size + 1)
                if x[j - 1] - x[i] >= (x[-1] - x[0]) / 2 * (1 - 1e-12)
            ]
            at = fit.sel(side=side)
            assert at.slope == pytest.approx(np.polyfit(x, y, 1)[0])
            assert at.n_fits == len(slopes)
            ends.append((min(slopes), max(slopes)))
            assert (float(at.slope_low), float(at.slope_high)) == pytest.approx(ends[-1])
        quotients = [above / below for above in ends[1] for below in ends[0]]
        assert fit.slope_ratio_low == pytest.approx(min(quotients))
        assert fit.slope_ratio_high == pytest.approx(max(quotients))

    def test_a_slope_that_may_be_zero_has_no_ratio(self):
        fit = relaxation_slopes(as_gap(50 + np.sin(T)), 30.0)
        assert fit.slope_low.sel(side="below") < 0 < fit.slope_high.sel(side="below")
        assert np.isnan([fit.slope_ratio_low, fit.slope_ratio_high]).all()

    def test_unequal_masks_in_one_call(self):
        rng = np.random.default_rng(6)
        y, use = rng.normal(size=(4, 9)), rng.random((4, 9)) < 0.7
        y[1, 2] = np.nan
        x = np.arange(9.0)
        found = fit_lines(x, np.where(use, y, np.nan))
        for row in range(4):
            chosen = use[row] & np.isfinite(y[row])
            assert found.n_points[row] == chosen.sum()
            line = np.polyfit(x[chosen], y[row, chosen], 1)
            assert [found.slope[row], found.intercept[row]] == pytest.approx(line, rel=1e-10)
            places = np.flatnonzero(chosen)
            assert (found.first[row], found.last[row]) == (places[0], places[-1])


class TestUnusable:
    def test_too_few_points_on_a_side(self):
        fit = relaxation_slopes(as_gap(kinked(1.0, 0.5, 11.2)), 11.2)
        assert fit.n_points.values.tolist() == [2, 98]
        assert np.isnan(fit.slope.sel(side="below"))
        assert fit.slope.sel(side="above") == pytest.approx(0.5)
        assert np.isnan(fit.slope_ratio)
        assert np.isnan(fit.kink)

    def test_gaps_that_are_not_finite_are_left_out(self):
        gap = as_gap(kinked(1.0, 0.5, 30.0))
        holes = gap.where(~np.isin(np.arange(T.size), [3, 80]))
        fit, whole = (relaxation_slopes(data, 30.0) for data in (holes, gap))
        np.testing.assert_allclose(fit.slope, whole.slope)
        assert (whole.n_points - fit.n_points).values.tolist() == [1, 1]

    def test_out_of_range(self):
        gap = as_gap(T)
        for margin in (-0.1, 1.0, np.nan):
            with pytest.raises(InvalidInput, match=r"margin must be at least 0 .*: try 0\.05$"):
                relaxation_slopes(gap, 30.0, margin=margin)
        with pytest.raises(InvalidInput, match=r"start must lie below stop.*: swap them$"):
            relaxation_slopes(gap, 30.0, start=5.0, stop=4.0)
        with pytest.raises(InvalidInput, match=r"no dimension 'T_men': did you mean 'T_mean'\?$"):
            relaxation_slopes(gap, 30.0, dim="T_men")


def test_labels_and_units(undriven):
    gap, at = undriven
    fit = relaxation_slopes(gap, at, margin=0.01)
    assert set(fit.slope.dims) == {"delta_E", "side"}
    assert fit.slope_ratio.dims == fit.kink.dims == ("delta_E",)
    assert fit.E_1 == 1.0
    assert fit.slope.attrs["units"] == fit.slope_low.attrs["units"] == "1"
    assert fit.kink.attrs["units"] == "E_1"
    assert (fit.slope.attrs["dim"], fit.slope.attrs["margin"]) == ("T_mean", 0.01)
    other = gap.assign_attrs(units="Gamma_0")
    assert relaxation_slopes(other, at).slope.attrs["units"] == "Gamma_0 / E_1"


def test_lazy_and_pure(undriven):
    gap, at = undriven
    before = gap.copy(deep=True)
    with no_computing():
        fit = relaxation_slopes(gap.chunk(T_mean=7, delta_E=1), at)
    assert fit.slope.chunks is not None
    xr.testing.assert_allclose(fit.compute(), relaxation_slopes(gap, at))
    xr.testing.assert_identical(gap, before)
