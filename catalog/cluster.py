"""A dask.distributed client: the caller's, one at an address, or a local cluster for one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT = "10s"


@contextmanager
def connected(scheduler: str | Client, workers: int) -> Iterator[Client]:
    """Client for a run; what was started for it is stopped at the end.

    It never becomes dask's default: the caller's other computing stays where it was, also if the
    connection fails.

    Parameters
    ----------
    scheduler : "processes", address or distributed.Client
        "processes" starts ``workers`` single-threaded processes on this machine, which are
        restarted if they die; a client that is given stays open.

    Raises
    ------
    InvalidInput
        If no scheduler answers at the address.
    """
    import distributed  # it takes a second to import: only where it is needed

    if isinstance(scheduler, distributed.Client):
        yield scheduler
    elif scheduler == "processes":
        with (
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # runs side by side would dispute a fixed port
                silence_logs="ERROR",
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield client
    else:
        with _client_at(scheduler) as client:
            yield client


def _client_at(address: str) -> Client:
    import distributed

    try:
        return distributed.Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as failure:
        raise InvalidInput(
            f"cannot reach a scheduler at {address!r} ({failure}): start one with dask scheduler "
            "and give its address, e.g. tcp://127.0.0.1:8786"
        ) from None
