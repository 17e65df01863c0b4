"""Sweeps from TOML files and from the presets, which are TOML files shipped with the package."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from catalog.labels import label
from catalog.methods import method_from
from catalog.sweep import Sweep
from catalog.vocabulary import suggestion
from ensemble import InvalidInput

TABLES = ("sweep", "axes", "fixed", "blocks")
SWEEP_KEYS = ("name", "scaling", "statistics", "method", "variables", "energy_unit", "description")
RANGE_KEYS = ("start", "stop", "num", "spacing")
SPACINGS: dict[str, Callable] = {"linear": np.linspace, "geometric": np.geomspace}


def read_sweep(path: str | Path) -> Sweep:
    """Read a sweep from a TOML file.

    The file has the tables ``[sweep]`` (name, scaling, statistics, method, variables, energy_unit,
    description), ``[axes]`` (lists, or ``{start, stop, num}`` with an optional
    ``spacing = "linear" | "geometric"``), ``[fixed]`` and, if wanted, ``[blocks]``.

    Raises
    ------
    InvalidInput
        In one line that names the file and the remedy; nothing has been computed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as failure:
        raise InvalidInput(
            f"cannot read the sweep file {path}: {failure.strerror or failure}"
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text: save it as UTF-8") from None
    try:
        return sweep_from_toml(text)
    except InvalidInput as failure:
        raise InvalidInput(f"{path}: {failure}") from None


def sweep_from_toml(text: str) -> Sweep:
    """The sweep that a TOML text describes (see `read_sweep`)."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise InvalidInput(f"not valid TOML: {failure}") from None
    _check_keys("table", content, TABLES)
    for table, entries in content.items():
        if not isinstance(entries, dict):
            raise InvalidInput(f"{table} must be a table: write [{table}] on a line of its own")
    head = content.get("sweep", {})
    _check_keys("key in [sweep]", head, SWEEP_KEYS)
    if "name" not in head:
        raise InvalidInput('[sweep] has no name: add name = "my-sweep"')
    for key in ("name", "scaling", "statistics", "energy_unit", "description"):
        if not isinstance(head.get(key, ""), str):
            raise InvalidInput(f"{key} in [sweep] must be a string, but is {head[key]!r}: quote it")
    if not isinstance(head.get("variables", []), list):
        raise InvalidInput('variables in [sweep] must be a list: e.g. variables = ["power"]')
    axes = content.get("axes", {})
    return Sweep(
        **{key: head[key] for key in SWEEP_KEYS if key in head and key != "method"},
        method=method_from(head.get("method", "exact")),
        axes={name: _axis(name, given) for name, given in axes.items()},
        fixed=content.get("fixed", {}),
        blocks=content.get("blocks", {}),
    )


def presets() -> dict[str, Sweep]:
    """All presets by name."""
    folder = resources.files("catalog") / "presets"
    files = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    sweeps = (sweep_from_toml((folder / file).read_text(encoding="utf-8")) for file in files)
    return {sweep.name: sweep for sweep in sweeps}


def find_sweep(name_or_path: str) -> Sweep:
    """A preset by its name, else the sweep in the TOML file of that path."""
    known = presets()
    if name_or_path in known:
        return known[name_or_path]
    if name_or_path.endswith(".toml") or Path(name_or_path).exists():
        return read_sweep(name_or_path)
    raise InvalidInput(
        f"{name_or_path!r} is neither a preset nor a sweep file{suggestion(name_or_path, known)}"
    )


def _check_keys(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for key in given:
        if key not in known:
            raise InvalidInput(f"unknown {what} {key!r}{suggestion(key, known)}")


def _axis(name: str, given: Any) -> Any:
    """The labels of an axis given as a list or as a range."""
    if not isinstance(given, Mapping):
        return given
    _check_keys(f"key in axis {name}", given, RANGE_KEYS)
    missing = [key for key in RANGE_KEYS[:3] if key not in given]
    if missing:
        raise InvalidInput(f"axis {name} lacks {', '.join(missing)}: give {{start, stop, num}}")
    start, stop, num = label(name, given["start"]), label(name, given["stop"]), given["num"]
    if isinstance(num, bool) or not isinstance(num, int) or num < 2:
        raise InvalidInput(
            f"num of axis {name} must be a whole number ≥ 2, but is {num!r}: write a single "
            f"label as {name} = [{start!r}]"
        )
    if stop < start:
        raise InvalidInput(
            f"axis {name} must be ascending, but stop = {stop!r} lies below start = {start!r}: "
            "swap them"
        )
    spacing = str(given.get("spacing", "linear"))
    if spacing not in SPACINGS:
        raise InvalidInput(
            f"unknown spacing {spacing!r} of axis {name}{suggestion(spacing, SPACINGS)}"
        )
    if spacing == "geometric" and not start > 0:
        raise InvalidInput(f"axis {name} has geometric spacing: start it above 0, not {start!r}")
    return [float(value) for value in SPACINGS[spacing](start, stop, num)]
