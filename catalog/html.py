"""Catalogues and their sweeps as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def catalogue_html(location: str, entries: Mapping[str, Any]) -> str:
    """A list of the sweeps."""
    items = "".join(f"<li>{entry_html(entry)}</li>" for entry in entries.values())
    return f"<p>{escape(location)}</p><ul>{items}</ul>"


def entry_html(entry: Any) -> str:
    """Name and counts of a sweep."""
    counts = ", ".join(f"{number} {label}" for label, number in entry.counts().items() if number)
    return f"{escape(entry.name)}: {escape(counts)}"
