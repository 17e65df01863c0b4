"""Put new groups in their places and delete the old ones, or discard a change that was not decided.

The process may be killed at any step; every step can be repeated.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping

from catalog.store.change import (
    FOLDER,
    NEW,
    OLD,
    PLAN,
    Change,
    digest_of,
    pending,
    sha_of,
    waiting,
)
from catalog.store.durable import flush_folder
from catalog.store.exchange import exchange
from catalog.store.exclusive import CLAIM, tidy
from catalog.store.groups import announce_parts
from catalog.store.leases import LEASE_SECONDS
from catalog.store.location import EMPTY_GROUP, ROOT
from catalog.store.own_objects import foreign_objects, own_objects
from catalog.store.part import Part
from catalog.store.storage import Storage, storage
from catalog.store.template import COPY, grid_of, unpack
from catalog.store.user_arrays import added_names
from ensemble import InvalidInput

PATIENCE = 2 * LEASE_SECONDS
"""Seconds to wait for leases that others are giving back in a place where a group is to go."""
POLL_SECONDS = 0.05


def conclude_change(place: Storage) -> None:
    """Steps 3 and 4 of a change that is decided; discard one that is not.

    The lease on changes is held.
    """
    change = pending(place)
    if change is not None:
        for group, digest in change.new.items():
            if digest_of(place, group) != digest:
                _put_in_place(place, group, change)
        for group, digest in change.old.items():
            if digest_of(place, group) == digest:
                _retire(place, group, change)
        for key, text in change.objects.items():
            place.put(key, text.encode())
        for name in change.names:
            announce_parts(place, name)
    for folder in (OLD, NEW):
        below = storage(f"{place.location}/{folder}")
        groups = [name for name in below.names("") if name != ROOT] if below.exists() else []
        for group in groups:
            below.delete(f"{group}/{CLAIM}")
            _remove(below, group, _carried(below, group, change))
            tidy(place, group)
        if below.get(ROOT) == EMPTY_GROUP:
            below.delete(ROOT)
    if change is not None:
        place.delete(PLAN)
    place.torn(FOLDER, mend=True, deep=True)
    place.remove_empty_folders(FOLDER)


def _remove(place: Storage, group: str, carried: Mapping[str, str]) -> None:
    """Delete a group: what is ours or was carried over, metadata first, the sealed template last.

    Raises
    ------
    InvalidInput
        If there is anything that heatcat did not write; that is left where it is.
    """
    part = part_at(place, group)
    if part is not None:
        ours = own_objects(part)
        first, last = f"{group}/{ROOT}", f"{group}/{COPY}"
        place.delete(first)
        # The metadata of an array that a user added goes after its chunks: it tells what they are.
        roots = {f"{group}/{name}/{ROOT}" for name in added_names(part)}
        for key in sorted(place.keys(group), key=lambda key: key in roots):
            if key != last and (ours(key) or sha_of(place.get(key)) == carried.get(key)):
                place.delete(key)
        place.torn(group, mend=True, deep=True)
        left = [key for key in place.keys(group) if key != last]
        if left:
            raise InvalidInput(
                f"{place.location} has {left[0]!r}, which heatcat did not write: move it elsewhere "
                "and repeat the command"
            )
        place.delete(last)
    place.torn(group, mend=True, deep=True)
    place.remove_empty_folders(group)


def _carried(place: Storage, group: str, change: Change | None) -> Mapping[str, str]:
    """Objects of users' arrays that may be deleted with a group, by key: their SHA-256.

    Of an old group those that the new one has; of one that was written to be put in place all,
    since what is there was copied there.
    """
    if change is not None and digest_of(place, group) in change.old.values():
        return change.carried
    part = part_at(place, group)
    return {} if part is None else added_objects(part)


def part_at(place: Storage, group: str) -> Part | None:
    """The part that the sealed template of a group describes, None if there is none."""
    packed = unpack(place.get(f"{group}/{COPY}"))
    if packed is None or packed.group != group:
        return None
    return Part(place.location, group, grid_of(packed.metadata["attributes"]))


def added_objects(part: Part) -> dict[str, str]:
    """The objects of arrays that users added to a group, by key: their SHA-256."""
    keys = [k for name in added_names(part) for k in part.storage.keys(f"{part.group}/{name}")]
    return {key: sha_of(part.storage.get(key)) for key in keys}


def require_ours(part: Part, *, arrays: bool, what: str) -> None:
    """Refuse to remove a group that holds what heatcat did not write.

    Parameters
    ----------
    arrays : bool
        Whether arrays that users have added are refused, too.

    Raises
    ------
    InvalidInput
    """
    found = foreign_objects(part, arrays=arrays)
    if found:
        raise InvalidInput(
            f"cannot {what}: {part.location} has {found[0]!r}, which heatcat did not write: move "
            "it elsewhere first"
        )


def _retire(place: Storage, group: str, change: Change) -> None:
    if place.folder is None:
        _remove(place, group, change.carried)
        return
    there = place.folder / OLD
    there.mkdir(parents=True, exist_ok=True)
    os.rename(place.folder / group, there / group)
    flush_folder(there)
    flush_folder(place.folder)


def _put_in_place(place: Storage, group: str, change: Change) -> None:
    """Put a new group in its place, where an old one may be."""
    there, replaces = waiting(place), group in change.old
    if replaces and place.folder is not None and (place.folder / group / COPY).is_file():
        if exchange(place.folder / group, place.folder / NEW / group):
            flush_folder(place.folder)
            flush_folder(place.folder / NEW)
            return  # the old one is deleted where the new one was
        _retire(place, group, change)
    elif replaces and place.folder is None:
        _remove(place, group, change.carried)
    if place.folder is None:
        copy, root = f"{group}/{COPY}", f"{group}/{ROOT}"
        keys = [key for key in there.keys(group) if key not in (copy, root)]
        for key in (*keys, root, copy):  # what readers open first is written last
            content = there.get(key)
            assert content is not None
            place.put(key, content)
        return
    deadline = time.monotonic() + PATIENCE
    while True:
        place.remove_empty_folders(group)
        try:
            os.rename(place.folder / NEW / group, place.folder / group)
            break
        except OSError as failure:
            # A run that waited for a lease there has just got it, and is about to give it back.
            if failure.errno not in (errno.ENOTEMPTY, errno.EEXIST) or time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
    flush_folder(place.folder)
