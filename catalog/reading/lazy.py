"""Lazy labelled Datasets of a sweep, which read blocks or solve them."""

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

from catalog.arguments import a_location, checked, optional
from catalog.models.contract import Model
from catalog.names.vocabulary import POINT
from catalog.reading.derived import derived_coordinates
from catalog.running.complete import complete_block, settled_in_the_end
from catalog.running.solve import solve_block
from catalog.store.extend import create_or_open
from catalog.store.history import ON_DEMAND
from catalog.store.history import RunRecord as Session
from catalog.store.part import Part
from catalog.store.places import inside, points_of
from catalog.store.stored import BlockKey, StoredSweep, empty_box, paste
from catalog.sweeps.argument import a_sweep
from catalog.sweeps.arrays import Arrays, seen_dtype
from catalog.sweeps.boxes import Box, Piece, box_of, facets, pieces, snapped
from catalog.sweeps.dataset import labelled
from catalog.sweeps.grid import Grid, Index
from catalog.sweeps.sweep import Sweep


@checked(sweep=a_sweep, store=optional(a_location))
def dataset(sweep: Sweep, store: str | Path | None = None) -> xr.Dataset:
    """Lazy, labelled Dataset of a sweep.

    You get it at once; values are computed when you select them and call ``compute()``, and only
    the blocks of that selection.  With a store, stored blocks are read and solved ones are stored.

    Parameters
    ----------
    sweep : Sweep
    store : path or URL, optional
        A Zarr store; it is created, or extended by the labels that it does not have, right away.

    Raises
    ------
    InvalidInput
        If the store holds another kind of sweep under that name.

    Examples
    --------
    >>> from catalog import Sweep
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4]}, scaling="high-temperature", fixed={
    ...     "E₁": 1, "ΔE": 9, "T̄": 13.5, "ΔT": 23, "ω₀": 0.006, "Γ₀": 0.001})
    >>> float(dataset(sweep).constancy.sel(N=2).round(8))
    1.00004932
    """
    if store is None:
        grid = sweep.grid
        token = tokenize(grid.key)
        blocks = _block_layer(grid, grid.blocks, partial(_solve, grid), token)
        return lazily_labelled(grid, grid.blocks, partial(_look_up, blocks), token)
    stored = create_or_open(store, sweep)
    sweep = snapped(sweep, stored.box)
    view = view_of(stored, sweep.grid, sweep.model if stored.missing(sweep) else None)
    # The store may change between two Datasets of equal labels: dask must not take them for one.
    token = uuid.uuid4().hex
    if view.model is None:
        return lazily_labelled(view.grid, view.steps, partial(read_now, view), token)
    session = Session(
        stored.location, sweep.name, sweep.definition(), sweep.model.source_hash(), ON_DEMAND
    )
    blocks = _block_layer(view.grid, view.steps, partial(_complete, view, session), token)
    return lazily_labelled(view.grid, view.steps, partial(_read_after, blocks, view), token)


@dataclass(frozen=True)
class View:
    """A grid of labels laid over the parts of a stored sweep, in dask chunks.

    Attributes
    ----------
    parts : tuple of Part
    grid : Grid
        The labels.
    steps : mapping of str to int
        Labels per dask chunk: those of a block where blocks are solved, which are small; those of
        a Zarr chunk where it only reads.
    model : Model or None
        Solves blocks that are missing; None: it only reads.
    """

    parts: tuple[Part, ...]
    grid: Grid
    steps: Mapping[str, int]
    model: Model | None

    def pieces(self, box: Box) -> list[tuple[Part, Piece]]:
        """Where a box is stored; the oldest part comes last, so that its computed values win.

        The unit is the block where blocks are solved, else the Zarr chunk.
        """
        reads = self.model is None
        return [
            (part, piece)
            for part in reversed(self.parts)
            for piece in pieces(part.grid, box, steps=part.grid.chunks if reads else None)
        ]

    def boxes(self, index: Index) -> list[Box]:
        """Labels of a dask chunk: one box, or one for each of its scattered points."""
        slices = {
            dim: slice(chunk * self.steps[dim], (chunk + 1) * self.steps[dim])
            for dim, chunk in zip(self.grid.dims, index, strict=True)
        }
        counts = slices.pop(POINT, None)
        if counts is None:
            found = [box_of(self.grid)]
        else:
            asked = range(len(self.grid.axes[POINT]))[counts]
            found = [facet for _, facet in facets(self.grid, asked)]
        for box in found:
            for dim, part in slices.items():
                box[dim] = box[dim][part]
        return found

    def read(self, index: Index, name: str, solved: Mapping[BlockKey, Arrays]) -> NDArray:
        """An array of a dask chunk, from blocks just solved or else from the store."""
        boxes, held = self.boxes(index), dict(solved)
        found = [self._read(box, name, held) for box in boxes]
        shape = [len(boxes[0][dim]) for dim in self.grid.dims if dim != POINT]
        lead = [len(boxes)] if POINT in self.grid.dims else []
        term = self.grid.term(name)
        array = np.stack(found).reshape([*lead, *shape, *term.inner_shape])
        return array.astype(seen_dtype(term), copy=False)

    def _read(self, box: Box, name: str, held: dict[BlockKey, Arrays]) -> NDArray:
        """An array over a box; what is read for it is held for further boxes."""
        result = empty_box(self.grid.term(name), box)
        for part, piece in self.pieces(box):
            key = BlockKey(part.group, piece.index)
            arrays = held.get(key)
            if arrays is None:
                read = part.read_chunk if self.model is None else part.read
                arrays = held[key] = read(piece.index, {name, "status"})
            paste(result, piece, arrays[name], arrays["status"])
        return result


def view_of(stored: StoredSweep, grid: Grid, model: Model | None) -> View:
    """The view of a stored sweep over some labels; without a model it only reads."""
    box = box_of(grid)
    # Scattered points are looked up one by one: only where the grid may have some.
    parts = tuple(
        part
        for part in stored.parts
        if not part.grid.points or inside(points_of(part.grid), box).any()
    )
    whole = len(parts) == 1 and not parts[0].grid.points and parts[0].grid.axes == grid.axes
    cut = parts[0].grid if whole else grid
    return View(parts, grid, cut.chunks if model is None else cut.blocks, model)


def lazily_labelled(
    grid: Grid, blocks: Mapping[str, int], layer: Callable[..., da.Array], token: str
) -> xr.Dataset:
    """Dataset of one dask array a variable, made by ``layer(variable, chunks, grid, options)``."""
    return labelled_in(grid, _chunks(grid, blocks), layer, token)


def labelled_in(
    grid: Grid, chunks: tuple[tuple[int, ...], ...], layer: Callable[..., da.Array], token: str
) -> xr.Dataset:
    """The same in dask chunks of these lengths along each dimension."""
    arrays = {}
    for name in grid.arrays:
        term = grid.term(name)
        dtype = seen_dtype(term)
        options = {
            "dtype": dtype,
            "meta": np.empty((0,) * (len(chunks) + len(term.dims)), dtype=dtype),
            "name": f"{name}-{token}",
        }
        inner = tuple((length,) for length in term.inner_shape)
        arrays[name] = layer(variable=name, chunks=(*chunks, *inner), grid=grid, options=options)
    return labelled(grid, arrays).assign_coords(derived_coordinates(grid))


class BlockTask(Task):
    """A task that dask never fuses with the one that uses it.

    The tasks of a variable are then the same in every graph, whichever variables the graph is
    for: a scheduler that holds some of them never gets different tasks of the same names.
    """

    __slots__ = ()

    @property
    def block_fusion(self) -> bool:
        """What dask asks before it fuses."""
        return True


def _block_layer(
    grid: Grid, blocks: Mapping[str, int], task: Callable[..., Any], token: str
) -> da.Array:
    """One task a block: all its arrays."""
    chunks = _chunks(grid, blocks)
    name = f"block-{token}"
    indices = itertools.product(*(range(len(lengths)) for lengths in chunks))
    tasks: Any = {(name, *index): BlockTask((name, *index), task, index) for index in indices}
    graph = HighLevelGraph.from_collections(name, tasks, dependencies=[])
    meta = np.empty((0,) * len(chunks), dtype=object)
    return da.Array(graph, name, chunks=chunks, dtype=object, meta=meta)


# Each variable has one abstract layer of look-ups: dask makes its tasks only after a selection has
# reduced them, so that the graph of a large sweep costs little.


def _look_up(
    blocks: da.Array, *, variable: str, chunks: Any, grid: Grid, options: dict
) -> da.Array:
    pick = partial(_pick, variable=variable, dtype=options["dtype"])
    return _of_blocks(pick, blocks, variable, chunks, grid, options)


def _read_after(
    blocks: da.Array, view: View, *, variable: str, chunks: Any, grid: Grid, options: dict
) -> da.Array:
    read = partial(_read_chunk, view=view, variable=variable)
    return _of_blocks(read, blocks, variable, chunks, grid, options)


def _of_blocks(
    function: Callable[..., NDArray],
    blocks: da.Array,
    variable: str,
    chunks: Any,
    grid: Grid,
    options: dict,
) -> da.Array:
    """An array whose chunks a function makes of blocks, with the inner dimensions behind."""
    inner = list(range(len(grid.dims), len(chunks)))
    return da.map_blocks(function, blocks, chunks=chunks, new_axis=inner or None, **options)


def read_now(view: View, *, variable: str, chunks: Any, grid: Grid, options: dict) -> da.Array:
    return da.map_blocks(
        partial(_read_stored, view=view, variable=variable), chunks=chunks, **options
    )


def _solve(grid: Grid, block_id: Index) -> Arrays:
    return solve_block(grid, block_id, grid.model)


def _pick(block: Arrays, variable: str, dtype: np.dtype) -> NDArray:
    return block[variable].astype(dtype, copy=False)


def _complete(view: View, session: Session, block_id: Index) -> dict[BlockKey, Arrays]:
    """Complete the blocks that a dask chunk touches; the arrays of those that were solved."""
    assert view.model is not None
    solved = {}
    touched = {
        BlockKey(part.group, piece.index): part
        for box in view.boxes(block_id)
        for part, piece in view.pieces(box)
    }
    with settled_in_the_end(list({part.group: part for part in touched.values()}.values())):
        for key, part in touched.items():
            arrays = complete_block(part, key.index, view.model, session, wait=True)
            if arrays is not None:
                solved[key] = arrays
    return solved


def _read_chunk(
    solved: dict[BlockKey, Arrays], view: View, variable: str, block_id: Index
) -> NDArray:
    return view.read(block_id[: len(view.grid.dims)], variable, solved)


def _read_stored(view: View, variable: str, block_id: Index) -> NDArray:
    return view.read(block_id[: len(view.grid.dims)], variable, {})


def _chunks(grid: Grid, blocks: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(min(step, length - start) for start in range(0, length, step))
        for step, length in ((blocks[dim], len(grid.axes[dim])) for dim in grid.dims)
    )
