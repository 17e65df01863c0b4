"""On paper: a very large sweep on very many workers, and what breaks first.

    python benchmarks/on_paper.py --points 1e9 --workers 1000 --point-seconds 0.01

Nothing of that size is run.  What a block and a point cost is measured here, at sizes that take a
minute: operations on the store's objects, the driver's memory and time, the tasks that a dask
scheduler hands out a second, files and bytes.  The rest is multiplication, and all of it is linear:
`tests/catalog/test_growth.py` checks that no step grows faster than the number of points.

Each line says what the sweep needs, what there is, and their ratio: above 1 it does not work.  The
largest ratio breaks first.  What there is: ``--driver-memory``; the scheduler's rate, as measured;
3,500 writes and 5,500 reads a second, which Amazon S3 documents for one prefix; the rate of flushed
writes of this disk, as measured, by one process.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster
from point_overhead import operations_per_block
from sweeping.adding import total

import catalog
from catalog.running.plan import bytes_of, files_of, survey
from catalog.store.storage import storage
from catalog.sweeps.cuts import BLOCK_POINTS

S3_WRITES, S3_READS = 3500, 5500
"""Requests a second on one prefix (Amazon S3, Best practices design patterns)."""
WRITES = {"put", "put_many", "create", "create_fleeting", "delete", "delete_fleeting", "names"}
"""Operations that count as writes there: listings, too."""


@dataclass(frozen=True)
class Need:
    """What a sweep needs of something, and what there is of it."""

    what: str
    needed: float
    there: float
    unit: str
    remedy: str

    @property
    def ratio(self) -> float:
        return self.needed / self.there


@dataclass(frozen=True)
class Driver:
    """What the process that drives a run takes for each point of a sweep that has been begun."""

    bytes_a_point: float
    seconds_a_point: float


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=float, default=1e9)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--point-seconds", type=float, default=0.01, help="time of one point")
    parser.add_argument("--block", type=int, default=BLOCK_POINTS, help="points of a block")
    parser.add_argument("--driver-memory", type=float, default=64e9, help="bytes (default: 64e9)")
    parser.add_argument("--measured-points", type=int, default=1_000_000, help="for the driver")
    parser.add_argument("--tasks", type=int, default=3000, help="for the scheduler")
    options = parser.parse_args()
    counts = operations_per_block(16)
    driver = driver_costs(options.measured_points)
    tasks, flushed = tasks_a_second(options.tasks), writes_a_second()
    sweep = sweep_of(options.measured_points)
    blocks = options.points / options.block
    hours = options.points * options.point_seconds / options.workers / 3600
    rate = options.workers / (options.block * options.point_seconds)  # blocks a second
    writes = sum(number for name, number in counts.items() if name in WRITES)
    reads = sum(counts.values()) - writes
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, files in {tempfile.gettempdir()}"
    )
    print(
        f"measured    a block: {reads:.0f} reads, {writes:.0f} writes and listings; driver: "
        f"{driver.bytes_a_point:.0f} bytes and {1e6 * driver.seconds_a_point:.2f} µs a point; "
        f"scheduler: {tasks:.0f} tasks a second; disk: {flushed:.0f} flushed writes a second"
    )
    per_point = bytes_of(sweep.grid) / sweep.size
    files = files_of(sweep.grid) / sweep.size * options.points
    chunks = len(list(sweep.grid.chunk_indices())) / sweep.size * options.points
    print(
        f"sweep       {options.points:.0e} points of {1e3 * options.point_seconds:g} ms, "
        f"{blocks:.1e} blocks of {options.block}, {options.workers} workers: {hours:.1f} h, "
        f"{rate:.0f} blocks a second; {files:.1e} files, {chunks:.1e} in the fullest folder, "
        f"{per_point * options.points / 1e9:.0f} GB before compression with one variable"
    )
    larger = "larger blocks, or several sweeps"
    needs = [
        Need("driver's memory", driver.bytes_a_point * options.points, options.driver_memory,
             "bytes", "several sweeps, one after the other"),
        Need("driver's time at each start", driver.seconds_a_point * options.points, 3600.0 * hours,
             "s", "several sweeps"),
        Need("scheduler", rate, tasks, "tasks/s", larger),
        Need("reads on S3", rate * reads, S3_READS, "requests/s", larger),
        Need("writes on S3", rate * writes, S3_WRITES, "requests/s", larger),
        Need("flushed writes on this disk", rate * writes_flushed(counts), flushed, "writes/s",
             "larger blocks, or a file system of many disks"),
    ]  # fmt: skip
    print("what                            needed        there    ratio  remedy")
    for need in sorted(needs, key=lambda need: -need.ratio):
        there = f"{need.there:.1e}"
        print(
            f"{need.what:28s} {need.needed:9.1e} {there:>12s} {need.ratio:8.2g}  {need.remedy}   "
            f"[{need.unit}]"
        )
    first = max(needs, key=lambda need: need.ratio)
    print(f"breaks first: {first.what}" if first.ratio > 1 else "nothing breaks")


def sweep_of(points: int) -> catalog.Sweep:
    """About so many points."""
    side = max(2, round(math.sqrt(points)))
    labels = np.arange(side) / 2
    return catalog.Sweep(name="sum", model=total, axes={"a": labels, "b": labels}, fixed={})


def driver_costs(points: int) -> Driver:
    """Memory and time of what a run does before its first block, by the difference of two sizes."""
    found = []
    for size in (points // 8, points // 4, points):  # the first is for imports
        sweep = sweep_of(size)
        with tempfile.TemporaryDirectory() as folder:
            stored = catalog.create_or_open(Path(folder), sweep)
            start = time.process_time()
            survey(sweep, stored).plan()
            seconds = time.process_time() - start
            tracemalloc.start()
            survey(sweep, stored).plan()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        found.append((sweep.size, peak, seconds))
    _, (n, memory, seconds), (m, more_memory, more_seconds) = found
    return Driver((more_memory - memory) / (m - n), (more_seconds - seconds) / (m - n))


def tasks_a_second(number: int) -> float:
    """Empty tasks that a scheduler hands out to four threads, one submission each, as a run does.

    Scheduler, workers and client share this process, so that its CPU time is that of all.
    """
    with (
        LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=None)
        as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        client.gather([client.submit(int, i, pure=False) for i in range(50)])
        start = time.process_time()
        client.gather([client.submit(int, i, pure=False) for i in range(number)])
        return number / (time.process_time() - start)


def writes_a_second(number: int = 100) -> float:
    """Flushed writes of 4 kB by one process, in wall time."""
    with tempfile.TemporaryDirectory() as folder:
        place = storage(folder)
        start = time.perf_counter()
        for i in range(number):
            place.put(f"a/{i}", bytes(4096))
        return number / (time.perf_counter() - start)


def writes_flushed(counts: dict[str, float]) -> float:
    """Operations of a block that wait for the disk."""
    return sum(counts.get(name, 0.0) for name in ("put", "put_many", "create", "delete"))


if __name__ == "__main__":
    main()
