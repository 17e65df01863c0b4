"""Pack a store into one Zip archive that Zarr opens as it is."""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from catalog.arguments import a_flag, a_location, a_path, checked
from catalog.store.location import absolute
from catalog.store.snapshot import snapshot
from catalog.store.storage import storage
from catalog.store.whole_file import whole_file
from ensemble import InvalidInput


@dataclass(frozen=True)
class Shipped:
    """What `catalog.zip_store` wrote.

    Attributes
    ----------
    path : str
    bytes : int
        Size of the archive.
    files : int
        Files of the store in it.
    left_out : int
        Temporary files, leases, and files that were deleted before they could be read.
    """

    path: str
    bytes: int
    files: int
    left_out: int


@checked(location=a_location, path=a_path, overwrite=a_flag)
def zip_store(location: str | Path, path: str | Path, *, overwrite: bool = False) -> Shipped:
    """Pack a store into one file that Zarr opens as it is, for reading.

    The store may be in use meanwhile: a block is either complete in the archive or "not computed".

    Parameters
    ----------
    location : path
        Directory of a Zarr store.
    path : path
        The archive, a name that ends in ``.zip``, outside of the store.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InvalidInput
        If there is no store, or the archive is there already or cannot be there; if a file is
        damaged; if the store holds a link, a pipe, a device or a name that is not UTF-8, none of
        which is ever packed.
    """
    store, target = Path(location).expanduser().absolute(), Path(path)
    if "://" in str(location):
        raise InvalidInput(f"cannot zip {location}: copy the store to a directory and zip that")
    if not (store / "zarr.json").is_file():
        raise InvalidInput(f"there is no Zarr v3 store at {location}: check the path")
    if target.suffix != ".zip":
        raise InvalidInput(f"an archive of a store must end in .zip, not as {target.name}")
    if target.expanduser().resolve().is_relative_to(store.resolve()):
        raise InvalidInput(f"{target} lies inside the store: put the archive elsewhere")
    _require_plain_files(store)
    files = left_out = 0
    with whole_file(target, overwrite=overwrite) as temporary:
        # Chunks of results have been compressed: they are only stored here.
        with zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_STORED, allowZip64=True, strict_timestamps=False
        ) as archive:
            place = storage(absolute(location))
            for key, content in snapshot(place, lambda key: _content(store, key)):
                if content is None:
                    left_out += 1
                else:
                    archive.writestr(key, content)
                    files += 1
        size = temporary.stat().st_size
    return Shipped(str(target), size, files, left_out)


def _require_plain_files(store: Path) -> None:
    """Refuse a store with anything that an archive cannot take.

    Raises
    ------
    InvalidInput
        If there is anything but files and folders: links may lead out of the store, pipes block.
    """
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in _entries(store, folder):
            name = f"{folder}/{entry.name}" if folder else entry.name
            try:
                name.encode()
            except UnicodeEncodeError:
                raise InvalidInput(
                    f"{store} holds the name {os.fsencode(name)!r}, which is not UTF-8: rename or "
                    "remove it"
                ) from None
            if entry.is_symlink():
                raise _no_file(store, name, "a link")
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif not entry.is_file(follow_symlinks=False) and os.path.lexists(entry.path):
                raise _no_file(store, name, "a pipe, socket or device")


def _entries(store: Path, folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it has been deleted in the meantime."""
    try:
        with os.scandir(store / folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except PermissionError:
        raise InvalidInput(
            f"cannot read the folder {folder or '.'} in {store}: change its permissions"
        ) from None


def _no_file(store: Path, name: str, kind: str) -> InvalidInput:
    return InvalidInput(
        f"{name!r} in {store} is {kind}; an archive takes only files and folders: remove it, or "
        "put a file or folder in its place"
    )


def _content(store: Path, name: str) -> bytes | None:
    """Content of a file, None if it is no longer there.

    Raises
    ------
    InvalidInput
        If it, or a folder above it, has become a link since it was listed.
    """
    try:
        descriptor = _opened(store, name)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise InvalidInput(f"cannot read {name!r} in {store}: change its permissions") from None
    except OSError as failure:
        if failure.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise _no_file(store, name, "no longer a file") from None
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _no_file(store, name, "no longer a file")
        return file.read()


def _opened(store: Path, name: str) -> int:
    """Descriptor of a file, opened from folder to folder so that none of them is a link."""
    *folders, file = name.split("/")
    at = os.open(store, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        # A pipe that has taken the place of the file must not block.
        return os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)
