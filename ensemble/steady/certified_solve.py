"""Certified solves of L x = b: approximate corrections, repeated until only rounding is left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.generator.generator import Generator
from ensemble.generator.sector import Sector
from ensemble.steady.start import Subspace

# A backward-stable solve leaves a few eps of relative residual; above this, refine.
REFINED = 8 * float(np.finfo(float).eps)
MAX_REFINEMENTS = 4


class TransposedCorrector(Protocol):
    """Solves Lᵀ y = defect approximately, and applies Lᵀ and |Lᵀ|."""

    def apply(self, y: FloatArray) -> FloatArray: ...

    def apply_magnitude(self, y: FloatArray) -> FloatArray: ...

    def correct(self, defect: FloatArray) -> FloatArray: ...


class Corrector(Protocol):
    """Solves L x = defect approximately."""

    def correct(self, defect: FloatArray, rounding: FloatArray | None = None) -> FloatArray:
        """An approximate solution; ``rounding`` is that in each element of the defect, if known."""
        ...

    @property
    def transposed(self) -> TransposedCorrector | None:
        """The same for Lᵀ; None if the corrector solves with L only."""
        ...


@dataclass(frozen=True, eq=False)
class Solver:
    """Solves L x = b for any number of right-hand sides, each with its residual.

    Attributes
    ----------
    generator : Generator
        L, with which residuals are formed.  Where the corrector works on a truncated sector, this
        is L on the padded one, so that residuals include all that leaks out of the truncation.
    corrector : Corrector
    positions : ndarray of int, optional
        Elements of the truncated sector in the padded one; None if nothing is truncated.
    start : Subspace, optional
        Approximate solutions on the sector of the generator, zero outside the truncation: a solve
        starts from their best combination.
    """

    generator: Generator
    corrector: Corrector
    positions: IntArray | None = None
    start: Subspace | None = None

    @property
    def sector(self) -> Sector:
        """The sector of two collective spins that the residuals are formed on.

        Raises
        ------
        TypeError
            If the generator has local noise, and with it all total spins.
        """
        if not isinstance(self.generator.sector, Sector):
            raise TypeError("this needs a state of two collective spins, without local noise")
        return self.generator.sector

    def solve(self, source: FloatArray, *, magnitude: float = 0.0) -> tuple[FloatArray, float]:
        """Solution of L x = source and its relative residual.

        Refinement stops at working precision or when a correction no longer halves the residual;
        the residual returned is that of the solution returned.

        Parameters
        ----------
        source : ndarray, shape (size,)
        magnitude : float
            1-norm of the terms whose difference ``source`` is, where these cancel.
        """
        best, best_defect, best_weights = np.zeros_like(source), source, np.zeros_like(source)
        last = np.inf
        x = self._correct(source, None) if self.start is None else self.start.nearest(source)
        corrections = MAX_REFINEMENTS + (self.start is not None)
        for left in range(corrections, -1, -1):
            defect = source - self.generator.apply(x)
            weights = self.generator.apply_magnitude(np.abs(x))
            # The corrector cannot reduce the defect of equations outside the truncated sector.
            solved = defect if self.positions is None else defect[self.positions]
            residual = _ratio(solved, weights, source, magnitude)
            helped = residual < last / 2
            if residual < last:
                best, best_defect, best_weights, last = x, defect, weights, residual
            if residual <= REFINED or not helped or left == 0:
                break
            x = best + self._correct(best_defect, REFINED / 2 * best_weights)
        return best, _ratio(best_defect, best_weights, source, magnitude)

    @property
    def transposable(self) -> bool:
        """Whether `solve_transposed` can be used: with SuperLU, not with PARDISO or GMRES."""
        return self.corrector.transposed is not None

    def solve_transposed(
        self, source: FloatArray, *, importance: FloatArray
    ) -> tuple[FloatArray, float]:
        r"""Solution of Lᵀ y = source on the sector that the corrector works on, and its residual.

        .. math:: \frac{\sum_i w_i |(L^T y - b)_i|}{\sum_i w_i (|L^T| |y| + |b|)_i}

        Refinement stops as in `solve`.

        Parameters
        ----------
        source : ndarray, shape (size,)
            b, with b·ρ = 0 for the stationary ρ.  Elements outside the truncation are left out.
        importance : ndarray, shape (size,)
            w ≥ 0: how much an error of each equation matters.

        Returns
        -------
        y : ndarray, shape (size,)
            Up to a multiple of the trace; 0 outside the truncation.
        residual : float

        Raises
        ------
        TypeError
            If the solver is not ``transposable``.
        """
        transposed = self.corrector.transposed
        if transposed is None:
            raise TypeError(f"{type(self.corrector).__name__} does not solve with Lᵀ")
        kept = slice(None) if self.positions is None else self.positions
        right, w = source[kept], importance[kept]
        best, y, defect, least = right, np.zeros_like(right), right, math.inf
        for _ in range(1 + MAX_REFINEMENTS):
            y = y + transposed.correct(defect)
            defect = right - transposed.apply(y)
            scale = float(w @ (transposed.apply_magnitude(np.abs(y)) + np.abs(right)))
            residual = float(w @ np.abs(defect)) / scale if scale > 0 else 0.0
            helped = residual < least / 2
            if residual < least:
                best, least = y, residual
            if residual <= REFINED or not helped:
                break
        full = np.zeros_like(source)
        full[kept] = best
        return full, least

    def residual(self, x: FloatArray, source: FloatArray, *, magnitude: float = 0.0) -> float:
        """Relative residual of a solution of L x = source; ``magnitude`` as in `solve`."""
        weights = self.generator.apply_magnitude(np.abs(x))
        return _ratio(source - self.generator.apply(x), weights, source, magnitude)

    def null_residual(self, x: FloatArray) -> float:
        """‖Lx‖₁ / ‖|L||x|‖₁, which certifies a stationary state."""
        weights = self.generator.apply_magnitude(np.abs(x))
        return _ratio(self.generator.apply(x), weights, np.zeros(1), 0.0)

    def _correct(self, defect: FloatArray, rounding: FloatArray | None) -> FloatArray:
        kept = slice(None) if self.positions is None else self.positions
        inside = None if rounding is None else rounding[kept]
        x = np.zeros_like(defect)
        x[kept] = self.corrector.correct(defect[kept], inside)
        return x


def _ratio(defect: FloatArray, weights: FloatArray, source: FloatArray, magnitude: float) -> float:
    """‖defect‖₁ / (‖|L||x|‖₁ + ‖b‖₁), or 0 where both vanish.

    ``magnitude`` replaces ‖b‖₁ where it is larger: if b is a difference of large terms, its own
    rounding is relative to those.
    """
    scale = float(weights.sum()) + max(float(np.abs(source).sum()), magnitude)
    return float(np.abs(defect).sum()) / scale if scale > 0 else 0.0
