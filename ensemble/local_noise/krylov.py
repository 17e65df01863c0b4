"""Iterative solves with local noise: GMRES, preconditioned by both ensembles' baths exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import linalg

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.local_noise.generator import NoisyGenerator, bath_matrix
from ensemble.local_noise.spins import SpinBasis
from ensemble.parameters.bath import Bath
from ensemble.steady.krylov import BASIS_BYTES
from ensemble.steady.sector_forecast import MAX_ITERATIONS

REDUCTION = 1e-9
"""Residual, relative to its start, at which one pass ends; refinement repeats passes."""
GROWTH = 12.0
"""Logarithm of the largest factor by which the scaled state may grow with the excitations: one pass
then keeps ten digits, and refinement restores the others."""
SMALLEST_SCALE = 1e-140
"""Factors W below this, relative to the largest, count as 0: they change no value, and their
inverse would overflow."""


@dataclass(frozen=True, eq=False)
class NoisyKrylov:
    r"""Solves L x = b without factorising L, in x = W y.

    At fixed coherence order the baths and the dephasing of the two ensembles act on the rows and
    the columns of a matrix, so their part of L is a Kronecker sum.  With W² = √(ρ₀(ket) ρ₀(bra)),
    ρ₀ the product of the baths' thermal states, detailed balance makes both terms symmetric; they
    are inverted by orthogonal matrices, and the inverse is the preconditioner.

    If one bath is very cold, the other one fills, through the drive, levels that the cold bath
    leaves empty, and ρ/W would grow by many orders of magnitude.  There both W and the
    preconditioner are those of a warmer bath (`scaling_ratios`), whose absorption is still weak.

    Attributes
    ----------
    generator : NoisyGenerator
        W⁻¹ L W.
    scale, inverse_scale : ndarray, shape (size,)
        W and W⁻¹, both 0 where W is negligible.
    modes : list
        Eigenvectors of the two ensembles and the inverse sums of their rates, by order.
    """

    generator: NoisyGenerator
    scale: FloatArray
    inverse_scale: FloatArray
    modes: list[tuple[FloatArray, FloatArray, FloatArray]]

    @classmethod
    def of(cls, generator: NoisyGenerator) -> NoisyKrylov:
        """Prepare the preconditioner: one dense eigenproblem per ensemble and order."""
        engine, sector = generator.engine, generator.sector
        ratios = scaling_ratios(engine)
        exponent = sector.log_weight(*ratios)
        scale = np.exp((exponent - exponent.max()) / 2)
        kept = scale > SMALLEST_SCALE
        scale[~kept] = 0.0
        inverse_scale = np.zeros_like(scale)
        inverse_scale[kept] = 1 / scale[kept]
        modes = []
        for q, bases in enumerate(zip(sector.bases_1, sector.bases_2, strict=True)):
            (rates_1, vectors_1), (rates_2, vectors_2) = (
                _diagonalised(bath, basis, ratio, share=share, dephasing=engine.dephasing)
                for bath, basis, ratio, share in zip(
                    (engine.cold, engine.hot), bases, ratios, engine.local_shares, strict=True
                )
            )
            rates = rates_1[:, np.newaxis] + rates_2
            if q == 0:
                # The stationary state of both baths: residuals have no part along it, so that
                # any finite factor serves.
                rates[-1, -1] = np.partition(rates, -2, axis=None)[-2]
            modes.append((vectors_1, vectors_2, 1 / rates))
        scaled = NoisyGenerator(engine, sector, scaling=ratios)
        return cls(scaled, scale, inverse_scale, modes)

    @property
    def transposed(self) -> None:
        """GMRES is set up for L only."""
        return None

    def correct(self, defect: FloatArray, rounding: FloatArray | None = None) -> FloatArray:
        """One pass of restarted GMRES; ``rounding`` is of no use after the scaling."""
        size = defect.size
        right = self._without_trace(self.inverse_scale * defect)
        norm = float(np.linalg.norm(right))
        if norm == 0:
            return np.zeros_like(defect)
        operator = linalg.LinearOperator((size, size), matvec=self.generator.apply, dtype=float)
        baths = linalg.LinearOperator((size, size), matvec=self._invert_baths, dtype=float)
        restart = int(np.clip(BASIS_BYTES / (8 * size), 20, 150))
        y, _ = linalg.gmres(
            operator,
            right / norm,
            M=baths,
            rtol=REDUCTION,
            atol=0.0,
            restart=restart,
            maxiter=-(-MAX_ITERATIONS // restart),
        )
        return self.scale * (norm * y)  # converged or not: the caller forms the residual

    def _without_trace(self, y: FloatArray) -> FloatArray:
        """Remove rounding along the left null vector, which iterations cannot reduce."""
        first = slice(0, self.generator.sector.start[1])
        null = self.scale[first]
        y[first] -= null * ((null @ y[first]) / (null @ null))
        return y

    def _invert_baths(self, x: FloatArray) -> FloatArray:
        y = np.empty_like(x)
        sector = self.generator.sector
        for q, (one, two, inverse) in enumerate(self.modes):
            inner = (one.T @ sector.block(x, q) @ two) * inverse
            sector.block(y, q)[...] = one @ inner @ two.T
        return y


def scaling_ratios(engine: Engine) -> tuple[float, float]:
    r"""Ratios κᵢ = ln(γ↓/γ↑) of the baths that W and the preconditioner belong to.

    .. math:: |\kappa_i| = \min(|\ell_i|, 2 (\ell + g/n_i))

    with ℓ the smaller of |ℓ₁| and |ℓ₂|, or 0 if one bath is inverted: populations fall at least as
    fast as exp(−ℓk), so that ρ/W grows by exp(g) at most.

    Examples
    --------
    >>> engine = Engine(N=20, E_1=8, delta_E=0, T_mean=4.5, delta_T=7, omega_0=1, Gamma_0=1)
    >>> [bath.log_ratio for bath in (engine.cold, engine.hot)], scaling_ratios(engine)
    ([8.0, 1.0], (3.2, 1.0))
    """
    ratios = engine.cold.log_ratio, engine.hot.log_ratio
    least = min(abs(ratio) for ratio in ratios) if ratios[0] * ratios[1] > 0 else 0.0
    first, second = (
        math.copysign(min(abs(ratio), 2 * (least + GROWTH / n)), ratio)
        for ratio, n in zip(ratios, engine.levels, strict=True)
    )
    return first, second


def _diagonalised(
    bath: Bath, basis: SpinBasis, ratio: float, *, share: float, dephasing: float
) -> tuple[FloatArray, FloatArray]:
    """Rates, ascending, and orthogonal modes of one ensemble, its bath at a ratio of its own."""
    if ratio >= 0:
        down = bath.gamma_down
        up = down * math.exp(-ratio)
    else:
        up = bath.gamma_up
        down = up * math.exp(ratio)
    matrix = bath_matrix(basis, (down, up), share=share, dephasing=dephasing, scaling=ratio)
    dense = matrix.toarray()
    return eigh((dense + dense.T) / 2, overwrite_a=True)  # symmetric up to rounding
