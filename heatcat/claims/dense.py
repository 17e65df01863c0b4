"""Small engines in the product basis, from the definitions, without any code of the solvers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemble import Engine

Matrix = NDArray[Any]
"""A complex matrix."""


def spin(n: int) -> tuple[Matrix, Matrix]:
    """S⁺ and Sᶻ of a spin n/2; the first level is the lowest."""
    k = np.arange(n)
    up = np.diag(np.sqrt((k + 1) * (n - k)), -1).astype(complex)
    return up, np.diag(np.arange(n + 1) - n / 2).astype(complex)


def dissipator(jump: Matrix, rho: Matrix) -> Matrix:
    """AρA† − ½{A†A, ρ}."""
    square = jump.conj().T @ jump
    return jump @ rho @ jump.conj().T - (square @ rho + rho @ square) / 2


def bath(up: Matrix, down_rate: float, up_rate: float, rho: Matrix) -> Matrix:
    """Eq. 6 for one spin."""
    return down_rate * dissipator(up.conj().T, rho) + up_rate * dissipator(up, rho)


@dataclass(frozen=True)
class Dense:
    """Stationary state of an engine with N ≤ 3 or so, and its currents."""

    engine: Engine

    @cached_property
    def operators(self) -> tuple[tuple[Matrix, Matrix], tuple[Matrix, Matrix]]:
        """(S⁺, Sᶻ) of spins 1 and 2 in the product space."""
        n_1, n_2 = self.engine.levels
        (up_1, z_1), (up_2, z_2) = spin(n_1), spin(n_2)
        one_1, one_2 = np.eye(n_1 + 1), np.eye(n_2 + 1)
        first = np.kron(up_1, one_2), np.kron(z_1, one_2)
        second = np.kron(one_1, up_2), np.kron(one_1, z_2)
        return first, second

    @cached_property
    def hop(self) -> Matrix:
        """S₁⁺S₂⁻."""
        (up_1, _), (up_2, _) = self.operators
        return up_1 @ up_2.conj().T

    @cached_property
    def drive(self) -> Matrix:
        """V in the interaction picture (text after Eq. 4)."""
        return self.engine.drive / 2 * (self.hop + self.hop.conj().T)

    @cached_property
    def power_operator(self) -> Matrix:
        """Minus the operator under the trace of Eq. 10."""
        rate = -1j * self.engine.drive * self.engine.delta_E / 2
        return rate * (self.hop - self.hop.conj().T)

    def dissipated(self, which: int, rho: Matrix) -> Matrix:
        """D₁ρ or D₂ρ (Eq. 6)."""
        side = self.engine.cold if which == 1 else self.engine.hot
        return bath(self.operators[which - 1][0], side.gamma_down, side.gamma_up, rho)

    def generate(self, rho: Matrix) -> Matrix:
        """Right-hand side of Eq. 5."""
        return (
            -1j * (self.drive @ rho - rho @ self.drive)
            + self.dissipated(1, rho)
            + self.dissipated(2, rho)
        )

    @cached_property
    def liouvillian(self) -> Matrix:
        """Matrix on row-major vectors."""
        size = self.hop.shape[0]
        basis = np.eye(size * size, dtype=complex).reshape(-1, size, size)
        return np.array([self.generate(one).ravel() for one in basis]).T

    @cached_property
    def rho(self) -> Matrix:
        """Stationary state (Eq. 9), normalised."""
        size = self.hop.shape[0]
        trace = np.eye(size).ravel()[np.newaxis]
        scale = float(np.abs(self.liouvillian).max())
        equations = np.concatenate([self.liouvillian / scale, trace])
        right = np.zeros(size * size + 1)
        right[-1] = 1
        found: Matrix = np.linalg.lstsq(equations, right, rcond=None)[0].reshape(size, size)
        return found

    def mean(self, operator: Matrix) -> float:
        """Real part of the stationary expectation value."""
        return float(np.trace(operator @ self.rho).real)

    @cached_property
    def power(self) -> float:
        """Eq. 10."""
        return self.mean(self.power_operator)

    def heat(self, which: int) -> float:
        """Tr[H₀ D(ρ)], the first form of Eq. 12."""
        energy = self.engine.E_1 if which == 1 else self.engine.E_2
        z = self.operators[which - 1][1]
        return energy * float(np.trace(z @ self.dissipated(which, self.rho)).real)
