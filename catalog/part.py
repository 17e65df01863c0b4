"""A part of a stored sweep: one Zarr group, a grid of blocks.  A block is one chunk of every array.

A sweep begins as one part and gets further ones as it is extended; no part is ever changed but by
completing its blocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.sync import sync

from catalog.blocks import Arrays, solve_block
from catalog.history import Session
from catalog.lease import Claims
from catalog.storage import Storage, storage
from catalog.sweep import Index, Sweep
from ensemble import InvalidInput, Status

DAMAGE = (ValueError, RuntimeError, TypeError, KeyError)
"""What Zarr and its codecs raise on metadata or chunks that are not as they were written."""


@dataclass(frozen=True)
class Part:
    """Reading and writing blocks of one group.

    It is small and picklable: tasks carry it, and each process opens the arrays once.

    Parameters
    ----------
    location : str
        Absolute location of the store.
    group : str
        Name of the Zarr group: the sweep's name, ``name~1``, …
    sweep : Sweep
        The grid of this part.
    """

    location: str
    group: str
    sweep: Sweep

    @property
    def storage(self) -> Storage:
        """Where it lies."""
        return storage(self.location)

    @property
    def claims(self) -> Claims:
        """Leases on its blocks."""
        return Claims(self.storage, self.group)

    def finished(self) -> set[Index]:
        """Indices of the blocks that are complete, by the status chunks that exist."""
        prefix = f"{self.group}/status/c"
        keys = (key.removeprefix(prefix + "/") for key in self.storage.keys(prefix))
        return {tuple(int(i) for i in key.split("/")) for key in keys}

    def has(self, index: Index) -> bool:
        """Whether a block is complete: its status is written last, and all at once."""
        return self.storage.has(self.chunk("status", index))

    def chunk(self, name: str, index: Index) -> str:
        """Key of a block's chunk of an array."""
        return "/".join((self.group, name, "c", *map(str, index)))

    def read(self, index: Index, names: Iterable[str]) -> Arrays:
        """Some arrays of a stored block."""
        return self._read(names, self.sweep.block_slices(index))

    def whole(self, name: str) -> NDArray:
        """An array over the entire part; what is not computed holds the fill value."""
        return self._read([name], (slice(None),) * len(self.sweep.dims))[name]

    def _read(self, names: Iterable[str], where: tuple[slice, ...]) -> Arrays:
        names = list(names)
        try:
            arrays = [self._array(name).async_array for name in names]
            found = _together(array.getitem(where) for array in arrays)
            return dict(zip(names, map(np.asarray, found), strict=True))
        except DAMAGE as failure:
            damage = _damaged(self.location, self.group, failure)
        raise damage

    def write(self, index: Index, arrays: Arrays) -> None:
        """Store a block: values first, status last, so that a torn write is "not computed".

        When this returns, the block survives a power cut (see `catalog.storage.DurableStore`).
        """
        where = self.sweep.block_slices(index)
        shape = tuple(piece.stop - piece.start for piece in where)
        for name in self.sweep.arrays:
            assert arrays[name].shape == shape, f"{name} does not cover block {index}"
        assert np.all(arrays["status"] != Status.NOT_COMPUTED), f"block {index} is not solved"

        targets = {name: self._array(name).async_array for name in self.sweep.arrays}
        status = targets.pop("status")
        _together(array.setitem(where, arrays[name]) for name, array in targets.items())
        _together([status.setitem(where, arrays["status"])])

    def reset(self, index: Index) -> None:
        """Set a block back to "not computed": its status goes first, then its values."""
        for name in reversed(self.sweep.arrays):
            self.storage.delete(self.chunk(name, index))

    def complete(self, index: Index, session: Session, *, wait: bool) -> Arrays | None:
        """Solve and store a block unless that is done; its arrays if it was solved here.

        Raises
        ------
        catalog.lease.Busy
            If somebody else is at it, and ``wait`` is false.
        """
        if self.has(index):
            return None
        with self.claims.hold(self.claim(index), wait=wait):
            if self.has(index):  # finished by another in the meantime
                return None
            arrays = solve_block(self.sweep, index)
            arrays["run"][...] = session.number
            self.write(index, arrays)
            return arrays

    def claim(self, index: Index) -> str:
        """Name of the lease on a block."""
        return ".".join(map(str, index))

    def running(self) -> list[Index]:
        """Blocks that somebody holds a lease on."""
        held = (what.split(".") for what in self.claims.held())
        return [tuple(map(int, parts)) for parts in held if all(map(str.isdecimal, parts))]

    def _array(self, name: str) -> zarr.Array:
        return _array(self.location, self.group, self.sweep.key(), name)


def _together(operations: Iterable[Awaitable[Any]]) -> list[Any]:
    """Results of operations at the same time; all have ended when the first error is raised."""

    async def gather() -> list[Any]:
        return await asyncio.gather(*operations, return_exceptions=True)

    results = sync(gather())
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@cache
def _array(location: str, group: str, key: str, name: str) -> zarr.Array:
    """An array opened once per process; the sweep's key guards against a store made anew.

    All chunks are written, those that hold only fill values too: a missing one is damage.
    """
    try:
        with zarr.config.set({"array.write_empty_chunks": True}):
            return zarr.open_array(storage(location).zarr, path=f"{group}/{name}", zarr_format=3)
    except DAMAGE as failure:
        damage = _damaged(location, f"{group}/{name}", failure)
    raise damage


def _damaged(location: str, what: str, failure: Exception) -> InvalidInput:
    """The error to raise instead: without its cause, which need not survive a pickle."""
    if isinstance(failure, InvalidInput):
        return failure
    reason = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
    return InvalidInput(
        f"{what} in {location} is damaged ({reason}): run heatcat repair {location}, then go on"
    )
