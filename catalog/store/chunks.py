"""How many blocks one Zarr chunk holds.

A block is the unit of solving; it is small, so that a killed worker loses little.  A chunk is the
unit of Zarr's files; it holds many blocks, so that a sweep has few files.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from catalog.sweeps.sweep import Index, Sweep

CHUNK_POINTS = 8192
"""Most points of a chunk, unless one block has more."""
CHUNK_BLOCKS = 64
"""Most blocks of a chunk: so many are computed again if one of its files is damaged."""


def chunk_shape(sweep: Sweep) -> dict[str, int]:
    """Labels per chunk along each dimension: whole blocks, nearly as many along each, one N first.

    Examples
    --------
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4], "delta_E": range(1, 101),
    ...     "T_mean": range(100, 140)}, fixed=dict(E_1=1, delta_T=23, omega_0=1, Gamma_0=1))
    >>> sweep.blocks
    {'N': 1, 'delta_E': 7, 'T_mean': 10}
    >>> chunk_shape(sweep)
    {'N': 1, 'delta_E': 100, 'T_mean': 40}
    """
    grid = dict(zip(sweep.dims, sweep.block_grid, strict=True))
    blocks = dict.fromkeys(sweep.dims, 1)

    def labels(dim: str, number: int) -> int:
        return min(sweep.blocks[dim] * number, len(sweep.axes[dim]))

    def fits(dim: str, number: int) -> bool:
        trial = {**blocks, dim: number}
        points = math.prod(labels(name, count) for name, count in trial.items())
        return points <= CHUNK_POINTS and math.prod(trial.values()) <= CHUNK_BLOCKS

    growing = set(sweep.dims)
    while growing:
        dim = min(
            (name for name in sweep.dims if name in growing), key=lambda d: (d == "N", blocks[d])
        )
        larger = min(2 * blocks[dim], grid[dim])
        if larger > blocks[dim] and fits(dim, larger):
            blocks[dim] = larger
        else:
            growing.remove(dim)
    return {dim: labels(dim, blocks[dim]) for dim in sweep.dims}


def chunk_of(sweep: Sweep, chunks: dict[str, int], block: Index) -> Index:
    """The chunk that holds a block."""
    return tuple(
        i * sweep.blocks[dim] // chunks[dim] for dim, i in zip(sweep.dims, block, strict=True)
    )


def chunk_indices(sweep: Sweep, chunks: dict[str, int]) -> Iterator[Index]:
    """Indices of all chunks."""
    lengths = zip(sweep.dims, sweep.shape, strict=True)
    return itertools.product(*(range(-(-length // chunks[dim])) for dim, length in lengths))


def blocks_of(sweep: Sweep, chunks: dict[str, int], chunk: Index) -> list[Index]:
    """The blocks that a chunk holds."""
    ranges = []
    for dim, i, number in zip(sweep.dims, chunk, sweep.block_grid, strict=True):
        step = -(-chunks[dim] // sweep.blocks[dim])
        ranges.append(range(i * step, min((i + 1) * step, number)))
    return list(itertools.product(*ranges))
