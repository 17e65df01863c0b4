"""The generator with local noise as one sparse matrix, which can be factorised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, DRIVE, UP_1, UP_2
from ensemble.local_noise.generator import steps
from ensemble.local_noise.sector import SpinSector
from ensemble.local_noise.spins import SpinParts, spin_parts

LOCAL = 4
"""The index of a collective bath's part plus this is that of the same part of the local baths."""
DEPHASING = 9


@dataclass(frozen=True, eq=False)
class NoisyParts:
    """The ten parts of L, each per unit of its rate, on one sparsity pattern.

    Attributes
    ----------
    sector : SpinSector
    indices, indptr : ndarray of int32
        Pattern in CSC form, with every diagonal element.
    columns : ndarray of int32, shape (nnz,)
        Column of each stored element.
    values : ndarray, shape (10, nnz)
        Drive, emission and absorption at baths 1 and 2 (`ensemble.generator.liouvillian`), the same
        four of the local baths, and Σ D[σᶻ].
    """

    sector: SpinSector
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: FloatArray

    def matrix(self, values: FloatArray) -> sparse.csc_array:
        """The sparse matrix with these stored elements."""
        size = self.sector.size
        return sparse.csc_array((values, self.indices, self.indptr), shape=(size, size))


@dataclass(frozen=True, eq=False)
class AssembledNoise:
    """L of one engine on a `SpinSector`, stored; `NoisyGenerator` applies it without storing it.

    Attributes
    ----------
    engine : Engine
    sector : SpinSector
    """

    engine: Engine
    sector: SpinSector

    @cached_property
    def _parts(self) -> NoisyParts:
        return noisy_parts(self.sector)

    @cached_property
    def _values(self) -> FloatArray:
        engine = self.engine
        rates = np.array(
            [
                rate
                for bath in (engine.cold, engine.hot)
                for rate in (bath.gamma_down, bath.gamma_up)
            ]
        )
        local = np.repeat(engine.local_shares, 2) * rates
        coefficients = np.concatenate([[engine.drive], rates, local, [engine.dephasing / 2]])
        values: FloatArray = coefficients @ self._parts.values
        return values

    @cached_property
    def matrix(self) -> sparse.csc_array:
        """L."""
        return self._parts.matrix(self._values)

    @cached_property
    def magnitude(self) -> sparse.csc_array:
        """|L|, the absolute values of all elements."""
        return self._parts.matrix(np.abs(self._values))

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self.matrix @ x

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x, with the absolute values of all elements of L."""
        return self.magnitude @ x

    def jump(self, part: int) -> sparse.csc_array:
        """The jump term of emission or absorption at a bath, per unit of its collective rate."""
        parts, share = self._parts, self.engine.local_shares[0 if part in (DOWN_1, UP_1) else 1]
        values = parts.values[part] + share * parts.values[part + LOCAL]
        # The diagonal has the losses only: a jump changes the number of excited spins.
        return parts.matrix(np.where(parts.indices == parts.columns, 0.0, values))

    def hop_anticommutator(self) -> sparse.csc_array:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺), by the moduli of the drive's elements."""
        return self._parts.matrix(np.abs(self._parts.values[DRIVE]) / 2)


@lru_cache(maxsize=4)
def noisy_parts(sector: SpinSector) -> NoisyParts:
    """The ten parts on one sector (kept for the last few)."""
    whole = [
        _drive(sector),
        *(_of_ensembles(sector, part) for part in range(DOWN_1, DEPHASING + 1)),
    ]
    size = sector.size
    keys, values = [], []
    for matrix in whole:
        found = matrix.tocoo()
        keys.append(found.col.astype(np.int64) * size + found.row)
        values.append(found.data)
    diagonal = np.arange(size, dtype=np.int64) * (size + 1)
    pattern = np.unique(np.concatenate([diagonal, *keys]))
    stored = np.zeros((len(whole), pattern.size))
    for row, key, value in zip(stored, keys, values, strict=True):
        np.add.at(row, np.searchsorted(pattern, key), value)
    columns = (pattern // size).astype(np.int32)
    return NoisyParts(
        sector=sector,
        indices=(pattern % size).astype(np.int32),
        indptr=np.searchsorted(columns, np.arange(size + 1)).astype(np.int32),
        columns=columns,
        values=stored,
    )


def _drive(sector: SpinSector) -> sparse.coo_array:
    """½ (Aᵀρ − Aρ − ρAᵀ + ρA), as `ensemble.local_noise.generator.add_hops` applies it."""
    count = sector.coherence_order + 1
    blocks: list[list[sparse.sparray | None]] = [[None] * count for _ in range(count)]
    for q in range(count):
        size = sector.start[q + 1] - sector.start[q]
        blocks[q][q] = sparse.csr_array((size, size))
        if q > 0:
            (low_1, high_1), (low_2, high_2) = steps(sector.n_1, q), steps(sector.n_2, q)
            hops = (sparse.kron(low_1, high_2) - sparse.kron(high_1, low_2)) / 2
            blocks[q][q - 1] = hops
            blocks[q - 1][q] = (-2 if q == 1 else -1) * hops.T
    return sparse.coo_array(sparse.block_array(blocks))


def _of_ensembles(sector: SpinSector, part: int) -> sparse.coo_array:
    """A part that acts on one ensemble, or Σ D[σᶻ] on both."""
    blocks = []
    for q in range(sector.coherence_order + 1):
        one, two = (sparse.eye_array(size) for size in sector.shape(q))
        parts_1, parts_2 = spin_parts(sector.n_1, q), spin_parts(sector.n_2, q)
        if part == DEPHASING:
            z_1, z_2 = _matrix(parts_1, part), _matrix(parts_2, part)
            blocks.append(sparse.kron(z_1, two) + sparse.kron(one, z_2))
        elif part in (DOWN_1, UP_1, DOWN_1 + LOCAL, UP_1 + LOCAL):
            blocks.append(sparse.kron(_matrix(parts_1, part), two))
        else:
            blocks.append(sparse.kron(one, _matrix(parts_2, part)))
    return sparse.coo_array(sparse.block_diag(blocks))


def _matrix(parts: SpinParts, part: int) -> sparse.csr_array:
    """A part on the elements of one ensemble."""
    if part == DEPHASING:
        jumps, loss = parts.local_z, np.full(parts.basis.size, float(parts.basis.n))
    elif part in (DOWN_1, DOWN_2):
        jumps, loss = parts.down, parts.down_loss
    elif part in (UP_1, UP_2):
        jumps, loss = parts.up, parts.up_loss
    elif part in (DOWN_1 + LOCAL, DOWN_2 + LOCAL):
        jumps, loss = parts.local_down, parts.local_down_loss
    else:
        jumps, loss = parts.local_up, parts.local_up_loss
    return sparse.csr_array(jumps - sparse.diags_array(loss))
