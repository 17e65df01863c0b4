"""Table: the points in rows, sorted by any column, and as a file."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal

import panel as pn
import param

from ensemble import InvalidInput
from heatcat.browser.panels.click_table import Cell, cell, click_table
from heatcat.browser.panels.explain import array_of
from heatcat.browser.panels.listing import ROWS, Listing, file, listing
from heatcat.browser.panels.panel import Panel, small
from heatcat.browser.panels.scatter_panel import AMONG
from heatcat.browser.shown.labels import explanation, with_unit
from heatcat.browser.shown.points import beside_note, load_points, of_points
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.section import Context, Shown
from heatcat.terminal import visible

FIRST_COLUMNS = 4
"""Variables that are shown at first, those of the store before the derived ones."""


class TableState(param.Parameterized):
    """What the address keeps of the table."""

    columns = param.List(default=[], item_type=str, doc="Variables; empty: the first of the sweep.")
    by = param.String(default="", doc="Column that the points are sorted by.")
    descending = param.Boolean(default=False)
    page = param.Integer(default=1, bounds=(1, None), doc="Page, counted from 1.")
    among: Any = param.Selector(default="sweep", objects=list(AMONG.values()))
    selected = param.Boolean(default=False, doc="Whether only selected points are listed.")


class TablePanel(Panel):
    """The table with its controls."""

    name = "table"
    tab = "Table"
    label = "table of points"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._state = TableState()
        self.bind(
            self._state,
            among=small(pn.widgets.Select(label="points of", options=AMONG), 150),
            columns=small(pn.widgets.MultiSelect(label="variables", size=4), 250),
            selected=pn.widgets.Checkbox(label="only selected points"),
        )
        self.controls.extend([self._download(kind) for kind in ("csv", "parquet")])
        self._table = click_table()
        self._table.param.watch(self._clicked, "sent")
        self.body.objects = [self._table]
        self._listing: Listing | None = None
        self._read: tuple[Any, Any] | None = None

    def load(self, shown: Shown) -> Listing:
        state, sheet = self._state, shown.sheet
        variables = [*of_points(sheet), *_variables(sheet, state.columns)]
        at = shown.picture.elsewhere if state.among == "map" else {}
        key = (sheet, tuple(variables), at, self.context.view.selected)
        if self._read is None or self._read[0] != key:
            points = load_points(sheet, variables, at=at, selected=self.context.view.selected)
            self._read = (key, points)
        points = self._read[1]
        columns = (*sheet.dims, *variables, "status")
        by = state.by if state.by in columns else ""
        return listing(
            points, columns, by=by, descending=state.descending, selected_only=state.selected
        )

    def show(self, shown: Shown, found: Listing) -> None:
        self._listing = found
        sheet, state = shown.sheet, self._state
        with param.discard_events(state):
            by = state.by if state.by in found.columns else ""
            state.param.update(
                columns=_variables(sheet, state.columns), by=by, page=min(state.page, found.pages)
            )
        self._bound.refresh({"columns": {visible(name): name for name in sheet.all_variables}})
        self._table.content = self._content(sheet, found)
        points = found.points
        count = f"{len(found.order):,} of {points.total:,} points"
        hidden = points.total - points.met
        self.say(
            count,
            f"{hidden:,} do not meet the condition" if hidden else "",
            beside_note(points),
            "click a heading to sort, a row's number to choose its point; the files hold all rows",
        )

    def _content(self, sheet: Sheet, found: Listing) -> dict[str, Any]:
        page, first = self._state.page, (self._state.page - 1) * ROWS
        rows = []
        numbered = zip(found.rows(page - 1), found.texts(page - 1), strict=True)
        for i, (row, texts) in enumerate(numbered, first + 1):
            number = cell(f"{i:,}", send=f"row {row}", label=f"choose the point of row {i}")
            rows.append([number, *map(cell, texts)])
        turns = {"first": 1, "previous": page - 1, "next": page + 1, "last": found.pages}
        foot = [
            cell(word, send=f"page {to}", disabled=to == page or not 1 <= to <= found.pages)
            for word, to in turns.items()
        ]
        return {
            "head": [cell("row"), *(self._head(sheet, name) for name in found.columns)],
            "rows": rows,
            "foot": [*foot, cell(f" page {page:,} of {found.pages:,}")],
        }

    def _head(self, sheet: Sheet, name: str) -> Cell:
        state = self._state
        text, about = "status", "whether the values are certified"
        if name != "status":
            array = array_of(sheet, name)
            text, about = with_unit(array), f"{name}: {explanation(array)}"
        order, sign = "", ""
        if name == state.by:
            order = "descending" if state.descending else "ascending"
            sign = " ▼" if state.descending else " ▲"
        return cell(text + sign, send=f"sort {name}", title=about, sort=order)

    def _clicked(self, event: Any) -> None:
        word, what, _ = str(event.new).split(" ", 2)
        state = self._state
        if word == "sort" and self._listing is not None and what in self._listing.columns:
            turned = what == state.by and not state.descending
            state.param.update(by=what, descending=turned, page=1)
        elif word == "page":
            state.page = int(what)
        elif word == "row" and self._listing is not None:
            self.context.pick(self._listing.points.at(int(what)))

    def _download(self, kind: Literal["csv", "parquet"]) -> pn.widgets.FileDownload:
        return pn.widgets.FileDownload(
            callback=partial(self._file, kind),
            filename=f"points.{kind}",
            label={"csv": "CSV", "parquet": "Parquet"}[kind],
            width=110,
        )

    async def _file(self, kind: Literal["csv", "parquet"]) -> Any:
        """The file, written in a thread: that of a million points takes seconds."""
        if self._listing is None:
            raise InvalidInput("there are no points to save yet: wait until the table is shown")
        return await asyncio.to_thread(file, self._listing, kind)


def _variables(sheet: Sheet, wanted: list[str]) -> list[str]:
    """Those of the wanted variables that there are, else the first of the sweep."""
    known = sheet.all_variables
    return [name for name in wanted if name in known] or known[:FIRST_COLUMNS]
