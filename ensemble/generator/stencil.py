"""The generator applied without being assembled: slices of the blocks of each coherence order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1
from ensemble.generator.sector import Sector, ladder
from ensemble.parameters.bath import Bath


@dataclass(frozen=True)
class Band:
    """One bath on one index of a block: a tridiagonal matrix, the same for ket and bra.

    Attributes
    ----------
    down, up : ndarray, shape (size − 1,)
        Elements above and below the diagonal: emission k+1 → k and absorption k → k+1.
    loss : ndarray, shape (size,)
        Minus the diagonal.
    """

    down: FloatArray
    up: FloatArray
    loss: FloatArray

    @classmethod
    def of(cls, bath: Bath, top: int, cut: int, q: int, *, closed: bool) -> Band:
        """The band at coherence order q; ``closed``: nothing is lost across the cut.

        The ladder operators of a closed band end at the cut, so that it is a generator itself.  An
        open band is a block of the untruncated generator.
        """
        k = np.arange(cut + 1 - q)
        step = ladder(k[1:], top) * ladder(k[1:] + q, top)
        rise, bra_rise = ladder(k + 1, top), ladder(k + 1 + q, top)
        if closed:
            bra_rise = np.where(k + q < cut, bra_rise, 0.0)
            rise = np.where(k < cut, rise, 0.0)
        loss = bath.gamma_down * (ladder(k, top) ** 2 + ladder(k + q, top) ** 2) / 2
        loss += bath.gamma_up * (rise**2 + bra_rise**2) / 2
        return cls(bath.gamma_down * step, bath.gamma_up * step, loss)

    def scaled(self, log_ratio: float) -> Band:
        """The band of elements over e^{−k log_ratio/2}."""
        factor = np.exp(log_ratio / 2)
        return Band(self.down / factor, self.up * factor, self.loss)

    def apply(self, x: FloatArray) -> FloatArray:
        """D x, shape (size, columns)."""
        y = -self.loss[:, np.newaxis] * x
        y[:-1] += self.down[:, np.newaxis] * x[1:]
        y[1:] += self.up[:, np.newaxis] * x[:-1]
        return y


@dataclass(frozen=True)
class Jump:
    """ρ → S ρ S† of one bath's emission or absorption; ``jump @ rho`` applies it."""

    sector: Sector
    part: int

    def __matmul__(self, rho: FloatArray) -> FloatArray:
        sector, cold = self.sector, self.part in (DOWN_1, UP_1)
        top, cut = (sector.n_1, sector.cut_1) if cold else (sector.n_2, sector.cut_2)
        result = np.zeros_like(rho)
        for q in range(sector.coherence_order + 1):
            source, target = sector.block(rho, q), sector.block(result, q)
            k = np.arange(1, cut + 1 - q)
            step = ladder(k, top) * ladder(k + q, top)
            if cold:
                source, target = source.T, target.T
            if self.part in (DOWN_1, DOWN_2):
                target[:, :-1] += step * source[:, 1:]
            else:
                target[:, 1:] += step * source[:, :-1]
        return result


@dataclass(frozen=True)
class HopAnticommutator:
    """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺); ``operator @ rho`` applies it."""

    sector: Sector

    def __matmul__(self, rho: FloatArray) -> FloatArray:
        result = np.zeros_like(rho)
        for q in range(self.sector.coherence_order + 1):
            _add_hops(self.sector, rho, result, q, 0.5, signed=False)
        return result


@dataclass(frozen=True)
class Stencil:
    """L of one engine on a sector, a `Generator` that stores no matrix.

    Parameters
    ----------
    engine : Engine
    sector : Sector
    closed : bool
        Let the ladder operators end at the cuts, so that a truncated generator conserves the
        trace; otherwise it is the block of the whole generator.
    log_ratio : float
        Elements are those over e^{−(k₁+k₂) log_ratio/2}; this factor does not change the drive.
    """

    engine: Engine
    sector: Sector
    closed: bool = False
    log_ratio: float = 0.0

    def __post_init__(self) -> None:
        self.engine.require_collective("this generator")

    @cached_property
    def bands(self) -> list[tuple[Band, Band]]:
        """Bands of the cold and the hot bath at each coherence order."""
        cold, hot, sector = self.engine.cold, self.engine.hot, self.sector
        ratio = self.log_ratio
        return [
            (
                Band.of(cold, sector.n_1, sector.cut_1, q, closed=self.closed).scaled(ratio),
                Band.of(hot, sector.n_2, sector.cut_2, q, closed=self.closed).scaled(ratio),
            )
            for q in range(sector.coherence_order + 1)
        ]

    def jump(self, part: int) -> Jump:
        """The jump term of a dissipator part, ρ → S ρ S†."""
        return Jump(self.sector, part)

    def hop_anticommutator(self) -> HopAnticommutator:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺)."""
        return HopAnticommutator(self.sector)

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self._apply(x, signed=True)

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x, with the absolute values of all elements of L."""
        return self._apply(x, signed=False)

    def _apply(self, x: FloatArray, *, signed: bool) -> FloatArray:
        y = np.empty_like(x)
        sector = self.sector
        for q, (cold, hot) in enumerate(self.bands):
            source, target = sector.block(x, q), sector.block(y, q)
            loss = cold.loss[:, np.newaxis] + hot.loss
            np.multiply(source, -loss if signed else loss, out=target)
            target[:-1] += cold.down[:, np.newaxis] * source[1:]
            target[1:] += cold.up[:, np.newaxis] * source[:-1]
            target[:, :-1] += hot.down * source[:, 1:]
            target[:, 1:] += hot.up * source[:, :-1]
            _add_hops(sector, x, y, q, self.engine.drive, signed=signed)
        return y


def _add_hops(
    sector: Sector, x: FloatArray, y: FloatArray, q: int, drive: float, *, signed: bool
) -> None:
    """Add drive/2 · (Aᵀx − Ax − xAᵀ + xA) at order q to y, or with plus signs throughout.

    Rows i are k₁, columns j are k₂ − q, so that k₁ + q = i + q and k₂ = j + q.
    """
    minus = -1.0 if signed else 1.0
    target = sector.block(y, q)
    rows, columns = target.shape
    n_1, n_2 = sector.n_1, sector.n_2
    i, j = np.arange(rows), np.arange(columns)
    if q > 0:
        lower = sector.block(x, q - 1)
        half = drive / 2
        target += np.outer(half * ladder(i + 1, n_1), ladder(j + q, n_2)) * lower[1:, :-1]
        target += np.outer(minus * half * ladder(i + q, n_1), ladder(j + 1, n_2)) * lower[:-1, 1:]
    if q < sector.coherence_order:
        higher = sector.block(x, q + 1)
        # At q = 0 the transposed terms, which lie outside q ≥ 0, double these.
        weight = drive if q == 0 else drive / 2
        i, j = i[1:], j[1:]
        target[1:, :-1] += np.outer(minus * weight * ladder(i, n_1), ladder(j + q, n_2)) * higher
        target[:-1, 1:] += np.outer(weight * ladder(i + q, n_1), ladder(j, n_2)) * higher
