"""Predicted time and memory of blocks, from a prior that stored timings rescale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.store import StoredSweep
from catalog.structure import lacking
from catalog.sweep import Index, Sweep

WRITE_SECONDS = 0.04
"""Time to write one block, about 2 ms an array."""
LARGEST_COMPLETE = 24
"""N up to which sectors are solved whole."""
LIMIT_SECONDS = {"macroscopic": 0.1, "cumulant": 2e-3, "bosonic": 5e-4}
"""Prior for a point of a limit, which has no size; cold baths and strong drives take longer."""
PROCESS_BYTES = 200e6
"""Resident memory of a worker process before it solves anything."""


@dataclass(frozen=True)
class Plan:
    """What a sweep still has to do.

    Attributes
    ----------
    points, blocks : int
        Size of the whole sweep.
    points_done, blocks_done : int
    core_seconds : float
        Predicted solve and write time of the missing blocks, on one core.
    peak_bytes : float
        Predicted resident memory of one worker process at its largest block.
    measured_points : int
        Number of stored timings behind the prediction; 0 means the built-in prior alone.
    """

    points: int
    points_done: int
    blocks: int
    blocks_done: int
    core_seconds: float
    peak_bytes: float
    measured_points: int


def plan(sweep: Sweep, store: StoredSweep | None = None) -> Plan:
    """Predict the rest of a sweep; computes no point."""
    blocks = None if store is None else store.blocks(sweep)
    seconds = _seconds(sweep)
    speed, measured = _calibration(seconds, store, sweep)
    if store is None or blocks is None:
        work = [(sweep, index) for index in sweep.block_indices()]
        total = len(work)
    else:
        work = [(block.part.sweep, block.index) for block in store.missing(sweep)]
        more = [(part, i) for part in lacking(store, sweep) for i in part.block_indices()]
        work += more
        total = len(blocks) + len(more)
    levels = [_levels(grid)[grid.block_slices(index)] for grid, index in work]
    solve = [float(_seconds(grid)[grid.block_slices(index)].sum()) for grid, index in work]
    return Plan(
        points=sweep.size,
        points_done=sweep.size - sum(part.size for part in levels),
        blocks=total,
        blocks_done=total - len(work),
        core_seconds=sum(WRITE_SECONDS + speed * seconds for seconds in solve),
        peak_bytes=max(
            (PROCESS_BYTES + point_bytes(int(part.max())) for part in levels), default=0
        ),
        measured_points=measured,
    )


def block_seconds(sweep: Sweep, indices: Iterable[Index]) -> list[float]:
    """Predicted time of each block on one core, by the prior."""
    seconds = _seconds(sweep)
    return [WRITE_SECONDS + float(seconds[sweep.block_slices(index)].sum()) for index in indices]


def _seconds(sweep: Sweep) -> NDArray:
    """Prior for the time of every point, shape ``sweep.shape``."""
    if sweep.method.name in LIMIT_SECONDS:
        return np.full(sweep.shape, LIMIT_SECONDS[sweep.method.name])
    return point_seconds(_levels(sweep))


def point_seconds(levels: NDArray) -> NDArray:
    """Prior for the time of one point, all default variables, spins up to levels/2.

    Complete sectors (N ≤ 24): a fixed cost, assembly ~ N³ and factorisation ~ N⁶, fitted to 2.8,
    5, 15, 33 and 73 ms at N = 1, 8, 16, 20 and 24.  Truncated ones: ~ N³, fitted to 0.5, 3.9 and
    26 s at N = 100, 256 and 512 (one core; a strong drive costs more, cold baths less).
    """
    N = np.asarray(levels, dtype=float)
    complete = 2.8e-3 + 2.7e-6 * N**3 + 1.5e-10 * N**6
    return np.where(N <= LARGEST_COMPLETE, complete, 0.15 + 2.2e-7 * N**3)


def point_bytes(levels: int) -> float:
    """Prior for the memory of one solve: the factors, or vectors of about N² Q elements."""
    return 4e7 + 6.0 * levels**3


def _levels(sweep: Sweep) -> NDArray:
    """The larger of 2S₁ and 2S₂ at every point, shape ``sweep.shape``."""

    def along(name: str) -> Any:
        if name in sweep.axes:
            shape = [-1 if dim == name else 1 for dim in sweep.dims]
            return np.asarray(sweep.axes[name], dtype=float).reshape(shape)
        return np.asarray(sweep.fixed[name]) if name in sweep.fixed else None

    largest = np.asarray(0.0)
    for name in ("spin_1", "spin_2"):
        spin = along(name)
        levels = along("N") if spin is None else 2 * spin
        if levels is None:  # a limit: no size to speak of
            levels = np.asarray(1.0)
        largest = np.maximum(largest, levels)
    return np.broadcast_to(largest, sweep.shape)


def _calibration(seconds: NDArray, store: StoredSweep | None, sweep: Sweep) -> tuple[float, int]:
    """Measured over predicted time of the stored points, and how many there are."""
    if store is None:
        return 1.0, 0
    times = store.values("wall_time", sweep)
    known = np.isfinite(times)
    if not known.any():
        return 1.0, 0
    return float(times[known].sum() / seconds[known].sum()), int(known.sum())
