"""Lazy labelled Datasets: of a sweep, which read blocks or solve them, and of what is stored."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask._task_spec import Task
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import NDArray

from catalog.names.labels import POINT
from catalog.running.complete import complete_block, settled_in_the_end
from catalog.store.chunks import chunk_shape
from catalog.store.extend import create_or_open
from catalog.store.history import ON_DEMAND
from catalog.store.history import RunRecord as Session
from catalog.store.part import Part
from catalog.store.stored import StoredSweep, blank, lay
from catalog.store.user_arrays import user_arrays
from catalog.sweeps.arrays import Arrays, seen_dtype, solve_block
from catalog.sweeps.boxes import Box, Piece, box_of, facets, pieces, snapped
from catalog.sweeps.dataset import labelled
from catalog.sweeps.sweep import Index, Sweep


def dataset(sweep: Sweep, store: str | Path | None = None) -> xr.Dataset:
    """Lazy, labelled Dataset of a sweep.

    Nothing is computed until values are asked for; then a selection solves just the blocks that
    it touches.  With a store, solved blocks are kept and stored ones are read.

    Parameters
    ----------
    sweep : Sweep
    store : path or URL, optional
        A Zarr store; it is begun, or extended by the labels that it lacks, right away.

    Raises
    ------
    InvalidInput
        If the store holds another kind of sweep under that name.

    Examples
    --------
    >>> from catalog import Sweep
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4]}, scaling="high-temperature", fixed=dict(
    ...     E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001))
    >>> float(dataset(sweep).constancy.sel(N=2).round(8))
    1.00004932
    """
    if store is None:
        token = tokenize(sweep.key())
        blocks = _block_layer(sweep, sweep.blocks, partial(_solve, sweep), token)
        return _labelled(sweep, sweep.blocks, partial(_look_up, blocks), token)
    stored = create_or_open(store, sweep)
    sweep = snapped(sweep, stored.box)
    view = view_of(stored, sweep, solves=bool(stored.missing(sweep)))
    session = Session(stored.location, sweep.name, sweep.definition(), ON_DEMAND)
    # Two Datasets of a store that fills up are not the same to dask, though their labels are.
    token = uuid.uuid4().hex
    if not view.solves:
        return _labelled(sweep, view.steps, partial(_read_now, view), token)
    blocks = _block_layer(sweep, view.steps, partial(_complete, view, session), token)
    return _labelled(sweep, view.steps, partial(_read_after, blocks, view), token)


def stored_dataset(stored: StoredSweep) -> xr.Dataset:
    """Lazy, labelled Dataset of what is stored, over the sorted labels of all its parts.

    It reads, and never solves: a point that is not computed says so in ``status``.  Arrays that
    users have added to the groups are part of it.
    """
    view = view_of(stored, stored.sweep, solves=False)
    token = uuid.uuid4().hex  # what is stored may grow
    found = _labelled(stored.sweep, view.steps, partial(_read_now, view), token)
    return found.assign(user_arrays(stored))


@dataclass(frozen=True)
class View:
    """A grid of labels laid over the parts of a stored sweep, in dask chunks.

    Attributes
    ----------
    parts : tuple of Part
    sweep : Sweep
        The grid of labels.
    steps : mapping of str to int
        Labels per dask chunk: those of a block where blocks are solved, which are small; those of
        a Zarr chunk where it only reads.
    solves : bool
    """

    parts: tuple[Part, ...]
    sweep: Sweep
    steps: Mapping[str, int]
    solves: bool

    def pieces(self, box: Box) -> list[tuple[Part, Piece]]:
        """Where the points of a box are stored; oldest part last: it lies on top.

        The unit is the block where blocks are solved, else the Zarr chunk.
        """
        return [
            (part, piece)
            for part in reversed(self.parts)
            for piece in pieces(part.sweep, box, steps=None if self.solves else part.chunks)
        ]

    def boxes(self, index: Index) -> list[Box]:
        """Labels of a dask chunk: one box, or one for each of its scattered points."""
        slices = {
            dim: slice(chunk * self.steps[dim], (chunk + 1) * self.steps[dim])
            for dim, chunk in zip(self.sweep.dims, index, strict=True)
        }
        counts = slices.pop(POINT, None)
        if counts is None:
            found = [box_of(self.sweep)]
        else:
            found = [
                facet
                for count, facet in facets(self.sweep)
                if count is not None and counts.start <= count < counts.stop
            ]
        for box in found:
            for dim, part in slices.items():
                box[dim] = box[dim][part]
        return found

    def read(self, index: Index, name: str, solved: Mapping[Key, Arrays]) -> NDArray:
        """An array of a dask chunk, from blocks just solved or else from the store."""
        boxes = self.boxes(index)
        found = [self._read(box, name, solved) for box in boxes]
        shape = [len(boxes[0][dim]) for dim in self.sweep.dims if dim != POINT]
        lead = [len(boxes)] if POINT in self.sweep.dims else []
        return np.stack(found).reshape([*lead, *shape]).astype(seen_dtype(name), copy=False)

    def _read(self, box: Box, name: str, solved: Mapping[Key, Arrays]) -> NDArray:
        result = blank(name, box)
        for part, piece in self.pieces(box):
            arrays = solved.get((part.group, piece.index))
            if arrays is None:
                read = part.read if self.solves else part.read_chunk
                arrays = read(piece.index, {name, "status"})
            lay(result, piece, arrays[name], arrays["status"])
        return result


def view_of(stored: StoredSweep, sweep: Sweep, *, solves: bool) -> View:
    """The view of a stored sweep over the labels of a sweep."""
    only = stored.parts[0]
    if len(stored.parts) == 1 and not only.sweep.points and only.sweep.axes == sweep.axes:
        steps = only.sweep.blocks if solves else only.chunks
    else:
        steps = sweep.blocks if solves else chunk_shape(sweep)
    return View(stored.parts, sweep, steps, solves)


Key = tuple[str, Index]


def _labelled(
    sweep: Sweep, blocks: Mapping[str, int], layer: Callable[..., da.Array], token: str
) -> xr.Dataset:
    """Dataset of one dask array a variable, made by ``layer(name=..., token=..., options)``."""
    chunks = _chunks(sweep, blocks)
    arrays = {}
    for name in sweep.arrays:
        options = {
            "dtype": seen_dtype(name),
            "meta": np.empty((0,) * len(chunks), dtype=seen_dtype(name)),
            "name": f"{name}-{token}",
        }
        arrays[name] = layer(variable=name, chunks=chunks, options=options)
    return labelled(sweep, arrays)


class BlockTask(Task):
    """A task that dask never fuses with the one that uses it.

    A variable's tasks are then the same in every graph, whichever variables it asks for: a
    scheduler that holds some of them meets no other tasks under their names.
    """

    __slots__ = ()

    @property
    def block_fusion(self) -> bool:
        """What dask asks before it fuses."""
        return True


def _block_layer(
    sweep: Sweep, blocks: Mapping[str, int], task: Callable[..., Any], token: str
) -> da.Array:
    """One task a block: all its arrays."""
    chunks = _chunks(sweep, blocks)
    name = f"block-{token}"
    indices = itertools.product(*(range(len(lengths)) for lengths in chunks))
    tasks: Any = {(name, *index): BlockTask((name, *index), task, index) for index in indices}
    graph = HighLevelGraph.from_collections(name, tasks, dependencies=[])
    meta = np.empty((0,) * len(chunks), dtype=object)
    return da.Array(graph, name, chunks=chunks, dtype=object, meta=meta)


# Abstract layers, one of look-ups a variable: the graph of a large sweep costs little until a
# selection has cut it down.


def _look_up(blocks: da.Array, *, variable: str, chunks: Any, options: dict) -> da.Array:
    return da.map_blocks(_pick, blocks, variable=variable, **options)


def _read_after(
    blocks: da.Array, view: View, *, variable: str, chunks: Any, options: dict
) -> da.Array:
    return da.map_blocks(_read_chunk, blocks, view=view, variable=variable, **options)


def _read_now(view: View, *, variable: str, chunks: Any, options: dict) -> da.Array:
    return da.map_blocks(
        partial(_read_stored, view=view, variable=variable), chunks=chunks, **options
    )


def _solve(sweep: Sweep, block_id: Index) -> Arrays:
    return solve_block(sweep, block_id)


def _pick(block: Arrays, variable: str) -> NDArray:
    return block[variable].astype(seen_dtype(variable), copy=False)


def _complete(view: View, session: Session, block_id: Index) -> dict[Key, Arrays]:
    """Complete the blocks that a dask chunk touches; the arrays of those that were solved."""
    solved = {}
    touched = {
        (part.group, piece.index): part
        for box in view.boxes(block_id)
        for part, piece in view.pieces(box)
    }
    with settled_in_the_end(list({part.group: part for part in touched.values()}.values())):
        for (group, index), part in touched.items():
            arrays = complete_block(part, index, session, wait=True)
            if arrays is not None:
                solved[group, index] = arrays
    return solved


def _read_chunk(solved: dict[Key, Arrays], view: View, variable: str, block_id: Index) -> NDArray:
    return view.read(block_id, variable, solved)


def _read_stored(view: View, variable: str, block_id: Index) -> NDArray:
    return view.read(block_id, variable, {})


def _chunks(sweep: Sweep, blocks: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(min(step, length - start) for start in range(0, length, step))
        for step, length in ((blocks[dim], len(sweep.axes[dim])) for dim in sweep.dims)
    )
