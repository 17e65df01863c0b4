"""An orthonormal basis for the solutions of one kind of equation, and the equations in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ensemble.arrays import FloatArray
from ensemble.together.layout import Layout

NEGLIGIBLE = 1e-14
"""A vector is not added if its part outside of the basis, relative to the vector, is below this."""


@dataclass(frozen=True, eq=False)
class Family:
    """Solutions of L x = b, or of Lᵀ y = c, that are sought among combinations of some vectors.

    L = Σ_p c_p A_p with five fixed matrices, so that the projected equations of any engine are a
    sum of five small matrices.

    Attributes
    ----------
    vectors : ndarray, shape (size, dimension)
        Orthonormal, V.
    reduced : ndarray, shape (5, dimension, dimension)
        Vᵀ A_p V, or Vᵀ A_pᵀ V.
    """

    vectors: FloatArray
    reduced: FloatArray

    @classmethod
    def empty(cls, size: int) -> Family:
        """A basis without vectors."""
        return cls(np.zeros((size, 0), order="F"), np.zeros((5, 0, 0)))

    @property
    def dimension(self) -> int:
        """Number of vectors."""
        return self.vectors.shape[1]

    @classmethod
    def of(cls, solutions: Sequence[FloatArray], place: Layout, *, transposed: bool) -> Family:
        """The basis of solutions, each of shape (size,), those of few excitations first.

        Solutions of cold engines then have small coordinates on the vectors that reach far beyond
        their own excitations.  Otherwise these would have to cancel there, which leaves rounding
        errors that the large rates of high excitations multiply.
        """
        rows = np.array(solutions)
        rows /= np.linalg.norm(rows, axis=1)[:, np.newaxis]
        sizes = np.abs(rows)
        reach = sizes @ (place.k_1 + place.k_2)[:, 0] / sizes.sum(axis=1)
        rows = rows[np.argsort(reach, kind="stable")]
        # LAPACK works on columns, which are contiguous here, and in place.
        vectors, _ = linalg.qr(rows.T, mode="economic", overwrite_a=True, check_finite=False)
        parts = place.transposed if transposed else place.parts
        contiguous = np.ascontiguousarray(vectors)  # as the sparse products need them
        return cls(vectors, np.stack([vectors.T @ (A @ contiguous) for A in parts.matrices]))

    def enlarged(self, solutions: FloatArray, place: Layout, *, transposed: bool) -> Family:
        """The basis with the directions of more solutions, shape (size, number).

        They are orthogonalised twice, against the basis and among each other.  Solutions that are
        zero, as δ is without a drive, add nothing.
        """
        sizes = np.linalg.norm(solutions, axis=0)
        usable = np.isfinite(sizes) & (sizes > 0)
        if not usable.any():
            return self
        added = solutions[:, usable] / sizes[usable]
        for _ in range(2):
            added = added - self.vectors @ (self.vectors.T @ added)
            added, triangle, _ = linalg.qr(added, mode="economic", pivoting=True)
            left = np.abs(triangle.diagonal())
            added = added[:, left > NEGLIGIBLE * max(1.0, left.max(initial=0.0))]
        if not added.shape[1]:
            return self
        forward, backward = place.parts, place.transposed
        if transposed:
            forward, backward = backward, forward
        old = self.dimension
        total = old + added.shape[1]
        reduced = np.empty((5, total, total))
        reduced[:, :old, :old] = self.reduced
        vectors = np.concatenate([self.vectors, added], axis=1)
        acted = forward.each(added)
        mirrored = backward.each(added)
        for p in range(5):
            reduced[p, :, old:] = vectors.T @ acted[p]
            reduced[p, old:, :old] = mirrored[p].T @ self.vectors
        return Family(np.asfortranarray(vectors), reduced)

    def solve(self, coefficients: FloatArray, source: FloatArray) -> FloatArray:
        """Galerkin's solutions for many engines.

        Parameters
        ----------
        coefficients : ndarray, shape (5, points)
        source : ndarray, shape (size, points)

        Returns
        -------
        ndarray, shape (size, points)
        """
        return np.asarray(self.vectors @ self.coordinates(coefficients, self.vectors.T @ source))

    def coordinates(self, coefficients: FloatArray, right: FloatArray) -> FloatArray:
        """The coordinates of Galerkin's solutions, shape (dimension, points), from Vᵀ b."""
        matrices = np.tensordot(coefficients.T, self.reduced, axes=1)
        return np.asarray(np.linalg.solve(matrices, right.T[..., np.newaxis])[..., 0].T)
