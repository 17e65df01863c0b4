"""How many points of the shown sweep have each status, while a run computes more."""

from __future__ import annotations

import asyncio
import time

import panel as pn

from ensemble import InvalidInput, Status
from heatcat.browser.shown import escape
from heatcat.browser.shown.colours import STATUS_COLOURS
from heatcat.browser.shown.source import Counts
from heatcat.browser.state.section import Context, Section

TICK_MS = 500
FIRST_WAIT = 2.0
"""Seconds before the first count, so that the page can draw its first map."""
WHILE_RUNNING, WHEN_COMPLETE = 2.0, 5.0
"""Seconds between counts, while points are missing and afterwards."""
COMPUTED = [status.label for status in Status if status != Status.NOT_COMPUTED]
"""Labels of the points that are done, in their order."""
AT_WORK = "#56b4e9"
"""Colour of points that are being computed."""
SHARE = 20.0
"""The pause before the next count is at least this many times as long as the last count took."""


class Progress(Section):
    """A bar of the points by status; a thread counts them again and again."""

    name = "progress"
    label = "progress"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._source = context.source
        self._known: tuple[str, Counts] | None = None
        self._due = 0.0
        self._counting = False
        self._html = pn.pane.HTML("", sizing_mode="stretch_width", css_classes=["progress"])
        self.layout = self._html

    def opened(self) -> None:
        """Count as long as the page is open."""
        if self._source.growing:
            self._due = time.monotonic() + FIRST_WAIT
            pn.state.add_periodic_callback(self.tick, period=TICK_MS)  # type: ignore[arg-type]

    async def tick(self) -> None:
        """Count if the next count is due; have the page drawn again if the store has changed."""
        name = self.context.view.sweep
        other = self._known is not None and self._known[0] != name
        if self._counting or (time.monotonic() < self._due and not other):
            return
        self._counting = True
        begun = time.monotonic()
        try:
            names, counts = await asyncio.to_thread(self._source.look, name)
        except (InvalidInput, OSError) as failure:
            said = escape.html(f"the store cannot be read: {failure}")
            self._html.object = f'<p role="alert">{said}</p>'
            self._due = time.monotonic() + WHEN_COMPLETE
            return
        finally:
            self._counting = False
        took = time.monotonic() - begun
        waiting = sum(counts.values()) > sum(counts.get(label, 0) for label in COMPUTED)
        self._due = time.monotonic() + max(
            WHILE_RUNNING if waiting else WHEN_COMPLETE, SHARE * took
        )
        before, self._known = self._known, (name, counts)
        if counts:
            self._html.object = as_html(name, counts)
        grown = before is not None and before[0] == name and before[1] != counts
        if grown or set(names) != set(self._source.names):
            self.context.refresh()


def as_html(name: str, counts: Counts) -> str:
    """A stacked bar with a legend that gives the numbers.

    Whatever is no `Status`, such as "running", is a point at work that is not computed yet.
    """
    waiting = {label: n for label, n in counts.items() if label not in COMPUTED}
    order = [*(label for label in COMPUTED if label in counts), *reversed(waiting)]
    total = sum(counts.values()) or 1
    bar = "".join(
        f'<span style="width:{counts[label] / total:.3%};background:{_colour(label)}"></span>'
        for label in order
        if counts[label]
    )
    legend = "".join(
        f'<li data-status="{escape.html(label)}"><i style="background:{_colour(label)}"></i>'
        f"{counts[label]} {escape.html(label)}</li>"
        for label in order
        if counts[label]
    )
    done = total - sum(waiting.values())
    return (
        f"<h2>{escape.html(name)}: {done} of {total} points</h2>"
        f'<div class="bar" role="img" aria-label="{done} of {total} points">{bar}</div>'
        f"<ul>{legend}</ul>"
    )


def _colour(label: str) -> str:
    known = {status.label: STATUS_COLOURS[status] for status in Status}
    return known.get(label, AT_WORK)
