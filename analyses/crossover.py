"""Two sizes: the crossover N_cr of an exponent, and the transient size N*."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._fits import N_UNKNOWN
from analyses._labels import FloatArray, axis_labels, labelled, whole
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

CROSSOVER = EnergyTerm(
    "crossover_size", "N_cr", "variable", "size above which the local exponent stays low"
)
TRANSIENT = EnergyTerm(
    "transient_size", "N*", "variable", "smallest size that deviates from zero temperature"
)

EPSILON = 1e-10
"""The paper's ε in the definition of N*."""


def crossover_size(
    exponent: xr.DataArray, *, threshold: float = 1.05, dim: str = "N"
) -> xr.Dataset:
    r"""The size N_cr beyond which a local exponent stays below a threshold (Sec. IV).

    The paper expects "a crossover size N_cr depending on the system parameters" beyond which
    another scaling holds.  Here it is the last crossing of the threshold from above,
    interpolated linearly in ln N between the labels on either side of it.

    Parameters
    ----------
    exponent : xarray.DataArray
        Local exponent α(N), as from `local_exponent`, with ``dim`` and any other dimensions.
    threshold : float
        Between 1, the exponent of the limit, and the exponent of the scaling at small N.
    dim : str
        Positive, strictly increasing labels.

    Returns
    -------
    xarray.Dataset
        On the other dimensions:

        - ``crossover_size``: N_cr in units of ``dim``.  The first label if the exponent is below
          the threshold throughout; NaN if it still exceeds it at the last label, or if it is not
          known,
        - ``n_unknown``: number of labels with a NaN above the last label at which the exponent is
          known to exceed the threshold.  If there are any, N_cr is not known, and is NaN.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing.

    Examples
    --------
    >>> alpha = xr.DataArray([2.0, 1.5, 1.1, 1.0], {"N": [1, 2, 4, 8]}, "N")
    >>> crossover_size(alpha, threshold=1.3).crossover_size.round(3).item()
    2.828
    """
    labels = axis_labels(exponent, dim)
    how: dict[str, Any] = {"dim": dim, "threshold": threshold}
    size, unknown = xr.apply_ufunc(
        _last_crossing,
        whole(exponent, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[], []],
        kwargs={"labels": labels, "threshold": threshold},
        dask="parallelized",
        output_dtypes=[float, np.int64],
    )
    return xr.Dataset(
        {
            CROSSOVER.name: labelled(size, CROSSOVER, **how),
            N_UNKNOWN.name: labelled(unknown, N_UNKNOWN, **how),
        }
    )


def _last_crossing(
    exponent: FloatArray, *, labels: FloatArray, threshold: float
) -> tuple[FloatArray, NDArray[np.int64]]:
    log = np.log(labels)
    count = labels.size
    high = exponent > threshold
    last = np.where(high.any(axis=-1), count - 1 - np.argmax(high[..., ::-1], axis=-1), -1)
    above_last = np.arange(count) > last[..., np.newaxis]
    unknown = np.sum(np.isnan(exponent) & above_last, axis=-1)
    left = np.clip(last, 0, count - 1)
    right = np.clip(last + 1, 0, count - 1)
    above = np.take_along_axis(exponent, left[..., np.newaxis], -1)[..., 0]
    below = np.take_along_axis(exponent, right[..., np.newaxis], -1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = (above - threshold) / (above - below)
        crossing = np.exp(log[left] + share * (log[right] - log[left]))
    size = np.where(last == -1, labels[0], np.where(last == count - 1, np.nan, crossing))
    return np.where(unknown > 0, np.nan, size), unknown


def transient_size(
    values: xr.DataArray, *, frozen: float, epsilon: float = EPSILON, dim: str = "N"
) -> xr.Dataset:
    r"""N*, the smallest N at which :math:`|X_N(\beta E) - X_N(\infty)| > \epsilon` (Sec. V A).

    Parameters
    ----------
    values : xarray.DataArray
        X at N = 1, 2, 3, … with no N missing, and any other dimensions.
    frozen : float
        X at zero temperature, for every N.
    epsilon : float
        ε > 0; the paper's by default.
    dim : str

    Returns
    -------
    xarray.Dataset
        On the other dimensions:

        - ``transient_size``: N*, NaN where no N of the sweep is known to deviate,
        - ``n_unknown``: sizes below it, or all of them if it is NaN, at which X is NaN: N* may be
          one of them.

    Raises
    ------
    InvalidInput
        If the labels are not 1, 2, 3, …, or ε is not positive.

    Examples
    --------
    >>> x = xr.DataArray([-1.0, -1.0 + 1e-12, -0.9], coords={"N": [1, 2, 3]}, dims="N")
    >>> transient_size(x, frozen=-1.0).transient_size.item()
    3.0
    """
    labels = axis_labels(values, dim)
    if not np.array_equal(labels, np.arange(1, labels.size + 1)):
        raise InvalidInput("N* needs every size: sweep N = 1, 2, 3, … without a hole")
    if not epsilon > 0:
        raise InvalidInput(f"epsilon must be positive, but is {epsilon!r}: try 1e-10")
    deviates = np.abs(values - frozen) > epsilon
    size = values[dim].astype(float).where(deviates).min(dim)
    before = values[dim] < size.fillna(np.inf)
    unknown = (values.isnull() & before).sum(dim)
    how: dict[str, Any] = {"dim": dim, "epsilon": epsilon, "frozen": frozen}
    return xr.Dataset(
        {
            TRANSIENT.name: labelled(size, TRANSIENT, **how),
            N_UNKNOWN.name: labelled(unknown, N_UNKNOWN, **how),
        }
    )
