"""How many points of the shown sweep have each status, while a run computes more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import panel as pn

from ensemble import InvalidInput, Status
from heatcat.browser import escape
from heatcat.browser.colours import STATUS_COLOURS
from heatcat.browser.source import Counts, Source

TICK_MS = 500
FIRST_WAIT = 2.0
"""Seconds before the first count, so that the page can draw its first map."""
WHILE_RUNNING, WHEN_COMPLETE = 2.0, 30.0
"""Seconds between counts, while points are missing and afterwards."""
SHARE = 20.0
"""The pause before the next count is at least this many times as long as the last count took."""


class Progress:
    """A bar of the points by status; a thread counts them repeatedly, so that the page can be used.

    Parameters
    ----------
    source : Source
    shown : callable
        Returns the name of the sweep that is shown.
    on_change : callable
        Called when points or sweeps have been added.
    """

    def __init__(
        self, source: Source, shown: Callable[[], str], on_change: Callable[[], None]
    ) -> None:
        self._source, self._shown, self._on_change = source, shown, on_change
        self._known: tuple[str, Counts] | None = None
        self._due = 0.0
        self._counting = False
        self.layout = pn.pane.HTML("", sizing_mode="stretch_width", css_classes=["progress"])

    def start(self) -> None:
        """Count as long as the page is open."""
        self._due = time.monotonic() + FIRST_WAIT
        pn.state.add_periodic_callback(self.tick, period=TICK_MS)  # type: ignore[arg-type]

    async def tick(self) -> None:
        """Count if the next count is due."""
        name = self._shown()
        other = self._known is not None and self._known[0] != name
        if self._counting or (time.monotonic() < self._due and not other):
            return
        self._counting = True
        begun = time.monotonic()
        try:
            counts = await asyncio.to_thread(self._count, name)
        except (InvalidInput, OSError, KeyError) as failure:
            said = escape.html(f"cannot count {name}: {failure}")
            self.layout.object = f'<p role="alert">{said}</p>'
            self._due = time.monotonic() + WHEN_COMPLETE
            return
        finally:
            self._counting = False
        took = time.monotonic() - begun
        waiting = counts[Status.NOT_COMPUTED.label]
        self._due = time.monotonic() + max(
            WHILE_RUNNING if waiting else WHEN_COMPLETE, SHARE * took
        )
        before, self._known = self._known, (name, counts)
        self.layout.object = as_html(name, counts)
        if before is not None and before[0] == name and before[1] != counts:
            self._on_change()

    def _count(self, name: str) -> Counts:
        return self._source.counts(name)


def as_html(name: str, counts: Counts) -> str:
    """A stacked bar with a legend that gives the numbers."""
    total = sum(counts.values()) or 1
    colours = {status.label: STATUS_COLOURS[status] for status in Status}
    # Computed points are on the left, those that are not computed on the right.
    order = sorted(counts, key=lambda label: label == Status.NOT_COMPUTED.label)
    bar = "".join(
        f'<span style="width:{counts[label] / total:.3%};background:{colours[label]}"></span>'
        for label in order
        if counts[label]
    )
    legend = "".join(
        f'<li data-status="{escape.html(label)}"><i style="background:{colours[label]}"></i>'
        f"{counts[label]} {escape.html(label)}</li>"
        for label in order
        if counts[label]
    )
    done = total - counts[Status.NOT_COMPUTED.label]
    return (
        f"<h2>{escape.html(name)}: {done} of {total} points</h2>"
        f'<div class="bar" role="img" aria-label="{done} of {total} points">{bar}</div>'
        f"<ul>{legend}</ul>"
    )
