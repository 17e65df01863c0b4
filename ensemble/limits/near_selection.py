"""The modes on which similar pairs are solved: those that any of them needs."""

from __future__ import annotations

import math

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.errors import Unsolvable
from ensemble.limits.block_tridiagonal import Mask
from ensemble.limits.classical_averages import ClassicalAverages
from ensemble.limits.mode_selection import MARKED, SLOW, enlarged, reached, relative_change
from ensemble.limits.near_pairs import Densities, NearPairs
from ensemble.limits.near_states import NearStates

MOST_ENLARGEMENTS = 5
"""Selections that are tried; a pair that needs more is not similar enough."""
MOST_MODES = 4000
"""Modes of a selection at most, which bounds the memory to some hundred MB."""
ACCURACY = 1e-3
"""What iterations may leave, relative to the tolerance."""
COUNTED = 1e-2
"""The same for the counts at the baths, which are compared to fewer digits."""
TAIL = 0.3
"""Tail that is allowed, relative to that of one pair by itself.

The tail of one pair falls so fast that the last change is an upper limit of the error.  On modes
that were chosen for others, too, a change may be small by chance.
"""
ROUNDED = 1e-13
"""Least that they can be asked for."""


def near_averages(
    near: NearPairs, selection: Mask, *, tolerance: float
) -> list[ClassicalAverages | None]:
    """The averages of similar pairs on common modes; None for a pair that is not certified.

    The modes are those of a selection and all that a pair misses on it, and so on, until the
    averages and the tail of each pair meet the conditions of `mode_selection.classical_state`.

    Parameters
    ----------
    near : NearPairs
    selection : ndarray of bool, shape ``near.sector.shape``
        The modes to start with.
    tolerance : float
    """
    found: list[ClassicalAverages | None] = [None] * len(near.pairs)
    left = np.arange(len(near.pairs))
    accuracy = max(ACCURACY * tolerance, ROUNDED)
    before: FloatArray | None = None
    guesses: tuple[FloatArray, FloatArray] | None = None
    tail: FloatArray | None = None
    reach = 0
    for _ in range(MOST_ENLARGEMENTS):
        if selection.sum() > MOST_MODES:
            break
        states = NearStates.solved(near, selection, accuracy, guesses)
        now, missed = states.averages, states.missed()
        earlier, tail = tail, np.sqrt(sum((part**2).sum(axis=(0, 2)) for part in missed))
        done = np.zeros(left.size, dtype=bool)
        if before is not None:
            change = relative_change(before, now)
            done = (change <= tolerance) & (tail <= TAIL * math.sqrt(tolerance))
            done &= states.residual <= tolerance
            if done.any():
                counts = states.counts(max(COUNTED * tolerance, ROUNDED))
                done &= [max(c.residual for c in both) <= tolerance for both in counts]
                for position in np.flatnonzero(done).tolist():
                    found[left[position]] = states.averages_of(
                        position, now, float(change[position]), float(tail[position]), counts
                    )
        if done.all():
            break
        kept = np.flatnonzero(~done)
        if earlier is not None and np.any(tail[kept] > SLOW * earlier[kept]):
            reach += 1
        marked = _marked([part[:, kept] for part in missed], selection.shape)
        larger = enlarged(selection, reached(marked, reach))
        left, before, tail = left[kept], now[:, kept], tail[kept]
        try:
            wider = near[kept].enlarged(larger.shape)
        except Unsolvable:  # too many harmonics
            break
        signs = near.signs_in(wider)[selection][:, np.newaxis]
        guesses = (
            _embedded(signs * states.deviation[:, kept], selection, larger),
            _embedded(signs * states.response[:, kept], selection, larger),
        )
        near, selection = wider, larger
    return found


def _marked(missed: Densities, shape: tuple[int, ...]) -> Mask:
    """The modes that any pair misses most, as `mode_selection` marks those of one."""
    limit = MARKED * np.max([part.max(axis=(0, 2)) for part in missed], axis=0)[:, np.newaxis]
    marked = np.zeros(shape, dtype=bool)
    for b, part in enumerate(missed):
        K_1, _, K_2 = part.shape
        marked[b, :K_1, :K_2] = (part > limit).any(axis=1)
    return marked


def _embedded(x: FloatArray, selection: Mask, larger: Mask) -> FloatArray:
    """Densities on a selection in a larger one, shape (modes, pairs)."""
    before = np.zeros(larger.shape, dtype=bool)
    before[tuple(slice(n) for n in selection.shape)] = selection
    places = before[larger]
    found = np.zeros((places.size, x.shape[1]))
    found[places] = x
    return found
