"""The objects of one store: in a local directory, an S3 bucket, or a Zip archive that is only read.

Zarr does the reading and writing; what is added here is durability (a local write returns when the
disk has it) and the few operations on single objects that leases and records need.
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from zarr.abc.store import Store
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import ObjectStore, ZipStore

from catalog.store.durable import TORN, TORN_NAME, DurableStore, content_of, files_below, names_in
from ensemble import InvalidInput

S3 = "s3://"
ZIP = ".zip"


class TooLarge(ValueError):
    """An object has more bytes than what it is meant to hold can have."""


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
            try:
                return sync(ZipStore.open(self.location, mode="r"))
            except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as failure:
                raise InvalidInput(
                    f"{self.location} is not a whole Zip archive ({failure}): copy or export it "
                    "again"
                ) from None
        return DurableStore(self.location)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written: an archive."""
        return self.location.endswith(ZIP)

    @cached_property
    def folder(self) -> Path | None:
        """The directory, if it is one that this machine sees."""
        remote = self.location.startswith(S3) or self.read_only
        return None if remote else Path(self.location)

    def exists(self) -> bool:
        """Whether there is a store, begun or complete."""
        if self.folder is None and not self.read_only:
            return bool(self.names(""))
        return Path(self.location).exists()

    def begin(self) -> None:
        """Make the folder of a store, so that objects can be written."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str, *, most: int | None = None) -> bytes | None:
        """Content of an object, None if there is none.

        Parameters
        ----------
        most : int, optional
            Bytes that the object may have.

        Raises
        ------
        TooLarge
            If it has more.  In a directory or an archive it is not read then.
        """
        if most is not None and (size := self._size(key)) is not None and size > most:
            raise TooLarge(f"it has {size} bytes where at most {most} are expected")
        if self.folder is not None:
            return content_of(self.folder / key)
        found = sync(self.zarr.get(key, default_buffer_prototype()))
        if found is not None and most is not None and len(found) > most:
            raise TooLarge(f"it has {len(found)} bytes where at most {most} are expected")
        return None if found is None else found.to_bytes()

    def get_many(self, keys: Iterable[str]) -> list[bytes | None]:
        """Contents of several objects, read side by side."""
        if self.folder is not None:
            return [content_of(self.folder / key) for key in keys]
        store, keys = self.zarr, list(keys)

        async def collect() -> list[Buffer | None]:
            prototype = default_buffer_prototype()
            return await asyncio.gather(*(store.get(key, prototype) for key in keys))

        return [None if found is None else found.to_bytes() for found in sync(collect())]

    def _size(self, key: str) -> int | None:
        """Number of bytes of an object once it is unpacked, None if that would take a request."""
        try:
            if self.folder is not None:
                return (self.folder / key).stat().st_size
            if isinstance(self.zarr, ZipStore):
                return self.zarr._zf.getinfo(key).file_size
        except (KeyError, FileNotFoundError, NotADirectoryError):
            pass
        return None

    def has(self, key: str) -> bool:
        """Whether there is such an object."""
        if self.folder is not None:
            return (self.folder / key).is_file()
        return sync(self.zarr.exists(key))

    def put(self, key: str, content: bytes) -> None:
        """Write an object, whole or not at all."""
        if isinstance(self.zarr, DurableStore):  # without two changes of thread
            self.zarr.set_sync(key, _buffer(content))
        else:
            sync(self.zarr.set(key, _buffer(content)))

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """Write several objects side by side; all have ended when the first error is raised."""
        store = self.zarr

        async def write() -> list[Any]:
            writes = (store.set(key, _buffer(content)) for key, content in objects.items())
            return await asyncio.gather(*writes, return_exceptions=True)

        for result in sync(write()):
            if isinstance(result, BaseException):
                raise result

    def create(self, key: str, content: bytes) -> bool:
        """Write an object unless there is one; whether this content is the one that is there."""
        sync(self.zarr.set_if_not_exists(key, _buffer(content)))
        return self.get(key) == content

    def create_fleeting(self, key: str, content: bytes) -> bool:
        """As `create`, for an object that no one needs after a power cut, such as a lease.

        On a local disk it is not flushed, which takes longer than all other work on it.
        """
        if self.folder is None:
            return self.create(key, content)
        self.zarr.create_fleeting(key, content)  # type: ignore[attr-defined]
        return self.get(key) == content

    def delete_fleeting(self, key: str) -> None:
        """As `delete`; after a power cut the object may be there again."""
        if self.folder is None or (self.folder / key).is_dir():
            self.delete(key)
        else:
            (self.folder / key).unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        sync(self.zarr.delete(key))

    def remove_empty_folders(self, prefix: str) -> None:
        """Remove the empty folders below a prefix; no other process may be writing there."""
        if self.folder is not None:
            for folder, _, _ in os.walk(self.folder / prefix, topdown=False):
                with suppress(OSError):  # it is not empty
                    os.rmdir(folder)

    def torn(self, prefix: str, *, mend: bool, deep: bool = False) -> int:
        """Count, and delete, what killed processes were writing below a prefix.

        Directly below it, of which Zarr warns, or at any depth.  For a repair, no other process
        may be writing there.  Only names that our writing makes are counted:
        ``<name>.<32 hex digits>.partial``.
        """
        if self.folder is None:
            return 0
        found = [
            path
            for path in (self.folder / prefix).glob(f"**/*{TORN}" if deep else f"*{TORN}")
            if TORN_NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        ]
        for path in found if mend else ():
            path.unlink(missing_ok=True)
        return len(found)

    def names(self, prefix: str) -> list[str]:
        """What lies directly below a prefix: objects, and first parts of longer keys.

        Raises
        ------
        OSError
            If the folder is there and may not be read.
        """
        if self.folder is not None:
            found = names_in(self.folder / prefix)
        elif isinstance(self.zarr, ObjectStore):
            # Zarr's own listing fails where other tools have marked a folder by an empty object.
            below = f"{prefix}/" if prefix else ""
            listed = self.zarr.store.list_with_delimiter(below or None)
            paths = [item["path"] for item in listed["objects"]] + list(listed["common_prefixes"])
            found = [path.removeprefix(below) for path in paths if path.startswith(below)]
        else:
            store = self.zarr  # opened here, not within the loop below

            async def collect() -> list[str]:
                return [name async for name in store.list_dir(prefix)]

            found = sync(collect())
        return [name for name in found if name and not name.endswith(TORN)]

    def has_below(self, prefix: str) -> bool:
        """Whether there is anything below a prefix, if only an empty folder."""
        if self.folder is not None:
            return (self.folder / prefix).is_dir()
        return bool(self.names(prefix))

    def keys(self, prefix: str) -> list[str]:
        """Keys of all objects below a prefix.

        Raises
        ------
        OSError
            If a folder is there and may not be read.
        """
        if self.folder is not None:
            found = list(files_below(self.folder / prefix, prefix))
        else:
            store = self.zarr

            async def collect() -> list[str]:
                return [key async for key in store.list_prefix(prefix + "/")]

            found = sync(collect())
        # Archives and object stores may list their folders, too.
        return [key for key in found if not key.endswith((TORN, "/"))]

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
    bucket, _, prefix = url.removeprefix(S3).partition("/")
    # The prefix is a key, not a URL: #, ? and % have no special meaning in it.
    # A wrong address is refused within seconds; a short failure of the network is retried.
    retry: Any = {"max_retries": 6, "retry_timeout": timedelta(seconds=30)}
    return S3Store(bucket, prefix=prefix or None, retry_config=retry)


def storage(location: str) -> Storage:
    """The storage at an absolute location, opened once per process.

    An archive that was replaced since is opened again.
    """
    version: tuple[int, ...] = ()
    if location.endswith(ZIP):
        with suppress(OSError):
            found = os.stat(location)
            version = (found.st_ino, found.st_size, found.st_mtime_ns)
    return _storage(location, version)


@cache
def _storage(location: str, version: tuple[int, ...]) -> Storage:
    return Storage(location)
