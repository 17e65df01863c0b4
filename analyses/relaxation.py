"""How the relaxation rate grows on the two sides of a point such as Carnot's (Fig. 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._fits import N_POINTS, slope_terms
from analyses._labels import FloatArray, axis_labels, labelled, whole
from analyses._lines import FEWEST, Lines, fit_lines
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

SIDES = ("below", "above")
SLOPES = slope_terms("slope", "c", "slope of the gap", equation="gap ~ c T̄")
DEVIATION = EnergyTerm(
    "fit_deviation", "δ", "variable", "largest |residual| of the line / largest gap"
)
RATIO = EnergyTerm("slope_ratio", "c₊/c₋", "variable", "slope above over slope below")
RATIO_LOW = EnergyTerm("slope_ratio_low", "", "variable", "least slope ratio of alternative fits")
RATIO_HIGH = EnergyTerm(
    "slope_ratio_high", "", "variable", "largest slope ratio of alternative fits"
)
KINK = EnergyTerm("kink", "T̄_k", "variable", "label at which the two lines meet")
SIDED = (*SLOPES, DEVIATION, N_POINTS)
"""Terms that each side has of its own."""
TERMS = (*SIDED, RATIO, RATIO_LOW, RATIO_HIGH, KINK)


def relaxation_slopes(
    gap: xr.DataArray,
    at: float | xr.DataArray,
    *,
    dim: str = "T_mean",
    margin: float = 0.0,
    start: float = 0.0,
    stop: float = np.inf,
) -> xr.Dataset:
    r"""Slopes of the gap against T̄ below and above a label, and where the two lines meet.

    .. math:: \mathrm{gap} = c_\mp \bar T + b_\mp \quad \text{for } \bar T \lessgtr \bar T_*

    Two least-squares lines.  Fig. 5's caption says that the slope below the Carnot point does not
    depend on ΔE, and that the slope above it does.  Without a drive that is exact for hot baths:
    the gap is that of the slower spin, Γ₀ min(T₁/E₁, T₂/E₂), whose two branches meet where E₁/T₁ =
    E₂/T₂, the Carnot point; their slopes are Γ₀/E₁ and Γ₀/E₂.

    Parameters
    ----------
    gap : xarray.DataArray
        Relaxation rate, with ``dim`` and any other dimensions; in memory or lazy.
    at : float or xarray.DataArray
        The label T̄* that divides the two lines, for all curves or one for each, as from
        `analyses.carnot_T_mean`.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    margin : float
        Labels within ``margin · at`` of ``at`` are left out of both fits, 0 ≤ margin < 1.  With
        margin 0, ``at`` itself belongs to both.
    start, stop : float
        Lowest and highest label of the fits, both included.

    Returns
    -------
    xarray.Dataset
        On the other dimensions, with a dimension ``side`` ("below", "above"):

        - ``slope`` c, in the unit of ``gap`` over that of ``dim``, as all slopes here,
        - ``slope_low``, ``slope_high``: its least and largest value over the ``n_fits`` windows of
          successive labels on that side, all of them included, that hold 3 labels or more and span
          at least half of its range,
        - ``local_slope_low``, ``local_slope_high``: range of the local slope,
        - ``n_points``: number of labels in the fit,
        - ``fit_deviation``: largest |residual| over the largest |gap| in the fit,

        and without it

        - ``slope_ratio`` c₊/c₋, and ``slope_ratio_low``, ``slope_ratio_high``, its extremes over
          the pairs of such windows below and above; NaN where a slope below may be 0,
        - ``kink``: where the lines meet, in the unit of ``dim``.

        NaN where a side holds fewer than 3 usable labels; gaps that are not finite are left out.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or if ``margin`` or
        ``start`` is out of its range.

    Notes
    -----
    The residuals of a smooth curve are systematic, not random, so that there are no standard
    errors; the ranges say how far the slopes depend on the window.

    Examples
    --------
    >>> T = xr.DataArray(np.arange(10.0, 21.0), dims="T_mean")
    >>> gap = np.minimum(T - 10, 2.5 + T / 4).assign_coords(T_mean=T)
    >>> fit = relaxation_slopes(gap, at=16.0, margin=0.05)
    >>> fit.slope.values.round(12), fit.n_points.values
    (array([1.  , 0.25]), array([6, 4]))
    >>> round(float(fit.kink), 9), round(float(fit.slope_ratio), 12)
    (16.666666667, 0.25)
    """
    labels = axis_labels(gap, dim, at_least=FEWEST)
    if not 0 <= margin < 1:
        raise InvalidInput(f"margin must be at least 0 and below 1, but is {margin!r}: try 0.05")
    if not start < stop:
        raise InvalidInput(f"start must lie below stop, but is {start!r} ≥ {stop!r}: swap them")
    inside = (start <= labels) & (labels <= stop)
    columns = xr.apply_ufunc(
        _two_lines,
        whole(gap, dim),
        at,
        input_core_dims=[[dim], []],
        output_core_dims=[["side"] if term in SIDED else [] for term in TERMS],
        kwargs={"labels": labels, "inside": inside, "margin": margin},
        dask="parallelized",
        output_dtypes=[term.dtype for term in TERMS],
        dask_gufunc_kwargs={"output_sizes": {"side": len(SIDES)}},
    )
    units = _quotient(gap.attrs.get("units"), gap.coords[dim].attrs.get("units"))
    how: dict[str, Any] = {"dim": dim, "margin": margin, "start": start, "stop": stop}
    fits = {}
    for term, column in zip(TERMS, columns, strict=True):
        fits[term.name] = labelled(column, term, **how)
        if term in SLOPES and term.dtype == "float64":
            fits[term.name].attrs["units"] = units
        elif term is KINK:
            fits[term.name].attrs["units"] = gap.coords[dim].attrs.get("units", "1")
    return xr.Dataset(fits).assign_coords(side=list(SIDES))


def _two_lines(
    gap: FloatArray,
    at: FloatArray,
    *,
    labels: FloatArray,
    inside: NDArray[np.bool_],
    margin: float,
) -> tuple[FloatArray, ...]:
    """Kernel of `relaxation_slopes`: labels last, ``at`` without them."""
    at = np.asarray(at, dtype=float)[..., np.newaxis]
    below = inside & (labels <= at * (1 - margin))
    above = inside & (labels >= at * (1 + margin))
    gap, below, above = np.broadcast_arrays(gap, below, above)
    sides, lines = [], []
    for use in (below, above):
        found = fit_lines(labels, np.where(use, gap, np.nan))
        largest = np.max(np.abs(np.where(use & np.isfinite(gap), gap, 0.0)), axis=-1)
        relative = np.full_like(found.deviation, np.nan)
        np.divide(found.deviation, largest, out=relative, where=largest > 0)
        lines.append(found)
        sides.append(
            (
                *(found.slope, found.low, found.high, found.n_windows),
                *(found.local_low, found.local_high, relative, found.n_points),
            )
        )
    stacked = (np.stack(pair, axis=-1) for pair in zip(*sides, strict=True))
    return (*stacked, *_comparison(*lines))


def _comparison(below: Lines, above: Lines) -> tuple[FloatArray, ...]:
    """Ratio of the slopes, its extremes, and the label at which the lines meet."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a slope of 0, or parallel lines
        ratio = above.slope / below.slope
        quotients = np.stack(
            [a / b for a in (above.low, above.high) for b in (below.low, below.high)]
        )
        kink = (above.intercept - below.intercept) / (below.slope - above.slope)
    known = below.low * below.high > 0
    low, high = quotients.min(axis=0), quotients.max(axis=0)
    return ratio, np.where(known, low, np.nan), np.where(known, high, np.nan), kink


def _quotient(over: str | None, under: str | None) -> str:
    """Unit of a slope."""
    if over is None or under is None:
        return "unit of the gap per unit of the label"
    return "1" if over == under else f"{over} / {under}"
