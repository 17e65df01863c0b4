"""How long importing and the first command take, beside ``import xarray``.

    python benchmarks/import_time.py

Each statement runs in a process of its own.  The statements take turns, several times over, and the
fastest CPU time of each counts.  Every time includes the start of Python itself.  ``heatcat solve``
solves one engine; the last two statements are what the user of a sweep waits for.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys

SOLVE = (
    "heatcat solve --N 8 --E-1 1 --delta-E 9 --T-mean 13.5 --delta-T 23 --omega-0 0.006 "
    "--Gamma-0 0.001 --scaling high-temperature --json"
)
RIVAL = "import xarray"
STATEMENTS = (
    "import catalog",
    "import analyses",
    "import heatcat",
    "heatcat --version",
    "heatcat --help",
    SOLVE,
    "from catalog import Sweep",
    "from catalog import run",
)


def seconds(statement: str) -> float:
    """CPU time of a new process."""
    program, *words = statement.split()
    command = ["-m", program, *words] if program == "heatcat" else ["-c", statement]
    before = os.times()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="the fastest counts (default: 7)")
    options = parser.parse_args()
    times: dict[str, list[float]] = {statement: [] for statement in (RIVAL, *STATEMENTS)}
    for _ in range(options.rounds):
        for statement, found in times.items():
            found.append(seconds(statement))
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    for statement, found in times.items():
        title = statement.partition(" --N")[0]
        print(f"{title:26} {min(found):6.2f} s CPU   {min(found) / min(times[RIVAL]):5.2f} x")


if __name__ == "__main__":
    main()
