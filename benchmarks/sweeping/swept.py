"""The functions that `against_sweep_tools.py` sweeps, in plain Python."""

from __future__ import annotations

import os
import time

MODES = ["low", "middle", "high"]
"""Labels of the inner dimension of `spectrum`."""
BAD = (3, 3)
"""The point at which `failing` raises."""
LOG = "SWEPT_LOG"
"""Environment variable: path of the file to which each finished call adds a line."""


def nothing(a: int, b: int) -> float:
    """Return at once."""
    return float(a + b)


def spinning(a: int, b: int) -> float:
    """Keep the core busy for one millisecond of CPU time."""
    end = time.thread_time() + 1e-3
    while time.thread_time() < end:
        pass
    return float(a + b)


def logged(a: int, b: int) -> float:
    """Take two milliseconds, and log the call."""
    time.sleep(2e-3)
    _log(a, b)
    return float(a + b)


def failing(a: int, b: int) -> float:
    """Raise at one point."""
    if (a, b) == BAD:
        raise ValueError("there is no such point")
    return float(a + b)


def spectrum(a: int, b: int) -> list[float]:
    """An array: one value for each of `MODES`."""
    return [float(a), float(b), float(a + b)]


def _log(a: int, b: int) -> None:
    """Add a line; lines of several processes do not mix, as a line this short is one write."""
    if path := os.environ.get(LOG):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{a} {b}\n".encode())
        os.close(file)
