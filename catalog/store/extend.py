"""Begin and extend the sweeps of a store.  Nothing that is stored is ever overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.arguments import a_location, checked
from catalog.cost.block_shapes import layout
from catalog.store.changing import conclude_leavings
from catalog.store.groups import announce_parts, group_name, parent
from catalog.store.history import FOLDER as RUNS
from catalog.store.leases import FOLDER as LEASES
from catalog.store.leases import Leases
from catalog.store.load import load
from catalog.store.location import NoStore, open_storage
from catalog.store.part import template_of
from catalog.store.storage import Storage
from catalog.store.stored import StoredSweep
from catalog.store.template import COPY, differing, publish, unpack
from catalog.store.words import describe, is_described
from catalog.sweeps.argument import a_sweep
from catalog.sweeps.boxes import box_of, missing_points, refuse_near_misses, snapped, uncovered
from catalog.sweeps.grid import Grid
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

STRUCTURE = "structure"
"""The lease that is held while groups are added to a sweep."""


@checked(location=a_location, sweep=a_sweep)
def create_or_open(location: str | Path, sweep: Sweep) -> StoredSweep:
    """The stored sweep that holds a sweep: begun, or extended by the labels that it does not have.

    An extension adds groups ``name~1``, … beside what is there: finished blocks are neither
    computed again nor touched.  Parameters that were fixed may get further labels, too.  A
    description replaces the stored one.

    Raises
    ------
    InvalidInput
        If the location is not a Zarr store, or holds another kind of sweep under that name (other
        method, scaling, variables, …), or labels that nearly equal these, or if its metadata is
        damaged; nothing is written.
    """
    place = open_storage(location, write=True)
    conclude_leavings(place, sweep.name)
    stored = load(place, sweep.name)
    if stored is not None:
        require_sound(stored)
        more = lacking(stored, sweep)
        adopt_description(stored, sweep)
        if not more:
            return _loaded(place, sweep) if sweep.description else stored
    with Leases(place, sweep.name).hold(STRUCTURE, wait=True):
        stored = load(place, sweep.name)  # another process may have begun it
        if stored is None:
            additions, number = layout(sweep), 0
        else:
            additions, number = lacking(stored, sweep), next_number(stored)
        add_parts(place, sweep.name, additions, number)
    return _loaded(place, sweep)


def _loaded(place: Storage, sweep: Sweep) -> StoredSweep:
    found = load(place, sweep.name)
    assert found is not None
    return found


def adopt_description(stored: StoredSweep, sweep: Sweep) -> None:
    """Store the description of a sweep in place of another one; none leaves what is stored."""
    if sweep.description and not is_described(stored, sweep.description):
        with Leases(stored.storage, stored.name).hold(STRUCTURE, wait=True):
            describe(stored, sweep.description)


def require_sound(stored: StoredSweep) -> None:
    """Refuse to write beside metadata that no reader of Zarr could read any more.

    Raises
    ------
    Damaged
    """
    for part in stored.parts:
        packed = unpack(part.storage.get(f"{part.group}/{COPY}"))  # as it is now, not as opened
        objects = packed.objects if packed is not None else template_of(part).objects
        for key in differing(part.storage, part.group, objects, part.grid):
            raise part.damage(key, "it is not as it was written")


@checked(location=a_location, sweep=a_sweep)
def find_stored(location: str | Path, sweep: Sweep) -> StoredSweep | None:
    """The stored sweep of that name if there is one, else None; writes nothing.

    Raises
    ------
    InvalidInput
        If the location is not a Zarr store, or holds another kind of sweep under that name.
    """
    try:
        place = open_storage(location, write=False)
    except NoStore:
        return None
    stored = load(place, sweep.name)
    if stored is not None:
        lacking(stored, sweep)
    return stored


def add_parts(place: Storage, name: str, grids: list[Grid], number: int) -> list[str]:
    """Write the templates of further parts; the structure lease is held.  Their groups."""
    groups = []
    for count, grid in enumerate(grids, number):
        group = group_name(name, count)
        _make_room(place, group)
        publish(place, grid, group)
        groups.append(group)
    announce_parts(place, name)
    return groups


def _make_room(place: Storage, group: str) -> None:
    """Refuse a group in which there is anything that is not ours; delete what is left of ours.

    What a killed run has left of a template is ours if the sealed copy has it, byte for byte.

    Raises
    ------
    InvalidInput
    """
    packed = unpack(place.get(f"{group}/{COPY}"))
    ours = packed.objects if packed is not None and packed.group == group else {}
    kept = (f"{group}/{COPY}", *(f"{group}/status/{folder}/" for folder in (LEASES, RUNS)))
    leavings = []
    for key in place.keys(group):
        if key.startswith(kept):
            continue
        if key not in ours or place.get(key) != ours[key]:
            raise InvalidInput(
                f"{place.location} has {key!r}, which heatcat did not write, where the sweep "
                f"{group!r} would go: choose another name or store"
            )
        leavings.append(key)
    # Below status others are just writing their claims to the structure lease.
    arrays = [f"{group}/{name}" for name in place.names(group) if name != "status"]
    place.torn(f"{group}/status", mend=True)
    for key in leavings:
        place.delete(key)
    for array in arrays:
        place.torn(array, mend=True, deep=True)
        place.remove_empty_folders(array)


def lacking(stored: StoredSweep, sweep: Sweep) -> list[Grid]:
    """The parts to be added so that a stored sweep holds a sweep; checks that it can.

    Raises
    ------
    InvalidInput
        As `create_or_open`.
    """
    different = differences(sweep.family.identity(), stored.family.identity())
    if different:
        raise InvalidInput(
            f"{stored.location} holds a different sweep named {sweep.name!r} "
            f"({', '.join(different)} differ): rename the sweep or choose another store"
        )
    sweep = snapped(sweep, stored.box)
    refuse_near_misses(box_of(sweep.grid), stored.box)
    if sweep.points:
        more = missing_points(sweep, [part.grid for part in stored.parts])
        return [] if more is None else layout(more)
    grids = [box_of(part.grid) for part in stored.parts if not part.grid.points]
    boxes = uncovered(box_of(sweep.grid), grids)
    return [part for box in boxes for part in layout(sweep.over(box))]


def differences(asked: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """What differs between two families, in words."""
    found = []
    for key, value in asked.items():
        if value == known[key]:
            continue
        if key != "model":
            found.append(key)
            continue
        found += [
            f"model {part}" for part in ("name", "version") if value[part] != known[key][part]
        ]
        options, others = value["options"], known[key]["options"]
        found += [
            option for option in {**options, **others} if options.get(option) != others.get(option)
        ]
    return found


def next_number(stored: StoredSweep) -> int:
    """Number of the next part: beyond those of all groups, also of one whose template is not
    finished, which is begun again."""
    last = stored.parts[-1].group
    return int(last.rpartition("~")[2]) + 1 if parent(last) is not None else 1
