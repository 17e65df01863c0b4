"""Give a sweep of a store another name."""

from __future__ import annotations

from pathlib import Path

from catalog.arguments import a_location, a_text, checked
from catalog.store.change import decide, waiting
from catalog.store.changing import changing
from catalog.store.conclude import added_objects, conclude_change, require_ours
from catalog.store.exclusive import claimed
from catalog.store.history import copy_records
from catalog.store.restage import renamed, restage
from catalog.store.whole_sweep import begun_only, closed_sweep, open_to_change, require_free
from ensemble import InvalidInput


@checked(location=a_location, name=a_text, new=a_text)
def rename(location: str | Path, name: str, new: str) -> None:
    """Rename a sweep: its groups are written under the new name, compared, and the old ones go.

    Checksums tie all that is stored to its sweep, therefore it is written again.  The history
    stays; its records still say what was asked for at the time, by the old name.  Killed at any
    moment, it leaves the sweep under the old name or under the new one.

    Parameters
    ----------
    location : path or URL
        A Zarr store.
    name : str
        A sweep in it.
    new : str
        The name that it gets.

    Raises
    ------
    InvalidInput
        If there is no such sweep, if there is anything under the new name, if a run is at work,
        or if a group holds files that heatcat did not write; nothing is changed then.
    """
    if new == name:
        raise InvalidInput(f"the sweep is named {name!r} already: give another name")
    place = open_to_change(location)
    what = f"rename {name}"
    with changing(place, what), closed_sweep(place, name, what) as stored:
        renamed(stored.parts[0].grid, new)  # refuses what can be no name
        require_free(place, new)
        with claimed(place, new, what):
            require_free(place, new)
            old = [*stored.parts, *begun_only(place, stored)]
            for part in old:
                require_ours(part, arrays=False, what=what)
            carried = {k: sha for part in old for k, sha in added_objects(part).items()}
            parts = [restage(part, waiting(place), new) for part in stored.parts]
            copy_records(place, waiting(place), name, new)
            gone, come = ([part.group for part in some] for some in (old, parts))
            decide(place, what, old=gone, new=come, carried=carried)
        conclude_change(place)
