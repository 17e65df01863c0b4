"""The line along which a gain is 1 (Fig. 6b), and its exponent."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._fits import FIRST, LAST, N_POINTS, deviation_term, reduced, slope_terms
from analyses._labels import FloatArray, axis_labels
from analyses._lines import FEWEST, fit_lines
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

BOUNDARY = EnergyTerm(
    "gain_boundary", "(ΔE)_c", "variable", "label above which the collective gain exceeds the level"
)
BELOW = EnergyTerm("boundary_low", "", "variable", "last label with a value below the boundary")
ABOVE = EnergyTerm("boundary_high", "", "variable", "first label with a value above the boundary")
N_CROSSINGS = EnergyTerm(
    "n_crossings", "n", "variable", "times that the gain crosses the level", dtype="int64"
)
N_MISSING = EnergyTerm("n_missing", "", "variable", "labels without a positive gain", dtype="int64")
BOUNDARY_STATUS = EnergyTerm(
    "boundary_status", "", "variable", "whether there is a boundary, or why not", dtype="int8"
)
EXPONENTS = slope_terms(
    "exponent", "c", "algebraic exponent of the boundary", equation="(ΔE)_c ~ T̄^c"
)
FIT_DEVIATION = deviation_term("the logarithm of the boundary")


class BoundaryStatus(IntEnum):
    """Whether the lowest rise through the level is known."""

    FOUND = 0
    NONE = 1
    """The gain does not rise through the level within the labels."""
    IN_A_GAP = 2
    """It rises through the level between two values with missing ones between them."""
    CANNOT_TELL = 3
    """Values are missing at an end of the labels, where the rise may be."""


def gain_boundary(gain: xr.DataArray, *, dim: str = "delta_E", level: float = 1.0) -> xr.Dataset:
    r"""Label along ``dim`` at which the gain rises through a level: the dashed line of Fig. 6b.

    ln(gain/level) is interpolated linearly between the two labels of the crossing.

    Parameters
    ----------
    gain : xarray.DataArray
        Positive, with ``dim`` and any other dimensions; in memory or lazy.  What it compares with
        decides what the line means: `limit_gain` and `analyses.collective_gain`, which Fig. 6b
        shows, compare with single pairs of the same labels.
    dim : str
        Dimension to look along; labels positive and strictly increasing.
    level : float
        The gain on the line, positive.

    Returns
    -------
    xarray.Dataset
        On the other dimensions; labels are in the unit of ``dim``:

        - ``gain_boundary``: the lowest label of a rise through ``level``; NaN unless the status
          is 0,
        - ``boundary_low``, ``boundary_high``: the labels with a value on either side of it, NaN
          where there is none on that side,
        - ``n_crossings``: crossings up or down from one value to the next; more than 1 means that
          there are further lines,
        - ``n_missing``: labels where the gain is not a positive finite number,
        - ``boundary_status``: 0 found; 1 none: the gain does not rise through the level; 2 in a
          gap: it does between two values with missing ones between them, so that only
          ``boundary_low`` and ``boundary_high`` are known; 3 cannot tell: values are missing at
          the end of the labels where the lowest rise may be.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or ``level`` ≤ 0.

    Notes
    -----
    With spacing h and f = ln gain the error is at most h² max|f″| / (8 min|f′|).  Two crossings
    between one value and the next are not seen.

    Examples
    --------
    >>> spacing = xr.DataArray([1.0, 2.0, 4.0, 5.0], dims="delta_E")
    >>> gain = np.exp(spacing - 2.5).assign_coords(delta_E=spacing)
    >>> float(gain_boundary(gain).gain_boundary)
    2.5
    >>> found = gain_boundary(gain.where(spacing != 4))
    >>> BoundaryStatus(int(found.boundary_status)).name, float(found.boundary_high)
    ('IN_A_GAP', 5.0)
    """
    terms = (BOUNDARY, BELOW, ABOVE, N_CROSSINGS, N_MISSING, BOUNDARY_STATUS)
    return search(_boundary, gain, dim, terms, level=level, codes=BoundaryStatus)


def boundary_exponent(
    boundary: xr.DataArray,
    *,
    dim: str = "T_mean",
    origin: float = 0.0,
    start: float = 0.0,
    stop: float = np.inf,
) -> xr.Dataset:
    r"""Algebraic exponent c of the boundary, and how well a power law describes it.

    .. math:: (\Delta E)_c \sim (\bar T - T_{\mathrm{o}})^c

    by least squares of ln (ΔE)_c against ln(T̄ − T_o).  The paper states T_o = 0, "roughly"; T_o =
    ΔT/2 gives the exponent in the cold temperature T₁.

    Parameters
    ----------
    boundary : xarray.DataArray
        (ΔE)_c, with ``dim`` and any other dimensions; in memory or lazy.  Labels at which it is
        not positive and finite are left out.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    origin : float
        T_o, below every label that is used.
    start, stop : float
        Lowest and highest label of the fit, both included.

    Returns
    -------
    xarray.Dataset
        On the other dimensions, dimensionless but for labels, which are as ``dim``:

        - ``exponent``: c, NaN with fewer than 3 points,
        - ``exponent_low``, ``exponent_high``: its least and largest value over the ``n_fits``
          windows of successive points, all of them included, that hold 3 or more and span at
          least half of the range of ln(T̄ − T_o),
        - ``local_exponent_low``, ``local_exponent_high``: range of d ln (ΔE)_c / d ln(T̄ − T_o),
        - ``first_label``, ``last_label``, ``n_points``: labels that the fit rests on,
        - ``fit_deviation``: largest |residual| of ln (ΔE)_c; where it is not small, or the ranges
          are wide, there is no power law.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or ``origin`` is not
        below the labels.

    Examples
    --------
    >>> T = xr.DataArray([10.5, 11.0, 12.0, 14.0, 20.0], dims="T_mean")
    >>> boundary = (3 * (T - 10) ** 1.5).where(T < 20).assign_coords(T_mean=T)
    >>> fit = boundary_exponent(boundary, origin=10.0)
    >>> round(float(fit.exponent), 12), int(fit.n_points)
    (1.5, 4)
    """
    labels = axis_labels(boundary, dim, at_least=FEWEST)
    inside = (start <= labels) & (labels <= stop)
    if inside.any() and not origin < labels[inside][0]:
        raise InvalidInput(
            f"origin must lie below the labels of {dim!r}, which start at {labels[inside][0]:g}, "
            f"but is {origin!r}: lower it, or raise start"
        )
    return reduced(
        _log_log,
        boundary,
        dim,
        (*EXPONENTS, FIRST, LAST, N_POINTS, FIT_DEVIATION),
        how={"dim": dim, "origin": origin, "start": start, "stop": stop},
        labels=labels,
        inside=inside,
        origin=origin,
    )


def search(
    kernel: Callable[..., tuple[Any, ...]],
    gain: xr.DataArray,
    dim: str,
    terms: tuple[EnergyTerm, ...],
    *,
    level: float,
    codes: type[IntEnum],
) -> xr.Dataset:
    """Look for the label at which a gain crosses a level; the first three terms are labels."""
    labels = axis_labels(gain, dim, at_least=2)
    if not 0 < level < np.inf:
        raise InvalidInput(f"level must be positive and finite, but is {level!r}: try 1.0")
    how: dict[str, Any] = {"dim": dim, "level": level}
    if "compared_with" in gain.attrs:
        how["compared_with"] = gain.attrs["compared_with"]
    return reduced(
        kernel,
        gain,
        dim,
        terms,
        how=how,
        codes=codes,
        of_labels=terms[:3],
        labels=labels,
        level=level,
    )


def _boundary(gain: FloatArray, *, labels: FloatArray, level: float) -> tuple[Any, ...]:
    """Kernel of `gain_boundary`: labels last."""
    usable = np.isfinite(gain) & (gain > 0)
    log = np.log(np.where(usable, gain, level) / level)
    return first_rise(log, usable, labels, labels)


def first_rise(
    log: FloatArray, usable: NDArray[np.bool_], labels: FloatArray, x: FloatArray
) -> tuple[Any, ...]:
    """Lowest place at which values rise through 0, interpolated linearly in x.

    Parameters
    ----------
    log : ndarray, shape (..., n)
        0 where there is no value.
    usable : ndarray of bool, shape (..., n)
        Where there is one.
    labels, x : ndarray, shape (n,)
        Strictly increasing.

    Returns
    -------
    tuple of ndarray, shape (...)
        x at the rise, labels below and above it, number of crossings and of missing values, and
        the `BoundaryStatus`.
    """
    places = np.where(usable, np.arange(labels.size), -1)
    latest = np.maximum.accumulate(places, axis=-1)
    before = np.concatenate([np.full_like(latest[..., :1], -1), latest[..., :-1]], axis=-1)
    left = np.take_along_axis(log, np.maximum(before, 0), axis=-1)
    pair = usable & (before >= 0)
    rise, fall = pair & (left <= 0) & (log > 0), pair & (left > 0) & (log <= 0)
    step = np.where(rise, log - left, 1.0)
    start = x[np.maximum(before, 0)]
    crossing = start - np.where(rise, left, 0.0) / step * (x - start)

    def at(column: NDArray[Any], place: NDArray[np.int64]) -> NDArray[Any]:
        return np.take_along_axis(column, place[..., np.newaxis], axis=-1)[..., 0]

    rises, some = rise.any(axis=-1), usable.any(axis=-1)
    first = np.argmax(rise, axis=-1)
    lowest = np.argmax(usable, axis=-1)  # first and last label with a value
    highest = labels.size - 1 - np.argmax(usable[..., ::-1], axis=-1)
    hidden_below = some & (lowest > 0) & (at(log, lowest) > 0)
    hidden_above = some & ~rises & (highest < labels.size - 1) & (at(log, highest) <= 0)
    unknown = ~some | hidden_below | hidden_above
    gap = at(before, first) < first - 1
    status = np.where(gap, BoundaryStatus.IN_A_GAP, BoundaryStatus.FOUND)
    status = np.where(rises, status, BoundaryStatus.NONE)
    status = np.where(unknown, BoundaryStatus.CANNOT_TELL, status).astype(np.int8)

    low = np.where(rises, labels[at(before, first)], np.nan)
    high = np.where(rises, labels[first], np.nan)
    low = np.where(hidden_below, np.nan, np.where(hidden_above, labels[highest], low))
    high = np.where(hidden_below, labels[lowest], np.where(hidden_above, np.nan, high))
    found = np.where(status == BoundaryStatus.FOUND, at(crossing, first), np.nan)
    return found, low, high, (rise | fall).sum(axis=-1), (~usable).sum(axis=-1), status


def _log_log(
    boundary: FloatArray, *, labels: FloatArray, inside: NDArray[np.bool_], origin: float
) -> tuple[Any, ...]:
    """Kernel of `boundary_exponent`: labels last."""
    use = inside & np.isfinite(boundary) & (boundary > 0)
    log = np.log(np.where(use, boundary, 1.0))
    x = np.log(labels[inside] - origin)
    found = fit_lines(x, np.where(use, log, np.nan)[..., inside])
    within, some = labels[inside], found.first >= 0
    return (
        *(found.slope, found.low, found.high, found.n_windows),
        *(found.local_low, found.local_high),
        np.where(some, within[found.first], np.nan) if within.size else found.slope,
        np.where(some, within[found.last], np.nan) if within.size else found.slope,
        found.n_points,
        found.deviation,
    )
