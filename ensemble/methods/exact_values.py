"""Values of the variables of method exact, by name, from a solved stationary state."""

from __future__ import annotations

import math

from ensemble.arrays import FloatArray, IntArray
from ensemble.bounds.precision import PrecisionBounds
from ensemble.correlations.pair import PairState, l1_coherence
from ensemble.counting.currents import Currents
from ensemble.counting.noise import Noise
from ensemble.counting.tilting import BathName, at_bath
from ensemble.counting.values import current_values
from ensemble.steady.state import Stationary

BATHS: tuple[BathName, ...] = ("cold", "hot")


def averages(
    state: Stationary, flow: Currents, total_spins: tuple[float, float]
) -> dict[str, float]:
    """Variables that are averages in the stationary state, by name."""
    engine, sector = state.engine, state.generator.sector
    n_1, n_2 = engine.levels
    return {
        **current_values(engine, flow),
        "magnetization_1": 2 * float((sector.k_1 * sector.trace) @ state.rho) / n_1 - 1,
        "magnetization_2": 2 * float((sector.k_2 * sector.trace) @ state.rho) / n_2 - 1,
        "magnetization_1_squared": _second_moment(sector.k_1, n_1, sector.trace * state.rho),
        "magnetization_2_squared": _second_moment(sector.k_2, n_2, sector.trace * state.rho),
        "l1_coherence": l1_coherence(state),
        "total_spin_1": total_spins[0],
        "total_spin_2": total_spins[1],
    }


def _second_moment(k: IntArray, top: int, weights: FloatArray) -> float:
    """⟨(2k/n − 1)²⟩."""
    return float((2 * k / top - 1) ** 2 @ weights)


def classical_bound_values(
    state: Stationary, flow: Currents, fluctuations: Noise | None
) -> dict[str, float]:
    """Activity and the bounds of classical jump processes, as in `PrecisionBounds`."""
    trace = state.generator.sector.trace
    activity = sum(float(trace @ at_bath(state, bath)(state.rho)(2)) for bath in BATHS)
    kur = flow.quanta**2 / activity if activity > 0 else 0.0
    values = {
        "dynamical_activity": activity,
        "tur_bound": 2 * flow.per_affinity,
        "kur_bound": kur,
    }
    if fluctuations is not None:
        values["kur_ratio"] = _ratio(kur, fluctuations.at_drive)
    return values


def quantum_bound_values(bounds: PrecisionBounds, fluctuations: Noise) -> dict[str, float]:
    """Bounds on the noise for open quantum systems, and their ratios to the noise."""
    values = {"coherent_activity": bounds.coherent_activity}
    for name in ("quantum_kur", "coherence_kur", "quantum_tur", "response"):
        bound = getattr(bounds, name)
        values[f"{name}_bound"] = bound
        values[f"{name}_ratio"] = _ratio(bound, fluctuations.at_drive)
    return values


def _ratio(bound: float, noise: float) -> float:
    """Bound over noise, undefined without noise."""
    return bound / noise if noise > 0 else math.nan


def pair_values(pair: PairState) -> dict[str, float]:
    """Variables of the reduced state of two spins."""
    return {
        "spin_correlation_zz": pair.zz,
        "spin_correlation_xy": pair.xy,
        "mutual_information": pair.mutual_information,
        "concurrence": pair.concurrence,
        "discord": pair.discord,
        "pair_purity": pair.purity,
    }
