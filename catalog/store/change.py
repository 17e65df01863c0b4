"""Replace groups of a store by others, all at once: the switch is the writing of one object.

The steps, each of which may be the last before a kill:

1. The new groups are written below `NEW`, where no reader looks, and compared with the old ones.
2. The plan is written: which groups go and which come.  This is the switch: from now on heatcat
   reads the new groups from where they are.
3. New groups are put in their places, then the other old groups are taken away.  In a directory a
   group moves by one rename, and one that takes the place of another is exchanged with it, where
   the file system can; in an object store its objects are deleted and copied.
4. The old groups are deleted, the plan last.

A change that was killed before step 2 is discarded by the next command that writes to the store,
one that was killed later is completed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields

from catalog.store.durable import flush_folder
from catalog.store.exchange import exchange
from catalog.store.leases import EXCLUSIVE, LEASE_SECONDS, Busy, Leases, holder_in_words
from catalog.store.location import ROOT, Storage, storage
from catalog.store.own_objects import foreign_objects, own_objects
from catalog.store.part import Part
from catalog.store.seal import sealed_json, unsealed_json
from catalog.store.template import COPY, grid_of, unpack
from catalog.store.user_arrays import added_names
from ensemble import InvalidInput

FOLDER = ".heatcat-change"
PLAN = f"{FOLDER}/plan.json"
NEW, OLD = f"{FOLDER}/new", f"{FOLDER}/old"
CHANGE = "change"
"""The lease that is held by whoever changes the groups of a store."""
PATIENCE = 2 * LEASE_SECONDS
"""Seconds to wait for leases that others are giving back in a place where a group is to go."""
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Change:
    """A plan: the groups that go and those that come.

    Attributes
    ----------
    what : str
        In words, for people who find it: "compact tiny".
    old, new : dict of str to str
        By group, the SHA-256 of its sealed template: tells which of the two is in its place.
    objects : dict of str to str
        Further objects to write, by key: records of runs.
    carried : dict of str to str
        Objects that users added to old groups and that the new ones have, by key: their SHA-256.
        They are deleted with the old groups.
    """

    what: str
    old: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The sweeps concerned."""
        return sorted({group.partition("~")[0] for group in (*self.old, *self.new)})


# What readers see


def pending(place: Storage) -> Change | None:
    """The change that is decided and not yet completed, None if there is none.

    Raises
    ------
    InvalidInput
        If its plan is damaged.
    """
    if place.read_only:
        return None
    content = place.get(PLAN)
    if content is None:
        return None
    found = unsealed_json(content)
    if found is None or found.keys() != {item.name for item in fields(Change)}:
        raise InvalidInput(
            f"{PLAN} in {place.location} is damaged, it says which groups take the place of which: "
            "take it from a backup"
        )
    return Change(**found)


def seen(place: Storage, group: str, change: Change | None) -> Storage | None:
    """Where a group lies for readers: in its place, or where it waits; None if it is gone."""
    if change is None:
        return place
    if group in change.new:
        return place if _digest(place, group) == change.new[group] else waiting(place)
    return None if group in change.old else place


def waiting(place: Storage) -> Storage:
    """Where the new groups of a change are written."""
    return storage(f"{place.location}/{NEW}")


def require_none(place: Storage) -> None:
    """Refuse to look at the groups in their places while some of them are about to be replaced.

    Raises
    ------
    InvalidInput
    """
    found = pending(place)
    if found is not None:
        raise InvalidInput(
            f"{found.what!r} has not ended in {place.location}: wait until it has, or if it was "
            f"killed, run heatcat repair {place.location} to complete it"
        )


# The steps of a change


@contextmanager
def sole_change(place: Storage, what: str) -> Iterator[None]:
    """Be the only one who changes groups of a store.

    Raises
    ------
    InvalidInput
        If somebody else does.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(Leases(place, FOLDER).hold(CHANGE, wait=False))
        except (Busy, FileNotFoundError) as failure:  # a file: another tidied up the very folder
            holder = failure.holder if isinstance(failure, Busy) else "another process"
            raise InvalidInput(
                f"cannot {what}: {holder} is changing the sweeps of {place.location}: wait until "
                "it has ended"
            ) from None
        yield
    place.remove_empty_folders(FOLDER)


@contextmanager
def closed(place: Storage, groups: Iterable[str], what: str) -> Iterator[None]:
    """Keep everybody else from working on groups.

    Raises
    ------
    InvalidInput
        If somebody is at work on one of them.
    """
    with ExitStack() as stack:
        for group in groups:
            leases = Leases(place, group)
            try:
                stack.enter_context(leases.hold(EXCLUSIVE, wait=False))
                others = {k: v for k, v in leases.held().items() if k != EXCLUSIVE}
                holder = holder_in_words(next(iter(others.values()))) if others else None
            except Busy as busy:
                holder = busy.holder
            if holder is not None:
                raise InvalidInput(
                    f"cannot {what}: {holder} is at work on {group!r} in {place.location}: wait "
                    "until it has ended, or stop it"
                )
        yield


def decide(
    place: Storage,
    what: str,
    *,
    old: Iterable[str] = (),
    new: Iterable[str] = (),
    objects: Mapping[str, bytes] | None = None,
    carried: Mapping[str, str] | None = None,
) -> None:
    """Step 2: from now on readers see the new groups and no longer the old ones."""
    there = waiting(place)
    change = Change(
        what,
        old={group: _digest(place, group) for group in old},
        new={group: _digest(there, group) for group in new},
        objects={key: value.decode() for key, value in (objects or {}).items()},
        carried=carried or {},
    )
    assert all((*change.old.values(), *change.new.values()))
    place.put(PLAN, sealed_json(asdict(change)))


def conclude(place: Storage, announce: Callable[[Storage, str], None]) -> None:
    """Steps 3 and 4 of a change that is decided; discard one that is not.

    The lease on changes is held.

    Parameters
    ----------
    announce : callable
        Has the attributes of a sweep's groups name them all.
    """
    change = pending(place)
    if change is not None:
        for group, digest in change.new.items():
            if _digest(place, group) != digest:
                _put_in_place(place, group, change)
        for group, digest in change.old.items():
            if _digest(place, group) == digest:
                _retire(place, group, change)
        for key, text in change.objects.items():
            place.put(key, text.encode())
        for name in change.names:
            announce(place, name)
    for folder in (OLD, NEW):
        below = storage(f"{place.location}/{folder}")
        for group in below.names("") if place.has_below(folder) else ():
            _remove(below, group, {} if change is None else change.carried)
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
        for key in place.keys(group):
            if key != last and (ours(key) or _sha(place.get(key)) == carried.get(key)):
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


def part_at(place: Storage, group: str) -> Part | None:
    """The part that the sealed template of a group describes, None if there is none."""
    packed = unpack(place.get(f"{group}/{COPY}"))
    if packed is None or packed.group != group:
        return None
    return Part(place.location, group, grid_of(packed.metadata["attributes"]))


def added_objects(part: Part) -> dict[str, str]:
    """The objects of arrays that users added to a group, by key: their SHA-256."""
    keys = [k for name in added_names(part) for k in part.storage.keys(f"{part.group}/{name}")]
    return {key: _sha(part.storage.get(key)) for key in keys}


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


def _digest(place: Storage, group: str) -> str:
    return _sha(place.get(f"{group}/{COPY}"))


def _sha(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


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
        for key in (*keys, root, copy):  # what other readers and heatcat go by comes last
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
