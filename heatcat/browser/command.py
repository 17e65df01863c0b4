"""``heatcat browse``: serve the page of a store, to this machine unless told otherwise."""

from __future__ import annotations

import click


@click.command()
@click.argument("store", type=click.Path())
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5006,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 lets other machines in.",
)
@click.option("--open/--no-open", "show", default=True, help="Open the page in a browser.")
def browse(store: str, port: int, host: str, show: bool) -> None:
    """Look at STORE in a browser: maps, slices, single engines, live points."""
    from heatcat.browser.server import serve  # slow to import: only where a page is shown

    serve(store, port=port, host=host, show=show)
