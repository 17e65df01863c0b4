"""Tidy tables of a Dataset: one row a point, one column a quantity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from catalog.arguments import a_flag, checked, instance, optional
from catalog.names.described import inner_dims, role
from catalog.names.fills import restored
from catalog.names.status import codes_of, labels_of
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50_000
"""Points read at a time: with 50 columns some 20 MB."""
MOST_BLOCKS = 2_000
"""Blocks read at a time, so that the graph, a task for each array of each block, stays small."""

Where = Mapping[str, slice]
"""A piece of a Dataset, as ``isel`` takes it."""
_a_dataset = instance(xr.Dataset, "give a Dataset, such as dataset(sweep)")


@checked(ds=_a_dataset, computed_only=optional(a_flag))
def table(ds: xr.Dataset, *, computed_only: bool | None = None) -> pd.DataFrame:
    """One row a point: its dimensions, fixed parameters, variables, diagnostics and status.

    Parameters
    ----------
    ds : xarray.Dataset
        Of a sweep or of an analysis, in memory or lazy; a lazy one is computed, some blocks at a
        time.
    computed_only : bool, optional
        Leave out the points whose status is "not computed".  By default it is so where the Dataset
        has a status; where it has none, every label is a row.

    Returns
    -------
    pandas.DataFrame
        Sorted by the dimensions, ``status`` as text ("ok", "failed", …).  A variable with inner
        dimensions has a list in each row.

    Raises
    ------
    InvalidInput
        If there is no ``status`` although ``computed_only`` is asked for, or it holds something
        that is no status.

    Examples
    --------
    >>> ds = xr.Dataset(
    ...     {"power": ("N", [1.5, 6.5, np.nan]), "status": ("N", np.array([1, 1, 0], "u1"))},
    ...     {"N": [1, 2, 4], "E_1": 1.0})
    >>> print(table(ds).to_string(index=False))
     N  E_1  power status
     1  1.0    1.5     ok
     2  1.0    6.5     ok
    """
    import pandas as pd  # slow to import: only where a table is made

    frames = list(iter_tables(ds, computed_only=computed_only))
    if not frames:
        return empty_table(ds)
    whole = pd.concat(frames, ignore_index=True)
    dims = [name for name in columns(ds) if name in ds.dims]
    return whole.sort_values(dims, ignore_index=True) if len(frames) > 1 else whole


def iter_tables(
    ds: xr.Dataset, *, computed_only: bool | None = None, rows: int = ROWS
) -> Iterator[pd.DataFrame]:
    """The table in pieces, so that a large Dataset is never in memory at once.

    The pieces are those of `computed_pieces`.  The other arguments and errors are those of
    `catalog.table`.
    """
    holes = not (computed_only or (computed_only is None and "status" in ds))
    if not holes and "status" not in ds:
        raise InvalidInput(
            "the dataset has no status to tell which points were computed: keep status, or leave "
            "out computed_only"
        )
    for _, piece in computed_pieces(ds, holes=holes, rows=rows):
        yield rows_of(piece, holes=holes)


def computed_pieces(
    ds: xr.Dataset, *, holes: bool, rows: int = ROWS
) -> Iterator[tuple[Where, xr.Dataset]]:
    """The Dataset in pieces, computed one by one, with the types and fills of the vocabulary.

    A piece covers whole dask blocks, as many as make up to ``rows`` points or 2,000 blocks, at
    least one; a Dataset in memory is cut likewise.  All arrays of a piece are computed by one call
    to dask, so that a block that several arrays need is solved once.  Only where the status shares
    no work with other arrays, as in a Dataset that just reads a store, is it computed first.

    Parameters
    ----------
    ds : xarray.Dataset
    holes : bool
        Give pieces without a computed point, too.
    rows : int
        Points of a piece.

    Yields
    ------
    mapping of str to slice
        Where the piece lies.
    xarray.Dataset
        The piece, in memory.
    """
    counted = _with_counts(ds)
    status_first = not holes and not _shares_work(ds)
    for where in _pieces(counted, rows):
        piece = counted.isel(where)
        if status_first:
            status = piece["status"].compute()
            if not computed_points(status):
                continue
            piece = piece.assign(status=status)
        piece = restored(piece.compute())
        if holes or computed_points(piece["status"]):
            yield where, piece


def computed_points(status: xr.DataArray) -> int:
    """How many points of a status in memory are computed."""
    return int(np.count_nonzero(codes_of(status.values) != Status.NOT_COMPUTED))


def count_labels(ds: xr.Dataset) -> int:
    """Number of combinations of labels."""
    return math.prod(ds.sizes.values())


def new_points(ds: xr.Dataset, where: Where, piece: xr.Dataset) -> int:
    """Computed points of a piece that no piece before had; without a status, all."""
    if "status" not in ds:
        return count_labels(piece)
    beyond = (part.start for dim, part in where.items() if dim not in ds["status"].dims)
    return 0 if any(beyond) else computed_points(piece["status"])


def rows_of(piece: xr.Dataset, *, holes: bool) -> pd.DataFrame:
    """Table of a piece that `computed_pieces` gave."""
    names, nested = columns(piece), nested_columns(piece)
    piece = _nested(piece)
    dims = [name for name in names if name in piece.dims]
    if not dims:  # a single point
        piece, dims = piece.expand_dims("row"), ["row"]
    frame = piece.to_dataframe(dim_order=dims).reset_index()[names]
    if not holes:
        frame = frame[frame["status"] != Status.NOT_COMPUTED].reset_index(drop=True)
    if "status" in frame:
        frame["status"] = labels_of(frame["status"].to_numpy())
    text = [name for name in names if frame[name].dtype.kind in "OTU" and name not in nested]
    return frame.astype(dict.fromkeys(text, "str"))


def nested_columns(ds: xr.Dataset) -> list[str]:
    """Names of the columns that hold lists: arrays with inner dimensions."""
    inner = {*inner_dims(ds)}
    return [str(name) for name, array in ds.data_vars.items() if inner & {*array.dims}]


def _nested(piece: xr.Dataset) -> xr.Dataset:
    """A piece in memory, arrays with inner dimensions as lists, one a point."""
    names, inner = nested_columns(piece), inner_dims(piece)
    lists = {}
    for name in names:
        array = piece[name]
        outer = [dim for dim in array.dims if dim not in inner]
        values = array.transpose(*outer, ...).values
        cells = np.empty(values.shape[: len(outer)], dtype=object)
        for position in np.ndindex(cells.shape):
            cells[position] = values[position].tolist()
        lists[name] = (outer, cells, array.attrs)
    return piece.drop_vars([*names, *inner]).assign(lists)


def empty_table(ds: xr.Dataset) -> pd.DataFrame:
    """The columns of the table, with their types, without a row; nothing is computed."""
    return rows_of(without_points(_with_counts(ds)), holes=True).iloc[:0]


def without_points(ds: xr.Dataset) -> xr.Dataset:
    """The arrays with the types that `computed_pieces` gives them, and no labels.

    Nothing is computed, while of a lazy Dataset even an empty selection would compute a block.
    """
    arrays = {
        name: (variable.dims, np.empty([0] * variable.ndim, variable.dtype), variable.attrs)
        for name, variable in ds.variables.items()
    }
    return restored(xr.Dataset(arrays).set_coords(ds.coords))


def columns(ds: xr.Dataset) -> list[str]:
    """Names of the columns: dimensions, other parameters, variables, diagnostics, status last.

    Inner dimensions are not columns: an array that has some is a column of lists.
    """
    ranks = {"parameter": 1, "index": 1, "derived": 1, "variable": 2, "diagnostic": 4}
    dims = [str(dim) for dim in _ordered_dims(ds)]
    order = {str(name): position for position, name in enumerate(ds.variables)}

    def rank(name: str) -> tuple[int, int]:
        if name in dims:
            return 0, dims.index(name)
        kind = 5 if name == "status" else 1 if name in ds.coords else ranks[role(ds, name)]
        return kind, order[name]

    inner = {*inner_dims(ds)}
    names = (str(name) for name in {**ds.sizes, **ds.variables})
    return sorted((name for name in names if name not in inner), key=rank)


def _ordered_dims(ds: xr.Dataset) -> list[Hashable]:
    """The dimensions in the order in which an array has them: the status if there is one."""
    inner = {*inner_dims(ds)}
    longest = max((v.dims for v in ds.data_vars.values()), key=len, default=())
    first = ds["status"].dims if "status" in ds else longest
    return [dim for dim in dict.fromkeys([*first, *longest, *ds.sizes]) if dim not in inner]


def _with_counts(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset with positions for labels along dimensions that have none."""
    return ds.assign_coords(
        {dim: np.arange(size) for dim, size in ds.sizes.items() if dim not in ds.coords}
    )


def _shares_work(ds: xr.Dataset) -> bool:
    """Whether the graph of the status has a layer in common with that of another array.

    Where blocks are solved, all arrays of a block come from one task: to compute the status alone
    would solve the block once more.
    """
    layers = {
        name: set(variable.data.__dask_graph__().layers)
        for name, variable in ds.variables.items()
        if variable.chunks
    }
    of_status = layers.pop("status", set())
    return any(of_status & others for others in layers.values())


def _pieces(ds: xr.Dataset, rows: int) -> Iterator[Where]:
    """Selections of whole blocks that hold up to ``rows`` points, at least one block."""
    found = _cuts(ds, rows)
    for part in itertools.product(*found.values()):
        yield dict(zip(found, part, strict=True))


def _cuts(ds: xr.Dataset, rows: int) -> dict[str, list[slice]]:
    """Where to cut each dimension so that the pieces are whole blocks of up to ``rows`` points."""
    dims = [name for name in columns(ds) if name in ds.dims]
    lengths = {dim: _lengths(ds, dim) for dim in dims}
    longest = {dim: max((1, *lengths[dim])) for dim in dims}
    held = math.prod(longest.values())
    if any(variable.chunks for variable in ds.variables.values()):
        rows = min(rows, MOST_BLOCKS * held)
    found: dict[str, list[slice]] = {}
    for dim in reversed(dims):
        found[dim] = _merged(lengths[dim], rows * longest[dim] // held)
        held = held // longest[dim] * max(1, *(part.stop - part.start for part in found[dim]))
    return {dim: found[dim] for dim in dims}


def _lengths(ds: xr.Dataset, dim: str) -> tuple[int, ...]:
    """Lengths of the shortest pieces of a dimension that are whole blocks of every array."""
    common: set[int] | None = None
    for variable in ds.variables.values():
        if variable.chunks and dim in variable.dims:
            ends = set(itertools.accumulate(variable.chunksizes[dim]))
            common = ends if common is None else common & ends
    if common is None:  # nothing is lazy along it
        return (1,) * ds.sizes[dim]
    return tuple(stop - start for start, stop in itertools.pairwise(sorted({0, *common})))


def _merged(lengths: Sequence[int], most: int) -> list[slice]:
    """Neighbouring blocks joined up to a length.

    >>> _merged((2, 2, 2, 1), 4)
    [slice(0, 4, None), slice(4, 7, None)]
    """
    edges = [0]
    end = 0
    for length in lengths:
        if end > edges[-1] and end + length - edges[-1] > most:
            edges.append(end)
        end += length
    return [slice(start, stop) for start, stop in itertools.pairwise([*edges, end])]
