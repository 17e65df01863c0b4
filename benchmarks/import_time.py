"""How long importing takes, beside ``import xarray``.

    python benchmarks/import_time.py

Each statement runs in a process of its own.  The statements take turns, several times over, and the
fastest time of each counts, because other work of the machine only adds time.  Every time includes
the start of Python itself.  The last two statements are what the user of a sweep waits for.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time

RIVAL = "import xarray"
STATEMENTS = (
    "import catalog",
    "import analyses",
    "import heatcat",
    "heatcat --version",
    "heatcat --help",
    "from catalog import Sweep",
    "from catalog import run",
)


def seconds(statement: str) -> float:
    """Wall time of a new process."""
    program, *words = statement.split()
    command = ["-m", program, *words] if program == "heatcat" else ["-c", statement]
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="the fastest counts (default: 7)")
    options = parser.parse_args()
    times: dict[str, list[float]] = {statement: [] for statement in (RIVAL, *STATEMENTS)}
    for _ in range(options.rounds):
        for statement, found in times.items():
            found.append(seconds(statement))
    print(f"Python {platform.python_version()}, {platform.machine()}")
    for statement, found in times.items():
        print(f"{statement:26} {min(found):6.2f} s   {min(found) / min(times[RIVAL]):5.2f} x")


if __name__ == "__main__":
    main()
