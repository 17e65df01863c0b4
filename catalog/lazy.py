"""The lazy Dataset of a sweep: each chunk is a dask task that reads its block or solves it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize

from catalog.blocks import Arrays, array_dtype, solve_block
from catalog.dataset import labelled
from catalog.store import SweepStore, create_or_open
from catalog.sweep import Index, Sweep


def dataset(sweep: Sweep, store: str | Path | None = None) -> xr.Dataset:
    """Lazy, labelled Dataset of a sweep.

    Nothing is computed until values are asked for; then a selection solves just the blocks that
    it touches.  With a store, solved blocks are kept and stored ones are read.

    Parameters
    ----------
    sweep : Sweep
    store : path, optional
        Directory of a Zarr store; its template is written if it is not there yet.

    Raises
    ------
    InvalidInput
        If the store holds another sweep under that name.

    Examples
    --------
    >>> from catalog import Sweep
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4]}, scaling="high-temperature", fixed=dict(
    ...     E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001))
    >>> float(dataset(sweep).constancy.sel(N=2).round(8))
    1.00004932
    """
    source = create_or_open(store, sweep) if store is not None else None
    token = tokenize(sweep.key(), str(store) if store is not None else None)
    chunks = tuple(
        tuple(min(step, length - start) for start in range(0, length, step))
        for step, length in ((sweep.blocks[dim], len(sweep.axes[dim])) for dim in sweep.dims)
    )
    # One abstract layer of blocks, each a dictionary of arrays, and one of look-ups a variable:
    # the graph of a large sweep costs nothing until a selection has cut it down.
    blocks = da.map_blocks(
        partial(_block, sweep, source),
        chunks=chunks,
        dtype=object,
        meta=np.empty((0,) * len(chunks), dtype=object),
        name=f"block-{token}",
    )
    arrays = {
        name: da.map_blocks(
            _lookup,
            blocks,
            variable=name,
            dtype=array_dtype(name),
            meta=np.empty((0,) * len(chunks), dtype=array_dtype(name)),
            name=f"{name}-{token}",
        )
        for name in sweep.arrays
    }
    return labelled(sweep, arrays)


def _block(sweep: Sweep, store: SweepStore | None, block_id: Index) -> Arrays:
    return solve_block(sweep, block_id) if store is None else store.read_or_solve(block_id)


def _lookup(block: Arrays, variable: str) -> np.ndarray:
    return block[variable]
