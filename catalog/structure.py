"""Begin, extend and open the sweeps of a store.  Nothing that is stored is ever overwritten."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

from catalog.boxes import box_of, refuse_near_misses, uncovered
from catalog.layout import layout
from catalog.lease import Claims
from catalog.part import Part
from catalog.storage import ROOT, NoStore, Storage, open_storage
from catalog.store import StoredSweep
from catalog.sweep import Sweep
from catalog.template import FORMAT, publish
from ensemble import InvalidInput

STRUCTURE = "structure"
"""The lease that is held while groups are added to a sweep."""


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
        method, scaling, variables, …), or labels that nearly equal these; nothing is written.
    """
    place = open_storage(location, write=True)
    stored = load(place, sweep.name)
    if stored is not None and not lacking(stored, sweep):
        return stored
    with Claims(place, sweep.name).hold(STRUCTURE, wait=True):
        stored = load(place, sweep.name)  # another may have been quicker
        if stored is None:
            additions, number = layout(sweep), 0
        else:
            additions, number = lacking(stored, sweep), len(stored.parts)
        add_parts(place, sweep.name, additions, number)
        extended = load(place, sweep.name)
    assert extended is not None
    return extended


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
    names = sorted(name for name in place.names("") if _parent(name) is None)
    found = {name: stored for name in names if (stored := load(place, name)) is not None}
    if not found:
        raise InvalidInput(
            f"{place.location} holds no sweep: fill it with heatcat run SWEEP --store …"
        )
    for name, stored in found.items():
        for note in stored.notes():
            warnings.warn(f"{name}: {note}", OlderSolver, stacklevel=2)
    return found


def add_parts(place: Storage, name: str, sweeps: list[Sweep], number: int) -> list[str]:
    """Write the templates of further parts; the structure lease is held.  Their groups."""
    groups = []
    for count, sweep in enumerate(sweeps, number):
        group = f"{name}~{count}" if count else name
        if place.has(f"{group}/{ROOT}"):
            raise InvalidInput(
                f"{place.location} has a group {group!r} that is not a sweep: choose another name "
                "or store"
            )
        _clear(place, group)
        publish(place, sweep, group)
        groups.append(group)
    return groups


def _clear(place: Storage, group: str) -> None:
    """Delete what a run that was killed in a template has left; leases and records stay."""
    place.torn(group, mend=True)
    for member in place.names(group):
        if member != "status":
            place.delete_all(f"{group}/{member}")
    for member in place.names(f"{group}/status"):
        if not member.startswith("."):
            place.delete_all(f"{group}/status/{member}")


def lacking(stored: StoredSweep, sweep: Sweep) -> list[Sweep]:
    """The parts to be added so that a stored sweep holds a sweep; checks that it can.

    Raises
    ------
    InvalidInput
        As `create_or_open`.
    """
    asked, known = sweep.kind(), stored.parts[0].sweep.kind()
    different = [field for field in asked if asked[field] != known[field]]
    if different:
        raise InvalidInput(
            f"{stored.location} holds a different sweep named {sweep.name!r} "
            f"({', '.join(different)} differ): rename the sweep or choose another store"
        )
    refuse_near_misses(box_of(sweep), stored.box)
    grids = [box_of(part.sweep) for part in stored.parts if not part.sweep.points]
    boxes = uncovered(box_of(sweep), grids)
    return [part for box in boxes for part in layout(sweep.over(box))]


def load(place: Storage, name: str) -> StoredSweep | None:
    """A stored sweep with all its parts, None if it has not been begun."""
    first = _sweep(place, name)
    if first is None:
        return None
    numbers = sorted(
        int(group.rpartition("~")[2]) for group in place.names("") if _parent(group) == name
    )
    later = ((group := f"{name}~{n}", _sweep(place, group)) for n in numbers)
    parts = [(name, first), *((group, sweep) for group, sweep in later if sweep is not None)]
    return StoredSweep(
        place.location, tuple(Part(place.location, group, sweep) for group, sweep in parts)
    )


def _parent(group: str) -> str | None:
    """The sweep of which a group is a later part."""
    found = re.fullmatch(r"(.+)~[1-9][0-9]*", group)
    return None if found is None else found[1]


def _sweep(place: Storage, group: str) -> Sweep | None:
    """The sweep of a group, None if there is no such group or its template is unfinished."""
    content = place.get(f"{group}/{ROOT}")
    if content is None:
        return None
    try:
        attributes = json.loads(content)["attributes"]
        definition = json.loads(attributes["sweep"]) if "sweep_key" in attributes else None
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"the file {group}/{ROOT} of {place.location} is damaged: run heatcat repair "
            f"{place.location}"
        ) from None
    if definition is None:
        return None
    if attributes.get("store_format") != FORMAT:
        raise InvalidInput(
            f"{place.location} was written by another version of heatcat, in a format that this "
            "one does not know: choose another store"
        )
    return Sweep.from_definition(definition)
