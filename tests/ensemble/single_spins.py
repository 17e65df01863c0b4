"""Single spins ½ one by one, in the space of all 2ⁿ states: a reference for local noise.

Nothing is used of the permutation symmetry: every spin has its own operators.  Unknowns are the
elements of ρ between states with equally many excited spins, in the model's own basis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ensemble import Engine
from ensemble.arrays import ComplexArray


@dataclass(frozen=True, eq=False)
class SingleSpins:
    """Stationary state, currents, noise and correlations of n₁ + n₂ spins ½ by brute force."""

    engine: Engine

    @property
    def spins(self) -> tuple[range, range]:
        n_1, n_2 = self.engine.levels
        return range(n_1), range(n_1, n_1 + n_2)

    @cached_property
    def lowering(self) -> list[sparse.csr_array]:
        """σ⁻ of each spin; a bit that is set is an excited spin."""
        count = sum(self.engine.levels)
        sigma = sparse.csr_array([[0.0, 1.0], [0.0, 0.0]])
        return [
            sparse.kron(
                sparse.kron(sparse.eye_array(2**i), sigma), sparse.eye_array(2 ** (count - 1 - i))
            ).tocsr()
            for i in range(count)
        ]

    @cached_property
    def collective(self) -> list[sparse.csr_array]:
        """S₁⁻ and S₂⁻."""
        return [sum((self.lowering[i] for i in spins[1:]), self.lowering[spins[0]])
                for spins in self.spins]  # fmt: skip

    @cached_property
    def kept(self) -> np.ndarray:
        """Positions of the unknowns in the row-major vector of ρ."""
        excited = np.array([bin(i).count("1") for i in range(2 ** sum(self.engine.levels))])
        return np.flatnonzero((excited[:, None] == excited).ravel())

    def superoperator(self, left, right) -> ComplexArray:
        """ρ → left ρ right on the unknowns."""
        return sparse.kron(left, right.T).tocsr()[self.kept][:, self.kept].toarray()

    def jump(self, operator) -> ComplexArray:
        return self.superoperator(operator, operator.T)

    def dissipator(self, operator) -> ComplexArray:
        one = sparse.eye_array(operator.shape[0])
        loss = operator.T @ operator
        gone = self.superoperator(loss, one) + self.superoperator(one, loss)
        return self.jump(operator) - gone / 2

    def contacts(self, ensemble: int) -> list:
        """(γ↓, γ↑, lowering operator) of the collective bath and of every local one."""
        engine = self.engine
        bath = (engine.cold, engine.hot)[ensemble]
        # The local rate is Γ_loc in place of Γᵢ, scaled in the same way.
        share = engine.Gamma_local / engine.rates[ensemble]
        contacts = [(bath.gamma_down, bath.gamma_up, self.collective[ensemble])]
        for i in self.spins[ensemble]:
            contacts.append((share * bath.gamma_down, share * bath.gamma_up, self.lowering[i]))
        return contacts

    @cached_property
    def generator(self) -> ComplexArray:
        engine = self.engine
        size = engine.N if engine.scaling == "high-temperature" else 1
        hop = self.collective[0].T @ self.collective[1]
        hamiltonian = engine.omega_0 / size / 2 * (hop + hop.T)
        one = sparse.eye_array(hop.shape[0])
        total = -1j * (self.superoperator(hamiltonian, one) - self.superoperator(one, hamiltonian))
        for ensemble in range(2):
            for down, up, operator in self.contacts(ensemble):
                total = total + down * self.dissipator(operator) + up * self.dissipator(operator.T)
        for operator in self.lowering:
            z = 2 * operator.T @ operator - one
            total = total + engine.Gamma_dephasing / size / 2 * self.dissipator(z)
        return total

    def vector(self, operator) -> ComplexArray:
        """Row f with Tr(operator ρ) = f · ρ."""
        return operator.T.toarray().ravel()[self.kept]

    @cached_property
    def trace(self) -> ComplexArray:
        return self.vector(sparse.eye_array(2 ** sum(self.engine.levels)).tocsr())

    def solved(self, right: ComplexArray, trace: float) -> ComplexArray:
        matrix, right = self.generator.copy(), right.astype(complex)
        matrix[0], right[0] = self.trace, trace
        return np.linalg.solve(matrix, right)

    @cached_property
    def rho(self) -> ComplexArray:
        return self.solved(np.zeros(self.trace.size), 1.0)

    def mean(self, operator) -> complex:
        return complex(self.vector(operator) @ self.rho)

    @property
    def current(self) -> sparse.csr_array:
        """Ĵ = −(iω₀/2)(S₁⁺S₂⁻ − S₁⁻S₂⁺)."""
        hop = self.collective[0].T @ self.collective[1]
        return -0.5j * self.engine.drive * (hop - hop.T)

    def taken(self, ensemble: int) -> float:
        """Quanta per time that an ensemble takes from its bath."""
        return sum(
            (up * self.mean(a @ a.T) - down * self.mean(a.T @ a)).real
            for down, up, a in self.contacts(ensemble)
        )

    def counted(self, ensemble: int) -> float:
        """Noise of the quanta that a bath gives, all its jumps counted."""
        flow = active = 0.0
        for down, up, a in self.contacts(ensemble):
            absorbed, emitted = up * self.jump(a.T), down * self.jump(a)
            flow, active = flow + absorbed - emitted, active + absorbed + emitted
        tilted = flow @ self.rho
        mean = self.trace @ tilted
        response = self.solved(tilted - mean * self.rho, 0.0)
        return float((self.trace @ (active @ self.rho) - 2 * self.trace @ (flow @ response)).real)

    @property
    def noise(self) -> float:
        """Eq. 11 over ΔE²."""
        one = sparse.eye_array(self.current.shape[0]).tocsr()
        both = self.superoperator(self.current, one) + self.superoperator(one, self.current)
        source = both @ self.rho / 2 - self.mean(self.current).real * self.rho
        return float(-2 * (self.vector(self.current) @ self.solved(source, 0.0)).real)

    def jump_rate(self, ensemble: int) -> float:
        """Quantum jumps per time of an ensemble, collective and local."""
        return sum(
            (up * self.mean(a @ a.T) + down * self.mean(a.T @ a)).real
            for down, up, a in self.contacts(ensemble)
        )

    def linewidth(self, ensemble: int) -> float:
        """Twice the rate at which ⟨S⁺(t)S⁻(0)⟩ starts to decay through baths and dephasing."""
        lowering = self.collective[ensemble]
        raising = lowering.T
        size = self.engine.N if self.engine.scaling == "high-temperature" else 1
        jumps = [(self.engine.Gamma_dephasing / size / 2, 2 * self.lowering[i].T @ self.lowering[i]
                  - sparse.eye_array(raising.shape[0])) for i in self.spins[ensemble]]  # fmt: skip
        for down, up, a in self.contacts(ensemble):
            jumps += [(down, a), (up, a.T)]
        change = sum(
            rate * (a.T @ raising @ a - (a.T @ a @ raising + raising @ a.T @ a) / 2)
            for rate, a in jumps
        )
        return -2 * (self.mean(change @ lowering) / self.mean(raising @ lowering)).real

    def total_spin(self, ensemble: int) -> float:
        """⟨J²⟩ over its largest value, from J² = J⁺J⁻ + (Jᶻ)² − Jᶻ."""
        a = self.collective[ensemble]
        n = self.engine.levels[ensemble]
        z = a.T @ a - a @ a.T  # 2 Jᶻ
        square = a.T @ a + z @ z / 4 - z / 2
        return self.mean(square).real / (n / 2 * (n / 2 + 1))

    def spin(self, i: int):
        """σᶻ of one spin."""
        return 2 * self.lowering[i].T @ self.lowering[i] - sparse.eye_array(
            self.lowering[i].shape[0]
        )

    def values(self) -> dict[str, float]:
        engine = self.engine
        first, second = self.spins[0][-1], self.spins[1][-1]
        quanta = self.mean(self.current).real
        a, b = self.lowering[first], self.lowering[second]
        return {
            "power": engine.delta_E * quanta,
            "quanta_current": quanta,
            "heat_current_1": engine.quantum_heats[0] * self.taken(0),
            "heat_current_2": engine.quantum_heats[1] * self.taken(1),
            "quanta_noise": self.noise,
            "constancy": 2 * quanta / engine.affinity / self.noise if engine.affinity else math.nan,
            "weak_coupling_1": self.jump_rate(0) / engine.E_1,
            "weak_coupling_2": self.jump_rate(1) / engine.E_2,
            "linewidth_1": self.linewidth(0),
            "linewidth_2": self.linewidth(1),
            "total_spin_1": self.total_spin(0),
            "total_spin_2": self.total_spin(1),
            "magnetization_1": self.mean(self.spin(first)).real,
            "magnetization_2": self.mean(self.spin(second)).real,
            "spin_correlation_zz": self.mean(self.spin(first) @ self.spin(second)).real,
            "spin_correlation_xy": -2 * self.mean(a.T @ b).imag,
        }
