"""``heatcat reproduce``: the figures of the paper, computed and drawn."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

import catalog
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput
from heatcat import show
from heatcat.computing_options import computing_options

if TYPE_CHECKING:
    from distributed import Client


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
@click.option(
    "--width",
    type=click.FloatRange(min=2.0, max=40.0),
    default=7.0,
    show_default=True,
    help="Width of the pictures in inches; a journal's column is 3.4. Text is 8 pt.",
)
@click.option(
    "--panels", default="", help="Letters of the panels to draw, such as ac; all by default."
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["nc", "png", "pdf", "svg", "html"]),
    multiple=True,
    help="A file to write; repeat it for several. By default nc, png, pdf and html.",
)
@computing_options
def reproduce(
    figure: str,
    out: Path,
    store: str | None,
    quick: bool,
    width: float,
    panels: str,
    formats: tuple[str, ...],
    scheduler: str | catalog.Profile,
    workers: int | None,
) -> None:
    """Compute and draw FIGURE of the paper (or all): data, PNG, PDF and interactive HTML.

    What the store holds already is not computed again: repeat the command to draw in another way.
    """
    # Slow to import: only where figures are drawn.
    from catalog.running.cluster import local_client
    from catalog.running.executors import CPUS
    from heatcat.figures import FIGURES, FORMATS

    if figure != "all" and figure not in FIGURES:
        raise InvalidInput(f"unknown figure {figure!r}{suggestion(figure, [*FIGURES, 'all'])}")
    location = store if store is not None else str(out / "store.zarr")
    recipes = [*FIGURES.values()] if figure == "all" else [FIGURES[figure]]
    for recipe in recipes:
        recipe.require(panels)
    with ExitStack() as started:
        place: str | catalog.Profile | Client = scheduler
        for recipe in recipes:
            datasets = {}
            for part, sweep in recipe.presets(quick=quick).items():
                if place == "processes" and _is_unfinished(sweep, location):
                    # One set of workers for all sweeps: to start them takes longer than most.
                    place = started.enter_context(local_client(workers or CPUS))
                show.run(sweep, location, scheduler=place, workers=workers)
                datasets[part] = catalog.dataset(sweep, location)
            files = recipe.make(
                datasets, out, width=width, panels=panels, formats=formats or FORMATS
            )
            show.files(location, files)


def _is_unfinished(sweep: catalog.Sweep, location: str) -> bool:
    """Whether the store lacks blocks of a sweep."""
    forecast = catalog.plan(sweep, catalog.find_stored(location, sweep))
    return forecast.blocks_done < forecast.blocks
