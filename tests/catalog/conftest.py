"""Fixtures: a record of the blocks that are solved."""

from __future__ import annotations

import signal

import pytest

import catalog.reading.lazy
import catalog.running.complete
from catalog.models.contract import Model
from catalog.running.solve import solve_block
from catalog.sweeps.arrays import Arrays
from catalog.sweeps.grid import Grid, Index

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # In the background of a script Ctrl-C is ignored, also by the processes that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[Index]:
    """Indices of the blocks that are solved in this process, in order."""
    indices: list[Index] = []

    def recording(grid: Grid, index: Index, model: Model) -> Arrays:
        indices.append(index)
        return solve_block(grid, index, model)

    for module in (catalog.reading.lazy, catalog.running.complete):
        monkeypatch.setattr(module, "solve_block", recording)
    return indices
