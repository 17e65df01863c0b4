"""Experiments: labelled sweeps, lazy Datasets, and a Zarr store in which runs can be resumed.

``Sweep`` says what to compute, ``dataset`` gives its lazy labelled view, ``run`` completes it in
a store, ``open`` lists what a store holds.

The types of the arguments of these functions are checked, and paths may begin with ``~``.
"""

from typing import TYPE_CHECKING, Any

__all__ = [
    "Block",
    "Catalogue",
    "Cost",
    "Derived",
    "Diagnostic",
    "Entry",
    "HeatEngine",
    "Index",
    "InvalidInput",
    "Model",
    "OlderSolver",
    "Parameter",
    "Plan",
    "Point",
    "Profile",
    "Progress",
    "Report",
    "RunState",
    "RunStopped",
    "Solution",
    "Status",
    "StoredSweep",
    "Sweep",
    "SweepLeftOut",
    "Term",
    "Timed",
    "Variable",
    "check",
    "compact",
    "copy",
    "create_or_open",
    "dataset",
    "delete",
    "export",
    "find_stored",
    "find_sweep",
    "model",
    "open",
    "plan",
    "plan_compaction",
    "presets",
    "read_profile",
    "read_sweep",
    "rename",
    "repair",
    "run",
    "select",
    "sweep_from_toml",
    "table",
    "where_expression",
    "zip_store",
]

if TYPE_CHECKING:
    from catalog.catalogue import Catalogue, Entry, open
    from catalog.heat_engine.model import HeatEngine
    from catalog.models.contract import Cost, Model, Timed
    from catalog.models.function import model
    from catalog.names.select import select
    from catalog.names.term import Derived, Diagnostic, Index, Parameter, Term, Variable
    from catalog.names.where import where_expression
    from catalog.reading.export import export
    from catalog.reading.lazy import dataset
    from catalog.reading.point import Point
    from catalog.reading.table import table
    from catalog.running.plan import Plan, plan
    from catalog.running.profile import Profile
    from catalog.running.profile_file import read_profile
    from catalog.running.progress import Progress, RunState
    from catalog.running.run import run
    from catalog.running.stopped import RunStopped
    from catalog.store.archive import zip_store
    from catalog.store.compact import compact, plan_compaction
    from catalog.store.copy_sweep import copy
    from catalog.store.delete import delete
    from catalog.store.extend import create_or_open, find_stored
    from catalog.store.notices import OlderSolver, SweepLeftOut
    from catalog.store.rename import rename
    from catalog.store.repair import Report, check, repair
    from catalog.store.stored import Block, StoredSweep
    from catalog.sweeps.files import find_sweep, presets, read_sweep, sweep_from_toml
    from catalog.sweeps.sweep import Sweep
    from ensemble import InvalidInput, Solution, Status
else:
    import importlib

    _NAMES_OF = {
        "catalog.catalogue": "Catalogue Entry open",
        "catalog.heat_engine.model": "HeatEngine",
        "catalog.models.contract": "Cost Model Timed",
        "catalog.models.function": "model",
        "catalog.names.select": "select",
        "catalog.names.term": "Derived Diagnostic Index Parameter Term Variable",
        "catalog.names.where": "where_expression",
        "catalog.reading.export": "export",
        "catalog.reading.lazy": "dataset",
        "catalog.reading.point": "Point",
        "catalog.reading.table": "table",
        "catalog.running.plan": "Plan plan",
        "catalog.running.profile": "Profile",
        "catalog.running.profile_file": "read_profile",
        "catalog.running.progress": "Progress RunState",
        "catalog.running.run": "run",
        "catalog.running.stopped": "RunStopped",
        "catalog.store.archive": "zip_store",
        "catalog.store.compact": "compact plan_compaction",
        "catalog.store.copy_sweep": "copy",
        "catalog.store.delete": "delete",
        "catalog.store.extend": "create_or_open find_stored",
        "catalog.store.notices": "OlderSolver SweepLeftOut",
        "catalog.store.rename": "rename",
        "catalog.store.repair": "Report check repair",
        "catalog.store.stored": "Block StoredSweep",
        "catalog.sweeps.files": "find_sweep presets read_sweep sweep_from_toml",
        "catalog.sweeps.sweep": "Sweep",
        "ensemble": "InvalidInput Solution Status",
    }
    """By module, the names that it defines; it is imported when one of them is first used."""
    _HOME = {name: module for module, names in _NAMES_OF.items() for name in names.split()}

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = found  # Python then no longer calls this function for the name
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
