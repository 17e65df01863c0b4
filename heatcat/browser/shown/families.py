"""Curves along one dimension for all labels of another, and the same engine by other methods."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dask
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ensemble import InvalidInput, Status
from heatcat.browser.shown.labels import number, symbol_of, where
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.sides import Side, side_of, suits_labels
from heatcat.browser.shown.source import Source

MOST_CURVES = 60
"""Most curves of a family; of more labels, every second, third, … is drawn."""

At = Mapping[str, float]


@dataclass(frozen=True)
class Curve:
    """One curve: its text for the legend, its label along the second dimension if it has one."""

    text: str
    label: float | None
    values: NDArray[np.float64]
    doubtful: NDArray[np.bool_]
    places: NDArray[np.float64]
    mark: float | None = None
    """A place of the curve to be marked."""


@dataclass(frozen=True)
class Curves:
    """A family of curves, ready to be drawn.

    Attributes
    ----------
    x, y : Side
    by : str
        Symbol of the dimension whose labels tell the curves apart; "" if there is one curve.
    by_log : bool
        Whether its labels are spaced by factors.
    family : tuple of Curve
        In the order of the labels.
    others : tuple of Curve
        Of other sweeps.
    chosen : float or None
        The chosen label along the curves, if it is the same for all.
    at : str
        The labels of the other dimensions.
    notes : tuple of str
    """

    x: Side
    y: Side
    by: str
    by_log: bool
    family: tuple[Curve, ...]
    others: tuple[Curve, ...]
    chosen: float | None
    chosen_by: float | None
    at: str
    notes: tuple[str, ...]


def load_curves(
    sheet: Sheet,
    variable: str,
    along: str,
    by: str = "",
    *,
    at: At,
    others: Iterable[Sheet] = (),
    kind: str = "auto",
) -> Curves:
    """Read curves of a variable along one dimension, one for each label of another.

    Parameters
    ----------
    sheet : Sheet
    variable : str
    along, by : str
        Two dimensions of the variable; an empty ``by`` asks for a single curve.
    at : mapping of str to number
        A label of every dimension.
    others : iterable of Sheet
        Sweeps of the same engine, drawn beside the family where they hold the variable.
    kind : {"auto", "linear", "log", "symlog"}
        Scale of the variable.

    Raises
    ------
    InvalidInput
        If the variable has no such dimension.
    """
    sheet.require(variable)
    dims = sheet.dims_of(variable)
    for dim in filter(None, (along, by)):
        if dim not in dims:
            raise InvalidInput(f"{variable} has no dimension {dim}: choose from {', '.join(dims)}")
    if along == by:
        raise InvalidInput(f"the curves run along {along} already: choose another dimension")
    notes: list[str] = []
    fixed = {dim: value for dim, value in at.items() if dim in dims and dim not in (along, by)}
    labels = sheet.labels(by) if by else np.array([np.nan])
    step = -(-len(labels) // MOST_CURVES)
    if step > 1:
        notes.append(f"one in {step} of {len(labels)} labels of {_mark(sheet, by)} is drawn")
        labels = labels[::step]
    family = _family(sheet, variable, along, by, labels, fixed)
    beside: list[Curve] = []
    for other in others:
        found = _beside(other, sheet, variable, along, at)
        if isinstance(found, str):
            notes.append(found)
        else:
            beside.append(found)
    values = np.concatenate([curve.values for curve in (*family, *beside)])
    array = sheet.select(variable, fixed).rename(variable)
    along_labels = sheet.labels(along)
    shown = {dim: value for dim, value in fixed.items() if len(sheet.labels(dim)) > 1}
    return Curves(
        x=side_of(sheet.data[along], along_labels, suits_labels(along_labels)),
        y=side_of(array, values, kind),
        by=_mark(sheet, by) if by else "",
        by_log=bool(by) and suits_labels(sheet.labels(by)) == "log",
        family=tuple(family),
        others=tuple(beside),
        chosen=float(at[along]),
        chosen_by=float(at[by]) if by else None,
        at=where(sheet.data, shown),
        notes=tuple(notes),
    )


def _mark(sheet: Sheet, dim: str) -> str:
    return symbol_of(sheet.data[dim])


def _family(
    sheet: Sheet,
    variable: str,
    along: str,
    by: str,
    labels: NDArray[Any],
    fixed: At,
) -> list[Curve]:
    value = sheet.select(variable, fixed)
    wanted = {"value": value}
    status = sheet.status(variable, fixed)
    if status is not None:
        wanted["status"] = status
    if by:
        wanted = {name: array.sel({by: labels}) for name, array in wanted.items()}
    order = [by, along] if by else [along]
    arrays = dask.compute(*(array.transpose(*order) for array in wanted.values()))
    found = {name: np.atleast_2d(array.values) for name, array in zip(wanted, arrays, strict=True)}
    values = found["value"].astype(float)
    doubtful = found["status"] > Status.OK if "status" in found else np.zeros(values.shape, bool)
    places = sheet.labels(along).astype(float)
    mark = _mark(sheet, by) if by else ""
    return [
        Curve(
            f"{mark} = {number(label)}" if by else sheet.name,
            float(label) if by else None,
            row,
            flags,
            places,
        )
        for label, row, flags in zip(labels, values, doubtful, strict=True)
    ]


def _beside(other: Sheet, sheet: Sheet, variable: str, along: str, at: At) -> Curve | str:
    """The curve of another sweep at the chosen labels, or why there is none."""
    if variable not in other.all_variables:
        return f"{other.name} has no {variable}"
    if along not in other.dims_of(variable):
        return f"{other.name} has no dimension {_mark(sheet, along)}"
    here = {**sheet.fixed(), **at}
    for name, value in other.fixed().items():
        if name in here and here[name] != value:
            return f"{other.name} has {_mark(other, name)} = {number(value)} alone"
    elsewhere = {}
    for dim in other.dims_of(variable):
        if dim == along:
            continue
        wanted = here.get(dim)
        if wanted is None or wanted not in other.labels(dim):
            text = "" if wanted is None else f" = {number(wanted)}"
            return f"{other.name} has no {_mark(other, dim)}{text}"
        elsewhere[dim] = wanted
    (curve,) = _family(other, variable, along, "", np.array([np.nan]), elsewhere)
    method = str(other.data.attrs.get("method", ""))
    text = f"{method} ({other.name})" if method else other.name
    if "N" in elsewhere:
        text += f", N = {number(elsewhere['N'])}"
    return Curve(text, None, curve.values, curve.doubtful, curve.places)


def through_points(sheet: Sheet, variable: str, along: str, points: Mapping[str, At]) -> Curves:
    """A curve along one dimension through each of several points, by their names.

    Curves run along the grid: for a point beside it, the curve is the nearest, and says so.
    """
    found = []
    for name, at in points.items():
        dims = [dim for dim in sheet.dims_of(variable) if dim != along]
        fixed = {dim: sheet.nearest(dim, at[dim]) for dim in dims}
        (one,) = _family(sheet, variable, along, "", np.array([np.nan]), fixed)
        shown = {dim: value for dim, value in fixed.items() if len(sheet.labels(dim)) > 1}
        near = "" if all(fixed[dim] == at[dim] for dim in dims) else "near "
        text = f"{near}{name}: {where(sheet.data, shown)}"
        found.append(replace(one, text=text, mark=at[along]))
    labels = sheet.labels(along)
    array = sheet.select(variable, {}).rename(variable)
    return Curves(
        x=side_of(sheet.data[along], labels, suits_labels(labels)),
        y=side_of(array, np.concatenate([curve.values for curve in found])),
        by="",
        by_log=False,
        family=tuple(found),
        others=(),
        chosen=None,
        chosen_by=None,
        at="",
        notes=(),
    )


def same_engine(source: Source, name: str) -> list[str]:
    """Other sweeps of a store whose engines are those of a sweep, by other methods or other N.

    The parameters that both fix must be equal; N may be missing, as in the limit N → ∞.
    """
    own = source.sheet(name)
    scaling, model = (own.data.attrs.get(word) for word in ("scaling", "model"))
    fixed = {k: v for k, v in own.fixed().items() if k != "N"}
    found = []
    for other in source.names:
        sheet = source.sheet(other)
        if other == name or sheet.data.attrs.get("model") != model:
            continue
        theirs = {k: v for k, v in sheet.fixed().items() if k != "N"}
        agree = all(fixed[key] == theirs[key] for key in fixed.keys() & theirs.keys())
        unmatched = (fixed.keys() - theirs.keys() - set(sheet.dims)) | (
            theirs.keys() - fixed.keys() - set(own.dims)
        )
        alike = sheet.data.attrs.get("scaling") == scaling and _statistics(
            sheet.data
        ) == _statistics(own.data)
        if agree and alike and not unmatched:
            found.append(other)
    return found


def _statistics(data: xr.Dataset) -> Any:
    """The definition's statistics of the baths."""
    options = json.loads(data.attrs.get("sweep", "{}")).get("model", {}).get("options", {})
    return options.get("statistics")
