"""The quantity that a map is refined by: a variable, a named reduction of one, or a function."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import xarray as xr

from catalog.arguments import shown
from catalog.names.described import inner_dims
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

Quantity = str | Callable[[xr.Dataset], xr.DataArray]

REDUCTIONS: dict[str, Callable[[xr.DataArray, list[str]], xr.DataArray]] = {
    "max": lambda array, dims: array.max(dims, skipna=False),
    "min": lambda array, dims: array.min(dims, skipna=False),
    "mean": lambda array, dims: array.mean(dims, skipna=False),
    "sum": lambda array, dims: array.sum(dims, skipna=False),
}
"""From a variable with inner dimensions to one number a point; of complex values the moduli."""
CALL = re.compile(r"\s*(\w+)\s*\(\s*(\w+)\s*\)\s*")


def computed(quantity: Quantity, ds: xr.Dataset) -> xr.DataArray:
    """The quantity of a Dataset, without inner dimensions.

    Parameters
    ----------
    quantity : str or callable
        A variable; a reduction of one that has inner dimensions, such as ``"max(spectrum)"``; or a
        function from the Dataset to a DataArray.
    ds : xarray.Dataset

    Raises
    ------
    InvalidInput
        If there is no such variable or reduction, or the variable has to be reduced.
    """
    if not isinstance(quantity, str):
        return _called(quantity, ds)
    found = CALL.fullmatch(quantity)
    reduction, name = found.groups() if found else ("", quantity)
    if name not in ds:
        names = [str(variable) for variable in ds.data_vars]
        raise InvalidInput(f"the dataset has no {shown(name)}{suggestion(name, names)}")
    array = ds[name]
    dims = [dim for dim in inner_dims(ds) if dim in array.dims]
    if array.dtype.kind == "c":
        array = np.abs(array)  # type: ignore[assignment]
    if reduction and reduction not in REDUCTIONS:
        raise InvalidInput(
            f"there is no reduction {shown(reduction)}: choose from {', '.join(REDUCTIONS)}"
        )
    if dims and not reduction:
        raise InvalidInput(
            f"{name} has the dimension {dims[0]} at each point: reduce it, e.g. max({name})"
        )
    return REDUCTIONS[reduction](array, dims) if reduction else array


def _called(quantity: Callable[[xr.Dataset], xr.DataArray], ds: xr.Dataset) -> xr.DataArray:
    values = quantity(ds)
    if not isinstance(values, xr.DataArray):
        raise InvalidInput(
            f"the quantity must be a DataArray, but its function gave {shown(values)}: return e.g. "
            "ds.power"
        )
    return values
