"""Where a store lies: a local directory, an S3 bucket, or a Zip archive that is only read.

Zarr does the reading and writing; what is added here is durability (a local write returns when the
disk has it) and the few operations on single objects that leases and records need.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from zarr.abc.store import Store
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore, ObjectStore, ZipStore

from ensemble import InvalidInput

TORN = ".partial"
"""Ending of a file that is being written: it gets its name once it is whole."""
S3 = "s3://"
ZIP = ".zip"
ROOT = "zarr.json"
EMPTY_GROUP = b'{"attributes": {}, "zarr_format": 3, "node_type": "group"}'


class NoStore(InvalidInput):
    """There is nothing at the location."""


class DurableStore(LocalStore):
    """Zarr's local store, except that a write has reached the disk when it returns.

    File and directory entry are flushed (fsync), so that what is written later, a status, cannot
    survive a power cut that what was written before, its values, does not.
    """

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await asyncio.to_thread(write_file, self.root / key, value.to_bytes())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await asyncio.to_thread(write_file, self.root / key, value.to_bytes(), exclusive=True)

    async def delete(self, key: str) -> None:
        await super().delete(key)
        folder = (self.root / key).parent
        if folder.is_dir():
            await asyncio.to_thread(_flush_folder, folder)

    def set_sync(self, key: str, value: Buffer) -> None:
        self._check_writable()
        write_file(self.root / key, value.to_bytes())


def write_file(path: Path, content: bytes, *, exclusive: bool = False) -> None:
    """Write a file whole or not at all, and durably; if exclusive, only if there is none."""
    _make_folder(path.parent)
    torn = path.with_name(f"{path.name}.{uuid.uuid4().hex}{TORN}")
    try:
        with torn.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            try:
                os.link(torn, path)  # unlike renaming, it never replaces a file: on NFS neither
            except FileExistsError:
                return
            finally:
                torn.unlink()
        else:
            torn.replace(path)
    except Exception:
        torn.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Storage:
    """The objects of one store, by key ("name/power/c/0/1").

    Parameters
    ----------
    location : str
        Absolute path of a directory or of a ``.zip`` file, or an ``s3://bucket/prefix`` URL.
    """

    location: str

    @cached_property
    def zarr(self) -> Store:
        """The Zarr store, which ``zarr`` and ``xarray`` open."""
        if self.location.startswith(S3):
            return ObjectStore(_s3(self.location))
        if self.read_only:
            return sync(ZipStore.open(self.location, mode="r"))
        return DurableStore(self.location)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written: an archive."""
        return self.location.endswith(ZIP)

    @property
    def folder(self) -> Path | None:
        """The directory, if it is one of this machine's."""
        remote = self.location.startswith(S3) or self.read_only
        return None if remote else Path(self.location)

    def exists(self) -> bool:
        """Whether there is a store, begun or complete."""
        if self.folder is None and not self.read_only:
            return bool(self.names(""))
        return Path(self.location).exists()

    def get(self, key: str) -> bytes | None:
        """Content of an object, None if there is none."""
        found = sync(self.zarr.get(key, default_buffer_prototype()))
        return None if found is None else found.to_bytes()

    def has(self, key: str) -> bool:
        """Whether there is such an object."""
        return sync(self.zarr.exists(key))

    def put(self, key: str, content: bytes) -> None:
        """Write an object, whole or not at all."""
        sync(self.zarr.set(key, _buffer(content)))

    def create(self, key: str, content: bytes) -> bool:
        """Write an object unless there is one; whether this content is the one that is there."""
        sync(self.zarr.set_if_not_exists(key, _buffer(content)))
        return self.get(key) == content

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        sync(self.zarr.delete(key))

    def delete_all(self, key: str) -> None:
        """Delete an object and every object below it."""
        self.delete(key)
        sync(self.zarr.delete_dir(key))

    def torn(self, prefix: str, *, mend: bool, deep: bool = False) -> int:
        """Count, and delete, what killed processes were writing below a prefix.

        Directly below it, of which Zarr warns, or at any depth.  If mending, nobody may be writing
        there.
        """
        if self.folder is None:
            return 0
        found = list((self.folder / prefix).glob(f"**/*{TORN}" if deep else f"*{TORN}"))
        for path in found if mend else ():
            path.unlink()
        return len(found)

    def names(self, prefix: str) -> list[str]:
        """What lies directly below a prefix: objects, and first parts of longer keys."""

        store = self.zarr  # opened here, not within the loop below

        async def collect() -> list[str]:
            return [name async for name in store.list_dir(prefix)]

        return [name for name in sync(collect()) if not name.endswith(TORN)]

    def keys(self, prefix: str) -> list[str]:
        """Keys of all objects below a prefix."""

        store = self.zarr

        async def collect() -> list[str]:
            return [key async for key in store.list_prefix(prefix + "/")]

        # Archives may list their directories, too.
        return [key for key in sync(collect()) if not key.endswith((TORN, "/"))]

    def __getstate__(self) -> dict[str, Any]:
        return {"location": self.location}  # each process opens the store for itself


def _buffer(content: bytes) -> Buffer:
    return default_buffer_prototype().buffer.from_bytes(content)


def _s3(url: str) -> Any:
    try:
        from obstore.store import S3Store
    except ImportError:
        raise InvalidInput(
            f"cannot reach {url} without the package obstore: pip install 'heatcat[s3]'"
        ) from None
    # A wrong address should be refused in seconds, a hiccup of the network survived.
    return S3Store.from_url(
        url, retry_config={"max_retries": 6, "retry_timeout": timedelta(seconds=30)}
    )


@cache
def storage(location: str) -> Storage:
    """The storage at an absolute location, opened once per process."""
    return Storage(location)


def absolute(location: str | Path) -> str:
    """A location that means the same everywhere: workers run in other directories.

    Raises
    ------
    InvalidInput
        If it is a URL of another kind than ``s3://``.
    """
    text = str(location)
    if "://" in text:
        if not text.startswith(S3) or len(text) == len(S3):
            raise InvalidInput(
                f"cannot store at {text}: give a directory that every worker sees, or s3://bucket/…"
            )
        return text.rstrip("/")
    return str(Path(text).expanduser().absolute())


def open_storage(location: str | Path, *, write: bool) -> Storage:
    """The storage at a location, checked to be a Zarr v3 group, begun if need be.

    Raises
    ------
    InvalidInput
        If there is none and ``write`` is false, if it is something else, or cannot be reached.
    """
    place = absolute(location)
    store = storage(place)
    try:
        return _checked(store, write=write)
    except InvalidInput:
        raise
    except Exception as failure:  # object stores have errors of their own, in many lines
        if isinstance(failure, OSError):
            reason = failure.strerror or str(failure)
            remedy = "check the path, its permissions and the free space"
        elif place.startswith(S3):
            reason = str(failure).splitlines()[0]
            remedy = "check the address and the credentials"
        else:
            raise
        raise InvalidInput(f"cannot open the store {place}: {reason}: {remedy}") from None


def _checked(store: Storage, *, write: bool) -> Storage:
    place, path = store.location, Path(store.location)
    if write and store.read_only:
        raise InvalidInput(f"{place} is an archive, only to be read: unpack it to a directory")
    if not store.exists():
        if not write:
            raise NoStore(f"there is no store at {place}: check the path")
    elif store.folder is not None and not path.is_dir():
        raise InvalidInput(f"{place} is a file, not a store: give a directory")
    # What is there is listed before the root is looked for: another run may just be writing it.
    elif (not write or store.names("")) and store.get(ROOT) is None:
        another = "directory" if store.folder is not None else "location"
        raise InvalidInput(f"{place} is not a Zarr v3 store: give another {another}")
    if write and store.get(ROOT) is None:
        store.create(ROOT, EMPTY_GROUP)
    content = store.get(ROOT)
    assert content is not None
    try:
        metadata = json.loads(content)
        group = metadata["node_type"] == "group" and metadata["zarr_format"] == 3
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"the file {ROOT} of {place} is damaged: run heatcat repair {place}"
        ) from None
    if not group:
        raise InvalidInput(f"{place} is not a Zarr v3 group of sweeps: give another directory")
    return store
