"""NumPy kernel of the extrapolation to h = 0: points along the last axis, the others vectorised."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analyses._holes import alike
from analyses._labels import FloatArray

FEWEST = 3
"""Least number of points: the error of a limit is estimated from the limits that one point less and
two points less give."""
MOST = 16
"""Largest number of points in one polynomial: more points only amplify rounding errors."""
RATIOS = (1.0, 1.1, 1.2, 1.3, 1.45, 1.9)
"""Least ratios of successive h: 1 takes every point; a larger ratio amplifies rounding less."""
SAFETY = 3.0
NEIGHBOUR = 0.2
"""Error = SAFETY (first + NEIGHBOUR (second + last)), fitted to data whose limit is known; see
docs/theory/extrapolation.md."""


def weights_at_zero(h: FloatArray) -> FloatArray:
    """Weights w of the polynomial through all points: its value at h = 0 is Σ wᵢ f(hᵢ).

    Parameters
    ----------
    h : ndarray, shape (n,)
        All different, none zero.

    Returns
    -------
    ndarray, shape (n,)
        Their sum is 1; Σ|wᵢ| is the factor by which they amplify rounding.

    Examples
    --------
    >>> weights_at_zero(np.array([1.0, 0.5]))
    array([-1.,  2.])
    """
    others = np.where(np.eye(h.size, dtype=bool), np.inf, h)  # so that the factor of i itself is 1
    with np.errstate(invalid="ignore"):
        factors = others / (others - h[:, np.newaxis])
    np.fill_diagonal(factors, 1.0)
    return np.prod(factors, axis=1)


def thinned(h: FloatArray, ratio: float) -> list[int]:
    """Indices, from the smallest h up, with at least ``ratio`` between successive h.

    Examples
    --------
    >>> thinned(1 / np.arange(1.0, 9.0), 1.9)
    [7, 3, 1, 0]
    """
    kept = [h.size - 1]
    for i in range(h.size - 2, -1, -1):
        if h[i] >= ratio * h[kept[-1]] * (1 - 1e-12):  # keeps 5 and 6 for a ratio of 1.2
            kept.append(i)
    return kept


def candidates(h: FloatArray) -> list[list[int]]:
    """Index sets to extrapolate from: the smallest 3 to 16 h, all of them or thinned by a ratio."""
    found: dict[tuple[int, ...], None] = {}  # an ordered set: ratios give equal sets
    for ratio in RATIOS:
        kept = thinned(h, ratio)
        for size in range(FEWEST, min(len(kept), MOST) + 1):
            found[tuple(kept[:size])] = None
    return [list(indices) for indices in found]


class Limit(NamedTuple):
    """What `limit_at_zero` finds; all arrays have the shape of the data without the last axis.

    Attributes
    ----------
    limit, error : ndarray of float
        NaN with fewer than 3 finite values.
    rounding : ndarray of float
        The part of the error due to the accuracy of the values.
    order : ndarray of int
        Degree of the polynomial, 0 without a limit.
    n_points : ndarray of int
        Number of finite values.
    """

    limit: FloatArray
    error: FloatArray
    rounding: FloatArray
    order: NDArray[np.int64]
    n_points: NDArray[np.int64]


def limit_at_zero(values: FloatArray, h: FloatArray, *, accuracy: float) -> Limit:
    """Limit at h = 0, its error and where it comes from; points that are not finite are left out.

    Parameters
    ----------
    values : ndarray, shape (..., n)
    h : ndarray, shape (n,)
        Positive and strictly decreasing.
    accuracy : float
        Relative accuracy of the values.

    Returns
    -------
    Limit
    """
    shape, n = values.shape[:-1], h.size
    rows = values.reshape(-1, n).astype(float)
    limit, error, rounding = (np.full(rows.shape[0], np.nan) for _ in range(3))
    order = np.zeros(rows.shape[0], dtype=np.int64)
    for group, there, known in alike(rows, FEWEST):
        limit[group], error[group], rounding[group], order[group] = _best(known, h[there], accuracy)
    n_points = np.isfinite(rows).sum(axis=1)
    columns: tuple[NDArray[Any], ...] = (limit, error, rounding, order, n_points)
    return Limit(*(column.reshape(shape) for column in columns))


def _best(
    values: FloatArray, h: FloatArray, accuracy: float
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64]]:
    """The candidate of the smallest estimated error for each row of finite values, shape (m, n)."""
    chosen = candidates(h)
    full = _weights(h, chosen)
    limits = _apply(full, values)
    # Neighbours in the tableau: without the largest h, without the two largest h, and without the
    # smallest h.
    first = _apply(_weights(h, [indices[:-1] for indices in chosen]), values)
    second = _apply(_weights(h, [indices[:-2] for indices in chosen]), values)
    last = _apply(_weights(h, [indices[1:] for indices in chosen]), values)
    rounding = accuracy * _apply(np.abs(full), np.abs(values))
    beyond = np.abs(first - second) + np.abs(limits - last)
    errors = SAFETY * (np.abs(limits - first) + NEIGHBOUR * beyond) + rounding

    best = np.argmin(errors, axis=1)[:, np.newaxis]
    limit, error = (np.take_along_axis(a, best, axis=1) for a in (limits, errors))
    # The smallest of many error estimates may be too small by accident.  Its limit then differs
    # from another by more than the two errors together: the error is enlarged by that ratio.
    both = errors + error
    ratio = np.divide(np.abs(limits - limit), both, out=np.zeros_like(both), where=both > 0)
    error = error * np.maximum(1.0, ratio.max(axis=1, keepdims=True))
    orders = np.array([len(indices) - 1 for indices in chosen])
    return (
        limit[:, 0],
        error[:, 0],
        np.take_along_axis(rounding, best, axis=1)[:, 0],
        orders[best[:, 0]],
    )


def _weights(h: FloatArray, chosen: list[list[int]]) -> FloatArray:
    """Weights of each index set on all points, shape (sets, n)."""
    weights = np.zeros((len(chosen), h.size))
    for row, indices in zip(weights, chosen, strict=True):
        row[indices] = weights_at_zero(h[indices])
    return weights


def _apply(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Weighted sums, shape (m, sets); not by BLAS, whose rounding depends on the chunk's size."""
    return np.einsum("mn,cn->mc", values, weights)
