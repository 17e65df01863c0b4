"""Fig. 6's map of the limit N → ∞, block by block against point by point, in one run.

    python benchmarks/macroscopic_map.py --grid 60 60

Together: ``HeatEngine.solve`` for each block of the sweep, as a run does it; what it leaves over is
solved one by one and counted, too.  Alone: every point by itself (``--alone``: so many random ones
of them).  Both are CPU times in one process with one BLAS thread, engines made of their parameters
included, with the variables of the preset.

Difference: the largest relative difference of a value between the two at a point, sums of numbers
of order one (magnetisations, correlators) and what is formed from them (mutual information,
concurrence, discord) taken absolutely, in units of the tolerance to which both are certified; the
median and the worst of the points.  Near Carnot: the same of J/a, at engines of the same box whose
affinity is E₁/T₁ times 1e-14 to 1e-2, of either sign.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence

import numpy as np
import scipy
from sweeping.differing import difference
from threadpoolctl import threadpool_limits

import catalog
from catalog.models.contract import Model, Point, Timed
from catalog.sweeps.sweep import Sweep
from ensemble import Solution, Status

ABSOLUTE = {"magnetization_1", "magnetization_2", "spin_correlation_xy"}
ABSOLUTE |= {"mutual_information", "concurrence", "discord"}
VARIABLES = ("quanta_current_per_pair", "quanta_current_per_pair_noise", "affinity_times_N")


def resized(sweep: Sweep, shape: Sequence[int]) -> Sweep:
    """The sweep over as many labels, which follow its own spacing."""
    axes = {
        name: np.interp(np.linspace(0, len(labels) - 1, count), np.arange(len(labels)), labels)
        for (name, labels), count in zip(sweep.axes.items(), shape, strict=True)
    }
    return sweep.replace(axes=axes)


def near_carnot(sweep: Sweep, count: int, rng: np.random.Generator) -> list[Point]:
    """Engines of the box next to the Carnot line, sorted as a map would be."""
    fixed = {name: sweep.fixed[name] for name in ("omega_0", "E_1", "Gamma_0")}
    half, ranges = sweep.fixed["delta_T"] / 2, sweep.axes
    T_1 = np.exp(
        rng.uniform(*np.log([min(ranges["T_mean"]) - half, max(ranges["T_mean"]) - half]), count)
    )
    T_1 = np.maximum(T_1, 2 * half / max(ranges["delta_E"]))
    off = 10 ** rng.uniform(-14, -2, count) * rng.choice([-1, 1], count)
    T_2 = T_1 + 2 * half
    E_2 = fixed["E_1"] * T_2 / T_1 * (1 + off)
    columns = np.stack([T_1, T_2, E_2], axis=1)[np.argsort(T_1)].tolist()
    return [{**fixed, "T_1": one, "T_2": two, "E_2": energy} for one, two, energy in columns]


def together(
    model: Model, blocks: Sequence[Sequence[Point]], names: Sequence[str]
) -> tuple[float, list[Solution]]:
    """CPU seconds and solutions of all points of some blocks."""
    start = time.process_time()
    found = [one for points in blocks for one in model.solve(points, names)]
    seconds = time.process_time() - start
    return seconds, [one.solution if isinstance(one, Timed) else one for one in found]


def alone(
    model: Model, points: Sequence[Point], names: Sequence[str]
) -> tuple[float, list[Solution]]:
    """CPU seconds and solutions of points one by one."""
    start = time.process_time()
    found = [model.attempt(point, names) for point in points]
    return time.process_time() - start, found


def by_themselves(model: Model, points: Sequence[Point], names: Sequence[str]) -> int:
    """Number of points of a block that are left to be solved one by one."""
    columns = {name: np.array([point[name] for point in points]) for name in points[0]}
    options = model.options()
    found = model.method.solve_together(
        columns, names, scaling=options["scaling"], statistics=options["statistics"]
    )
    return sum(one is None for one in found)


def per_affinity(solution: Solution) -> Solution:
    """J/a as the only value, D/2 where a vanishes, since J/a = D/2 there."""
    J, D, a = (solution.values[name] for name in VARIABLES)
    return Solution({"current/affinity": J / a if a else D / 2}, solution.status)


def row(
    title: str,
    model: Model,
    blocks: Sequence[Sequence[Point]],
    names: Sequence[str],
    chosen: Sequence[int],
) -> None:
    """Solve in both ways and print a line."""
    points = [point for block in blocks for point in block]
    shared, found = together(model, blocks, names)
    each, others = alone(model, [points[i] for i in chosen], names)
    shared, each = shared / len(points), each / len(chosen)
    left = sum(by_themselves(model, block, names) for block in blocks)
    pairs = [(found[i], other) for i, other in zip(chosen, others, strict=True)]
    unlike = sum(one.status != other.status for one, other in pairs)
    if names == VARIABLES:
        pairs = [(per_affinity(one), per_affinity(other)) for one, other in pairs]
    tolerance = model.method.tolerance
    off = [difference(*pair, ABSOLUTE) / tolerance for pair in pairs if pair[1].status is Status.OK]
    print(
        f"{title:12s} {len(points)} points in {len(blocks)} blocks: {1e3 * shared:.2f} ms a point, "
        f"alone {1e3 * each:.2f} ms  ratio {each / shared:.1f}  together "
        f"{len(points) - left}  other status {unlike}  difference/tolerance median "
        f"{np.median(off):.1e}, worst {max(off):.1e}",
        flush=True,
    )


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", type=int, nargs=2, default=[60, 60], metavar="POINTS")
    parser.add_argument("--alone", type=int, help="points that are solved alone (default: all)")
    parser.add_argument("--carnot", type=int, default=256, help="engines near the Carnot line")
    options = parser.parse_args()
    sweep = resized(catalog.presets()["fig6-exact"], options.grid)
    grid, model, rng = sweep.grid, sweep.model, np.random.default_rng(0)
    blocks = [[point for _, point in grid.block_points(index)] for index in grid.block_indices()]
    size = sum(map(len, blocks))
    chosen = np.sort(rng.permutation(size)[: options.alone]).tolist()
    print(
        f"conditions   {os.cpu_count()} CPUs ({platform.machine()}), "
        f"load {os.getloadavg()[0]:.1f}, one BLAS thread, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}"
    )
    with threadpool_limits(1):
        row("Fig. 6", model, blocks, grid.variables, chosen)
        carnot = near_carnot(sweep, options.carnot, rng)
        parts = [carnot[start : start + 128] for start in range(0, len(carnot), 128)]
        row("near Carnot", model, parts, VARIABLES, range(len(carnot)))


if __name__ == "__main__":
    main()
