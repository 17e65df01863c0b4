"""Processes that end as by ``kill -9`` before a chosen change of the disk."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import catalog.store.conclude
from catalog.store.exchange import exchange

CHANGES = frozenset({"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir"})
"""Events of Python's audit: a file gets its name, or goes; a folder comes or goes."""
PATIENCE_SECONDS = 60


def killed_before(number: int, work: Callable[[], Any]) -> bool:
    """Do some work in a process that is killed before its change of that number.

    Returns
    -------
    bool
        Whether it was; false if the work has fewer changes, and was done.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of threads in a fork
        process = os.fork()
    if process == 0:
        code = 70
        try:
            signal.alarm(PATIENCE_SECONDS)
            _die_before(number)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, "the work takes too long"
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed"
    return False


def changes_of(work: Callable[[], Any]) -> int:
    """Number of changes of the disk that some work makes; it is done in this process."""
    number = 0

    def count() -> None:
        nonlocal number
        number += 1

    _listeners.append(count)
    try:
        work()
    finally:
        _listeners.remove(count)
    return number


_listeners: list[Callable[[], None]] = []


def _changing() -> None:
    for listener in _listeners:
        listener()


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _listeners and event in CHANGES:
        _changing()


def _exchange(*folders: Any) -> bool:
    """What the audit does not hear of."""
    _changing()
    return exchange(*folders)


sys.addaudithook(_heard)
catalog.store.conclude.exchange = _exchange  # type: ignore[attr-defined]


def _die_before(number: int) -> None:
    left = number

    def count() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    _listeners.append(count)
