"""A process that runs a sweep or reads its result: `python -m sweeping.child TASK`.

A new process can be killed, has no imports of another tool, and can be kept from importing the
function that was swept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import xarray as xr

from sweeping.tools import TOOLS, Axes, Tool

LATE = 300.0
"""Seconds after which a process that has not ended counts as failed."""


class ChildFailed(Exception):
    """A process ended with an error; the message is the last line that it printed."""


def start(
    tool: Tool,
    folder: Path,
    *,
    function: str = "",
    axes: Axes | None = None,
    workers: int = 0,
    warm: bool = False,
    without: list[str] | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start a process that runs a sweep, or without a function reads its result.

    Parameters
    ----------
    tool : Tool
    folder : Path
        Folder of the result.
    function : str
        Name of a function of `swept`.
    axes : mapping of str to sequence of int
    workers : int
        Number of worker processes; 0: in the process itself.
    warm : bool
        Whether to run a sweep of four points first, so that imports are not timed.
    without : list of str
        Modules that cannot be imported.
    environment : dict of str to str
        Further environment variables.
    """
    task = {
        "tool": tool.title, "folder": str(folder), "function": function, "axes": axes,
        "workers": workers, "warm": warm, "without": without or [],
    }  # fmt: skip
    here = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "sweeping.child", json.dumps(task)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path} | (environment or {}),
    )


def answer(child: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON object in the last line that a process prints.

    Raises
    ------
    ChildFailed
    """
    try:
        out, errors = child.communicate(timeout=LATE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise ChildFailed(f"given up after {LATE:.0f} s") from None
    if child.returncode:
        raise ChildFailed((errors.strip().splitlines() or [f"exit code {child.returncode}"])[-1])
    return json.loads(out.splitlines()[-1])


def do(task: dict[str, Any]) -> dict[str, Any]:
    """Run a sweep, and say how long it took; or read its result; some modules do not exist."""
    with mock.patch.dict(sys.modules, dict.fromkeys(task["without"])):
        return run_or_read(task)


def run_or_read(task: dict[str, Any]) -> dict[str, Any]:
    """What `do` does, with the modules that there are."""
    tool, folder = TOOLS[task["tool"]], Path(task["folder"])
    if not task["function"]:
        read = tool.read_alone if tool.module in task["without"] and tool.read_alone else tool.read
        assert read is not None
        if task["warm"]:
            warm_up(tool)
        begin, cpu = time.perf_counter(), cpu_seconds()
        first_value(read(folder))
        times = {"seconds": time.perf_counter() - begin, "cpu": cpu_seconds() - cpu}
        return described(read(folder)) | times
    if task["warm"]:
        warm_up(tool)
    begin, cpu = time.perf_counter(), cpu_seconds()
    tool.run(task["function"], task["axes"], folder, task["workers"])
    return {"seconds": time.perf_counter() - begin, "cpu": cpu_seconds() - cpu}


def warm_up(tool: Tool) -> None:
    """Run and read a sweep of four points, so that all is imported."""
    with tempfile.TemporaryDirectory() as other:
        tool.run("nothing", {"a": [0, 1], "b": [0, 1]}, Path(other), 0)
        if tool.read is not None:
            first_value(tool.read(Path(other)))


def first_value(found: xr.Dataset) -> None:
    """Read one value: that at the first labels."""
    y = found["y"]
    y.isel(dict.fromkeys(y.dims, 0)).load()


def cpu_seconds() -> float:
    """CPU time of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def described(found: xr.Dataset) -> dict[str, Any]:
    """The data that the checks need: y along a, b and inner dimensions, its labels, its errors."""
    first = [dim for dim in ("a", "b", "i", "j") if dim in found["y"].dims]  # i, j: pipefunc
    y = found["y"].transpose(*first, ...)
    values = y.values.ravel().tolist()
    said = [str(getattr(value, "exception", value)) for value in values if number(value) is None]
    if "error" in found:
        said = [text for text in found["error"].values.ravel().tolist() if text]
    return {
        "dims": dict(y.sizes),
        "labels": {name: found[name].values.tolist() for name in found.coords},
        "values": [number(value) for value in values],
        "said": said,
        "dtype": str(y.dtype),
        "unit": y.attrs.get("units", ""),
        "arrays": [str(name) for name in found],
        "attributes": " ".join(map(str, found.attrs.values())),
    }


def number(value: Any) -> float | None:
    """A value as a number; None if it is not a number or NaN."""
    return None if not isinstance(value, int | float) or np.isnan(value) else float(value)


if __name__ == "__main__":
    print(json.dumps(do(json.loads(sys.argv[1]))))
