"""SLURM on this machine: Debian's packages, started and stopped as root without systemd."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.catalog.processes import wait_for

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdParameters=config_overrides
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={megabytes} State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing_commands() -> list[str]:
    """What `make test-slurm` has to install."""
    return [command for command in COMMANDS if shutil.which(command, path=search_path()) is None]


def search_path() -> str:
    return os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


@contextmanager
def slurm(folder: Path, *, cpus: int = 4, megabytes: int = 4000) -> Iterator[dict[str, str]]:
    """Start munged, slurmctld and slurmd in a folder; the environment in which they are found."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)  # munged insists that nobody else may write here
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            folder=folder,
            controller_port=free_port(),
            node_port=free_port(),
            cpus=cpus,
            megabytes=megabytes,
        ),
        encoding="utf-8",
    )
    environment = {**os.environ, "PATH": search_path(), "SLURM_CONF": str(configuration)}
    munge = [
        "munged",
        "--foreground",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munged.seed",
    ]
    with ExitStack() as stack:

        def start(*command: str) -> None:
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(stop, process)

        start(*munge)
        wait_for(lambda: (folder / "munge.socket").exists(), "munged")
        start("slurmctld", "-D", "-c")
        start("slurmd", "-D", "-c")
        wait_for(
            lambda: "idle" in said(environment, "sinfo", "--noheader", "--format=%T"),
            "the node of slurmd",
        )
        stack.callback(said, environment, "scancel", "--user=root", "--signal=KILL")
        yield environment


def said(environment: dict[str, str], *command: str) -> str:
    """Standard output of a command; empty if it fails."""
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip()


def jobs(environment: dict[str, str]) -> dict[str, str]:
    """State of each job that is in the queue or running, by its number."""
    lines = said(environment, "squeue", "--noheader", "--format=%i %T").splitlines()
    return dict(line.split() for line in lines)


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
