"""Gain of the limit through the Carnot line, the line of gain 1 and its exponent."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses.boundary import BoundaryStatus, boundary_exponent, gain_boundary
from analyses.gain_limit import limit_gain, single_pair_conductance
from ensemble import Cumulant, Engine, InvalidInput, Macroscopic
from ensemble.closed_forms.single_pair import single_pair_current
from tests.analyses.conftest import no_computing

SPACINGS = np.geomspace(1.0, 200.0, 60)
T = np.array([10.1, 10.5, 11.0, 13.0, 20.0])
POINT = {"omega_0": 0.006, "E_1": 1.0, "delta_T": 20.0, "Gamma_0": 0.001}
CARNOT = {"delta_E": 5.0, "T_mean": 14.0}


def solved(method, delta_E, T_mean):
    names = ("constancy", "quanta_current_per_pair_noise", "power_per_pair")
    values = np.empty((len(delta_E), len(T_mean), len(names)))
    for i, spacing in enumerate(delta_E):
        for j, temperature in enumerate(T_mean):
            engine = Engine(
                N=1, delta_E=spacing, T_mean=temperature, scaling="high-temperature", **POINT
            )
            solution = method.solve(engine, names).values
            values[i, j] = [solution[name] for name in names]
    return xr.Dataset(
        {name: (("delta_E", "T_mean"), values[..., k]) for k, name in enumerate(names)},
        coords={"delta_E": list(delta_E), "T_mean": list(T_mean), **POINT},
    )


@pytest.fixture(scope="module", params=[Cumulant(), Macroscopic()], ids=lambda m: m.name)
def limit(request):
    """Engines, refrigerators and, at ΔE = 5 E₁ and T̄ = 14 E₁, the Carnot point."""
    return solved(request.param, [2.0, CARNOT["delta_E"], 9.0], [11.0, CARNOT["T_mean"]])


def as_gain(values, **coords):
    dims = ("delta_E", *coords)
    labels = {"delta_E": ("delta_E", SPACINGS, {"units": "E_1"}), "E_1": 1.0, **coords}
    return xr.DataArray(values, dims=dims, coords=labels, name="collective_gain")


class TestGain:
    def test_is_the_ratio_of_the_powers(self, limit):
        gain = limit_gain(limit)
        for spacing in limit.delta_E.values:
            for temperature in limit.T_mean.values:
                here = {"delta_E": spacing, "T_mean": temperature}
                if here == CARNOT:
                    continue
                single = spacing * single_pair_current(Engine(N=1, **here, **POINT))
                power = limit.power_per_pair.sel(here).item()
                assert gain.sel(here).item() == pytest.approx(power / single, rel=1e-12)

    def test_is_smooth_through_the_carnot_point(self, limit):
        """There both powers vanish, and the gain lies between those of its neighbours."""
        assert limit.power_per_pair.sel(CARNOT) == 0
        gain = limit_gain(limit).sel(T_mean=CARNOT["T_mean"])
        assert (gain.diff("delta_E") > 0).all()

    def test_of_one_pair_at_the_carnot_point(self):
        at, beside = (
            single_pair_conductance(xr.Dataset(coords=POINT | {**CARNOT, "T_mean": T_mean}))
            for T_mean in (14.0, 14.0 + 1e-7)
        )
        assert Engine(N=1, **CARNOT, **POINT).affinity == 0
        assert at == pytest.approx(beside.item(), rel=1e-7)

    def test_what_is_missing_is_named(self, limit):
        with pytest.raises(InvalidInput, match=r"needs 'constancy': compute it, or select"):
            limit_gain(limit.drop_vars("constancy"))
        with pytest.raises(InvalidInput, match=r"no coordinate 'Gamma_0': did you mean"):
            limit_gain(limit.drop_vars("Gamma_0").assign_coords(Gamma=0.001))

    def test_labels_lazy_and_pure(self, limit):
        before = limit.copy(deep=True)
        with no_computing():
            gain = limit_gain(limit.chunk(delta_E=1))
        assert gain.chunks is not None
        assert (gain.name, gain.attrs["units"]) == ("collective_gain", "1")
        xr.testing.assert_identical(gain.compute(), limit_gain(limit))
        xr.testing.assert_identical(limit, before)


def test_one_pair_between_baths_of_different_rates():
    point = {"delta_E": 9.0, "T_mean": 13.5, "E_1": 1.0, "delta_T": 23.0, "omega_0": 0.006}
    point |= {"Gamma_0": 0.001, "Gamma_1": 0.002, "Gamma_2": 0.0005}
    engine = Engine(N=1, **point)
    expected = single_pair_current(engine) / engine.affinity
    assert single_pair_conductance(xr.Dataset(coords=point)).item() == pytest.approx(expected)
    equal = xr.Dataset(coords=point).drop_vars(["Gamma_1", "Gamma_2"])
    assert single_pair_conductance(equal).item() != pytest.approx(expected, rel=0.05)


class TestBoundary:
    @given(at=st.floats(1.1, 199), rate=st.floats(1e-3, 0.5), level=st.floats(0.1, 1e3))
    def test_exponential_gain_is_exact(self, at, rate, level):
        gain = as_gain(level * np.exp(rate * (SPACINGS - at)))
        found = gain_boundary(gain, level=level)
        assert found.gain_boundary == pytest.approx(at, rel=1e-9)
        assert found.n_crossings == 1

    @given(at=st.floats(2, 150), power=st.floats(0.5, 4))
    def test_error_of_the_interpolation(self, at, power):
        """f = p ln(ΔE/at): the bound of the docstring on the two labels of the crossing."""
        found = float(gain_boundary(as_gain((SPACINGS / at) ** power)).gain_boundary)
        right = np.searchsorted(SPACINGS, at)
        low, high = SPACINGS[right - 1], SPACINGS[right]
        bound = (high - low) ** 2 * (power / low**2) / (8 * power / high)
        assert abs(found - at) <= bound * (1 + 1e-9)

    def test_first_rise_of_several(self):
        wave = np.exp(np.sin(SPACINGS / 10))
        found = gain_boundary(as_gain(wave / np.exp(0.5)))
        assert float(found.gain_boundary) == pytest.approx(10 * np.pi / 6, rel=1e-2)
        assert found.n_crossings == 7  # sin x = ½ below x = 20 at 2πk + π/6 and 2πk + 5π/6

    def test_none(self):
        found = gain_boundary(as_gain(np.stack([SPACINGS * 0 + 2, 2 / SPACINGS], 1), case=[0, 1]))
        assert np.isnan(found.gain_boundary).all()
        assert found.n_crossings.values.tolist() == [0, 1]
        assert (found.boundary_status == BoundaryStatus.NONE).all()

    @pytest.mark.parametrize("hole", [np.nan, 0.0, -1.0, np.inf])
    def test_a_crossing_in_a_hole_is_bracketed(self, hole):
        place = int(np.searchsorted(SPACINGS, 20))
        values = np.where(SPACINGS > 20, 2.0, 0.5)
        values[place : place + 2] = hole
        found = gain_boundary(as_gain(values))
        assert np.isnan(found.gain_boundary)
        assert found.boundary_status == BoundaryStatus.IN_A_GAP
        assert (found.n_crossings, found.n_missing) == (1, 2)
        assert (found.boundary_low, found.boundary_high) == (
            SPACINGS[place - 1],
            SPACINGS[place + 2],
        )

    def test_a_hole_elsewhere_changes_nothing(self):
        values = SPACINGS / 20
        whole = gain_boundary(as_gain(values))
        values = np.where(np.isin(np.arange(values.size), [0, values.size - 1]), np.nan, values)
        found = gain_boundary(as_gain(values))
        assert found.gain_boundary == whole.gain_boundary
        assert found.boundary_status == BoundaryStatus.FOUND
        assert (found.n_missing, whole.n_missing) == (2, 0)

    def test_missing_values_at_an_end_hide_a_rise(self):
        above, below = np.full(SPACINGS.size, 2.0), np.full(SPACINGS.size, 0.5)
        above[:3], below[-2:] = np.nan, np.nan
        found = gain_boundary(as_gain(np.stack([above, below, above * np.nan], 1), case=[0, 1, 2]))
        assert (found.boundary_status == BoundaryStatus.CANNOT_TELL).all()
        assert np.isnan(found.gain_boundary).all()
        np.testing.assert_array_equal(found.boundary_low, [np.nan, SPACINGS[-3], np.nan])
        np.testing.assert_array_equal(found.boundary_high, [SPACINGS[3], np.nan, np.nan])
        # A rise is found above the missing start, but the lowest one may be hidden there.
        above[5:8] = 0.5
        assert gain_boundary(as_gain(above)).boundary_status == BoundaryStatus.CANNOT_TELL

    @given(seed=st.integers(0, 2**32 - 1))
    def test_against_a_loop(self, seed):
        rng = np.random.default_rng(seed)
        values = np.where(rng.random(12) < 0.4, np.nan, np.exp(rng.normal(size=12)))
        labels = np.arange(1.0, 13.0)
        found = gain_boundary(xr.DataArray(values, {"delta_E": labels}, "delta_E"))
        there = np.flatnonzero(np.isfinite(values))
        pairs = [(i, j) for i, j in itertools.pairwise(there) if values[i] <= 1 < values[j]]
        if not there.size or (there[0] > 0 and values[there[0]] > 1):
            expected = BoundaryStatus.CANNOT_TELL
        elif pairs:
            i, j = pairs[0]
            expected = BoundaryStatus.FOUND if j == i + 1 else BoundaryStatus.IN_A_GAP
            assert (found.boundary_low, found.boundary_high) == (labels[i], labels[j])
        else:
            hidden = there[-1] < 11 and values[there[-1]] <= 1
            expected = BoundaryStatus.CANNOT_TELL if hidden else BoundaryStatus.NONE
        assert found.boundary_status == expected

    def test_labels_and_errors(self):
        gain = as_gain(SPACINGS / 20)
        found = gain_boundary(gain)
        assert found.gain_boundary.attrs["units"] == "E_1"
        assert found.gain_boundary.attrs["level"] == 1.0
        assert found.E_1 == 1.0
        for level in (0.0, -1.0, np.inf, np.nan):
            with pytest.raises(InvalidInput, match=r"level must be positive and finite.*try 1\.0$"):
                gain_boundary(gain, level=level)
        with pytest.raises(InvalidInput, match=r"no dimension 'delta_T': did you mean 'delta_E'"):
            gain_boundary(gain, dim="delta_T")

    def test_lazy_and_pure(self):
        gain = as_gain((SPACINGS[:, None] / 3) / T, T_mean=T)
        before = gain.copy(deep=True)
        with no_computing():
            found = gain_boundary(gain.chunk(delta_E=7, T_mean=2))
        assert found.gain_boundary.chunks is not None
        xr.testing.assert_identical(found.compute(), gain_boundary(gain))
        xr.testing.assert_identical(gain, before)


class TestExponent:
    def boundary(self, values):
        return xr.DataArray(values, coords={"T_mean": T}, dims="T_mean")

    @given(c=st.floats(-5, 5), scale=st.floats(1e-3, 1e3), origin=st.floats(-10, 10))
    def test_power_law(self, c, scale, origin):
        fit = boundary_exponent(self.boundary(scale * (T - origin) ** c), origin=origin)
        # Rounding of the logarithms (≤ 35) over the spread of ln(T̄ − T_o), at least 0.2.
        assert fit.exponent == pytest.approx(c, abs=1e-12)
        assert abs(fit.exponent_high - c) < 1e-11
        assert abs(fit.exponent_low - c) < 1e-11
        assert fit.fit_deviation < 1e-12

    def test_what_is_no_power_law_deviates(self):
        fit = boundary_exponent(self.boundary(np.exp(T)))
        assert fit.fit_deviation > 0.1
        # d ln e^T / d ln T = T: the local exponent runs through the labels.
        assert fit.local_exponent_low < T[1]
        assert fit.local_exponent_high > T[-2]
        assert fit.exponent_high - fit.exponent_low > 0.5

    def test_range_and_holes(self):
        boundary = self.boundary([1.0, np.nan, *(T[2:] ** 2)])
        fit = boundary_exponent(boundary, start=10.5)
        assert fit.exponent == pytest.approx(2)
        assert fit.n_points == 3
        assert (fit.first_label, fit.last_label) == (T[2], T[-1])
        assert np.isnan(boundary_exponent(boundary, stop=11.0).exponent)

    def test_origin_lies_below_the_labels(self):
        with pytest.raises(InvalidInput, match=r"start at 10\.1, but is 10\.1: lower it, or raise"):
            boundary_exponent(self.boundary(T), origin=10.1)
        assert np.isfinite(boundary_exponent(self.boundary(T), origin=10.1, start=10.5).exponent)

    def test_lazy(self):
        boundary = self.boundary(T**2).expand_dims(case=[0, 1])
        with no_computing():
            fit = boundary_exponent(boundary.chunk(case=1, T_mean=2))
        xr.testing.assert_allclose(fit.compute(), boundary_exponent(boundary))
