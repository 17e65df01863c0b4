"""The history of a sweep: one record a run, kept in its store."""

from __future__ import annotations

import json
import shlex
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from catalog.provenance import provenance, solver_hash
from catalog.storage import Storage, storage

BEGUN = "begun"
"""Outcome of a run that is at work, or was killed: it is replaced at the end."""
FOLDER = ".heatcat-runs"
"""Lies within an array's folder, where Zarr expects chunks and lists nothing else."""


@dataclass(frozen=True)
class Session:
    """A run: an entry in the history, made when it is first written to.

    The array ``run`` of the store holds the numbers of the runs that solved its points.

    Parameters
    ----------
    location : str
    name : str
        Of the sweep.
    request : mapping
        Definition of the sweep that was asked for.
    token : str
        Processes that share it share one record.
    """

    location: str
    name: str
    request: Mapping[str, Any]
    command: str = field(default_factory=lambda: _command())
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @cached_property
    def number(self) -> int:
        """Number of the run, 1, 2, …; the first to ask for it writes the record."""
        return _number(self.location, self.name, self.token, self)

    def finish(self, outcome: str, counts: Mapping[str, int]) -> None:
        """Complete the record: how the run ended, and the points that it solved, by status."""
        key = _key(self.name, self.number)
        content = storage(self.location).get(key)
        assert content is not None
        record = json.loads(content)
        record |= {"finished": _now(), "outcome": outcome, "points": dict(counts)}
        storage(self.location).put(key, _text(record))

    def __hash__(self) -> int:
        return hash(self.token)

    def record(self, number: int) -> dict[str, Any]:
        """What is written at the beginning."""
        return {
            "run": number,
            "started": _now(),
            "finished": None,
            "outcome": BEGUN,
            "points": {},
            "command": self.command,
            **provenance(),
            "sweep": dict(self.request),
            "token": self.token,
        }


def history(store: Storage, name: str) -> list[dict[str, Any]]:
    """Records of all runs of a sweep, oldest first; a damaged one says so in its outcome."""
    return [_read(store, name, number) for number in _numbers(store, name)]


def damaged_records(store: Storage, name: str) -> list[str]:
    """Keys of the records that cannot be read."""
    return [
        f"status/{FOLDER}/{number}.json"
        for number in _numbers(store, name)
        if "solver_hash" not in _read(store, name, number)
    ]


def solver_hashes(records: list[dict[str, Any]]) -> dict[int, str]:
    """Source hash of the solver by number of the run."""
    return {record["run"]: record.get("solver_hash", "") for record in records}


def older_solvers(records: list[dict[str, Any]]) -> list[int]:
    """Runs whose solver was another than the one that is installed."""
    return [number for number, found in solver_hashes(records).items() if found != solver_hash()]


@cache
def _number(location: str, name: str, token: str, session: Session) -> int:
    store = storage(location)
    numbers = _numbers(store, name)
    for number in reversed(numbers):
        if _read(store, name, number).get("token") == token:
            return number
    number = max(numbers, default=0) + 1
    while not store.create(_key(name, number), _text(session.record(number))):
        number += 1
    return number


def _numbers(store: Storage, name: str) -> list[int]:
    stems = (file.removesuffix(".json") for file in store.names(_folder(name)))
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def _read(store: Storage, name: str, number: int) -> dict[str, Any]:
    try:
        return json.loads(store.get(_key(name, number)) or b"")
    except ValueError:
        return {"run": number, "outcome": "record damaged"}


def _folder(name: str) -> str:
    return f"{name}/status/{FOLDER}"


def _key(name: str, number: int) -> str:
    return f"{_folder(name)}/{number}.json"


def _command() -> str:
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])


def _text(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, indent=1, ensure_ascii=False).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
