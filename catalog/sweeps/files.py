"""Sweeps from TOML files, and the presets, which are TOML files that come with the package."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from catalog.arguments import a_path, a_text, checked, shown
from catalog.heat_engine.model import OPTIONS
from catalog.models.loading import find_model
from catalog.names.suggestion import suggestion
from catalog.sweeps.points_file import read_points
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

TABLES = ("sweep", "axes", "fixed", "points", "blocks", "options")
SWEEP_KEYS = ("name", "model", "variables", "description", "points")
TEXTS = ("name", "model", "description", "points")
MOST_BYTES = 2**24
"""Largest sweep file that is read."""


@checked(path=a_path)
def read_sweep(path: str | Path) -> Sweep:
    """Read a sweep from a TOML file.

    The file has the tables ``[sweep]`` (name, variables, description; scaling, statistics, method
    and energy_unit of the heat engine, or ``model = "module:object"``, of which the sweep file's
    folder is searched first, with a table ``[options]`` if the model has some), ``[axes]`` (lists,
    or ``{start, stop, num}`` with an optional ``spacing = "linear" | "geometric"``), ``[fixed]``
    and, if wanted, ``[points]`` (lists of parameters that vary together; or ``points =
    "file.csv"``, relative to the sweep file) and ``[blocks]``.

    Raises
    ------
    InvalidInput
        In one line that names the file and the remedy; nothing has been computed.
    """
    path = Path(path)
    text = read_text(path, "sweep file")
    try:
        return _sweep(text, path.parent)
    except InvalidInput as failure:
        raise InvalidInput(f"{path}: {failure}") from None


def read_text(path: Path, what: str) -> str:
    """The text of a small file, without a byte-order mark."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as failure:
        raise InvalidInput(
            f"cannot read the {what} {path}: {failure.strerror or failure}: check the path"
        ) from None
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{path} is larger than {MOST_BYTES} bytes: it is no {what}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text: save it as UTF-8") from None


def parsed_toml(text: str) -> dict[str, Any]:
    """The content of a TOML text; every error is `InvalidInput`."""
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as failure:
        raise InvalidInput(f"not valid TOML: {str(failure)[:200]}") from None
    except ValueError:  # of int(): Python reads at most 4300 digits
        raise InvalidInput("a number has thousands of digits: write fewer") from None
    except RecursionError:
        raise InvalidInput("lists or tables are nested too deeply: write them flat") from None


@checked(text=a_text)
def sweep_from_toml(text: str) -> Sweep:
    """The sweep that a TOML text describes (see `read_sweep`).

    A file of points is looked for in the current directory.
    """
    return _sweep(text, Path())


def _sweep(text: str, folder: Path) -> Sweep:
    content = parsed_toml(text)
    for key in content:
        if key not in TABLES and key in (*SWEEP_KEYS, *OPTIONS):
            raise InvalidInput(f"{key} stands outside of all tables: move it below a line [sweep]")
    _check_keys("table", content, TABLES)
    head = content.get("sweep", {})
    for table, entries in content.items():
        if not isinstance(entries, dict) and not (table == "points" and isinstance(entries, str)):
            raise InvalidInput(f"{table} must be a table: write [{table}] on a line of its own")
    known = SWEEP_KEYS if "model" in head else (*SWEEP_KEYS, *OPTIONS)
    _check_keys("key in [sweep]", head, known)
    if "name" not in head:
        raise InvalidInput('[sweep] has no name: add name = "my-sweep"')
    for key in (*TEXTS, *(name for name in OPTIONS if name not in ("method", "profiles"))):
        if not isinstance(head.get(key, ""), str):
            raise InvalidInput(
                f"{key} in [sweep] must be a string, but is {shown(head[key])}: quote it"
            )
    if not isinstance(head.get("variables", []), list):
        raise InvalidInput('variables in [sweep] must be a list: e.g. variables = ["power"]')
    if "points" in head and "points" in content:
        raise InvalidInput("points are given twice: keep the table or the file")
    points = head.pop("points", content.get("points", {}))
    if isinstance(points, str):
        points = read_points(folder / a_path("points", points))
    if "model" in head:
        head["model"] = find_model(head["model"], content.get("options", {}), folder=folder)
    elif "options" in content:
        raise InvalidInput(
            "[options] are those of a model, which [sweep] does not name: write its options there"
        )
    return Sweep(
        **head,
        axes=content.get("axes", {}),
        fixed=content.get("fixed", {}),
        points=points,
        blocks=content.get("blocks", {}),
    )


def presets() -> dict[str, Sweep]:
    """All presets by name."""
    return dict(_presets())


@cache
def _presets() -> dict[str, Sweep]:
    folder = resources.files("catalog.heat_engine") / "presets"
    files = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    sweeps = (sweep_from_toml((folder / file).read_text(encoding="utf-8")) for file in files)
    return {sweep.name: sweep for sweep in sweeps}


def find_sweep(name_or_path: str | Path) -> Sweep:
    """A preset by its name, else the sweep in the TOML file of that path."""
    known = presets()
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    path = a_path("the sweep file", name_or_path)
    if path.suffix == ".toml" or _is_there(path):
        return read_sweep(path)
    raise InvalidInput(
        f"{shown(str(name_or_path))} is neither a preset nor a sweep file"
        f"{suggestion(str(name_or_path), known)}"
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long for a file, or a folder that may not be looked into
        return False


def _check_keys(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for key in given:
        if key not in known:
            raise InvalidInput(f"unknown {what} {shown(key)}{suggestion(key, known)}")
