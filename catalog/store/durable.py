"""Files of a local store: written whole and durably, read and listed without following links."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from ensemble import InvalidInput

TORN = ".partial"
"""Ending of a file that is being written: it gets its name once it is whole."""
TORN_NAME = re.compile(rf".+\.[0-9a-f]{{32}}{re.escape(TORN)}")


class StoreGone(InvalidInput):
    """The folder of a store was moved or deleted while it was in use."""


class DurableStore(LocalStore):
    """Zarr's local store, except that a write has reached the disk when it returns.

    File and directory entry are flushed (fsync).  After a power cut a status can therefore not be
    there without its values, which were written before it.
    """

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await asyncio.to_thread(write_file, self.root / key, value.to_bytes(), root=self.root)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        self._check_writable()
        content = value.to_bytes()
        await asyncio.to_thread(
            write_file, self.root / key, content, root=self.root, exclusive=True
        )

    async def delete(self, key: str) -> None:
        await super().delete(key)
        folder = (self.root / key).parent
        if folder.is_dir():
            await asyncio.to_thread(flush_folder, folder)

    def create_fleeting(self, key: str, content: bytes) -> None:
        """Write a file unless there is one; a power cut may leave it empty, or without it."""
        write_file(self.root / key, content, root=self.root, exclusive=True, durable=False)

    def set_sync(self, key: str, value: Buffer) -> None:
        self._check_writable()
        write_file(self.root / key, value.to_bytes(), root=self.root)


def write_file(
    path: Path, content: bytes, *, root: Path, exclusive: bool = False, durable: bool = True
) -> None:
    """Write a file whole or not at all; if exclusive, only if there is none.

    If durable, it has reached the disk when this returns.

    Folders are made below ``root``, never ``root`` itself: a store that was moved away is not
    started again at its old place.

    Raises
    ------
    StoreGone
        If there is no folder ``root``.
    """
    _make_folder(path.parent, root)
    torn = path.with_name(f"{path.name}.{uuid.uuid4().hex}{TORN}")
    try:
        with torn.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if exclusive:
            try:
                os.link(torn, path)  # unlike a rename, it never replaces a file, even on NFS
            except FileExistsError:
                return
            finally:
                torn.unlink()
        else:
            torn.replace(path)
    except Exception as failure:
        torn.unlink(missing_ok=True)
        if isinstance(failure, FileNotFoundError) and not root.is_dir():
            raise _gone(root) from None
        raise
    if durable:
        flush_folder(path.parent)


def _make_folder(folder: Path, root: Path) -> None:
    if folder.is_dir():
        return
    if folder == root:
        raise _gone(root)
    _make_folder(folder.parent, root)
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise _gone(root) from None
    flush_folder(folder.parent)


def _gone(root: Path) -> StoreGone:
    return StoreGone(
        f"the store {root} is no longer there, it was moved or deleted: nothing was written; give "
        "its new place and run the same command again"
    )


def flush_folder(folder: Path) -> None:
    """Have the entries of a folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_below(folder: Path, prefix: str) -> Iterator[str]:
    """Keys of the files below a folder; links to folders are not followed."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        key = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(folder / entry.name, key)
        else:
            yield key
