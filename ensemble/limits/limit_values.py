"""The variables of a limit of the high-temperature scaling, from its averages."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ensemble.correlations.pair import PairState
from ensemble.laws import second_law_error
from ensemble.limits.classical_pair import ClassicalPair

FROM_PAIR = frozenset({"mutual_information", "concurrence", "discord", "pair_purity"})
LIMIT_VARIABLES = (
    "power_per_pair",
    "heat_current_1_per_pair",
    "heat_current_2_per_pair",
    "quanta_current_per_pair",
    "power_per_pair_variance",
    "quanta_current_per_pair_noise",
    "constancy",
    "efficiency",
    "cop",
    "entropy_production",
    "affinity_times_N",
    "magnetization_1",
    "magnetization_2",
    "magnetization_1_squared",
    "magnetization_2_squared",
    "spin_correlation_zz",
    "spin_correlation_xy",
    "mutual_information",
    "concurrence",
    "discord",
    "pair_purity",
    "gap",
)
"""What the limits of the high-temperature scaling define."""


def limit_values(
    pair: ClassicalPair,
    *,
    current_per_affinity: float,
    noise: float,
    magnetizations: tuple[float, float],
    second_moments: tuple[float, float],
    covariance: float,
) -> dict[str, float]:
    """The variables of a limit of the high-temperature scaling, from its averages.

    Parameters
    ----------
    pair : ClassicalPair
    current_per_affinity : float
        (J/N)/(aN).
    noise : float
        D/N²; NaN if it is not known.
    magnetizations, second_moments : tuple of float
        ⟨mᵢᶻ⟩ and ⟨(mᵢᶻ)²⟩.
    covariance : float
        ⟨m₁ᶻm₂ᶻ⟩ − ⟨m₁ᶻ⟩⟨m₂ᶻ⟩.
    """
    engine = pair.engine
    current = pair.affinity * current_per_affinity
    driven = pair.drive > 0
    return {
        "power_per_pair": engine.delta_E * current,
        # The baths are bosonic: all of a quantum's energy is heat.
        "heat_current_1_per_pair": -engine.E_1 * current,
        "heat_current_2_per_pair": engine.E_2 * current,
        "quanta_current_per_pair": current,
        "power_per_pair_variance": engine.delta_E**2 * noise,
        "quanta_current_per_pair_noise": noise,
        "constancy": 2 * current_per_affinity / noise if driven and noise > 0 else math.nan,
        "efficiency": engine.efficiency,
        "cop": engine.cop,
        "entropy_production": pair.affinity * current,
        "affinity_times_N": pair.affinity,
        "magnetization_1": magnetizations[0],
        "magnetization_2": magnetizations[1],
        "magnetization_1_squared": second_moments[0],
        "magnetization_2_squared": second_moments[1],
        "spin_correlation_zz": magnetizations[0] * magnetizations[1] + covariance,
        "spin_correlation_xy": current_correlation(pair, current),
    }


def current_correlation(pair: ClassicalPair, current: float) -> float:
    """⟨m₁ˣm₂ʸ⟩ from J/N = −(ω₀ν₁ν₂/4) ⟨m₁ˣm₂ʸ − m₁ʸm₂ˣ⟩, whose terms are equal."""
    return -current / (2 * pair.flux) if pair.drive > 0 else 0.0


def second_law_of(values: Mapping[str, float], pair: ClassicalPair) -> float:
    """Relative violation of −ΣQᵢ/Tᵢ = aJ by the variables of a limit."""
    return second_law_error(
        pair.engine,
        values["heat_current_1_per_pair"],
        values["heat_current_2_per_pair"],
        values["entropy_production"],
        per_pair=True,
    )


def pair_values(values: dict[str, float], covariance: float) -> dict[str, float]:
    """Variables of the state of one spin of each ensemble.

    Raises
    ------
    InvalidInput
        If the moments are not those of a state.
    """
    state = PairState(
        p_1=(1 + values["magnetization_1"]) / 2,
        p_2=(1 + values["magnetization_2"]) / 2,
        covariance=covariance / 4,
        xy=values["spin_correlation_xy"],
    )
    return {
        "mutual_information": state.mutual_information,
        "concurrence": state.concurrence,
        "discord": state.discord,
        "pair_purity": state.purity,
    }
