"""Experiments: labelled sweeps, lazy blocks, a Zarr store that runs can be resumed in.

``Sweep`` says what to compute, ``dataset`` gives its lazy labelled view, ``run`` completes it in
a store, ``open`` lists what a store holds.
"""

from catalog.archive import zip_store
from catalog.catalogue import Catalogue, Entry
from catalog.catalogue import Catalogue as open
from catalog.export import export
from catalog.lazy import dataset
from catalog.plan import Plan, plan
from catalog.point import Point
from catalog.profile import Profile, read_profile
from catalog.repair import Report, check, repair
from catalog.run import RunStopped, run
from catalog.select import select
from catalog.store import Block, StoredSweep
from catalog.structure import OlderSolver, create_or_open, find_stored
from catalog.sweep import Sweep
from catalog.sweepfile import find_sweep, presets, read_sweep, sweep_from_toml
from catalog.table import table
from catalog.where import where_expression

__all__ = [
    "Block",
    "Catalogue",
    "Entry",
    "OlderSolver",
    "Plan",
    "Point",
    "Profile",
    "Report",
    "RunStopped",
    "StoredSweep",
    "Sweep",
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
