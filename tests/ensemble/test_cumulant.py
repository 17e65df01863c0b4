"""The cumulant closure: reference numbers, finite N, the Carnot point, stability, the statuses."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm

from catalog.heat_engine.terms import VOCABULARY
from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.closed_forms import classical_spin
from ensemble.closure import fixed_point
from ensemble.closure.closed_moments import rates_of
from ensemble.closure.hierarchy import monomial
from ensemble.closure.regression import TRANSVERSE, current_form, current_noise, regression_matrix
from ensemble.methods import cumulant
from ensemble.methods.cumulant import Cumulant
from tests.ensemble.moment_dynamics import evolve
from tests.strategies import engines, log_uniform

EPS = np.finfo(float).eps
Z_1, Z_2, XY = (monomial(text) for text in ("z1", "z2", "x1 y2"))

PUBLIC = Engine(
    N=1,
    E_1=1,
    delta_E=9,
    T_mean=13.5,
    delta_T=23,
    omega_0=0.006,
    Gamma_0=0.001,
    scaling="high-temperature",
)
"""T₁ = 2 and T₂ = 25: Fig. 7's parameters at one drive."""
HIGH_GAIN = replace(PUBLIC, delta_E=150, T_mean=10.1, delta_T=20)
FRIDGE = replace(PUBLIC, delta_E=20, T_mean=13.5, delta_T=23)
UNSTABLE = replace(PUBLIC, delta_E=150, T_mean=10.05, delta_T=20, omega_0=0.1)
"""ω₀ = 100 Γ₀ and a bath at βE = 20: order 4 has no stable fixed point there."""

EXACT_POWER = 6.07793052e-5
"""P/N of the limit itself at PUBLIC, from its Fokker–Planck equation (docs/theory)."""


def high_temperature_engines() -> st.SearchStrategy[Engine]:
    """Engines in the scaling that has this limit, βE from 0.01 to 20."""
    return engines().map(lambda engine: replace(engine, scaling="high-temperature"))


def test_reference_numbers_of_the_papers_closure():
    """Order 3 in its published digits: power and constancy, and the constancy at high gain."""
    values = Cumulant().solve(PUBLIC).values
    assert values["power_per_pair"] == pytest.approx(6.13029e-5, abs=5e-11)
    assert values["constancy"] == pytest.approx(0.636121, abs=5e-7)
    high_gain = Cumulant().solve(HIGH_GAIN, ["constancy"]).values["constancy"]
    assert high_gain == pytest.approx(0.751, abs=5e-4)


def test_higher_orders_are_nearer_to_the_limit():
    errors = [
        abs(Cumulant(order=order).solve(PUBLIC).values["power_per_pair"] / EXACT_POWER - 1)
        for order in (2, 3, 4)
    ]
    assert errors[0] == 1  # mean field has no current
    assert 5e-3 < errors[1] < 1e-2
    assert 5e-4 < errors[2] < 1e-3


def richardson(series: list[float]) -> tuple[float, float]:
    """Limit of a series in 1/N from doubled N, and the last correction."""
    row, correction = series, math.inf
    for order in range(1, len(row)):
        finer = [b + (b - a) / (2**order - 1) for a, b in pairwise(row)]
        correction, row = abs(finer[-1] - row[-1]), finer
    return row[-1], correction


@pytest.mark.parametrize("spin_2_per_N", [0.5, 1.0], ids=["equal", "S₂ = N"])
@pytest.mark.parametrize(
    ("variable", "share"),
    [("power_per_pair", 5e-3), ("magnetization_1", 5e-3), ("magnetization_2", 5e-3)],
)
def test_order_4_is_near_exact_finite_N(variable, share, spin_2_per_N):
    """Finite N extrapolates to within 0.5 % of order 4, whatever the spins' ratio.

    The closure is an approximation, measured to keep 0.24 %; a wrong ν would cost tens of per cent.
    """
    series = []
    for N in (3, 6, 12, 24):
        sized = replace(PUBLIC, N=N, spin_2=spin_2_per_N * N)
        series.append(Exact().solve(sized, [variable]).values[variable])
    limit, correction = richardson(series)
    assert correction < 0.1 * share * abs(limit)
    closed = Cumulant(order=4).solve(replace(PUBLIC, N=2, spin_2=2 * spin_2_per_N))
    assert closed.status is Status.OK
    assert closed.values[variable] == pytest.approx(limit, rel=share)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("engine", [PUBLIC, HIGH_GAIN, FRIDGE], ids=["public", "gain", "fridge"])
def test_time_evolution_ends_in_the_fixed_point(engine, order):
    """All moments, from the ground state and from a broken symmetry, integrated by LSODA."""
    point = fixed_point.fixed_point(engine, order=order)
    tilted = [0.6, 0.0, 0.8, 0.0, -0.8, 0.6]
    for initial in ([0, 0, -1, 0, 0, -1], tilted):
        end = 40 / point.gap
        evolution = evolve(engine, [0.0, end], order=order, initial=initial)
        for moment, values in evolution.moments.items():
            assert values[0] == pytest.approx(np.prod(np.array(initial) ** np.array(moment)))
            assert values[1] == pytest.approx(point.moments[moment], abs=1e-9 + evolution.error)
        assert evolution.error < 1e-6


@pytest.mark.parametrize("order", [2, 3])
def test_undriven_state_in_closed_form(order):
    """Without drive (1 − z²) + 6yz/ν = 0 at orders 2 and 3, z = −1/(q + √(q² + 1)), q = 3y/ν.

    At order 3, d⟨z²⟩ = 0 reads −νrz + y(2r − 4(1 − r)) = 0 with r = 1 − ⟨z²⟩ = −4yz/ν.
    """
    engine = replace(PUBLIC, N=2, omega_0=0, spin_2=3.0)
    values = Cumulant(order=order).solve(engine).values
    for i, y, nu in (("1", 2.0, 1.0), ("2", 2.5, 3.0)):
        q = 3 * y / nu
        z = -1 / (q + math.hypot(q, 1))
        assert values[f"magnetization_{i}"] == pytest.approx(z, rel=32 * EPS)
        square = 1 + 4 * y * z / nu if order == 3 else (1 + 2 * z * z) / 3
        assert values[f"magnetization_{i}_squared"] == pytest.approx(square, rel=32 * EPS)
    assert values["power_per_pair"] == 0
    assert math.isnan(values["constancy"])


def test_undriven_state_against_the_exact_one():
    """Eq. 33: the closures are exact in the hot limit, and order 4 is better in between."""
    hot = replace(PUBLIC, omega_0=0, T_mean=1e4, delta_T=0, delta_E=0)
    for order in (2, 3, 4):
        z = Cumulant(order=order).solve(hot).values["magnetization_1"]
        # The next term of the series in βE is smaller by (βE)²/60, and of the same order here.
        assert z == pytest.approx(classical_spin.magnetization(1e-4), rel=1e-9)
    warm = replace(hot, T_mean=0.5)
    exact = classical_spin.magnetization(2.0)
    errors = [
        abs(Cumulant(order=order).solve(warm).values["magnetization_1"] - exact) for order in (3, 4)
    ]
    assert errors[1] < 0.2 * errors[0]


def test_jacobian_eigenvalues_without_drive():
    """Eigenvalues of the magnetisations' 2 × 2 block, derived by hand, are among all 25.

    [[−2y, 1/2], [−r, z − 6y]], r = 1 − ⟨z²⟩, from dz = −r/2 − 2yz and d⟨z²⟩ = −rz + y(6r − 4).
    """
    engine = replace(PUBLIC, omega_0=0)
    found = fixed_point.jacobian_eigenvalues(engine) / engine.Gamma_0
    assert len(found) == 25
    assert np.all(np.diff(found.real) <= 0)
    for y in (2.0, 2.5):
        z = -1 / (3 * y + math.hypot(3 * y, 1))
        r = -4 * y * z
        block = np.array([[-2 * y, 0.5], [-r, z - 6 * y]])
        for expected in np.linalg.eigvals(block):
            assert np.abs(found - expected).min() < 1e-12
    # mˣ and mʸ come with mˣmᶻ and mʸmᶻ, and are slower: of the order y.
    assert -found[0].real == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("order", [3, 4])
def test_gap_has_the_two_slopes_of_figure_5(order):
    """Rising with T̄ as T₁/E₁ up to the Carnot point, whatever ΔE, and as T₂/E₂ beyond."""
    for delta_E in (0.5, 1.0, 2.0):
        carnot = 10 * (delta_E + 2) / delta_E
        for T, slope in ((0.8 * carnot, 1.0), (1.5 * carnot, 1 / (1 + delta_E))):
            gaps = [
                Cumulant(order=order).solve(
                    replace(PUBLIC, delta_E=delta_E, delta_T=20, T_mean=mean), ["gap"]
                )
                for mean in (T, T + 1)
            ]
            low, high = (solution.values["gap"] / PUBLIC.Gamma_0 for solution in gaps)
            # The drive couples the two ensembles, in second order of ω₀/(2Γ₀(y₂ − y₁)).
            assert high - low == pytest.approx(slope, rel=0.05)


def carnot_slope(engine: Engine, order: int) -> float:
    return fixed_point.fixed_point(engine, order=order).slope_of(XY)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("spin_2", [None, 3.0])
def test_through_the_carnot_point(order, spin_2):
    """J vanishes at aN = 0 with its slope: J/(aN) keeps its digits, and the constancy too."""
    at = replace(PUBLIC, N=2, delta_E=11.5, spin_2=spin_2)
    assert at.affinity == 0
    solution = Cumulant(order=order).solve(at)
    assert solution.status is Status.OK
    assert solution.values["quanta_current_per_pair"] == 0
    slope = carnot_slope(at, order)
    for deviation in (1e-4, 1e-8, 1e-13):
        near = replace(at, delta_E=11.5 * (1 - deviation))
        assert carnot_slope(near, order) == pytest.approx(slope, rel=10 * deviation + 64 * EPS)
    # The slope is the linear response: a difference quotient that knows nothing of the base.
    ahead, behind = (
        fixed_point.fixed_point(replace(at, delta_E=11.5 * (1 + step)), order=order)
        for step in (-1e-4, 1e-4)
    )
    quotient = (ahead.moments[XY] - behind.moments[XY]) / (ahead.affinity - behind.affinity)
    assert quotient == pytest.approx(slope, rel=1e-6)


def test_constancy_at_the_carnot_point_is_not_1():
    """Linear response demands C = 1; the closure of D1–D5 misses it."""
    constancies = [
        Cumulant().solve(replace(PUBLIC, delta_E=11.5 * (1 - deviation))).values["constancy"]
        for deviation in (0, 1e-12, 1e-6)
    ]
    assert constancies[0] == pytest.approx(0.586666, abs=1e-6)
    assert constancies[1] == pytest.approx(constancies[0], rel=1e-11)
    assert constancies[2] == pytest.approx(constancies[0], rel=1e-5)


def test_constancy_of_a_weak_drive_is_1():
    """Independent transverse components are Gaussian enough: D2 and D4 hold as ω₀ → 0, βE → 0.

    This fixes the prefactor of D1.
    """
    weak = replace(PUBLIC, T_mean=1e4, delta_T=20, omega_0=1e-3)
    assert Cumulant().solve(weak).values["constancy"] == pytest.approx(1, rel=1e-7)


@pytest.mark.parametrize("engine", [PUBLIC, HIGH_GAIN, FRIDGE], ids=["public", "gain", "fridge"])
def test_noise_is_the_integral_of_the_regression(engine):
    """D3 by quadrature, term by term, and the matrix of D4 and D5 written out."""
    point = fixed_point.fixed_point(engine)
    z = {1: point.moments[Z_1], 2: point.moments[Z_2]}
    y = {1: rates_of(engine)[0] / engine.Gamma_0, 2: rates_of(engine)[1] / engine.Gamma_0}
    decay = {i: engine.Gamma_0 * (z[i] / 2 - y[i]) for i in (1, 2)}
    half = engine.omega_0 / 2
    M = np.array(
        [
            [decay[1], 0, 0, half * z[1]],
            [0, decay[1], -half * z[1], 0],
            [0, half * z[2], decay[2], 0],
            [-half * z[2], 0, 0, decay[2]],
        ]
    )
    assert np.abs(regression_matrix(z[1], z[2], point.rates) - M).max() < 8 * EPS * np.abs(M).max()
    V = point.covariance[np.ix_(TRANSVERSE, TRANSVERSE)]
    x_1, y_1, x_2, y_2 = range(4)

    def integrand(tau: float) -> float:
        R = expm(M * tau) @ V  # R[b, a] = ⟨v_a(0)v_b(τ)⟩

        def pairing(a, b, c, d):
            """⟨v_a(0)v_b(0)v_c(τ)v_d(τ)⟩ − ⟨v_a v_b⟩⟨v_c v_d⟩."""
            return R[c, a] * R[d, b] + R[d, a] * R[c, b]

        return (
            pairing(x_1, y_2, x_1, y_2)
            - pairing(x_1, y_2, y_1, x_2)
            - pairing(y_1, x_2, x_1, y_2)
            + pairing(y_1, x_2, y_1, x_2)
        )

    slowest = -1 / np.linalg.eigvals(M).real.max()
    integral, error = quad(integrand, 0, 25 * slowest, limit=500, epsrel=1e-10)
    variance = engine.omega_0**2 * engine.delta_E**2 / 8 * integral  # D1's prefactor
    found = Cumulant().solve(engine).values
    assert error < 1e-8 * integral
    assert found["power_per_pair_variance"] == pytest.approx(variance, rel=2e-8)
    assert found["power_per_pair_variance"] == pytest.approx(
        engine.delta_E**2 * found["quanta_current_per_pair_noise"], rel=4 * EPS
    )


def test_noise_of_a_growing_regression_is_undefined():
    rates = np.array([0.1, 0.1, 0.5, 0.5, 1.0, 1.0])
    noise, residual = current_noise(np.eye(4) / 3, 0.9, 0.9, rates, 0.5)
    assert math.isnan(noise)
    assert residual == 0


def test_current_form_is_the_current():
    """J/N = −(ω₀ν₁ν₂/4)(m₁ˣm₂ʸ − m₁ʸm₂ˣ)."""
    v = np.array([0.3, -0.7, 0.2, 0.5])
    assert v @ current_form(2.0) @ v == pytest.approx(-2.0 * (0.3 * 0.5 + 0.7 * 0.2), rel=8 * EPS)


@given(high_temperature_engines(), st.sampled_from([2, 3, 4]))
@settings(deadline=None, max_examples=200)
def test_laws(engine, order):
    """First and second law, and physical moments, on random engines and refrigerators."""
    solution = Cumulant(order=order).solve(engine)
    values = solution.values
    assert (solution.status, solution.message) == (Status.OK, "")
    assert tuple(values) == Cumulant.variables
    assert values["entropy_production"] >= 0
    heat = values["heat_current_1_per_pair"] + values["heat_current_2_per_pair"]
    assert values["power_per_pair"] == pytest.approx(
        heat, abs=4 * EPS * abs(values["heat_current_2_per_pair"])
    )
    # What bath 1 absorbs, (ν₁/2) times the dissipative part of d⟨m₁ᶻ⟩/dt, is the drive's current.
    y_1, y_2, drift_1, _, _, _ = rates_of(engine)
    nu_1 = engine.levels[0] / engine.N
    lost = drift_1 * (1 - values["magnetization_1_squared"]), 2 * y_1 * values["magnetization_1"]
    # The equations are solved to rounding of their terms, which those of the hotter bath dominate.
    gross = max(*map(abs, lost), 2 * y_1, 2 * y_2)
    assert -nu_1 / 2 * sum(lost) == pytest.approx(
        -values["quanta_current_per_pair"], abs=100 * EPS * nu_1 * gross
    )
    for i in ("1", "2"):
        z, square = values[f"magnetization_{i}"], values[f"magnetization_{i}_squared"]
        assert -1 <= z <= 0
        assert z * z <= square <= 1
    assert values["affinity_times_N"] == pytest.approx(engine.N * engine.affinity, rel=4 * EPS)


@given(log_uniform(1e-2, 10.0))
@settings(deadline=None, max_examples=20)
def test_only_ratios_of_rates_count(factor):
    """Γ₀ and ω₀ in another unit: currents, noise and gap scale, moments do not."""
    scaled = replace(PUBLIC, omega_0=PUBLIC.omega_0 * factor, Gamma_0=PUBLIC.Gamma_0 * factor)
    one, other = Cumulant().solve(PUBLIC).values, Cumulant().solve(scaled).values
    for name in ("quanta_current_per_pair", "quanta_current_per_pair_noise", "gap"):
        assert other[name] == pytest.approx(factor * one[name], rel=1e-12)
    for name in ("constancy", "magnetization_1", "spin_correlation_xy", "mutual_information"):
        assert other[name] == pytest.approx(one[name], rel=1e-10)


def test_N_does_not_count():
    values = [Cumulant().solve(replace(PUBLIC, N=N)).values for N in (1, 64)]
    for name, value in values[0].items():
        assert value == pytest.approx(values[1][name], rel=1e-12, nan_ok=True)


def test_values_are_nan_only_where_they_are_undefined():
    def undefined(order, engine=PUBLIC):
        values = Cumulant(order=order).solve(engine).values
        return {name for name, value in values.items() if math.isnan(value)}

    fluctuations = {"power_per_pair_variance", "quanta_current_per_pair_noise", "constancy"}
    assert undefined(3) == {"cop"}
    assert undefined(3, FRIDGE) == {"efficiency"}
    assert undefined(4) == {"cop"} | fluctuations
    assert undefined(2) == {"cop", "efficiency"} | fluctuations


def test_mean_field_has_no_correlations():
    values = Cumulant(order=2).solve(PUBLIC).values
    for name in ("power_per_pair", "spin_correlation_xy", "mutual_information", "concurrence"):
        assert values[name] == 0
    assert values["spin_correlation_zz"] == pytest.approx(
        values["magnetization_1"] * values["magnetization_2"], rel=4 * EPS
    )


def test_pair_state_at_finite_N_is_near():
    """Mutual information extrapolated from finite N; order 4 is measured to keep it to 0.5 %."""
    name = "mutual_information"
    series = [Exact().solve(replace(PUBLIC, N=N), [name]).values[name] for N in (3, 6, 12, 24)]
    limit, correction = richardson(series)
    assert correction < 5e-3 * limit
    assert Cumulant(order=4).solve(PUBLIC, [name]).values[name] == pytest.approx(limit, rel=1e-2)


def test_a_strong_drive_between_cold_baths_makes_order_4_unstable():
    """Status, not silence: order 3 is stable there."""
    solution = Cumulant(order=4).solve(UNSTABLE)
    assert solution.status is Status.UNPHYSICAL
    assert solution.message.startswith("the fixed point of order 4 is unstable: its gap is -")
    assert solution.values["gap"] < 0
    assert Cumulant(order=3).solve(UNSTABLE).status is Status.OK


def test_a_residual_above_the_tolerance_is_a_status():
    solution = Cumulant(tolerance=1e-30).solve(PUBLIC)
    assert solution.status is Status.UNCERTIFIED
    assert solution.message.endswith("exceeds 1.0e-30")
    assert 0 < solution.diagnostics["residual"] < 1e-14


@pytest.mark.parametrize("noise", [-1.0, math.nan])
def test_an_impossible_variance_is_unphysical(monkeypatch, noise):
    monkeypatch.setattr(cumulant, "current_noise", lambda *_: (noise, 0.0))
    message = f"the variance of the current is {noise:.1e} N²"
    solution = Cumulant().solve(PUBLIC)
    assert (solution.status, solution.message) == (Status.UNPHYSICAL, message)
    assert math.isnan(solution.values["constancy"])
    assert solution.values["power_per_pair"] > 0


@pytest.mark.parametrize(
    ("moments", "message"),
    [
        ({"z1": 1.2, "z1 z1": 0.9}, "a covariance matrix of order 3 has the eigenvalue -"),
        ({"x1 y2": 0.5, "z1 z1": 0.8}, "a covariance matrix of order 3 has the eigenvalue -"),
        ({"x1 y2": 0.01}, "current and affinity have opposite signs, J/(aN) = -"),
        ({"z1": -0.9, "z2": 0.9, "z1 z2": 0.9}, "a covariance matrix of order 3"),
    ],
)
def test_impossible_moments_are_unphysical(monkeypatch, moments, message):
    """A fixed point with other moments: what no distribution of unit vectors has is refused."""
    point = fixed_point.fixed_point(PUBLIC)
    slope = point.slope.copy()
    for text, value in moments.items():
        k = point.system.coordinates.index(monomial(text))
        slope[k] = (value - point.base[k]) / point.affinity
    monkeypatch.setattr(cumulant, "fixed_point", lambda engine, order: replace(point, slope=slope))
    monkeypatch.setattr(fixed_point.FixedPoint, "gap", 1.0)
    solution = Cumulant().solve(PUBLIC)
    assert solution.status is Status.UNPHYSICAL
    assert solution.message.startswith(message)


def test_a_pair_state_that_is_not_positive_loses_its_variables_only(monkeypatch):
    def refused(values, covariance):
        raise InvalidInput("the correlators must give a positive state")

    monkeypatch.setattr(cumulant, "pair_values", refused)
    solution = Cumulant().solve(PUBLIC)
    assert solution.status is Status.UNPHYSICAL
    assert solution.message == "the correlators must give a positive state"
    lost = {name for name, value in solution.values.items() if math.isnan(value)}
    assert lost == {"mutual_information", "concurrence", "discord", "pair_purity", "cop"}


def test_no_stationary_state_raises(monkeypatch):
    monkeypatch.setattr(fixed_point, "SETTLED", -1.0)
    with pytest.raises(ArithmeticError, match=r"closed at order 3 do not settle: try another"):
        fixed_point.fixed_point(PUBLIC)


def test_names_are_in_the_vocabulary():
    assert set(Cumulant.variables) <= set(VOCABULARY)
    assert set(Cumulant.diagnostics) <= set(VOCABULARY)


@pytest.mark.parametrize("order", [1, 5, 2.5])
def test_order_must_be_2_3_or_4(order):
    with pytest.raises(InvalidInput, match=r"order must be 2, 3 or 4, but is .*: 3 is the paper's"):
        Cumulant(order=order)


@pytest.mark.parametrize("order", [True, "3", None, 10**400])
def test_order_must_be_a_number(order):
    with pytest.raises(InvalidInput, match=r"order must be a finite number, but is .*: correct it"):
        Cumulant(order=order)


def test_wrong_requests_name_the_remedy():
    with pytest.raises(InvalidInput, match=r"does not define power: choose from power_per_pair"):
        Cumulant().solve(PUBLIC, ["power"])
    with pytest.raises(InvalidInput, match=r"but scaling is 'bare': use scaling high-temperature"):
        Cumulant().accept(replace(PUBLIC, scaling="bare"))
    with pytest.raises(InvalidInput, match=r"do not grow with T, .*: use statistics bosonic"):
        Cumulant().accept(replace(PUBLIC, statistics="fermionic"))
    with pytest.raises(InvalidInput, match=r"initial must be two unit vectors.*: normalise them"):
        evolve(PUBLIC, [1.0], initial=[0, 0, -1, 0, 0, -0.5])
    with pytest.raises(InvalidInput, match=r"times must be increasing and ≥ 0.*: sort them"):
        evolve(PUBLIC, [2.0, 1.0])
    with pytest.raises(InvalidInput, match=r"tolerance must lie between 0 and 1.*: try 1e-10"):
        evolve(PUBLIC, [1.0], tolerance=0)


def test_evolution_starts_where_it_is_put():
    moments = evolve(PUBLIC, [0.0]).moments
    assert moments[Z_1].tolist() == [-1.0]
    assert moments[monomial("z1 z2")].tolist() == [1.0]
