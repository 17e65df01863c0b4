"""Open the sweeps of a store: which groups are parts of sweeps, and what their templates say."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

from catalog.store import change
from catalog.store.groups import GROUP, in_order, parent
from catalog.store.location import MOST_METADATA, ROOT, open_storage
from catalog.store.notices import OlderSolver, SweepLeftOut
from catalog.store.part import MANIFESTS, RECORDS, Part
from catalog.store.storage import Storage
from catalog.store.stored import StoredSweep
from catalog.store.template import COPY, FORMAT, grid_of, unpack
from catalog.sweeps.grid import Grid
from ensemble import InvalidInput


class UnusableSweep(InvalidInput):
    """A group of a store that was meant to be a sweep and cannot be read as one."""


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


def load(place: Storage, name: str) -> StoredSweep | None:
    """A stored sweep with all its parts, None if the store has none.

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
    groups = [name, *in_order(group for group in names if parent(group) == name)]
    found = {group: change.seen(place, group, changing) for group in groups}
    return {group: there for group, there in found.items() if there is not None}


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
        raise _of_another_version(place, group)
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


def _of_another_version(place: Storage, group: str) -> UnusableSweep:
    return UnusableSweep(
        f"the sweep {group!r} in {place.location} was written by another version of heatcat, in a "
        "format that this one does not know: choose another store"
    )


def _older_or_damaged(place: Storage, group: str) -> UnusableSweep:
    try:
        attributes = json.loads(place.get(f"{group}/{ROOT}") or b"")["attributes"]
        if attributes.get("store_format") != FORMAT:
            return _of_another_version(place, group)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return _damaged(place, group)
