"""Uncertainty relations: the Fisher information by brute force, and bounds that hold everywhere."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ensemble import Engine, Exact, Status
from ensemble.bounds.precision import precision_bounds
from ensemble.counting.noise import noise
from ensemble.generator.liouvillian import coefficients
from ensemble.method import AGREEMENT
from ensemble.sensitivities.rates import factorised
from ensemble.variables import CLASSICAL_BOUNDS, QUANTUM_BOUNDS
from tests.ensemble.dense import raisings

EPS = float(np.finfo(float).eps)
CARNOT = Engine(N=3, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=2, Gamma_0=1)
ONE_WAY = Engine(
    N=1, E_1=1, delta_E=1, T_mean=0.2, delta_T=0.01, omega_0=1, Gamma_0=1,
    statistics="fermionic", mu_1=-10, mu_2=20,
)  # fmt: skip
"""Two quantum dots: the hot bath only gives quanta, the cold one only takes them."""
QUANTUM = ("quantum_kur", "coherence_kur", "quantum_tur")
RANDOM_ENGINES = 400


def bounds_of(engine):
    state = factorised(engine, tolerance=1e-10)
    return precision_bounds(state), noise(state).at_drive


def random_engine(rng):
    """Both statistics and scalings, hot and cold, weakly and strongly driven; N up to 6."""

    def log_uniform(low, high):
        return math.exp(rng.uniform(math.log(low), math.log(high)))

    cold, hot = log_uniform(1e-2, 20), log_uniform(1e-2, 20)
    E_1, Gamma_0 = log_uniform(0.1, 100), log_uniform(1e-3, 10)
    T_1 = E_1 / cold
    T_2 = T_1 * max(1.0, cold / hot) * log_uniform(1.01, 10)
    statistics = rng.choice(["bosonic", "fermionic"])
    mu = 2 * E_1 * rng.normal(size=2) if statistics == "fermionic" else (0.0, 0.0)
    return Engine(
        N=int(rng.integers(1, 7)), E_1=E_1, delta_E=hot * T_2 - E_1, T_mean=(T_1 + T_2) / 2,
        delta_T=T_2 - T_1, omega_0=Gamma_0 * log_uniform(0.05, 50), Gamma_0=Gamma_0,
        statistics=str(statistics), scaling=str(rng.choice(["bare", "high-temperature"])),
        mu_1=mu[0], mu_2=mu[1],
    )  # fmt: skip


def two_sided_eigenvalue(engine, left, right):
    """Leading eigenvalue of the equation for Tr_S |Ψ(left)⟩⟨Ψ(right)|, Ψ of system and baths.

    ``left`` and ``right`` are changes of the logarithms of the five rates.
    """
    up_1, up_2 = raisings(engine)
    jumps = [up_1.conj().T, up_1, up_2.conj().T, up_2]
    hop = up_1 @ up_2.conj().T
    drive, *rates = coefficients(engine)

    def operators(change):
        scale = np.exp(change)
        return (
            scale[0] * drive / 2 * (hop + hop.conj().T),
            [math.sqrt(r * s) * jump for r, s, jump in zip(rates, scale[1:], jumps, strict=True)],
        )

    (H, L), (K, M) = operators(left), operators(right)
    one = np.eye(H.shape[0])
    effective = -1j * H - sum(jump.conj().T @ jump for jump in L) / 2
    other = -1j * K - sum(jump.conj().T @ jump for jump in M) / 2
    generator = np.kron(effective, one) + np.kron(one, other.conj())
    generator += sum(np.kron(a, b.conj()) for a, b in zip(L, M, strict=True))
    values = np.linalg.eigvals(generator)
    return values[values.real.argmax()]


class TestFisherInformation:
    @pytest.mark.parametrize(
        "engine",
        [
            Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001),
            Engine(N=2, E_1=1, delta_E=0.5, T_mean=3, delta_T=2, omega_0=1.5, Gamma_0=0.75),
            Engine(N=1, E_1=1, delta_E=1, T_mean=4, delta_T=7, omega_0=3, Gamma_0=1, spin_1=1),
            replace(ONE_WAY, mu_1=-0.5, mu_2=2.5, T_mean=1),
        ],
        ids=["weak", "two pairs", "unequal spins", "dots"],
    )
    def test_against_the_overlap_of_what_the_baths_record(self, engine):
        """F_ab = 4 Re ∂_a ∂'_b λ of the two-sided equation, by differences of dense eigenvalues."""
        found, _ = bounds_of(engine)
        step, unit = 2e-3, np.eye(5)
        expected = np.zeros((5, 5))
        for a in range(5):
            for b in range(5):
                corners = [
                    s * t * two_sided_eigenvalue(engine, s * step * unit[a], t * step * unit[b])
                    for s in (-1, 1)
                    for t in (-1, 1)
                ]
                expected[a, b] = sum(corners).real / step**2
        # Mixed differences: step² by truncation, eps/step² by rounding.
        assert found.information == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())

    def test_scaling_time_alone_carries_the_activity_and_more(self):
        """The quantum correction Ψ of a driven engine is positive and of second order in ω₀."""
        weak = replace(CARNOT, omega_0=1e-3)
        (first, _), (second, _) = bounds_of(weak), bounds_of(replace(weak, omega_0=2e-3))
        assert second.coherent_activity == pytest.approx(4 * first.coherent_activity, rel=1e-5)
        assert first.coherent_activity > 0


@pytest.fixture(scope="module")
def samples():
    """Bounds and noise of several hundred random engines."""
    rng = np.random.default_rng(2022)
    return [bounds_of(random_engine(rng)) for _ in range(RANDOM_ENGINES)]


class TestBoundsHold:
    def test_in_every_one_of_several_hundred_engines(self, samples):
        for found, D in samples:
            assert found.residual <= 1e-12
            for name in (*QUANTUM, "response"):
                assert getattr(found, name) <= D * (1 + AGREEMENT), name

    def test_no_direction_is_better_than_the_best(self, samples):
        for found, _ in samples:
            best = found.response * (1 + 1e-9)
            assert all(getattr(found, name) <= best for name in QUANTUM)

    def test_the_information_is_positive(self, samples):
        for found, _ in samples:
            scale = np.sqrt(np.diag(found.information))
            unit = found.information / np.outer(scale, scale)
            assert np.linalg.eigvalsh(unit).min() > -1e-9
            assert np.array_equal(found.information, found.information.T)

    def test_the_entropy_production_bounds_the_information_on_which_the_tur_rests(self, samples):
        """J²/𝒜₁ + J²/𝒜₂ ≤ σ/2, σ = aJ."""
        for found, _ in samples:
            J, r = found.current, found.jump_rates
            information = J**2 / (r[1] + r[2]) + J**2 / (r[3] + r[4])
            assert information <= J**2 / found.per_affinity / 2 * (1 + 1e-9)

    def test_the_classical_thermodynamic_relation_is_violated(self, samples):
        """By less than 1 % here, while the quantum relations hold."""
        ratios = np.array([found.tur / D for found, D in samples])
        assert (ratios > 1 + AGREEMENT).sum() >= 10
        assert ratios.max() < 1.1


class TestWhatSaturates:
    def test_one_way_dots_violate_the_classical_kinetic_relation_twofold(self):
        """At ω₀ = Γ₀ the noise is half of the least that a classical process has: D = J/4."""
        found, D = bounds_of(ONE_WAY)
        assert found.kur / D == pytest.approx(2, rel=1e-12)
        assert found.activity == pytest.approx(2 * found.current, rel=1e-12)  # never backwards
        assert found.quantum_kur / D == pytest.approx(1, rel=1e-12)
        assert found.coherence_kur / D < 1e-6

    @pytest.mark.parametrize("omega_0", [0.1, 0.5, 2.0, 20.0])
    def test_one_way_dots_saturate_the_best_bound_at_any_drive(self, omega_0):
        found, D = bounds_of(replace(ONE_WAY, omega_0=omega_0))
        x = omega_0**2
        assert D / found.current == pytest.approx((2 - x + x**2) / (2 * (1 + x) ** 2), rel=1e-12)
        assert found.current == pytest.approx(x / (2 * (1 + x)), rel=1e-12)
        assert found.response / D == pytest.approx(1, rel=1e-10)
        assert found.quantum_kur / D < 1

    def test_one_pair_at_a_strong_drive(self):
        """Bosons, both baths two-way: what is missing falls as 1/ω₀²."""
        engine = replace(CARNOT, N=1, delta_E=2.0, T_mean=4, delta_T=6)
        missing = []
        for drive in (100, 1000):
            found, D = bounds_of(replace(engine, omega_0=drive))
            missing.append(1 - found.response / D)
        assert missing[0] == pytest.approx(100 * missing[1], rel=0.02)
        assert 0 < missing[1] < 2e-5

    def test_a_weak_drive_passes_independent_quanta(self):
        """Two Poisson processes with the ratio e^a: J/D = tanh(a/2), of which the best bound knows
        the square through F_ωω = 4D; what is missing is of second order in ω₀."""
        engine = replace(CARNOT, N=4, delta_E=0.5)
        missing = []
        for drive in (1e-3, 2e-3):
            found, D = bounds_of(replace(engine, omega_0=drive))
            assert found.information[0, 0] == pytest.approx(4 * D, rel=1e-3)
            missing.append(found.response / D - math.tanh(engine.affinity / 2) ** 2)
        assert missing[1] == pytest.approx(4 * missing[0], rel=1e-3)
        assert abs(missing[0]) < 1e-4

    def test_at_the_carnot_point(self):
        """C = 1; the best bound is m² (4/𝒜₁ + 4/𝒜₂) with m = J/a = D/2, as rates are balanced."""
        found, D = bounds_of(CARNOT)
        bath_1, bath_2 = found.jump_rates[1:3].sum(), found.jump_rates[3:].sum()
        assert found.tur == pytest.approx(D, rel=1e-12)
        expected = found.per_affinity**2 * (4 / bath_1 + 4 / bath_2)
        assert found.response == pytest.approx(expected, rel=1e-12)
        assert found.kur == found.quantum_kur == 0


class TestAsVariables:
    def test_on_request_and_consistent(self):
        engine = Engine(N=4, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
                        Gamma_0=0.001, scaling="high-temperature")  # fmt: skip
        assert not {*CLASSICAL_BOUNDS, *QUANTUM_BOUNDS} & {*Exact().solve(engine).values}
        names = (*CLASSICAL_BOUNDS, *QUANTUM_BOUNDS, "quanta_noise", "quanta_current", "constancy")
        solution = Exact().solve(engine, names)
        values, (found, D) = solution.values, bounds_of(engine)
        assert solution.status is Status.OK
        assert values["dynamical_activity"] == pytest.approx(found.activity, rel=1e-12)
        assert values["coherent_activity"] == pytest.approx(found.coherent_activity, rel=1e-10)
        for name in ("kur", *QUANTUM, "response"):
            bound = values[f"{name}_bound"]
            assert bound == pytest.approx(getattr(found, name), rel=1e-10)
            assert values[f"{name}_ratio"] == pytest.approx(bound / D, rel=1e-12)
        assert values["tur_bound"] / values["quanta_noise"] == pytest.approx(values["constancy"])

    def test_activity_is_that_of_the_counting(self):
        """𝒜 = Tr 𝒜ρ at both baths: `noise` finds the larger of the two on its way to D."""
        state = factorised(CARNOT, tolerance=1e-10)
        counted = noise(state)
        found = precision_bounds(state).jump_rates
        larger = max(found[1:3].sum(), found[3:].sum())
        assert larger == pytest.approx(counted.cancellation * counted.at_drive, rel=1e-12)

    def test_the_classical_ones_need_no_factorisation(self):
        engine = replace(CARNOT, N=30, delta_E=0.5)
        names = ("kur_ratio", "dynamical_activity", "tur_bound")
        direct, iterated = (Exact(solver=s).solve(engine, names) for s in ("superlu", "gmres"))
        for name in names:
            assert iterated.values[name] == pytest.approx(direct.values[name], rel=1e-8)
        quantum = Exact(solver="gmres").solve(engine, ["response_ratio"])
        assert quantum.status is Status.OK
        assert 0 < quantum.values["response_ratio"] <= 1

    def test_without_a_drive_there_is_activity_and_no_noise_to_bound(self):
        names = ("dynamical_activity", "kur_bound", "response_bound", "kur_ratio", "response_ratio")
        solution = Exact().solve(replace(CARNOT, omega_0=0), names)
        assert solution.status is Status.OK
        assert solution.values["dynamical_activity"] > 0
        assert solution.values["kur_bound"] == solution.values["response_bound"] == 0
        assert math.isnan(solution.values["kur_ratio"])
        assert math.isnan(solution.values["response_ratio"])

    def test_two_baths_so_cold_that_occupations_underflow(self):
        """Rates scale with the occupation, ratios do not depend on it."""
        dark = Engine(N=2, E_1=1, delta_E=1.5, T_mean=3e-3, delta_T=2e-3, omega_0=1, Gamma_0=1)
        found = Exact().solve(dark, ["response_ratio", "kur_ratio", "dynamical_activity"])
        warmer = replace(dark, T_mean=6e-3, delta_T=4e-3)
        other = Exact().solve(warmer, ["response_ratio"])
        assert found.status is Status.OK
        assert 0 < found.values["dynamical_activity"] < 1e-150
        assert 0 < found.values["response_ratio"] <= 1 + AGREEMENT
        assert other.values["response_ratio"] <= 1 + AGREEMENT
