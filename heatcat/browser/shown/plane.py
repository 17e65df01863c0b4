"""The numbers behind one map: only the labels in view are read, all in one computation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import dask
import numpy as np
import xarray as xr
from contourpy import contour_generator
from numpy.typing import NDArray

from catalog.heat_engine.derived import completed
from catalog.names.status import status_codes
from catalog.names.vocabulary import POINT
from ensemble import Status
from heatcat.browser.shown.axes import Axis, Floats, Range, axis
from heatcat.browser.shown.colours import Colours, centre, colours_for
from heatcat.browser.shown.labels import number, symbol_of, where, with_unit
from heatcat.browser.shown.picture import CONTOURED, OVERLAYS, Picture
from heatcat.browser.shown.scales import Scale, is_flat, scale_for
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.states import states_of

FINE = 201
"""Points along each axis on which a closed form is drawn."""


@dataclass(frozen=True)
class Line:
    """Lines to draw over a map, with their text."""

    kind: str
    text: str
    paths: tuple[Floats, ...]


@dataclass(frozen=True)
class Scattered:
    """Points that lie beside the grid: where they are on the map, and their values."""

    x: Floats
    y: Floats
    values: Floats
    drawn: Floats
    states: NDArray[np.uint8]
    status: NDArray[np.uint8]


@dataclass(frozen=True)
class Plane:
    """A map, ready to be drawn.

    Attributes
    ----------
    variable, title, value_text : str
        Name; what is shown, in words; symbol and unit.
    x, y : Axis
    values, drawn : ndarray
        One row for each label of y: values, and the numbers at which they are drawn.
    status : ndarray or None
        Codes of `Status`; None where values combine several points.
    states : ndarray
        What each cell is, as `State`.
    scale : Scale
    colours : Colours
    lines : tuple of Line
    kinds : tuple of str
        Kinds of lines that were asked for.
    cell : pair of float
        Labels of the chosen cell.
    note : str
        What the map does not show.
    met : ndarray of bool or None
        Where the condition of the view holds; None without one.
    whole : dict of str to pair of float
        The ends of each axis if all labels are in view.
    scattered : Scattered or None
    """

    variable: str
    title: str
    value_text: str
    x: Axis
    y: Axis
    values: Floats
    drawn: Floats
    status: NDArray[np.uint8] | None
    states: NDArray[np.uint8]
    scale: Scale
    colours: Colours
    lines: tuple[Line, ...]
    kinds: tuple[str, ...]
    cell: tuple[float, float]
    note: str
    whole: dict[str, Range]
    met: NDArray[np.bool_] | None = None
    scattered: Scattered | None = None

    @property
    def every_value(self) -> Floats:
        """Values of cells and of scattered points."""
        beside = self.scattered.values if self.scattered else np.empty(0)
        return np.concatenate([self.values.ravel(), beside])


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
        Labels in view; all by default.
    """
    x = axis(sheet.data[picture.x], x_range)
    y = axis(sheet.data[picture.y], y_range)
    wanted = {"value": sheet.select(picture.variable, picture.elsewhere)}
    status = sheet.status(picture.variable, picture.elsewhere)
    if status is not None:
        wanted["status"] = status
    if sheet.met is not None and sheet.dims_of(picture.variable) == sheet.dims:
        wanted["met"] = sheet.met.sel(picture.elsewhere)
    for _, variable, _ in _contoured(sheet, picture):
        wanted[f"line {variable}"] = sheet.select(variable, picture.elsewhere)
    attributes = {name: array.attrs for name, array in wanted.items()}
    value_text, title = with_unit(wanted["value"]), _title(sheet, wanted["value"], picture)
    found = dict(zip(wanted, _values(wanted.values(), x, y), strict=True))
    lines = tuple(_lines(sheet, picture, x, y, found, attributes))
    scattered = _scattered(sheet, picture)
    plane = Plane(
        variable=picture.variable,
        title=title,
        value_text=value_text,
        x=x,
        y=y,
        values=found["value"].astype(float),
        drawn=found["value"].astype(float),
        status=found.get("status"),
        states=np.zeros(found["value"].shape, dtype=np.uint8),
        scale=Scale(),
        colours=colours_for(picture.variable, Scale(), np.empty(0)),
        lines=lines,
        kinds=picture.line_kinds,
        cell=(picture.at[picture.x], picture.at[picture.y]),
        note="; ".join(_notes(x, y, picture, lines, scattered)),
        met=found.get("met"),
        scattered=scattered,
        whole={dim: axis(sheet.data[dim]).limits for dim in picture.axes},
    )
    return coloured(plane, picture)


def coloured(plane: Plane, picture: Picture, beside: NDArray[Any] | None = None) -> Plane:
    """A plane with the scale and the colours of a picture.

    Parameters
    ----------
    plane : Plane
    picture : Picture
    beside : ndarray, optional
        Values of another plane that is to have the same colours.
    """
    values = plane.every_value
    every = values if beside is None else np.concatenate([values, beside])
    flat = plane.variable != "status" and is_flat(every)
    if flat:
        finite = every[np.isfinite(every)]
        every = np.full(1, np.median(finite))
    scale = scale_for("linear" if flat else picture.scale, every, centre(plane.variable))
    limits = (None, None) if flat else picture.limits
    colours = colours_for(plane.variable, scale, scale.forward(every), limits)
    drawn = scale.forward(plane.values)
    notes = [plane.note]
    if flat and values.size > 1:
        notes.append("all values are equal but for rounding")
    outside = int(np.sum((drawn < colours.limits[0]) | (drawn > colours.limits[1])))
    if outside and any(limit is not None for limit in limits):
        notes.append(f"{outside} values lie beyond the limits of the colours")
    points = plane.scattered
    if points is not None:
        at = scale.forward(points.values)
        points = replace(points, drawn=at, states=states_of(points.values, at, points.status))
    return replace(
        plane,
        scale=scale,
        colours=colours,
        drawn=drawn,
        states=states_of(plane.values, drawn, plane.status, plane.met),
        note="; ".join(filter(None, notes)),
        scattered=points,
    )


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


def _scattered(sheet: Sheet, picture: Picture) -> Scattered | None:
    """The points beside the grid that lie in the plane of a map."""
    beside = sheet.scattered
    if beside is None or picture.variable not in beside.data:
        return None
    points = beside.data
    labels = {dim: np.broadcast_to(points[dim].values, points.sizes[POINT]) for dim in sheet.dims}
    here = np.ones(points.sizes[POINT], dtype=bool)
    for dim, value in picture.elsewhere.items():
        here &= labels[dim] == value
    if beside.met is not None:
        here &= beside.met.values
    found = points[[picture.variable, "status"]].isel({POINT: np.flatnonzero(here)}).compute()
    values = found[picture.variable].values.astype(float)
    return Scattered(
        x=labels[picture.x][here].astype(float),
        y=labels[picture.y][here].astype(float),
        values=values,
        drawn=values,
        states=np.zeros(values.shape, dtype=np.uint8),
        status=status_codes(found["status"]).values,
    )


def _notes(
    x: Axis,
    y: Axis,
    picture: Picture,
    lines: Iterable[Line],
    scattered: Scattered | None,
) -> Iterator[str]:
    """Notes that say what the map does not show, and what its dots are."""
    if scattered is not None and scattered.values.size:
        doubtful = int(np.sum(scattered.status > Status.OK))
        crossed = f", {doubtful} of them, not certified, with a cross" if doubtful else ""
        yield f"{scattered.values.size} points beside the grid are drawn as dots{crossed}"
    for side in (x, y):
        if side.step > 1:
            yield f"one in {side.step} of {side.total} labels of {side.symbol} is drawn: zoom in"
    there = {line.kind for line in lines if line.paths}
    for kind in picture.line_kinds:
        if kind not in there:
            what = OVERLAYS.get(kind, f"contours of {picture.contour}")
            levels = f" at {', '.join(map(number, picture.levels))}" if kind == "contour" else ""
            yield f"{what}{levels if picture.levels else ''}: no line lies in view"


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
        yield Line("carnot", "Carnot", carnot_paths(sheet, picture, x, y))
    for kind, variable, levels in _contoured(sheet, picture):
        values = found[f"line {variable}"]
        known = xr.DataArray(name=variable, attrs=attributes[f"line {variable}"])
        mark = "gain" if kind == "gain" else symbol_of(known)
        for level in _levels(values) if levels is None else levels:
            paths = _contour(x.places, y.places, values, level)
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


def carnot_paths(sheet: Sheet, picture: Picture, x: Axis, y: Axis) -> tuple[Floats, ...]:
    """Lines where the affinity is 0; none if neither axis changes its sign."""
    fine = {side.name: _fine(side) for side in (x, y)}
    bounds = {side.name: side.bound for side in (x, y)}
    grid = dict(zip(fine, np.meshgrid(*(fine[n] + bounds[n] for n in fine)), strict=True))
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
