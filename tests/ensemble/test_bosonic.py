"""The bosonic limit: closed forms against regression, counting in Fock space and finite N."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import eigs

from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.closed_forms.bosonic_modes import BosonicModes
from ensemble.methods.bosonic import Bosonic
from tests.strategies import engines, log_uniform

EPS = np.finfo(float).eps

COLD = Engine(N=1, E_1=100, delta_E=50, T_mean=30, delta_T=15, omega_0=2, Gamma_0=1)
"""E/T = 4.4 and 4: occupations of 0.01 and 0.02, so that N ≫ n holds from a few spins on."""
FRIDGE = replace(COLD, delta_E=100, T_mean=40, delta_T=20)
WARM = Engine(N=1, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)


def richardson(coarse_to_fine: list[float]) -> tuple[float, float]:
    """Limit of a series in 1/N from doubled N, and the last correction."""
    row, correction = coarse_to_fine, math.inf
    for order in range(1, len(row)):
        finer = [b + (b - a) / (2**order - 1) for a, b in pairwise(row)]
        correction = finer[-1] - row[-1]
        row = finer
    return row[-1], abs(correction)


def bare_engines() -> st.SearchStrategy[Engine]:
    """Engines in the bare scaling, of one pair: their N does not count."""
    return engines(highest_N=1, equal_spins=True).map(lambda e: replace(e, scaling="bare", N=1))


PER_PAIR = {
    "power_per_pair": "power",
    "heat_current_1_per_pair": "heat_current_1",
    "heat_current_2_per_pair": "heat_current_2",
    "quanta_current_per_pair": "quanta_current",
    "power_variance_per_pair": "power_variance",
    "quanta_noise_per_pair": "quanta_noise",
    "entropy_production_per_pair": "entropy_production",
    "constancy": "constancy",
    "excitations_1": "magnetization_1",
    "excitations_2": "magnetization_2",
}


def finite(variable: str, engine: Engine, N: int, spin_2: float | None = None) -> float:
    """The quantity at finite N whose limit the variable is."""
    exact = PER_PAIR[variable]
    sized = replace(engine, N=N, spin_1=None, spin_2=spin_2)
    value = Exact().solve(sized, [exact]).values[exact]
    if variable == "constancy":
        return value
    if variable.startswith("excitations"):
        return (1 + value) / 2 * sized.levels[int(variable[-1]) - 1]
    return value / N


@pytest.mark.parametrize("variable", PER_PAIR)
@pytest.mark.parametrize("engine", [COLD, FRIDGE], ids=["engine", "refrigerator"])
def test_finite_N_approaches_the_limit_as_one_over_N(variable, engine):
    """A doubled N halves the difference; the series in 1/N, extrapolated, ends at the limit."""
    limit = Bosonic().solve(engine, [variable]).values[variable]
    series = [finite(variable, engine, N) for N in (3, 6, 12, 24)]
    differences = [abs(value - limit) for value in series]
    assert 1.8 < differences[2] / differences[3] < 2.2
    value, correction = richardson(series)
    # The last correction is of order N⁻³ and leaves N⁻⁴, with a factor of 2 for its coefficient.
    assert correction < 1e-4 * abs(limit)
    assert abs(value - limit) < 2 * correction


@pytest.mark.parametrize("variable", ["power_per_pair", "power_variance_per_pair", "constancy"])
def test_unequal_spins_keep_their_ratio_in_the_limit(variable):
    """S₁ = N/2 and S₂ = N: the modes couple by ω₀√2 and the second decays twice as fast."""
    limit = Bosonic().solve(replace(COLD, spin_2=1.0), [variable]).values[variable]
    series = [finite(variable, COLD, N, spin_2=float(N)) for N in (2, 4, 8, 16)]
    value, correction = richardson(series)
    assert correction < 1e-3 * abs(limit)
    assert abs(value - limit) < correction


def test_power_per_pair_of_the_physics_notes():
    """J/N = ω₀²Γ₀(n₂−n₁)/(2(ω₀²+Γ₀²))."""
    n_1, n_2 = 1 / math.expm1(100 / 100), 1 / math.expm1(225 / 200)
    values = Bosonic().solve(WARM).values
    assert values["power_per_pair"] == pytest.approx(125 * (n_2 - n_1) / 4, rel=16 * EPS)
    assert values["power_per_pair"] == pytest.approx(-3.1643, abs=5e-5)


def test_N_does_not_count():
    values = Bosonic().solve(replace(WARM, N=1, spin_1=None, spin_2=None)).values
    larger = Bosonic().solve(replace(WARM, N=50, spin_1=None, spin_2=None)).values
    assert {k: v for k, v in values.items() if v == v} == {
        k: v for k, v in larger.items() if v == v
    }


def fock_generator(modes: BosonicModes, levels: int, chi: float) -> np.ndarray:
    """The Lindbladian on truncated Fock space with e^{±χ} on the jumps of bath 2, dense."""
    lower = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    one = np.eye(levels)
    a_1, a_2 = np.kron(lower, one), np.kron(one, lower)
    identity = np.eye(levels**2)
    H = modes.coupling / 2 * (a_1.T @ a_2 + a_2.T @ a_1)
    L = -1j * (np.kron(H, identity) - np.kron(identity, H))  # row-stacked, H real symmetric
    for loss, n, a, field in (
        (modes.loss_1, modes.n_1, a_1, 0.0),
        (modes.loss_2, modes.n_2, a_2, chi),
    ):
        for rate, jump, sign in ((loss * (n + 1), a, -1), (loss * n, a.T, 1)):
            decay = jump.T @ jump
            L += rate * math.exp(sign * field) * np.kron(jump, jump)
            L -= rate / 2 * (np.kron(decay, identity) + np.kron(identity, decay))
    return L


@pytest.mark.parametrize("chi", [-0.8, -0.2, 0.3, 1.0])
def test_generating_function_is_the_tilted_generators_eigenvalue(chi):
    """By the definition of counting, in a Fock space that holds all but 1e-10 of the state."""
    modes = BosonicModes(replace(COLD, T_mean=25))
    L = fock_generator(modes, 6, chi)
    leading = eigs(L, k=1, sigma=0.05, return_eigenvectors=False)[0]
    assert modes.cumulant_generating_function(chi) == pytest.approx(leading.real, rel=1e-6)


@given(bare_engines(), st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_fluctuation_symmetry(engine, share):
    """θ(χ) = θ(−a−χ) ≤ 0 between the zeros χ = 0 and −a, to the rounding of its terms."""
    modes = BosonicModes(engine)
    chi = -engine.affinity * share
    one, other = (modes.cumulant_generating_function(x) for x in (chi, -engine.affinity - chi))
    # θ's terms are the one-way rates; the exponents round by eps a.
    rates = modes.transmission * (modes.n_1 * (1 + modes.n_2) + modes.n_2 * (1 + modes.n_1))
    rounding = 16 * EPS * (1 + abs(engine.affinity)) * rates
    assert one <= rounding
    assert one == pytest.approx(other, rel=1e-9, abs=rounding)


def test_generating_function_is_infinite_beyond_its_branch_point():
    """Rare bursts of quanta are bunched: ⟨exp(χ·quanta)⟩ does not exist for large χ."""
    modes = BosonicModes(WARM)
    assert 0 < modes.cumulant_generating_function(0.5) < math.inf
    assert modes.cumulant_generating_function(3.0) == math.inf


@pytest.mark.parametrize("engine", [COLD, FRIDGE, WARM], ids=["engine", "fridge", "warm"])
def test_current_and_noise_are_the_first_derivatives(engine):
    """Numerical derivatives of θ in 40 digits, from its formula."""
    modes = BosonicModes(engine)
    with mpmath.workdps(40):
        g, k_1, k_2, n_1, n_2 = map(
            mpmath.mpf, (modes.coupling, modes.loss_1, modes.loss_2, modes.n_1, modes.n_2)
        )
        A, b, c = k_1 * k_2 * g**2 / 4, (k_1 + k_2) / 2, (k_1 * k_2 + g**2) / 4

        def theta(chi):
            B = n_2 * (1 + n_1) * mpmath.expm1(chi) + n_1 * (1 + n_2) * mpmath.expm1(-chi)
            return b - mpmath.sqrt(b**2 - 2 * c + 2 * mpmath.sqrt(c**2 - A * B))

        current, noise = (float(mpmath.diff(theta, 0, order)) for order in (1, 2))
    assert modes.current == pytest.approx(current, rel=64 * EPS)
    assert modes.noise == pytest.approx(noise, rel=64 * EPS)


@given(bare_engines(), log_uniform(1e-3, 1e3))
@settings(deadline=None, max_examples=200)
def test_laws(engine, strength):
    """First and second law, C ≤ tanh(a/2)/(a/2), and Eq. 11 by regression, on random engines."""
    engine = replace(engine, omega_0=strength * engine.Gamma_0)
    solution = Bosonic().solve(engine)
    values = solution.values
    assert (solution.status, solution.message) == (Status.OK, "")
    assert tuple(values) == Bosonic.variables
    assert values["entropy_production_per_pair"] >= 0
    heat = values["heat_current_1_per_pair"] + values["heat_current_2_per_pair"]
    assert values["power_per_pair"] == pytest.approx(
        heat, abs=4 * EPS * abs(values["heat_current_2_per_pair"])
    )
    half = abs(engine.affinity) / 2
    ceiling = math.tanh(half) / half if half else 1
    assert 0 < values["constancy"] <= ceiling * (1 + 8 * EPS)
    # The two forms of the constancy, where the affinity divides without loss.
    ratio = 2 * values["quanta_current_per_pair"] / values["quanta_noise_per_pair"]
    assert values["constancy"] * engine.affinity == pytest.approx(ratio, rel=64 * EPS)


@pytest.mark.parametrize("deviation", [1e-3, 1e-8, 1e-13])
def test_through_the_carnot_point(deviation):
    """J/a and 1 − C keep their sense: J is linear in a, and 1 − C of second order."""
    carnot = replace(WARM, delta_E=100.0)
    near = replace(WARM, delta_E=100 * (1 - deviation))
    slope = BosonicModes(near).current / near.affinity
    modes = BosonicModes(carnot)
    assert modes.current == 0
    assert modes.constancy == 1
    linear = modes.transmission * modes.n_2 * (1 + modes.n_1)
    assert slope == pytest.approx(linear, rel=2 * deviation + 64 * EPS)
    assert 1 - BosonicModes(near).constancy == pytest.approx(
        0.5 * near.affinity**2 * (1 / 6 + modes.bunching * modes.n_2 * (1 + modes.n_1)),
        rel=2 * deviation,
        abs=8 * EPS,
    )


def test_values_are_nan_only_where_they_are_undefined():
    def undefined(engine):
        return {k for k, v in Bosonic().solve(engine).values.items() if math.isnan(v)}

    assert undefined(COLD) == {"cop"}
    assert undefined(WARM) == {"efficiency"}
    assert undefined(replace(COLD, omega_0=0)) == {"efficiency", "cop", "constancy"}


def test_far_below_the_level_spacing_nothing_underflows_into_nan():
    """E/T = 900: the occupations underflow, the constancy does not."""
    frozen = replace(COLD, E_1=900, delta_E=900, T_mean=1.25, delta_T=0.5)
    values = Bosonic().solve(frozen).values
    assert values["power_per_pair"] == 0
    assert values["constancy"] == pytest.approx(math.tanh(150) / 150, rel=1e-12)


def test_a_disagreement_with_the_regression_is_a_status(monkeypatch):
    monkeypatch.setattr(BosonicModes, "regression", lambda modes: (modes.current, 0.5, 1e-17))
    solution = Bosonic().solve(COLD)
    assert solution.status is Status.UNPHYSICAL
    assert solution.message.startswith("closed form, regression or laws differ by ")
    strict = Bosonic(tolerance=1e-30).solve(COLD)
    assert strict.status is Status.UNCERTIFIED
    assert strict.message == "relative residual 1.0e-17 exceeds 1.0e-30"


@pytest.mark.parametrize("tolerance", [0, 1, math.nan])
def test_tolerance_must_be_a_fraction(tolerance):
    with pytest.raises(InvalidInput, match=r"tolerance must lie between 0 and 1, .*: try 1e-10"):
        Bosonic(tolerance=tolerance)


def test_wrong_requests_name_the_remedy():
    with pytest.raises(InvalidInput, match=r"does not define power: choose from power_per_pair"):
        Bosonic().solve(COLD, ["power"])
    with pytest.raises(
        InvalidInput, match=r"'high-temperature': use scaling bare, or method macroscopic"
    ):
        Bosonic().solve(replace(COLD, scaling="high-temperature"))


def test_an_inverted_bath_has_no_stationary_state(monkeypatch):
    """As a fermionic bath with μ > E would be."""
    monkeypatch.setattr("ensemble.engine.Bath.log_ratio", property(lambda bath: -0.5))
    with pytest.raises(InvalidInput, match=r"bath 1 has ln\(γ↓/γ↑\) = -0.5: lower its occupation"):
        BosonicModes(COLD)
