"""The drawing of a scatter; a new cloud on the same sides keeps the plot and its zoom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import SelectionGeometry, Tap
from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper
from bokeh.models.annotations import ColorBar

from ensemble import Status
from heatcat.browser.drawn.maps import tick_formatter
from heatcat.browser.shown.cloud import Cloud
from heatcat.browser.shown.colours import MISSING
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.labels import symbol_of
from heatcat.browser.shown.points import Points
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.sides import Side, new_figure, set_ticks

HEIGHT = 420
PLAIN = "#3b7dbd"
"""Points without colours; readable on white and on black."""
EDGE = "#808080"
"""Line around a point: yellow is seen on white, and violet on black."""
FAINT, FULL = 0.15, 0.9
MANY = 3_000
"""Above so many points they are drawn smaller."""


class ScatterPlot:
    """A scatter that a visitor taps and draws boxes in.

    Parameters
    ----------
    on_pick : callable
        Called with the labels of a point that was tapped.
    on_box : callable
        Called with the ranges of x and y of a box, by their names.
    """

    def __init__(
        self,
        on_pick: Callable[[Mapping[str, float]], None],
        on_box: Callable[[Mapping[str, tuple[float, float]]], None],
    ) -> None:
        self._on_pick, self._on_box = on_pick, on_box
        self._key: Any = None
        self._cloud: Cloud | None = None
        self._sources = {name: ColumnDataSource() for name in ("points", "front", "chosen")}
        self._mapper = LinearColorMapper(palette=[PLAIN], nan_color=MISSING)
        self._plot: Any = None
        self._bar: ColorBar | None = None
        self.layout = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=HEIGHT)

    def show(self, sheet: Sheet, cloud: Cloud, at: Mapping[str, float]) -> None:
        """Draw a cloud, with a ring around the chosen point if it is there."""
        self._cloud = cloud
        key = (sheet.name, cloud.x, cloud.y, cloud.colour, cloud.colour_scale)
        columns = self._columns(cloud)
        if key != self._key:
            self._key = key
            self._sources = {name: ColumnDataSource() for name in self._sources}
            self._fill(cloud, columns, at)
            self._build(sheet, cloud)
            self.layout.object = self._plot
        else:
            self._fill(cloud, columns, at)
        assert self._plot is not None
        set_ticks(self._plot, cloud.x, cloud.y, columns["x"], columns["y"])

    def _fill(self, cloud: Cloud, columns: dict[str, Any], at: Mapping[str, float]) -> None:
        if cloud.colours is not None:
            low, high = cloud.colours.limits
            self._mapper.update(palette=cloud.colours.palette, low=low, high=high)
        self._sources["points"].data = columns
        front = cloud.front
        self._sources["front"].data = (
            {"x": [], "y": []} if front is None else self._places(cloud, front)
        )
        is_chosen = np.logical_and.reduce(
            [cloud.points.columns[dim] == at[dim] for dim in cloud.points.dims]
        )
        self._sources["chosen"].data = self._places(cloud, cloud.points.take(is_chosen))

    @staticmethod
    def _places(cloud: Cloud, points: Points) -> dict[str, Any]:
        return {
            "x": cloud.x.drawn(points.columns[cloud.x.name]),
            "y": cloud.y.drawn(points.columns[cloud.y.name]),
        }

    def _columns(self, cloud: Cloud) -> dict[str, Any]:
        points = cloud.points
        faint = ~points.selected & points.selected.any()
        columns = self._places(cloud, points)
        columns["alpha"] = np.where(faint, FAINT, FULL)
        columns["marker"] = np.where(points.status > Status.OK, "x", "circle")
        states = np.array([status.label for status in Status], dtype=object)
        columns["state"] = states[points.status]
        columns["colour"] = cloud.coloured if cloud.colour else np.zeros(points.met)
        for i, name in enumerate(self._named(cloud)):
            columns[f"v{i}"] = np.asarray(points.columns[name], dtype=float)
        return columns

    @staticmethod
    def _named(cloud: Cloud) -> list[str]:
        """Columns that the pointer shows."""
        extra = [cloud.colour] if cloud.colour else []
        return list(dict.fromkeys([*cloud.points.dims, cloud.x.name, cloud.y.name, *extra]))

    def _build(self, sheet: Sheet, cloud: Cloud) -> None:
        plot = new_figure(cloud.x, cloud.y, height=HEIGHT, select=True, name="scatter")
        if cloud.colour:
            color: Any = {"field": "colour", "transform": self._mapper}
        else:
            color = PLAIN
        drawn = plot.scatter(
            "x", "y", source=self._sources["points"], marker="marker", fill_color=color,
            fill_alpha="alpha",
            size=4 if cloud.points.met > MANY else 7, nonselection_alpha=FULL,
            line_color=EDGE, line_width=0.5, line_alpha="alpha",
        )  # fmt: skip
        # Which points are selected is decided by the condition, not by Bokeh.
        drawn.nonselection_glyph = drawn.selection_glyph = None
        for color, width in (("white", 5), ("black", 2)):
            plot.line("x", "y", source=self._sources["front"], line_color=color, line_width=width)
        plot.scatter(
            "x", "y", source=self._sources["front"], marker="diamond", size=11,
            fill_color="white", line_color="black", line_width=2,
        )  # fmt: skip
        for color, size in (("white", 17), ("black", 14)):
            plot.scatter(
                "x", "y", source=self._sources["chosen"], marker="circle", size=size,
                fill_alpha=0, line_color=color, line_width=3,
            )  # fmt: skip
        plot.add_tools(self._hover(sheet, cloud, drawn))
        if cloud.colour:
            formatter = tick_formatter(cloud.colour_scale)
            plot.add_layout(
                ColorBar(
                    color_mapper=self._mapper,
                    title=label(cloud.colour_text, "bokeh"),
                    **({} if formatter is None else {"formatter": formatter}),
                ),
                "below",
            )
        plot.on_event(Tap, self._tapped)
        plot.on_event(SelectionGeometry, self._boxed)
        self._plot = plot

    def _hover(self, sheet: Sheet, cloud: Cloud, drawn: Any) -> HoverTool:
        texts = {dim: symbol_of(sheet.data[dim]) for dim in cloud.points.dims}
        texts |= {side.name: side.text for side in (cloud.x, cloud.y)}
        texts |= {cloud.colour: cloud.colour_text}
        names = self._named(cloud)
        tips = [(label(texts[name], "bokeh"), f"@v{i}{{%.10g}}") for i, name in enumerate(names)]
        return HoverTool(
            renderers=[drawn],
            tooltips=[*tips, ("status", "@state")],
            formatters={f"@v{i}": "printf" for i in range(len(names))},
            limit=3,
        )

    def _tapped(self, event: Any) -> None:
        """Choose the point that is nearest on the screen."""
        cloud = self._cloud
        if cloud is None or event.x is None or not cloud.points.met:
            return
        columns = self._places(cloud, cloud.points)
        distances = [
            _fraction(side, columns[name]) - _fraction(side, at, columns[name])
            for side, name, at in ((cloud.x, "x", event.x), (cloud.y, "y", event.y))
        ]
        self._on_pick(cloud.points.at(int(np.argmin(np.hypot(*distances)))))

    def _boxed(self, event: Any) -> None:
        cloud, box = self._cloud, event.geometry
        if cloud is None or not event.final or box.get("type") != "rect":
            return
        self._on_box(
            {
                side.name: (side.value(box[f"{axis}0"]), side.value(box[f"{axis}1"]))
                for axis, side in (("x", cloud.x), ("y", cloud.y))
            }
        )


def _fraction(side: Side, places: Any, among: Any = None) -> Any:
    """Where places are between the least and the largest of all."""
    among = places if among is None else among
    if side.scale.kind == "log":
        places, among = np.log(places), np.log(among)
    return np.asarray(places) / (np.ptp(among) or 1.0)
