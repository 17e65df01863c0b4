"""The one table of the heat engine's parameters, variables and diagnostics, with their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.heat_engine.energy_term import EnergyTerm
from catalog.names.vocabulary import Vocabulary


def _parameter(name: str, symbol: str, long_name: str, **more: Any) -> EnergyTerm:
    return EnergyTerm(name, symbol, "parameter", long_name, **{"energy_power": 1, **more})


def _variable(name: str, symbol: str, long_name: str, **more: Any) -> EnergyTerm:
    return EnergyTerm(name, symbol, "variable", long_name, **more)


def _diagnostic(name: str, symbol: str, long_name: str, **more: Any) -> EnergyTerm:
    return EnergyTerm(name, symbol, "diagnostic", long_name, **more)


TERMS: tuple[EnergyTerm, ...] = (
    _parameter("N", "N", "number of spin pairs", energy_power=None, dtype="int64"),
    _parameter("delta_E", "ΔE", "level spacing difference E₂ − E₁"),
    _parameter("T_mean", "T̄", "mean temperature (T₁ + T₂)/2"),
    _parameter("omega_0", "ω₀", "drive"),
    _parameter("E_1", "E₁", "level spacing of the cold ensemble"),
    _parameter("delta_T", "ΔT", "temperature difference T₂ − T₁"),
    _parameter("Gamma_0", "Γ₀", "spontaneous rate"),
    _parameter("E_2", "E₂", "level spacing of the hot ensemble, in place of E₁ or ΔE"),
    _parameter("T_1", "T₁", "temperature of the cold bath, in place of T̄ or ΔT"),
    _parameter("T_2", "T₂", "temperature of the hot bath, in place of T̄ or ΔT"),
    _parameter("Gamma_1", "Γ₁", "spontaneous rate of the cold bath, Γ₀ by default"),
    _parameter("Gamma_2", "Γ₂", "spontaneous rate of the hot bath, Γ₀ by default"),
    _parameter("spin_1", "S₁", "collective spin of the cold ensemble", energy_power=None),
    _parameter("spin_2", "S₂", "collective spin of the hot ensemble", energy_power=None),
    _parameter("mu_1", "μ₁", "chemical potential of the cold (fermionic) bath"),
    _parameter("mu_2", "μ₂", "chemical potential of the hot (fermionic) bath"),
    _parameter("detuning", "δ", "frequency of the drive minus ΔE"),
    _parameter("Gamma_local", "Γ_loc", "spontaneous rate of each spin's own contact with its bath"),
    _parameter("Gamma_dephasing", "Γ_φ", "rate at which each spin's coherence decays"),
    _variable("power", "P", "power output", energy_power=2, equation="Eq. 10"),
    _variable(
        "heat_current_1", "Q₁", "heat current from the cold bath", energy_power=2, equation="Eq. 12"
    ),
    _variable(
        "heat_current_2", "Q₂", "heat current from the hot bath", energy_power=2, equation="Eq. 12"
    ),
    _variable(
        "chemical_power",
        "P_chem",
        "power gained by particles that change their chemical potential",
        energy_power=2,
        equation="(μ₁ − μ₂) J",
    ),
    _variable(
        "energy_current_1",
        "I₁",
        "energy current from the cold bath: heat and chemical work",
        energy_power=2,
        equation="−E₁ J",
    ),
    _variable(
        "energy_current_2",
        "I₂",
        "energy current from the hot bath: heat and chemical work",
        energy_power=2,
        equation="E₂ J",
    ),
    _variable(
        "quanta_current", "J", "quanta current, hot to cold", energy_power=1, equation="P = ΔE J"
    ),
    _variable(
        "power_variance", "Var(P)", "variance of the power", energy_power=3, equation="Eq. 11"
    ),
    _variable(
        "quanta_noise",
        "D",
        "zero-frequency noise of the quanta current",
        energy_power=1,
        equation="Var(P) = ΔE² D",
    ),
    _variable("constancy", "C", "constancy, 2J/(aD)", equation="Eq. 20"),
    _variable("efficiency", "η", "efficiency of the engine, (P + P_chem)/Q₂", equation="Eq. 22"),
    _variable(
        "cop",
        "ε",
        "coefficient of performance of the refrigerator, −Q₁/(P + P_chem)",
        equation="Eq. 22",
    ),
    _variable(
        "entropy_production",
        "σ",
        "entropy production rate, aJ",
        energy_power=1,
        equation="Eq. 15",
    ),
    _variable(
        "affinity",
        "a",
        "entropy per quantum sent from hot to cold",
        unit="nat",
        equation="a = (E₁ − μ₁)/T₁ − (E₂ − μ₂)/T₂",
    ),
    _variable("magnetization_1", "⟨m₁ᶻ⟩", "magnetization of the cold ensemble, ⟨S₁ᶻ⟩/S₁"),
    _variable("magnetization_2", "⟨m₂ᶻ⟩", "magnetization of the hot ensemble, ⟨S₂ᶻ⟩/S₂"),
    _variable("magnetization_1_squared", "⟨(m₁ᶻ)²⟩", "second moment of the cold magnetization"),
    _variable("magnetization_2_squared", "⟨(m₂ᶻ)²⟩", "second moment of the hot magnetization"),
    _variable("spin_correlation_zz", "⟨m₁ᶻm₂ᶻ⟩", "correlation of the magnetizations"),
    _variable("spin_correlation_xy", "⟨m₁ˣm₂ʸ⟩", "transverse correlation that carries the current"),
    _variable("power_per_pair", "P/N", "power output per spin pair", energy_power=2),
    _variable(
        "power_per_pair_variance", "Var(P)/N²", "variance of the power, over N²", energy_power=3
    ),
    _variable(
        "mutual_information",
        "I",
        "mutual information of one spin of each ensemble",
        unit="nat",
        equation="I = S(rho_1) + S(rho_2) - S(rho_12)",
    ),
    _variable(
        "heat_current_1_variance",
        "Var(Q₁)",
        "variance of the cold heat current",
        energy_power=3,
        equation="E₁² D",
    ),
    _variable(
        "heat_current_2_variance",
        "Var(Q₂)",
        "variance of the hot heat current",
        energy_power=3,
        equation="E₂² D",
    ),
    _variable(
        "heat_covariance",
        "Cov(Q₁,Q₂)",
        "covariance of the heat currents",
        energy_power=3,
        equation="−E₁E₂ D",
    ),
    _variable(
        "quanta_cumulant_3",
        "c₃",
        "third cumulant of the quanta, per time",
        energy_power=1,
        equation="d³λ/dχ³",
    ),
    _variable(
        "quanta_cumulant_4",
        "c₄",
        "fourth cumulant of the quanta, per time",
        energy_power=1,
        equation="d⁴λ/dχ⁴",
    ),
    _variable(
        "gap",
        "gap(L)",
        "slowest relaxation rate over all sectors; of a closure, its Jacobian gap",
        energy_power=1,
        equation="Eq. 40 (Eq. 43)",
    ),
    _variable("concurrence", "𝒞", "concurrence of one spin of each ensemble"),
    _variable(
        "discord", "𝒟", "quantum discord of one spin of each ensemble, hot one measured", unit="nat"
    ),
    _variable("pair_purity", "Tr ρ₁₂²", "purity of one spin of each ensemble"),
    _variable("l1_coherence", "C_l1", "sum of the moduli of all coherences of the engine's state"),
    _variable(
        "heat_current_1_per_pair",
        "Q₁/N",
        "heat current from the cold bath per spin pair",
        energy_power=2,
    ),
    _variable(
        "heat_current_2_per_pair",
        "Q₂/N",
        "heat current from the hot bath per spin pair",
        energy_power=2,
    ),
    _variable(
        "chemical_power_per_pair",
        "P_chem/N",
        "power gained by particles that change their chemical potential, per spin pair",
        energy_power=2,
        equation="(μ₁ − μ₂) J/N",
    ),
    _variable(
        "quanta_current_per_pair",
        "J/N",
        "quanta current per spin pair, hot to cold",
        energy_power=1,
    ),
    _variable(
        "power_variance_per_pair", "Var(P)/N", "variance of the power, over N", energy_power=3
    ),
    _variable(
        "quanta_noise_per_pair", "D/N", "noise of the quanta current, over N", energy_power=1
    ),
    _variable(
        "entropy_production_per_pair",
        "σ/N",
        "entropy production rate per spin pair",
        energy_power=1,
    ),
    _variable(
        "quanta_current_per_pair_noise",
        "D/N²",
        "noise of the quanta current, over N²",
        energy_power=1,
    ),
    _variable(
        "affinity_times_N",
        "aN",
        "entropy per quantum sent from hot to cold, times N",
        unit="nat",
        equation="E₁/T₁ − E₂/T₂ in the high-temperature scaling",
    ),
    _variable("excitations_1", "⟨a₁†a₁⟩", "excitations of the cold ensemble's bosonic mode"),
    _variable("excitations_2", "⟨a₂†a₂⟩", "excitations of the hot ensemble's bosonic mode"),
    _variable(
        "current_spread",
        "Var(J)",
        "variance of the quanta current between total spins",
        energy_power=2,
    ),
    _variable(
        "weak_coupling_1",
        "R₁/E₁",
        "jump rate of the cold ensemble over its level spacing",
        equation="App. A: R = γ↓⟨S⁺S⁻⟩ + γ↑⟨S⁻S⁺⟩",
    ),
    _variable(
        "weak_coupling_2",
        "R₂/E₂",
        "jump rate of the hot ensemble over its level spacing",
        equation="App. A: R = γ↓⟨S⁺S⁻⟩ + γ↑⟨S⁻S⁺⟩",
    ),
    _variable(
        "linewidth_1",
        "Δω₁",
        "width of the cold ensemble's emission line",
        energy_power=1,
        equation="App. A: twice the initial decay rate of ⟨S⁺(t)S⁻(0)⟩ through the bath",
    ),
    _variable(
        "linewidth_2",
        "Δω₂",
        "width of the hot ensemble's emission line",
        energy_power=1,
        equation="App. A: twice the initial decay rate of ⟨S⁺(t)S⁻(0)⟩ through the bath",
    ),
    _variable("rotating_wave", "Nω₀/ΔE", "collective drive over its frequency", equation="App. A"),
    _variable(
        "linewidth_over_drive",
        "NΓ₀/ω₀",
        "collective spontaneous rate over the drive",
        equation="App. A",
    ),
    _variable(
        "total_spin_1",
        "⟨J₁²⟩",
        "squared total spin of the cold ensemble over its largest value",
        equation="⟨J₁²⟩/((N/2)(N/2+1))",
    ),
    _variable(
        "total_spin_2",
        "⟨J₂²⟩",
        "squared total spin of the hot ensemble over its largest value",
        equation="⟨J₂²⟩/((N/2)(N/2+1))",
    ),
    _variable(
        "quanta_noise_times_Gamma_local",
        "Γ_loc D",
        "noise of the quanta current times the local rate, for a vanishing local rate",
        energy_power=2,
    ),
    _variable(
        "power_variance_times_Gamma_local",
        "Γ_loc Var(P)",
        "variance of the power times the local rate, for a vanishing local rate",
        energy_power=4,
    ),
    _variable(
        "constancy_over_Gamma_local",
        "C/Γ_loc",
        "constancy over the local rate, for a vanishing local rate",
        energy_power=-1,
    ),
    _variable(
        "switching_time_times_Gamma_local",
        "Γ_loc τ",
        "how long the symmetric state's current lasts, times the local rate",
        equation="τ = ∫ (J(t) − J(∞)) dt / (J(0) − J(∞))",
    ),
    _variable(
        "dynamical_activity",
        "𝒜",
        "jumps per time, at both baths and in both directions",
        energy_power=1,
        equation="𝒜 = Σ γ ⟨S†S⟩",
    ),
    _variable(
        "coherent_activity",
        "Ψ",
        "what the drive adds to the information about the scale of time",
        energy_power=1,
        equation="Ψ = Σ F − 𝒜",
    ),
    *(
        term
        for name, long_name, equation in (
            ("tur", "thermodynamic uncertainty relation", "2J/a"),
            ("kur", "kinetic uncertainty relation", "J²/𝒜"),
            ("quantum_kur", "quantum kinetic uncertainty relation", "J²/(𝒜 + Ψ)"),
            ("coherence_kur", "kinetic relation with coherence", "(J − ω₀ ∂J/∂ω₀)²/𝒜"),
            ("quantum_tur", "quantum thermodynamic relation", "2(Σ ℓ_k ∂J/∂ln γ_k)²/σ"),
            ("response", "best bound by responses to the five rates", "g F⁻¹ g"),
        )
        for term in (
            _variable(
                f"{name}_bound",
                f"D({name})",
                f"least noise by the {long_name}",
                energy_power=1,
                equation=equation,
            ),
            # That of the TUR is the constancy.
            _variable(f"{name}_ratio", f"D({name})/D", f"{long_name}: bound over noise"),
        )
        if term.name != "tur_ratio"
    ),
    _diagnostic("neglected", "w", "weight of the total spins left out of an average"),
    _diagnostic("residual", "r", "largest relative residual of the solves"),
    _diagnostic(
        "self_check",
        "c",
        "largest relative disagreement of routes that must agree",
    ),
    _diagnostic(
        "affinity_rounding",
        "δa",
        "possible change of the affinity where parameters are rounded to doubles",
        unit="nat",
    ),
    _diagnostic("coherence_order", "Q", "highest coherence order kept", dtype="int16"),
    _diagnostic("excitation_cut", "K", "highest excitation number kept", dtype="int32"),
    _diagnostic("truncation", "τ", "relative change of the results in the last enlargement"),
    _diagnostic("mode_count", "n", "modes that the density is expanded in", dtype="int32"),
    _diagnostic("harmonic_order", "l", "highest degree of the spherical harmonics", dtype="int32"),
    _diagnostic("solver", "", "linear solver used", dtype="str"),
)

VOCABULARY: Mapping[str, EnergyTerm] = {term.name: term for term in TERMS}


def vocabulary(energy_unit: str = "energy") -> Vocabulary:
    """All terms of the heat engine, with units in a given unit of energy."""
    return Vocabulary(term.term(energy_unit) for term in TERMS)


NAMES = vocabulary()
"""Names and symbols of the heat engine, whatever the unit of energy."""
