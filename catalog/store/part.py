"""A part of a stored sweep: one Zarr group, a grid of blocks, its bytes.

A sweep begins as one part and gets further ones as it is extended.  A finished block lies in one of
two places: in a block record of its own, or, later, in the Zarr chunks, each of which holds many
blocks.  A manifest beside each chunk says which blocks it holds and the digest of each array's
file, so that a file is used only if it is the one that was written there.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.store import block_record
from catalog.store.chunk_codec import codec, digest
from catalog.store.leases import Leases
from catalog.store.location import ROOT
from catalog.store.recently_read import RecentlyRead
from catalog.store.seal import sealed, unsealed
from catalog.store.storage import Storage, TooLarge, storage
from catalog.store.template import COPY, Packed, unpack
from catalog.sweeps.arrays import Arrays, empty_array, empty_arrays
from catalog.sweeps.grid import Grid, Index
from ensemble import InvalidInput, Status

RECORDS = "status/.heatcat-blocks"
MANIFESTS = "status/.heatcat-chunks"
"""Folders that no reader of Zarr looks into."""
MANIFEST_BYTES = 2**20
CACHED_BYTES = 64 * 2**20
"""Decoded chunks that a process keeps for the next read."""
_cache = RecentlyRead(CACHED_BYTES)
RETRIES = 20
"""Times that a chunk is read again while another process is rewriting it."""


class Damaged(InvalidInput):
    """Something stored is not as it was written.

    Attributes
    ----------
    reason : str
        What is wrong with it.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Manifest:
    """What one chunk of every array holds.

    Attributes
    ----------
    blocks : frozenset of tuple
        The blocks whose values are in the chunk.
    digests : dict of str to list of str
        By array, the digest of its file; two digests while the file is being replaced.
    """

    blocks: frozenset[Index]
    digests: Mapping[str, list[str]]


@dataclass(frozen=True)
class Part:
    """Reading and writing blocks of one group.

    It is small and picklable: tasks carry it.

    Parameters
    ----------
    location : str
        Absolute location of the store.
    group : str
        Name of the Zarr group: the sweep's name, ``name~1``, …
    grid : Grid
    """

    location: str
    group: str
    grid: Grid

    @property
    def storage(self) -> Storage:
        """Where it lies."""
        return storage(self.location)

    @property
    def leases(self) -> Leases:
        """Leases on its blocks and chunks."""
        return Leases(self.storage, self.group)

    # Which blocks are there

    def finished(self) -> set[Index]:
        """Indices of the blocks that are complete."""
        known = set(self.grid.block_indices())
        chunks = list(self.manifests())
        found = set(self.pending())
        for manifest in self.read_manifests(chunks).values():
            found |= manifest.blocks
        return found & known

    def has(self, index: Index) -> bool:
        """Whether a block is complete."""
        if self.storage.has(self.record_key(index)):
            return True
        manifest = self.manifest(self.grid.chunk_of(index))
        return manifest is not None and index in manifest.blocks

    def pending(self, chunk: Index | None = None) -> list[Index]:
        """Blocks that lie in records of their own: of the whole part, or of one chunk."""
        if chunk is None:
            folders = self.storage.names(f"{self.group}/{RECORDS}")
            chunks = [index for name in folders if (index := self._index(name)) is not None]
            return [block for found in chunks for block in self.pending(found)]
        inside = set(self.grid.blocks_of(chunk))
        names = self.storage.names(f"{self.group}/{RECORDS}/{_name(chunk)}")
        return sorted(index for name in names if (index := self._index(name)) in inside)

    def manifests(self) -> list[Index]:
        """Chunks that have a manifest."""
        known = set(self.grid.chunk_indices())
        names = self.storage.names(f"{self.group}/{MANIFESTS}")
        if not names:
            self._require_there()
        return sorted(index for name in names if (index := self._index(name)) in known)

    def _index(self, name: str) -> Index | None:
        """The index in a name that heatcat gives; None for files of other programs."""
        number = r"(?:0|[1-9][0-9]{0,8})"
        if not re.fullmatch(rf"{number}(?:\.{number})*", name):
            return None
        index = tuple(map(int, name.split(".")))
        return index if len(index) == len(self.grid.dims) else None

    # Names of its objects

    def record_key(self, block: Index) -> str:
        """Key of a block's record."""
        return f"{self.group}/{RECORDS}/{_name(self.grid.chunk_of(block))}/{_name(block)}"

    def manifest_key(self, chunk: Index) -> str:
        """Key of a chunk's manifest."""
        return f"{self.group}/{MANIFESTS}/{_name(chunk)}"

    def chunk_key(self, name: str, chunk: Index) -> str:
        """Key of an array's chunk, as Zarr has it."""
        inner = "/0" * len(self.grid.term(name).dims)
        return "/".join((self.group, name, "c", *map(str, chunk))) + inner

    def claim(self, block: Index) -> str:
        """Name of the lease on a block."""
        return _name(block)

    def running(self) -> list[Index]:
        """Blocks that a process holds a lease on."""
        known = set(self.grid.block_indices())
        return [index for what in self.leases.held() if (index := self._index(what)) in known]

    # Reading

    def read(self, block: Index, names: Iterable[str]) -> Arrays:
        """Some arrays of a block; the fill values if it is not complete."""
        names = list(names)
        record = self.record(block)
        if record is not None:
            return {name: record[name] for name in names}
        chunk = self.grid.chunk_of(block)
        where = self.within(chunk, block)
        return {name: array[where] for name, array in self.settled(chunk, names).items()}

    def read_chunk(self, chunk: Index, names: Iterable[str]) -> Arrays:
        """Some arrays of all blocks of a chunk; the fill values where one is not complete."""
        names = list(names)
        records = {}
        for block in self.pending(chunk):  # before the chunk: they are deleted once they are in it
            record = self.record(block)
            if record is not None:
                records[block] = record
        arrays = self.settled(chunk, names)
        if records:
            arrays = {name: array.copy() for name, array in arrays.items()}
        for block, record in records.items():
            for name in names:
                arrays[name][self.within(chunk, block)] = record[name]
        return arrays

    def whole(self, name: str) -> NDArray:
        """An array over the entire part; what is not computed holds the fill value."""
        result = empty_array(self.grid.term(name), self.grid.shape)
        chunks = {self.grid.chunk_of(block) for block in self.pending()} | set(self.manifests())
        for chunk in chunks:
            result[self.grid.chunk_slices(chunk)] = self.read_chunk(chunk, [name])[name]
        return result

    def record(self, block: Index) -> Arrays | None:
        """The arrays of a block that lies in a record of its own, else None.

        Raises
        ------
        Damaged
            If the record is not as it was written.
        """
        key = self.record_key(block)
        try:
            found = self.storage.get(key, most=block_record.most_bytes(self.grid, block))
        except TooLarge as failure:
            raise self.damage(key, str(failure)) from None
        if found is None:
            return None
        try:
            arrays = block_record.unpack(found, self.identity(block), self.grid, block)
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError):
            arrays = None
        if arrays is None:
            raise self.damage(key, "it is not as it was written")
        return arrays

    def manifest(self, chunk: Index) -> Manifest | None:
        """The manifest of a chunk, None if nothing was written there.

        Raises
        ------
        Damaged
            If it is not as it was written.
        """
        return self.read_manifests([chunk]).get(chunk)

    def read_manifests(self, chunks: list[Index]) -> dict[Index, Manifest]:
        """The manifests of several chunks, read side by side."""
        found = self.storage.get_many(map(self.manifest_key, chunks))
        return {
            chunk: self._unpack_manifest(chunk, content)
            for chunk, content in zip(chunks, found, strict=True)
            if content is not None
        }

    def _unpack_manifest(self, chunk: Index, content: bytes) -> Manifest:
        try:
            record = json.loads(unsealed(content) or b"")
            if record["identity"] == self.identity(chunk):
                blocks = frozenset(tuple(block) for block in record["blocks"])
                return Manifest(blocks, dict(record["digests"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        self.require_present()  # the manifest may be that of another sweep
        raise self.damage(self.manifest_key(chunk), "it is not as it was written")

    def settled(self, chunk: Index, names: list[str]) -> Arrays:
        """Some arrays of a chunk by its files alone."""
        for _ in range(RETRIES):
            manifest = self.manifest(chunk)
            if manifest is None:
                self._require_there()
            if manifest is None or not manifest.blocks:
                return empty_arrays(self.grid, _shape_of(self.grid.chunk_slices(chunk)), names)
            try:
                return {name: self._verified(chunk, name, manifest) for name in names}
            except Damaged as failure:
                damage = failure
            # Somebody may have written the chunk anew since its manifest was read.
            if self.manifest(chunk) == manifest:
                break
        raise damage

    def _verified(self, chunk: Index, name: str, manifest: Manifest) -> NDArray:
        """An array's chunk, which has the digest that its manifest names."""
        key = self.chunk_key(name, chunk)
        content = self.content(chunk, name, manifest)
        cached = _cache.get((self.location, key, digest(content)))
        if cached is not None:
            return cached
        try:
            array = codec(self.array_metadata(name)).decode(chunk, content)
        except (ValueError, RuntimeError, TypeError, KeyError) as failure:
            raise self.damage(key, f"cannot be decoded: {_first_line(failure)}") from None
        array.flags.writeable = False
        _cache.put((self.location, key, digest(content)), array)
        return array

    def content(self, chunk: Index, name: str, manifest: Manifest) -> bytes:
        """The bytes of an array's chunk, checked against its manifest.

        Raises
        ------
        Damaged
            If there are none, or others than were written.
        """
        key = self.chunk_key(name, chunk)
        try:
            content = self.storage.get(key, most=codec(self.array_metadata(name)).most_bytes)
        except TooLarge as failure:
            raise self.damage(key, str(failure)) from None
        return self.require_sound(key, name, manifest, content)

    def require_sound(
        self, key: str, name: str, manifest: Manifest, content: bytes | None
    ) -> bytes:
        """The content of an array's chunk if it is the one that its manifest names.

        Raises
        ------
        Damaged
        """
        if content is None:
            raise self.damage(key, "the chunk is missing")
        if digest(content) not in manifest.digests.get(name, ()):
            raise self.damage(key, "the chunk fails its checksum")
        return content

    def array_metadata(self, name: str) -> bytes:
        """The ``zarr.json`` of an array, as it was written."""
        return template_of(self).objects[f"{self.group}/{name}/{ROOT}"]

    # Writing

    def write(self, block: Index, arrays: Arrays) -> None:
        """Store a solved block as one record, whole or not at all.

        When this returns, it survives a power cut (see `catalog.store.durable.DurableStore`).

        Raises
        ------
        InvalidInput
            If the store or the sweep in it is no longer there.
        """
        shape = self.grid.shape_of(block)
        for name in self.grid.arrays:
            assert arrays[name].shape == (*shape, *self.grid.term(name).inner_shape), (
                f"{name} does not cover block {block}"
            )
        assert np.all(arrays["status"] != Status.NOT_COMPUTED), f"block {block} is not solved"
        self.require_present()
        ordered = {name: arrays[name] for name in self.grid.arrays}
        self.storage.put(self.record_key(block), block_record.pack(self.identity(block), ordered))

    def write_manifest(self, chunk: Index, manifest: Manifest) -> None:
        """Write the manifest of a chunk."""
        content = {
            "identity": self.identity(chunk),
            "blocks": sorted(manifest.blocks),
            "digests": dict(manifest.digests),
        }
        self.storage.put(self.manifest_key(chunk), sealed(json.dumps(content).encode()))

    def require_present(self) -> None:
        """Refuse to write where the sweep is no longer: a store may be moved, a group replaced.

        Raises
        ------
        InvalidInput
        """
        found = self.storage.get(f"{self.group}/{COPY}")
        if found is None or _key_of(found) not in (self.grid.key, None):
            raise self._gone()

    def _require_there(self) -> None:
        """Raise if the group was deleted or moved: it must not be read as one without values."""
        if not self.storage.has(f"{self.group}/{COPY}"):
            raise self._gone()

    def _gone(self) -> InvalidInput:
        return InvalidInput(
            f"the sweep {self.group!r} is no longer in {self.location} as it was opened, the store "
            "was moved or deleted or the sweep replaced: give its new place and run the same "
            "command again"
        )

    def identity(self, index: Index) -> dict[str, Any]:
        """What binds an object to its place: group, sweep and index."""
        return {"group": self.group, "sweep": self.grid.key, "index": list(index)}

    def damage(self, key: str, reason: str) -> Damaged:
        """The error about an object that is not as it was written."""
        return Damaged(
            f"{key} in {self.location} is damaged ({reason}): run heatcat repair {self.location}, "
            "then go on",
            reason,
        )

    # Where things lie in arrays

    def within(self, chunk: Index, block: Index) -> tuple[slice, ...]:
        """A block's place in its chunk."""
        return tuple(
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(
                self.grid.block_slices(block), self.grid.chunk_slices(chunk), strict=True
            )
        )


def _shape_of(where: tuple[slice, ...]) -> tuple[int, ...]:
    """Shape of what slices cover."""
    return tuple(piece.stop - piece.start for piece in where)


def template_of(part: Part) -> Packed:
    """The sealed template of a part, read once per process."""
    return _template(part.location, part.group, part.grid.key)


@functools.lru_cache(maxsize=256)
def _template(location: str, group: str, key: str) -> Packed:
    packed = unpack(storage(location).get(f"{group}/{COPY}"))
    if packed is None or packed.group != group or packed.metadata["attributes"]["sweep_key"] != key:
        raise InvalidInput(
            f"the sweep {group!r} in {location} is not the one that was opened, or damaged: open "
            f"the store again, or run heatcat repair {location}"
        )
    return packed


@functools.lru_cache(maxsize=64)
def _key_of(copy: bytes) -> str | None:
    """Key of the sweep that a sealed template describes, None if it is damaged."""
    packed = unpack(copy)
    return None if packed is None else packed.metadata["attributes"]["sweep_key"]


def _name(index: Index) -> str:
    return ".".join(map(str, index))


def _first_line(failure: Exception) -> str:
    return str(failure).splitlines()[0] if str(failure) else type(failure).__name__
