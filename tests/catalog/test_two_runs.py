"""Several runs at once on one store share the work, and none harms or repeats another's.

Every run is a process of its own that notes the blocks that it solves.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import catalog
from catalog import Sweep, check, create_or_open, find_sweep, run
from catalog.running.plan import survey
from catalog.store.location import open_storage
from ensemble import Status
from tests.catalog.processes import ROOT, kill_9, wait_for
from tests.catalog.support import finished_blocks, stored_values, tiny_sweep

pytestmark = pytest.mark.kills

AXES: dict[str, list[float]] = {
    "N": [1, 2, 3, 4],
    "delta_E": [25, 50, 75, 100, 125, 250],
    "T_mean": [60, 100],
}
SIZE = 48
"""Points, each a block of its own."""


def sweep_file(folder: Path, stem: str, **axes: list[float]) -> Path:
    """A sweep named "shared" over these labels."""
    labels = "\n".join(f"{name} = {values}" for name, values in {**AXES, **axes}.items())
    path = folder / f"{stem}.toml"
    path.write_text(
        '[sweep]\nname = "shared"\nenergy_unit = "omega_0"\nvariables = ["power", "cop"]\n'
        f"[axes]\n{labels}\n"
        "[fixed]\nomega_0 = 1\nE_1 = 100\ndelta_T = 100\nGamma_0 = 1\n"
        "[blocks]\nN = 1\ndelta_E = 1\nT_mean = 1\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return sweep_file(tmp_path_factory.mktemp("sweep"), "whole")


@pytest.fixture(scope="module")
def expected(file, tmp_path_factory) -> dict[str, Any]:
    """Values of a single run."""
    location = tmp_path_factory.mktemp("alone")
    assert run(find_sweep(str(file)), location, scheduler="synchronous")["ok"] == SIZE
    return stored_values(location, "shared")


@dataclass
class Drivers:
    """Runs that begin at one moment, and the log of the blocks that they solve."""

    folder: Path
    store: Path
    processes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "solved"

    def start(self, *files: Path, stall: str = "-", workers: int = 1) -> None:
        """One run a file; all are ready when this returns, and begin then."""
        go = self.folder / f"go{len(self.processes)}"
        command = [sys.executable, "-m", "tests.catalog.counting_run", self.log, go, stall]
        started = [
            subprocess.Popen(
                [*map(str, command), "run", file, "--store", self.store, "--workers", str(workers)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for file in files
        ]
        self.processes += started
        wait_for(
            lambda: all(go.with_name(f"{go.name}.{p.pid}").exists() for p in started), "the runs"
        )
        go.touch()

    def finish(self) -> list[str]:
        """What each said; all must have ended well."""
        said = []
        for process in self.processes:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            assert len(err.splitlines()) == 1, err  # what it is about to do, and no complaint
            said.append(out)
        return said

    def solved(self) -> Counter[str]:
        """How often each block was begun, by its labels."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return Counter(line.partition(" ")[2] for line in lines)

    def by_run(self) -> Counter[str]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return Counter(line.partition(" ")[0] for line in lines)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def drivers(tmp_path):
    started = Drivers(tmp_path, tmp_path / "store")
    yield started
    started.end()


def assert_sound(store: Path) -> None:
    """Nothing damaged, half-written or held, in whatever order the runs came."""
    report = check(store)
    assert report.sound
    assert (report.unfinished, report.leavings) == (0, 0)
    for part in catalog.open(store)["shared"].parts:
        assert part.leases.held() == {}


@pytest.mark.parametrize("number", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_runs_that_begin_a_store_together_share_it(number, drivers, file, expected):
    drivers.start(*[file] * number)
    for said in drivers.finish():
        assert said.startswith(f"shared: {SIZE} ok  ->")
    solved, by_run = drivers.solved(), drivers.by_run()
    print(f"{number} runs: {dict(by_run)} of {SIZE} blocks, {solved.total() - SIZE} duplicated")
    assert len(solved) == solved.total() == SIZE
    assert stored_values(drivers.store, "shared") == expected
    assert_sound(drivers.store)
    (entry,) = catalog.open(drivers.store).values()
    assert len(entry.parts) == 1
    records = entry.history()
    assert {record["outcome"] for record in records} == {"complete"}
    # The array says who solved what: as many runs as the log, each with its number of blocks.
    shares = Counter(entry.values("run").ravel().tolist())
    assert set(shares) <= {record["run"] for record in records}
    assert sorted(shares.values()) == sorted(by_run.values())


def test_runs_that_go_on_with_a_store_share_what_is_left(drivers, file, expected):
    sweep = find_sweep(str(file))
    catalog.dataset(sweep, drivers.store).power.sel(N=[1, 3]).compute()
    before = len(finished_blocks(drivers.store, "shared"))
    drivers.start(file, file)
    assert [said.partition(" ->")[0].strip() for said in drivers.finish()] == [
        f"shared: {SIZE} ok"
    ] * 2
    solved = drivers.solved()
    assert len(solved) == solved.total() == SIZE - before == SIZE // 2
    assert stored_values(drivers.store, "shared") == expected
    assert_sound(drivers.store)


def test_two_extensions_at_once_that_overlap_make_one_grid(drivers, file, tmp_path):
    run(find_sweep(str(file)), drivers.store, scheduler="synchronous")
    upward = sweep_file(tmp_path, "upward", delta_E=[*AXES["delta_E"], 300, 350])
    across = sweep_file(tmp_path, "across", delta_E=[60, 75, 100, 300], T_mean=[60, 80, 100])
    files = [upward, across]
    drivers.start(*files)
    sweeps = [find_sweep(str(path)) for path in files]
    for said, sweep in zip(drivers.finish(), sweeps, strict=True):
        assert said.startswith(f"shared: {sweep.size} ok  ->")
    asked = points(find_sweep(str(file)))
    extension = set().union(*map(points, sweeps)) - asked
    solved = drivers.solved()
    print(f"{len(extension)} points added, {solved.total() - len(extension)} duplicated")
    assert len(solved) == solved.total() == len(extension)
    stored = catalog.open(drivers.store)["shared"]
    assert sum(part.grid.size for part in stored.parts) == len(asked | extension)
    ds = stored.dataset().compute()
    assert int((ds.status == Status.OK).sum()) == len(asked | extension)
    for sweep in sweeps:
        alone = catalog.dataset(sweep).power.compute()
        together = ds.power.sel({name: list(labels) for name, labels in sweep.axes.items()})
        assert together.values.tobytes() == alone.values.tobytes()
    assert_sound(drivers.store)


def points(sweep: Sweep) -> set[tuple[float, ...]]:
    return {(n, e, t) for n in sweep.axes["N"] for e in sweep.axes["delta_E"]
            for t in sweep.axes["T_mean"]}  # fmt: skip


def test_what_a_killed_run_was_at_is_taken_over_at_once(drivers, file, expected):
    """The first holds its block for ever; the second waits for that, and for nothing else."""
    drivers.start(file, stall="2.3.1")
    wait_for((drivers.store / "shared" / "zarr.json").exists, "the template")
    wait_for(lambda: held(drivers.store) == {"2.3.1"}, "the stalled block")
    drivers.start(file)
    wait_for(lambda: len(finished_blocks(drivers.store, "shared")) == SIZE - 1, "the other blocks")
    time.sleep(1.5)
    stalled, other = drivers.processes
    assert other.poll() is None  # it waits
    assert catalog.open(drivers.store)["shared"].counts()["running"] == 1
    kill_9(stalled)
    killed = time.monotonic()
    out, err = other.communicate(timeout=30)
    waited = time.monotonic() - killed
    print(f"taken over and finished {waited:.1f} s after the kill")
    assert waited < 10  # a lease lasts two minutes
    assert other.returncode == 0, err
    assert out.startswith(f"shared: {SIZE} ok  ->")
    solved = drivers.solved()
    assert len(solved) == SIZE
    assert solved.total() == SIZE + 1  # the block that was not finished
    assert stored_values(drivers.store, "shared") == expected
    assert_sound(drivers.store)
    assert [record["outcome"] for record in catalog.open(drivers.store)["shared"].history()] == [
        "begun", "complete",
    ]  # fmt: skip


def held(store: Path) -> set[str]:
    (part,) = catalog.open(store)["shared"].parts
    return set(part.leases.held())


ROOTS, STORES = 150, 5


def begin_stores(folder: str, number: int, barrier: Any, outcomes: Any) -> None:
    """One of several processes that begin, round by round, a store together, each another sweep."""
    errors = []
    labels = [[50.0], [50.0, 125.0], [50.0, 125.0, 250.0], [125.0, 250.0]][number]
    axes = {"N": [1, 2], "delta_E": labels, "T_mean": [60.0, 100.0]}
    sweep = tiny_sweep(variables=["power"], axes=axes, blocks={})
    for turn in range(ROOTS + STORES):
        barrier.wait(60)
        try:
            if turn < ROOTS:
                open_storage(Path(folder) / f"root{turn}", write=True)
            else:
                stored = create_or_open(Path(folder) / f"store{turn - ROOTS}", sweep)
                assert survey(sweep, stored).points_left == sweep.size
        except Exception as failure:
            errors.append(f"round {turn}: {failure!r}")
    outcomes.put(errors)


def test_a_store_that_several_begin_at_the_same_moment_is_one_store(tmp_path):
    """Again and again the moment of creation, which the tests above meet once."""
    context = multiprocessing.get_context("spawn")
    number = 4
    barrier, outcomes = context.Barrier(number), context.Queue()
    processes = [
        context.Process(target=begin_stores, args=(str(tmp_path), i, barrier, outcomes))
        for i in range(number)
    ]
    for process in processes:
        process.start()
    errors = [error for _ in processes for error in outcomes.get(timeout=90)]
    for process in processes:
        process.join(10)
    assert errors == []
    for turn in range(STORES):
        location = tmp_path / f"store{turn}"
        stored = catalog.open(location)["tiny"]
        assert sum(part.grid.size for part in stored.parts) == stored.grid.size == 12
        assert not np.any(stored.values("status"))
        report = check(location)
        assert report.sound
        assert report.leavings == 0
