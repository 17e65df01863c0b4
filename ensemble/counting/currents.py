"""Average currents of the stationary engine: quanta, heat and power."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Bath
from ensemble.steady.state import Stationary


@dataclass(frozen=True)
class Currents:
    """Average currents; each is measured on its own, so that their relations are checks.

    Attributes
    ----------
    quanta : float
        J, quanta from the hot bath through the engine into the cold one, seen at the drive.
    per_affinity : float
        J/a, finite at the Carnot point.
    power : float
        P = ΔE J > 0 for an engine (Eq. 10).
    heat_1, heat_2 : float
        Heat currents Q₁, Q₂ from the baths into the engine, each seen at its own bath (Eq. 12).
    first_law_error : float
        |P − Q₁ − Q₂| over the largest of the three (Eq. 13).
    cancellation : float
        Largest factor by which a heat current is smaller than the terms that add up to it: its
        rounding error, relative to it, is about this times the machine epsilon.
    """

    quanta: float
    per_affinity: float
    power: float
    heat_1: float
    heat_2: float
    first_law_error: float
    cancellation: float


def currents(state: Stationary) -> Currents:
    """Quanta current, power and heat currents of a stationary state (Eqs. 10, 12, 13)."""
    engine, sector = state.engine, state.generator.sector
    drive_row = -engine.drive * sector.hop
    quanta = state.current(drive_row)
    per_affinity = state.contrast_per_affinity * float(drive_row @ state.delta)
    flows = (
        absorption(engine.cold, sector.k_1, sector.n_1) * sector.trace,
        absorption(engine.hot, sector.k_2, sector.n_2) * sector.trace,
    )
    taken = [state.current(flow) for flow in flows]
    gross = [abs(state.contrast) * float(np.abs(flow) @ np.abs(state.delta)) for flow in flows]
    heat_1, heat_2 = engine.E_1 * taken[0], engine.E_2 * taken[1]
    power = engine.delta_E * quanta
    scale = max(abs(power), abs(heat_1), abs(heat_2))
    return Currents(
        quanta=quanta,
        per_affinity=per_affinity,
        power=power,
        heat_1=heat_1,
        heat_2=heat_2,
        first_law_error=abs(power - heat_1 - heat_2) / scale if scale else 0.0,
        cancellation=max(
            large / abs(net) if net else math.inf if large else 1.0
            for large, net in zip(gross, taken, strict=True)
        ),
    )


def absorption(bath: Bath, k: IntArray, top: int) -> FloatArray:
    """Net quanta per time that a spin with k excitations takes: γ↑⟨S⁻S⁺⟩ − γ↓⟨S⁺S⁻⟩."""
    return bath.gamma_up * (k + 1) * (top - k) - bath.gamma_down * k * (top + 1 - k)
