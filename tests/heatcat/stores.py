"""Stores for the browser's tests: a tiny computed one, and a synthetic one of a million points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import catalog
from catalog.store.part import Manifest
from catalog.store.settle import write_chunk
from catalog.sweeps.arrays import empty_arrays
from catalog.sweeps.sweep import Sweep
from ensemble import Engine, Exact, Solution, Status

FIXED = {"omega_0": 1.0, "E_1": 100.0, "delta_T": 100.0, "Gamma_0": 1.0}
TINY = Sweep(
    name="tiny",
    axes={"N": [1, 2, 3, 4, 6], "delta_E": [50.0, 125.0, 250.0], "T_mean": [60.0, 100.0, 180.0]},
    fixed=FIXED,
    variables=["power", "constancy", "quanta_noise", "efficiency", "cop"],
    energy_unit="omega_0",
)
"""45 engines; at ΔE = 250, T̄ = 100 and elsewhere refrigerators, whose efficiency is undefined."""

MILLION = Sweep(
    name="million",
    axes={
        "N": list(range(1, 11)),
        "delta_E": np.linspace(10, 250, 50).tolist(),
        "T_mean": np.linspace(60, 250, 50).tolist(),
        "omega_0": np.geomspace(0.01, 10, 40).tolist(),
    },
    fixed={name: FIXED[name] for name in ("E_1", "delta_T", "Gamma_0")},
    variables=["power", "constancy"],
    blocks={"N": 1, "delta_E": 10, "T_mean": 10, "omega_0": 10},
)
"""10 × 50 × 50 × 40 engines in 1000 blocks."""


WIDE = Sweep(
    name="wide",
    axes={"delta_E": np.linspace(1, 400, 400).tolist(), "T_mean": [100.0, 150.0, 200.0]},
    fixed={**FIXED, "N": 2},
    variables=["power", "constancy"],
)
"""More labels of ΔE than a map draws before one zooms in."""


def computed(location: Path, sweep: Sweep = TINY) -> xr.Dataset:
    """Compute a sweep into a store and give what is stored, in memory."""
    catalog.run(sweep, location, scheduler="synchronous")
    with xr.open_zarr(str(location), group=sweep.name, consolidated=False) as stored:
        return stored.load()


def half_computed(location: Path) -> Path:
    """A store of which only N = 1 and 2 are computed, and where the solver raised at two points."""
    solve = Exact.solve

    def fails_somewhere(self: Exact, engine: Engine, *rest: object) -> Solution:
        if engine.N == 2 and engine.delta_E > 200 and engine.T_mean < 150:
            raise ValueError("the matrix is singular")
        return solve(self, engine, *rest)  # type: ignore[arg-type]

    sweep = Sweep(
        name="tiny",
        axes=TINY.axes,
        fixed=FIXED,
        method=Exact(solver="superlu"),  # one by one
        variables=["power", "constancy"],
        energy_unit="omega_0",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exact, "solve", fails_somewhere)
        catalog.dataset(sweep, location).sel(N=[1, 2]).compute(scheduler="synchronous")
    return location


def synthetic(location: Path, sweep: Sweep = MILLION) -> None:
    """Write numbers into every array of a sweep at once, as no solver could."""
    (part,) = catalog.create_or_open(location, sweep).parts
    power = synthetic_power(sweep)
    grid = part.grid
    for chunk in grid.chunk_indices():
        where = grid.chunk_slices(chunk)
        arrays = empty_arrays(grid, tuple(piece.stop - piece.start for piece in where))
        arrays["power"][...] = power[where]
        arrays["constancy"][...] = 1 + np.tanh(power[where]) / 2
        arrays["status"][...] = Status.OK
        blocks = frozenset(grid.blocks_of(chunk))
        write_chunk(part, chunk, Manifest(frozenset(), {}), blocks, arrays)


def synthetic_power(sweep: Sweep = MILLION) -> np.ndarray:
    """A number for every point: no two alike."""
    grids = np.meshgrid(*(np.asarray(axis) for axis in sweep.axes.values()), indexing="ij")
    at = {**sweep.fixed, **dict(zip(sweep.dims, grids, strict=True))}
    return at["N"] * (1.0 - at["delta_E"] * (at["T_mean"] - 50) / 1e4) * np.sqrt(at["omega_0"])
