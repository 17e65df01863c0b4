"""Widgets that set the fields of a panel's state, and follow them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import param

from heatcat.browser.shown.labels import symbol, symbol_of
from heatcat.browser.shown.points import of_points
from heatcat.browser.shown.sheet import Sheet
from heatcat.terminal import visible


class Bound:
    """Ties widgets to the fields of a state.

    Parameters
    ----------
    state : param.Parameterized
    widgets : widgets
        By the field that each sets.
    """

    def __init__(self, state: param.Parameterized, **widgets: Any) -> None:
        self._state, self._widgets = state, widgets
        self._setting = False
        for name, widget in widgets.items():
            self._watch(name, widget)

    def refresh(self, options: Mapping[str, Any] | None = None) -> None:
        """Show the state; new options first, where they have changed."""
        self._setting = True
        try:
            for name, choices in (options or {}).items():
                kind = "groups" if _grouped(choices) else "options"
                if getattr(self._widgets[name], kind) != choices:
                    setattr(self._widgets[name], kind, choices)
            for name, widget in self._widgets.items():
                widget.value = getattr(self._state, name)
        finally:
            self._setting = False

    def _watch(self, name: str, widget: Any) -> None:
        def changed(event: Any) -> None:
            if not self._setting:
                setattr(self._state, name, event.new)

        widget.param.watch(changed, "value")


def _grouped(choices: Any) -> bool:
    return isinstance(choices, Mapping) and any(isinstance(c, Mapping) for c in choices.values())


def variable_choices(sheet: Sheet, *, none: str = "", parameters: bool = False) -> dict[str, Any]:
    """Variables by group, and before them the varied parameters, for a select."""
    first = {"": {none: ""}} if none else {}
    varied = {dim_text(sheet, dim): dim for dim in sheet.dims if len(sheet.labels(dim)) > 1}
    varied |= {dim_text(sheet, name): name for name in of_points(sheet)}
    groups = {"parameters": varied} if parameters and varied else {}
    stored = {
        group: {_text(sheet, name): name for name in names}
        for group, names in sheet.variables.items()
    }
    return first | groups | stored


def dim_text(sheet: Sheet, dim: str) -> str:
    """Symbol of a dimension, for a select."""
    return visible(symbol_of(sheet.data[dim]))


def _text(sheet: Sheet, name: str) -> str:
    mark = str(sheet.data[name].attrs.get("symbol", "")) if name in sheet.data else symbol(name)
    return visible(f"{name}  {mark}" if mark and mark != name.replace("_", " ") else name)
