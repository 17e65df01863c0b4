"""Experiments: labelled sweeps, lazy blocks, a Zarr store that runs can be resumed in.

``Sweep`` says what to compute, ``dataset`` gives its lazy labelled view, ``run`` completes it in
a store, ``open`` lists what a store holds.

Calls from outside come in here: the types of their arguments are checked, and paths may begin with
``~``.  The modules of the package rely on that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np  # noqa: F401 - the examples of docstrings use it
import xarray as xr

from catalog.arguments import (
    Check,
    a_callable,
    a_count,
    a_flag,
    a_location,
    a_path,
    a_scheduler,
    checked,
    instance,
    optional,
)
from catalog.catalogue import Catalogue, Entry
from catalog.names.select import select
from catalog.names.where import where_expression
from catalog.reading.export import export as _export
from catalog.reading.lazy import dataset as _dataset
from catalog.reading.point import Point
from catalog.reading.table import table as _table
from catalog.running.plan import Plan
from catalog.running.plan import plan as _plan
from catalog.running.profile import Profile
from catalog.running.profile_file import read_profile
from catalog.running.progress import Progress, RunState, a_progress
from catalog.running.run import run as _run
from catalog.running.stopped import RunStopped
from catalog.store.archive import zip_store as _zip_store
from catalog.store.extend import OlderSolver, SweepLeftOut
from catalog.store.extend import create_or_open as _create_or_open
from catalog.store.extend import find_stored as _find_stored
from catalog.store.repair import Report
from catalog.store.repair import check as _check
from catalog.store.repair import repair as _repair
from catalog.store.stored import Block, StoredSweep
from catalog.sweeps.files import find_sweep, presets, read_sweep, sweep_from_toml
from catalog.sweeps.sweep import Sweep

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _public(function: Callable[_P, _R], **checks: Check) -> Callable[_P, _R]:
    """The function as outside calls find it, its arguments checked."""
    found = checked(**checks)(function)
    found.__module__ = __name__  # where pickle looks for it
    return found


_sweep = instance(Sweep, "build one with Sweep(...) or read_sweep(path)")
_stored = instance(StoredSweep, "get one from find_stored or open")
_ds = instance(xr.Dataset, "give a Dataset, such as dataset(sweep)")
_data = instance(xr.Dataset, "give a Dataset, such as dataset(sweep)", xr.DataArray)

check = _public(_check, location=a_location)
create_or_open = _public(_create_or_open, location=a_location, sweep=_sweep)
dataset = _public(_dataset, sweep=_sweep, store=optional(a_location))
export = _public(_export, ds=_data, path=a_path, overwrite=a_flag)
find_stored = _public(_find_stored, location=a_location, sweep=_sweep)
plan = _public(_plan, sweep=_sweep, stored=optional(_stored))
repair = _public(_repair, location=a_location)
run = _public(
    _run,
    sweep=_sweep,
    store=a_location,
    scheduler=a_scheduler,
    workers=optional(a_count),
    on_block=optional(a_callable),
    progress=optional(a_progress),
)
table = _public(_table, ds=_ds, computed_only=optional(a_flag))
zip_store = _public(_zip_store, location=a_location, path=a_path, overwrite=a_flag)


def open(location: str | Path) -> Catalogue:
    """What a store holds: its sweeps by name.

    Parameters
    ----------
    location : path or URL
        A Zarr store, or a Zip archive of one.

    Raises
    ------
    InvalidInput
        If there is no store, or no sweep in it.
    """
    return Catalogue(a_location("location", location))


__all__ = [
    "Block",
    "Catalogue",
    "Entry",
    "OlderSolver",
    "Plan",
    "Point",
    "Profile",
    "Progress",
    "Report",
    "RunState",
    "RunStopped",
    "StoredSweep",
    "Sweep",
    "SweepLeftOut",
    "check",
    "create_or_open",
    "dataset",
    "export",
    "find_stored",
    "find_sweep",
    "open",
    "plan",
    "presets",
    "read_profile",
    "read_sweep",
    "repair",
    "run",
    "select",
    "sweep_from_toml",
    "table",
    "where_expression",
    "zip_store",
]
