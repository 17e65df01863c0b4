"""A connection to a dask scheduler, and what is known of the jobs behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Connection:
    """A client, and what is known of the jobs behind it.

    Parameters
    ----------
    client : distributed.Client
    hopeless : callable
        Returns why the run cannot go on, in one line with the remedy; empty while it can.
    """

    client: Client
    hopeless: Callable[[], str] = str


def scheduler_address(client: Client) -> str:
    """Where the scheduler of a client is, or was asked to be."""
    return str(client.scheduler.address) if client.scheduler is not None else "its address"


def lost(client: Client) -> bool:
    """Whether the scheduler no longer answers: dask tries to reconnect, but has lost the work."""
    return client.status not in ("running", "closing")
