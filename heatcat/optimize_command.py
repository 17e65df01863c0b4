"""``heatcat optimize``: the engine with the most of a variable, under constraints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.table import Table

import catalog
from catalog.heat_engine.terms import NAMES
from ensemble import Engine, InvalidInput, Optimization
from ensemble import optimize as search_optima
from ensemble.optima.problem import GAIN
from ensemble.parameters.given import SPACINGS, TEMPERATURES
from ensemble.sensitivities.parameters import PARAMETERS
from heatcat import show, terminal
from heatcat.engine_options import engine_options, given, option_of
from heatcat.failures import fail

NATURAL = ("T_1", "T_2", "E_2")
"""What may be given in place of T̄, ΔT and ΔE, where neither of these is varied."""
NEEDED = ("E_1", "delta_E", "T_mean", "delta_T", "omega_0", "Gamma_0")
"""Parameters that have no default: the μ's are 0, Γ₁ and Γ₂ are Γ₀."""


@click.command()
@click.option("--maximize", help="The variable to make as large as possible.")
@click.option("--minimize", help="The variable to make as small as possible.")
@click.option("--over", multiple=True, help="A parameter and its range, delta_E=1:11; repeatable.")
@click.option("--geometric", default="", help="Those that are searched on a logarithmic scale.")
@click.option(
    "--subject-to", multiple=True, help='A constraint, "constancy >= 1" or "gain >= 1"; repeatable.'
)
@click.option("--N", "N", type=int, required=True, help="Number of spin pairs.")
@engine_options((*PARAMETERS, *NATURAL))
@click.option("--starts", type=int, default=8, show_default=True, help="Number of searches.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the random starting points."
)
@click.option("--store", type=click.Path(), help="Solve the optima and store them as a sweep.")
@click.option("--name", default="optima", show_default=True, help="Name of the sweep in the store.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def optimize(
    maximize: str | None,
    minimize: str | None,
    over: tuple[str, ...],
    geometric: str,
    subject_to: tuple[str, ...],
    starts: int,
    seed: int,
    store: str | None,
    name: str,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Search for engines with the most (or least) of a variable, by method exact.

    Gradients are exact (adjoint solves), searches begin at the points of a seeded low-discrepancy
    sequence, and every one is reported with its Karush-Kuhn-Tucker residual, which vanishes at a
    local optimum.  The exit code is 1 if no search converged.
    """
    ranges = _ranges(over)
    engine = _engine(ranges, parameters)
    found = search_optima(
        engine,
        maximize=maximize,
        minimize=minimize,
        over=ranges,
        subject_to=subject_to,
        geometric=[NAMES.parameter_name(word.strip()) for word in geometric.split(",") if word],
        starts=starts,
        seed=seed,
    )
    if as_json:
        terminal.echo_json(_as_json(found, engine))
    else:
        _print(found)
    if found.best is None:
        fail(f"no search converged: {found.searches[0].message}", code=1)
    if store is not None:
        show.run(_sweep(found, engine, name), store, scheduler="synchronous", workers=1)


def _ranges(given: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Ranges by parameter, from "delta_E=1:11"."""
    ranges: dict[str, tuple[float, float]] = {}
    for text in given:
        symbol, equals, limits = text.partition("=")
        low, colon, high = limits.partition(":")
        try:
            numbers = float(low), float(high)
        except ValueError:
            numbers = None
        if not (equals and colon) or numbers is None:
            raise InvalidInput(f"--over {text} is no range: write e.g. --over delta_E=1:11")
        parameter = NAMES.parameter_name(symbol.strip())
        if parameter in ranges:
            raise InvalidInput(f"--over gives {parameter} twice: keep one of them")
        ranges[parameter] = numbers
    if not ranges:
        raise InvalidInput("nothing is varied: give e.g. --over delta_E=1:11")
    return ranges


def _engine(ranges: Mapping[str, tuple[float, float]], parameters: Mapping[str, Any]) -> Engine:
    """The engine with the lowest value of each parameter that is varied."""
    known = given(parameters)
    for parameter in ranges:
        if parameter in known:
            raise InvalidInput(
                f"{option_of(parameter)} and --over both give {parameter}: keep one of them"
            )
    for kind in (SPACINGS, TEMPERATURES):
        varied = [name for name in ranges if name in kind]
        for parameter in NATURAL:
            if varied and parameter in kind and parameter in known:
                raise InvalidInput(
                    f"{option_of(parameter)} does not stay where it is while {varied[0]} varies: "
                    f"give {' and '.join(name for name in NEEDED if name in kind)}"
                )
    known |= {parameter: limits[0] for parameter, limits in ranges.items()}
    for parameter in ("omega_0", "Gamma_0"):
        if parameter not in known:
            raise InvalidInput(
                f"{parameter} is missing: give {option_of(parameter)}, or a range with --over"
            )
    return Engine.of(**known)


def _as_json(found: Optimization, engine: Engine) -> dict[str, Any]:
    problem = found.problem
    fixed = {key: getattr(engine, key) for key in PARAMETERS if key not in problem.names}
    return {
        "engine": {
            "N": engine.N,
            **fixed,
            "spin_1": engine.levels[0] / 2,
            "spin_2": engine.levels[1] / 2,
            "scaling": engine.scaling,
            "statistics": engine.statistics,
        },
        "maximize" if found.maximized else "minimize": problem.objective,
        "over": dict(zip(problem.names, problem.box.tolist(), strict=True)),
        "subject_to": [str(item) for item in problem.constraints],
        "seed": found.seed,
        "searches": [
            {key: value for key, value in vars(search).items() if key != "position"}
            for search in found.searches
        ],
    }


def _print(found: Optimization) -> None:
    problem = found.problem
    aim = "maximal" if found.maximized else "minimal"
    under = (
        f", {', '.join(str(item) for item in problem.constraints)}" if problem.constraints else ""
    )
    table = Table(title=f"{aim} {problem.objective}{under}", title_justify="left")
    for heading in (*problem.names, *problem.variables, "KKT residual", ""):
        table.add_column(heading, justify="right")
    for search in found.searches:
        cells = [f"{search.parameters[key]:.8g}" for key in problem.names]
        cells += [f"{search.values.get(key, math.nan):.8g}" for key in problem.variables]
        at = f"at the limit of {', '.join(search.at_bounds)}" if search.at_bounds else ""
        note = at if search.converged else search.message
        table.add_row(*cells, f"{search.kkt_residual:.1e}", note)
    console = terminal.stdout()
    console.print(table)
    converged = sum(search.converged for search in found.searches)
    console.print(
        f"{converged} of {len(found.searches)} searches converged, to {len(found.distinct)} "
        "different optima; that none is better is not proved"
    )


def _sweep(found: Optimization, engine: Engine, name: str) -> catalog.Sweep:
    """The different optima as scattered points; with a gain, the engine of one pair beside them."""
    problem = found.problem
    points = {key: [search.parameters[key] for search in found.distinct] for key in problem.names}
    fixed: dict[str, Any] = {key: getattr(engine, key) for key in NEEDED if key not in points}
    optional = {key: getattr(engine, key) for key in (*PARAMETERS, "spin_1", "spin_2")}
    fixed |= {key: value for key, value in optional.items() if value and key not in points}
    with_single = GAIN in problem.variables and engine.N > 1
    axes = {"N": [1, engine.N]} if with_single else {}
    if not with_single:
        fixed["N"] = engine.N
    model = catalog.HeatEngine(scaling=engine.scaling, statistics=engine.statistics)
    wanted = {*model.default_variables, *problem.variables}
    return catalog.Sweep(
        name=name,
        model=model,
        axes=axes,
        fixed=fixed,
        points=points,
        variables=[key for key in model.vocabulary.names("variable") if key in wanted],
        description=f"optima of {problem.objective}",
    )
