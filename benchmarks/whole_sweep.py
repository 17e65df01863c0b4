"""How long a whole stored sweep takes to write and to read, and how many files it has.

    python benchmarks/whole_sweep.py --points 100000

The solver is replaced by random numbers, so that only the store is measured: its files, one run in
this process, ``ds.compute()`` of all arrays through heatcat and through xarray alone, and the same
without the check of every file's digest.  Each reading is done several times, and the fastest
counts, because other work of the machine only adds time.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import xarray as xr

import catalog
import catalog.running.complete
from catalog.models.contract import Model
from catalog.store.part import Manifest, Part, _cache
from catalog.sweeps.arrays import Arrays, empty_arrays
from catalog.sweeps.grid import Grid, Index
from catalog.sweeps.sweep import Sweep
from ensemble import Status

FIG_2 = {"E_1": 100, "delta_T": 100, "omega_0": 1, "Gamma_0": 1}
SIZES = [1, 2, 4, 8]


def numbers(grid: Grid, index: Index, model: Model) -> Arrays:
    """A block of random numbers in place of a solve."""
    arrays = empty_arrays(grid, grid.shape_of(index))
    generator = np.random.default_rng(list(index))
    for array in arrays.values():
        if array.dtype.kind == "f":
            array[...] = generator.random(array.shape)
    arrays["status"][...] = Status.OK
    arrays["solver"][...] = "none"
    return arrays


def timed(call: Callable[[], object]) -> float:
    """Wall time in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def unchecked(part: Part, key: str, name: str, manifest: Manifest, content: bytes) -> bytes:
    """The content of a file, in place of its check."""
    return content


def forget() -> None:
    """Drop what this process has cached from earlier reads."""
    _cache.clear()


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000, help="about so many points")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts (default: 3)")
    options = parser.parse_args()
    side = max(2, round((options.points / len(SIZES)) ** 0.5))
    labels = np.linspace(60, 300, side)
    sweep = Sweep(name="whole", axes={"N": SIZES, "delta_E": labels, "T_mean": labels}, fixed=FIG_2)
    blocks = len(list(sweep.grid.block_indices()))
    with tempfile.TemporaryDirectory() as folder:
        location = Path(folder) / "store.zarr"
        with mock.patch.object(catalog.running.complete, "solve_block", numbers):
            written = timed(lambda: catalog.run(sweep, location, scheduler="synchronous"))
        files = [path for path in location.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        times: dict[str, list[float]] = {}
        for _ in range(options.rounds):

            def ours() -> None:
                forget()
                catalog.open(location)["whole"].dataset().compute()

            def plain() -> None:
                xr.open_zarr(location, group="whole", consolidated=False).compute()

            times.setdefault("heatcat", []).append(timed(ours))
            times.setdefault("xarray alone", []).append(timed(plain))
            with mock.patch.object(Part, "require_sound", unchecked):
                times.setdefault("heatcat, digests not checked", []).append(timed(ours))
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, store in {tempfile.gettempdir()}"
    )
    print(f"sweep       {sweep.size} points in {blocks} blocks, {len(sweep.arrays)} arrays")
    print(
        f"store       {len(files)} files ({len(files) / blocks:.2f} a block), {size / 1e6:.1f} MB; "
        f"written in {written:.1f} s, {1e3 * written / sweep.size:.3f} ms a point"
    )
    best = {name: min(found) for name, found in times.items()}
    for name, found in best.items():
        print(f"{name:29s} {found:.2f} s")
    share = 1 - best["heatcat, digests not checked"] / best["heatcat"]
    print(f"the check of digests takes {share:.1%} of a reading")


if __name__ == "__main__":
    main()
