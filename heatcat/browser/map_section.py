"""The map or curve of the view, and the second map beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heatcat.browser.explore.condition import box_condition
from heatcat.browser.explore.selection import Ranges
from heatcat.browser.map_pane import MapPane
from heatcat.browser.section import Context, Section, Shown
from heatcat.browser.sheet import Sheet


class MapSection(Section):
    """One map, or two with the same axes and the same chosen cell."""

    name = "maps"
    label = "map and chosen engine"
    group = "maps"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._first, self._second = (MapPane(context.pick, self._box) for _ in range(2))
        self._second.layout.visible = False

    def parts(self) -> list[Any]:
        return [self._first.layout, self._second.layout]

    def load(self, shown: Shown) -> Any:
        first = self._first.load(shown.sheet, shown.picture, shown.selected)
        second = None
        if isinstance(shown.beside, tuple):
            second = self._second.load(*shown.beside)
        return first, second

    def show(self, shown: Shown, found: Any) -> None:
        first, second = found
        about = str(shown.sheet.data.attrs.get("description", ""))
        self._first.show(first, about=_caption(shown.sheet) if shown.beside else about)
        self._second.layout.visible = shown.beside is not None
        if isinstance(shown.beside, tuple):
            self._second.show(second, about=_caption(shown.beside[0]))
        elif shown.beside is not None:
            self._second.complain(shown.beside)

    def _box(self, ranges: Ranges) -> None:
        self.context.view.selected = box_condition(ranges)

    def complain(self, message: str) -> None:
        self._first.complain(message)
        self._second.layout.visible = False

    def mark(self, parameters: Mapping[str, float] | None) -> None:
        """Put the live point on the map."""
        self._first.mark(parameters)


def _caption(sheet: Sheet) -> str:
    """Caption that says which sweep a map shows, where there are two maps."""
    method = str(sheet.data.attrs.get("method", ""))
    scaling = str(sheet.data.attrs.get("scaling", ""))
    about = str(sheet.data.attrs.get("description", ""))
    scaled = f"{scaling} scaling" if scaling else ""
    return f"{sheet.name}: {', '.join(filter(None, (about, method, scaled)))}"
