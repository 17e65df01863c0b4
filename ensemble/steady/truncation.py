"""How much of the sector to keep: a guess from a small engine, enlarged until it is certified."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.generator.sector import Sector

COMPLETE_SIZE = 6000
"""Sectors up to this size (N = 24) are kept whole: truncating them would gain little."""
PROXY_LEVELS = 16
"""Levels of the small engine whose coherences are taken as a guess for those of the large one."""
MOST_UNKNOWNS = 50_000_000
"""Unknowns that a sector may have.  The iterative solver needs some 50 numbers for each of them: 20
vectors of the Krylov basis, and as many of the state, its responses and the preconditioner."""
BYTES = 400
"""Bytes for each of many unknowns."""
MOST_LEVELS = 1_000_000
"""Levels of a spin.  Complete sectors have N³/3 elements, which 64-bit integers must count."""
AIM = 1e-3
"""Residual that a truncation aims at, relative to the tolerance: values err more than residuals."""


@dataclass(frozen=True)
class Truncation:
    """Highest coherence order and excitation numbers kept.

    Attributes
    ----------
    coherence_order, cut_1, cut_2 : int
    """

    coherence_order: int
    cut_1: int
    cut_2: int

    def sector(self, engine: Engine) -> Sector:
        """The truncated sector of an engine.

        Raises
        ------
        Unsolvable
            If it has more than ``MOST_UNKNOWNS``.
        """
        size = _size(self.coherence_order, self.cut_1, self.cut_2)
        if size > MOST_UNKNOWNS:
            raise Unsolvable(too_large(engine, size))
        return Sector(*engine.levels, self.coherence_order, self.cut_1, self.cut_2)

    def grown(
        self, engine: Engine, delta: FloatArray, defect: FloatArray, goal: float
    ) -> Truncation:
        """A larger truncation, in the direction in which a padded deviation leaks most.

        Parameters
        ----------
        engine : Engine
        delta, defect : ndarray
            δ (which, unlike ρ, has its coherences at the Carnot point too) and the defect of its
            equation, on the padded sector.
        goal : float
            Relative weight that may be neglected.
        """
        padded, leak = self.sector(engine).padded(), np.abs(defect)
        n_1, n_2 = engine.levels
        beyond = (padded.k_1 + padded.q > self.cut_1) | (padded.k_2 > self.cut_2)
        if leak[padded.q > self.coherence_order].sum() >= leak[beyond].sum():
            more = _orders_missing(padded, delta, self.coherence_order, goal)
            order = min(self.coherence_order + more, self.cut_1, self.cut_2)
            return replace(self, coherence_order=order)
        return replace(
            self,
            cut_1=min(n_1, math.ceil(1.3 * self.cut_1) + 1),
            cut_2=min(n_2, math.ceil(1.3 * self.cut_2) + 1),
        )


def complete(engine: Engine) -> Truncation:
    """The truncation that keeps everything."""
    return Truncation(min(engine.levels), *engine.levels)


def first_guess(engine: Engine, *, tolerance: float) -> Truncation:
    """Truncation expected to meet a tolerance.

    Populations fall at least as fast as the warmer bath's x^k = e^{−kE/T}, which gives the cuts.
    Coherences fall geometrically with q, at a rate that depends little on N (not at all in the
    two limits N → ∞), which gives the order: from the same engine with fewer levels.
    """
    if _size(min(engine.levels), *engine.levels) <= COMPLETE_SIZE:
        return complete(engine)
    goal = AIM * tolerance
    cut_1, cut_2 = _cuts(engine, goal)
    return Truncation(min(_coherence_order(engine, goal), cut_1, cut_2), cut_1, cut_2)


def require_size(engine: Engine) -> None:
    """Raise ``InvalidInput`` if the smallest truncation of an engine is too large; cheap."""
    largest = max(engine.levels)
    if largest > MOST_LEVELS:
        raise InvalidInput(
            f"method exact takes spins of at most {MOST_LEVELS} levels, but N = {engine.N} asks "
            f"for {largest}: choose a smaller N, or a limit N → ∞, method bosonic or macroscopic"
        )
    size = _size(1, *_cuts(engine, AIM))
    if size > MOST_UNKNOWNS:
        raise InvalidInput(too_large(engine, size))


def too_large(engine: Engine, size: int) -> str:
    """One line about a sector of so many unknowns."""
    return (
        f"method exact takes at most {MOST_UNKNOWNS:.0e} unknowns "
        f"({MOST_UNKNOWNS * BYTES / 1e9:.0f} GB), but N = {engine.N} needs {size:.0e} or more at "
        "these temperatures: choose a smaller N, or a limit N → ∞, method bosonic or macroscopic"
    )


def _size(order: int, cut_1: int, cut_2: int) -> int:
    """Σ_q (c₁+1−q)(c₂+1−q) over the orders 0 … ``order``, without building the sector."""
    m = min(order, cut_1, cut_2)
    a, b = cut_1 + 1, cut_2 + 1
    return (m + 1) * a * b - (a + b) * (m * (m + 1) // 2) + m * (m + 1) * (2 * m + 1) // 6


def _cuts(engine: Engine, goal: float) -> tuple[int, int]:
    """Excitation numbers beyond which the thermal populations weigh less than ``goal``."""
    n_1, n_2 = engine.levels
    warmest = min(engine.cold.log_ratio, engine.hot.log_ratio)
    if not warmest > 0:  # an inverted (fermionic) bath fills the upper levels: no cut
        return n_1, n_2
    cut = (math.log(max(engine.levels)) - math.log(goal)) / warmest
    return (
        (n_1, n_2) if cut > max(n_1, n_2) else (min(n_1, math.ceil(cut)), min(n_2, math.ceil(cut)))
    )


def _coherence_order(engine: Engine, goal: float) -> int:
    """Order beyond which a small engine's coherences weigh less than ``goal``."""
    from ensemble.steady.stationary import stationary  # the small engine is solved whole: no cycle

    small = stationary(_small(engine))
    sector = small.generator.sector
    weights = _weights(sector, small.delta)
    below = np.flatnonzero(weights <= goal * weights.max())
    if below.size:
        return max(int(below[0]), 1)
    # Not reached: go on at the rate seen away from the edge, where the order is nearly complete.
    last = 3 * sector.coherence_order // 4
    return last + _orders_missing(sector, small.delta, last, goal)


def _orders_missing(sector: Sector, delta: FloatArray, order: int, goal: float) -> int:
    """Orders beyond ``order`` until the weight falls to ``goal``, at the rate of its last half."""
    weights = _weights(sector, delta)
    if order < 2 or not 0 < weights[order] < weights[order // 2]:
        return order + 1
    rate = math.log(weights[order] / weights[order // 2]) / (order - order // 2)
    missing = math.ceil(math.log(goal * weights.max() / weights[order]) / rate)
    return min(max(missing, 2), order + 1)


def _weights(sector: Sector, delta: FloatArray) -> FloatArray:
    """Sum of |δ| over each coherence order."""
    orders = range(sector.coherence_order + 1)
    return np.array([np.abs(sector.block(delta, q)).sum() for q in orders])


def _small(engine: Engine) -> Engine:
    """The same engine with at most ``PROXY_LEVELS`` levels a spin, N scaled along."""
    largest = max(engine.levels)
    levels = [max(1, round(n * PROXY_LEVELS / largest)) for n in engine.levels]
    return replace(
        engine,
        N=max(1, round(engine.N * PROXY_LEVELS / largest)),
        spin_1=levels[0] / 2,
        spin_2=levels[1] / 2,
    )
