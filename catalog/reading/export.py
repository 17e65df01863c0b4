"""Take a Dataset elsewhere: NetCDF, or tidy tables as CSV and Parquet."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from catalog.arguments import a_flag, a_path, checked, instance
from catalog.names.described import inner_dims
from catalog.reading.netcdf import plain_attributes, write_netcdf
from catalog.reading.table import (
    columns,
    computed_pieces,
    empty_table,
    nested_columns,
    new_points,
    rows_of,
)
from catalog.store.whole_file import whole_file
from ensemble import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    path : str
    bytes : int
        Size of the file.
    points : int
        Computed points in it; without a status, all labels.
    not_computed : int
        Points that are not computed: left out of a table; in NetCDF, whose grid is complete,
        their status says so.
    """

    path: str
    bytes: int
    points: int
    not_computed: int


_a_dataset = instance(
    xr.Dataset,
    "give a Dataset or a DataArray, such as catalog.open(store)[name].dataset()",
    xr.DataArray,
)


@checked(ds=_a_dataset, path=a_path, overwrite=a_flag)
def export(ds: xr.Dataset | xr.DataArray, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write a Dataset to a file whose suffix says the format.

    =============  ================================================================================
    ``.nc``        NetCDF 4, the Dataset as it is: units, symbols, flags, provenance
    ``.csv``       one row a computed point (see `catalog.table`)
    ``.parquet``   the same; units, symbols and long names in the schema's metadata
    =============  ================================================================================

    A variable with inner dimensions is a list in each row of a table, in CSV as JSON.  Complex
    numbers are written as two columns or arrays, ``name_real`` and ``name_imag``.

    The file appears under its name only once it is whole.  Where xarray has put NaN into the
    status, texts or whole numbers, the file has "not computed", "" and the fills of a store.

    Parameters
    ----------
    ds : xarray.Dataset or xarray.DataArray
        Of a sweep or of an analysis; a lazy one is computed, some blocks at a time and each block
        once.  Without ``status`` to tell what is computed, every label is a row.
    path : path
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InvalidInput
        If the suffix is unknown, the file is there already or the folder is not, or the values are
        of a kind that the format cannot hold.
    """
    target = Path(path)
    if target.suffix == ".zip":
        raise InvalidInput(
            "a .zip holds an entire store, not a dataset: use zip_store(location, path)"
        )
    if target.suffix not in WRITERS:
        raise InvalidInput(
            f"cannot tell the format of {target.name}: end it in {', '.join(WRITERS)}"
        )
    data = _in_parts(_as_dataset(ds))
    with whole_file(target, overwrite=overwrite) as temporary:
        points = WRITERS[target.suffix](data, temporary)
        size = temporary.stat().st_size
    total = data["status"].size if "status" in data else points
    return Exported(str(target), size, points, total - points)


def _as_dataset(data: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """The data as a Dataset of at least one array."""
    if isinstance(data, xr.DataArray):
        if data.name is None:
            raise InvalidInput(
                "the array has no name for its column: give one with rename('power')"
            )
        if data.name in data.coords:
            raise InvalidInput(
                f"the array has the name of its coordinate {data.name}: give it another with rename"
            )
        return data.to_dataset()
    return data


def _in_parts(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset with real and imaginary parts in place of complex arrays.

    No format of these has a type for complex numbers that other programs read.

    Raises
    ------
    InvalidInput
        If a part would have the name of another array.
    """
    parts: dict[str, xr.DataArray] = {}
    for name, array in ds.variables.items():
        if array.dtype.kind != "c":
            continue
        if name not in ds.data_vars:
            raise InvalidInput(
                f"the labels of {name} are complex numbers, which no file holds: drop them with "
                f"drop_vars({name!r})"
            )
        for part, words in (("real", "real part"), ("imag", "imaginary part")):
            new = f"{name}_{part}"
            if new in ds.variables:
                raise InvalidInput(
                    f"{name} is complex and would be written as {new}, which is there already: "
                    "rename one of them"
                )
            values = getattr(ds[name], part)
            about = f"{words} of {array.attrs.get('long_name') or name}"
            mark = f"{'Re' if part == 'real' else 'Im'} {array.attrs.get('symbol') or name}"
            values.attrs = {**array.attrs, "long_name": about, "symbol": mark}
            parts[new] = values
    return ds.drop_vars([n for n in ds.data_vars if ds[n].dtype.kind == "c"]).assign(parts)


def _write_csv(ds: xr.Dataset, path: Path) -> int:
    points = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        empty_table(ds).to_csv(file, index=False)
        lists = nested_columns(ds)
        for new, frame in _frames(ds):
            for name in lists:
                frame[name] = [json.dumps(_finite(cell)) for cell in frame[name]]
            frame.to_csv(file, index=False, header=False)
            points += new
    return points


def _write_parquet(ds: xr.Dataset, path: Path) -> int:
    import pyarrow as pa  # slow to import: only where such a file is written
    from pyarrow import parquet

    schema = _schema(ds)
    points = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for new, frame in _frames(ds):
            writer.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
            points += new
    return points


def _finite(cell: Any) -> Any:
    """A list, or lists in it, with None for NaN, which JSON does not have."""
    if isinstance(cell, list):
        return [_finite(item) for item in cell]
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _frames(ds: xr.Dataset) -> Iterator[tuple[int, pd.DataFrame]]:
    """The table in pieces, each with the number of its points."""
    holes = "status" not in ds
    for where, piece in computed_pieces(ds, holes=holes):
        yield new_points(ds, where, piece), rows_of(piece, holes=holes)


def _schema(ds: xr.Dataset) -> pyarrow.Schema:
    """Types of the columns, each with its units, symbol and long name, and the sweep's record."""
    import pyarrow as pa

    types = pa.Schema.from_pandas(empty_table(ds), preserve_index=False)
    lists = {name: _list_type(ds, name) for name in nested_columns(ds)}
    fields = [
        pa.field(
            name,
            lists.get(name)
            or (
                pa.string()
                if pa.types.is_large_string(types.field(name).type)
                else types.field(name).type
            ),
            metadata=_text_attributes(ds[name].attrs if name in ds.variables else {}),
        )
        for name in columns(ds)
    ]
    return pa.schema(fields, metadata=_text_attributes(ds.attrs))


def _list_type(ds: xr.Dataset, name: str) -> pyarrow.DataType:
    """The type of a column of lists, as deep as the array has inner dimensions."""
    import pyarrow as pa

    array, inner = ds[name], inner_dims(ds)
    found = pa.string() if array.dtype.kind in "OTU" else pa.from_numpy_dtype(array.dtype)
    for dim in array.dims:
        if dim in inner:
            found = pa.list_(found)
    return found


def _text_attributes(attributes: dict[Any, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(np.asarray(value).tolist())
        for name, value in plain_attributes(attributes).items()
    }


WRITERS: dict[str, Callable[[xr.Dataset, Path], int]] = {
    ".nc": write_netcdf,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
