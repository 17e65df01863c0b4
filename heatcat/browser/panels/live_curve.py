"""The live engine's variable along one of its parameters, solved point after point."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import Span

from ensemble import Engine, InvalidInput, Status
from ensemble.method import Method, attempt
from heatcat.browser.drawn.curve_plot import OTHER, palette
from heatcat.browser.panels.panel import small
from heatcat.browser.shown import escape
from heatcat.browser.shown.colours import Scale
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.labels import symbol
from heatcat.browser.shown.sides import Side, new_figure, suits_labels
from heatcat.browser.state.threads import Drawing, Pause, Step

MOST_POINTS = 41
"""Points of a curve; N has one for each whole number."""
REST = 0.3
"""Seconds without a move before a curve is begun, so that the live point itself stays quick."""
SLICE = 0.25
"""Seconds of solving after which a curve shows what it has."""
HEIGHT = 300


@dataclass(frozen=True)
class Wanted:
    """A curve to be solved.

    Attributes
    ----------
    method : Method
    parameters : dict
        Of the engine, the one along the curve included: its value is marked.
    along : str
    positions : ndarray
    variable : str
    """

    method: Method
    parameters: Mapping[str, Any]
    along: str
    positions: np.ndarray
    variable: str


@dataclass
class Solved:
    """The part of a curve that is solved: NaN where there is no certified value."""

    wanted: Wanted
    values: np.ndarray
    done: int = 0
    left_out: int = 0


def thinned(positions: Iterable[float], value: float) -> np.ndarray:
    """Positions of a slider as those of a curve, ``value`` among them.

    >>> thinned(range(1, 201), 7).size <= MOST_POINTS + 1, 7 in thinned(range(1, 201), 7)
    (True, True)
    """
    every = np.asarray(list(positions))
    step = -(-len(every) // MOST_POINTS)
    return np.union1d(every[::step], [value])


def solve_more(solved: Solved, seconds: float = SLICE) -> Solved:
    """Solve further points of a curve for about so many seconds; at least one."""
    wanted, end = solved.wanted, time.monotonic() + seconds
    while solved.done < len(wanted.positions):
        position = wanted.positions[solved.done].item()
        value = _value(wanted, position)
        solved.values[solved.done] = value
        solved.left_out += bool(np.isnan(value))
        solved.done += 1
        if time.monotonic() > end:
            break
    return solved


def _value(wanted: Wanted, position: float) -> float:
    try:
        engine = Engine(**{**wanted.parameters, wanted.along: position})
        wanted.method.accept(engine)
    except InvalidInput:
        return np.nan
    solution = attempt(wanted.method, engine, [wanted.variable])
    return solution.values[wanted.variable] if solution.status is Status.OK else np.nan


class LiveCurve:
    """The plot of a live curve with its two selects."""

    def __init__(self) -> None:
        self._variable = small(pn.widgets.Select(label="live curve of"), 210)
        self._along = small(pn.widgets.Select(label="along"), 130)
        self._plot = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=HEIGHT)
        self._note = pn.pane.HTML("", css_classes=["note"], sizing_mode="stretch_width")
        self._figure: Any = None
        self._scale = Scale()
        self._source, self._here = ColumnDataSource(), Span()
        self._drawing = Drawing(self._plan)
        for widget in (self._variable, self._along):
            widget.param.watch(self._drawing.request, "value")
        self._engine: tuple[Method, Mapping[str, Any], Mapping[str, Iterable[float]]] | None = None
        self._units: Mapping[str, str] = {}
        self.layout = pn.Column(
            pn.FlexBox(self._variable, self._along, gap="8px", justify_content="start"),
            self._plot,
            self._note,
            sizing_mode="stretch_width",
        )

    def show(
        self,
        method: Method,
        parameters: Mapping[str, Any],
        positions: Mapping[str, Iterable[float]],
        variables: Iterable[str],
        texts: Mapping[str, str],
    ) -> None:
        """Solve the curve through an engine.

        Parameters
        ----------
        method : Method
        parameters : mapping
            Of the engine.
        positions : mapping of str to iterable of number
            Parameters that may be along the curve, with the positions of their sliders.
        variables : iterable of str
            Variables that may be shown.
        texts : mapping of str to str
            Symbol and unit of the parameters and variables.
        """
        self._engine, self._units = (method, parameters, positions), texts
        names = {f"{name}  {symbol(name)}": name for name in variables}
        along = {symbol(name): name for name in positions}
        for widget, options in ((self._variable, names), (self._along, along)):
            if widget.options != options:
                kept = widget.value
                chosen = kept if kept in options.values() else next(iter(options.values()))
                widget.param.update(options=options, value=chosen)
        self._drawing.request()

    def _plan(self) -> Iterator[Step | Pause]:
        if self._engine is None or not self._variable.value or not self._along.value:
            return
        method, parameters, positions = self._engine
        along = self._along.value
        every = thinned(positions[along], parameters[along])
        wanted = Wanted(method, parameters, along, every, self._variable.value)
        solved = Solved(wanted, np.full(len(every), np.nan))
        yield Pause(REST)
        while solved.done < len(every):
            yield partial(solve_more, solved), self._show_more

    def _prepare(self, wanted: Wanted) -> None:
        """The plot of a curve; one that is there is changed in place, as that is much quicker."""
        x = self._side(wanted.along, suits_labels(wanted.positions))
        y = self._side(wanted.variable, "linear")
        if self._figure is None or self._scale != x.scale:
            self._scale, self._figure = x.scale, self._build(x, y)
            self._plot.object = self._figure
        self._figure.xaxis[0].axis_label = label(x.text, "bokeh")
        self._figure.yaxis[0].axis_label = label(y.text, "bokeh")
        self._here.location = wanted.parameters[wanted.along]

    def _build(self, x: Side, y: Side) -> Any:
        plot = new_figure(x, y, height=HEIGHT, name="live curve")
        self._source = ColumnDataSource({"x": [], "y": []})
        self._here = Span(dimension="height", line_dash="dotted", line_color=OTHER)
        colour = palette()[100]
        plot.line("x", "y", source=self._source, line_color=colour, line_width=2)
        plot.scatter("x", "y", source=self._source, color=colour, size=5)
        plot.add_layout(self._here)
        return plot

    def _side(self, name: str, kind: str) -> Side:
        return Side(name, self._units.get(name, symbol(name)), Scale(kind))

    def _show_more(self, solved: Solved) -> None:
        wanted = solved.wanted
        shown = slice(0, solved.done)
        self._prepare(wanted)
        self._source.data = {"x": wanted.positions[shown], "y": solved.values[shown]}
        said = f"{solved.done} of {len(wanted.positions)} points solved"
        if solved.left_out:
            said += f", {solved.left_out} of them without a certified value"
        self._note.object = escape.html(said)
