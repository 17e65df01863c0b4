"""Sparse LU of a singular generator with one element grounded, refined to working precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from ensemble.sector import FloatArray

# A backward-stable solve leaves a few eps of relative residual; above this, refine.
REFINED = 8 * np.finfo(float).eps
MAX_REFINEMENTS = 4


@dataclass(frozen=True, eq=False)
class Factorization:
    """Solves L x = b with x[ground] = 0 for any number of right-hand sides.

    L is singular: its left null vector is the trace, its right one the stationary state.  Fixing
    one element and dropping its row, which the others imply when b is traceless, leaves a regular
    system.
    """

    matrix: sparse.csc_array
    magnitude: sparse.csc_array
    factors: linalg.SuperLU
    ground: int

    @classmethod
    def of(
        cls,
        values: FloatArray,
        indices: NDArray[np.int32],
        indptr: NDArray[np.int32],
        columns: NDArray[np.int32],
        *,
        ground: int,
    ) -> Factorization:
        """Factorise the CSC matrix (values, indices, indptr) with element ``ground`` fixed.

        Pivots are taken on the diagonal: that keeps the symmetric minimum-degree ordering, where
        row exchanges would fill the factors 50 times over when the drive dominates the baths.
        What accuracy this costs, iterative refinement returns.
        """
        size = indptr.size - 1
        at_ground = (indices == ground) | (columns == ground)
        grounded = np.where(at_ground, 0.0, values)
        grounded[at_ground & (indices == columns)] = values.min()
        factors = linalg.splu(
            sparse.csc_array((grounded, indices, indptr), shape=(size, size)),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        return cls(
            matrix=sparse.csc_array((values, indices, indptr), shape=(size, size)),
            magnitude=sparse.csc_array((np.abs(values), indices, indptr), shape=(size, size)),
            factors=factors,
            ground=ground,
        )

    def solve(self, source: FloatArray) -> tuple[FloatArray, float]:
        """Solution x of L x = source with x[ground] = 0, and its relative residual.

        Refinement stops at working precision or when it no longer helps; the residual returned is
        that of the solution returned.
        """
        x = np.zeros_like(source)
        best, best_residual = x, np.inf
        defect = source
        for _ in range(1 + MAX_REFINEMENTS):
            right = defect.copy()
            right[self.ground] = 0.0
            x = x + self.factors.solve(right)
            defect = source - self.matrix @ x
            residual = self.relative_residual(x, source)
            if residual < best_residual:
                best, best_residual = x, residual
            else:
                break
            if residual <= REFINED:
                break
        return best, best_residual

    def relative_residual(self, x: FloatArray, source: FloatArray | float = 0.0) -> float:
        """‖Lx − source‖₁ / (‖|L||x|‖₁ + ‖source‖₁), or 0 where both vanish."""
        scale = float((self.magnitude @ np.abs(x)).sum() + np.abs(source).sum())
        return float(np.abs(self.matrix @ x - source).sum()) / scale if scale > 0 else 0.0
