"""Average currents of the stationary engine: quanta, heat, energy and power."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.laws import first_law_error, quanta_error, second_law_error
from ensemble.parameters.bath import Bath
from ensemble.steady.state import Stationary


@dataclass(frozen=True)
class Currents:
    """Average currents, each computed independently, so that their relations are checks.

    Attributes
    ----------
    quanta : float
        J, quanta from the hot bath through the engine into the cold one, seen at the drive.
    per_affinity : float
        J/a, finite at the Carnot point.
    power : float
        P = ΔE J > 0 for an engine (Eq. 10).
    chemical_power : float
        P_chem = (μ₁ − μ₂) J, the work done by particles that end at another chemical potential.
    heat_1, heat_2 : float
        Heat currents Q₁, Q₂ from the baths into the engine, E − μ a quantum, each seen at its own
        bath (Eq. 12).
    energy_1, energy_2 : float
        Energy currents from the baths into the engine, E a quantum: heat and chemical work.
    first_law_error : float
        The larger of the violations of the first law by the whole engine and by an ensemble:
        `first_law_error` and `quanta_error` of `ensemble.laws`.
    second_law_error : float
        As of `ensemble.laws`.
    cancellation : float
        Largest factor by which a heat current is smaller than the terms that add up to it: its
        rounding error, relative to it, is about this times the machine epsilon.
    """

    quanta: float
    per_affinity: float
    power: float
    chemical_power: float
    heat_1: float
    heat_2: float
    energy_1: float
    energy_2: float
    first_law_error: float
    second_law_error: float
    cancellation: float


def currents(state: Stationary, *, flows: tuple[FloatArray, FloatArray] | None = None) -> Currents:
    """Quanta current, power and heat currents of a stationary state (Eqs. 10, 12, 13).

    Parameters
    ----------
    state : Stationary
    flows : tuple of ndarray, optional
        Rows of the net quanta that the ensembles take from the cold and the hot bath; by default
        those of collective baths.
    """
    engine, sector = state.engine, state.generator.sector
    drive_row = -engine.drive * sector.hop
    quanta = state.current(drive_row)
    per_affinity = state.contrast_per_affinity * float(drive_row @ state.delta)
    if flows is None:
        flows = (
            absorption(engine.cold, sector.k_1, sector.n_1) * sector.trace,
            absorption(engine.hot, sector.k_2, sector.n_2) * sector.trace,
        )
    taken = [state.current(flow) for flow in flows]
    gross = [abs(state.contrast) * float(np.abs(flow) @ np.abs(state.delta)) for flow in flows]
    heat_1, heat_2 = (heat * n for heat, n in zip(engine.quantum_heats, taken, strict=True))
    power, chemical_power = engine.delta_E * quanta, (engine.mu_1 - engine.mu_2) * quanta
    return Currents(
        quanta=quanta,
        per_affinity=per_affinity,
        power=power,
        chemical_power=chemical_power,
        heat_1=heat_1,
        heat_2=heat_2,
        energy_1=engine.E_1 * taken[0],
        energy_2=engine.E_2 * taken[1],
        first_law_error=max(
            first_law_error(power, chemical_power, heat_1, heat_2), quanta_error(quanta, *taken)
        ),
        second_law_error=second_law_error(engine, heat_1, heat_2, engine.affinity * quanta),
        cancellation=max(
            large / abs(net) if net else math.inf if large else 1.0
            for large, net in zip(gross, taken, strict=True)
        ),
    )


def absorption(bath: Bath, k: IntArray, top: int) -> FloatArray:
    """Net quanta per time that a spin with k excitations takes: γ↑⟨S⁻S⁺⟩ − γ↓⟨S⁺S⁻⟩."""
    return bath.gamma_up * (k + 1) * (top - k) - bath.gamma_down * k * (top + 1 - k)
