"""Schedulers and workers in processes of their own, to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
ALLOWED_FAILURES = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"
"""After how many dead workers dask blames the block: here it is always the test that kills."""


@dataclass
class Cluster:
    """A scheduler, and the workers that a test starts; all die with it."""

    folder: Path
    scheduler: subprocess.Popen
    workers: list[subprocess.Popen] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def start_worker(self, *options: str, root: Path = ROOT) -> subprocess.Popen:
        """A worker whose heatcat is the one in a folder."""
        worker = dask("worker", self.folder, self.file, "--no-nanny", *options, root=root)
        self.workers.append(worker)
        return worker


@contextmanager
def cluster(folder: Path, *, workers: int = 0, options: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """A scheduler with so many workers of one thread, and what a test starts besides."""
    file = folder / "scheduler.json"
    process = dask("scheduler", folder, file, "--host", "127.0.0.1", "--port", "0", *options)
    started = Cluster(folder, process)
    try:
        for _ in range(workers):
            started.start_worker("--nthreads", "1")
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler")
        yield started
    finally:
        for killed in (process, *started.workers):
            killed.kill()
            killed.wait()


def dask(
    command: str, folder: Path, file: Path, *options: str, root: Path = ROOT
) -> subprocess.Popen:
    shared = ["--no-dashboard", "--scheduler-file", str(file)]
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{command}", *options, *shared],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), ALLOWED_FAILURES: "100"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def heatcat(*arguments: str | Path, **options: Any) -> subprocess.Popen:
    """The command line in a process group of its own, as in a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "heatcat", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def wait_for(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not there after {patience} s"
        time.sleep(0.02)


def kill_9(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
