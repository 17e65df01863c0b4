"""kill -9 of the command ``heatcat run``: finished blocks stay as they are, the rest is the same.

The moments are drawn around what is seen on disk: in the template, or so many finished blocks
later and up to one block's time after that.  `test_store` tries every write; this tries the real
thing, processes and all.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from catalog import find_sweep, run
from catalog.sweeps.grid import Index
from tests.catalog.support import block_content, finished_blocks, stored_values

pytestmark = pytest.mark.kills

SWEEP = """
[sweep]
name = "killed"
energy_unit = "omega_0"
variables = ["power", "constancy", "efficiency", "cop", "concurrence"]

[axes]
N = [1, 2, 3, 4]
delta_E = [25, 50, 75, 100, 125, 250]
T_mean = [60, 100]

[fixed]
omega_0 = 1
E_1 = 100
delta_T = 100
Gamma_0 = 1

[blocks]
N = 1
delta_E = 1
T_mean = 1
"""
BLOCKS = 48
BLOCK_SECONDS = 0.02
"""About the time that one block takes, most of it writing."""
PATIENCE = 60.0
"""Seconds after which something that should happen is declared not to."""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "killed.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(file, tmp_path_factory) -> dict[str, Any]:
    """Values of a run that nothing interrupts."""
    location = tmp_path_factory.mktemp("uninterrupted")
    assert run(find_sweep(str(file)), location, scheduler="synchronous")["ok"] == BLOCKS
    return stored_values(location, "killed")


@dataclass
class Victim:
    """A store whose run is killed again and again, and what was seen of it."""

    file: Path
    location: Path
    kills: int = 0
    seen: dict[Index, dict[str, Any]] = field(default_factory=dict)

    def start(self, workers: int, **options: Any) -> subprocess.Popen:
        command = [sys.executable, "-m", "heatcat", "run", str(self.file)]
        return subprocess.Popen(
            [*command, "--store", str(self.location), "--workers", str(workers)], **options
        )

    def kill_when(self, moment: Callable[[], bool], delay: float, *, workers: int) -> bool:
        """Run, kill -9 at a moment; whether it was still running."""
        process = self.start(workers, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and not moment():
            assert time.monotonic() < deadline, "the moment did not come"
            time.sleep(0.001)
        time.sleep(delay)
        helpers = children_of(process.pid)
        process.kill()
        killed = process.wait() == -9
        self.look()
        self.kills += killed
        # Shown if the test fails:
        print(
            f"kill {self.kills}, {delay:.3f} s late: {len(self.seen)} of {BLOCKS} blocks finished"
        )
        wait_until_gone(helpers)
        return killed

    def finish(self, workers: int) -> None:
        process = self.start(workers, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        assert f"{BLOCKS} ok" in out
        stored = re.search(r"(\d+) points stored", err)
        assert stored is not None
        assert int(stored[1]) >= len(self.seen)
        self.look()
        assert len(self.seen) == BLOCKS

    def look(self) -> None:
        """Note the finished blocks; those that were noted before must be the same files."""
        for index, files in self.seen.items():
            now = block_content(self.location, index, "killed")
            assert now.keys() == files.keys(), f"block {index} lost a file"
            assert now == files, f"finished block {index} was written again"
        for index in finished_blocks(self.location, "killed"):
            self.seen.setdefault(index, block_content(self.location, index, "killed"))


def children_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Workers notice that their parent died; a zombie that nobody reaps is dead enough."""

    def alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + 10
    while left := [process for process in processes if alive(process)]:
        assert time.monotonic() < deadline, f"orphans after 10 s: {left}"
        time.sleep(0.02)


def draw_moment(victim: Victim, rng: random.Random) -> tuple[Callable[[], bool], float]:
    """In the template, or some blocks from now."""
    if not (victim.location / "killed" / "zarr.json").exists():
        return (victim.location / "zarr.json").exists, rng.uniform(0, 0.15)
    more = len(victim.seen) + rng.randint(0, BLOCKS // 3)
    return (
        lambda: len(finished_blocks(victim.location, "killed")) >= min(more, BLOCKS - 1),
        rng.uniform(0, BLOCK_SECONDS),
    )


def kill_and_finish(
    victim: Victim, *, kills: int, workers: int, finishing: int, rng: random.Random
) -> None:
    """Kill so many times, unless it completes before; then let it finish."""
    for _ in range(kills):
        if not victim.kill_when(*draw_moment(victim, rng), workers=workers):
            break
    victim.finish(finishing)


def test_one_process_killed_three_times(file, expected, tmp_path):
    victim = Victim(file, tmp_path / "store")
    kill_and_finish(victim, kills=3, workers=1, finishing=1, rng=random.Random(20))
    assert victim.kills == 3
    assert stored_values(victim.location, "killed") == expected


def test_a_cluster_killed_amid_the_blocks(file, expected, tmp_path):
    victim = Victim(file, tmp_path / "store")
    middle = random.Random(21).randint(3, BLOCKS // 2)
    assert victim.kill_when(
        lambda: len(finished_blocks(victim.location, "killed")) >= middle, 0, workers=2
    )
    assert middle <= len(victim.seen) < BLOCKS
    # One process finishes what two began: the number of workers leaves no trace in the values.
    victim.finish(workers=1)
    assert stored_values(victim.location, "killed") == expected


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "kills"), [(1, 20), (2, 10)])
def test_many_kills(workers, kills, file, expected, tmp_path):
    rng = random.Random(1000 * workers + kills)
    done = stores = 0
    while done < kills:
        victim = Victim(file, tmp_path / str(stores))
        kill_and_finish(
            victim,
            kills=min(4, kills - done),
            workers=workers,
            finishing=rng.choice([1, workers]),
            rng=rng,
        )
        assert stored_values(victim.location, "killed") == expected
        done += victim.kills
        stores += 1
    print(f"{done} kills of {workers} worker(s) on {stores} stores of {BLOCKS} blocks")
