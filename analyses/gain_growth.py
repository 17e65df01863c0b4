"""How fast the collective gain grows exponentially with the level spacing (Fig. 10)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analyses._labels import FloatArray, axis_labels, labelled, whole
from analyses._power_law import fit_line, log_and_sign, slope_at_labels
from catalog.heat_engine.terms import EnergyTerm
from ensemble import InvalidInput

RATE = EnergyTerm(
    "growth_rate",
    "κ",
    "variable",
    "exponential growth rate",
    energy_power=-1,
    equation="gain ∝ exp(κ ΔE), Fig. 10",
)
RATE_STDERR = EnergyTerm(
    "growth_rate_stderr",
    "σ_κ",
    "variable",
    "standard error of the growth rate",
    energy_power=-1,
)
N_POINTS = EnergyTerm("n_points", "n", "variable", "number of points in the fit", dtype="int64")
DEVIATION = EnergyTerm(
    "fit_deviation", "δ", "variable", "largest |residual| of ln|gain| in the fit"
)
LOCAL_RATE = EnergyTerm(
    "local_growth_rate",
    "κ(ΔE)",
    "variable",
    "local exponential growth rate",
    energy_power=-1,
    equation="κ(ΔE) = d ln|gain| / dΔE",
)

FEWEST = 3
"""Any two points lie on a line: they have no residuals, from which an error is estimated."""


def growth_rate(
    gain: xr.DataArray, *, dim: str = "delta_E", start: float, stop: float
) -> xr.Dataset:
    r"""Rate at which the gain grows exponentially, over a window of level spacings.

    .. math:: \ln \frac{\mathcal{P}_N}{N \mathcal{P}_1} \simeq \kappa_N \Delta E + c

    by least squares over the labels start ≤ ΔE ≤ stop (Fig. 10, App. E).

    Parameters
    ----------
    gain : xarray.DataArray
        The gain, or anything else that may grow exponentially (its unit does not matter), with
        ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    start, stop : float
        First and last label of the window, both included; at least 3 labels in it.

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``gain``:

        - ``growth_rate``: κ, in the inverse unit of ``dim``,
        - ``growth_rate_stderr``: its standard error (n − 2 degrees of freedom), in the same unit,
        - ``n_points``: number n of labels in the fit,
        - ``fit_deviation``: max |residual of ln|gain||, dimensionless.

        NaN, and 0 points, where the gain is zero, not finite or changes sign in the window.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or if the window holds
        fewer than 3 labels.

    Notes
    -----
    Both baths' thermal occupations are nearly empty at ΔE ≫ T₂; there P₁ ∝ ΔE e^{−E₂/T₂}, and in
    the high-temperature scaling (Eq. 28) P_N/N ∝ ΔE e^{−E₂/(N T₂)}, as T → N·T.  Hence
    κ_N → (1 − 1/N)/T₂, once ΔE ≫ N T₂ and E₁/T₁ − E₂/T₂ ≫ N.  For N → ∞, where P_N/N falls only
    algebraically, κ approaches 1/T₂ slowly, as 1/ΔE.
    The residuals of a smooth curve are systematic, not random: the standard error says how
    straight the curve is.

    Examples
    --------
    >>> delta_E = xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="delta_E", name="delta_E")
    >>> gain = np.exp(0.5 * delta_E).assign_coords(delta_E=delta_E)
    >>> fit = growth_rate(gain, start=2, stop=4)
    >>> round(float(fit.growth_rate), 12), int(fit.n_points)
    (0.5, 3)
    """
    labels = axis_labels(gain, dim)
    inside = (start <= labels) & (labels <= stop)
    if inside.sum() < FEWEST:
        raise InvalidInput(
            f"the window {start:g} ≤ {dim} ≤ {stop:g} holds {inside.sum()} labels, but a fit needs "
            f"{FEWEST}: widen it"
        )
    rate, stderr, n_points, deviation = xr.apply_ufunc(
        _fit,
        whole(gain.isel({dim: inside}), dim),
        input_core_dims=[[dim]],
        output_core_dims=[[]] * 4,
        kwargs={"labels": labels[inside]},
        dask="parallelized",
        output_dtypes=[RATE.dtype, RATE_STDERR.dtype, N_POINTS.dtype, DEVIATION.dtype],
    )
    how: dict[str, Any] = {"dim": dim, "start": start, "stop": stop}
    inverse = _inverse_unit(gain, dim)
    return xr.Dataset(
        {
            RATE.name: labelled(rate, RATE, inverse, **how),
            RATE_STDERR.name: labelled(stderr, RATE_STDERR, inverse, **how),
            N_POINTS.name: labelled(n_points, N_POINTS, **how),
            DEVIATION.name: labelled(deviation, DEVIATION, **how),
        }
    )


def local_growth_rate(gain: xr.DataArray, *, dim: str = "delta_E") -> xr.DataArray:
    r"""Local rate of growth, which is constant where the gain is an exponential.

    .. math:: \kappa_N(\Delta E) = \frac{d}{d\Delta E} \ln \frac{|\mathcal{P}_N|}{N |\mathcal{P}_1|}

    by second-order differences, one-sided at the two ends.

    Parameters
    ----------
    gain : xarray.DataArray
        The gain, with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to differentiate along: at least 3 positive, strictly increasing labels.

    Returns
    -------
    xarray.DataArray
        κ(ΔE) in the inverse unit of ``dim``, with the dimensions and labels of ``gain``; NaN where
        one of the three points that enter is zero or not finite or differs in sign.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, too short or not positive and increasing.

    Examples
    --------
    >>> delta_E = xr.DataArray([1.0, 2.0, 4.0, 5.0], dims="delta_E", name="delta_E")
    >>> local_growth_rate(np.exp(0.5 * delta_E).assign_coords(delta_E=delta_E)).values.round(12)
    array([0.5, 0.5, 0.5, 0.5])
    """
    labels = axis_labels(gain, dim, at_least=FEWEST)
    slope = xr.apply_ufunc(
        slope_at_labels,
        whole(gain, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[dim]],
        kwargs={"abscissa": labels},
        dask="parallelized",
        output_dtypes=[LOCAL_RATE.dtype],
    )
    return labelled(slope.transpose(*gain.dims), LOCAL_RATE, _inverse_unit(gain, dim), dim=dim)


def _fit(
    gain: FloatArray, labels: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Slope of ln|gain|, its standard error, number of points and largest |residual|."""
    log_gain, sign = log_and_sign(gain)
    usable = np.all(sign == sign[..., -1:], axis=-1)
    slope, stderr, deviation = fit_line(labels, log_gain)
    return (
        np.where(usable, slope, np.nan),
        np.where(usable, stderr, np.nan),
        np.where(usable, labels.size, 0),
        np.where(usable, deviation, np.nan),
    )


def _inverse_unit(gain: xr.DataArray, dim: str) -> str | None:
    units = gain.coords[dim].attrs.get("units")
    return None if units is None else "1" if units == "1" else f"{units}^-1"
