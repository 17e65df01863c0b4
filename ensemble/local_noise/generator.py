r"""The generator of one engine with local baths and dephasing, block by block of coherence order.

.. math:: \dot\rho = -i[V, \rho] + \sum_i \bigl(\gamma_{\downarrow i} D[S_i^-]
          + \gamma_{\uparrow i} D[S_i^+]\bigr)\rho
          + \sum_i \sum_n \Bigl(\tfrac{\Gamma_{\mathrm{loc}}}{\Gamma_i}
          \bigl(\gamma_{\downarrow i} D[\sigma_{in}^-] + \gamma_{\uparrow i} D[\sigma_{in}^+]\bigr)
          + \tfrac{\Gamma_\varphi}{2} D[\sigma_{in}^z]\Bigr)\rho
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.generator.generator import LinearMap
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1
from ensemble.generator.sector import ladder
from ensemble.local_noise.sector import SpinSector
from ensemble.local_noise.spins import SpinBasis, spin_parts


@dataclass(frozen=True, eq=False)
class Jump:
    """A jump term, a matrix that acts on one ensemble; ``jump @ rho`` applies it."""

    sector: SpinSector
    blocks: list[sparse.csr_array]
    cold: bool

    def __matmul__(self, rho: FloatArray) -> FloatArray:
        result = np.empty_like(rho)
        for q, matrix in enumerate(self.blocks):
            source = self.sector.block(rho, q)
            moved = matrix @ source if self.cold else (matrix @ source.T).T
            self.sector.block(result, q)[...] = moved
        return result


@dataclass(frozen=True, eq=False)
class HopAnticommutator:
    """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺); ``operator @ rho`` applies it."""

    sector: SpinSector

    def __matmul__(self, rho: FloatArray) -> FloatArray:
        result = np.zeros_like(rho)
        add_hops(self.sector, rho, result, (0.5, 0.5), signed=False)
        return result


@dataclass(frozen=True, eq=False)
class NoisyGenerator:
    r"""L of one engine on a `SpinSector`, a `Generator` that stores the ensembles' matrices only.

    Parameters
    ----------
    engine : Engine
    sector : SpinSector
    scaling : tuple of float, optional
        With (κ₁, κ₂), the similar generator W⁻¹ L W, W² = √(ρ_κ(ket) ρ_κ(bra)) of the product state
        ρ_κ ∝ exp(−κ₁k₁ − κ₂k₂).
    """

    engine: Engine
    sector: SpinSector
    scaling: tuple[float, float] | None = None

    @cached_property
    def baths(self) -> tuple[list[sparse.csr_array], list[sparse.csr_array]]:
        """Baths and dephasing of each ensemble at each coherence order."""
        cold, hot = (
            [
                bath_matrix(
                    basis,
                    (bath.gamma_down, bath.gamma_up),
                    share=share,
                    dephasing=self.engine.dephasing,
                    scaling=ratio,
                )
                for basis in bases
            ]
            for bath, share, bases, ratio in zip(
                (self.engine.cold, self.engine.hot),
                self.engine.local_shares,
                (self.sector.bases_1, self.sector.bases_2),
                self.scaling or (None, None),
                strict=True,
            )
        )
        return cold, hot

    @property
    def _drives(self) -> tuple[float, float]:
        """The drive's factors: where the ket's quantum goes from 1 to 2, and where it goes back."""
        drive = self.engine.drive
        if self.scaling is None:
            return drive, drive
        tilt = math.exp((self.scaling[0] - self.scaling[1]) / 4)
        return drive / tilt, drive * tilt

    def jump(self, part: int) -> LinearMap:
        """The jump term of emission or absorption at a bath, per unit of its collective rate.

        Collective and local jumps both count.
        """
        cold = part in (DOWN_1, UP_1)
        share = self.engine.local_shares[0 if cold else 1]
        bases = self.sector.bases_1 if cold else self.sector.bases_2
        down = part in (DOWN_1, DOWN_2)
        blocks = []
        for basis in bases:
            parts = spin_parts(basis.n, basis.q)
            collective, local = (
                (parts.down, parts.local_down) if down else (parts.up, parts.local_up)
            )
            blocks.append(sparse.csr_array(collective + share * local))
        return Jump(self.sector, blocks, cold)

    def hop_anticommutator(self) -> LinearMap:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺)."""
        return HopAnticommutator(self.sector)

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self._apply(x, self.baths, signed=True)

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x, with the absolute values of all elements of L."""
        return self._apply(x, self._magnitudes, signed=False)

    @cached_property
    def _magnitudes(self) -> tuple[list[sparse.csr_array], list[sparse.csr_array]]:
        # Both diagonals are negative: the magnitude of their sum is the sum of their magnitudes.
        cold, hot = self.baths
        return [abs(matrix) for matrix in cold], [abs(matrix) for matrix in hot]

    def _apply(
        self,
        x: FloatArray,
        baths: tuple[list[sparse.csr_array], list[sparse.csr_array]],
        *,
        signed: bool,
    ) -> FloatArray:
        y = np.empty_like(x)
        for q, (cold, hot) in enumerate(zip(*baths, strict=True)):
            source, target = self.sector.block(x, q), self.sector.block(y, q)
            target[...] = cold @ source
            target += (hot @ source.T).T
        add_hops(self.sector, x, y, self._drives, signed=signed)
        return y


def bath_matrix(
    basis: SpinBasis,
    rates: tuple[float, float],
    *,
    share: float,
    dephasing: float,
    scaling: float | None = None,
) -> sparse.csr_array:
    """One ensemble's collective and local baths with rates (γ↓, γ↑), and its dephasing.

    Local rates are ``share`` times the collective ones.
    With ``scaling`` κ it is W⁻¹ M W with W² = d_J exp(−κ (low + q/2)).  For γ↑ = γ↓ exp(−κ)
    detailed balance makes this matrix symmetric.
    """
    parts, (down, up) = spin_parts(basis.n, basis.q), rates
    jumps = down * (parts.down + share * parts.local_down)
    jumps += up * (parts.up + share * parts.local_up)
    jumps += dephasing / 2 * parts.local_z
    loss = down * (parts.down_loss + share * parts.local_down_loss)
    loss += up * (parts.up_loss + share * parts.local_up_loss)
    loss += dephasing / 2 * basis.n
    matrix = sparse.coo_array(jumps - sparse.diags_array(loss))
    if scaling is not None:
        exponent = (basis.log_multiplicity - scaling * basis.low) / 2
        matrix.data *= np.exp(exponent[matrix.col] - exponent[matrix.row])
    return sparse.csr_array(matrix)


@lru_cache(maxsize=512)
def steps(n: int, q: int) -> tuple[sparse.csr_array, sparse.csr_array]:
    """S⁻ on the ket and S⁺ on the bra of elements of order q − 1, which give elements of order q.

    The first takes (J, low + 1) to (J, low), the second leaves the lower number as it is.
    """
    target, source = SpinBasis(n, q), SpinBasis(n, q - 1)
    j, low, m = target.j, target.low, target.step
    shape, rows = (target.size, source.size), np.arange(target.size)
    amplitudes = ladder(m + 1, j), ladder(m + q, j)
    columns = source.index(j, low + 1), source.index(j, low)
    lowered, raised = (
        sparse.csr_array(sparse.coo_array((values, (rows, found)), shape=shape))
        for values, found in zip(amplitudes, columns, strict=True)
    )
    return lowered, raised


def add_hops(
    sector: SpinSector,
    x: FloatArray,
    y: FloatArray,
    drives: tuple[float, float],
    *,
    signed: bool,
) -> None:
    """Add ½ (Aᵀx − Ax − xAᵀ + xA) to y, A = S₁⁺S₂⁻, or with plus signs throughout.

    The two factors are those of the terms in which the ket's quantum goes from 1 to 2, or the bra's
    from 2 to 1, and of the others.
    """
    minus = -1.0 if signed else 1.0
    there, back = drives
    for q in range(1, sector.coherence_order + 1):
        (low_1, high_1), (low_2, high_2) = steps(sector.n_1, q), steps(sector.n_2, q)
        lower, upper = sector.block(x, q - 1), sector.block(x, q)
        target = sector.block(y, q)
        target += there / 2 * (high_2 @ (low_1 @ lower).T).T
        target += minus * back / 2 * (low_2 @ (high_1 @ lower).T).T
        # At order 0 the transposed terms, which lie outside q ≥ 0, double these.
        double = 2.0 if q == 1 else 1.0
        target = sector.block(y, q - 1)
        target += minus * double * back / 2 * (high_2.T @ (low_1.T @ upper).T).T
        target += double * there / 2 * (low_2.T @ (high_1.T @ upper).T).T
