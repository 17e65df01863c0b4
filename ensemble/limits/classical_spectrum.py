"""The slowest modes of relaxation at N → ∞ over all sectors, and the gap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ensemble.limits.bath_modes import BathModes
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.classical_state import ClassicalState
from ensemble.limits.mode_search import (
    IRRELEVANT,
    Candidate,
    ClassicalMode,
    Pool,
    candidates,
    refined,
)
from ensemble.limits.work import Work

FAR_SECTOR = 4
"""Sectors up to this difference are searched where no bound excludes them."""


@dataclass(frozen=True)
class ClassicalSpectrum:
    """The slowest mode of every sector that was searched.

    Attributes
    ----------
    modes : tuple of ClassicalMode
        One a sector, by increasing decay rate.
    others_decay_faster_than : float
        A proven bound on all sectors that were not searched; without use if it is negative.
    """

    modes: tuple[ClassicalMode, ...]
    others_decay_faster_than: float

    @property
    def gap(self) -> float:
        """−max Re λ over the sectors."""
        return self.modes[0].rate


def classical_spectrum(
    state: ClassicalState, *, tolerance: float = 1e-8, all_sectors: bool = False
) -> ClassicalSpectrum:
    r"""Slowest modes of relaxation over the sectors that may hold the slowest.

    In the Hilbert space of the baths' own density the drive is antisymmetric but for the term
    aN p/2, and \|p\| ≤ ω₀ν₁ν₂/4, so that every mode decays at least as fast as the slowest of the
    undriven sector less \|aN\| ω₀ν₁ν₂/8.  Far from equilibrium the bound is negative.  Then
    the sectors d ≤ 4 are searched; beyond them undriven modes decay four times as fast as at d = 1.

    Parameters
    ----------
    state : ClassicalState
        Its references are used.
    tolerance : float
        Relative change of an eigenvalue at which it counts as converged.
    all_sectors : bool
        Refine the slowest mode of every sector up to d = 4; by default only those that may be the
        slowest of all.

    Returns
    -------
    ClassicalSpectrum

    Raises
    ------
    Unsolvable
        If the work allowed (`work.MOST_WORK`) does not suffice to search every sector.
    """
    pair, work = state.pair, Work()
    lowered = abs(pair.affinity) * pair.flux / 2
    waiting = sorted(_undriven(pair))
    modes: dict[tuple[int, int], ClassicalMode] = {}
    slowest = math.inf
    while True:
        found: list[Candidate] = []
        left = []
        for least, difference, parity in waiting:
            known = min((candidate.rate for candidate in found), default=slowest)
            excluded = not all_sectors and least - lowered > known
            if excluded or difference > FAR_SECTOR:
                left.append((least, difference, parity))
            else:
                found += candidates(Pool.of(state, difference, parity, work), IRRELEVANT * known)
        if not found:
            break
        _refine(found, modes, tolerance, all_sectors=all_sectors)
        # A coarse rate may have been too low: what it excluded is searched again.
        slowest = min(mode.rate for mode in modes.values())
        waiting = left
    ordered = sorted(modes.values(), key=lambda mode: mode.rate)
    return ClassicalSpectrum(tuple(ordered), min(least for least, *_ in left) - lowered)


def _refine(
    found: list[Candidate],
    modes: dict[tuple[int, int], ClassicalMode],
    tolerance: float,
    *,
    all_sectors: bool,
) -> None:
    """Follow the candidates that may be the slowest, of all or of their sector, into ``modes``."""
    for candidate in sorted(found, key=lambda candidate: candidate.likely_rate):
        sector = candidate.pool.sector.difference, candidate.pool.sector.parity
        rivals = list(modes.values())
        if all_sectors:
            rivals = [modes[sector]] if sector in modes else []
        mode = refined(candidate, tolerance, min((r.rate for r in rivals), default=math.inf))
        if mode is not None and (sector not in modes or mode.rate < modes[sector].rate):
            modes[sector] = mode


def _undriven(pair: ClassicalPair) -> Iterator[tuple[float, int, int]]:
    """Slowest undriven decay rate of each sector up to one beyond `FAR_SECTOR`."""
    top = FAR_SECTOR + 1
    rates = [
        rate * y * BathModes.of(b, modes=2, orders=top).rates
        for rate, y, b in zip(pair.rates, pair.y, pair.b, strict=True)
    ]
    yield min(rates[0][0, 1], rates[1][0, 1], rates[0][1, 0] + rates[1][1, 0]), 0, 1
    yield rates[0][1, 0] + rates[1][1, 0], 0, -1
    for d in range(1, top + 1):
        yield min(rates[0][abs(m), 0] + rates[1][abs(d - m), 0] for m in range(d + 1)), d, 0
