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
from ensemble.limits.near_states import near_averages

WIDEST = 2.0
"""Range of the logarithm of a ratio of parameters within a group."""
MOST_PAIRS = 128
"""Pairs of a group, so that memory is bounded."""
LEAST_PAIRS = 4
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
    for _ in range(ROUNDS):
        left = [i for i, pair in enumerate(pairs) if found[i] is None and pair.drive > 0]
        for group in groups([pairs[i] for i in left]):
            members = [left[i] for i in group.tolist()]
            solved = _group_averages([pairs[i] for i in members], tolerance)
            for member, averages in zip(members, solved, strict=True):
                found[member] = averages
    return found


def _group_averages(
    pairs: Sequence[ClassicalPair], tolerance: float
) -> Sequence[ClassicalAverages | None]:
    nothing = [None] * len(pairs)
    try:
        state = classical_state(pairs[central(coordinates(pairs))], tolerance=tolerance)
        if state.smaller is None or not (state.complete and state.change <= tolerance):
            return nothing
        start = np.zeros(state.sector.shape, dtype=bool)
        start[tuple(slice(n) for n in state.smaller.shape)] = state.smaller
        return near_averages(NearPairs.like(pairs, state), start, tolerance=tolerance)
    except (Unsolvable, ArithmeticError, np.linalg.LinAlgError):
        return nothing


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
