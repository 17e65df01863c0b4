"""``heatcat browse``: serve the page of a store, to this machine only without ``--host``."""

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
    help="Address to listen on; 0.0.0.0 lets other machines in, with the token.",
)
@click.option(
    "--prefix", default="", help="Path under which a proxy shows the page, such as /engines."
)
@click.option(
    "--allow-origin",
    multiple=True,
    help="Origin under which a proxy shows the page, such as https://engines.example.org; "
    "repeatable.",
)
@click.option("--open/--no-open", "show", default=True, help="Open the page in a browser.")
def browse(
    store: str, port: int, host: str, prefix: str, allow_origin: tuple[str, ...], show: bool
) -> None:
    """Show STORE in a browser: maps, slices, single engines, live points.

    The printed address contains a secret token; without it the page is not shown.
    """
    from heatcat.browser.server import serve  # slow to import: only where a page is shown

    serve(store, port=port, host=host, show=show, prefix=prefix, allow_origin=allow_origin)
