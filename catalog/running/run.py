"""Complete a sweep in its store: in this process, in threads, in processes or on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.arguments import a_callable, a_count, a_location, a_scheduler, checked, optional
from catalog.running.block_task import Counts, Done
from catalog.running.cluster import chosen
from catalog.running.executors import open_executor
from catalog.running.plan import survey
from catalog.running.profile import Profile
from catalog.running.progress import Progress, Watched, a_progress
from catalog.running.recorded import OnBlock, solve_and_record, telling
from catalog.store.extend import adopt_description, create_or_open, find_stored, require_sound
from catalog.store.location import absolute
from catalog.store.storage import storage
from catalog.sweeps.argument import a_sweep
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client


@checked(
    sweep=a_sweep,
    store=a_location,
    scheduler=a_scheduler,
    workers=optional(a_count),
    on_block=optional(a_callable),
    progress=optional(a_progress),
)
def run(
    sweep: Sweep,
    store: str | Path,
    *,
    scheduler: str | Profile | Client | None = None,
    workers: int | None = None,
    on_block: OnBlock | None = None,
    progress: Progress | None = None,
) -> Counts:
    """Compute and store the points of a sweep that a store does not have yet.

    It may be killed at any moment and repeated: finished blocks are never computed again, and the
    stored values do not depend on the interruption or on the scheduler (their ``wall_time`` does).
    Several runs at once share the work: each block is solved by one of them.

    Parameters
    ----------
    sweep : Sweep
        If the store has a sweep of that name with other labels, it is extended.
    store : path or URL
        A Zarr store, created if there is none; every worker must reach it.
    scheduler : {"processes", "threads", "synchronous"}, address, Profile or distributed.Client
        By default dask's active client if there is one, as in ``ds.compute()``, else "processes".
        "processes" starts a local cluster for the duration; an address such as
        ``tls://host:8786`` names a running scheduler; a profile submits batch jobs.
    workers : int, optional
        Number of local threads or processes; by default that of the CPUs that this process may use.
    on_block : callable, optional
        Called in this process with each block that was completed, here or in a run at the same
        time, and its counts of points by status label.
    progress : Progress, optional
        Watches the run: it is called in this process when the run begins, with the plan, and with
        each block that was completed, with the times of its points and what is left.

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
        If a block could not be completed (disk full, worker lost); run again to continue.
    """
    target = chosen(scheduler)
    location = absolute(store)
    if storage(location).read_only:
        raise InvalidInput(f"{location} is an archive, only to be read: unpack it to a directory")
    stored = None if _is_empty(location) else find_stored(store, sweep)
    if stored is not None:
        require_sound(stored)
        adopt_description(stored, sweep)
    found = survey(sweep, stored)
    if stored is not None and not found.work:
        if progress is not None:
            Watched(progress, found)
        stored.settle()  # what a killed run has finished
        return stored.counts(sweep)
    with open_executor(location, target, workers, found.work, sweep.model, found.costs) as executor:
        if stored is None or found.new:
            stored = create_or_open(store, sweep)
        watched = None if progress is None else Watched(progress, found)
        tell = telling(on_block)

        def on_done(done: Done) -> None:
            tell(done)
            if watched is not None:
                watched.block_finished(done)

        blocks = found.blocks_in(stored)
        request = sweep.definition()
        solve_and_record(executor, stored, blocks, sweep.model, request, found.costs, on_done)
    return stored.counts(sweep)


def _is_empty(location: str) -> bool:
    """Whether it is a directory with nothing in it, in which a store may be begun."""
    folder = storage(location).folder
    try:
        return folder is not None and folder.is_dir() and not storage(location).names("")
    except OSError:  # it cannot be listed, which is refused where the store is opened
        return False
