"""Gain of the limit through the Carnot line, the line of gain 1 and its exponent."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses.boundary import (
    boundary_exponent,
    gain_boundary,
    limit_gain,
    single_pair_conductance,
)
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

    def test_not_across_a_hole(self):
        values = np.where(SPACINGS > 20, 2.0, 0.5)
        for hole in (np.nan, 0.0, -1.0):
            broken = values.copy()
            broken[np.searchsorted(SPACINGS, 20)] = hole
            assert np.isnan(gain_boundary(as_gain(broken)).gain_boundary)

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
        assert fit.exponent_stderr < 1e-12
        assert fit.fit_deviation < 1e-12

    def test_what_is_no_power_law_deviates(self):
        fit = boundary_exponent(self.boundary(np.exp(T)))
        assert fit.fit_deviation > 0.1
        assert fit.exponent_stderr > 0.1

    def test_range_and_holes(self):
        boundary = self.boundary([1.0, np.nan, *(T[2:] ** 2)])
        fit = boundary_exponent(boundary, start=10.5)
        assert fit.exponent == pytest.approx(2)
        assert fit.n_points == 3
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
