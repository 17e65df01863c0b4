"""``heatcat reproduce``: the figures of the paper, computed and drawn."""

from __future__ import annotations

from pathlib import Path

import click

import catalog
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput
from heatcat import show
from heatcat.computing_options import computing_options


@click.command()
@click.argument("figure")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Output directory.",
)
@click.option("--store", type=click.Path(), help="Zarr store; OUT/store.zarr by default.")
@click.option("--quick", is_flag=True, help="A coarser grid, minutes instead of an hour.")
@computing_options
def reproduce(
    figure: str,
    out: Path,
    store: str | None,
    quick: bool,
    scheduler: str | catalog.Profile,
    workers: int | None,
) -> None:
    """Compute and draw FIGURE of the paper (or all): data, PNG, PDF and interactive HTML."""
    from heatcat.figures import FIGURES  # slow to import: only where figures are drawn

    if figure != "all" and figure not in FIGURES:
        raise InvalidInput(f"unknown figure {figure!r}{suggestion(figure, [*FIGURES, 'all'])}")
    location = store if store is not None else str(out / "store.zarr")
    for name in FIGURES if figure == "all" else (figure,):
        recipe = FIGURES[name]
        datasets = {}
        for part, sweep in recipe.presets(quick=quick).items():
            show.run(sweep, location, scheduler=scheduler, workers=workers)
            datasets[part] = catalog.dataset(sweep, location)
        files = recipe.make(datasets, out)
        show.files(location, files)
