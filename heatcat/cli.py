"""The command line.  Its words are a contract: scripts rely on them."""

from __future__ import annotations

import math
import os
import shlex
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

import catalog
from catalog.heat_engine.methods import method_from
from catalog.heat_engine.terms import VOCABULARY
from catalog.names.vocabulary import suggestion
from catalog.running.job_script import job_script
from ensemble import Engine, InvalidInput, Solution, Status
from ensemble.method import Method, attempt
from heatcat import __version__, show, store_commands, terminal
from heatcat.browser.command import browse
from heatcat.claims_command import claims
from heatcat.export_command import export
from heatcat.refine_command import refine

PARAMETERS = ("E_1", "delta_E", "T_mean", "delta_T", "omega_0", "Gamma_0")


NOTES = (catalog.OlderSolver, catalog.SweepLeftOut)
"""Warnings that users are shown."""


TRACEBACK = "HEATCAT_TRACEBACK"
"""Environment variable: if it is set, unexpected errors show their traceback."""
LONGEST_LINE = 1000
BUG = 70
"""Exit code of an error of ours, EX_SOFTWARE of sysexits.h."""
UNFIT = (
    *(RecursionError, MemoryError, UnicodeError, OverflowError, zipfile.BadZipFile, zlib.error),
    tomllib.TOMLDecodeError,
)
"""What Python raises on input that is too large, too deep, or not what its name says."""


def main() -> NoReturn:
    """Run the command line; every expected error is one line on standard error, exit code 2.

    An error that nobody expected is one line too, with exit code 70, and its traceback is kept.
    """
    terminal.prepare()
    try:
        with warnings.catch_warnings():
            for category in NOTES:
                warnings.simplefilter("always", category)
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
    except UNFIT as error:
        _show_traceback(error)
        _fail(
            f"the input cannot be used ({_in_short(error)}): make it smaller and simpler; with "
            f"{TRACEBACK}=1 you see where"
        )
    except Exception as error:
        if _show_traceback(error):
            _fail(f"internal error ({_in_short(error)}): please report it", code=BUG)
        _fail(
            f"internal error ({_in_short(error)}): please report it with {_keep_traceback(error)}",
            code=BUG,
        )
    sys.exit(code)


def _in_short(error: BaseException) -> str:
    text = str(error)[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _show_traceback(error: BaseException) -> bool:
    """Print the traceback if the user asked for it."""
    if not os.environ.get(TRACEBACK):
        return False
    traceback.print_exception(error)
    return True


def _keep_traceback(error: BaseException) -> str:
    """Write the traceback to a file; its name, or how to see the traceback."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="heatcat-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"heatcat {__version__} {shlex.join(sys.argv[1:])}\n".encode(
                "utf-8", "backslashreplace").decode())  # fmt: skip
            traceback.print_exception(error, file=file)
    except (OSError, UnicodeError):
        return f"what it prints with {TRACEBACK}=1"
    return f"the traceback in {file.name}, or with {TRACEBACK}=1"


def _note(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """A warning as one line; what libraries warn each other of is not for users."""
    if issubclass(category, NOTES):
        terminal.echo(f"note: {message}", err=True)


def _fail(message: str, *, code: int = 2) -> NoReturn:
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE // 2]} … {line[-LONGEST_LINE // 2 :]}"
    terminal.echo(f"heatcat: {line}", err=True)
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
    """Solve one engine and print its currents, noise and certificates.

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
    engine = Engine(N=1 if N is None else N, **parameters)
    method.accept(engine)
    start = time.perf_counter()
    solution = attempt(method, engine, names)
    elapsed = time.perf_counter() - start
    if as_json:
        terminal.echo_json(_solution_json(engine, method, solution, elapsed))
    else:
        show.solution(engine, method, solution, elapsed)
    if solution.status is Status.FAILED:
        _fail(f"failed: {solution.message}", code=1)
    if solution.status is not Status.OK:
        click.echo(f"note: {solution.status.label}: {solution.message}", err=True)


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
        terminal.echo_json(show.plan_json(sweep, forecast))
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
