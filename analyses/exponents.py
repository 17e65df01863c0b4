"""Power-law exponents α of P ~ N^α (Eq. 24): fitted above N_sat, over a window, and locally."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analyses._fits import (
    FIRST,
    LAST,
    N_MISSING,
    N_POINTS,
    N_SAT,
    deviation_term,
    reduced,
    slope_terms,
    status_term,
    window,
)
from analyses._labels import axis_labels, labelled, whole
from analyses._lines import FEWEST
from analyses._power_law import FitStatus, fit_above_saturation, fit_logarithm, slope_at_labels
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

EXPONENTS = slope_terms("exponent", "α", "power-law exponent", equation="Eq. 24")
FIT_DEVIATION = deviation_term("ln|P| in the fit")
STATUS = status_term(
    "exponent_status",
    "exponent: 0 fitted, 1 too few labels, 2 zero or a change of sign, 3 not straight",
)
LOCAL_EXPONENT = EnergyTerm(
    "local_exponent", "α(N)", "variable", "local exponent", equation="α(N) = d ln|P| / d ln N"
)


def power_law_exponent(
    power: xr.DataArray, *, dim: str = "N", tolerance: float = 0.01, min_points: int = 5
) -> xr.Dataset:
    r"""Exponent of the power law that holds above N_sat, and N_sat itself (Fig. 2c).

    .. math:: \mathcal{P}_N / \mathcal{P}_1 \sim N^\alpha \qquad (24)

    The paper says: "we numerically determine the value of N before the power-law behavior
    emerge, N_sat, and then perform a linear fit of the numerical curves for using the points
    N > N_sat".  In precise terms: for a candidate N_sat, fit ln|P| = α ln N + c by least squares to
    every label N > N_sat with a finite P.  The candidate qualifies if

    - at least ``min_points`` such labels are left,
    - P is not zero and of one sign at all of them, and
    - the line reproduces each of them: max |ln|P| − α ln N − c| ≤ ``tolerance``.

    Candidates are 0 and the labels with a finite P; N_sat is the smallest that qualifies, 0 if the
    whole axis does.  If none qualifies, the exponent is NaN with ``n_points`` 0, and
    ``exponent_status`` says why; no poorer fit is reported.

    Parameters
    ----------
    power : xarray.DataArray
        P, or anything else that may follow a power law (its unit does not matter), with ``dim``
        and any other dimensions; in memory or lazy.  Labels where it is NaN or infinite are left
        out of the fit and counted.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    tolerance : float
        Largest |residual of ln P|, i.e. about the relative deviation of P; positive.
    min_points : int
        Fewest labels in the window, at least 3.

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``power``, dimensionless but for labels, which are as ``dim``:

        - ``exponent``: α,
        - ``exponent_low``, ``exponent_high``: the least and the largest α found in the same way
          with half, once and twice the ``tolerance`` in sweeps that end at the last label or
          earlier, down to half of it; ``n_fits`` counts those in which there is an exponent,
        - ``local_exponent_low``, ``local_exponent_high``: range of d ln|P| / d ln N over the labels
          of the fit,
        - ``N_sat``: the largest label with a value that is outside of the fit, 0 if there is none,
        - ``first_label``, ``last_label``: the range of labels that α rests on,
        - ``n_points``: number of labels in the fit, 0 where there is no exponent,
        - ``n_missing``: labels above N_sat that have no finite value,
        - ``fit_deviation``: max |residual of ln P|, at most ``tolerance``; where the status is
          "not straight" the least that any window has, and so the tolerance that it would need,
        - ``exponent_status``: 0 fitted, 1 fewer than ``min_points`` labels with a finite value,
          2 zero or a change of sign among the last ``min_points`` of them, 3 not straight: no
          window of at least ``min_points`` labels follows a power law within ``tolerance``.

        Their attributes say how they were made: ``dim``, ``tolerance`` and ``min_points``.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, not positive and increasing or shorter than
        ``min_points``, or if ``tolerance`` or ``min_points`` is out of its range.

    Notes
    -----
    A standard error would be one of random residuals.  Those of a computed curve are systematic:
    its slope drifts, as the bare engine's does towards 1, and α depends on ``tolerance`` and on the
    last label.  ``exponent_low`` and ``exponent_high`` measure that dependence within the sweep.
    They are no bounds on the exponent of a longer one.

    In a sweep of few, widely spaced sizes, such as 1, 2, 4, …, 64, five labels span more than a
    decade and a drifting slope has no window of status 0.  Look at ``fit_deviation``, and then
    lower ``min_points`` to 3 or raise ``tolerance``.

    By Eq. 21 the heat currents have the same exponent.  On the Carnot line, where P = 0, use
    `analyses.conductance`.

    Examples
    --------
    >>> N = xr.DataArray(range(1, 21), dims="N", name="N")
    >>> power = (N**1.25).where(N > 4, 1.0).where(N != 9).assign_coords(N=N)
    >>> fit = power_law_exponent(power)
    >>> round(float(fit.exponent), 12), float(fit.N_sat), int(fit.n_points), int(fit.n_missing)
    (1.25, 4.0, 15, 1)
    """
    if not tolerance > 0:
        raise InvalidInput(f"tolerance must be positive, but is {tolerance!r}: try 0.01")
    if not (isinstance(min_points, int | np.integer) and min_points >= FEWEST):
        raise InvalidInput(
            f"min_points must be a whole number ≥ {FEWEST}, but is {min_points!r}: try 5"
        )
    labels = axis_labels(power, dim, at_least=min_points)
    return reduced(
        fit_above_saturation,
        power,
        dim,
        (*EXPONENTS, N_SAT, FIRST, LAST, N_POINTS, N_MISSING, FIT_DEVIATION, STATUS),
        how={"dim": dim, "tolerance": tolerance, "min_points": min_points},
        codes=FitStatus,
        labels=labels,
        tolerance=tolerance,
        min_points=min_points,
    )


def window_exponent(
    power: xr.DataArray, *, dim: str = "N", start: float, stop: float
) -> xr.Dataset:
    r"""Exponent over a fixed window of labels: how α changes as the window moves up.

    The least-squares slope of ln|P| against ln N over the labels start ≤ N ≤ stop (Eq. 24).

    Parameters
    ----------
    power : xarray.DataArray
        P, with ``dim`` and any other dimensions; in memory or lazy.  Labels where it is NaN or
        infinite are left out of the fit and counted.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    start, stop : float
        First and last label of the window, both included; at least 3 labels in it.

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``power``, dimensionless but for labels, which are as ``dim``:

        - ``exponent``,
        - ``exponent_low``, ``exponent_high``: its least and largest value over the ``n_fits``
          windows of successive labels inside this one, itself included, that hold 3 labels or more
          and span at least half of its range of ln N,
        - ``local_exponent_low``, ``local_exponent_high``: range of d ln|P| / d ln N in the window,
        - ``first_label``, ``last_label``, ``n_points``: labels that the fit rests on,
        - ``n_missing``: labels of the window without a finite value,
        - ``fit_deviation``: max |residual of ln P|,
        - ``exponent_status``: 0 fitted, 1 fewer than 3 labels with a finite value, 2 zero or a
          change of sign; there is no exponent then: NaN with ``n_points`` 0.

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
    inside, labels = window(power, dim, start, stop)
    return reduced(
        fit_logarithm,
        inside,
        dim,
        (*EXPONENTS, FIRST, LAST, N_POINTS, N_MISSING, FIT_DEVIATION, STATUS),
        how={"dim": dim, "start": start, "stop": stop},
        codes=FitStatus,
        x=np.log(labels),
        labels=labels,
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
