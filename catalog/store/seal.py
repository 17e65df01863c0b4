"""A seal: the SHA-256 of an object's content, kept within the object.

Every object that heatcat adds to a store beside Zarr's own has a seal, and is read only if the
seal is right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHECKSUM = "sha256"


def sealed(content: bytes) -> bytes:
    """The content behind a line with its SHA-256."""
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def unsealed(found: bytes | None) -> bytes | None:
    """The content, None if there is none or it is not as it was sealed."""
    digest, _, content = (found or b"").partition(b"\n")
    if not content or hashlib.sha256(content).hexdigest().encode() != digest:
        return None
    return content


def sealed_json(record: Mapping[str, Any]) -> bytes:
    """A record as JSON that people can read, with the SHA-256 of the rest as its last entry."""
    plain = {name: value for name, value in record.items() if name != CHECKSUM}
    whole = {**plain, CHECKSUM: _digest(plain)}
    return json.dumps(whole, indent=1, ensure_ascii=False).encode()


def unsealed_json(found: bytes | None) -> dict[str, Any] | None:
    """The record, None if there is none or it is not as it was sealed."""
    try:
        record = json.loads(found or b"")
        checksum = record.pop(CHECKSUM)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return record if checksum == _digest(record) else None


def _digest(record: Mapping[str, Any]) -> str:
    canonical = json.dumps(record, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
