"""What all analyses share: checks of the labelled axis, whole chunks along it, attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.heat_engine.energy_term import EnergyTerm
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

FloatArray = NDArray[np.float64]


def axis_labels(data: xr.DataArray, dim: str, *, at_least: int = 1) -> FloatArray:
    """Labels of ``data`` along ``dim``, checked.

    Parameters
    ----------
    data : xarray.DataArray
        Real numbers; only its metadata are looked at, so a lazy array stays lazy.
    dim : str
        A dimension of ``data`` with positive, strictly increasing labels.
    at_least : int
        Number of labels that the analysis needs.

    Returns
    -------
    ndarray of float, shape (labels,)

    Raises
    ------
    InvalidInput
        If one of these does not hold.

    Examples
    --------
    >>> axis_labels(xr.DataArray([2.0, 3.0], coords={"N": [1, 2]}, dims="N"), "N")
    array([1., 2.])
    """
    if not isinstance(data, xr.DataArray):
        raise InvalidInput(
            f"an analysis takes a DataArray, not {type(data).__name__}: "
            "select one variable, as in dataset['power']"
        )
    name = data.name or "the array"
    if data.dtype.kind not in "iuf":
        raise InvalidInput(f"{name} must be real numbers, but is {data.dtype}: convert it to float")
    if dim not in data.dims:
        remedy = suggestion(dim, map(str, data.dims)) if data.dims else f": keep {dim} on selection"
        raise InvalidInput(f"{name} has no dimension {dim!r}{remedy}")
    if dim not in data.coords:
        raise InvalidInput(
            f"dimension {dim!r} of {name} has no labels: name them with assign_coords({dim}=…)"
        )
    if data.coords[dim].dtype.kind not in "iuf":
        raise InvalidInput(
            f"labels of {dim!r} must be numbers, but are {data.coords[dim].dtype}: "
            "choose another dimension"
        )
    labels = data.coords[dim].to_numpy().astype(float)
    if not (np.all(labels > 0) and np.all(np.diff(labels) > 0)):
        raise InvalidInput(
            f"labels of {dim!r} must be positive and strictly increasing: "
            f"drop those ≤ 0 and duplicates, then sortby({dim!r})"
        )
    if labels.size < at_least:
        raise InvalidInput(
            f"{at_least} labels are needed along {dim!r}, but there "
            f"{'is' if labels.size == 1 else 'are'} {labels.size}: sweep or select more of them"
        )
    return labels


def require_coordinates(dataset: xr.Dataset, names: Iterable[str]) -> None:
    """Raise `InvalidInput` for the first name that is no coordinate of the dataset."""
    for name in names:
        if name not in dataset.coords:
            known = suggestion(name, map(str, dataset.coords)) if dataset.coords else ""
            raise InvalidInput(f"the dataset has no coordinate {name!r}{known}")


def whole(data: xr.DataArray, dim: str) -> xr.DataArray:
    """``data`` in one chunk along ``dim`` if it is lazy, else ``data`` itself."""
    return data if data.chunks is None else data.chunk({dim: -1})


def labelled(
    data: xr.DataArray, term: EnergyTerm, units: str | None = None, **more: Any
) -> xr.DataArray:
    """``data`` with the name and attributes of ``term``, ``more`` attributes and other ``units``.

    If the unit is a power of the energy and ``units`` is None, the result has no attribute "units":
    the unit of energy is then unknown.
    """
    attributes = term.attributes(units or "") | more
    if units is not None:
        attributes["units"] = units
    elif term.energy_power is not None:
        del attributes["units"]
    out = data.rename(term.name)
    out.attrs = attributes
    return out
