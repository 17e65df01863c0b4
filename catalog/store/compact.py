"""Merge the parts of an extended sweep into one grid, so that any Zarr reader sees all of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from catalog.arguments import a_flag, a_location, a_text, checked
from catalog.cost.block_shapes import layout
from catalog.store.carried import attributes, begin, merged_arrays, write_added
from catalog.store.change import decide, waiting
from catalog.store.changing import changing
from catalog.store.conclude import added_objects, conclude_change, require_ours
from catalog.store.gather import Source, computed, fill, pure_blocks, require_same, states
from catalog.store.history import copy_records
from catalog.store.location import open_storage
from catalog.store.part import Part
from catalog.store.storage import Storage
from catalog.store.stored import StoredSweep
from catalog.store.whole_sweep import begun_only, closed_sweep, open_sweep, open_to_change
from catalog.sweeps.boxes import bounding_box, box_of
from catalog.sweeps.grid import Grid, grid_over
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput


@dataclass(frozen=True)
class Compaction:
    """What compacting a sweep does.

    Attributes
    ----------
    name : str
        The sweep.
    groups : tuple of str
        Groups that become one.  Fewer than two: there is nothing to do.
    group : str
        The group that they become.
    apart : tuple of str
        Groups of scattered points, which stay as they are.
    shape : dict of str to int
        Number of labels of the grid along each dimension.
    points, computed : int
        Points of the groups, and how many of them are computed.
    holes : int
        Points of the grid that were never asked for; afterwards they count as not computed.
    """

    name: str
    groups: tuple[str, ...]
    group: str
    apart: tuple[str, ...]
    shape: dict[str, int]
    points: int
    computed: int
    holes: int

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return len(self.groups) > 1


@checked(location=a_location, name=a_text)
def plan_compaction(location: str | Path, name: str) -> Compaction:
    """Say what `compact` would do; writes nothing.

    Parameters
    ----------
    location : path or URL
        A Zarr store.
    name : str
        A sweep in it.

    Raises
    ------
    InvalidInput
        If there is no such sweep, or its labels together make no grid of engines.
    """
    return _plan(open_sweep(open_storage(location, write=False), name))


@checked(location=a_location, name=a_text, holes=a_flag)
def compact(location: str | Path, name: str, *, holes: bool = False) -> Compaction:
    """Merge the grids of an extended sweep into one group.

    Every computed point keeps its values, status, texts, time and number of run; the history stays,
    and so do arrays and attributes that users have added.  The new group is compared with the old
    ones to the last bit before these are deleted.  Killed at any moment, it leaves either the old
    groups or the new one; `catalog.repair`, the next run, or the same call completes it or tidies
    up.  Scattered points stay in groups of their own.

    Parameters
    ----------
    location : path or URL
        A Zarr store.
    name : str
        A sweep in it.
    holes : bool
        Compact also if the grid over all labels has points that were never asked for.  They lie in
        blocks of their own, which no run of the sweeps so far computes, and count as not computed.

    Returns
    -------
    Compaction
        What was done.

    Raises
    ------
    InvalidInput
        If a run is at work on the sweep, if something is damaged, if there are holes, or files
        or arrays that cannot be carried over; nothing is changed then.
    """
    place = open_to_change(location)
    what = f"compact {name}"
    with changing(place, what), closed_sweep(place, name, what) as stored:
        plan = _plan(stored)
        if plan.needed:
            _refuse_holes(plan, holes)
            _compact(place, stored, plan, what)
        conclude_change(place)
    return plan


def _plan(stored: StoredSweep) -> Compaction:
    grids = _grids(stored)
    points = sum(part.grid.size for part in grids)
    box = bounding_box(box_of(part.grid) for part in grids or stored.parts)
    dims = {n for part in grids for n in part.grid.axes}
    return Compaction(
        name=stored.name,
        groups=tuple(part.group for part in grids),
        group=grids[0].group if grids else stored.name,
        apart=tuple(part.group for part in stored.parts if part.grid.points),
        shape={n: len(labels) for n, labels in box.items() if len(labels) > 1 or n in dims},
        points=points,
        computed=computed(grids),
        holes=math.prod(map(len, box.values())) - points if grids else 0,
    )


def _refuse_holes(plan: Compaction, allowed: bool) -> None:
    if plan.holes and not allowed:
        raise InvalidInput(
            f"the {len(plan.groups)} groups of {plan.name!r} do not fill a grid: of its "
            f"{plan.points + plan.holes} points {plan.holes} were never asked for and would count "
            "as not computed: say that these holes are meant (--holes, holes=True), or run the "
            "whole grid first"
        )


def _grids(stored: StoredSweep) -> list[Part]:
    return [part for part in stored.parts if not part.grid.points]


def _compact(place: Storage, stored: StoredSweep, plan: Compaction, what: str) -> None:
    old = _grids(stored)
    begun = begun_only(place, stored)
    for part in (*old, *begun):
        require_ours(part, arrays=False, what=what)
    grid = _grid(old)
    carried = {key: sha for part in old for key, sha in added_objects(part).items()}
    added, further = merged_arrays(old, grid, holes=bool(plan.holes)), attributes(old)
    new = Part(waiting(place).location, plan.group, grid)
    begin(new, further)
    write_added(new, added)
    copy_records(place, waiting(place), plan.group, plan.group)
    fill(new, Source(old))
    points = require_same(Source(old), [new])
    if not points == computed(old) == computed([new]):
        raise InvalidInput(
            f"{computed([new])} points were copied where {computed(old)} are computed, and the old "
            "groups are kept: run heatcat check, and look after the disk"
        )
    gone = [part.group for part in (*old, *begun)]
    decide(place, what, old=gone, new=[plan.group], carried=carried)


def _grid(parts: list[Part]) -> Grid:
    """The grid over all labels of some grids, in blocks that are finished as a whole or not."""
    box = bounding_box(box_of(part.grid) for part in parts)
    dims = {name for part in parts for name in part.grid.axes}
    axes = {n: labels for n, labels in box.items() if len(labels) > 1 or n in dims}
    fixed = {n: labels[0] for n, labels in box.items() if n not in axes}
    family = parts[0].grid.family
    try:
        whole = Sweep(
            name=family.name,
            model=family.model,
            variables=family.variables,
            description=family.description,
            axes=axes,
            fixed=fixed,
        )
    except InvalidInput as failure:
        reason = str(failure).partition(":")[0]
        raise InvalidInput(
            f"the labels of {parts[0].grid.name!r} make no grid, not every combination of them is "
            f"a point of its model ({reason}): leave the sweep as it is"
        ) from None
    grid, usual = whole.grid, layout(whole)
    largest = {dim: min(part.blocks[dim] for part in usual) for dim in grid.dims}
    blocks = pure_blocks(states(parts, grid), grid, largest)
    return grid_over(family, axes, fixed, blocks=blocks)
