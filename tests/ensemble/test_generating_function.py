"""The generating function λ(χ): dense eigenvalues, 50 digits, its symmetry and its derivatives."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mpf

from ensemble import Engine, InvalidInput
from ensemble.counting.cumulants import cumulants
from ensemble.counting.generating_function import generating_function
from ensemble.steady.stationary import stationary
from tests.ensemble.test_cumulants import SPINS, SYSTEMS, Precise, dense
from tests.strategies import engines

EPS = 2.0**-52
FIELDS = [-3.0, -1.0, -0.2, -1e-3, 0.3, 1.0, 2.5]
TRUSTED = 10
"""Error allowed in units of ``error``, an estimate from one vector's residual.  Largest of 3000
random engines, fields and places: 4.1."""


@pytest.mark.parametrize("bath", ["hot", "cold"])
@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("spins", SPINS, ids=str)
@pytest.mark.parametrize("system", SYSTEMS)
def test_dense_eigenvalue(system, spins, scaling, bath):
    """LAPACK's eigenvalues are good to some eps of the matrix norm, times their condition."""
    reference = dense(system, spins, scaling)
    for field in FIELDS:
        expected = reference.leading(field, bath)
        rounding = 1e3 * EPS * np.linalg.norm(reference.tilted(field, bath), 1)
        for place in (bath, None):
            result = generating_function(reference.engine, field, bath=place)
            assert abs(result.value - expected) <= rounding
            assert abs(expected) > 1e3 * rounding


@pytest.mark.parametrize("bath", [None, "hot", "cold"])
@pytest.mark.parametrize("field", [-30.0, -2.0, -1e-3, 1e-9, 0.7, 5.0, 30.0])
@pytest.mark.parametrize("system", SYSTEMS)
def test_one_pair_to_fifty_digits(system, field, bath):
    engine = Engine(N=1, Gamma_0=1, **SYSTEMS[system])
    with mpmath.workdps(50):
        values, _ = mpmath.eig(Precise(engine).tilted((mpf(0), mpf(field))))
        expected = max(mpmath.re(value) for value in values)
        result = generating_function(engine, field, bath=bath)
        deviation = float(abs(result.value - expected))
    assert deviation <= TRUSTED * result.error
    assert deviation <= 1e-13 * abs(float(expected))


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("N", [1, 4, 10])
def test_symmetry_up_to_several_affinities(N, system, scaling):
    """λ(χ) = λ(−χ − a), counted at the hot bath on one side and at the cold one on the other."""
    engine = Engine(N=N, Gamma_0=1, scaling=scaling, **SYSTEMS[system])
    a = engine.affinity
    for field in (0.4 * a, a, 2.5 * a, 5 * a, -0.3 * a):
        forward = generating_function(engine, field, bath="hot")
        back = generating_function(engine, -field - a, bath="cold")
        assert max(forward.residual, back.residual) < 1e-14
        # λ ~ a² at the smallest fields: 1e-5 of the rates, good to 1e-15 of them.
        assert forward.value == pytest.approx(back.value, rel=1e-10, abs=0)
        for result in (forward, back):
            slack = TRUSTED * result.error
            assert result.lower - slack <= result.value <= result.upper + slack
            # The bounds single λ out: the next eigenvalue is of the order of Γ₀ away.
            assert result.upper - result.lower < 1e-5 * engine.Gamma_0 * max(1, abs(result.value))


@settings(max_examples=40, deadline=None)
@given(engine=engines(highest_N=3), multiple=st.floats(-3, 3))
def test_symmetry_and_places_of_counting(engine, multiple):
    """Errors add, and the affinity's own rounding times the slope of λ."""
    a = engine.affinity
    field = float(np.clip(multiple * a, -20, 20))
    assume(abs(a) > 1e-3 and abs(field) > 1e-9)
    places = (None, "hot", "cold")
    forward, back = (
        [generating_function(engine, x, bath=bath) for bath in places] for x in (field, -field - a)
    )
    moved = generating_function(engine, (1 + 1e-6) * (-field - a))
    slope = abs(moved.value - back[0].value) / (1e-6 * abs(field + a) or 1.0)
    of_affinity = 4 * EPS * (engine.cold.log_ratio + engine.hot.log_ratio) * slope
    for result in forward + back:
        assert result.residual < 1e-14
        allowed = TRUSTED * (forward[0].error + result.error) + of_affinity
        assert abs(result.value - forward[0].value) <= allowed


@pytest.mark.parametrize("bath", [None, "hot", "cold"])
def test_convex_with_zeros_at_the_origin_and_at_minus_the_affinity(bath):
    engine = Engine(N=4, Gamma_0=1, **SYSTEMS["hot"])
    a = engine.affinity
    fields = np.linspace(-2 * a, a, 13)
    values = np.array([generating_function(engine, x, bath=bath).value for x in fields])
    assert np.all(np.diff(values, 2) > 0)
    assert abs(values[4]) < 1e-13 * values[-1]
    assert values[8] == 0
    assert np.all(values[5:8] < 0)
    assert np.all(values[[0, 1, 2, 3, 9, 10, 11, 12]] > 0)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("N", [1, 5])
def test_taylor_series_is_that_of_the_cumulants(N, system):
    """Eight terms, to within twice the next two; fields at which λ's rounding is less than that."""
    engine = Engine(N=N, Gamma_0=1, **SYSTEMS[system])
    rates = cumulants(stationary(engine), order=10).rates
    n = np.arange(1, 11)
    for field in (-0.1, 0.05, 0.1):
        terms = rates * field**n / np.array([math.factorial(k) for k in n])
        result = generating_function(engine, field)
        left_out = 2 * np.abs(terms[8:]).sum()
        assert abs(result.value - terms[:8].sum()) <= left_out + 1e-14 * abs(result.value)
        assert left_out < 1e-6 * abs(result.value)


@pytest.mark.parametrize("bath", [None, "hot", "cold"])
@pytest.mark.parametrize("field", [1e-12, -1e-6])
def test_small_fields_keep_the_digits_of_the_current(field, bath):
    engine = Engine(N=4, Gamma_0=1, **SYSTEMS["engine"])
    c_1, c_2 = cumulants(stationary(engine), order=2).rates
    value = generating_function(engine, field, bath=bath).value
    # Counting at a bath subtracts flows that exceed J by a factor of about 30 here.
    assert value == pytest.approx(c_1 * field + c_2 * field**2 / 2, rel=1e-12, abs=0)


@pytest.mark.parametrize("field", [-2.0, 0.5, 3.0])
def test_weak_drive_is_a_two_way_poisson_process(field):
    """λ = k₊(e^χ − 1) + k₋(e^{−χ} − 1) up to ω₀⁴, with k± as in `test_cumulants`."""
    deviations = []
    for omega_0 in (1e-2, 1e-3):
        engine = Engine(N=1, Gamma_0=1, **SYSTEMS["hot"] | {"omega_0": omega_0})
        rates = [bath.gamma_down + bath.gamma_up for bath in (engine.cold, engine.hot)]
        f_1, f_2 = engine.cold.gamma_up / rates[0], engine.hot.gamma_up / rates[1]
        forward, back = f_2 * (1 - f_1), f_1 * (1 - f_2)
        expected = forward * math.expm1(field) + back * math.expm1(-field)
        expected *= omega_0**2 / sum(rates)
        deviations.append(generating_function(engine, field).value / expected - 1)
    assert 0 < abs(deviations[0]) < math.exp(abs(field)) * 1e-4
    assert deviations[0] == pytest.approx(100 * deviations[1], rel=1e-2)


def test_nothing_to_count():
    driven = Engine(N=2, Gamma_0=1, **SYSTEMS["engine"])
    idle = Engine(N=2, Gamma_0=1, **SYSTEMS["engine"] | {"omega_0": 0})
    assert generating_function(driven, 0.0).value == 0
    assert generating_function(idle, 1.0, bath="hot").value == 0


@pytest.mark.parametrize("field", [math.nan, math.inf, -201.0, "1", None, True, 1j])
def test_field_is_checked(field):
    engine = Engine(N=1, Gamma_0=1, **SYSTEMS["engine"])
    with pytest.raises(InvalidInput, match=r"field must be a number .* at most, but is .*: give"):
        generating_function(engine, field)


@pytest.mark.parametrize("bath", ["warm", "drive", 1])
def test_bath_is_checked(bath):
    engine = Engine(N=1, Gamma_0=1, **SYSTEMS["engine"])
    with pytest.raises(InvalidInput, match=r"bath must be hot or cold, but is .*: leave it out"):
        generating_function(engine, 0.1, bath=bath)
