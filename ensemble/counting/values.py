"""Variables that follow from currents and noise by a product, of one engine or of many."""

from __future__ import annotations

from typing import Any


def current_values(engine: Any, flow: Any) -> dict[str, Any]:
    """Variables of the currents, by name.

    Parameters
    ----------
    engine : Engine or Engines
        One engine, or arrays of many (`ensemble.together.engines`).
    flow : Currents
        Of one engine, or arrays of many.
    """
    return {
        "power": flow.power,
        "heat_current_1": flow.heat_1,
        "heat_current_2": flow.heat_2,
        "chemical_power": flow.chemical_power,
        "energy_current_1": flow.energy_1,
        "energy_current_2": flow.energy_2,
        "quanta_current": flow.quanta,
        "entropy_production": engine.affinity * flow.quanta,
        "affinity": engine.affinity,
        "efficiency": engine.efficiency,
        "cop": engine.cop,
        "power_per_pair": flow.power / engine.N,
    }


def noise_values(engine: Any, quanta_noise: Any, constancy: Any) -> dict[str, Any]:
    """Variables of the noise, by name.

    Every quantum carries the same heats and work, so that their noise is that of the quanta times
    a factor.

    Parameters
    ----------
    engine : Engine or Engines
        As of `current_values`.
    quanta_noise, constancy : float or ndarray
        D, and C, which is NaN without a drive.
    """
    cold, hot = engine.quantum_heats
    variance = engine.delta_E**2 * quanta_noise
    return {
        "quanta_noise": quanta_noise,
        "power_variance": variance,
        "power_per_pair_variance": variance / engine.N**2,
        "constancy": constancy,
        "heat_current_1_variance": cold**2 * quanta_noise,
        "heat_current_2_variance": hot**2 * quanta_noise,
        "heat_covariance": -cold * hot * quanta_noise,
    }
