"""How fast the collective gain grows exponentially with the level spacing (Fig. 10)."""

from __future__ import annotations

import xarray as xr

from analyses._fits import (
    FIRST,
    LAST,
    N_MISSING,
    N_POINTS,
    deviation_term,
    reduced,
    slope_terms,
    status_term,
    window,
)
from analyses._labels import axis_labels, labelled, whole
from analyses._lines import FEWEST
from analyses._power_law import FitStatus, fit_logarithm, slope_at_labels
from catalog.heat_engine.energy_term import EnergyTerm

RATES = slope_terms(
    "growth_rate",
    "κ",
    "exponential growth rate",
    energy_power=-1,
    equation="gain ∝ exp(κ ΔE), Fig. 10",
)
DEVIATION = deviation_term("ln|gain| in the fit")
STATUS = status_term(
    "growth_rate_status", "rate: 0 fitted, 1 too few labels, 2 zero or a change of sign"
)
LOCAL_RATE = EnergyTerm(
    "local_growth_rate",
    "κ(ΔE)",
    "variable",
    "local exponential growth rate",
    energy_power=-1,
    equation="κ(ΔE) = d ln|gain| / dΔE",
)


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
        ``dim`` and any other dimensions; in memory or lazy.  Labels where it is NaN or infinite
        are left out of the fit and counted.  In `analyses.collective_gain`, which Fig. 10 shows,
        P₁ is the power of one pair with the same labels, not with the baths after the scaling.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    start, stop : float
        First and last label of the window, both included; at least 3 labels in it.

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``gain``:

        - ``growth_rate``: κ, in the inverse unit of ``dim`` as all rates here,
        - ``growth_rate_low``, ``growth_rate_high``: its least and largest value over the
          ``n_fits`` windows of successive labels inside this one, itself included, that hold 3
          labels or more and span at least half of it,
        - ``local_growth_rate_low``, ``local_growth_rate_high``: range of the local rate,
        - ``first_label``, ``last_label``, ``n_points``: labels that the fit rests on,
        - ``n_missing``: labels of the window without a finite value,
        - ``fit_deviation``: max |residual of ln|gain||, dimensionless,
        - ``growth_rate_status``: 0 fitted, 1 fewer than 3 labels with a finite value, 2 zero or a
          change of sign; there is no rate then: NaN with ``n_points`` 0.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or if the window holds
        fewer than 3 labels.

    Notes
    -----
    Both baths' thermal occupations are nearly empty at ΔE ≫ T₂; there P₁ ∝ ΔE exp(−E₂/T₂), and in
    the high-temperature scaling (Eq. 28) P_N/N ∝ ΔE exp(−E₂/(N T₂)), as T → N·T.  Hence
    κ_N → (1 − 1/N)/T₂, once ΔE ≫ N T₂ and E₁/T₁ − E₂/T₂ ≫ N.  For N → ∞, where P_N/N falls only
    algebraically, κ approaches 1/T₂ slowly, as 1/ΔE.
    The residuals of a smooth curve are systematic, not random, so that there is no standard
    error; the ranges say how far κ depends on the window.

    Examples
    --------
    >>> import numpy as np
    >>> delta_E = xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="delta_E", name="delta_E")
    >>> gain = np.exp(0.5 * delta_E).assign_coords(delta_E=delta_E)
    >>> fit = growth_rate(gain, start=2, stop=4)
    >>> round(float(fit.growth_rate), 12), int(fit.n_points)
    (0.5, 3)
    """
    inside, labels = window(gain, dim, start, stop)
    return reduced(
        fit_logarithm,
        inside,
        dim,
        (*RATES, FIRST, LAST, N_POINTS, N_MISSING, DEVIATION, STATUS),
        how={"dim": dim, "start": start, "stop": stop},
        codes=FitStatus,
        units=_inverse_unit(gain, dim),
        x=labels,
        labels=labels,
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
    >>> import numpy as np
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


def _inverse_unit(gain: xr.DataArray, dim: str) -> str | None:
    units = gain.coords[dim].attrs.get("units")
    return None if units is None else "1" if units == "1" else f"{units}^-1"
