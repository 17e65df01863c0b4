"""Time evolution against the matrix exponential, rate equations, the final state, both laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scipy import linalg

from ensemble import Engine, Exact, InvalidInput
from ensemble.closed_forms.single_spin import SingleSpin
from ensemble.evolution import propagation
from ensemble.evolution.dynamics import Trajectory, evolve, fock, thermal
from ensemble.evolution.entropy import entropy_rate, excitation_blocks, von_neumann_entropy
from ensemble.generator.sector import Sector
from ensemble.steady.stationary import stationary
from tests.ensemble.dense import embed, extract, gauge, lindblad
from tests.strategies import engines

EPS = np.finfo(float).eps
ROUNDING = 1e-12
"""Errors are some ε‖L‖/rate, at most 1e3 ε here, and sums of up to 100 such terms."""

SYSTEMS = {
    "engine": {"E_1": 100, "delta_E": 50, "T_mean": 150, "delta_T": 100},
    "refrigerator": {"E_1": 100, "delta_E": 125, "T_mean": 150, "delta_T": 100},
    "cold": {"E_1": 100, "delta_E": 50, "T_mean": 15, "delta_T": 10},
    "hot": {"E_1": 1, "delta_E": 9, "T_mean": 13.5, "delta_T": 23},
}


def an_engine(system: str, omega_0: float, N: int = 2, **changes) -> Engine:
    return Engine(N=N, omega_0=omega_0, Gamma_0=1, **SYSTEMS[system] | changes)


def starts(engine: Engine) -> dict[str, np.ndarray]:
    """Pure, mixed and coherent states of the sector."""
    sector = Sector(*engine.levels)
    coherent = thermal(engine, engine.hot.temperature, engine.cold.temperature)
    ket = sector.index(np.array([0]), np.array([1]), np.array([0]))
    bra = sector.index(np.array([1]), np.array([0]), np.array([0]))
    both = sector.index(np.array([0]), np.array([1]), np.array([1]))
    coherent[both] = 0.9 * np.sqrt(coherent[ket] * coherent[bra])
    return {
        "ground": fock(engine, 0, 0),
        "excited": fock(engine, *engine.levels),
        "inverted": fock(engine, engine.levels[0], 0),
        "thermal": thermal(engine, engine.hot.temperature, engine.cold.temperature),
        "mixed": thermal(engine, np.inf, np.inf),
        "coherent": coherent,
    }


@pytest.mark.parametrize("start", ["ground", "excited", "inverted", "thermal", "mixed", "coherent"])
@pytest.mark.parametrize("omega_0", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("system", SYSTEMS)
def test_states_are_those_of_the_matrix_exponential(system, omega_0, start):
    """exp(Lt) of the whole Liouvillian, built from the definition: no sector, no deviation."""
    engine = an_engine(system, omega_0, spin_2=0.5)
    sector = Sector(*engine.levels)
    dim = (sector.n_1 + 1) * (sector.n_2 + 1)
    units = np.eye(dim**2).reshape(-1, dim, dim)
    whole = np.stack([lindblad(engine, unit).ravel() for unit in units], axis=1)
    phase = np.outer(gauge(*engine.levels), gauge(*engine.levels).conj())
    initial = starts(engine)[start]
    path = evolve(engine, initial, [0.0, 0.02, 0.3, 5.0])
    for time, state in zip(path.times, path.states, strict=True):
        expected = linalg.expm(whole * time) @ (phase * embed(sector, initial)).ravel()
        expected = phase.conj() * expected.reshape(dim, dim)
        assert abs(expected - embed(sector, extract(sector, expected.real))).max() <= ROUNDING
        np.testing.assert_allclose(state, extract(sector, expected.real), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("omega_0", [0.1, 6.0])
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_ends_in_the_stationary_state(system, omega_0, scaling):
    """At t = 10¹⁰/Γ₀, with the currents, and entropy production, of the exact method."""
    engine = an_engine(system, omega_0, N=6, scaling=scaling)
    path = evolve(engine, fock(engine, 0, 0), [1.0, 1e10])
    state, exact = stationary(engine), Exact().solve(engine).values
    if state.generator.sector == path.sector:
        np.testing.assert_allclose(path.states[-1], state.rho, rtol=0, atol=ROUNDING)
    # Currents are differences: of hop elements, and of two jump rates.
    jumps = max(engine.hot.gamma_down, engine.cold.gamma_down) * engine.N**2
    allowed = {"rel": 0, "abs": 100 * EPS * jumps * engine.E_2}
    assert path.power[-1] == pytest.approx(exact["power"], **allowed)
    assert path.heat_current_1[-1] == pytest.approx(exact["heat_current_1"], **allowed)
    assert path.heat_current_2[-1] == pytest.approx(exact["heat_current_2"], **allowed)
    for spin in "12":
        final = getattr(path, f"magnetization_{spin}")[-1]
        assert final == pytest.approx(exact[f"magnetization_{spin}"], abs=ROUNDING)
    ratio = engine.cold.log_ratio + engine.hot.log_ratio
    assert path.entropy_production_rate[-1] == pytest.approx(
        exact["entropy_production"], rel=0, abs=100 * EPS * jumps * ratio
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(engine=engines(highest_N=4))
def test_both_laws_hold_on_the_way(engine):
    """From the fully excited state, over six decades of time."""
    path = evolve(
        engine, fock(engine, *engine.levels), np.geomspace(1e-4, 1e2, 13) / engine.Gamma_0
    )
    entropies = abs(path.entropy_production) + 10 * np.log(path.states.shape[1])
    ratios = engine.cold.log_ratio + engine.hot.log_ratio
    jumps = (engine.cold.gamma_down + engine.hot.gamma_down) * max(engine.levels) ** 2
    assert path.entropy_production_rate.min() >= -1e3 * EPS * jumps * (ratios + 40)
    assert path.entropy_production.min() >= 0
    assert (np.diff(path.entropy_production) >= -1e4 * EPS * entropies[1:] * (1 + ratios)).all()
    assert path.lowest_eigenvalue.min() >= -100 * EPS
    assert abs(path.states @ path.sector.trace - 1).max() <= 100 * EPS
    assert path.first_law_error <= 1e-9
    assert path.propagation_error <= 1e-12


def integral(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weights @ values)


@pytest.mark.parametrize("start", ["thermal", "coherent", "mixed"])
@pytest.mark.parametrize("omega_0", [0.5, 6.0])
@pytest.mark.parametrize("system", SYSTEMS)
def test_totals_are_the_integrals_of_the_rates(system, omega_0, start):
    """Gauss-Legendre quadrature of P, Q̇ᵢ and Ṡ_tot from t₀ to t₁ against the differences of W, Qᵢ
    and ΔS_tot, which were obtained without quadrature."""
    engine = an_engine(system, omega_0)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    begin, end = 0.05, 0.45
    inner = begin + (end - begin) * (nodes + 1) / 2
    path = evolve(engine, starts(engine)[start], np.concatenate([[begin], inner, [end]]))
    for rate, total in (
        ("power", "work"),
        ("heat_current_1", "heat_1"),
        ("heat_current_2", "heat_2"),
        ("entropy_production_rate", "entropy_production"),
    ):
        values = getattr(path, rate)
        change = getattr(path, total)[-1] - getattr(path, total)[0]
        expected = (end - begin) / 2 * integral(values[1:-1], weights)
        assert change == pytest.approx(expected, rel=0, abs=1e-11 * abs(values).max())
    assert path.first_law_error <= ROUNDING


def test_entropy_of_an_undriven_spin_matches_its_populations():
    engine = an_engine("engine", 0.0, N=3, spin_2=0.5)
    path = evolve(engine, fock(engine, 0, 1), [0.0, 0.1, 1.0])
    populations = path.states[:, path.sector.q == 0]
    logs = np.log(np.where(populations > 0, populations, 1))
    np.testing.assert_allclose(path.entropy, -(populations * logs).sum(axis=1), atol=ROUNDING)
    assert path.entropy[0] == 0
    assert np.isinf(path.entropy_production_rate[0])
    assert np.isfinite(path.entropy_production_rate[1:]).all()


@pytest.mark.parametrize("beta_E", [0.1, 10.0])
@pytest.mark.parametrize("N", [4, 25])
def test_dynamics_of_figure_9(N, beta_E):
    """⟨mᶻ⟩ of one dissipative spin N/2 by its rate equations; the other spin is a spectator."""
    temperature = 1 / beta_E
    engine = Engine(
        N=N, E_1=1, delta_E=0, T_mean=temperature, delta_T=0, omega_0=0, Gamma_0=1,
        scaling="high-temperature", spin_2=0.5,
    )  # fmt: skip
    times = np.array([0.0, 0.2, 1.0, 3.0])
    path = evolve(engine, fock(engine, N, 0), times)
    spin = SingleSpin(N, beta_E)
    k = np.arange(1, N + 1)
    step = k * (N + 1 - k)
    rates = np.diag(spin.gamma_down * step, 1) + np.diag(spin.gamma_up * step, -1)
    rates -= np.diag(rates.sum(axis=0))
    levels = 2 * np.arange(N + 1) / N - 1
    expected = [levels @ linalg.expm(rates * time)[:, -1] for time in times]
    np.testing.assert_allclose(path.magnetization_1, expected, rtol=0, atol=ROUNDING)
    bath = engine.hot
    rate = bath.gamma_down + bath.gamma_up
    spectator = -1 + 2 * bath.gamma_up / rate * -np.expm1(-rate * times)
    np.testing.assert_allclose(path.magnetization_2, spectator, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_stationary_state_stays(system):
    driven = an_engine(system, 6.0)
    final = evolve(driven, fock(driven, 0, 0), [1e9]).states[-1]
    path = evolve(driven, final, [0.0, 0.1, 10.0])
    assert abs(path.states - final).max() <= ROUNDING
    undriven = an_engine(system, 0.0)
    path = evolve(
        undriven, thermal(undriven, undriven.cold.temperature, undriven.hot.temperature), [3.0]
    )
    jumps = undriven.hot.gamma_down * undriven.N**2 * undriven.E_2
    assert abs(path.heat_current_2[0]) <= 100 * EPS * jumps
    assert abs(path.entropy_production[0]) <= 1e-10


class TestCertificates:
    def path(self) -> Trajectory:
        engine = an_engine("engine", 6.0)
        return evolve(engine, fock(engine, 0, 0), [0.1, 0.4, 2.0])

    def test_small_when_all_is_well(self):
        path = self.path()
        assert path.propagation_error <= ROUNDING
        assert path.first_law_error <= ROUNDING
        assert path.trace_error <= ROUNDING
        assert path.stationary_residual <= 10 * EPS

    def test_a_wrong_propagation_shows(self, monkeypatch):
        right = propagation.expm_multiply

        def wrong(generator, x, **options):
            """Off by 1e-8 at each forward step; exact for the observables."""
            return right(generator, x, **options) * (1 + 1e-8 * (x.ndim == 1))

        monkeypatch.setattr(propagation, "expm_multiply", wrong)
        assert self.path().propagation_error > 1e-11

    def test_a_wrong_integral_shows(self, monkeypatch):
        right = propagation.Propagator.integrate

        def wrong(self, changes):
            return right(self, changes) * (1 + 1e-8)

        monkeypatch.setattr(propagation.Propagator, "integrate", wrong)
        assert self.path().first_law_error > 1e-10

    def test_a_frozen_bath(self):
        """γ↑ underflows and nothing leaves the ground state, 0/0 in the residual included."""
        engine = an_engine("cold", 1.0, T_mean=0.05, delta_T=0.01)
        assert engine.cold.gamma_up == engine.hot.gamma_up == 0
        path = evolve(engine, fock(engine, 1, 0), [1e3])
        assert path.stationary_residual == 0
        np.testing.assert_allclose(path.states[0], fock(engine, 0, 0), rtol=0, atol=ROUNDING)

    def test_they_vanish_if_nothing_moves(self):
        engine = an_engine("engine", 6.0)
        path = evolve(engine, fock(engine, 0, 0), 0.0)
        assert path.propagation_error == path.trace_error == 0


class TestEntropy:
    def test_blocks_hold_every_element(self):
        sector = Sector(3, 2)
        seen = np.concatenate([block.ravel() for block in excitation_blocks(sector)])
        assert set(seen.tolist()) == set(range(sector.size))

    def test_against_the_whole_matrix(self):
        sector, rng = Sector(3, 2), np.random.default_rng(3)
        # A state with all coherences of the sector: the squares of random blocks.
        matrix = embed(sector, rng.normal(size=sector.size))
        state, change = extract(sector, matrix @ matrix), rng.normal(size=sector.size)
        state /= sector.trace @ state
        change -= (sector.trace @ change) * state
        p, vectors = np.linalg.eigh(embed(sector, state))
        entropy, lowest = von_neumann_entropy(sector, state)
        assert entropy == pytest.approx(-(p * np.log(p)).sum(), rel=1e-13)
        assert lowest == pytest.approx(p.min(), rel=1e-9)
        log = (vectors * np.log(p)) @ vectors.T
        expected = -np.trace(embed(sector, change) @ log)
        assert entropy_rate(sector, state, change) == pytest.approx(expected, rel=1e-10)

    def test_rate_of_a_level_that_fills(self):
        sector = Sector(1, 1)
        ground = (sector.trace == 1) & (sector.k_1 + sector.k_2 == 0)
        filling = np.where(ground, -1.0, 0.0)
        filling[(sector.q == 0) & (sector.k_1 + sector.k_2 == 2)] = 1.0
        assert entropy_rate(sector, ground.astype(float), filling) == np.inf
        assert entropy_rate(sector, ground.astype(float), 0 * filling) == 0


def test_invalid_requests():
    engine = an_engine("engine", 1.0)
    ground = fock(engine, 0, 0)
    with pytest.raises(InvalidInput, match=r"initial must hold 14 finite numbers.*shape \(3,\)"):
        evolve(engine, [1.0, 0.0, 0.0], [1.0])
    with pytest.raises(InvalidInput, match=r"initial must be a state, but its trace is 2"):
        evolve(engine, 2 * ground, [1.0])
    negative = 2 * ground - fock(engine, 1, 1)
    with pytest.raises(InvalidInput, match=r"smallest eigenvalue -1\.0e\+00"):
        evolve(engine, negative, [1.0])
    for times in ([1.0, 1.0], [-1.0], [np.inf], []):
        with pytest.raises(InvalidInput, match=r"times must be finite, ≥ 0 and increasing"):
            evolve(engine, ground, times)
    with pytest.raises(InvalidInput, match=r"excitation numbers must lie within"):
        fock(engine, 3, 0)
    with pytest.raises(InvalidInput, match=r"use fock\(engine, 0, 0\) for the ground state"):
        thermal(engine, 0.0, 1.0)
