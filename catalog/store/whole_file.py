"""Files that appear under their name only once they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.store.durable import TORN
from ensemble import InvalidInput


@contextmanager
def whole_file(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary name beside the target that becomes the target once all is written."""
    require_free(target, overwrite=overwrite)
    if not target.parent.is_dir():
        raise InvalidInput(f"there is no folder {target.parent}: make it first")
    temporary = target.with_name(f".{target.name}.{os.getpid()}{TORN}")
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        require_free(target, overwrite=overwrite)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def require_free(target: Path, *, overwrite: bool) -> None:
    if target.is_dir():
        raise InvalidInput(f"{target} is a folder: give the name of a file")
    if target.exists() and not overwrite:
        raise InvalidInput(f"{target} is there already: choose another name or overwrite it")
