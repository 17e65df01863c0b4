"""Which objects of a group heatcat wrote: these alone may be deleted with it."""

from __future__ import annotations

import re
from collections.abc import Callable

from catalog.store.history import FOLDER as RUNS
from catalog.store.leases import FOLDER as LEASES
from catalog.store.leases import NAME
from catalog.store.part import Part, template_of
from catalog.store.template import COPY
from catalog.store.user_arrays import added_names


def own_objects(part: Part) -> Callable[[str], bool]:
    """A test of keys: whether heatcat writes an object of that name in the group of a part."""
    group = part.group
    known = {f"{group}/{COPY}", *template_of(part).objects}
    for chunk in part.grid.chunk_indices():
        known.add(part.manifest_key(chunk))
        known |= {part.chunk_key(name, chunk) for name in part.grid.arrays}
    known |= {part.record_key(block) for block in part.grid.block_indices()}
    status = re.escape(f"{group}/status/")
    others = re.compile(
        rf"{status}{re.escape(LEASES)}/(?:{NAME.pattern})|{status}{re.escape(RUNS)}/[0-9]+\.json"
    )
    return lambda key: key in known or others.fullmatch(key) is not None


def foreign_objects(part: Part, *, arrays: bool) -> list[str]:
    """Keys in the group of a part of what heatcat did not write.

    Parameters
    ----------
    arrays : bool
        Whether Zarr arrays that users have added are counted, too.
    """
    ours = own_objects(part)
    added = () if arrays else tuple(f"{part.group}/{name}/" for name in added_names(part))
    keys = part.storage.keys(part.group)
    return [key for key in keys if not ours(key) and not key.startswith(added)]
