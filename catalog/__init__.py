"""Experiments: labelled sweeps, lazy blocks, a Zarr store that runs can be resumed in.

``Sweep`` says what to compute, ``dataset`` gives its lazy labelled view, ``run`` completes it in
a store, ``open`` lists what a store holds.
"""

from catalog.cost import Plan, plan
from catalog.lazy import dataset
from catalog.profile import Profile, read_profile
from catalog.run import RunStopped, run
from catalog.store import SweepStore, create_or_open, find_stored
from catalog.store import open_stores as open
from catalog.sweep import Sweep
from catalog.sweepfile import find_sweep, presets, read_sweep, sweep_from_toml

__all__ = [
    "Plan",
    "Profile",
    "RunStopped",
    "Sweep",
    "SweepStore",
    "create_or_open",
    "dataset",
    "find_stored",
    "find_sweep",
    "open",
    "plan",
    "presets",
    "read_profile",
    "read_sweep",
    "run",
    "sweep_from_toml",
]
