"""Functions of the package whose arguments are checked when they are called from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np  # noqa: F401 - the examples of docstrings use it
import xarray as xr

from catalog.arguments import Check, a_flag, a_location, a_path, checked, instance, optional
from catalog.reading import export as _export
from catalog.reading import lazy as _lazy
from catalog.reading import table as _table
from catalog.store import extend as _extend
from catalog.sweeps.argument import a_sweep

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _public(function: Callable[_P, _R], **checks: Check) -> Callable[_P, _R]:
    """The function as outside calls find it, its arguments checked."""
    found = checked(**checks)(function)
    found.__module__ = __name__  # where pickle looks for it
    return found


_ds = instance(xr.Dataset, "give a Dataset, such as dataset(sweep)")
_data = instance(xr.Dataset, "give a Dataset, such as dataset(sweep)", xr.DataArray)

create_or_open = _public(_extend.create_or_open, location=a_location, sweep=a_sweep)
dataset = _public(_lazy.dataset, sweep=a_sweep, store=optional(a_location))
export = _public(_export.export, ds=_data, path=a_path, overwrite=a_flag)
find_stored = _public(_extend.find_stored, location=a_location, sweep=a_sweep)
table = _public(_table.table, ds=_ds, computed_only=optional(a_flag))
