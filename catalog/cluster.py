"""A dask.distributed client: the caller's, at an address, in SLURM jobs, or on this machine."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from catalog.profile import Profile
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT = "10s"


class ClusterLost(RuntimeError):
    """The scheduler is gone, or every worker that tried a block died."""


@contextmanager
def connected(scheduler: str | Profile | Client, workers: int, *, blocks: int) -> Iterator[Client]:
    """Client for a run; what was started for it is stopped at the end.

    It never becomes dask's default: the caller's other computing stays where it was, also if the
    connection fails.

    Parameters
    ----------
    scheduler : "processes", address, Profile or distributed.Client
        "processes" starts ``workers`` single-threaded processes on this machine, which are
        restarted if they die; a profile submits batch jobs; a client that is given stays open.
    workers : int
        Number of local processes.
    blocks : int
        Number of blocks to compute: no more processes or jobs are started.

    Raises
    ------
    InvalidInput
        If no scheduler answers at the address, or no job can be submitted.
    """
    import distributed  # it takes a second to import: only where it is needed

    if isinstance(scheduler, distributed.Client):
        yield scheduler
    elif isinstance(scheduler, Profile):
        from catalog.slurm import slurm_client

        with slurm_client(scheduler, blocks) as client:
            yield client
    elif scheduler == "processes":
        with ExitStack() as stack:
            with interrupts_held():
                cluster = distributed.LocalCluster(
                    n_workers=min(workers, blocks),
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=1.0,  # all of the machine's, which admission shares out
                    dashboard_address="127.0.0.1:0",  # side by side runs would dispute a fixed port
                    silence_logs="CRITICAL",  # a heartbeat cut short by the end is an "error"
                )
                stack.enter_context(cluster)
                client = distributed.Client(cluster, set_as_default=False)
                stack.enter_context(client)
            yield client
    else:
        with _open(_client_at(scheduler)) as client:
            yield client


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes start: half a cluster cannot be stopped in good order.

    Threads and processes that are started meanwhile never see it, though the terminal sends it to
    them all: the driver gets it at the end, and stops them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which sends Ctrl-C in another way
        yield
        return
    resource_tracker.ensure_running()  # its start would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _client_at(address: str) -> Client:
    import distributed

    try:
        return distributed.Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as failure:
        raise InvalidInput(
            f"cannot reach a scheduler at {address!r} ({failure}): start one with dask scheduler "
            "and give its address, e.g. tcp://127.0.0.1:8786"
        ) from None


def scheduler_address(client: Client) -> str:
    """Where the scheduler of a client is, or was asked to be."""
    return str(client.scheduler.address) if client.scheduler is not None else "its address"


def lost(client: Client) -> bool:
    """Whether the scheduler no longer answers: dask tries to reconnect, but has lost the work."""
    return client.status not in ("running", "closing")


@contextmanager
def _open(client: Client) -> Iterator[Client]:
    """Close a client in the end, without dask's tracebacks if its scheduler was lost.

    The caller says in one line that it is lost.  Dask logs the message that could not be sent, and
    as an error that closing interrupts the attempt to reconnect.
    """
    sending, reconnecting = map(logging.getLogger, ("distributed.batched", "distributed.client"))
    with _without(sending, lambda record: record.levelno <= logging.INFO):
        try:
            yield client
        finally:
            gone = lost(client)
            with _without(reconnecting, lambda _: gone):
                client.close()


@contextmanager
def _without(
    logger: logging.Logger, dropped: Callable[[logging.LogRecord], bool]
) -> Iterator[None]:
    def kept(record: logging.LogRecord) -> bool:
        return not dropped(record)

    logger.addFilter(kept)
    try:
        yield
    finally:
        logger.removeFilter(kept)
