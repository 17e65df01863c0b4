"""Check every stored byte against its checksum, and mend what is damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from catalog.history import damaged_records
from catalog.lease import Claims
from catalog.part import Part
from catalog.storage import EMPTY_GROUP, ROOT, Storage, absolute, storage
from catalog.sweep import Index, Sweep
from catalog.template import COPY, Objects, pack, unpack
from ensemble import InvalidInput, Status


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was written.

    Attributes
    ----------
    group : str
        Zarr group; empty for the store itself.
    what : str
        The object or the array.
    why : str
    index : tuple of int or None
        The block, if it is a chunk of one.
    remedy : str
        What `catalog.repair` does about it.
    """

    group: str
    what: str
    why: str
    index: Index | None = None
    remedy: str = ""


RESTORE = "restored from its second copy"
RESET = "block set back to not computed"
HOPELESS = "cannot be mended: take the group from a backup, or delete it"


@dataclass
class Report:
    """What a check has found.

    Attributes
    ----------
    blocks : int
        Complete blocks whose chunks were all read.
    chunks : int
    unfinished : int
        Blocks that are not complete; that is no damage.
    damages : list of Damage
    leavings : int
        Leases and half-written files of processes that were killed; they do no harm.
    """

    blocks: int = 0
    chunks: int = 0
    unfinished: int = 0
    damages: list[Damage] = field(default_factory=list)
    leavings: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damages

    def plain(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {**asdict(self), "sound": self.sound}


def check(location: str | Path) -> Report:
    """Read everything that is stored and verify it; writes nothing.

    Chunks are verified by their CRC-32C, metadata and coordinates against a second copy that has a
    SHA-256; a chunk that is missing from a complete block is damage, too.

    Raises
    ------
    InvalidInput
        If there is no store.
    """
    return _inspect(_existing(location), mend=False)


def repair(location: str | Path) -> Report:
    """Mend what `check` finds: the report says what was damaged and what was done.

    Metadata is restored from its second copy.  A block of which any chunk is damaged is set back
    to not computed; the next run computes it again.  Leavings of killed processes are deleted.

    Raises
    ------
    InvalidInput
        If there is no store, or it is an archive, or somebody is at work on it.
    """
    place = _existing(location)
    if place.read_only:
        raise InvalidInput(f"{place.location} is an archive: unpack it to a directory to repair it")
    for group in _groups(place):
        held = Claims(place, group).held()
        if held:
            holder = next(iter(held.values()))
            raise InvalidInput(
                f"{place.location} is being worked on by process {holder.get('pid')} on "
                f"{holder.get('host')}: stop it, then repair"
            )
    return _inspect(place, mend=True)


def _existing(location: str | Path) -> Storage:
    place = storage(absolute(location))
    if not place.exists() or not (_groups(place) or place.has(ROOT)):
        raise InvalidInput(f"there is no store at {place.location}: check the path")
    return place


def _groups(place: Storage) -> list[str]:
    """Groups that are sweeps, or were meant to be."""
    names = sorted(name for name in place.names("") if name != ROOT)
    return [group for group in names if place.has(f"{group}/{COPY}") or _is_sweep(place, group)]


def _is_sweep(place: Storage, group: str) -> bool:
    return b'"sweep_key"' in (place.get(f"{group}/{ROOT}") or b"")


def _inspect(place: Storage, *, mend: bool) -> Report:
    report = Report()
    root = place.get(ROOT)
    if not _is_group(root):
        report.damages.append(
            Damage("", ROOT, "missing" if root is None else "damaged", None, RESTORE)
        )
        if mend:
            place.put(ROOT, EMPTY_GROUP)
    report.leavings += place.torn("", mend=mend)
    for group in _groups(place):
        _inspect_group(place, group, report, mend=mend)
    return report


def _is_group(content: bytes | None) -> bool:
    try:
        return json.loads(content or b"")["node_type"] == "group"
    except (ValueError, KeyError, TypeError):
        return False


def _inspect_group(place: Storage, group: str, report: Report, *, mend: bool) -> None:
    objects = unpack(place.get(f"{group}/{COPY}"))
    unusable: set[str] = set()
    if objects is None:
        report.damages.append(
            Damage(group, COPY, "second copy of the metadata damaged", None, RESTORE)
        )
        objects = _present_template(place, group)
        if objects is None:
            report.damages.append(Damage(group, ROOT, "damaged", None, HOPELESS))
            return
        if mend:
            place.put(f"{group}/{COPY}", pack(objects))
    elif not place.has(f"{group}/{ROOT}") and not place.names(f"{group}/status/c"):
        return  # a template that was never finished: the next run begins it again
    for key, content in objects.items():
        found = place.get(key)
        if found != content:
            name = key.removeprefix(f"{group}/")
            why = "missing" if found is None else "not as it was written"
            report.damages.append(Damage(group, name, why, None, RESTORE))
            unusable.add(name.split("/")[0])
            if mend:
                place.put(key, content)
    sweep = _definition(objects[f"{group}/{ROOT}"])
    part = Part(place.location, group, sweep)
    for record in damaged_records(place, group):
        report.damages.append(
            Damage(group, record, "record of a run damaged", None, "left as it is")
        )
    _inspect_blocks(part, report, skip=set() if mend else unusable, mend=mend)
    stale = part.claims.stale()
    report.leavings += len(stale) + place.torn(group, mend=mend, deep=True)
    if mend:
        for key in stale:
            place.delete(key)


def _present_template(place: Storage, group: str) -> Objects | None:
    """The template's objects as they are, if they can be read."""
    try:
        sweep = _definition(place.get(f"{group}/{ROOT}") or b"")
        coordinates = [*sweep.axes, *sweep.fixed, *sweep.points]
        keys = [f"{group}/{name}/{ROOT}" for name in (*coordinates, *sweep.arrays)]
        keys += [key for name in coordinates for key in place.keys(f"{group}/{name}/c")]
        objects = {key: place.get(key) for key in (*keys, f"{group}/{ROOT}")}
        for content in objects.values():
            assert content is not None
        for key in keys:
            if key.endswith(ROOT):
                json.loads(objects[key] or b"")
    except (ValueError, KeyError, TypeError, AssertionError, InvalidInput):
        return None
    return {key: content for key, content in objects.items() if content is not None}


def _definition(content: bytes) -> Sweep:
    return Sweep.from_definition(json.loads(json.loads(content)["attributes"]["sweep"]))


def _inspect_blocks(part: Part, report: Report, *, skip: set[str], mend: bool) -> None:
    finished = part.finished() & set(part.sweep.block_indices())
    names = [name for name in part.sweep.arrays if name not in skip]
    there = {name: set(part.storage.keys(f"{part.group}/{name}/c")) for name in names if finished}
    report.unfinished += len(list(part.sweep.block_indices())) - len(finished)
    for index in sorted(finished):
        found = list(_damaged_chunks(part, index, names, there))
        report.blocks += 1
        report.chunks += len(names)
        report.damages += found
        if found and mend:
            part.reset(index)


def _damaged_chunks(
    part: Part, index: Index, names: list[str], there: dict[str, set[str]]
) -> Iterator[Damage]:
    for name in names:
        if part.chunk(name, index) not in there[name]:
            yield Damage(part.group, name, "chunk missing", index, RESET)
    present = [name for name in names if part.chunk(name, index) in there[name]]
    try:
        arrays = part.read(index, present)
    except InvalidInput:
        arrays = {}
        for name in present:  # which of them
            try:
                arrays |= part.read(index, [name])
            except InvalidInput as failure:
                how = "fails its checksum" if "checksum" in str(failure) else "cannot be decoded"
                yield Damage(part.group, name, f"chunk {how}", index, RESET)
    if "status" in arrays:
        codes = set(np.unique(arrays["status"]).tolist())
        if not codes <= {int(status) for status in Status} - {int(Status.NOT_COMPUTED)}:
            yield Damage(part.group, "status", "states that no run writes", index, RESET)
