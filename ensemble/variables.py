"""Names of an engine's variables, by what they are computed from."""

from __future__ import annotations

CURRENTS = (
    "power",
    "heat_current_1",
    "heat_current_2",
    "chemical_power",
    "energy_current_1",
    "energy_current_2",
    "quanta_current",
)
"""Average currents, of quanta and of the heat, work and energy that they carry."""
CURRENTS_AND_NOISE = (
    *CURRENTS,
    "power_variance",
    "quanta_noise",
    "constancy",
    "efficiency",
    "cop",
    "entropy_production",
    "affinity",
    "magnetization_1",
    "magnetization_2",
    "power_per_pair",
    "power_per_pair_variance",
)
FROM_NOISE = frozenset(
    {
        "power_variance",
        "power_per_pair_variance",
        "quanta_noise",
        "constancy",
        "heat_current_1_variance",
        "heat_current_2_variance",
        "heat_covariance",
    }
)
"""Variables that are a factor times the noise of the quanta current."""
FROM_PAIR = frozenset(
    {
        "mutual_information",
        "concurrence",
        "discord",
        "pair_purity",
        "spin_correlation_zz",
        "spin_correlation_xy",
    }
)
FROM_CUMULANTS = frozenset({"quanta_cumulant_3", "quanta_cumulant_4"})
FROM_VALIDITY = (
    "weak_coupling_1",
    "weak_coupling_2",
    "linewidth_1",
    "linewidth_2",
    "rotating_wave",
    "linewidth_over_drive",
)
CLASSICAL_BOUNDS = ("dynamical_activity", "tur_bound", "kur_bound", "kur_ratio")
QUANTUM_BOUNDS = (
    "coherent_activity",
    "quantum_kur_bound",
    "quantum_kur_ratio",
    "coherence_kur_bound",
    "coherence_kur_ratio",
    "quantum_tur_bound",
    "quantum_tur_ratio",
    "response_bound",
    "response_ratio",
)
NEED_NOISE = FROM_NOISE | {"kur_ratio", *QUANTUM_BOUNDS}
"""All variables for which the noise is computed."""
