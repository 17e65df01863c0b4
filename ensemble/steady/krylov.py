"""Iterative solves at large N: GMRES, preconditioned by the exact inverse of the two baths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal, get_lapack_funcs, schur
from scipy.sparse import linalg

from ensemble.arrays import FloatArray
from ensemble.generator.stencil import Band, Stencil
from ensemble.steady.sector_forecast import WELL_SCALED, largest_fall

MAX_ITERATIONS = 300
BASIS_BYTES = 2e9
"""Memory allowed for the Krylov basis; beyond it GMRES restarts earlier."""


@dataclass(frozen=True, eq=False)
class Krylov:
    r"""Solves L x = b on a truncated sector without factorising L.

    At fixed coherence order the two baths act on the two indices of a matrix, so their part of L
    is a Kronecker sum D₁ ⊗ 1 + 1 ⊗ D₂ of tridiagonal matrices and is inverted exactly by
    diagonalising both.  With this as preconditioner the number of GMRES iterations is set by
    ω₀/Γ₀ and hardly grows with N; an iteration costs of the order of Q N³ operations.

    Attributes
    ----------
    generator : Stencil
        The closed generator on the truncated sector: it conserves the trace.
    blocks : list of callable
        Inverse of the baths' part at each coherence order.
    reduction : float
        Residual that one pass aims at, relative to its start; refinement does the rest.
        Eigenvectors of cold baths are ill-conditioned: with them a pass does not reach a smaller
        residual, however many iterations it takes.
    """

    generator: Stencil
    blocks: list[Callable[[FloatArray], FloatArray]]
    reduction: float

    @classmethod
    def of(cls, generator: Stencil) -> Krylov:
        """Prepare the preconditioner: one small eigenproblem per bath and coherence order."""
        log_ratios = generator.engine.cold.log_ratio, generator.engine.hot.log_ratio
        sector = generator.sector
        fall = float(largest_fall(sector.cut_1, sector.cut_2, *log_ratios))
        blocks = [
            _bath_inverse(*bands, log_ratios, triangular=fall > WELL_SCALED, singular=q == 0)
            for q, bands in enumerate(generator.bands)
        ]
        rounding = np.finfo(float).eps * np.exp(min(fall, WELL_SCALED) / 2)
        return cls(generator, blocks, float(np.clip(1e4 * rounding, 1e-10, 1e-5)))

    @property
    def transposed(self) -> None:
        """GMRES is set up for L only."""
        return None

    def correct(self, defect: FloatArray, floor: float) -> FloatArray:
        """One pass of restarted GMRES."""
        size = self.generator.sector.size
        operator = linalg.LinearOperator((size, size), matvec=self.generator.apply, dtype=float)
        baths = linalg.LinearOperator((size, size), matvec=self._invert_baths, dtype=float)
        restart = int(np.clip(BASIS_BYTES / (8 * size), 20, 150))
        norm = float(np.abs(defect).sum())
        if norm == 0:
            return np.zeros_like(defect)
        x, _ = linalg.gmres(
            operator,
            defect / norm,  # scaled, since GMRES compares squares with the smallest numbers
            M=baths,
            rtol=self.reduction,
            atol=floor / norm,
            restart=restart,
            maxiter=-(-MAX_ITERATIONS // restart),
        )
        return norm * x  # converged or not: the caller forms the residual

    def _invert_baths(self, x: FloatArray) -> FloatArray:
        y = np.empty_like(x)
        sector = self.generator.sector
        for q, inverse in enumerate(self.blocks):
            sector.block(y, q)[...] = inverse(sector.block(x, q))
        return y


def _bath_inverse(
    cold: Band, hot: Band, log_ratios: tuple[float, float], *, triangular: bool, singular: bool
) -> Callable[[FloatArray], FloatArray]:
    """The map R → X with D₁ X + X D₂ᵀ = R at one coherence order.

    At q = 0 both baths have a stationary state and the sum is singular; residuals have no trace,
    hence no part along its left null vector, so that any finite factor will do there.
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

    Detailed balance makes D symmetric after scaling with x^{k/2}, x = γ↑/γ↓.
    """
    values, vectors = eigh_tridiagonal(-band.loss, np.sqrt(band.down * band.up))
    scale = np.exp(-log_ratio / 2 * np.arange(band.loss.size))[:, np.newaxis]
    return vectors.T / scale.T, scale * vectors, values


def _by_schur(cold: Band, hot: Band, *, singular: bool) -> Callable[[FloatArray], FloatArray]:
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
