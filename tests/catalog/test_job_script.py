"""The script of a job: of a profile only the lines that are meant as commands become some."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import Profile
from catalog.running.job_script import Meeting, job_script, log_file
from ensemble import InvalidInput

LEAST: dict[str, Any] = {"kind": "slurm", "jobs": 4, "memory": "8GB"}
SPITEFUL = st.text(st.sampled_from("ab/ ~;&|<>$(){}`'\"\\#*?!%=-\n\r\t\0é\u2028"), max_size=20)
NAMES = ("queue", "account", "interface", "walltime", "memory", "worker_lifetime", "death_timeout")
DIRECTORIES = ("local_directory", "log_directory", "shared_directory")
WORKER = """#!{python}
import json, sys
with open({found!r}, "w") as file:
    json.dump(sys.argv[1:], file)
"""


def test_the_script_in_full(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", "/opt/my python/bin/python")
    monkeypatch.chdir(tmp_path)
    profile = Profile(
        **LEAST,
        cores=2,
        queue="normal",
        account="physics",
        interface="ib0",
        prologue=("module load python",),
        directives=("--qos=long",),
        local_directory="/scratch/$USER/a b",
        log_directory="my logs",
    )
    assert job_script(profile).splitlines() == [
        "#!/usr/bin/env bash",
        "#SBATCH -J heatcat",
        "#SBATCH -p normal",
        "#SBATCH -A physics",
        f'#SBATCH -o "{tmp_path}/my logs/heatcat-%j.out"',
        "#SBATCH -n 1",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --mem=7630M",
        "#SBATCH -t 01:00:00",
        "#SBATCH --qos=long",
        "export OMP_NUM_THREADS=1",
        "export OPENBLAS_NUM_THREADS=1",
        "export MKL_NUM_THREADS=1",
        "export NUMEXPR_NUM_THREADS=1",
        "export DASK_DISTRIBUTED__WORKER__HTTP__ROUTES='[]'",
        "export DASK_DISTRIBUTED__WORKER__MEMORY__TARGET=False",
        "export DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False",
        "module load python",
        'mkdir -p -- "/scratch/$USER/a b" || exit',
        'heatcat_scratch=$(mktemp -d -- "/scratch/$USER/a b"/heatcat-XXXXXXXXXX) || exit',
        "trap 'rm -rf -- \"$heatcat_scratch\"' EXIT",
        "'/opt/my python/bin/python' -m distributed.cli.dask_worker tls://SCHEDULER:PORT --nanny "
        "--no-dashboard --name NAME --nworkers 2 --nthreads 1 --memory-limit 4000000000 "
        "--death-timeout 60s --dashboard-address 127.0.0.1:0 --protocol tls "
        "--tls-ca-file PRIVATE_DIRECTORY/certificate.pem "
        "--tls-cert PRIVATE_DIRECTORY/certificate.pem --tls-key PRIVATE_DIRECTORY/key.pem "
        "--lifetime 3300s --lifetime-stagger 150s --interface ib0 "
        '--local-directory "$heatcat_scratch"',
    ]
    assert log_file(profile, "17") == tmp_path / "my logs" / "heatcat-17.out"


@given(
    names=st.dictionaries(st.sampled_from(NAMES), SPITEFUL),
    directories=st.dictionaries(st.sampled_from(DIRECTORIES), SPITEFUL),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_a_profile_says_adds_no_line(names, directories):
    try:
        profile = Profile(**{**LEAST, **names, **directories})
    except InvalidInput as refusal:
        assert len(str(refusal).splitlines()) == 1  # noqa: PT017
        return
    try:
        script = job_script(profile)
    except InvalidInput:  # ~a is nobody's home
        return
    shape = [line.split()[:2] for line in job_script(Profile(**LEAST)).splitlines()]
    given_names = [n for n in names if n in ("queue", "account")]
    options = [["#SBATCH", {"queue": "-p", "account": "-A"}[n]] for n in given_names]
    found = [line.split()[:2] for line in script.splitlines()]
    for option in options:
        found.remove(option)
    assert len(found) == len(shape)
    assert [words[:1] for words in found[:-4]] == [words[:1] for words in shape[:-4]]


@given(directory=SPITEFUL.filter(lambda text: text.strip()))
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
def test_bash_takes_a_directory_as_it_is_written(directory, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bash")
    worker, found = folder / "worker", folder / "found.json"
    worker.write_text(WORKER.format(python=sys.executable, found=str(found)))
    worker.chmod(0o755)
    root = str(folder / "scratch") + "/"
    try:
        profile = Profile(**LEAST, local_directory=root + directory)
    except InvalidInput:
        return
    script = job_script(profile).replace(shlex.quote(sys.executable), shlex.quote(str(worker)), 1)
    before = set(folder.iterdir())
    done = subprocess.run(["bash"], input=script, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert found.exists()
    assert set(folder.iterdir()) - before <= {found, folder / "scratch"}
    expected = Path(os.path.expandvars(root + directory)) if "$" not in directory else None
    assert expected is None or expected.is_dir()
    assert list((folder / "scratch").rglob("heatcat-*")) == []  # deleted in the end


def test_a_job_has_a_scratch_directory_that_nobody_else_can_enter(tmp_path):
    worker = tmp_path / "worker"
    worker.write_text('#!/bin/bash\nstat --format=%a -- "${@: -1}" > mode\nexit 7\n')
    worker.chmod(0o755)
    profile = Profile(**LEAST, local_directory="$HERE/scratch")
    script = job_script(profile).replace(shlex.quote(sys.executable), str(worker), 1)
    environment = {**os.environ, "HERE": str(tmp_path)}
    done = subprocess.run(["bash"], input=script, cwd=tmp_path, text=True, env=environment)
    assert done.returncode == 7  # a worker that fails is a job that fails
    assert (tmp_path / "mode").read_text() == "700\n"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_key_is_named_by_its_file():
    meeting = Meeting("tls://10.0.0.1:5", "job-1", "/h/.heatcat-x/c", "/h/.heatcat-x/c", "/h/k y")
    last = job_script(Profile(**LEAST), meeting).splitlines()[-1]
    assert "tls://10.0.0.1:5 --nanny" in last
    assert "--name job-1 " in last
    assert "--tls-key '/h/k y'" in last


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x"])
def test_a_home_that_is_not_there_is_refused(name):
    with pytest.raises(InvalidInput, match=r"no home directory for log_directory .*: give"):
        job_script(Profile(**LEAST, log_directory=name))
