"""The check that an argument is a sweep."""

from catalog.arguments import instance
from catalog.sweeps.sweep import Sweep

a_sweep = instance(Sweep, "build one with Sweep(...) or read_sweep(path)")
