"""A sweep of a million points: opened in a second, selected from, planned, never submitted whole.

Times are of this process's CPU, which other processes on the machine do not change much.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest

import catalog
from catalog import Sweep, run
from catalog.running.dispatch import QUEUED_PER_WORKER
from tests.catalog.support import FIXED, finished_blocks, tiny_sweep

MILLION = 1_000_000


def million(**changes: Any) -> Sweep:
    axes = {
        "N": list(range(1, 11)),
        "delta_E": [20 + 0.5 * i for i in range(400)],
        "T_mean": [60 + 0.5 * i for i in range(250)],
    }
    return Sweep(name="million", axes=axes, fixed=FIXED, energy_unit="omega_0", **changes)


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    start = time.process_time()
    yield
    took = time.process_time() - start
    print(f"{what}: {took:.2f} s")
    assert took < seconds, f"{what} took {took:.2f} s"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A store of the million, begun; what is imported or compiled once has been."""
    folder = tmp_path_factory.mktemp("million")
    catalog.dataset(tiny_sweep(), folder / "small").power.isel(N=0).compute()
    sweep = million()
    assert sweep.size == MILLION
    with within(2, "creating a store of 10⁶ points and its Dataset"):
        ds = catalog.dataset(sweep, folder / "store")
    assert ds.power.size == MILLION
    return folder / "store"


def test_a_million_points_open_at_once(store):
    with within(1, "describing 10⁶ points and opening their Dataset"):
        ds = catalog.dataset(million(), store)
    assert ds.power.size == MILLION
    with within(1, "opening the catalogue and its Dataset"):
        ds = catalog.open(store)["million"].dataset()
    assert ds.power.size == MILLION
    assert int(ds.status.sel(N=1, delta_E=20).sum()) == 0


def test_one_point_of_a_million_solves_its_block(store, solved):
    ds = catalog.dataset(million(), store)
    before = finished_blocks(store, "million")
    with within(3, "one point of 10⁶, its block solved"):
        value = ds.power.sel(N=2, delta_E=125.0, T_mean=100.0).compute()
    assert len(solved) == 1
    assert finished_blocks(store, "million") - before == set(solved)
    engine = million().model.engine({"N": 2, "delta_E": 125.0, "T_mean": 100.0, **FIXED})
    # Engines of a block are solved together: they agree with the engine alone within rounding.
    alone = million().model.method.solve(engine).values["power"]
    assert float(value) == pytest.approx(alone, rel=1e-12)


def test_what_a_million_points_lack_is_known_soon(store):
    sweep = million()
    stored = catalog.open(store)["million"]
    done = len(finished_blocks(store, "million"))
    with within(5, "missing blocks of 10⁶ points"):
        missing = stored.missing(sweep)
    assert len(missing) == len(list(sweep.grid.block_indices())) - done
    with within(5, "plan of 10⁶ points"):
        plan = catalog.plan(sweep, stored)
    assert (plan.points, plan.blocks - plan.blocks_done) == (MILLION, len(missing))
    assert plan.points - plan.points_done == sum(block.size for block in missing)


def test_no_more_blocks_are_submitted_than_workers_can_soon_take(tmp_path):
    """The scheduler knows a few tasks a thread at any time, however many blocks the sweep has."""
    sweep = tiny_sweep(
        axes={"N": [1], "delta_E": list(np.linspace(50, 250, 200)), "T_mean": [60.0]},
        blocks={"delta_E": 1},
        variables=["power"],
    )
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        watcher = Watcher(client.cluster.scheduler)
        watcher.scheduler.add_plugin(watcher, name="watcher")
        counts = run(sweep, tmp_path, scheduler=client)
    assert counts["ok"] == sweep.size == len(finished_blocks(tmp_path)) == 200
    print(f"of 200 blocks at most {watcher.left} to do and {watcher.known} known to the scheduler")
    assert watcher.transitions > 200
    assert 2 < watcher.left <= QUEUED_PER_WORKER * 2
    assert watcher.known <= watcher.left + 2  # those whose results have just been fetched


class Watcher(distributed.SchedulerPlugin):
    """The most tasks that a scheduler had at a time, looked at whenever one changes."""

    def __init__(self, scheduler: distributed.Scheduler) -> None:
        self.scheduler = scheduler
        self.known = self.left = self.transitions = 0

    def transition(self, *_: Any, **__: Any) -> None:
        states = [task.state for task in self.scheduler.tasks.values()]
        done = sum(state in ("memory", "released", "forgotten") for state in states)
        self.transitions += 1
        self.known = max(self.known, len(states))
        self.left = max(self.left, len(states) - done)
