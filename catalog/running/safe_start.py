"""Start a scheduler and workers safely: other users and Ctrl-C cannot interfere."""

from __future__ import annotations

import copy
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask

SAFE = {
    "distributed.scheduler.http.routes": [],  # no page in a browser
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,  # no pickled data in files
    "distributed.worker.memory.spill": False,
}
"""dask's settings of the clusters that are started here."""
KEPT_MEMORY = {
    f"distributed.nanny.pre-spawn-environ.{name}": size
    for name, size in (("MALLOC_TRIM_THRESHOLD_", 128 * 2**20), ("MALLOC_MMAP_THRESHOLD_", 2**25))
}
"""Bytes of freed memory that a worker keeps, and of an array that it asks the system for anew.

By dask's default a worker returns all that exceeds 64 KiB: arrays of a megabyte, made and freed
thousands of times, then cost a third of the time.
"""


@contextmanager
def safe_settings() -> Iterator[dict[str, Any]]:
    """Settings with which a scheduler and its workers are started; a copy of them for workers.

    dask puts its scratch directory, by default one of a fixed name that any user can create first,
    at the head of Python's search path: it must be private.
    """
    settings = {**SAFE, **KEPT_MEMORY, "temporary-directory": str(private_directory())}
    with dask.config.set(settings):
        yield copy.deepcopy(dask.config.config)


def private_directory() -> Path:
    """A directory for temporary files that only this user can enter.

    It is the same for all runs, so that dask finds and deletes there what a killed run has left.
    """
    base = Path(dask.config.get("temporary-directory", None) or tempfile.gettempdir())
    if not hasattr(os, "getuid"):  # Windows, where each user has a temporary directory
        return base
    path = base / f"heatcat-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="heatcat-"))
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return path
    return Path(tempfile.mkdtemp(prefix="heatcat-", dir=base))  # another user has made it first


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Delay Ctrl-C while processes start: a half-started cluster cannot be stopped in good order.

    Threads and processes that are started meanwhile never see it, though the terminal sends it to
    them all: the driver gets it at the end, and stops them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which sends Ctrl-C in another way
        yield
        return
    resource_tracker.ensure_running()  # started first, since its start unblocks signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
