"""Checks that try what a tool can do.

Each check takes a tool and an empty folder, and says what happened.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from sweeping import swept
from sweeping.child import ChildFailed, answer, start
from sweeping.tools import Axes, Tool

AXES = {"a": list(range(20)), "b": list(range(50))}
"""1000 points."""
FEW = {"a": [0, 1, 2], "b": [0, 1]}
FUNCTION = ["sweeping.swept", "sweeping.models"]
"""The modules of the function that is swept."""


def sums(axes: Axes) -> list[float]:
    """The right values, the first axis slowest."""
    return [float(a + b) for a, b in product(*axes.values())]


def killed(tool: Tool, folder: Path) -> str:
    """Kill a sweep in the middle, and run it again."""
    run = partial(start, tool, folder, function="logged", axes=AXES, environment=log_in(folder))
    child = run()
    while child.poll() is None and logged(folder) < len(sums(AXES)) // 2:
        time.sleep(5e-3)
    if child.poll() is not None:
        return f"not killed, it had ended: {answer(child)}"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    finished = logged(folder)
    answer(run())
    again = logged(folder) - len(sums(AXES))
    return f"{again} of {finished} finished points computed again; {verdict(tool, folder, AXES)}"


def extended(tool: Tool, folder: Path) -> str:
    """Run a sweep, and then one with new labels before, between and after those of one axis."""
    small = {"a": [2, 4, 6, 8], "b": AXES["b"]}
    large = {"a": list(range(10)), "b": AXES["b"]}
    for axes in (small, large):
        answer(start(tool, folder, function="logged", axes=axes, environment=log_in(folder)))
    again = logged(folder) - len(sums(large))
    return f"{again} of {len(sums(small))} points computed again; {verdict(tool, folder, large)}"


def arrays(tool: Tool, folder: Path) -> str:
    """Store an array at each point, whose dimension has labels."""
    answer(start(tool, folder, function="spectrum", axes=FEW))
    found = answer(start(tool, folder))
    right = [value for point in product(*FEW.values()) for value in swept.spectrum(*point)]
    if list(found["dims"].values()) != [3, 2, 3] or found["values"] != right:
        return f"no: dimensions {found['dims']}, values of dtype {found['dtype']}"
    has = found["labels"].get("mode") == swept.MODES
    return f"a dimension of the result, {'with its labels' if has else 'without labels'}"


def failing(tool: Tool, folder: Path) -> str:
    """Sweep a function that raises at one point."""
    ended = "goes on"
    try:
        answer(start(tool, folder, function="failing", axes=AXES))
    except ChildFailed as failure:
        ended = f"ends with {failure}"
    try:
        found = answer(start(tool, folder))
    except ChildFailed:
        return f"{ended}; nothing is kept"
    total = len(sums(AXES))
    kept = sum(value is not None for value in found["values"])
    pairs = zip(found["values"], sums(AXES), strict=True)
    right = sum(value == expected for value, expected in pairs)
    wrong = f", {kept - right} of them WRONG" if right < kept else ""
    said = "the result says nothing of it"
    if "no such point" in str(found["said"]):
        said = f"the result says: {found['said'][0]}"
    return f"{ended}; {kept} of {total} points kept{wrong}; {said}"


def reading(tool: Tool, folder: Path) -> str:
    """Read a result where the function, and then also the tool, cannot be imported."""
    answer(start(tool, folder, function="nothing", axes=FEW))
    said = []
    for missing, modules in (
        ("function", FUNCTION),
        ("tool nor function", [*FUNCTION, tool.module]),
    ):
        try:
            found = answer(start(tool, folder, without=modules))
            right = found["values"] == sums(FEW)
            said.append(f"without {missing}: {'yes' if right else 'WRONG'}, {found['dtype']}")
        except ChildFailed:
            said.append(f"without {missing}: no")
    return "; ".join(said)


def described(tool: Tool, folder: Path) -> str:
    """What the result says of its values beside their labels."""
    answer(start(tool, folder, function="nothing", axes=FEW))
    try:
        found = answer(start(tool, folder, without=[tool.module]))  # all that any reader sees
    except ChildFailed:
        found = answer(start(tool, folder))
    said = {
        "unit": bool(found["unit"]),
        "status of each point": "status" in found["arrays"],
        "version of the libraries": np.__version__ in found["attributes"],
    }
    return ", ".join(f"{what}: {'yes' if there else 'no'}" for what, there in said.items())


def verdict(tool: Tool, folder: Path, axes: Axes) -> str:
    """Whether the result that the tool reads is the right one for the sweep."""
    found = answer(start(tool, folder))
    same = found["values"] == sums(axes) and all(
        found["labels"].get(name) == list(labels) for name, labels in axes.items()
    )
    return "result right" if same else "result WRONG"


def log_in(folder: Path) -> dict[str, str]:
    """Environment in which `swept.logged` adds to a log in the folder."""
    return {swept.LOG: str(folder / "calls.log")}


def logged(folder: Path) -> int:
    """Number of calls that have finished."""
    log = folder / "calls.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


CHECKS: dict[str, tuple[str, Callable[[Tool, Path], str]]] = {
    "killed": ("killed (kill -9) in the middle, and run again", killed),
    "extended": ("new labels before, between and behind the old ones", extended),
    "arrays": ("an array of three labelled values at each point", arrays),
    "failing": ("one point of 1000 raises", failing),
    "reading": ("the result is read", reading),
    "described": ("what the result says of itself", described),
}
