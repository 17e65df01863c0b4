"""``heatcat solve``: one engine, its currents, noise and certificates."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from catalog.heat_engine.methods import method_from
from catalog.heat_engine.terms import VOCABULARY
from catalog.names.suggestion import suggestion
from ensemble import Engine, InvalidInput, Solution, Status
from ensemble.method import Method, attempt
from ensemble.parameters.given import SPACINGS, TEMPERATURES
from heatcat import show, terminal
from heatcat.failures import fail

GIVEN = (*SPACINGS, *TEMPERATURES)
MORE = ("detuning", "Gamma_local", "Gamma_dephasing")
PARAMETERS = (*GIVEN, "omega_0", "Gamma_0", "Gamma_1", "Gamma_2", *MORE)
REQUIRED = ("omega_0", "Gamma_0")


def _engine_options(command: Any) -> Any:
    """Options for the parameters of an engine, ``--E-1`` for E_1 and so on."""
    for name in reversed(PARAMETERS):
        term = VOCABULARY[name]
        command = click.option(
            "--" + name.replace("_", "-"),
            name,
            type=float,
            required=name in REQUIRED,
            help=f"{term.symbol}: {term.long_name}.",
        )(command)
    return command


@click.command()
@click.option("--N", "N", type=int, help="Number of spin pairs.")
@_engine_options
@click.option("--spin-1", "spin_1", type=float, help="S₁: cold spin, N/2 by default.")
@click.option("--spin-2", "spin_2", type=float, help="S₂: hot spin, N/2 by default.")
@click.option("--scaling", default="bare", show_default=True, help="bare or high-temperature.")
@click.option(
    "--statistics", default="bosonic", show_default=True, help="Baths: bosonic or fermionic."
)
@click.option("--mu-1", "mu_1", type=float, default=0.0, help="μ₁: fermionic cold bath.")
@click.option("--mu-2", "mu_2", type=float, default=0.0, help="μ₂: fermionic hot bath.")
@click.option("--method", "method_name", default="exact", show_default=True, help="Solver.")
@click.option("--order", type=int, help="Of the closure, for method cumulant: 2, 3 or 4.")
@click.option("--variables", help="Comma-separated names; all of the method by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def solve(
    N: int | None,
    method_name: str,
    order: int | None,
    variables: str | None,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Solve one engine and print its currents, noise and certificates.

    Two of E_1, delta_E and E_2 are given, and two of T_mean, delta_T, T_1 and T_2.

    The exit code is 0 if there are values, also where their status is "uncertified" or
    "unphysical": a line on standard error then says why.  It is 1 if the point failed (the status
    is printed, there are no values) and 2 if the engine is refused (nothing is printed).
    """
    options = {} if order is None else {"order": order}
    method = method_from({"name": method_name, **options})
    names = [name.strip() for name in variables.split(",")] if variables is not None else None
    for name in names or ():
        if name not in method.variables:
            raise InvalidInput(
                f"method {method_name} does not define {name!r}{suggestion(name, method.variables)}"
            )
    if method.sized and N is None:
        raise InvalidInput(f"method {method_name} needs a size: give --N")
    if not method.sized and N is not None:
        raise InvalidInput(f"method {method_name} is the limit N → ∞: leave out --N")
    given = {name: value for name, value in parameters.items() if value is not None}
    engine = Engine.of(N=1 if N is None else N, **given)
    method.accept(engine)
    start = time.perf_counter()
    solution = attempt(method, engine, names)
    elapsed = time.perf_counter() - start
    if as_json:
        terminal.echo_json(_solution_json(engine, method, solution, elapsed))
    else:
        show.solution(engine, method, solution, elapsed)
    if solution.status is Status.FAILED:
        fail(f"failed: {solution.message}", code=1)
    if solution.status is not Status.OK:
        click.echo(f"note: {solution.status.label}: {solution.message}", err=True)


def _solution_json(
    engine: Engine, method: Method, solution: Solution, elapsed: float
) -> dict[str, Any]:
    names = ("E_1", "delta_E", "T_mean", "delta_T", "omega_0", "Gamma_0", "mu_1", "mu_2", *MORE)
    choices = ("scaling", "statistics")
    parameters = {name: getattr(engine, name) for name in (*names, *choices)}
    parameters |= {name: getattr(engine, name) for name in ("E_2", "T_1", "T_2")}
    parameters |= {"Gamma_1": engine.rates[0], "Gamma_2": engine.rates[1]}
    if method.sized:
        spins = {"spin_1": engine.levels[0] / 2, "spin_2": engine.levels[1] / 2}
        parameters = {"N": engine.N, **parameters, **spins}
    return {
        "engine": parameters,
        "method": method.name,
        "options": asdict(method),
        "values": _nulls(solution.values),
        "diagnostics": _nulls({**solution.diagnostics, "wall_time": elapsed}),
        "status": solution.status.label + (f": {solution.message}" if solution.message else ""),
    }


def _nulls(values: Mapping[str, float | str]) -> dict[str, float | str | None]:
    """JSON has no NaN: undefined values are null."""
    return {
        name: value if isinstance(value, str) or math.isfinite(value) else None
        for name, value in values.items()
    }
