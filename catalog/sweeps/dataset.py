"""The one constructor of labelled Datasets: arrays of a sweep in, coordinates and units added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.names.labels import POINT
from catalog.names.vocabulary import VOCABULARY
from catalog.sweeps.arrays import TEXT
from catalog.sweeps.sweep import Sweep


class TextBlock(np.ndarray):
    """A block of texts in a lazy array, of which a single element is an array as well.

    NumPy gives the bare string instead, which dask cannot write to a file.
    """

    def __getitem__(self, where: Any) -> Any:
        found = super().__getitem__(where)
        if isinstance(found, str):
            found = np.array(found, dtype=TEXT).view(TextBlock)
        return found


def labelled(sweep: Sweep, arrays: Mapping[str, Any]) -> xr.Dataset:
    """Dataset of a sweep from its bare arrays.

    Axes become dimensions with coordinates, fixed parameters become scalar coordinates; every
    array carries long name, symbol, units and the paper's equation from the vocabulary.

    Parameters
    ----------
    sweep : Sweep
    arrays : mapping of str to array, each of shape ``sweep.shape``
    """
    unit = sweep.energy_unit
    coordinates: dict[str, Any] = {}
    for name, labels in sweep.axes.items():
        term = VOCABULARY[name]
        coordinates[name] = xr.Variable(name, list(labels), term.attributes(unit)).astype(
            term.dtype, keep_attrs=True
        )
    for name, values in sweep.points.items():
        coordinates[name] = xr.Variable(POINT, list(values), VOCABULARY[name].attributes(unit))
    for name, value in sweep.fixed.items():
        coordinates[name] = xr.Variable((), value, VOCABULARY[name].attributes(unit))
    variables = {
        name: xr.Variable(sweep.dims, _with_text(array), VOCABULARY[name].attributes(unit))
        for name, array in arrays.items()
    }
    return xr.Dataset(variables, coordinates, attributes(sweep))


def attributes(sweep: Sweep) -> dict[str, str]:
    """Dataset attributes: the sweep in words, and all of its definition but the labels.

    The labels are the coordinates, so that Datasets of one sweep over other labels have the same
    attributes and xarray can combine them.
    """
    return {
        "title": sweep.name,
        "description": sweep.description,
        "scaling": sweep.scaling,
        "method": sweep.method.name,
        "energy_unit": sweep.energy_unit,
        "conventions": "hbar = k_B = 1; power > 0: engine; heat currents into the engine",
        "sweep": json.dumps(sweep.kind(), ensure_ascii=False),
    }


def _with_text(array: Any) -> Any:
    """The array, in which lazy texts are known to be texts."""
    if not isinstance(array, da.Array) or array.dtype.kind != "O":
        return array
    meta = np.empty((0,) * array.ndim, dtype=TEXT)
    return da.map_blocks(_text_block, array, dtype=TEXT, meta=meta)


def _text_block(block: NDArray[Any]) -> NDArray[Any]:
    return block.astype(TEXT, copy=False).view(TextBlock)
