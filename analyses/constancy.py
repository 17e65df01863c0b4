"""Violations of the thermodynamic uncertainty relation: where, how far and up to which size."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analyses._fits import N_UNKNOWN
from analyses._labels import FloatArray, axis_labels, labelled, whole
from catalog.heat_engine.energy_term import EnergyTerm
from catalog.heat_engine.terms import VOCABULARY
from ensemble import InvalidInput

EXCESS = EnergyTerm(
    "constancy_excess", "C − 1", "variable", "constancy beyond the classical bound of 1"
)
MARGIN = EnergyTerm("violation_margin", "(C − 1)/δC", "variable", "excess of C over 1, in errors")
VIOLATED = EnergyTerm(
    "violation",
    "C > 1",
    "variable",
    "whether the classical bound is violated beyond the error",
    equation="against Eq. 19",
)
LAST = EnergyTerm("last_violation", "", "variable", "largest label with a violation")
BEST = EnergyTerm("best_constancy", "max C", "variable", "largest constancy")

ERROR = 1e-9
"""Ten times the tolerance with which the methods compute current and noise by default."""


def tur_violation(constancy: xr.DataArray, *, error: float | xr.DataArray = ERROR) -> xr.Dataset:
    r"""Where the constancy exceeds the classical bound, and how far beyond its error (Eq. 19).

    .. math:: \mathcal{C}_N - 1 > \delta\mathcal{C}

    Parameters
    ----------
    constancy : xarray.DataArray
        C (Eq. 20), dimensionless, of any dimensions; in memory or lazy.
    error : float or xarray.DataArray
        δC > 0: absolute, for all points or, on the labels of ``constancy``, for each.

    Returns
    -------
    xarray.Dataset
        With the dimensions and labels of ``constancy``, all dimensionless:

        - ``constancy_excess``: C − 1,
        - ``violation_margin``: (C − 1)/δC, above 1 where the bound is violated,
        - ``violation``: whether it is; False where C is NaN.

    Raises
    ------
    InvalidInput
        If ``error`` is a number that is not positive, or an array with other dimensions or labels.

    Notes
    -----
    At the Carnot point every engine has C = 1, and near it |C − 1| is of second order in the
    affinity.  There C − 1 > 0 may be a numerical error of C; the test against ``error`` excludes
    this.

    Examples
    --------
    >>> constancy = xr.DataArray([1.0001, 1.0 + 1e-12, 0.99], {"N": [1, 2, 3]}, "N")
    >>> tur_violation(constancy).violation.values
    array([ True, False, False])
    """
    _require_real(constancy)
    error = _checked_error(error, constancy)
    excess = constancy - 1
    margin = (excess / error).transpose(*constancy.dims)
    # Where the error is an array, the margin also has the scalar coordinates of that array.
    margin = margin.drop_vars([name for name in margin.coords if name not in constancy.coords])
    return xr.Dataset(
        {
            EXCESS.name: labelled(excess, EXCESS),
            MARGIN.name: labelled(margin, MARGIN),
            VIOLATED.name: labelled(margin > 1, VIOLATED),
        }
    )


def last_violation(
    constancy: xr.DataArray, *, dim: str = "N", error: float | xr.DataArray = ERROR
) -> xr.Dataset:
    r"""Largest label at which the classical bound is violated: the N at which it is lost.

    .. math:: \max \{N : \mathcal{C}_N - 1 > \delta\mathcal{C}\}

    Parameters
    ----------
    constancy : xarray.DataArray
        C (Eq. 20), with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to look along; labels positive and strictly increasing.
    error : float or xarray.DataArray
        δC, as in `tur_violation`.

    Returns
    -------
    xarray.Dataset
        On the other dimensions:

        - ``last_violation``: the label, in the unit of ``dim``; NaN where C is nowhere known to
          exceed 1.  Where it is the last label of all, the violation may go on beyond the sweep,
        - ``n_unknown``: labels above it, or all of them if it is NaN, at which C is NaN: the
          violation may go on there.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or if ``error`` is
        a number that is not positive, or an array with other dimensions or labels.

    Examples
    --------
    >>> constancy = xr.DataArray([1.002, 1.001, 0.99, 0.98], {"N": [1, 2, 4, 8]}, "N")
    >>> last_violation(constancy).last_violation.item()
    2.0
    """
    axis_labels(constancy, dim)
    violated = tur_violation(constancy, error=error).violation
    labels = constancy.coords[dim].astype(float)
    last = labels.where(violated).max(dim)
    unknown = (constancy.isnull() & (labels > last.fillna(-np.inf))).sum(dim)
    return xr.Dataset(
        {
            LAST.name: labelled(last, LAST, labels.attrs.get("units", "1"), dim=dim),
            N_UNKNOWN.name: labelled(unknown, N_UNKNOWN, dim=dim),
        }
    )


def best_constancy(constancy: xr.DataArray, *, dim: str = "omega_0") -> xr.Dataset:
    r"""Largest constancy along a dimension, and the label where it is reached (Fig. 7).

    .. math:: \max_{\omega_0} \mathcal{C}_N, \qquad \arg\max_{\omega_0} \mathcal{C}_N

    Parameters
    ----------
    constancy : xarray.DataArray
        C (Eq. 20), with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to look along; labels positive and strictly increasing.

    Returns
    -------
    xarray.Dataset
        On the other dimensions, NaN where C is at every label:

        - ``best_constancy``: the largest C on the labels of the sweep, dimensionless,
        - ``best_omega_0``, if ``dim`` is "omega_0": the first label at which C is largest, in the
          unit of ``dim``,
        - ``n_unknown``: labels at which C is NaN: it may be larger there.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing.

    Examples
    --------
    >>> constancy = xr.DataArray([0.99, 1.002, 1.001], {"omega_0": [0.1, 0.2, 0.3]}, "omega_0")
    >>> best = best_constancy(constancy)
    >>> best.best_constancy.item(), best.best_omega_0.item()
    (1.002, 0.2)
    """
    labels = axis_labels(constancy, dim)
    best, where = xr.apply_ufunc(
        _largest,
        whole(constancy, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[], []],
        kwargs={"labels": labels},
        dask="parallelized",
        output_dtypes=[float, float],
    )
    term = VOCABULARY.get(dim)
    symbol, long_name = (term.symbol, term.long_name) if term else (dim, dim)
    at = EnergyTerm(f"best_{dim}", symbol, "variable", f"{long_name} of the largest constancy")
    units = constancy.coords[dim].attrs.get("units", "1")
    return xr.Dataset(
        {
            BEST.name: labelled(best, BEST, dim=dim),
            at.name: labelled(where, at, units, dim=dim),
            N_UNKNOWN.name: labelled(constancy.isnull().sum(dim), N_UNKNOWN, dim=dim),
        }
    )


def _largest(constancy: FloatArray, labels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Largest entry along the last axis and its label, NaN where all entries are NaN."""
    filled = np.where(np.isnan(constancy), -np.inf, constancy)
    position = np.argmax(filled, axis=-1)
    best = np.take_along_axis(filled, position[..., np.newaxis], axis=-1)[..., 0]
    nothing = np.isneginf(best)
    return np.where(nothing, np.nan, best), np.where(nothing, np.nan, labels[position])


def _require_real(constancy: Any) -> None:
    if not isinstance(constancy, xr.DataArray):
        raise InvalidInput(
            f"an analysis takes a DataArray, not {type(constancy).__name__}: "
            "select one variable, as in dataset['constancy']"
        )
    if constancy.dtype.kind not in "iuf":
        raise InvalidInput(
            f"the constancy must be real numbers, but is {constancy.dtype}: convert it to float"
        )


def _checked_error(error: float | xr.DataArray, constancy: xr.DataArray) -> float | xr.DataArray:
    """The error, positive; an array of errors must have the labels of the constancy.

    An array may be lazy and is not computed here.  Where an entry is not positive, NaN replaces it.
    """
    if not isinstance(error, xr.DataArray):
        if not error > 0:
            raise InvalidInput(f"error must be positive, but is {error!r}: try {ERROR:g}")
        return error
    for dim in error.dims:
        if dim not in constancy.dims:
            raise InvalidInput(
                f"error has the dimension {str(dim)!r}, which the constancy has not: "
                "select both in the same way"
            )
    try:
        xr.align(constancy, error, join="exact")
    except ValueError as failure:
        raise InvalidInput(
            "constancy and error have different labels: select both in the same way"
        ) from failure
    return error.where(error > 0)
