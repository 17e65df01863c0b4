"""kill -9 of driver, worker or scheduler at random moments: nothing lost, repeated or wrong.

A scheduler, two workers and the command ``heatcat run --scheduler`` are processes of their own.
Whoever is killed is started again, as is the driver when it has stopped for lack of a scheduler.
"""

from __future__ import annotations

import random
import re
import shutil
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
from catalog.sweeps.grid import Index
from ensemble import InvalidInput
from tests.catalog.processes import Cluster, dask, kill_9, wait_for
from tests.catalog.support import block_content, finished_blocks, stored_values

pytestmark = pytest.mark.kills

NAME = "struck"
SWEEP = f"""
[sweep]
name = "{NAME}"
energy_unit = "omega_0"
variables = ["power", "constancy", "efficiency", "cop"]

[axes]
N = [2, 10, 12, 16]
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
STAGES = ("in the template of the first new part", "of the second", "amid the blocks")
"""Where an extension was killed, by the number of new parts that were whole."""
WHOM = ("driver", "worker", "scheduler")
BLOCK_SECONDS = 0.1
"""About the time that one block takes."""
STARTING_SECONDS = 3.0
"""About the time that a driver takes until its first block."""
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
            now = block_content(self.store, index, group)
            if now.keys() != files.keys():
                self.faults["lost"] += 1
            elif now != files:
                self.faults["duplicated"] += 1
        for group in self.groups():
            for index in finished_blocks(self.store, group):
                self.seen.setdefault((group, index), block_content(self.store, index, group))

    def opens(self) -> None:
        """The store opens, with this package and without, and counts no less than was seen."""
        self.look()
        assert not self.faults, self.faults
        for group in self.groups():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with xr.open_zarr(self.store, group=group, consolidated=False) as ds:
                    ds[["power", "error", "status"]].load()
        if not self.groups():
            with pytest.raises(InvalidInput, match=r"there is no store|holds no sweep"):
                catalog.open(self.store)
            return
        stored = catalog.open(self.store)[NAME]
        assert sum(part.grid.size for part in stored.parts) >= POINTS
        finished = {(part.group, index) for part in stored.parts for index in part.finished()}
        assert self.seen.keys() <= finished

    def concludes(self, expected: dict[str, Any], group: str = NAME) -> None:
        """At the end: all there, sound, right, and nobody holds anything."""
        self.opens()
        stored = catalog.open(self.store)[NAME]
        assert stored.missing() == []
        for part in stored.parts:
            assert part.leases.held() == {}
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
    fresh: bool = True
    """Whether the driver has just been started."""
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
        self.fresh = self.driver is None or self.driver.poll() not in (None, 0)
        if self.fresh:
            if self.driver is not None:
                self.note_stopped(self.driver)
            # Into files: nobody reads a pipe meanwhile.
            with self.said.open("w") as out, self.complaints.open("w") as err:
                self.driver = subprocess.Popen(
                    [sys.executable, "-m", "heatcat", "run", str(self.file),
                     "--store", str(self.store), "--scheduler", cluster.address],
                    stdout=out, stderr=err,
                )  # fmt: skip

    def start_scheduler(self) -> None:
        """A scheduler elsewhere, as after a crash: its workers and its driver are lost."""
        if self.scheduler is not None:
            for worker in self.scheduler.workers:
                kill_9(worker)
            assert self.driver is not None
            self.driver.wait(PATIENCE)
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
        if driver.returncode == -9:
            return  # it had been killed
        complaints = self.complaints.read_text()
        *_, line = complaints.splitlines()
        assert driver.returncode in (1, 2), complaints
        assert re.match("heatcat: (the connection to the|cannot reach a) scheduler at ", line), line
        assert "Traceback" not in complaints, complaints
        self.stopped.append(line)

    def wait_for_blocks(self, number: int) -> None:
        """Until so many are finished, or the driver stops."""
        driver = self.driver
        assert driver is not None
        wait_for(
            lambda: len(finished_blocks(self.store, NAME)) >= number or driver.poll() is not None,
            f"{number} blocks",
            PATIENCE,
        )

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
            share = max(BLOCKS - 3 - done, 0) // (len(victims) - number)
            awaited = done + rng.randint(0, share)
            if awaited == done and cluster.fresh:
                time.sleep(rng.uniform(0, STARTING_SECONDS))
            cluster.wait_for_blocks(awaited)
            time.sleep(rng.uniform(0, BLOCK_SECONDS))
            if cluster.driver.poll() == 0:
                break
            cluster.kill(victim, rng)
            witness.kills[victim] += 1
            witness.opens()
            cluster.start()
        assert cluster.driver.wait(PATIENCE) == 0, cluster.complaints.read_text()
        assert f"{POINTS} ok" in cluster.said.read_text()
    witness.concludes(expected)
    assert len(witness.seen) == BLOCKS
    print(
        f"{witness.counts()}; drivers that stopped for lack of a scheduler: {len(cluster.stopped)}"
    )
    return witness


@pytest.mark.parametrize("number", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_driver_workers_and_scheduler_killed_at_random_moments(number, file, expected, tmp_path):
    rng = random.Random(number)
    victims = [WHOM[turn % 3] for turn in range(number)]
    rng.shuffle(victims)
    kills: Counter[str] = Counter()
    stores = 0
    while left := victims[kills.total() :]:
        folder = tmp_path / str(stores)
        folder.mkdir()
        kills += strike(folder, file, left[:10], expected, rng).kills
        stores += 1
    print(f"{kills.total()} kills ({dict(kills)}) on {stores} stores of {BLOCKS} blocks")
    assert kills == Counter(victims)


@pytest.fixture(scope="module")
def begun(file, tmp_path_factory) -> Path:
    """A complete store of the smaller sweep; tests copy it."""
    location = tmp_path_factory.mktemp("begun") / "store"
    run(find_sweep(str(file)), location, scheduler="synchronous")
    return location


def in_a_template(store: Path) -> bool:
    """Whether the extension is being written, or a moment ago was."""
    return (store / f"{NAME}~1").exists()


def kill_extension(file: Path, witness: Witness, moment: Callable[[], bool], delay: float) -> None:
    command = [sys.executable, "-m", "heatcat", "run", str(file), "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--store", str(witness.store)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE
    while not moment():
        assert process.poll() is None, "it ended before the moment came"
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.0005)
    time.sleep(delay)
    process.kill()
    assert process.wait() == -9
    published = len(witness.groups()) - 1
    witness.kills[STAGES[published]] += 1


def strike_extension(
    folder: Path, begun: Path, file: Path, expected: dict[str, Any], rng: random.Random
) -> Witness:
    """One store whose extension is killed while it is begun, and amid its blocks."""
    folder.mkdir()
    witness = Witness(folder / "store")
    shutil.copytree(begun, witness.store)
    witness.look()
    assert len(witness.seen) == BLOCKS

    def extended(number: int) -> bool:
        groups = (f"{NAME}~1", f"{NAME}~2")
        return sum(len(finished_blocks(witness.store, group)) for group in groups) >= number

    larger = file.with_name("larger.toml")
    kill_extension(larger, witness, lambda: in_a_template(witness.store), rng.uniform(0, 0.2))
    witness.opens()
    awaited = rng.randint(1, 20)
    kill_extension(larger, witness, lambda: extended(awaited), rng.uniform(0, BLOCK_SECONDS))
    witness.opens()
    assert (
        run(find_sweep(str(larger)), witness.store, scheduler="synchronous")["ok"] == LARGER_POINTS
    )
    witness.concludes(expected)
    stored = catalog.open(witness.store)[NAME]
    assert sum(part.grid.size for part in stored.parts) == LARGER_POINTS
    found = stored.dataset().drop_vars(["wall_time", "run"]).load()
    whole = catalog.dataset(find_sweep(str(larger))).drop_vars(["wall_time", "run"])
    assert found.drop_attrs().identical(whole.load().drop_attrs())
    print(witness.counts())
    return witness


@pytest.mark.parametrize("stores", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_an_extension_killed_while_it_is_begun_and_amid_its_blocks(
    stores, begun, file, expected, tmp_path
):
    rng = random.Random(stores)
    kills: Counter[str] = Counter()
    for number in range(stores):
        kills += strike_extension(tmp_path / str(number), begun, file, expected, rng).kills
    print(f"{kills.total()} kills of extensions: {dict(kills)}")
    assert kills.total() == 2 * stores
    assert kills["amid the blocks"] >= stores
