"""Three-level maser: power, heat currents and slowest rates of a Lindblad equation by QuTiP.

Levels 0, 1, 2 have the energies 0, ω_h − ω_c, ω_h.  A hot bath exchanges quanta ω_h between 0 and
2, a cold bath quanta ω_c between 1 and 2, and a resonant field of strength λ drives 0 ↔ 1.  In the
frame that rotates with the field, where H₀ drops out, with V = λ(|0⟩⟨1| + |1⟩⟨0|),

    dρ/dt = −i[V, ρ] + Σ_{x = h, c} Γ_x { (n_x + 1) D[|x⟩⟨2|] + n_x D[|2⟩⟨x|] } ρ,
    D[L]ρ = L ρ L† − {L†L, ρ}/2,     n_x = 1/(exp(ω_x/T_x) − 1),

where |h⟩ = |0⟩ and |c⟩ = |1⟩.  In the steady state

    J_h = ω_h Γ_h [n_h ρ₀₀ − (n_h + 1) ρ₂₂]      heat current from the hot bath
    J_c = ω_c Γ_c [n_c ρ₁₁ − (n_c + 1) ρ₂₂]      heat current from the cold bath
    P   = i Tr(ρ [H₀, V]) = 2 λ (ω_h − ω_c) Im ρ₁₀,   power into the field
    η   = P/J_h = 1 − ω_c/ω_h.

The eigenvalues of the right-hand side are the rates (real parts) and frequencies (imaginary parts)
at which ρ relaxes; the first is 0.  ħ = k_B = 1.

Sources: H. E. D. Scovil and E. O. Schulz-DuBois, Phys. Rev. Lett. 2, 262 (1959); E. Boukobza and
D. J. Tannor, Phys. Rev. Lett. 98, 240601 (2007).
"""

import numpy as np

from catalog import Diagnostic, Index, InvalidInput, Parameter, Variable, model

MODES = 4
"""Number of eigenvalues that are kept."""


def check(omega_h, omega_c, T_h, T_c, field, Gamma_h=1.0, Gamma_c=1.0):
    """Refuse a maser that has no steady state, or more than one."""
    given = {"T_h": T_h, "T_c": T_c, "omega_c": omega_c, "Gamma_h": Gamma_h, "Gamma_c": Gamma_c}
    for name, value in given.items():
        if value <= 0:
            raise InvalidInput(f"{name} is {value:g}, but must be positive: raise it")
    if omega_h <= omega_c:
        raise InvalidInput(
            f"omega_h = {omega_h:g} must exceed omega_c = {omega_c:g}: raise omega_h"
        )


@model(
    name="three-level-maser",
    version="1",
    parameters=[
        Parameter("omega_h", "ω_h", "frequency of the hot bath", unit="T_c"),
        Parameter("omega_c", "ω_c", "frequency of the cold bath", unit="T_c"),
        Parameter("T_h", "T_h", "temperature of the hot bath", unit="T_c"),
        Parameter("T_c", "T_c", "temperature of the cold bath", unit="T_c"),
        Parameter("field", "λ", "strength of the field", unit="T_c"),
        Parameter("Gamma_h", "Γ_h", "coupling to the hot bath", unit="T_c"),
        Parameter("Gamma_c", "Γ_c", "coupling to the cold bath", unit="T_c"),
    ],
    variables=[
        Variable("power", "P", "power into the field", unit="T_c^2"),
        Variable("heat_current_h", "J_h", "heat current from the hot bath", unit="T_c^2"),
        Variable("heat_current_c", "J_c", "heat current from the cold bath", unit="T_c^2"),
        Variable("efficiency", "η", "power over heat from the hot bath, of a maser"),
        Variable(
            "rates",
            "μ",
            "slowest eigenvalues of the Liouvillian",
            unit="T_c",
            dims={"mode": range(MODES)},
            dtype="complex128",
        ),
    ],
    diagnostics=[Diagnostic("first_law", "", "J_h + J_c − P", unit="T_c^2")],
    indices=[Index("mode", "k", "eigenvalue, from the slowest")],
    check=check,
)
def maser(omega_h, omega_c, T_h, T_c, field, Gamma_h=1.0, Gamma_c=1.0):
    """Steady state and slowest rates at one point."""
    import qutip  # slow to import, and not needed to read stored results

    level = [qutip.basis(3, number) for number in range(3)]
    n_h, n_c = 1 / np.expm1(omega_h / T_h), 1 / np.expm1(omega_c / T_c)
    jumps = []
    for state, rate, n in ((level[0], Gamma_h, n_h), (level[1], Gamma_c, n_c)):
        down = state @ level[2].dag()
        jumps += [np.sqrt(rate * (n + 1)) * down, np.sqrt(rate * n) * down.dag()]
    coherence = level[0] @ level[1].dag()
    liouvillian = qutip.liouvillian(field * (coherence + coherence.dag()), jumps)
    rho = qutip.steadystate(liouvillian).full()
    p_0, p_1, p_2 = rho.diagonal().real
    power = 2 * field * (omega_h - omega_c) * rho[1, 0].imag
    heat_h = omega_h * Gamma_h * (n_h * p_0 - (n_h + 1) * p_2)
    heat_c = omega_c * Gamma_c * (n_c * p_1 - (n_c + 1) * p_2)
    eigenvalues = np.linalg.eigvals(liouvillian.full())
    slowest_first = np.lexsort((eigenvalues.imag, -eigenvalues.real.round(9)))
    return {
        "power": power,
        "heat_current_h": heat_h,
        "heat_current_c": heat_c,
        "efficiency": power / heat_h if power > 0 else np.nan,
        "rates": eigenvalues[slowest_first][:MODES],
        "first_law": heat_h + heat_c - power,
    }
