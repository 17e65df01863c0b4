"""Delete a sweep from a store."""

from __future__ import annotations

from pathlib import Path

from catalog.arguments import a_location, a_text, checked
from catalog.store.change import decide
from catalog.store.changing import changing
from catalog.store.conclude import conclude_change, require_ours
from catalog.store.whole_sweep import begun_only, closed_sweep, open_to_change


@checked(location=a_location, name=a_text)
def delete(location: str | Path, name: str) -> None:
    """Delete a sweep: all its groups, with its history.

    If it is killed, heatcat sees either the sweep as it was or no sweep; in the second case the
    next command that writes to the store deletes what is left.

    Parameters
    ----------
    location : path or URL
        A Zarr store.
    name : str
        A sweep in it.

    Raises
    ------
    InvalidInput
        If there is no such sweep, if a run is at work on it, or if a group holds files or arrays
        that heatcat did not write; nothing is deleted then.
    """
    place = open_to_change(location)
    what = f"delete {name}"
    with changing(place, what), closed_sweep(place, name, what) as stored:
        parts = [*stored.parts, *begun_only(place, stored)]
        for part in parts:
            require_ours(part, arrays=True, what=what)
        decide(place, what, old=[part.group for part in parts])
        conclude_change(place)
