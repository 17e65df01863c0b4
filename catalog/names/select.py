"""Queries by label: by name or symbol, despite rounding; an error names the nearest labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.arguments import as_number, instance, is_finite, shown
from catalog.names.described import coordinate_name
from catalog.names.labels import MOST_LABELS, NEAR, Label, label, matching, slack
from ensemble import InvalidInput

NEAREST = "nearest"


@dataclass(frozen=True)
class _Axis:
    """The labels of a parameter, in any order."""

    name: str
    labels: NDArray

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers."""
        return self.labels.dtype.kind in "iu"

    @cached_property
    def margins(self) -> NDArray[np.float64]:
        """How far a number may lie from each label to be taken for it."""
        return slack(self.labels, NEAR)


def select(
    ds: xr.Dataset,
    query: Mapping[str, Any] | None = None,
    *,
    method: str | Mapping[str, str] | None = None,
    tolerance: float | Mapping[str, float] | None = None,
    **labels: Any,
) -> xr.Dataset:
    """The part of a Dataset at given labels; lazy if the Dataset is.

    Labels match up to a relative 10⁻⁹, so that 0.1 + 0.2 finds 0.3; 0 matches a label of 10⁻¹⁷ if
    the next ones are 10⁹ times as far away.

    Parameters
    ----------
    ds : xarray.Dataset
        Of a sweep: its parameters are dimensions, scalar coordinates, or coordinates along a
        dimension of scattered points.
    query, **labels : mapping of parameter to number, slice, list or DataArray
        Parameters by name or symbol.  A number drops the dimension, a list keeps it; a slice
        includes both ends; one-dimensional DataArrays that share a dimension pick points.
    method : "nearest" or mapping of parameter to "nearest", optional
        Take the nearest label instead of an equal one.  A whole number, such as N, is a count and
        not a position on a scale: it is matched exactly unless the mapping names it.
    tolerance : float or mapping of parameter to float, optional
        With "nearest": the largest distance allowed, absolute, in the unit of the label (as in
        xarray, and meaningful at 0).

    Returns
    -------
    xarray.Dataset
        A fixed parameter must equal the label, or lie in the slice or list (or within a given
        tolerance); it stays as it is.

    Raises
    ------
    InvalidInput
        If a parameter is unknown, or if there is no such label: the message names the nearest.

    Examples
    --------
    >>> tau = xr.Variable("tau", [0.3, 0.6], {"symbol": "τ"})
    >>> ds = xr.Dataset({"work": ("tau", [1.0, 2.0])}, {"tau": tau, "N": 2})
    >>> float(select(ds, {"τ": 0.1 + 0.2}, N=2).work)
    1.0
    >>> float(select(ds, tau=0.5, method="nearest", tolerance=0.2).work)
    2.0
    """
    instance(xr.Dataset, "give a Dataset of a sweep")("ds", ds)
    wanted = _by_name(ds, {} if query is None else query, labels)
    limits = {
        name: _limit(value)
        for name, value in _for_each(ds, tolerance, wanted, what="tolerance").items()
    }
    nearest = _methods(ds, method, wanted)
    if limits and not nearest:
        raise InvalidInput('tolerance goes with the nearest label: add method="nearest"')
    for name, value in wanted.items():
        coordinate = ds.coords[name]
        limit = limits.get(name, np.inf) if name in nearest else None
        axis = _Axis(name, np.asarray(coordinate.values))
        if axis.labels.dtype.kind not in "iuf":
            raise InvalidInput(f"{name} of the dataset is not made of numbers: convert it")
        if coordinate.ndim == 0:
            _require_equal(name, coordinate.item(), value, limits.get(name, 0.0))
            continue
        if coordinate.ndim > 1:
            raise InvalidInput(f"{name} has {coordinate.ndim} dimensions: select it by isel")
        (dim,) = coordinate.dims
        if dim == name:
            ds = ds.isel({dim: _positions(axis, value, limit)})
        else:  # scattered points: several may share a label
            ds = ds.isel({dim: _members(axis, value, limit)})
    return ds


def _by_name(ds: xr.Dataset, query: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(query, Mapping):
        raise InvalidInput(
            f"query must map parameters to labels, but is {shown(query)}: write e.g. {{'N': 2}}"
        )
    wanted: dict[str, Any] = {}
    for text, value in (*query.items(), *labels.items()):
        name = coordinate_name(ds, text)
        if name in wanted:
            raise InvalidInput(f"{name} is given twice, once as {text}: keep one")
        wanted[name] = value
    return wanted


def _methods(
    ds: xr.Dataset, method: str | Mapping[str, str] | None, wanted: Mapping[str, Any]
) -> set[str]:
    """The parameters whose nearest label is taken."""
    chosen = _for_each(ds, method, wanted, what="method")
    for given in chosen.values():
        if not isinstance(given, str) or given != NEAREST:
            raise InvalidInput(
                f'unknown method {shown(given)}: use method="nearest" or leave it out'
            )
    if isinstance(method, str):
        return {name for name in chosen if ds.coords[name].dtype.kind not in "iu"}
    return set(chosen)


def _limit(value: Any) -> float:
    number = as_number(value)
    if number is None or not is_finite(number) or number < 0:
        raise InvalidInput(f"tolerance must be a number ≥ 0, but is {shown(value)}: e.g. 0.1")
    return float(number)


def _for_each(
    ds: xr.Dataset, given: Any, wanted: Mapping[str, Any], *, what: str
) -> dict[str, Any]:
    """An option by parameter; it may be given by parameter or once for all of them."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return dict.fromkeys(wanted, given)
    options = {coordinate_name(ds, text): value for text, value in given.items()}
    for name in options:
        if name not in wanted:
            raise InvalidInput(f"{what} names {name}, which is not selected: remove it there")
    return options


def _positions(axis: _Axis, value: Any, limit: float | None) -> Any:
    """Positions along an axis, in the shape of what is asked for."""
    if isinstance(value, slice):
        inside = np.flatnonzero(_inside(axis, value))
        return inside[:: value.step]
    if isinstance(value, xr.DataArray):
        found = [_position(axis, item, limit) for item in value.values.ravel().tolist()]
        return value.copy(data=np.array(found, dtype=np.int64).reshape(value.shape))
    if isinstance(items := _items(axis.name, value), list):
        return np.array([_position(axis, item, limit) for item in items], dtype=np.int64)
    return _position(axis, value, limit)


def _items(name: str, value: Any) -> list[Any] | Any:
    """The items of a list of labels, or the single label."""
    if isinstance(value, Mapping | xr.Dataset):
        raise InvalidInput(
            f"{name} must be a label, but is {shown(value)}: give a number or a list"
        )
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return value
    dimensions = getattr(value, "ndim", 1)
    if dimensions > 1:
        raise InvalidInput(f"the labels of {name} have {dimensions} dimensions: give a plain list")
    if not dimensions:
        return value
    items = list(itertools.islice(value, MOST_LABELS + 1))
    if len(items) > MOST_LABELS:
        raise InvalidInput(f"{name} has more than {MOST_LABELS} labels: take fewer, or a slice")
    return items


def _members(axis: _Axis, value: Any, limit: float | None) -> NDArray[np.int64]:
    """Positions of all scattered points that have the label, lie in the slice, or in the list."""
    if isinstance(value, slice):
        return np.flatnonzero(_inside(axis, value))[:: value.step]
    given = value.values.ravel() if isinstance(value, xr.DataArray) else value
    items = _items(axis.name, given)
    asked = items if isinstance(items, list) else [items]
    found = [axis.labels[_position(axis, item, limit)] for item in asked]
    return np.flatnonzero(np.isin(axis.labels, found))


def _position(axis: _Axis, value: Any, limit: float | None) -> int:
    """Position of one label; ``limit`` is how far the nearest may be, None if it must be equal."""
    name, labels = axis.name, axis.labels
    wanted = label(name, value, whole=axis.whole and limit is None)
    if not labels.size:
        raise InvalidInput(f"the dataset has no label of {name} at all: select less before")
    equal = matching(wanted, labels, axis.margins, NEAR)
    if equal is not None:
        return equal
    distances = np.abs(labels - float(wanted))
    if np.isnan(distances).all():
        raise InvalidInput(f"no label of {name} is a number: drop the missing ones before")
    position = int(np.nanargmin(distances))
    if limit is not None and distances[position] <= limit:
        return position
    near = " and ".join(f"{item:.15g}" for item in _neighbours(labels, wanted))
    remedy = f"choose a label or add method={_spelled(axis)}"
    if limit is not None:
        remedy = f"choose a label or raise the tolerance of {limit:.15g}"
    raise InvalidInput(f"there is no {name} = {wanted:.15g} (nearest: {near}): {remedy}")


def _spelled(axis: _Axis) -> str:
    return f'{{"{axis.name}": "nearest"}}' if axis.whole else '"nearest"'


def _neighbours(axis: NDArray, wanted: Label) -> list[float]:
    """The nearest label below and above."""
    below, above = axis[axis < wanted], axis[axis > wanted]
    return [*([below.max()] if below.size else []), *([above.min()] if above.size else [])]


def _inside(axis: _Axis, part: slice) -> NDArray[np.bool_]:
    """Which labels lie in a slice, ends included."""
    name, labels = axis.name, axis.labels
    step = as_number(part.step)
    if part.step is not None and not (isinstance(step, int) and step > 0):
        raise InvalidInput(f"the step of {name} counts labels: use a whole number ≥ 1, or none")
    inside = np.ones(labels.shape, dtype=bool)
    if not labels.size:
        return inside
    if part.start is not None:
        start = label(name, part.start)
        inside &= labels >= start - np.maximum(axis.margins, _rounding(start))
    if part.stop is not None:
        stop = label(name, part.stop)
        inside &= labels <= stop + np.maximum(axis.margins, _rounding(stop))
    if not inside.any():
        low, high = (f"{end:.15g}" for end in (labels.min(), labels.max()))
        raise InvalidInput(
            f"no {name} lies between {shown(part.start)} and {shown(part.stop)}: choose from {low} "
            f"to {high}"
        )
    return inside


def _rounding(value: Label) -> float:
    return NEAR * abs(value)


def _require_equal(name: str, fixed: Label, value: Any, limit: float) -> None:
    """Refuse a query whose labels do not include the value of a fixed parameter."""
    if isinstance(value, slice):
        _inside(_Axis(name, np.array([fixed])), value)
        return
    items = _items(name, value.values.ravel() if isinstance(value, xr.DataArray) else value)
    for item in items if isinstance(items, list) else [items]:
        wanted = label(name, item)
        if abs(fixed - wanted) <= max(_rounding(wanted), limit):
            return
    raise InvalidInput(f"{name} is {fixed:.15g} throughout, not {shown(value)}: leave {name} out")
