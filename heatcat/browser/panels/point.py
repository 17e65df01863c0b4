"""One engine of a sweep in full: parameters, values, diagnostics, and the error if it failed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
import panel as pn
import xarray as xr

from catalog.names.described import role, whole_numbers
from catalog.names.fills import restored
from catalog.reading.point import parsed
from ensemble import Status
from heatcat.browser.shown import escape
from heatcat.browser.shown.labels import explanation, figure, number, symbol_of, unit
from heatcat.browser.shown.sheet import Sheet, in_order
from heatcat.browser.state.section import Context, Section, Shown, alert_html

Row = tuple[str, str, str, str, str]
"""Name, symbol, number and unit, as the page shows them, and what the pointer says of the name."""


ON_GRID = "This point lies beside the grid: sliders and slices are those of the nearest cell."


@dataclass(frozen=True)
class Point:
    """Everything that is stored of one engine, ready to be shown."""

    status: Status | None
    error: str
    parameters: tuple[Row, ...]
    values: tuple[Row, ...]
    diagnostics: tuple[Row, ...]
    numbers: dict[str, float]
    """The same values by name, as numbers."""
    traceback: str = ""
    """Where the solve of a failed point raised."""


def load_point(sheet: Sheet, at: Mapping[str, float], *, derived: Iterable[str] = ()) -> Point:
    """Read one point: one chunk of every array.

    Parameters
    ----------
    sheet : Sheet
    at : mapping of str to number
        A label of every dimension.
    derived : iterable of str
        Derived variables to add, such as the one on the map.
    """
    (stored,) = dask.compute(sheet.stored(at))
    stored = restored(stored)
    code = Status(int(stored["status"])) if "status" in stored else None
    arrays = [stored[name] for name in in_order(stored) if name not in ("status", "error")]
    arrays = [array for array in arrays if not array.ndim]  # without curves
    kinds = {str(array.name): role(stored, str(array.name)) for array in arrays}
    values = [array for array in arrays if kinds[str(array.name)] != "diagnostic"]
    # Beside the grid there are no other points with the same labels to derive a variable from.
    missing = [] if sheet.is_scattered(at) else [name for name in derived if name not in stored]
    extra = [sheet.select(name, at) for name in missing]
    computed = code is not Status.NOT_COMPUTED
    found = (*values, *dask.compute(*extra)) if computed else ()
    failure = parsed(str(stored["failure"].item())) if "failure" in stored else None
    return Point(
        status=code,
        error=str(stored["error"].item()) if "error" in stored else "",
        parameters=tuple(_parameters(sheet, stored)),
        values=tuple(_row(array, code) for array in found),
        diagnostics=tuple(
            _row(array)
            for array in arrays
            if computed
            and kinds[str(array.name)] == "diagnostic"
            and array.name != "failure"
            and _filled(array)
        ),
        numbers={str(array.name): float(array) for array in found if array.dtype.kind in "iufb"},
        traceback=str(failure.get("traceback", "")) if failure else "",
    )


def as_html(point: Point) -> str:
    """Tables for the page."""
    kind = "unknown" if point.status is None else point.status.label
    said = f": {escape.html(point.error)}" if point.error else ""
    parts = [f'<p class="status" data-status="{kind}">status: <b>{kind}</b>{said}</p>']
    if point.traceback:
        parts.append(
            "<details><summary>traceback</summary>"
            f'<pre tabindex="0">{_lines(point.traceback)}</pre></details>'
        )
    if point.status is Status.NOT_COMPUTED:
        parts.append("<p>Nothing is stored here yet.</p>")
    sections = (
        ("parameters", point.parameters),
        ("values", point.values),
        ("diagnostics", point.diagnostics),
    )
    parts += [_table(heading, rows) for heading, rows in sections if rows]
    return f'<div class="point">{"".join(parts)}</div>'


def _table(heading: str, rows: Iterable[Row]) -> str:
    body = "".join(
        f'<tr data-name="{escape.html(name)}"><th scope="row" title="{escape.html(about)}">'
        f'{named(name, mark)}</th><td class="number">{escape.html(text)}</td>'
        f"<td>{escape.html(units)}</td></tr>"
        for name, mark, text, units, about in rows
    )
    return f"<table><caption>{heading}</caption><tbody>{body}</tbody></table>"


def compared(first: Point, second: Point, names: tuple[str, str]) -> str:
    """Table of the values of two points side by side, with difference and ratio."""
    rows = []
    for name, mark, _, units, about in first.values:
        here, there = first.numbers.get(name), second.numbers.get(name)
        if here is None or there is None:
            continue
        ratio = here / there if there else math.nan
        texts = [figure(value, digits=6) for value in (here, there, here - there, ratio)]
        cells = "".join(f'<td class="number">{escape.html(cell)}</td>' for cell in texts)
        rows.append(
            f'<tr data-name="{escape.html(name)}"><th scope="row" title="{escape.html(about)}">'
            f"{named(name, mark)}</th>{cells}<td>{escape.html(units)}</td></tr>"
        )
    heads = "".join(f"<th>{escape.html(n)}</th>" for n in (*names, "difference", "ratio"))
    return (
        '<div class="point both"><table><caption>both sweeps at this cell</caption>'
        f"<thead><tr><th></th>{heads}<th></th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _lines(text: str) -> str:
    """Several lines of text as HTML."""
    return "\n".join(map(escape.html, text.splitlines()))


def named(name: str, mark: str) -> str:
    """A name and its symbol as HTML; long names may break at their underscores."""
    text = escape.html(name).replace("_", "_<wbr>")
    return f"{text} <i>{escape.html(mark)}</i>" if mark and mark != name else text


def _parameters(sheet: Sheet, stored: xr.Dataset) -> Iterable[Row]:
    fixed = sheet.fixed()
    of_point = [  # those of a scattered point
        name
        for name in map(str, stored.coords)
        if role(stored, name) == "parameter" and name not in {*sheet.dims, *fixed}
    ]
    for name, value in itertools.chain(
        ((name, float(stored[name])) for name in (*sheet.dims, *of_point)), fixed.items()
    ):
        coordinate = stored[name]
        shown = unit(str(coordinate.attrs.get("units", "1")))
        yield name, symbol_of(coordinate), number(value), shown, explanation(coordinate)
    for name in ("scaling", "method", "model"):
        if name in stored.attrs:
            yield name, "", str(stored.attrs[name]), "", ""


def _row(array: xr.DataArray, status: Status | None = None) -> Row:
    value = array.item()
    mark = str(array.attrs.get("symbol", ""))
    text = figure(value)
    if status is Status.FAILED and text == figure(math.nan):
        text = status.label
    shown = unit(str(array.attrs.get("units", "1")))
    return str(array.name), mark, text, shown, explanation(array)


def _filled(array: xr.DataArray) -> bool:
    """Whether a diagnostic applies here: those of other methods hold their fill value."""
    value: Any = array.item()
    stored = whole_numbers(str(array.name), array.attrs)
    if value == "" or (stored is not None and value == stored.fill):
        return False
    return not (isinstance(value, float) and np.isnan(value))


class PointSection(Section):
    """The chosen engine in full, beside the map."""

    name = "point"
    label = "chosen engine"
    group = "maps"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._html = pn.pane.HTML("", sizing_mode="stretch_width")
        self.layout = pn.Column(
            self._html,
            styles={"flex": "1 1 320px", "min-width": "0", "max-height": "470px"},
            scroll="y-auto",
        )

    def load(self, shown: Shown) -> str:
        sheet, picture = shown.sheet, shown.picture
        derived = [] if picture.variable in sheet.data else [picture.variable]
        point = load_point(sheet, picture.chosen, derived=derived)
        html = as_html(point)
        if picture.off_grid:
            html = f"<p>{ON_GRID}</p>{html}"
        if isinstance(shown.beside, tuple) and shown.beside[0].name != sheet.name:
            other, there = shown.beside
            names = (sheet.name, other.name)
            html = compared(point, load_point(other, there.at), names) + html
        return html

    def show(self, shown: Shown, found: str) -> None:
        self._html.object = found

    def complain(self, message: str) -> None:
        self._html.object = alert_html(message)
