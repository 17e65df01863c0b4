"""How names, units and numbers are written for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import xarray as xr

from catalog.heat_engine.terms import VOCABULARY

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def symbol(name: str) -> str:
    """Symbol of a name of the heat engine, else the name itself; for use without an array.

    >>> symbol("delta_E"), symbol("wall_time"), symbol("solver")
    ('ΔE', 'wall time', 'solver')
    """
    term = VOCABULARY.get(name)
    return (term.symbol if term else "") or name.replace("_", " ")


def symbol_of(data: xr.DataArray) -> str:
    """Symbol of an array: its own attribute, else the vocabulary's."""
    return str(data.attrs.get("symbol") or symbol(str(data.name)))


def unit(units: str) -> str:
    """Unit as a person writes it; nothing where the sweep does not name its unit of energy.

    >>> unit("omega_0^2"), unit("E_1"), unit("1"), unit("nat"), unit("energy^2")
    ('ω₀²', 'E₁', '', 'nat', '')
    """
    base, _, power = units.partition("^")
    if base == "energy":
        return ""
    base = "" if base == "1" else VOCABULARY[base].symbol if base in VOCABULARY else base
    return base + power.translate(SUPERSCRIPTS)


def with_unit(data: xr.DataArray) -> str:
    """Symbol and unit of an array, as on an axis: "ΔE [ω₀]"."""
    shown = unit(str(data.attrs.get("units", "1")))
    return f"{symbol_of(data)} [{shown}]" if shown else symbol_of(data)


def number(value: float) -> str:
    """A label, in full.

    >>> number(125.0), number(0.1 + 0.2), number(8)
    ('125', '0.3', '8')
    """
    return f"{value:.12g}"


def figure(value: Any, *, digits: int = 10) -> str:
    """A value in a table.

    >>> figure(1.00004931726), figure(float("nan")), figure("superlu")
    ('1.000049317', 'undefined', 'superlu')
    """
    if isinstance(value, str):
        return value
    return f"{value:.{digits}g}" if math.isfinite(value) else "undefined"


def decade(exponent: int) -> str:
    """A power of ten.

    >>> decade(-3)
    '10⁻³'
    """
    return "10" + str(exponent).translate(SUPERSCRIPTS)


def where(data: xr.Dataset | xr.DataArray, at: Mapping[str, float]) -> str:
    """The labels of a selection: "N = 8, ω₀ = 1 E₁"."""
    texts = []
    for name, value in at.items():
        shown = unit(str(data[name].attrs.get("units", "1"))) if name in data.coords else ""
        mark = symbol_of(data[name]) if name in data.coords else symbol(name)
        own = shown in ("", mark)  # a parameter that is the unit has none
        texts.append(f"{mark} = {number(value)}{'' if own else ' ' + shown}")
    return ", ".join(texts)


def explanation(array: xr.DataArray) -> str:
    """Long name, equation and unit of an array.

    >>> attributes = {"long_name": "power output", "equation": "Eq. 10", "units": "E_1^2"}
    >>> explanation(xr.DataArray(name="power", attrs=attributes))
    'power output; Eq. 10; in E₁²'
    """
    long_name, equation = (str(array.attrs.get(word, "")) for word in ("long_name", "equation"))
    if equation in long_name:
        equation = ""
    shown = unit(str(array.attrs.get("units", "1")))
    in_unit = f"in {shown}" if shown else "without a unit" if "units" in array.attrs else ""
    return "; ".join(filter(None, (long_name or str(array.name), equation, in_unit)))
