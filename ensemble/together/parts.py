"""The five matrices that a generator is a sum of, applied for many engines at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from scipy import sparse

from ensemble.arrays import FloatArray

STACKED_SIZE = 3000
"""Elements up to which all parts are one matrix: five copies of the vectors then fit in the cache,
and one product costs less than five."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A_p of L = Σ_p c_p A_p, the same for all engines of one size.

    Attributes
    ----------
    matrices : sequence of csr_array, shape (rows, size)
    """

    matrices: Sequence[sparse.csr_array]

    def __call__(self, coefficients: FloatArray, x: FloatArray) -> FloatArray:
        """Σ_p c_p A_p x of each engine.

        The sum runs over the elements in their order, however many points there are.

        Parameters
        ----------
        coefficients : ndarray, shape (5, points)
        x : ndarray, shape (size, …, points)

        Returns
        -------
        ndarray, shape (rows, …, points)
        """
        scale = coefficients.reshape(5, *(1,) * (x.ndim - 1), -1)
        size = x.shape[0]
        if size <= STACKED_SIZE:
            found = self._stacked @ (scale * x).reshape(5 * size, -1)
            return found.reshape(-1, *x.shape[1:])
        found = self.matrices[0] @ (scale[0] * x).reshape(size, -1)
        for c, matrix in zip(scale[1:], self.matrices[1:], strict=True):
            found += matrix @ (c * x).reshape(size, -1)
        return found.reshape(-1, *x.shape[1:])

    def each(self, x: FloatArray) -> list[FloatArray]:
        """A_p x of vectors of shape (size, number), for each part."""
        return [matrix @ x for matrix in self.matrices]

    def changed(self, change: Callable[[sparse.csr_array], sparse.csr_array]) -> Parts:
        """The parts, each changed in one way."""
        return Parts([sparse.csr_array(change(matrix)) for matrix in self.matrices])

    @cached_property
    def _stacked(self) -> sparse.csr_array:
        return sparse.csr_array(sparse.hstack(self.matrices, format="csr"))
