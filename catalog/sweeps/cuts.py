"""How a grid is cut: the shapes of blocks, which are solved, and of chunks, which are files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.arguments import as_number, shown
from catalog.names.labels import Label
from ensemble import InvalidInput

BLOCK_POINTS = 128
"""Most points that a block holds unless the sweep says otherwise."""
CHUNK_POINTS = 8192
"""Most points of a chunk, unless one block has more."""
CHUNK_BLOCKS = 64
"""Most blocks of a chunk: so many are computed again if one of its files is damaged."""


def block_shape(
    axes: Mapping[str, Sequence[Label]],
    given: Mapping[str, Any],
    split_by: Sequence[str] = (),
    points: int = BLOCK_POINTS,
) -> dict[str, int]:
    """Labels per block: one of what decides the time of a point, the rest nearly square.

    Parameters
    ----------
    axes : mapping of str to labels
    given : mapping of str to int
        Labels per block along some of the dimensions.
    split_by : sequence of str
        Dimensions of which a block has one label, unless that is given.
    points : int
        Most points that a block holds, unless that is given.

    Raises
    ------
    InvalidInput
        If what is given names no axis, or is no count.
    """
    for dim, length in given.items():
        if dim not in axes:
            raise InvalidInput(f"blocks names {dim}, which is not an axis: remove it")
        number = as_number(length)
        if not isinstance(number, int) or number < 1:
            raise InvalidInput(
                f"blocks must be whole numbers ≥ 1, but {dim} is {shown(length)}: e.g. {dim} = 8"
            )
    given = {dim: int(length) for dim, length in given.items()}
    shape = {dim: min(given.get(dim, len(axes[dim])), len(axes[dim])) for dim in axes}
    for dim in split_by:
        if dim in axes and dim not in given:
            shape[dim] = 1
    free = [dim for dim in axes if dim not in given and dim not in split_by]
    while free and math.prod(shape.values()) > points:
        longest = max(free, key=lambda dim: shape[dim])
        if shape[longest] == 1:
            break
        shape[longest] = -(-shape[longest] // 2)
    return shape


def chunk_shape(
    axes: Mapping[str, Sequence[Label]], shape: Mapping[str, int], split_by: Sequence[str] = ()
) -> dict[str, int]:
    """Labels per Zarr chunk along each dimension: whole blocks, nearly as many along each.

    A block is the unit of solving; it is small, so that a killed worker loses little.  A chunk is
    the unit of Zarr's files; it holds many blocks, so that a sweep has few files.

    Examples
    --------
    >>> axes = {"N": [1, 2, 4], "length": range(100), "width": range(40)}
    >>> chunk_shape(axes, {"N": 1, "length": 7, "width": 10}, ["N"])
    {'N': 1, 'length': 100, 'width': 40}
    """
    grid = {dim: -(-len(labels) // shape[dim]) for dim, labels in axes.items()}
    blocks = dict.fromkeys(axes, 1)

    def labels(dim: str, number: int) -> int:
        return min(shape[dim] * number, len(axes[dim]))

    def fits(dim: str, number: int) -> bool:
        trial = {**blocks, dim: number}
        points = math.prod(labels(name, count) for name, count in trial.items())
        return points <= CHUNK_POINTS and math.prod(trial.values()) <= CHUNK_BLOCKS

    growing = set(axes)
    while growing:
        dim = min(
            (name for name in axes if name in growing), key=lambda d: (d in split_by, blocks[d])
        )
        larger = min(2 * blocks[dim], grid[dim])
        if larger > blocks[dim] and fits(dim, larger):
            blocks[dim] = larger
        else:
            growing.remove(dim)
    return {dim: labels(dim, blocks[dim]) for dim in axes}
