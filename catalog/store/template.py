"""The objects that make a Zarr group of a sweep before it has values: metadata and coordinates."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from catalog.heat_engine.known import known_model
from catalog.models.recorded import RecordedModel, record_of
from catalog.names.vocabulary import OWN, POINT
from catalog.store.location import ROOT
from catalog.store.provenance import provenance
from catalog.store.seal import sealed, unsealed
from catalog.store.storage import Storage
from catalog.sweeps.arrays import array_dtype
from catalog.sweeps.dataset import attributes, labelled
from catalog.sweeps.grid import Grid

COPY = "status/.heatcat-template"
"""Second copy of the template, under a seal: what heatcat itself reads, so that damage to the first
copy, or another program that writes there, never changes what the labels say.  It lies beside the
status chunks, where no reader of Zarr looks."""

FORMAT = 4
"""Version of the arrangement of groups and arrays; what has another is not opened."""

PARTS = "parts"
"""Attribute that names all groups of an extended sweep: the one that changes after the template."""

Objects = dict[str, bytes]


def template(grid: Grid, group: str) -> Objects:
    """Objects by key, the group's own metadata, which makes it a sweep, last.

    Every array is filled with "not computed" and carries a CRC-32C checksum in each chunk, which
    Zarr verifies whenever it reads one.  An array with inner dimensions is whole along them.
    """
    chunks = tuple(grid.chunks[dim] for dim in grid.dims)
    codecs = (ZstdCodec(level=0), Crc32cCodec())
    fills, encoding = {}, {}
    for name in grid.arrays:
        term = grid.term(name)
        # In one lazy piece: a graph of all blocks would take seconds, and is not needed.
        fills[name] = da.full(
            (*grid.shape, *term.inner_shape), term.fill_value, dtype=array_dtype(term), chunks=-1
        )
        encoding[name] = {
            "compressors": codecs,
            "chunks": (*chunks, *term.inner_shape),
            "fill_value": term.fill_value,
        }
    dataset = labelled(grid, fills)
    dataset.attrs = {**attributes(grid), **described(grid), "provenance": _provenance(grid)}
    encoding |= {str(name): {"compressors": codecs} for name in dataset.coords}
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


def described(grid: Grid) -> dict[str, Any]:
    """Attributes that say all of a grid: what was swept, where and by which model."""
    record = json.dumps(record_of(grid.model), ensure_ascii=False)
    return {
        "sweep": json.dumps(grid.definition(), ensure_ascii=False),
        "sweep_key": grid.key,
        "model_record": record,
        "model_key": hashlib.sha256(record.encode()).hexdigest(),
        "store_format": FORMAT,
    }


def grid_of(attributes: Mapping[str, Any]) -> Grid:
    """The grid that the attributes of a group describe; no model is imported.

    Raises
    ------
    ValueError, KeyError, TypeError
        If they are not as they were written.
    """
    record = str(attributes["model_record"])
    if hashlib.sha256(record.encode()).hexdigest() != attributes["model_key"]:
        raise ValueError("the record of the model is damaged")
    grid = Grid.from_definition(json.loads(attributes["sweep"]), known_model(json.loads(record)))
    if grid.key != attributes["sweep_key"]:
        raise ValueError("the definition of the sweep is damaged")
    return grid


def _provenance(grid: Grid) -> str:
    # Results can be copied without their model; its version on this machine is then unknown.
    known = not isinstance(grid.model, RecordedModel)
    return json.dumps(provenance(grid.model.source_hash() if known else ""))


def publish(storage: Storage, grid: Grid, group: str) -> None:
    """Write a template: its sealed copy first, by which every other object is known to be ours."""
    objects = template(grid, group)
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

    Further attributes are the user's: programs that add arrays to a group add some.  The
    description may be an earlier one: a run that changes it may have been killed.
    """
    try:
        now, then = json.loads(found or b""), json.loads(written)
        attributes = _wordless(now.pop("attributes"))
        ours = _wordless(then.pop("attributes"))
        now.pop("consolidated_metadata", None)
        then.pop("consolidated_metadata", None)
        return now == then and all(
            name in attributes and attributes[name] == value for name, value in ours.items()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _wordless(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a group without the description."""
    sweep = json.loads(attributes["sweep"])
    return {
        **{name: value for name, value in attributes.items() if name != "description"},
        "sweep": {name: value for name, value in sweep.items() if name != "description"},
    }


def differing(
    storage: Storage, group: str, objects: Objects, grid: Grid
) -> dict[str, bytes | None]:
    """The template's objects that are not as they were written: by key, what is there now.

    Another program may add attributes to the group, and may write a coordinate in its own way as
    long as the labels are the same.
    """
    coordinates = (*grid.axes, *grid.fixed, *grid.points)
    different = {}
    for (key, written), found in zip(objects.items(), storage.get_many(objects), strict=True):
        array = key.removeprefix(f"{group}/").split("/")[0]
        if array == ROOT:
            sound = same_metadata(found, written)
        else:
            sound = found == written or (
                array in coordinates and _same_labels(storage, group, array, grid)
            )
        if not sound:
            different[key] = found
    return different


def _same_labels(storage: Storage, group: str, name: str, grid: Grid) -> bool:
    labels: Any = {**grid.fixed, **grid.axes, **grid.points}[name]
    ours = (OWN[POINT] if name == POINT else grid.term(name)).attributes()
    try:
        array = zarr.open_array(storage.zarr, path=f"{group}/{name}", mode="r")
        found = dict(array.attrs)
        said = all(found.get(key) == value for key, value in ours.items())
        dims = tuple(array.metadata.dimension_names or ())  # type: ignore[union-attr]
        expected = {**dict.fromkeys(grid.axes, (name,)), **dict.fromkeys(grid.points, (POINT,))}
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
