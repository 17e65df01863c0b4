"""Queries by label: names or symbols, numbers that match despite rounding, clear misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.labels import NEAR, Label, label
from catalog.vocabulary import parameter_name
from ensemble import InvalidInput

NEAREST = "nearest"


def select(
    ds: xr.Dataset,
    query: Mapping[str, Any] | None = None,
    *,
    method: str | Mapping[str, str] | None = None,
    tolerance: float | Mapping[str, float] | None = None,
    **labels: Any,
) -> xr.Dataset:
    """The part of a Dataset at given labels; lazy if the Dataset is.

    Labels match up to a relative 10⁻⁹, so that 0.1 + 0.2 finds 0.3.

    Parameters
    ----------
    ds : xarray.Dataset
        Of a sweep: its parameters are dimensions, scalar coordinates, or coordinates along a
        dimension of scattered points.
    query, **labels : mapping of parameter to number, slice, list or DataArray
        Parameters by name or symbol.  A number drops the dimension, a list keeps it; a slice
        includes both ends; one-dimensional DataArrays that share a dimension pick points.
    method : "nearest" or mapping of parameter to "nearest", optional
        Take the nearest label instead of an equal one.  N is a number of pairs, not a position on
        a scale: it is matched exactly unless the mapping names it.
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
    >>> ds = xr.Dataset({"power": ("delta_E", [1.0, 2.0])}, {"delta_E": [0.3, 0.6], "N": 2})
    >>> float(select(ds, {"ΔE": 0.1 + 0.2}, N=2).power)
    1.0
    >>> float(select(ds, delta_E=0.5, method="nearest", tolerance=0.2).power)
    2.0
    """
    wanted = _by_name(query or {}, labels)
    for name in wanted:
        if name not in ds.coords:
            known = [str(coord) for coord in ds.coords]
            raise InvalidInput(
                f"the dataset has no parameter {name}: choose from {', '.join(known)}"
            )
    limits = _for_each(tolerance, wanted, what="tolerance")
    nearest = _methods(method, wanted)
    if limits and not nearest:
        raise InvalidInput('tolerance goes with the nearest label: add method="nearest"')
    for name, value in wanted.items():
        coordinate = ds.coords[name]
        limit = limits.get(name, np.inf) if name in nearest else None
        if coordinate.ndim == 0:
            _require_equal(name, coordinate.item(), value, limits.get(name, 0.0))
            continue
        (dim,) = coordinate.dims
        axis = np.asarray(coordinate.values)
        if dim == name:
            ds = ds.isel({dim: _positions(name, axis, value, limit)})
        else:  # scattered points: several may share a label
            ds = ds.isel({dim: _members(name, axis, value, limit)})
    return ds


def _by_name(query: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for text, value in (*query.items(), *labels.items()):
        name = parameter_name(text)
        if name in wanted:
            raise InvalidInput(f"{name} is given twice, once as {text}: keep one")
        wanted[name] = value
    return wanted


def _methods(method: str | Mapping[str, str] | None, wanted: Mapping[str, Any]) -> set[str]:
    """The parameters whose nearest label is taken."""
    chosen = _for_each(method, wanted, what="method")
    for given in chosen.values():
        if given != NEAREST:
            raise InvalidInput(f'unknown method {given!r}: use method="nearest" or leave it out')
    if isinstance(method, str):
        chosen.pop("N", None)
    return set(chosen)


def _for_each(given: Any, wanted: Mapping[str, Any], *, what: str) -> dict[str, Any]:
    """An option by parameter, given so or once for all."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return dict.fromkeys(wanted, given)
    options = {parameter_name(text): value for text, value in given.items()}
    for name in options:
        if name not in wanted:
            raise InvalidInput(f"{what} names {name}, which is not selected: remove it there")
    return options


def _positions(name: str, axis: NDArray, value: Any, limit: float | None) -> Any:
    """Positions along an axis, in the shape of what is asked for."""
    if isinstance(value, slice):
        inside = np.flatnonzero(_inside(name, axis, value))
        return inside[:: value.step]
    if isinstance(value, xr.DataArray):
        return value.copy(data=_each(name, axis, value.values, limit))
    if np.ndim(value) > 0 or isinstance(value, set | frozenset):
        return _each(name, axis, np.asarray(list(value)), limit)
    return _position(name, axis, value, limit)


def _each(name: str, axis: NDArray, values: NDArray, limit: float | None) -> NDArray[np.int64]:
    found = [_position(name, axis, value, limit) for value in values.ravel().tolist()]
    return np.array(found, dtype=np.int64).reshape(values.shape)


def _members(name: str, axis: NDArray, value: Any, limit: float | None) -> NDArray[np.int64]:
    """Positions of all scattered points that have the label, lie in the slice, or in the list."""
    if isinstance(value, slice):
        return np.flatnonzero(_inside(name, axis, value))[:: value.step]
    found = [axis[_position(name, axis, item, limit)] for item in np.ravel(value).tolist()]
    return np.flatnonzero(np.isin(axis, found))


def _position(name: str, axis: NDArray, value: Any, limit: float | None) -> int:
    """Position of one label; ``limit`` is how far the nearest may be, None if it must be equal."""
    wanted = label(name, value) if limit is None else _number(name, value)
    distances = np.abs(axis - wanted)
    if not distances.size:
        raise InvalidInput(f"the dataset has no label of {name} at all: select less before")
    position = int(np.argmin(distances))
    if distances[position] <= max(_rounding(wanted), limit or 0.0):
        return position
    near = " and ".join(f"{item:.15g}" for item in _neighbours(axis, wanted))
    remedy = f"choose a label or add method={_spelled(name)}"
    if limit is not None:
        remedy = f"choose a label or raise the tolerance of {limit:.15g}"
    raise InvalidInput(f"there is no {name} = {wanted:.15g} (nearest: {near}): {remedy}")


def _number(name: str, value: Any) -> Label:
    """A label that need not be whole: the nearest N to 2.5 may be asked for."""
    return label("" if name == "N" else name, value)


def _spelled(name: str) -> str:
    return '{"N": "nearest"}' if name == "N" else '"nearest"'


def _neighbours(axis: NDArray, wanted: Label) -> list[float]:
    """The nearest label below and above."""
    below, above = axis[axis < wanted], axis[axis > wanted]
    return [*([below.max()] if below.size else []), *([above.min()] if above.size else [])]


def _inside(name: str, axis: NDArray, part: slice) -> NDArray[np.bool_]:
    """Which labels lie in a slice, ends included."""
    if part.step is not None and not (isinstance(part.step, int) and part.step > 0):
        raise InvalidInput(f"the step of {name} counts labels: use a whole number ≥ 1, or none")
    inside = np.ones(axis.shape, dtype=bool)
    if part.start is not None:
        start = _number(name, part.start)
        inside &= axis >= start - _rounding(start)
    if part.stop is not None:
        stop = _number(name, part.stop)
        inside &= axis <= stop + _rounding(stop)
    if not inside.any():
        low, high = (f"{end:.15g}" for end in (axis.min(), axis.max()))
        raise InvalidInput(
            f"no {name} lies between {part.start} and {part.stop}: choose from {low} to {high}"
        )
    return inside


def _rounding(value: Label) -> float:
    return NEAR * abs(value)


def _require_equal(name: str, fixed: Label, value: Any, limit: float) -> None:
    """A fixed parameter is what is asked for, or among it."""
    only = np.array([fixed])
    if isinstance(value, slice):
        _inside(name, only, value)
        return
    for item in np.ravel(value).tolist():
        wanted = _number(name, item)
        if abs(fixed - wanted) <= max(_rounding(wanted), limit):
            return
    asked = value.values.tolist() if isinstance(value, xr.DataArray) else value
    raise InvalidInput(f"{name} is {fixed:.15g} throughout, not {asked}: leave {name} out")
