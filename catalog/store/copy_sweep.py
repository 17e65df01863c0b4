"""Copy a sweep into another store, or merge it into the sweep of that name there."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.arguments import a_location, a_text, checked, optional
from catalog.names.labels import Label
from catalog.names.vocabulary import POINT
from catalog.store.carried import attributes, begin, copy_added
from catalog.store.change import decide, waiting
from catalog.store.changing import changing
from catalog.store.conclude import added_objects, conclude_change, require_ours
from catalog.store.exclusive import claimed
from catalog.store.extend import lacking, require_sound
from catalog.store.gather import Source, computed, fill, pure_blocks, read, require_same, states
from catalog.store.groups import group_name, groups_of
from catalog.store.history import copy_records, renumbered
from catalog.store.leases import holder_in_words
from catalog.store.load import load
from catalog.store.location import open_storage
from catalog.store.part import Part
from catalog.store.restage import renamed, restage
from catalog.store.storage import Storage
from catalog.store.stored import StoredSweep
from catalog.store.user_arrays import added_names
from catalog.store.whole_sweep import closed_sweep, open_sweep, open_to_change, require_free
from catalog.sweeps.arrays import Arrays
from catalog.sweeps.boxes import snapped
from catalog.sweeps.grid import Grid, Index, grid_over
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput, Status

SHOWN = 3
"""Points that an error names."""


@dataclass(frozen=True)
class Copied:
    """What copying a sweep did.

    Attributes
    ----------
    name : str
        The sweep in the target.
    points : int
        Computed points that were written there.
    known : int
        Computed points that the target had already, with equal values.
    merged : bool
        Whether there was a sweep of that name.
    """

    name: str
    points: int
    known: int
    merged: bool


@checked(source=a_location, name=a_text, target=a_location, new=optional(a_text))
def copy(source: str | Path, name: str, target: str | Path, *, new: str | None = None) -> Copied:
    """Copy a sweep to a store, or merge it into the sweep of that name there.

    Values, status, texts, times and the history are copied, and compared with the source.  Merging
    adds the labels and the computed points that the target does not have.  Points that both
    have computed stay as they are in the target; all their variables and their status must be
    equal.  Runs of the source get the next free numbers.  Killed at any moment, it leaves the
    target as it was or with all of the copy.

    Parameters
    ----------
    source : path or URL
        A Zarr store, or a Zip archive of one.
    name : str
        A sweep in it.
    target : path or URL
        A Zarr store; it is created if there is none.
    new : str, optional
        Name of the sweep in the target.

    Returns
    -------
    Copied

    Raises
    ------
    InvalidInput
        If there is no such sweep, if a run is at work on it here or there, if something is
        damaged, if the target holds another kind of sweep of that name, or other values: the line
        names the points.  The sweeps of the target stay then.
    """
    what, new = f"copy {name}", name if new is None else new
    stored = open_sweep(open_storage(source, write=False), name)
    _require_at_rest(stored, what)
    require_sound(stored)
    renamed(stored.parts[0].grid, new)  # refuses what can be no name
    place = _target(target)
    if place.location == stored.location and new == name:
        raise InvalidInput(f"{name!r} would be copied onto itself: give another name or store")
    with changing(place, what):
        if load(place, new) is not None:
            with closed_sweep(place, new, what) as there:
                done = _merge(stored, there, what)
                conclude_change(place)
            return done
        require_free(place, new)
        with claimed(place, new, what):
            require_free(place, new)
            parts = [restage(part, waiting(place), new) for part in stored.parts]
            copy_records(stored.parts[0].storage, waiting(place), name, new)
            decide(place, what, new=[part.group for part in parts])
        conclude_change(place)
        return Copied(new, computed(stored.parts), 0, merged=False)


def _target(location: str | Path) -> Storage:
    return open_to_change(open_storage(location, write=True).location)


def _require_at_rest(stored: StoredSweep, what: str) -> None:
    for part in stored.parts:
        held = {} if part.storage.read_only else part.leases.held()
        if held:
            raise InvalidInput(
                f"cannot {what}: {holder_in_words(next(iter(held.values())))} is at work on "
                f"{part.group!r} in {stored.location}: wait until it has ended, or stop it"
            )


def _merge(source: StoredSweep, target: StoredSweep, what: str) -> Copied:
    """Write what the target lacks of the source beside it, and decide that it belongs there."""
    for part in source.parts:
        if added := added_names(part):
            raise InvalidInput(
                f"the array {added[0]!r} that was added to {part.group!r} cannot be merged into "
                "another sweep: export it and delete it first, or copy the sweep under another name"
            )
    additions = [addition for part in source.parts for addition in _additions(part, target)]
    known = _agreeing(source.parts, target)
    gaining = [part for part in target.parts if _gains(part, source.parts)]
    for part in gaining:
        require_ours(part, arrays=False, what=what)
    offset = max((record["run"] for record in target.history()), default=0)
    records = renumbered(source.parts[0].storage, source.name, target.name, offset)
    there = waiting(target.storage)
    further = attributes(source.parts)
    carried = {key: sha for part in gaining for key, sha in added_objects(part).items()}
    coming = Source(source.parts, functools.partial(_shift, offset=offset))
    new = []
    for part in gaining:
        new.append(Part(there.location, part.group, _finer(part, source.parts)))
        begin(new[-1], attributes([part]))
        copy_added(part, new[-1])
        copy_records(target.storage, there, part.group, part.group)
        fill(new[-1], Source([part]), coming)
    last = groups_of(target.storage, target.name)[-1].rpartition("~")[2]
    first = int(last) + 1 if last.isdigit() else 1
    for number, addition in enumerate(additions, first):
        new.append(Part(there.location, group_name(target.name, number), addition))
        begin(new[-1], further)
        fill(new[-1], coming)
    kept = [part for part in target.parts if part not in gaining]
    points = require_same(coming, [*kept, *new], without=target.parts)
    for part in gaining:
        require_same(Source([part]), new)
    if new:
        old = [part.group for part in gaining]
        come = [part.group for part in new]
        decide(target.storage, what, old=old, new=come, objects=records, carried=carried)
    return Copied(target.name, points, known, merged=True)


def _additions(part: Part, target: StoredSweep) -> list[Grid]:
    """What a target lacks of a part, in blocks that are computed in the part as a whole or not."""
    sweep = _sweep(renamed(part.grid, target.name))
    found = lacking(target, sweep)
    if snapped(sweep, target.box) is not sweep:
        raise InvalidInput(
            f"labels of {part.group!r} in {part.location} differ by rounding from those of "
            f"{target.name!r} in {target.location}: copy the sweep under another name"
        )
    return [_cut(grid, pure_blocks(states([part], grid), grid, grid.blocks)) for grid in found]


def _sweep(grid: Grid) -> Sweep:
    """The sweep that asks for the points of a grid."""
    return Sweep(
        name=grid.name,
        model=grid.model,
        variables=grid.variables,
        description=grid.description,
        axes={name: labels for name, labels in grid.axes.items() if name != POINT},
        fixed=grid.fixed,
        points=grid.points,
        blocks=grid.blocks,
    )


def _cut(grid: Grid, blocks: Mapping[str, int]) -> Grid:
    """The same points in other blocks."""
    axes = {name: labels for name, labels in grid.axes.items() if name != POINT}
    return grid_over(grid.family, axes, grid.fixed, grid.points, blocks)


def _gains(part: Part, sources: Sequence[Part]) -> bool:
    """Whether sources have computed points of a part that it has not."""
    return any(
        bool(((mine == Status.NOT_COMPUTED) & (theirs != Status.NOT_COMPUTED)).any())
        for _, mine, theirs in _statuses(part, sources)
    )


def _statuses(part: Part, sources: Sequence[Part]) -> list[tuple[Index, NDArray, NDArray]]:
    return [
        (
            chunk,
            part.read_chunk(chunk, ["status"])["status"],
            read(sources, part, chunk)["status"],
        )
        for chunk in part.grid.chunk_indices()
    ]


def _finer(part: Part, sources: Sequence[Part]) -> Grid:
    """The grid of a part in blocks that will be computed as a whole or not."""
    known = states([part, *sources], part.grid)
    return _cut(part.grid, pure_blocks(known, part.grid, part.grid.blocks))


def _agreeing(sources: Sequence[Part], target: StoredSweep) -> int:
    """Number of the points that both have computed.

    Raises
    ------
    InvalidInput
        If a variable or the status of one differs; the line names the first of them.
    """
    number, different = 0, []
    for part in sources:
        for chunk in part.grid.chunk_indices():
            theirs = part.read_chunk(chunk, part.grid.arrays)
            if (theirs["status"] == Status.NOT_COMPUTED).all():
                continue
            mine = read(target.parts, part, chunk)
            both = np.ones(mine["status"].shape, dtype=bool)
            for arrays in (mine, theirs):
                both &= arrays["status"] != Status.NOT_COMPUTED
            unequal = np.zeros_like(both)
            for name in (*part.grid.variables, "status"):
                equal = (mine[name] == theirs[name]) | (_nan(mine[name]) & _nan(theirs[name]))
                unequal |= (~equal).reshape((*both.shape, -1)).any(axis=-1)
            number += int(both.sum())
            corner = [piece.start for piece in part.grid.chunk_slices(chunk)]
            for position in np.argwhere(both & unequal) + corner:
                different.append(_labels(part.grid, position.tolist()))
    if different:
        named = "; ".join(
            ", ".join(f"{name} = {label!r}" for name, label in point.items())
            for point in different[:SHOWN]
        )
        more = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
        raise InvalidInput(
            f"{sources[0].grid.name!r} in {sources[0].location} and {target.name!r} in "
            f"{target.location} have different values at {named}{more}: copy the sweep under "
            "another name, or recompute one of the two"
        )
    return number


def _nan(array: NDArray) -> NDArray:
    return array != array  # true of NaN alone


def _labels(grid: Grid, position: Sequence[int]) -> dict[str, Label]:
    """The labels of a point of a grid by its position."""
    labels = {dim: grid.axes[dim][i] for dim, i in zip(grid.dims, position, strict=True)}
    count = labels.pop(POINT, None)
    if count is None:
        return labels
    return {**{name: values[int(count)] for name, values in grid.points.items()}, **labels}


def _shift(arrays: Arrays, *, offset: int) -> Arrays:
    """The arrays of a source with the numbers that its runs get."""
    done = arrays["status"] != Status.NOT_COMPUTED
    return {**arrays, "run": np.where(done, arrays["run"] + offset, arrays["run"])}
