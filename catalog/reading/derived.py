"""Coordinates that follow from the parameters alone, as a model derives them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.arguments import shown
from catalog.names.suggestion import suggestion
from catalog.names.vocabulary import POINT
from catalog.sweeps.grid import Grid
from ensemble import InvalidInput


def derived_coordinates(grid: Grid) -> dict[str, xr.Variable]:
    """What the model of a grid derives from its parameters, such as a ratio of two of them.

    A coordinate has the dimensions that it depends on.  It is not stored: it is computed whenever
    a Dataset is made, also of results that were stored before the model derived it.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    dict of str to xarray.Variable
        Without what the grid has as a parameter or an array.

    Raises
    ------
    InvalidInput
        If the model derives what it does not declare.
    """
    known = {*grid.family.parameters, *grid.arrays}
    declared = grid.model.vocabulary
    found = {}
    with np.errstate(all="ignore"):  # where a grid of several parts has no point
        values = grid.model.derive(_never_of_length_1(grid))
    for name, column in values.items():
        if name in known:
            continue
        if name not in declared:
            raise InvalidInput(
                f"{grid.model.title} derives {shown(name)}, which it does not declare"
                f"{suggestion(name, declared.names('derived'))}"
            )
        array = np.asarray(column, dtype=float)
        array = array.reshape((1,) * (len(grid.dims) - array.ndim) + array.shape)
        dims = [dim for dim, length in zip(grid.dims, array.shape, strict=True) if length > 1]
        part = tuple(
            slice(grid.shape[i]) if length > 1 else 0 for i, length in enumerate(array.shape)
        )
        attributes = {**declared[name].attributes(), "role": "derived"}
        found[name] = xr.Variable(dims, array[part], attributes)
    return found


def _never_of_length_1(grid: Grid) -> dict[str, NDArray]:
    """The columns of a grid, a single label of an axis twice.

    A length of 1 then says that a column does not depend on a dimension, whatever its labels.
    """
    found = {}
    for name, column in grid.columns().items():
        along = name if name in grid.axes else POINT if name in grid.points else None
        if along is not None and len(grid.axes[along]) == 1:
            column = np.repeat(column, 2, axis=grid.dims.index(along))
        found[name] = column
    return found
