"""Points that lie far apart among the engines of a block."""

from __future__ import annotations

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.together.engines import Engines

LEAST_RANGE = 1e-9
"""Coordinates that vary less than this count as constant."""


def coordinates(engines: Engines) -> FloatArray:
    """What the states of engines of one size depend on, each from 0 to 1, shape (points, number).

    These are γ↑/γ↓ and ln γ↓ of both baths, in units of the drive.
    """
    cold, hot = engines.bright_baths
    unit = np.where(engines.drive > 0, engines.drive, cold.Gamma_0)
    found = [bath.gamma_up / bath.gamma_down for bath in (cold, hot)]
    found += [np.log(bath.gamma_down / unit) for bath in (cold, hot)]
    kept = []
    for values in found:
        low, high = values.min(), values.max()
        if high - low > LEAST_RANGE:
            kept.append((values - low) / (high - low))
    return np.stack(kept, axis=1) if kept else np.zeros((engines.points, 1))


def spread(places: FloatArray, number: int) -> IntArray:
    """Positions of some points, each as far as can be from those before it.

    Examples
    --------
    >>> spread(np.array([[0.0], [0.1], [0.5], [0.9]]), 3).tolist()
    [3, 0, 2]
    """
    distance = np.linalg.norm(places - places.mean(axis=0), axis=1)
    chosen = []
    for position in range(min(number, len(places))):
        chosen.append(int(distance.argmax()))
        to_last = np.linalg.norm(places - places[chosen[-1]], axis=1)
        distance = to_last if position == 0 else np.minimum(distance, to_last)
    return np.array(chosen)


def edged(places: FloatArray) -> FloatArray:
    """Coordinates in which points as dense as the zeros of Chebyshev polynomials lie evenly.

    An analytic function is interpolated best from points that are denser at the edges.
    """
    return np.asarray(np.arccos(1 - 2 * places) / np.pi)


def worst(
    error: FloatArray, places: FloatArray, number: int, *, goal: float, radius: float
) -> IntArray:
    """Positions of the largest errors beyond a goal, those near a chosen one counting less.

    Parameters
    ----------
    error : ndarray, shape (points,)
    places : ndarray, shape (points, number of coordinates)
    number : int
        Most points.
    goal : float
    radius : float
        Distance within which a new vector of the basis will reduce the error.
    """
    left = np.where(np.isfinite(error), error, np.finfo(float).max)
    left = np.log(np.maximum(left / goal, 1e-300))
    chosen: list[int] = []
    while len(chosen) < number and left.max(initial=0.0) > 0:
        chosen.append(int(left.argmax()))
        distance = np.linalg.norm(places - places[chosen[-1]], axis=1)
        left = left * (1 - np.exp(-((distance / radius) ** 2)))
        left[chosen[-1]] = 0.0
    return np.array(chosen, dtype=int)
