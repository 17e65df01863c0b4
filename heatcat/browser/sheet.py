"""One sweep as the browser sees it: its dimensions, stored and derived variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from catalog.names.labels import label
from catalog.names.status import status_codes
from catalog.names.vocabulary import VOCABULARY, names, parameter_name, suggestion
from ensemble import InvalidInput
from heatcat.browser.derived import DERIVED, closure_errors, closure_variables
from heatcat.browser.labels import number

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
    """

    name: str
    data: xr.Dataset
    reference: xr.Dataset | None = None

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """Dimensions, in the vocabulary's order."""
        return tuple(name for name in names("parameter") if name in self.data.sizes)

    @cached_property
    def variables(self) -> dict[str, list[str]]:
        """Names that can be drawn, by group: stored, derived, diagnostics."""
        stored = [
            name
            for name in in_order(self.data)
            if self.data[name].dtype.kind in "iufb" and self.data[name].ndim
        ]
        kinds = {name: VOCABULARY[name].kind for name in stored if name in VOCABULARY}
        derived = [name for name, one in DERIVED.items() if one.computable(self.data)]
        if self.reference is not None:
            derived += closure_errors(self.data, self.reference)
        groups = {
            "stored": [name for name in stored if kinds.get(name) != "diagnostic"],
            "derived": derived,
            "diagnostics": [name for name in stored if kinds.get(name) == "diagnostic"],
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
            name: float(self.data[name])
            for name in names("parameter")
            if name in self.data.coords and self.data[name].ndim == 0
        }

    def first(self) -> dict[str, float]:
        """A point to begin with, in the middle of every axis but N: there, the largest."""
        return {
            dim: self.labels(dim)[-1 if dim == "N" else len(self.labels(dim)) // 2].item()
            for dim in self.dims
        }

    def nearest(self, dim: str, value: float) -> float:
        """The label nearest to a value."""
        labels = self.labels(dim)
        return labels[np.argmin(np.abs(labels - value))].item()

    def require(self, variable: str) -> None:
        """Raise `InvalidInput` unless a variable can be drawn."""
        if variable not in self.all_variables:
            raise InvalidInput(
                f"{self.name} has no variable {variable!r}"
                f"{suggestion(variable, self.all_variables)}"
            )

    def canonical(self, at: At) -> dict[str, float]:
        """Labels by name, each the very label of its axis.

        Raises
        ------
        InvalidInput
            For an unknown dimension, or a value that is not a label.
        """
        exact: dict[str, float] = {}
        for text, value in at.items():
            name = parameter_name(text)
            if name not in self.dims:
                raise InvalidInput(
                    f"{self.name} has no dimension {name}: choose from {', '.join(self.dims)}"
                )
            wanted, labels = label(name, value), self.labels(name)
            if wanted not in labels:
                near = number(self.nearest(name, wanted))
                raise InvalidInput(
                    f"{self.name} has no label {name} = {number(wanted)}: the nearest is {near}"
                )
            exact[name] = wanted
        return exact

    def select(self, variable: str, at: At) -> xr.DataArray:
        """Values of a variable on the dimensions that ``at`` leaves free; lazy if the data are.

        Only the chunks of the selection are ever read: a derived variable is computed from what
        has been selected, save that it sees all N.
        """
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
        """Status of the points behind a variable; None where it combines points."""
        if "status" not in self.data or variable not in self.data:
            return None
        return status_codes(self.data["status"].sel(dict(at)))


def in_order(data: xr.Dataset) -> list[str]:
    """Names of the variables in the vocabulary's order, then those that it does not know."""
    present = [str(name) for name in data.data_vars]
    known = [name for name in VOCABULARY if name in present]
    return known + [name for name in present if name not in VOCABULARY]
