"""Zero-frequency noise of the exchanged quanta, counted at the drive and at either bath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.counting.tilting import BathName, Moves, at_bath
from ensemble.steady.state import Stationary


@dataclass(frozen=True)
class Noise:
    """Noise D of the quanta current by three routes that must agree.

    Attributes
    ----------
    at_drive : float
        From the regression of Eq. 11: D = Var(P)/ΔE².
    at_cold_bath, at_hot_bath : float
        From full counting statistics of the jumps at one bath.
    disagreement : float
        Largest relative difference between the three.
    cancellation : float
        Tr[𝒜ρ]/D, the factor by which counting subtracts nearly equal numbers: its rounding error
        relative to D is about this times the machine epsilon (large for a weak drive).
    reach : float
        2ω₀ max|X| Σ|R|/D with R the response at the drive, of which only the elements that X
        connects enter D.  The rounding error of ``at_drive`` relative to D is about this times the
        machine epsilon (large for a drive far above the baths' rates).
    residual : float
        Largest relative residual of the three response solves.
    """

    at_drive: float
    at_cold_bath: float
    at_hot_bath: float
    disagreement: float
    cancellation: float
    reach: float
    residual: float


def response_at_drive(state: Stationary) -> tuple[float, FloatArray, float]:
    """J, the response L⁺ (L⁽¹⁾ − J) ρ of counting at the drive, and the residual of its solve."""
    mean = state.current(-state.engine.drive * state.generator.sector.hop)
    response, residual = state.respond(Moves(state).odd(state.rho) - mean * state.rho)
    return mean, response, residual


def noise(state: Stationary) -> Noise:
    r"""Noise of the quanta current, by Eq. 11 and by counting at both baths.

    .. math:: D = -2\,\mathrm{Tr}[\hat J L^+ (\tfrac12\{\hat J, \rho\} - J\rho)]
                = \mathrm{Tr}[\mathcal A\rho]
                  - 2\,\mathrm{Tr}[\mathcal J L^+ (\mathcal J - J)\rho]

    with Ĵ = −ω₀ X, X = ½(S₁⁺S₂⁻ + S₁⁻S₂⁺) in the real gauge, L⁺ the Drazin inverse, and
    𝒥 = L⁽¹⁾, 𝒜 = L⁽²⁾ the derivatives of the generator tilted at a bath
    (``ensemble.counting.tilting``): 𝒥ρ = γ↑S⁺ρS⁻ − γ↓S⁻ρS⁺ at the hot one, 𝒜 the same with a plus.

    Parameters
    ----------
    state : Stationary
    """
    engine, sector = state.engine, state.generator.sector
    mean, response, residual = response_at_drive(state)
    at_drive = 2 * engine.drive * float(sector.hop @ response)

    at_hot, activity_hot, residual_hot = _counted(state, "hot", mean)
    at_cold, activity_cold, residual_cold = _counted(state, "cold", mean)

    seen = 2 * engine.drive * float(np.abs(sector.hop).max() * np.abs(response).sum())
    scale = max(abs(at_drive), abs(at_hot), abs(at_cold))
    spread = max(at_drive, at_hot, at_cold) - min(at_drive, at_hot, at_cold)
    return Noise(
        at_drive=at_drive,
        at_cold_bath=at_cold,
        at_hot_bath=at_hot,
        disagreement=spread / scale if scale else 0.0,
        cancellation=max(activity_hot, activity_cold) / scale if scale else 0.0,
        reach=seen / scale if scale else 0.0,
        residual=max(residual, residual_hot, residual_cold),
    )


def _counted(state: Stationary, bath: BathName, mean: float) -> tuple[float, float, float]:
    """Noise and activity of the quanta counted at a bath, and the residual of the response."""
    act, trace = at_bath(state, bath), state.generator.sector.trace
    tilted = act(state.rho)
    # Where a bath almost only takes quanta, 𝒥ρ − J ρ cancels to exp(−E/T) of its terms.
    magnitude = float(np.abs(tilted(1)).sum()) + abs(mean) * float(np.abs(state.rho).sum())
    response, residual = state.respond(tilted(1) - mean * state.rho, magnitude=magnitude)
    activity = float(trace @ tilted(2))
    return activity - 2 * float(trace @ act(response)(1)), activity, residual
