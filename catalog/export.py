"""Take a Dataset or a store elsewhere: NetCDF, tidy CSV and Parquet tables, a Zip archive."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.blocks import TEXT
from catalog.snapshot import snapshot
from catalog.status import status_codes, text_values
from catalog.storage import TORN, absolute, storage
from catalog.table import columns, empty_table, iter_tables
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
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
        Computed points in it.
    not_computed : int
        Points that are not computed: left out of a table; in NetCDF, whose grid is complete,
        their status says so.
    """

    path: str
    bytes: int
    points: int
    not_computed: int


@dataclass(frozen=True)
class Shipped:
    """What `catalog.zip_store` wrote.

    Attributes
    ----------
    path : str
    bytes : int
        Size of the archive.
    files : int
        Files of the store in it.
    left_out : int
        Files that were left out: temporary ones, leases, and links, which may lead anywhere.
    """

    path: str
    bytes: int
    files: int
    left_out: int


def export(ds: xr.Dataset | xr.DataArray, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write a Dataset, or one array of it, to a file whose suffix says the format.

    =============  ================================================================================
    ``.nc``        NetCDF 4, the Dataset as it is: units, symbols, flags, provenance
    ``.csv``       one row a computed point (see `catalog.table`)
    ``.parquet``   the same; units, symbols and long names in the schema's metadata
    =============  ================================================================================

    The file appears under its name only once it is whole.

    Parameters
    ----------
    ds : xarray.Dataset or xarray.DataArray
        Of a sweep, or what an analysis gives; a lazy one is computed, once and some blocks at a
        time.  Without ``status`` every label is a row, and every point counts as computed.
    path : path
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InvalidInput
        If the suffix is unknown, the file is there already or the folder is not.
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
    if isinstance(ds, xr.DataArray):
        ds = ds.to_dataset(name=ds.name if ds.name is not None else "value")
    with _whole(target, overwrite=overwrite) as temporary:
        points = WRITERS[target.suffix](ds, temporary)
        size = temporary.stat().st_size
    whole = int(ds["status"].size) if "status" in ds else points
    return Exported(str(target), size, points, whole - points)


def zip_store(location: str | Path, path: str | Path, *, overwrite: bool = False) -> Shipped:
    """Pack a store into one file that Zarr opens as it is, for reading.

    The store may be in use meanwhile: a block is either complete in the archive or "not computed".

    Parameters
    ----------
    location : path
        Directory of a Zarr store.
    path : path
        The archive, a name that ends in ``.zip``, outside of the store.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InvalidInput
        If there is no store, or the archive is there already or cannot be there.
    """
    store, target = Path(location).expanduser().absolute(), Path(path)
    if "://" in str(location):
        raise InvalidInput(f"cannot zip {location}: copy the store to a directory and zip that")
    if not (store / "zarr.json").is_file():
        raise InvalidInput(f"there is no Zarr v3 store at {location}: check the path")
    if target.suffix != ".zip":
        raise InvalidInput(f"an archive of a store must end in .zip, not as {target.name}")
    if target.expanduser().absolute().is_relative_to(store):
        raise InvalidInput(f"{target} lies inside the store: put the archive elsewhere")
    files = left_out = 0
    with _whole(target, overwrite=overwrite) as temporary:
        # Chunks of results have been compressed: they are only stored here.
        with zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_STORED, allowZip64=True, strict_timestamps=False
        ) as archive:
            for key, content in snapshot(storage(absolute(location))):
                if content is None:
                    left_out += 1
                else:
                    archive.writestr(key, content)
                    files += 1
        size = temporary.stat().st_size
    return Shipped(str(target), size, files, left_out)


@contextmanager
def _whole(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary name beside the target that becomes the target once all is written."""
    _require_free(target, overwrite=overwrite)
    if not target.parent.is_dir():
        raise InvalidInput(f"there is no folder {target.parent}: make it first")
    temporary = target.with_name(f".{target.name}.{os.getpid()}{TORN}")
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        _require_free(target, overwrite=overwrite)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _require_free(target: Path, *, overwrite: bool) -> None:
    if target.is_dir():
        raise InvalidInput(f"{target} is a folder: give the name of a file")
    if target.exists() and not overwrite:
        raise InvalidInput(f"{target} is there already: choose another name or overwrite it")


IN_MEMORY = 2**30
"""Bytes up to which a Dataset is computed as a whole before it is written to NetCDF: one large
write is several times as fast as many small ones."""


def _write_netcdf(ds: xr.Dataset, path: Path) -> int:
    plain = ds.drop_encoding()  # chunks and codecs are Zarr's
    if plain.nbytes <= IN_MEMORY:
        plain = plain.compute()
    for name, variable in plain.variables.items():
        if variable.dtype.kind in "OT":
            texts = xr.apply_ufunc(
                _as_text, plain[name], dask="parallelized", output_dtypes=[TEXT], keep_attrs=True
            )
            plain[name] = (plain[name].dims, texts.data, variable.attrs)
        if name == "status":
            codes = xr.apply_ufunc(
                status_codes, plain[name], dask="parallelized", output_dtypes=[np.uint8]
            )
            plain[name] = (plain[name].dims, codes.data, variable.attrs)
        plain[name].attrs = _plain_attributes(variable.attrs)
    plain.attrs = _plain_attributes(ds.attrs)
    # Undefined values are NaN; whole numbers and text have fills of their own, which are values.
    encoding = {name: {"_FillValue": None} for name in plain.variables}
    plain.to_netcdf(path, engine="h5netcdf", format="NETCDF4", encoding=encoding)
    if "status" not in plain:
        return math.prod(plain.sizes.values())
    # Read back: computing it again would solve what is lazy again.
    with xr.open_dataset(path, engine="h5netcdf") as written:
        return int((written["status"] != Status.NOT_COMPUTED).sum())


def _as_text(values: NDArray) -> NDArray:
    return text_values(values).astype(TEXT)


def _plain_attributes(attributes: dict[Any, Any]) -> dict[str, Any]:
    """Attributes that every format takes: text, numbers and lists of numbers; the rest as JSON."""
    plain: dict[str, Any] = {}
    for name, value in attributes.items():
        numbers = np.asarray(value).dtype.kind in "iuf" if not isinstance(value, dict) else False
        plain[str(name)] = value if isinstance(value, str) or numbers else json.dumps(value)
    return plain


def _write_csv(ds: xr.Dataset, path: Path) -> int:
    points = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        empty_table(ds).to_csv(file, index=False)
        for frame in iter_tables(ds, computed_only="status" in ds):
            frame.to_csv(file, index=False, header=False)
            points += len(frame)
    return points


def _write_parquet(ds: xr.Dataset, path: Path) -> int:
    import pyarrow as pa  # slow to import: only where such a file is written
    from pyarrow import parquet

    schema = _schema(ds)
    points = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for frame in iter_tables(ds, computed_only="status" in ds):
            writer.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
            points += len(frame)
    return points


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
        for name, value in _plain_attributes(attributes).items()
    }


WRITERS: dict[str, Callable[[xr.Dataset, Path], int]] = {
    ".nc": _write_netcdf,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
