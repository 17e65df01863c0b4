"""A stored sweep of 10³ to 10⁷ points: opened, selected from, reduced, each in a new process.

    python benchmarks/open_and_reduce.py --sizes 1000 10000 100000 1000000 10000000

The store holds the arrays of a finished sweep of ``sum``, a function of two parameters with one
variable, filled with random numbers chunk by chunk (no solver runs: the files are those that a run
leaves, manifests and digests included).  Each task runs once in a process that has imported what it
needs and read nothing; the files may be in the system's page cache.

Tasks: the catalogue is opened and the sweep's lazy Dataset made; one value is selected by its
labels; a line of values; the maximum along one dimension over the whole sweep.  Beside them the
same by xarray alone, without checks of digests.  CPU times (all threads), and the memory that the
process has at its peak beyond what it had after its imports.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr
from sweeping.adding import total

import catalog
from catalog.store.part import Manifest
from catalog.store.settle import write_chunk
from catalog.sweeps.arrays import empty_arrays
from ensemble import Status

TASKS = ("open", "one value", "a line", "maximum")
READERS = ("heatcat", "xarray alone")


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**3, 10**4, 10**5, 10**6])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--task", nargs=3, metavar=("TASK", "READER", "STORE"))
    options = parser.parse_args()
    if options.task:
        print(*do(*options.task))
        return
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, xarray {xr.__version__}, files in "
        f"{tempfile.gettempdir()}"
    )
    print(f"    points  reader        {'  '.join(f'{task:>16s}' for task in options.tasks)}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store"
            points = fill(store, size)
            files = [path for path in store.rglob("*") if path.is_file()]
            for reader in READERS:
                cells = []
                for task in options.tasks:
                    command = [sys.executable, __file__, "--task", task, reader, str(store)]
                    found = subprocess.run(command, check=True, capture_output=True, text=True)
                    seconds, megabytes = map(float, found.stdout.split())
                    cells.append(f"{seconds:6.3f} s {megabytes:5.0f} MB")
                print(f"{points:10d}  {reader:12s}  {'  '.join(cells)}", flush=True)
            size_mb = sum(path.stat().st_size for path in files) / 1e6
            print(f"            store: {len(files)} files, {size_mb:.1f} MB", flush=True)
    print(f"load now    {os.getloadavg()[0]:.1f}")


def fill(store: Path, size: int) -> int:
    """A store of about so many points; how many they are."""
    side = max(2, round(size**0.5))
    labels = np.arange(side) / 2
    sweep = catalog.Sweep(name="sum", model=total, axes={"a": labels, "b": labels}, fixed={})
    (part,) = catalog.create_or_open(store, sweep).parts
    rng = np.random.default_rng(0)
    for chunk in part.grid.chunk_indices():
        shape = tuple(piece.stop - piece.start for piece in part.grid.chunk_slices(chunk))
        arrays = empty_arrays(part.grid, shape)
        arrays["y"][...] = rng.random(shape)
        arrays["wall_time"][...] = rng.random(shape)
        arrays["status"][...] = Status.OK
        arrays["run"][...] = 1
        blocks = frozenset(part.grid.blocks_of(chunk))
        write_chunk(part, chunk, Manifest(frozenset(), {}), blocks, arrays)
    return sweep.size


def do(task: str, reader: str, store: str) -> tuple[float, float]:
    """A task in this process: CPU time in s, and memory beyond the imports in MB."""
    warm_up()
    before, start = peak(), time.process_time()
    if reader == "heatcat":
        ds = catalog.open(store)["sum"].dataset()
    else:
        ds = xr.open_zarr(store, group="sum", consolidated=False)
    if task == "one value":
        ds.y.sel(a=0.5, b=0.5).compute()
    elif task == "a line":
        ds.y.sel(a=0.5).compute()
    elif task == "maximum":
        ds.y.max("b").compute()
    return time.process_time() - start, peak() - before


def warm_up() -> None:
    """Import what the tasks need, by a store of four points."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), 4)
        catalog.open(folder)["sum"].dataset().y.max("b").compute()
        xr.open_zarr(folder, group="sum", consolidated=False).y.max("b").compute()


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
