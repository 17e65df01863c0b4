"""Independent spins, coupled collectively: weights of total spins, and the average engine."""

from dataclasses import replace

import numpy as np
import pytest
import qutip
from scipy import linalg

from ensemble import Engine, Exact, IndependentSpins, InvalidInput, Status
from ensemble.local_noise.spins import spin_weights
from ensemble.methods.independent_spins import spin_average

ENGINE = Engine(N=2, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)


@pytest.mark.parametrize("N", [1, 2, 3, 8, 25, 200])
@pytest.mark.parametrize("log_ratio", [0.0, 0.3, 5.0, 50.0])
def test_weights_are_a_distribution(N, log_ratio):
    spins, weights = spin_weights(N, log_ratio)
    # Sums of N log-gammas of size N ln N: their rounding is that of the exponent.
    assert weights.sum() == pytest.approx(1, abs=1e-15 * max(N * np.log(N + 1), 10))
    assert spins[0] == N / 2
    assert spins[-1] == (N % 2) / 2


def test_weights_are_those_of_the_product_state():
    """N = 4 by brute force: probability of each eigenvalue of S² in the thermal product state."""
    N, log_ratio = 4, 0.7
    half = [qutip.spin_Jx(0.5), qutip.spin_Jy(0.5), qutip.spin_Jz(0.5)]
    total = [
        sum(qutip.tensor([op if i == j else qutip.qeye(2) for j in range(N)]) for i in range(N))
        for op in half
    ]
    one = (-log_ratio * half[2]).expm()
    state = qutip.tensor([one / one.tr()] * N).full()
    values, vectors = np.linalg.eigh(sum((op @ op).full() for op in total))
    probability = np.real(np.einsum("ai,ab,bi->i", vectors.conj(), state, vectors))
    for spin, weight in zip(*spin_weights(N, log_ratio), strict=True):
        found = probability[np.abs(values - spin * (spin + 1)) < 1e-6].sum()
        assert weight == pytest.approx(found, abs=1e-13)


def test_average_is_where_the_full_space_relaxes_to():
    """N = 2: 16 levels, collective jumps, from the thermal product state to t = 200/Γ₀."""
    single = qutip.sigmap()
    raising = [
        sum(qutip.tensor([single if i == j else qutip.qeye(2) for j in range(4)]) for i in pair)
        for pair in ((0, 1), (2, 3))
    ]
    hop = raising[0] @ raising[1].dag()
    baths = (ENGINE.cold, ENGINE.hot)
    jumps = [
        np.sqrt(rate) * operator
        for bath, up in zip(baths, raising, strict=True)
        for rate, operator in ((bath.gamma_down, up.dag()), (bath.gamma_up, up))
    ]
    generator = qutip.liouvillian(ENGINE.drive / 2 * (hop + hop.dag()), jumps).full()
    ones = [(-bath.log_ratio * qutip.spin_Jz(0.5)).expm() for bath in baths]
    ones = [one / one.tr() for one in ones]
    start = qutip.tensor(ones[0], ones[0], ones[1], ones[1])
    late = linalg.expm(200 * generator) @ qutip.operator_to_vector(start).full()
    state = qutip.vector_to_operator(qutip.Qobj(late, dims=[start.dims, [1]]))
    power = -0.5j * ENGINE.drive * ENGINE.delta_E * (hop - hop.dag())

    average = spin_average(ENGINE)
    assert average.status is Status.OK
    assert average.power == pytest.approx(qutip.expect(power, state).real, rel=1e-9)
    assert average.power == pytest.approx(
        average.heat_current_1 + average.heat_current_2, rel=1e-12
    )


def test_independent_spins_lose_power_to_the_symmetric_state():
    """N = 6: less than all spins in step, and preparations differ from one another."""
    engine = replace(ENGINE, N=6)
    average = spin_average(engine)
    assert average.engines == 9  # S = 3, 2, 1 each; a singlet takes no part
    assert 0 < average.power < Exact().solve(engine).values["power"]
    assert average.current_spread > 0


def test_what_is_neglected_is_said():
    engine = replace(ENGINE, N=6)
    everything, most = spin_average(engine), spin_average(engine, neglect=0.2)
    assert 0 < most.neglected <= 0.2
    assert most.engines < everything.engines
    largest = Exact().solve(engine).values["power"]
    assert 0 <= everything.power - most.power <= most.neglected * largest


def test_as_a_method_it_is_the_average():
    average, solution = spin_average(ENGINE), IndependentSpins().solve(ENGINE)
    assert solution.status is Status.OK
    assert solution.diagnostics["neglected"] == 0.0
    assert solution.diagnostics["self_check"] <= 1e-14
    assert solution.diagnostics["affinity_rounding"] == ENGINE.affinity_rounding > 0
    assert solution.values["power"] == average.power == 2 * solution.values["power_per_pair"]
    assert solution.values["current_spread"] == average.current_spread


def test_ensembles_of_different_sizes():
    """Two cold spins and one hot one: the cold pair is a triplet or takes no part."""
    engine = replace(ENGINE, N=2, spin_1=1.0, spin_2=0.5)
    average = spin_average(engine)
    triplet = float(spin_weights(2, engine.cold.log_ratio)[1][0])
    assert average.engines == 1
    power = Exact().solve(engine, ["power"]).values["power"]
    assert average.power == pytest.approx(triplet * power, rel=1e-14)


def test_local_noise_mixes_the_total_spins():
    with pytest.raises(InvalidInput, match="an average over total spins takes collective baths"):
        spin_average(replace(ENGINE, Gamma_local=0.1))


def test_refusals():
    with pytest.raises(InvalidInput, match=r"neglect must lie in \[0, 1\), but is -1: try 1e-9"):
        IndependentSpins(neglect=-1)
    with pytest.raises(InvalidInput, match=r"neglect must lie in \[0, 1\), but is 1: try 1e-9"):
        spin_average(ENGINE, neglect=1)
    with pytest.raises(InvalidInput, match="N must be at least 1, but is 0: use N = 1, 2, 3"):
        spin_weights(0, 1.0)


def test_the_activity_of_a_weakly_driven_engine_is_that_of_independent_spins():
    """2γ↑⟨S⁻S⁺⟩ = 2Nγ↑(1 − f) in a product of thermal spins ½, singlets of either side included."""
    engine = Engine(N=3, E_1=1, delta_E=0.5, T_mean=2, delta_T=1.5, omega_0=1e-5, Gamma_0=0.5)
    found = IndependentSpins().solve(engine, ["dynamical_activity"])
    expected = sum(
        2 * 3 * bath.gamma_up * bath.gamma_down / (bath.gamma_up + bath.gamma_down)
        for bath in (engine.cold, engine.hot)
    )
    assert found.values["dynamical_activity"] == pytest.approx(expected, rel=1e-8)
    assert "dynamical_activity" not in IndependentSpins().solve(engine).values
