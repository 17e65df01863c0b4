"""Through the Carnot point: 60-digit arithmetic for N = 1, 2, 3 and affinities down to 1e-13."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ensemble import Engine, Exact, Status
from tests.ensemble.precise import Reference


@pytest.mark.parametrize("N", [1, 2, 3])
@pytest.mark.parametrize("a", [1e-1, -1e-3, 1e-6, -1e-9, 1e-13, 0.0])
def test_currents_and_constancy_keep_their_digits(N, a):
    engine = Engine(
        N=N, E_1=100, delta_E=100 - 200 * a, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1
    )
    reference = Reference(engine)
    J, D = reference.solve()
    exact_a = reference.affinity
    assert exact_a == 0 or abs(float(exact_a) / a - 1) < 1e-2
    solution = Exact().solve(engine)
    values = solution.values
    assert solution.status is Status.OK
    assert values["quanta_noise"] == pytest.approx(float(D), rel=1e-13)
    if exact_a == 0:
        assert values["power"] == 0
        assert values["constancy"] == pytest.approx(1, rel=1e-13)
        return
    assert values["constancy"] == pytest.approx(float(2 * J / (exact_a * D)), rel=1e-13)
    assert values["affinity"] == pytest.approx(float(exact_a), rel=1e-15)
    for name, quantum in (
        ("quanta_current", 1),
        ("power", engine.delta_E),
        ("heat_current_1", -engine.E_1),
        ("heat_current_2", engine.E_2),
    ):
        assert values[name] == pytest.approx(quantum * float(J), rel=1e-13, abs=0), name


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("mu", [(0.0, 0.0), (0.3, 0.7)])
def test_an_engine_in_decimal_numbers_next_to_the_carnot_point(mu, scaling):
    """None of the parameters is a double: a ≈ 1e-13 is what their roundings and a shift leave."""
    statistics = "fermionic" if any(mu) else "bosonic"
    engine = Engine(
        N=3, E_1=1.1, delta_E=1.1 * 0.7 / 0.9 * (1 - 3e-13) + mu[1] - mu[0] * 1.6 / 0.9,
        T_mean=1.25, delta_T=0.7, omega_0=0.3, Gamma_0=0.1, scaling=scaling,
        statistics=statistics, mu_1=mu[0], mu_2=mu[1],
    )  # fmt: skip
    reference = Reference(engine)
    J, D = reference.solve()
    assert 1e-14 < abs(reference.affinity) < 1e-12
    values = Exact().solve(engine).values
    assert values["affinity"] == pytest.approx(float(reference.affinity), rel=1e-15, abs=0)
    assert values["quanta_current"] == pytest.approx(float(J), rel=1e-13, abs=0)
    assert values["quanta_noise"] == pytest.approx(float(D), rel=1e-13, abs=0)


@pytest.mark.parametrize("name", ["E_1", "delta_E", "T_mean", "delta_T"])
def test_the_affinity_may_be_off_by_its_rounding(name):
    """A last digit of one parameter moves the affinity by at most twice what is reported."""
    parameters = {"E_1": 1.1, "delta_E": 0.83, "T_mean": 1.25, "delta_T": 0.7}
    engine = Engine(N=3, omega_0=0.3, Gamma_0=0.1, **parameters)
    moved = replace(engine, **{name: math.nextafter(parameters[name], math.inf)})
    change = abs(moved.affinity - engine.affinity)
    assert 0 < change <= 2 * engine.affinity_rounding
    assert engine.affinity_rounding < 1e-15


def test_constancy_leaves_one_quadratically():
    """C − 1 = O(a²) at the Carnot point, from the 60-digit reference."""
    departures = []
    for a in (1e-3, 5e-4):
        reference = Reference(
            Engine(
                N=2, E_1=100, delta_E=100 - 200 * a, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1
            )
        )
        J, D = reference.solve()
        departures.append(float(2 * J / (reference.affinity * D) - 1))
    # Corrections to the ratio 4 are of relative order a.
    assert departures[0] / departures[1] == pytest.approx(4, rel=1e-2)
