"""Workers in SLURM jobs, which are submitted anew when they end before the work does."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.running.cluster import Connection, interrupts_held, safe_settings
from catalog.running.job_script import Meeting, job_script, log_directory, log_file
from catalog.running.profile import Profile
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Security

LOOK_EVERY = 15.0
"""Seconds between looks for jobs that ended."""
MOST_FAILURES = 3
"""Number of jobs in a row that end without a worker having joined, after which no more are sent;
as many ends of workers amid the same block end the run."""
IDLE_SECONDS = 60.0
"""Time without the worker that it had after which a job that still runs is cancelled."""
ANSWER_SECONDS = 20.0
"""Time in which a command of SLURM answers."""

log = logging.getLogger(__name__)


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
                    silence_logs="CRITICAL",  # a worker that ends in good order is an "error"
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
        """Its script is ours, where all is quoted, and lies where nobody else can change it."""

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


class Jobs:
    """Keeps a number of jobs in the queue or running, whatever happens to single ones.

    A job that ends before a worker of it has joined is submitted anew a few times.  After
    ``MOST_FAILURES`` of them in a row no more are submitted, until a worker joins.  A block that is
    broken off so many times, since it takes longer than a worker lives, ends the run.
    """

    def __init__(self, cluster: Any, number: int, profile: Profile) -> None:
        from distributed import SchedulerPlugin
        from tornado.ioloop import PeriodicCallback

        self.cluster, self.number, self.profile = cluster, number, profile
        self.joined: set[str] = set()
        """Names of the jobs of which a worker has reached the scheduler."""
        self.absent: dict[str, float] = {}
        """Since when those that have no worker there have had none."""
        self.failures = 0
        """Number of jobs in a row that ended before a worker of theirs joined."""
        self.last = ""
        """What is known of the last one of them."""
        self.warned = False
        """Whether it was said that the queue cannot be asked."""
        self.timer = PeriodicCallback(self.replace_ended, 1e3 * LOOK_EVERY)
        self.broken_off: Counter[str] = Counter()
        """How often each block was broken off since any block was finished."""
        jobs = self

        class Observer(SchedulerPlugin):
            """Notes what may happen between two looks."""

            name = "heatcat-jobs"

            def add_worker(self, scheduler: Any, worker: str) -> None:
                jobs.failures = 0
                jobs.joined |= jobs.of(scheduler.workers[worker].name)

            def transition(self, key: Any, start: Any, finish: Any, *_: Any, **__: Any) -> None:
                if finish == "memory":
                    jobs.broken_off.clear()
                elif start == "processing" and finish in ("released", "waiting"):
                    jobs.broken_off[key] += 1

        self.observer = Observer()

    def of(self, worker: object) -> set[str]:
        """The job of a worker: those of a job of several are called job-0, job-1, …"""
        name = str(worker)
        return {name, name.rpartition("-")[0]} & set(self.cluster.workers)

    def hopeless(self) -> str:
        """Why it is no use to go on; empty while it is."""
        if max(self.broken_off.values(), default=0) >= MOST_FAILURES:
            # dask does not blame a block for a worker that ends in good order.
            return (
                f"a block was begun {MOST_FAILURES} times, and each time its worker ended before "
                "the block was finished; finished blocks are stored: raise walltime (and "
                "worker_lifetime, if the profile has it)"
            )
        if self.failures < MOST_FAILURES or self.cluster.workers:
            return ""
        return (
            f"{self.failures} SLURM jobs in a row ended before a worker of theirs joined; "
            f"{self.last}: read that file and correct the profile"
        )

    async def submit_first(self) -> None:
        self.cluster.scheduler.add_plugin(self.observer)
        for _ in range(self.number):
            self.cluster.worker_spec.update(self.cluster.new_worker_spec())
        refusal = await self.submit()
        if refusal and not self.cluster.workers:
            raise InvalidInput(f"SLURM does not take the job ({refusal}): correct the profile")
        if refusal:
            log.warning("SLURM did not take every job: %s", refusal)
        self.timer.start()

    async def submit(self) -> str:
        """Submit what is lacking; why SLURM did not take some of it, else nothing."""
        from distributed.core import Status

        refusal = ""
        try:
            await self.cluster._correct_state()
        except (OSError, RuntimeError, ValueError) as failure:
            _, _, written = str(failure).partition("stderr:")  # of sbatch
            refusal = " ".join((written or str(failure)).split())
        for name, job in list(self.cluster.workers.items()):
            if job.job_id is None:
                job.status = Status.failed
                del self.cluster.workers[name]
        return refusal

    async def replace_ended(self) -> None:
        """Submit anew what ended (walltime, scancel, a node that failed) or was refused."""
        here = dict(self.cluster.workers)  # a job that is submitted meanwhile is not judged
        workers = list(self.cluster.scheduler.workers.values())
        present = {name for worker in workers for name in self.of(worker.name)}
        self.joined |= present
        absent, now = set(here) - present, time.monotonic()
        for name in present:
            self.absent.pop(name, None)
        queued = await self.queued() if absent else None
        for name in absent:
            ended = queued is not None and here[name].job_id not in queued
            since = self.absent.setdefault(name, now)
            # Its worker may be on its way back, or out; after that it does nothing of use.
            idle = name in self.joined and now - since > IDLE_SECONDS
            if ended and name not in self.joined:
                self.failures += 1
                self.last = await self.story(here[name].job_id)
                log.warning("a SLURM job ended before a worker of it joined: %s", self.last)
            if ended or idle:
                await self.drop(name, cancel=not ended)
        self.absent = {name: self.absent[name] for name in absent & set(self.cluster.workers)}
        if self.failures < MOST_FAILURES and (refusal := await self.submit()):
            log.warning("SLURM did not take a job: %s", refusal)

    async def drop(self, name: str, *, cancel: bool) -> None:
        """Forget a job, so that another takes its place."""
        from distributed.core import Status

        job = self.cluster.workers[name]
        if cancel:
            await job.close()
        job.status = Status.closed
        self.joined.discard(name)
        del self.cluster.workers[name]

    async def queued(self) -> set[str] | None:
        """Numbers of this user's jobs that wait or run; None if SLURM does not say it."""
        found = await said("squeue", "--noheader", f"--user={os.getuid()}", "--format=%A")
        if found is None and not self.warned:
            log.warning("squeue does not answer: a job that dies early may not be noticed")
        self.warned = found is None
        return None if found is None else set(found.split())

    async def story(self, job: str) -> str:
        """How a job ended and where its output is."""
        record = await said("scontrol", "show", "job", "--oneliner", job) or ""
        state, code, output = (field(record, name) for name in ("JobState", "ExitCode", "StdOut"))
        how = ", ".join(filter(None, (state, code and f"exit code {code}")))
        path = output if output and "%" not in output else str(log_file(self.profile, job))
        return f"job {job}{f' ({how})' if how else ''} has its output in {path}"

    async def stop(self) -> None:
        self.timer.stop()
        self.cluster.scheduler.remove_plugin(name=self.observer.name)


async def said(*command: str) -> str | None:
    """What a command of SLURM prints; None if it fails or does not answer."""
    # What a user has set for their own eyes would hide jobs.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SQUEUE_")}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        out, _ = await asyncio.wait_for(process.communicate(), ANSWER_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return out.decode(errors="replace") if process.returncode == 0 else None


def field(record: str, name: str) -> str:
    """A field of what ``scontrol show`` prints on one line: NAME=value NAME=value …"""
    found = re.search(rf"\b{name}=(.*?)(?= [A-Z][A-Za-z:/]*=|$)", record, re.MULTILINE)
    return "" if found is None else found[1].strip()
