"""Mutual information against power (Fig. 8), as a rank correlation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from analyses._labels import FloatArray, labelled, whole
from catalog.heat_engine.energy_term import EnergyTerm
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

MODES = ("all", "engine", "refrigerator")
RANK_CORRELATION = EnergyTerm(
    "rank_correlation", "ρ_S", "variable", "rank correlation of mutual information and |power|"
)
N_POINTS = EnergyTerm("n_points", "n", "variable", "number of points", dtype="int64")

FEWEST = 3
"""The rank correlation of two points is always 1 or −1."""


def information_rank_correlation(
    mutual_information: xr.DataArray,
    power: xr.DataArray,
    *,
    dims: Iterable[str] = ("delta_E", "T_mean"),
) -> xr.Dataset:
    r"""Spearman's rank correlation of the mutual information with |power| over a map (Fig. 8).

    .. math:: \rho_S = \mathrm{corr}\bigl(\mathrm{rank}\, I,\ \mathrm{rank}\, |\mathcal{P}|\bigr)

    The paper finds I "qualitatively related" to the power.  ρ_S measures how far one is a monotone
    function of the other, whatever the function: 1 if it is one, 0 without a trend.

    Parameters
    ----------
    mutual_information : xarray.DataArray
        I, with ``dims`` and any other dimensions; in memory or lazy.
    power : xarray.DataArray
        P, or anything with its sign such as P/N or J, on the same dimensions and labels; P > 0:
        engine.
    dims : iterable of str
        Dimensions to rank over.

    Returns
    -------
    xarray.Dataset
        On the other dimensions and on ``mode``: "all" points, "engine" (P > 0) and "refrigerator"
        (P < 0) alone:

        - ``rank_correlation``: ρ_S, from −1 to 1; ties have their mean rank,
        - ``n_points``: points that are finite in both.

        NaN with fewer than 3 points, or where one of the two does not vary.

    Raises
    ------
    InvalidInput
        If one of ``dims`` is missing, or dimensions or labels of the two differ.

    Notes
    -----
    The points of a grid are no random sample: there is no p-value, and ρ_S depends on the range
    and the spacing of the axes.

    Examples
    --------
    >>> power = xr.DataArray([-3.0, -1.0, 1.0, 2.0, 4.0], dims="T_mean")
    >>> fit = information_rank_correlation(power**2, power, dims=["T_mean"])
    >>> fit.rank_correlation.values.round(12), fit.n_points.values
    (array([ 1.,  1., nan]), array([5, 3, 2]))
    """
    over = list(dims)
    for data in (mutual_information, power):
        if not isinstance(data, xr.DataArray):
            raise InvalidInput(
                f"an analysis takes a DataArray, not {type(data).__name__}: "
                "select one variable, as in dataset['power']"
            )
        for dim in over:
            if dim not in data.dims:
                remedy = suggestion(dim, map(str, data.dims)) if data.dims else ": choose others"
                raise InvalidInput(f"{data.name or 'the array'} has no dimension {dim!r}{remedy}")
    if set(mutual_information.dims) != set(power.dims):
        raise InvalidInput(
            "mutual_information and power have different dimensions: "
            "select both from one dataset in the same way"
        )
    for dim in over:
        mutual_information, power = whole(mutual_information, dim), whole(power, dim)
    try:
        columns = xr.apply_ufunc(
            _spearman,
            mutual_information,
            power,
            input_core_dims=[over, over],
            output_core_dims=[["mode"], ["mode"]],
            kwargs={"n_dims": len(over)},
            join="exact",
            dask="parallelized",
            output_dtypes=[float, np.int64],
            dask_gufunc_kwargs={"output_sizes": {"mode": len(MODES)}},
        )
    except ValueError as error:
        raise InvalidInput(
            "mutual_information and power have different labels: "
            "select both from one dataset in the same way"
        ) from error
    how = {"dims": ", ".join(over)}
    return xr.Dataset(
        {
            term.name: labelled(column, term, **how)
            for term, column in zip((RANK_CORRELATION, N_POINTS), columns, strict=True)
        }
    ).assign_coords(mode=list(MODES))


def _spearman(
    information: FloatArray, power: FloatArray, *, n_dims: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Kernel: the dimensions to rank over last, ``n_dims`` of them."""
    shape = information.shape[: information.ndim - n_dims]
    rows = [np.reshape(array, (*shape, -1)) for array in (information, power)]
    correlation = np.full((*shape, len(MODES)), np.nan)
    counts = np.zeros(correlation.shape, dtype=np.int64)
    for index in np.ndindex(shape):
        shared, output = (row[index] for row in rows)
        finite = np.isfinite(shared) & np.isfinite(output)
        for mode, chosen in enumerate((finite, finite & (output > 0), finite & (output < 0))):
            counts[(*index, mode)] = chosen.sum()
            correlation[(*index, mode)] = _correlation(shared[chosen], np.abs(output[chosen]))
    return correlation, counts


def _correlation(x: FloatArray, y: FloatArray) -> float:
    """Correlation of the ranks, NaN without a spread."""
    if x.size < FEWEST:
        return float("nan")
    dx, dy = (rank - rank.mean() for rank in (rankdata(x), rankdata(y)))
    scale = float(np.sqrt(np.sum(dx**2) * np.sum(dy**2)))
    return float(np.sum(dx * dy)) / scale if scale else float("nan")
