"""A whole sweep on which no other process works: to be compacted, renamed, deleted or copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.store.conclude import part_at
from catalog.store.exclusive import closed
from catalog.store.extend import require_sound
from catalog.store.groups import groups_of, parent
from catalog.store.history import AT_WORK, state
from catalog.store.leases import FOLDER as LEASES
from catalog.store.load import load
from catalog.store.location import open_storage
from catalog.store.part import Part
from catalog.store.storage import Storage
from catalog.store.stored import StoredSweep
from ensemble import InvalidInput


def open_sweep(place: Storage, name: str) -> StoredSweep:
    """The sweep of that name.

    Raises
    ------
    InvalidInput
        If there is none, or it cannot be read.
    """
    stored = load(place, name) if parent(name) is None else None
    if stored is None:
        raise InvalidInput(
            f"{place.location} holds no sweep {name!r}: heatcat status lists those that it holds"
        )
    return stored


@contextmanager
def closed_sweep(place: Storage, name: str, what: str) -> Iterator[StoredSweep]:
    """A sweep on which no other process works or can start to work.

    Raises
    ------
    InvalidInput
        If there is none, or a run is at work on it.
    """
    open_sweep(place, name)
    with (
        closed(place, [name], what),  # nobody adds groups from here on
        closed(place, groups_of(place, name)[1:], what),
    ):
        stored = open_sweep(place, name)
        _require_ended(stored, what)
        require_sound(stored)
        yield stored


def begun_only(place: Storage, stored: StoredSweep) -> list[Part]:
    """The parts of a sweep whose templates were never finished, by an extension that was killed."""
    known = {part.group for part in stored.parts}
    groups = [group for group in groups_of(place, stored.name) if group not in known]
    found = (part_at(place, group) for group in groups)
    return [part for part in found if part is not None]


def require_free(place: Storage, name: str) -> None:
    """Refuse a name in whose place there is anything.

    Raises
    ------
    InvalidInput
    """
    for group in groups_of(place, name):
        leases = f"{group}/status/{LEASES}/"
        found = [key for key in place.keys(group) if not key.startswith(leases)]
        if found or place.has(group):
            raise InvalidInput(
                f"{place.location} has {(found or [group])[0]!r} where the sweep {name!r} would "
                "go: choose another name"
            )


def open_to_change(location: str | Path) -> Storage:
    """A store whose groups are to be replaced, renamed or deleted.

    Raises
    ------
    InvalidInput
        If there is none, or it is an archive.
    """
    place = open_storage(location, write=False)
    if place.read_only:
        raise InvalidInput(f"{place.location} is an archive, only to be read: unpack it first")
    return place


def _require_ended(stored: StoredSweep, what: str) -> None:
    """Refuse to replace groups while a run is about to write the end of its record.

    Raises
    ------
    InvalidInput
    """
    for record in stored.history():
        if state(record) == AT_WORK:
            raise InvalidInput(
                f"cannot {what}: run {record['run']} is at work on {stored.name!r} in "
                f"{stored.location}: wait until it has ended, or stop it"
            )
