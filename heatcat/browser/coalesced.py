"""One call for many events, because a slider may move faster than its plots can be drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn


class Coalesced:
    """Call a function once for all events that arrived while it could not run.

    In a served page the call is made after the events that are already queued; without a server
    it is made at once.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self._waiting = False

    def __call__(self, *_: Any, **__: Any) -> None:
        document = pn.state.curdoc
        if document is None or document.session_context is None:
            self._function()
        elif not self._waiting:
            self._waiting = True
            document.add_next_tick_callback(self._run)

    def _run(self) -> None:
        self._waiting = False
        self._function()
