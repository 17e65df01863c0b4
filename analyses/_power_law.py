"""NumPy kernels of the exponents: labels along the last axis, every other axis vectorised."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analyses._holes import alike
from analyses._labels import FloatArray
from analyses._lines import FEWEST, fit_lines, straight_line

TOLERANCES = (0.5, 1.0, 2.0)
"""The spread of an exponent is taken over the tolerance times each of these factors."""
SHORTEST = 0.5
"""The spread is also taken over sweeps that end at this part of the largest label or later."""


class FitStatus(IntEnum):
    """Whether there is a fit, and if not, why."""

    FITTED = 0
    TOO_FEW_LABELS = 1
    """Fewer labels than a fit needs have a finite value."""
    ZERO_OR_SIGN_CHANGE = 2
    """The value is zero, or changes its sign, among the labels that any fit would need."""
    NOT_STRAIGHT = 3
    """No window with enough labels follows a power law within the tolerance."""


def log_and_sign(power: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ln|P| and the sign of P, both NaN where P is zero or not finite: there is no logarithm."""
    usable = np.where(np.isfinite(power) & (power != 0), power, np.nan)
    return np.log(np.abs(usable)), np.sign(usable)


def one_sign(values: FloatArray, *, fewest: int = FEWEST) -> tuple[FloatArray, NDArray[np.int8]]:
    """ln|values| of the rows that a line can be fitted to; for the others, the reason why not.

    Parameters
    ----------
    values : ndarray, shape (..., n)
    fewest : int
        Number of finite values that a fit needs.

    Returns
    -------
    log : ndarray, shape (..., n)
        NaN at holes, and throughout rows with fewer than ``fewest`` finite values, a zero or both
        signs.
    status : ndarray of int8, shape (...)
        `FitStatus`.

    Examples
    --------
    >>> log, status = one_sign(np.array([[1.0, np.nan, 1.0, 1.0], [1.0, -1.0, 1.0, 1.0]]))
    >>> log[0], status
    (array([ 0., nan,  0.,  0.]), array([0, 2], dtype=int8))
    """
    finite = np.isfinite(values)
    few = finite.sum(axis=-1) < fewest
    positive = np.all(~finite | (values > 0), axis=-1)
    negative = np.all(~finite | (values < 0), axis=-1)
    status = np.where(positive | negative, FitStatus.FITTED, FitStatus.ZERO_OR_SIGN_CHANGE)
    status = np.where(few, FitStatus.TOO_FEW_LABELS, status).astype(np.int8)
    log, _ = log_and_sign(values)
    return np.where((status == FitStatus.FITTED)[..., np.newaxis], log, np.nan), status


def fit_logarithm(values: FloatArray, *, x: FloatArray, labels: FloatArray) -> tuple[Any, ...]:
    """Line through ln|values| against x, with what `analyses._fits` reports of it.

    Parameters
    ----------
    values : ndarray, shape (..., n)
    x, labels : ndarray, shape (n,)
        Abscissa, a function of the labels.

    Returns
    -------
    tuple of ndarray, shape (...)
        Slope, its extremes over windows and their number, extremes of the local slope, first and
        last label, number of labels in the fit and of holes, largest |residual|, status.
    """
    log, status = one_sign(values)
    found = fit_lines(x, log)
    fitted = status == FitStatus.FITTED
    return (
        *(found.slope, found.low, found.high, found.n_windows),
        *(found.local_low, found.local_high),
        np.where(fitted, labels[found.first], np.nan),
        np.where(fitted, labels[found.last], np.nan),
        np.where(fitted, found.n_points, 0),
        (~np.isfinite(values)).sum(axis=-1),
        found.deviation,
        status,
    )


class AboveSaturation(NamedTuple):
    """What `fit_above_saturation` finds; all arrays have the shape of the data without labels."""

    exponent: FloatArray
    low: FloatArray
    high: FloatArray
    n_fits: NDArray[np.int64]
    local_low: FloatArray
    local_high: FloatArray
    N_sat: FloatArray
    first: FloatArray
    last: FloatArray
    n_points: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    deviation: FloatArray
    status: NDArray[np.int8]


def fit_above_saturation(
    power: FloatArray, labels: FloatArray, *, tolerance: float, min_points: int
) -> AboveSaturation:
    """Fit above the smallest N_sat for which a line in ln N holds within the tolerance.

    Parameters
    ----------
    power : ndarray, shape (..., n)
        Labels whose value is not finite are holes: the fit leaves them out.
    labels : ndarray, shape (n,)

    Returns
    -------
    AboveSaturation
        Where no window qualifies: NaN, no points, and a status that says why; the deviation is
        then the smallest that any window of at least ``min_points`` labels has.
    """
    shape, n = power.shape[:-1], labels.size
    rows = power.reshape(-1, n)
    m = rows.shape[0]
    found: dict[str, NDArray[Any]] = {name: np.full(m, np.nan) for name in AboveSaturation._fields}
    found |= {name: np.zeros(m, dtype=np.int64) for name in ("n_fits", "n_points", "n_missing")}
    found["status"] = np.full(m, FitStatus.TOO_FEW_LABELS, dtype=np.int8)
    for group, there, values in alike(rows, min_points):
        here = _fit_alike(values, labels, there, tolerance, min_points)
        for name, column in here.items():
            found[name][group] = column
    return AboveSaturation(**{name: column.reshape(shape) for name, column in found.items()})


def _fit_alike(
    values: FloatArray,
    labels: FloatArray,
    known: NDArray[np.bool_],
    tolerance: float,
    min_points: int,
) -> dict[str, NDArray[Any]]:
    """Columns of `AboveSaturation` for rows with values at the same labels, the known ones."""
    there = labels[known]
    log_labels = np.log(there)
    log_power, sign = log_and_sign(values)
    same_sign = sign == sign[:, -1:]
    (slope,), (start,), least = _longest(log_labels, log_power, same_sign, (tolerance,), min_points)
    has_fit = start >= 0
    not_straight = np.isfinite(least)
    status = np.where(not_straight, FitStatus.NOT_STRAIGHT, FitStatus.ZERO_OR_SIGN_CHANGE)
    N_sat, first_label, last_label, local_low, local_high = (
        np.full(values.shape[0], np.nan) for _ in range(5)
    )
    n_points, n_missing = (np.zeros(values.shape[0], dtype=np.int64) for _ in range(2))
    deviation = least.copy()
    for first in np.unique(start[has_fit]):
        at = start == first
        below = there[first - 1] if first else 0.0
        N_sat[at], first_label[at], last_label[at] = below, there[first], there[-1]
        n_points[at] = there.size - first
        n_missing[at] = np.sum((labels > below) & ~known)
        x, y = log_labels[first:], log_power[at, first:]
        local = np.gradient(y, x, axis=-1, edge_order=2)
        if first:  # a label below the fit makes the first difference a central one
            wider = np.gradient(log_power[at, first - 1 :], log_labels[first - 1 :], axis=-1)
            local[:, 0] = np.where(np.isfinite(wider[:, 1]), wider[:, 1], local[:, 0])
        local_low[at], local_high[at] = local.min(axis=-1), local.max(axis=-1)
        deviation[at] = straight_line(x, y)[2]
    low, high, n_fits = _alternatives(
        there, log_power, same_sign, tuple(factor * tolerance for factor in TOLERANCES), min_points
    )
    return {
        "exponent": slope,
        "low": np.where(has_fit, low, np.nan),
        "high": np.where(has_fit, high, np.nan),
        "n_fits": np.where(has_fit, n_fits, 0),
        "local_low": local_low,
        "local_high": local_high,
        "N_sat": N_sat,
        "first": first_label,
        "last": last_label,
        "n_points": n_points,
        "n_missing": n_missing,
        "deviation": deviation,
        "status": np.where(has_fit, FitStatus.FITTED, status),
    }


def _alternatives(
    labels: FloatArray,
    log_power: FloatArray,
    same_sign: NDArray[np.bool_],
    tolerances: tuple[float, ...],
    min_points: int,
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Least and largest exponent over tolerances and ends of the sweep, and how many there are."""
    found = []
    for end in range(labels.size, min_points - 1, -1):
        if labels[end - 1] < SHORTEST * labels[-1]:
            break
        signs = same_sign[:, :end] == same_sign[:, end - 1 : end]
        found.append(
            _longest(np.log(labels[:end]), log_power[:, :end], signs, tolerances, min_points)[0]
        )
    exponents = np.concatenate(found)
    there = np.isfinite(exponents)
    low = np.min(np.where(there, exponents, np.inf), axis=0)
    high = np.max(np.where(there, exponents, -np.inf), axis=0)
    return low, high, there.sum(axis=0)


def _longest(
    log_labels: FloatArray,
    log_power: FloatArray,
    same_sign: NDArray[np.bool_],
    tolerances: tuple[float, ...],
    min_points: int,
) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
    """Slope and first position of the longest window within each tolerance, to the last point.

    Returns
    -------
    slope : ndarray, shape (tolerances, m)
    start : ndarray of int, shape (tolerances, m)
        −1 where no window qualifies.
    least : ndarray, shape (m,)
        Smallest deviation of the windows that were tried (of all windows if none qualifies); NaN
        where every window has a zero or both signs.
    """
    m = log_power.shape[0]
    slope = np.full((len(tolerances), m), np.nan)
    start = np.full(slope.shape, -1, dtype=np.int64)
    least = np.full(m, np.nan)
    for first in range(log_labels.size - min_points + 1):
        fit, _, deviation = straight_line(log_labels[first:], log_power[:, first:])
        deviation = np.where(np.all(same_sign[:, first:], axis=-1), deviation, np.nan)
        least = np.fmin(least, deviation)
        for row, tolerance in enumerate(tolerances):
            accepted = (deviation <= tolerance) & (start[row] < 0)
            np.copyto(slope[row], fit, where=accepted)
            np.copyto(start[row], first, where=accepted)
        if np.all(start >= 0):
            break
    return slope, start, least


def slope_at_labels(power: FloatArray, abscissa: FloatArray) -> FloatArray:
    """d ln|P| / dx by second-order differences, NaN where a stencil has no logarithm.

    Parameters
    ----------
    power : ndarray, shape (..., n)
        n ≥ 3.
    abscissa : ndarray, shape (n,)
        x at the labels: ln N for a power law, the label itself for an exponential.

    Returns
    -------
    ndarray, shape (..., n)
    """
    log_power, sign = log_and_sign(power)
    slope = np.gradient(log_power, abscissa, axis=-1, edge_order=2)
    # On a uniform grid np.gradient does not use the middle point of the three, so that a NaN or a
    # change of sign there is looked for here.  A NaN compares as different from every number.  The
    # first and the last label use the same three points as their neighbours.
    changes = np.diff(sign, axis=-1) != 0
    broken = changes[..., :-1] | changes[..., 1:]
    broken = np.concatenate([broken[..., :1], broken, broken[..., -1:]], axis=-1)
    return np.where(broken, np.nan, slope)
