"""A sweep's group in a Zarr v3 store.  A block is one chunk of every array: one task writes it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.errors import ContainsArrayError, GroupNotFoundError

from catalog.blocks import Arrays, array_dtype, solve_block
from catalog.dataset import attributes, labelled
from catalog.provenance import provenance, solver_hash
from catalog.sweep import Index, Sweep
from catalog.vocabulary import VOCABULARY
from ensemble import InvalidInput, Status

STARTED = "heatcat_template_started"
"""Marks a group whose template is being written; it holds no results yet."""
TORN = ".partial"
"""Ending of a file that Zarr has begun to write: it renames files once they are whole."""


@dataclass(frozen=True)
class SweepStore:
    """The stored side of a sweep: which blocks are there, and reading and writing them.

    It is small and picklable: tasks carry it, and each process opens the arrays once.

    Parameters
    ----------
    location : str
        Directory of the Zarr store.
    sweep : Sweep
    """

    location: str
    sweep: Sweep

    def has(self, index: Index) -> bool:
        """Whether a block is complete: its status is written last, and all at once."""
        status = self._array("status")[self.sweep.block_slices(index)]
        return bool(np.all(status != Status.NOT_COMPUTED))

    def read(self, index: Index) -> Arrays:
        """All arrays of a stored block."""
        part = self.sweep.block_slices(index)
        return {name: np.asarray(self._array(name)[part]) for name in self.sweep.arrays}

    def write(self, index: Index, arrays: Arrays) -> None:
        """Store a block: values first, status last, so that a torn write is "not computed"."""
        part = self.sweep.block_slices(index)
        shape = tuple(piece.stop - piece.start for piece in part)
        for name in self.sweep.arrays:  # status comes last
            assert arrays[name].shape == shape, f"{name} does not cover block {index}"
            self._array(name)[part] = arrays[name]

    def read_or_solve(self, index: Index) -> Arrays:
        """The arrays of a block: read if it is stored, else solved and stored."""
        if self.has(index):
            return self.read(index)
        arrays = solve_block(self.sweep, index)
        self.write(index, arrays)
        return arrays

    def statuses(self) -> NDArray[np.uint8]:
        """Status of every point, shape ``sweep.shape``."""
        return np.asarray(self._array("status")[...])

    def counts(self) -> dict[str, int]:
        """Number of points in each status, by label."""
        found = Counter(self.statuses().ravel().tolist())
        return {status.label: found[int(status)] for status in Status}

    def missing(self) -> list[Index]:
        """Indices of the blocks that are not complete."""
        statuses = self.statuses()
        return [
            index
            for index in self.sweep.block_indices()
            if np.any(statuses[self.sweep.block_slices(index)] == Status.NOT_COMPUTED)
        ]

    def wall_times(self) -> NDArray[np.float64]:
        """Solve time of every point, NaN where not computed, shape ``sweep.shape``."""
        return np.asarray(self._array("wall_time")[...])

    @property
    def record(self) -> dict[str, Any]:
        """Provenance of the sweep's first run."""
        group = zarr.open_group(self.location, path=self.sweep.name, mode="r")
        return json.loads(str(group.attrs["provenance"]))

    @property
    def solver_changed(self) -> bool:
        """Whether the stored values were begun with another version of the solver's source."""
        return self.record["solver_hash"] != solver_hash()

    def _array(self, name: str) -> zarr.Array:
        return _array(self.location, self.sweep.name, self.sweep.key(), name)


def create_or_open(location: str | Path, sweep: Sweep) -> SweepStore:
    """The store of a sweep, its template written if it is not there yet.

    Raises
    ------
    InvalidInput
        If the location is not a Zarr store, or holds another sweep under that name; nothing is
        overwritten.
    """
    location = _absolute(location)
    root = _open_root(location, mode="a")
    if sweep.name in root:
        group = root[sweep.name]
        if STARTED in group.attrs:
            # A run died while it wrote the template, before any block: begin again.
            _delete_template(root, sweep.name)
            _write_template(location, sweep)
        elif "sweep_key" not in group.attrs:
            raise InvalidInput(
                f"{location} has a group {sweep.name!r} that is not a sweep: choose another name "
                "or store"
            )
        else:
            _require_same(location, sweep, json.loads(str(group.attrs["sweep"])))
    else:
        _write_template(location, sweep)
    return SweepStore(location, sweep)


def find_stored(location: str | Path, sweep: Sweep) -> SweepStore | None:
    """The store of a sweep if it has been begun, else None; writes nothing.

    Raises
    ------
    InvalidInput
        If the location is not a Zarr store, or holds another sweep under that name.
    """
    location = _absolute(location)
    if not Path(location).exists():
        return None
    root = _open_root(location, mode="r")
    if sweep.name not in root or "sweep_key" not in root[sweep.name].attrs:
        return None
    _require_same(location, sweep, json.loads(str(root[sweep.name].attrs["sweep"])))
    return SweepStore(location, sweep)


def open_stores(location: str | Path) -> dict[str, SweepStore]:
    """All sweeps of a store, by name.

    Raises
    ------
    InvalidInput
        If there is no store, or no sweep in it.
    """
    location = _absolute(location)
    root = _open_root(location, mode="r")
    stores = {
        name: SweepStore(location, Sweep.from_definition(json.loads(str(group.attrs["sweep"]))))
        for name, group in sorted(root.groups())
        if "sweep_key" in group.attrs
    }
    if not stores:
        raise InvalidInput(f"{location} holds no sweep: fill it with heatcat run SWEEP --store …")
    return stores


def _absolute(location: str | Path) -> str:
    """Workers run in other directories: a relative path must not travel to them."""
    if "://" in str(location):
        raise InvalidInput(f"cannot store at {location}: give a directory that every worker sees")
    return str(Path(location).expanduser().absolute())


def _open_root(location: str, *, mode: str) -> zarr.Group:
    path = Path(location)
    if mode == "r" and not path.exists():
        raise InvalidInput(f"there is no store at {location}: check the path")
    if path.exists() and not (path / "zarr.json").exists():
        if not path.is_dir():
            raise InvalidInput(f"{location} is a file, not a store: give a directory")
        if mode == "r" or any(item.suffix != TORN for item in path.iterdir()):
            raise InvalidInput(f"{location} is not a Zarr v3 store: give another directory")
        _delete_torn(path)
    try:
        return zarr.open_group(location, mode=mode, zarr_format=3)  # type: ignore[arg-type]
    except (GroupNotFoundError, ContainsArrayError):
        raise InvalidInput(
            f"{location} is not a Zarr v3 group of sweeps: give another directory"
        ) from None
    except OSError as failure:
        raise InvalidInput(
            f"cannot open the store {location}: {failure.strerror or failure}"
        ) from None


def _require_same(location: str, sweep: Sweep, stored: dict[str, Any]) -> None:
    asked = json.loads(json.dumps(sweep.definition()))
    different = [field for field in asked if asked[field] != stored.get(field)]
    if different:
        raise InvalidInput(
            f"{location} holds a different sweep named {sweep.name!r} ({', '.join(different)} "
            "differ): rename the sweep or choose another store"
        )


def _write_template(location: str, sweep: Sweep) -> None:
    """Write metadata and coordinates, every array filled with "not computed".

    The group is marked while it grows, and its attributes, written in one piece at the end, make
    it a sweep.
    """
    _delete_torn(Path(location) / sweep.name)
    root = zarr.open_group(location, mode="a", zarr_format=3)
    root.create_group(sweep.name, attributes={STARTED: True})
    chunks = tuple(sweep.blocks[dim] for dim in sweep.dims)
    fills = {
        name: da.full(sweep.shape, VOCABULARY[name].fill, dtype=array_dtype(name), chunks=chunks)
        for name in sweep.arrays
    }
    encoding = {
        name: {"chunks": chunks, "fill_value": VOCABULARY[name].fill} for name in sweep.arrays
    }
    template = labelled(sweep, fills)
    template.attrs = {STARTED: True}  # xarray replaces the attributes of the group
    template.to_zarr(
        location,
        group=sweep.name,
        mode="a",
        compute=False,
        consolidated=False,
        zarr_format=3,
        encoding=encoding,
        safe_chunks=False,  # no value is written here
    )
    group = zarr.open_group(location, path=sweep.name, mode="r+")
    group.attrs.put({**attributes(sweep), "provenance": json.dumps(provenance())})


def _delete_template(root: zarr.Group, name: str) -> None:
    """Delete an unfinished template, its mark last: this may be killed and repeated, too."""
    group = root[name]
    assert isinstance(group, zarr.Group)
    for member in VOCABULARY:
        if member in group:
            del group[member]
    del root[name]


def _delete_torn(folder: Path) -> None:
    """Delete what a killed run was writing into this folder itself; Zarr warns of such files."""
    for torn in folder.glob("*" + TORN):
        torn.unlink()


@cache
def _array(location: str, group: str, key: str, name: str) -> zarr.Array:
    """An array opened once per process; the sweep's key guards against a store made anew."""
    array = zarr.open_group(location, path=group, mode="r+")[name]
    assert isinstance(array, zarr.Array)
    return array


def open_stored(location: str | Path, name: str) -> xr.Dataset:
    """The stored Dataset as it is, computing nothing: what ``xarray.open_zarr`` gives."""
    return xr.open_zarr(str(location), group=name, consolidated=False)
