"""A dask.distributed client: the caller's, at an address, in SLURM jobs, or on this machine.

Whoever can talk to a scheduler can run code as the owner of its workers.  The clusters that are
started here therefore admit only who holds a key that is made for the run (TLS), show no page in a
browser, and keep their files in a directory that nobody else can write to.
"""

from __future__ import annotations

import copy
import logging
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask

from catalog.running.profile import Profile
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT = "10s"
ENCRYPTED = ("tls", "wss")
SCHEMES = ("tcp", "ws", "ucx", *ENCRYPTED)
SAFE = {
    "distributed.scheduler.http.routes": [],  # no page in a browser
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,  # no pickled data in files
    "distributed.worker.memory.spill": False,
}
"""dask's settings of the clusters that are started here."""

log = logging.getLogger(__name__)


class ClusterLost(RuntimeError):
    """The scheduler is gone, or every worker that tried a block died."""


@dataclass(frozen=True)
class Connection:
    """A client, and what is known of the jobs behind it.

    Parameters
    ----------
    client : distributed.Client
    hopeless : callable
        Why it is no use to go on, in one line with the remedy; empty while it is.
    """

    client: Client
    hopeless: Callable[[], str] = str


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
        _require_usable_client(scheduler)
        yield Connection(scheduler)
    elif isinstance(scheduler, Profile):
        from catalog.running.slurm import slurm_client

        with slurm_client(scheduler, blocks) as connection:
            yield connection
    elif scheduler == "processes":
        with _local_client(min(workers, blocks)) as client:
            yield Connection(client)
    else:
        with _open(_client_at(scheduler)) as client:
            scheme, _, _ = _parsed(scheduler)
            if scheme not in ENCRYPTED:
                log.warning(
                    "the connection to %s is open: everybody who can reach that port can run code "
                    "as the owner of its workers; use a scheduler with TLS, tls://host:port",
                    scheduler,
                )
            yield Connection(client)


@contextmanager
def _local_client(workers: int) -> Iterator[Client]:
    """Client of so many processes on this machine, which only this process can talk to."""
    import distributed

    with ExitStack() as stack:
        with interrupts_held(), safe_settings() as settings:
            try:
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=1.0,  # all that there is, which admission shares out
                    security=distributed.Security.temporary(),
                    # The port is taken all the same; a fixed one would be disputed.
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs="CRITICAL",  # a heartbeat cut short by the end is an "error"
                    config=settings,
                )
            except (OSError, RuntimeError) as failure:
                raise InvalidInput(
                    f"cannot start worker processes here ({_reason(failure)}): correct that, or "
                    "compute in this process (--workers 1, scheduler='synchronous')"
                ) from None
            stack.enter_context(cluster)
            client = distributed.Client(cluster, set_as_default=False)
            stack.enter_context(client)
        yield client


@contextmanager
def safe_settings() -> Iterator[dict[str, Any]]:
    """Settings with which a scheduler and its workers are started; a copy of them for workers.

    dask puts its scratch directory, by default one of a fixed name that any user can create first,
    at the head of Python's search path: it must be private.
    """
    with dask.config.set({**SAFE, "temporary-directory": str(private_directory())}):
        yield copy.deepcopy(dask.config.config)


def private_directory() -> Path:
    """A directory for temporary files that only this user can enter.

    It is the same for all runs, so that dask finds and deletes there what a killed run has left.
    """
    base = Path(dask.config.get("temporary-directory", None) or tempfile.gettempdir())
    if not hasattr(os, "getuid"):  # Windows, where each user has a temporary directory
        return base
    path = base / f"heatcat-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="heatcat-"))
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return path
    return Path(tempfile.mkdtemp(prefix="heatcat-", dir=base))  # another user was there first


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
    """Client of the scheduler at an address, with the TLS settings of dask's configuration."""
    import distributed

    scheme, host, port = _parsed(address)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host.replace(":", " ")
    if not bare or any(character.isspace() for character in bare) or not 1 <= port <= 65535:
        raise _unreachable(address, "an address is scheme://host:port")
    if scheme not in SCHEMES:
        raise _unreachable(address, f"its scheme must be one of {', '.join(SCHEMES)}")
    try:
        security = distributed.Security()
        encrypts = security.get_connection_args("client")["ssl_context"] is not None
    except (OSError, ValueError) as failure:
        raise InvalidInput(
            f"cannot use the TLS files of dask's configuration ({_reason(failure)}): correct "
            "distributed.comm.tls.ca-file, .client.cert and .client.key"
        ) from None
    if scheme in ENCRYPTED and not encrypts:
        raise InvalidInput(
            f"{address!r} needs a certificate: set distributed.comm.tls.ca-file, .client.cert and "
            ".client.key in dask's configuration"
        )
    try:
        return distributed.Client(
            address, timeout=CONNECT_TIMEOUT, security=security, set_as_default=False
        )
    except Exception as failure:  # of many kinds, also ones that are not about the address
        reason = _reason(failure)
        if "certificate" in reason.lower():
            raise InvalidInput(
                f"the scheduler at {address!r} and dask's configuration here do not have the same "
                f"certificate ({reason}): set distributed.comm.tls.* to the files of that scheduler"
            ) from None
        raise _unreachable(address, reason) from None


def _parsed(address: str) -> tuple[str, str, int]:
    """Scheme (tcp if none is given), host and port; port 0 if there is none."""
    scheme, separator, rest = address.rpartition("://")
    host, _, port = rest.rpartition(":")
    digits = port if port.isascii() and port.isdigit() and len(port) <= 5 else "0"
    return (scheme.lower() if separator else "tcp"), host, int(digits)


def _unreachable(address: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"cannot reach a scheduler at {address!r} ({why}): start one with dask scheduler and give "
        "its address, e.g. tcp://127.0.0.1:8786"
    )


def _reason(failure: BaseException) -> str:
    """An error in one line, with its cause if that says more."""
    causes = (failure.__cause__, failure)
    texts = [" ".join(str(error).split()) for error in causes if error is not None]
    return (
        next((text for text in texts if "certificate" in text.lower()), texts[-1])
        or type(failure).__name__
    )


def _require_usable_client(client: Client) -> None:
    if client.asynchronous:
        raise InvalidInput(
            "the client is asynchronous: give one that is not, or scheduler='processes'"
        )
    if lost(client):
        raise InvalidInput(
            f"the client is {client.status}: connect a new one, or give scheduler='processes'"
        )


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
