"""Where the browser's data come from: the sweeps of a store, or one Dataset in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xarray as xr

import catalog
from catalog.names.status import status_codes
from catalog.names.vocabulary import POINT
from catalog.reading.stored import BESIDE
from catalog.sweeps.grid import Family
from ensemble import Status
from heatcat.browser.shown.sheet import Sheet

Counts = dict[str, int]


class Entry(Protocol):
    """One sweep: what it is, its labelled data, and its points by status."""

    @property
    def family(self) -> Family: ...

    def dataset(self) -> xr.Dataset: ...

    def points(self) -> xr.Dataset: ...

    def counts(self) -> Counts: ...


def entries(location: str) -> Mapping[str, Entry]:
    """The sweeps of a store, by name; reading them never solves anything.

    Raises
    ------
    InvalidInput
        If there is no store, or no sweep in it.
    """
    return catalog.open(location)


@dataclass
class Source:
    """The data that a page shows.

    Parameters
    ----------
    location : str
        Path or URL of a store, as the user gave it; shown, and used in the line of Python.
    found : mapping of str to Dataset, optional
        Datasets in memory, in place of the store.
    """

    location: str
    found: Mapping[str, xr.Dataset] | None = None

    def __post_init__(self) -> None:
        self._sheets: dict[str, Sheet] = {}
        self._read: Mapping[str, Entry] | None = None

    def reread(self) -> None:
        """Read the store again, as sweeps may have been added and points computed."""
        if self.found is None:
            self._read = entries(self.location)
        self._sheets = {}

    @property
    def _entries(self) -> Mapping[str, Entry]:
        """The sweeps of the store; the first to ask opens it."""
        if self._read is None:
            self._read = entries(self.location)
        return self._read

    @property
    def names(self) -> list[str]:
        """Names of the sweeps."""
        return list(self._entries if self.found is None else self.found)

    def prepare(self, *names: str) -> None:
        """Open some sweeps, or the first where there is none of that name."""
        for name in names:
            self.sheet(name if name in self.names else self.names[0])

    def has_read(self, *names: str) -> bool:
        """Whether some sweeps are open already, those with an empty name apart."""
        return all(name in self._sheets for name in names if name) and any(names)

    @property
    def growing(self) -> bool:
        """Whether a run may be adding points."""
        return self.found is None

    def sheet(self, name: str) -> Sheet:
        """One sweep, with the exact limit beside it if it is a closure and the store has that."""
        if name not in self._sheets:
            data = self._dataset(name)
            reference = self._reference(name, data)
            beside = self._scattered(name, data)
            self._sheets[name] = Sheet(name, data, reference, scattered=beside)
        return self._sheets[name]

    def counts(self, name: str) -> Counts:
        """Points of a sweep by status label."""
        if self.found is None:
            return self._entries[name].counts()
        data = self.found[name]
        codes = status_codes(data).values if "status" in data else np.array([])
        return {status.label: int(np.sum(codes == status)) for status in Status}

    def look(self, name: str) -> tuple[list[str], Counts]:
        """Names of all sweeps as they are now, and the points of one; none if it is gone."""
        if self.found is not None:
            return self.names, self.counts(name)
        now = entries(self.location)
        return list(now), now[name].counts() if name in now else {}

    def python(self, name: str) -> str:
        """The Python expression for the Dataset of a sweep."""
        if self.found is not None:
            return "ds"
        return f"catalog.open({self.location!r})[{name!r}].dataset()"

    def _dataset(self, name: str) -> xr.Dataset:
        return self._entries[name].dataset() if self.found is None else self.found[name]

    def _scattered(self, name: str, data: xr.Dataset) -> Sheet | None:
        """The points that a refinement has put beside the grid of a sweep."""
        if BESIDE not in data.attrs or self.found is not None:
            return None
        every = self._entries[name].points()
        beside = np.zeros(every.sizes[POINT], dtype=bool)
        for dim in map(str, data.indexes):
            if {*every[dim].dims} <= {POINT}:  # else it is the inner dimension of a variable
                beside |= ~np.isin(every[dim].values, data[dim].values)
        return Sheet(name, every.isel({POINT: np.flatnonzero(beside)}))

    def _reference(self, name: str, data: xr.Dataset) -> xr.Dataset | None:
        if data.attrs.get("method") != "cumulant" or self.found is not None:
            return None
        wanted = _engines(data)
        for other, entry in self._entries.items():
            if other != name and entry.family.model.attributes().get("method") == "macroscopic":
                exact = entry.dataset()
                if _engines(exact) == wanted:
                    return exact
        return None


def _engines(data: xr.Dataset) -> str:
    """The engines of a Dataset in canonical form: equal texts mean the same engines."""
    parts: dict[str, Any] = {dim: data[dim].values.tolist() for dim in sorted(map(str, data.sizes))}
    parts |= {
        name: data[name].item() for name in sorted(map(str, data.coords)) if data[name].ndim == 0
    }
    return json.dumps([parts, data.attrs.get("scaling")])
