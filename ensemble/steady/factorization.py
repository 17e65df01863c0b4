"""Sparse LU of a singular generator with one element fixed at zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from ensemble.arrays import FloatArray
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.generator.generator import Generator


class Factors(Protocol):
    """LU factors of a regular matrix."""

    def solve(self, right: FloatArray) -> FloatArray: ...


class Stored(Generator, Protocol):
    """A generator whose matrix is stored."""

    @property
    def matrix(self) -> sparse.csc_array: ...

    @property
    def magnitude(self) -> sparse.csc_array: ...


@dataclass(frozen=True, eq=False)
class Factorization:
    """Solves L x = b with x[ground] = 0 for any number of right-hand sides.

    L is singular: its left null vector is the trace, its right one the stationary state.  Fixing
    one element and dropping its row, which the others imply when b is traceless, leaves a regular
    system.

    Attributes
    ----------
    generator : Stored
        L.
    factors : Factors
        Of L without the row and the column of ``ground``.
    ground : int
        The element that is fixed.
    transposed : Transposed or None
        Solves with Lᵀ by the same factors; PARDISO's are not used so.
    """

    generator: Stored
    factors: Factors
    ground: int
    transposed: Transposed | None = None

    @classmethod
    def of(cls, generator: Stored, *, ground: int, library: str = "superlu") -> Factorization:
        """Factorise a generator, element ``ground`` fixed.

        ``library`` is "superlu", "pivoted" (SuperLU that may exchange rows) or "pardiso" (the
        optional package pypardiso).

        Raises
        ------
        Unsolvable
            If a pivot vanishes or is not finite.
        """
        matrix = grounded(generator.matrix, ground)
        try:
            if library == "pardiso":
                return cls(generator, _pardiso(matrix), ground)
            factors = superlu(matrix) if library == "superlu" else _pivoted(matrix)
        except RuntimeError as failure:  # "Factor is exactly singular"
            raise Unsolvable(
                "a pivot of the factorisation vanishes in double precision: bring ω₀/Γ₀ and the "
                "baths' E/T nearer to 1"
            ) from failure
        return cls(generator, factors, ground, Transposed(generator, factors, ground))

    def correct(self, defect: FloatArray, rounding: FloatArray | None = None) -> FloatArray:
        """Solve by substitution; ``rounding`` does not matter to a direct method."""
        right = defect.copy()
        right[self.ground] = 0.0
        return self.factors.solve(right)


@dataclass(frozen=True, eq=False)
class Transposed:
    """Solves Lᵀ y = b with y[ground] = 0, for b orthogonal to the stationary state.

    As for L, the equation of the fixed element is dropped, since the others imply it.

    Attributes
    ----------
    generator : Stored
        L.
    factors : SuperLU
    ground : int
    """

    generator: Stored
    factors: linalg.SuperLU
    ground: int

    def apply(self, y: FloatArray) -> FloatArray:
        """Lᵀ y."""
        return self.generator.matrix.T @ y

    def apply_magnitude(self, y: FloatArray) -> FloatArray:
        """|Lᵀ| y."""
        return self.generator.magnitude.T @ y

    def correct(self, defect: FloatArray) -> FloatArray:
        """Solve by substitution."""
        right = defect.copy()
        right[self.ground] = 0.0
        return self.factors.solve(right, trans="T")


def grounded(matrix: sparse.csc_array, element: int) -> sparse.csc_array:
    """L with row and column of one element replaced by a diagonal number: a regular matrix.

    Every diagonal element of L has to be stored.
    """
    columns = np.repeat(np.arange(matrix.shape[1], dtype=np.int32), np.diff(matrix.indptr))
    at_element = (matrix.indices == element) | (columns == element)
    values = np.where(at_element, 0.0, matrix.data)
    values[at_element & (matrix.indices == columns)] = matrix.data.min()
    return sparse.csc_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def superlu(matrix: sparse.csc_array) -> linalg.SuperLU:
    """Factors with pivots on the diagonal, in the symmetric minimum-degree ordering.

    With row exchanges in this ordering the factors would have 50 times as many elements when the
    drive dominates the baths.  Without them accuracy may be lost.  Refinement of the solutions
    restores it; where it does not, the matrix is factorised again by `_pivoted`.
    """
    return linalg.splu(
        matrix,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )


def _pivoted(matrix: sparse.csc_array) -> linalg.SuperLU:
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
