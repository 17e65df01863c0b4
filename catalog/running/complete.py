"""Solve blocks and store them: what a task of a run does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.models.contract import Model
from catalog.running.solve import solve_block
from catalog.store.history import RunRecord as Session
from catalog.store.part import Part
from catalog.store.settle import settle, settle_if_full
from catalog.sweeps.arrays import Arrays
from catalog.sweeps.grid import Index


def complete_block(
    part: Part,
    block: Index,
    model: Model,
    session: Session,
    *,
    wait: bool,
    again: bool = False,
) -> Arrays | None:
    """Solve and store a block unless that is done; its arrays if it was solved here.

    Parameters
    ----------
    part : Part
    block : tuple of int
    model : Model
        That of the part, with its code.
    session : Session
    wait : bool
        If another process is solving the block, wait until it has finished.
    again : bool
        Solve it although it is there: the old values stay until the new ones replace them, all at
        once.

    Raises
    ------
    catalog.store.leases.Busy
        If another process is solving the block, and ``wait`` is false.
    """
    part.require_present()  # before a lease is written there
    if not again and part.has(block):
        return None
    with part.leases.hold(part.claim(block), wait=wait):
        part.require_present()  # the group may have been replaced while this waited
        if not again and part.has(block):  # finished by another in the meantime
            return None
        arrays = solve_block(part.grid, block, model)
        arrays["run"][...] = session.number
        part.write(block, arrays)
    settle_if_full(part, block)
    return arrays


_lock = threading.Lock()
_in_flight: Counter[tuple[str, str]] = Counter()


@contextmanager
def settled_in_the_end(parts: list[Part]) -> Iterator[None]:
    """Settle what was solved once no other thread of this process solves for the same parts.

    Blocks that a selection asks for have no run that could settle them at its end.
    """
    keys = [(part.location, part.group) for part in parts]
    with _lock:
        _in_flight.update(keys)
    try:
        yield
    finally:
        with _lock:
            _in_flight.subtract(keys)
            idle = [p for p, key in zip(parts, keys, strict=True) if not _in_flight[key]]
        for part in idle:
            settle(part, wait=True)
