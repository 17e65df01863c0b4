"""Escapes for text of a store, which pages and pictures show literally, not as HTML or TeX.

Every text from a store, a link or an error is escaped here before a widget, a pane or a plot shows
it: by `html` where a browser parses it, by `label` where Bokeh or Matplotlib draws it, by `title`
where HoloViews takes it for a format.
"""

from __future__ import annotations

import html as standard
from typing import Literal

from heatcat.terminal import visible

Backend = Literal["bokeh", "matplotlib"]

NOTHING = "\u200b"
"""A space of zero width."""
LONGEST = 100
"""Most characters that a plot shows of a text: a longer text would widen the picture."""


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
    """Text for the title of a HoloViews plot, which HoloViews takes for a format string.

    >>> title("{N}", "bokeh")
    '{{N}}'
    """
    return label(text, backend).replace("{", "{{").replace("}", "}}")
