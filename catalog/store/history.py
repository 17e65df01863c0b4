"""The history of a sweep: one record a run, kept in its store."""

from __future__ import annotations

import re
import shlex
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from catalog.store.leases import is_alive, this_process
from catalog.store.provenance import provenance
from catalog.store.seal import sealed_json, unsealed_json
from catalog.store.storage import Storage, TooLarge, storage
from ensemble import InvalidInput

BEGUN = "begun"
"""Outcome of a run that is at work, or was killed; a run replaces it when it ends."""
ON_DEMAND = "on demand"
"""Outcome of a Dataset whose selections solve what they need: it has no end."""
AT_WORK = "at work"
DAMAGED = "record damaged"
MOST_BYTES = 64 * 2**20
FOLDER = ".heatcat-runs"
"""Lies within an array's folder: Zarr looks for chunks there, and lists nothing else."""


@dataclass(frozen=True)
class RunRecord:
    """A run: an entry in the history, made when it is first written to.

    The array ``run`` of the store holds the numbers of the runs that solved its points.

    Parameters
    ----------
    location : str
    name : str
        Of the sweep.
    request : mapping
        Definition of the sweep that was asked for.
    solver_hash : str
        Of the model at work.
    outcome : {"begun", "on demand"}
        What its record says until it is finished.
    token : str
        Processes that share it share one record.
    """

    location: str
    name: str
    request: Mapping[str, Any]
    solver_hash: str
    outcome: str = BEGUN
    command: str = field(default_factory=lambda: _command())
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @cached_property
    def number(self) -> int:
        """Number of the run, 1, 2, …; the first to ask for it writes the record."""
        return _number(self.location, self.name, self.token, self)

    def finish(self, outcome: str, counts: Mapping[str, int]) -> None:
        """Complete the record: how the run ended, and the points that it solved, by status."""
        key = _key(self.name, self.number)
        if not storage(self.location).has(key):
            return  # the store was moved or deleted: it must not be created again
        record = _read(storage(self.location), self.name, self.number)
        if record["outcome"] == DAMAGED:
            record = self.content(self.number)
        record |= {"finished": _now(), "outcome": outcome, "points": dict(counts)}
        storage(self.location).put(key, sealed_json(record))

    def __hash__(self) -> int:
        return hash(self.token)

    def content(self, number: int) -> dict[str, Any]:
        """What is written at the beginning."""
        return {
            "run": number,
            "started": _now(),
            "finished": None,
            "outcome": self.outcome,
            "points": {},
            "command": self.command,
            **provenance(self.solver_hash),
            "process": this_process(),
            "sweep": dict(self.request),
            "token": self.token,
        }


def history(store: Storage, name: str) -> list[dict[str, Any]]:
    """Records of all runs of a sweep, oldest first; a damaged one says so in its outcome."""
    return [_read(store, name, number) for number in _numbers(store, name)]


def damaged_records(store: Storage, name: str) -> list[str]:
    """Keys of the records that are not as they were written."""
    return [
        f"status/{FOLDER}/{record['run']}.json"
        for record in history(store, name)
        if record["outcome"] == DAMAGED
    ]


def older_solvers(records: list[dict[str, Any]], solver_hash: str) -> list[int]:
    """Runs whose solver was another than the one of this hash."""
    sound = [record for record in records if record["outcome"] != DAMAGED]
    return [record["run"] for record in sound if record["solver_hash"] != solver_hash]


def state(record: Mapping[str, Any]) -> str:
    """How a run ended, in words; whether it is still at work, as far as can be known here."""
    if record["outcome"] != BEGUN:
        return str(record["outcome"])
    alive = is_alive(record["process"])
    if alive is None:
        return f"at work or killed, on {record['host']}"
    return AT_WORK if alive else "killed"


@cache
def _number(location: str, name: str, token: str, run: RunRecord) -> int:
    store = storage(location)
    numbers = _numbers(store, name)
    for number in reversed(numbers):
        if _read(store, name, number).get("token") == token:
            return number
    number = max(numbers, default=0) + 1
    while not store.create(_key(name, number), sealed_json(run.content(number))):
        number += 1
    return number


def copy_records(source: Storage, target: Storage, name: str, new: str) -> None:
    """Copy the records of a sweep's runs as they are, damaged ones too, under a new name."""
    for number in _numbers(source, name):
        content = source.get(_key(name, number))
        if content is not None:
            target.put(_key(new, number), content)


def renumbered(source: Storage, name: str, new: str, offset: int) -> dict[str, bytes]:
    """Records of a sweep's runs with higher numbers, by the keys that they get in another sweep.

    Raises
    ------
    InvalidInput
        If one is damaged: nothing of it can be changed.
    """
    found = {}
    for record in history(source, name):
        number = record["run"]
        if record["outcome"] == DAMAGED:
            raise InvalidInput(
                f"the record of run {number} of {name!r} in {source.location} is damaged and "
                "cannot get another number: copy the sweep under another name"
            )
        origin = f"run {number} of {name} in {source.location}"
        moved = {**record, "run": number + offset, "copied_from": origin}
        found[_key(new, number + offset)] = sealed_json(moved)
    return found


def _numbers(store: Storage, name: str) -> list[int]:
    found = (re.fullmatch(r"([1-9][0-9]{0,8})\.json", file) for file in store.names(_folder(name)))
    return sorted(int(match[1]) for match in found if match)


def _read(store: Storage, name: str, number: int) -> dict[str, Any]:
    """A record; of a damaged one only the number is used."""
    try:
        record = unsealed_json(store.get(_key(name, number), most=MOST_BYTES))
    except TooLarge:
        record = None
    if record is None or record.get("run") != number or not _complete(record):
        return {
            "run": number, "started": "", "finished": None, "outcome": DAMAGED, "points": {},
            "command": "", "host": "", "solver_hash": "", "packages": {},
        }  # fmt: skip
    return record


FIELDS = {
    "started": str, "outcome": str, "points": dict, "command": str, "host": str,
    "solver_hash": str, "packages": dict, "process": dict, "sweep": dict, "token": str,
}  # fmt: skip


def _complete(record: Mapping[str, Any]) -> bool:
    """Whether a record has what a run writes."""
    fields = all(isinstance(record.get(name), kind) for name, kind in FIELDS.items())
    return fields and record["process"].keys() == this_process().keys()


def _folder(name: str) -> str:
    return f"{name}/status/{FOLDER}"


def _key(name: str, number: int) -> str:
    return f"{_folder(name)}/{number}.json"


def _command() -> str:
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
