"""Clusters of real processes: killed workers and schedulers, waiting, memory, and profiles."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dask
import distributed
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import catalog.running.dispatch
import catalog.running.stopped
import catalog.running.workers
from catalog import Block, Profile, RunStopped, find_sweep, run
from catalog.cost.model import CostModel
from catalog.running import slurm_commands
from catalog.running.admission import GIB, Admission
from catalog.running.dispatch import completed
from catalog.running.profile_file import profile_from_toml, read_profile
from catalog.running.workers import (
    MemoryResource,
    checked,
    packed,
    require_usable,
    worker_memory,
)
from tests.catalog.processes import ROOT, Cluster, cluster, heatcat, kill_9, wait_for
from tests.catalog.support import (
    block_content,
    finished_blocks,
    refused,
    stored_values,
    tiny_sweep,
)

pytestmark = pytest.mark.kills

SWEEP = """
[sweep]
name = "dispatched"
energy_unit = "omega_0"
variables = ["power", "efficiency", "cop"]

[axes]
N = [10, 12, 14, 16]
delta_E = {start = 25.0, stop = 250.0, num = 16}

[fixed]
T_mean = 60
omega_0 = 1
E_1 = 100
delta_T = 100
Gamma_0 = 1

[blocks]
N = 1
delta_E = 2
"""
BLOCKS = 32

MODEL = tiny_sweep().model


@pytest.fixture(scope="module")
def sweep_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "dispatched.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(sweep_file, tmp_path_factory) -> dict[str, Any]:
    location = tmp_path_factory.mktemp("synchronous")
    assert run(find_sweep(str(sweep_file)), location, scheduler="synchronous")["ok"] == 2 * BLOCKS
    return stored_values(location, "dispatched")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Cluster]:
    """A scheduler to which tests bring their own workers, and take them away again."""
    with cluster(tmp_path_factory.mktemp("shared")) as started:
        yield started


@pytest.fixture
def bare(shared) -> Iterator[Cluster]:
    """The shared scheduler without workers."""
    yield shared
    while shared.workers:
        kill_9(shared.workers.pop())
    with distributed.Client(shared.address, set_as_default=False) as client:
        wait_for(lambda: not client.nthreads(), "the end of the workers")


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_workers_killed_amid_their_blocks_lose_nothing(kills, bare, sweep_file, expected, tmp_path):
    for _ in range(2):
        bare.start_worker("--nthreads", "1")
    rng = random.Random(kills)
    moments = set(rng.sample(range(2, BLOCKS - 6), kills))
    seen: Counter = Counter()
    files: dict[Any, Any] = {}

    def kill_sometimes(block: Block, counts: dict[str, int]) -> None:
        index = block.index
        seen[index] += 1
        files[index] = block_content(tmp_path, index, "dispatched")
        if len(seen) in moments:
            kill_9(bare.workers.pop(0))
            bare.start_worker("--nthreads", "1")

    counts = run(
        find_sweep(str(sweep_file)), tmp_path, scheduler=bare.address, on_block=kill_sometimes
    )
    lost = BLOCKS - len(finished_blocks(tmp_path, "dispatched"))
    again = sum(block_content(tmp_path, index, "dispatched") != files[index] for index in files)
    print(
        f"{len(moments)} workers killed: {BLOCKS} blocks, {lost} lost, "
        f"{sum(seen.values()) - len(seen)} duplicated, {again} written again"
    )
    assert counts["ok"] == 2 * BLOCKS
    assert lost == again == 0
    assert set(seen.values()) == {1}
    assert stored_values(tmp_path, "dispatched") == expected


def test_a_killed_scheduler_ends_the_run_in_one_line(sweep_file, expected, tmp_path):
    store = tmp_path / "store"
    with cluster(tmp_path, workers=1) as started:
        with heatcat(
            "run", sweep_file, "--store", store, "--scheduler", started.address
        ) as process:
            wait_for(lambda: len(finished_blocks(store, "dispatched")) > 5, "the first blocks")
            kill_9(started.scheduler)
            start = time.monotonic()
            _, err = process.communicate(timeout=20)
        assert time.monotonic() - start < 10
        note, head, line = err.splitlines()
        assert process.returncode == 1
        assert note.startswith(f"the connection to {started.address} is open: everybody who can ")
        assert head.startswith("dispatched: 64 points")
        assert line == (
            f"heatcat: the connection to the scheduler at {started.address} is lost; finished "
            "blocks are stored: start a scheduler and run the same command again"
        )
        wait_for(lambda: started.workers[0].poll() is not None, "the end of the worker")
    finished = finished_blocks(store, "dispatched")
    before = {index: block_content(store, index, "dispatched") for index in finished}
    assert run(find_sweep(str(sweep_file)), store, scheduler="synchronous")["ok"] == 2 * BLOCKS
    again = sum(block_content(store, index, "dispatched") != before[index] for index in before)
    print(f"1 scheduler killed after {len(before)} of {BLOCKS} blocks: {again} written again")
    assert again == 0
    assert stored_values(store, "dispatched") == expected


def test_a_run_says_that_it_waits_for_workers(bare, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(catalog.running.dispatch, "SILENCE", 0.5)
    sweep = tiny_sweep()
    said = (
        f"the scheduler at {bare.address} has no workers yet: start some with dask worker "
        f"{bare.address}"
    )

    class Starter(logging.Handler):
        """Does what the message asks for."""

        def emit(self, record: logging.LogRecord) -> None:
            bare.start_worker("--nthreads", "1")

    starter = Starter()
    catalog.running.dispatch.log.addHandler(starter)
    try:
        assert run(sweep, tmp_path, scheduler=bare.address)["ok"] == sweep.size
    finally:
        catalog.running.dispatch.log.removeHandler(starter)
    assert [
        record.message for record in caplog.records if record.name == "catalog.running.dispatch"
    ] == [said]


def test_a_block_that_kills_its_workers_is_named(tmp_path):
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
        pytest.raises(
            catalog.running.stopped.ClusterLost,
            match=r"block \(3,\) was tried on 2 workers and each of them died, most likely for "
            r"lack of memory \(predicted: 0\.5 GiB\); finished .*: give the workers more memory",
        ),
    ):
        list(completed(client, deadly, [(3,)], [GIB / 2], model=MODEL, location=str(tmp_path)))


def deadly(index: tuple[int, ...]) -> None:
    os._exit(1)


@pytest.mark.parametrize("whom", ["group", pytest.param("driver", marks=pytest.mark.slow)])
def test_ctrl_c_leaves_no_process_behind(whom, sweep_file, tmp_path):
    process = heatcat("run", sweep_file, "--store", tmp_path, "--workers", "2")
    wait_for(lambda: len(finished_blocks(tmp_path, "dispatched")) > 1, "the first blocks")
    helpers = psutil.Process(process.pid).children(recursive=True)
    assert len(helpers) >= 2
    (os.kill if whom == "driver" else os.killpg)(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("heatcat: interrupted: finished blocks are stored")
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(helpers, timeout=5)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


def test_workers_with_another_solver_are_refused(bare, tmp_path):
    other = tmp_path / "other"
    for package in ("ensemble", "catalog"):
        shutil.copytree(ROOT / package, other / package)
    with (other / "ensemble" / "engine.py").open("a", encoding="utf-8") as file:
        file.write("ANOTHER_VERSION = True\n")
    bare.start_worker("--nthreads", "1", root=other)
    store = tmp_path / "store"
    with refused(
        r"1 of 1 workers have another version of heatcat's solver than this process: install the "
        r"same version there and restart them"
    ):
        run(tiny_sweep(), store, scheduler=bare.address)
    assert not store.exists()


def test_a_worker_with_another_solver_that_joins_late_is_refused():
    with refused("a worker has another version .*: install the same version there and restart .*"):
        checked(packed(deadly, MODEL, (0,)), "the solver", "another hash")


def test_workers_that_cannot_import_heatcat_are_refused(bare, tmp_path):
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "__init__.py").write_text("raise ImportError('too old')")
    bare.start_worker("--nthreads", "1", root=tmp_path)
    with (
        distributed.Client(bare.address, set_as_default=False) as client,
        refused(
            r"worker tcp://.* cannot run heatcat \(ImportError\('too old'\)\): install there the "
            "version that is installed here"
        ),
    ):
        list(completed(client, deadly, [(0,)], [1.0], model=MODEL, location=str(tmp_path)))


def test_threads_of_this_process_do_as_a_cluster(expected, sweep_file, tmp_path):
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        run(find_sweep(str(sweep_file)), tmp_path, scheduler=client)
    assert stored_values(tmp_path, "dispatched") == expected


def test_a_worker_that_dies_before_it_is_examined_is_no_reason_to_stop(bare, tmp_path):
    """It is stopped, so that the question is under way when it dies."""
    for _ in range(2):
        bare.start_worker("--nthreads", "1")
    with distributed.Client(bare.address, set_as_default=False) as client:
        client.wait_for_workers(2)
        doomed = bare.workers.pop()
        doomed.send_signal(signal.SIGSTOP)
        killer = threading.Timer(0.5, kill_9, [doomed])
        killer.start()
        require_usable(client, MODEL, str(tmp_path))
        killer.join()


def test_workers_that_do_not_see_the_store_are_refused(bare):
    bare.start_worker("--nthreads", "1")
    with (
        distributed.Client(bare.address, set_as_default=False) as client,
        refused(
            r"1 of 1 workers do not see the store /not/here \(tcp://.*\): put it on a file system "
            "that every worker shares"
        ),
    ):
        list(completed(client, deadly, [(0,)], [1.0], model=MODEL, location="/not/here"))


def test_workers_that_do_not_see_where_a_store_will_be_are_refused(tmp_path, monkeypatch):
    def blind(location: str | None, packed: bytes) -> tuple[str, str, bool]:
        return tiny_sweep().model.source_hash(), "", False

    monkeypatch.setattr(catalog.running.workers, "examined", blind)
    with (
        distributed.Client(processes=False, n_workers=1, dashboard_address=":0") as client,
        refused(
            rf"1 of 1 workers do not see the directory of the store, {tmp_path} \(inproc://.*\): "
            "put it on a file system that every worker shares"
        ),
    ):
        run(tiny_sweep(), tmp_path / "new" / "store", scheduler=client)
    assert not (tmp_path / "new").exists()


def test_a_block_that_no_worker_has_the_memory_for_is_refused(bare, tmp_path):
    bare.start_worker("--nthreads", "1", "--memory-limit", "100MB")
    with refused(
        r"block \(1, 0, 0\) of tiny needs about 0\.\d+ GiB, but the largest worker has 0\.093 GiB: "
        "give workers more memory, or leave its points out"
    ):
        run(tiny_sweep(), tmp_path / "store", scheduler=bare.address)
    assert not (tmp_path / "store").exists()


def spell(index: tuple[int, ...]) -> tuple[float, float]:
    """When this block was begun and finished."""
    start = time.time()
    time.sleep(0.15)
    return start, time.time()


def test_large_blocks_of_one_worker_wait_for_each_other_and_small_ones_do_not(bare, tmp_path):
    bare.start_worker("--nthreads", "4", "--memory-limit", "2GB")
    large, small = [(i,) for i in range(4)], [(i,) for i in range(4, 12)]
    with distributed.Client(bare.address, set_as_default=False) as client:
        needs = [1.2e9] * 4 + [1e7] * 8
        work = completed(client, spell, large + small, needs, model=MODEL, location=str(tmp_path))
        spells = sorted(work)
        assert worker_memory(client) == [2e9]
    assert len(spells) == 12
    assert most_at_once(spells) > 1
    with distributed.Client(bare.address, set_as_default=False) as client:
        client.register_plugin(MemoryResource())
        # Past the driver's own count: the worker itself admits one of them at a time.
        futures = [
            client.submit(spell, index, pure=False, resources={"heatcat_bytes": 1.2e9})
            for index in large
        ]
        assert most_at_once(client.gather(futures)) == 1


def most_at_once(spells: list[tuple[float, float]]) -> int:
    return max(sum(begin <= start < end for begin, end in spells) for start, _ in spells)


def test_a_large_block_goes_on_when_the_only_worker_for_it_is_replaced(bare, tmp_path):
    """dask looks for a worker when one joins, before that has declared its memory."""
    bare.start_worker("--nthreads", "2", "--memory-limit", "1GB")
    bare.start_worker("--nthreads", "2", "--memory-limit", "3GB")
    large = bare.workers[-1]
    started = tmp_path / "started"
    with distributed.Client(bare.address, set_as_default=False) as client:
        client.wait_for_workers(2)
        work = completed(
            client,
            partial(first_time_slow, str(started)),
            [(0,), (1,)],
            [2e9, 1e7],
            model=MODEL,
            location=str(tmp_path),
        )
        assert next(work) == 1
        wait_for(started.exists, "the large block")
        kill_9(large)
        bare.start_worker("--nthreads", "2", "--memory-limit", "3GB")
        assert next(work) == 0
        assert next(work, None) is None


def first_time_slow(started: str, index: tuple[int, ...]) -> int:
    if index == (0,) and not Path(started).exists():
        Path(started).touch()
        time.sleep(60)
    return index[0]


NEEDS = st.lists(st.floats(0.1, 10), min_size=1, max_size=30)


@given(needs=NEEDS, memory=st.floats(10, 30), number=st.integers(1, 8), rng=st.randoms())
def test_admission_keeps_order_number_and_memory_and_ends(needs, memory, number, rng):
    blocks = [(i,) for i in range(len(needs))]
    admission = Admission(blocks, needs, memory=memory)
    handed: list[tuple[int, ...]] = []
    inside: list[tuple[int, ...]] = []
    while len(handed) < len(blocks) or inside:
        taken = admission.take(number)
        handed += taken
        inside += taken
        assert inside, "nothing is in flight and nothing is handed out"
        assert len(inside) <= number
        assert sum(needs[i] for (i,) in inside) <= memory * (1 + 1e-12)
        done = inside.pop(rng.randrange(len(inside)))
        admission.leave(done)
    assert handed == blocks


def test_predicted_bytes_of_blocks_grow_with_N():
    grid = tiny_sweep(axes={"N": [1, 100], "delta_E": [50], "T_mean": [60]}).grid
    small, large = CostModel().peak_bytes([(grid, index) for index in grid.block_indices()])
    assert 1e8 < small < large < 1e9


LEAST: dict[str, Any] = {"kind": "slurm", "jobs": 4, "memory": "8GB"}
PROFILE = {"kind": '"slurm"', "jobs": "4", "memory": '"8GB"'}


def profile_text(**changes: str | None) -> str:
    entries = {**PROFILE, **changes}
    lines = [f"{key} = {value}" for key, value in entries.items() if value is not None]
    return "\n".join(["[cluster]", *lines])


def test_a_profile_is_read_in_full(tmp_path):
    file = tmp_path / "profile.toml"
    file.write_text(
        profile_text(cores="2", prologue='["module load python"]', directives='["--qos=long"]')
    )
    assert read_profile(file) == Profile(
        kind="slurm",
        jobs=4,
        memory="8GB",
        cores=2,
        prologue=("module load python",),
        directives=("--qos=long",),
    )
    assert read_profile(file).worker_bytes == 4e9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("jobs = 4", r"unknown table 'jobs': choose from cluster"),
        ("[clusters]", r"unknown table 'clusters': did you mean 'cluster'\?"),
        ("", r"no table \[cluster\]: write \[cluster\] on a line of its own"),
        ("[cluster", r"not valid TOML: .*"),
        (profile_text(que='"x"'), r"unknown key 'que' in \[cluster\]: did you mean 'queue'\?"),
        (profile_text(kind='"slurn"'), r"unknown kind 'slurn': did you mean 'slurm'\?"),
        (profile_text(kind=None), r'\[cluster\] has no kind: add kind = "slurm"'),
        (profile_text(memory=None), r'\[cluster\] has no memory: add memory = "4GB"'),
        (profile_text(jobs='"4"'), r"jobs must be a whole number, but is '4': correct it"),
        (profile_text(jobs="true"), r"jobs must be a whole number, but is True: correct it"),
        (profile_text(jobs="0"), r"jobs must be at least 1 and .*10000, but is 0: use 1, 2, …"),
        (
            profile_text(jobs="9" * 999),
            r"jobs must be at least 1 and .* a whole number of .* digits: use 1, 2, …",
        ),
        (profile_text(jobs="9" * 9999), "a number has thousands of digits: write fewer"),
        (profile_text(jobs="[" * 9999), "lists or tables are nested too deeply: write them flat"),
        (profile_text(cores="5000"), r"cores must be at least 1 and at most 4096, .*: use 1, 2, …"),
        (profile_text(queue="'a b'"), r"queue must be a name of letters, .* 'a b': correct it"),
        (profile_text(queue="'-p'"), r"queue must be a name of letters, .* '-p': correct it"),
        (profile_text(account="'$(id)'"), r"account must be a name .* '\$\(id\)': correct it"),
        (profile_text(interface="'lo;id'"), r"interface must be a name .* 'lo;id': correct it"),
        (
            profile_text(queue='"a\\n#SBATCH --wrap=id"'),
            r"queue has a line break or another control character in 'a\\n#SBATCH .*': write .*",
        ),
        (
            profile_text(prologue='["a", "b\\nc"]'),
            r"prologue has a line break or another control character in 'b\\nc': write each .*",
        ),
        (
            profile_text(directives='["--a\\u2028b"]'),
            r"directives has a line break or another control character in '--a\\u2028b': write .*",
        ),
        (profile_text(prologue=f'["{"a" * 1001}"]'), "prologue is too long: .*, shorten it"),
        (
            profile_text(local_directory="'/a`id`'"),
            "local_directory must be a path without quotes, .* '/a`id`': rename the directory",
        ),
        (
            profile_text(log_directory="'/a\"b'"),
            "log_directory must be a path without quotes, .*: rename the directory",
        ),
        (
            profile_text(walltime='"1 hour"'),
            "walltime must be a time as SLURM writes it, but is '1 hour': write e.g. .*",
        ),
        (
            profile_text(worker_lifetime='"60"'),
            "worker_lifetime must be a time with its unit, but is '60': write e.g. \"55m\"",
        ),
        (
            profile_text(worker_lifetime='"1h"'),
            "worker_lifetime '1h' is not shorter than walltime '01:00:00': shorten it, so that .*",
        ),
        (
            profile_text(death_timeout='"soon"'),
            "death_timeout must be a time with its unit, but is 'soon': write e.g. \"55m\"",
        ),
        (
            profile_text(memory='"1e400GB"'),
            "memory must be a size, but is '1e400GB': write e.g. memory = \"4GB\"",
        ),
        (profile_text(queue="3"), r"queue must be a string in quotes, but is 3: correct it"),
        (profile_text(prologue='"a"'), r"prologue must be a list of strings, but is 'a': .* it"),
        (profile_text(prologue="[1]"), r"prologue must be a list of strings, but is \[1\]: .* it"),
        (
            profile_text(memory='"lots"'),
            "memory must be a size, but is 'lots': write e.g. memory = \"4GB\"",
        ),
    ],
)
def test_a_wrong_profile_is_refused(text, why):
    with refused(why):
        profile_from_toml(text)


def test_a_profile_that_is_not_there_is_refused(tmp_path):
    with refused(r"cannot read the cluster profile .*: No such file or directory: check the path"):
        read_profile(tmp_path / "profile.toml")


def test_a_profile_file_is_bounded_and_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "profile.toml"
    file.write_text(profile_text(), encoding="utf-8-sig")
    assert read_profile(file).jobs == 4
    with refused("/dev/zero is larger than 16777216 bytes: it is no cluster profile"):
        read_profile("/dev/zero")


@pytest.mark.parametrize(
    ("walltime", "lifetime"),
    [
        ("10", (540, 30)),
        ("10:30", (567, 31.5)),
        ("01:00:00", (3300, 150)),
        ("1-0", (86100, 150)),
        ("1-12:30", (131100, 150)),
        ("1-00:00:01", (86101, 150)),
        ("UNLIMITED", None),
    ],
)
def test_a_worker_ends_before_the_wall_time_of_its_job(walltime, lifetime):
    assert Profile(**LEAST, walltime=walltime).lifetime == lifetime


def test_lifetime_and_timeout_are_those_of_the_profile():
    profile = Profile(**LEAST, worker_lifetime="30m", death_timeout="2m", prologue=["a", "b"])
    assert profile.lifetime == (1800, 90)
    assert profile.death_seconds == 120
    assert profile.prologue == ("a", "b")


def test_a_profile_needs_dask_jobqueue_and_slurm(tmp_path, monkeypatch):
    profile = profile_from_toml(profile_text())
    monkeypatch.setenv("PATH", str(tmp_path))
    with refused("there is no command sbatch here: start the run on a login node of the SLURM .*"):
        run(tiny_sweep(), tmp_path / "store", scheduler=profile)
    assert not (tmp_path / "store").exists()
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with refused(
        r"a cluster profile needs dask-jobqueue: install it with pip install 'heatcat\[slurm\]'"
    ):
        run(tiny_sweep(), tmp_path / "store", scheduler=profile)


def test_a_profile_with_too_little_memory_is_refused_before_any_job(tmp_path):
    with refused(r"block .* needs about .* GiB, but the largest worker has 0\.093 GiB: .*"):
        run(
            tiny_sweep(),
            tmp_path / "store",
            scheduler=profile_from_toml(profile_text(memory='"100MB"')),
        )
    assert not (tmp_path / "store").exists()


def test_run_stopped_is_what_a_lost_cluster_becomes(tmp_path):
    with (
        cluster(tmp_path, workers=1) as started,
        pytest.raises(RunStopped, match=r"the connection to the scheduler at tcp://.* is lost; .*"),
    ):
        run(
            tiny_sweep(),
            tmp_path / "store",
            scheduler=started.address,
            on_block=lambda *_: kill_9(started.scheduler),
        )


def test_a_queue_that_does_not_answer_ends_nothing(monkeypatch, tmp_path):
    """What a command says counts only if it succeeds, soon, and without the user's own filters."""
    monkeypatch.setattr(slurm_commands, "ANSWER_SECONDS", 0.5)
    monkeypatch.setenv("SQUEUE_STATES", "PENDING")
    commands = {
        "gone": None,
        "fails": "echo 17; exit 1",
        "hangs": "exec sleep 60",
        "says": 'echo "17$SQUEUE_STATES"',
    }
    for name, line in commands.items():
        if line is not None:
            (tmp_path / name).write_text(f"#!/bin/bash\n{line}\n")
            (tmp_path / name).chmod(0o755)
    start = time.monotonic()
    answers = {
        name: asyncio.run(slurm_commands.answer_of(str(tmp_path / name))) for name in commands
    }
    assert answers == {"gone": None, "fails": None, "hangs": None, "says": "17\n"}
    assert time.monotonic() - start < 20


def test_fields_of_a_job_are_read_whatever_is_in_them():
    record = "JobId=7 JobState=FAILED Reason=None ExitCode=1:0 StdOut=/my logs/a=b/7.out Power=\n"
    assert slurm_commands.field(record, "JobState") == "FAILED"
    assert slurm_commands.field(record, "ExitCode") == "1:0"
    assert slurm_commands.field(record, "StdOut") == "/my logs/a=b/7.out"
    assert slurm_commands.field(record, "Power") == slurm_commands.field("", "StdOut") == ""
