"""Other users of a machine: they neither enter the clusters that are started, nor plant code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dask
import distributed
import psutil
import pytest

import catalog.running.address
from catalog import run
from catalog.running.safe_start import private_directory
from tests.catalog.processes import ROOT, wait_for
from tests.catalog.support import refused, tiny_sweep

pytestmark = pytest.mark.kills

SWEEP = tiny_sweep()


@pytest.fixture
def marker() -> Iterator[Path]:
    """A file that every user can write."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder) / "marker"


def listening(*processes: psutil.Process) -> set[int]:
    """TCP ports on which processes, this one and those that it started, accept connections."""
    here = psutil.Process()
    processes = processes or (here, *here.children(recursive=True))
    return {
        found.laddr.port
        for process in processes
        for found in process.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN
    }


def intrude(marker: Path, ports: set[int], *, known: int = 0) -> list[str]:
    """The ways by which another user, without a certificate, got into the ports.

    So many are known to be open to a cluster's messages: the intruder has time to get into them.
    """
    numbers = map(str, (known, *sorted(ports)))
    done = subprocess.run(
        [sys.executable, "-m", "tests.catalog.intruder", str(marker), *numbers],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    print(done.stderr)
    return done.stdout.splitlines()


def test_nobody_else_gets_into_the_cluster_of_a_run(tmp_path, marker):
    before = listening()
    seen: list[set[int]] = []
    ways: list[str] = []

    def attack(*_: object) -> None:
        if not seen:
            seen.append(listening() - before)
            ways.extend(intrude(marker, seen[0]))

    assert run(SWEEP, tmp_path, scheduler="processes", workers=1, on_block=attack)["ok"] == 12
    assert len(seen[0]) >= 4  # scheduler, nanny, worker, and the HTTP servers that cannot be left
    assert ways == []
    assert not marker.exists()


def test_the_intruder_gets_into_a_cluster_without_a_key(marker):
    """Else the test above would show nothing."""
    before = listening()
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    ) as cluster:
        scheduler = int(cluster.scheduler.address.rpartition(":")[2])
        ways = intrude(marker, listening() - before, known=3)  # scheduler, nanny, worker
    assert f"{scheduler} tcp" in ways
    assert len([way for way in ways if way.endswith(" tcp")]) == 3
    assert any("http/info" in way for way in ways)
    assert marker.exists()


def test_what_another_user_puts_into_the_temporary_directory_is_not_imported(tmp_path, monkeypatch):
    shared = tmp_path / "tmp"
    for name in ("dask-scratch-space", f"heatcat-{os.getuid()}"):
        (shared / name).mkdir(parents=True)
        (shared / name).chmod(0o777)
        (shared / name / "planted.py").touch()
    shared.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    monkeypatch.setenv("TMPDIR", str(shared))
    searched: list[str] = []

    def look(*_: object) -> None:
        searched.extend(path for path in sys.path if path.startswith(str(shared)))

    run(SWEEP, tmp_path / "store", scheduler="processes", workers=1, on_block=look)
    assert searched  # dask's own, of scheduler and nanny
    for path in set(searched):
        folders = [Path(path), *Path(path).parents]
        inside = folders[: folders.index(shared)]
        assert all(not folder.exists() or private(folder) for folder in inside), inside
        assert not (Path(path) / "planted.py").exists()


def private(folder: Path) -> bool:
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def test_the_temporary_directory_is_of_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = private_directory()
    assert mine == tmp_path / f"heatcat-{os.getuid()}" == private_directory()
    assert mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o755)
    assert private_directory() != mine
    mine.rmdir()
    (tmp_path / "target").mkdir(mode=0o700)
    mine.symlink_to(tmp_path / "target")
    other = private_directory()
    assert other not in (mine, tmp_path / "target")
    assert other.stat().st_mode & 0o777 == 0o700


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    """Two certificates with their keys: mine and other."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("mine", "other"):
        made = distributed.Security.temporary()
        (folder / f"{name}.pem").write_text(made.tls_ca_file)
        (folder / f"{name}.key").write_text(made.tls_client_key)
    return folder


def settings(folder: Path, ca: str, cert: str) -> dict[str, str]:
    return {
        "distributed.comm.tls.ca-file": str(folder / f"{ca}.pem"),
        "distributed.comm.tls.client.cert": str(folder / f"{cert}.pem"),
        "distributed.comm.tls.client.key": str(folder / f"{cert}.key"),
    }


@pytest.fixture(scope="module")
def encrypted(keys, tmp_path_factory) -> Iterator[str]:
    """Address of a scheduler with TLS, and a worker."""
    folder = tmp_path_factory.mktemp("encrypted")
    cert, key = str(keys / "mine.pem"), str(keys / "mine.key")
    file = folder / "scheduler.json"
    shared = ["--no-dashboard", "--scheduler-file", str(file)]
    shared += ["--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", key, "--protocol", "tls"]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{command}", *options, *shared],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command, options in (
            ("dask_scheduler", ["--host", "127.0.0.1", "--port", "0"]),
            ("dask_worker", ["--nthreads", "1", "--no-nanny"]),
        )
    ]
    try:
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler")
        yield str(json.loads(file.read_text())["address"])
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def test_a_scheduler_with_tls_is_reached_with_the_settings_of_dask(
    encrypted, keys, tmp_path, caplog
):
    with dask.config.set(settings(keys, "mine", "mine")):
        assert run(SWEEP, tmp_path, scheduler=encrypted)["ok"] == SWEEP.size
    assert not [record for record in caplog.records if record.name == "catalog.running.cluster"]


@pytest.mark.parametrize(
    ("ca", "cert", "why"),
    [
        (None, None, "'tls://.*' needs a certificate: set distributed.comm.tls.ca-file, .*"),
        (
            "other",
            "other",
            ".* do not have the same certificate .*: set distributed.*",
        ),
        ("mine", "other", r".*\(.*\): (set|start) .*"),
        ("gone", "mine", r"cannot use the TLS files of dask's .* \(.*No such file.*\): correct .*"),
    ],
)
def test_wrong_settings_for_tls_are_one_line(ca, cert, why, encrypted, keys, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog.running.address, "CONNECT_TIMEOUT", "3s")
    with dask.config.set({} if ca is None else settings(keys, ca, cert)), refused(why):
        run(SWEEP, tmp_path / "store", scheduler=encrypted)
    assert not (tmp_path / "store").exists()


def test_an_open_scheduler_is_said_to_be_open(tmp_path, caplog):
    with distributed.LocalCluster(
        n_workers=1, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0"
    ) as cluster:
        run(SWEEP, tmp_path, scheduler=cluster.scheduler_address)
    assert [
        record.message for record in caplog.records if record.name == "catalog.running.cluster"
    ] == [
        f"the connection to {cluster.scheduler_address} is open: everybody who can reach that "
        "port can run code as the owner of its workers; use a scheduler with TLS, tls://host:port"
    ]
