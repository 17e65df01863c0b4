"""The command line.  Its words are a contract: scripts rely on them."""

from __future__ import annotations

import json
import math
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

import catalog
from catalog.job_script import job_script
from catalog.methods import method_from
from catalog.vocabulary import VOCABULARY, suggestion
from ensemble import Engine, InvalidInput, Solution
from ensemble.method import Method, attempt
from heatcat import __version__, show, store_commands
from heatcat.browser.command import browse
from heatcat.claims_command import claims
from heatcat.export_command import export
from heatcat.refine_command import refine

PARAMETERS = ("E_1", "delta_E", "T_mean", "delta_T", "omega_0", "Gamma_0")


def main() -> NoReturn:
    """Run the command line; every expected error is one line on standard error, exit code 2."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", catalog.OlderSolver)
            warnings.showwarning = _note
            code = cli.main(standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "heatcat"
        _fail(f"{error.format_message().rstrip('.')}: see {command} --help")
    except (InvalidInput, click.ClickException) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error}: check the path, its permissions and the free space")
    except catalog.RunStopped as error:
        _fail(str(error), code=1)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted: finished blocks are stored, run the same command to go on", code=130)
    sys.exit(code)


def _note(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """A warning as one line; what libraries warn each other of is not for users."""
    if issubclass(category, catalog.OlderSolver):
        click.echo(f"note: {message}", err=True)


def _fail(message: str, *, code: int = 2) -> NoReturn:
    print("heatcat: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(code)


@click.group(
    no_args_is_help=False,  # a missing command is an error of one line, as any other
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="heatcat")
def cli() -> None:
    """A labelled catalogue of collective quantum heat engines."""


for command in (
    browse,
    claims,
    export,
    refine,
    store_commands.status,
    store_commands.check,
    store_commands.repair,
    store_commands.log,
    store_commands.recompute,
):
    cli.add_command(command)


def _engine_options(command: Any) -> Any:
    """Options for the parameters of an engine, ``--E-1`` for E_1 and so on."""
    for name in reversed(PARAMETERS):
        term = VOCABULARY[name]
        command = click.option(
            "--" + name.replace("_", "-"),
            name,
            type=float,
            required=True,
            help=f"{term.symbol}: {term.long_name}.",
        )(command)
    return command


@cli.command()
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
    """Solve one engine and print its currents, noise and certificates."""
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
    engine = Engine(N=1 if N is None else N, **parameters)
    method.accept(engine)
    start = time.perf_counter()
    solution = attempt(method, engine, names)
    elapsed = time.perf_counter() - start
    if as_json:
        click.echo(json.dumps(_solution_json(engine, method, solution, elapsed), indent=2))
    else:
        show.solution(engine, method, solution, elapsed)


def _solution_json(
    engine: Engine, method: Method, solution: Solution, elapsed: float
) -> dict[str, Any]:
    names = (*PARAMETERS, "mu_1", "mu_2", "scaling", "statistics")
    parameters = {name: getattr(engine, name) for name in names}
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


STORE = click.option("--store", type=click.Path(), required=True, help="Zarr store directory.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Local worker processes; 1 stays in this process.",
)
CLUSTER = click.option(
    "--cluster", type=click.Path(), help="Profile of a batch cluster (SLURM), a TOML file."
)


@cli.command()
@click.argument("sweep_name", metavar="SWEEP")
@STORE
@click.option("--scheduler", help="Address of a running dask scheduler, tcp://host:port.")
@CLUSTER
@WORKERS
def run(
    sweep_name: str, store: str, scheduler: str | None, cluster: str | None, workers: int | None
) -> None:
    """Compute what a store lacks of SWEEP, a preset's name or a TOML file.

    It may be killed at any moment and repeated: finished blocks are kept.
    """
    sweep = catalog.find_sweep(sweep_name)
    show.run(sweep, store, scheduler=where(scheduler, cluster, workers), workers=workers)


def where(scheduler: str | None, cluster: str | None, workers: int | None) -> str | catalog.Profile:
    """Where to compute, from options that exclude each other."""
    options = {"--scheduler": scheduler, "--cluster": cluster, "--workers": workers}
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise InvalidInput(f"{' and '.join(given)} exclude each other: keep one of them")
    if cluster is not None:
        return catalog.read_profile(cluster)
    return scheduler or ("synchronous" if workers == 1 else "processes")


@cli.command("cluster-script")
@click.argument("profile", type=click.Path())
def cluster_script(profile: str) -> None:
    """Print the job script that PROFILE, a TOML file, leads to; submits nothing.

    Words in capitals stand for what is known once a run has begun.
    """
    click.echo(job_script(catalog.read_profile(profile)), nl=False)


@cli.command()
@click.argument("sweep_name", metavar="SWEEP")
@click.option("--store", type=click.Path(), help="Count what this store already holds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plan(sweep_name: str, store: str | None, as_json: bool) -> None:
    """Say what running SWEEP would take; computes and writes nothing."""
    sweep = catalog.find_sweep(sweep_name)
    stored = catalog.find_stored(store, sweep) if store is not None else None
    forecast = catalog.plan(sweep, stored)
    if as_json:
        click.echo(json.dumps(show.plan_json(sweep, forecast), indent=2))
    else:
        show.plan(sweep, forecast)


@cli.command()
def presets() -> None:
    """List the sweeps that come with the package."""
    show.presets(catalog.presets())


@cli.command()
@click.argument("figure")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Output directory.",
)
@click.option("--store", type=click.Path(), help="Zarr store; OUT/store.zarr by default.")
@click.option("--quick", is_flag=True, help="A coarser grid, minutes instead of an hour.")
@click.option("--scheduler", help="Address of a running dask scheduler, tcp://host:port.")
@CLUSTER
@WORKERS
def reproduce(
    figure: str,
    out: Path,
    store: str | None,
    quick: bool,
    scheduler: str | None,
    cluster: str | None,
    workers: int | None,
) -> None:
    """Compute and draw FIGURE of the paper (or all): data, PNG, PDF and interactive HTML."""
    from heatcat.figures import FIGURES  # slow to import: only where figures are drawn

    if figure != "all" and figure not in FIGURES:
        raise InvalidInput(f"unknown figure {figure!r}{suggestion(figure, [*FIGURES, 'all'])}")
    target = where(scheduler, cluster, workers)
    location = store if store is not None else str(out / "store.zarr")
    for name in FIGURES if figure == "all" else (figure,):
        recipe = FIGURES[name]
        datasets = {}
        for part, sweep in recipe.presets(quick=quick).items():
            show.run(sweep, location, scheduler=target, workers=workers)
            datasets[part] = catalog.dataset(sweep, location)
        files = recipe.make(datasets, out)
        show.files(location, files)
