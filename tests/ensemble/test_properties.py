"""Laws that every stationary engine obeys, on random engines of both modes, scalings and spins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from ensemble import Exact, Status
from ensemble.counting.currents import currents
from ensemble.counting.noise import noise
from ensemble.steady.stationary import stationary
from tests.ensemble.dense import embed
from tests.strategies import engines

EPS = np.finfo(float).eps
AGREEMENT = 1e-10

laws = settings(deadline=None, max_examples=200)


@given(engines())
@laws
def test_state_is_a_certified_density_matrix(engine):
    """Trace 1, no negative eigenvalue (hence no negative population), and L ρ = 0 to rounding."""
    state = stationary(engine)
    rho = embed(state.generator.sector, state.rho)
    assert abs(np.trace(rho) - 1) <= 8 * EPS
    assert rho.diagonal().min() >= -1e-14
    assert np.linalg.eigvalsh(rho).min() >= -1e-14
    assert state.residual <= 1e-13


@given(engines())
@laws
def test_first_and_second_law(engine):
    """P = Q₁ + Q₂ with each measured on its own; σ = aJ ≥ 0, so P has the sign of a."""
    values = Exact().solve(engine, ["power", "heat_current_1", "heat_current_2"]).values
    power, *heats = values.values()
    assert abs(power - sum(heats)) <= AGREEMENT * max(abs(power), *map(abs, heats))
    assert np.sign(power) == np.sign(engine.affinity * engine.delta_E)

    flow = currents(stationary(engine))
    assert flow.per_affinity > 0
    assert engine.affinity * flow.quanta >= 0


@given(engines())
@laws
def test_noise_is_the_same_at_the_drive_and_at_both_baths(engine):
    """Eq. 11 and counting.

    Counting subtracts from the activity Tr[𝒜ρ] all but a fraction 1/cancellation, which a weak
    drive between hot baths makes small (1e-8): its rounding, tens of eps, is relative to 𝒜.
    """
    routes = noise(stationary(engine))
    allowed = AGREEMENT + 50 * EPS * routes.cancellation
    assert routes.at_drive > 0
    assert routes.at_hot_bath == pytest.approx(routes.at_drive, rel=allowed, abs=0)
    assert routes.at_cold_bath == pytest.approx(routes.at_drive, rel=allowed, abs=0)
    assert routes.disagreement <= allowed


@given(engines())
@laws
def test_every_point_is_ok(engine):
    solution = Exact().solve(engine)
    assert (solution.status, solution.message) == (Status.OK, "")
    assert set(solution.values) == set(Exact.variables) - set(Exact.on_request)


@given(engines())
@laws
def test_high_temperature_scaling_is_a_rescaled_bare_engine(engine):
    """Eq. 28 by hand: T → N T, ω₀ → ω₀/N, Γ₀ → Γ₀/N.

    Rounding differs: that of T̄ and ΔT is magnified in T₁ = T̄ − ΔT/2, and again in exp(−E₁/T₁).
    """
    N = engine.N
    scaled = replace(engine, scaling="high-temperature")
    bare = replace(
        engine,
        scaling="bare",
        T_mean=N * engine.T_mean,
        delta_T=N * engine.delta_T,
        omega_0=engine.omega_0 / N,
        Gamma_0=engine.Gamma_0 / N,
        **{
            name: getattr(engine, name) / N
            for name in ("Gamma_1", "Gamma_2")
            if getattr(engine, name) is not None
        },
    )
    magnified = engine.T_mean / (engine.T_mean - engine.delta_T / 2)
    rounding = 8 * EPS * magnified * (bare.cold.log_ratio + bare.hot.log_ratio)
    assert abs(scaled.affinity - bare.affinity) <= rounding

    close = {"rel": AGREEMENT + rounding, "abs": 0}
    one, other = stationary(scaled), stationary(bare)
    assert currents(one).per_affinity == pytest.approx(currents(other).per_affinity, **close)
    assert noise(one).at_drive == pytest.approx(noise(other).at_drive, **close)


@given(engines(equal_spins=True))
@settings(deadline=None, max_examples=50)
def test_uncoupled_spins_are_thermal(engine):
    """At ω₀ = 0 nothing flows and each spin's populations are exp(−kE/T)."""
    solution = Exact().solve(replace(engine, omega_0=0))
    assert solution.status is Status.OK
    assert solution.values["quanta_current"] == 0
    k = np.arange(engine.N + 1)
    for name, bath in (("magnetization_1", engine.cold), ("magnetization_2", engine.hot)):
        populations = np.exp(-k * bath.log_ratio)
        thermal = 2 * (k @ populations) / populations.sum() / engine.N - 1
        # The magnetisation is a sum of terms of order one.
        assert abs(solution.values[name] - thermal) <= 32 * EPS
