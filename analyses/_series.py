"""Whether data follow a series in h: NumPy kernel, points along the last axis.

Eliminating h, h², … from f = f∞ + c₁h + c₂h² + … leaves remainders that fall as h², h³, …, each
one order faster than the last.  Another power or a logarithm is not eliminated: from some column
of Neville's tableau on, the remainder keeps its order.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analyses._holes import alike
from analyses._labels import FloatArray
from analyses._richardson import FEWEST as FEWEST_FOR_LIMIT
from analyses._richardson import SAFETY, limit_at_zero, thinned

COLUMNS = 6
"""Powers of h that are eliminated at most."""
RATIO = 1.2
"""Least ratio of successive h: between closer points the differences are lost in rounding."""
FEWEST = 5
"""Number of points that are needed to see the order in the second column."""
RESOLVED = 100.0
"""A difference is used if it exceeds its rounding error this many times."""
SHARE = 0.6
"""The order of the last column must be at least this fraction of the order that a series has."""
DEEP = 4
"""From this column on, the previous column is judged as well."""
SLOWEST = 0.25
"""If all changes have one sign and fall off with a lower order than this, the data cannot be told
from a logarithm, which has no limit."""
WINDOW = 3
"""The order is a median over so many of the last points."""


class SeriesStatus(IntEnum):
    """Whether the data follow the series."""

    SERIES = 0
    """The order rises with the columns, or the remainder is below the accuracy of the data."""
    TOO_FEW_POINTS = 1
    """No limit: fewer than 3 finite points."""
    NOT_JUDGED = 2
    """Too few points to see the order, or their accuracy hides it."""
    NOT_A_SERIES = 3
    """The order does not rise as it should: another power, a logarithm, noise, or N too small."""
    NOT_CONVERGING = 4
    """The values drift without slowing down: no limit is in sight."""


class Series(NamedTuple):
    """What `judge` finds, one entry a row.

    Attributes
    ----------
    status : ndarray of int8
    observed : ndarray of float
        Order in h of the remainder in the last column that is resolved; NaN if none is.
    expected : ndarray of int
        Order that it has in a series; 0 if none is resolved.
    error : ndarray of float
        Lower bound on the error of the limit: 0 for a series.
    """

    status: NDArray[np.int8]
    observed: FloatArray
    expected: NDArray[np.int64]
    error: FloatArray


def judge(values: FloatArray, h: FloatArray, limit: FloatArray, *, accuracy: float) -> Series:
    """Compare the orders of the columns of Neville's tableau.

    Parameters
    ----------
    values : ndarray, shape (m, n)
        Finite.
    h : ndarray, shape (n,)
        Positive and strictly decreasing.
    limit : ndarray, shape (m,)
        The limit whose error is judged.
    accuracy : float
        Relative accuracy of the values.

    Returns
    -------
    Series

    Examples
    --------
    >>> N = np.array([4.0, 6, 8, 12, 16, 24, 32, 48])
    >>> data = np.stack([1 + 1 / (N + 1), 1 + 1 / np.sqrt(N)])
    >>> found = judge(data, 1 / N, np.ones(2), accuracy=1e-12)
    >>> found.status, found.observed.round(1), found.expected
    (array([0, 3], dtype=int8), array([5.4, 0.4]), array([6, 6]))
    """
    kept = thinned(h, RATIO)[::-1]
    if len(kept) < FEWEST:
        kept = list(range(h.size))
    values, h = values[:, kept], h[kept]
    m, n = values.shape
    status = np.full(m, SeriesStatus.NOT_JUDGED, dtype=np.int8)
    observed, error = np.full(m, np.nan), np.zeros(m)
    expected = np.zeros(m, dtype=np.int64)
    if n < FEWEST:
        return Series(status, observed, expected, error)

    orders = np.full((COLUMNS + 1, m), np.nan)
    doubts = np.zeros(m)  # largest change of the limit by the eliminations
    other = np.full(m, np.nan)  # limit if the remainder falls with the observed order
    clear = np.ones(m, dtype=bool)  # every column so far is resolved
    n_smooth = np.zeros(m, dtype=np.int64)  # resolved columns whose differences have one sign
    finished = np.zeros(m, dtype=bool)  # a column is below the rounding: nothing is left
    table, weight = values, np.abs(values)
    for column in range(min(COLUMNS, n - 3) + 1):
        if column:
            far, near = h[: n - column], h[column:]
            table = (far * table[:, 1:] - near * table[:, :-1]) / (far - near)
            weight = (far * weight[:, 1:] + near * weight[:, :-1]) / (far - near)
        width = n - column
        # The remainder of a series is proportional to the product of the points' h.
        place = np.array([np.log(h[i : i + column + 1]).mean() for i in range(width)])
        difference = np.diff(table, axis=1)
        rounding = accuracy * (weight[:, 1:] + weight[:, :-1])
        last = slice(-WINDOW - 1, None)
        seen = np.abs(difference[:, last]) > RESOLVED * rounding[:, last]
        finished |= clear & ~seen.any(axis=1)
        clear &= seen.all(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.log(np.abs(difference) / np.abs(np.diff(place)))
            middle = (place[1:] + place[:-1]) / 2
            order = np.median((np.diff(slope, axis=1) / np.diff(middle))[:, -WINDOW:], axis=1)
            growth = np.expm1(order * (place[-2] - place[-1]))
            other = np.where(clear, table[:, -1] + difference[:, -1] / growth, other)
        orders[column] = np.where(clear, order, np.nan)
        expected = np.where(clear, column + 1, expected)
        steady = np.all(difference[:, last] > 0, axis=1) | np.all(difference[:, last] < 0, axis=1)
        if column == 0:
            one_way = steady
        else:
            n_smooth += clear & steady
            doubts = np.where(clear, np.maximum(doubts, np.abs(table[:, -1] - limit)), doubts)

    deepest = np.maximum(expected - 1, 0)
    observed = np.take_along_axis(orders, deepest[np.newaxis], axis=0)[0]
    raw = orders[0]
    before = np.take_along_axis(orders, np.maximum(deepest - 1, 0)[np.newaxis], axis=0)[0]
    # Where a remainder crosses zero, the order of one column is wrong.  So two columns are used, if
    # there are enough of them that another power would have kept its order in both.
    by_two = (deepest >= DEEP) & (before >= SHARE * (expected - 1))
    rises = ((observed >= SHARE * expected) | by_two) & (2 * n_smooth >= deepest)
    status[finished] = SeriesStatus.SERIES
    judged = (deepest >= 2) & ~finished
    status[judged] = np.where(rises, SeriesStatus.SERIES, SeriesStatus.NOT_A_SERIES)[judged]
    drifts = (status == SeriesStatus.NOT_A_SERIES) & one_way & (raw <= SLOWEST)
    status[drifts] = SeriesStatus.NOT_CONVERGING

    falling = observed > 0
    by_order = np.where(falling, np.abs(other - limit), np.abs(values[:, -1] - limit))
    spread = np.ptp(values[:, n // 2 :], axis=1)
    scattered = np.where((raw <= 0) | ~falling, spread, 0.0)
    doubt = np.maximum(np.maximum(SAFETY * by_order, doubts), scattered)
    error = np.where(status == SeriesStatus.NOT_A_SERIES, doubt, error)
    error = np.where(status == SeriesStatus.NOT_CONVERGING, np.inf, error)
    return Series(status, observed, expected, error)


def limit_of_series(
    values: FloatArray, h: FloatArray, *, accuracy: float
) -> tuple[NDArray[np.generic], ...]:
    """`limit_at_zero` with its error enlarged where the data do not follow the series.

    Parameters
    ----------
    values : ndarray, shape (..., n)
    h : ndarray, shape (n,)
        Positive and strictly decreasing.
    accuracy : float
        Relative accuracy of the values.

    Returns
    -------
    limit, error, rounding, order, n_points, observed, expected, status : ndarray, shape (...)
        The first five as of `Limit`, the others as of `Series`.
    """
    shape, n = values.shape[:-1], h.size
    rows = values.reshape(-1, n).astype(float)
    limit, error, rounding, order, n_points = limit_at_zero(rows, h, accuracy=accuracy)
    m = rows.shape[0]
    status = np.full(m, SeriesStatus.TOO_FEW_POINTS, dtype=np.int8)
    observed, expected = np.full(m, np.nan), np.zeros(m, dtype=np.int64)
    for group, there, known in alike(rows, FEWEST_FOR_LIMIT):
        found = judge(known, h[there], limit[group], accuracy=accuracy)
        status[group], observed[group], expected[group] = found[:3]
        error[group] = np.maximum(error[group], found.error)
    columns = limit, error, rounding, order, n_points, observed, expected, status
    return tuple(column.reshape(shape) for column in columns)
