"""Block elimination of many generators at once, each with one element fixed at zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.together.blocks import Blocks

SPLIT_FROM = 11
"""Matrices of this size and larger are inverted by halves: products are faster than LAPACK."""


class Eliminated(NamedTuple):
    r"""Factors of one block row: with the block above it eliminated, of every engine.

    Attributes
    ----------
    inverse : ndarray, shape (points, width, width)
        S⁻¹, with zeros in row and column of the element that is fixed.
    above : ndarray, shape (points, width below, width), or None for the first block
        Block of L from this block to the one with fewer excitations.
    fill : ndarray, shape (points, width, width below), or None for the first block
        S⁻¹ times the block of L from there to this one.
    """

    inverse: FloatArray
    above: FloatArray | None
    fill: FloatArray | None


@dataclass(frozen=True, eq=False)
class Elimination:
    r"""Solves L x = b and Lᵀ y = c with x[ground] = y[ground] = 0 for each of many engines.

    With diagonal blocks D_m, U_m = L_{m,m+1} and W_m = L_{m+1,m}, from the most excitations down

    .. math:: S_m = D_m - U_m S_{m+1}^{-1} W_m .

    As for one engine, row and column of the fixed element are left out.  Rows are exchanged within
    the smallest blocks only; the residual of a solution says whether it is accurate.

    Attributes
    ----------
    blocks : Blocks
    factors : sequence of Eliminated
        From the least excitations to the most.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a pivot vanishes, for any of the engines.
    """

    blocks: Blocks
    factors: Sequence[Eliminated]

    @classmethod
    def of(cls, blocks: Blocks, coefficients: FloatArray, ground: IntArray) -> Elimination:
        """Eliminate.

        Parameters
        ----------
        blocks : Blocks
        coefficients : ndarray, shape (5, points)
            ω₀, γ↓₁, γ↑₁, γ↓₂ and γ↑₂ of each engine.
        ground : ndarray of int, shape (points,)
            The element that is fixed.
        """
        found: list[Eliminated] = []
        last = len(blocks.places) - 1
        update: FloatArray | None = None
        for m in range(last, -1, -1):
            block = blocks.diagonal[m].dense(coefficients)
            if update is not None:
                block -= update
            inverse = _grounded_inverse(block, blocks.places[m], ground)
            above = fill = None
            if m:
                above = blocks.above[m - 1].dense(coefficients)
                fill = inverse @ blocks.below[m - 1].dense(coefficients)
                update = above @ fill
            found.append(Eliminated(inverse, above, fill))
        return cls(blocks, found[::-1])

    def __getitem__(self, chosen: IntArray) -> Elimination:
        """The factors of some of the engines."""
        return Elimination(
            self.blocks,
            [
                Eliminated(*(None if part is None else part[chosen] for part in factors))  # type: ignore[arg-type]
                for factors in self.factors
            ],
        )

    @property
    def final(self) -> bool:
        """Solutions are to be refined."""
        return False

    @property
    def transposable(self) -> bool:
        """The factors serve Lᵀ, too."""
        return True

    def solve(
        self, source: FloatArray, name: str = "", magnitude: FloatArray | float = 0.0
    ) -> FloatArray:
        """Solutions x of L x = source, shape (size, sources, points) each."""
        right = self._by_point(source)
        held: list[FloatArray] = []
        for m in range(len(right) - 1, -1, -1):
            factor = self.factors[m]
            part = factor.inverse @ right[m]
            if factor.above is not None:
                right[m - 1] = right[m - 1] - factor.above @ part
            held.append(part)
        held.reverse()
        for m in range(1, len(held)):
            fill = self.factors[m].fill
            assert fill is not None
            held[m] = held[m] - fill @ held[m - 1]
        return _by_element(held)

    def solve_transposed(self, source: FloatArray, name: str = "") -> FloatArray:
        """Solutions y of Lᵀ y = source, shape (size, sources, points) each."""
        right = self._by_point(source)
        for m in range(len(right) - 1, 0, -1):
            fill = self.factors[m].fill
            assert fill is not None
            right[m - 1] = right[m - 1] - fill.swapaxes(1, 2) @ right[m]
        for m, factor in enumerate(self.factors):
            if factor.above is not None:
                right[m] = right[m] - factor.above.swapaxes(1, 2) @ right[m - 1]
            right[m] = factor.inverse.swapaxes(1, 2) @ right[m]
        return _by_element(right)

    def _by_point(self, source: FloatArray) -> list[FloatArray]:
        """The blocks of vectors, shape (points, width, sources) each."""
        turned = np.ascontiguousarray(source.transpose(2, 0, 1))
        return [turned[:, block] for block in self.blocks.places]


def _by_element(blocks: list[FloatArray]) -> FloatArray:
    return np.ascontiguousarray(np.concatenate(blocks, axis=1).transpose(1, 2, 0))


def _grounded_inverse(block: FloatArray, place: slice, ground: IntArray) -> FloatArray:
    """Inverses without the fixed element, whose row and column are zero."""
    points = np.flatnonzero((ground >= place.start) & (ground < place.stop))
    if not points.size:
        return inverted(block)
    element = ground[points] - place.start
    block[points, element, :] = 0.0
    block[points, :, element] = 0.0
    block[points, element, element] = -1.0  # a number of the size of the rates, Γ₀ being about 1
    inverse = inverted(block)
    inverse[points, element, element] = 0.0
    return inverse


def inverted(matrices: FloatArray) -> FloatArray:
    """Inverses of matrices, shape (points, n, n), each independent of its neighbours."""
    n = matrices.shape[-1]
    if n < SPLIT_FROM:
        return np.asarray(np.linalg.inv(matrices), dtype=float)
    half = n // 2
    b, c = matrices[:, :half, half:], matrices[:, half:, :half]
    first = inverted(matrices[:, :half, :half])
    from_right, from_left = first @ b, c @ first
    last = inverted(matrices[:, half:, half:] - c @ from_right)
    corner = from_right @ last
    result = np.empty_like(matrices)
    result[:, :half, :half] = first + corner @ from_left
    result[:, :half, half:] = -corner
    result[:, half:, :half] = -(last @ from_left)
    result[:, half:, half:] = last
    return result
