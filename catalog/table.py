"""Tidy tables of a Dataset: one row a point, one column a quantity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from catalog.status import status_codes, text_values
from catalog.vocabulary import TERMS, VOCABULARY
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50_000
"""Points read at a time: with 50 columns some 20 MB."""

_LABELS = np.array([status.label for status in Status], dtype=object)
_ORDER = {term.name: position for position, term in enumerate(TERMS)}


def table(ds: xr.Dataset, *, computed_only: bool = True) -> pd.DataFrame:
    """One row a point: its dimensions, fixed parameters, variables, diagnostics and status.

    Parameters
    ----------
    ds : xarray.Dataset
        Of a sweep, in memory or lazy; a lazy one is computed, some blocks at a time.
    computed_only : bool
        Leave out the points whose status is "not computed".

    Returns
    -------
    pandas.DataFrame
        Sorted by the dimensions, ``status`` as text ("ok", "failed", …).

    Raises
    ------
    InvalidInput
        If there is no ``status`` to tell which points were computed.

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
    ds: xr.Dataset, *, computed_only: bool = True, rows: int = ROWS
) -> Iterator[pd.DataFrame]:
    """The table in pieces, so that a large Dataset is never in memory at once.

    A piece covers whole dask blocks, as many as make up to ``rows`` points, at least one; a
    Dataset in memory is cut likewise.  The other arguments and errors are those of `catalog.table`.
    """
    if computed_only and "status" not in ds:
        raise InvalidInput(
            "the dataset has no status to tell which points were computed: keep status, or pass "
            "computed_only=False"
        )
    counted = _with_counts(ds)
    for part in _pieces(counted, rows):
        # All arrays at once, and once: what a lazy Dataset solves is solved once.
        piece = counted.isel(part).compute()
        frame = _frame(piece)
        if computed_only:
            frame = frame[frame["status"] != Status.NOT_COMPUTED.label].reset_index(drop=True)
        if len(frame):
            yield frame


def empty_table(ds: xr.Dataset) -> pd.DataFrame:
    """The columns of the table, with their types, without a row."""
    counted = _with_counts(ds)
    # Made anew, not computed: an empty selection of a lazy Dataset would solve a block.
    nothing = {
        name: (variable.dims, np.empty((0,) * variable.ndim, variable.dtype))
        for name, variable in counted.variables.items()
    }
    coordinates = {name: value for name, value in nothing.items() if name in counted.coords}
    variables = {name: value for name, value in nothing.items() if name in counted.data_vars}
    frame = _frame(xr.Dataset(variables, coordinates))
    return frame.iloc[:0]


def columns(ds: xr.Dataset) -> list[str]:
    """Names of the columns: dimensions, other parameters, variables, diagnostics, status last."""
    ranks = {"parameter": 1, "variable": 2, "diagnostic": 4}

    def rank(name: str) -> tuple[int, int]:
        if name in ds.dims:
            return 0, _ORDER.get(name, -1)
        kind = ranks[VOCABULARY[name].kind] if name in VOCABULARY else 3
        return 1 if name in ds.coords else kind, _ORDER.get(name, len(_ORDER))

    return sorted((str(name) for name in {**ds.sizes, **ds.variables}), key=rank)


def _with_counts(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset with positions for labels along dimensions that have none."""
    return ds.assign_coords(
        {dim: np.arange(size) for dim, size in ds.sizes.items() if dim not in ds.coords}
    )


def _frame(piece: xr.Dataset) -> pd.DataFrame:
    """Table of all points of a Dataset, which is computed."""
    names = columns(piece)
    dims = [name for name in names if name in piece.dims]
    if not dims:  # a single point
        piece, dims = piece.expand_dims("row"), ["row"]
    if "status" in piece:
        piece = piece.assign(status=(piece["status"].dims, status_codes(piece["status"].values)))
    texts = [name for name in piece.data_vars if piece[name].dtype.kind in "OTU"]
    piece = piece.assign({n: (piece[n].dims, text_values(piece[n].values)) for n in texts})
    frame = piece.to_dataframe(dim_order=dims).reset_index()[names]
    if "status" in frame:
        frame["status"] = _LABELS[frame["status"].to_numpy(dtype=int)]
    return frame.astype({name: "str" for name in names if frame[name].dtype.kind in "OTU"})


def _pieces(ds: xr.Dataset, rows: int) -> Iterator[dict[str, slice]]:
    """Selections of whole blocks that hold up to ``rows`` points, at least one block."""
    found = cuts(ds, rows)
    for part in itertools.product(*found.values()):
        yield dict(zip(found, part, strict=True))


def cuts(ds: xr.Dataset, rows: int = ROWS) -> dict[str, list[slice]]:
    """Where to cut each dimension so that the pieces are whole blocks of up to ``rows`` points."""
    dims = [name for name in columns(ds) if name in ds.dims]
    chunks = ds.unify_chunks().chunksizes
    lengths = {dim: chunks.get(dim, (1,) * ds.sizes[dim]) for dim in dims}
    longest = {dim: max(1, *lengths[dim]) for dim in dims}
    held = math.prod(longest.values())
    found: dict[str, list[slice]] = {}
    for dim in reversed(dims):
        found[dim] = _merged(lengths[dim], rows * longest[dim] // held)
        held = held // longest[dim] * max(1, *(part.stop - part.start for part in found[dim]))
    return {dim: found[dim] for dim in dims}


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
