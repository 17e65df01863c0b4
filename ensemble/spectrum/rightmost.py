"""The eigenvectors of a sparse generator that decay most slowly, by Arnoldi iteration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs, expm_multiply

from ensemble.arrays import ComplexArray, FloatArray

SUBSPACE = 40
"""Dimension of the plain Krylov space, beyond the number of vectors wanted."""
RESTARTS = 100
"""Restarts before a search is given up: some 3000 products for the plain one."""
TOLERANCE = 1e-12
"""Accuracy that ARPACK is asked for, relative to the eigenvalue of its operator."""
HORIZON = 0.5
"""τ of the filtered search, in slowest decay times of an undriven spin: modes that decay a few
times faster are damped enough to converge in one or two cycles."""


@dataclass(frozen=True, eq=False)
class Traceless:
    """The generator on the traceless elements, where the stationary eigenvalue is exactly absent.

    A reflection turns the left null vector into one coordinate, ``pivot``, which is left out.  In
    a sector without trace nothing is left out.
    """

    matrix: sparse.csr_array
    mirror: FloatArray
    pivot: int | None

    @classmethod
    def of(cls, matrix: sparse.csr_array, trace: FloatArray) -> Traceless:
        if not trace.any():
            return cls(matrix, trace, None)
        mirror = trace / np.linalg.norm(trace)
        pivot = int(mirror.argmax())
        mirror[pivot] += 1  # all elements are ≥ 0: no cancellation
        return cls(matrix, mirror / np.linalg.norm(mirror), pivot)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.matrix.shape[0] - (self.pivot is not None)

    def lift(self, y: NDArray) -> NDArray:
        """The element of the sector that coordinates y stand for (columns, if y is a matrix)."""
        if self.pivot is None:
            return y
        x = np.insert(y, self.pivot, 0.0, axis=0)
        return x - 2 * np.multiply.outer(self.mirror, self.mirror @ x)

    def lower(self, x: NDArray) -> NDArray:
        """Coordinates of a traceless element."""
        if self.pivot is None:
            return x
        y = x - 2 * np.multiply.outer(self.mirror, self.mirror @ x)
        return np.delete(y, self.pivot, axis=0)

    def dense(self) -> FloatArray:
        """The generator as a dense matrix over the coordinates."""
        return self.lower(self.lower(self.matrix.toarray()).T).T


def rightmost(space: Traceless, wanted: int) -> ComplexArray:
    """Arnoldi iteration for the largest real parts, whatever the imaginary parts are.

    Returns
    -------
    ndarray, shape (space.size, wanted) or (space.size, 0)
        Coordinates of eigenvectors, or none if the search did not converge.
    """

    def apply(y: FloatArray) -> FloatArray:
        return space.lower(space.matrix @ space.lift(y))

    return _arnoldi(apply, space.size, wanted, which="LR", subspace=SUBSPACE + wanted)


def rightmost_filtered(space: Traceless, wanted: int, rate: float) -> ComplexArray:
    """Arnoldi iteration on exp(τL), whose largest eigenvalues are those with the largest real part.

    It takes ‖L‖τ products at every step and converges at any strength of the drive.  ``rate`` is
    the slowest decay rate of an undriven spin, τ = HORIZON/rate.
    """
    scaled = space.matrix * (HORIZON / rate)
    shift = scaled.diagonal().sum()

    def apply(y: FloatArray) -> FloatArray:
        return space.lower(expm_multiply(scaled, space.lift(y), traceA=shift))

    return _arnoldi(apply, space.size, wanted, which="LM", subspace=2 * wanted + 10)


def largest_subspace(wanted: int) -> int:
    """Dimension that a space must exceed for either search."""
    return SUBSPACE + 2 * wanted


def _arnoldi(
    apply: Callable[[FloatArray], FloatArray], size: int, wanted: int, *, which: str, subspace: int
) -> ComplexArray:
    """Eigenvectors from ARPACK, all of them or none; the start is the same every time.

    If only some converged, the slowest mode may be among the others.
    """
    start = np.random.default_rng(0).normal(size=size)
    try:
        return eigs(
            LinearOperator((size, size), matvec=apply, dtype=float),
            k=wanted,
            which=which,
            v0=start,
            ncv=subspace,
            maxiter=RESTARTS,
            tol=TOLERANCE,
        )[1]
    except ArpackError:
        return np.empty((size, 0), dtype=complex)
