"""NumPy kernels of the exponents: labels along the last axis, every other axis vectorised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyses._labels import FloatArray


def log_and_sign(power: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ln|P| and the sign of P, both NaN where P is zero or not finite: there is no logarithm."""
    usable = np.where(np.isfinite(power) & (power != 0), power, np.nan)
    return np.log(np.abs(usable)), np.sign(usable)


def fit_line(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Least-squares line through y(x).

    Parameters
    ----------
    x : ndarray, shape (n,)
        n ≥ 3, not all equal.
    y : ndarray, shape (..., n)

    Returns
    -------
    slope, stderr, deviation : ndarray, shape (...)
        The slope, its standard error from the residuals with n − 2 degrees of freedom, and the
        largest |residual|; NaN where y has a NaN.

    Examples
    --------
    >>> slope, stderr, deviation = fit_line(np.arange(3.0), np.array([0.0, 3.0, 0.0]))
    >>> float(slope), float(deviation), round(float(stderr) ** 2, 12)
    (0.0, 2.0, 3.0)
    """
    x = x - x.mean()
    y = y - y.mean(axis=-1, keepdims=True)
    spread = np.sum(x * x)
    slope = np.sum(x * y, axis=-1) / spread
    residual = y - slope[..., np.newaxis] * x
    variance = np.sum(residual**2, axis=-1) / (x.size - 2)
    return slope, np.sqrt(variance / spread), np.max(np.abs(residual), axis=-1)


def fit_window(
    power: FloatArray, labels: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Exponent, standard error and number of points of one fit to all labels.

    NaN, NaN and 0 where P is zero, not finite or changes sign.
    """
    log_power, sign = log_and_sign(power)
    usable = np.all(sign == sign[..., -1:], axis=-1)
    slope, stderr, _ = fit_line(np.log(labels), log_power)
    return (
        np.where(usable, slope, np.nan),
        np.where(usable, stderr, np.nan),
        np.where(usable, labels.size, 0),
    )


def fit_above_saturation(
    power: FloatArray, labels: FloatArray, *, tolerance: float, min_points: int
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64], FloatArray]:
    """Fit above the smallest N_sat for which a line in ln N holds within the tolerance.

    Parameters
    ----------
    power : ndarray, shape (..., n)
    labels : ndarray, shape (n,)

    Returns
    -------
    exponent, stderr, N_sat, n_points, deviation : ndarray, shape (...)
        NaN, and 0 points, where no window qualifies.
    """
    log_power, sign = log_and_sign(power)
    same_sign = sign == sign[..., -1:]
    log_labels = np.log(labels)
    exponent, stderr, n_sat, deviation = (np.full(power.shape[:-1], np.nan) for _ in range(4))
    n_points = np.zeros(power.shape[:-1], dtype=np.int64)
    # From the shortest window to the longest, so that the longest one that qualifies is kept.
    for start in range(labels.size - min_points, -1, -1):
        fit = fit_line(log_labels[start:], log_power[..., start:])
        accepted = np.all(same_sign[..., start:], axis=-1) & (fit[2] <= tolerance)
        for kept, found in zip((exponent, stderr, deviation), fit, strict=True):
            np.copyto(kept, found, where=accepted)
        np.copyto(n_sat, labels[start - 1] if start else 0.0, where=accepted)
        np.copyto(n_points, labels.size - start, where=accepted)
    return exponent, stderr, n_sat, n_points, deviation


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
