"""The bytes of one Zarr chunk: encoded and decoded by Zarr itself, within a bound on their size."""

from __future__ import annotations

import hashlib
import math
import threading

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from catalog.store.location import ROOT
from catalog.sweeps.arrays import MOST_TEXT

MOST_OPEN = 500
"""Arrays that one thread keeps open."""


def digest(content: bytes) -> str:
    """The digest by which a stored chunk is recognised."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


_configuring = threading.Lock()


class Codec:
    """Encodes and decodes chunks of one array, by the codecs that its metadata names.

    Parameters
    ----------
    metadata : bytes
        The array's ``zarr.json``.
    """

    def __init__(self, metadata: bytes) -> None:
        self._objects: dict = {
            ROOT: default_buffer_prototype().buffer.from_bytes(metadata),
        }
        # All chunks are written, those that hold only fill values too: a missing one is damage.
        # Zarr's configuration is that of the process: one thread at a time may change it.
        with _configuring, zarr.config.set({"array.write_empty_chunks": True}):
            self.array = zarr.open_array(MemoryStore(self._objects), zarr_format=3)
        chunks = math.prod(self.array.chunks)
        dtype = np.dtype(self.array.dtype)
        self.most_bytes = chunks * (4 * MOST_TEXT if dtype.kind in "OT" else dtype.itemsize) + 1024
        """Bytes that a chunk may have once it is unpacked."""

    def encode(self, chunk: tuple[int, ...], values: NDArray) -> bytes:
        """Stored bytes of a chunk; its index in an inner dimension, left out, is 0."""
        chunk = self._whole(chunk)
        self.array[self._where(chunk)] = values
        return self._objects.pop(self._key(chunk)).to_bytes()

    def decode(self, chunk: tuple[int, ...], content: bytes) -> NDArray:
        """Values of a chunk.

        Raises
        ------
        ValueError
            If the content says that it unpacks to more than the chunk has.
        """
        size = unpacked_size(content)
        if size is None or size > self.most_bytes:
            raise ValueError("the chunk would unpack to more than its array has room for")
        chunk = self._whole(chunk)
        key = self._key(chunk)
        self._objects[key] = default_buffer_prototype().buffer.from_bytes(content)
        try:
            return np.asarray(self.array[self._where(chunk)])
        finally:
            del self._objects[key]

    def _whole(self, chunk: tuple[int, ...]) -> tuple[int, ...]:
        return (*chunk, *(0,) * (len(self.array.shape) - len(chunk)))

    def _where(self, chunk: tuple[int, ...]) -> tuple[slice, ...]:
        return tuple(
            slice(i * step, min((i + 1) * step, length))
            for i, step, length in zip(chunk, self.array.chunks, self.array.shape, strict=True)
        )

    def _key(self, chunk: tuple[int, ...]) -> str:
        return "/".join(("c", *map(str, chunk)))


class _Open(threading.local):
    """The codecs that this thread keeps open: they share nothing with other threads."""

    def __init__(self) -> None:
        self.codecs: dict[bytes, Codec] = {}


_open = _Open()


def codec(metadata: bytes) -> Codec:
    """The codec of an array, for use in this thread."""
    if metadata not in _open.codecs:
        if len(_open.codecs) >= MOST_OPEN:
            _open.codecs.clear()
        _open.codecs[metadata] = Codec(metadata)
    return _open.codecs[metadata]


def unpacked_size(content: bytes) -> int | None:
    """Size of the content of a Zstandard frame by its header, None if it does not say.

    The layout is that of RFC 8878, section 3.1.1.1.
    """
    if content[:4] != b"\x28\xb5\x2f\xfd" or len(content) < 6:
        return None
    descriptor = content[4]
    single_segment = bool(descriptor & 0x20)
    dictionary = (0, 1, 2, 4)[descriptor & 0x03]
    field = (1 if single_segment else 0, 2, 4, 8)[descriptor >> 6]
    if field == 0:
        return None
    start = 5 + (not single_segment) + dictionary
    size = int.from_bytes(content[start : start + field], "little")
    return size + 256 if field == 2 else size
