"""Cost of one engine, state and noise by three routes, against N; prints the fitted exponent.

Run:  python benchmarks/large_N.py [--sizes 50 100 256] [--solver auto]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from ensemble import Engine, Exact

FIG_7 = {
    "E_1": 1, "delta_E": 9, "T_mean": 13.5, "delta_T": 23, "omega_0": 0.006, "Gamma_0": 0.001,
    "scaling": "high-temperature",
}  # fmt: skip


def measure(N: int, solver: str) -> tuple[float, float]:
    """Time in s and peak memory in GB, in a new process, so that no other N adds to the memory."""
    command = [sys.executable, __file__, "--one", str(N), "--solver", solver]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, gigabytes, report = result.stdout.split(maxsplit=2)
    print(f"N = {N:4d}   {float(seconds):8.2f} s   {float(gigabytes):5.2f} GB   {report.strip()}")
    return float(seconds), float(gigabytes)


def one(N: int, solver: str) -> None:
    """Solve once and print time, memory and certificate."""
    engine = Engine(N=N, **FIG_7)
    start = time.perf_counter()
    solution = Exact(solver=solver).solve(engine, ("power_per_pair", "power_variance"))
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = solution.diagnostics
    print(
        seconds, memory, solution.status.label, found["solver"], f"Q = {found['coherence_order']}",
        f"residual = {found['residual']:.1e}", f"P/N = {solution.values['power_per_pair']:.10e}",
    )  # fmt: skip


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 160, 256])
    parser.add_argument("--solver", default="auto")
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with threadpool_limits(int(os.environ.get("HEATCAT_THREADS", "1"))):
            one(options.one, options.solver)
        return
    os.environ["HEATCAT_THREADS"] = str(options.threads)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, "
          f"{options.threads} BLAS thread(s); engine of Fig. 7; {options.solver}")  # fmt: skip
    times = [measure(N, options.solver)[0] for N in options.sizes]
    if len(times) > 1:
        exponent = np.polyfit(np.log(options.sizes), np.log(times), 1)[0]
        print(f"time ~ N^{exponent:.2f} from {options.sizes[0]} to {options.sizes[-1]}")


if __name__ == "__main__":
    main()
