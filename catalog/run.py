"""Complete a sweep in its store: in this process, in threads, in processes or on a cluster."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.admission import require_fitting
from catalog.cluster import connected
from catalog.cost import block_bytes, block_seconds
from catalog.profile import Profile
from catalog.store import SweepStore, create_or_open
from catalog.sweep import Index, Sweep
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from distributed import Client

Counts = dict[str, int]
OnBlock = Callable[[Index, Counts], None]
Results = Generator[tuple[Index, Counts], None, None]


class RunStopped(RuntimeError):
    """A run ended before its sweep was complete; what is finished is stored."""


def run(
    sweep: Sweep,
    store: str | Path,
    *,
    scheduler: str | Profile | Client = "processes",
    workers: int | None = None,
    on_block: OnBlock | None = None,
) -> Counts:
    """Compute and store the blocks that a store lacks.

    It may be killed at any moment and repeated: finished blocks are never computed again, and the
    stored values do not depend on the interruption or on the scheduler (their ``wall_time`` does).

    Parameters
    ----------
    sweep : Sweep
    store : path
        Directory of the Zarr store, created if need be; every worker must reach it.
    scheduler : {"processes", "threads", "synchronous"}, address, Profile or distributed.Client
        "processes" starts a local cluster for the duration; an address such as
        ``tcp://host:8786`` names a running scheduler; a profile submits batch jobs.
    workers : int, optional
        Number of local threads or processes; the number of CPUs by default.
    on_block : callable, optional
        Called in this process with the index of each block that was completed and its counts of
        points by status label.

    Returns
    -------
    dict of str to int
        Points by status label, over the whole sweep.

    Raises
    ------
    InvalidInput
        If the store cannot hold this sweep, the scheduler cannot be reached, or its workers
        cannot do the work: another version, no sight of the store, too little memory.
    RunStopped
        If a block could not be completed (disk full, scheduler lost); run again to go on.
    """
    if workers is not None and workers < 1:
        raise InvalidInput(f"workers must be at least 1, but is {workers}: use 1, 2, …")
    target = create_or_open(store, sweep)
    missing = target.missing()
    # Longest first, so that no long block is left for the end, when the other workers idle.
    seconds = dict(zip(missing, block_seconds(sweep, missing), strict=True))
    missing.sort(key=lambda index: -seconds[index])
    if missing:
        with closing(_results(target, missing, scheduler, workers)) as results:
            for index, counts in results:
                if on_block is not None:
                    on_block(index, counts)
    return target.counts()


def complete_block(store: SweepStore, index: Index) -> tuple[Index, Counts]:
    """The task: read or solve a block; return only its counts of points by status."""
    statuses = Counter(store.read_or_solve(index)["status"].ravel().tolist())
    return index, {Status(code).label: number for code, number in statuses.items()}


def _results(
    target: SweepStore,
    missing: Sequence[Index],
    scheduler: str | Profile | Client,
    workers: int | None,
) -> Results:
    """Results of the missing blocks as they finish; closing the iterator cancels the rest."""
    task = partial(complete_block, target)
    workers = workers or os.cpu_count() or 1
    try:
        if scheduler == "synchronous":
            yield from map(task, missing)
        elif scheduler == "threads":
            yield from _in_threads(task, missing, workers)
        else:
            needs = block_bytes(target.sweep, missing)
            yield from _on_cluster(
                task, missing, needs, scheduler, workers, location=target.location
            )
    except (GeneratorExit, InvalidInput, RunStopped):
        raise
    except Exception as failure:
        raise RunStopped(
            f"a block could not be completed ({type(failure).__name__}: {failure}); finished "
            "blocks are stored: remove the cause and run the same command again"
        ) from failure


def _in_threads(
    task: Callable[[Index], tuple[Index, Counts]], missing: Sequence[Index], workers: int
) -> Results:
    pool = ThreadPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(task, index) for index in missing]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _on_cluster(
    task: Callable[[Index], tuple[Index, Counts]],
    blocks: Sequence[Index],
    needs: Sequence[float],
    scheduler: str | Profile | Client,
    workers: int,
    *,
    location: str,
) -> Results:
    """Results from workers in other processes; ``needs`` are the blocks' predicted bytes."""
    from catalog.dispatch import ClusterLost, completed  # slow to import

    if isinstance(scheduler, Profile):  # known before a job waits in the queue
        require_fitting(dict(zip(blocks, needs, strict=True)), scheduler.worker_bytes)
    try:
        with connected(scheduler, workers, blocks=len(blocks)) as client:
            yield from completed(client, task, blocks, needs, location=location)
    except ClusterLost as failure:
        raise RunStopped(str(failure)) from failure
