"""Small sweeps, and what the tests ask of a store without going through the code under test."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from catalog.store.load import load
from catalog.store.storage import storage
from catalog.sweeps.grid import Index
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

FIXED = {"omega_0": 1.0, "E_1": 100.0, "delta_T": 100.0, "Gamma_0": 1.0}
AXES = {"N": [1, 2], "delta_E": [50.0, 125.0, 250.0], "T_mean": [60.0, 100.0]}
"""Engines, and at ΔE = 250, T̄ = 100 a refrigerator: efficiency and COP both have NaNs."""

NOBODY = 65534


def tiny_sweep(**changes: Any) -> Sweep:
    """Sweep of 12 points in 8 blocks, of 2 × 1 and 1 × 1 points at each N."""
    arguments: dict[str, Any] = {
        "name": "tiny",
        "axes": AXES,
        "fixed": FIXED,
        "blocks": {"delta_E": 2, "T_mean": 1},
        "energy_unit": "omega_0",
    }
    return Sweep(**{**arguments, **changes})


@contextmanager
def refused(pattern: str) -> Iterator[None]:
    """Expect InvalidInput: one line that ends in the remedy, with which ``pattern`` must end."""
    with pytest.raises(InvalidInput, match=rf"{pattern}$") as caught:
        yield
    assert "\n" not in str(caught.value)


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Be an ordinary user, whom permissions bind; root becomes nobody, who may enter the folder.

    Call what is tested once before: nobody may not be able to read what Python imports late.
    """
    if os.geteuid() != 0:
        yield
        return
    modes = {path: path.stat().st_mode & 0o7777 for path in (folder, *folder.parents)}
    closed = {path: mode for path, mode in modes.items() if mode & 0o011 != 0o011}
    for path, mode in closed.items():
        path.chmod(mode | 0o011)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        for path, mode in closed.items():
            path.chmod(mode)


def stored_values(location: str | Path, name: str = "tiny") -> dict[str, Any]:
    """All stored arrays but timings and runs, to the last bit: NaN payloads, signs of zero too."""
    with xr.open_zarr(str(location), group=name, consolidated=False) as stored:
        names = set(stored) - {"wall_time", "run"}
        return {str(array): exact(stored[array].values) for array in sorted(names, key=str)}


def exact(values: np.ndarray) -> Any:
    """Bytes of numbers; text has no fixed layout and is compared as a list."""
    return values.tolist() if values.dtype.kind in "OTU" else values.tobytes()


def finished_blocks(location: str | Path, name: str = "tiny") -> set[Index]:
    """Blocks that are finished, by the files there: polling does not disturb a run.

    A block lies in a record of its own, or a manifest says that it lies in a chunk.
    """
    folder = Path(location) / name / "status"
    found: set[Index] = set()
    for path in folder.glob(".heatcat-blocks/*/*"):  # before the manifests: records move there
        if re.fullmatch(r"[0-9.]+", path.name) and path.is_file():
            found.add(tuple(map(int, path.name.split("."))))
    for path in folder.glob(".heatcat-chunks/*"):
        if not path.name.endswith(".partial"):
            _, _, content = path.read_bytes().partition(b"\n")
            found |= {tuple(block) for block in json.loads(content)["blocks"]}
    return found


def block_content(location: str | Path, index: Index, name: str = "tiny") -> dict[str, Any]:
    """All arrays of a finished block, to the last bit: the times that its points took, too.

    Solving it again would change these.  Empty if the block is not finished.
    """
    place = storage(str(location))
    stored = load(place, name.partition("~")[0])
    if stored is None or index not in finished_blocks(location, name):
        return {}
    part = next(part for part in stored.parts if part.group == name)
    return {array: exact(v) for array, v in part.read(index, part.grid.arrays).items()}


def pending_blocks(location: str | Path, name: str = "tiny") -> set[Index]:
    """Blocks that lie in records of their own."""
    found = (Path(location) / name / "status" / ".heatcat-blocks").glob("*/*")
    return {tuple(map(int, path.name.split("."))) for path in found}
