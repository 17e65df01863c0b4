"""A block record: all arrays of one solved block in one sealed object.

A block is finished once its record is there: the record appears whole, or not at all.  Later its
arrays are copied to the Zarr chunks (see `catalog.store.settle`), and the record is deleted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.store.seal import sealed, unsealed
from catalog.sweeps.arrays import MOST_TEXT, array_dtype
from catalog.sweeps.grid import Grid, Index


def pack(identity: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """The record of a block.

    Parameters
    ----------
    identity : mapping
        What it is the record of: group, key of the sweep, index.
    arrays : mapping of str to ndarray
        Every array of the block.
    """
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind != "T"}
    header = {
        "identity": dict(identity),
        "shapes": {name: list(array.shape) for name, array in arrays.items()},
        "numbers": list(numbers),
        "texts": {
            name: array.ravel().tolist() for name, array in arrays.items() if name not in numbers
        },
    }
    body = (np.ascontiguousarray(_little(a)).tobytes() for a in numbers.values())
    return sealed(b"\n".join([json.dumps(header).encode(), b"".join(body)]))


def unpack(
    record: bytes | None, identity: Mapping[str, Any], grid: Grid, block: Index
) -> dict[str, NDArray] | None:
    """The arrays of a block, None if the record is not as it was sealed, or not of this block.

    Parameters
    ----------
    identity : mapping
        What the record must be the record of.
    grid : Grid
    block : tuple of int
        The block, all of whose arrays it must hold.
    """
    content = unsealed(record)
    if content is None:
        return None
    line, _, body = content.partition(b"\n")
    header = json.loads(line)
    shapes = {name: [*grid.shape_of(block), *grid.term(name).inner_shape] for name in grid.arrays}
    same = (
        header["identity"] == dict(identity)
        and header["shapes"] == shapes
        and sorted([*header["numbers"], *header["texts"]]) == sorted(shapes)
    )
    if not same:
        return None
    arrays: dict[str, NDArray] = {}
    start = 0
    for name in header["numbers"]:
        dtype = array_dtype(grid.term(name))
        number = math.prod(shapes[name])
        found = np.frombuffer(body, _little_dtype(dtype), number, start)
        arrays[name] = found.astype(dtype).reshape(shapes[name])
        start += dtype.itemsize * number
    for name, texts in header["texts"].items():
        dtype = array_dtype(grid.term(name))
        arrays[name] = np.array(texts, dtype=dtype).reshape(shapes[name])
    return {name: arrays[name] for name in grid.arrays}


def most_bytes(grid: Grid, block: Index) -> int:
    """Bytes that the record of a block may have."""
    points = math.prod(grid.shape_of(block))
    size = 100_000 + 200 * len(grid.arrays)
    for name in grid.arrays:
        term = grid.term(name)
        dtype = array_dtype(term)
        item = 6 * MOST_TEXT if dtype.kind == "T" else dtype.itemsize
        size += points * math.prod(term.inner_shape) * item
    return size


def _little(array: NDArray) -> NDArray:
    return array.astype(_little_dtype(array.dtype), copy=False)


def _little_dtype(dtype: np.dtype) -> np.dtype:
    return dtype.newbyteorder("<")
