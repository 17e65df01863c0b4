"""kill -9 of driver, worker or scheduler at random moments: nothing lost, repeated or wrong.

A scheduler, two workers and the command ``heatcat run --scheduler`` are processes of their own.
Whoever is killed is started again, as is the driver when it has stopped for lack of a scheduler.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import catalog
from catalog import check, find_sweep, repair, run
from catalog.sweep import Index, Sweep
from ensemble import InvalidInput
from tests.catalog.processes import Cluster, dask, kill_9, wait_for
from tests.catalog.support import block_files, finished_blocks, stored_values

NAME = "struck"
SWEEP = f"""
[sweep]
name = "{NAME}"
energy_unit = "omega_0"
variables = ["power", "constancy", "efficiency", "cop"]

[axes]
N = [2, 8, 10, 12]
delta_E = [25, 50, 75, 100, 125, 250]
T_mean = [60, 80, 100, 120]

[fixed]
omega_0 = 1
E_1 = 100
delta_T = 100
Gamma_0 = 1

[blocks]
N = 1
delta_E = 1
T_mean = 2
"""
LARGER = SWEEP.replace("125, 250", "125, 150, 250, 300").replace("N = [2,", "N = [1, 2,")
BLOCKS, POINTS = 48, 96
LARGER_POINTS = 160
WHOM = ("driver", "worker", "scheduler")
BLOCK_SECONDS = 0.1
PATIENCE = 60.0


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "struck.toml"
    path.write_text(SWEEP, encoding="utf-8")
    path.with_name("larger.toml").write_text(LARGER, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(file, tmp_path_factory) -> dict[str, Any]:
    """Values of a run that nothing interrupts."""
    location = tmp_path_factory.mktemp("uninterrupted")
    assert run(find_sweep(str(file)), location, scheduler="synchronous")["ok"] == POINTS
    return stored_values(location, NAME)


@dataclass
class Witness:
    """What was seen of a store, and what became of it."""

    store: Path
    kills: Counter[str] = field(default_factory=Counter)
    seen: dict[tuple[str, Index], dict[str, Any]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    """Finished blocks that were lost, or solved again ("duplicated")."""

    def groups(self) -> list[str]:
        """The sweep and its extensions."""
        return sorted(path.parent.name for path in self.store.glob(f"{NAME}*/zarr.json"))

    def look(self) -> None:
        """Note the finished blocks; those that were noted before must be the same files."""
        for (group, index), files in self.seen.items():
            now = block_files(self.store, index, group)
            if now.keys() != files.keys():
                self.faults["lost"] += 1
            elif now != files:
                self.faults["duplicated"] += 1
        for group in self.groups():
            for index in finished_blocks(self.store, group):
                self.seen.setdefault((group, index), block_files(self.store, index, group))

    def opens(self) -> None:
        """The store opens, with this package and without, and counts no less than was seen."""
        self.look()
        assert not self.faults, self.faults
        for group in self.groups():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with xr.open_zarr(self.store, group=group, consolidated=False) as ds:
                    ds.load()
        if not self.groups():
            with pytest.raises(InvalidInput, match=r"there is no store|holds no sweep"):
                catalog.open(self.store)
            return
        stored = catalog.open(self.store)[NAME]
        assert sum(part.sweep.size for part in stored.parts) >= POINTS
        finished = {(part.group, index) for part in stored.parts for index in part.finished()}
        assert self.seen.keys() <= finished

    def concludes(self, expected: dict[str, Any], group: str = NAME) -> None:
        """At the end: all there, sound, right, and nobody holds anything."""
        self.opens()
        stored = catalog.open(self.store)[NAME]
        assert stored.missing() == []
        for part in stored.parts:
            assert part.claims.held() == {}
        assert check(self.store).sound
        self.faults["wrong"] += stored_values(self.store, group) != expected
        assert not self.faults.total(), self.faults
        left = check(self.store).leavings
        assert repair(self.store).leavings == left  # of processes that were killed
        after = check(self.store)
        assert after.sound
        assert after.leavings == 0
        assert list(self.store.rglob("*.partial")) == []

    def counts(self) -> str:
        faults = ", ".join(
            f"{self.faults[fault]} {fault}" for fault in ("lost", "duplicated", "wrong")
        )
        return f"kills: {dict(self.kills)}; blocks: {len(self.seen)}; {faults}"


@dataclass
class Machines:
    """Scheduler, two workers and driver, all to be killed."""

    folder: Path
    file: Path
    store: Path
    started: int = 0
    scheduler: Cluster | None = None
    driver: subprocess.Popen | None = None
    stopped: list[str] = field(default_factory=list)
    """What drivers said that stopped by themselves."""

    def start(self) -> None:
        """Start whoever is not running."""
        if self.scheduler is None or self.scheduler.scheduler.poll() is not None:
            self.start_scheduler()
        assert self.scheduler is not None
        cluster = self.scheduler
        cluster.workers = [worker for worker in cluster.workers if worker.poll() is None]
        while len(cluster.workers) < 2:
            cluster.start_worker("--nthreads", "1")
        if self.driver is None or self.driver.poll() is not None:
            # Into files: nobody reads a pipe meanwhile.
            self.driver = subprocess.Popen(
                [sys.executable, "-m", "heatcat", "run", str(self.file),
                 "--store", str(self.store), "--scheduler", cluster.address],
                stdout=self.said.open("w"), stderr=self.complaints.open("w"),
            )  # fmt: skip

    def start_scheduler(self) -> None:
        """A scheduler elsewhere, as after a crash: its workers and its driver are lost."""
        if self.scheduler is not None:
            for worker in self.scheduler.workers:
                kill_9(worker)
            assert self.driver is not None
            self.note_stopped(self.driver)
        self.started += 1
        folder = self.folder / str(self.started)
        folder.mkdir()
        file = folder / "scheduler.json"
        process = dask("scheduler", folder, file, "--host", "127.0.0.1", "--port", "0")
        self.scheduler = Cluster(folder, process)
        for _ in range(2):
            self.scheduler.start_worker("--nthreads", "1")
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler")

    def note_stopped(self, driver: subprocess.Popen) -> None:
        """A driver whose scheduler is gone ends by itself, in one line."""
        code = driver.wait(PATIENCE)
        if code == -9:
            return  # it had been killed
        *_, line = self.complaints.read_text().splitlines() or [""]
        assert "Traceback" not in self.complaints.read_text(), self.complaints.read_text()
        assert code in (0, 1, 2), line
        if code:
            assert line.startswith("heatcat: "), line
            assert re.search(r"is lost; finished blocks are stored: |cannot reach a sch", line), line
            self.stopped.append(line)

    @property
    def said(self) -> Path:
        return self.folder / "out"

    @property
    def complaints(self) -> Path:
        return self.folder / "err"

    def kill(self, whom: str, rng: random.Random) -> None:
        assert self.scheduler is not None
        assert self.driver is not None
        victims = {
            "driver": [self.driver],
            "scheduler": [self.scheduler.scheduler],
            "worker": self.scheduler.workers,
        }
        kill_9(rng.choice(victims[whom]))

    def end(self) -> None:
        processes = [self.driver] if self.driver is not None else []
        if self.scheduler is not None:
            processes += [self.scheduler.scheduler, *self.scheduler.workers]
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def machines(folder: Path, file: Path, store: Path) -> Iterator[Machines]:
    started = Machines(folder, file, store)
    try:
        yield started
    finally:
        started.end()


def strike(
    folder: Path, file: Path, victims: list[str], expected: dict[str, Any], rng: random.Random
) -> Witness:
    """One store, whose run loses one process after the other."""
    witness = Witness(folder / "store")
    with machines(folder, file, witness.store) as cluster:
        cluster.start()
        assert cluster.driver is not None
        for number, victim in enumerate(victims):
            # Kills spread over the work that is left, the first of them over its beginning.
            done = len(finished_blocks(witness.store, NAME))
            share = (BLOCKS - 3 - done) // (len(victims) - number)
            awaited = done + (rng.randint(0, max(share, 0)) if witness.kills else 0)
            wait_for(
                lambda awaited=awaited: (
                    len(finished_blocks(witness.store, NAME)) >= awaited
                    or cluster.driver.poll() is not None
                ),
                f"{awaited} blocks",
                PATIENCE,
            )
            # While it starts, any time; amid the blocks, up to the time that one takes.
            time.sleep(rng.uniform(0, 2 if done == awaited else BLOCK_SECONDS))
            if cluster.driver.poll() == 0:
                break
            cluster.kill(victim, rng)
            witness.kills[victim] += 1
            witness.opens()
            cluster.start()
        while (code := cluster.driver.wait(PATIENCE)) != 0:
            assert code in (1, -9), cluster.complaints.read_text()
            cluster.start()
        assert f"{POINTS} ok" in cluster.said.read_text()
    witness.concludes(expected)
    assert len(witness.seen) == BLOCKS
    print(f"{witness.counts()}; drivers that stopped for lack of a scheduler: {len(cluster.stopped)}")
    return witness


def test_driver_workers_and_scheduler_killed_nine_times(file, expected, tmp_path):
    rng = random.Random(61)
    victims = [*WHOM] * 3
    rng.shuffle(victims)
    witness = strike(tmp_path, file, victims, expected, rng)
    assert witness.kills == dict.fromkeys(WHOM, 3)


@pytest.mark.slow
def test_a_hundred_kills(file, expected, tmp_path):
    rng = random.Random(100)
    kills: Counter[str] = Counter()
    stores = 0
    while kills.total() < 100:
        folder = tmp_path / str(stores)
        folder.mkdir()
        victims = rng.choices(WHOM, k=min(10, 100 - kills.total()))
        kills += strike(folder, file, victims, expected, rng).kills
        stores += 1
    print(f"{kills.total()} kills ({dict(kills)}) on {stores} stores of {BLOCKS} blocks")
    assert kills.total() == 100
    assert set(kills) == set(WHOM)


@pytest.fixture(scope="module")
def begun(file, tmp_path_factory) -> Path:
    """A complete store of the smaller sweep; tests copy it."""
    location = tmp_path_factory.mktemp("begun") / "store"
    run(find_sweep(str(file)), location, scheduler="synchronous")
    return location


def moments(sweep: Sweep, store: Path, rng: random.Random) -> list[tuple[Callable[[], bool], float]]:
    """In the template of a new part, between two, and amid the new blocks."""

    def exists(name: str) -> Callable[[], bool]:
        return (store / name).exists

    def blocks(number: int) -> Callable[[], bool]:
        return lambda: sum(len(finished_blocks(store, f"{NAME}~{n}")) for n in (1, 2)) >= number

    return [
        (exists(f"{NAME}~1"), rng.uniform(0, 0.05)),
        (exists(f"{NAME}~1/zarr.json"), rng.uniform(0, 0.02)),
        (exists(f"{NAME}~2"), rng.uniform(0, 0.05)),
        (blocks(rng.randint(1, 12)), rng.uniform(0, BLOCK_SECONDS)),
        (blocks(rng.randint(13, 24)), rng.uniform(0, BLOCK_SECONDS)),
    ]
