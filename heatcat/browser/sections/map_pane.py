"""A map or a curve on the page, whose plot stays the same object while its numbers change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import panel as pn
import xarray as xr
from bokeh.models import Range1d

from heatcat.browser.drawn import maps
from heatcat.browser.drawn.curve_figure import CurveFigure
from heatcat.browser.drawn.legend import legend
from heatcat.browser.drawn.map_figure import MapFigure, Zoom
from heatcat.browser.drawn.slices import Slice, load_slice
from heatcat.browser.panels.pinned import lettered
from heatcat.browser.sections.selection import Ranges, Selection
from heatcat.browser.shown import escape
from heatcat.browser.shown.axes import MOST_LABELS
from heatcat.browser.shown.outline import Path, outline
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.plane import Plane, coloured, load_plane
from heatcat.browser.shown.sheet import Sheet


@dataclass(frozen=True)
class Content:
    """A picture with the numbers that it shows: a plane, or a slice where it is a curve.

    Attributes
    ----------
    sheet : Sheet
    picture : Picture
    plane : Plane or None
    cut : Slice or None
    zoom : mapping of str to pair of float
        Labels in view, by dimension.
    read : tuple
        What was read: it is not read again while this stays the same.
    border : list of tuple
        Pieces of the border around the selected cells.
    pins : mapping of str to mapping
        Labels of the pinned points on this map, by their letters.
    """

    sheet: Sheet
    picture: Picture
    plane: Plane | None = None
    cut: Slice | None = None
    zoom: Zoom = field(default_factory=dict)
    read: Any = None
    border: list[Path] = field(default_factory=list)
    pins: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the picture shows, in words."""
        if self.plane is not None:
            return self.plane.title
        assert self.cut is not None
        return f"{self.cut.value_text}{f' at {self.cut.title}' if self.cut.title else ''}"

    def sharing(self, other: Content) -> Content:
        """The same with colours that suit the values of another picture, too."""
        if self.plane is None or other.plane is None:
            return self
        return replace(self, plane=coloured(self.plane, self.picture, other.plane.every_value))


class MapPane:
    """Heading, plot and legend of one picture.

    Parameters
    ----------
    on_pick : callable
        Called with the labels of a place that was clicked.
    on_zoom : callable
        Called with the labels in view, by dimension, after the visitor has zoomed.
    on_box : callable
        Called with the labels in a box that was drawn, by dimension.
    """

    def __init__(
        self,
        on_pick: Callable[[Mapping[str, float]], None],
        on_zoom: Callable[[Zoom], None],
        on_box: Callable[[Ranges], None],
    ) -> None:
        self._on_pick, self._on_zoom, self._on_box = on_pick, on_zoom, on_box
        self._selection = Selection(self._boxed)
        self._heading = pn.pane.HTML("", css_classes=["heading"], sizing_mode="stretch_width")
        self._note = pn.pane.HTML("", css_classes=["note"], sizing_mode="stretch_width")
        self._plot = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=maps.HEIGHT)
        self._figure: MapFigure | CurveFigure | None = None
        self._content: Content | None = None
        self.layout = pn.Column(
            self._heading,
            self._plot,
            self._note,
            sizing_mode="stretch_width",
            styles={"flex": "1 1 420px", "min-width": "0"},
        )

    @property
    def figure(self) -> MapFigure | None:
        """The map that is shown, if it is one."""
        return self._figure if isinstance(self._figure, MapFigure) else None

    def load(
        self,
        sheet: Sheet,
        picture: Picture,
        zoom: Zoom,
        selected: xr.DataArray | None = None,
        pins: Sequence[Mapping[str, float]] = (),
    ) -> Content:
        """Read what a picture needs; nothing if only the chosen cell differs from what is shown."""
        if not picture.y:
            return Content(sheet, picture, cut=load_slice(sheet, picture, picture.x))
        # Without thinning all cells are read, and a part of them is shown.
        seen = {dim: zoom[dim] for dim in zoom if len(sheet.labels(dim)) > MOST_LABELS}
        read = (sheet, replace(picture, at=picture.elsewhere, off_grid={}), seen)
        before = self._content
        if before is not None and before.plane is not None and before.read == read:
            cell = (picture.at[picture.x], picture.at[picture.y])
            plane = replace(before.plane, cell=cell)
        else:
            x_range, y_range = seen.get(picture.x), seen.get(picture.y)
            plane = load_plane(sheet, picture, x_range=x_range, y_range=y_range)
        border = [] if selected is None else _border(plane, picture, selected)
        here = {
            letter: at
            for letter, at in lettered(sheet, pins).items()
            if all(at[dim] == value for dim, value in picture.elsewhere.items())
        }
        return Content(sheet, picture, plane, zoom=zoom, read=read, border=border, pins=here)

    def show(self, content: Content, *, about: str = "", beside: MapPane | None = None) -> None:
        """Draw a picture.

        Parameters
        ----------
        content : Content
        about : str
            Shown under the heading.
        beside : MapPane, optional
            Another map, which zooms with this one.
        """
        self._content = content
        below = f"<p>{escape.html(about)}</p>" if about else ""
        self._heading.object = f"<h2>{escape.html(content.title)}</h2>{below}"
        if content.plane is not None:
            shown = self._map_figure(content.plane, beside)
            shown.show(content.plane, content.zoom)
            shown.show_points(content.picture.off_grid, content.pins)
            self._selection.show(content.picture.axes, content.border)
            self._note.object = legend(content.plane.states, content.plane.note)
        elif content.cut is not None:
            self._curve_figure(content.cut).show(content.cut)
            self._note.object = legend(content.cut.states, content.cut.note)

    def complain(self, message: str) -> None:
        """Say why there is no picture."""
        self._figure = self._content = self._plot.object = None
        self._heading.object = f'<p role="alert">{escape.html(message)}</p>'
        self._note.object = ""

    def mark(self, parameters: Mapping[str, float] | None) -> None:
        """Put the live point on the map, or remove it; the map is not drawn again."""
        plane = self._content.plane if self._content else None
        if plane is None or self.figure is None:
            return
        sides = (plane.x, plane.y)
        if parameters is None or not {side.name for side in sides} <= {*parameters}:
            self.figure.mark(None)
        else:
            x, y = (parameters[side.name] - side.bound for side in sides)
            self.figure.mark((x, y))

    def _map_figure(self, plane: Plane, beside: MapPane | None) -> MapFigure:
        """The plot of a map, made anew where the kind of an axis changes."""
        logs = (plane.x.log, plane.y.log)
        other = beside.figure if beside is not None else None
        ranges = (Range1d(), Range1d())
        if other is not None and other.logs == logs:
            ranges = (other.plot.x_range, other.plot.y_range)
        found = self.figure
        if (
            found is None
            or found.logs != logs
            or (other is not None and found.plot.x_range is not ranges[0])
        ):
            found = MapFigure(logs, ranges, self._tapped, self._on_zoom)
            self._selection.add(found.plot)
            self._figure = found
            self._plot.object = found.plot
        return found

    def _curve_figure(self, cut: Slice) -> CurveFigure:
        found = self._figure
        if not isinstance(found, CurveFigure) or found.log != cut.side.log:
            found = CurveFigure(cut.side.log, self._tapped, height=maps.HEIGHT)
            self._figure = found
            self._plot.object = found.plot
        return found

    def _tapped(self, x: float, y: float = 0.0) -> None:
        if self._content is None:
            return
        sheet, picture = self._content.sheet, self._content.picture
        dot = None if self.figure is None else self.figure.dot_at(x, y)
        if dot is not None:
            self._on_pick({**picture.elsewhere, picture.x: dot[0], picture.y: dot[1]})
            return
        places = {picture.x: x} | ({picture.y: y} if picture.y else {})
        self._on_pick({dim: sheet.nearest(dim, place) for dim, place in places.items()})

    def _boxed(self, ranges: Ranges) -> None:
        plane = self._content.plane if self._content else None
        if plane is not None:
            bounds = {side.name: side.bound for side in (plane.x, plane.y)}
            self._on_box(
                {
                    dim: (low + bounds[dim], high + bounds[dim])
                    for dim, (low, high) in ranges.items()
                }
            )


def _border(plane: Plane, picture: Picture, selected: xr.DataArray) -> list[Path]:
    """The border around the cells of a map that are selected."""
    elsewhere = {dim: value for dim, value in picture.elsewhere.items() if dim in selected.dims}
    cut = selected.sel(elsewhere)
    if not {*picture.axes} <= {*map(str, cut.dims)}:
        return []
    cells = cut.sel({plane.x.name: plane.x.labels, plane.y.name: plane.y.labels})
    inside = cells.transpose(plane.y.name, plane.x.name).values
    return outline(inside, plane.x.edges, plane.y.edges)
