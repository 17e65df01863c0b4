"""The solvers of one engine against each other and along N: no size costs more than its neighbours.

    python benchmarks/solver_choice.py --N 16 20 24 28 32 40 48 64 80 100 128 --points 4

The engines are random points of the boxes of Figs. 2, 3, 6 and 7, the same at every N; the half
with the lower T̄ and the one with the higher T̄ count apart.  Each is solved for its state and noise
as method exact chooses, and with SuperLU and GMRES where its sector has at most ``--most``
unknowns.  All are CPU times in one process with one BLAS thread.

The last two columns: the time of the choice over that of the faster solver, and over the geometric
interpolation in ln N between the neighbours in the list.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence

import numpy as np
import scipy
from threadpoolctl import threadpool_limits

import catalog
from catalog.heat_engine.model import HeatEngine
from catalog.models.contract import Point
from ensemble import Engine
from ensemble.counting.noise import noise
from ensemble.steady.stationary import SolverName, stationary

MAPS = ("fig2", "fig3-doubled", "fig6-exact", "fig7-finite")
GEOMETRIC = {"omega_0"}
SOLVERS: tuple[SolverName, ...] = ("superlu", "gmres", "auto")


def seconds(engine: Engine, solver: SolverName) -> tuple[float, int]:
    """CPU time of state and noise, and the unknowns."""
    start = time.process_time()
    state = stationary(engine, solver=solver)
    noise(state)
    return time.process_time() - start, state.truncation.sector(engine).size


def random_points(name: str, count: int) -> list[Point]:
    """Points of the box that a preset covers, coldest first."""
    sweep, rng = catalog.presets()[name], np.random.default_rng(0)
    drawn = {}
    for axis, labels in sweep.axes.items():
        if axis == "N":
            continue
        low, high = min(labels), max(labels)
        if axis in GEOMETRIC:
            drawn[axis] = np.exp(rng.uniform(np.log(low), np.log(high), count))
        else:
            drawn[axis] = rng.uniform(low, high, count)
    points = [
        {**sweep.fixed, **{axis: float(v[i]) for axis, v in drawn.items()}} for i in range(count)
    ]
    return sorted(points, key=lambda point: point["T_mean"])


def measure(name: str, half: str, points: Sequence[Point], sizes: Sequence[int], most: int) -> None:
    """One line for each N, when its neighbours are known."""
    model = HeatEngine(scaling=catalog.presets()[name].model.options()["scaling"])
    lines = []
    for N in sizes:
        engines = [model.engine({**point, "N": N}) for point in points]
        found, unknowns = {}, 0.0
        for solver in ("auto", *SOLVERS[:2]):
            if solver != "auto" and unknowns > most:
                found[solver] = np.nan
                continue
            times = [seconds(engine, solver) for engine in engines]
            found[solver] = float(np.mean([t for t, _ in times]))
            unknowns = float(np.mean([n for _, n in times]))
        lines.append((N, unknowns, found))
    for i, (N, unknowns, found) in enumerate(lines):
        hump = np.nan
        if 0 < i < len(lines) - 1:
            (low, _, before), (high, _, after) = lines[i - 1], lines[i + 1]
            share = np.log(N / low) / np.log(high / low)
            hump = found["auto"] / (before["auto"] ** (1 - share) * after["auto"] ** share)
        faster = np.nanmin([found["auto"], found["superlu"], found["gmres"]])
        print(
            f"{name:13s} {half:5s} {N:4d} {unknowns:9.0f} "
            + " ".join(f"{1e3 * found[solver]:8.0f} ms" for solver in SOLVERS)
            + f" {found['auto'] / faster:10.2f} {hump:11.2f}",
            flush=True,
        )


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, nargs="+", default=[16, 20, 24, 28, 32, 40, 48, 64, 80])
    parser.add_argument("--maps", nargs="+", choices=MAPS, default=MAPS)
    parser.add_argument("--points", type=int, default=4, help="points of a map (default: 4)")
    parser.add_argument(
        "--most", type=int, default=40_000, help="unknowns up to which both solvers run"
    )
    options = parser.parse_args()
    print(
        f"conditions   {os.cpu_count()} CPUs ({platform.machine()}), "
        f"load {os.getloadavg()[0]:.1f}, one BLAS thread, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}"
    )
    print(
        "map           half     N  unknowns     superlu       gmres      chosen  of faster  "
        "of neighbours"
    )
    with threadpool_limits(1):
        for name in options.maps:
            points = random_points(name, options.points)
            middle = (len(points) + 1) // 2
            for half, chosen in (("cold", points[:middle]), ("warm", points[middle:])):
                if chosen:
                    measure(name, half, chosen, options.N, options.most)


if __name__ == "__main__":
    main()
