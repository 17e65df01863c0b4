"""What solves the blocks of a run: this process, its threads, or the workers of a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from dask.system import CPU_COUNT

from catalog.cost.model import CostModel, Work
from catalog.models.contract import Model
from catalog.running.admission import Admission, machine_memory, require_fitting
from catalog.running.block_task import Done, Elsewhere
from catalog.running.cluster import connected
from catalog.running.connection import Connection
from catalog.running.profile import Profile
from catalog.running.stopped import stopping
from catalog.store.storage import storage
from catalog.store.stored import Block
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

Task = Callable[[Block], Done | Elsewhere]
Results = Iterator[Done | Elsewhere]
Needs = Mapping[Any, float]
"""Predicted bytes of a process that solves each block, by the block or its name."""
Executor = Callable[[Task, Sequence[Block], Needs], Results]
"""Does the task with each block, and gives the results as they come."""
CPUS = CPU_COUNT
"""Those that this process may use: affinity and limits of containers are taken into account."""


@contextmanager
def open_executor(
    location: str,
    scheduler: str | Profile | Client,
    workers: int | None,
    work: Sequence[Work],
    model: Model,
    costs: CostModel,
) -> Iterator[Executor]:
    """What solves blocks, one after the other or side by side.

    When it is returned, it is connected, its workers are examined, and every reason to refuse the
    run has been checked.  Nothing has been written.

    Parameters
    ----------
    location : str
        Absolute location of the store, which need not exist yet.
    scheduler : {"processes", "threads", "synchronous"}, address, Profile or distributed.Client
    workers : int or None
        Number of local threads or processes; None: as many as there are CPUs for this process.
    work : sequence of (Grid, Index)
        The blocks that are to be solved, at least one.
    model : Model
        Solves them.
    costs : CostModel
        Predicts their memory.

    Raises
    ------
    InvalidInput
        If the store cannot be written to, the scheduler cannot be reached, a worker has another
        solver or does not see the store, or no worker has the memory for some block.
    RunStopped
        If the scheduler is lost.
    """
    folder = _require_writable(location)
    bytes_needed = costs.peak_bytes(work)
    largest = int(bytes_needed.argmax())
    part, index = work[largest]
    needs = {f"{index} of {part.name}": float(bytes_needed[largest])}
    number = workers or CPUS
    if scheduler == "synchronous":
        require_fitting(needs, machine_memory())
        yield lambda task, blocks, needs: map(task, blocks)
    elif scheduler == "threads":
        require_fitting(needs, machine_memory())
        pool = ThreadPoolExecutor(number)
        try:
            yield partial(_in_pool, pool, number)
        finally:
            pool.shutdown(cancel_futures=True)
    else:
        if isinstance(scheduler, Profile):  # checked before a job waits in the queue
            require_fitting(needs, scheduler.worker_bytes)
        with connected(scheduler, number, blocks=len(work)) as connection:
            _require_ready(connection, needs, model, location, folder)
            yield partial(_on_cluster, connection, model, location)


def _require_ready(
    connection: Connection, needs: Needs, model: Model, location: str, folder: str
) -> None:
    from catalog.running.dispatch import require_ready  # slow to import

    with stopping("the workers could not be examined", ": run the same command again"):
        require_ready(
            connection.client,
            needs,
            model=model,
            location=location,
            folder=folder,
            hopeless=connection.hopeless,
        )


def _require_writable(location: str) -> str:
    """Refuse a store that cannot be begun or written to; the directory that holds or will hold it.

    What an object store allows is known only once something is written there.
    """
    place = storage(location)
    if place.read_only:
        raise InvalidInput(f"{location} is an archive, only to be read: unpack it to a directory")
    if place.folder is None:
        return location
    path = next(path for path in (place.folder, *place.folder.parents) if path.exists())
    effective = os.access in os.supports_effective_ids  # what opening a file goes by
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK, effective_ids=effective):
        why = "Permission denied" if path.is_dir() else "Not a directory"
        raise InvalidInput(
            f"cannot open the store {location}: {why}: check the path, its permissions and the "
            "free space"
        )
    return str(path)


def _in_pool(
    pool: ThreadPoolExecutor, workers: int, task: Task, blocks: Sequence[Block], needs: Needs
) -> Results:
    admission = Admission(blocks, [needs[block] for block in blocks], memory=machine_memory())
    running: dict[Future, Block] = {}
    while admission.waiting or running:
        for block in admission.take(workers):
            running[pool.submit(task, block)] = block
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            admission.leave(running.pop(future))
            yield future.result()


def _on_cluster(
    connection: Connection,
    model: Model,
    location: str,
    task: Task,
    blocks: Sequence[Block],
    needs: Needs,
) -> Results:
    from catalog.running.dispatch import completed  # slow to import

    yield from completed(
        connection.client,
        task,
        blocks,
        [needs[block] for block in blocks],
        model=model,
        location=location,
        hopeless=connection.hopeless,
    )
