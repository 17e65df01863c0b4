"""The one constructor of labelled Datasets: arrays of a grid in, coordinates and units added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.names.term import Index
from catalog.names.vocabulary import OWN, POINT
from catalog.sweeps.arrays import TEXT
from catalog.sweeps.grid import Grid


class TextBlock(np.ndarray):
    """A block of texts in a lazy array, of which a single element is an array as well.

    NumPy gives the bare string instead, which dask cannot write to a file.
    """

    def __getitem__(self, where: Any) -> Any:
        found = super().__getitem__(where)
        if isinstance(found, str):
            found = np.array(found, dtype=TEXT).view(TextBlock)
        return found


def labelled(grid: Grid, arrays: Mapping[str, Any]) -> xr.Dataset:
    """Dataset of a grid from its bare arrays.

    Axes become dimensions with coordinates, fixed parameters become scalar coordinates, inner
    dimensions of variables have coordinates of their own; every array carries long name, symbol,
    units and role.

    Parameters
    ----------
    grid : Grid
    arrays : mapping of str to array
        Each of shape ``grid.shape``, and of its inner dimensions.
    """
    coordinates: dict[str, Any] = {}
    for name, labels in grid.axes.items():
        term = OWN[POINT] if name == POINT else grid.term(name)
        coordinates[name] = xr.Variable(name, list(labels), term.attributes()).astype(
            term.dtype, keep_attrs=True
        )
    for name, values in grid.points.items():
        coordinates[name] = xr.Variable(POINT, list(values), grid.term(name).attributes())
    for name, value in grid.fixed.items():
        coordinates[name] = xr.Variable((), value, grid.term(name).attributes())
    coordinates |= inner_coordinates(grid, arrays)
    variables = {}
    for name, array in arrays.items():
        term = grid.term(name)
        dims = (*grid.dims, *term.dims)
        variables[name] = xr.Variable(dims, _with_text(array), term.attributes())
    return xr.Dataset(variables, coordinates, attributes(grid))


def inner_coordinates(grid: Grid, names: Iterable[str]) -> dict[str, xr.Variable]:
    """Labels of the inner dimensions of some arrays."""
    found = {}
    for name in names:
        for dim, labels in grid.term(name).dims.items():
            known = grid.model.vocabulary.get(dim)
            term = Index(dim) if known is None else known
            text = isinstance(labels[0], str)
            values = np.array(labels, dtype=TEXT if text else None)
            found[dim] = xr.Variable(dim, values, term.attributes())
    return found


def attributes(grid: Grid) -> dict[str, str]:
    """Dataset attributes: the sweep in words, and what identifies it but the labels.

    The labels are the coordinates, so that Datasets of one sweep over other labels have the same
    attributes and xarray can combine them.
    """
    return {
        "title": grid.name,
        "description": grid.family.description,
        **grid.model.attributes(),
        "sweep": json.dumps(grid.family.identity(), ensure_ascii=False),
    }


def _with_text(array: Any) -> Any:
    """The array, in which lazy texts are known to be texts."""
    if not isinstance(array, da.Array) or array.dtype.kind != "O":
        return array
    meta = np.empty((0,) * array.ndim, dtype=TEXT)
    return da.map_blocks(_text_block, array, dtype=TEXT, meta=meta)


def _text_block(block: NDArray[Any]) -> NDArray[Any]:
    return block.astype(TEXT, copy=False).view(TextBlock)
