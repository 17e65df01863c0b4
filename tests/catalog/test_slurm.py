"""Runs in SLURM jobs, on a SLURM of one node that is started here."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import catalog.slurm
from catalog import Block, Profile, find_sweep, run
from tests.catalog.processes import heatcat, wait_for
from tests.catalog.slurm import jobs, said, slurm
from tests.catalog.support import block_content, finished_blocks, refused, stored_values

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
    monkeypatch.setattr(catalog.slurm, "SUBMIT_EVERY", 0.5)
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
def test_no_job_outlives_its_driver(
    stop, code, sweep_file, profile_file, profile, cluster, tmp_path
):
    process = heatcat("run", sweep_file, "--store", tmp_path, "--cluster", profile_file)
    wait_for(lambda: len(finished_blocks(tmp_path, "queued")) > 2, "the first blocks")
    os.kill(process.pid, stop)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in err
    wait_for(lambda: not jobs(cluster), "the end of every job")


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
        run(find_sweep(str(sweep_file)), tmp_path, scheduler=wrong)
    assert not finished_blocks(tmp_path, "queued")
