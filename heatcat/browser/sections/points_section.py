"""Which points are shown, selected, largest and smallest, and pinned: a row below the map."""

from __future__ import annotations

from typing import Any

import panel as pn

from ensemble import InvalidInput
from heatcat.browser.panels.pinned import MOST_PINS
from heatcat.browser.panels.scatter_panel import AMONG
from heatcat.browser.shown import escape
from heatcat.browser.shown.extremes import Extreme, extreme
from heatcat.browser.shown.labels import figure, symbol_of, unit, where
from heatcat.browser.state.section import Context, Section, Shown, alert_html
from heatcat.browser.state.threads import in_thread


class PointsSection(Section):
    """The condition, the selection, and buttons that choose and pin cells."""

    name = "points"
    label = "which points"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._shown: Shown | None = None
        self._only = pn.widgets.TextInput(
            label="only points with",
            placeholder="a condition, such as power > 0 and C > 1",
            min_width=280,
            sizing_mode="stretch_width",
            styles={"flex": "1 1 280px"},
        )
        self._only.param.watch(self._set_only, "value")
        self._refused = pn.pane.HTML("", sizing_mode="stretch_width")
        self._selected = pn.pane.HTML("", styles={"flex": "1 1 280px"})
        keep = self._button("show only these", self._keep)
        clear = self._button("clear the selection", self._clear)
        self._selection = pn.FlexBox(
            self._selected, keep, clear, gap="8px", align_items="center", visible=False
        )
        self._among = pn.widgets.Select(label="extremes of", options=AMONG, width=150)
        self._said = pn.pane.HTML("", sizing_mode="stretch_width")
        self._pin = self._button("pin this cell", self._pin_cell)
        self.layout.objects = [
            pn.FlexBox(
                self._only,
                self._among,
                self._button("jump to maximum", lambda _: self._jump(largest=True)),
                self._button("jump to minimum", lambda _: self._jump(largest=False)),
                self._pin,
                gap="8px",
                align_items="end",
                justify_content="start",
                sizing_mode="stretch_width",
            ),
            self._refused,
            self._selection,
            self._said,
        ]

    @staticmethod
    def _button(text: str, pressed: Any) -> pn.widgets.Button:
        button = pn.widgets.Button(label=text)
        button.on_click(pressed)
        return button

    def show(self, shown: Shown, found: Any) -> None:
        view = self.context.view
        if self._shown is None or self._shown.sheet is not shown.sheet:
            self._said.object = ""
        self._shown = shown
        if self._only.value != view.only:
            self._only.value = view.only
        self._refused.object = alert_html(shown.refused) if shown.refused else ""
        self._selected.object = f"selected: <b>{escape.html(view.selected)}</b>"
        self._selection.visible = bool(view.selected)
        self._pin.disabled = len(view.pins) >= MOST_PINS

    def _set_only(self, event: Any) -> None:
        self.context.view.only = event.new.strip()

    def _keep(self, _: Any) -> None:
        view = self.context.view
        both = f"({view.only}) and {view.selected}" if view.only else view.selected
        view.param.update(only=both, selected="")

    def _clear(self, _: Any) -> None:
        self.context.view.selected = ""

    def _pin_cell(self, _: Any) -> None:
        view = self.context.view
        chosen = dict(view.off_grid or view.at)
        if chosen not in view.pins:
            view.param.update(pins=[*view.pins, chosen], tab="Pinned")

    def _jump(self, *, largest: bool) -> None:
        shown = self._shown
        if shown is None:
            return
        sheet, picture = shown.sheet, shown.picture
        at = picture.elsewhere if self._among.value == "map" else {}
        at = {dim: value for dim, value in at.items() if dim in sheet.dims_of(picture.variable)}

        def search() -> Extreme | InvalidInput:
            try:
                return extreme(sheet, picture.variable, largest=largest, at=at)
            except InvalidInput as problem:
                return problem

        in_thread(search, lambda found: self._found(shown, found, largest))

    def _found(self, shown: Shown, found: Extreme | InvalidInput, largest: bool) -> None:
        if isinstance(found, InvalidInput):
            self._said.object = alert_html(str(found))
            return
        sheet, variable = shown.sheet, shown.picture.variable
        array = sheet.select(variable, {})
        shown_unit = unit(str(array.attrs.get("units", "1")))
        value = f"{figure(found.value)} {shown_unit}".strip()
        said = f"{'maximum' if largest else 'minimum'}: {value} at {where(sheet.data, found.at)}"
        if found.edge:
            ends = ", ".join(symbol_of(sheet.data[dim]) for dim in found.edge)
            said += f"; at an end of {ends}, so it may lie beyond the sweep"
        if found.left_out:
            said += f"; {found.left_out:,} points without a certified value were not compared"
        self._said.object = f'<p class="extreme">{escape.html(said)}</p>'
        self.context.pick(found.at)
