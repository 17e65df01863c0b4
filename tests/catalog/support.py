"""Small sweeps, and what the tests ask of a store without going through the code under test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from catalog.sweep import Index, Sweep
from ensemble import InvalidInput

FIXED = {"omega_0": 1.0, "E_1": 100.0, "delta_T": 100.0, "Gamma_0": 1.0}
AXES = {"N": [1, 2], "delta_E": [50.0, 125.0, 250.0], "T_mean": [60.0, 100.0]}
"""Engines, and at ΔE = 250, T̄ = 100 a refrigerator: efficiency and COP both have NaNs."""


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


def stored_values(location: str | Path, name: str = "tiny") -> dict[str, Any]:
    """All stored arrays but timings and runs, to the last bit: NaN payloads, signs of zero too."""
    with xr.open_zarr(str(location), group=name, consolidated=False) as stored:
        names = set(stored) - {"wall_time", "run"}
        return {str(array): exact(stored[array].values) for array in sorted(names, key=str)}


def exact(values: np.ndarray) -> Any:
    """Bytes of numbers; text has no fixed layout and is compared as a list."""
    return values.tolist() if values.dtype.kind in "OTU" else values.tobytes()


def finished_blocks(location: str | Path, name: str = "tiny") -> set[Index]:
    """Blocks whose status is stored, by the files there: polling does not disturb a run."""
    folder = Path(location) / name / "status" / "c"
    return {
        tuple(int(part) for part in path.relative_to(folder).parts)
        for path in folder.rglob("*")
        if re.fullmatch(r"[0-9]+", path.name) and path.is_file()
    }


def block_files(location: str | Path, index: Index, name: str = "tiny") -> dict[str, Any]:
    """Identity, time and content of a block's chunks: any rewriting changes one of them."""
    chunk = "/".join(str(i) for i in index)
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in (Path(location) / name).glob(f"*/c/{chunk}")
    }
