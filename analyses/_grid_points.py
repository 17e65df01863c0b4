"""Points of a stored map that may be chosen, and how far apart the labels around them are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._labels import FloatArray, axis_labels
from catalog.heat_engine.energy_term import EnergyTerm
from catalog.heat_engine.terms import VOCABULARY
from catalog.names.status import has_status
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

N_POINTS = EnergyTerm("n_points", "n", "variable", "points that were compared", dtype="int64")
N_LEFT_OUT = EnergyTerm(
    "n_left_out", "", "variable", "points without certified values, left out", dtype="int64"
)
AT_EDGE = EnergyTerm("at_edge", "", "variable", "whether the point is at an end of an axis")
CERTIFIED = "points of status ok"
UNCERTIFIED = "all points: the dataset has no status"
"""Values of the attribute ``among``: which points were compared."""


def chosen_variables(dataset: xr.Dataset, names: Iterable[str], dims: Iterable[str]) -> list[str]:
    """Names, each of a real variable of the dataset; every one of ``dims`` has usable labels.

    Raises
    ------
    InvalidInput
        If a name is unknown or has no real numbers, if none of the variables has one of ``dims``,
        or if labels are not positive and increasing.
    """
    if not isinstance(dataset, xr.Dataset):
        raise InvalidInput(
            f"this analysis takes a Dataset, not {type(dataset).__name__}: it needs the status of "
            "each point beside the values"
        )
    found = list(names)
    for name in found:
        if name not in dataset:
            known = suggestion(name, map(str, dataset.data_vars)) if dataset.data_vars else ""
            raise InvalidInput(f"the dataset has no variable {name!r}{known}")
        if dataset[name].dtype.kind not in "iuf":
            raise InvalidInput(f"{name} must be real numbers, but is {dataset[name].dtype}")
    wanted = list(dims)
    if not wanted:
        raise InvalidInput("dims names no dimension: give those of the map, as in ['delta_E']")
    for dim in wanted:
        having = [name for name in found if dim in dataset[name].dims]
        axis_labels(dataset[having[0] if having else found[0]], dim)
    return found


def usable_points(dataset: xr.Dataset, names: Iterable[str]) -> tuple[xr.DataArray, str]:
    """Where all variables are finite and the status, if any, is ok; and the text of ``among``."""
    usable = xr.DataArray(True)
    for name in names:
        usable = usable & xr.apply_ufunc(np.isfinite, dataset[name], dask="allowed")
    if "status" not in dataset:
        return usable, UNCERTIFIED
    return usable & has_status(dataset, "ok"), CERTIFIED


def neighbours(labels: FloatArray, place: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Labels below and above those at some places, NaN beyond the ends.

    Examples
    --------
    >>> neighbours(np.array([1.0, 2.0, 4.0]), np.array([0, 1]))
    (array([nan,  1.]), array([2., 4.]))
    """
    padded = np.concatenate([[np.nan], labels, [np.nan]])
    return padded[place], padded[place + 2]


def label_terms(dim: str) -> tuple[EnergyTerm, EnergyTerm, EnergyTerm]:
    """Terms of a label of a chosen point and of the labels on either side of it."""
    known = VOCABULARY.get(dim)
    text = known.long_name if known else dim
    return (
        EnergyTerm(f"best_{dim}", known.symbol if known else dim, "variable", f"{text} there"),
        EnergyTerm(f"{dim}_below", "", "variable", f"next label below: {text}"),
        EnergyTerm(f"{dim}_above", "", "variable", f"next label above: {text}"),
    )
