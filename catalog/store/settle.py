"""Settle finished blocks: copy their records to the Zarr chunks, where every reader sees them.

The steps of one chunk (the process may be killed after any of them):

1. The manifest is written with the digests of the new files beside those of the old ones.
2. The files of all arrays are replaced, that of the status last.
3. The manifest is written with the blocks that are in the chunk now, and the new digests only.
4. The records are deleted.

Before step 3 the records hold the values of their blocks, and readers take a block from its record
rather than from the chunk.  Of all other blocks, the old and the new files hold the same values, so
that a chunk of which only some files are replaced reads correctly.
"""

from __future__ import annotations

import numpy as np

from catalog.store.chunk_codec import codec, digest
from catalog.store.leases import Busy
from catalog.store.part import Manifest, Part
from catalog.sweeps.arrays import Arrays
from catalog.sweeps.grid import Index
from ensemble import Status


def settle(part: Part, *, wait: bool = False) -> None:
    """Settle all records of a part.

    Parameters
    ----------
    wait : bool
        Wait for chunks that another process is settling; if false, they are left to that process.
    """
    for chunk in dict.fromkeys(part.grid.chunk_of(block) for block in part.pending()):
        settle_chunk(part, chunk, wait=wait)


def settle_if_full(part: Part, block: Index) -> None:
    """Settle the chunk of a block if all blocks of the chunk are finished."""
    chunk = part.grid.chunk_of(block)
    missing = set(part.grid.blocks_of(chunk)) - set(part.pending(chunk))
    if missing:
        manifest = part.manifest(chunk)
        missing -= manifest.blocks if manifest is not None else frozenset()
    if not missing:
        settle_chunk(part, chunk, wait=False)


def settle_chunk(part: Part, chunk: Index, *, wait: bool) -> None:
    """Settle the records of one chunk."""
    if part.storage.read_only or not part.pending(chunk):
        return
    what = "settle." + ".".join(map(str, chunk))
    try:
        with part.leases.hold(what, wait=wait):
            blocks = part.pending(chunk)
            if blocks:
                _settle(part, chunk, blocks)
    except Busy:
        return


def _settle(part: Part, chunk: Index, blocks: list[Index]) -> None:
    before = part.manifest(chunk)
    if before is None:
        before = Manifest(frozenset(), {})
        key = part.chunk_key("status", chunk)
        if part.storage.has(key):  # it is not overwritten: nothing says whose it is
            raise part.damage(key, "the chunk has no manifest")
    arrays = part.read_chunk(chunk, part.grid.arrays)
    write_chunk(part, chunk, before, before.blocks | set(blocks), arrays)
    for block in blocks:
        part.storage.delete(part.record_key(block))


def write_chunk(
    part: Part, chunk: Index, before: Manifest, blocks: frozenset[Index], arrays: Arrays
) -> None:
    """Steps 1 to 3: replace the files of a chunk."""
    part.require_present()
    files = {
        name: codec(part.array_metadata(name)).encode(chunk, arrays[name])
        for name in part.grid.arrays
    }
    new = {name: [digest(content)] for name, content in files.items()}
    both = {name: [*dict.fromkeys([*before.digests.get(name, []), *new[name]])] for name in new}
    part.write_manifest(chunk, Manifest(before.blocks, both))
    keys = {part.chunk_key(name, chunk): content for name, content in files.items()}
    status = {key: keys.pop(key) for key in [part.chunk_key("status", chunk)]}
    part.storage.put_many(keys)
    part.storage.put_many(status)
    part.write_manifest(chunk, Manifest(blocks, new))


def reset_chunk(part: Part, chunk: Index) -> None:
    """Set the blocks of a chunk back to "not computed", save those that have records."""
    part.write_manifest(chunk, Manifest(frozenset(), {}))
    for name in reversed(part.grid.arrays):  # the status first
        part.storage.delete(part.chunk_key(name, chunk))
    part.storage.delete(part.manifest_key(chunk))


def rebuild_manifest(part: Part, chunk: Index) -> bool:
    """Write a lost manifest again from the files of its chunk; whether all of them can be read.

    Each file is then known by Zarr's own checksum alone (CRC-32C), as for every other reader.
    """
    digests, arrays = {}, {}
    for name in part.grid.arrays:
        content = part.storage.get(part.chunk_key(name, chunk))
        if content is None:
            return False
        try:
            arrays[name] = codec(part.array_metadata(name)).decode(chunk, content)
        except (ValueError, RuntimeError, TypeError, KeyError):
            return False
        digests[name] = [digest(content)]
    statuses = arrays["status"]
    if not set(np.unique(statuses).tolist()) <= {int(status) for status in Status}:
        return False
    blocks = frozenset(
        block
        for block in part.grid.blocks_of(chunk)
        if np.all(statuses[part.within(chunk, block)] != Status.NOT_COMPUTED)
    )
    part.write_manifest(chunk, Manifest(blocks, digests))
    return True
