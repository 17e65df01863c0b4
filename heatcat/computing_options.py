"""The options that say where to compute: ``--scheduler``, ``--cluster`` and ``--workers``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

import catalog
from ensemble import InvalidInput


def computing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the three options; it is called with ``scheduler`` and ``workers``.

    ``scheduler`` is then what `catalog.run` takes: a name, an address or a profile.
    """

    @click.option("--scheduler", help="Address of a running dask scheduler, tcp://host:port.")
    @click.option(
        "--cluster", type=click.Path(), help="Profile of a batch cluster (SLURM), a TOML file."
    )
    @click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Number of local worker processes; 1 computes in this process.",
    )
    @functools.wraps(command)
    def choosing(
        *, scheduler: str | None, cluster: str | None, workers: int | None, **others: Any
    ) -> None:
        chosen = choose_scheduler(scheduler, cluster, workers)
        command(scheduler=chosen, workers=workers, **others)

    return choosing


def choose_scheduler(
    scheduler: str | None, cluster: str | None, workers: int | None
) -> str | catalog.Profile:
    """What to compute on, from options that exclude each other.

    Raises
    ------
    InvalidInput
        If more than one of them is given, or the profile cannot be used.
    """
    options = {"--scheduler": scheduler, "--cluster": cluster, "--workers": workers}
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise InvalidInput(f"{' and '.join(given)} exclude each other: keep one of them")
    if cluster is not None:
        return catalog.read_profile(cluster)
    return scheduler or ("synchronous" if workers == 1 else "processes")
