"""Read the profile of a cluster from a small TOML file."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from catalog.arguments import a_path, checked, shown
from catalog.names.suggestion import suggestion
from catalog.running.profile import Profile
from catalog.sweeps.files import parsed_toml, read_text
from ensemble import InvalidInput

_EXAMPLES = {"kind": 'kind = "slurm"', "jobs": "jobs = 20", "memory": 'memory = "4GB"'}
"""How the keys that every profile must have are written."""


@checked(path=a_path)
def read_profile(path: str | Path) -> Profile:
    """Read the profile in the table ``[cluster]`` of a TOML file.

    Raises
    ------
    InvalidInput
        In one line that names the file and the remedy.
    """
    text = read_text(Path(path), "cluster profile")
    try:
        return profile_from_toml(text)
    except InvalidInput as failure:
        raise InvalidInput(f"{path}: {failure}") from None


def profile_from_toml(text: str) -> Profile:
    """The profile that a TOML text describes (see `read_profile`).

    Examples
    --------
    >>> profile_from_toml('[cluster]\\nkind = "slurm"\\njobs = 4\\nmemory = "2GB"').jobs
    4
    """
    content = parsed_toml(text)
    for table in content:
        if table != "cluster":
            raise InvalidInput(f"unknown table {shown(table)}{suggestion(table, ['cluster'])}")
    given = content.get("cluster")
    if not isinstance(given, dict):
        raise InvalidInput("no table [cluster]: write [cluster] on a line of its own")
    known = {entry.name: entry for entry in fields(Profile)}
    for key in given:
        if key not in known:
            raise InvalidInput(f"unknown key {shown(key)} in [cluster]{suggestion(key, known)}")
    for name, entry in known.items():
        if entry.default is MISSING and name not in given:
            raise InvalidInput(f"[cluster] has no {name}: add {_EXAMPLES[name]}")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in given.items()
    }
    return Profile(**values)
