"""Power-law exponents α of P ~ N^α (Eq. 24): fitted above N_sat, over a window, and locally."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from analyses._labels import axis_labels, labelled, whole
from analyses._power_law import fit_above_saturation, fit_window, slope_at_labels
from catalog.heat_engine.terms import EnergyTerm
from ensemble import InvalidInput

EXPONENT = EnergyTerm("exponent", "α", "variable", "power-law exponent", equation="Eq. 24")
EXPONENT_STDERR = EnergyTerm("exponent_stderr", "σ_α", "variable", "standard error of the exponent")
N_SAT = EnergyTerm("N_sat", "N_sat", "variable", "largest label below the power law")
N_POINTS = EnergyTerm("n_points", "n", "variable", "number of points in the fit", dtype="int64")
FIT_DEVIATION = EnergyTerm(
    "fit_deviation", "δ", "variable", "largest |residual| of ln|P| in the fit"
)
LOCAL_EXPONENT = EnergyTerm(
    "local_exponent", "α(N)", "variable", "local exponent", equation="α(N) = d ln|P| / d ln N"
)

FEWEST = 3
"""Any two points lie on a line: they have no residuals, from which an error is estimated."""


def power_law_exponent(
    power: xr.DataArray, *, dim: str = "N", tolerance: float = 0.01, min_points: int = 5
) -> xr.Dataset:
    r"""Exponent of the power law that holds above N_sat, and N_sat itself (Fig. 2c).

    .. math:: \mathcal{P}_N / \mathcal{P}_1 \sim N^\alpha \qquad (24)

    The paper says: "we numerically determine the value of N before the power-law behavior
    emerge, N_sat, and then perform a linear fit of the numerical curves for using the points
    N > N_sat".  Made definite: for a candidate N_sat, fit ln|P| = α ln N + c by least squares to
    every label N > N_sat.  The candidate qualifies if

    - at least ``min_points`` labels are left,
    - P is finite, not zero and of one sign at all of them, and
    - the line reproduces each of them: max |ln|P| − α ln N − c| ≤ ``tolerance``.

    Candidates are 0 and the labels; N_sat is the smallest that qualifies, 0 if the whole axis
    does.  Where none does there is no exponent: NaN with ``n_points`` 0, never a poorer fit.

    Parameters
    ----------
    power : xarray.DataArray
        P, or anything else that may follow a power law (its unit does not matter), with ``dim``
        and any other dimensions; in memory or lazy.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    tolerance : float
        Largest |residual of ln P|, i.e. about the relative deviation of P; positive.
    min_points : int
        Fewest labels in the window, at least 3.

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``power``, all dimensionless (``N_sat``: as ``dim``):

        - ``exponent``: α,
        - ``exponent_stderr``: its standard error, from the residuals with n − 2 degrees of freedom,
        - ``N_sat``: the largest label outside the fit, 0 if there is none,
        - ``n_points``: number n of labels in the fit, 0 where there is no exponent,
        - ``fit_deviation``: max |residual of ln P|, at most ``tolerance``.

        Their attributes say how they were made: ``dim``, ``tolerance`` and ``min_points``.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, not positive and increasing or shorter than
        ``min_points``, or if ``tolerance`` or ``min_points`` is out of its range.

    Notes
    -----
    The residuals of a smooth curve are systematic, not random: the standard error measures how
    straight the window is.  A curve whose slope drifts, as the bare engine's does towards 1, has
    an exponent that depends on ``tolerance`` and on the last label; see `window_exponent` and
    `local_exponent`.  By Eq. 21 the heat currents have the same exponent.  On the Carnot line,
    where P = 0, use `analyses.conductance`.

    Examples
    --------
    >>> N = xr.DataArray(range(1, 21), dims="N", name="N")
    >>> power = (N**1.25).where(N > 4, 1.0).assign_coords(N=N)
    >>> fit = power_law_exponent(power)
    >>> round(float(fit.exponent), 12), float(fit.N_sat), int(fit.n_points)
    (1.25, 4.0, 16)
    """
    if not tolerance > 0:
        raise InvalidInput(f"tolerance must be positive, but is {tolerance!r}: try 0.01")
    if not (isinstance(min_points, int | np.integer) and min_points >= FEWEST):
        raise InvalidInput(
            f"min_points must be a whole number ≥ {FEWEST}, but is {min_points!r}: try 5"
        )
    labels = axis_labels(power, dim, at_least=min_points)
    how = {"dim": dim, "tolerance": tolerance, "min_points": min_points}
    found = _reduce(
        fit_above_saturation,
        power,
        dim,
        (EXPONENT, EXPONENT_STDERR, N_SAT, N_POINTS, FIT_DEVIATION),
        how,
        labels=labels,
        tolerance=tolerance,
        min_points=min_points,
    )
    found["N_sat"].attrs["units"] = power.coords[dim].attrs.get("units", "1")
    return found


def window_exponent(
    power: xr.DataArray, *, dim: str = "N", start: float, stop: float
) -> xr.Dataset:
    r"""Exponent over a fixed window of labels: how α changes as the window moves up.

    The least-squares slope of ln|P| against ln N over the labels start ≤ N ≤ stop (Eq. 24).

    Parameters
    ----------
    power : xarray.DataArray
        P, with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    start, stop : float
        First and last label of the window, both included; at least 3 labels in it.

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``power``, dimensionless: ``exponent``, ``exponent_stderr``
        (n − 2 degrees of freedom) and ``n_points``; NaN, NaN and 0 where P is zero, not finite or
        changes sign in the window.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or if the window holds
        fewer than 3 labels.

    Examples
    --------
    >>> N = xr.DataArray([1.0, 2.0, 4.0, 8.0], dims="N", name="N")
    >>> power = (N**1.5).assign_coords(N=N)
    >>> fit = window_exponent(power, start=2, stop=8)
    >>> round(float(fit.exponent), 12), int(fit.n_points)
    (1.5, 3)
    """
    labels = axis_labels(power, dim)
    inside = (start <= labels) & (labels <= stop)
    if inside.sum() < FEWEST:
        raise InvalidInput(
            f"the window {start:g} ≤ {dim} ≤ {stop:g} holds {inside.sum()} labels, but a fit needs "
            f"{FEWEST}: widen it"
        )
    return _reduce(
        fit_window,
        power.isel({dim: inside}),
        dim,
        (EXPONENT, EXPONENT_STDERR, N_POINTS),
        {"dim": dim, "start": start, "stop": stop},
        labels=labels[inside],
    )


def local_exponent(power: xr.DataArray, *, dim: str = "N") -> xr.DataArray:
    r"""Local exponent, the slope of the curve in Fig. 2b at each label.

    .. math:: \alpha(N) = \frac{d \ln |\mathcal{P}_N|}{d \ln N}

    by second-order differences on the nonuniform grid of ln N, one-sided at the two ends.

    Parameters
    ----------
    power : xarray.DataArray
        P, with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to differentiate along: at least 3 positive, strictly increasing labels.

    Returns
    -------
    xarray.DataArray
        α(N), dimensionless, with the dimensions and labels of ``power``; NaN where one of the
        three points that enter is zero or not finite or differs in sign.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, too short or not positive and increasing.

    Examples
    --------
    >>> N = xr.DataArray([1.0, 2.0, 4.0, 8.0], dims="N", name="N")
    >>> local_exponent((N**1.5).assign_coords(N=N)).values.round(12)
    array([1.5, 1.5, 1.5, 1.5])
    """
    labels = axis_labels(power, dim, at_least=FEWEST)
    slope = xr.apply_ufunc(
        slope_at_labels,
        whole(power, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[dim]],
        kwargs={"abscissa": np.log(labels)},
        dask="parallelized",
        output_dtypes=[LOCAL_EXPONENT.dtype],
    )
    return labelled(slope.transpose(*power.dims), LOCAL_EXPONENT, dim=dim)


def _reduce(
    kernel: Callable[..., tuple[Any, ...]],
    power: xr.DataArray,
    dim: str,
    terms: tuple[EnergyTerm, ...],
    how: dict[str, Any],
    **options: Any,
) -> xr.Dataset:
    """Apply a kernel that consumes ``dim`` and returns an array per term; ``how`` goes to attrs."""
    columns = xr.apply_ufunc(
        kernel,
        whole(power, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[]] * len(terms),
        kwargs=options,
        dask="parallelized",
        output_dtypes=[term.dtype for term in terms],
    )
    return xr.Dataset(
        {
            term.name: labelled(column, term, **how)
            for term, column in zip(terms, columns, strict=True)
        }
    )
