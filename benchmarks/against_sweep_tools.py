"""One sweep of one plain Python function, by the catalogue and by other sweep tools, in one run.

    python benchmarks/against_sweep_tools.py

Two sweeps are timed, of a function that takes one millisecond and of one that returns at once, in
this process and with two worker processes.  Each ends with the result on disk.  Every timing is
made in a new process, which first runs a sweep of four points, so that its imports are not timed;
the start of the workers, with their imports, is timed.  The tools take turns, and the fastest of
several rounds counts.  Wall times are compared, not the CPU times of workers: the system counts
only processes that have ended, and some tools keep theirs.  Beside the wall time of a sweep in this
process stand its CPU time, which leaves out what a tool waits for, such as the disk, and that time
a point without the function's own.  After the first round the result is opened and one value of it
read.

The script also tries what each tool does after its process was killed, with new labels, with
arrays, with a failing point, and when the function cannot be imported for reading, and whether the
result has units, a status of each point and the versions of libraries.

The other tools are not installed with heatcat: ``pip install 'heatcat[bench]'``.  A tool
that is not installed is named and left out.  ``sweeping/tools.py`` says how each is called.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import tempfile
from importlib.metadata import version
from itertools import product
from pathlib import Path

import xarray as xr
from sweeping.checks import CHECKS, sums
from sweeping.child import ChildFailed, answer, start
from sweeping.tools import TOOLS, Axes, Tool

OWN_SECONDS = {"spinning": 1e-3, "nothing": 0.0}
"""The functions that are timed, and how long a call of each takes."""


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000, help="of no time (default: 10^5)")
    parser.add_argument("--busy", type=int, default=1000, help="points of 1 ms (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts (default: 3)")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2], help="0: this process")
    parser.add_argument("--only", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    parser.add_argument("--checks", nargs="*", choices=list(CHECKS), default=list(CHECKS))
    options = parser.parse_args()
    tools = [TOOLS[title] for title in options.only]
    missing = [tool for tool in tools if importlib.util.find_spec(tool.module) is None]
    tools = [tool for tool in tools if tool not in missing]
    names = dict.fromkeys(f"{tool.package} {version(tool.package)}" for tool in tools)
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, xarray {xr.__version__}, files in "
        f"{tempfile.gettempdir()}; fastest of {options.rounds}"
    )
    print(f"tools       {', '.join(names)}")
    for tool in missing:
        print(f"            {tool.title}: not installed (pip install {tool.package})")
    with tempfile.TemporaryDirectory() as folder:
        for function, points in (("spinning", options.busy), ("nothing", options.points)):
            place = Path(folder) / function
            place.mkdir()
            compare(tools, function, axes_of(points), options.workers, options.rounds, place)
        for name in options.checks:
            title, check = CHECKS[name]
            print(f"\n{title}")
            for tool in tools:
                if tool.read is None:
                    continue
                place = Path(folder) / name / tool.title
                place.mkdir(parents=True)
                try:
                    print(f"{tool.title:20} {check(tool, place)}", flush=True)
                except ChildFailed as failure:
                    print(f"{tool.title:20} failed: {failure}", flush=True)


def axes_of(points: int) -> Axes:
    """Axes of about this many points, with at most 100 labels along b."""
    inner = min(points, 100)
    return {"a": list(range(points // inner)), "b": list(range(inner))}


def compare(
    tools: list[Tool], function: str, axes: Axes, workers: list[int], rounds: int, folder: Path
) -> None:
    """Time all tools and print a table."""
    times: dict[tuple[str, int], list[tuple[float, float]]] = {}
    opened: dict[str, tuple[float, float]] = {}
    failures: dict[tuple[str, int], str] = {}
    for turn, number, tool in product(range(rounds), workers, tools):
        key, place = (tool.title, number), folder / f"{turn} {number} {tool.title}"
        place.mkdir()
        if key in failures:
            continue
        try:
            child = start(tool, place, function=function, axes=axes, workers=number, warm=True)
            done = answer(child)
            times.setdefault(key, []).append((done["seconds"], done["cpu"]))
            if turn == 0 and tool.read is not None:
                found = answer(start(tool, place, warm=True))
                opened[tool.title] = found["seconds"], found["cpu"]
                if found["values"] != sums(axes):
                    raise ChildFailed("the result is wrong")
        except ChildFailed as failure:
            failures[key] = str(failure)
    points = len(sums(axes))
    for number in workers:
        where = f"{number} worker processes" if number else "this process"
        print(f"\n{points} points of {1e3 * OWN_SECONDS[function]:g} ms each, {where}")
        nothing = float("nan")
        ours = min(wall for wall, _ in times.get(("heatcat", number), [(nothing, nothing)]))
        for tool in tools:
            if reason := failures.get((tool.title, number)):
                print(f"{tool.title:20} failed: {reason}")
                continue
            found = times[tool.title, number]
            wall, cpu = min(w for w, _ in found), min(c for _, c in found)
            beyond = 1e6 * (cpu / points - OWN_SECONDS[function])
            own = "" if number else f"   {cpu:8.3f} s CPU, {beyond:9.1f} µs a point of its own"
            print(
                f"{tool.title:20} {wall:8.3f} s wall {wall / ours:8.3f} x heatcat's{own}",
                flush=True,
            )
    print(f"\n{points} points opened, and the first value read, in a new process after imports")
    for title, (wall, cpu) in opened.items():
        print(f"{title:20} {1e3 * cpu:8.1f} ms CPU {1e3 * wall:9.1f} ms wall")


if __name__ == "__main__":
    main()
