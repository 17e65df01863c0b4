"""Where a store lies: what may be given as its place, and whether there is a store of sweeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

from catalog.store.storage import S3, Storage, storage
from ensemble import InvalidInput

ROOT = "zarr.json"
MOST_METADATA = 256 * 2**20
"""Bytes that a metadata object may have."""
EMPTY_GROUP = b'{"attributes": {}, "zarr_format": 3, "node_type": "group"}'


class NoStore(InvalidInput):
    """There is nothing at the location."""


def absolute(location: str | Path) -> str:
    """A location that means the same everywhere: workers run in other directories.

    Raises
    ------
    InvalidInput
        If it is not a path or URL, or a URL of another kind than ``s3://``.
    """
    if not isinstance(location, str | os.PathLike) or not str(location).strip():
        raise InvalidInput(
            f"a store must be given by its path or URL, but is {location!r}: give e.g. "
            '"engines.zarr"'
        )
    text = os.fspath(location)
    if not isinstance(text, str) or "\0" in text:
        raise InvalidInput(f"{text!r} is not the path of a store: give text, e.g. 'engines.zarr'")
    if "://" in text:
        bucket = text.removeprefix(S3).partition("/")[0]
        if not text.startswith(S3) or not bucket:
            raise InvalidInput(
                f"cannot store at {text}: give a directory that every worker sees, or s3://bucket/…"
            )
        return text.rstrip("/")
    try:
        return str(Path(text).expanduser().absolute())
    except RuntimeError:  # ~name of somebody who is not known here
        raise InvalidInput(
            f"the home folder in {text!r} is not known on this machine: give the path in full"
        ) from None


def open_storage(location: str | Path, *, write: bool) -> Storage:
    """The storage at a location, checked to be a Zarr v3 group, created if there is none.

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
    elif (not write or store.names("")) and not store.has(ROOT):
        another = "directory" if store.folder is not None else "location"
        raise InvalidInput(f"{place} is not a Zarr v3 store: give another {another}")
    if write and not store.has(ROOT):
        store.begin()
        store.create(ROOT, EMPTY_GROUP)
    problem = root_problem(store)
    if problem == DAMAGED:
        raise InvalidInput(f"the file {ROOT} of {place} is damaged: run heatcat repair {place}")
    if problem is not None:
        raise InvalidInput(f"{place} is {problem}, not a store of sweeps: give another directory")
    return store


DAMAGED = "damaged"


def root_problem(store: Storage) -> str | None:
    """What is wrong with the root's metadata: None, "damaged", or what else it describes.

    Attributes of the root are the user's; everything else must be as Zarr writes it.
    """
    try:
        metadata = json.loads(store.get(ROOT, most=MOST_METADATA) or b"")
        if metadata["zarr_format"] == 3 and metadata["node_type"] == "array":
            return "a Zarr array"
        plain = metadata["zarr_format"] == 3 and metadata["node_type"] == "group"
        known = {"attributes", "zarr_format", "node_type", "consolidated_metadata"}
        attributes = isinstance(metadata.get("attributes", {}), dict)
        sound = plain and attributes and set(metadata) <= known
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    return None if sound else DAMAGED
