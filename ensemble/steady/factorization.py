"""Sparse LU of a singular generator with one element grounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from ensemble.arrays import FloatArray
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.generator.liouvillian import Liouvillian


class Factors(Protocol):
    """LU factors of a regular matrix."""

    def solve(self, right: FloatArray) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class Factorization:
    """Solves L x = b with x[ground] = 0 for any number of right-hand sides.

    L is singular: its left null vector is the trace, its right one the stationary state.  Fixing
    one element and dropping its row, which the others imply when b is traceless, leaves a regular
    system.

    Attributes
    ----------
    matrix, magnitude : csc_array
        L and |L|.
    factors : Factors
    ground : int
    """

    matrix: sparse.csc_array
    magnitude: sparse.csc_array
    factors: Factors
    ground: int

    @classmethod
    def of(
        cls, generator: Liouvillian, values: FloatArray, *, ground: int, library: str = "superlu"
    ) -> Factorization:
        """Factorise the generator with these stored values, element ``ground`` fixed.

        ``library`` is "superlu", "pivoted" (SuperLU that may exchange rows) or "pardiso" (the
        optional package pypardiso).

        Raises
        ------
        Unsolvable
            If a pivot vanishes or is not finite.
        """
        indices, columns = generator.indices, generator.columns
        at_ground = (indices == ground) | (columns == ground)
        grounded = np.where(at_ground, 0.0, values)
        grounded[at_ground & (indices == columns)] = values.min()
        factorise = {"superlu": _superlu, "pivoted": _pivoted, "pardiso": _pardiso}[library]
        try:
            factors = factorise(generator.matrix(grounded))
        except RuntimeError as failure:  # "Factor is exactly singular"
            raise Unsolvable(
                "a pivot of the factorisation vanishes in double precision: bring ω₀/Γ₀ and the "
                "baths' E/T nearer to 1"
            ) from failure
        return cls(
            matrix=generator.matrix(values),
            magnitude=generator.matrix(np.abs(values)),
            factors=factors,
            ground=ground,
        )

    def correct(self, defect: FloatArray, floor: float = 0.0) -> FloatArray:
        """Solve by substitution; ``floor`` does not matter to a direct method."""
        right = defect.copy()
        right[self.ground] = 0.0
        return self.factors.solve(right)

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self.matrix @ x

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x."""
        return self.magnitude @ x


def _superlu(matrix: sparse.csc_array) -> Factors:
    """Factors with pivots on the diagonal, in the symmetric minimum-degree ordering.

    Row exchanges in this ordering would fill the factors 50 times over when the drive dominates
    the baths; what accuracy their absence costs, refinement returns, or else `_pivoted`.
    """
    return linalg.splu(
        matrix,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )


def _pivoted(matrix: sparse.csc_array) -> Factors:
    """Factors with partial pivoting, in the ordering that was made for it.

    They take about twice the time and memory of those without row exchanges (N = 30: 1 s).
    """
    return linalg.splu(matrix, permc_spec="COLAMD")


def has_pardiso() -> bool:
    """Whether pypardiso can be used."""
    try:
        import pypardiso  # noqa: F401 (the question is whether it loads)
    except ImportError:
        return False
    return True


def _pardiso(matrix: sparse.csc_array) -> Factors:
    if not has_pardiso():
        raise InvalidInput(
            "the solver pardiso needs the package pypardiso: install heatcat[fast], or choose "
            "superlu"
        )
    return _Pardiso(matrix)


class _Pardiso:
    """MKL's PARDISO behind the same interface; it frees its factors when it is dropped."""

    def __init__(self, matrix: sparse.csc_array) -> None:
        import pypardiso

        self._matrix = sparse.csr_matrix(matrix)
        self._solver: Any = pypardiso.PyPardisoSolver(mtype=11)  # real and nonsymmetric
        self._solver.factorize(self._matrix)

    def solve(self, right: FloatArray) -> FloatArray:
        return self._solver.solve(self._matrix, right)

    def __del__(self) -> None:
        solver = getattr(self, "_solver", None)
        if solver is not None:
            solver.free_memory(everything=True)
