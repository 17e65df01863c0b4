"""Blocks of a complete sector that elimination meets one after the other.

The drive conserves the number k₁ + k₂ of excitations and a bath changes it by one.  Sorted by this
number, the generator is block tridiagonal with blocks of at most (N+1)(N+2)/2 elements, against
N³/3 in all.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.generator.liouvillian import liouvillian
from ensemble.together.layout import shell_order, sorted_parts

SMALL_BLOCK = 10
"""Shells are put together into blocks of up to this many elements: for smaller ones the calls of
functions take most of the time."""


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
class Blocks:
    """The generator as blocks of the elements of `layout`.

    Attributes
    ----------
    places : tuple of slice
        Elements of each block, from the least excitations on.
    diagonal, above, below : tuple of Entries
        Blocks of L: (m, m), (m, m + 1) and (m + 1, m).
    """

    places: tuple[slice, ...]
    diagonal: tuple[Entries, ...]
    above: tuple[Entries, ...]
    below: tuple[Entries, ...]

    @property
    def bytes_per_point(self) -> int:
        """Memory that the factors of one engine take."""
        widths = [block.stop - block.start for block in self.places]
        couplings = sum(a * b for a, b in itertools.pairwise(widths))
        return 8 * (sum(width**2 for width in widths) + 2 * couplings)


@lru_cache(maxsize=8)
def blocks(n_1: int, n_2: int) -> Blocks:
    """The blocks of spins n₁/2 and n₂/2 (kept for the last few)."""
    found = liouvillian(n_1, n_2)
    parts = sorted_parts(found, shell_order(found.sector))
    places = _places(np.bincount(found.sector.k_1 + found.sector.k_2))

    def entries(rows: slice, columns: slice) -> Entries:
        return _entries([part[rows, columns] for part in parts])

    return Blocks(
        places=places,
        diagonal=tuple(entries(block, block) for block in places),
        above=tuple(entries(low, high) for low, high in itertools.pairwise(places)),
        below=tuple(entries(high, low) for low, high in itertools.pairwise(places)),
    )


def _places(shells: IntArray) -> tuple[slice, ...]:
    """Consecutive shells put together while they are small."""
    starts, held = [0], 0
    for position, width in enumerate(shells.tolist()):
        if held and held + width > SMALL_BLOCK:
            starts.append(int(shells[:position].sum()))
            held = 0
        held += width
    return tuple(slice(a, b) for a, b in itertools.pairwise([*starts, int(shells.sum())]))


def _entries(parts: list[sparse.csr_array]) -> Entries:
    """The union of the patterns of five matrices, with the values of each."""
    dense = np.stack([part.toarray() for part in parts])
    rows, columns = np.nonzero(np.abs(dense).sum(axis=0))
    values = sparse.csr_array(dense[:, rows, columns].T)
    return Entries(rows, columns, values, dense.shape[1:])
