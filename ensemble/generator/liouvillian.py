"""The generator as an affine sum of five fixed sparse matrices, built once per pair of spins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.generator.sector import Sector, ladder

DRIVE, DOWN_1, UP_1, DOWN_2, UP_2 = range(5)


@dataclass(frozen=True, eq=False)
class Liouvillian:
    """L = ω₀ L_drive + Σᵢ (γ↓ᵢ L_downᵢ + γ↑ᵢ L_upᵢ) on a symmetry sector, in CSC form.

    The five parts share one sparsity pattern (``indices``, ``indptr``), which has every diagonal
    element; ``parts[p]`` holds the values of part p on it, so assembling L is one small product.

    Attributes
    ----------
    sector : Sector
    indices, indptr : ndarray of int32
        Pattern, rows sorted within each column.
    columns : ndarray of int32, shape (nnz,)
        Column of each stored element.
    parts : ndarray, shape (5, nnz)
        Values of the drive (per ω₀) and of emission and absorption at baths 1 and 2 (per rate).
    """

    sector: Sector
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]
    columns: NDArray[np.int32]
    parts: FloatArray

    def values(self, engine: Engine, *, detuned: bool = False) -> FloatArray:
        """Stored elements of L for an engine, shape (nnz,); see `coefficients`."""
        return coefficients(engine, detuned=detuned) @ self.parts

    def matrix(self, values: FloatArray) -> sparse.csc_array:
        """The sparse matrix with these stored elements."""
        size = self.sector.size
        return sparse.csc_array((values, self.indices, self.indptr), shape=(size, size))

    def jump(self, part: int) -> sparse.csc_array:
        """The jump term of a dissipator part, ρ → S ρ S†, without its loss terms."""
        return self.matrix(np.where(self.indices == self.columns, 0.0, self.parts[part]))

    def hop_anticommutator(self) -> sparse.csc_array:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺).

        In the real gauge [K, ρ] and {X, ρ} connect the same elements with the same amplitudes,
        up to signs, hence half the absolute value of the drive part.
        """
        return self.matrix(np.abs(self.parts[DRIVE]) / 2)


def coefficients(engine: Engine, *, detuned: bool = False) -> FloatArray:
    """The factors (ω₀, γ↓₁, γ↑₁, γ↓₂, γ↑₂) of the five parts for an engine.

    Raises
    ------
    InvalidInput
        If the engine has local noise; or is detuned, unless ``detuned`` says that the five parts
        are not all of its generator.
    """
    engine.require_collective("this generator", detuned=detuned)
    cold, hot = engine.cold, engine.hot
    return np.array([engine.drive, cold.gamma_down, cold.gamma_up, hot.gamma_down, hot.gamma_up])


@lru_cache(maxsize=4)
def liouvillian(
    n_1: int, n_2: int, coherence_order: int = -1, cut_1: int = -1, cut_2: int = -1
) -> Liouvillian:
    """Build the five parts for spins n₁/2 and n₂/2 (kept for the last few sectors).

    With c(k) the ladder elements, k' = k₁+q and k'' = k₂−q the bra's numbers, and
    A = S₁⁺S₂⁻ in the real gauge, the drive is ½ (Aᵀρ − Aρ − ρAᵀ + ρA).
    """
    sector = Sector(n_1, n_2, coherence_order, cut_1, cut_2)
    k_1, k_2, q = sector.k_1, sector.k_2, sector.q
    bra_1, bra_2 = k_1 + q, k_2 - q
    row = np.arange(sector.size)

    # Ladder elements of the ket and of the bra, for one step up and one step down.
    ket_up_1, ket_down_1 = ladder(k_1 + 1, n_1), ladder(k_1, n_1)
    bra_up_1, bra_down_1 = ladder(bra_1 + 1, n_1), ladder(bra_1, n_1)
    ket_up_2, ket_down_2 = ladder(k_2 + 1, n_2), ladder(k_2, n_2)
    bra_up_2, bra_down_2 = ladder(bra_2 + 1, n_2), ladder(bra_2, n_2)

    entries: list[tuple[int, IntArray, IntArray, FloatArray]] = []

    def couple(
        part: int, value: FloatArray, to_k_1: IntArray, to_k_2: IntArray, to_q: IntArray
    ) -> None:
        """Row (k₁, k₂, q) of a part takes ``value`` times the element (to_k_1, to_k_2, to_q)."""
        kept = (
            (value != 0)
            & (to_q >= 0)
            & (to_q <= sector.coherence_order)
            & (to_k_1 + to_q <= sector.cut_1)
            & (to_k_2 <= sector.cut_2)
        )
        column = sector.index(to_k_1[kept], to_k_2[kept], to_q[kept])
        entries.append((part, row[kept], column, value[kept]))

    couple(DOWN_1, ket_up_1 * bra_up_1, k_1 + 1, k_2, q)
    couple(UP_1, ket_down_1 * bra_down_1, k_1 - 1, k_2, q)
    couple(DOWN_2, ket_up_2 * bra_up_2, k_1, k_2 + 1, q)
    couple(UP_2, ket_down_2 * bra_down_2, k_1, k_2 - 1, q)
    couple(DOWN_1, -(ket_down_1**2 + bra_down_1**2) / 2, k_1, k_2, q)
    couple(UP_1, -(ket_up_1**2 + bra_up_1**2) / 2, k_1, k_2, q)
    couple(DOWN_2, -(ket_down_2**2 + bra_down_2**2) / 2, k_1, k_2, q)
    couple(UP_2, -(ket_up_2**2 + bra_up_2**2) / 2, k_1, k_2, q)
    # Elements at q = −1 are those at q = 1 transposed: at q = 0 the term from q + 1 counts twice.
    raised = np.where(q == 0, 1.0, 0.5)
    couple(DRIVE, ket_up_1 * ket_down_2 / 2, k_1 + 1, k_2 - 1, q - 1)
    couple(DRIVE, -bra_down_1 * bra_up_2 / 2, k_1, k_2, q - 1)
    couple(DRIVE, -raised * ket_down_1 * ket_up_2, k_1 - 1, k_2 + 1, q + 1)
    couple(DRIVE, raised * bra_up_1 * bra_down_2, k_1, k_2, q + 1)

    size = sector.size
    part = np.concatenate([np.full(r.size, p) for p, r, _, _ in entries])
    key = np.concatenate([c * size + r for _, r, c, _ in entries])
    diagonal = row * (size + 1)
    unique, where = np.unique(np.concatenate([key, diagonal]), return_inverse=True)
    parts = np.zeros((5, unique.size))
    parts[part, where[: key.size]] = np.concatenate([v for _, _, _, v in entries])
    columns, indices = np.divmod(unique, size)
    indptr = np.searchsorted(columns, np.arange(size + 1))
    return Liouvillian(
        sector=sector,
        indices=indices.astype(np.int32),
        indptr=indptr.astype(np.int32),
        columns=columns.astype(np.int32),
        parts=parts,
    )
