"""Through the Carnot point: 60-digit arithmetic for N = 1, 2, 3 and affinities down to 1e-13."""

from __future__ import annotations

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
    # With the affinity that these floats mean, the current itself has all its digits.
    known = engine.with_affinity(float(exact_a))
    for solved, accurate_current in ((engine, False), (known, True)):
        solution = Exact().solve(solved)
        values = solution.values
        assert solution.status is Status.OK
        assert values["quanta_noise"] == pytest.approx(float(D), rel=1e-13)
        if exact_a == 0:
            assert values["power"] == 0
            assert values["constancy"] == pytest.approx(1, rel=1e-13)
            continue
        per_affinity = values["constancy"] * values["quanta_noise"] / 2
        assert per_affinity == pytest.approx(float(J / exact_a), rel=1e-13)
        assert values["constancy"] == pytest.approx(float(2 * J / (exact_a * D)), rel=1e-13)
        if accurate_current:
            assert values["quanta_current"] == pytest.approx(float(J), rel=1e-13)


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
