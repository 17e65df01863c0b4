"""Keep other processes from a store, from groups or from a name while groups are replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from catalog.store.change import FOLDER, NEW, waiting
from catalog.store.leases import EXCLUSIVE, Busy, Leases, holder_in_words
from catalog.store.storage import Storage
from catalog.store.template import COPY
from ensemble import InvalidInput

CLAIM = "status/.heatcat-claim"
"""Object of a new group, for as long as its name is kept from others."""
CHANGE = "change"
"""The lease that is held by whoever changes the groups of a store."""


@contextmanager
def sole_change(place: Storage, what: str) -> Iterator[None]:
    """Be the only process that changes groups of a store.

    Raises
    ------
    InvalidInput
        If another process does.
    """
    held = ExitStack()
    try:
        held.enter_context(Leases(place, FOLDER).hold(CHANGE, wait=False))
    except (Busy, FileNotFoundError) as failure:  # or another process deleted the folder
        holder = failure.holder if isinstance(failure, Busy) else "another process"
        raise InvalidInput(
            f"cannot {what}: {holder} is changing the sweeps of {place.location}: wait until it "
            "has ended"
        ) from None
    try:
        with held:
            yield
    finally:
        place.remove_empty_folders(FOLDER)


@contextmanager
def closed(place: Storage, groups: Iterable[str], what: str) -> Iterator[None]:
    """Keep everybody else from working on groups.

    Raises
    ------
    InvalidInput
        If a run is at work on one of them.
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


@contextmanager
def claimed(place: Storage, name: str, what: str) -> Iterator[None]:
    """Keep everybody else from beginning a sweep under a name that is free.

    It is noted first where new groups are written, so that the lease of a process that was killed
    is found and deleted.

    Raises
    ------
    InvalidInput
        If a run is at work there.
    """
    note = f"{NEW}/{name}/{CLAIM}"
    waiting(place).begin()
    place.put(note, b"claimed")
    try:
        with closed(place, [name], what):
            yield
    finally:
        place.delete(note)
        tidy(place, name)


def tidy(place: Storage, group: str) -> None:
    """Delete what the lease on a name has left where there is no group."""
    if not place.has(f"{group}/{COPY}"):
        for key in Leases(place, group).stale():
            place.delete(key)
        place.remove_empty_folders(group)
