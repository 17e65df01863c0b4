"""Engines solved together against the same engines one by one: time and agreement, in one run.

    python benchmarks/blocks_together.py --N 1 2 4 8 12 --points 1000

The engines are random points of the boxes that the exact maps of the figures cover, at each N, with
all default variables.  Together: ``HeatEngine.solve`` for all points as one block, engines made of
their parameters included.  Alone: the same with the solver "superlu".  Both are CPU times in one
process with one BLAS thread; the fastest of three rounds counts for "together", the only round for
"alone".

Difference: the largest relative difference of a value between the two, over all points, values that
are sums of numbers of order one (magnetisations, correlators) taken absolutely, in units of the
tolerance to which both are certified.  Near Carnot: the same of J/a at affinities from 1e-14 up.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import scipy
from threadpoolctl import threadpool_limits

import catalog
from catalog.heat_engine.model import HeatEngine
from catalog.models.contract import Point, Timed
from ensemble import Exact, Solution, Status

T = TypeVar("T")
MAPS = ("fig2", "fig3-doubled", "fig7-finite", "simultaneous")
ABSOLUTE = {"magnetization_1", "magnetization_2", "spin_correlation_zz", "l1_coherence"}
ROUNDS = 3


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """CPU time in seconds, and the result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def random_points(name: str, N: int, count: int, rng: np.random.Generator) -> list[Point]:
    """Points of the box that a preset covers."""
    sweep = catalog.presets()[name]
    drawn = {
        axis: rng.uniform(min(labels), max(labels), count)
        for axis, labels in sweep.axes.items()
        if axis != "N"
    }
    return [
        {**sweep.fixed, **{axis: float(v[i]) for axis, v in drawn.items()}, "N": N}
        for i in range(count)
    ]


def near_carnot(N: int, count: int, rng: np.random.Generator) -> list[Point]:
    """Engines whose affinity is E₁/T₁ times 1e-14 … 1e-2, of either sign."""
    off = 10 ** rng.uniform(-14, -2, count) * rng.choice([-1, 1], count)
    heating = rng.uniform(1.5, 8, count)
    return [
        {
            "N": N, "E_1": 1.0, "E_2": float(h * (1 + o)), "T_1": 1.3, "T_2": float(1.3 * h),
            "omega_0": 1.0, "Gamma_0": 1.0,
        }
        for o, h in zip(off, heating, strict=True)
    ]  # fmt: skip


def solve(model: HeatEngine, points: Sequence[Point], names: Sequence[str]) -> list[Solution]:
    """All solutions of a block."""
    found = model.solve(points, names)
    return [one.solution if isinstance(one, Timed) else one for one in found]


def difference(one: Solution, other: Solution, names: Sequence[str]) -> float:
    """Largest difference of a value, infinite if only one of the two is defined."""
    worst = 0.0
    for name in names:
        x, y = one.values[name], other.values[name]
        if x == y or (np.isnan(x) and np.isnan(y)):
            continue
        scale = 1.0 if name in ABSOLUTE else max(abs(x), abs(y))
        found = abs(x - y) / scale
        worst = max(worst, np.inf if np.isnan(found) else found)
    return worst


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, nargs="+", default=[1, 2, 4, 6, 8, 10, 12])
    parser.add_argument("--points", type=int, default=1000, help="points of a map (default: 1000)")
    options = parser.parse_args()
    print(
        f"conditions   {os.cpu_count()} CPUs ({platform.machine()}), "
        f"load {os.getloadavg()[0]:.1f}, one BLAS thread, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"{options.points} points a block"
    )
    print(
        "map            N   together  alone     ratio  solved together  difference/tolerance "
        "median  worst"
    )
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        for name in MAPS:
            scaling = catalog.presets()[name].model.options()["scaling"]
            for N in options.N:
                measure(name, N, scaling, random_points(name, N, options.points, rng))
        for N in options.N:
            measure("near Carnot", N, "bare", near_carnot(N, options.points, rng))


def measure(name: str, N: int, scaling: str, points: Sequence[Point]) -> None:
    """Solve points in both ways and print a line."""
    one = HeatEngine(scaling=scaling, method=Exact())
    other = HeatEngine(scaling=scaling, method=Exact(solver="superlu"))
    names = list(one.default_variables)
    solve(one, points[:2], names)  # the first call builds matrices that later ones reuse
    solve(other, points[:2], names)
    rounds = [timed(lambda: solve(one, points, names)) for _ in range(ROUNDS)]
    together, found = min(seconds for seconds, _ in rounds), rounds[0][1]
    alone, expected = timed(lambda: solve(other, points, names))
    pairs = [
        (x, y)
        for x, y in zip(found, expected, strict=True)
        if x.status == y.status == Status.OK and x.diagnostics["solver"] == "together"
    ]
    compared = names
    if name == "near Carnot":
        compared = ["current/affinity"]
        pairs = [(per_affinity(x), per_affinity(y)) for x, y in pairs]
    off = [difference(x, y, compared) / one.method.tolerance for x, y in pairs] or [np.nan]
    print(
        f"{name:13s} {N:2d}  {1e6 * together / len(points):6.0f} µs  "
        f"{1e3 * alone / len(points):5.2f} ms  {alone / together:6.1f}  "
        f"{len(pairs):6d} of {len(points):<6d}  {np.median(off):26.1e}  {max(off):.1e}"
    )


def per_affinity(solution: Solution) -> Solution:
    """J/a as the only value; that of the noise where a vanishes (J/a = D/2 there)."""
    J, a = solution.values["quanta_current"], solution.values["affinity"]
    return Solution({"current/affinity": J / a if a else solution.values["quanta_noise"] / 2})


if __name__ == "__main__":
    main()
