"""The elements that many engines of one size are solved on, and the parts of their generators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.generator.liouvillian import (
    DOWN_1,
    DOWN_2,
    DRIVE,
    UP_1,
    UP_2,
    Liouvillian,
    liouvillian,
)
from ensemble.generator.sector import Sector
from ensemble.together.parts import Parts


@dataclass(frozen=True, eq=False)
class Layout:
    """Elements of a sector of spins n₁/2 and n₂/2, in any order, and the five parts of L.

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
    inner : ndarray, shape (size, 1)
        1 for the elements that are solved for, 0 for those that a truncation pads them with, where
        solutions vanish and residuals show what leaks out.
    parts, magnitudes, transposed : Parts
        The five parts of L, their absolute values, and those of Lᵀ.
    weights, population_weights : csr_array, shape (5, size)
        Sums over the rows of |L|, of all rows and of those of the populations, for each part.
    up_1, up_2, down_1, down_2 : csr_array, shape (size, size)
        Jump terms of the baths per unit of their rates.
    anticommutator : csr_array, shape (size, size)
        ½{X, ·}.

    A layout of the lowest coherence orders holds the elements with q ≤ 2, and the rows of its
    matrices are those with q ≤ 1, which need no others.
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
    inner: FloatArray
    parts: Parts
    magnitudes: Parts
    transposed: Parts
    weights: sparse.csr_array
    population_weights: sparse.csr_array
    up_1: sparse.csr_array
    up_2: sparse.csr_array
    down_1: sparse.csr_array
    down_2: sparse.csr_array
    anticommutator: sparse.csr_array

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.q.size

    @property
    def known(self) -> int:
        """Number of elements whose equations hold only elements of the layout."""
        return self.anticommutator.shape[0]


@lru_cache(maxsize=8)
def layout(n_1: int, n_2: int) -> Layout:
    """All elements of spins n₁/2 and n₂/2, by the number k₁ + k₂ of excitations (the last few)."""
    found = liouvillian(n_1, n_2)
    return _layout(found, shell_order(found.sector), np.ones(found.sector.size))


@lru_cache(maxsize=2)
def padded_layout(sector: Sector) -> Layout:
    """The elements of a sector, which may be truncated, padded by one step where it is.

    They stand in the order of the padded sector.
    """
    padded = sector.padded()
    found = liouvillian(padded.n_1, padded.n_2, padded.coherence_order, padded.cut_1, padded.cut_2)
    inner = np.zeros(padded.size)
    inner[sector.positions_in(padded)] = 1.0
    return _layout(found, np.arange(padded.size), inner)


@lru_cache(maxsize=2)
def lowest_orders(place: Layout) -> Layout:
    """The elements with q ≤ 2 of a layout in whose order q grows, with the equations of q ≤ 1."""
    q = place.q[:, 0]
    known, size = (int(np.searchsorted(q, order, side="right")) for order in (1, 2))

    def cut(matrix: sparse.csr_array) -> sparse.csr_array:
        return sparse.csr_array(matrix[:known, :size])

    parts = place.parts.changed(cut)
    return replace(
        place,
        k_1=place.k_1[:size],
        k_2=place.k_2[:size],
        q=place.q[:size],
        trace=place.trace[:size],
        hop=place.hop[:size],
        inner=place.inner[:size],
        parts=parts,
        magnitudes=parts.changed(abs),
        transposed=parts.changed(lambda part: sparse.csr_array(part.T)),
        weights=sparse.csr_array(place.weights[:, :size]),
        population_weights=sparse.csr_array(place.population_weights[:, :size]),
        up_1=cut(place.up_1),
        up_2=cut(place.up_2),
        down_1=cut(place.down_1),
        down_2=cut(place.down_2),
        anticommutator=cut(place.anticommutator),
    )


def shell_order(sector: Sector) -> IntArray:
    """The elements sorted by k₁ + k₂."""
    return np.lexsort((sector.k_2, sector.k_1, sector.q, sector.k_1 + sector.k_2))


def _layout(found: Liouvillian, order: IntArray, inner: FloatArray) -> Layout:
    sector = found.sector
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    parts = sorted_parts(found, order)
    magnitudes = [abs(part) for part in parts]
    first = np.flatnonzero(sector.q[order] == 1)
    populations = np.flatnonzero(sector.q[order] == 0)
    ket, bra = _neighbours(sector, order[first])
    jumps = {part: _sorted(found.jump(part), order) for part in (DOWN_1, UP_1, DOWN_2, UP_2)}

    def column(values: NDArray) -> NDArray:
        return values[order][:, np.newaxis]

    def summed(rows: IntArray) -> sparse.csr_array:
        """Sums over some rows of the absolute values of each part."""
        return sparse.csr_array(np.stack([part[rows].sum(axis=0) for part in magnitudes]))

    return Layout(
        n_1=sector.n_1,
        n_2=sector.n_2,
        k_1=column(sector.k_1),
        k_2=column(sector.k_2),
        q=column(sector.q),
        trace=column(sector.trace),
        hop=column(sector.hop),
        ket=place[ket],
        bra=place[bra],
        first=first,
        populations=populations,
        inner=column(inner),
        parts=Parts(parts),
        magnitudes=Parts(magnitudes),
        transposed=Parts([sparse.csr_array(part.T) for part in parts]),
        weights=summed(np.arange(order.size)),
        population_weights=summed(populations),
        up_1=jumps[UP_1],
        up_2=jumps[UP_2],
        down_1=jumps[DOWN_1],
        down_2=jumps[DOWN_2],
        anticommutator=magnitudes[DRIVE] / 2,
    )


def sorted_parts(found: Liouvillian, order: IntArray) -> list[sparse.csr_array]:
    """The five parts of L, elements in a given order."""
    return [_sorted(found.matrix(values), order) for values in found.parts]


def _sorted(matrix: sparse.csc_array, order: IntArray) -> sparse.csr_array:
    result = sparse.csr_array(matrix)[order][:, order]
    result.eliminate_zeros()
    result.sort_indices()
    return result


def _neighbours(sector: Sector, elements: IntArray) -> tuple[IntArray, IntArray]:
    """The populations of ket and bra of elements with q = 1."""
    k_1, k_2 = sector.k_1[elements], sector.k_2[elements]
    zero = np.zeros_like(k_1)
    return sector.index(k_1, k_2, zero), sector.index(k_1 + 1, k_2 - 1, zero)
