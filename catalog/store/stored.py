"""A stored sweep: the parts that it was begun and extended with, seen as one labelled grid."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.models.contract import Model
from catalog.models.loading import as_model
from catalog.models.recorded import RecordedModel
from catalog.names.term import Term
from catalog.store.history import DAMAGED, history, older_solvers
from catalog.store.part import Part
from catalog.store.places import each_once, grid_parts, inside, points_of
from catalog.store.settle import settle
from catalog.store.storage import Storage, storage
from catalog.sweeps.arrays import array_dtype, empty_array, spread
from catalog.sweeps.boxes import Box, Locator, Piece, bounding_box, box_of, facets, pieces, snapped
from catalog.sweeps.grid import Family, Grid, Index, grid_over
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput, Status

RUNNING = "running"
"""Shown for the points of blocks that somebody is at work on; it is never stored."""
AT_WORK, HOLE = 255, 254


@dataclass(frozen=True, order=True)
class BlockKey:
    """What a block is called within its store: the group of its part, and its index there."""

    group: str
    index: Index

    def __str__(self) -> str:
        return f"{self.index} of {self.group}"


@dataclass(frozen=True, eq=False)
class Block:
    """A unit of work: a block of a part."""

    part: Part
    index: Index

    @property
    def key(self) -> BlockKey:
        """The name that identifies it."""
        return BlockKey(self.part.group, self.index)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Block)
            and self.key == other.key
            and self.part.location == other.part.location
        )

    def __hash__(self) -> int:
        return hash((self.part.location, self.key))

    def __str__(self) -> str:
        return str(self.key)

    @property
    def work(self) -> tuple[Grid, Index]:
        """What it takes to predict its time: its grid, and its index there."""
        return self.part.grid, self.index

    @property
    def size(self) -> int:
        """Number of its points."""
        return math.prod(self.part.grid.shape_of(self.index))


@dataclass(frozen=True)
class StoredSweep:
    """A sweep in a store.

    Parameters
    ----------
    location : str
        Absolute location of the store.
    parts : tuple of Part
        What it consists of, oldest first; they have no point in common, save scattered ones.
    """

    location: str
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """Name of the sweep, and of the group of its first part."""
        return self.parts[0].group

    @property
    def storage(self) -> Storage:
        """Where it lies."""
        return storage(self.location)

    @property
    def family(self) -> Family:
        """What its parts share: name, model and variables."""
        return self.parts[0].grid.family

    @functools.cached_property
    def box(self) -> Box:
        """Sorted labels of every parameter, over all parts."""
        return bounding_box(box_of(part.grid) for part in self.parts)

    @functools.cached_property
    def grid(self) -> Grid:
        """The labels of the grids that were asked for; of scattered points if there is no grid.

        Not every combination of them need have been asked for, nor be a point of the model; such
        a point is not computed, which its status says.
        """
        grids = grid_parts(self.parts)
        if not grids:
            kept = [n for n in self.box if all(n in part.grid.axes for part in self.parts)]
            rows = np.concatenate([points_of(part.grid) for part in self.parts])
            return self.grid_of_points(rows, kept)
        if len(grids) == 1:
            return grids[0].grid
        return self._over(bounding_box(box_of(part.grid) for part in grids))

    @functools.cached_property
    def filled_grid(self) -> Grid:
        """One grid over the labels of all parts: most of it is holes if points are scattered."""
        first = self.parts[0].grid
        return first if len(self.parts) == 1 and not first.points else self._over(self.box)

    def _over(self, box: Box) -> Grid:
        first = self.parts[0].grid
        axes = {n: v for n, v in box.items() if len(v) > 1 or n in first.axes}
        fixed = {n: labels[0] for n, labels in box.items() if n not in axes}
        return grid_over(self.family, axes, fixed)

    def grid_of_points(self, rows: NDArray[np.float64], keep: Sequence[str] = ()) -> Grid:
        """A grid along a dimension ``point``, in the order of the rows.

        Parameters
        ----------
        rows : ndarray, shape (M, number of parameters)
            Labels of all parameters, one row a point.
        keep : sequence of str
            Parameters that stay dimensions; rows that differ in these alone are one point.
        """
        axes = {name: self.box[name] for name in keep}
        several = [name for name, v in self.box.items() if len(v) > 1 and name not in axes]
        varying = several or [name for name in self.box if name not in axes][:1]
        fixed = {n: v[0] for n, v in self.box.items() if n not in axes and n not in varying}
        columns = rows[:, [list(self.box).index(name) for name in varying]]
        if keep:
            _, first = np.unique(columns, axis=0, return_index=True)
            columns = columns[np.sort(first)]
        points = {
            name: column.astype(array_dtype(self.family.term(name))).tolist()
            for name, column in zip(varying, columns.T, strict=True)
        }
        return grid_over(self.family, axes, fixed, points)

    @functools.cached_property
    def beside_grid(self) -> int:
        """Number of points that the grid does not have: scattered ones."""
        if self.grid.points:
            return 0
        apart = [part for part in self.parts if part not in grid_parts(self.parts)]
        if not apart:
            return 0
        points = np.unique(np.concatenate([points_of(part.grid) for part in apart]), axis=0)
        return int((~inside(points, box_of(self.grid))).sum())

    def model(self, given: Model | None = None) -> Model:
        """The model with its code: the heat engine, or the one that the user names.

        Raises
        ------
        InvalidInput
            If none is given and the store cannot know it, or another is given than the one that
            computed the sweep.
        """
        recorded = self.family.model
        if given is None:
            if isinstance(recorded, RecordedModel):
                raise recorded.unknown()
            return recorded
        given = as_model(given)
        same = Family(
            name=self.name,
            model=given,
            variables=self.family.variables,
            parameters=self.family.parameters,
        )
        try:
            different = same.identity() != self.family.identity()
        except KeyError:  # it lacks a variable
            different = True
        if different:
            raise InvalidInput(
                f"{given.title} {given.version} is not the model that computed {self.name!r}, "
                f"{recorded.summary()}: name that one"
            )
        return given

    def box_of(self, sweep: Sweep) -> Box:
        """The labels of a sweep; the stored ones where they differ by rounding only."""
        return box_of(snapped(sweep, self.box).grid)

    def blocks(self, sweep: Sweep | None = None) -> list[Block]:
        """All blocks, or those that hold points of a sweep."""
        if sweep is None:
            return [Block(part, i) for part in self.parts for i in part.grid.block_indices()]
        if sweep.points:
            return self._blocks_of_points(sweep)
        box = self.box_of(sweep)
        return [
            Block(part, index)
            for part in self.parts
            for index in dict.fromkeys(piece.index for piece in pieces(part.grid, box))
        ]

    def missing(self, sweep: Sweep | None = None) -> list[Block]:
        """The blocks, all or those that hold points of a sweep, that are not complete."""
        finished = {part.group: part.finished() for part in self.parts}
        return [
            block for block in self.blocks(sweep) if block.index not in finished[block.part.group]
        ]

    def values(self, name: str, sweep: Sweep | None = None) -> NDArray:
        """A stored array over the labelled grid, or a sweep's; the fill where not computed."""
        target = self.grid if sweep is None else snapped(sweep, self.box).grid
        term = self.family.term(name)
        boxes = [box for _, box in facets(target)]
        results = [empty_box(term, box) for box in boxes]
        for part in reversed(self.parts):
            array, statuses = part.whole(name), part.whole("status")
            for box, result in zip(boxes, results, strict=True):
                for piece in pieces(part.grid, box, steps=whole(part.grid)):
                    paste(result, piece, array, statuses)
        return np.stack(results).reshape((*target.shape, *term.inner_shape))

    def counts(self, sweep: Sweep | None = None) -> dict[str, int]:
        """Number of points in each state: of all that were asked for, or of a sweep's."""
        if sweep is None:
            codes = [self._codes(part) for part in self.parts]
            once = each_once(self.parts, codes)
            states = np.concatenate([c[mask] for c, mask in zip(codes, once, strict=True)])
        elif sweep.points:
            states = self._states_of_points(sweep)
        else:
            states = self._states(self.box_of(sweep))
        numbers = np.bincount(states.ravel(), minlength=256)
        return {
            Status.NOT_COMPUTED.label: int(numbers[Status.NOT_COMPUTED]),
            RUNNING: int(numbers[AT_WORK]),
            **{status.label: int(numbers[status]) for status in Status if status},
        }

    def _states(self, box: Box) -> NDArray[np.uint8]:
        """Status codes over a box, `HOLE` where no part has a point."""
        states = np.full([len(labels) for labels in box.values()], HOLE, dtype=np.uint8)
        for part in reversed(self.parts):
            codes = self._codes(part)
            for piece in pieces(part.grid, box, steps=whole(part.grid)):
                new, old = piece.of(codes), states[piece.outer]
                # A point may lie in two parts if it is scattered in one: it counts once.
                waits = np.isin(old, (HOLE, Status.NOT_COMPUTED))
                states[piece.outer] = np.where(waits | (new != Status.NOT_COMPUTED), new, old)
        return states

    def _codes(self, part: Part) -> NDArray:
        """Status codes of a part; `AT_WORK` where somebody is at work."""
        codes = part.whole("status")
        for index in part.running():
            block = codes[part.grid.block_slices(index)]
            block[block == Status.NOT_COMPUTED] = AT_WORK
        return codes

    def _states_of_points(self, sweep: Sweep) -> NDArray[np.uint8]:
        """Status codes of scattered points, one after the other."""
        wanted = [box for _, box in facets(snapped(sweep, self.box).grid)]
        found = [np.full(math.prod(map(len, box.values())), HOLE, dtype=np.uint8) for box in wanted]
        for part in reversed(self.parts):
            locator, codes = Locator(part.grid), self._codes(part)
            for states, box in zip(found, wanted, strict=True):
                at = locator.find(box)
                if at is not None and (new := codes[at].ravel()).size == states.size:
                    states[:] = np.where(
                        (new != Status.NOT_COMPUTED) | (states == HOLE), new, states
                    )
        return np.concatenate(found)

    def _blocks_of_points(self, sweep: Sweep) -> list[Block]:
        wanted = [box for _, box in facets(snapped(sweep, self.box).grid)]
        found: dict[Block, None] = {}
        for part in self.parts:
            locator = Locator(part.grid)
            steps = [part.grid.blocks[dim] for dim in part.grid.dims]
            for box in wanted:
                at = locator.find(box)
                if at is not None:
                    ranges = [
                        np.unique(a // step).tolist() for a, step in zip(at, steps, strict=True)
                    ]
                    found |= {Block(part, index): None for index in itertools.product(*ranges)}
        return list(found)

    def history(self) -> list[dict[str, Any]]:
        """Records of its runs, oldest first: versions, source hash, machine, command, outcome."""
        return history(self.parts[0].storage, self.name)

    def points_by_run(self) -> dict[int, dict[str, int]]:
        """By number of the run, the points that it solved and that are stored, by status."""
        found: dict[int, Counter[str]] = {}
        for part in self.parts:
            runs, codes = part.whole("run").ravel(), part.whole("status").ravel()
            pairs, numbers = np.unique(np.stack([runs, codes]), axis=1, return_counts=True)
            for (run, code), number in zip(pairs.T.tolist(), numbers.tolist(), strict=True):
                if code != Status.NOT_COMPUTED:
                    found.setdefault(run, Counter())[Status(code).label] += number
        return {run: dict(counts) for run, counts in found.items()}

    def settle(self, *, wait: bool = False) -> None:
        """Copy finished blocks to the Zarr chunks, where every reader sees them."""
        for part in self.parts:
            settle(part, wait=wait)

    def older_runs(self, records: list[dict[str, Any]] | None = None) -> list[int]:
        """Runs that had another version of the solver; none where the model is not known here."""
        records = self.history() if records is None else records
        model = self.family.model
        if isinstance(model, RecordedModel):
            return []
        return older_solvers(records, model.source_hash())

    def notes(self) -> list[str]:
        """Notes for users of these values: values of other versions of the solver."""
        records = self.history()
        older = self.older_runs(records)
        damaged = [record["run"] for record in records if record["outcome"] == DAMAGED]
        notes = []
        if older:
            runs = "run " + ", ".join(map(str, older))
            notes.append(
                f"computed with another version of the solver than this one ({runs})"
                if len(older) == len(records)
                else f"mixed: {runs} had another version of the solver than this one, others this "
                "one"
            )
        if damaged:
            runs = ", ".join(map(str, damaged))
            notes.append(f"not fully documented: the record of run {runs} is damaged")
        return notes


def whole(grid: Grid) -> dict[str, int]:
    """The grid as one block."""
    return dict(zip(grid.dims, grid.shape, strict=True))


def empty_box(term: Term, box: Box) -> NDArray:
    """An array over a box, nothing of it computed."""
    return empty_array(term, [len(labels) for labels in box.values()])


def paste(result: NDArray, piece: Piece, array: NDArray, statuses: NDArray) -> None:
    """Paste a piece into an array of the box, as far as it is computed."""
    known, values = piece.of(statuses) != Status.NOT_COMPUTED, piece.of(array)
    result[piece.outer] = np.where(spread(known, values), values, result[piece.outer])
