"""Where stored values come from: versions, source hash, commit, machine and time."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("heatcat", "numpy", "scipy", "xarray", "dask", "zarr")
OPTIONAL = ("pypardiso", "qutip")
"""Packages that may take part in a solve."""


def provenance(solver_hash: str) -> dict[str, Any]:
    """Record of the software and machine at work, now.

    Parameters
    ----------
    solver_hash : str
        `catalog.models.contract.Model.source_hash` of the model at work.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "solver_hash": solver_hash,
        "git": git_state(),
        "python": platform.python_version(),
        "host": platform.node(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {
            name: version for name in (*PACKAGES, *OPTIONAL) if (version := _version(name))
        },
    }


@cache
def git_state() -> dict[str, Any] | None:
    """Commit of the source and whether it was changed since; None outside a git checkout."""
    root = Path(__file__).parents[2]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=10
        ).stdout.strip()

    try:
        # An installed copy may lie below an unrelated repository: it must be tracked there.
        git("ls-files", "--error-unmatch", str(Path(__file__).relative_to(root)))
        status = git("status", "--porcelain", "--untracked-files=no")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(status)}
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
