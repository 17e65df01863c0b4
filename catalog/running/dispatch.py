"""Blocks on a cluster: handed out as workers and memory allow, also when workers die."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from distributed import KilledWorker, LocalCluster
from distributed.comm import CommClosedError
from distributed.system import MEMORY_LIMIT

from catalog.models.contract import Model
from catalog.running.admission import GIB, Admission, B, require_fitting
from catalog.running.connection import lost, scheduler_address
from catalog.running.stopped import ClusterLost
from catalog.running.workers import (
    RESOURCE,
    MemoryResource,
    checked,
    memory,
    packed,
    require_usable,
    workers_of,
)
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client, Future

QUEUED_PER_WORKER = 2
"""Blocks in flight for each thread: one to compute and one to follow it.

When a worker dies, dask counts its death against every block that the worker held, and gives a
block up after some deaths.  With more blocks in flight, dask would also give up blocks that did not
cause them."""
LOOK_EVERY = 1.0
"""Seconds between looks at the workers."""
SILENCE = 5.0
"""Seconds without any worker after which the log says that the run waits."""
NOTICE = 2.0
"""Seconds that a client is given to notice that its scheduler is lost."""

Result = TypeVar("Result")
log = logging.getLogger(__name__)


def require_ready(
    client: Client,
    needs: Mapping[Any, float],
    *,
    model: Model,
    location: str,
    folder: str,
    hopeless: Callable[[], str] = str,
) -> None:
    """Wait for workers and examine them, before anything is written.

    Parameters
    ----------
    client : distributed.Client
    needs : mapping
        Predicted bytes of a process that computes each block, by what names the block.
    model : Model
        Solves the blocks.
    location : str
        Of the store, which need not exist yet.
    folder : str
        The directory that holds it, or will hold it.
    hopeless : callable
        Returns why the run cannot go on, in one line with the remedy; empty while it can.

    Raises
    ------
    InvalidInput
        If a worker has another version of the solver, or does not see where the store is or will
        be, if no worker has the memory for some block, or if none will come.
    ClusterLost
        If the scheduler dies.
    """
    with _naming_a_lost_scheduler(client):
        watch = _Watch(client, hopeless)
        try:
            watch.wait()
        except ClusterLost as failure:
            if not hopeless():
                raise
            raise InvalidInput(str(failure)) from None
        require_fitting(needs, watch.largest)
        require_usable(client, model, location, folder=folder)


def completed(
    client: Client,
    task: Callable[[B], Result],
    blocks: Sequence[B],
    needs: Sequence[float],
    *,
    model: Model,
    location: str,
    hopeless: Callable[[], str] = str,
) -> Iterator[Result]:
    """Results of the blocks as they finish; closing the iterator cancels the rest.

    It waits for workers, and says so in the log.  Workers may join, leave or die: a block whose
    worker died is tried on three others.

    Parameters
    ----------
    client : distributed.Client
    task : callable
        Picklable; called with the index of a block.
    blocks : sequence of hashable
        In the order in which they are handed out.
    needs : sequence of float
        Predicted bytes of a process that computes the block.
    model : Model
        Solves the blocks.
    location : str
        Of the store, which every worker must reach.
    hopeless : callable
        Returns why the run cannot go on, in one line with the remedy; empty while it can.

    Raises
    ------
    InvalidInput
        Before anything is computed: a worker has another version of the solver, does not see the
        store, or no worker has the memory for some block.
    ClusterLost
        If the scheduler dies, a block has killed four workers, or no worker will come any more.
    """
    with _naming_a_lost_scheduler(client):
        yield from _Dispatch(client, task, blocks, needs, model, location, hopeless).results()


@contextmanager
def _naming_a_lost_scheduler(client: Client) -> Iterator[None]:
    """Replace any error that a lost scheduler causes by one that says that it is lost."""
    address = scheduler_address(client)
    try:
        yield
    except Exception as failure:
        # This code sees a broken connection some moments before the client itself notices it.
        deadline = time.monotonic() + (NOTICE if isinstance(failure, CommClosedError) else 0)
        while not lost(client) and time.monotonic() < deadline:
            time.sleep(NOTICE / 100)
        if not lost(client):
            raise
        raise ClusterLost(
            f"the connection to the scheduler at {address} is lost; finished blocks are stored: "
            "start a scheduler and run the same command again"
        ) from failure


class _Watch:
    """Asks the scheduler now and then what workers it has, and says so if there are none."""

    def __init__(self, client: Client, hopeless: Callable[[], str]) -> None:
        self.client, self.hopeless = client, hopeless
        self.workers: dict[str, dict[str, Any]] = {}
        self.looked = self.worked = time.monotonic()
        self.waits = False
        """Whether the log already says that there are no workers."""

    def wait(self) -> None:
        """Wait until there is a worker."""
        while not self.look():
            time.sleep(LOOK_EVERY / 10)

    def look(self) -> bool:
        """Ask the scheduler for its workers; whether there is any.  Say so if there is none."""
        if lost(self.client):
            raise ConnectionError("the scheduler does not answer")
        if why := self.hopeless():
            raise ClusterLost(why)
        self.looked = time.monotonic()
        try:
            self.workers = workers_of(self.client)
        except OSError:  # the scheduler is lost, or busy: if busy, ask at the next look
            if lost(self.client):
                raise
            return bool(self.workers)
        if self.workers:
            self.worked, self.waits = self.looked, False
        elif not self.waits and self.looked - self.worked > SILENCE:
            self.waits = True
            self.say()
        return bool(self.workers)

    def say(self) -> None:
        """Say that the run waits, and for what."""
        address, cluster = scheduler_address(self.client), self.client.cluster
        if cluster is None:
            log.warning(
                "the scheduler at %s has no workers yet: start some with dask worker %s",
                address,
                address,
            )
        else:
            log.warning(
                "none of the %d workers or jobs that were asked for is there yet: in SLURM, "
                "squeue says what they wait for",
                len(cluster.worker_spec),
            )

    @property
    def threads(self) -> int:
        """Number of threads of all workers."""
        return sum(worker["nthreads"] for worker in self.workers.values())

    @property
    def share(self) -> float:
        """Bytes that a block has on any worker if all threads of the worker are busy."""
        return min(memory(worker) / worker["nthreads"] for worker in self.workers.values())

    @property
    def largest(self) -> float:
        """Bytes of the worker that may use most."""
        return max(memory(worker) for worker in self.workers.values())

    @property
    def total(self) -> float:
        """Bytes that all workers may use together."""
        # The workers on this machine share its memory, and each is allowed all of it.
        if isinstance(self.client.cluster, LocalCluster):
            return float(MEMORY_LIMIT)
        return sum(memory(worker) for worker in self.workers.values())


class _Dispatch(Generic[B, Result]):
    def __init__(
        self,
        client: Client,
        task: Callable[[B], Result],
        blocks: Sequence[B],
        needs: Sequence[float],
        model: Model,
        location: str,
        hopeless: Callable[[], str],
    ) -> None:
        self.client, self.model, self.location = client, model, location
        self.task = task
        self.watch = _Watch(client, hopeless)
        self.admission = Admission(blocks, needs, memory=0.0)
        self.running: dict[Future, B] = {}
        self.finished: SimpleQueue[Future] = SimpleQueue()
        self.stuck: set[Future] = set()
        """Blocks that the scheduler had on no worker when it was last asked."""
        self.plugin: MemoryResource | None = None
        """Makes the workers declare their memory; it is set once a block needs that."""
        self.threads, self.share = 0, 0.0
        """Threads of all workers, and bytes a block, when there were last any workers."""

    def results(self) -> Iterator[Result]:
        self.watch.wait()
        self.take_note()
        require_fitting(self.admission.needs, self.watch.largest)
        require_usable(self.client, self.model, self.location)
        try:
            while self.admission.waiting or self.running:
                for index in self.admission.take(QUEUED_PER_WORKER * self.threads):
                    self.submit(index)
                if time.monotonic() - self.watch.looked > LOOK_EVERY:
                    if self.watch.look():
                        self.take_note()
                    self.resubmit_stuck()
                try:
                    future = self.finished.get(timeout=LOOK_EVERY)
                except Empty:
                    continue
                if future in self.running:  # else it was submitted again
                    index = self.running.pop(future)
                    self.admission.leave(index)
                    yield self.result(future, index)
        finally:
            if not lost(self.client):
                self.client.cancel(list(self.running))
                if self.plugin is not None:
                    self.client.unregister_worker_plugin(self.plugin.name)

    def take_note(self) -> None:
        """Hand out blocks for the workers that are there now."""
        self.threads, self.share = self.watch.threads, self.watch.share
        self.admission.memory = self.watch.total

    def submit(self, index: B) -> None:
        need = self.admission.needs[index]
        # A block that fits on every worker declares no memory: the scheduler then queues it itself.
        resources = {RESOURCE: need} if need > self.share else None
        if resources and self.plugin is None:
            self.plugin = MemoryResource()
            self.client.register_plugin(self.plugin)
        future = self.client.submit(
            checked,
            packed(self.task, self.model, index),
            f"{self.model.title} of {self.model.path}",
            self.model.source_hash(),
            pure=False,
            resources=resources,
        )
        self.running[future] = index
        future.add_done_callback(self.finished.put)

    def resubmit_stuck(self) -> None:
        """Submit again the large blocks that the scheduler found no worker for.

        It looks for one only when a worker joins, and the worker's memory is declared after that.
        """
        large = {f for f, i in self.running.items() if self.admission.needs[i] > self.share}
        if not large:
            return
        placed = {key for keys in self.client.processing().values() for key in keys}
        idle = {future for future in large if future.key not in placed and not future.done()}
        for future in idle & self.stuck:
            index = self.running.pop(future)
            future.cancel()
            self.submit(index)
        self.stuck = idle - self.stuck

    def result(self, future: Future, index: B) -> Result:
        try:
            return future.result()
        except KilledWorker as failure:
            raise ClusterLost(
                f"block {index} was tried on {failure.allowed_failures + 1} workers and each of "
                "them died, most likely for lack of memory (predicted: "
                f"{self.admission.needs[index] / GIB:.2g} GiB); finished blocks are stored: give "
                "the workers more memory and run the same command again"
            ) from failure
