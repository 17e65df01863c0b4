"""A disk that is really full: the run stops in one line, finished blocks stay, the rest follows.

A small tmpfs is mounted where the machine lets us (as root).  Elsewhere the operating system
refuses to write in another way, which needs no privilege: files may not grow beyond a limit.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import catalog
from catalog import Sweep, check, find_sweep, run
from tests.catalog.processes import ROOT
from tests.catalog.support import block_content, finished_blocks, stored_values

pytestmark = pytest.mark.kills

SWEEP = """
[sweep]
name = "full"
energy_unit = "omega_0"
variables = ["power", "efficiency"]

[axes]
N = [1, 2]
delta_E = {start = 20, stop = 300, num = 30}
T_mean = {start = 60, stop = 300, num = 20}

[fixed]
omega_0 = 1
E_1 = 100
delta_T = 100
Gamma_0 = 1

[blocks]
N = 1
delta_E = 28
T_mean = 20
"""
"""Two blocks of 560 points, whose chunks of floats have over 4 KiB, and two of 40."""
SIZE, BLOCKS = 1200, 4
SMALL_BLOCKS = {(0, 1, 0), (1, 1, 0)}
LIMIT = 4000
"""Bytes: a chunk of the large blocks is larger, and a lease, or a record of a run, smaller."""
PAGE = 4096


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "full.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def sweep(file) -> Sweep:
    return find_sweep(str(file))


@pytest.fixture(scope="module")
def expected(sweep, tmp_path_factory) -> dict[str, Any]:
    location = tmp_path_factory.mktemp("roomy")
    assert run(sweep, location, scheduler="synchronous")["ok"] == SIZE
    return stored_values(location, "full")


class Tmpfs:
    """A file system in memory, of a size that can be changed while it is in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, room: int | None) -> None:
        """Leave room for so many bytes more; None: for all that may come."""
        there = os.statvfs(self.folder)
        used = (there.f_blocks - there.f_bfree) * there.f_frsize
        size = 1 << 26 if room is None else used + room
        mount("-o", f"remount,size={size}", self.folder)

    def limits(self) -> None:
        """Nothing beyond the size of the disk."""


class FileSizes:
    """A limit on the size of each file, which processes are started with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.limit: int | None = None

    def resize(self, room: int | None) -> None:
        self.limit = None if room is None else min(room, LIMIT)

    def limits(self) -> None:
        if self.limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))


Disk = Tmpfs | FileSizes


def mount(*arguments: str | Path, command: str = "mount") -> None:
    subprocess.run([command, *map(str, arguments)], check=True, capture_output=True)


@contextmanager
def small_disk(folder: Path, kind: str) -> Iterator[Disk]:
    folder.mkdir()
    try:
        if kind != "tmpfs":
            raise PermissionError
        mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError):
        yield FileSizes(folder)
        return
    try:
        yield Tmpfs(folder)
    finally:
        mount("-l", folder, command="umount")


@pytest.fixture(params=["tmpfs", pytest.param("file sizes", marks=pytest.mark.slow)])
def disk(request, tmp_path) -> Iterator[Disk]:
    """A disk without room: tmpfs, or file sizes where that may not be mounted."""
    with small_disk(tmp_path / "disk", request.param) as small:
        print(f"disk: {type(small).__name__}")
        yield small


def heatcat_run(file: Path, disk: Disk, *, workers: int = 1) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "heatcat", "run", str(file),
         "--store", str(disk.folder / "store"), "--workers", str(workers)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=disk.limits,
    )  # fmt: skip


def assert_one_line(failed: subprocess.CompletedProcess, code: int) -> None:
    """The cause and what to do, in the last line, and but one other: what it was about to do."""
    assert failed.returncode == code, failed.stderr
    assert code in (1, 2)
    *head, line = failed.stderr.splitlines()
    assert len(head) <= 1, failed.stderr
    assert all(text.startswith("full: ") for text in head)
    assert line.startswith("heatcat: ")
    assert "No space left on device" in line or "File too large" in line
    assert "space" in line or "remove the cause and run the same command again" in line
    assert failed.stdout == ""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_disk_that_fills_amid_the_blocks(workers, disk, file, sweep, expected):
    store = disk.folder / "store"
    catalog.dataset(sweep, store).power.isel(delta_E=slice(28, None)).compute()
    assert finished_blocks(store, "full") == SMALL_BLOCKS
    kept = {index: block_content(store, index, "full") for index in finished_blocks(store, "full")}
    disk.resize(10 * PAGE)  # a lease, a record, some chunks: not all of a block's
    for attempt in range(2):  # and repeating it harms nothing
        failed = heatcat_run(file, disk, workers=workers)
        # Later there may be no room for the record of the run, either.
        assert_one_line(failed, 1 if attempt == 0 else failed.returncode)
        assert finished_blocks(store, "full") == SMALL_BLOCKS
        assert check(store).sound
        (part,) = catalog.open(store)["full"].parts
        assert part.leases.held() == {}
    disk.resize(None)
    done = heatcat_run(file, disk, workers=workers)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"full: {SIZE} ok  ->")
    assert kept == {index: block_content(store, index, "full") for index in kept}
    assert stored_values(store, "full") == expected
    report = check(store)
    assert report.sound
    assert (report.blocks, report.leavings) == (BLOCKS, 0)  # no half-written file is left


@pytest.mark.parametrize("room", [5, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 20))])
def test_a_disk_that_fills_in_the_template(room, disk, file, sweep, tmp_path):
    """There is room, in pages, for the root of the store, and for more and more of the arrays."""
    disk.resize(room * PAGE)
    assert_one_line(heatcat_run(file, disk), 2)
    disk.resize(None)
    catalog.create_or_open(disk.folder / "store", sweep)
    report = check(disk.folder / "store")
    assert report.sound
    assert (report.blocks, report.unfinished, report.leavings) == (0, BLOCKS, 0)


def test_a_disk_that_fills_in_an_extension(disk, sweep, file, expected):
    small = Sweep(
        name="full", axes={**sweep.axes, "delta_E": sweep.axes["delta_E"][::20]},
        fixed=sweep.fixed, energy_unit="omega_0", variables=sweep.variables,
    )  # fmt: skip
    store = disk.folder / "store"
    run(small, store, scheduler="synchronous")
    kept = {index: block_content(store, index, "full") for index in finished_blocks(store, "full")}
    disk.resize(20 * PAGE)
    failed = heatcat_run(file, disk)
    assert_one_line(failed, failed.returncode)
    assert catalog.open(store)["full"].counts(small)["ok"] == small.size
    assert kept == {index: block_content(store, index, "full") for index in kept}
    disk.resize(None)
    assert run(sweep, store, scheduler="synchronous")["ok"] == SIZE
    assert kept == {index: block_content(store, index, "full") for index in kept}
    stored = catalog.open(store)["full"]
    assert stored.values("power", sweep).tobytes() == expected["power"]
    assert check(store).sound
