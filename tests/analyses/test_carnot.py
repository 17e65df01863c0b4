"""The Carnot line: inverse functions, Engine.affinity, efficiencies and labels."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses import carnot_cop, carnot_delta_E, carnot_efficiency, carnot_T_mean
from ensemble import Engine, InvalidInput
from tests.analyses.conftest import no_computing

EPS = np.finfo(float).eps
positive = st.floats(1e-3, 1e3)


def affinity(E_1, delta_E, T_mean, delta_T):
    engine = Engine(
        N=1, E_1=E_1, delta_E=delta_E, T_mean=T_mean, delta_T=delta_T, omega_0=1, Gamma_0=1
    )
    return engine.affinity


@given(E_1=positive, delta_T=positive, cold=positive)
def test_affinity_vanishes_to_rounding(E_1, delta_T, cold):
    T_mean = cold + delta_T / 2
    # Rounding enters through the temperatures, which are sums and differences.
    t_1, t_2 = T_mean - delta_T / 2, T_mean + delta_T / 2
    rounding = 8 * EPS * E_1 * delta_T / (t_1 * t_2) * (t_2 / t_1)
    delta_E = carnot_delta_E(T_mean, E_1=E_1, delta_T=delta_T)
    assert abs(affinity(E_1, delta_E, T_mean, delta_T)) <= rounding
    T_carnot = carnot_T_mean(delta_E, E_1=E_1, delta_T=delta_T)
    assert abs(affinity(E_1, delta_E, T_carnot, delta_T)) <= rounding


@given(E_1=positive, delta_T=positive, delta_E=positive)
def test_inverse_of_each_other(E_1, delta_T, delta_E):
    T_mean = carnot_T_mean(delta_E, E_1=E_1, delta_T=delta_T)
    back = carnot_delta_E(T_mean, E_1=E_1, delta_T=delta_T)
    # T₁ = T̄ − ΔT/2 keeps the relative accuracy of T̄ only up to T̄/T₁.
    assert back == pytest.approx(delta_E, rel=8 * EPS * (1 + delta_E / E_1))


@given(E_1=positive, delta_T=positive, delta_E=positive)
def test_efficiencies_are_reached_there(E_1, delta_T, delta_E):
    """η = ΔE/E₂ and ε = E₁/ΔE (Eq. 22) equal the Carnot bounds (Eq. 18)."""
    T_mean = carnot_T_mean(delta_E, E_1=E_1, delta_T=delta_T)
    rel = 8 * EPS * (1 + delta_E / E_1)
    efficiency = carnot_efficiency(T_mean, delta_T=delta_T)
    assert efficiency == pytest.approx(delta_E / (E_1 + delta_E), rel=rel)
    assert carnot_cop(T_mean, delta_T=delta_T) == pytest.approx(E_1 / delta_E, rel=rel)


def test_the_printed_equation_is_not_the_carnot_point():
    """Eq. 23 as printed, ΔE − 2E₁, gives T₁ < 0 here."""
    printed = 100 / 2 * (125 - 2 * 100) / 125
    assert printed - 50 < 0
    assert affinity(100, 125, carnot_T_mean(125.0, E_1=100.0, delta_T=100.0), 100) == 0


FORMS = {
    "carnot_delta_E": (carnot_delta_E, {"E_1": 100.0, "delta_T": 100.0}, "omega_0"),
    "carnot_T_mean": (carnot_T_mean, {"E_1": 100.0, "delta_T": 100.0}, "omega_0"),
    "carnot_efficiency": (carnot_efficiency, {"delta_T": 100.0}, "1"),
    "carnot_cop": (carnot_cop, {"delta_T": 100.0}, "1"),
}


@pytest.mark.parametrize(("form", "fixed", "units"), FORMS.values(), ids=FORMS)
class TestForms:
    values = np.array([60.0, 100.0, 175.0])

    def labelled(self):
        return xr.DataArray(
            self.values,
            dims="x",
            coords={"x": ("x", [1, 2, 3], {"long_name": "x"}), "Gamma_0": 1.0},
            name="input",
            attrs={"units": "omega_0", "long_name": "input"},
        )

    def test_scalars_arrays_and_labelled_arrays_agree(self, form, fixed, units):
        expected = [form(value, **fixed) for value in self.values]
        assert all(isinstance(value, float) for value in expected)
        result = form(self.values, **fixed)
        assert isinstance(result, np.ndarray)
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(form(self.labelled(), **fixed), expected)

    def test_labels(self, form, fixed, units):
        data = self.labelled()
        before = data.copy(deep=True)
        result = form(data, **fixed)
        xr.testing.assert_identical(result.coords.to_dataset(), data.coords.to_dataset())
        assert result.x.attrs == {"long_name": "x"}
        assert result.name == form.__name__
        assert result.attrs["units"] == units
        assert result.attrs["long_name"] != "input"
        xr.testing.assert_identical(data, before)

    def test_parameters_may_be_labelled_too(self, form, fixed, units):
        more = {name: xr.DataArray([value, 2 * value], dims="y") for name, value in fixed.items()}
        result = form(self.labelled() * 2, **more)
        assert result.dims == ("x", "y")
        scalar = form(2 * self.values[1], **{name: 2 * value for name, value in fixed.items()})
        assert result[1, 1] == scalar

    def test_a_coordinate_of_a_sweep(self, form, fixed, units):
        """A dimension's own coordinate comes back as an array over that dimension."""
        axis = xr.Dataset(coords={"T_mean": self.values})["T_mean"]
        result = form(axis, **fixed)
        np.testing.assert_array_equal(result.T_mean, self.values)
        np.testing.assert_array_equal(result, form(self.values, **fixed))

    def test_lazy(self, form, fixed, units):
        with no_computing():
            result = form(self.labelled().chunk(x=1), **fixed)
        assert result.chunks is not None
        xr.testing.assert_identical(result.compute(), form(self.labelled(), **fixed))

    def test_out_of_range(self, form, fixed, units):
        for wrong in fixed:
            for value in (-1.0, np.nan):
                with pytest.raises(InvalidInput, match=rf"{wrong} must (not )?be .*: "):
                    form(100.0, **fixed | {wrong: value})
        with pytest.raises(InvalidInput, match=r"(T_mean must exceed|delta_E must be pos).*: "):
            form(np.array([100.0, -5.0]), **fixed)


def test_cold_bath_at_zero_is_refused():
    for form, fixed in ((carnot_delta_E, {"E_1": 1.0}), (carnot_efficiency, {}), (carnot_cop, {})):
        with pytest.raises(InvalidInput, match=r"exceed delta_T/2 .*: raise T_mean or lower"):
            form(50.0, delta_T=100.0, **fixed)


def test_equal_temperatures():
    assert carnot_delta_E(1.0, E_1=1.0, delta_T=0.0) == 0
    assert carnot_efficiency(1.0, delta_T=0.0) == 0
    with pytest.raises(InvalidInput, match=r"delta_T must be positive: give delta_T > 0$"):
        carnot_cop(1.0, delta_T=0.0)


@pytest.mark.parametrize("mu", [(-1.0, 0.5), (0.5, -2.0), (1.5, 2.5)])
def test_with_chemical_potentials_the_affinity_vanishes(mu):
    T_mean, delta_T = 3.0, 1.0
    delta_E = carnot_delta_E(T_mean, E_1=2.0, delta_T=delta_T, mu_1=mu[0], mu_2=mu[1])
    cold, hot = (2.0 - mu[0]) / 2.5, (2.0 + delta_E - mu[1]) / 3.5
    assert cold == pytest.approx(hot, rel=1e-14)
    if delta_E > 0:
        back = carnot_T_mean(delta_E, E_1=2.0, delta_T=delta_T, mu_1=mu[0], mu_2=mu[1])
        assert back == pytest.approx(T_mean, rel=1e-12)


def test_chemical_potentials_may_leave_no_carnot_point():
    """E₁ − μ₁ > 0 > E₂ − μ₂: the entropies per quantum never agree."""
    assert np.isnan(carnot_T_mean(1.0, E_1=1.0, delta_T=1.0, mu_2=5.0))
