"""The groups that hold a sweep together: what they are called, and that each names them all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from catalog.store.location import ROOT
from catalog.store.storage import Storage
from catalog.store.template import COPY, merged_metadata, same_metadata, unpack

GROUP = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(~[1-9][0-9]{0,8})?"
"""Names that the groups of sweeps have."""


def group_name(name: str, number: int) -> str:
    """Name of a part's group."""
    return f"{name}~{number}" if number else name


def parent(group: str) -> str | None:
    """The sweep of which a group is a later part."""
    found = re.fullmatch(r"(.+)~[1-9][0-9]{0,8}", group)
    return None if found is None else found[1]


def groups_of(place: Storage, name: str) -> list[str]:
    """The groups of a sweep that are there, in order."""
    return [name, *in_order(group for group in place.names("") if parent(group) == name)]


def in_order(groups: Iterable[str]) -> list[str]:
    """Groups of later parts by their numbers."""
    return sorted(groups, key=lambda group: int(group.rpartition("~")[2]))


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
