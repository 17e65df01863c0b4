"""Complete a sweep in its store: in this process, in threads, in processes or on a cluster."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dask.system import CPU_COUNT

from catalog.cost.model import CostModel, Work, longest_first
from catalog.models.contract import Model
from catalog.running.admission import Admission, machine_memory, require_fitting
from catalog.running.cluster import ClusterLost, Connection, chosen, connected
from catalog.running.complete import complete_block
from catalog.running.plan import fitted_model, work_left
from catalog.running.profile import Profile
from catalog.store.extend import create_or_open, find_stored, require_sound
from catalog.store.history import Session
from catalog.store.leases import SAY_SECONDS, Busy
from catalog.store.location import absolute, storage
from catalog.store.stored import Block, StoredSweep
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from distributed import Client

Counts = dict[str, int]
OnBlock = Callable[[Block, Counts], None]
Task = Callable[[Block], "Done"]
Results = Iterator["Done"]
Needs = Mapping[Any, float]
"""Predicted bytes of a process that solves each block, by the block or its name."""
Executor = Callable[[Task, Sequence[Block], Needs], Results]
CPUS = CPU_COUNT
"""Those that this process may use: affinity and limits of containers are taken into account."""

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.5
"""Time between looks at the blocks that another run is at work on."""


class RunStopped(RuntimeError):
    """A run ended before its sweep was complete; what is finished is stored."""


def run(
    sweep: Sweep,
    store: str | Path,
    *,
    scheduler: str | Profile | Client | None = None,
    workers: int | None = None,
    on_block: OnBlock | None = None,
) -> Counts:
    """Compute and store the points of a sweep that a store lacks.

    It may be killed at any moment and repeated: finished blocks are never computed again, and the
    stored values do not depend on the interruption or on the scheduler (their ``wall_time`` does).
    Several runs at once share the work: each block is solved by one of them.

    Parameters
    ----------
    sweep : Sweep
        If the store has a sweep of that name with other labels, it is extended.
    store : path or URL
        A Zarr store, begun if need be; every worker must reach it.
    scheduler : {"processes", "threads", "synchronous"}, address, Profile or distributed.Client
        By default dask's active client if there is one, as in ``ds.compute()``, else "processes".
        "processes" starts a local cluster for the duration; an address such as
        ``tls://host:8786`` names a running scheduler; a profile submits batch jobs.
    workers : int, optional
        Number of local threads or processes; by default that of the CPUs that this process may use.
    on_block : callable, optional
        Called in this process with each block that was completed, here or in a run at the same
        time, and its counts of points by status label.

    Returns
    -------
    dict of str to int
        Points by status label, over the whole sweep.

    Raises
    ------
    InvalidInput
        If the store cannot hold this sweep, the scheduler cannot be reached, or its workers cannot
        do the work; nothing is written then.
    RunStopped
        If a block could not be completed (disk full, worker lost); run again to go on.
    """
    return run_told(sweep, store, scheduler, workers, on_block, lambda _: None)


def run_told(
    sweep: Sweep,
    store: str | Path,
    scheduler: str | Profile | Client | None,
    workers: int | None,
    on_block: OnBlock | None,
    on_begin: Callable[[StoredSweep], None],
) -> Counts:
    """As `run`; ``on_begin`` is called with the stored sweep before its first block is solved."""
    where = chosen(scheduler)
    if workers is not None and workers < 1:
        raise InvalidInput(f"workers must be at least 1, but is {workers}: use 1, 2, …")
    location = absolute(store)
    if storage(location).read_only:
        raise InvalidInput(f"{location} is an archive, only to be read: unpack it to a directory")
    stored = None if _is_empty(location) else find_stored(store, sweep)
    if stored is not None:
        require_sound(stored)
    work = work_left(sweep, stored)
    if stored is not None and not work:
        on_begin(stored)
        stored.settle()  # what a killed run has finished
        return stored.counts(sweep)
    costs = fitted_model(stored, sweep.grid)
    with prepared(location, where, workers, work, sweep.model, costs) as executor:
        stored = create_or_open(store, sweep)
        on_begin(stored)
        complete_with(
            executor,
            stored,
            stored.missing(sweep),
            sweep.model,
            sweep.definition(),
            costs,
            on_block,
        )
    return stored.counts(sweep)


def complete(
    stored: StoredSweep,
    blocks: Sequence[Block],
    model: Model,
    request: Mapping[str, Any],
    scheduler: str | Profile | Client | None,
    workers: int | None,
    on_block: OnBlock | None,
    *,
    again: bool = False,
) -> None:
    """Solve and store blocks; the run enters the history.

    Nothing is written before the scheduler is reached, its workers are examined and the largest
    block has been found to fit into their memory.

    Parameters
    ----------
    again : bool
        Solve also blocks that are there.
    """
    if not blocks:
        return
    costs = fitted_model(stored)
    work = [block.work for block in blocks]
    with prepared(stored.location, chosen(scheduler), workers, work, model, costs) as executor:
        complete_with(executor, stored, blocks, model, request, costs, on_block, again=again)


def complete_with(
    executor: Executor,
    stored: StoredSweep,
    blocks: Sequence[Block],
    model: Model,
    request: Mapping[str, Any],
    costs: CostModel,
    on_block: OnBlock | None,
    *,
    again: bool = False,
) -> None:
    """As `complete`, by what `prepared` gave."""
    if not blocks:
        return
    session = Session(stored.location, stored.name, request, model.source_hash())
    assert session.number > 0  # known before it travels to the workers
    work = [block.work for block in blocks]
    needs = dict(zip(blocks, costs.peak_bytes(work).tolist(), strict=True))
    blocks = [blocks[position] for position in longest_first(work, costs)]
    points: Counter[str] = Counter()
    try:
        with closing(
            _results(partial(do_block, model, session, again), executor, blocks, needs)
        ) as results:
            for done in results:
                points.update(done.counts if done.here else {})
                if on_block is not None:
                    on_block(done.block, done.counts)
        stored.settle()
    except BaseException:
        with suppress(Exception):  # what stopped the run, a full disk, may stop this as well
            session.finish("stopped", points)
            stored.settle()
        raise
    session.finish("complete", points)


class _Waiting:
    """Says for whom a run waits, once it has nothing else to do."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.said: set[str] = set()

    def say(self, holders: Sequence[str]) -> None:
        """Log the holders that were not named yet, after some seconds."""
        new = sorted(set(holders) - self.said)
        if new and time.monotonic() - self.since > SAY_SECONDS:
            self.said |= set(new)
            log.warning("waiting for %d blocks that %s works on", len(holders), " and ".join(new))


@dataclass(frozen=True)
class Done:
    """What became of a block.

    Attributes
    ----------
    block : Block
    counts : dict of str to int
        Its points by status; empty while somebody else is at it.
    here : bool
        Whether it was solved by this run.
    holder : str
        Who else is at it, in words.
    """

    block: Block
    counts: Counts
    here: bool = True
    holder: str = ""


def do_block(model: Model, session: Session, again: bool, block: Block) -> Done:
    """The task: solve and store a block, unless somebody else is at it or has done it."""
    try:
        arrays = complete_block(block.part, block.index, model, session, wait=False, again=again)
    except Busy as busy:
        return Done(block, {}, here=False, holder=busy.holder)
    here = arrays is not None
    if arrays is None:
        arrays = block.part.read(block.index, ["status"])
    statuses = Counter(arrays["status"].ravel().tolist())
    counts = {Status(code).label: number for code, number in statuses.items()}
    return Done(block, counts, here)


def _results(
    task: Task, executor: Executor, blocks: Sequence[Block], needs: Needs
) -> Generator[Done, None, None]:
    """Blocks as they finish, here or elsewhere; closing the iterator cancels the rest."""
    waiting = _Waiting()
    try:
        while blocks:
            elsewhere = []
            for done in executor(task, blocks, needs):
                if done.counts:
                    yield done
                else:
                    elsewhere.append(done)
            # Come back to what another run has finished, or has ceased to work on.
            blocks = [done.block for done in elsewhere]
            if blocks:
                waiting.say([done.holder for done in elsewhere])
                time.sleep(BUSY_SECONDS)
    except (GeneratorExit, InvalidInput):
        raise
    except ClusterLost as failure:
        raise RunStopped(str(failure)) from failure
    except Exception as failure:
        raise RunStopped(
            f"a block could not be completed ({type(failure).__name__}: {failure}); finished "
            "blocks are stored: remove the cause and run the same command again"
        ) from failure


@contextmanager
def prepared(
    location: str,
    scheduler: str | Profile | Client,
    workers: int | None,
    work: Sequence[Work],
    model: Model,
    costs: CostModel,
) -> Iterator[Executor]:
    """What solves blocks, one after the other or side by side.

    It is connected and its workers are examined; all that a run may be refused for was looked at.
    Nothing has been written.

    Parameters
    ----------
    location : str
        Absolute location of the store, which need not have been begun.
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
        if isinstance(scheduler, Profile):  # known before a job waits in the queue
            require_fitting(needs, scheduler.worker_bytes)
        with connected(scheduler, number, blocks=len(work)) as connection:
            _require_ready(connection, needs, model, location, folder)
            yield partial(_on_cluster, connection, model, location)


def _require_ready(
    connection: Connection, needs: Needs, model: Model, location: str, folder: str
) -> None:
    from catalog.running.dispatch import require_ready  # slow to import

    try:
        require_ready(
            connection.client,
            needs,
            model=model,
            location=location,
            folder=folder,
            hopeless=connection.hopeless,
        )
    except InvalidInput:
        raise
    except ClusterLost as failure:
        raise RunStopped(str(failure)) from failure
    except Exception as failure:
        raise RunStopped(
            f"the workers could not be examined ({type(failure).__name__}: {failure}): run the "
            "same command again"
        ) from failure


def _is_empty(location: str) -> bool:
    """Whether it is a directory with nothing in it, in which a store may be begun."""
    folder = storage(location).folder
    try:
        return folder is not None and folder.is_dir() and not storage(location).names("")
    except OSError:  # it cannot be listed, which is refused where the store is opened
        return False


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
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
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
