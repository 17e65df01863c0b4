"""The arrays of a grid in memory: their types, and their values where nothing is computed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from catalog.names.term import Term
from catalog.sweeps.grid import Grid

Arrays = dict[str, NDArray]

TEXT = np.dtype("O", metadata={"vlen": str})
"""Objects that are text, as xarray and h5py mark them."""
MOST_TEXT = 2**14
"""Most characters of text that a point may hold, so that every read has a bounded size."""


def empty_arrays(grid: Grid, shape: tuple[int, ...], names: Iterable[str] | None = None) -> Arrays:
    """Arrays of a grid, all or some, over points of this shape, filled with "not computed"."""
    return {
        name: empty_array(grid.term(name), shape)
        for name in (grid.arrays if names is None else names)
    }


def empty_array(term: Term, shape: Iterable[int]) -> NDArray:
    """An array over points of this shape and the inner dimensions, nothing of it computed."""
    return np.full((*shape, *term.inner_shape), term.fill_value, dtype=array_dtype(term))


def array_dtype(term: Term) -> np.dtype:
    """NumPy dtype of an array; text has variable length."""
    return np.dtypes.StringDType() if term.dtype == "str" else np.dtype(term.dtype)


def seen_dtype(term: Term) -> np.dtype:
    """NumPy dtype of an array in a labelled Dataset: text as objects.

    xarray's ``where`` and alignment have no fill for text of variable length.  The dtype says that
    the objects are text, so that xarray need not look at them to write them.
    """
    return TEXT if term.dtype == "str" else array_dtype(term)


def spread(mask: NDArray, array: NDArray) -> NDArray:
    """A mask of points in a shape that broadcasts over the inner dimensions of an array."""
    return mask.reshape((*mask.shape, *(1,) * (array.ndim - mask.ndim)))
