"""Solve one block: the unit of work, of storage and of resumption."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from catalog.names.vocabulary import VOCABULARY
from catalog.sweeps.sweep import Index, Sweep
from ensemble import Engine, Solution, Status
from ensemble.method import attempt

Arrays = dict[str, NDArray]

TEXT = np.dtype("O", metadata={"vlen": str})
"""Objects that are text, as xarray and h5py mark them."""
MOST_TEXT = 2**14
"""Characters of text that a point may hold, so that nothing that is read can be without bound."""


def empty_arrays(
    sweep: Sweep, shape: tuple[int, ...], names: Iterable[str] | None = None
) -> Arrays:
    """Arrays of a sweep, all or some, on a grid of this shape, filled with "not computed"."""
    return {
        name: np.full(shape, VOCABULARY[name].fill, dtype=array_dtype(name))
        for name in (sweep.arrays if names is None else names)
    }


def array_dtype(name: str) -> np.dtype:
    """NumPy dtype of an array; text has variable length."""
    dtype = VOCABULARY[name].dtype
    return np.dtypes.StringDType() if dtype == "str" else np.dtype(dtype)


def seen_dtype(name: str) -> np.dtype:
    """NumPy dtype of an array in a labelled Dataset: text as objects.

    xarray's ``where`` and alignment have no fill for text of variable length.  That the objects are
    text is said in the dtype, so that xarray need not look at them to write them.
    """
    return TEXT if VOCABULARY[name].dtype == "str" else array_dtype(name)


def solve_block(sweep: Sweep, index: Index) -> Arrays:
    """Solve every point of a block.

    A point that raises becomes a status with message, input and traceback; it never ends the
    sweep.

    Returns
    -------
    dict of ndarray
        One array of the block's shape for each of ``sweep.arrays``.
    """
    shape = tuple(part.stop - part.start for part in sweep.block_slices(index))
    arrays = empty_arrays(sweep, shape)
    with _single_threaded_blas():
        for position, engine in sweep.engines(index):
            start = time.perf_counter()
            solution = attempt(sweep.method, engine, sweep.variables)
            arrays["status"][position] = solution.status
            arrays["error"][position] = bounded(solution.message)
            if solution.status == Status.FAILED:
                arrays["failure"][position] = _failure(sweep, engine, solution)
            for name, value in (*solution.values.items(), *solution.diagnostics.items()):
                arrays[name][position] = value
            arrays["wall_time"][position] = time.perf_counter() - start
    return arrays


def bounded(text: str, most: int = MOST_TEXT) -> str:
    """A text of at most so many characters; the middle of a longer one is left out, and it says so.

    >>> bounded("0123456789" * 10, 60)
    '01234 (60 characters at most; here is a gap of 90) 56789'
    """
    if len(text) <= most:
        return text
    kept = most - 50
    head = kept // 2
    gap = f" ({most} characters at most; here is a gap of {len(text) - kept}) "
    return text[:head] + gap + text[len(text) - (kept - head) :]


def _failure(sweep: Sweep, engine: Engine, solution: Solution) -> str:
    """All that it takes to see the failure again."""
    record = {
        "engine": {f.name: getattr(engine, f.name) for f in fields(engine) if f.init},
        "method": {"name": sweep.method.name, **asdict(sweep.method)},
        "variables": list(sweep.variables),
        "traceback": bounded(solution.traceback, MOST_TEXT // 2),
    }
    return json.dumps(record, ensure_ascii=False)


_blas_lock = threading.Lock()
_blas_users = 0
_blas_limits = None


@contextmanager
def _single_threaded_blas() -> Iterator[None]:
    """Keep BLAS to one thread while any block of this process is being solved.

    Blocks already run side by side, and a reduction split over another number of threads would
    round differently.  The limit is global to the process, hence the count of its users.
    """
    global _blas_users, _blas_limits
    with _blas_lock:
        if _blas_users == 0:
            _blas_limits = ThreadpoolController().limit(limits=1, user_api="blas")
        _blas_users += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_users -= 1
            if _blas_users == 0 and _blas_limits is not None:
                _blas_limits.restore_original_limits()
                _blas_limits = None
