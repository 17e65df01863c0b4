"""How much faster two workers complete a sweep than one process, in one run.

    python benchmarks/two_workers.py --N 20 --side 24

The sweep is a map of Fig. 2's engine over ΔE and T̄ at one N, all default variables.  It is
completed in a new store by one process (``synchronous``), by two independent processes that call
``catalog.run`` on one store and share it by leases, and by a local dask cluster of two workers that
was started before.  All have imported what they need.  The ways take turns; the fastest of several
rounds counts.

The speed-up is the ratio of wall times, and means something only where both cores are idle
otherwise: the script prints the load that it saw before each way, and CPU time over wall time, of
all processes that worked.  One process on an idle core has 1.0, two have up to 2.0; less says that
others computed beside, or that workers waited.  The ratio of CPU times (one over two) says what
sharing costs in work: 1 is none.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import psutil
from distributed import Client, LocalCluster
from threadpoolctl import threadpool_limits

import catalog

Measured = tuple[float, float]
"""Wall and CPU time in seconds."""
WAYS = ("one process", "two processes", "dask, two workers")


def sweep_of(N: int, side: int) -> catalog.Sweep:
    """A map at one N, in blocks of 16 points."""
    return catalog.Sweep(
        name="map",
        axes={
            "N": [N],
            "delta_E": np.linspace(20, 240, side),
            "T_mean": np.linspace(60, 300, side),
        },
        fixed={"E_1": 100, "delta_T": 100, "omega_0": 1, "Gamma_0": 1},
        blocks={"N": 1, "delta_E": 4, "T_mean": 4},
    )


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, default=20, help="spin pairs (default: 20)")
    parser.add_argument("--side", type=int, default=24, help="labels along ΔE and T̄ (default: 24)")
    parser.add_argument("--rounds", type=int, default=2, help="the fastest counts (default: 2)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    sweep = sweep_of(options.N, options.side)
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load "
        f"{', '.join(f'{load:.1f}' for load in os.getloadavg())} (1, 5, 15 min), "
        f"Python {platform.python_version()}, one BLAS thread a process"
    )
    blocks = len(list(sweep.grid.block_indices()))
    print(f"sweep       N = {options.N}, {sweep.size} points in {blocks} blocks")
    found: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1), ExitStack() as stack:
        ways: dict[str, Callable[[catalog.Sweep, str], Measured]] = {
            "one process": alone,
            "two processes": two_processes,
        }
        if "dask, two workers" in options.ways:
            cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
            client = stack.enter_context(Client(stack.enter_context(cluster)))
            ways["dask, two workers"] = partial(on_dask, client)
        ways = {name: ways[name] for name in options.ways}
        small = sweep_of(options.N, 2)
        for name, way in ways.items():  # imports, and matrices that later solves reuse
            if way is not two_processes:  # they are new ones each time, and do so themselves
                way(small, str(Path(folder) / f"{name}, warm"))
        for number in range(options.rounds):
            for name, way in ways.items():
                load = os.getloadavg()[0]
                wall, cpu = way(sweep, str(Path(folder) / f"{name} {number}"))
                found.setdefault(name, []).append((wall, cpu))
                print(
                    f"{name:18s} {wall:8.2f} s wall  {cpu:8.2f} s CPU  CPU/wall {cpu / wall:5.2f}  "
                    f"load before {load:.1f}",
                    flush=True,
                )
    wall = {name: min(w for w, _ in times) for name, times in found.items()}
    cpu = {name: min(c for _, c in times) for name, times in found.items()}
    for name in [name for name in found if name != "one process" and "one process" in found]:
        print(
            f"speed-up    {name}: {wall['one process'] / wall[name]:.2f} (wall), CPU of one over "
            f"CPU of two {cpu['one process'] / cpu[name]:.2f}"
        )


def alone(sweep: catalog.Sweep, store: str) -> Measured:
    """In this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    catalog.run(sweep, store, scheduler="synchronous")
    return time.perf_counter() - wall, time.process_time() - cpu


def two_processes(sweep: catalog.Sweep, store: str) -> Measured:
    """In two processes that share a store; the longer wall time, both CPU times."""
    catalog.create_or_open(store, sweep)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, initializer=_meet_at, initargs=(spawn.Barrier(2),)) as pool:
        times = list(pool.map(_share, [sweep] * 2, [store] * 2))
    return max(wall for wall, _ in times), sum(cpu for _, cpu in times)


_barrier: Barrier


def _meet_at(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _share(sweep: catalog.Sweep, store: str) -> Measured:
    """One of the two processes: begins once both have imported everything."""
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        (N,) = sweep.axes["N"]
        catalog.run(sweep_of(int(N), 2), Path(folder) / "warm", scheduler="synchronous")
        _barrier.wait(timeout=600)
        return alone(sweep, store)


def on_dask(client: Client, sweep: catalog.Sweep, store: str) -> Measured:
    """By two workers; CPU times of the workers and of this process."""
    pids = [info["pid"] for info in client.run(_pid).values()]
    workers = [psutil.Process(pid) for pid in pids]
    before = [worker.cpu_times() for worker in workers]
    wall, cpu = time.perf_counter(), time.process_time()
    catalog.run(sweep, store, scheduler=client)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for worker, start in zip(workers, before, strict=True):
        end = worker.cpu_times()
        cpu += end.user + end.system - start.user - start.system
    return wall, cpu


def _pid() -> dict[str, int]:
    return {"pid": os.getpid()}


if __name__ == "__main__":
    main()
