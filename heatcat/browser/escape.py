"""Text of a store for the page and its pictures: shown as it is, never as HTML, TeX or a format.

Every text that a store, a link or an error can bring goes through here on its way to a widget, a
pane or a plot: `html` for what a browser parses, `label` for what Bokeh or Matplotlib draws.
"""

from __future__ import annotations

import html as standard
from typing import Literal

from heatcat.terminal import visible

Backend = Literal["bokeh", "matplotlib"]

NOTHING = "\u200b"
"""A space of no width."""
LONGEST = 100
"""Characters that a plot shows of a text: a longer one would make a picture of any width."""


def html(text: object) -> str:
    """Text for HTML, in elements and in quoted attributes.

    Bokeh looks for TeX between ``$$`` or ``\\(`` in HTML that it shows: their characters are
    escaped, too.

    >>> html("<b> & $$x$$")
    '&lt;b&gt; &amp; &#36;&#36;x&#36;&#36;'
    """
    return standard.escape(visible(text)).replace("$", "&#36;").replace("\\", "&#92;")


def label(text: object, backend: Backend) -> str:
    r"""Text for an axis, a colour bar, a line or a tooltip.

    Matplotlib takes what lies between two ``$`` for TeX, Bokeh what lies between ``$$``, ``\(`` or
    ``\[`` and their partners.

    >>> label("dE [$_]", "matplotlib")
    'dE [\\$_]'
    """
    shown = visible(text)
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}…"
    if backend == "matplotlib":
        return shown.replace("$", r"\$")
    for opening in ("$$", r"\(", r"\["):
        shown = shown.replace(opening, NOTHING.join(opening))
    return shown


def title(text: object, backend: Backend) -> str:
    """Text for the title of a HoloViews plot, which is a format string besides.

    >>> title("{N}", "bokeh")
    '{{N}}'
    """
    return label(text, backend).replace("{", "{{").replace("}", "}}")
