"""Options that describe an engine: ``--E-1`` for E_1 and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from catalog.heat_engine.terms import VOCABULARY


def option_of(parameter: str) -> str:
    """The option that gives a parameter.

    Examples
    --------
    >>> option_of("delta_E")
    '--delta-E'
    """
    return "--" + parameter.replace("_", "-")


def engine_options(
    names: Iterable[str], *, required: Iterable[str] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for each parameter, the spins, the scaling and the statistics.

    Options that are not given are None, but for the scaling and the statistics; `given` drops them.
    """
    more = (
        click.option("--spin-1", "spin_1", type=float, help="S₁: cold spin, N/2 by default."),
        click.option("--spin-2", "spin_2", type=float, help="S₂: hot spin, N/2 by default."),
        click.option(
            "--scaling", default="bare", show_default=True, help="bare or high-temperature."
        ),
        click.option(
            "--statistics",
            default="bosonic",
            show_default=True,
            help="Baths: bosonic or fermionic.",
        ),
    )
    needed = set(required)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        terms = [VOCABULARY[name] for name in names]
        own = [
            click.option(
                option_of(term.name),
                term.name,
                type=float,
                required=term.name in needed,
                help=f"{term.symbol}: {term.long_name}.",
            )
            for term in terms
        ]
        for option in reversed([*own, *more]):
            command = option(command)
        return command

    return decorate


def given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the user gave a value."""
    return {name: value for name, value in parameters.items() if value is not None}
