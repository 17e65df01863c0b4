"""A local server for the page, with everything it needs on board."""

from __future__ import annotations

import errno

import click
import holoviews as hv
import panel as pn

from ensemble import InvalidInput
from heatcat.browser.link import Link
from heatcat.browser.page import FOLDER, Page
from heatcat.browser.source import Source
from heatcat.browser.view import View

LOCAL = ("127.0.0.1", "localhost", "::1")


def prepare() -> None:
    """Load the plotting library and the style, once per process."""
    hv.extension("bokeh", logo=False)
    hv.renderer("bokeh").webgl = False  # a canvas draws these maps as fast, and everywhere
    style = (FOLDER / "parts.css").read_text(encoding="utf-8")
    pn.pane.HTML.param["stylesheets"].default = [style]


def application(location: str) -> pn.Template:
    """The page of one visitor, as the link says."""
    assert pn.state.location is not None
    view = View()
    link = Link(pn.state.location, view)
    page = Page(Source(location), view, complaints=link.complaints)
    pn.state.onload(link.write)
    return page.template(f"heatcat: {location}")


def serve(location: str, *, port: int, host: str, show: bool) -> None:
    """Serve a store until interrupted.

    Parameters
    ----------
    location : str
        Path or URL of a store.
    port : int
        0 for any free one.
    host : str
        Address to listen on.
    show : bool
        Whether to open the page.

    Raises
    ------
    InvalidInput
        If there is no such store, or the port is taken.
    """
    Source(location)  # refuses what is no store before anything is served
    prepare()
    origins = None if host in LOCAL else ["*"]
    try:
        server = pn.serve(
            {"/": lambda: application(location)},
            port=port,
            address=host,
            websocket_origin=origins,
            show=show,
            start=False,
            title="heatcat",
            verbose=False,
        )
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        raise InvalidInput(f"port {port} is taken: choose another --port, or 0 for any") from None
    click.echo(f"heatcat: http://{host}:{server.port}/   (Ctrl+C ends it)")
    server.start()
    server.io_loop.start()
