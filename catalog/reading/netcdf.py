"""A Dataset as a NetCDF 4 file, written piece by piece if it is lazy."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from catalog.names.fills import restored
from catalog.reading.table import (
    computed_pieces,
    computed_points,
    count_labels,
    new_points,
    without_points,
)
from catalog.sweeps.dataset import TEXT


def write_netcdf(ds: xr.Dataset, path: Path) -> int:
    """Write what is in memory at once, then what is lazy piece by piece."""
    plain = ds.drop_encoding()  # its chunks and codecs are for Zarr only
    plain.attrs = plain_attributes(ds.attrs)
    for name in plain.variables:
        plain[name].attrs = plain_attributes(ds[name].attrs)
    lazy = [
        name
        for name, variable in plain.variables.items()
        if variable.chunks and variable.dtype.kind in "biufOTU"
    ]
    # xarray encodes the other arrays, such as times; they are loaded if they are lazy.
    ready = restored(plain.drop_vars(lazy).compute())
    # Undefined values are NaN; whole numbers and text have fills of their own, which are values.
    fills = {name: {"_FillValue": None} for name in ready.variables}
    ready.to_netcdf(path, engine="h5netcdf", format="NETCDF4", encoding=fills)
    if lazy:
        return _add_lazy(plain, [str(name) for name in lazy], path)
    return computed_points(ready["status"]) if "status" in ready else count_labels(ds)


def _add_lazy(ds: xr.Dataset, names: list[str], path: Path) -> int:
    """Add the lazy arrays to the file; each piece of them is computed once, in this process.

    xarray's own writer would leave the writing to the workers of a cluster, which need not see the
    file, and would compute texts once more to find their type.
    """
    import h5netcdf  # slow to import: only where such a file is written

    points = 0
    types = without_points(ds)
    with h5netcdf.File(path, "r+") as file:
        for dim, size in ds.sizes.items():
            if dim not in file.dimensions:
                file.dimensions[dim] = size
        for name in names:
            _declare(file, ds, name, types[name].dtype)
        file.attrs["coordinates"] = _coordinates(ds, ds.dims)
        for where, piece in computed_pieces(ds, holes=True):
            points += new_points(ds, where, piece)
            for name in names:
                variable = piece.variables[name]
                values = variable.values
                if values.dtype.kind == "b":
                    values = values.astype("i1")
                inside = tuple(where.get(str(dim), slice(None)) for dim in variable.dims)
                if values.size:
                    file.variables[name][inside or ...] = values
    return points


def _declare(file: Any, ds: xr.Dataset, name: str, dtype: np.dtype) -> None:
    """An array of a NetCDF file, by xarray's conventions for text, truth values and coordinates."""
    attributes = dict(ds[name].attrs)
    if dtype.kind == "b":
        dtype, attributes["dtype"] = np.dtype("i1"), "bool"
    coordinates = _coordinates(ds, ds[name].dims)
    if coordinates and name not in ds.coords:
        attributes["coordinates"] = coordinates
    variable = file.create_variable(name, ds[name].dims, dtype=TEXT if dtype.kind == "O" else dtype)
    variable.attrs.update(attributes)


def _coordinates(ds: xr.Dataset, dims: Collection[Hashable]) -> str:
    """Names of the coordinates along some dimensions that are not dimensions themselves."""
    names = (name for name in ds.coords if name not in ds.dims and {*ds[name].dims} <= {*dims})
    return " ".join(map(str, names))


def plain_attributes(attributes: dict[Any, Any]) -> dict[str, Any]:
    """Attributes that every format takes: text, numbers and lists of numbers; the rest as JSON."""
    plain: dict[str, Any] = {}
    for name, value in attributes.items():
        numbers = np.asarray(value).dtype.kind in "iuf" if not isinstance(value, dict) else False
        text = isinstance(value, str)
        plain[str(name)] = value if text or numbers else json.dumps(value, default=str)
    return plain
