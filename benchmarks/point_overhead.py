"""What the catalogue adds to a point of a sweep: against a bare loop, in one run.

    python benchmarks/point_overhead.py --points 100000

The function adds two numbers.  Bare: a Python loop that fills a NumPy array.  Block: `solve_block`,
which catches failures and fills arrays with value, status, error, times.  Stored: ``catalog.run``
in this process (``synchronous``), with leases, flushed records and chunks.  Repeated: the same run
again, which finds the store full.  The counts are the operations on the store's objects that a
block takes, as the storage sees them.

CPU and wall times; the fastest of several rounds, in which the ways take turns.  The difference of
wall and CPU time of "stored" is mostly waiting for the disk (fsync).
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import zarr
from sweeping.adding import total

import catalog
from catalog.running.solve import solve_block
from catalog.store.storage import Storage

OPERATIONS = (
    *("get", "get_many", "has", "names", "put", "put_many", "create", "create_fleeting"),
    *("delete", "delete_fleeting"),
)
"""What a run does with objects of a store."""


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall time in seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count the operations on objects while it is open; those that others call count once."""
    found: Counter[str] = Counter()
    originals = {name: getattr(Storage, name) for name in OPERATIONS}
    inside = False

    def counted(name: str) -> Callable:
        def operation(*arguments, **options):
            nonlocal inside
            outermost, inside = not inside, True
            if outermost:
                found[name] += 1
            try:
                return originals[name](*arguments, **options)
            finally:
                inside = not outermost

        return operation

    for name in OPERATIONS:
        setattr(Storage, name, counted(name))
    try:
        yield found
    finally:
        for name, original in originals.items():
            setattr(Storage, name, original)


def sweep_of(points: int, block: int = 128) -> catalog.Sweep:
    """About so many points, at most 128 along b."""
    inner = min(points, 128)
    axes = {"a": np.arange(points // inner) / 2, "b": np.arange(inner) / 2}
    blocks = {"a": max(1, block // inner), "b": inner}
    return catalog.Sweep(name="sum", model=total, axes=axes, fixed={}, blocks=blocks)


def operations_per_block(blocks: int = 64) -> dict[str, float]:
    """Operations on objects for a block more, without those of the beginning and end of a run."""
    found = []
    for number in (blocks, 3 * blocks):
        with tempfile.TemporaryDirectory() as folder, counting() as counts:
            catalog.run(sweep_of(128 * number), Path(folder) / "store", scheduler="synchronous")
            found.append(Counter(counts))
    few, many = found
    return {name: (many[name] - few[name]) / (2 * blocks) for name in OPERATIONS if many[name]}


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000, help="default: 10^5")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts (default: 3)")
    options = parser.parse_args()
    sweep = sweep_of(options.points)
    indices = list(sweep.grid.block_indices())

    def bare() -> None:
        values = np.empty(sweep.grid.shape)
        for i, a in enumerate(sweep.grid.axes["a"]):
            for j, b in enumerate(sweep.grid.axes["b"]):
                values[i, j] = total(a, b)["y"]

    def block() -> None:
        for index in indices:
            solve_block(sweep.grid, index, sweep.model)

    times: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        catalog.run(sweep_of(256), Path(folder) / "warm", scheduler="synchronous")
        for number in range(options.rounds):
            store = Path(folder) / f"{number}"

            def run(store: Path = store) -> None:
                catalog.run(sweep, store, scheduler="synchronous")

            ways = {"bare": bare, "block": block, "stored": run, "repeated": run}
            for name, call in ways.items():
                times.setdefault(name, []).append(timed(call))
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, Zarr {zarr.__version__}, "
        f"store in {tempfile.gettempdir()}"
    )
    print(f"sweep       {sweep.size} points in {len(indices)} blocks; fastest of {options.rounds}")
    cpu = {name: 1e6 * min(c for c, _ in found) / sweep.size for name, found in times.items()}
    wall = {name: 1e6 * min(w for _, w in found) / sweep.size for name, found in times.items()}
    for name in times:
        print(f"{name:11s} {cpu[name]:7.1f} µs CPU, {wall[name]:7.1f} µs wall a point")
    print(
        f"overhead    {cpu['stored'] - cpu['bare']:.1f} µs CPU a point: "
        f"block {cpu['block'] - cpu['bare']:.1f}, store and leases "
        f"{cpu['stored'] - cpu['block']:.1f}; stored over bare: {cpu['stored'] / cpu['bare']:.0f}"
    )
    counts = operations_per_block()
    print(
        f"a block     {sum(counts.values()):.1f} operations on objects: "
        + ", ".join(f"{name} {number:.1f}" for name, number in counts.items())
    )


if __name__ == "__main__":
    main()
