"""A store as it is at one moment, while runs may be writing to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catalog.store.change import FOLDER as CHANGE
from catalog.store.change import require_none
from catalog.store.durable import TORN
from catalog.store.groups import parent
from catalog.store.leases import FOLDER as LEASES
from catalog.store.load import load
from catalog.store.part import RETRIES, Damaged, Part
from catalog.store.storage import Storage

Read = Callable[[str], bytes | None]


def snapshot(place: Storage, read: Read) -> Iterator[tuple[str, bytes | None]]:
    """The objects of a store, by key; None for what is left out.

    Every block that is finished when it begins is in it, whole.  Of a chunk that somebody is just
    writing again, files and manifest of one moment are taken: block records first, since they are
    deleted once the manifest says that they are in the chunk.  Leases and temporary files are left
    out, and what was deleted before it could be read.

    Parameters
    ----------
    place : Storage
    read : callable
        Gives the content of a key, None if there is nothing any more.

    Raises
    ------
    catalog.store.part.Damaged
        If a chunk is not as it was written.
    InvalidInput
        If groups are about to be replaced.
    """
    require_none(place)
    names = sorted(place.names(""))
    parts: list[Part] = []
    for name in names:
        if parent(name) is None and (stored := load(place, name)) is not None:
            parts += stored.parts
    taken: set[str] = set()
    for part in parts:
        for block in part.pending():
            key = part.record_key(block)
            content = read(key)
            if content is not None:
                taken.add(key)
                yield key, content
        for chunk in part.grid.chunk_indices():
            for key, content in _chunk(part, chunk, read):
                taken.add(key)
                yield key, content
    later = {key for part in parts for key in _keys_of_chunks(part)} - taken
    for name in names:
        for key in [name] if place.has(name) else place.keys(name):
            # A chunk that was begun since is not complete without the files taken above.
            if key in taken or key in later:
                continue
            left_out = key.startswith(f"{CHANGE}/") or LEASES in key.split("/")
            yield key, None if left_out else read(key)
    for _ in range(place.torn("", mend=False, deep=True)):
        yield TORN, None


def _chunk(part: Part, chunk: tuple[int, ...], read: Read) -> list[tuple[str, bytes]]:
    """The files of a chunk and its manifest, of one moment."""
    for _ in range(RETRIES):
        manifest = part.manifest(chunk)
        if manifest is None or not manifest.blocks:
            return []
        try:
            files = []
            for name in part.grid.arrays:
                key = part.chunk_key(name, chunk)
                files.append((key, part.require_sound(key, name, manifest, read(key))))
            content = read(part.manifest_key(chunk))
            if content is not None and part.manifest(chunk) == manifest:
                # Values first, as they are written.
                return [*files, (part.manifest_key(chunk), content)]
            damage = part.damage(part.manifest_key(chunk), "it changes all the time")
        except Damaged as failure:
            damage = failure
    raise damage


def _keys_of_chunks(part: Part) -> Iterator[str]:
    for chunk in part.grid.chunk_indices():
        yield part.manifest_key(chunk)
        for name in part.grid.arrays:
            yield part.chunk_key(name, chunk)
    for block in part.grid.block_indices():
        yield part.record_key(block)
