"""Steady superradiance of N two-level systems that are pumped one by one, by PIQS.

They decay collectively at the rate Γ, which is the unit of rates.  With J_α = Σ_n σ_α,n/2 and
J_± = J_x ± i J_y,

    dρ/dt = −i Ω [J_x, ρ] + D[J_−] ρ + w Σ_n D[σ_+,n] ρ,    D[L]ρ = L ρ L† − {L†L, ρ}/2.

ρ is the same under permutations of the systems, so that it consists of blocks of total spin
J = N/2, N/2 − 1, …, which `qutip.piqs` writes in the Dicke basis |J, M⟩.  The steady state gives

    emission   I   = ⟨J_+ J_−⟩                       photons per time; superradiant if I ∝ N²
    inversion  s   = 2 ⟨J_z⟩/N
    bunching   g₂  = ⟨J_+² J_−²⟩/⟨J_+ J_−⟩²          1 for a laser, 2 for chaotic light.

Without the field Ω, populations of |J, M⟩ obey rate equations of their own, about N²/4 of them;
with it, about N³/6 matrix elements are coupled.  PIQS keeps the coefficients of the rate equations
in double precision, those of the Liouvillian in single precision: it gives seven digits.  ħ = 1.

Sources: D. Meiser and M. J. Holland, Phys. Rev. A 81, 033847 (2010); N. Shammah, S. Ahmed,
N. Lambert, S. De Liberato and F. Nori, Phys. Rev. A 98, 063815 (2018) for PIQS.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from catalog import Cost, Diagnostic, InvalidInput, Model, Parameter, Variable

EQUATIONS = ("rates", "liouvillian")


@dataclass(frozen=True)
class Superradiance(Model):
    """The steady state, by rate equations or by the Liouvillian.

    Parameters
    ----------
    equations : {"rates", "liouvillian"}
        "rates" are equations of the populations alone and need Ω = 0; "liouvillian" is the equation
        of all matrix elements.
    """

    equations: str = "rates"

    name = "superradiance"
    version = "1"
    parameters = (
        Parameter("N", "N", "number of two-level systems", dtype="int64"),
        Parameter("pump", "w", "rate at which each system is pumped", unit="Gamma"),
        Parameter("field", "Ω", "Rabi frequency of a resonant field", unit="Gamma"),
    )
    optional = ("field",)
    variables = (
        Variable("emission", "I", "collective emission", unit="Gamma"),
        Variable("inversion", "s", "mean inversion of a system"),
        Variable("bunching", "g₂", "second-order coherence at equal times"),
    )
    diagnostics = (Diagnostic("residual", "", "largest |dρ/dt| of the steady state", unit="Gamma"),)
    split_by = ("N",)

    def __post_init__(self):
        if self.equations not in EQUATIONS:
            raise InvalidInput(
                f"there are no equations {self.equations!r}: choose from {', '.join(EQUATIONS)}"
            )

    def check(self, point):
        """Refuse what has no unique steady state, and Ω ≠ 0 with the rate equations."""
        if point["N"] < 1:
            raise InvalidInput(f"N is {point['N']}, but must be at least 1: raise it")
        if point["pump"] <= 0:
            raise InvalidInput(
                "without pump, the systems keep their total spin and the steady state is not "
                "unique: raise pump"
            )
        if self.equations == "rates" and point.get("field", 0.0) != 0.0:
            raise InvalidInput(
                "a field couples matrix elements that rate equations leave out: give the options "
                'equations = "liouvillian"'
            )

    def cost(self, points, variables):
        """Time and memory on one core, measured for N up to 140 (rates) and 64 (Liouvillian)."""
        N = np.asarray(points["N"], dtype=float)
        if self.equations == "rates":
            return Cost(seconds=5e-3 + 1e-4 * N**2, bytes=1e7 + N**4, size=N)
        return Cost(seconds=1e-2 + 5e-10 * N**6, bytes=1e7 + 105 * N**4, size=N)

    def solve_point(self, point, variables):
        """Steady state at one point."""
        from qutip import piqs  # slow to import, and not needed to read stored results

        N = int(point["N"])
        raising, j_z = (sp.csr_array(piqs.jspin(N, c).data_as("csr_matrix")).real for c in "+z")
        lowering = raising.T
        rho, residual = self.steady_state(N, point["pump"], point.get("field", 0.0))

        def mean(operator):
            return float((operator * rho).sum().real)  # operators are real and symmetric

        emission = mean(raising @ lowering)
        return {
            "emission": emission,
            "inversion": 2 * mean(j_z) / N,
            "bunching": mean(raising @ raising @ lowering @ lowering) / emission**2,
            "residual": residual,
        }

    def steady_state(self, N, pump, field):
        """Density matrix in the Dicke basis, and the largest |dρ/dt|."""
        from qutip import piqs

        rates = {"collective_emission": 1.0, "pumping": pump}
        spins = N / 2 - np.arange(N // 2 + 1)
        block = np.repeat(spins, (2 * spins + 1).astype(int))  # total spin of each basis state
        if self.equations == "rates":
            kept = np.flatnonzero(np.eye(len(block)))
            matrix = sp.csr_array(piqs.Pim(N, **rates).coefficient_matrix())
        else:
            # PIQS also counts matrix elements between blocks, which are always zero.
            kept = np.flatnonzero(block[:, np.newaxis] == block)
            hamiltonian = field * piqs.jspin(N, "x")
            whole = piqs.Dicke(N, hamiltonian=hamiltonian, **rates).liouvillian()
            matrix = sp.csr_array(whole.data_as("csr_matrix"))[kept][:, kept]
        # One equation of dρ/dt = 0 follows from the others; Tr ρ = 1 replaces the first one.
        trace = sp.csr_array(np.eye(len(block)).ravel()[np.newaxis, kept])
        right = np.zeros(len(kept), dtype=matrix.dtype)
        right[0] = 1.0
        found = spsolve(sp.vstack([trace, matrix[1:]], format="csc"), right)
        rho = np.zeros(len(block) ** 2, dtype=found.dtype)
        rho[kept] = found
        # PIQS stores ρ as a vector, column after column.
        return rho.reshape(len(block), -1).T, float(abs(matrix @ found).max())
