"""A map or a curve on the page, whose plot stays the same object while its numbers change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.models import ColumnDataSource
from holoviews import streams

from heatcat.browser import escape, maps, slices
from heatcat.browser.coalesced import Coalesced
from heatcat.browser.picture import Picture
from heatcat.browser.plane import Plane, load_plane
from heatcat.browser.sheet import Sheet
from heatcat.browser.slices import Slice, load_slice

Pick = Callable[[dict[str, float]], None]

Revision = streams.Stream.define("Revision", revision=0)


class MapPane:
    """Heading, plot and note of one picture.

    Parameters
    ----------
    on_pick : callable
        Called with the labels of a cell that was clicked.
    """

    def __init__(self, on_pick: Pick) -> None:
        self._on_pick = on_pick
        self._heading = pn.pane.HTML("", css_classes=["heading"], sizing_mode="stretch_width")
        self._note = pn.pane.HTML("", css_classes=["note"], sizing_mode="stretch_width")
        self._plot = pn.pane.HoloViews(None, sizing_mode="stretch_width", min_height=maps.HEIGHT)
        self._revision = Revision()
        self._ranges: streams.RangeXY | None = None
        self._key: Any = None
        self._sheet: Sheet | None = None
        self._picture: Picture | None = None
        self._plane: Plane | None = None
        self._slice: Slice | None = None
        self._read: Any = None
        self._live: tuple[float, float] | None = None
        self._live_source = ColumnDataSource()
        self.layout = pn.Column(
            self._heading,
            self._plot,
            self._note,
            sizing_mode="stretch_width",
            styles={"flex": "1 1 420px", "min-width": "0"},
        )

    def show(self, sheet: Sheet, picture: Picture, *, title: str = "") -> None:
        """Draw a picture: a new plot if axes, variable or scale change, else an updated one."""
        key = (
            sheet.name,
            picture.variable,
            picture.axes,
            picture.scale,
            picture.line_kinds,
        )
        anew = key != self._key
        if anew:
            self._ranges = None
        self._sheet, self._picture = sheet, picture
        self._load()
        heading = self._plane.title if self._plane else self._curve_title()
        below = f"<p>{escape.html(title)}</p>" if title else ""
        self._heading.object = f"<h2>{escape.html(heading)}</h2>{below}"
        if anew:
            self._build()
            self._key = key
        else:
            self._redraw()

    def complain(self, message: str) -> None:
        """Say why there is no picture."""
        self._key = self._plot.object = None
        self._heading.object = f'<p role="alert">{escape.html(message)}</p>'
        self._note.object = ""

    def mark(self, live: tuple[float, float] | None) -> None:
        """Put the live point at these coordinates, or remove it; the map is not drawn again."""
        self._live = live
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

    def _load(self) -> None:
        assert self._sheet is not None
        assert self._picture is not None
        if not self._picture.y:
            self._plane, self._slice = None, load_slice(self._sheet, self._picture, self._picture.x)
            self._note.object = ""
            return
        x_range = self._ranges.x_range if self._ranges else None
        y_range = self._ranges.y_range if self._ranges else None
        picture = self._picture
        read = (self._sheet, replace(picture, at=picture.elsewhere), x_range, y_range)
        if self._plane is None or read != self._read:
            self._read = read
            self._plane = load_plane(self._sheet, picture, x_range=x_range, y_range=y_range)
            self._note.object = escape.html(self._plane.note)
        else:  # nothing but the chosen cell has changed
            self._plane = replace(self._plane, cell=(picture.at[picture.x], picture.at[picture.y]))

    def _curve_title(self) -> str:
        assert self._slice is not None
        at = f" at {self._slice.title}" if self._slice.title else ""
        return f"{self._slice.value_text}{at}"

    def _redraw(self) -> None:
        self._revision.event(revision=self._revision.revision + 1)

    def _build(self) -> None:
        self._revision = Revision()
        if self._plane is None:
            source = self._dynamic(lambda: slices.line(self._need_slice()))
            drawn = source * self._dynamic(lambda: slices.markers(self._need_slice()))
            drawn = drawn.opts(**slices.frame(self._need_slice()))
        else:
            source = self._dynamic(lambda: maps.mesh(self._need_plane()))
            drawn = source * self._dynamic(lambda: maps.over(self._need_plane()))
            drawn = drawn.opts(**maps.FRAME, hooks=[self._add_live])
            if max(self._plane.x.step, self._plane.y.step) > 1:
                self._ranges = streams.RangeXY(source=source)
                self._ranges.add_subscriber(Coalesced(self._zoomed))
        tap = streams.Tap(source=source, x=None, y=None)
        tap.add_subscriber(self._tapped)
        self._plot.object = drawn

    def _dynamic(self, make: Callable[[], Any]) -> hv.DynamicMap:
        return hv.DynamicMap(lambda revision: make(), streams=[self._revision])

    def _need_plane(self) -> Plane:
        assert self._plane is not None
        return self._plane

    def _need_slice(self) -> Slice:
        assert self._slice is not None
        return self._slice

    def _zoomed(self) -> None:
        self._load()
        self._redraw()

    def _tapped(self, x: Any, y: Any) -> None:
        sheet, picture = self._sheet, self._picture
        if sheet is None or picture is None or x is None:
            return
        places = {picture.x: x} | ({picture.y: y} if picture.y else {})
        self._on_pick({dim: sheet.nearest(dim, place) for dim, place in places.items()})
