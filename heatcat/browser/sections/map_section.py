"""The map or curve of the view, and the second map beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ensemble import InvalidInput
from heatcat.browser.drawn.map_figure import Zoom
from heatcat.browser.sections.map_pane import Content, MapPane
from heatcat.browser.sections.selection import Ranges
from heatcat.browser.shown.compare import related
from heatcat.browser.shown.condition import box_condition
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.section import Context, Section, Shown

Found = tuple[Content, Content | None, Content | str | None]
"""The first map, the second, and their relation or why there is none."""


class MapSection(Section):
    """One map, or two with the same axes and the same chosen cell."""

    name = "maps"
    label = "map and chosen engine"
    group = "maps"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._first, self._second, self._third = (
            MapPane(context.pick, self._zoomed, self._box) for _ in range(3)
        )
        self._second.layout.visible = self._third.layout.visible = False

    def parts(self) -> list[Any]:
        return [self._first.layout, self._second.layout, self._third.layout]

    def load(self, shown: Shown) -> Found:
        pins = self.context.view.pins
        first = self._first.load(shown.sheet, shown.picture, shown.zoom, shown.selected, pins)
        if not isinstance(shown.beside, tuple):
            return first, None, None
        second = self._second.load(*shown.beside, shown.zoom)
        third = _related(first, second, shown.relation) if shown.relation else None
        if first.picture.variable == second.picture.variable:
            return first.sharing(second), second.sharing(first), third
        return first, second, third

    def show(self, shown: Shown, found: Found) -> None:
        first, second, third = found
        about = str(shown.sheet.data.attrs.get("description", ""))
        self._first.show(first, about=_caption(shown.sheet) if shown.beside else about)
        self._second.layout.visible = shown.beside is not None
        self._third.layout.visible = third is not None
        if second is not None:
            self._second.show(second, about=_caption(second.sheet), beside=self._first)
        elif isinstance(shown.beside, str):
            self._second.complain(shown.beside)
        if isinstance(third, str):
            self._third.complain(third)
        elif third is not None:
            self._third.show(third, beside=self._first)

    def _box(self, ranges: Ranges) -> None:
        self.context.view.selected = box_condition(ranges)

    def _zoomed(self, seen: Zoom) -> None:
        view = self.context.view
        axes = {view.x, view.y}
        elsewhere = {dim: part for dim, part in view.zoom.items() if dim not in axes}
        view.zoom = {**elsewhere, **{dim: list(part) for dim, part in seen.items()}}

    def complain(self, message: str) -> None:
        self._first.complain(message)
        self._second.layout.visible = self._third.layout.visible = False

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


def _related(first: Content, second: Content, relation: str) -> Content | str:
    """Difference or ratio of two maps, or why there is none."""
    if first.plane is None or second.plane is None:
        return f"curves have no map of their {relation}: choose a dimension up"
    names = (first.sheet.name, second.sheet.name)
    try:
        plane = related(first.plane, second.plane, relation, first.picture, names)
    except InvalidInput as problem:
        return str(problem)
    return replace(first, plane=plane)
