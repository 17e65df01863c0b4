"""The points of a sweep as columns of numbers: what the scatter and the table show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.names.described import whole_numbers
from catalog.names.fills import restored_values
from catalog.names.vocabulary import POINT
from ensemble import InvalidInput, Status
from heatcat.browser.shown.condition import condition_of
from heatcat.browser.shown.sheet import Sheet

MOST_READ = 5_000_000
"""Most points that are read at once: about 40 MB for each column."""

At = Mapping[str, float]


@dataclass(frozen=True)
class Points:
    """Points that meet a condition, one row for each.

    Attributes
    ----------
    dims : tuple of str
        Parameters that tell the points from each other.
    columns : dict of str to ndarray, shape (points,)
        Labels along ``dims``, then the variables.
    status : ndarray of uint8, shape (points,)
        ``OK`` throughout if the sweep has no status.
    selected : ndarray of bool, shape (points,)
        Which of them are selected; none if there is no selection.
    total : int
        Points that were asked for, those that do not meet the condition too.
    beside : ndarray of bool, shape (points,)
        Which of them lie beside the grid.
    """

    dims: tuple[str, ...]
    columns: dict[str, NDArray[Any]]
    status: NDArray[np.uint8]
    selected: NDArray[np.bool_]
    total: int
    beside: NDArray[np.bool_]

    @property
    def met(self) -> int:
        """Number of points that meet the condition."""
        return len(self.status)

    def at(self, row: int) -> dict[str, float]:
        """Labels of a point."""
        return {dim: self.columns[dim][row].item() for dim in self.dims}

    def take(self, rows: NDArray[Any]) -> Points:
        """Some of the points, by number or by truth."""
        return Points(
            self.dims,
            {name: column[rows] for name, column in self.columns.items()},
            self.status[rows],
            self.selected[rows],
            self.total,
            self.beside[rows],
        )


def load_points(
    sheet: Sheet,
    variables: Iterable[str],
    *,
    at: At | None = None,
    selected: str = "",
) -> Points:
    """Read points of a sweep.

    Parameters
    ----------
    sheet : Sheet
        If it is masked, only the points that meet its condition are given.
    variables : iterable of str
        Variables and varied parameters to read, beside the labels of each point.
    at : mapping of str to number, optional
        Labels of dimensions that are fixed; by default all points of the sweep.
    selected : str
        Condition on those that are selected.

    Raises
    ------
    InvalidInput
        If a condition is not understood, or if there are more than ``MOST_READ`` points.
    """
    at = dict(at or {})
    variables = list(variables)
    grid = _on_grid(sheet, variables, at, selected)
    return grid if sheet.scattered is None else _joined(grid, sheet, variables, at, selected)


def _on_grid(sheet: Sheet, variables: list[str], at: At, selected: str) -> Points:
    dims = sheet.dims
    free = [dim for dim in dims if dim not in at]
    shape = tuple(len(sheet.labels(dim)) for dim in free)
    total = int(np.prod(shape))
    if total > MOST_READ:
        raise InvalidInput(
            f"these are {total:,} points, and at most {MOST_READ:,} are read at once: choose the "
            "points of this map"
        )
    names = [name for name in dict.fromkeys(variables) if name not in (*dims, "status")]
    if "status" in sheet.data:
        names.append("status")
    wanted = {name: sheet.plain.select(name, at) for name in names}
    for name, met in (("met", sheet.met), ("selected", condition_of(sheet.plain, selected))):
        if met is not None:
            wanted[f" {name}"] = met.sel(at)
    found = dict(zip(wanted, dask.compute(*wanted.values()), strict=True))
    flat = {name: _flat(array, free, shape) for name, array in found.items()}
    labels = {
        dim: np.broadcast_to(
            sheet.labels(dim).reshape([-1 if other == dim else 1 for other in free]), shape
        ).reshape(-1)
        if dim in free
        else np.full(total, at[dim])
        for dim in dims
    }
    codes = flat.get("status", np.full(total, Status.OK)).astype(np.uint8)
    columns = {
        name: restored_values(name, flat[name], whole_numbers(name, found[name].attrs))
        for name in names
        if name != "status"
    }
    chosen = flat.get(" selected", np.zeros(total, dtype=bool))
    every = Points(dims, labels | columns, codes, chosen, total, np.zeros(total, dtype=bool))
    return every.take(flat[" met"]) if " met" in flat else every


def _joined(grid: Points, sheet: Sheet, variables: list[str], at: At, selected: str) -> Points:
    """The points of the grid, then those beside it that have the labels ``at``.

    A variable that follows from several points of the grid has no value beside it.
    """
    beside = sheet.scattered
    assert beside is not None
    coords, total = beside.data.coords, beside.data.sizes[POINT]
    labels = {dim: np.broadcast_to(coords[dim].values, total) for dim in sheet.dims}
    here = np.logical_and.reduce([np.ones(total, bool), *(labels[d] == at[d] for d in at)])
    known = [name for name in variables if name in beside.all_variables]
    wanted = {name: beside.plain.select(name, {}) for name in (*known, "status")}
    chosen = condition_of(beside.plain, selected, without=sheet.all_variables)
    for name, condition in ((" met", beside.met), (" selected", chosen)):
        if condition is not None:
            wanted[name] = condition
    found = dict(zip(wanted, dask.compute(*wanted.values()), strict=True))
    met = here & found[" met"].values if " met" in found else here
    columns = {
        name: restored_values(name, found[name].values, whole_numbers(name, found[name].attrs))
        if name in known
        else labels.get(name, np.full(total, np.nan))
        for name in grid.columns
    }
    more = Points(
        grid.dims,
        columns,
        found["status"].values.astype(np.uint8),
        found[" selected"].values if " selected" in found else np.zeros(total, dtype=bool),
        int(here.sum()),
        np.ones(total, dtype=bool),
    ).take(met)
    return Points(
        grid.dims,
        {name: np.concatenate([grid.columns[name], more.columns[name]]) for name in columns},
        np.concatenate([grid.status, more.status]),
        np.concatenate([grid.selected, more.selected]),
        grid.total + more.total,
        np.concatenate([grid.beside, more.beside]),
    )


def _flat(array: xr.DataArray, free: list[str], shape: tuple[int, ...]) -> NDArray[Any]:
    """Values on all points; a variable that lacks a dimension is the same along it."""
    having = [dim for dim in free if dim in array.dims]
    values = array.transpose(*having).values
    places = tuple(slice(None) if dim in having else None for dim in free)
    return np.broadcast_to(values[places], shape).reshape(-1)


def of_points(sheet: Sheet) -> list[str]:
    """Parameters that each of scattered points has for itself; none on a grid."""
    return [
        str(name)
        for name, coordinate in sheet.data.coords.items()
        if coordinate.dims == (POINT,) and name != POINT and coordinate.dtype.kind in "iuf"
    ]


def beside_note(points: Points) -> str:
    """Says how many of some points lie beside the grid, if any do."""
    count = int(points.beside.sum())
    return f"{count:,} of them beside the grid" if count else ""


def sample(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of a number of rows, evenly at random and the same each time, in order.

    >>> sample(5, 10)
    array([0, 1, 2, 3, 4])
    >>> len(sample(1_000_000, 20_000))
    20000
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))
