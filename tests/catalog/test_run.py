"""Runs: the same bits from every scheduler, and one line when something stops them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest
from dask.base import get_scheduler

import catalog.running.address
import catalog.running.cluster
import catalog.running.dispatch
import catalog.running.executors
import catalog.running.plan
import catalog.store.durable
import catalog.store.part
from catalog import Block, RunStopped, create_or_open, run
from ensemble import Exact, InvalidInput
from tests.catalog.processes import wait_for
from tests.catalog.support import (
    as_nobody,
    block_content,
    finished_blocks,
    refused,
    stored_values,
    tiny_sweep,
)

SWEEP = tiny_sweep(scaling="high-temperature")
NO_ADDRESSES = (
    "",
    "foo",
    "localhost",
    "tcp://",
    "tcp://host",
    "tcp://host:notaport",
    "tcp://host:99999",
    "tcp://a b:1",
    "tls://",
    "inproc://x",
    "tcp://[::1",
    "tcp://127.0.0.1:1\n",
)


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> dict[str, Any]:
    """Values of the plainest run: one block after the other in this process."""
    location = tmp_path_factory.mktemp("synchronous")
    run(SWEEP, location, scheduler="synchronous")
    return stored_values(location)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """A dask scheduler with one worker of two threads, each a process of its own."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    shared = ["--no-dashboard", "--scheduler-file", str(file)]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{command}", *options, *shared],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command, options in (
            ("dask_scheduler", ["--host", "127.0.0.1", "--port", "0"]),
            ("dask_worker", ["--nthreads", "2", "--no-nanny"]),
        )
    ]
    try:
        deadline = time.monotonic() + 30
        while not (file.exists() and file.read_text().endswith("}")):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def test_results_do_not_depend_on_threads(tmp_path, expected):
    blocks = []
    counts = run(
        SWEEP,
        tmp_path,
        scheduler="threads",
        workers=3,
        on_block=lambda block, found: blocks.append((block.index, found)),
    )
    assert stored_values(tmp_path) == expected
    assert counts["ok"] == SWEEP.size
    assert sorted(index for index, _ in blocks) == list(SWEEP.grid.block_indices())
    assert sum(found["ok"] for _, found in blocks) == SWEEP.size


def test_results_do_not_depend_on_a_cluster_at_an_address(tmp_path, expected, address, monkeypatch):
    # Fewer than the 8 blocks are queued at a time, so that more are handed out as some finish.
    monkeypatch.setattr(catalog.running.dispatch, "QUEUED_PER_WORKER", 1)
    assert run(SWEEP, tmp_path, scheduler=address)["ok"] == SWEEP.size
    assert stored_values(tmp_path) == expected


def test_results_do_not_depend_on_a_client_which_stays_open(tmp_path, expected, address):
    with distributed.Client(address) as client:
        assert run(SWEEP, tmp_path, scheduler=client)["ok"] == SWEEP.size
        assert client.submit(sum, [1, 1]).result() == 2
    assert stored_values(tmp_path) == expected


def test_runs_on_different_schedulers_continue_each_other(tmp_path, expected, address):
    catalog.dataset(SWEEP, tmp_path).power.sel(N=2, delta_E=50).compute()
    first = finished_blocks(tmp_path)
    assert first == {(1, 0, 0), (1, 0, 1)}
    before = {index: block_content(tmp_path, index) for index in first}
    solved = []
    run(SWEEP, tmp_path, scheduler=address, on_block=lambda block, _: solved.append(block.index))
    assert {index: block_content(tmp_path, index) for index in first} == before
    assert sorted(solved) == [i for i in SWEEP.grid.block_indices() if i not in first]
    assert stored_values(tmp_path) == expected


def unexpected(*_: object, **__: object) -> None:
    raise AssertionError("a cluster was started for nothing")


def test_a_script_without_a_main_guard_is_told_to_have_one(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from catalog import run\n"
        "from tests.catalog.support import tiny_sweep\n"
        f"run(tiny_sweep(), {str(tmp_path / 's.zarr')!r}, workers=1)\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert "cannot start worker processes here" in last
    assert "in a script, make the call under 'if __name__ == \"__main__\"'" in last


def test_a_complete_sweep_starts_no_workers(tmp_path, monkeypatch):
    run(SWEEP, tmp_path, scheduler="synchronous")

    monkeypatch.setattr(catalog.running.executors, "connected", unexpected)
    assert run(SWEEP, tmp_path, scheduler="processes")["ok"] == SWEEP.size


class Watcher:
    """Notes all that a run tells it."""

    def __init__(self) -> None:
        self.begun: list[tuple[catalog.Plan, catalog.RunState, list[str]]] = []
        self.finished: list[tuple[Block, dict[str, int], np.ndarray, catalog.RunState]] = []

    def begin(self, plan: catalog.Plan, state: catalog.RunState, notes: Sequence[str]) -> None:
        self.begun.append((plan, state, list(notes)))

    def block_finished(
        self, block: Block, counts: dict[str, int], wall_times: np.ndarray, state: catalog.RunState
    ) -> None:
        self.finished.append((block, counts, wall_times, state))


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_results_do_not_depend_on_the_scheduler_and_who_watches_is_told_all(
    scheduler, tmp_path, expected
):
    """The plan, and every block with its times; the caller's own computing stays where it was."""
    catalog.dataset(SWEEP, tmp_path).power.sel(N=2, delta_E=50).compute()
    forecast = catalog.plan(SWEEP, catalog.find_stored(tmp_path, SWEEP))
    watcher, defaults = Watcher(), []

    def note_default(*_: object) -> None:
        defaults.append(get_scheduler())

    run(
        SWEEP, tmp_path, scheduler=scheduler, workers=2, on_block=note_default, progress=watcher
    )  # fmt: skip
    assert set(defaults) == {None}
    assert stored_values(tmp_path) == expected
    ((plan, first, notes),) = watcher.begun
    assert plan == forecast
    assert (plan.points_done, plan.blocks_done, notes) == (4, 2, [])
    assert (first.points, first.points_done, first.core_seconds_done) == (12, 4, 0.0)
    assert first.core_seconds_left > 0
    assert np.isnan(first.seconds_left)  # no block has shown how many are solved side by side
    solved = set(SWEEP.grid.block_indices()) - {(1, 0, 0), (1, 0, 1)}
    assert {block.index for block, *_ in watcher.finished} == solved
    for block, counts, wall_times, _ in watcher.finished:
        stored = block.part.read(block.index, ["wall_time"])["wall_time"]
        assert wall_times.tolist() == stored.tolist()
        assert counts == {"ok": wall_times.size}
    last = watcher.finished[-1][-1]
    assert (last.points_done, last.points_not_ok) == (12, 0)
    measured = sum(times.sum() for _, _, times, _ in watcher.finished)
    assert last.core_seconds_done == pytest.approx(measured, rel=1e-12)
    assert (last.core_seconds_left, last.seconds_left) == (0, 0)


def test_who_watches_an_extension_is_told_of_its_new_points(tmp_path):
    run(SWEEP, tmp_path, scheduler="synchronous")
    larger = tiny_sweep(
        scaling="high-temperature", axes={**SWEEP.axes, "T_mean": [60.0, 80.0, 100.0]}
    )
    watcher = Watcher()
    run(larger, tmp_path, scheduler="synchronous", progress=watcher)
    ((plan, _, _),) = watcher.begun
    assert (plan.points, plan.points_done, plan.blocks_done) == (18, 12, 8)
    assert watcher.finished[-1][-1].points_done == 18
    run(larger, tmp_path, progress=watcher)  # nothing is left
    plan, state, _ = watcher.begun[-1]
    assert (plan.points_done, plan.core_seconds) == (18, 0.0)
    assert (state.points_done, state.core_seconds_left) == (18, 0.0)


@pytest.mark.parametrize("begun", ["new", "begun", "extended", "complete"])
def test_a_run_looks_once_at_what_is_finished_and_at_its_times(begun, tmp_path, monkeypatch):
    if begun == "begun":
        catalog.dataset(SWEEP, tmp_path).power.sel(N=2, delta_E=50).compute()
    elif begun == "extended":
        fewer = tiny_sweep(scaling="high-temperature", axes={**SWEEP.axes, "N": [1]})
        run(fewer, tmp_path, scheduler="synchronous")
    elif begun == "complete":
        run(SWEEP, tmp_path, scheduler="synchronous")
    looks: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            looks.append(name)
            return function(*arguments)

        return noted

    finished, fitted = catalog.store.part.Part.finished, catalog.running.plan.fitted_model
    monkeypatch.setattr(catalog.store.part.Part, "finished", noting("finished", finished))
    monkeypatch.setattr(catalog.running.plan, "fitted_model", noting("fitted", fitted))
    watcher = Watcher()
    counts = run(SWEEP, tmp_path, scheduler="synchronous", progress=watcher)
    assert counts["ok"] == SWEEP.size == watcher.begun[0][1].points
    once = ["fitted"] if begun == "new" else ["finished", "fitted"]
    assert sorted(looks) == once


def test_an_object_that_cannot_watch_is_refused(tmp_path):
    with refused("progress must have the methods begin and block_finished, but is 5: leave it out"):
        run(SWEEP, tmp_path / "store", progress=5)
    assert not (tmp_path / "store").exists()


def test_expensive_blocks_come_first(tmp_path):
    sizes = []
    sweep = tiny_sweep(axes={"N": [1, 2, 4], "delta_E": [50], "T_mean": [60, 100]})
    run(
        sweep,
        tmp_path,
        scheduler="synchronous",
        on_block=lambda block, _: sizes.append(block.index[0]),
    )
    assert sizes == [2, 2, 1, 1, 0, 0]


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_a_disk_error_stops_the_run_in_one_line_and_it_can_go_on(
    scheduler, tmp_path, monkeypatch, expected
):
    write_file = catalog.store.durable.write_file

    def full_disk(path: Path, content: bytes, **options: Any) -> None:
        if ".heatcat-blocks" in str(path) and path.name.split(".")[1] == "1":
            raise OSError(28, "No space left on device")
        write_file(path, content, **options)

    with monkeypatch.context() as patch:
        patch.setattr(catalog.store.durable, "write_file", full_disk)
        with pytest.raises(RunStopped) as stopped:
            run(SWEEP, tmp_path, scheduler=scheduler, workers=1)
    assert str(stopped.value) == (
        "a block could not be completed (OSError: [Errno 28] No space left on device); finished "
        "blocks are stored: remove the cause and run the same command again"
    )
    assert finished_blocks(tmp_path) == {
        index for index in SWEEP.grid.block_indices() if index[1] == 0
    }
    run(SWEEP, tmp_path, scheduler="synchronous")
    assert stored_values(tmp_path) == expected


def test_damage_found_on_a_cluster_stops_the_run_in_one_line(tmp_path, address, expected):
    create_or_open(tmp_path, SWEEP)
    (tmp_path / "tiny" / "power" / "zarr.json").unlink()
    with refused(
        r"tiny/power/zarr\.json in .* is damaged \(.*\): run heatcat repair .*, then go on"
    ):
        run(SWEEP, tmp_path, scheduler=address)
    reports: list[catalog.Report] = []

    def repaired() -> bool:
        """Blocks that were begun are being finished: until then it is refused."""
        with suppress(InvalidInput):
            reports.append(catalog.repair(tmp_path))
        return bool(reports)

    wait_for(repaired, "the end of the blocks that were begun")
    (report,) = reports
    assert [damage.what for damage in report.damages] == ["power/zarr.json"]
    run(SWEEP, tmp_path, scheduler=address)
    assert stored_values(tmp_path) == expected


def test_stopping_in_the_callback_keeps_the_finished_blocks(tmp_path):
    def interrupt(block: Block, counts: dict[str, int]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(SWEEP, tmp_path, scheduler="synchronous", on_block=interrupt)
    assert len(finished_blocks(tmp_path)) == 1


def test_without_a_scheduler_it_is_the_active_client_as_in_dask(tmp_path, expected, monkeypatch):
    monkeypatch.setattr(catalog.running.cluster, "local_client", unexpected)
    with distributed.Client(processes=False, n_workers=1, dashboard_address=":0"):
        assert run(SWEEP, tmp_path / "active")["ok"] == SWEEP.size
        with pytest.raises(AssertionError, match="for nothing"):
            run(SWEEP, tmp_path / "local", scheduler="processes")
    assert stored_values(tmp_path / "active") == expected
    with pytest.raises(AssertionError, match="for nothing"):  # the client is closed
        run(SWEEP, tmp_path / "local")
    assert not (tmp_path / "local").exists()


def test_a_client_that_cannot_be_used_is_refused(tmp_path, address):
    with distributed.Client(address, set_as_default=False) as client:
        pass
    with refused("the client is closed: connect a new one, or give scheduler='processes'"):
        run(SWEEP, tmp_path / "store", scheduler=client)
    with refused("scheduler must be a name, .*, but is 5: use e.g. .processes."):
        run(SWEEP, tmp_path / "store", scheduler=5)
    assert not (tmp_path / "store").exists()


def test_memory_and_cpus_are_those_that_the_process_may_use(tmp_path, monkeypatch):
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
    code += "import catalog.running.executors; print(catalog.running.executors.CPUS)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"
    monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", 1e8)
    for scheduler in ("synchronous", "threads"):
        with refused(r"block .* needs about .*, but the largest worker has 0\.093 GiB: .*"):
            run(SWEEP, tmp_path / "store", scheduler=scheduler)
    assert not (tmp_path / "store").exists()


def test_a_place_where_no_store_can_be_is_refused_before_a_cluster_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog.running.cluster, "local_client", unexpected)
    (tmp_path / "file").touch()
    with refused("cannot open the store .*: Not a directory: check the path, its permissions .*"):
        run(SWEEP, tmp_path / "file" / "store")
    with refused("is an archive, only to be read: unpack it to a directory"):
        run(SWEEP, tmp_path / "store.zip")
    (tmp_path / "closed").mkdir(mode=0o555)
    why = "cannot open the store .*: Permission denied: check the path, its permissions .*"
    for location in (tmp_path / "closed", tmp_path / "closed" / "store"):
        with as_nobody(tmp_path), refused(why):
            run(SWEEP, location)


@pytest.mark.parametrize("workers", [0, -1])
def test_a_run_needs_a_worker_and_writes_nothing_without(workers, tmp_path):
    with refused(f"workers must be at least 1, but is {workers}: use 1, 2, …"):
        run(SWEEP, tmp_path / "store", workers=workers)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("scheduler", "why"),
    [
        ("tcp://127.0.0.1:1", r"Timed out .* after 0\.3 s"),
        *((text, "an address is scheme://host:port") for text in NO_ADDRESSES),
        ("carrier-pigeon://home:1", "its scheme must be one of tcp, ws, ucx, tls, wss"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_refused_quickly(scheduler, why, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog.running.address, "CONNECT_TIMEOUT", "0.3s")
    start = time.monotonic()
    with refused(
        rf"cannot reach a scheduler at {re.escape(repr(scheduler))} \({why}\): start one with dask "
        r"scheduler and give its address, e\.g\. tcp://127\.0\.0\.1:8786"
    ):
        run(SWEEP, tmp_path / "store", scheduler=scheduler)
    assert time.monotonic() - start < 5
    assert not (tmp_path / "store").exists()
    with pytest.raises(ValueError, match="No clients found"):  # what dask would go on waiting for
        distributed.default_client()


def test_points_of_a_failing_solver_are_counted_and_the_run_goes_on(tmp_path, monkeypatch):
    def broken(self: Exact, engine: Any, variables: Any = None) -> None:
        raise FloatingPointError("overflow")

    monkeypatch.setattr(Exact, "solve", broken)
    seen = []
    counts = run(
        SWEEP, tmp_path, scheduler="synchronous", on_block=lambda _, found: seen.append(found)
    )
    assert counts["failed"] == SWEEP.size
    assert seen[0] == {"failed": 2}
