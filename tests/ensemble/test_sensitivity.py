"""Derivatives with respect to parameters, against 60 digits and against differences."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemble import Engine, Exact, InvalidInput, Status, sensitivity
from ensemble.sensitivities.parameters import PARAMETERS, chain, parameters_of
from ensemble.sensitivities.quantities import QUANTITIES
from ensemble.sensitivities.rates import RateDerivatives, contrast_slope, factorised
from tests.ensemble.precise import Reference
from tests.strategies import engines

EPS = float(np.finfo(float).eps)
EVERYDAY = Engine(
    N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001
)  # fmt: skip
HOT = Engine(
    N=2, E_1=1, delta_E=0.25, T_mean=3, delta_T=2, omega_0=1, Gamma_0=0.75,
    scaling="high-temperature",
)  # fmt: skip
DOTS = Engine(
    N=2, E_1=1, delta_E=0.25, T_mean=3, delta_T=2, omega_0=1, Gamma_0=0.75,
    statistics="fermionic", mu_1=0.5, mu_2=2.0, spin_1=0.5, Gamma_2=1.5,
)  # fmt: skip
# E₁/T₁ = 1 and E₂/T₂ = 1 in dyadic numbers: a = 0 exactly.
CARNOT = Engine(N=2, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=2, Gamma_0=1)
NEAR = {a: replace(CARNOT, delta_E=1 - 2 * a) for a in (2.0**-4, 2.0**-20, 2.0**-40, -(2.0**-30))}
HIGHER = ("quanta_current", "power", "heat_current_2", "entropy_production", "quanta_noise",
          "power_variance", "constancy")  # fmt: skip


def precise(engine, name, shift):
    """Variables of ``HIGHER`` at 60 digits, a parameter changed by ``shift``."""
    mp = mpmath.mp.clone()
    mp.dps = 60
    given = {p: mp.mpf(getattr(engine, p)) for p in PARAMETERS if getattr(engine, p) is not None}
    given[name] += mp.mpf(shift)
    rates = [given.get(own, given["Gamma_0"]) for own in ("Gamma_1", "Gamma_2")]
    moved = SimpleNamespace(
        rates=rates,
        N=engine.N, scaling=engine.scaling, statistics=engine.statistics, levels=engine.levels,
        **given,
    )  # fmt: skip
    reference = Reference(moved)
    J, D = reference.solve()
    a, delta_E = reference.affinity, given["delta_E"]
    found = (
        J,
        delta_E * J,
        (given["E_1"] + delta_E - given["mu_2"]) * J,
        a * J,
        D,
        delta_E**2 * D,
        2 * J / (a * D) if a else mp.nan,
    )
    return dict(zip(HIGHER, found, strict=True))


def precise_slope(engine, name):
    """Central differences; their error is of the order of h² = 1e-40."""
    h = mpmath.mpf(10) ** -20
    above, below = precise(engine, name, h), precise(engine, name, -h)
    return {key: float((above[key] - below[key]) / (2 * h)) for key in HIGHER}


class TestAgainstSixtyDigits:
    """All parameters of engines of one pair and two, far from the Carnot point, near it, at it."""

    @pytest.mark.parametrize("engine", [EVERYDAY, HOT, DOTS], ids=["everyday", "hot", "dots"])
    def test_every_derivative(self, engine):
        found = sensitivity(engine, of=HIGHER)
        assert found.status is Status.OK
        for name in parameters_of(engine):
            expected = precise_slope(engine, name)
            for variable in HIGHER:
                # Relative to the derivative or to variable/parameter, as a derivative may vanish.
                size = abs(found.values[variable]) / abs(getattr(engine, name))
                scale = max(abs(expected[variable]), size)
                error = abs(found.derivatives[variable][name] - expected[variable]) / scale
                assert error <= 200 * EPS, (variable, name)

    @pytest.mark.parametrize("affinity", NEAR)
    def test_currents_keep_their_digits_near_the_carnot_point(self, affinity):
        """Also along ω₀ and Γ₀, where the derivative has the factor a."""
        engine = NEAR[affinity]
        assert engine.affinity == pytest.approx(affinity, rel=1e-3, abs=0)
        found = sensitivity(engine, of=HIGHER)
        for name in parameters_of(engine):
            expected = precise_slope(engine, name)
            for variable in ("quanta_current", "power", "heat_current_2", "entropy_production"):
                slope = found.derivatives[variable][name]
                assert slope == pytest.approx(expected[variable], rel=200 * EPS), (variable, name)
            for variable in ("quanta_noise", "power_variance"):
                slope = found.derivatives[variable][name]
                assert slope == pytest.approx(expected[variable], rel=500 * EPS), (variable, name)
            # C = 1 − O(a²): its slope is a difference of terms of order 1.
            slope = found.derivatives["constancy"][name]
            assert slope == pytest.approx(expected["constancy"], abs=100 * EPS), name

    def test_at_the_carnot_point(self):
        found = sensitivity(CARNOT, of=HIGHER)
        assert CARNOT.affinity == 0 == found.values["quanta_current"]
        for name in parameters_of(CARNOT):
            expected = precise_slope(CARNOT, name)
            for variable in ("quanta_current", "power", "quanta_noise"):
                slope = found.derivatives[variable][name]
                # Differences at 60 digits leave 1e-40 of what is exactly 0.
                assert slope == pytest.approx(expected[variable], rel=500 * EPS, abs=1e-30)
            assert found.derivatives["entropy_production"][name] == 0
        assert found.derivatives["quanta_current"]["Gamma_0"] == 0
        assert found.derivatives["quanta_current"]["omega_0"] == 0


def differences(engine, name, variables, step):
    """Central differences of fourth order of what method exact gives."""
    values = {}
    for k in (-2, -1, 1, 2):
        moved = replace(engine, **{name: getattr(engine, name) + k * step})
        values[k] = Exact().solve(moved, variables).values
    return {
        v: (8 * (values[1][v] - values[-1][v]) - (values[2][v] - values[-2][v])) / (12 * step)
        for v in variables
    }


class TestAgainstDifferences:
    """Of whole solutions by method exact, where 60 digits would take too long."""

    @pytest.mark.parametrize(
        "engine",
        [
            replace(EVERYDAY, N=4, scaling="high-temperature"),
            replace(DOTS, N=6, spin_1=2.0),
            Engine(N=30, E_1=1, delta_E=2, T_mean=4, delta_T=6, omega_0=1, Gamma_0=1),
        ],
        ids=["N=4", "unequal spins", "truncated"],
    )
    def test_every_variable_and_parameter(self, engine):
        found = sensitivity(engine, of=QUANTITIES)
        assert found.status is Status.OK, found.message
        variables = [name for name in QUANTITIES if name != "conductance"]
        values = Exact().solve(engine, variables).values
        for variable in variables:
            assert found.values[variable] == pytest.approx(values[variable], rel=1e-12)
        for name in parameters_of(engine):
            size = abs(getattr(engine, name))
            # A function of 1/T₁ varies on the scale of T₁ = T̄ − ΔT/2.
            coldest = engine.T_mean - engine.delta_T / 2
            step = 1e-3 * (min(size, coldest) if name in ("T_mean", "delta_T") else size)
            expected = differences(engine, name, variables, step)
            for variable in variables:
                # Differences: 2e-16 over 1e-3 by rounding, 5! (1e-3)⁴/30 by truncation.
                slope = found.derivatives[variable][name]
                scale = max(abs(expected[variable]), abs(values[variable]) / size)
                assert abs(slope - expected[variable]) <= 1e-10 * scale, (variable, name)

    @settings(max_examples=25, deadline=None)
    @given(engine=engines(highest_N=4), name=st.sampled_from(("T_mean", "omega_0", "Gamma_0")))
    def test_random_engines(self, engine, name):
        variables = ("quanta_current", "quanta_noise", "dynamical_activity")
        found = sensitivity(engine, of=variables, to=name)
        assert found.status is Status.OK, found.message
        size = getattr(engine, name)
        step = 1e-3 * min(size, engine.T_mean - engine.delta_T / 2 if name == "T_mean" else size)
        expected = differences(engine, name, variables, step)
        for variable in variables:
            scale = abs(expected[variable]) + abs(found.values[variable]) / step * 1e-3
            # E/T up to 20 near T₁: derivatives of order 5 are 20⁵/5! ≈ 3e4 times the value.
            assert abs(found.derivatives[variable][name] - expected[variable]) <= 1e-6 * scale


class TestEuler:
    """J, J/a, D and 𝒜 are of degree 1 in the five rates, the constancy of degree 0."""

    @settings(max_examples=40, deadline=None)
    @given(engine=engines())
    def test_of_random_engines(self, engine):
        rates = RateDerivatives(factorised(engine, tolerance=1e-10))
        for graded in (rates.per_affinity, rates.current, rates.noise, rates.activity):
            assert graded.euler_error <= 1e-11
        assert rates.residual <= 1e-12

    def test_constancy_and_affinity_do_not_depend_on_the_unit_of_time(self):
        found = sensitivity(HOT, of=["constancy", "affinity", "power"])
        for variable, degree in (("constancy", 0), ("affinity", 0), ("power", 1)):
            slopes = found.derivatives[variable]
            sum_ = HOT.omega_0 * slopes["omega_0"] + HOT.Gamma_0 * slopes["Gamma_0"]
            assert sum_ == pytest.approx(degree * found.values[variable], abs=20 * EPS)

    def test_a_violation_is_seen(self, monkeypatch):
        """The certificate measures something: with one slope wrong it is not ok."""
        true = RateDerivatives.noise.func

        def wrong(self):
            graded = true(self)
            return replace(graded, slopes=graded.slopes * np.array([1.0, 1.0, 1.1, 1.0, 1.0]))

        monkeypatch.setattr(RateDerivatives, "noise", property(wrong))
        found = sensitivity(HOT, of="quanta_noise")
        assert found.status is Status.UNCERTIFIED
        assert "Euler" in found.message


def test_the_slope_of_the_contrast():
    mp = mpmath.mp.clone()
    mp.dps = 40
    for a in (1e-12, 1e-3, 0.299, 0.301, 5.0, 300.0, 1e4):
        for signed in (a, -a):
            z = mp.mpf(a)
            exact = (1 / mp.expm1(z) - 1 / z) * (1 if signed > 0 else -1)
            assert contrast_slope(signed) == pytest.approx(float(exact), rel=8 * EPS)


def test_units_of_energy_and_of_rates_do_not_matter():
    """Parameters times powers of two: the derivatives follow exactly."""
    found = sensitivity(HOT, of=["power", "quanta_noise"])
    energies = ("E_1", "delta_E", "T_mean", "delta_T")
    scaled = replace(HOT, **{name: 2**20 * getattr(HOT, name) for name in energies})
    other = sensitivity(scaled, of=["power", "quanta_noise"])
    assert other.derivatives["power"]["delta_E"] == found.derivatives["power"]["delta_E"]
    slope = found.derivatives["quanta_noise"]["T_mean"]
    assert other.derivatives["quanta_noise"]["T_mean"] == slope / 2**20


def test_two_baths_so_cold_that_occupations_underflow():
    """The current is proportional to e^{−E/T}: the derivative of its logarithm is large."""
    dark = Engine(N=2, E_1=1, delta_E=1.5, T_mean=3e-3, delta_T=2e-3, omega_0=1, Gamma_0=1)
    found = sensitivity(dark, of=["power", "constancy"], to=["Gamma_0", "delta_E"])
    values = {
        k: Exact().solve(replace(dark, delta_E=1.5 + k * 2**-12), ["power"]).values["power"]
        for k in (-1, 1)
    }
    expected = np.log(values[1] / values[-1]) / 2**-11
    slope = found.derivatives["power"]["delta_E"] / found.values["power"]
    assert slope == pytest.approx(expected, rel=1e-3)  # h² (1/T)²/6


def test_the_chain_rule_has_no_slope_for_what_an_engine_has_not():
    """Bosons: μ's move the affinity formally, but no derivative with respect to them is given."""
    expected = {"E_1", "delta_E", "T_mean", "delta_T", "omega_0", "Gamma_0"}
    assert set(sensitivity(EVERYDAY, of="power").derivatives["power"]) == expected
    assert chain(EVERYDAY).rates.shape == (len(PARAMETERS), 5)
    own = parameters_of(replace(EVERYDAY, Gamma_1=0.002))
    assert set(own) == {*expected, "Gamma_1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"of": "powr"}, "of has the unknown name 'powr': choose from"),
        ({"of": []}, "of is empty: choose from"),
        ({"of": "power", "to": "N"}, "to has the unknown name 'N': choose from E_1"),
        ({"of": "power", "to": "mu_1"}, "to has the unknown name 'mu_1'"),
    ],
)
def test_bad_names_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        sensitivity(EVERYDAY, **arguments)


def test_without_a_drive_it_is_refused():
    with pytest.raises(InvalidInput, match="give omega_0 > 0"):
        sensitivity(replace(EVERYDAY, omega_0=0), of="power")
