"""Commands that look after a store: status, check, repair, log, recompute."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.table import Table

import catalog
from catalog.models.loading import find_model
from catalog.names.suggestion import suggestion
from catalog.store.history import state
from ensemble import InvalidInput, Status
from heatcat import terminal
from heatcat.computing_options import computing_options

STORE = click.argument("store", type=click.Path())
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
MODEL = click.option(
    "--model",
    metavar="MODULE:OBJECT",
    help="The model with its code, if it is not the heat engine.",
)


@click.command()
@STORE
@JSON
def status(store: str, as_json: bool) -> None:
    """Count the points of every sweep in STORE by status."""
    entries = catalog.open(store)
    counts = {name: entry.counts() for name, entry in entries.items()}
    if as_json:
        terminal.echo_json(counts)
        return
    table = Table()
    table.add_column("sweep")
    table.add_column("points", justify="right")
    labels = list(next(iter(counts.values())))
    for label in labels:
        table.add_column(label, justify="right")
    described = any(entry.grid.description for entry in entries.values())
    if described:
        table.add_column("what it is", overflow="fold")
    for name, found in counts.items():
        cells = [name, str(sum(found.values())), *(str(found[label]) for label in labels)]
        table.add_row(*cells, *([entries[name].grid.description] if described else []))
    terminal.stdout().print(table)


@click.command()
@STORE
@JSON
def check(store: str, as_json: bool) -> None:
    """Read all of STORE and verify its checksums; exit code 1 if anything is damaged."""
    report = catalog.check(store)
    _report(report, as_json, "run heatcat repair to mend it")
    if not report.sound:
        sys.exit(1)


@click.command()
@STORE
@JSON
def repair(store: str, as_json: bool) -> None:
    """Repair STORE: restore metadata, set damaged blocks back to not computed.

    The next run computes those blocks again.
    """
    _report(catalog.repair(store), as_json, "run the sweeps again to compute what was reset")


def _report(report: catalog.Report, as_json: bool, next_step: str) -> None:
    if as_json:
        terminal.echo_json(report.plain())
        return
    console = terminal.stdout()
    if report.damages:
        table = Table()
        for heading in ("group", "block", "what", "why", "remedy"):
            table.add_column(heading, overflow="fold")
        for damage in report.damages:
            block = ".".join(map(str, damage.index)) if damage.index is not None else ""
            table.add_row(damage.group, block, damage.what, damage.why, damage.remedy)
        console.print(table)
    console.print(
        f"{report.blocks} blocks of {report.chunks} chunks read, {report.unfinished} not computed "
        f"yet, {report.leavings} leavings of killed processes"
    )
    number = len(report.damages)
    console.print("sound" if report.sound else f"{number} damaged: {next_step}")


@click.command()
@STORE
@click.option("--sweep", "name", help="Show this sweep only.")
@JSON
def log(store: str, name: str | None, as_json: bool) -> None:
    """Show the runs that filled STORE: when, where, with which versions, how they ended."""
    entries = catalog.open(store)
    chosen = [find_entry(entries, name).name] if name is not None else list(entries)
    records = {sweep: _records(entries[sweep]) for sweep in chosen}
    if as_json:
        terminal.echo_json(records)
        return
    table = Table()
    headings = ("sweep", "run", "started", "finished", "outcome", "points", "solver", "host")
    for heading in (*headings, "command"):
        table.add_column(heading, overflow="fold")
    for sweep, runs in records.items():
        for record in runs:
            table.add_row(sweep, *_log_row(record))
    terminal.stdout().print(table)


def _records(entry: catalog.Entry) -> list[dict[str, Any]]:
    """Records of runs, with the points stored by each and how it ended, if that is known."""
    points = entry.points_by_run()
    return [
        {**record, "points_stored": points.get(record["run"], {}), "state": state(record)}
        for record in entry.history()
    ]


def _log_row(record: dict[str, Any]) -> tuple[str, ...]:
    points = ", ".join(f"{number} {label}" for label, number in record["points_stored"].items())
    git = record.get("git")
    solver = record["solver_hash"][:8]
    if git:
        solver += f" ({git['commit'][:8]}{' changed' if git['dirty'] else ''})"
    return (
        str(record["run"]),
        record["started"],
        record["finished"] or "",
        record["state"],
        points,
        solver,
        record["host"],
        record["command"],
    )


@click.command()
@STORE
@click.argument("sweep", required=False)
@click.option("--where", help="A condition, such as 'residual > 1e-8 and ΔE < 5'.")
@click.option("--status", "state", help="Points that are ok, uncertified, unphysical or failed.")
@click.option("--older-solver", is_flag=True, help="Points of another version of the solver.")
@MODEL
@computing_options
@JSON
def recompute(
    store: str,
    sweep: str | None,
    where: str | None,
    state: str | None,
    older_solver: bool,
    model: str | None,
    scheduler: str | catalog.Profile,
    workers: int | None,
    as_json: bool,
) -> None:
    """Compute again the points of SWEEP in STORE that meet all given conditions.

    Whole blocks are computed again, with their other points.
    """
    entry = find_entry(catalog.open(store), sweep)
    found: Counter[str] = Counter()
    done = entry.recompute(
        where,
        status=state,
        older_solver=older_solver,
        model=find_solver(entry, model),
        scheduler=scheduler,
        workers=workers,
        on_block=lambda block, counts: found.update(counts),
    )
    if as_json:
        summary = {"matched": done.matched, "blocks": done.blocks, "points": done.points}
        terminal.echo_json({"sweep": entry.name, **summary, "now": dict(found)})
        return
    now = ", ".join(f"{number} {label}" for label, number in found.items())
    terminal.stdout().print(
        f"{entry.name}: {done.matched} points matched; {done.blocks} blocks of {done.points} "
        f"points computed again{': ' + now if now else ''}"
    )
    if found[Status.FAILED.label]:
        terminal.stdout().print("heatcat status and the array failure say what still fails")


def find_entry(entries: catalog.Catalogue, name: str | None) -> catalog.Entry:
    """The sweep of that name, or the only one."""
    if name is None:
        if len(entries) > 1:
            raise InvalidInput(f"{entries.location} holds several sweeps: name one{_of(entries)}")
        return next(iter(entries.values()))
    if name not in entries:
        raise InvalidInput(f"there is no sweep {name!r} in the store{suggestion(name, entries)}")
    return entries[name]


def find_solver(entry: catalog.Entry, path: str | None) -> catalog.Model | None:
    """The model that a user names to solve points of a sweep, with the options that are stored.

    Its module is looked for in the current directory first.
    """
    if path is None:
        return None
    return find_model(path, entry.family.model.options(), folder=Path.cwd())


def _of(entries: catalog.Catalogue) -> str:
    return f" of {', '.join(entries)}"
