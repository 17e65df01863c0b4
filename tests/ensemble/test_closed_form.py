"""One spin pair (N = 1): the exact method against a closed form and against 60 digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mpmath
import pytest
from mpmath import mpf

from ensemble import Engine, Exact, InvalidInput
from ensemble.closed_forms.single_pair import single_pair_current, single_pair_power
from ensemble.counting.currents import currents
from ensemble.steady.stationary import stationary

EPS = 2.0**-52
ACCURATE = 1e-13
"""Relative.  Solving a stiff system loses a factor (ω₀/Γ)², at most 200 eps = 4e-14 below."""
CARNOT = {"N": 1, "E_1": 100.0, "T_mean": 130.0, "delta_T": 100.0, "Gamma_0": 1.0}
"""T₁ = 80 and T₂ = 180, so that a = (125 − ΔE)/180: zero at ΔE = 125, exactly in binary."""
AFFINITIES = [1e-1, 1e-5, 1e-9, 1e-13, 0.0, -1e-13, -1e-5, -1e-1]


def near_carnot(affinity: float, omega_0: float) -> Engine:
    return Engine(delta_E=125 - 180 * affinity, omega_0=omega_0, **CARNOT)


def with_ratios(cold: float, hot: float, omega_0: float) -> Engine:
    """An engine with E₁/T₁ = cold and E₂/T₂ = hot at E₁ = Γ₀ = 1."""
    T_1 = 1 / cold
    T_2 = T_1 * 1.5 * max(1.0, cold / hot)
    return Engine(
        N=1, E_1=1, delta_E=hot * T_2 - 1, T_mean=(T_1 + T_2) / 2, delta_T=T_2 - T_1,
        omega_0=omega_0, Gamma_0=1,
    )  # fmt: skip


@dataclass(frozen=True)
class Moments:
    """The pair's stationary current and noise from its closed moment equations, to 60 digits.

    Hopping conserves n₁n₂, so n₁, n₂, y = Im S₁⁺S₂⁻ and n₁n₂ close.  With J = ω₀ y, the regression
    theorem gives D = −2 ω₀ [M⁻¹ cov]_y, where cov_k = ½⟨{O_k, J}⟩ − ⟨O_k⟩⟨J⟩ follows from
    ½{nᵢ, y} = y/2, y² = (n₁ + n₂ − 2 n₁n₂)/4 and n₁n₂ y = 0.
    """

    affinity: mpf
    current: mpf
    noise: mpf

    @classmethod
    def of(cls, engine: Engine) -> Moments:
        """Solve for the numbers that the engine holds, each taken as the exact binary fraction."""
        E_1, half = mpf(engine.E_1), mpf(engine.delta_T) / 2
        ratio_1 = E_1 / (engine.T_mean - half)
        ratio_2 = (E_1 + engine.delta_E) / (engine.T_mean + half)
        down_1, down_2 = (-engine.Gamma_0 / mpmath.expm1(-r) for r in (ratio_1, ratio_2))
        up_1, up_2 = down_1 * mpmath.exp(-ratio_1), down_2 * mpmath.exp(-ratio_2)
        rate_1, rate_2 = down_1 + up_1, down_2 + up_2
        drive = mpf(engine.omega_0)

        M = mpmath.matrix(
            [
                [-rate_1, 0, drive, 0],
                [0, -rate_2, -drive, 0],
                [-drive / 2, drive / 2, -(rate_1 + rate_2) / 2, 0],
                [up_2, up_1, 0, -(rate_1 + rate_2)],
            ]
        )
        mean = mpmath.lu_solve(M, -mpmath.matrix([up_1, up_2, 0, 0]))
        n_1, n_2, y, both = mean
        current = drive * y
        product = drive * mpmath.matrix([y / 2, y / 2, (n_1 + n_2 - 2 * both) / 4, 0])
        response = mpmath.lu_solve(M, product - current * mean)
        return cls(ratio_1 - ratio_2, current, -2 * drive * response[2])

    @property
    def per_affinity(self) -> mpf:
        """J/a; at a = 0 its limit D/2, by linear response."""
        return self.current / self.affinity if self.affinity else self.noise / 2

    @property
    def constancy(self) -> mpf:
        return 2 * self.per_affinity / self.noise


@pytest.fixture(autouse=True)
def _sixty_digits():
    with mpmath.workdps(60):
        yield


@pytest.mark.parametrize("omega_0", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("hot", [0.05, 0.9, 1.0, 8.0, 500.0])
@pytest.mark.parametrize("cold", [0.05, 1.0, 8.0, 700.0])
def test_exact_current_is_the_closed_form(cold, hot, omega_0):
    """From hot to frozen baths, in both modes and at equal ratios, where a is mere rounding."""
    engine = with_ratios(cold, hot, omega_0)
    expected = single_pair_current(engine)
    assert currents(stationary(engine)).quanta == pytest.approx(expected, rel=ACCURATE, abs=0)
    assert single_pair_power(engine) == engine.delta_E * expected


@pytest.mark.parametrize("cold", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("hot", [0.02, 0.9, 8.0])
@pytest.mark.parametrize("omega_0", [1e-3, 1.0, 1e3])
def test_closed_form_is_the_solution_of_the_moment_equations(cold, hot, omega_0):
    """Relative error: eps·E/T from exp, and eps·(E₁/T₁ + E₂/T₂)/a from the affinity."""
    engine = with_ratios(cold, hot, omega_0)
    allowed = 8 * EPS * (1 + cold + hot) * (1 + 1 / abs(engine.affinity))
    expected = float(Moments.of(engine).current)
    assert single_pair_current(engine) == pytest.approx(expected, rel=allowed, abs=0)


@pytest.mark.parametrize("omega_0", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("affinity", AFFINITIES)
def test_currents_and_noise_keep_their_digits_through_the_carnot_point(affinity, omega_0):
    engine = near_carnot(affinity, omega_0)
    flow = currents(stationary(engine))
    values = Exact().solve(engine).values
    expected = Moments.of(engine)
    accurate = {"rel": ACCURATE, "abs": 0}
    assert values["quanta_noise"] == pytest.approx(float(expected.noise), **accurate)
    assert flow.per_affinity == pytest.approx(float(expected.per_affinity), **accurate)
    assert values["constancy"] == pytest.approx(float(expected.constancy), **accurate)
    # J adds the rounding of a, a difference of numbers of order one: compare for the engine's a.
    assert flow.quanta == pytest.approx(flow.per_affinity * engine.affinity, rel=4 * EPS, abs=0)
    assert flow.quanta == pytest.approx(single_pair_current(engine), **accurate)


def test_affinities_are_the_wanted_ones():
    """ΔE rounds to a multiple of 2⁻⁴⁶ = 1.4e-14, hence a to 8e-17; and a = 0 is exact."""
    for affinity in AFFINITIES:
        assert abs(Moments.of(near_carnot(affinity, 1)).affinity - affinity) <= 1e-16
    assert near_carnot(0.0, 1).affinity == 0
    assert single_pair_current(near_carnot(0.0, 1)) == 0


@pytest.mark.parametrize("omega_0", [0.05, 1.0, 20.0])
def test_constancy_leaves_one_quadratically(omega_0):
    """C − 1 = κ a² + O(a³): κ is read off at a = 1e-9, where 60 digits resolve a² easily."""
    near = Moments.of(near_carnot(1e-9, omega_0))
    curvature = float((near.constancy - 1) / near.affinity**2)
    assert curvature != 0
    for affinity in AFFINITIES:
        solution = Exact().solve(near_carnot(affinity, omega_0), ["constancy"])
        deviation = solution.values["constancy"] - 1
        assert abs(deviation - curvature * affinity**2) <= abs(affinity) ** 3 + ACCURATE


@pytest.mark.parametrize("closed_form", [single_pair_current, single_pair_power])
@pytest.mark.parametrize("changed", [{"N": 2}, {"spin_1": 1}, {"spin_2": 1.5}])
def test_closed_form_refuses_larger_spins(closed_form, changed):
    engine = Engine(**CARNOT | {"delta_E": 125, "omega_0": 1} | changed)
    with pytest.raises(InvalidInput, match=r"holds for two spins 1/2, .* use N = 1"):
        closed_form(engine)


def test_closed_form_serves_one_half_spins_at_any_scale():
    """Spins ½ in an N = 4 engine: the scaled bare rates are what enters."""
    shared = {"E_1": 100.0, "delta_E": 25.0, "spin_1": 0.5, "spin_2": 0.5}
    scaled = Engine(
        N=4, T_mean=130, delta_T=100, omega_0=1, Gamma_0=1, scaling="high-temperature", **shared
    )
    bare = Engine(N=4, T_mean=520, delta_T=400, omega_0=0.25, Gamma_0=0.25, **shared)
    assert math.isclose(single_pair_current(scaled), single_pair_current(bare), rel_tol=8 * EPS)
