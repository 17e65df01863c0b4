"""Replace groups of a store by others, all at once: the switch is the writing of one object.

The steps (the process may be killed after any of them):

1. The new groups are written below `NEW`, where no reader looks, and compared with the old ones.
2. The plan is written: which groups go and which come.  This is the switch: from now on heatcat
   reads the new groups from where they are.
3. New groups are put in their places, then the other old groups are moved away.  In a directory a
   group moves by one rename, and one that takes the place of another is exchanged with it, where
   the file system can; in an object store its objects are deleted and copied.
4. The old groups are deleted, the plan last.

A change that was killed before step 2 is discarded by the next command that writes to the store,
one that was killed later is completed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields

from catalog.store.seal import sealed_json, unsealed_json
from catalog.store.storage import Storage, storage
from catalog.store.template import COPY
from ensemble import InvalidInput

FOLDER = ".heatcat-change"
PLAN = f"{FOLDER}/plan.json"
NEW, OLD = f"{FOLDER}/new", f"{FOLDER}/old"


@dataclass(frozen=True)
class Change:
    """A plan: the groups that go and those that come.

    Attributes
    ----------
    what : str
        As text, for people who find it: "compact tiny".
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
        return place if digest_of(place, group) == change.new[group] else waiting(place)
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
        old={group: digest_of(place, group) for group in old},
        new={group: digest_of(there, group) for group in new},
        objects={key: value.decode() for key, value in (objects or {}).items()},
        carried=carried or {},
    )
    assert all((*change.old.values(), *change.new.values()))
    place.put(PLAN, sealed_json(asdict(change)))


def digest_of(place: Storage, group: str) -> str:
    """SHA-256 of the sealed template of a group, empty if there is none."""
    return sha_of(place.get(f"{group}/{COPY}"))


def sha_of(content: bytes | None) -> str:
    """SHA-256 of an object, empty if there is none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()
