"""How much of the sector to keep: a guess from a small engine, enlarged until it is certified."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ensemble.engine import Engine
from ensemble.sector import FloatArray, Sector

COMPLETE_SIZE = 6000
"""Sectors up to this size (N = 24) are kept whole: truncating them would gain little."""
PROXY_LEVELS = 16
"""Levels of the small engine whose coherences are taken as a guess for those of the large one."""
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
        """The truncated sector of an engine."""
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
    n_1, n_2 = engine.levels
    if _complete_size(n_1, n_2) <= COMPLETE_SIZE:
        return complete(engine)
    goal = AIM * tolerance
    warmest = min(engine.cold.log_ratio, engine.hot.log_ratio)
    cut_1, cut_2 = n_1, n_2
    if warmest > 0:  # an inverted (fermionic) bath fills the upper levels: no cut
        cut = math.ceil((math.log(max(engine.levels)) - math.log(goal)) / warmest)
        cut_1, cut_2 = min(n_1, cut), min(n_2, cut)
    return Truncation(min(_coherence_order(engine, goal), cut_1, cut_2), cut_1, cut_2)


def _complete_size(n_1: int, n_2: int) -> int:
    """Σ_q (n₁+1−q)(n₂+1−q) without building the sector."""
    q = np.arange(min(n_1, n_2) + 1)
    return int(np.sum((n_1 + 1 - q) * (n_2 + 1 - q)))


def _coherence_order(engine: Engine, goal: float) -> int:
    """Order beyond which a small engine's coherences weigh less than ``goal``."""
    from ensemble.stationary import stationary  # the small engine is solved whole: no cycle

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
