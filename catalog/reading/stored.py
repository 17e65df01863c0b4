"""Lazy labelled Datasets of what is stored: over a grid of labels, or point by point."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.names.vocabulary import POINT
from catalog.reading.lazy import labelled_in, lazily_labelled, read_now, view_of
from catalog.store.part import Part
from catalog.store.places import each_once, points_of
from catalog.store.stored import StoredSweep
from catalog.store.user_arrays import user_arrays
from catalog.sweeps.arrays import empty_array, seen_dtype
from catalog.sweeps.grid import Grid, Index

BESIDE = "scattered_points"
"""Attribute of the Dataset of a grid that says how many points lie beside it."""


def stored_dataset(stored: StoredSweep, *, filled: bool = False) -> xr.Dataset:
    """Lazy, labelled Dataset of what is stored, over the sorted labels of its grid.

    It reads, and never solves: ``status`` marks the points that are not computed.  Arrays that
    users have added to the groups are part of it.  Of scattered points it has those with labels of
    the grid; its attribute ``scattered_points`` says how many others there are.  A sweep without a
    grid has its points along the dimension ``point``.

    Parameters
    ----------
    stored : StoredSweep
    filled : bool
        Take the labels of scattered points into the grid, too.
    """
    grid = stored.filled_grid if filled else stored.grid
    if grid.points:
        found = scattered_dataset(stored, [name for name in grid.dims if name != POINT])
        return found.assign(user_arrays(stored, grid))
    view = view_of(stored, grid, None)
    token = uuid.uuid4().hex  # more may be stored later
    found = lazily_labelled(grid, view.steps, partial(read_now, view), token)
    if stored.beside_grid and not filled:
        found.attrs[BESIDE] = f"{stored.beside_grid} beside this grid: points() has them"
    return found.assign(user_arrays(stored, grid))


def scattered_dataset(stored: StoredSweep, keep: Sequence[str] = ()) -> xr.Dataset:
    """Lazy Dataset of all stored points along one dimension ``point``, each once.

    Every parameter that varies is a coordinate along ``point``.  A dask chunk has the points of one
    Zarr chunk; where dimensions are kept, all points are one chunk.

    Parameters
    ----------
    stored : StoredSweep
    keep : sequence of str
        Parameters that stay dimensions of their own.
    """
    places = _places(stored)
    rows = np.concatenate([place.labels for place in places])
    grid = stored.grid_of_points(rows, keep)
    # Without dimensions that are kept, each row is a point of its own.
    reading = [_gathered(places, rows, grid)] if keep else [[place] for place in places]
    lengths = [grid.shape[0]] if keep else [place.rows.size for place in places]
    chunks = (tuple(lengths), *((length,) for length in grid.shape[1:]))
    return labelled_in(grid, chunks, partial(_layer, reading), uuid.uuid4().hex)


@dataclass(frozen=True)
class Place:
    """Points of a Zarr chunk of a part, and where they go in a dask chunk.

    Attributes
    ----------
    part : Part
    chunk : tuple of int
    rows : ndarray of int
        Their positions in the chunk, which is taken as flat.
    at : tuple of ndarray
        Their positions in the dask chunk: one index array a dimension.
    """

    part: Part
    chunk: Index
    rows: NDArray[np.intp]
    at: tuple[NDArray[np.intp], ...]

    @property
    def labels(self) -> NDArray[np.float64]:
        """Labels of all parameters, one row a point."""
        return points_of(self.part.grid, self.part.grid.chunk_slices(self.chunk))[self.rows]


def _places(stored: StoredSweep) -> list[Place]:
    """All points, each once, in the order of the parts and of their chunks."""
    scattered = any(part.grid.points for part in stored.parts)
    codes = [part.whole("status") if scattered else np.empty(0) for part in stored.parts]
    found = []
    for part, once in zip(stored.parts, each_once(stored.parts, codes), strict=True):
        for chunk in part.grid.chunk_indices():
            rows = np.flatnonzero(once[part.grid.chunk_slices(chunk)])
            if rows.size:
                found.append(Place(part, chunk, rows, (np.arange(rows.size),)))
    return found


def _gathered(places: Sequence[Place], rows: NDArray[np.float64], grid: Grid) -> list[Place]:
    """The places of all points in an array with dimensions beside ``point``."""
    known = {labels: i for i, labels in enumerate(zip(*grid.points.values(), strict=True))}
    names = list(grid.family.parameters)
    varying = rows[:, [names.index(name) for name in grid.points]].tolist()
    at = [np.array([known[tuple(labels)] for labels in varying])]
    for name in grid.dims[1:]:
        at.append(np.searchsorted(np.asarray(grid.axes[name], float), rows[:, names.index(name)]))
    ends = np.cumsum([place.rows.size for place in places])[:-1]
    pieces = zip(*(np.split(column, ends) for column in at), strict=True)
    return [replace(place, at=piece) for place, piece in zip(places, pieces, strict=True)]


def _layer(
    reading: Sequence[Sequence[Place]], *, variable: str, chunks: Any, grid: Grid, options: Any
) -> da.Array:
    shape = grid.shape[1:]
    read = partial(_read_points, reading=reading, variable=variable, shape=shape)
    return da.map_blocks(read, chunks=chunks, **options)


def _read_points(
    reading: Sequence[Sequence[Place]], variable: str, shape: tuple[int, ...], block_id: Index
) -> NDArray:
    places = reading[block_id[0]]
    term = places[0].part.grid.term(variable)
    length = 1 + max(int(place.at[0].max()) for place in places)
    result = empty_array(term, (length, *shape))
    for place in places:
        array = place.part.read_chunk(place.chunk, [variable])[variable]
        size = math.prod(array.shape[: array.ndim - len(term.inner_shape)])
        result[place.at] = array.reshape((size, *term.inner_shape))[place.rows]
    return result.astype(seen_dtype(term), copy=False)
