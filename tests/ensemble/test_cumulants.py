"""Cumulants of the exchanged quanta against references that share no code with them.

The references tilt the Lindblad equation of the product basis, complex and without any gauge, on
all elements whose ket and bra have equally many excitations.  One takes its leading eigenvalue in
double precision on a circle of complex fields, the other to 90 digits near χ = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from mpmath import mpf

from ensemble import Engine, InvalidInput
from ensemble.counting.cumulants import cumulants
from ensemble.counting.currents import currents
from ensemble.counting.noise import noise
from ensemble.steady.certified_solve import Solver
from ensemble.steady.stationary import stationary
from tests.ensemble.dense import lindblad, raising
from tests.ensemble.joint_counting import covariance
from tests.strategies import engines

EPS = 2.0**-52


@dataclass(frozen=True)
class Precise:
    """The tilted generator of the numbers that an engine holds, each as the exact binary fraction.

    ``fields`` are those of the cold and of the hot bath: e^χ for each quantum from hot to cold.
    """

    engine: Engine

    @cached_property
    def affinity(self) -> mpf:
        ratio_1, ratio_2 = self._log_ratios
        return ratio_1 - ratio_2

    @property
    def _log_ratios(self) -> tuple[mpf, mpf]:
        engine = self.engine
        factor = engine.N if engine.scaling == "high-temperature" else 1
        E_1, half = mpf(engine.E_1), mpf(engine.delta_T) / 2
        T_1, T_2 = (factor * (mpf(engine.T_mean) + sign * half) for sign in (-1, 1))
        return (E_1 - engine.mu_1) / T_1, (E_1 + mpf(engine.delta_E) - engine.mu_2) / T_2

    @cached_property
    def _terms(self) -> tuple[list, mpmath.matrix, list[tuple[int, int, mpf, int, int]]]:
        """Pairs (ket, bra); the generator; and its jumps (row, column, value, bath, count)."""
        engine, (n_1, n_2) = self.engine, self.engine.levels
        factor = engine.N if engine.scaling == "high-temperature" else 1
        drive, Gamma_0 = mpf(engine.omega_0) / factor, mpf(engine.Gamma_0) / factor
        sign = 1 if engine.statistics == "fermionic" else -1
        down = [Gamma_0 / (1 + sign * mpmath.exp(-ratio)) for ratio in self._log_ratios]
        up = [d * mpmath.exp(-r) for d, r in zip(down, self._log_ratios, strict=True)]

        kets = [(k_1, k_2) for k_1 in range(n_1 + 1) for k_2 in range(n_2 + 1)]
        pairs = [(ket, bra) for ket in kets for bra in kets if sum(ket) == sum(bra)]
        index = {pair: row for row, pair in enumerate(pairs)}
        generator, jumps = mpmath.matrix(len(pairs)), []

        def raised(k: int, n: int) -> mpf:
            return mpf((k + 1) * (n - k))

        def hops(ket: tuple[int, int]) -> list[tuple[tuple[int, int], mpf]]:
            """V |ket⟩ over the drive ω₀/2."""
            k_1, k_2 = ket
            found = []
            if k_1 < n_1 and k_2 > 0:
                weight = mpmath.sqrt(raised(k_1, n_1) * raised(k_2 - 1, n_2))
                found.append(((k_1 + 1, k_2 - 1), weight))
            if k_2 < n_2 and k_1 > 0:
                weight = mpmath.sqrt(raised(k_2, n_2) * raised(k_1 - 1, n_1))
                found.append(((k_1 - 1, k_2 + 1), weight))
            return found

        for (ket, bra), column in index.items():
            for to, weight in hops(ket):
                generator[index[to, bra], column] -= 0.5j * drive * weight
            for to, weight in hops(bra):
                generator[index[ket, to], column] += 0.5j * drive * weight
            for bath, n in enumerate((n_1, n_2)):
                for step, rate in ((1, up[bath]), (-1, down[bath])):
                    strengths = [
                        raised(side[bath] if step == 1 else side[bath] - 1, n)
                        if 0 <= side[bath] + step <= n
                        else mpf(0)
                        for side in (ket, bra)
                    ]
                    generator[column, column] -= rate * sum(strengths) / 2
                    if all(strengths):
                        moved = [list(ket), list(bra)]
                        for side in moved:
                            side[bath] += step
                        value = rate * mpmath.sqrt(strengths[0] * strengths[1])
                        count = step if bath == 1 else -step
                        jumps.append((index[tuple(map(tuple, moved))], column, value, bath, count))
        return pairs, generator, jumps

    def tilted(self, fields: tuple[mpf, mpf]) -> mpmath.matrix:
        _, generator, jumps = self._terms
        matrix = generator.copy()
        for row, column, value, bath, count in jumps:
            matrix[row, column] += value * mpmath.exp(count * fields[bath])
        return matrix

    def leading(self, fields: tuple[mpf, mpf]) -> mpf:
        """λ near 0, by Newton's method for eigenvector and eigenvalue from those at χ = 0."""
        pairs, _, _ = self._terms
        size = len(pairs)
        matrix, value = self.tilted(fields), mpf(0)
        vector = mpmath.matrix(size, 1)
        for row, (ket, bra) in enumerate(pairs):
            vector[row] = mpf(ket == bra)
        for _ in range(6):
            bordered = mpmath.matrix(size + 1)
            right = mpmath.matrix(size + 1, 1)
            bordered[:size, :size] = matrix - value * mpmath.eye(size)
            for row, (ket, bra) in enumerate(pairs):
                bordered[row, size] = -vector[row]
                bordered[size, row] = mpf(ket == bra)
                right[row] = -value * vector[row]
            right[size] = 1
            solution = mpmath.lu_solve(bordered, right)
            vector, value = solution[:size], solution[size]
        return mpmath.re(value)

    def cumulants(self, order: int, *, bath: int = 1) -> list[mpf]:
        """c_1 … c_order by interpolation in order + 3 points; truncation is h⁴, h = 1e-8."""
        half = order // 2 + 1
        points = [mpf(k) / 10**8 for k in range(-half, half + 1)]
        values = [
            self.leading((mpf(0), x) if bath else (x, mpf(0))) if x else mpf(0) for x in points
        ]
        vandermonde = mpmath.matrix(len(points))
        for row, x in enumerate(points):
            for power in range(len(points)):
                vandermonde[row, power] = x**power
        series = mpmath.lu_solve(vandermonde, mpmath.matrix(values))
        return [series[n] * mpmath.factorial(n) for n in range(1, order + 1)]


class Dense:
    """The same generator in double precision, straight from `tests.ensemble.dense`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        n_1, n_2 = engine.levels
        size = (n_1 + 1) * (n_2 + 1)
        number = np.add.outer(np.arange(n_1 + 1), np.arange(n_2 + 1)).ravel()
        self.pairs = np.flatnonzero(np.equal.outer(number, number).ravel())
        self.trace = np.eye(size).ravel()[self.pairs]
        self.generator = self._matrix(lambda rho: lindblad(engine, rho))
        up_1 = np.kron(raising(n_1), np.eye(n_2 + 1))
        up_2 = np.kron(np.eye(n_1 + 1), raising(n_2))
        self.jumps = {
            bath: (
                self._matrix(lambda rho, S=S: S @ rho @ S.conj().T) * reservoir.gamma_up,
                self._matrix(lambda rho, S=S: S.conj().T @ rho @ S) * reservoir.gamma_down,
            )
            for bath, reservoir, S in (("cold", engine.cold, up_1), ("hot", engine.hot, up_2))
        }

    def _matrix(self, apply) -> np.ndarray:
        n_1, n_2 = self.engine.levels
        size = (n_1 + 1) * (n_2 + 1)
        columns = []
        for pair in self.pairs:
            rho = np.zeros(size * size, dtype=complex)
            rho[pair] = 1
            columns.append(apply(rho.reshape(size, size)).ravel()[self.pairs])
        return np.array(columns).T

    def tilted(self, field: complex, bath: str) -> np.ndarray:
        """Absorption at the hot bath, emission at the cold one, counts one quantum."""
        up, down = self.jumps[bath]
        plus, minus = (up, down) if bath == "hot" else (down, up)
        return self.generator + np.expm1(field) * plus + np.expm1(-field) * minus

    def leading(self, field: float, bath: str) -> float:
        """The eigenvalue of largest real part."""
        values = np.linalg.eigvals(self.tilted(field, bath))
        return float(values[values.real.argmax()].real)

    def cumulants(self, order: int, bath: str) -> tuple[np.ndarray, np.ndarray]:
        """c_n = n!/(M rⁿ) Σ λ(r e^{iθ}) e^{−inθ} on a circle, and the rounding to allow.

        The radius keeps λ within a quarter of the gap, so that the eigenvalue next to 0 is λ; the
        error in M points is c_{n+M} r^M, and eigenvalues are good to some eps ‖L‖.
        """
        gap = -np.sort(np.linalg.eigvals(self.generator).real)[-2]
        circle = np.exp(2j * np.pi * np.arange(32) / 32)
        radius = 1.0
        while True:
            spectra = [np.linalg.eigvals(self.tilted(radius * z, bath)) for z in circle]
            values = np.array([spectrum[np.abs(spectrum).argmin()] for spectrum in spectra])
            if np.abs(values).max() < gap / 4:
                break
            radius *= 0.75
        n = np.arange(1, order + 1)
        scale = np.array([math.factorial(k) for k in n]) / radius**n
        rates = scale * np.array([np.mean(values * circle ** (-k)).real for k in n])
        return rates, 10 * EPS * np.linalg.norm(self.generator, 1) * scale


CARNOT = {"E_1": 100.0, "T_mean": 130.0, "delta_T": 100.0, "Gamma_0": 1.0}
"""T₁ = 80 and T₂ = 180, so that a = (125 − ΔE)/180: zero at ΔE = 125, exactly in binary."""
AFFINITIES = [1e-1, 1e-5, 1e-9, 1e-13, 0.0, -1e-13, -1e-5, -1e-1]
SYSTEMS = {
    "engine": {"E_1": 1, "delta_E": 0.5, "T_mean": 1.5, "delta_T": 1.0, "omega_0": 1},
    "refrigerator": {"E_1": 1, "delta_E": 1.25, "T_mean": 1.5, "delta_T": 1.0, "omega_0": 1},
    "hot": {"E_1": 1, "delta_E": 3, "T_mean": 5, "delta_T": 8, "omega_0": 2},
    "strong drive": {"E_1": 1, "delta_E": 1.5, "T_mean": 2, "delta_T": 3, "omega_0": 10},
    "inverted": {
        "E_1": 1, "delta_E": 0.5, "T_mean": 1, "delta_T": 0.5, "omega_0": 2,
        "statistics": "fermionic", "mu_1": -0.4, "mu_2": 2,
    },
}  # fmt: skip
SPINS = [(1, None, None), (2, None, None), (3, None, None), (2, 0.5, 1.5), (3, 1.5, 1)]
CANCELLED = 1e3
"""Rounding allowed in units of ``Cumulants.rounding``, which counts each term's last digit but not
the conditioning of the solves; `ensemble.methods.exact` allows the same factor.  Largest of 600
random engines: 105."""


def near_carnot(affinity: float, omega_0: float, *, N: int = 1) -> Engine:
    return Engine(N=N, delta_E=125 - 180 * affinity, omega_0=omega_0, **CARNOT)


def ladder_series(even: np.ndarray, affinity: float) -> float:
    """c_n from c_{n+1}, c_{n+3}, … by λ(χ) = λ(−χ − a): Σ t_k (a/2)^{2k+1} c_{n+2k+1} over a.

    With h = a/2, λ = g(χ + h) and g even, D = d/dχ gives Dⁿ sinh(hD) g(0) = tanh(hD) Dⁿ cosh(hD)
    g(0): the odd derivatives at h are the series of tanh in the even ones.
    """
    h = affinity / 2
    tanh = np.array([1, -1 / 3, 2 / 15, -17 / 315])[: even.size]
    return float(tanh * h ** (2 * np.arange(tanh.size)) @ even[: tanh.size]) / 2


@pytest.fixture
def _ninety_digits():
    with mpmath.workdps(90):
        yield


@pytest.mark.usefixtures("_ninety_digits")
class TestAgainstNinetyDigits:
    """All orders to 6, relative to each cumulant, through the Carnot point."""

    @pytest.mark.parametrize("omega_0", [0.05, 1.0, 20.0])
    @pytest.mark.parametrize("affinity", AFFINITIES)
    def test_one_pair(self, affinity, omega_0):
        self.check(near_carnot(affinity, omega_0))

    @pytest.mark.parametrize("affinity", [1e-1, 1e-9])
    def test_two_pairs(self, affinity):
        self.check(near_carnot(affinity, 1.0, N=2))

    @pytest.mark.parametrize("name", ["hot", "inverted"])
    def test_unequal_spins_and_scaled(self, name):
        system = SYSTEMS[name] | {"Gamma_0": 0.5, "spin_1": 1, "spin_2": 0.5}
        self.check(Engine(N=2, scaling="high-temperature", **system))

    def check(self, engine: Engine) -> None:
        """Rounding is ``Cumulants.rounding`` and, from stiff solves, eps (ω₀/Γ₀)² at most."""
        reference = Precise(engine)
        expected = reference.cumulants(6)
        quanta = cumulants(stationary(engine), order=6)
        stiff = 4 * EPS * max(1.0, engine.omega_0 / engine.Gamma_0) ** 2
        for n in range(1, 7):
            allowed = stiff + 8 * quanta.rounding[n - 1] / abs(float(expected[n - 1]) or 1.0)
            if n % 2 == 0:
                exact = float(expected[n - 1])
                assert quanta.rates[n - 1] == pytest.approx(exact, rel=allowed, abs=0)
                continue
            # Per affinity, since a is a difference of numbers of order one; at a = 0 the limit.
            small = reference.affinity == 0
            exact = expected[n] / 2 if small else expected[n - 1] / reference.affinity
            measured = quanta.odd_per_affinity[n // 2]
            assert measured == pytest.approx(float(exact), rel=allowed, abs=0)
            assert quanta.rates[n - 1] == pytest.approx(
                measured * engine.affinity, rel=4 * EPS, abs=0
            )

    def test_counting_at_two_baths_is_counting_at_one(self):
        """λ(χ₁, χ₂) = λ(χ₁ + χ₂): every joint cumulant is that of one count."""
        reference = Precise(near_carnot(0.1, 1.0))
        split = reference.leading((mpf("0.3"), mpf("-0.1")))
        whole = reference.leading((mpf(0), mpf("0.2")))
        assert abs(split - whole) < mpf(10) ** -80
        assert abs(whole) > 1e-3


@cache
def dense(system: str, spins: tuple, scaling: str) -> Dense:
    N, spin_1, spin_2 = spins
    shared = SYSTEMS[system] | {"Gamma_0": 1, "spin_1": spin_1, "spin_2": spin_2}
    return Dense(Engine(N=N, scaling=scaling, **shared))


@pytest.mark.parametrize("bath", [None, "hot", "cold"])
@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("spins", SPINS, ids=str)
@pytest.mark.parametrize("system", SYSTEMS)
def test_derivatives_of_the_dense_eigenvalue(system, spins, scaling, bath):
    reference = dense(system, spins, scaling)
    quanta = cumulants(stationary(reference.engine), order=4, bath=bath)
    expected, allowed = reference.cumulants(4, bath or "hot")
    assert np.all(allowed < 1e-8 * np.abs(expected))  # or the test says nothing
    assert np.all(np.abs(quanta.rates - expected) <= allowed)


@settings(max_examples=40, deadline=None)
@given(engine=engines(highest_N=4))
def test_first_two_are_current_and_noise(engine):
    state = stationary(engine)
    quanta = cumulants(state, order=2)
    assert quanta.rates[0] == pytest.approx(currents(state).quanta, rel=1e-13, abs=0)
    assert quanta.odd_per_affinity[0] == pytest.approx(
        currents(state).per_affinity, rel=1e-13, abs=0
    )
    assert quanta.rates[1] == pytest.approx(noise(state).at_drive, rel=1e-10, abs=0)


@settings(max_examples=40, deadline=None)
@given(engine=engines(highest_N=4))
def test_all_places_count_the_same(engine):
    """Hot bath, cold bath and drive, to the rounding that each route declares."""
    state = stationary(engine)
    at_drive = cumulants(state, order=6)
    assert at_drive.residual < 1e-13
    for bath in ("hot", "cold"):
        at_bath = cumulants(state, order=6, bath=bath)
        allowed = CANCELLED * (at_drive.rounding + at_bath.rounding)
        assert np.all(np.abs(at_bath.rates - at_drive.rates) <= allowed)
        assert at_bath.residual < 1e-13


@pytest.mark.parametrize("N", [1, 4, 10])
@pytest.mark.parametrize("affinity", [2e-2, 1e-4, 1e-8, -1e-3])
def test_odd_cumulants_follow_from_the_even_ones(affinity, N):
    """Gallavotti–Cohen: c₁ and c₃ over a; what the series leaves out is (a/2)⁸ c_{n+9}/200."""
    engine = near_carnot(affinity, 1.0, N=N)
    quanta = cumulants(stationary(engine), order=10)
    even = quanta.rates[1::2]
    left_out = (affinity / 2) ** 8 * 100 * abs(even[-1])
    for odd in (0, 1):
        expected = ladder_series(even[odd:], engine.affinity)
        measured = quanta.odd_per_affinity[odd]
        assert measured == pytest.approx(expected, rel=1e-12, abs=left_out)
        if abs(affinity) >= 1e-4:  # else the first term is all there is
            assert measured != pytest.approx(even[odd] / 2, rel=1e-11, abs=0)


@pytest.mark.parametrize("N", [1, 4, 10])
def test_at_the_carnot_point_odd_cumulants_vanish(N):
    quanta = cumulants(stationary(near_carnot(0.0, 1.0, N=N)), order=8)
    assert np.all(quanta.rates[::2] == 0)
    np.testing.assert_allclose(2 * quanta.odd_per_affinity, quanta.rates[1::2], rtol=1e-12)


@pytest.mark.parametrize("delta_E", [0.0, 2.5, 7.0])
def test_weak_drive_is_a_two_way_poisson_process(delta_E):
    """k± = ω₀²/(Γ₁+Γ₂) f₂(1−f₁), f₁(1−f₂): c_odd = k₊ − k₋ and c_even = k₊ + k₋ up to ω₀⁴."""
    deviations = []
    for omega_0 in (1e-2, 1e-3):
        engine = Engine(
            N=1, E_1=1, delta_E=delta_E, T_mean=2.5, delta_T=3, omega_0=omega_0, Gamma_0=1
        )  # a = 3/4, 1/8 and −1
        quanta = cumulants(stationary(engine), order=6)
        rates = [bath.gamma_down + bath.gamma_up for bath in (engine.cold, engine.hot)]
        f_1, f_2 = engine.cold.gamma_up / rates[0], engine.hot.gamma_up / rates[1]
        forward = omega_0**2 / sum(rates) * f_2 * (1 - f_1)
        back = omega_0**2 / sum(rates) * f_1 * (1 - f_2)
        expected = np.tile([forward - back, forward + back], 3)
        deviations.append(quanta.rates / expected - 1)
        ratio = quanta.rates[::2] / quanta.rates[1::2]
        np.testing.assert_allclose(ratio, math.tanh(engine.affinity / 2), rtol=omega_0**2)
    # Two hops that block each other cost ω₀⁴ and at most 2ⁿ: they count as one of twice the size.
    assert np.all(np.abs(deviations[0]) < 1e-4 * 2.0 ** np.arange(1, 7))
    np.testing.assert_allclose(deviations[0], 100 * deviations[1], rtol=1e-3)


class TestCovariance:
    @settings(max_examples=40, deadline=None)
    @given(engine=engines(highest_N=4))
    def test_joint_counts_are_tightly_coupled(self, engine):
        """Each of nine counts is computed on its own and equals D, to the rounding of counting."""
        state = stationary(engine)
        result = covariance(state)
        allowed = 1e-10 + CANCELLED * EPS * result.cancellation
        assert result.disagreement <= allowed
        noises = noise(state)
        np.testing.assert_allclose(result.counts, noises.at_drive, rtol=allowed)
        # The same numbers by the same formula, but with its sums in another order.
        reordered = 1e-12 + CANCELLED * EPS * result.cancellation
        assert result.counts[0, 0] == pytest.approx(noises.at_cold_bath, rel=reordered, abs=0)
        assert result.counts[1, 1] == pytest.approx(noises.at_hot_bath, rel=reordered, abs=0)
        assert result.residual < 1e-13

    def test_matrix(self):
        """First law P = Q₁ + Q₂ in every row, and the three coefficients of tight coupling."""
        engine = Engine(N=3, E_1=2, delta_E=3, T_mean=4, delta_T=6, omega_0=1, Gamma_0=1)
        state = stationary(engine)
        result, D = covariance(state), noise(state).at_drive
        expected = D * np.array([[4, -10, -6], [-10, 25, 15], [-6, 15, 9]])
        np.testing.assert_allclose(result.matrix, expected, rtol=1e-12)
        np.testing.assert_allclose(result.matrix[:, 2], result.matrix[:, :2].sum(axis=1))
        quanta = cumulants(state, order=3)
        np.testing.assert_allclose(quanta.of_energy(-2), quanta.rates * [-2, 4, -8])
        assert quanta.of_energy(3)[1] == pytest.approx(result.matrix[2, 2], rel=1e-12)

    def test_no_drive(self):
        engine = Engine(N=2, E_1=1, delta_E=1, T_mean=4, delta_T=6, omega_0=0, Gamma_0=1)
        result = covariance(stationary(engine))
        assert np.all(result.matrix == 0)
        assert (result.disagreement, result.cancellation) == (0, 0)


class TestSolvers:
    """Truncated sectors, and solvers that cannot solve the transposed system."""

    ENGINE = Engine(
        N=30, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
        scaling="high-temperature",
    )  # fmt: skip

    def test_truncated(self):
        whole = cumulants(stationary(self.ENGINE, solver="superlu", coherence_order=30), order=4)
        state = stationary(self.ENGINE)
        assert state.truncation.coherence_order < 30
        part = cumulants(state, order=4)
        assert max(whole.residual, part.residual) < 1e-11
        np.testing.assert_allclose(part.rates, whole.rates, rtol=1e-11)
        np.testing.assert_allclose(part.odd_per_affinity, whole.odd_per_affinity, rtol=1e-11)

    def test_without_the_transposed_system(self):
        paired = cumulants(stationary(self.ENGINE, solver="superlu"), order=4)
        plain = cumulants(stationary(self.ENGINE, solver="gmres"), order=4)
        assert plain.rounding[2] > 2 * paired.rounding[2]  # it is another route
        np.testing.assert_allclose(plain.rates, paired.rates, rtol=1e-10)
        np.testing.assert_allclose(plain.odd_per_affinity, paired.odd_per_affinity, rtol=1e-10)

    def test_recursion_says_how_much_it_loses(self, monkeypatch):
        """At a = 1e-9 the recursion keeps about 7 digits of c₃, and c₃/a has no value at a = 0."""
        state = stationary(near_carnot(1e-9, 1.0, N=4))
        paired = cumulants(state, order=6)
        monkeypatch.setattr(Solver, "transposable", False)
        plain = cumulants(state, order=6)
        difference = np.abs(plain.rates - paired.rates)
        assert np.all(difference <= CANCELLED * (plain.rounding + paired.rounding))
        assert np.all(difference[2::2] > 1e-12 * np.abs(paired.rates[2::2]))
        at_carnot = cumulants(stationary(near_carnot(0.0, 1.0, N=4)), order=6)
        assert np.isnan(at_carnot.odd_per_affinity).tolist() == [False, True, True]


def test_standardised():
    quanta = cumulants(stationary(near_carnot(0.1, 1.0, N=2)), order=4)
    c_2, c_3, c_4 = quanta.rates[1:]
    assert quanta.order == 4
    assert quanta.skewness == pytest.approx(c_3 / c_2**1.5, rel=1e-14)
    assert quanta.kurtosis == pytest.approx(c_4 / c_2**2, rel=1e-14)
    short = cumulants(stationary(near_carnot(0.1, 1.0)), order=1)
    assert short.rates.size == short.odd_per_affinity.size == 1
    assert math.isnan(short.skewness)


@pytest.mark.parametrize("bath", [None, "hot"])
def test_no_drive_no_counts(bath):
    quanta = cumulants(stationary(near_carnot(0.1, 0.0, N=2)), order=4, bath=bath)
    assert np.all(np.abs(quanta.rates) < 1e-13)
    if bath is None:
        assert np.all(quanta.rates == 0)
        assert math.isnan(quanta.kurtosis)


@pytest.mark.parametrize("order", [0, -1, 2.0, True, "4", None])
def test_order_is_checked(order):
    with pytest.raises(InvalidInput, match=r"order must be a whole number ≥ 1, but is .*: try"):
        cumulants(stationary(near_carnot(0.1, 1.0)), order=order)


def test_bath_is_checked():
    with pytest.raises(InvalidInput, match=r"bath must be one of hot, cold, but is 'warm': leave"):
        cumulants(stationary(near_carnot(0.1, 1.0)), bath="warm")
