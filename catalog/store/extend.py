"""Begin, extend and open the sweeps of a store.  Nothing that is stored is ever overwritten."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from catalog.cost.block_shapes import layout
from catalog.store import change, conclude
from catalog.store.exclusive import sole_change
from catalog.store.history import FOLDER as RUNS
from catalog.store.leases import FOLDER as LEASES
from catalog.store.leases import Leases
from catalog.store.location import MOST_METADATA, ROOT, NoStore, open_storage
from catalog.store.part import MANIFESTS, RECORDS, Part, template_of
from catalog.store.storage import Storage
from catalog.store.stored import StoredSweep
from catalog.store.template import (
    COPY,
    FORMAT,
    differing,
    grid_of,
    merged_metadata,
    publish,
    same_metadata,
    unpack,
)
from catalog.sweeps.boxes import box_of, missing_points, refuse_near_misses, snapped, uncovered
from catalog.sweeps.grid import Grid
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

STRUCTURE = "structure"
"""The lease that is held while groups are added to a sweep."""


GROUP = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(~[1-9][0-9]{0,8})?"
"""Names that the groups of sweeps have."""


class SweepLeftOut(UserWarning):
    """A sweep of a store cannot be opened; the others are."""


class OlderSolver(UserWarning):
    """Stored values come from another version of the solver than the one that is installed."""


def create_or_open(location: str | Path, sweep: Sweep) -> StoredSweep:
    """The stored sweep that holds a sweep: begun, or extended by the labels that it lacks.

    An extension adds groups ``name~1``, … beside what is there: finished blocks are neither
    computed again nor touched.  Parameters that were fixed may get further labels, too.

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
        if not lacking(stored, sweep):
            return stored
    with Leases(place, sweep.name).hold(STRUCTURE, wait=True):
        stored = load(place, sweep.name)  # another process may have begun it
        if stored is None:
            additions, number = layout(sweep), 0
        else:
            additions, number = lacking(stored, sweep), next_number(stored)
        add_parts(place, sweep.name, additions, number)
        extended = load(place, sweep.name)
    assert extended is not None
    return extended


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


def find_stored(location: str | Path, sweep: Sweep) -> StoredSweep | None:
    """The stored sweep of that name if it has been begun, else None; writes nothing.

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


def open_sweeps(location: str | Path) -> dict[str, StoredSweep]:
    """All sweeps of a store, by name.

    Warns `OlderSolver` of each sweep that holds values of another version of the solver.

    Raises
    ------
    InvalidInput
        If there is no store, or no sweep in it.
    """
    place = open_storage(location, write=False)
    found, problems = {}, []
    changing = change.pending(place)
    names = {*place.names(""), *(changing.names if changing is not None else ())}
    for name in sorted(name for name in names if parent(name) is None):
        try:
            stored = load(place, name)
        except UnusableSweep as failure:
            problems.append(failure)
            continue
        if stored is not None:
            found[name] = stored
    if not found:
        raise (
            problems[0]
            if problems
            else InvalidInput(
                f"{place.location} holds no sweep: fill it with heatcat run SWEEP --store …"
            )
        )
    for problem in problems:
        warnings.warn(str(problem), SweepLeftOut, stacklevel=2)
    for name, stored in found.items():
        for note in stored.notes():
            warnings.warn(f"{name}: {note}", OlderSolver, stacklevel=2)
    return found


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


def announce_parts(place: Storage, name: str) -> None:
    """Have the attributes of each part name them all, for those who read without heatcat."""
    groups = groups_of(place, name)
    if len(groups) < 2:
        return
    text = (
        f"{len(groups)} groups hold this sweep together: {', '.join(groups)}; to see it whole, "
        "use catalog.open, or xarray.open_datatree and combine_first"
    )
    for group in groups:
        packed = unpack(place.get(f"{group}/{COPY}"))
        key = f"{group}/{ROOT}"
        found = place.get(key)
        if packed is not None and same_metadata(found, packed.objects[key]):
            new = merged_metadata(found, packed.objects[key], text)
            if json.loads(found or b"") != json.loads(new):
                place.put(key, new)


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


def load(place: Storage, name: str) -> StoredSweep | None:
    """A stored sweep with all its parts, None if it has not been begun.

    Raises
    ------
    UnusableSweep
        If a part is damaged, or not the group that it was written as.
    """
    while True:
        where = _where(place, name)
        parts = []
        for group, there in where.items():
            grid = _grid(there, group)
            if grid is not None:
                parts.append(Part(there.location, group, grid))
            elif group == name:
                break  # it has not been begun
        # Somebody may have replaced groups in the meantime.
        if where == _where(place, name):
            return StoredSweep(place.location, tuple(parts)) if parts else None


def _where(place: Storage, name: str) -> dict[str, Storage]:
    """The groups of a sweep in order, each with the storage that readers find it in."""
    changing = change.pending(place)
    names = {*place.names(""), *(changing.new if changing is not None else ())}
    groups = [name, *_in_order(group for group in names if parent(group) == name)]
    found = {group: change.seen(place, group, changing) for group in groups}
    return {group: there for group, there in found.items() if there is not None}


@contextmanager
def changing(place: Storage, what: str) -> Iterator[None]:
    """Be the only one who changes the groups of a store; what others have begun is concluded first.

    If it fails, what was written for the change is deleted again.

    Raises
    ------
    InvalidInput
        If somebody else does.
    """
    with sole_change(place, what):
        conclude_change(place)
        try:
            yield
        except Exception:
            with suppress(Exception):  # such as a full disk: the next command does it
                conclude_change(place)
            raise


def conclude_change(place: Storage) -> None:
    """Complete or discard a change of groups that was begun; the lease on changes is held."""
    conclude.conclude(place, announce_parts)


def conclude_leavings(place: Storage, name: str) -> None:
    """Complete or discard a change of groups that was killed, before a sweep is written to.

    Raises
    ------
    InvalidInput
        If somebody is just putting new groups of that sweep in their places.
    """
    if place.read_only or not place.has_below(change.FOLDER):
        return
    decided = change.pending(place)
    concerned = decided is not None and name in decided.names
    if not concerned and Leases(place, change.FOLDER).held():
        return  # somebody is at it, and nothing of this sweep has been replaced
    with changing(place, "complete what was begun"):
        pass


def next_number(stored: StoredSweep) -> int:
    """Number of the next part: beyond those of all groups, also of one whose template is not
    finished, which is begun again."""
    last = stored.parts[-1].group
    return int(last.rpartition("~")[2]) + 1 if parent(last) is not None else 1


def groups_of(place: Storage, name: str) -> list[str]:
    """The groups of a sweep that are there, in order."""
    return [name, *_in_order(group for group in place.names("") if parent(group) == name)]


def _in_order(groups: Iterable[str]) -> list[str]:
    return sorted(groups, key=lambda group: int(group.rpartition("~")[2]))


def group_name(name: str, number: int) -> str:
    """Name of a part's group."""
    return f"{name}~{number}" if number else name


def parent(group: str) -> str | None:
    """The sweep of which a group is a later part."""
    found = re.fullmatch(r"(.+)~[1-9][0-9]{0,8}", group)
    return None if found is None else found[1]


class UnusableSweep(InvalidInput):
    """A group of a store that was meant to be a sweep and cannot be read as one."""


def _grid(place: Storage, group: str) -> Grid | None:
    """The grid of a group, None if it is none of ours or its template is unfinished.

    The sealed copy says what the labels are; the group's own metadata is for other readers.
    """
    if not re.fullmatch(GROUP, group):
        return None
    has_metadata = place.has(f"{group}/{ROOT}")
    copy = place.get(f"{group}/{COPY}", most=MOST_METADATA)
    if copy is None:
        if has_metadata and b'"sweep_key"' in (place.get(f"{group}/{ROOT}") or b""):
            raise _older_or_damaged(place, group)
        return None
    packed = unpack(copy)
    if packed is None:
        raise _damaged(place, group)
    if packed.format != FORMAT:
        raise UnusableSweep(
            f"the sweep {group!r} in {place.location} was written by another version of heatcat, "
            "in a format that this one does not know: choose another store"
        )
    if packed.group != group:
        raise UnusableSweep(
            f"the group {group!r} in {place.location} was written as {packed.group!r}, it was "
            "renamed or copied: give it that name again, or move it to a store of its own"
        )
    if not has_metadata and not has_results(place, group):
        return None  # a template that was never finished: the next run begins it again
    try:
        return grid_of(packed.metadata["attributes"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(place, group) from None


def has_results(place: Storage, group: str) -> bool:
    """Whether any block of a group was finished."""
    return any(place.names(f"{group}/{folder}") for folder in (RECORDS, MANIFESTS))


def _damaged(place: Storage, group: str) -> UnusableSweep:
    return UnusableSweep(
        f"the description of the sweep {group!r} in {place.location} is damaged: run heatcat "
        f"repair {place.location}"
    )


def _older_or_damaged(place: Storage, group: str) -> UnusableSweep:
    try:
        attributes = json.loads(place.get(f"{group}/{ROOT}") or b"")["attributes"]
        if attributes.get("store_format") != FORMAT:
            return UnusableSweep(
                f"the sweep {group!r} in {place.location} was written by another version of "
                "heatcat, in a format that this one does not know: choose another store"
            )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return _damaged(place, group)
