"""Averages of many pairs: similar ones are solved together, on the modes of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ensemble.arrays import IntArray
from ensemble.errors import Unsolvable
from ensemble.limits.classical_averages import ClassicalAverages
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.mode_selection import classical_state
from ensemble.limits.near_pairs import NearPairs, central, coordinates, halved
from ensemble.limits.near_selection import near_averages

WIDEST = 2.0
"""Range of the logarithm of a ratio of parameters within a group."""
MOST_PAIRS = 128
"""Pairs of a group, so that memory is bounded."""
LEAST_PAIRS = 8
"""Pairs that are solved together in less time than one by one."""
ROUNDS = 2
"""Times that the pairs which are left over are grouped once more."""


def averages_together(
    pairs: Sequence[ClassicalPair], *, tolerance: float
) -> list[ClassicalAverages | None]:
    """Averages of pairs; None for each that is to be solved by itself.

    Parameters
    ----------
    pairs : sequence of ClassicalPair
    tolerance : float
        As of `classical_state`; each pair meets it on the modes of its group.
    """
    found: list[ClassicalAverages | None] = [None] * len(pairs)
    left = [position for position, pair in enumerate(pairs) if pair.drive > 0]
    for _ in range(ROUNDS):
        again: list[int] = []
        for group in groups([pairs[position] for position in left]):
            members = [left[i] for i in group.tolist()]
            solved = _group_averages([pairs[position] for position in members], tolerance)
            for position, averages in zip(members, solved, strict=False):
                found[position] = averages
                again += [position] if averages is None else []
        left = sorted(again)
    return found


def _group_averages(
    pairs: Sequence[ClassicalPair], tolerance: float
) -> Sequence[ClassicalAverages | None]:
    """Averages of similar pairs; none at all if the one in the middle is not solved."""
    try:
        state = classical_state(pairs[central(coordinates(pairs))], tolerance=tolerance)
        if state.smaller is None or not (state.complete and state.change <= tolerance):
            return []
        start = np.zeros(state.sector.shape, dtype=bool)
        start[tuple(slice(n) for n in state.smaller.shape)] = state.smaller
        return near_averages(NearPairs.like(pairs, state), start, tolerance=tolerance)
    except (Unsolvable, ArithmeticError, np.linalg.LinAlgError):
        return []


def groups(pairs: Sequence[ClassicalPair]) -> Iterator[IntArray]:
    """Positions of pairs that are similar, with equal shares, ``LEAST_PAIRS`` or more at a time."""
    if not pairs:
        return
    places = coordinates(pairs)
    shares = np.array([pair.share for pair in pairs])
    for share in np.unique(shares, axis=0):
        alike = np.flatnonzero((shares == share).all(axis=1))
        parts = halved(alike, places, widest=WIDEST, most=MOST_PAIRS)
        yield from (part for part in parts if part.size >= LEAST_PAIRS)
