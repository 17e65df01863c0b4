"""Where stored values come from: versions, source hash, machine and time."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import ensemble

PACKAGES = ("heatcat", "numpy", "scipy", "xarray", "dask", "zarr")


@cache
def solver_hash() -> str:
    """SHA-256 over the source of ``ensemble``: equal hashes mean the same solver."""
    digest = hashlib.sha256()
    folder = Path(ensemble.__file__).parent
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def provenance() -> dict[str, Any]:
    """Record of the software and machine that begin a sweep."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "solver_hash": solver_hash(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }
