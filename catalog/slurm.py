"""Workers in SLURM jobs, which are submitted anew when they end before the work does."""

from __future__ import annotations

import logging
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from catalog.cluster import interrupts_held
from catalog.profile import Profile
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

SUBMIT_EVERY = 15.0
"""Seconds between looks for jobs that ended."""
SINGLE_THREADED = tuple(
    f"export {name}_NUM_THREADS=1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
)

log = logging.getLogger(__name__)


@contextmanager
def slurm_client(profile: Profile, blocks: int) -> Iterator[Client]:
    """Client of workers in SLURM jobs; the scheduler is in this process, the jobs end with it.

    Parameters
    ----------
    profile : Profile
    blocks : int
        Number of blocks to compute, which limits the number of jobs.

    Raises
    ------
    InvalidInput
        If dask-jobqueue or SLURM is not installed here, or SLURM takes none of the jobs.
    """
    import distributed

    SLURMCluster = _cluster_class()
    if shutil.which("sbatch") is None:
        raise InvalidInput(
            "there is no command sbatch here: start the run on a login node of the SLURM cluster"
        )
    with ExitStack() as stack:
        with interrupts_held():
            cluster = SLURMCluster(
                cores=profile.cores,
                processes=profile.cores,
                memory=profile.memory,
                walltime=profile.walltime,
                queue=profile.queue,
                account=profile.account,
                interface=profile.interface,
                job_script_prologue=[*SINGLE_THREADED, *profile.prologue],
                job_extra_directives=list(profile.directives),
                local_directory=profile.local_directory,
                log_directory=profile.log_directory,
                job_name="heatcat",
                worker_extra_args=["--no-dashboard"],
                scheduler_options={"dashboard_address": ":0"},  # a fixed port may be taken
                silence_logs="ERROR",
            )
            stack.enter_context(cluster)
            client = distributed.Client(cluster, set_as_default=False)
            stack.enter_context(client)
            jobs = _Jobs(cluster, profile.jobs_for(blocks))
            client.sync(jobs.submit_first)
            stack.callback(client.sync, jobs.stop)
        yield client


def _cluster_class() -> Any:
    """dask-jobqueue's class; importing it must not change what Ctrl-C does."""
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
    return SLURMCluster


class _Jobs:
    """Keeps a number of jobs in the queue or running, whatever happens to single ones."""

    def __init__(self, cluster: Any, number: int) -> None:
        from tornado.ioloop import PeriodicCallback

        self.cluster, self.number = cluster, number
        self.joined: set[str] = set()
        """Names of the jobs of which a worker has reached the scheduler."""
        self.timer = PeriodicCallback(self.replace_lost, 1e3 * SUBMIT_EVERY)

    async def submit_first(self) -> None:
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
        except RuntimeError as failure:
            _, _, written = str(failure).partition("stderr:")  # of sbatch
            refusal = " ".join((written or str(failure)).split())
        for name, job in list(self.cluster.workers.items()):
            if job.job_id is None:
                job.status = Status.failed
                del self.cluster.workers[name]
        return refusal

    async def replace_lost(self) -> None:
        """Submit anew what ended (walltime, scancel, a node that failed) or was refused."""
        from distributed.core import Status

        present = {str(worker.name) for worker in self.cluster.scheduler.workers.values()}
        for name, job in list(self.cluster.workers.items()):
            # The workers of a job of several are named after it: job-0, job-1, …
            if any(worker == name or worker.startswith(f"{name}-") for worker in present):
                self.joined.add(name)
            elif name in self.joined:
                self.joined.discard(name)
                await job.close()
                job.status = Status.closed
                del self.cluster.workers[name]
        if refusal := await self.submit():
            log.warning("SLURM did not take a job: %s", refusal)

    async def stop(self) -> None:
        self.timer.stop()
