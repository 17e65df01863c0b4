"""The objects that make a Zarr group of a sweep before it has values: metadata and coordinates."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from catalog.names.labels import POINT
from catalog.names.vocabulary import VOCABULARY
from catalog.store.chunks import chunk_shape
from catalog.store.location import ROOT, Storage
from catalog.store.provenance import provenance
from catalog.store.seal import sealed, unsealed
from catalog.sweeps.arrays import array_dtype
from catalog.sweeps.dataset import attributes, labelled
from catalog.sweeps.sweep import Sweep

COPY = "status/.heatcat-template"
"""Second copy of the template, under a seal: what heatcat itself reads, so that damage to the first
copy, or another program that writes there, never changes what the labels say.  It lies beside the
status chunks, where no reader of Zarr looks."""

FORMAT = 3
"""Version of the arrangement of groups and arrays; what has another is not opened."""

PARTS = "parts"
"""Attribute that names all groups of an extended sweep: the one that changes after the template."""

Objects = dict[str, bytes]


def template(sweep: Sweep, group: str) -> Objects:
    """Objects by key, the group's own metadata, which makes it a sweep, last.

    Every array is filled with "not computed" and carries a CRC-32C checksum in each chunk, which
    Zarr verifies whenever it reads one.
    """
    chunks = tuple(chunk_shape(sweep)[dim] for dim in sweep.dims)
    codecs = (ZstdCodec(level=0), Crc32cCodec())
    fills = {  # in one lazy piece: a graph of all blocks would take seconds, and is not needed
        name: da.full(sweep.shape, VOCABULARY[name].fill, dtype=array_dtype(name), chunks=-1)
        for name in sweep.arrays
    }
    dataset = labelled(sweep, fills)
    dataset.attrs = {
        **attributes(sweep),
        "sweep": json.dumps(sweep.definition(), ensure_ascii=False),
        "sweep_key": sweep.key(),
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
    """Write a template: its sealed copy first, by which every other object is known to be ours."""
    objects = template(sweep, group)
    storage.put(f"{group}/{COPY}", pack(group, objects))
    restore(storage, objects)


def restore(storage: Storage, objects: Objects) -> None:
    """Write the objects of a template, the group's own metadata last."""
    group_metadata = list(objects)[-1]
    rest = {key: content for key, content in objects.items() if key != group_metadata}
    storage.put_many(rest)
    storage.put(group_metadata, objects[group_metadata])


def pack(group: str, objects: Mapping[str, bytes]) -> bytes:
    """The objects of a group as one, under a seal."""
    content = {
        "format": FORMAT,
        "group": group,
        "objects": {key: base64.b64encode(value).decode() for key, value in objects.items()},
    }
    return sealed(json.dumps(content).encode())


@dataclass(frozen=True)
class Packed:
    """The sealed copy of a template.

    Attributes
    ----------
    format : int
        `FORMAT` of the version that wrote it.
    group : str
        The group that it was written for.
    objects : dict of str to bytes
        The template's objects by key.
    """

    format: int
    group: str
    objects: Objects

    @property
    def metadata(self) -> dict[str, Any]:
        """The group's own metadata."""
        return json.loads(self.objects[f"{self.group}/{ROOT}"])


def unpack(packed: bytes | None) -> Packed | None:
    """The copy, None if there is none or it is not as it was sealed."""
    content = unsealed(packed)
    if content is None:
        return None
    try:
        found = json.loads(content)
        objects = {key: base64.b64decode(value) for key, value in found["objects"].items()}
        return Packed(found["format"], found["group"], objects)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def same_metadata(found: bytes | None, written: bytes) -> bool:
    """Whether a group's metadata still says all that was written.

    Further attributes are the user's: programs that add arrays to a group add some.
    """
    try:
        now, then = json.loads(found or b""), json.loads(written)
        attributes = now.pop("attributes")
        ours = then.pop("attributes")
        now.pop("consolidated_metadata", None)
        then.pop("consolidated_metadata", None)
        return now == then and all(
            name in attributes and attributes[name] == value for name, value in ours.items()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def differing(
    storage: Storage, group: str, objects: Objects, sweep: Sweep
) -> dict[str, bytes | None]:
    """The template's objects that are not as they were written: by key, what is there now.

    Another program may add attributes to the group, and may write a coordinate in its own way as
    long as the labels are the same.
    """
    coordinates = (*sweep.axes, *sweep.fixed, *sweep.points)
    different = {}
    for (key, written), found in zip(objects.items(), storage.get_many(objects), strict=True):
        array = key.removeprefix(f"{group}/").split("/")[0]
        if array == ROOT:
            sound = same_metadata(found, written)
        else:
            sound = found == written or (
                array in coordinates and _same_labels(storage, group, array, sweep)
            )
        if not sound:
            different[key] = found
    return different


def _same_labels(storage: Storage, group: str, name: str, sweep: Sweep) -> bool:
    labels: Any = {**sweep.fixed, **sweep.axes, **sweep.points}[name]
    ours = VOCABULARY[name].attributes(sweep.energy_unit)
    try:
        array = zarr.open_array(storage.zarr, path=f"{group}/{name}", mode="r")
        found = dict(array.attrs)
        said = all(found.get(key) == value for key, value in ours.items())
        dims = tuple(array.metadata.dimension_names or ())  # type: ignore[union-attr]
        expected = {**dict.fromkeys(sweep.axes, (name,)), **dict.fromkeys(sweep.points, (POINT,))}
        same = np.array_equal(np.asarray(array[...], dtype=float), np.asarray(labels, dtype=float))
        return bool(same) and said and dims == expected.get(name, ())
    except (ValueError, RuntimeError, TypeError, KeyError, OSError):
        return False


def merged_metadata(found: bytes | None, written: bytes, parts: str | None = None) -> bytes:
    """A group's metadata as it was written, with the further attributes that are found.

    Parameters
    ----------
    parts : str, optional
        The attribute `PARTS`; without it, none of that name is kept.
    """
    metadata = json.loads(written)
    try:
        further = dict(json.loads(found or b"")["attributes"])
    except (ValueError, KeyError, TypeError, RecursionError):
        further = {}
    further.pop(PARTS, None)
    metadata["attributes"] = {**further, **metadata["attributes"]}
    if parts is not None:
        metadata["attributes"][PARTS] = parts
    return json.dumps(metadata).encode()
