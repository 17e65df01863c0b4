"""A local server for the page, which loads nothing from other servers."""

from __future__ import annotations

import contextlib
import errno
import html
import secrets
import socket
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.models import CustomJS
from bokeh.themes import Theme
from panel.theme.base import BOKEH_DARK

from ensemble import InvalidInput
from heatcat import terminal
from heatcat.browser.access import TOKEN, Access, own_host, own_prefix, read_origin
from heatcat.browser.page import FOLDER, Page
from heatcat.browser.shown.source import Source
from heatcat.browser.state.address import Address
from heatcat.browser.state.link import Link

DARK = "heatcat_dark"
"""Cookie of a visitor who wants dark pages; ``page.js`` sets it."""


def prepare() -> None:
    """Load the plotting library and the style, once per process."""
    hv.extension("bokeh", logo=False)
    use_style()


def use_style() -> None:
    """The style of all parts of a page."""
    hv.renderer("bokeh").webgl = False  # without WebGL maps are as fast, in all browsers
    style = (FOLDER / "parts.css").read_text(encoding="utf-8")
    pn.pane.HTML.param["stylesheets"].default = [style]


def application(location: str, token: str) -> pn.Template:
    """The page of one visitor, with the view that the link describes."""
    assert pn.state.location is not None
    if pn.state.cookies.get(DARK) == "1":
        assert pn.state.curdoc is not None
        pn.config.theme = "dark"  # type: ignore[misc]  # it has a setter, which mypy does not see
        pn.state.curdoc.theme = Theme(json=BOKEH_DARK)
    page = Page(Source(location))
    address = Address(str(pn.state.location.search))
    link = Link(address, page.states(), keep={TOKEN: token})
    page.complaints = link.complaints
    page.on_settled = address.settled
    document = pn.state.curdoc
    assert document is not None
    address.opened(document)
    for event, hidden in (("connection_lost", "false"), ("client_reconnected", "true")):
        code = f"document.getElementById('gone').hidden = {hidden}"
        document.js_on_event(event, CustomJS(code=code))
    return page.template(f"heatcat: {location}", address)


def serve(
    location: str,
    *,
    port: int,
    host: str,
    show: bool,
    prefix: str = "",
    allow_origin: Sequence[str] = (),
) -> None:
    """Serve a store until interrupted, to users who have the token in the address.

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
    prefix : str
        Path under which a proxy shows the page.
    allow_origin : sequence of str
        Origins under which proxies show the page.

    Raises
    ------
    InvalidInput
        If there is no such store, the port is taken, or an address cannot be.
    """
    host, prefix = own_host(host), own_prefix(prefix)
    allowed = tuple(read_origin(text) for text in allow_origin)
    _ = Source(location).names  # refuses what is no store before anything is served
    prepare()
    token = secrets.token_urlsafe(32)
    server = _listen(location, token, host=host, port=port, prefix=prefix)
    access = Access(host, server.port, token, prefix, allowed)
    access.guard(server._tornado)
    # The guard has checked the origin.  Bokeh's own check would refuse IPv6 addresses, and tunnels
    # that have another port than the server.
    server._tornado.websocket_origins.add("*")
    first, *others = access.addresses
    terminal.echo(f"heatcat: {first}   (Ctrl+C ends it)")
    for address in others:
        terminal.echo(f"through a proxy: {address}")
    with contextlib.ExitStack() as stack:
        if show:
            file = stack.enter_context(_redirecting(first))
            server.io_loop.add_callback(webbrowser.open, file.as_uri())
        server.start()
        server.io_loop.start()


def _listen(location: str, token: str, *, host: str, port: int, prefix: str) -> Any:
    """A server that listens; it answers after it is started."""
    try:
        return pn.serve(
            {"/": lambda: application(location, token)},
            port=port,
            address=host,
            prefix=prefix,
            show=False,
            start=False,
            title="heatcat",
            verbose=False,
            log_function=lambda handler: None,  # no log: addresses hold any text
        )
    except socket.gaierror:
        raise InvalidInput(
            f"--host {host} is not known here: give an address of this machine"
        ) from None
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            raise InvalidInput(
                f"port {port} is taken: choose another --port, or 0 for any"
            ) from None
        if failure.errno == errno.EADDRNOTAVAIL:
            raise InvalidInput(
                f"--host {host} is not an address of this machine: give one that is"
            ) from None
        if failure.errno == errno.EACCES:
            raise InvalidInput(
                f"port {port} is not for you to listen on: choose a --port from 1024 on"
            ) from None
        raise


@contextlib.contextmanager
def _redirecting(address: str) -> Iterator[Path]:
    """A file that only this user can read, and that leads a browser to an address.

    All users of a machine can see the arguments with which a browser is started; with this file the
    token is not among them.
    """
    with tempfile.TemporaryDirectory(prefix="heatcat-") as folder:
        file = Path(folder) / "page.html"
        target = html.escape(address)
        file.write_text(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>heatcat</title>'
            f'<meta http-equiv="refresh" content="0; url={target}"></head>'
            f'<body><a href="{target}">heatcat</a></body></html>\n',
            encoding="utf-8",
        )
        file.chmod(0o600)
        yield file
