"""The objects that make a Zarr group of a sweep before it has values: metadata and coordinates."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

import dask.array as da
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from catalog.blocks import array_dtype
from catalog.dataset import attributes, labelled
from catalog.provenance import provenance
from catalog.storage import ROOT, Storage
from catalog.sweep import Sweep
from catalog.vocabulary import VOCABULARY

COPY = "status/.heatcat-template"
"""Second copy of the template, to tell and mend damage; beside the status chunks, where no reader
of Zarr looks."""

FORMAT = 2
"""Version of the arrangement of groups and arrays; what has another is not opened."""

Objects = dict[str, bytes]


def template(sweep: Sweep, group: str) -> Objects:
    """Objects by key, the group's own metadata, which makes it a sweep, last.

    Every array is filled with "not computed" and carries a CRC-32C checksum in each chunk, which
    Zarr verifies whenever it reads one.
    """
    chunks = tuple(sweep.blocks[dim] for dim in sweep.dims)
    codecs = (ZstdCodec(level=0), Crc32cCodec())
    fills = {  # in one lazy piece: a graph of all blocks would take seconds, and is not needed
        name: da.full(sweep.shape, VOCABULARY[name].fill, dtype=array_dtype(name), chunks=-1)
        for name in sweep.arrays
    }
    dataset = labelled(sweep, fills)
    dataset.attrs = {
        **attributes(sweep),
        "store_format": FORMAT,
        "provenance": json.dumps(provenance()),
    }
    encoding: dict[str, dict] = {str(name): {"compressors": codecs} for name in dataset.coords}
    for name in sweep.arrays:
        fill = VOCABULARY[name].fill
        encoding[name] = {"compressors": codecs, "chunks": chunks, "fill_value": fill}
    memory: dict = {}
    dataset.to_zarr(
        MemoryStore(memory),
        group=group,
        mode="w",
        compute=False,
        consolidated=False,
        zarr_format=3,
        encoding=encoding,
        safe_chunks=False,  # no value is written here
    )
    objects = {
        key: value.to_bytes() for key, value in memory.items() if key.startswith(f"{group}/")
    }
    last = objects.pop(f"{group}/{ROOT}")
    return {**objects, f"{group}/{ROOT}": last}


def publish(storage: Storage, sweep: Sweep, group: str) -> None:
    """Write a template; until its last object is there, the group is not a sweep."""
    objects = template(sweep, group)
    storage.put(f"{group}/{COPY}", pack(objects))
    for key, content in objects.items():
        storage.put(key, content)


def pack(objects: Mapping[str, bytes]) -> bytes:
    """Objects as one, with its checksum."""
    content = json.dumps(
        {key: base64.b64encode(value).decode() for key, value in objects.items()}
    ).encode()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def unpack(packed: bytes | None) -> Objects | None:
    """The objects, None if there are none or they are damaged."""
    digest, _, content = (packed or b"").partition(b"\n")
    if not content or hashlib.sha256(content).hexdigest().encode() != digest:
        return None
    return {key: base64.b64decode(value) for key, value in json.loads(content).items()}
