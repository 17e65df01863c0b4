"""Blocks on a cluster: handed out as workers and memory allow, whatever dies meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from distributed import KilledWorker, LocalCluster
from distributed.comm import CommClosedError
from distributed.system import MEMORY_LIMIT

from catalog.admission import GIB, Admission, B, require_fitting
from catalog.cluster import ClusterLost, lost, scheduler_address
from catalog.provenance import solver_hash
from catalog.workers import (
    RESOURCE,
    MemoryResource,
    checked,
    memory,
    require_usable,
    workers_of,
)

if TYPE_CHECKING:
    from distributed import Client, Future

QUEUED_PER_WORKER = 2
"""Blocks in flight for each thread: one to compute and one to follow it.

When a worker dies, dask blames every block that it held, so that more would blame the innocent."""
LOOK_EVERY = 1.0
"""Seconds between looks at the workers."""
SILENCE = 5.0
"""Seconds without any worker after which it is said that the run waits."""
NOTICE = 2.0
"""Seconds that a client is given to notice that its scheduler is lost."""

Result = TypeVar("Result")
log = logging.getLogger(__name__)


def completed(
    client: Client,
    task: Callable[[B], Result],
    blocks: Sequence[B],
    needs: Sequence[float],
    *,
    location: str,
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
    location : str
        Of the store, which every worker must reach.

    Raises
    ------
    InvalidInput
        Before anything is computed: a worker has another version of the solver, does not see the
        store, or no worker has the memory for some block.
    ClusterLost
        If the scheduler dies, or a block has killed four workers.
    """
    address = scheduler_address(client)
    try:
        yield from _Dispatch(client, task, blocks, needs, location).results()
    except Exception as failure:
        # A broken connection is met here some moments before the client itself takes note.
        deadline = time.monotonic() + (NOTICE if isinstance(failure, CommClosedError) else 0)
        while not lost(client) and time.monotonic() < deadline:
            time.sleep(NOTICE / 100)
        if not lost(client):
            raise
        raise ClusterLost(
            f"the connection to the scheduler at {address} is lost; finished blocks are stored: "
            "start a scheduler and run the same command again"
        ) from failure


class _Dispatch(Generic[B, Result]):
    def __init__(
        self,
        client: Client,
        task: Callable[[B], Result],
        blocks: Sequence[B],
        needs: Sequence[float],
        location: str,
    ) -> None:
        self.client, self.location = client, location
        self.task = task
        self.workers: dict[str, dict[str, Any]] = {}
        self.admission = Admission(blocks, needs, memory=0.0)
        self.running: dict[Future, B] = {}
        self.finished: SimpleQueue[Future] = SimpleQueue()
        self.stuck: set[Future] = set()
        """Blocks that the scheduler had on no worker when it was last asked."""
        self.looked = self.worked = time.monotonic()
        self.plugin: MemoryResource | None = None
        """Has the workers declare their memory, once a block needs that."""
        self.waits = False
        """Whether it was said that there are no workers."""

    def results(self) -> Iterator[Result]:
        while not self.look():
            time.sleep(LOOK_EVERY / 10)
        require_fitting(self.admission.needs, max(memory(w) for w in self.workers.values()))
        require_usable(self.client, self.location)
        try:
            while self.admission.waiting or self.running:
                for index in self.admission.take(QUEUED_PER_WORKER * self.threads):
                    self.submit(index)
                if time.monotonic() - self.looked > LOOK_EVERY:
                    self.look()
                    self.resubmit_stuck()
                try:
                    future = self.finished.get(timeout=LOOK_EVERY)
                except Empty:
                    continue
                if future in self.running:  # else it was submitted anew
                    index = self.running.pop(future)
                    self.admission.leave(index)
                    yield self.result(future, index)
        finally:
            if not lost(self.client):
                self.client.cancel(list(self.running))
                if self.plugin is not None:
                    self.client.unregister_worker_plugin(self.plugin.name)

    def look(self) -> bool:
        """Ask the scheduler for its workers; whether there is any.  Say so if there is none."""
        if lost(self.client):
            raise ConnectionError("the scheduler does not answer")
        self.looked = time.monotonic()
        try:
            self.workers = workers_of(self.client)
        except OSError:  # busy if it is not lost: then the next look is soon enough
            if lost(self.client):
                raise
            return bool(self.workers)
        if self.workers:
            self.worked, self.waits = self.looked, False
            self.threads = sum(worker["nthreads"] for worker in self.workers.values())
            self.share = min(memory(w) / w["nthreads"] for w in self.workers.values())
            # The workers on this machine share its memory, and each is allowed all of it.
            local = isinstance(self.client.cluster, LocalCluster)
            limits = [memory(worker) for worker in self.workers.values()]
            self.admission.memory = MEMORY_LIMIT if local else sum(limits)
        elif not self.waits and self.looked - self.worked > SILENCE:
            self.waits = True
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
        return bool(self.workers)

    def submit(self, index: B) -> None:
        need = self.admission.needs[index]
        # A block that fits everywhere is left to the scheduler, which keeps its queue short then.
        resources = {RESOURCE: need} if need > self.share else None
        if resources and self.plugin is None:
            self.plugin = MemoryResource()
            self.client.register_plugin(self.plugin)
        future = self.client.submit(
            checked, self.task, solver_hash(), index, pure=False, resources=resources
        )
        self.running[future] = index
        future.add_done_callback(self.finished.put)

    def resubmit_stuck(self) -> None:
        """Submit anew the large blocks that the scheduler found no worker for.

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
