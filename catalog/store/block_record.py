"""A block record: all arrays of one solved block in one sealed object.

A block is finished once its record is there: the record appears whole, or not at all.  Later its
arrays are copied to the Zarr chunks (see `catalog.store.settle`), and the record is deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.store.seal import sealed, unsealed
from catalog.sweeps.arrays import MOST_TEXT, array_dtype


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
        "shape": list(next(iter(arrays.values())).shape),
        "numbers": list(numbers),
        "texts": {
            name: array.ravel().tolist() for name, array in arrays.items() if name not in numbers
        },
    }
    body = (np.ascontiguousarray(_little(a)).tobytes() for a in numbers.values())
    return sealed(b"\n".join([json.dumps(header).encode(), b"".join(body)]))


def unpack(
    record: bytes | None, identity: Mapping[str, Any], shape: Sequence[int], names: Sequence[str]
) -> dict[str, NDArray] | None:
    """The arrays of a block, None if the record is not as it was sealed, or not of this block.

    Parameters
    ----------
    identity, shape, names
        What the record must hold: identity, shape and arrays of the block.
    """
    content = unsealed(record)
    if content is None:
        return None
    line, _, body = content.partition(b"\n")
    header = json.loads(line)
    names = list(names)
    same = (
        header["identity"] == dict(identity)
        and header["shape"] == list(shape)
        and sorted([*header["numbers"], *header["texts"]]) == sorted(names)
    )
    if not same:
        return None
    arrays: dict[str, NDArray] = {}
    start = 0
    for name in header["numbers"]:
        dtype = _little_dtype(array_dtype(name))
        size = dtype.itemsize * int(np.prod(shape))
        found = np.frombuffer(body, dtype, int(np.prod(shape)), start)
        arrays[name] = found.astype(array_dtype(name)).reshape(shape)
        start += size
    for name, texts in header["texts"].items():
        arrays[name] = np.array(texts, dtype=array_dtype(name)).reshape(shape)
    return {name: arrays[name] for name in names}


def most_bytes(shape: Sequence[int], names: Sequence[str]) -> int:
    """Bytes that the record of such a block may have."""
    points = int(np.prod(shape))
    size = 100_000 + 100 * len(names)
    for name in names:
        dtype = array_dtype(name)
        size += points * (6 * MOST_TEXT if dtype.kind == "T" else dtype.itemsize)
    return size


def _little(array: NDArray) -> NDArray:
    return array.astype(_little_dtype(array.dtype), copy=False)


def _little_dtype(dtype: np.dtype) -> np.dtype:
    return dtype.newbyteorder("<")
