"""A Dataset as a store gives it, with holes and failures, made without solving anything."""

from __future__ import annotations

import numpy as np
import xarray as xr

from catalog.sweeps.arrays import empty_arrays, seen_dtype
from catalog.sweeps.dataset import labelled
from ensemble import Status
from tests.catalog.support import tiny_sweep

MESSAGE = 'ValueError: "über", commas, and\na second line'


def sample(*, lazy: bool = False) -> xr.Dataset:
    """The tiny sweep: 12 points, of which 8 ok, 1 uncertified, 1 failed and 2 not computed.

    Points that are not computed fill one block, at N = 2, ΔE = 50 and 125, T̄ = 100.
    """
    grid = tiny_sweep().grid
    arrays = empty_arrays(grid, grid.shape)
    arrays["status"][...] = Status.OK
    arrays["power"][...] = np.arange(12).reshape(grid.shape) / 3 - 1
    arrays["residual"][...] = 1e-14
    arrays["coherence_order"][...] = 3
    arrays["solver"][...] = "superlu"
    arrays["status"][0, 1, 0] = Status.UNCERTIFIED
    arrays["residual"][0, 1, 0] = 2e-8
    arrays["status"][1, 2, 0] = Status.FAILED
    arrays["error"][1, 2, 0] = MESSAGE
    arrays["power"][1, 2, 0] = np.nan
    hole = (1, slice(0, 2), 1)
    for name, array in empty_arrays(grid, (2,)).items():
        arrays[name][hole] = array
    seen = {name: array.astype(seen_dtype(grid.term(name))) for name, array in arrays.items()}
    ds = labelled(grid, seen)
    return ds.chunk(grid.blocks) if lazy else ds
