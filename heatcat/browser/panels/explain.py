"""What all variables and parameters of a sweep are: long name, equation, unit."""

from __future__ import annotations

from collections.abc import Iterable

import xarray as xr

from heatcat.browser.panels.point import named
from heatcat.browser.shown import escape
from heatcat.browser.shown.labels import symbol_of, unit
from heatcat.browser.shown.sheet import Sheet

GROUPS = {"stored": "stored variables", "derived": "variables that follow from the stored ones"}


def array_of(sheet: Sheet, name: str) -> xr.DataArray:
    """A parameter, stored or derived variable with its attributes; nothing is read."""
    if name in sheet.data.variables:
        return sheet.data[name]
    return sheet.select(name, {}).rename(name)


def glossary(sheet: Sheet) -> str:
    """Table of all parameters and variables of a sweep, as HTML."""
    groups = {
        "parameters that are varied": list(sheet.dims),
        "parameters with one value": list(sheet.fixed()),
        **{GROUPS.get(group, group): names for group, names in sheet.variables.items()},
    }
    return "".join(_table(sheet, title, names) for title, names in groups.items() if names)


def _table(sheet: Sheet, title: str, names: Iterable[str]) -> str:
    rows = "".join(_row(array_of(sheet, name)) for name in names)
    heads = "".join(
        f'<th style="text-align:left">{text}</th>'
        for text in ("name", "what it is", "equation", "unit")
    )
    return (
        f"<table><caption>{escape.html(title)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(array: xr.DataArray) -> str:
    texts = [
        str(array.attrs.get("long_name", "")),
        str(array.attrs.get("equation", "")),
        unit(str(array.attrs.get("units", "1"))),
    ]
    cells = "".join(f"<td>{escape.html(text)}</td>" for text in texts)
    return f'<tr><th scope="row">{named(str(array.name), symbol_of(array))}</th>{cells}</tr>'
