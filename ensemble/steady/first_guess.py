"""The truncation that is tried first: cuts from the baths, coherence order from a small engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ensemble.engine import Engine
from ensemble.steady.sector_forecast import AIM, kept_whole
from ensemble.steady.truncated_solve import solve_truncated
from ensemble.steady.truncation import (
    Truncation,
    complete,
    kept_excitations,
    orders_missing,
    weights_by_order,
)

PROXY_LEVELS = 16
"""Levels of the small engine whose coherences predict those of the large one."""


def first_guess(engine: Engine, *, tolerance: float) -> Truncation:
    """Truncation expected to meet a tolerance.

    Coherences fall geometrically with q, at a rate that depends little on N (not at all in the
    two limits N → ∞).  So the order is taken from the same engine with fewer levels, which is
    solved without truncation.
    """
    if kept_whole(*engine.levels):
        return complete(engine)
    cut_1, cut_2 = kept_excitations(engine, tolerance)
    order = _coherence_order(engine, AIM * tolerance)
    return Truncation(min(order, cut_1, cut_2), cut_1, cut_2)


def _coherence_order(engine: Engine, goal: float) -> int:
    """Order beyond which a small engine's coherences weigh less than ``goal``."""
    proxy = _small(engine)
    state = solve_truncated(proxy, complete(proxy), "superlu")
    sector = state.sector
    weights = weights_by_order(sector, state.delta)
    below = np.flatnonzero(weights <= goal * weights.max())
    if below.size:
        return max(int(below[0]), 1)
    # Not reached: go on at the rate seen away from the edge, where the order is nearly complete.
    last = 3 * sector.coherence_order // 4
    return last + orders_missing(sector, state.delta, last, goal)


def _small(engine: Engine) -> Engine:
    """The same engine with at most ``PROXY_LEVELS`` levels a spin, N smaller in proportion."""
    largest = max(engine.levels)
    levels = [max(1, round(n * PROXY_LEVELS / largest)) for n in engine.levels]
    return replace(
        engine,
        N=max(1, round(engine.N * PROXY_LEVELS / largest)),
        spin_1=levels[0] / 2,
        spin_2=levels[1] / 2,
    )
