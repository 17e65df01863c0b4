"""Certified solves for many engines: refinement and residuals as of one engine's solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.steady.certified_solve import MAX_REFINEMENTS, REFINED
from ensemble.together.layout import Layout


class Corrector(Protocol):
    """Solves L x = b and Lᵀ y = c of many engines approximately.

    Attributes
    ----------
    final : bool
        Whether its solutions are as good as they get: they are not refined.
    transposable : bool
        Whether it solves with Lᵀ.
    """

    @property
    def final(self) -> bool: ...
    @property
    def transposable(self) -> bool: ...

    def solve(
        self, source: FloatArray, name: str, magnitude: FloatArray | float = 0.0
    ) -> FloatArray:
        """Solutions x, shape (size, sources, points), of the equations of that name."""
        ...

    def solve_transposed(self, source: FloatArray, name: str) -> FloatArray:
        """The same with Lᵀ."""
        ...

    def __getitem__(self, chosen: IntArray) -> Corrector:
        """That of some of the engines."""
        ...


@dataclass(frozen=True, eq=False)
class Solver:
    """Solves L x = b and Lᵀ y = c for many engines, with the residuals of `certified_solve`.

    Vectors have the shape (size, sources, points); residuals (sources, points).  With a corrector
    that solves each engine apart, what is found for an engine does not depend on the others, to the
    last bit: sums run over elements in their order.

    Attributes
    ----------
    layout : Layout
    coefficients : ndarray, shape (5, points)
    corrector : Corrector
    """

    layout: Layout
    coefficients: FloatArray
    corrector: Corrector

    def apply(self, x: FloatArray) -> FloatArray:
        """L x of each engine, shape (size, …, points)."""
        return self.layout.parts(self.coefficients, x)

    def solve(
        self, source: FloatArray, magnitude: FloatArray | float = 0.0, *, name: str
    ) -> tuple[FloatArray, FloatArray]:
        """Solutions of L x = source and their relative residuals.

        Parameters
        ----------
        source : ndarray, shape (size, sources, points)
        magnitude : ndarray, shape (sources, points)
            1-norm of the terms whose difference each source is, where these cancel.
        name : str
            What is solved for.
        """
        return self._refined(
            source,
            lambda x, right, chosen: self._defect(x, right, magnitude, chosen),
            lambda corrector, right: corrector.solve(right, name, magnitude),
        )

    def residual(
        self, x: FloatArray, source: FloatArray, magnitude: FloatArray | float = 0.0
    ) -> FloatArray:
        """Relative residuals of solutions of L x = source, wherever these come from."""
        return self._defect(x, source, magnitude, slice(None))[1]

    def _defect(
        self,
        x: FloatArray,
        source: FloatArray,
        magnitude: FloatArray | float,
        chosen: IntArray | slice,
    ) -> tuple[FloatArray, FloatArray]:
        """The defect of some of the engines and its relative size."""
        layout, c = self.layout, self.coefficients[:, chosen]
        least = np.broadcast_to(magnitude, (source.shape[1], self.coefficients.shape[1]))
        defect = source - layout.parts(c, x)
        scale = weight(layout.weights, c, x)
        scale += np.maximum(total(np.abs(source)), least[:, chosen])
        return defect, ratio(total(np.abs(defect)), scale)

    def solve_transposed(
        self, source: FloatArray, importance: FloatArray, *, name: str
    ) -> tuple[FloatArray, FloatArray]:
        """Solutions of Lᵀ y = source, and residuals weighted with ``importance``.

        As `ensemble.steady.certified_solve.Solver.solve_transposed`.
        """
        layout = self.layout
        source, importance = (
            layout.inner[:, np.newaxis] * source,
            importance * layout.inner[:, np.newaxis],
        )
        heavy = layout.magnitudes(self.coefficients, importance)

        def residual(y: FloatArray, right: FloatArray, chosen: IntArray | slice) -> tuple:
            c, w = self.coefficients[:, chosen], importance[..., chosen]
            defect = right - layout.transposed(c, y)
            scale = total(heavy[..., chosen] * np.abs(y)) + total(w * np.abs(right))
            return defect, ratio(total(w * np.abs(defect)), scale)

        return self._refined(
            source, residual, lambda corrector, right: corrector.solve_transposed(right, name)
        )

    def null_residual(self, x: FloatArray) -> FloatArray:
        """‖Lx‖₁ / ‖|L||x|‖₁ of vectors, shape (size, points)."""
        scale = weight(self.layout.weights, self.coefficients, x)
        return ratio(total(np.abs(self.apply(x))), scale)

    def _refined(
        self,
        source: FloatArray,
        residual: Callable[[FloatArray, FloatArray, IntArray | slice], tuple],
        correct: Callable[[Corrector, FloatArray], FloatArray],
    ) -> tuple[FloatArray, FloatArray]:
        """Corrections until each solution is refined or a correction no longer helps."""
        best = correct(self.corrector, source)
        defect, last = residual(best, source, slice(None))
        if self.corrector.final:
            return best, last
        running = ~(last <= REFINED) & np.isfinite(last)
        for _ in range(MAX_REFINEMENTS):
            points = np.flatnonzero(running.any(axis=0))
            if not points.size:
                break
            right, held = source[..., points], best[..., points]
            x = held + correct(self.corrector[points], defect[..., points])
            new_defect, found = residual(x, right, points)
            better = running[:, points] & (found < last[:, points])
            helped = found < last[:, points] / 2
            best[..., points] = np.where(better, x, held)
            defect[..., points] = np.where(better, new_defect, defect[..., points])
            running[:, points] &= helped & ~(found <= REFINED)
            last[:, points] = np.where(better, found, last[:, points])
        return best, last


def weight(sums: sparse.csr_array, coefficients: FloatArray, x: FloatArray) -> FloatArray:
    """Sum of some rows of |L| |x|, from the sums of these rows for each part of L."""
    flat = np.abs(x).reshape(x.shape[0], -1)
    return total(
        (sums @ flat).reshape(5, *x.shape[1:])
        * coefficients[(slice(None),) + (np.newaxis,) * (x.ndim - 2)]
    )


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
