"""The numbers behind a map of scattered points: a dot for each, where there is no grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.names.described import coordinate_name, role
from catalog.names.status import status_codes
from catalog.names.vocabulary import POINT
from ensemble import InvalidInput, Status
from heatcat.browser.shown.axes import Axis, axis
from heatcat.browser.shown.colours import colours_for
from heatcat.browser.shown.labels import where, with_unit
from heatcat.browser.shown.picture import Picture, first_variable
from heatcat.browser.shown.plane import Line, Plane, Scattered, carnot_paths, coloured
from heatcat.browser.shown.scales import Scale
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.states import State

ROOM = 0.05
"""Room beyond the outermost points, as a share of the axis."""


def points_picture(
    sheet: Sheet,
    variable: str | None,
    *,
    x: str | None,
    y: str | None,
    at: Mapping[str, float],
    scale: str,
    overlays: tuple[str, ...],
) -> Picture:
    """A picture of the points of a sheet over two of their parameters.

    Of a further parameter that varies from point to point and is not in ``at``, the picture has
    the value that most points have, the largest of equals; of a dimension beside ``point``, that
    of `Sheet.first`.

    Raises
    ------
    InvalidInput
        If there is no such variable or parameter, no point with such labels, or an overlay that
        only a grid has.
    """
    variable = first_variable(sheet) if variable is None else variable
    sheet.require(variable)
    for name in overlays:
        if name != "carnot":
            raise InvalidInput(f"{name!r} is a contour, which points have none of: draw a grid")
    varying = _varying(sheet)
    if x is None or y is None:
        known = [name for name in ("delta_E", "T_mean") if name in varying]
        own = [name for name in varying if role(sheet.data, name) != "derived"]
        first = known if len(known) == 2 else own
        x, y = (given or name for given, name in zip((x, y), (*first, "", "")[:2], strict=True))
    across, up = (coordinate_name(sheet.data, name) if name else "" for name in (x, y))
    for name in (across, up):
        if name not in varying or across == up:
            raise InvalidInput(
                f"these points have no map over {across or 'nothing'} and {up or 'nothing'}: give "
                f"two different ones of {', '.join(varying)} as x and y"
            )
    chosen = {coordinate_name(sheet.data, name): float(value) for name, value in at.items()}
    here = np.ones(sheet.data.sizes[POINT], dtype=bool)
    for name, value in chosen.items():
        if name in varying:
            here &= sheet.data[name].values == value
    elsewhere = {dim: label for dim, label in sheet.first().items() if dim != POINT}
    elsewhere |= sheet.canonical(_of(chosen, sheet.dims))
    for name in varying:
        if name in (across, up) or role(sheet.data, name) == "derived":
            continue
        values, counts = np.unique(sheet.data[name].values[here], return_counts=True)
        if values.size:
            elsewhere[name] = chosen.get(name, values[counts == counts.max()][-1].item())
            here &= sheet.data[name].values == elsewhere[name]
    if not here.any():
        raise InvalidInput(f"no point has {where(sheet.data, chosen)}: choose other labels")
    return Picture(variable=variable, x=across, y=up, at=elsewhere, scale=scale, overlays=overlays)


def load_points_plane(sheet: Sheet, picture: Picture) -> Plane:
    """Read the points of a picture: a plane without cells, whose points are all scattered."""
    data = sheet.data
    here = np.ones(data.sizes[POINT], dtype=bool)
    for name, value in picture.at.items():
        if data[name].dims == (POINT,):
            here &= data[name].values == value
    of_dims = _of(picture.at, sheet.dims)
    wanted = data[[n for n in (picture.variable, "status") if n in data]]
    found = wanted.sel(of_dims).isel({POINT: np.flatnonzero(here)}).compute()
    values = np.asarray(found[picture.variable].values, dtype=float)
    sides = [_with_room(axis(found[name], most=values.size)) for name in picture.axes]
    status: NDArray[np.uint8] = np.full(values.shape, Status.OK, dtype=np.uint8)
    if "status" in found:
        status = status_codes(found["status"]).values
    places = [found[name].values.astype(float) for name in picture.axes]
    lines = []
    if "carnot" in picture.overlays:
        lines.append(Line("carnot", "Carnot", carnot_paths(sheet, picture, *sides)))
    nothing = np.empty((0, 0))
    plane = Plane(
        variable=picture.variable,
        title=_title(sheet, picture, int(here.sum())),
        value_text=with_unit(data[picture.variable]),
        x=sides[0],
        y=sides[1],
        values=nothing,
        drawn=nothing,
        status=None,
        states=np.empty((0, 0), dtype=np.uint8),
        scale=Scale(),
        colours=colours_for(picture.variable, Scale(), np.empty(0)),
        lines=tuple(lines),
        kinds=picture.overlays,
        cell=(places[0][0], places[1][0]),
        note="",
        whole={side.name: side.limits for side in sides},
        scattered=Scattered(
            x=places[0],
            y=places[1],
            values=values,
            drawn=values,
            states=np.full(values.shape, State.SHOWN, dtype=np.uint8),
            status=status,
        ),
    )
    return coloured(plane, picture)


def _with_room(side: Axis) -> Axis:
    """An axis that goes on beyond its outermost labels, so that no dot is cut."""
    forth, back = (np.log, np.exp) if side.log else (np.asarray, np.asarray)
    places = forth(side.places)
    room = ROOM * float(np.ptp(places)) or 0.5
    return replace(side, edges=back(np.array([places[0] - room, places[-1] + room])))


def _varying(sheet: Sheet) -> list[str]:
    """Parameters that each point has for itself, and what follows from them."""
    return [
        str(name)
        for name, coordinate in sheet.data.coords.items()
        if coordinate.dims == (POINT,)
        and name != POINT
        and coordinate.dtype.kind in "iuf"
        and np.unique(coordinate.values).size > 1
    ]


def _of(labels: Mapping[str, float], dims: tuple[str, ...]) -> dict[str, float]:
    """Those of some labels that are of dimensions beside ``point``."""
    return {dim: labels[dim] for dim in dims if dim != POINT and dim in labels}


def _title(sheet: Sheet, picture: Picture, shown: int) -> str:
    value = sheet.data[picture.variable]
    long_name = str(value.attrs.get("long_name", ""))
    text = f"{with_unit(value)}: {long_name}" if long_name else with_unit(value)
    total = sheet.data.sizes[POINT]
    some = "" if shown == total else f", {shown} of {total} points"
    at = where(sheet.data, picture.at)
    return f"{text}{some}{f', at {at}' if at else ''}"
