"""Change the groups of a store, after what another change has left there is concluded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from catalog.store import change
from catalog.store.conclude import conclude_change
from catalog.store.exclusive import sole_change
from catalog.store.leases import Leases
from catalog.store.storage import Storage


@contextmanager
def changing(place: Storage, what: str) -> Iterator[None]:
    """Be the only process that changes the groups of a store, after earlier changes are completed.

    If it fails, what was written for the change is deleted again.

    Raises
    ------
    InvalidInput
        If another process does.
    """
    with sole_change(place, what):
        conclude_change(place)
        try:
            yield
        except Exception:
            with suppress(Exception):  # such as a full disk: the next command does it
                conclude_change(place)
            raise


def conclude_leavings(place: Storage, name: str) -> None:
    """Complete or discard a change of groups that was killed, before a sweep is written to.

    Raises
    ------
    InvalidInput
        If another process is moving new groups of that sweep to their places.
    """
    if place.read_only or not place.has_below(change.FOLDER):
        return
    decided = change.pending(place)
    concerned = decided is not None and name in decided.names
    if not concerned and Leases(place, change.FOLDER).held():
        return  # somebody is at it, and nothing of this sweep has been replaced
    with changing(place, "complete what was begun"):
        pass
