"""Exact inverses of the baths' part of a generator, one coherence order at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh_tridiagonal, get_lapack_funcs, schur

from ensemble.arrays import FloatArray
from ensemble.generator.stencil import Band

Inverse = Callable[[FloatArray], FloatArray]


def bath_inverse(
    cold: Band, hot: Band, log_ratios: tuple[float, float], *, triangular: bool, singular: bool
) -> Inverse:
    """The map R → X with D₁ X + X D₂ᵀ = R at one coherence order.

    At q = 0 both baths have a stationary state and the sum is singular; residuals have no trace,
    hence no part along its left null vector, so that any finite factor serves there.

    Parameters
    ----------
    cold, hot : Band
        D₁ and D₂.
    log_ratios : tuple of float
        ln(down/up) of each band, which is the same on all of its steps.
    triangular : bool
        Use orthogonal triangular forms, where the eigenvectors are too ill-conditioned.
    singular : bool
        Whether both bands have a stationary state.
    """
    if triangular:
        return _by_schur(cold, hot, singular=singular)
    (left_1, right_1, values_1), (left_2, right_2, values_2) = (
        _diagonalise(band, ratio) for band, ratio in zip((cold, hot), log_ratios, strict=True)
    )
    sums = values_1[:, np.newaxis] + values_2
    if singular and sums.size > 1:
        sums.flat[sums.argmax()] = np.partition(sums, -2, axis=None)[-2]
    inverse = 1 / sums

    def solve(right: FloatArray) -> FloatArray:
        return right_1 @ ((left_1 @ right @ left_2.T) * inverse) @ right_2.T

    return solve


def _diagonalise(band: Band, log_ratio: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Left and right eigenvectors and eigenvalues of a band, D = right · diag · left.

    Detailed balance makes D symmetric after scaling with e^{−k log_ratio/2}.
    """
    values, vectors = eigh_tridiagonal(-band.loss, np.sqrt(band.down * band.up))
    scale = np.exp(-log_ratio / 2 * np.arange(band.loss.size))[:, np.newaxis]
    return vectors.T / scale.T, scale * vectors, values


def _by_schur(cold: Band, hot: Band, *, singular: bool) -> Inverse:
    """The same map for baths too cold for eigenvectors: orthogonal triangular forms instead."""
    dense = [
        np.diag(-band.loss) + np.diag(band.down, 1) + np.diag(band.up, -1) for band in (cold, hot)
    ]
    if singular:
        shift = 1e-3 * min(band.loss[-1] for band in (cold, hot)) / cold.loss.size
        dense = [matrix - shift * np.eye(len(matrix)) for matrix in dense]
    (form_1, basis_1), (form_2, basis_2) = (schur(matrix, output="real") for matrix in dense)
    (trsyl,) = get_lapack_funcs(("trsyl",), (form_1, form_2))

    def solve(right: FloatArray) -> FloatArray:
        rotated, scale, _ = trsyl(form_1, form_2, basis_1.T @ right @ basis_2, tranb="T")
        return basis_1 @ (rotated / scale) @ basis_2.T

    return solve
