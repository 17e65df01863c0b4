"""Zero-frequency noise of the exchanged quanta, counted at the drive and at either bath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Bath
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1, UP_2
from ensemble.steady.stationary import Stationary


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
    residual : float
        Largest relative residual of the three response solves.
    """

    at_drive: float
    at_cold_bath: float
    at_hot_bath: float
    disagreement: float
    cancellation: float
    residual: float


def noise(state: Stationary) -> Noise:
    r"""Noise of the quanta current, by Eq. 11 and by counting at both baths.

    .. math:: D = -2\,\mathrm{Tr}[\hat J L^+ (\tfrac12\{\hat J, \rho\} - J\rho)]
                = \mathrm{Tr}[\mathcal A\rho]
                  - 2\,\mathrm{Tr}[\mathcal J L^+ (\mathcal J - J)\rho]

    with Ĵ = −ω₀ X, X = ½(S₁⁺S₂⁻ + S₁⁻S₂⁺) in the real gauge, L⁺ the Drazin inverse, and at the
    hot bath 𝒥ρ = γ↑S⁺ρS⁻ − γ↓S⁻ρS⁺, 𝒜 the same with a plus (at the cold bath −𝒥).
    """
    engine, sector = state.engine, state.generator.sector
    mean = state.current(-engine.drive * sector.hop)

    source = -engine.drive * (state.generator.hop_anticommutator() @ state.rho)
    response, residual = state.respond(source - mean * state.rho)
    at_drive = 2 * engine.drive * float(sector.hop @ response)

    at_hot, activity_hot, residual_hot = _counted(state, engine.hot, (UP_2, DOWN_2), mean)
    at_cold, activity_cold, residual_cold = _counted(state, engine.cold, (UP_1, DOWN_1), -mean)

    scale = max(abs(at_drive), abs(at_hot), abs(at_cold))
    spread = max(at_drive, at_hot, at_cold) - min(at_drive, at_hot, at_cold)
    return Noise(
        at_drive=at_drive,
        at_cold_bath=at_cold,
        at_hot_bath=at_hot,
        disagreement=spread / scale if scale else 0.0,
        cancellation=max(activity_hot, activity_cold) / scale if scale else 0.0,
        residual=max(residual, residual_hot, residual_cold),
    )


def _counted(
    state: Stationary, bath: Bath, parts: tuple[int, int], mean: float
) -> tuple[float, float, float]:
    """Noise and activity of the quanta that a bath gives (mean current ``mean``); residual."""
    up, down = (state.generator.jump(part) for part in parts)

    def absorbed(rho: FloatArray, sign: int) -> FloatArray:
        return bath.gamma_up * (up @ rho) + sign * bath.gamma_down * (down @ rho)

    trace = state.generator.sector.trace
    flow = absorbed(state.rho, -1)
    # Where a bath almost only takes quanta, flow − J ρ cancels to e^{−E/T} of its terms.
    magnitude = float(np.abs(flow).sum()) + abs(mean) * float(np.abs(state.rho).sum())
    response, residual = state.respond(flow - mean * state.rho, magnitude=magnitude)
    activity = float(trace @ absorbed(state.rho, +1))
    return activity - 2 * float(trace @ absorbed(response, -1)), activity, residual
