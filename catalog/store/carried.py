"""Carry arrays and attributes that users have added over to the group that replaces theirs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from catalog.store.gather import same_bits
from catalog.store.location import EMPTY_GROUP, ROOT
from catalog.store.part import Part, template_of
from catalog.store.template import COPY, PARTS, merged_metadata, pack, restore, template
from catalog.store.user_arrays import added_names
from catalog.sweeps.boxes import Box, box_of
from catalog.sweeps.grid import Grid
from ensemble import InvalidInput


@dataclass(frozen=True)
class Added:
    """An array of users over a grid.

    Attributes
    ----------
    name : str
    values : ndarray
    attributes : dict
    """

    name: str
    values: NDArray
    attributes: dict[str, Any]


def begin(part: Part, further: dict[str, Any]) -> None:
    """Write the template of a new part, with attributes that users gave to the old ones."""
    part.storage.begin()
    part.storage.put(ROOT, EMPTY_GROUP)  # Zarr writes it, too, where it makes an array below
    objects, key = template(part.grid, part.group), f"{part.group}/{ROOT}"
    metadata = json.loads(objects[key])
    # Tells the group from an older one of the same sweep that was written in the same second.
    metadata["attributes"]["revision"] = uuid.uuid4().hex
    objects[key] = json.dumps(metadata).encode()
    part.storage.put(f"{part.group}/{COPY}", pack(part.group, objects))
    found = json.dumps({"attributes": further}).encode()
    restore(part.storage, {**objects, key: merged_metadata(found, objects[key])})


def attributes(parts: Sequence[Part]) -> dict[str, Any]:
    """What users have added to the attributes of the groups of some parts.

    Raises
    ------
    InvalidInput
        If two parts give one name different values.
    """
    found: dict[str, Any] = {}
    for part in parts:
        metadata = json.loads(part.storage.get(f"{part.group}/{ROOT}") or b"{}")
        ours = {*template_of(part).metadata["attributes"], PARTS}
        for name, value in metadata.get("attributes", {}).items():
            if name in ours:
                continue
            if found.setdefault(name, value) != value:
                raise InvalidInput(
                    f"the attribute {name!r} that was added to {part.group!r} differs from that of "
                    "another group of the sweep: make them equal, or delete one"
                )
    return found


def copy_added(old: Part, new: Part) -> None:
    """Copy the arrays that users added to a group, object by object, and compare them.

    Raises
    ------
    InvalidInput
        If an object that is read back differs from what was written.
    """
    for name in added_names(old):
        root = f"{old.group}/{name}/{ROOT}"
        # The metadata first, by which the chunks are known to be of an array that was copied.
        for key in (root, *(k for k in old.storage.keys(f"{old.group}/{name}") if k != root)):
            content, copied = old.storage.get(key), new.group + key.removeprefix(old.group)
            if content is not None:
                new.storage.put(copied, content)
            if new.storage.get(copied) != content:
                raise _differs(name, old)


def merged_arrays(parts: Sequence[Part], grid: Grid, *, holes: bool) -> list[Added]:
    """The arrays that users added to some parts, over the grid that is to replace these.

    Parameters
    ----------
    parts : sequence of Part
        Grids that have no point in common.
    grid : Grid
        Over all their labels.
    holes : bool
        Whether it has points that no part has.

    Raises
    ------
    InvalidInput
        If an array is not in all parts over all their dimensions, or has no value for holes.
    """
    names = sorted({name for part in parts for name in added_names(part)})
    return [_merged(name, parts, grid, holes=holes) for name in names]


def write_added(part: Part, arrays: Sequence[Added]) -> None:
    """Write arrays of users into a new group."""
    for added in arrays:
        written = zarr.create_array(
            part.storage.zarr,
            name=f"{part.group}/{added.name}",
            shape=added.values.shape,
            dtype=added.values.dtype,
            fill_value=np.nan if added.values.dtype.kind == "f" else None,
            dimension_names=part.grid.dims,
            attributes=added.attributes,
        )
        written[...] = added.values
        read = np.asarray(zarr.open_array(part.storage.zarr, path=written.path, mode="r")[...])
        if not same_bits(read, added.values):
            raise _differs(added.name, part)


def _merged(name: str, parts: Sequence[Part], grid: Grid, *, holes: bool) -> Added:
    box = box_of(grid)
    result: NDArray | None = None
    said: dict[str, Any] = {}
    for part in parts:
        try:
            array = zarr.open_array(part.storage.zarr, path=f"{part.group}/{name}", mode="r")
            dims = tuple(array.metadata.dimension_names or ())  # type: ignore[union-attr]
            values, here = np.asarray(array[...]), dict(array.attrs)
        except (ValueError, RuntimeError, TypeError, KeyError, OSError):
            raise _refusal(name, f"{part.group!r} lacks it, or it cannot be read there") from None
        if dims != part.grid.dims:
            raise _refusal(name, f"in {part.group!r} its dimensions are not those of the sweep")
        if result is None:
            if holes and values.dtype.kind != "f":
                raise _refusal(name, "it has no value for the points that were never asked for")
            shape = [len(labels) for labels in box.values()]
            fill = np.nan if values.dtype.kind == "f" else 0
            result, said = np.full(shape, fill, dtype=values.dtype), here
        elif values.dtype != result.dtype or here != said:
            raise _refusal(name, "its type or its attributes differ from group to group")
        result[_places(box_of(part.grid), box)] = values.reshape(
            [len(labels) for labels in box_of(part.grid).values()]
        )
    assert result is not None
    return Added(name, result.reshape(grid.shape), said)


def _differs(name: str, part: Part) -> InvalidInput:
    return InvalidInput(
        f"the new copy of {name} of {part.group!r} in {part.location} differs from the old one, "
        "which is kept: look after the disk"
    )


def _places(inner: Box, outer: Box) -> tuple[NDArray, ...]:
    return np.ix_(*([outer[name].index(label) for label in inner[name]] for name in outer))


def _refusal(name: str, reason: str) -> InvalidInput:
    return InvalidInput(
        f"the array {name!r} that was added to the sweep cannot be carried over, {reason}: export "
        "it and delete it first"
    )
