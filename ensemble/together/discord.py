"""Quantum discord of many two-spin states, with the certificate of the one of a single state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.arrays import FloatArray, IntArray
from ensemble.correlations.information import GAP, gained_information

MOST_ARCS = 2**10
"""Open arcs of one state at which it is left to `bracketed_discord`."""
MOST_ROUNDS = 40
_ANGLES = np.linspace(0, np.pi / 2, 17)


def discord(
    p_1: FloatArray,
    p_2: FloatArray,
    covariance: FloatArray,
    w: FloatArray,
    populations: FloatArray,
    *,
    quantum: FloatArray,
    mutual: FloatArray,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Discord with spin 2 measured, as of `PairState.discord_measuring`, shape (points,).

    Parameters
    ----------
    p_1, p_2, covariance, w : ndarray, shape (points,)
        Excitation probabilities, their covariance, and modulus of the coherence.
    populations : ndarray, shape (points, 4)
    quantum, mutual : ndarray, shape (points,)
        Relative entropy of coherence and mutual information.

    Returns
    -------
    value : ndarray
    found : ndarray of bool
        False where the bracket did not close here.
    """
    polarised = 2 * p_1 - 1
    along = (p_2 * polarised + 2 * covariance) * (2 * covariance - (1 - p_2) * polarised)
    axis = (w == 0) | (w * w <= along)
    up_up, up_down, down_up, down_down = np.sqrt(populations.T)
    across = np.abs(covariance) <= w * (up_up * down_down + up_down * down_up)
    value, found = np.array(quantum), np.ones(w.shape, dtype=bool)
    equator = np.flatnonzero(~axis & across)
    if equator.size:
        right_angle = np.full(equator.size, np.pi / 2)
        state = p_1[equator], p_2[equator], covariance[equator], w[equator]
        gain = gained_information(right_angle, np.ones(equator.size), *state)
        value[equator] = np.maximum(mutual[equator] - gain, 0.0)
    rest = np.flatnonzero(~(axis | across))
    if rest.size:
        state = p_1[rest], p_2[rest], covariance[rest], w[rest]
        value[rest], found[rest] = _bracketed(*state, mutual[rest], quantum[rest])
    return value, found


def _bracketed(
    kept: FloatArray,
    measured: FloatArray,
    covariance: FloatArray,
    w: FloatArray,
    mutual: FloatArray,
    quantum: FloatArray,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Branch and bound as `bracketed_discord`, the arcs of all states in one list."""
    points, arcs = w.size, _ANGLES.size - 1

    def gain(theta: FloatArray, length: FloatArray, of: IntArray) -> FloatArray:
        return gained_information(theta, length, kept[of], measured[of], covariance[of], w[of])

    ceiling = np.minimum(mutual, special.entr(kept) + special.entr(1 - kept))
    every = np.repeat(np.arange(points), _ANGLES.size)
    values = gain(np.tile(_ANGLES, points), np.ones(every.size), every).reshape(points, -1)
    best, angle = values.max(axis=1), _ANGLES[values.argmax(axis=1)]
    owner = np.repeat(np.arange(points), arcs)
    left, right = np.tile(_ANGLES[:-1], points), np.tile(_ANGLES[1:], points)
    at_left, at_right = values[:, :-1].ravel(), values[:, 1:].ravel()
    found = np.ones(points, dtype=bool)
    for _ in range(MOST_ROUNDS):
        corner = gain((left + right) / 2, 1 / np.cos((right - left) / 2), owner)
        above = np.maximum(np.maximum(at_left, at_right), np.minimum(corner, ceiling[owner]))
        allowed = best + GAP * np.maximum(mutual - best, 0.0) + 32 * np.finfo(float).eps * mutual
        open_ = above > allowed[owner]
        crowded = np.bincount(owner[open_], minlength=points) > MOST_ARCS
        found &= ~crowded
        open_ &= ~crowded[owner]
        if not open_.any():
            break
        owner, left, right, at_left, at_right = (
            x[open_] for x in (owner, left, right, at_left, at_right)
        )
        middle = (left + right) / 2
        at_middle = gain(middle, np.ones(middle.size), owner)
        _improve(best, angle, owner, middle, at_middle)
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        at_left, at_right = (
            np.concatenate([at_left, at_middle]),
            np.concatenate([at_middle, at_right]),
        )
        owner = np.concatenate([owner, owner])
    else:
        found[owner] = False
    return np.where(angle == 0, quantum, np.maximum(mutual - best, 0.0)), found


def _improve(
    best: FloatArray, angle: FloatArray, owner: IntArray, at: FloatArray, value: FloatArray
) -> None:
    """Take over better values and their angles, in place."""
    order = np.lexsort((-value, owner))
    owners, first = np.unique(owner[order], return_index=True)
    top = order[first]
    better = value[top] > best[owners]
    best[owners[better]] = value[top][better]
    angle[owners[better]] = at[top][better]
