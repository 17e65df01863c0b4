"""The numbers behind one map: only the labels in view are read, all in one computation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
import xarray as xr
from contourpy import contour_generator
from numpy.typing import NDArray

from catalog.heat_engine.derived import completed
from ensemble import Status
from heatcat.browser.colours import Colours, Scale, colours_for, scale_for
from heatcat.browser.labels import number, symbol_of, where, with_unit
from heatcat.browser.picture import CONTOURED, Picture
from heatcat.browser.sheet import Sheet

Floats = NDArray[np.float64]
Range = tuple[float, float]

MOST_LABELS = 150
"""Most labels that are drawn along an axis; more are thinned out until the visitor zooms in."""
FINE = 201
"""Points along each axis on which a closed form is drawn."""


@dataclass(frozen=True)
class Axis:
    """One side of a map.

    Attributes
    ----------
    name, text : str
        Name of the dimension, and its symbol with the unit.
    labels, edges : ndarray
        Labels and edges of the cells that are drawn.
    log : bool
        Whether a logarithmic axis suits the labels.
    total, step : int
        Number of labels in view; every ``step``-th of them is drawn.
    """

    name: str
    text: str
    labels: NDArray[Any]
    edges: Floats
    log: bool
    total: int
    step: int

    @property
    def limits(self) -> Range:
        """From the first edge to the last."""
        return float(self.edges[0]), float(self.edges[-1])

    def cell(self, value: float) -> Range:
        """Edges of the cell nearest to a value."""
        i = int(np.argmin(np.abs(self.labels - value)))
        return float(self.edges[i]), float(self.edges[i + 1])

    @property
    def symbol(self) -> str:
        """Symbol of the dimension, without its unit."""
        return self.text.partition(" [")[0]


@dataclass(frozen=True)
class Line:
    """Lines to draw over a map, with their text."""

    kind: str
    text: str
    paths: tuple[Floats, ...]


@dataclass(frozen=True)
class Plane:
    """A map, ready to be drawn."""

    title: str
    value_text: str
    x: Axis
    y: Axis
    values: Floats
    drawn: Floats
    status: NDArray[np.uint8] | None
    scale: Scale
    colours: Colours
    lines: tuple[Line, ...]
    kinds: tuple[str, ...]
    cell: tuple[float, float]
    note: str


def load_plane(
    sheet: Sheet,
    picture: Picture,
    *,
    x_range: Range | None = None,
    y_range: Range | None = None,
) -> Plane:
    """Read what a map needs: the variable, the status, and the variables of its contours.

    Parameters
    ----------
    sheet : Sheet
    picture : Picture
        With ``y``.
    x_range, y_range : pair of float, optional
        Part in view; all of it by default.
    """
    x = axis(sheet.data[picture.x], x_range)
    y = axis(sheet.data[picture.y], y_range)
    wanted = {"value": sheet.select(picture.variable, picture.elsewhere)}
    status = sheet.status(picture.variable, picture.elsewhere)
    if status is not None:
        wanted["status"] = status
    for _, variable, _ in _contoured(sheet, picture):
        wanted[f"line {variable}"] = sheet.select(variable, picture.elsewhere)
    attributes = {name: array.attrs for name, array in wanted.items()}
    value_text, title = with_unit(wanted["value"]), _title(sheet, wanted["value"], picture)
    found = dict(zip(wanted, _values(wanted.values(), x, y), strict=True))
    scale = scale_for(picture.scale, found["value"])
    drawn = scale.forward(found["value"])
    return Plane(
        title=title,
        value_text=value_text,
        x=x,
        y=y,
        values=found["value"].astype(float),
        drawn=drawn,
        status=found.get("status"),
        scale=scale,
        colours=colours_for(picture.variable, scale, drawn),
        lines=tuple(_lines(sheet, picture, x, y, found, attributes)),
        kinds=picture.line_kinds,
        cell=(picture.at[picture.x], picture.at[picture.y]),
        note=_note(x, y, scale, found),
    )


def axis(coordinate: xr.DataArray, seen: Range | None = None) -> Axis:
    """The labels of a dimension that are in view, thinned if there are very many."""
    every = np.asarray(coordinate.values)
    log = spaced_by_factors(every)
    edges = _edges(every, log)
    first, last = 0, every.size
    if seen is not None:
        first = int(np.clip(np.searchsorted(edges, seen[0], "right") - 1, 0, every.size - 1))
        last = int(np.clip(np.searchsorted(edges, seen[1], "left"), first + 1, every.size))
    total = last - first
    step = -(-total // MOST_LABELS)
    labels = every[first:last:step]
    return Axis(
        str(coordinate.name), with_unit(coordinate), labels, _edges(labels, log), log, total, step
    )


def spaced_by_factors(labels: NDArray[Any]) -> bool:
    """Whether labels span a decade and their ratios vary less than their differences."""
    if labels.size < 3 or labels[0] <= 0 or labels[-1] < 10 * labels[0]:
        return False
    steps, factors = np.diff(labels), np.diff(np.log(labels))
    return bool(np.std(factors) / np.mean(factors) < np.std(steps) / np.mean(steps))


def _edges(labels: NDArray[Any], log: bool) -> Floats:
    """Borders of the cells about the labels: halfway between, on the axis as it is drawn."""
    centres = np.log(labels) if log else np.asarray(labels, dtype=float)
    if centres.size == 1:
        half = 0.1 if log else abs(centres[0]) * 0.05 or 0.5
        borders = np.array([centres[0] - half, centres[0] + half])
    else:
        middle = (centres[1:] + centres[:-1]) / 2
        borders = np.concatenate(
            [[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]]
        )
    return np.exp(borders) if log else borders


def _values(arrays: Iterable[xr.DataArray], x: Axis, y: Axis) -> list[NDArray[Any]]:
    """The arrays on the cells, y first, computed together so that shared chunks are read once."""
    cut = [
        array.transpose(y.name, x.name).sel({x.name: x.labels, y.name: y.labels})
        for array in arrays
    ]
    return [array.values for array in dask.compute(*cut)]


def _title(sheet: Sheet, value: xr.DataArray, picture: Picture) -> str:
    dims = sheet.dims_of(picture.variable)
    at = where(sheet.data, {dim: at for dim, at in picture.elsewhere.items() if dim in dims})
    long_name = str(value.attrs.get("long_name", ""))
    text = f"{with_unit(value)}: {long_name}" if long_name else with_unit(value)
    return f"{text}, at {at}" if at else text


def _note(x: Axis, y: Axis, scale: Scale, found: dict[str, NDArray[Any]]) -> str:
    """Note that says what the map does not show."""
    notes = [
        f"one in {side.step} of {side.total} labels of {side.symbol} is drawn: zoom in"
        for side in (x, y)
        if side.step > 1
    ]
    if scale.kind == "log":
        hidden = int(np.sum(found["value"] <= 0))
        if hidden:
            notes.append(f"{hidden} values ≤ 0 have no place on a log scale: choose symlog")
    status = found.get("status")
    if status is not None:
        for kind in (Status.UNCERTIFIED, Status.UNPHYSICAL, Status.FAILED):
            number_of = int(np.sum(status == kind))
            if number_of:
                notes.append(f"{number_of} {kind.label} (crosses)")
        waiting = int(np.sum(status == Status.NOT_COMPUTED))
        if waiting:
            notes.append(f"{waiting} of {status.size} not computed yet (grey)")
    return "; ".join(notes)


def _contoured(
    sheet: Sheet, picture: Picture
) -> Iterable[tuple[str, str, tuple[float, ...] | None]]:
    """Kind, variable and levels of each set of contours; levels of None are to be chosen."""
    known = set(sheet.all_variables)
    for kind, (variables, levels) in CONTOURED.items():
        if kind in picture.overlays:
            yield from ((kind, name, levels) for name in variables if name in known)
    if picture.contour:
        yield "contour", picture.contour, picture.levels or None


def _lines(
    sheet: Sheet,
    picture: Picture,
    x: Axis,
    y: Axis,
    found: dict[str, NDArray[Any]],
    attributes: dict[str, dict[Any, Any]],
) -> Iterable[Line]:
    if "carnot" in picture.overlays:
        yield Line("carnot", "Carnot", _carnot(sheet, picture, x, y))
    for kind, variable, levels in _contoured(sheet, picture):
        values = found[f"line {variable}"]
        known = xr.DataArray(name=variable, attrs=attributes[f"line {variable}"])
        mark = "gain" if kind == "gain" else symbol_of(known)
        for level in _levels(values) if levels is None else levels:
            paths = _contour(x.labels, y.labels, values, level)
            if paths:
                yield Line(kind, f"{mark} = {number(float(f'{level:.6g}'))}", paths)


def _levels(values: Floats) -> tuple[float, ...]:
    """Round numbers across the values, about six."""
    from matplotlib.ticker import MaxNLocator  # slow to import: only for contours

    finite = values[np.isfinite(values)]
    if finite.size == 0 or finite.min() == finite.max():
        return ()
    ticks = MaxNLocator(7).tick_values(float(finite.min()), float(finite.max()))
    return tuple(float(tick) for tick in ticks if finite.min() < tick < finite.max())


def _contour(x: NDArray[Any], y: NDArray[Any], values: Floats, level: float) -> tuple[Floats, ...]:
    if min(values.shape) < 2:
        return ()
    lines = contour_generator(x, y, np.ma.masked_invalid(values)).lines(level)
    return tuple(np.asarray(line) for line in lines)


def _carnot(sheet: Sheet, picture: Picture, x: Axis, y: Axis) -> tuple[Floats, ...]:
    """Lines where the affinity is 0; none if neither axis changes its sign."""
    fine = {side.name: _fine(side) for side in (x, y)}
    grid = dict(zip(fine, np.meshgrid(*fine.values()), strict=True))
    constants = {**sheet.fixed(), **picture.at}
    points = {name: np.asarray(value) for name, value in {**constants, **grid}.items()}
    every = completed(points)
    E_1, E_2, T_1, T_2 = (every[name] for name in ("E_1", "E_2", "T_1", "T_2"))
    mu_1, mu_2 = (points.get(name, np.asarray(0.0)) for name in ("mu_1", "mu_2"))
    # a T₁T₂ has no pole where a temperature vanishes.
    distance = (E_1 - mu_1) * T_2 - (E_2 - mu_2) * T_1
    exists = (T_1 > 0) & (E_1 > 0) & (T_2 >= T_1) & (E_2 >= E_1)  # edges of cells may lie outside
    shape = np.broadcast_shapes(distance.shape, (FINE, FINE))
    distance = np.broadcast_to(np.where(exists, distance, np.nan), shape)
    return _contour(fine[x.name], fine[y.name], distance, 0.0)


def _fine(side: Axis) -> Floats:
    return (np.geomspace if side.log else np.linspace)(*side.limits, FINE)
