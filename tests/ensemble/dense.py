"""The model once more with dense matrices, straight from its definition: a reference for tests.

States are (n₁+1)(n₂+1) square matrices over |k₁, k₂⟩ at index k₁(n₂+1) + k₂, with kᵢ excitations.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ensemble import Engine
from ensemble.arrays import FloatArray
from ensemble.generator.sector import Sector

Matrix = NDArray[np.complex128]


def embed(sector: Sector, elements: FloatArray) -> FloatArray:
    """The real symmetric matrix of a sector's elements."""
    width = sector.n_2 + 1
    ket = sector.k_1 * width + sector.k_2
    bra = (sector.k_1 + sector.q) * width + (sector.k_2 - sector.q)
    matrix = np.zeros(2 * [(sector.n_1 + 1) * width])
    matrix[ket, bra] = matrix[bra, ket] = elements
    return matrix


def extract(sector: Sector, matrix: FloatArray) -> FloatArray:
    """The sector's elements of a matrix."""
    width = sector.n_2 + 1
    ket = sector.k_1 * width + sector.k_2
    return matrix[ket, (sector.k_1 + sector.q) * width + (sector.k_2 - sector.q)]


def gauge(n_1: int, n_2: int) -> Matrix:
    """Phases i^{k₁} of the gauge |k₁,k₂⟩ → i^{k₁}|k₁,k₂⟩, as a row over the basis."""
    return np.repeat(1j ** np.arange(n_1 + 1), n_2 + 1)


def raising(n: int) -> Matrix:
    """S⁺ of a spin n/2."""
    spin, k = n / 2, np.arange(n)
    m = k - spin
    return np.diag(np.sqrt(spin * (spin + 1) - m * (m + 1)), -1).astype(complex)


def raisings(engine: Engine) -> tuple[Matrix, Matrix]:
    """S₁⁺ and S₂⁺ in the product basis."""
    n_1, n_2 = engine.levels
    return np.kron(raising(n_1), np.eye(n_2 + 1)), np.kron(np.eye(n_1 + 1), raising(n_2))


def lindblad(engine: Engine, rho: Matrix) -> Matrix:
    """dρ/dt of Eqs. 1-6, before any gauge or symmetry; a detuning δ adds −δ S₂ᶻ to H."""
    up_1, up_2 = raisings(engine)
    hop = up_1 @ up_2.conj().T
    hamiltonian = engine.drive / 2 * (hop + hop.conj().T)
    hamiltonian -= engine.detuning * (up_2 @ up_2.conj().T - up_2.conj().T @ up_2) / 2
    change = -1j * (hamiltonian @ rho - rho @ hamiltonian)
    for bath, up in ((engine.cold, up_1), (engine.hot, up_2)):
        for rate, jump in ((bath.gamma_down, up.conj().T), (bath.gamma_up, up)):
            loss = jump.conj().T @ jump
            change += rate * (jump @ rho @ jump.conj().T - (loss @ rho + rho @ loss) / 2)
    return change


def stationary_matrix(engine: Engine) -> Matrix:
    """ρ from the null vector of the dense generator."""
    size = math.prod(level + 1 for level in engine.levels)
    columns = [lindblad(engine, unit.reshape(size, size)).ravel() for unit in np.eye(size**2)]
    rho = np.linalg.svd(np.array(columns).T)[2][-1].conj().reshape(size, size)
    return rho / np.trace(rho)
