"""An engine that is solved while the visitor moves its sliders, beside the stored results."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import panel as pn

from catalog.heat_engine.terms import VOCABULARY
from catalog.names.labels import label
from ensemble import Exact, InvalidInput, Macroscopic, Status
from ensemble.method import Method
from heatcat.browser.panels.live_curve import REST, LiveCurve
from heatcat.browser.panels.point import load_point, named
from heatcat.browser.sections.live_solver import LiveSolver, Timed
from heatcat.browser.sections.slider import LabelSlider, label_slider
from heatcat.browser.shown import escape
from heatcat.browser.shown.axes import spaced_by_factors
from heatcat.browser.shown.labels import figure, unit, with_unit
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.section import Context, Section, Shown
from heatcat.browser.state.threads import Drawing, Pause, Step, in_thread

LARGEST = 60
"""Largest number of spin pairs: a move that is solved in full takes about a tenth of a second."""
STEPS = 201
"""Number of positions of a slider."""
REACH = 4.0
"""A parameter that the sweep does not vary may be moved by this factor, down and up."""

PARAMETERS = ("delta_E", "T_mean", "omega_0", "E_1", "delta_T", "Gamma_0")
OTHERS = (
    *("Gamma_1", "Gamma_2", "spin_1", "spin_2", "mu_1", "mu_2"),
    *("detuning", "Gamma_local", "Gamma_dephasing"),
)
BASIS = "basis"
"""What a solution that was followed from those before calls its solver."""
METHODS: dict[str, Method] = {
    f"exact, N ≤ {LARGEST}": Exact(),
    "macroscopic, N → ∞": Macroscopic(),
}


class LivePoint(Section):
    """Sliders of an engine, its values, residual, status and the time that they took."""

    name = "live"
    label = "live point"
    tab = "Live point"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._shown: Shown | None = None
        self._stored: Mapping[str, float] = {}
        self._more: dict[str, Any] = {}
        self._statistics = "bosonic"
        self._units: dict[str, str] = {}
        self._setting = False
        self._sliders: dict[str, LabelSlider] = {}
        self._switch = pn.widgets.Toggle(
            label="solve live from the chosen cell", color="primary", variant="outline"
        )
        self._switch.param.watch(self._toggled, "value")
        self._again = pn.widgets.Button(label="back to the chosen cell", visible=False)
        self._again.on_click(lambda _: self._restart())
        self._method = pn.widgets.RadioButtonGroup(
            label="method", options=list(METHODS), sizing_mode="stretch_width"
        )
        self._method.param.watch(self._moved, "value")
        self._scaling = pn.widgets.Select(
            label="scaling", options=["bare", "high-temperature"], sizing_mode="stretch_width"
        )
        self._scaling.param.watch(self._moved, "value")
        self._box = pn.Column(sizing_mode="stretch_width")
        self._result = pn.pane.HTML("", sizing_mode="stretch_width")
        self._solve, self._later = Drawing(self._plan), Drawing(self._plan_later)
        self._solver: LiveSolver | None = None
        self._live: tuple[LiveSolver, Mapping[str, Any], Timed] | None = None
        self._curve = LiveCurve()
        self._engine = pn.FlexBox(
            pn.Column(
                self._method,
                self._scaling,
                self._box,
                self._curve.layout,
                styles={"flex": "1 1 280px", "min-width": "0"},
            ),
            pn.Column(self._result, styles={"flex": "1 1 320px", "min-width": "0"}),
            sizing_mode="stretch_width",
            visible=False,
        )
        self._none = pn.pane.HTML("", visible=False, sizing_mode="stretch_width")
        self._buttons = pn.FlexBox(self._switch, self._again, gap="8px")
        self.layout.objects = [self._none, self._buttons, self._engine]

    def show(self, shown: Shown, found: Any) -> None:
        self._shown = shown
        engine = is_engine(shown.sheet)
        self._none.object = "<p>The points of this sweep are no heat engines.</p>"
        self._none.visible = not engine
        self._buttons.visible = engine
        self._engine.visible = engine and self._switch.value
        if self._engine.visible and not self._sliders:  # switched on before there was a cell
            self._restart()

    def _toggled(self, event: Any) -> None:
        self._engine.visible = self._again.visible = event.new
        if event.new:
            self._restart()
        else:
            self.context.mark(None)

    def _restart(self) -> None:
        """Begin at the chosen cell."""
        if self._shown is None:
            return
        sheet, at = self._shown.sheet, self._shown.picture.chosen
        in_thread(
            lambda: load_point(sheet, at).numbers, lambda stored: self.start(sheet, at, stored)
        )

    def start(self, sheet: Sheet, at: Mapping[str, float], stored: Mapping[str, float]) -> None:
        """Set the sliders to a stored engine, and solve it."""
        values = {**sheet.fixed(), **sheet.derived(at), **at}
        definition = json.loads(sheet.data.attrs.get("sweep", "{}"))
        self._more = {name: values[name] for name in OTHERS if name in values}
        options = definition.get("model", {}).get("options", {})
        self._statistics = str(options.get("statistics", "bosonic"))
        self._units = {
            name: str(sheet.data[name].attrs.get("units", "1"))
            for name in sheet.data.data_vars
            if isinstance(name, str)
        }
        self._stored = stored
        self._setting = True
        sized = "N" in values
        self._method.value = list(METHODS)[0 if sized else 1]
        self._scaling.value = sheet.data.attrs.get("scaling", "bare")
        size = min(int(values.get("N", 1)), LARGEST)
        self._sliders = {"N": self._slider("N", "N", list(range(1, LARGEST + 1)), size)}
        for name in PARAMETERS:
            positions = _positions(sheet, name, values[name])
            text = with_unit(sheet.data[name])
            self._sliders[name] = self._slider(name, text, positions, values[name])
        self._box.objects = list(self._sliders.values())
        self._setting = False
        self._solve.request()

    def _plan(self) -> Iterator[Step]:
        """Solve the engine under the sliders and show it."""
        if not self._sliders:
            return
        method = METHODS[self._method.value]
        wanted = LiveSolver(method, self._scaling.value, self._statistics)
        if wanted != self._solver:
            self._solver = wanted
        solver, sliders = self._solver, {n: slider.value for n, slider in self._sliders.items()}
        self._sliders["N"].disabled = not method.sized
        if not method.sized:
            sliders["N"] = 1
        parameters = {**sliders, **self._more}
        try:
            solver.engine(parameters)
        except InvalidInput as error:
            self._live = None
            self._result.object = f'<p role="alert">{escape.html(str(error))}</p>'
            return
        yield partial(solver.move, parameters), partial(self._show_move, solver, parameters)

    def _show_move(self, solver: LiveSolver, parameters: dict[str, Any], found: Timed) -> None:
        self._live = solver, parameters, found
        self._show_values(solver, found, None)
        self.context.mark(parameters)
        self._show_curve(solver, parameters)
        self._later.request()

    def _plan_later(self) -> Iterator[Step | Pause]:
        """Solve the variables that take longer, once the sliders rest."""
        live = self._live
        if live is None or not live[0].later:
            return
        solver, parameters, move = live
        yield Pause(REST)

        def show(rest: Timed) -> None:
            if self._live is live:  # else the sliders were moved meanwhile
                self._show_values(solver, move, rest)

        yield partial(solver.rest, parameters), show

    def _show_values(self, solver: LiveSolver, move: Timed, rest: Timed | None) -> None:
        """The table; without the rest, its rows say that it is being solved."""
        solution, seconds = move
        residual = solution.diagnostics.get("residual", math.nan)
        followed = " from the engines before" if solution.diagnostics.get("solver") == BASIS else ""
        said = f": {escape.html(solution.message)}" if solution.message else ""
        values: dict[str, float | None] = {**solution.values}
        values |= dict.fromkeys(solver.later) if rest is None else rest[0].values
        rows = "".join(self._row(name, value) for name, value in values.items())
        self._result.object = (
            f'<div class="point live"><p class="status" data-status="{solution.status.label}">'
            f"status: <b>{solution.status.label}</b>{said}; residual {residual:.1e}; "
            f'solved in <b data-milliseconds="{1e3 * seconds:.1f}">{1e3 * seconds:.0f} ms</b>'
            f"{followed}{self._said_of_rest(solver, rest)}</p>"
            "<table><caption>live engine, and the chosen cell as stored</caption><thead><tr>"
            "<th></th><th>live</th><th>stored</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )

    @staticmethod
    def _said_of_rest(solver: LiveSolver, rest: Timed | None) -> str:
        if not solver.later:
            return ""
        if rest is None:
            return "; the bounds follow when the sliders rest"
        solution, seconds = rest
        state = "" if solution.status is Status.OK else f" ({solution.status.label})"
        return f"; the bounds{state} in {1e3 * seconds:.0f} ms more"

    def _show_curve(self, solver: LiveSolver, parameters: Mapping[str, float]) -> None:
        """The curve through this engine, along any parameter that has a slider."""
        method, names = solver.method, [*solver.at_once, *solver.later]
        positions = {
            name: list(slider.options.values())
            for name, slider in self._sliders.items()
            if method.sized or name != "N"
        }
        engine = {**parameters, "scaling": solver.scaling, "statistics": solver.statistics}
        sheet = self._shown.sheet if self._shown else None
        texts = {n: with_unit(sheet.data[n]) for n in positions if sheet and n in sheet.data.coords}
        for name in names:
            term = VOCABULARY[name]
            shown = unit(self._units.get(name, term.unit))
            texts[name] = f"{term.symbol} [{shown}]" if shown else term.symbol
        self._curve.show(method, engine, positions, names, texts)

    def _row(self, name: str, value: float | None) -> str:
        stored = figure(self._stored[name]) if name in self._stored else "–"
        term = VOCABULARY[name]
        about = escape.html("; ".join(filter(None, (term.long_name, term.equation))))
        return (
            f'<tr data-name="{escape.html(name)}"><th scope="row" title="{about}">'
            f"{named(name, term.symbol)}</th>"
            f'<td class="number">{escape.html("…" if value is None else figure(value))}</td>'
            f'<td class="number">{escape.html(stored)}</td>'
            f"<td>{escape.html(unit(self._units.get(name, term.unit)))}</td></tr>"
        )

    def _slider(self, name: str, text: str, positions: list[Any], value: float) -> LabelSlider:
        slider = label_slider(text, {f"{position:.6g}": position for position in positions}, value)
        slider.param.watch(self._moved, "value")
        return slider

    def _moved(self, *_: Any) -> None:
        if not self._setting:
            self._solve.request()


def is_engine(sheet: Sheet) -> bool:
    """Whether its points are heat engines: only these can be solved in the page."""
    return all(name in sheet.data.coords for name in PARAMETERS)


def _positions(sheet: Sheet, name: str, value: float) -> list[float]:
    """Positions of a slider over the sweep's labels, or around ``value``, which is one of them."""
    if name in sheet.dims and len(sheet.labels(name)) > 1:
        labels = sheet.labels(name)
        spread = np.geomspace if spaced_by_factors(labels) else np.linspace
        reach = spread(labels[0], labels[-1], STEPS)
    elif value > 0:
        reach = np.geomspace(value / REACH, value * REACH, STEPS)
    else:
        reach = np.linspace(0.0, 1.0, STEPS)
    distinct = {f"{position:.6g}": label(name, float(f"{position:.6g}")) for position in reach}
    distinct[f"{value:.6g}"] = value
    return sorted(distinct.values())
