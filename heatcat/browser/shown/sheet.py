"""One sweep as the browser sees it: its dimensions, stored and derived variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr

from catalog.names.described import coordinate_name, role
from catalog.names.labels import label
from catalog.names.status import status_codes
from catalog.names.suggestion import suggestion
from catalog.names.vocabulary import POINT
from ensemble import InvalidInput
from heatcat.browser.shown.derived import DERIVED, closure_errors, closure_variables
from heatcat.browser.shown.labels import number

At = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Labelled data of one sweep, lazy or in memory.

    Parameters
    ----------
    name : str
    data : xarray.Dataset
        Dimensions are parameters of the vocabulary, with numeric labels.
    reference : xarray.Dataset, optional
        The exact limit on the same labels: errors of a closure are then offered.
    met : xarray.DataArray of bool, optional
        Where a condition holds, on ``dims``: variables are NaN elsewhere.
    scattered : Sheet, optional
        The points that a refinement has put beside the grid, along the dimension ``point``.
    """

    name: str
    data: xr.Dataset
    reference: xr.Dataset | None = None
    met: xr.DataArray | None = None
    scattered: Sheet | None = None

    @cached_property
    def plain(self) -> Sheet:
        """The sheet without its condition."""
        if self.met is None:
            return self
        beside = None if self.scattered is None else self.scattered.plain
        return replace(self, met=None, scattered=beside)

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the grid, in its order, without the inner dimensions of variables.

        A sweep of scattered points alone has them along one dimension, ``point``.
        """
        longest = max((v.dims for v in self.data.data_vars.values()), key=len, default=())
        first = self.data["status"].dims if "status" in self.data else longest
        return tuple(
            str(dim)
            for dim in first
            if dim == POINT
            or (dim in self.data.coords and role(self.data, str(dim)) == "parameter")
        )

    @cached_property
    def variables(self) -> dict[str, list[str]]:
        """Names that can be drawn, by group: stored, derived, diagnostics."""
        stored = [
            name
            for name in in_order(self.data)
            if self.data[name].dtype.kind in "iufb"
            and self.data[name].ndim
            and {*self.data[name].dims} <= {*self.dims}
        ]
        kinds = {name: role(self.data, name) for name in stored}
        derived = [name for name, one in DERIVED.items() if one.computable(self.data)]
        if self.reference is not None:
            derived += closure_errors(self.data, self.reference)
        groups = {
            "stored": [name for name in stored if kinds[name] != "diagnostic"],
            "derived": derived,
            "diagnostics": [name for name in stored if kinds[name] == "diagnostic"],
        }
        return {group: found for group, found in groups.items() if found}

    @property
    def all_variables(self) -> list[str]:
        """Names that can be drawn."""
        return [name for group in self.variables.values() for name in group]

    def dims_of(self, variable: str) -> tuple[str, ...]:
        """Dimensions of a stored or derived variable."""
        if variable in DERIVED and DERIVED[variable].consumes_N:
            return tuple(dim for dim in self.dims if dim != "N")
        return self.dims

    def labels(self, dim: str) -> np.ndarray:
        """Labels along a dimension."""
        return self.data[dim].values

    def fixed(self) -> dict[str, float]:
        """Parameters with one value throughout."""
        return {
            str(name): float(coordinate)
            for name, coordinate in self.data.coords.items()
            if coordinate.ndim == 0 and role(self.data, str(name)) == "parameter"
        }

    def derived(self, at: At) -> dict[str, float]:
        """What follows from the parameters at a point, such as T̄ where T₁ and T₂ are varied.

        For a scattered point, its parameters, too.
        """
        if self.is_scattered(at):
            here = self.stored(at)
            return {
                str(name): float(coordinate)
                for name, coordinate in here.coords.items()
                if role(here, str(name)) == "derived" and not coordinate.ndim
            }
        found = {}
        for name, coordinate in self.data.coords.items():
            if role(self.data, str(name)) == "derived" or coordinate.dims == (POINT,) != (name,):
                value = coordinate.sel({dim: at[str(dim)] for dim in coordinate.dims if dim in at})
                if not value.ndim:
                    found[str(name)] = float(value)
        return found

    def first(self) -> dict[str, float]:
        """The first point to show: the middle of every axis, the largest of sizes such as N."""
        return {dim: self._first(self.labels(dim)) for dim in self.dims}

    @staticmethod
    def _first(labels: np.ndarray) -> float:
        return labels[-1 if labels.dtype.kind in "iu" else len(labels) // 2].item()

    def nearest(self, dim: str, value: float) -> float:
        """The label nearest to a value."""
        labels = self.labels(dim)
        return labels[np.argmin(np.abs(labels - value))].item()

    def is_scattered(self, at: At) -> bool:
        """Whether these are the labels of a point beside the grid."""
        return self._row(at) is not None

    def stored(self, at: At) -> xr.Dataset:
        """Everything at one point, of the grid or beside it; lazy if the data are."""
        row = self._row(at)
        if row is None:
            return self.data.sel(dict(at))
        assert self.scattered is not None
        return self.scattered.data.isel({POINT: row})

    def _row(self, at: At) -> int | None:
        """Which of the scattered points has these labels; None if none has."""
        if self.scattered is None or not at:
            return None
        points = self.scattered.data
        same = np.ones(points.sizes[POINT], dtype=bool)
        for dim in self.dims:
            same &= points[dim].values == at.get(dim)
        return int(np.argmax(same)) if same.any() else None

    def require(self, variable: str) -> None:
        """Raise `InvalidInput` unless a variable can be drawn."""
        if variable not in self.all_variables:
            raise InvalidInput(
                f"{self.name} has no variable {variable!r}"
                f"{suggestion(variable, self.all_variables)}"
            )

    def canonical(self, at: At) -> dict[str, float]:
        """Labels by name, each exactly as it is on its axis.

        Raises
        ------
        InvalidInput
            For an unknown dimension, or a value that is not a label.
        """
        exact: dict[str, float] = {}
        for text, value in at.items():
            name = coordinate_name(self.data, text)
            if name not in self.dims:
                raise InvalidInput(
                    f"{self.name} has no dimension {name}: choose from {', '.join(self.dims)}"
                )
            labels = self.labels(name)
            wanted = label(name, value, whole=labels.dtype.kind in "iu")
            if wanted not in labels:
                near = number(self.nearest(name, wanted))
                raise InvalidInput(
                    f"{self.name} has no label {name} = {number(wanted)}: the nearest is {near}"
                )
            exact[name] = wanted
        return exact

    def select(self, variable: str, at: At) -> xr.DataArray:
        """Values of a variable on the dimensions that ``at`` leaves free; lazy if the data are.

        Only the chunks of the selection are read.  A derived variable is computed from what has
        been selected, but from all N, those that do not meet the condition included.  One that
        combines all N is not masked.
        """
        if self.met is not None and self.dims_of(variable) == self.dims:
            return self.plain.select(variable, at).where(self.met.sel(dict(at)))
        chosen = {dim: value for dim, value in at.items() if dim in self.dims_of(variable)}
        if variable in self.data:
            found = self.data[variable].sel(chosen)
            return status_codes(found) if variable == "status" else found
        if variable in DERIVED:
            plain = {dim: value for dim, value in chosen.items() if dim != "N"}
            derived = DERIVED[variable].compute(self.data.sel(plain))
            return derived.sel(N=chosen["N"]) if "N" in chosen else derived
        assert self.reference is not None
        both = [data.sel(chosen) for data in (self.data, self.reference)]
        return closure_variables(*both)[variable]

    def status(self, variable: str, at: At) -> xr.DataArray | None:
        """Status of the points of a variable; None if the variable combines several points."""
        if "status" not in self.data or variable not in self.data:
            return None
        return status_codes(self.data["status"].sel(dict(at)))


def in_order(data: xr.Dataset) -> list[str]:
    """Names of the variables in their order, diagnostics last."""
    return sorted(map(str, data.data_vars), key=lambda name: role(data, name) == "diagnostic")
