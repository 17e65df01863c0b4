"""Take a Dataset elsewhere: NetCDF, or tidy tables as CSV and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from catalog.reading.netcdf import plain_attributes, write_netcdf
from catalog.reading.table import columns, computed_pieces, empty_table, new_points, rows_of
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


def export(ds: xr.Dataset | xr.DataArray, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write a Dataset to a file whose suffix says the format.

    =============  ================================================================================
    ``.nc``        NetCDF 4, the Dataset as it is: units, symbols, flags, provenance
    ``.csv``       one row a computed point (see `catalog.table`)
    ``.parquet``   the same; units, symbols and long names in the schema's metadata
    =============  ================================================================================

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
    data = _as_dataset(ds)
    if target.suffix != ".csv":
        _require_real(data, target.suffix)
    with whole_file(target, overwrite=overwrite) as temporary:
        points = WRITERS[target.suffix](data, temporary)
        size = temporary.stat().st_size
    total = data["status"].size if "status" in data else points
    return Exported(str(target), size, points, total - points)


def _as_dataset(data: object) -> xr.Dataset:
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
    if not isinstance(data, xr.Dataset):
        raise InvalidInput(
            f"cannot export a {type(data).__name__}: give a Dataset or a DataArray, such as "
            "catalog.open(store)[name].dataset()"
        )
    return data


def _require_real(ds: xr.Dataset, suffix: str) -> None:
    for name, variable in ds.variables.items():
        if variable.dtype.kind == "c":
            raise InvalidInput(
                f"a {suffix} file cannot hold the complex numbers of {name}: export its .real and "
                ".imag, or end the name in .csv"
            )


def _write_csv(ds: xr.Dataset, path: Path) -> int:
    points = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        empty_table(ds).to_csv(file, index=False)
        for new, frame in _frames(ds):
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


def _frames(ds: xr.Dataset) -> Iterator[tuple[int, pd.DataFrame]]:
    """The table in pieces, each with the number of its points."""
    holes = "status" not in ds
    for where, piece in computed_pieces(ds, holes=holes):
        yield new_points(ds, where, piece), rows_of(piece, holes=holes)


def _schema(ds: xr.Dataset) -> pyarrow.Schema:
    """Types of the columns, each with its units, symbol and long name, and the sweep's record."""
    import pyarrow as pa

    types = pa.Schema.from_pandas(empty_table(ds), preserve_index=False)
    fields = [
        pa.field(
            name,
            pa.string()
            if pa.types.is_large_string(types.field(name).type)
            else types.field(name).type,
            metadata=_text_attributes(ds[name].attrs if name in ds.variables else {}),
        )
        for name in columns(ds)
    ]
    return pa.schema(fields, metadata=_text_attributes(ds.attrs))


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
