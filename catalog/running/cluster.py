"""A dask.distributed client: the caller's, at an address, in SLURM jobs, or on this machine.

Anyone who can connect to a scheduler can run code as the user who owns its workers.  The clusters
that are started here therefore accept only connections with a key that is made for the run (TLS),
show no page in a browser, and keep their files in a directory that nobody else can write to.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from catalog.running.address import ENCRYPTED, client_at, parsed_address, reason_of
from catalog.running.connection import Connection, lost
from catalog.running.profile import Profile
from catalog.running.safe_start import interrupts_held, safe_settings
from catalog.running.slurm import slurm_client
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger(__name__)


def chosen(scheduler: str | Profile | Client | None) -> str | Profile | Client:
    """Where to compute: as asked for, else on dask's active client, else in local processes.

    Raises
    ------
    InvalidInput
        If it is nothing that can be computed on.
    """
    if scheduler is None:
        return _active_client() or "processes"
    distributed = sys.modules.get("distributed")
    if isinstance(scheduler, (str, Profile)) or (
        distributed is not None and isinstance(scheduler, distributed.Client)
    ):
        return scheduler
    raise InvalidInput(
        f"scheduler must be a name, an address, a Profile or a distributed.Client, but is "
        f"{scheduler!r:.80}: use for instance 'processes'"
    )


def _active_client() -> Client | None:
    """The client that ``dask.compute`` would use, if there is one; none is made."""
    distributed = sys.modules.get("distributed")
    if distributed is None:  # it takes a second to import, and has no client then
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


@contextmanager
def connected(
    scheduler: str | Profile | Client, workers: int, *, blocks: int
) -> Iterator[Connection]:
    """Client for a run; what was started for it is stopped at the end.

    It never becomes dask's default: other computations of the caller run where they ran before,
    also if the connection fails.

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
        _require_usable_client(scheduler)
        yield Connection(scheduler)
    elif isinstance(scheduler, Profile):
        with slurm_client(scheduler, blocks) as connection:
            yield connection
    elif scheduler == "processes":
        with local_client(min(workers, blocks)) as client:
            yield Connection(client)
    else:
        with _open(client_at(scheduler)) as client:
            scheme, _, _ = parsed_address(scheduler)
            if scheme not in ENCRYPTED:
                log.warning(
                    "the connection to %s is open: everybody who can reach that port can run code "
                    "as the owner of its workers; use a scheduler with TLS, tls://host:port",
                    scheduler,
                )
            yield Connection(client)


@contextmanager
def local_client(workers: int) -> Iterator[Client]:
    """Client of worker processes on this machine, to which only this process can connect."""
    import distributed

    with ExitStack() as stack:
        with interrupts_held(), safe_settings() as settings:
            try:
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=1.0,  # all of it: Admission shares it out
                    security=distributed.Security.temporary(),
                    # dask opens a port even without a page; two runs cannot both open a fixed one.
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs="CRITICAL",  # a heartbeat that the end cuts off is an "error"
                    config=settings,
                )
            except (OSError, RuntimeError) as failure:
                raise InvalidInput(
                    f"cannot start worker processes here ({reason_of(failure)}): in a script, "
                    "make the call under 'if __name__ == \"__main__\"'; elsewhere, compute in this "
                    "process (--workers 1, scheduler='synchronous')"
                ) from None
            stack.enter_context(cluster)
            client = distributed.Client(cluster, set_as_default=False)
            stack.enter_context(client)
        yield client


def _require_usable_client(client: Client) -> None:
    if client.asynchronous:
        raise InvalidInput(
            "the client is asynchronous: give one that is not, or scheduler='processes'"
        )
    if lost(client):
        raise InvalidInput(
            f"the client is {client.status}: connect a new one, or give scheduler='processes'"
        )


@contextmanager
def _open(client: Client) -> Iterator[Client]:
    """Close a client in the end, without dask's tracebacks if its scheduler was lost.

    The caller says in one line that it is lost.  Dask would log the
    message that could not be sent, and an error since closing interrupts its attempt to reconnect.
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
