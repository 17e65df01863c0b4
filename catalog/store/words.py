"""The description of a stored sweep: the one thing about it that a later run may change."""

from __future__ import annotations

import json
from typing import Any

from catalog.store.location import ROOT
from catalog.store.stored import StoredSweep
from catalog.store.template import COPY, PARTS, merged_metadata, pack, unpack


def describe(stored: StoredSweep, description: str) -> None:
    """Write another description into all groups of a sweep; its structure lease is held.

    Of each group the sealed copy comes first, which is what heatcat reads.  Killed before the
    group's own metadata is written, it leaves there the words that were there before, which is no
    damage, and which the next run with that description replaces.

    Parameters
    ----------
    stored : StoredSweep
    description : str
    """
    for part in stored.parts:
        packed = unpack(part.storage.get(f"{part.group}/{COPY}"))
        if packed is None:
            raise part.damage(COPY, "it is not as it was written")
        root = f"{part.group}/{ROOT}"
        metadata = packed.metadata
        metadata["attributes"] = _said(metadata["attributes"], description)
        written = json.dumps(metadata).encode()
        part.storage.put(
            f"{part.group}/{COPY}", pack(part.group, {**packed.objects, root: written})
        )
        found = part.storage.get(root)
        parts = json.loads(found or b"{}").get("attributes", {}).get(PARTS)
        part.storage.put(root, merged_metadata(found, written, parts))


def is_described(stored: StoredSweep, description: str) -> bool:
    """Whether all groups of a sweep say so, their own metadata too."""
    for part in stored.parts:
        found = part.storage.get(f"{part.group}/{ROOT}")
        attributes = json.loads(found or b"{}").get("attributes", {})
        if not part.grid.description == attributes.get("description") == description:
            return False
    return True


def _said(attributes: dict[str, Any], description: str) -> dict[str, Any]:
    sweep = {**json.loads(attributes["sweep"]), "description": description}
    changed = {"description": description, "sweep": json.dumps(sweep, ensure_ascii=False)}
    return {**attributes, **changed}
