"""Roles, symbols and fills of the arrays of a Dataset, as their attributes state them.

The labelled arrays of a sweep carry this as attributes, so that queries, tables and files need no
model.  Where xarray has dropped the attributes, arrays are recognised by their names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from catalog.arguments import shown
from catalog.names.suggestion import suggestion
from catalog.names.term import STATUS
from catalog.names.vocabulary import OWN, POINT, folded
from ensemble import InvalidInput


def role(ds: xr.Dataset, name: str) -> str:
    """What an array is: "index", "parameter", "derived", "variable" or "diagnostic"."""
    said = ds.variables[name].attrs.get("role") if name in ds.variables else None
    if said in ("index", "parameter", "derived", "variable", "diagnostic"):
        return str(said)
    if name in OWN:
        return OWN[name].kind
    return "parameter" if name in ds.coords or name in ds.dims else "variable"


def without_derived(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset without coordinates that follow from its parameters.

    xarray refuses to merge, and asks how to concatenate, Datasets whose coordinates differ: these
    differ wherever a parameter does.
    """
    return ds.drop_vars([name for name in ds.coords if role(ds, str(name)) == "derived"])


def inner_dims(ds: xr.Dataset) -> list[str]:
    """Dimensions that variables have of their own, beside those of the points."""
    return [
        str(dim)
        for dim in ds.sizes
        if dim != POINT and dim in ds.coords and role(ds, str(dim)) == "index"
    ]


def symbol(array: xr.DataArray | xr.Variable, name: str) -> str:
    """The symbol of an array, or its name."""
    said = array.attrs.get("symbol")
    return said if isinstance(said, str) and said else name


class WholeNumbers(NamedTuple):
    """How whole numbers are stored: their type, and the value where nothing was computed."""

    dtype: np.dtype
    fill: int


def whole_numbers(name: str, attributes: Mapping[Any, Any]) -> WholeNumbers | None:
    """How an array of whole numbers is stored; None if it is no such array, or does not say."""
    if name in OWN and name != STATUS and OWN[name].whole:
        return WholeNumbers(np.dtype(OWN[name].dtype), int(OWN[name].fill_value))
    said, fill = attributes.get("number_type"), attributes.get("not_computed")
    if said not in ("int8", "int16", "int32", "int64") or not isinstance(fill, int | np.integer):
        return None
    return WholeNumbers(np.dtype(str(said)), int(fill))


def symbols(ds: xr.Dataset) -> dict[str, str]:
    """Names of the arrays by their symbols, as far as these are of one array.

    Symbols of parameters are understood in every way to type them, ω0 for ω₀.
    """
    found: dict[str, set[str]] = {}
    for name, variable in ds.variables.items():
        said = variable.attrs.get("symbol")
        if not isinstance(said, str) or not said.strip():
            continue
        keys = {plain(said.strip())}
        if role(ds, str(name)) == "parameter":
            keys.add(folded(said))
        for key in keys:
            found.setdefault(key, set()).add(str(name))
    return {
        key: next(iter(names))
        for key, names in found.items()
        if len(names) == 1 and key not in ds.variables
    }


def name_of(known: Mapping[str, str], text: str) -> str | None:
    """The array that a symbol stands for, by `symbols`."""
    return known.get(plain(text.strip())) or known.get(folded(text))


def coordinate_name(ds: xr.Dataset, text: object) -> str:
    """Name of a coordinate given by name or symbol.

    Raises
    ------
    InvalidInput
        If the Dataset has none; the message suggests the nearest.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"a parameter is named by text, not {shown(text)}: write e.g. 'N'")
    if text in ds.coords:
        return text
    name = name_of(symbols(ds), text)
    if name is not None and name in ds.coords:
        return name
    known = [str(coordinate) for coordinate in ds.coords]
    raise InvalidInput(f"the dataset has no parameter {shown(text)}{suggestion(text, known)}")


def plain(text: str) -> str:
    """A text with accents in one form, so that equal ones are equal."""
    return unicodedata.normalize("NFC", text)
