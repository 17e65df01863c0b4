"""``heatcat export``: a sweep as NetCDF, CSV or Parquet, or a whole store as a Zip archive."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

import catalog
from catalog.arguments import a_path
from ensemble import InvalidInput
from heatcat import terminal
from heatcat.store_commands import find_entry


@click.command()
@click.argument("store", type=click.Path())
@click.argument("sweep", required=False)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write: .nc, .csv, .parquet, or .zip for the whole store.",
)
@click.option(
    "--layout",
    type=click.Choice(["grid", "points", "filled"]),
    help="Only the grid; all points along one dimension (the default if some lie beside the grid); "
    "or a grid over the labels of all points.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(
    store: str,
    sweep: str | None,
    target: Path,
    layout: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write SWEEP of STORE to a file; computes nothing.

    SWEEP may be left out if the store holds just one, and for .zip, which takes them all.
    """
    target = a_path("--to", target)
    if target.exists() and not force:
        raise InvalidInput(f"{target} is there already: choose another name or add --force")
    if target.suffix == ".zip":
        if sweep is not None or layout is not None:
            raise InvalidInput("a .zip takes the whole store: leave out the sweep and the layout")
        shipped = catalog.zip_store(store, target, overwrite=force)
        words = f"{shipped.files} files of the store, {shipped.left_out} temporary ones left out"
        _report(asdict(shipped), words, as_json=as_json)
        return
    entry = find_entry(catalog.open(store), sweep)
    chosen = layout or ("points" if entry.beside_grid else "grid")
    found = entry.points() if chosen == "points" else entry.dataset(filled=chosen == "filled")
    written = catalog.export(found, target, overwrite=force)
    fate = "kept as holes" if target.suffix == ".nc" else "left out"
    words = f"{written.points} points of {entry.name}, {written.not_computed} not computed {fate}"
    if entry.beside_grid and chosen == "grid":
        words += f", {entry.beside_grid} scattered points left out"
    summary = {"sweep": entry.name, "layout": chosen, **asdict(written)}
    _report(summary, words, as_json=as_json)


def _report(summary: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        terminal.echo_json(summary)
    else:
        terminal.echo(f"{words}  ->  {summary['path']} ({summary['bytes']} bytes)")
