"""``heatcat run`` that waits for a signal to begin, and notes every block that it solves.

Usage: python -m tests.catalog.counting_run LOG GO STALL ARGUMENTS…

It imports everything, creates GO.PID and waits until the file GO is there, so that several begin
at the same moment.  Of each block that it solves it appends a line to LOG before it starts.  Of the
block STALL ("tiny 0.0.1", or "-" for none) it never comes to an end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import catalog.running.complete
import catalog.running.dispatch  # takes its time, which differs: not after the signal
from catalog.models.contract import Model
from catalog.running.solve import solve_block
from catalog.sweeps.arrays import Arrays
from catalog.sweeps.grid import Grid, Index
from heatcat.cli import main


def begin(log: Path, go: Path, stall: str) -> None:
    """Patch the solver, then wait for the signal."""

    def noting(grid: Grid, index: Index, model: Model) -> Arrays:
        labels = [(name, grid.axes[name][part]) for name, part in slices(grid, index)]
        line = f"{os.getpid()} {labels}\n"
        with log.open("ab", buffering=0) as file:  # one short write to the end: never mixed
            file.write(line.encode())
        if stall == ".".join(map(str, index)):
            time.sleep(600)
        return solve_block(grid, index, model)

    catalog.running.complete.solve_block = noting  # type: ignore[attr-defined]
    go.with_name(f"{go.name}.{os.getpid()}").touch()
    while not go.exists():
        time.sleep(0.0005)


def slices(grid: Grid, index: Index) -> list[tuple[str, slice]]:
    """The labels of a block, by dimension."""
    return list(zip(grid.dims, grid.block_slices(index), strict=True))


if __name__ == "__main__":
    begin(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    sys.argv = ["heatcat", *sys.argv[4:]]
    main()
