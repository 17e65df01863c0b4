"""Write a part again under another name: every sealed object says where it belongs."""

from __future__ import annotations

from dataclasses import replace

from catalog.store.carried import attributes, begin, copy_added
from catalog.store.gather import Source, computed, fill, require_same
from catalog.store.part import Part
from catalog.store.storage import Storage
from catalog.sweeps.grid import Grid
from catalog.sweeps.sweep import require_name
from ensemble import InvalidInput


def renamed(grid: Grid, name: str) -> Grid:
    """The grid under another name of its sweep.

    Raises
    ------
    InvalidInput
        If it can be no name.
    """
    require_name(name)
    return replace(grid, family=replace(grid.family, name=name))


def restage(part: Part, place: Storage, name: str) -> Part:
    """A new group with all that a part has, as the group of a sweep of another name.

    Points, arrays and attributes that users have added.  It is compared with the old one.

    Parameters
    ----------
    part : Part
    place : Storage
        Where the new group is written.
    name : str
        Of the sweep; later parts keep their numbers.

    Raises
    ------
    InvalidInput
        If something of the part is damaged, or the new group is not the same.
    """
    group = name + part.group.removeprefix(part.grid.name)
    new = Part(place.location, group, renamed(part.grid, name))
    begin(new, attributes([part]))
    copy_added(part, new)
    fill(new, Source([part]))
    if not require_same(Source([part]), [new]) == computed([part]) == computed([new]):
        raise InvalidInput(
            f"the new copy of {part.group!r} in {part.location} is not complete, and the old one "
            "is kept: run heatcat check, and look after the disk"
        )
    return new
