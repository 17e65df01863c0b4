"""Runs in SLURM jobs, on a SLURM of one node that is started here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

import catalog
from catalog import Block, Profile, find_sweep, run
from catalog.running import slurm_jobs
from tests.catalog.processes import heatcat, wait_for
from tests.catalog.slurm import jobs, said, slurm
from tests.catalog.support import block_content, finished_blocks, refused, stored_values
from tests.catalog.test_intruders import intrude, listening

pytestmark = pytest.mark.slurm

SWEEP = """
[sweep]
name = "queued"
energy_unit = "omega_0"
variables = ["power", "constancy", "efficiency", "cop"]

[axes]
N = [14, 16, 18, 20]
delta_E = {start = 25.0, stop = 250.0, num = 24}

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
BLOCKS = 48
PROFILE = """
[cluster]
kind = "slurm"
jobs = 2
memory = "700MB"
walltime = "00:10:00"
queue = "debug"
interface = "lo"
log_directory = "{folder}/logs"
local_directory = "{folder}/local"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("slurm")


@pytest.fixture(scope="module")
def cluster(folder) -> Iterator[dict[str, str]]:
    """The environment of a running SLURM, also of this process."""
    with slurm(folder) as environment, pytest.MonkeyPatch.context() as patch:
        for name in ("PATH", "SLURM_CONF"):
            patch.setenv(name, environment[name])
        yield environment


@pytest.fixture(scope="module")
def profile_file(folder) -> Path:
    path = folder / "profile.toml"
    path.write_text(PROFILE.format(folder=folder), encoding="utf-8")
    return path


@pytest.fixture
def profile(profile_file, cluster) -> Iterator[Profile]:
    """Two jobs; after a test none is left."""
    yield catalog.read_profile(profile_file)
    wait_for(lambda: not jobs(cluster), "the end of every job")


@pytest.fixture(scope="module")
def sweep_file(folder) -> Path:
    path = folder / "queued.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(sweep_file, tmp_path_factory) -> dict[str, Any]:
    location = tmp_path_factory.mktemp("synchronous")
    assert run(find_sweep(str(sweep_file)), location, scheduler="synchronous")["ok"] == 2 * BLOCKS
    return stored_values(location, "queued")


def test_a_sweep_in_jobs_equals_the_one_in_this_process(
    sweep_file, profile_file, profile, cluster, expected, tmp_path
):
    with heatcat("run", sweep_file, "--store", tmp_path, "--cluster", profile_file) as process:
        wait_for(lambda: len(jobs(cluster)) == 2, "both jobs")
        number = min(jobs(cluster))
        script = said(cluster, "scontrol", "write", "batch_script", number, "-")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert f"{2 * BLOCKS} ok" in out
    assert "Traceback" not in err
    assert "export OMP_NUM_THREADS=1" in script
    assert "--nthreads 1" in script
    assert stored_values(tmp_path, "queued") == expected


@pytest.mark.parametrize("cores", [1, 2])
def test_a_cancelled_job_loses_nothing_and_is_submitted_anew(
    cores, sweep_file, profile, cluster, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(slurm_jobs, "LOOK_EVERY", 0.5)
    sweep = find_sweep(str(sweep_file))
    profile = replace(profile, cores=cores, memory=f"{700 * cores}MB")
    seen: Counter = Counter()
    files: dict[Any, Any] = {}
    numbers: set[str] = set()
    cancelled = []

    def note(block: Block, counts: dict[str, int]) -> None:
        index = block.index
        seen[index] += 1
        files[index] = block_content(tmp_path, index, "queued")
        numbers.update(jobs(cluster))
        running = sorted(number for number, state in jobs(cluster).items() if state == "RUNNING")
        if len(seen) >= 6 and not cancelled and running:
            cancelled.append(running[0])
            said(cluster, "scancel", running[0])
        if cancelled and len(numbers) < 3 and len(seen) > BLOCKS - 6:
            wait_for(lambda: numbers.update(jobs(cluster)) or len(numbers) >= 3, "a new job")

    assert run(sweep, tmp_path, scheduler=profile, on_block=note)["ok"] == 2 * BLOCKS
    lost = BLOCKS - len(finished_blocks(tmp_path, "queued"))
    again = sum(block_content(tmp_path, index, "queued") != files[index] for index in files)
    print(
        f"{len(cancelled)} job cancelled of {len(numbers)}: {BLOCKS} blocks, {lost} lost, "
        f"{sum(seen.values()) - len(seen)} duplicated, {again} written again"
    )
    assert len(cancelled) == 1
    assert len(numbers) >= 3
    assert lost == again == 0
    assert set(seen.values()) == {1}
    assert stored_values(tmp_path, "queued") == expected


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_no_job_outlives_its_driver(stop, code, profile_file, profile, cluster, tmp_path):
    long = tmp_path / "long.toml"  # it has not ended when it is stopped
    long.write_text(SWEEP.replace("num = 24", "num = 240"), encoding="utf-8")
    process = heatcat("run", long, "--store", tmp_path / "store", "--cluster", profile_file)
    wait_for(lambda: len(finished_blocks(tmp_path / "store", "queued")) > 2, "the first blocks")
    os.kill(process.pid, stop)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in err
    wait_for(lambda: not jobs(cluster), "the end of every job")


def test_nobody_else_gets_into_the_jobs_of_a_run(sweep_file, profile, cluster, tmp_path):
    """Neither by a port nor with the key, which is in files of its owner."""
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    profile = replace(profile, jobs=1, shared_directory=str(home))
    before = listening()
    seen: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        marker = Path(folder) / "marker"

        def attack(*_: object) -> None:
            if seen:
                return
            (number,) = jobs(cluster)
            seen["script"] = said(cluster, "scontrol", "write", "batch_script", number, "-")
            seen["files"] = {
                path.name: oct(path.stat().st_mode & 0o777) for path in home.rglob("*")
            }
            found = {p: p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"])}
            workers = [p for p, words in found.items() if f"{home}/" in " ".join(words)]
            workers += [child for p in workers for child in p.children(recursive=True)]
            seen["commands"] = " ".join(word for p in workers for word in p.cmdline())
            ports = listening(psutil.Process(), *workers) - before
            seen["ports"] = len(ports)
            seen["ways"] = intrude(marker, ports)

        assert run(find_sweep(str(sweep_file)), tmp_path / "store", scheduler=profile,
                   on_block=attack)["ok"] == 2 * BLOCKS  # fmt: skip
        assert not marker.exists()
    assert seen["ways"] == []
    assert seen["ports"] >= 4
    (folder_name,) = (name for name in seen["files"] if name.startswith(".heatcat-"))
    assert seen["files"] == {
        folder_name: "0o700",
        "certificate.pem": "0o600",
        "key.pem": "0o600",
    }
    assert f"{home}/{folder_name}/key.pem" in seen["script"]
    assert "PRIVATE KEY" not in seen["script"] + seen["commands"]
    assert list(home.iterdir()) == []


def test_jobs_that_die_before_a_worker_joins_end_the_run_in_one_line(
    sweep_file, folder, profile, cluster, tmp_path
):
    """Their log is where it is said to be, also if the path has blanks and percent signs."""
    logs = folder / "my 100% logs"
    wrong = folder / "wrong.toml"
    text = PROFILE.format(folder=folder).replace(f"{folder}/logs", str(logs))
    wrong.write_text(text + 'prologue = ["echo no such module >&2; exit 1"]\n', encoding="utf-8")
    start = time.monotonic()
    code = "import catalog.running.slurm_jobs as s; s.LOOK_EVERY = 1.0; import heatcat.cli; "
    code += "heatcat.cli.main()"
    arguments = ["run", sweep_file, "--store", tmp_path / "store", "--cluster", wrong]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    assert time.monotonic() - start < 40
    *warnings, line = done.stderr.splitlines()
    assert done.returncode == 2
    found = re.fullmatch(
        r"heatcat: ([34]) SLURM jobs in a row ended before a worker of theirs joined; job \d+ "
        r"\(FAILED, exit code 1:0\) has its output in (.*): read that file and correct the profile",
        line,
    )
    assert found, done.stderr
    assert Path(found[2]).parent == logs
    assert Path(found[2]).read_text() == "no such module\n"
    assert sum("a SLURM job ended before a worker" in text for text in warnings) == int(found[1])
    assert len(list(logs.iterdir())) == int(found[1])
    assert not (tmp_path / "store").exists()


def test_a_job_that_dies_early_is_submitted_anew(
    sweep_file, profile, expected, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(slurm_jobs, "LOOK_EVERY", 0.5)
    flag = tmp_path / "flag"
    once = replace(profile, jobs=1, prologue=(f"[ -e {flag} ] || {{ touch {flag}; exit 3; }}",))
    store = tmp_path / "store"
    assert run(find_sweep(str(sweep_file)), store, scheduler=once)["ok"] == 2 * BLOCKS
    warned = [record.message for record in caplog.records if record.name == slurm_jobs.__name__]
    assert len(warned) == 1
    assert "(FAILED, exit code 3:0) has its output in " in warned[0]
    assert stored_values(store, "queued") == expected


def slowed(profile: Profile, folder: Path, seconds: float) -> Profile:
    """A profile of one job at a time, whose workers rest before each block."""
    (folder / "sitecustomize.py").write_text(
        "import time\n"
        "import catalog.running.complete as part\n"
        "solve = part.solve_block\n"
        f"part.solve_block = lambda *block: time.sleep({seconds}) or solve(*block)\n"
    )
    lines = (f'export PYTHONPATH="{folder}:$PYTHONPATH"',)
    return replace(profile, jobs=1, prologue=lines)


def test_workers_that_reach_the_end_of_their_life_hand_over_and_are_replaced(
    sweep_file, profile, cluster, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(slurm_jobs, "LOOK_EVERY", 0.5)
    brief = replace(slowed(profile, tmp_path, 0.5), worker_lifetime="15s")
    seen: Counter = Counter()
    numbers: set[str] = set()

    def note(block: Block, counts: dict[str, int]) -> None:
        seen[block.index] += 1
        numbers.update(jobs(cluster))

    store = tmp_path / "store"
    counts = run(find_sweep(str(sweep_file)), store, scheduler=brief, on_block=note)
    assert counts["ok"] == 2 * BLOCKS
    assert len(numbers) > 1
    assert set(seen.values()) == {1}
    assert stored_values(store, "queued") == expected
    first = said(cluster, "scontrol", "show", "job", "--oneliner", min(numbers, key=int))
    assert "JobState=COMPLETED" in first


def test_a_block_that_takes_longer_than_a_worker_lives_ends_the_run(
    sweep_file, profile, tmp_path, monkeypatch
):
    monkeypatch.setattr(slurm_jobs, "LOOK_EVERY", 0.5)
    brief = replace(slowed(profile, tmp_path, 60), worker_lifetime="5s")
    with pytest.raises(
        catalog.RunStopped,
        match=r"a block was begun 3 times, and each time its worker ended before the block was "
        r"finished; finished blocks are stored: raise walltime \(and worker_lifetime, .*\)",
    ):
        run(find_sweep(str(sweep_file)), tmp_path / "store", scheduler=brief)


def test_the_printed_script_is_the_one_that_is_submitted(
    sweep_file, profile_file, profile, cluster, tmp_path
):
    command = [sys.executable, "-m", "heatcat", "cluster-script", str(profile_file)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with heatcat("run", sweep_file, "--store", tmp_path, "--cluster", profile_file) as process:
        wait_for(lambda: jobs(cluster), "a job")
        submitted = said(cluster, "scontrol", "write", "batch_script", min(jobs(cluster)), "-")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    for words, what in (
        (r"tls://\S+", "tls://SCHEDULER:PORT"),
        (r"--name \S+", "--name NAME"),
        (r"/\S+/\.heatcat-[^/]+/", "PRIVATE_DIRECTORY/"),
    ):
        submitted = re.sub(words, what, submitted)
    assert submitted.strip() == printed.strip()


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("queue", "nowhere", r".*[Ii]nvalid partition.*"),
        ("memory", "900GB", ".*node configuration is not available"),
        ("directives", ("--no-such-option",), ".*unrecognized option '--no-such-option'.*"),
    ],
)
def test_what_slurm_refuses_is_said_in_its_words(key, value, why, sweep_file, profile, tmp_path):
    wrong = replace(profile, **{key: value})
    with refused(rf"SLURM does not take the job \(sbatch: {why}\): correct the profile"):
        run(find_sweep(str(sweep_file)), tmp_path / "store", scheduler=wrong)
    assert not (tmp_path / "store").exists()
