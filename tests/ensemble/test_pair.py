"""The two-spin state against partial traces of the full space, and its correlations against
QuTiP, brute force and 120-digit arithmetic."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ensemble import Engine, InvalidInput
from ensemble.closed_forms.single_pair import single_pair_current
from ensemble.correlations.information import GAP, gained_information
from ensemble.correlations.pair import PairState, l1_coherence, pair_state
from ensemble.methods.qutip_model import state_to_qutip
from ensemble.steady.stationary import stationary
from tests.strategies import log_uniform

EPS = np.finfo(float).eps

ENGINE = Engine(N=1, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
ENGINES = {
    "engine": ENGINE,
    "refrigerator": replace(ENGINE, delta_E=125),
    "cold": replace(ENGINE, T_mean=15, delta_T=10, omega_0=3),
    "Fig. 7": Engine(
        N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
        scaling="high-temperature",
    ),
}  # fmt: skip

STATES = {
    "weak": PairState(p_1=0.2, p_2=0.3, covariance=0.01, xx=0.02, xy=-0.05),
    "coherent": PairState(p_1=0.2, p_2=0.4, covariance=-0.05, xy=0.3),
    "entangled": PairState(p_1=0.4, p_2=0.5, covariance=-0.18, xx=-0.6, xy=0.3),
    "classical": PairState(p_1=0.4, p_2=0.3, covariance=0.1),
    "anticorrelated": PairState(p_1=0.4, p_2=0.5, covariance=-0.19, xx=0.02),
    "nearly classical": PairState(p_1=0.4, p_2=0.45, covariance=0.1, xx=0.15),
    # A covariance against a coherence of like weight puts the best angle between the axes.
    "interior 1": PairState(p_1=0.0131, p_2=0.0562, covariance=0.00193, xx=0.0397),
    "interior 2": PairState(p_1=0.88, p_2=0.206, covariance=-0.0422, xy=0.2515),
    "interior 3": PairState(p_1=0.996, p_2=0.0845, covariance=-0.00342, xx=0.0826),
}


def dicke(n: int) -> np.ndarray:
    """Isometry from a spin n/2 (m = n/2 first) to n spins ½ (up first), shape (2ⁿ, n+1)."""
    columns = np.zeros((2**n, n + 1))
    for row, downs in enumerate(sum(bits) for bits in itertools.product((0, 1), repeat=n)):
        columns[row, downs] = 1 / math.sqrt(math.comb(n, downs))
    return columns


def full_space(engine: Engine, isometries: list[np.ndarray]) -> qutip.Qobj:
    """The stationary state in the space of all the spins ½."""
    isometry = np.kron(*isometries)
    matrix = isometry @ state_to_qutip(stationary(engine)).full() @ isometry.T
    count = round(math.log2(matrix.shape[0]))
    return qutip.Qobj(matrix, dims=[[2] * count, [2] * count])


@pytest.mark.parametrize("levels", [(1, 1), (2, 2), (3, 3), (1, 2), (3, 1)], ids=str)
@pytest.mark.parametrize("name", ENGINES)
def test_pair_state_is_the_partial_trace(name, levels):
    """Every choice of one spin in each ensemble gives the same state."""
    n_1, n_2 = levels
    engine = replace(ENGINES[name], N=max(levels), spin_1=n_1 / 2, spin_2=n_2 / 2)
    whole = full_space(engine, [dicke(n_1), dicke(n_2)])
    pair = pair_state(stationary(engine))
    for first, second in itertools.product(range(n_1), range(n_1, n_1 + n_2)):
        expected = whole.ptrace([first, second]).full()
        np.testing.assert_allclose(pair.matrix, expected, rtol=0, atol=64 * EPS)


def test_pair_state_below_the_symmetric_subspace():
    """Three spins of collective spin ½: two copies, equally mixed, averaged over the spins."""
    engine = replace(ENGINE, N=3, spin_1=0.5, spin_2=1.0)
    lower = sum(
        np.kron(np.kron(np.eye(2**i), [[0, 0], [1, 0]]), np.eye(2 ** (2 - i))) for i in range(3)
    )
    # Highest weights of S = ½: m = ½ (one spin down), orthogonal to the symmetric combination.
    tops = np.zeros((8, 2))
    tops[[1, 2], 0] = np.array([1, -1]) / math.sqrt(2)
    tops[[1, 2, 4], 1] = np.array([1, 1, -2]) / math.sqrt(6)
    copies = [np.column_stack([top, lower @ top]) for top in tops.T]
    whole = sum(full_space(engine, [copy, dicke(2)]) for copy in copies) / 2
    pair = pair_state(stationary(engine), spins=(3, 2))
    for first in range(3):
        expected = whole.ptrace([first, 3]).full()
        np.testing.assert_allclose(pair.matrix, expected, rtol=0, atol=64 * EPS)


@pytest.mark.parametrize("spins", [(1, 2), (3, 2), (2, 5)])
def test_spins_must_be_able_to_form_the_collective_spin(spins):
    state = stationary(replace(ENGINE, N=2, spin_1=None, spin_2=None))
    with pytest.raises(InvalidInput, match=r"have no collective spin 1: use 2, 4, 6, … spins"):
        pair_state(state, spins=spins)


@pytest.mark.parametrize("deviation", [0.1, 1e-3, 1e-6, 1e-9, 1e-12, -1e-6, 0])
def test_one_pair_in_closed_form_through_the_carnot_point(deviation):
    """N = 1 is a pair of free fermions (Jordan-Wigner): Wick gives the covariance −|w|²."""
    engine = replace(ENGINE, delta_E=100 * (1 - deviation))
    pair = pair_state(stationary(engine))
    current = single_pair_current(engine)
    rates = [bath.gamma_down + bath.gamma_up for bath in (engine.cold, engine.hot)]
    close = {"rel": 64 * EPS, "abs": 0}
    assert pair.xx == 0
    assert pair.xy == pytest.approx(-2 * current / engine.drive, **close)
    # The covariance is of second order in a, of terms of first order: it is exact to eps a.
    rounding = 4 * EPS * abs(engine.affinity)
    wick = -(abs(pair.coherence) ** 2)
    assert pair.covariance == pytest.approx(wick, rel=64 * EPS, abs=rounding)
    assert pair.p_1 == pytest.approx((engine.cold.gamma_up + current) / rates[0], **close)
    assert pair.p_2 == pytest.approx((engine.hot.gamma_up - current) / rates[1], **close)
    assert (pair.mutual_information > 0) == (deviation != 0)


def test_mutual_information_vanishes_as_the_affinity_squared():
    """From a = 1e-3 to a = 1e-10, where I ≈ 1e-23 is far below the rounding of entropies."""
    ratios = []
    for deviation in (1e-3, 1e-6, 1e-10):
        engine = replace(ENGINE, N=3, spin_1=None, spin_2=None, delta_E=100 * (1 - deviation))
        pair = pair_state(stationary(engine))
        ratios.append(pair.mutual_information / engine.affinity**2)
    # The next order is relative to a, with a factor of order one.
    assert ratios[0] == pytest.approx(ratios[2], rel=2e-3)
    assert ratios[1] == pytest.approx(ratios[2], rel=2e-6)


@pytest.mark.parametrize("levels", [(1, 1), (3, 3), (2, 4)], ids=str)
@pytest.mark.parametrize("name", ENGINES)
def test_l1_coherence_sums_the_moduli_off_the_diagonal(name, levels):
    spins = {"spin_1": levels[0] / 2, "spin_2": levels[1] / 2}
    state = stationary(replace(ENGINES[name], N=max(levels), **spins))
    matrix = np.abs(state_to_qutip(state).full())
    expected = matrix.sum() - np.trace(matrix)
    assert expected > 1e-4
    assert l1_coherence(state) == pytest.approx(expected, rel=1e-12)
    assert l1_coherence(stationary(replace(state.engine, omega_0=0))) == 0


@pytest.mark.parametrize("name", STATES)
class TestKnownStates:
    def qobj(self, name: str) -> qutip.Qobj:
        return qutip.Qobj(STATES[name].matrix, dims=[[2, 2], [2, 2]])

    def test_matrix_has_the_correlators(self, name):
        state, rho = STATES[name], self.qobj(name)
        x, y, z = qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()
        for left, right, expected in [
            (z, qutip.qeye(2), state.z_1), (qutip.qeye(2), z, state.z_2), (z, z, state.zz),
            (x, x, state.xx), (y, y, state.xx), (x, y, state.xy), (y, x, -state.xy), (x, z, 0),
        ]:  # fmt: skip
            found = qutip.expect(qutip.tensor(left, right), rho)
            assert found == pytest.approx(expected, abs=16 * EPS)

    def test_quantities_are_those_of_qutip(self, name):
        state, rho = STATES[name], self.qobj(name)
        information = qutip.entropy_mutual(rho, [0], [1])
        assert state.mutual_information == pytest.approx(information, abs=64 * EPS)
        # Wootters' formula takes square roots of eigenvalues: rounding of √eps.
        assert state.concurrence == pytest.approx(qutip.concurrence(rho), abs=4 * math.sqrt(EPS))
        assert state.purity == pytest.approx(rho.purity(), abs=16 * EPS)

    @pytest.mark.parametrize("spin", [1, 2])
    def test_discord_by_search_over_the_bloch_sphere(self, name, spin):
        """No measurement beats the certified interval, and the best one found reaches it."""
        discord = STATES[name].discord_measuring(spin)
        searched = searched_discord(STATES[name].matrix, spin)
        assert discord.bound <= 2 * GAP * discord.value
        assert discord.value - discord.bound - 1e-13 <= searched
        assert discord.value == pytest.approx(searched, rel=2e-9, abs=1e-13)

    def test_correlators_build_the_same_state(self, name):
        state = STATES[name]
        again = PairState.from_correlators(
            z_1=state.z_1, z_2=state.z_2, zz=state.zz, xx=state.xx, xy=state.xy
        )
        np.testing.assert_allclose(again.matrix, state.matrix, rtol=0, atol=4 * EPS)


def searched_discord(rho: np.ndarray, spin: int) -> float:
    """Discord by a grid over the sphere and Nelder-Mead, with nothing but eigenvalues."""
    tensor = rho.reshape(2, 2, 2, 2)
    if spin == 1:
        tensor = tensor.transpose(1, 0, 3, 2)
    paulis = [np.array(m) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]

    def entropy(matrix):
        values = np.maximum(np.linalg.eigvalsh(matrix), 1e-300)
        return -np.sum(values * np.log(values), axis=-1)

    def conditional(angles):
        theta, phi = np.asarray(angles, float)
        n = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))
        spin_along = sum(
            c[..., None, None] * p for c, p in zip(map(np.asarray, n), paulis, strict=True)
        )
        total = 0
        for sign in (1, -1):
            effect = (np.eye(2) + sign * spin_along) / 2
            kept = np.einsum("iajb,...ba->...ij", tensor, effect)
            probability = np.einsum("...ii", kept).real
            total = total + entropy(kept) + probability * np.log(np.maximum(probability, 1e-300))
        return total

    theta, phi = np.meshgrid(np.linspace(0, np.pi, 61), np.linspace(0, np.pi, 31), indexing="ij")
    grid = conditional((theta, phi))
    start = np.unravel_index(grid.argmin(), grid.shape)
    options = {"xatol": 1e-8, "fatol": 1e-16, "initial_simplex": np.array(
        [[theta[start], phi[start]], [theta[start] + 0.05, phi[start]],
         [theta[start], phi[start] + 0.05]])}  # fmt: skip
    found = optimize.minimize(
        conditional, (theta[start], phi[start]), method="Nelder-Mead", options=options
    )
    least = min(grid.min(), found.fun)
    measured = np.einsum("iaib->ab", tensor)
    return float(entropy(measured) - entropy(rho) + least)


def test_singlet_and_product_and_classical_state():
    singlet = PairState.from_correlators(z_1=0, z_2=0, zz=-1, xx=-1)
    assert singlet.mutual_information == pytest.approx(2 * math.log(2), rel=4 * EPS)
    assert singlet.discord == pytest.approx(math.log(2), rel=4 * EPS)
    assert (singlet.concurrence, singlet.purity) == (1, 1)
    product = PairState(p_1=0.1, p_2=0.7, covariance=0)
    assert (product.mutual_information, product.discord, product.concurrence) == (0, 0, 0)
    bit = PairState.from_correlators(z_1=0, z_2=0, zz=1)
    assert bit.mutual_information == pytest.approx(math.log(2), rel=4 * EPS)
    assert (bit.discord, bit.concurrence, bit.purity) == (0, 0, 0.5)


@pytest.mark.parametrize(
    ("correlators", "message"),
    [
        ({"z_1": 1.1, "z_2": 0, "zz": 0}, "lowest eigenvalue is -2.5e-02"),
        ({"z_1": 0, "z_2": 0, "zz": 0, "xx": 0.6}, "lowest eigenvalue is -5.0e-02"),
        ({"z_1": 0, "z_2": 0, "zz": math.nan}, "covariance must be finite"),
    ],
)
def test_moments_of_no_state_are_refused(correlators, message):
    with pytest.raises(InvalidInput, match=f"{message}.*: (they are unphysical|check the method)"):
        PairState.from_correlators(**correlators)


def test_only_two_spins_can_be_measured():
    with pytest.raises(InvalidInput, match="spin must be 1 or 2, but is 3"):
        STATES["weak"].discord_measuring(3)


def in_120_digits(state: PairState, spin: int, angle: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """I from entropies, and I − J(θ), of exactly these five numbers."""
    with mpmath.workdps(120):
        p_1, p_2, kappa, xx, xy = map(
            mpmath.mpf, (state.p_1, state.p_2, state.covariance, state.xx, state.xy)
        )
        w = mpmath.hypot(xx, xy) / 2

        def entropy(*probabilities):
            return -sum(p * mpmath.log(p) for p in probabilities if p > 0)

        def eigenvalues(b, c, off):
            radius = mpmath.hypot((b - c) / 2, off)
            return (b + c) / 2 + radius, (b + c) / 2 - radius

        kept = entropy(p_1, 1 - p_1), entropy(p_2, 1 - p_2)
        block = eigenvalues(p_1 * (1 - p_2) - kappa, p_2 * (1 - p_1) - kappa, w)
        information = sum(kept) - entropy(p_1 * p_2 + kappa, (1 - p_1) * (1 - p_2) + kappa, *block)
        p, measured = (p_1, p_2) if spin == 2 else (p_2, p_1)
        u, v = mpmath.cos(angle), mpmath.sin(angle)
        gain = entropy(p, 1 - p)
        for sign in (1, -1):
            outcome = (1 + sign * (2 * measured - 1) * u) / 2
            up, down = outcome * p + sign * kappa * u, outcome * (1 - p) - sign * kappa * u
            gain -= entropy(*eigenvalues(up, down, v * w / 2)) - entropy(outcome)
        return information, information - gain


@pytest.mark.parametrize("strength", [1.0, 1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("cold", [1.0, 1e-4, 1e-12, 1e-22])
@pytest.mark.parametrize(("kappa", "w"), [(0.3, 0.4), (0.5, 1e-4), (-1e-4, 0.9), (-0.6, 0.6)])
def test_weak_correlations_and_cold_spins_keep_their_digits(kappa, w, cold, strength):
    """From correlations of order one down to I ≈ 1e-55, relative to 120-digit arithmetic.

    Differences that remain, such as ρ↑↓ = p₁(1−p₂) − κ, lose a factor of two or three.
    """
    p_1, p_2 = 0.3 * cold, 0.4 * cold
    kappa *= strength * p_1 * p_2
    w *= strength * math.sqrt((p_1 * (1 - p_2) - kappa) * (p_2 * (1 - p_1) - kappa))
    state = PairState(p_1=p_1, p_2=p_2, covariance=kappa, xx=1.2 * w, xy=-1.6 * w)
    for spin in (1, 2):
        discord = state.discord_measuring(spin)
        information, at_angle = in_120_digits(state, spin, discord.angle)
        assert float(abs(state.mutual_information / information - 1)) <= 64 * EPS
        assert float(abs(discord.value / at_angle - 1)) <= 64 * EPS


@st.composite
def pairs(draw: st.DrawFn) -> PairState:
    """States with probabilities in [0.01, 0.99], correlated up to 0.9 of what they allow."""
    p_1, p_2 = draw(st.floats(0.01, 0.99)), draw(st.floats(0.01, 0.99))
    least = -min(p_1 * p_2, (1 - p_1) * (1 - p_2))
    most = min(p_1 * (1 - p_2), p_2 * (1 - p_1))
    share = draw(st.just(0.0) | st.floats(0.001, 0.9) | st.floats(-0.9, -0.001)) * draw(
        st.just(1.0) | log_uniform(1e-9, 1)
    )
    kappa = share * (most if share > 0 else -least)
    w = math.sqrt((p_1 * (1 - p_2) - kappa) * (p_2 * (1 - p_1) - kappa))
    w *= draw(st.just(0.0) | st.floats(0.001, 1.0)) * draw(st.just(1.0) | log_uniform(1e-9, 1))
    phase = draw(st.floats(0, 2 * math.pi))
    return PairState(
        p_1=p_1, p_2=p_2, covariance=kappa, xx=2 * w * math.cos(phase), xy=2 * w * math.sin(phase)
    )


@given(pairs())
@settings(deadline=None, max_examples=150)
def test_bounds(state):
    information = state.mutual_information
    assert 0 <= information <= 2 * math.log(2) * (1 + 4 * EPS)
    assert (information > 0) == (state.covariance != 0 or state.coherence != 0)
    assert 0 <= state.concurrence <= 1
    assert 0.25 - EPS <= state.purity <= 1 + 4 * EPS
    for spin, p in ((1, state.p_1), (2, state.p_2)):
        discord = state.discord_measuring(spin)
        assert (discord.value > 0) == (state.coherence != 0)
        entropy = -p * math.log(p) - (1 - p) * math.log1p(-p)
        assert discord.value <= min(information, entropy) * (1 + 64 * EPS)


@given(pairs())
@settings(deadline=None, max_examples=100)
def test_no_angle_beats_the_certified_discord(state):
    """On a grid that includes the axes, to the rounding of I."""
    theta = np.linspace(0, np.pi / 2, 257)
    discord = state.discord_measuring(2)
    args = state.p_1, state.p_2, state.covariance, abs(state.coherence)
    remaining = state.mutual_information - gained_information(theta, 1.0, *args)
    rounding = 64 * EPS * state.mutual_information
    assert discord.value - discord.bound <= remaining.min() + rounding
    assert discord.bound <= 2 * GAP * discord.value + rounding


@given(pairs())
@settings(deadline=None, max_examples=100)
def test_local_symmetries(state):
    """Turning a spin about z, flipping both, or exchanging them changes no correlation measure."""
    w = 2 * abs(state.coherence)
    turned = replace(state, xx=w, xy=0.0)
    flipped = replace(state, p_1=1 - state.p_1, p_2=1 - state.p_2, xy=-state.xy)
    exchanged = replace(state, p_1=state.p_2, p_2=state.p_1, xy=-state.xy)
    # Populations as small as 0.01² × 0.1 magnify eps by 1e5; discord has its gap besides.
    for other, spin in ((turned, 2), (flipped, 2), (exchanged, 1)):
        for name in ("mutual_information", "concurrence", "purity"):
            expected = getattr(state, name)
            assert getattr(other, name) == pytest.approx(expected, rel=1e-11, abs=16 * EPS)
        discord = other.discord_measuring(spin).value
        assert discord == pytest.approx(state.discord, rel=2 * GAP, abs=0)
