"""How the relaxation rate grows on the two sides of a point such as Carnot's (Fig. 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._labels import FloatArray, axis_labels, labelled, whole
from catalog.heat_engine.terms import EnergyTerm
from ensemble import InvalidInput

SIDES = ("below", "above")
SLOPE = EnergyTerm("slope", "c", "variable", "slope of the gap", equation="gap ~ c T̄")
STDERR = EnergyTerm("slope_stderr", "σ_c", "variable", "standard error of the slope")
DEVIATION = EnergyTerm(
    "fit_deviation", "δ", "variable", "largest |residual| of the line / largest gap"
)
N_POINTS = EnergyTerm("n_points", "n", "variable", "number of points in the fit", dtype="int64")
RATIO = EnergyTerm("slope_ratio", "c₊/c₋", "variable", "slope above over slope below")
RATIO_STDERR = EnergyTerm(
    "slope_ratio_stderr", "σ", "variable", "standard error of the slope ratio"
)
KINK = EnergyTerm("kink", "T̄_k", "variable", "label at which the two lines meet")

FEWEST = 3
"""Any two points lie on a line: they have no residuals, from which an error is estimated."""


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

    Two least-squares lines.  Fig. 5's caption says that the slope does not depend on ΔE below the
    Carnot point and does above.  Without a drive that is exact for hot baths: the gap is that of
    the slower spin, Γ₀ min(T₁/E₁, T₂/E₂), whose two branches meet where E₁/T₁ = E₂/T₂, the Carnot
    point; their slopes are Γ₀/E₁ and Γ₀/E₂.

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

        - ``slope`` c and ``slope_stderr`` (n − 2 degrees of freedom), in the unit of ``gap`` over
          that of ``dim``,
        - ``fit_deviation``: largest |residual| over the largest |gap| in the fit,
        - ``n_points``,

        and without it

        - ``slope_ratio`` c₊/c₋ and ``slope_ratio_stderr``, for independent errors of both slopes,
        - ``kink``: where the lines meet, in the unit of ``dim``.

        NaN where a side holds fewer than 3 usable labels; gaps that are not finite are left out.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or if ``margin`` or
        ``start`` is out of its range.

    Notes
    -----
    The residuals of a smooth curve are systematic, not random: the standard error says how
    straight the curve is.

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
        output_core_dims=[["side"]] * 4 + [[]] * 3,
        kwargs={"labels": labels, "inside": inside, "margin": margin},
        dask="parallelized",
        output_dtypes=[float, float, float, np.int64, float, float, float],
        dask_gufunc_kwargs={"output_sizes": {"side": len(SIDES)}},
    )
    units = _quotient(gap.attrs.get("units"), gap.coords[dim].attrs.get("units"))
    how: dict[str, Any] = {"dim": dim, "margin": margin, "start": start, "stop": stop}
    terms = (SLOPE, STDERR, DEVIATION, N_POINTS, RATIO, RATIO_STDERR, KINK)
    fits = {}
    for term, column in zip(terms, columns, strict=True):
        fits[term.name] = labelled(column, term, **how)
        if term in (SLOPE, STDERR):
            fits[term.name].attrs["units"] = units
        elif term is KINK:
            fits[term.name].attrs["units"] = gap.coords[dim].attrs.get("units", "1")
    return xr.Dataset(fits).assign_coords(side=list(SIDES))


def fit_where(
    x: FloatArray, y: FloatArray, use: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, NDArray[np.int64]]:
    """Least-squares lines through the points in use, which may differ from curve to curve.

    Parameters
    ----------
    x : ndarray, shape (n,)
    y : ndarray, shape (..., n)
    use : ndarray of bool, shape (..., n)
        Points to use; those that are not finite are left out in any case.

    Returns
    -------
    slope, intercept, stderr, deviation, n_points : ndarray, shape (...)
        Standard error of the slope with n − 2 degrees of freedom, largest |residual|; NaN with
        fewer than 3 points.

    Examples
    --------
    >>> y = np.array([0.0, 3.0, 0.0, np.nan, 7.0])
    >>> slope, intercept, stderr, deviation, n = fit_where(np.arange(5.0), y, np.arange(5) < 4)
    >>> float(slope), float(intercept), float(deviation), int(n)
    (0.0, 1.0, 2.0, 3)
    """
    use = use & np.isfinite(y)
    n = use.sum(axis=-1)
    enough = n >= FEWEST
    count = np.where(enough, n, FEWEST)
    mean_x, mean_y = ((np.where(use, v, 0.0)).sum(axis=-1) / count for v in (x, y))
    dx = np.where(use, x - mean_x[..., np.newaxis], 0.0)
    dy = np.where(use, y - mean_y[..., np.newaxis], 0.0)
    spread = np.where(enough, np.sum(dx * dx, axis=-1), np.nan)
    slope = np.sum(dx * dy, axis=-1) / spread
    residual = dy - slope[..., np.newaxis] * dx
    stderr = np.sqrt(np.sum(residual**2, axis=-1) / (count - 2) / spread)
    return slope, mean_y - slope * mean_x, stderr, np.max(np.abs(residual), axis=-1), n


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
    fits = []
    for use in (below, above):
        slope, intercept, stderr, deviation, n = fit_where(labels, gap, use)
        largest = np.max(np.abs(np.where(use & np.isfinite(gap), gap, 0.0)), axis=-1)
        relative = np.divide(
            deviation, largest, out=np.full_like(deviation, np.nan), where=largest > 0
        )
        fits.append((slope, stderr, relative, n, intercept))
    (c_0, s_0, _, _, b_0), (c_1, s_1, _, _, b_1) = fits
    with np.errstate(divide="ignore", invalid="ignore"):  # a slope of 0, or parallel lines
        ratio = c_1 / c_0
        ratio_stderr = np.hypot(s_1, ratio * s_0) / np.abs(c_0)
        kink = (b_1 - b_0) / (c_0 - c_1)
    sides = (np.stack(pair, axis=-1) for pair in zip(*(fit[:4] for fit in fits), strict=True))
    return (*sides, ratio, ratio_stderr, kink)


def _quotient(over: str | None, under: str | None) -> str:
    """Unit of a slope."""
    if over is None or under is None:
        return "unit of the gap per unit of the label"
    return "1" if over == under else f"{over} / {under}"
