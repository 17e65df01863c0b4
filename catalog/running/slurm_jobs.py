"""SLURM jobs that run workers, which are submitted again when they end before the work does."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from typing import Any

from catalog.running.job_script import log_file
from catalog.running.profile import Profile
from catalog.running.slurm_commands import answer_of, field
from ensemble import InvalidInput

LOOK_EVERY = 15.0
"""Seconds between looks for jobs that ended."""
MOST_FAILURES = 3
"""Number of jobs in a row that end without a worker having joined, after which no more are sent;
the run also ends once as many workers have ended during the same block."""
IDLE_SECONDS = 60.0
"""A job that still runs is cancelled once it has been without its worker for this time."""

log = logging.getLogger(__name__)


class Jobs:
    """Keeps a number of jobs in the queue or running: jobs that end are replaced.

    A job that ends before a worker of it has joined is submitted again a few times.  After
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
        """By job without a worker, the time since when it has had none."""
        self.failures = 0
        """Number of jobs in a row that ended before a worker of theirs joined."""
        self.last = ""
        """What is known of the last one of them."""
        self.warned = False
        """Whether the log already says that the queue cannot be asked."""
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
        """Why the run cannot go on; empty while it can."""
        if max(self.broken_off.values(), default=0) >= MOST_FAILURES:
            # dask counts only deaths of workers against a block, not ends in good order.
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
        """Submit again what ended (walltime, scancel, a node that failed) or was refused."""
        here = dict(self.cluster.workers)  # jobs that are submitted later are not considered
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
            # Its worker may be reconnecting, or ending; after this time the job is of no use.
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
        found = await answer_of("squeue", "--noheader", f"--user={os.getuid()}", "--format=%A")
        if found is None and not self.warned:
            log.warning("squeue does not answer: a job that dies early may not be noticed")
        self.warned = found is None
        return None if found is None else set(found.split())

    async def story(self, job: str) -> str:
        """How a job ended and where its output is."""
        record = await answer_of("scontrol", "show", "job", "--oneliner", job) or ""
        state, code, output = (field(record, name) for name in ("JobState", "ExitCode", "StdOut"))
        how = ", ".join(filter(None, (state, code and f"exit code {code}")))
        path = output if output and "%" not in output else str(log_file(self.profile, job))
        return f"job {job}{f' ({how})' if how else ''} has its output in {path}"

    async def stop(self) -> None:
        self.timer.stop()
        self.cluster.scheduler.remove_plugin(name=self.observer.name)
