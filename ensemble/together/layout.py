"""The sector of many engines, ordered so that elimination meets small blocks only.

The drive conserves the number k₁ + k₂ of excitations and a bath changes it by one.  Sorted by this
number, the generator is block tridiagonal with blocks of at most (N+1)(N+2)/2 elements, against
N³/3 in all.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, DRIVE, UP_1, UP_2, liouvillian
from ensemble.generator.sector import Sector

SMALL_BLOCK = 10
"""Shells are put together into blocks of up to this many elements: calls cost more than they do."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Stored elements of a block of the generator, for dense blocks of many engines.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (stored,)
    parts : csr_array, shape (stored, 5)
        Their values for each of the five parts.
    shape : tuple of int
    """

    rows: IntArray
    columns: IntArray
    parts: sparse.csr_array
    shape: tuple[int, int]

    def dense(self, coefficients: FloatArray) -> FloatArray:
        """The block of each engine, shape (points, rows, columns)."""
        block = np.zeros((coefficients.shape[1], *self.shape))
        block[:, self.rows, self.columns] = (self.parts @ coefficients).T
        return block


@dataclass(frozen=True, eq=False)
class Layout:
    """The complete sector of spins n₁/2 and n₂/2, its elements sorted by k₁ + k₂.

    Columns, shape (size, 1), broadcast against vectors of many engines, shape (size, points).

    Attributes
    ----------
    n_1, n_2 : int
    k_1, k_2, q, trace, hop : ndarray, shape (size, 1)
        As of `Sector`.
    ket, bra : ndarray of int, shape (elements with q = 1,)
        Positions of the populations of ket and bra of each element at q = 1.
    first : ndarray of int
        Positions of the elements with q = 1.
    populations : ndarray of int
        Positions of the elements with q = 0.
    parts, magnitudes : csr_array, shape (5 size, size)
        The five parts of L below each other, and their absolute values.
    transposed, transposed_magnitudes : csr_array, shape (5 size, size)
        The same of Lᵀ.
    up_1, up_2, down_1, down_2 : csr_array, shape (size, size)
        Jump terms of the baths per unit of their rates.
    anticommutator : csr_array, shape (size, size)
        ½{X, ·}.
    blocks : tuple of slice
        Elements of each block, from the least excitations on.
    diagonal, above, below : tuple of Entries
        Blocks of L: (m, m), (m, m + 1) and (m + 1, m).
    """

    n_1: int
    n_2: int
    k_1: IntArray
    k_2: IntArray
    q: IntArray
    trace: FloatArray
    hop: FloatArray
    ket: IntArray
    bra: IntArray
    first: IntArray
    populations: IntArray
    parts: sparse.csr_array
    magnitudes: sparse.csr_array
    transposed: sparse.csr_array
    transposed_magnitudes: sparse.csr_array
    up_1: sparse.csr_array
    up_2: sparse.csr_array
    down_1: sparse.csr_array
    down_2: sparse.csr_array
    anticommutator: sparse.csr_array
    blocks: tuple[slice, ...]
    diagonal: tuple[Entries, ...]
    above: tuple[Entries, ...]
    below: tuple[Entries, ...]

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return self.q.size

    @property
    def bytes_per_point(self) -> int:
        """Memory that the factors of one engine take."""
        widths = [block.stop - block.start for block in self.blocks]
        couplings = sum(a * b for a, b in itertools.pairwise(widths))
        return 8 * (sum(width**2 for width in widths) + 2 * couplings)


@lru_cache(maxsize=8)
def layout(n_1: int, n_2: int) -> Layout:
    """The layout of spins n₁/2 and n₂/2 (kept for the last few)."""
    found = liouvillian(n_1, n_2)
    sector = found.sector
    shell = sector.k_1 + sector.k_2
    order = np.lexsort((sector.k_2, sector.k_1, sector.q, shell))
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    parts = [_sorted(found.matrix(values), order) for values in found.parts]
    first = np.flatnonzero(sector.q[order] == 1)
    blocks = _blocks(np.bincount(shell))
    ket, bra = _neighbours(sector, order[first])
    jumps = {part: _sorted(found.jump(part), order) for part in (DOWN_1, UP_1, DOWN_2, UP_2)}

    def entries(rows: slice, columns: slice) -> Entries:
        return _entries([part[rows, columns] for part in parts])

    def column(values: NDArray) -> NDArray:
        return values[order][:, np.newaxis]

    return Layout(
        n_1=n_1,
        n_2=n_2,
        k_1=column(sector.k_1),
        k_2=column(sector.k_2),
        q=column(sector.q),
        trace=column(sector.trace),
        hop=column(sector.hop),
        ket=place[ket],
        bra=place[bra],
        first=first,
        populations=np.flatnonzero(sector.q[order] == 0),
        parts=_stacked(parts),
        magnitudes=_stacked([abs(part) for part in parts]),
        transposed=_stacked([part.T for part in parts]),
        transposed_magnitudes=_stacked([abs(part).T for part in parts]),
        up_1=jumps[UP_1],
        up_2=jumps[UP_2],
        down_1=jumps[DOWN_1],
        down_2=jumps[DOWN_2],
        anticommutator=abs(parts[DRIVE]) / 2,
        blocks=blocks,
        diagonal=tuple(entries(block, block) for block in blocks),
        above=tuple(entries(low, high) for low, high in itertools.pairwise(blocks)),
        below=tuple(entries(high, low) for low, high in itertools.pairwise(blocks)),
    )


def _sorted(matrix: sparse.csc_array, order: IntArray) -> sparse.csr_array:
    result = sparse.csr_array(matrix)[order][:, order]
    result.eliminate_zeros()
    result.sort_indices()
    return result


def _stacked(parts: list[sparse.csr_array]) -> sparse.csr_array:
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


def _blocks(shells: IntArray) -> tuple[slice, ...]:
    """Consecutive shells put together while they are small."""
    starts, held = [0], 0
    for position, width in enumerate(shells.tolist()):
        if held and held + width > SMALL_BLOCK:
            starts.append(int(shells[:position].sum()))
            held = 0
        held += width
    return tuple(slice(a, b) for a, b in itertools.pairwise([*starts, int(shells.sum())]))


def _neighbours(sector: Sector, elements: IntArray) -> tuple[IntArray, IntArray]:
    """The populations of ket and bra of elements with q = 1."""
    k_1, k_2 = sector.k_1[elements], sector.k_2[elements]
    zero = np.zeros_like(k_1)
    return sector.index(k_1, k_2, zero), sector.index(k_1 + 1, k_2 - 1, zero)


def _entries(parts: list[sparse.csr_array]) -> Entries:
    """The union of the patterns of five matrices, with the values of each."""
    dense = np.stack([part.toarray() for part in parts])
    rows, columns = np.nonzero(np.abs(dense).sum(axis=0))
    values = sparse.csr_array(dense[:, rows, columns].T)
    return Entries(rows, columns, values, dense.shape[1:])
