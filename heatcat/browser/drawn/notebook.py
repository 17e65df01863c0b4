"""Plots in notebooks and HTML files that need no network: they hold all of Bokeh's code."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.core.templates import FILE
from bokeh.document import Document
from bokeh.models.ui import UIElement
from bokeh.resources import INLINE
from panel.io.notebook import patch_inline_stylesheets
from panel.io.resources import set_resource_mode
from panel.io.save import save
from pyviz_comms import Comm

from catalog.arguments import a_path
from ensemble import InvalidInput
from heatcat.browser.shown.escape import title as escaped

CURVE_HEIGHT = 280
"""Height of a curve in pixels."""
SIZES = (80, "14px"), (44, "11px")
"""Characters in a line of the title, and their size: of a map, and of a curve beside two others."""


def load() -> None:
    """Make HoloViews draw with Bokeh, and put its code into the output of the notebook's cell.

    A user who has chosen Bokeh before, by ``hv.extension("bokeh")`` or hvplot, gets it a second
    time, once, as that would be loaded from the internet.
    """
    if pn.config.inline and "bokeh" in hv.Store.renderers:
        return
    pn.config.inline = True  # type: ignore[misc]
    hv.extension("bokeh", inline=True, logo=False)
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        # HoloViews by itself would have style sheets loaded from the internet.
        for kind in (hv.Overlay, hv.Layout):
            shell.display_formatter.mimebundle_formatter.for_type(kind, _shown)


def _shown(drawn: hv.Overlay | hv.Layout, include: Any = None, exclude: Any = None) -> Any:
    """What a notebook shows of a plot: as Panel puts it, with all style sheets."""
    if hv.Store.current_backend != "bokeh":
        return drawn._repr_mimebundle_(include, exclude)
    with pn.config.set(console_output="disable"):
        return pn.pane.HoloViews(drawn)._repr_mimebundle_(include, exclude)


def titled(drawn: hv.Overlay, title: str, height: int) -> hv.Overlay:
    """A plot with its title in lines, as wide as the cell of the notebook, and as high as said."""
    letters, size = SIZES[height == CURVE_HEIGHT]
    text = "\n".join(escaped(line, "bokeh") for line in textwrap.wrap(title, letters))
    return drawn.opts(
        title=text,
        fontsize={"title": size},
        responsive=True,
        height=height,
        min_height=None,
        backend="bokeh",
    )


def save_html(drawn: Any, path: str | Path) -> None:
    """Write a plot to an HTML file that holds all that it needs."""
    target = a_path("path", path)
    if target.suffix != ".html":
        raise InvalidInput(f"{target.name} is no HTML file: end it in .html")
    document = Document()
    # Bokeh's own template: that of Panel has an icon on the internet.
    with set_resource_mode("inline"):
        model = pn.Column(drawn).get_root(document, Comm())
    for part in model.select({"type": UIElement}):
        patch_inline_stylesheets(part)
    document.add_root(model)
    save(document, str(target), resources=INLINE, title=target.stem, template=FILE)
