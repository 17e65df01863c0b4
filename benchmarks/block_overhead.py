"""What a point of a sweep costs beyond its bare solve, in one run.

    python benchmarks/block_overhead.py --N 8 --points 128

Bare: ``method.solve`` for the engines of a sweep, and nothing else.  Block: ``solve_block``, which
times the points, catches failures and fills arrays.  Stored: ``catalog.run`` in this process, which
also finds what is missing and writes all arrays of every block to a new store on local disk; the
template is written before.  Repeated: the same run again, which finds the store full.  Each is run
several times in turn, and the fastest counts, because other work of the machine only adds time.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr
from threadpoolctl import threadpool_limits

import catalog
from catalog.running.solve import solve_block

FIG_2 = {"E_1": 100, "T_mean": 150, "delta_T": 100, "omega_0": 1, "Gamma_0": 1}


def timed(call: Callable[[], object]) -> float:
    """Wall time in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, default=8, help="spin pairs (default: 8)")
    parser.add_argument("--points", type=int, default=128, help="points a block (default: 128)")
    parser.add_argument("--blocks", type=int, default=16, help="number of blocks (default: 16)")
    parser.add_argument("--rounds", type=int, default=4, help="the fastest counts (default: 4)")
    options = parser.parse_args()
    sweep = catalog.Sweep(
        name="overhead",
        axes={"N": [options.N], "delta_E": np.linspace(5, 250, options.points * options.blocks)},
        fixed=FIG_2,
        blocks={"delta_E": options.points},
    )
    indices = list(sweep.grid.block_indices())
    points = [point for index in indices for _, point in sweep.grid.block_points(index)]
    engines = [sweep.model.engine(point) for point in points]

    def bare() -> None:
        for engine in engines:
            sweep.model.method.solve(engine, sweep.variables)

    def blocks() -> None:
        for index in indices:
            solve_block(sweep.grid, index, sweep.model)

    def run(location: Path) -> None:
        catalog.run(sweep, location, scheduler="synchronous")

    times: dict[str, list[float]] = {"bare": [], "block": [], "stored": [], "repeated": []}
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        bare()  # the first solve at this N builds matrices that later ones reuse
        for number in range(options.rounds):
            times["bare"].append(timed(bare))
            times["block"].append(timed(blocks))
            location = Path(folder) / f"{number}.zarr"
            catalog.create_or_open(location, sweep)
            times["stored"].append(timed(lambda location=location: run(location)))
            times["repeated"].append(timed(lambda location=location: run(location)))

    best = {name: 1e3 * min(found) / len(engines) for name, found in times.items()}
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"one BLAS thread, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"Zarr {zarr.__version__}, store in {tempfile.gettempdir()}"
    )
    print(
        f"sweep       N = {options.N}, {len(indices)} blocks of {options.points} points, "
        f"{len(sweep.arrays)} arrays; fastest of {options.rounds}"
    )
    for name, found in best.items():
        print(f"{name:11s} {found:.3f} ms a point")
    print(
        f"overhead    {best['stored'] - best['bare']:.3f} ms a point beyond the bare solver "
        f"(block {best['block'] - best['bare']:.3f}, store {best['stored'] - best['block']:.3f})"
    )


if __name__ == "__main__":
    main()
