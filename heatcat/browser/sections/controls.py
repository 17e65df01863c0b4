"""The widgets that set a view and follow its changes; all can be used from the keyboard."""

from __future__ import annotations

from typing import Any

import panel as pn

from heatcat.browser.sections.play import Play
from heatcat.browser.sections.slider import LabelSlider, label_slider
from heatcat.browser.shown import escape
from heatcat.browser.shown.compare import RELATIONS
from heatcat.browser.shown.labels import explanation, number, symbol, symbol_of, with_unit
from heatcat.browser.shown.picture import offered
from heatcat.browser.shown.scales import SCALES
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source
from heatcat.browser.state.view import CURVE, View
from heatcat.terminal import visible

SCALE_TEXTS = {
    "automatic": "automatic", "linear": "linear", "log": "log", "symlog": "symmetric log"
}  # fmt: skip
NONE = "none"
ELSEWHERE = {"at", "off_grid", "only", "selected", "pins", "tab", "zoom"}
"""Fields that sliders set, or other parts of the page."""


class Controls:
    """Selects and sliders of a view; the sliders on the map's axes choose the cell.

    Parameters
    ----------
    view : View
    source : Source
    """

    def __init__(self, view: View, source: Source) -> None:
        self._view, self._source = view, source
        self._setting = False
        self._sliders: dict[str, LabelSlider] = {}
        self._plays: list[Play] = []
        self._shown: tuple[Any, ...] = ()
        self._offered: tuple[Any, ...] = ()
        wide = {"sizing_mode": "stretch_width"}
        self.sweep = pn.widgets.Select(label="sweep", **wide)
        self.variable = pn.widgets.Select(label="variable", **wide)
        self._about = pn.pane.HTML("", css_classes=["about"], **wide)
        self.x = pn.widgets.Select(label="across (x)", **wide)
        self.y = pn.widgets.Select(label="up (y)", **wide)
        self.scale = pn.widgets.Select(
            label="scale of values", options={SCALE_TEXTS[name]: name for name in SCALES}, **wide
        )
        self.low = pn.widgets.TextInput(label="colours from", placeholder="automatic", **wide)
        self.high = pn.widgets.TextInput(label="to", placeholder="automatic", **wide)
        self.overlays = pn.widgets.CheckBoxGroup(label="overlays", inline=False, **wide)
        self.contour = pn.widgets.Select(label="contours of", **wide)
        self.levels = pn.widgets.TextInput(label="at levels", placeholder="automatic", **wide)
        self.compare = pn.widgets.Toggle(
            label="compare side by side", color="primary", variant="outline", **wide
        )
        self.beside_sweep = pn.widgets.Select(label="second sweep", **wide)
        self.beside_variable = pn.widgets.Select(label="second variable", **wide)
        self.relation = pn.widgets.Select(
            label="third map", options={text: name for name, text in RELATIONS.items()}, **wide
        )
        self.engines = pn.widgets.Toggle(
            label="engines only", color="primary", variant="outline", **wide
        )
        self.engines.param.watch(self._only_engines, "value")
        self._sliders_box = pn.Column(**wide)
        self._second = pn.Column(self.beside_sweep, self.beside_variable, self.relation, **wide)
        for name in View.fields():
            if name not in ELSEWHERE:
                self._bind(name, getattr(self, name))
        self.layout = pn.Column(
            self.sweep,
            self.variable,
            self._about,
            pn.Row(self.x, self.y, **wide),
            self.scale,
            pn.Row(self.low, self.high, **wide),
            self.engines,
            self._sliders_box,
            self.overlays,
            pn.Row(self.contour, self.levels, **wide),
            self.compare,
            self._second,
            **wide,
        )

    def refresh(self) -> None:
        """Show a settled view."""
        view, sheet = self._view, self._source.sheet(self._view.sweep)
        beside = self._source.sheet(view.beside_sweep or view.sweep)
        dims = sheet.dims_of(view.variable)
        self._setting = True
        try:
            offers = (tuple(self._source.names), sheet, beside, dims, view.x, view.y)
            if offers != self._offered:
                self._offered = offers
                self._offer(sheet, beside, dims)
            for name in View.fields():
                if name not in ELSEWHERE:
                    getattr(self, name).value = getattr(view, name)
            self._about.object = _about(sheet, view.variable)
            self._second.visible = view.compare
            condition = _engines(sheet)
            self.engines.visible = bool(condition)
            self.engines.value = bool(condition) and view.only == condition
            self._refresh_sliders(sheet)
        finally:
            self._setting = False

    def _offer(self, sheet: Sheet, beside: Sheet, dims: tuple[str, ...]) -> None:
        view = self._view
        self.sweep.options = self._source.names
        self.variable.groups = _groups(sheet)
        self.x.options = {_mark(sheet, dim): dim for dim in dims if dim != view.y}
        up = {_mark(sheet, dim): dim for dim in dims if dim != view.x}
        self.y.options = up | {NONE: CURVE}
        self.overlays.options = {text: name for name, text in offered(sheet).items()}
        self.contour.groups = {"": {NONE: ""}} | _groups(sheet)
        self.beside_sweep.options = {"the same": ""} | {name: name for name in self._source.names}
        self.beside_variable.groups = {"": {"the same": ""}} | _groups(beside)

    def _refresh_sliders(self, sheet: Sheet) -> None:
        axes = tuple(filter(None, (self._view.x, self._view.up)))
        shown = (sheet.name, {dim: len(sheet.labels(dim)) for dim in sheet.dims}, axes)
        if shown != self._shown:
            self._shown = shown
            self._sliders = {dim: self._slider(sheet, dim) for dim in sheet.dims}
            for play in self._plays:
                play.stop()
            outside = [dim for dim in sheet.dims if dim not in axes]
            self._plays = [
                Play(self._view, sheet, dim, _mark(sheet, dim))
                for dim in outside
                if len(sheet.labels(dim)) > 1
            ]
            others = [self._sliders[dim] for dim in outside]
            buttons = [play.button for play in self._plays]
            cell = [slider for dim, slider in self._sliders.items() if dim in axes]
            self._sliders_box.objects = [
                *others,
                *buttons,
                pn.pane.HTML("<h3>chosen cell</h3>", sizing_mode="stretch_width"),
                *cell,
            ]
        for dim, slider in self._sliders.items():
            slider.value = self._view.at[dim]

    def _slider(self, sheet: Sheet, dim: str) -> LabelSlider:
        labels = [value.item() for value in sheet.labels(dim)]
        slider = label_slider(
            with_unit(sheet.data[dim]),
            {number(value): value for value in labels},
            self._view.at[dim],
            disabled=len(labels) == 1,
        )

        def moved(event: Any) -> None:
            if not self._setting:
                self._view.at = {**self._view.at, dim: event.new}

        slider.param.watch(moved, "value")
        return slider

    def _only_engines(self, event: Any) -> None:
        """Hide the points that deliver no power, or show them again."""
        if not self._setting:
            condition = _engines(self._source.sheet(self._view.sweep))
            self._view.only = condition if event.new else ""

    def _bind(self, name: str, widget: Any) -> None:
        def changed(event: Any) -> None:
            if not self._setting:
                setattr(self._view, name, event.new)

        widget.param.watch(changed, "value")


def _engines(sheet: Sheet) -> str:
    """The condition that a point is an engine; "" where no power is stored."""
    known = [name for name in ("power", "power_per_pair") if name in sheet.data]
    return f"{known[0]} > 0" if known else ""


def _about(sheet: Sheet, variable: str) -> str:
    """What the shown variable is, as HTML."""
    array = sheet.data[variable] if variable in sheet.data else sheet.select(variable, {})
    return f"<p>{escape.html(explanation(array))}</p>"


def _mark(sheet: Sheet, dim: str) -> str:
    return visible(symbol_of(sheet.data[dim]))


def _groups(sheet: Sheet) -> dict[str, dict[str, str]]:
    """Variables by group, each with its symbol."""
    return {
        group: {_named(sheet, name): name for name in found}
        for group, found in sheet.variables.items()
    }


def _named(sheet: Sheet, name: str) -> str:
    mark = str(sheet.data[name].attrs.get("symbol", "")) if name in sheet.data else symbol(name)
    text = f"{name}  {mark}" if mark and mark != name.replace("_", " ") else name
    return visible(text)
