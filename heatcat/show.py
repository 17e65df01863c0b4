"""What the command line prints for people: tables, progress and summaries."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import catalog
from catalog.heat_engine.terms import VOCABULARY
from ensemble import Engine, Solution, Status
from ensemble.method import Method
from heatcat.terminal import stderr, stdout

if TYPE_CHECKING:
    from distributed import Client

GOOD = Status.OK.label
REPORT_EVERY = 10.0
"""Seconds between lines of progress where there is no terminal to draw a bar on."""


def solution(engine: Engine, method: Method, solved: Solution, elapsed: float) -> None:
    """Table of one solved engine."""
    size = f"N = {engine.N}" if method.sized else "N → ∞"
    table = Table(title=f"{method.name}, {engine.scaling} scaling, {size}", title_justify="left")
    for heading, justify in (
        ("", "left"),
        ("variable", "left"),
        ("value", "right"),
        ("unit", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, value in solved.values.items():
        term = VOCABULARY[name]
        shown = f"{value:.10g}" if math.isfinite(value) else "undefined"
        unit = term.units("energy")
        table.add_row(term.symbol, name, shown, "" if unit == "1" else unit)
    table.add_section()
    for name, figure in solved.diagnostics.items():
        term = VOCABULARY[name]
        table.add_row(
            term.symbol, name, f"{figure:.2g}" if isinstance(figure, float) else str(figure), ""
        )
    console = stdout()
    console.print(table)
    note = f": {solved.message}" if solved.message else ""
    console.print(f"status: {solved.status.label}{note}   ({1e3 * elapsed:.1f} ms)")


def run(
    sweep: catalog.Sweep,
    store: str,
    *,
    scheduler: str | catalog.Profile | Client,
    workers: int | None,
) -> None:
    """Run a sweep with a progress bar: points done, failures, time left."""
    with ExitStack() as shown:
        bar = _RunBar(sweep.name, stderr(), shown)
        counts = catalog.run(sweep, store, scheduler=scheduler, workers=workers, progress=bar)
    summary = ", ".join(f"{number} {label}" for label, number in counts.items() if number)
    stdout().print(f"{sweep.name}: {summary}  ->  {store}")
    if counts[GOOD] < sweep.size:
        stdout().print(
            "the points that are not ok say why in the arrays status and error of the store"
        )


class _RunBar:
    """Bar of a run, weighted by predicted time (see `catalog.Progress`).

    It prints nothing until the run begins: if the run is refused, only the reason is printed.
    """

    def __init__(self, name: str, console: Console, shown: ExitStack) -> None:
        self.name, self.shown = name, shown
        self.bar = Progress(
            TextColumn(name, markup=False),
            BarColumn(),
            TextColumn("{task.fields[points]}/{task.fields[of]} points", markup=False),
            TextColumn("{task.fields[failures]} not ok", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]} left", markup=False),
            console=console,
            disable=not console.is_terminal,
        )

    def begin(self, plan: catalog.Plan, state: catalog.RunState, notes: Sequence[str]) -> None:
        """Print what is to be computed, and show the bar."""
        console, name = self.bar.console, self.name
        for note in notes:
            console.print(f"note: {name} is {note}; its finished blocks are kept as they are")
        console.print(
            f"{name}: {plan.points} points in {plan.blocks} blocks, "
            f"{plan.points_done} points stored; {core_time(plan)} of core time to go"
        )
        self.task = self.bar.add_task(
            name,
            total=state.core_seconds_left,
            points=state.points_done,
            of=state.points,
            failures=0,
            left="?",
        )
        self.reported = time.monotonic()
        self.shown.enter_context(self.bar)

    def block_finished(
        self, block: catalog.Block, counts: Any, wall_times: Any, state: catalog.RunState
    ) -> None:
        """Move the bar; without a terminal, print a line from time to time."""
        left = duration(state.seconds_left)
        self.bar.update(
            self.task,
            total=state.core_seconds_done + state.core_seconds_left,
            completed=state.core_seconds_done,
            points=state.points_done,
            failures=state.points_not_ok,
            left=left,
        )
        now = time.monotonic()
        if not self.bar.console.is_terminal and now - self.reported > REPORT_EVERY:
            self.reported = now
            self.bar.console.print(
                f"{state.points_done}/{state.points} points, {state.points_not_ok} not ok, "
                f"{left} left"
            )


def plan_json(sweep: catalog.Sweep, forecast: catalog.Plan) -> dict[str, Any]:
    """The forecast as plain data."""
    dims = dict(zip(sweep.dims, sweep.shape, strict=True))
    return {"sweep": sweep.name, "dims": dims, **asdict(forecast)}


def plan(sweep: catalog.Sweep, forecast: catalog.Plan) -> None:
    """Table of what a sweep would take."""
    grid = " × ".join(
        f"{length} {dim}" for dim, length in zip(sweep.dims, sweep.shape, strict=True)
    )
    block = " × ".join(f"{length} {dim}" for dim, length in sweep.grid.blocks.items())
    basis = (
        f"{forecast.measured_points} stored timings"
        if forecast.measured_points
        else "the model's own prediction, nothing being stored yet"
    )
    table = Table(
        title=": ".join(filter(None, (sweep.name, sweep.description))),
        show_header=False,
        title_justify="left",
    )
    table.add_row("grid", grid)
    table.add_row("points", f"{forecast.points}, {forecast.points_done} of them stored")
    table.add_row("blocks", f"{forecast.blocks} of at most {block}, {forecast.blocks_done} stored")
    longest = forecast.longest_block_seconds
    unknown = math.isnan(longest)
    table.add_row(
        "core time to go",
        "unknown: the model predicts none, and nothing is stored yet"
        if unknown
        else f"{core_time(forecast)} (from {basis})",
    )
    table.add_row("longest block", "unknown" if unknown else f"about {duration(longest)}")
    table.add_row(
        "store", f"{forecast.files} files, {forecast.store_bytes / 1e6:.3g} MB before compression"
    )
    table.add_row("memory per worker", f"about {forecast.peak_bytes / 2**30:.2f} GiB at most")
    stdout().print(table)


def presets(sweeps: Mapping[str, catalog.Sweep]) -> None:
    """Table of the presets."""
    table = Table()
    for heading in ("preset", "points", "grid", "what it is"):
        table.add_column(heading, justify="right" if heading == "points" else "left")
    for name, sweep in sweeps.items():
        grid = " × ".join(
            f"{length} {dim}" for dim, length in zip(sweep.dims, sweep.shape, strict=True)
        )
        table.add_row(name, str(sweep.size), grid, sweep.description)
    stdout().print(table)


def files(store: str, paths: Iterable[Path]) -> None:
    """Say where the results lie."""
    console = stdout()
    console.print(f"store:   {store}")
    for path in paths:
        console.print(f"figure:  {path}")


def core_time(forecast: catalog.Plan) -> str:
    """The core time that is left, with its uncertainty: "about 3.5 h (2.0 h to 6.1 h)"."""
    if math.isnan(forecast.core_seconds):
        return "an unknown amount"
    if not forecast.core_seconds:
        return "nothing"
    low, high = duration(forecast.core_seconds_low), duration(forecast.core_seconds_high)
    return f"about {duration(forecast.core_seconds)} ({low} to {high})"


def duration(seconds: float) -> str:
    """A time that people can read: "40 s", "12 min", "3.5 h".

    >>> duration(40), duration(720), duration(12600)
    ('40 s', '12 min', '3.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
