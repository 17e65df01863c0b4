"""Reading and solving in threads, so that no visitor waits for the work of another.

A step is a pair of functions: the first reads and computes in a thread and touches no widget, the
second shows what was found, on the document.  A page in a notebook has no server: its steps are
done at once, without pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import panel as pn

THREADS = 4
"""Threads that all pages of a server share."""

Step = tuple[Callable[[], Any], Callable[[Any], None]]

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="heatcat-page")


@dataclass(frozen=True)
class Pause:
    """In place of a step: wait so many seconds, and begin again if something changed meanwhile."""

    seconds: float


class Drawing:
    """Does the steps of a plan one after another, and begins again whenever something changed.

    A request that arrives while steps are being done makes them begin again after the step that is
    at work: of many moves of a slider, only the newest is drawn in full.

    Parameters
    ----------
    plan : callable
        Returns the steps; each is asked for after the one before it has been shown.
    busy : callable
        Called with True when work begins and with False when it ends.
    """

    def __init__(
        self,
        plan: Callable[[], Iterable[Step | Pause]],
        busy: Callable[[bool], None] = lambda at_work: None,
    ) -> None:
        self._plan, self._busy = plan, busy
        self._steps: Iterator[Step | Pause] = iter(())
        self._at_work = False
        self._again = False

    def request(self, *_: Any, **__: Any) -> None:
        """Draw what has changed."""
        self._again = True
        if not self._at_work:
            self._at_work = True
            self._busy(True)
            self._next()

    def _next(self) -> None:
        if self._again:
            self._again = False
            self._steps = iter(self._plan())
        try:
            step = next(self._steps, None)
            if isinstance(step, Pause):
                _after(step.seconds, self._next)
                return
            if step is not None:
                load, show = step
                in_thread(partial(_outcome, load), partial(self._show, show))
                return
        except BaseException:
            self._stop()
            raise
        self._stop()

    def _stop(self) -> None:
        self._at_work = False
        self._busy(False)

    def _show(self, show: Callable[[Any], None], outcome: tuple[Any, Exception | None]) -> None:
        found, failure = outcome
        try:
            if failure is not None:
                raise failure
            show(found)
        except BaseException:
            self._stop()
            raise
        self._next()


def _outcome(load: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """What was loaded, or why it failed: the drawing ends in either case."""
    try:
        return load(), None
    except Exception as failure:
        return None, failure


def in_thread(load: Callable[[], Any], show: Callable[[Any], None]) -> None:
    """Call ``load`` in a thread, then ``show`` with its result on the document of this page.

    What ``load`` raises is raised on the document: a step whose failure is to be shown catches it.
    """
    document = pn.state.curdoc
    session = None if document is None else document.session_context
    if document is None or session is None:
        show(load())
        return

    loop = asyncio.get_running_loop()

    def arrived(future: Future[Any]) -> None:
        if not session.destroyed:  # else the visitor has left
            document.add_next_tick_callback(lambda: _held(document, show, future))

    _pool.submit(load).add_done_callback(lambda future: loop.call_soon_threadsafe(arrived, future))


def _after(seconds: float, proceed: Callable[[], None]) -> None:
    """Go on after some seconds, on the document of this page; no thread waits meanwhile."""
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        proceed()
    else:
        document.add_timeout_callback(proceed, round(1e3 * seconds))


def on_document(change: Callable[[], None]) -> None:
    """Change Bokeh's models while nothing else changes the document.

    Panel calls the watchers of its widgets without the document's lock, and takes care of its own
    models only.
    """
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        change()
    else:
        document.add_next_tick_callback(change)


def _held(document: Any, show: Callable[[Any], None], future: Future[Any]) -> None:
    """Show a result, and send all that changes in one message: headings change with their maps."""
    with pn.io.hold(document):
        show(future.result())
