"""A client whose workers run in SLURM jobs; its scheduler is in this process."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.running.connection import Connection
from catalog.running.job_script import Meeting, job_script, log_directory
from catalog.running.profile import Profile
from catalog.running.safe_start import interrupts_held, safe_settings
from catalog.running.slurm_jobs import Jobs
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Security


@contextmanager
def slurm_client(profile: Profile, blocks: int) -> Iterator[Connection]:
    """Client of workers in SLURM jobs; the scheduler is in this process, the jobs end with it.

    Parameters
    ----------
    profile : Profile
    blocks : int
        Number of blocks to compute, which limits the number of jobs.

    Raises
    ------
    InvalidInput
        If dask-jobqueue or SLURM is not installed here, SLURM takes none of the jobs, or one of the
        profile's directories cannot be used.
    """
    import distributed

    SLURMCluster, ScriptedJob = _classes()
    if shutil.which("sbatch") is None:
        raise InvalidInput(
            "there is no command sbatch here: start the run on a login node of the SLURM cluster"
        )
    with ExitStack() as stack:
        folder = stack.enter_context(_shared_folder(profile))
        security, meeting = _temporary_key(folder)
        with _usable("log_directory", profile.log_directory):
            log_directory(profile).mkdir(parents=True, exist_ok=True)
        with interrupts_held(), safe_settings():
            try:
                cluster = SLURMCluster(
                    job_cls=ScriptedJob,
                    script=partial(_script, profile, meeting),
                    folder=folder,
                    cores=profile.cores,
                    processes=profile.cores,
                    memory=profile.memory,
                    interface=profile.interface,
                    security=security,
                    scheduler_options={
                        "dashboard_address": "127.0.0.1:0",  # a fixed port may be taken
                        "dashboard": False,
                    },
                    silence_logs="CRITICAL",  # dask logs an "error" when a worker ends normally
                )
            except (OSError, RuntimeError, ValueError) as failure:
                raise InvalidInput(
                    f"cannot start the scheduler ({' '.join(str(failure).split())}): correct the "
                    "profile, for instance its interface"
                ) from None
            stack.enter_context(cluster)
            client = distributed.Client(cluster, set_as_default=False)
            stack.enter_context(client)
            jobs = Jobs(cluster, profile.jobs_for(blocks), profile)
            client.sync(jobs.submit_first)
            stack.callback(client.sync, jobs.stop)
        yield Connection(client, jobs.hopeless)


def _script(profile: Profile, meeting: Meeting, address: str, name: str) -> str:
    return job_script(profile, replace(meeting, address=address, name=name))


@contextmanager
def _shared_folder(profile: Profile) -> Iterator[Path]:
    """A directory that only its owner can enter, on a file system that the nodes share."""
    base = Path(profile.shared_directory or "~").expanduser().absolute()
    with _usable("shared_directory", profile.shared_directory):
        folder = Path(tempfile.mkdtemp(prefix=".heatcat-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _usable(key: str, given: str | None) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as failure:  # RuntimeError: there is no such home directory
        reason = getattr(failure, "strerror", None) or failure
        raise InvalidInput(
            f"cannot write to the {key} {given or 'that is the default'} ({reason}): set {key} in "
            "the profile to a directory of yours"
        ) from None


def _temporary_key(folder: Path) -> tuple[Security, Meeting]:
    """A key and certificate for one run, in files that only their owner can read."""
    from distributed import Security

    made = Security.temporary()
    cert, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    for path, content in ((cert, made.tls_ca_file), (key, made.tls_worker_key)):
        mode = stat.S_IRUSR | stat.S_IWUSR
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(content)
    roles = ("client", "scheduler", "worker")
    security = Security(
        require_encryption=True,
        tls_ca_file=cert,
        **{f"tls_{role}_cert": cert for role in roles},
        **{f"tls_{role}_key": key for role in roles},
    )
    return security, Meeting(ca_file=cert, cert=cert, key=key)


def _classes() -> tuple[Any, Any]:
    """dask-jobqueue's cluster, and its job with a script of ours.

    Importing it must not change what Ctrl-C does.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue import SLURMCluster
    except ModuleNotFoundError:
        raise InvalidInput(
            "a cluster profile needs dask-jobqueue: install it with pip install 'heatcat[slurm]'"
        ) from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)  # dask-jobqueue 0.9 set one: exit with code 0

    class ScriptedJob(SLURMCluster.job_cls):  # type: ignore[misc, valid-type]
        """A job with our script, which quotes everything and which no other user can change."""

        submit_command = "sbatch --parsable"

        def __init__(
            self,
            scheduler: str,
            name: str,
            *,
            script: Callable[[str, str], str],
            folder: Path,
            **options: Any,
        ) -> None:
            super().__init__(scheduler, name, **options)
            self.script, self.folder = script, folder

        def job_script(self) -> str:
            return self.script(str(self.scheduler), str(self.name))

        @contextmanager
        def job_file(self) -> Iterator[str]:
            path = self.folder / f"{self.name}.sh"
            path.write_text(self.job_script(), encoding="utf-8")
            try:
                yield str(path)
            finally:
                path.unlink(missing_ok=True)

    return SLURMCluster, ScriptedJob
