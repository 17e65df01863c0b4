"""Certified solves for many engines: refinement and residuals as of one engine's solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.steady.certified_solve import MAX_REFINEMENTS, REFINED
from ensemble.together.elimination import Elimination
from ensemble.together.layout import Layout


@dataclass(frozen=True, eq=False)
class Solver:
    """Solves L x = b and Lᵀ y = c for many engines, with the residuals of `certified_solve`.

    Vectors have the shape (size, sources, points); residuals (sources, points).  What is found for
    an engine does not depend on the others, to the last bit: sums run over elements in their order.

    Attributes
    ----------
    layout : Layout
    coefficients : ndarray, shape (5, points)
    elimination : Elimination
    """

    layout: Layout
    coefficients: FloatArray
    elimination: Elimination

    def apply(self, x: FloatArray) -> FloatArray:
        """L x of each engine, shape (size, …, points)."""
        return affine(self.layout.parts, self.coefficients, x)

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x of each engine."""
        return affine(self.layout.magnitudes, self.coefficients, x)

    def solve(
        self, source: FloatArray, magnitude: FloatArray | float = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Solutions of L x = source and their relative residuals.

        Parameters
        ----------
        source : ndarray, shape (size, sources, points)
        magnitude : ndarray, shape (sources, points)
            1-norm of the terms whose difference each source is, where these cancel.
        """
        layout = self.layout
        least = np.broadcast_to(magnitude, source.shape[1:])

        def residual(x: FloatArray, right: FloatArray, chosen: IntArray | slice) -> tuple:
            c = self.coefficients[:, chosen]
            defect = right - affine(layout.parts, c, x)
            weights = affine(layout.magnitudes, c, np.abs(x))
            scale = total(weights) + np.maximum(total(np.abs(right)), least[:, chosen])
            return defect, ratio(total(np.abs(defect)), scale)

        return self._refined(source, residual, Elimination.solve)

    def solve_transposed(
        self, source: FloatArray, importance: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Solutions of Lᵀ y = source, and residuals weighted with ``importance``.

        As `ensemble.steady.certified_solve.Solver.solve_transposed`.
        """
        layout = self.layout

        def residual(y: FloatArray, right: FloatArray, chosen: IntArray | slice) -> tuple:
            c, w = self.coefficients[:, chosen], importance[..., chosen]
            defect = right - affine(layout.transposed, c, y)
            weights = affine(layout.transposed_magnitudes, c, np.abs(y)) + np.abs(right)
            return defect, ratio(total(w * np.abs(defect)), total(w * weights))

        return self._refined(source, residual, Elimination.solve_transposed)

    def null_residual(self, x: FloatArray) -> FloatArray:
        """‖Lx‖₁ / ‖|L||x|‖₁ of vectors, shape (size, points)."""
        return ratio(total(np.abs(self.apply(x))), total(self.apply_magnitude(np.abs(x))))

    def _refined(
        self,
        source: FloatArray,
        residual: Callable[[FloatArray, FloatArray, IntArray | slice], tuple],
        correct: Callable[[Elimination, FloatArray], FloatArray],
    ) -> tuple[FloatArray, FloatArray]:
        """Corrections until each solution is refined or a correction no longer helps."""
        best = correct(self.elimination, source)
        defect, last = residual(best, source, slice(None))
        running = ~(last <= REFINED) & np.isfinite(last)
        for _ in range(MAX_REFINEMENTS):
            points = np.flatnonzero(running.any(axis=0))
            if not points.size:
                break
            right, held = source[..., points], best[..., points]
            x = held + correct(self.elimination[points], defect[..., points])
            new_defect, found = residual(x, right, points)
            better = running[:, points] & (found < last[:, points])
            helped = found < last[:, points] / 2
            best[..., points] = np.where(better, x, held)
            defect[..., points] = np.where(better, new_defect, defect[..., points])
            running[:, points] &= helped & ~(found <= REFINED)
            last[:, points] = np.where(better, found, last[:, points])
        return best, last


def affine(parts: sparse.csr_array, coefficients: FloatArray, x: FloatArray) -> FloatArray:
    """Σ_p c_p A_p x with the five A_p below each other, of vectors of shape (size, …, points)."""
    found = (parts @ x.reshape(x.shape[0], -1)).reshape(5, *x.shape)
    result = found[0] * coefficients[0]
    for part, coefficient in zip(found[1:], coefficients[1:], strict=True):
        part *= coefficient
        result += part
    return result


def applied(matrix: sparse.csr_array, x: FloatArray) -> FloatArray:
    """A x of vectors of shape (size, …, points)."""
    return (matrix @ x.reshape(x.shape[0], -1)).reshape(-1, *x.shape[1:])


def total(x: FloatArray) -> FloatArray:
    """Sum over elements, in their order however many points there are."""
    flat = x.reshape(x.shape[0], -1)
    if flat.shape[1] == 1:  # NumPy would sum a single column in pairs
        flat = np.concatenate([flat, flat], axis=1)
        return np.asarray(flat.sum(axis=0)[:1].reshape(x.shape[1:]))
    return np.asarray(flat.sum(axis=0).reshape(x.shape[1:]))


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """part/whole, 0 where the whole vanishes."""
    safe = np.where(whole > 0, whole, 1.0)
    return np.where(np.isnan(whole), np.nan, np.where(whole > 0, part / safe, 0.0))
