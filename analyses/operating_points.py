"""Operating points on a stored map: where a variable is largest, and what the engine does there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from analyses._grid_points import (
    AT_EDGE,
    N_LEFT_OUT,
    N_POINTS,
    chosen_variables,
    label_terms,
    neighbours,
    usable_points,
)
from analyses._labels import FloatArray, labelled, whole
from analyses.carnot import EFFICIENCY as CARNOT
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

REPORTED = ("power", "efficiency", "constancy")
"""Variables that are reported at the point beside the one that is maximised, where they exist."""
N_NEIGHBOURS_LEFT_OUT = EnergyTerm(
    "n_neighbours_left_out", "", "variable", "neighbours of the point left out", dtype="int64"
)
FALL = EnergyTerm("fall_to_neighbours", "", "variable", "fall of the value to the lowest neighbour")
CURZON_AHLBORN = EnergyTerm(
    "curzon_ahlborn_efficiency",
    "η_CA",
    "variable",
    "Curzon-Ahlborn efficiency",
    equation="1 - sqrt(T_1/T_2)",
)


def operating_point(
    dataset: xr.Dataset,
    *,
    of: str = "power",
    dims: Iterable[str] = ("delta_E", "T_mean"),
    report: Iterable[str] | None = None,
) -> xr.Dataset:
    r"""Point of a map where a variable is largest, its labels, and other variables there.

    .. math:: x^* = \mathrm{arg\,max}_{x \in \mathrm{grid}} f(x)

    Maximum power is ``of="power"``, maximum efficiency ``of="efficiency"``.  For the least value
    negate the variable first, as in ``dataset.assign(noise=-dataset.quanta_noise)``.

    Parameters
    ----------
    dataset : xarray.Dataset
        A stored map with its ``status``; in memory or lazy.  Points whose status is not "ok", or
        whose ``of`` is not finite, are left out and counted.  Without a status all points are
        looked at, and the attribute ``among`` says so.
    of : str
        Variable to maximise.
    dims : iterable of str
        Dimensions to search over; the search is repeated for each point of the others.
    report : iterable of str, optional
        Variables to report at the point: by default power, efficiency and constancy, as far as
        the dataset has them.

    Returns
    -------
    xarray.Dataset
        On the other dimensions:

        - the variable ``of`` and those of ``report`` at the point,
        - for each of ``dims``, as for delta_E: ``best_delta_E``, its label, and ``delta_E_below``,
          ``delta_E_above``, the neighbouring labels, NaN at an end,
        - the other coordinates that vary along ``dims``, as ``best_affinity``,
        - ``at_edge``: whether the point is at an end of one of ``dims`` of two or more labels: the
          maximum may lie beyond,
        - ``fall_to_neighbours``: value less the lowest value of a neighbour, one step along one
          of ``dims``; NaN if no neighbour has a value,
        - ``n_points``: points that were compared, and ``n_left_out``: those that were not,
        - ``n_neighbours_left_out``: how many of the neighbours are among those left out.

        Where no point can be used: NaN, with ``n_points`` 0.

    Raises
    ------
    InvalidInput
        If a variable or dimension is missing, or labels are not positive and increasing.

    Notes
    -----
    The result is a point of the grid, and the first one if several have the same value.  Nothing is
    interpolated.  If the grid resolves the function, its maximum lies between the neighbouring
    labels.  On a uniform axis, where the function is a parabola from one neighbour to the other, it
    is higher by at most an eighth of ``fall_to_neighbours``; with several axes, by at most that for
    each of them, unless the parabola is oblique to the axes.  A finer axis, or ``heatcat refine``,
    brings it closer.

    The efficiency of this engine is η = ΔE/E₂ wherever it is an engine, so that its maximum on a
    map is the last engine before the Carnot line, where the power vanishes.

    Examples
    --------
    >>> spacing = xr.DataArray([1.0, 2.0, 4.0, 5.0], dims="delta_E", name="delta_E")
    >>> grid = xr.Dataset({"power": 6 * spacing - spacing**2}, {"delta_E": spacing})
    >>> found = operating_point(grid, dims=["delta_E"])
    >>> float(found.power), float(found.best_delta_E), float(found.delta_E_above)
    (8.0, 2.0, 4.0)
    >>> float(found.fall_to_neighbours), bool(found.at_edge)
    (3.0, False)
    """
    over = list(dims)
    others = [name for name in REPORTED if name in dataset] if report is None else list(report)
    others = [name for name in dict.fromkeys(others) if name != of]
    chosen_variables(dataset, [of, *others], over)
    _require_dims(dataset[of], over)
    usable, among = usable_points(dataset, [of])
    varying = [
        str(name)
        for name, coordinate in dataset.coords.items()
        if set(coordinate.dims) & set(over) and name not in over and coordinate.dtype.kind in "iuf"
    ]
    arrays = [dataset[of], usable, *(dataset[name] for name in (*others, *varying))]
    arrays = list(xr.broadcast(*arrays))
    for dim in over:
        arrays = [whole(array, dim) for array in arrays]
    labels = [dataset[dim].to_numpy().astype(float) for dim in over]
    terms = [term for dim in over for term in label_terms(dim)]
    own = (N_POINTS, N_LEFT_OUT, N_NEIGHBOURS_LEFT_OUT, AT_EDGE, FALL)
    reported = [of, *others, *(f"best_{name}" for name in varying)]
    outputs = len(reported) + len(terms) + len(own)
    columns = xr.apply_ufunc(
        _largest,
        *arrays,
        input_core_dims=[over] * len(arrays),
        output_core_dims=[[]] * outputs,
        kwargs={"labels": labels},
        dask="parallelized",
        output_dtypes=[float] * (len(reported) + len(terms)) + [np.int64] * 3 + [bool, float],
    )
    how: dict[str, Any] = {"dims": ", ".join(over), "maximised": of, "among": among}
    found: dict[str, xr.DataArray] = {}
    originals = [of, *others, *varying]
    for name, original, column in zip(reported, originals, columns[: len(reported)], strict=True):
        found[name] = column.rename(name)
        found[name].attrs = {**dataset[original].attrs, "role": "variable", **how}
    for term, column in zip([*terms, *own], columns[len(reported) :], strict=True):
        found[term.name] = labelled(column, term, **how)
    for dim in over:
        for term in label_terms(dim):
            found[term.name].attrs["units"] = dataset[dim].attrs.get("units", "1")
    found["fall_to_neighbours"].attrs["units"] = dataset[of].attrs.get("units", "1")
    return xr.Dataset(found)


def efficiency_at_maximum_power(
    dataset: xr.Dataset, *, dims: Iterable[str] = ("delta_E", "T_mean")
) -> xr.Dataset:
    r"""The operating point of maximum power, with two efficiencies to compare its own with.

    .. math:: \eta(\mathcal{P}^*), \qquad \eta_C = 1 - \frac{T_1}{T_2}, \qquad
              \eta_{CA} = 1 - \sqrt{\frac{T_1}{T_2}}

    η_CA is the efficiency at maximum power of the endoreversible engine (Curzon and Ahlborn, Am. J.
    Phys. 43, 22 (1975)); it is no bound.

    Parameters
    ----------
    dataset : xarray.Dataset
        As of `operating_point`, with ``power`` and ``efficiency``, and T̄ and ΔT among its
        coordinates.
    dims : iterable of str
        Dimensions to search over.

    Returns
    -------
    xarray.Dataset
        As of `operating_point`, and at that point ``carnot_efficiency`` and
        ``curzon_ahlborn_efficiency``, dimensionless.  All three efficiencies are NaN where the
        largest power is not positive: no point of the map is an engine.

    Raises
    ------
    InvalidInput
        As of `operating_point`, or if T̄ or ΔT is missing.

    Examples
    --------
    >>> T = xr.DataArray([1.5, 2.0, 3.0], dims="T_mean")
    >>> grid = xr.Dataset({"power": 4 * T - T**2, "efficiency": 0 * T + 0.2}, {"T_mean": T})
    >>> found = efficiency_at_maximum_power(grid.assign_coords(delta_T=2.0), dims=["T_mean"])
    >>> round(float(found.carnot_efficiency), 6), round(float(found.curzon_ahlborn_efficiency), 6)
    (0.666667, 0.42265)
    """
    if "efficiency" not in dataset:
        raise InvalidInput("the dataset has no variable 'efficiency': compute it, or select it too")
    found = operating_point(dataset, of="power", dims=dims)
    temperatures = []
    for name in ("T_mean", "delta_T"):
        if f"best_{name}" not in found and name not in found.coords:
            raise InvalidInput(f"the dataset has no coordinate {name!r}: keep it on selection")
        temperatures.append(found[f"best_{name}" if f"best_{name}" in found else name])
    T_mean, delta_T = temperatures
    engine = found["power"] > 0
    ratio = (T_mean - delta_T / 2) / (T_mean + delta_T / 2)
    how = {name: found["power"].attrs[name] for name in ("dims", "maximised", "among")}
    carnot = labelled((1 - ratio).where(engine), CARNOT, **how)
    curzon = labelled((1 - ratio**0.5).where(engine), CURZON_AHLBORN, **how)
    efficiency = found["efficiency"].where(engine)
    efficiency.attrs = found["efficiency"].attrs
    found = found.drop_vars("carnot_efficiency", errors="ignore")  # a coordinate of many datasets
    return found.assign(
        efficiency=efficiency, carnot_efficiency=carnot, curzon_ahlborn_efficiency=curzon
    )


def _require_dims(values: xr.DataArray, dims: list[str]) -> None:
    for dim in dims:
        if dim not in values.dims:
            raise InvalidInput(
                f"{values.name} has no dimension {dim!r}: it is the same at all of its labels, so "
                "leave it out of dims"
            )


def _largest(
    values: FloatArray, usable: Any, *others: FloatArray, labels: list[FloatArray]
) -> tuple[Any, ...]:
    """Kernel of `operating_point`: the dimensions to search over last."""
    shape = tuple(axis.size for axis in labels)
    lead = values.shape[: values.ndim - len(shape)]
    flat = (*lead, int(np.prod(shape)))
    masked = np.where(usable, values, -np.inf)
    place = np.argmax(masked.reshape(flat), axis=-1)
    some = np.any(usable.reshape(flat), axis=-1)

    def there(array: FloatArray) -> FloatArray:
        at = np.take_along_axis(array.reshape(flat), place[..., np.newaxis], axis=-1)[..., 0]
        return np.where(some, at, np.nan)

    best = there(values)
    at_edge = np.zeros(lead, dtype=bool)
    hidden = np.zeros(lead, dtype=np.int64)
    lowest = np.full(lead, np.inf)
    columns: list[FloatArray] = []
    positions = np.unravel_index(place, shape)
    for axis, (position, ticks) in enumerate(zip(positions, labels, strict=True)):
        below, above = neighbours(ticks, position)
        columns += [np.where(some, column, np.nan) for column in (ticks[position], below, above)]
        at_edge |= some & (ticks.size > 1) & ((position == 0) | (position == ticks.size - 1))
        for step in (-1, 1):
            inside = some & (position + step >= 0) & (position + step < ticks.size)
            moved = [
                np.clip(p + step * (i == axis), 0, n - 1)
                for i, (p, n) in enumerate(zip(positions, shape, strict=True))
            ]
            index = np.ravel_multi_index(moved, shape)[..., np.newaxis]
            beside = np.take_along_axis(masked.reshape(flat), index, axis=-1)[..., 0]
            known = np.take_along_axis(usable.reshape(flat), index, axis=-1)[..., 0]
            hidden += inside & ~known
            lowest = np.where(inside & known, np.minimum(lowest, beside), lowest)
    beside = np.isfinite(lowest)
    fall = np.where(beside, best - np.where(beside, lowest, 0.0), np.nan)
    n_points = usable.reshape(flat).sum(axis=-1)
    return (
        best,
        *(there(other) for other in others),
        *columns,
        n_points,
        flat[-1] - n_points,
        hidden,
        at_edge,
        fall,
    )
