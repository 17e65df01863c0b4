"""A map or a curve on the page, whose plot stays the same object while its numbers change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import holoviews as hv
import panel as pn
import xarray as xr
from bokeh.models import ColumnDataSource
from holoviews import streams

from heatcat.browser import escape, maps, slices
from heatcat.browser.drawing import Drawing, Step
from heatcat.browser.explore.outline import Path, outline
from heatcat.browser.explore.selection import Ranges, Selection
from heatcat.browser.picture import Picture
from heatcat.browser.plane import Plane, load_plane
from heatcat.browser.sheet import Sheet
from heatcat.browser.slices import Slice, load_slice

Pick = Callable[[dict[str, float]], None]

Revision = streams.Stream.define("Revision", revision=0)


@dataclass(frozen=True)
class Content:
    """A picture with the numbers that it shows: a plane, or a slice where it is a curve."""

    sheet: Sheet
    picture: Picture
    plane: Plane | None = None
    cut: Slice | None = None
    read: Any = None
    selected: xr.DataArray | None = None
    border: list[Path] = field(default_factory=list)
    """Pieces of the border around the selected cells."""

    @property
    def title(self) -> str:
        """What the picture shows, in words."""
        if self.plane is not None:
            return self.plane.title
        assert self.cut is not None
        return f"{self.cut.value_text}{f' at {self.cut.title}' if self.cut.title else ''}"


class MapPane:
    """Heading, plot and note of one picture.

    Parameters
    ----------
    on_pick : callable
        Called with the labels of a cell that was clicked.
    on_box : callable
        Called with the ranges of a box that was drawn, by the names of the axes.
    """

    def __init__(self, on_pick: Pick, on_box: Callable[[Ranges], None]) -> None:
        self._on_pick = on_pick
        self._selection = Selection(on_box)
        self._heading = pn.pane.HTML("", css_classes=["heading"], sizing_mode="stretch_width")
        self._note = pn.pane.HTML("", css_classes=["note"], sizing_mode="stretch_width")
        self._plot = pn.pane.HoloViews(None, sizing_mode="stretch_width", min_height=maps.HEIGHT)
        self._revision = Revision()
        self._ranges: streams.RangeXY | None = None
        self._key: Any = None
        self._content: Content | None = None
        self._zoomed = Drawing(self._zoom)
        self._live: tuple[float, float] | None = None
        self._live_source = ColumnDataSource()
        self.layout = pn.Column(
            self._heading,
            self._plot,
            self._note,
            sizing_mode="stretch_width",
            styles={"flex": "1 1 420px", "min-width": "0"},
        )

    def load(self, sheet: Sheet, picture: Picture, selected: xr.DataArray | None = None) -> Content:
        """Read what a picture needs; nothing if only the chosen cell differs from what is shown."""
        if not picture.y:
            return Content(sheet, picture, cut=load_slice(sheet, picture, picture.x))
        ranges = self._ranges if _key(sheet, picture) == self._key else None
        x_range, y_range = (ranges.x_range, ranges.y_range) if ranges else (None, None)
        read = (sheet, replace(picture, at=picture.elsewhere), x_range, y_range)
        if self._content is not None and self._content.plane and self._content.read == read:
            cell = (picture.at[picture.x], picture.at[picture.y])
            plane = replace(self._content.plane, cell=cell)
        else:
            plane = load_plane(sheet, picture, x_range=x_range, y_range=y_range)
        border = [] if selected is None else _border(plane, picture, selected)
        return Content(sheet, picture, plane=plane, read=read, selected=selected, border=border)

    def show(self, content: Content, *, about: str = "") -> None:
        """Draw a picture: a new plot if axes, variable or scale change, else an updated one."""
        key = _key(content.sheet, content.picture)
        anew = key != self._key
        if anew:
            self._ranges = None
        self._content = content
        below = f"<p>{escape.html(about)}</p>" if about else ""
        self._heading.object = f"<h2>{escape.html(content.title)}</h2>{below}"
        self._note.object = escape.html(content.plane.note) if content.plane else ""
        self._selection.show(content.picture.axes, content.border)
        if anew:
            self._build()
            self._key = key
        else:
            self._redraw()

    def complain(self, message: str) -> None:
        """Say why there is no picture."""
        self._key = self._content = self._plot.object = None
        self._heading.object = f'<p role="alert">{escape.html(message)}</p>'
        self._note.object = ""

    def mark(self, parameters: Mapping[str, float] | None) -> None:
        """Put the live point on the map, or remove it; the map is not drawn again."""
        axes = self._content.picture.axes if self._content else ()
        known = parameters is not None and len(axes) == 2 and {*axes} <= {*parameters}
        self._live = (parameters[axes[0]], parameters[axes[1]]) if known and parameters else None
        self._live_source.data = self._live_data()

    def _live_data(self) -> dict[str, Any]:
        x, y = ([self._live[0]], [self._live[1]]) if self._live else ([], [])
        return {"x": x, "y": y}

    def _add_live(self, plot: Any, _: Any) -> None:
        """Draw the live point from a source of its own, so that moving it does not draw the map."""
        if plot.state.select_one({"name": "live"}) is None:
            self._live_source = ColumnDataSource(self._live_data())
            plot.state.scatter(
                "x",
                "y",
                source=self._live_source,
                name="live",
                marker="diamond",
                size=18,
                fill_color="white",
                line_color="black",
                line_width=2,
            )

    def _redraw(self) -> None:
        self._revision.event(revision=self._revision.revision + 1)

    def _build(self) -> None:
        self._revision = Revision()
        if self._need().plane is None:
            source = self._dynamic(lambda: slices.line(self._need_cut()))
            drawn = source * self._dynamic(lambda: slices.markers(self._need_cut()))
            drawn = drawn.opts(**slices.frame(self._need_cut()))
        else:
            source = self._dynamic(lambda: maps.mesh(self._need_plane()))
            drawn = source * self._dynamic(lambda: maps.over(self._need_plane()))
            drawn = drawn.opts(**maps.FRAME, hooks=[self._add_live, self._selection.add])
            if max(self._need_plane().x.step, self._need_plane().y.step) > 1:
                self._ranges = streams.RangeXY(source=source)
                self._ranges.add_subscriber(self._zoomed.request)
        tap = streams.Tap(source=source, x=None, y=None)
        tap.add_subscriber(self._tapped)
        self._plot.object = drawn

    def _dynamic(self, make: Callable[[], Any]) -> hv.DynamicMap:
        return hv.DynamicMap(lambda revision: make(), streams=[self._revision])

    def _need(self) -> Content:
        assert self._content is not None
        return self._content

    def _need_plane(self) -> Plane:
        plane = self._need().plane
        assert plane is not None
        return plane

    def _need_cut(self) -> Slice:
        cut = self._need().cut
        assert cut is not None
        return cut

    def _zoom(self) -> Iterator[Step]:
        content = self._need()
        yield (
            partial(self.load, content.sheet, content.picture, content.selected),
            self._zoomed_in,
        )

    def _zoomed_in(self, content: Content) -> None:
        if self._content is not None and self._content.sheet is content.sheet:
            self._content = content
            self._note.object = escape.html(content.plane.note) if content.plane else ""
            self._selection.show(content.picture.axes, content.border)
            self._redraw()

    def _tapped(self, x: Any, y: Any) -> None:
        if self._content is None or x is None:
            return
        sheet, picture = self._content.sheet, self._content.picture
        places = {picture.x: x} | ({picture.y: y} if picture.y else {})
        self._on_pick({dim: sheet.nearest(dim, place) for dim, place in places.items()})


def _key(sheet: Sheet, picture: Picture) -> tuple[Any, ...]:
    """What needs a new plot where it changes."""
    return sheet.name, picture.variable, picture.axes, picture.scale, picture.line_kinds


def _border(plane: Plane, picture: Picture, selected: xr.DataArray) -> list[Path]:
    """The border around the cells of a map that are selected."""
    elsewhere = {dim: value for dim, value in picture.elsewhere.items() if dim in selected.dims}
    cut = selected.sel(elsewhere)
    if not {*picture.axes} <= {*map(str, cut.dims)}:
        return []
    cells = cut.sel({plane.x.name: plane.x.labels, plane.y.name: plane.y.labels})
    inside = cells.transpose(plane.y.name, plane.x.name).values
    return outline(inside, plane.x.edges, plane.y.edges)
