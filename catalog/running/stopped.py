"""How a run ends before its sweep is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ensemble import InvalidInput


class RunStopped(RuntimeError):
    """A run ended before its sweep was complete; what is finished is stored."""


class ClusterLost(RuntimeError):
    """The scheduler is gone, or every worker that tried a block died."""


@contextmanager
def stopping(what: str, remedy: str) -> Iterator[None]:
    """Whatever is raised inside stops the run: it is raised as `RunStopped`.

    Bad input is passed on as it is, and the message of `ClusterLost` is kept.

    Parameters
    ----------
    what : str
        What could not be done, in words.
    remedy : str
        Follows the reason in the message.
    """
    try:
        yield
    except InvalidInput:
        raise
    except ClusterLost as failure:
        raise RunStopped(str(failure)) from failure
    except Exception as failure:
        reason = f"{type(failure).__name__}: {failure}"
        raise RunStopped(f"{what} ({reason}){remedy}") from failure
