"""Iterative solves at large N: GMRES on the even coherence orders, baths inverted exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import linalg

from ensemble.arrays import FloatArray
from ensemble.generator.stencil import Stencil
from ensemble.steady.bath_inverse import Inverse, bath_inverse
from ensemble.steady.hops import Hops
from ensemble.steady.sector_forecast import (
    MAX_ITERATIONS,
    WELL_SCALED,
    common_ratio,
    largest_fall,
)

BASIS_BYTES = 2e9
"""Memory allowed for the Krylov basis; beyond it GMRES restarts earlier."""
LONGEST_BASIS = 150
ACHIEVABLE = 1e-11
"""Least residual, relative to its start, at which one pass ends; refinement repeats passes.

The inverse of the baths is applied with rounding errors that grow with N: they leave a relative
residual of 1e-12 at N = 256 and of 2e-11 at N = 512 (Fig. 7), and below it a pass takes iterations
that gain nothing.  A second pass, from the defect of the first, reaches working precision sooner.
"""


@dataclass(frozen=True, eq=False)
class Krylov:
    r"""Solves L x = b on a truncated sector without factorising L.

    At fixed coherence order the two baths act on the two indices of a matrix, so their part of L
    is a Kronecker sum D₁ ⊗ 1 + 1 ⊗ D₂ of tridiagonal matrices and is inverted exactly by
    diagonalising both.  The drive K changes the order by one.  So the odd orders are eliminated,

    .. math:: (D_e - K_{eo} D_o^{-1} K_{oe}) x_e = b_e - K_{eo} D_o^{-1} b_o,

    and GMRES solves for D_e x_e: half as many iterations, and vectors half as long, as for all
    orders.  Elements are scaled by w = e^{−l(k₁+k₂)/2}, l the smaller of ln(γ↓/γ↑) of the baths:
    K stays as it is, D is nearly symmetric, and its eigenvectors are well-conditioned unless one
    bath is much colder than the other.  The number of iterations is set by ω₀/Γ₀ and hardly grows
    with N; an iteration costs of the order of Q N³ operations.

    Attributes
    ----------
    generator : Stencil
        The closed generator on the truncated sector: it conserves the trace.  Scaled by w.
    weight : ndarray, shape (size,)
        w, at most 1.
    inverses : list of callable
        Inverse of the scaled baths' part at each coherence order.
    to_even, to_odd : Hops
        K_eo and K_oe.
    reduction : float
        Residual that one pass aims at, relative to its start.  Eigenvectors of unlike baths are
        ill-conditioned: with them a pass does not reach a smaller residual, however many
        iterations it takes.
    """

    generator: Stencil
    weight: FloatArray
    inverses: list[Inverse]
    to_even: Hops
    to_odd: Hops
    reduction: float

    @classmethod
    def of(cls, generator: Stencil) -> Krylov:
        """Prepare the preconditioner: one small eigenproblem per bath and coherence order."""
        engine, sector = generator.engine, generator.sector
        ratios = engine.cold.log_ratio, engine.hot.log_ratio
        ratio = float(common_ratio(sector.cut_1, sector.cut_2, *ratios))
        fall = float(largest_fall(sector.cut_1, sector.cut_2, *ratios))
        scaled = replace(generator, log_ratio=ratio)
        left = ratios[0] - ratio, ratios[1] - ratio
        inverses = [
            bath_inverse(*bands, left, triangular=fall > WELL_SCALED, singular=q == 0)
            for q, bands in enumerate(scaled.bands)
        ]
        exponent = -ratio / 2 * (sector.k_1 + sector.k_2)
        rounding = np.finfo(float).eps * np.exp(min(fall, WELL_SCALED) / 2)
        return cls(
            generator=scaled,
            weight=np.exp(exponent - exponent.max()),
            inverses=inverses,
            to_even=Hops.to(0, sector, engine.drive),
            to_odd=Hops.to(1, sector, engine.drive),
            reduction=float(np.clip(1e2 * rounding, ACHIEVABLE, 1e-5)),
        )

    @property
    def transposed(self) -> None:
        """GMRES is set up for L only."""
        return None

    def correct(self, defect: FloatArray, rounding: FloatArray | None = None) -> FloatArray:
        """One pass of restarted GMRES, down to the rounding in the defect."""
        sector, w = self.generator.sector, self.weight
        right = defect / w
        # No solution changes the trace; what a truncation has lost of it shows in the residual.
        populations = slice(0, sector.start[1])
        ground = int(w[populations].argmax())
        right[ground] -= defect[populations].sum() / w[ground]
        norm = float(np.linalg.norm(right))
        if norm == 0:
            return np.zeros_like(defect)
        right /= norm  # GMRES compares squares with the smallest numbers
        floor = 0.0 if rounding is None else float(np.linalg.norm(rounding / w)) / norm
        even, odd = self._stacked(right, 0), self._stacked(right, 1)
        source = even - self.to_even(self._inverted(odd, 1))
        size = source.size
        restart = int(np.clip(BASIS_BYTES / (8 * size), 20, LONGEST_BASIS))
        u, _ = linalg.gmres(
            linalg.LinearOperator((size, size), matvec=self._reduced, dtype=float),
            source.ravel(),
            rtol=self.reduction,
            atol=floor,
            restart=restart,
            maxiter=-(-MAX_ITERATIONS // restart),
        )  # converged or not: the caller forms the residual
        even = self._inverted(u.reshape(even.shape), 0)
        odd = self._inverted(odd - self.to_odd(even), 1)
        return norm * w * self._flat(even, odd)

    def _reduced(self, u: FloatArray) -> FloatArray:
        """u = D_e x_e → (D_e − K_eo D_o⁻¹ K_oe) x_e, on the stacked even orders."""
        image = u.reshape(self.to_even.factors[0].shape).copy()
        x = self._inverted(image, 0)
        # D was made regular at q = 0: there it is applied to what its inverse gave.
        cold, hot = self.generator.bands[0]
        image[0] = cold.apply(x[0]) + hot.apply(x[0].T).T
        image -= self.to_even(self._inverted(self.to_odd(x), 1))
        return image.ravel()

    def _inverted(self, stack: FloatArray, parity: int) -> FloatArray:
        """The baths' part inverted, on the stacked orders of one parity."""
        result = np.zeros_like(stack)
        for m, q in enumerate(range(parity, self.generator.sector.coherence_order + 1, 2)):
            rows, columns = self.generator.sector.shape(q)
            result[m, :rows, :columns] = self.inverses[q](stack[m, :rows, :columns])
        return result

    def _stacked(self, x: FloatArray, parity: int) -> FloatArray:
        """The blocks of the even or of the odd orders, as `Hops` takes them."""
        sector = self.generator.sector
        orders = range(parity, sector.coherence_order + 1, 2)
        stack = np.zeros((len(orders), sector.cut_1 + 1, sector.cut_2 + 1))
        for m, q in enumerate(orders):
            rows, columns = sector.shape(q)
            stack[m, :rows, :columns] = sector.block(x, q)
        return stack

    def _flat(self, even: FloatArray, odd: FloatArray) -> FloatArray:
        """The vector of both stacks."""
        sector = self.generator.sector
        x = np.empty(sector.size)
        for q in range(sector.coherence_order + 1):
            rows, columns = sector.shape(q)
            sector.block(x, q)[...] = (odd if q % 2 else even)[q // 2, :rows, :columns]
        return x
