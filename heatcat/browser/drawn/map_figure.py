"""A map as a Bokeh plot whose numbers, colours and axes are changed in place.

A plot that is made anew takes the browser some hundred milliseconds; changed data take ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from bokeh.models import (  # type: ignore[attr-defined]
    ColorBar,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    PrintfTickFormatter,
    Range1d,
)

from ensemble import Status
from heatcat.browser.drawn.frames import INK, PLAIN, fill, new_plot, set_range, set_ticks
from heatcat.browser.drawn.maps import DASHES, HEIGHT, WIDTHS, round_ticks, text_places
from heatcat.browser.shown.axes import Axis, Range
from heatcat.browser.shown.colours import MISSING
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.plane import Plane
from heatcat.browser.shown.states import FILLS, MARKS, State

Labels = Mapping[str, float]
Zoom = Mapping[str, Range]
"""First and last label in view, by dimension."""
NEAR = 0.015
"""Share of the map's width or height within which a tap means a dot and not the cell."""
HALO = 3.0
"""Width in pixels by which a white line under a black one is wider."""


NO_POINTS: dict[str, list[Any]] = {
    name: [] for name in ("x", "y", "drawn", "value", "at_x", "at_y", "state", "marker")
}


class MapFigure:
    """The plot of a map.

    Parameters
    ----------
    logs : tuple of bool
        Which axes are logarithmic.
    ranges : tuple of Range1d
        What is in view, across and up.
    on_tap : callable
        Called with the place that was clicked.
    on_zoom : callable
        Called with the labels in view, by dimension, after the visitor has zoomed or panned;
        dimensions that are in view as a whole are left out.
    """

    def __init__(
        self,
        logs: tuple[bool, bool],
        ranges: tuple[Range1d, Range1d],
        on_tap: Callable[[float, float], None],
        on_zoom: Callable[[Zoom], None],
    ) -> None:
        self.logs = logs
        self._on_tap, self._on_zoom = on_tap, on_zoom
        self._plane: Plane | None = None
        self.plot = new_plot(
            logx=logs[0],
            logy=logs[1],
            ranges=ranges,
            height=HEIGHT,
            on_tap=self._tapped,
            on_zoom=self._zoomed,
        )
        self._mapper = LinearColorMapper(palette=[MISSING], low=0, high=1, nan_color=MISSING)
        self._cells, self._points = ColumnDataSource(), ColumnDataSource()
        self._hover = HoverTool(description="values under the pointer")
        self._fills = {state: ColumnDataSource() for state in FILLS}
        self._marks = {state: ColumnDataSource() for state in MARKS}
        self._lines = {kind: ColumnDataSource({"xs": [], "ys": []}) for kind in DASHES}
        self._texts, self._frame, self._live, self._ring, self._pins = (
            ColumnDataSource() for _ in range(5)
        )
        self._draw_cells()
        self._draw_lines()
        self._bar = ColorBar(
            color_mapper=self._mapper,
            height=14,
            title_text_font_size="13px",
            title_text_font_style="normal",
            major_label_text_font_size="12px",
            formatter=PrintfTickFormatter(format=PLAIN),
        )
        self.plot.add_layout(self._bar, "below")

    def show(self, plane: Plane, zoom: Zoom) -> None:
        """Draw a plane, with these labels in view."""
        before, self._plane = self._plane, plane
        for side, axis, of in zip(
            (plane.x, plane.y),
            (self.plot.xaxis[0], self.plot.yaxis[0]),
            (self.plot.x_range, self.plot.y_range),
            strict=True,
        ):
            axis.axis_label = label(side.text, "bokeh")
            seen = zoom.get(side.name)
            whole = plane.whole[side.name]
            set_range(of, whole if seen is None else _placed(seen, side), whole)
        if before is None or _numbers(before) != _numbers(plane):
            self._show_values(plane)
        (left, right), (bottom, top) = plane.x.cell(plane.cell[0]), plane.y.cell(plane.cell[1])
        fill(self._frame, left=[left], right=[right], bottom=[bottom], top=[top])

    def _show_values(self, plane: Plane) -> None:
        colours = plane.colours
        self._bar.visible = not colours.empty
        self._bar.title = label(plane.value_text, "bokeh")
        set_ticks(self._bar, round_ticks(plane))
        low, high = colours.limits
        self._mapper.update(palette=colours.palette, low=low, high=high)
        self._show_cells(plane)
        self._show_points(plane)
        for kind, source in self._lines.items():
            paths = [path for line in plane.lines if line.kind == kind for path in line.paths]
            fill(source, xs=[path[:, 0] for path in paths], ys=[path[:, 1] for path in paths])
        texts = text_places(plane)
        fill(
            self._texts,
            x=[x for x, _, _ in texts],
            y=[y for _, y, _ in texts],
            text=[label(text, "bokeh") for _, _, text in texts],
        )

    def show_points(self, off_grid: Labels, pins: Mapping[str, Labels]) -> None:
        """Mark the chosen point if it lies beside the grid, and the pinned points.

        Parameters
        ----------
        off_grid : mapping of str to number
            Labels of the chosen point beside the grid; empty: the cell is framed.
        pins : mapping of str to mapping
            Labels of the pinned points, by their letters.
        """
        plane = self._plane
        assert plane is not None
        fill(self._ring, **_places(plane, [off_grid] if off_grid else []))
        if off_grid:
            fill(self._frame, left=[], right=[], bottom=[], top=[])
        fill(self._pins, **_places(plane, pins.values()), text=list(pins))

    def dot_at(self, x: float, y: float) -> tuple[float, float] | None:
        """Labels of the dot at a place that was tapped; None if there is none."""
        points = None if self._plane is None else self._plane.scattered
        if points is None or not points.values.size:
            return None
        assert self._plane is not None
        sides = (self._plane.x, self._plane.y)
        away = []
        for side, labels, at, of in zip(
            sides, (points.x, points.y), (x, y), (self.plot.x_range, self.plot.y_range), strict=True
        ):
            place = np.log if side.log else np.asarray
            width = float(place(of.end)) - float(place(of.start))
            away.append((place(labels - side.bound) - place(at)) / width)
        distances = np.hypot(*away)
        nearest = int(np.argmin(distances))
        if distances[nearest] > NEAR:
            return None
        return float(points.x[nearest]), float(points.y[nearest])

    def mark(self, live: tuple[float, float] | None) -> None:
        """Put the live point there, or remove it."""
        fill(self._live, x=[live[0]] if live else [], y=[live[1]] if live else [])

    def _tapped(self, x: float, y: float) -> None:
        if self._plane is not None:
            self._on_tap(x + self._plane.x.bound, y + self._plane.y.bound)

    def _zoomed(self, event: Any) -> None:
        plane = self._plane
        if plane is None or None in (event.x0, event.x1, event.y0, event.y1):
            return
        seen: dict[str, Range] = {}
        for side, part in ((plane.x, (event.x0, event.x1)), (plane.y, (event.y0, event.y1))):
            if not np.allclose(part, plane.whole[side.name], rtol=1e-9, atol=0):
                seen[side.name] = (part[0] + side.bound, part[1] + side.bound)
        self._on_zoom(seen)

    def _draw_cells(self) -> None:
        edges = {side: side for side in ("left", "right", "bottom", "top")}
        colour = {"field": "drawn", "transform": self._mapper}
        fill(self._cells, left=[], right=[], bottom=[], top=[], drawn=[], value=[], at_x=[],
              at_y=[], state=[])  # fmt: skip
        # A line of the same colour closes the gaps that rounding leaves between cells.
        cells = self.plot.quad(
            **edges, source=self._cells, fill_color=colour, line_color=colour, line_width=0.5
        )
        for state, (colour_of, hatch, ink) in FILLS.items():
            fill(self._fills[state], left=[], right=[], bottom=[], top=[])
            self.plot.quad(
                **edges,
                source=self._fills[state],
                fill_color=colour_of,
                line_color=None,
                hatch_pattern=hatch,
                hatch_color=ink,
                hatch_scale=7,
                hatch_weight=1.2,
                name=f"cells {state.name}",
            )
        fill(self._points, **NO_POINTS)
        points = self.plot.scatter(
            "x", "y", source=self._points, size=10, fill_color=colour, line_color=INK,
            line_width=1.0, marker="marker", name="scattered points",
        )  # fmt: skip
        self._hover.renderers = [cells, points]
        self.plot.add_tools(self._hover)
        for state, marker in MARKS.items():
            fill(self._marks[state], x=[], y=[])
            for color, width, size in (("white", 5.0, 11), (INK, 2.0, 10)):
                self.plot.scatter(
                    "x", "y", source=self._marks[state], marker=marker, size=size,
                    fill_color="white", line_color=color, line_width=width,
                    name=f"marks {state.name}",
                )  # fmt: skip

    def _draw_lines(self) -> None:
        for kind, source in self._lines.items():
            # White under black: one of the two can be seen on every colour.
            self.plot.multi_line(
                "xs", "ys", source=source, line_color="white", line_width=WIDTHS[kind] + HALO
            )
            self.plot.multi_line(
                "xs", "ys", source=source, line_color="black", line_width=WIDTHS[kind],
                line_dash=DASHES[kind], name=f"line {kind}",
            )  # fmt: skip
        fill(self._texts, x=[], y=[], text=[])
        self.plot.text(
            "x", "y", text="text", source=self._texts, text_font_size="12px", text_color="black",
            text_align="center", text_baseline="middle", background_fill_color="white",
            background_fill_alpha=0.85, padding=2,
        )  # fmt: skip
        fill(self._frame, left=[], right=[], bottom=[], top=[])
        for color, width in (("white", 6.0), ("black", 2.5)):
            self.plot.quad(
                left="left", right="right", bottom="bottom", top="top", source=self._frame,
                fill_alpha=0, line_color=color, line_width=width, name="chosen",
            )  # fmt: skip
        fill(self._ring, x=[], y=[])
        for color, width in (("white", 6.0), ("black", 2.5)):
            self.plot.scatter(
                "x", "y", source=self._ring, size=17, fill_alpha=0, line_color=color,
                line_width=width, name="chosen point",
            )  # fmt: skip
        fill(self._pins, x=[], y=[], text=[])
        self.plot.scatter(
            "x", "y", source=self._pins, size=19, fill_color="white", line_color="black",
        )  # fmt: skip
        self.plot.text(
            "x", "y", text="text", source=self._pins, text_font_size="13px", text_color="black",
            text_font_style="bold", text_align="center", text_baseline="middle", name="pins",
        )  # fmt: skip
        fill(self._live, x=[], y=[])
        self.plot.scatter(
            "x", "y", source=self._live, name="live", marker="diamond", size=18,
            fill_color="white", line_color="black", line_width=2,
        )  # fmt: skip

    def _show_cells(self, plane: Plane) -> None:
        rows, columns = plane.values.shape
        edges = {
            "left": np.tile(plane.x.edges[:-1], rows),
            "right": np.tile(plane.x.edges[1:], rows),
            "bottom": np.repeat(plane.y.edges[:-1], columns),
            "top": np.repeat(plane.y.edges[1:], columns),
        }
        states = plane.states.ravel()
        fill(
            self._cells,
            **edges,
            drawn=plane.drawn.ravel(),
            value=plane.values.ravel(),
            at_x=np.tile(plane.x.labels.astype(float), rows),
            at_y=np.repeat(plane.y.labels.astype(float), columns),
            state=_words(states, None if plane.status is None else plane.status.ravel()),
        )
        for state, source in self._fills.items():
            there = states == state
            fill(source, **{side: places[there] for side, places in edges.items()})
        for state, source in self._marks.items():
            row, column = np.nonzero(plane.states == state)
            fill(source, x=plane.x.places[column], y=plane.y.places[row])
        self._hover.tooltips = [
            (label(plane.value_text, "bokeh"), "@value{%.10g}"),
            (label(plane.x.whole_text, "bokeh"), "@at_x{%.12g}"),
            (label(plane.y.whole_text, "bokeh"), "@at_y{%.12g}"),
            ("status", "@state"),
        ]
        self._hover.formatters = {f"@{name}": "printf" for name in ("value", "at_x", "at_y")}

    def _show_points(self, plane: Plane) -> None:
        points = plane.scattered
        if points is None:
            fill(self._points, **NO_POINTS)
            return
        fill(
            self._points,
            x=points.x - plane.x.bound,
            y=points.y - plane.y.bound,
            drawn=points.drawn,
            value=points.values,
            at_x=points.x,
            at_y=points.y,
            state=_words(points.states, points.status),
            marker=np.where(points.status > Status.OK, "circle_x", "circle"),
        )


def _numbers(plane: Plane) -> tuple[int, ...]:
    """Identities of what is sent to the browser: a plane whose cell has moved keeps them all."""
    return tuple(map(id, (plane.values, plane.drawn, plane.colours, plane.lines, plane.x)))


def _places(plane: Plane, points: Iterable[Labels]) -> dict[str, list[float]]:
    """Where points lie on the axes of a map."""
    every = list(points)
    return {
        axis: [at[side.name] - side.bound for at in every]
        for axis, side in (("x", plane.x), ("y", plane.y))
    }


def _placed(seen: Range, side: Axis) -> Range:
    """Labels in view as places on an axis; nothing lies below the bound of a logarithmic one."""
    low, high = seen[0] - side.bound, seen[1] - side.bound
    return (max(low, side.limits[0] * 1e-3) if side.log else low), high


def _words(states: np.ndarray, status: np.ndarray | None) -> np.ndarray:
    """What the pointer says of each cell."""
    if status is not None:
        return np.array([kind.label for kind in Status], dtype=object)[status]
    names = [state.name.lower().replace("_", " ") for state in State]
    names[State.SHOWN] = "defined"
    return np.array(names, dtype=object)[states]
