"""Check every stored byte against its checksum, and repair what is damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from catalog.arguments import a_location, checked
from catalog.store import change
from catalog.store.changing import changing
from catalog.store.chunk_codec import codec
from catalog.store.groups import GROUP, announce_parts, groups_of, parent
from catalog.store.history import damaged_records
from catalog.store.leases import Leases, holder_in_words
from catalog.store.load import has_results
from catalog.store.location import DAMAGED, EMPTY_GROUP, ROOT, absolute, root_problem
from catalog.store.part import MANIFESTS, Damaged, Manifest, Part
from catalog.store.settle import rebuild_manifest, reset_chunk, settle
from catalog.store.storage import Storage, storage
from catalog.store.template import (
    COPY,
    FORMAT,
    PARTS,
    Objects,
    differing,
    grid_of,
    merged_metadata,
    pack,
    template,
    unpack,
)
from catalog.sweeps.grid import Grid, Index
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
        The chunk or the block, if it is one.
    remedy : str
        What `catalog.repair` does about it.
    """

    group: str
    what: str
    why: str
    index: Index | None = None
    remedy: str = ""


RESTORE = "restored from its second copy"
REBUILD = "made anew from the files of the chunk"
RESET = "the blocks of the chunk are set back to not computed"
DELETE = "deleted; the block is set back to what its chunk holds"
LEFT = "left as it is"
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


@checked(location=a_location)
def check(location: str | Path) -> Report:
    """Read everything that is stored and verify it; writes nothing.

    Chunks are verified by the digests in their manifests, which also bind them to their array and
    place; metadata and coordinates against a second copy that has a SHA-256; block records, leases
    and records of runs by checksums of their own.

    Raises
    ------
    InvalidInput
        If there is no store of heatcat, or it may not be read, or a change of its groups was begun
        and has to be completed first.
    """
    place = _existing(location)
    change.require_none(place)
    report = _inspect(place, mend=False)
    report.leavings += len(place.keys(change.FOLDER))
    return report


@checked(location=a_location)
def repair(location: str | Path) -> Report:
    """Mend what `check` finds: the report says what was damaged and what was done.

    Metadata is restored from its second copy.  The blocks of a chunk of which any file is damaged
    are set back to not computed; the next run computes them again.  What killed processes have left
    is tidied up, and a change of groups that was killed is completed or discarded.  Nothing is
    changed that is not known to be of heatcat.

    Raises
    ------
    InvalidInput
        If there is no store of heatcat, or it is an archive, or a run is at work on it.
    """
    place = _existing(location)
    if place.read_only:
        raise InvalidInput(f"{place.location} is an archive: unpack it to a directory to repair it")
    for group in _groups(place):
        held = Leases(place, group).held()
        if held:
            raise InvalidInput(
                f"{place.location} is being worked on by "
                f"{holder_in_words(next(iter(held.values())))}: stop it, then repair"
            )
    leavings = 0
    if place.has_below(change.FOLDER):
        leavings = len(place.keys(change.FOLDER))
        with changing(place, "repair"):
            pass
    report = _inspect(place, mend=True)
    report.leavings += leavings
    return report


def _existing(location: str | Path) -> Storage:
    place = storage(absolute(location))
    if not place.exists():
        raise InvalidInput(f"there is no store at {place.location}: check the path")
    if not place.read_only and place.folder is not None and not place.folder.is_dir():
        raise InvalidInput(f"{place.location} is a file, not a store: give a directory")
    problem = root_problem(place)
    if problem is not None and not _groups(place):
        raise InvalidInput(
            f"nothing at {place.location} can be recognised as a store of heatcat: check the path"
        )
    if problem not in (None, DAMAGED):
        raise InvalidInput(f"{place.location} is {problem}: what is below it is left alone")
    return place


def _groups(place: Storage) -> list[str]:
    """Groups that are sweeps, or were meant to be."""
    names = sorted(place.names(""))
    return [
        name
        for name in names
        if re.fullmatch(GROUP, name) and (place.has(f"{name}/{COPY}") or _is_sweep(place, name))
    ]


def _is_sweep(place: Storage, group: str) -> bool:
    return b'"sweep_key"' in (place.get(f"{group}/{ROOT}") or b"")


def _inspect(place: Storage, *, mend: bool) -> Report:
    report = Report()
    if root_problem(place) is not None:
        why = "damaged" if place.has(ROOT) else "missing"
        report.damages.append(Damage("", ROOT, why, None, RESTORE))
        if mend:
            place.put(ROOT, EMPTY_GROUP)
    report.leavings += place.torn("", mend=mend)
    groups = _groups(place)
    for group in groups:
        _inspect_group(place, group, report, mend=mend)
    for name in sorted({parent(group) or group for group in groups}):
        report.leavings += _inspect_parts(place, name, mend=mend)
    return report


def _inspect_parts(place: Storage, name: str, *, mend: bool) -> int:
    """Parts whose attributes do not name all of them: an extension was killed at its end."""
    groups = groups_of(place, name)
    stale = 0
    for group in groups if len(groups) > 1 else ():
        try:
            attributes = json.loads(place.get(f"{group}/{ROOT}") or b"")["attributes"]
        except (ValueError, KeyError, TypeError):
            continue
        text = str(attributes.get(PARTS, ""))
        stale += not text.startswith(f"{len(groups)} groups")
    if mend and stale:
        announce_parts(place, name)
    return stale


def _inspect_group(place: Storage, group: str, report: Report, *, mend: bool) -> None:
    packed = unpack(place.get(f"{group}/{COPY}"))
    if packed is not None and (packed.format != FORMAT or packed.group != group):
        why = (
            f"written by another version of heatcat (format {packed.format})"
            if packed.format != FORMAT
            else f"renamed or copied: it was written as {packed.group!r}"
        )
        remedy = f"{LEFT}: give it its name again, or open it with the version that wrote it"
        report.damages.append(Damage(group, COPY, why, None, remedy))
        return
    if packed is None:
        regenerated = _regenerated(place, group)
        why = "second copy of the metadata damaged or missing"
        remedy = RESTORE if regenerated is not None else HOPELESS
        report.damages.append(Damage(group, COPY, why, None, remedy))
        if regenerated is None:
            return
        objects = regenerated
        if mend:
            place.put(f"{group}/{COPY}", pack(group, objects))
    else:
        objects = packed.objects
    if packed is not None and not place.has(f"{group}/{ROOT}") and not has_results(place, group):
        return  # a template that was never finished: the next run begins it again
    attributes = json.loads(objects[f"{group}/{ROOT}"])["attributes"]
    grid = grid_of(attributes)
    _inspect_template(place, group, objects, grid, report, mend=mend)
    part = Part(place.location, group, grid)
    for record in damaged_records(place, group):
        report.damages.append(Damage(group, record, "record of a run damaged", None, LEFT))
    if packed is not None or mend:
        _inspect_values(part, report, mend=mend)
    stale = part.leases.stale()
    report.leavings += len(stale) + place.torn(group, mend=mend, deep=True)
    if mend:
        for key in stale:
            place.delete(key)


def _inspect_template(
    place: Storage, group: str, objects: Objects, grid: Grid, report: Report, *, mend: bool
) -> None:
    for key, found in differing(place, group, objects, grid).items():
        name = key.removeprefix(f"{group}/")
        why = "missing" if found is None else "not as it was written"
        report.damages.append(Damage(group, name, why, None, RESTORE))
        if mend:
            written = objects[key]
            place.put(key, merged_metadata(found, written) if name == ROOT else written)


def _regenerated(place: Storage, group: str) -> Objects | None:
    """The template's objects by what the group's own metadata says, if that can be believed."""
    try:
        content = merged_metadata(None, place.get(f"{group}/{ROOT}") or b"")
        attributes = json.loads(content)["attributes"]
        attributes.pop(PARTS, None)
        if attributes["store_format"] != FORMAT:
            return None
        objects = template(grid_of(attributes), group)
        metadata = json.loads(content)
        metadata["attributes"] = attributes
        return {**objects, f"{group}/{ROOT}": json.dumps(metadata).encode()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _inspect_values(part: Part, report: Report, *, mend: bool) -> None:
    known = set(part.grid.block_indices())
    sound: set[Index] = set()
    for block in part.pending():
        try:
            part.record(block)
            sound.add(block)
        except Damaged:
            what = part.record_key(block).removeprefix(f"{part.group}/")
            report.damages.append(Damage(part.group, what, "damaged", block, DELETE))
            if mend:
                part.storage.delete(part.record_key(block))
    for chunk in part.grid.chunk_indices():
        sound |= _inspect_chunk(part, chunk, report, mend=mend)
    report.blocks += len(sound)
    report.unfinished += len(known) - len(sound)
    if mend:
        settle(part)


def _inspect_chunk(part: Part, chunk: Index, report: Report, *, mend: bool) -> frozenset[Index]:
    """The blocks that a chunk holds, if all its files are sound."""
    what = f"{MANIFESTS}/{'.'.join(map(str, chunk))}"
    try:
        manifest = part.manifest(chunk)
        why = "missing" if manifest is None else ""
    except Damaged:
        manifest, why = None, "damaged"
    if manifest is None:
        if why == "missing" and not part.storage.has(part.chunk_key("status", chunk)):
            return frozenset()
        report.damages.append(Damage(part.group, what, f"manifest {why}", chunk, REBUILD))
        if mend and not rebuild_manifest(part, chunk):
            report.damages.append(Damage(part.group, what, "no sound chunk", chunk, RESET))
            reset_chunk(part, chunk)
        return frozenset()
    if not manifest.blocks:  # killed at the first step of settling: the records hold the values
        report.leavings += 1
        return frozenset()
    report.leavings += any(len(digests) > 1 for digests in manifest.digests.values())
    report.chunks += len(part.grid.arrays)
    found = list(_damaged_files(part, chunk, manifest))
    report.damages += found
    if found and mend:
        reset_chunk(part, chunk)
    return frozenset() if found else manifest.blocks


def _damaged_files(part: Part, chunk: Index, manifest: Manifest) -> Iterator[Damage]:
    for name in part.grid.arrays:
        try:
            content = part.content(chunk, name, manifest)
            array = codec(part.array_metadata(name)).decode(chunk, content)
        except Damaged as failure:
            yield Damage(part.group, name, failure.reason, chunk, RESET)
            continue
        except (ValueError, RuntimeError, TypeError, KeyError):
            yield Damage(part.group, name, "the chunk cannot be decoded", chunk, RESET)
            continue
        if name == "status":
            inside = [part.within(chunk, block) for block in manifest.blocks]
            codes = {code for where in inside for code in np.unique(array[where]).tolist()}
            if not codes <= {int(status) for status in Status} - {int(Status.NOT_COMPUTED)}:
                yield Damage(part.group, "status", "states that no run writes", chunk, RESET)
