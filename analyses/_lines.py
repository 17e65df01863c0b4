"""NumPy kernel of all straight-line fits: points along the last axis, every other axis vectorised.

The data are computed, not measured.  The residuals of a smooth curve are systematic, but a standard
error is defined for random ones: it does not say how much the slope depends on the points chosen.
Instead the range of the slope is reported, over shorter windows and from point to point.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analyses._holes import alike
from analyses._labels import FloatArray

FEWEST = 3
"""Any two points lie on a line."""
SHARE = 0.5
"""Windows that a slope is compared over span at least this part of the range of the fit."""


class Lines(NamedTuple):
    """Least-squares lines; all arrays have the shape of the data without the last axis.

    Attributes
    ----------
    slope, intercept : ndarray of float
        NaN with fewer than 3 points.
    low, high : ndarray of float
        Least and largest slope over the windows of successive points, 3 or more, that span at
        least half of the range of x; all points are one of these windows.
    n_windows : ndarray of int
        Their number.
    local_low, local_high : ndarray of float
        Least and largest local slope, by second-order differences at the points of the fit.
    deviation : ndarray of float
        Largest |residual|.
    first, last : ndarray of int
        Positions of the first and the last point of the fit; −1 without one.
    n_points : ndarray of int
        Number of finite points; there is a fit if it is 3 or more.
    """

    slope: FloatArray
    intercept: FloatArray
    low: FloatArray
    high: FloatArray
    n_windows: NDArray[np.int64]
    local_low: FloatArray
    local_high: FloatArray
    deviation: FloatArray
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    n_points: NDArray[np.int64]


def fit_lines(x: FloatArray, y: FloatArray) -> Lines:
    """Least-squares lines through the finite points of y(x), which may differ from row to row.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Strictly increasing.
    y : ndarray, shape (..., n)
        Points that are not finite are left out.

    Returns
    -------
    Lines

    Examples
    --------
    >>> found = fit_lines(np.arange(5.0), np.array([0.0, 3.0, np.nan, 3.0, 0.0]))
    >>> float(found.slope), float(found.deviation), int(found.n_points)
    (0.0, 1.5, 4)
    >>> round(float(found.low), 12), round(float(found.high), 12), float(found.local_high)
    (-0.857142857143, 0.857142857143, 4.0)
    """
    shape, n = y.shape[:-1], x.size
    rows = y.reshape(-1, n)
    m = rows.shape[0]
    none, nan = np.full(m, -1), np.full(m, np.nan)
    found: dict[str, NDArray[Any]] = {name: nan.copy() for name in Lines._fields}
    found |= {"first": none, "last": none.copy(), "n_windows": np.zeros(m, dtype=np.int64)}
    found["n_points"] = np.isfinite(rows).sum(axis=1)
    for group, there, values in alike(rows, FEWEST):
        at = x[there]
        slope, intercept, deviation = straight_line(at, values)
        residual = values - slope[:, np.newaxis] * at - intercept[:, np.newaxis]
        change, n_windows = _range_over_windows(at, residual)
        local = np.gradient(values, at, axis=-1, edge_order=2)
        places = np.flatnonzero(there)
        columns: dict[str, Any] = {
            "slope": slope,
            "intercept": intercept,
            "low": slope + np.minimum(change[0], 0.0),
            "high": slope + np.maximum(change[1], 0.0),
            "n_windows": n_windows,
            "local_low": local.min(axis=-1),
            "local_high": local.max(axis=-1),
            "deviation": deviation,
            "first": places[0],
            "last": places[-1],
        }
        for name, column in columns.items():
            found[name][group] = column
    return Lines(**{name: column.reshape(shape) for name, column in found.items()})


def straight_line(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope, intercept and largest |residual| of the least-squares line through all points.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Not all equal.
    y : ndarray, shape (..., n)

    Returns
    -------
    slope, intercept, deviation : ndarray, shape (...)
        NaN where y has a NaN.

    Examples
    --------
    >>> slope, intercept, deviation = straight_line(np.arange(3.0), np.array([0.0, 3.0, 0.0]))
    >>> float(slope), float(intercept), float(deviation)
    (0.0, 1.0, 2.0)
    """
    dx = x - x.mean()
    mean = y.mean(axis=-1, keepdims=True)
    dy = y - mean
    slope = np.sum(dx * dy, axis=-1) / np.sum(dx * dx)
    residual = dy - slope[..., np.newaxis] * dx
    return slope, mean[..., 0] - slope * x.mean(), np.max(np.abs(residual), axis=-1)


def _range_over_windows(
    x: FloatArray, residual: FloatArray
) -> tuple[tuple[FloatArray, FloatArray], int]:
    """Least and largest slope of the residuals over the windows of `Lines`, and their number.

    The slope of the whole fit is subtracted first: with it the sums below would lose digits.
    """
    least = SHARE * (x[-1] - x[0]) * (1 - 1e-12)  # a window of exactly half counts despite rounding
    low = np.full(residual.shape[0], np.inf)
    high = -low
    count = 0
    for start in range(x.size - FEWEST + 1):
        wide = (x[start:] - x[start] >= least) & (np.arange(x.size - start) >= FEWEST - 1)
        if not wide.any():
            break
        dx = x[start:] - x[start:].mean()
        y = residual[:, start:]
        n = np.arange(1, dx.size + 1)
        sum_x, sum_y = np.cumsum(dx), np.cumsum(y, axis=-1)
        covariance = (np.cumsum(dx * y, axis=-1) - sum_x * sum_y / n)[:, wide]
        slopes = covariance / (np.cumsum(dx * dx) - sum_x**2 / n)[wide]
        low = np.minimum(low, slopes.min(axis=-1))
        high = np.maximum(high, slopes.max(axis=-1))
        count += int(wide.sum())
    return (low, high), count
