"""Where stored values come from: versions, source hash, commit, machine and time."""

from __future__ import annotations

import hashlib
import io
import platform
import subprocess
import tokenize
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import ensemble

PACKAGES = ("heatcat", "numpy", "scipy", "xarray", "dask", "zarr")
OPTIONAL = ("pypardiso", "qutip")
"""Packages that may take part in a solve."""


@cache
def solver_hash() -> str:
    """SHA-256 over the code of ``ensemble``, without comments and docstrings.

    Equal hashes mean the same solver.
    """
    digest = hashlib.sha256()
    folder = Path(ensemble.__file__).parent
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder).as_posix()
        code = _code(source.read_text(encoding="utf-8"))
        digest.update(name.encode() + b"\0" + code.encode() + b"\0")
    return digest.hexdigest()


def _code(source: str) -> str:
    """The tokens without comments, blank lines and texts that stand alone (docstrings)."""
    kept: list[str] = []
    at_start = True  # of a statement
    # Tokens, not a syntax tree: in Python 3.11, threads must not parse at the same time.
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        if not (at_start and token.type == tokenize.STRING):
            kept.append(f"{token.type} {token.string}" if token.string.strip() else f"{token.type}")
        at_start = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return "\n".join(kept)


def provenance() -> dict[str, Any]:
    """Record of the software and machine at work, now."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "solver_hash": solver_hash(),
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
    folder = Path(ensemble.__file__).parent.parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=10
        ).stdout.strip()

    try:
        # An installed copy may lie below an unrelated repository: it must be tracked there.
        git("ls-files", "--error-unmatch", "ensemble/__init__.py")
        status = git("status", "--porcelain", "--untracked-files=no")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(status)}
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
