"""Truncation of a sector: what is kept, in which direction it grows, and its largest size."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.generator.sector import Sector
from ensemble.steady.sector_forecast import excitation_cuts, sector_size

MOST_UNKNOWNS = 50_000_000
"""Unknowns that a sector may have.  The iterative solver needs some 50 numbers for each of them: 20
vectors of the Krylov basis, and as many of the state, its responses and the preconditioner."""
BYTES = 400
"""Bytes for each of many unknowns."""
MOST_LEVELS = 1_000_000
"""Levels of a spin.  Complete sectors have N³/3 elements, which 64-bit integers must count."""


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
        size = float(sector_size(self.coherence_order, self.cut_1, self.cut_2))
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
            more = orders_missing(padded, delta, self.coherence_order, goal)
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


def require_size(engine: Engine) -> None:
    """Raise ``InvalidInput`` if the smallest truncation of an engine is too large; cheap."""
    largest = max(engine.levels)
    if largest > MOST_LEVELS:
        raise InvalidInput(
            f"method exact takes spins of at most {MOST_LEVELS} levels, but N = {engine.N} asks "
            f"for {largest}: choose a smaller N, or a limit N → ∞, method bosonic or macroscopic"
        )
    if (largest + 1) ** 3 <= MOST_UNKNOWNS:  # not even the complete sector can be larger
        return
    size = float(sector_size(1, *kept_excitations(engine, 1.0)))
    if size > MOST_UNKNOWNS:
        raise InvalidInput(too_large(engine, size))


def too_large(engine: Engine, size: float) -> str:
    """One line about a sector of so many unknowns."""
    return (
        f"method exact takes at most {MOST_UNKNOWNS:.0e} unknowns "
        f"({MOST_UNKNOWNS * BYTES / 1e9:.0f} GB), but N = {engine.N} needs {size:.0e} or more at "
        "these temperatures: choose a smaller N, or a limit N → ∞, method bosonic or macroscopic"
    )


def kept_excitations(engine: Engine, tolerance: float) -> tuple[int, int]:
    """Excitation numbers of the spins that a tolerance requires (`excitation_cuts`)."""
    ratios = engine.cold.log_ratio, engine.hot.log_ratio
    cut_1, cut_2 = excitation_cuts(*engine.levels, *ratios, tolerance=tolerance)
    return int(cut_1), int(cut_2)


def orders_missing(sector: Sector, delta: FloatArray, order: int, goal: float) -> int:
    """Orders beyond ``order`` until the weight falls to ``goal``, at the rate of its last half."""
    weights = weights_by_order(sector, delta)
    if order < 2 or not 0 < weights[order] < weights[order // 2]:
        return order + 1
    rate = math.log(weights[order] / weights[order // 2]) / (order - order // 2)
    missing = math.ceil(math.log(goal * weights.max() / weights[order]) / rate)
    return min(max(missing, 2), order + 1)


def weights_by_order(sector: Sector, delta: FloatArray) -> FloatArray:
    """Sum of |δ| over each coherence order."""
    orders = range(sector.coherence_order + 1)
    return np.array([np.abs(sector.block(delta, q)).sum() for q in orders])
