"""``heatcat solve``: one engine, its currents, noise and certificates."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import click

from catalog.heat_engine.methods import method_from
from catalog.names.suggestion import suggestion
from ensemble import Engine, InvalidInput, Solution, Status
from ensemble.method import Method, attempt
from ensemble.parameters.given import SPACINGS, TEMPERATURES
from heatcat import show, terminal
from heatcat.engine_options import engine_options, given
from heatcat.failures import fail

GIVEN = (*SPACINGS, *TEMPERATURES)
MORE = ("detuning", "Gamma_local", "Gamma_dephasing")
PARAMETERS = (*GIVEN, "omega_0", "Gamma_0", "Gamma_1", "Gamma_2", *MORE, "mu_1", "mu_2")
REQUIRED = ("omega_0", "Gamma_0")


@click.command()
@click.option("--N", "N", type=int, help="Number of spin pairs.")
@engine_options(PARAMETERS, required=REQUIRED)
@click.option("--method", "method_name", default="exact", show_default=True, help="Solver.")
@click.option("--order", type=int, help="Order of the closure, for method cumulant: 2, 3 or 4.")
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

    Give two of E_1, delta_E and E_2, and two of T_mean, delta_T, T_1 and T_2.

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
    engine = Engine.of(N=1 if N is None else N, **given(parameters))
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
        "values": dict(solution.values),
        "diagnostics": {**solution.diagnostics, "wall_time": elapsed},
        "status": solution.status.label + (f": {solution.message}" if solution.message else ""),
    }
