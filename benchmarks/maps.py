"""Maps of one N from a reduced basis against the same engines one by one, in one run.

    python benchmarks/maps.py --map fig2 --N 16 20 24 --grid 50 40
    python benchmarks/maps.py --map fig2 --N 64 128 256 --grid 100 100 --variables few

The engines are those of a grid over the box that a preset covers, one block for each N.  From the
basis: ``Exact(solver="basis").solve_together`` for all points, what it leaves over one by one
included.  Alone: ``Exact().solve`` at random points of the same grid, ``--alone`` of them.  Both
are CPU times in one process with one BLAS thread.

Difference: the largest relative difference of a value between the two at a point, sums of numbers
of order one (magnetisations, correlators) taken absolutely, in units of the tolerance to which both
are certified; the median and the worst of those points.
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
from catalog.sweeps.sweep import Sweep
from ensemble import Engine, Exact

FEW = ("power", "power_variance", "constancy", "mutual_information")
ABSOLUTE = {"magnetization_1", "magnetization_2", "spin_correlation_zz", "l1_coherence"}
BOXES = {"fig2": "fig2", "fig6": "fig6-exact"}


def block(sweep: Sweep, N: int, shape: Sequence[int]) -> dict[str, np.ndarray]:
    """Columns of parameters of a grid over the axes of a sweep, of a given shape."""
    names = [name for name in sweep.axes if name != "N"]
    axes = [
        np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(labels)), labels)
        for labels, count in zip((sweep.axes[name] for name in names), shape, strict=True)
    ]
    grids = np.meshgrid(*axes, indexing="ij")
    columns = {name: grid.ravel() for name, grid in zip(names, grids, strict=True)}
    columns |= {k: np.full(grids[0].size, float(v)) for k, v in sweep.fixed.items() if k != "N"}
    return {"N": np.full(grids[0].size, float(N)), **columns}


def compare(sweep: Sweep, N: int, shape: Sequence[int], names: Sequence[str], alone: int) -> None:
    """Print one row."""
    columns = block(sweep, N, shape)
    points = columns["N"].size
    options = sweep.model.options()
    scaling, statistics = options["scaling"], options["statistics"]
    method = Exact(solver="basis")

    def engine(point: int) -> Engine:
        values = {name: float(column[point]) for name, column in columns.items()}
        return Engine.of(**values, scaling=scaling, statistics=statistics)

    start = time.process_time()
    found = method.solve_together(columns, names, scaling=scaling, statistics=statistics)
    left = [point for point, one in enumerate(found) if one is None]
    for point in left:
        found[point] = method.solve(engine(point), names)
    shared = (time.process_time() - start) / points

    chosen = np.random.default_rng(N).choice(points, min(alone, points), replace=False)
    engines = [engine(point) for point in chosen.tolist()]
    start = time.process_time()
    others = [Exact().solve(one, names) for one in engines]
    each = (time.process_time() - start) / len(engines)
    apart = [
        difference(one, other, ABSOLUTE) / method.tolerance
        for one, other in zip((found[point] for point in chosen.tolist()), others, strict=True)
        if one is not None
    ]
    print(
        f"N = {N:<4} {points} points, {len(left)} one by one  "
        f"{1e3 * shared:.2f} ms a point, alone {1e3 * each:.2f} ms  ratio {each / shared:.1f}  "
        f"difference {np.median(apart):.1e}, worst {max(apart):.1e} tolerances",
        flush=True,
    )


def main() -> None:
    """Run with the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--map", choices=BOXES, default="fig2")
    parser.add_argument("--N", type=int, nargs="+", default=[16, 20, 24])
    parser.add_argument("--grid", type=int, nargs=2, default=[50, 40], metavar="POINTS")
    parser.add_argument("--variables", choices=["all", "few"], default="all")
    parser.add_argument("--alone", type=int, default=20, help="points that are solved alone, too")
    options = parser.parse_args()
    every = [name for name in Exact.variables if name not in Exact.on_request]
    names = every if options.variables == "all" else list(FEW)
    preset = catalog.presets()[BOXES[options.map]]
    print(
        f"{options.map}, {len(names)} variables; {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    )
    with threadpool_limits(1):
        for N in options.N:
            compare(preset, N, options.grid, names, options.alone)


if __name__ == "__main__":
    main()
