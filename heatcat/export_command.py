"""``heatcat export``: a sweep as NetCDF, CSV or Parquet, or a whole store as a Zip archive."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

import catalog
from catalog.archive import zip_store
from catalog.export import export as export_dataset
from ensemble import InvalidInput
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
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(store: str, sweep: str | None, target: Path, force: bool, as_json: bool) -> None:
    """Write SWEEP of STORE to a file; computes nothing.

    SWEEP may be left out if the store holds just one, and for .zip, which takes them all.
    """
    if target.exists() and not force:
        raise InvalidInput(f"{target} is there already: choose another name or add --force")
    if target.suffix == ".zip":
        if sweep is not None:
            raise InvalidInput("a .zip takes the whole store: leave out the sweep")
        shipped = zip_store(store, target, overwrite=force)
        words = f"{shipped.files} files of the store, {shipped.left_out} temporary ones left out"
        if shipped.vanished:
            words += (
                f", {shipped.vanished} deleted meanwhile by a run: export again when it is done"
            )
        _report(asdict(shipped), words, as_json=as_json)
        return
    entry = find_entry(catalog.open(store), sweep)
    written = export_dataset(entry.dataset(), target, overwrite=force)
    fate = "kept as holes" if target.suffix == ".nc" else "left out"
    words = f"{written.points} points of {entry.name}, {written.not_computed} not computed {fate}"
    _report({"sweep": entry.name, **asdict(written)}, words, as_json=as_json)


def _report(summary: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        click.echo(f"{words}  ->  {summary['path']} ({summary['bytes']} bytes)")
