"""Lay the points of some parts out on the grid of another, and compare the two bit by bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.names.vocabulary import POINT
from catalog.store.part import Manifest, Part
from catalog.store.settle import write_chunk
from catalog.store.stored import empty_box, paste
from catalog.sweeps.arrays import Arrays, spread
from catalog.sweeps.boxes import Box, facets, pieces
from catalog.sweeps.grid import Grid, Index
from ensemble import InvalidInput, Status

ASKED, COMPUTED = 1, 2
"""States of a point; 0 is one that was not asked for."""


def gathered(parts: Sequence[Part], grid: Grid, where: Where, names: Iterable[str]) -> Arrays:
    """Arrays over a piece of a grid, from the parts that have its points.

    Parameters
    ----------
    parts : sequence of Part
        Where several have a point, the first counts that has it computed.
    grid : Grid
    where : tuple of slice
        The piece of it.
    names : iterable of str

    Returns
    -------
    dict of ndarray
        Of the piece's shape and the inner dimensions; the fill value where nothing is computed.
    """
    names = list(names)

    def arrays(box: Box) -> Arrays:
        found = {name: empty_box(parts[0].grid.term(name), box) for name in names}
        for part in reversed(parts):
            for piece in pieces(part.grid, box, steps=part.grid.chunks):
                chunk = part.read_chunk(piece.index, {*names, "status"})
                for name in names:
                    paste(found[name], piece, chunk[name], chunk["status"])
        return found

    return _over_boxes(grid, where, arrays)


def states(parts: Sequence[Part], grid: Grid) -> NDArray[np.uint8]:
    """What parts know of each point of a grid: 0 (nothing), `ASKED` or `COMPUTED`."""
    whole = tuple(slice(0, length) for length in grid.shape)

    def asked(box: Box) -> Arrays:
        found = np.zeros([len(labels) for labels in box.values()], dtype=np.uint8)
        for part in parts:
            for piece in pieces(part.grid, box, steps=part.grid.chunks):
                found[piece.outer] = ASKED
        return {"asked": found}

    found = _over_boxes(grid, whole, asked)["asked"]
    statuses = gathered(parts, grid, whole, ["status"])["status"]
    return np.where(statuses != Status.NOT_COMPUTED, np.uint8(COMPUTED), found)


Where = tuple[slice, ...]


def _over_boxes(grid: Grid, where: Where, arrays: Callable[[Box], Arrays]) -> Arrays:
    """Arrays over a piece of a grid, put together from those over its boxes."""
    slices = dict(zip(grid.dims, where, strict=True))
    counts = slices.pop(POINT, slice(None))
    found = []
    for _, facet in itertools.islice(facets(grid), counts.start, counts.stop):
        box = {**facet, **{dim: facet[dim][piece] for dim, piece in slices.items()}}
        found.append(arrays(box))
    shape = [piece.stop - piece.start for piece in where]
    depth = len(grid.family.parameters)  # what an array has beyond these dimensions is its own
    return {
        name: np.stack([one[name] for one in found]).reshape([*shape, *first.shape[depth:]])
        for name, first in found[0].items()
    }


def pure_blocks(known: NDArray, grid: Grid, largest: Mapping[str, int]) -> dict[str, int]:
    """Labels per block such that no block has points of different states.

    A block is stored as a whole: one that mixed computed points with others could not be.

    Parameters
    ----------
    known : ndarray
        State of each point, as from `states`.
    grid : Grid
        With the same points.
    largest : mapping of str to int
        Labels that a block has at most along each dimension.
    """
    blocks = {}
    for axis, (dim, length) in enumerate(zip(grid.dims, grid.shape, strict=True)):
        along = np.moveaxis(known, axis, 0).reshape(length, -1)
        changes = 1 + np.flatnonzero((along[1:] != along[:-1]).any(axis=1))
        step = int(np.gcd.reduce(changes)) if changes.size else 0  # every multiple of 1 divides 0
        blocks[dim] = max(n for n in range(1, min(largest[dim], length) + 1) if step % n == 0)
    return blocks


@dataclass(frozen=True)
class Source:
    """Parts whose points are copied.

    Attributes
    ----------
    parts : sequence of Part
    change : callable
        What is done with arrays on their way.
    """

    parts: Sequence[Part]
    change: Callable[[Arrays], Arrays] = lambda arrays: arrays

    def read(self, part: Part, chunk: Index) -> Arrays:
        """All arrays of what there is of the points of a part's chunk, as they are copied."""
        return self.change(read(self.parts, part, chunk))


def fill(part: Part, *sources: Source) -> None:
    """Write to a new part, in which nothing is computed, what sources have of its points.

    Where several have a point computed, the first counts.  Only blocks that are then complete are
    written.
    """
    for chunk in part.grid.chunk_indices():
        arrays = sources[0].read(part, chunk)
        for source in sources[1:]:
            more = source.read(part, chunk)
            gap = arrays["status"] == Status.NOT_COMPUTED
            arrays = {
                name: np.where(spread(gap, array), more[name], array)
                for name, array in arrays.items()
            }
        done = arrays["status"] != Status.NOT_COMPUTED
        blocks = frozenset(
            block for block in part.grid.blocks_of(chunk) if done[part.within(chunk, block)].all()
        )
        if blocks:
            write_chunk(part, chunk, Manifest(frozenset(), {}), blocks, arrays)


def read(parts: Sequence[Part], part: Part, chunk: Index) -> Arrays:
    """All arrays of what parts have of the points of another part's chunk."""
    if len(parts) == 1 and _same_grid(parts[0].grid, part.grid):
        # A walk over scattered points would take longer.
        return parts[0].read_chunk(chunk, part.grid.arrays)
    return gathered(parts, part.grid, part.grid.chunk_slices(chunk), part.grid.arrays)


def require_same(old: Source, new: Sequence[Part], *, without: Sequence[Part] = ()) -> int:
    """Compare what is computed in a source with what new parts have there, to the last bit.

    Every array counts: values, status, texts, times and numbers of runs.

    Parameters
    ----------
    without : sequence of Part
        The points that these have computed are left out.

    Returns
    -------
    int
        The points compared; one that several parts of the source have counts once.

    Raises
    ------
    InvalidInput
        If a point differs.
    """
    points = 0
    for number, part in enumerate(old.parts):
        scattered = any(other.grid.points for other in old.parts)
        others = [*without, *(old.parts[:number] if scattered else ())]
        for chunk in part.grid.chunk_indices():
            then = part.read_chunk(chunk, part.grid.arrays)
            counts = then["status"] != Status.NOT_COMPUTED
            if others and counts.any():
                counts = counts & (read(others, part, chunk)["status"] == Status.NOT_COMPUTED)
            if not counts.any():
                continue
            now, then = read(new, part, chunk), old.change(then)
            for name in part.grid.arrays:
                if not same_bits(then[name][counts], now[name][counts]):
                    raise InvalidInput(
                        f"the new copy of {name} of {part.group!r} in {part.location} differs from "
                        "the old one, which is kept: run heatcat check, and look after the disk"
                    )
            points += int(counts.sum())
    return points


def same_bits(one: NDArray, other: NDArray) -> bool:
    """Whether arrays are equal to the last bit: NaNs and signs of zero, too."""
    if one.dtype.kind == "T":
        return one.tolist() == other.tolist()
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


def computed(parts: Sequence[Part]) -> int:
    """Number of computed points."""
    return sum(int((part.whole("status") != Status.NOT_COMPUTED).sum()) for part in parts)


def _same_grid(one: Grid, other: Grid) -> bool:
    grids = ((s.axes, s.fixed, s.points, s.blocks) for s in (one, other))
    return next(grids) == next(grids)
