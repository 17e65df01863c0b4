"""Solve one block: the unit of work, of storage and of resumption."""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import OpenBLASController, ThreadpoolController

from catalog.arguments import shown
from catalog.models.contract import Model, Point, Timed, pairs
from catalog.names.suggestion import suggestion
from catalog.names.term import Term
from catalog.sweeps.arrays import MOST_TEXT, Arrays, array_dtype, empty_arrays
from catalog.sweeps.grid import Grid, Index
from ensemble import InvalidInput, Solution, Status
from ensemble.solution import failed


def solve_block(grid: Grid, index: Index, model: Model) -> Arrays:
    """Solve every point of a block.

    An exception at a point is stored as the status of the point, with message, input and traceback;
    it never ends the sweep.

    Parameters
    ----------
    grid : Grid
    index : tuple of int
        The block.
    model : Model
        That of the grid, with its code.

    Returns
    -------
    dict of ndarray
        For each of ``grid.arrays`` one of the block's shape, and of the array's inner dimensions.
    """
    positions, points = zip(*grid.block_points(index), strict=True)
    arrays = empty_arrays(grid, grid.shape_of(index))
    declared = _Declared.of(grid, model)
    with _single_threaded_blas():
        for number, solution, seconds in _solved(model, points, grid.variables):
            position = positions[number]
            try:
                values = declared.values(solution)
            except Exception as failure:
                values, solution = {}, failed(failure)
            for name, value in values.items():
                arrays[name][position] = value
            arrays["status"][position] = solution.status
            arrays["error"][position] = bounded(solution.message)
            if solution.status == Status.FAILED:
                arrays["failure"][position] = _failure(grid, model, points[number], solution)
            arrays["wall_time"][position] = seconds
    return arrays


def _solved(
    model: Model, points: Sequence[Point], variables: Sequence[str]
) -> Iterator[tuple[int, Solution, float]]:
    """Solutions with the positions of their points and the times that they took.

    If the model ends before it has solved all points, or raises, the others failed.
    """
    solved, start = 0, time.perf_counter()
    try:
        for number, solution in pairs(points, model.solve(points, variables)):
            now = time.perf_counter()
            timed = solution if isinstance(solution, Timed) else Timed(solution, now - start)
            yield number, timed.solution, timed.seconds
            solved, start = number + 1, now
    except Exception as failure:
        for number in range(solved, len(points)):
            yield number, failed(failure), 0.0


@dataclass(frozen=True)
class _Declared:
    """What a block may be given, looked up once for all of its points.

    Attributes
    ----------
    model : Model
    known : set of str
        Variables and diagnostics of the model.
    required : set of str
        Variables of the sweep.
    terms : mapping of str to Term
        Of the arrays that are stored.
    plain : set of str
        Those of them that take a float as it is.
    """

    model: Model
    known: Set[str]
    required: Set[str]
    terms: Mapping[str, Term]
    plain: Set[str]

    @classmethod
    def of(cls, grid: Grid, model: Model) -> _Declared:
        known = model.vocabulary
        terms = {name: grid.term(name) for name in grid.arrays}
        return cls(
            model,
            frozenset((*known.names("variable"), *known.names("diagnostic"))),
            frozenset(grid.variables),
            terms,
            frozenset(k for k, term in terms.items() if term.dtype == "float64" and not term.dims),
        )

    def values(self, solution: Solution) -> dict[str, Any]:
        """What a solution says of the arrays, in their types.

        Raises
        ------
        InvalidInput
            If a variable is missing or unknown, or is not what its term says.
        """
        given = {**solution.values, **solution.diagnostics}
        if not given.keys() <= self.known:
            name = next(name for name in given if name not in self.known)
            known = self.model.vocabulary
            names = (*known.names("variable"), *known.names("diagnostic"))
            raise InvalidInput(
                f"{self.model.title} gave {shown(name)}, which it does not declare"
                f"{suggestion(name, names)}"
            )
        if not self.required <= given.keys() and solution.status != Status.FAILED:
            missing = [name for name in self.terms if name in self.required and name not in given]
            raise InvalidInput(
                f"{self.model.title} gave no {', '.join(missing)}: return it, NaN where it is "
                "undefined"
            )
        terms, plain = self.terms, self.plain
        return {
            name: value
            if type(value) is float and name in plain
            else as_declared(terms[name], value)
            for name, value in given.items()
            if name in terms
        }


def as_declared(term: Term, value: Any) -> Any:
    """A value in the type and shape that its term declares.

    Raises
    ------
    InvalidInput
        If it is something else.
    """
    if term.dtype == "str" and not term.dims:
        if not isinstance(value, str):
            raise InvalidInput(f"{term.name} must be a text, but is {shown(value)}: convert it")
        return bounded(value)
    if not term.dims:  # the usual cases, which take no conversion
        if term.dtype == "float64" and isinstance(value, float):
            return value
        if type(value) is int and abs(value) < _WHOLE.get(term.dtype, 0):
            return value
    found, dtype = np.asarray(value), array_dtype(term)
    if found.shape != term.inner_shape:
        raise InvalidInput(
            f"{term.name} must have the shape {term.inner_shape}, but has {found.shape}: return "
            "one value for each label of its inner dimensions"
        )
    allowed = {"f": "biuf", "c": "biufc", "i": "biuf", "u": "biu", "T": "UOT"}[dtype.kind]
    if found.dtype.kind not in allowed:
        raise InvalidInput(f"{term.name} must be {term.dtype}, but is {shown(value)}: convert it")
    if dtype.kind == "T":
        return np.array([bounded(str(item)) for item in found.ravel()], dtype).reshape(found.shape)
    with np.errstate(all="ignore"):
        converted = found.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(converted, found):
        raise InvalidInput(
            f"{term.name} must be whole numbers that fit in {term.dtype}, but is {shown(value)}: "
            "convert it"
        )
    return converted


def bounded(text: str, most: int = MOST_TEXT) -> str:
    """A text that can be stored: valid Unicode, and at most so many characters.

    The middle of a longer one is left out, and the text says so.  Half of a surrogate pair, as
    Python puts it in the name of a file that is not UTF-8, is written as an escape.

    >>> bounded("0123456789" * 10, 60)
    '01234 (60 characters at most; here is a gap of 90) 56789'
    >>> bounded("no file \\udcff")
    'no file \\\\udcff'
    """
    text = text.encode(errors="backslashreplace").decode()
    if len(text) <= most:
        return text
    kept = most - 50
    head = kept // 2
    gap = f" ({most} characters at most; here is a gap of {len(text) - kept}) "
    return text[:head] + gap + text[len(text) - (kept - head) :]


def _failure(grid: Grid, model: Model, point: Point, solution: Solution) -> str:
    """All that is needed to reproduce the failure."""
    record: Mapping[str, Any] = {
        "point": dict(point),
        "model": {"name": model.name, "path": model.path, "options": model.options()},
        "variables": list(grid.variables),
        "traceback": bounded(solution.traceback, MOST_TEXT // 2),
    }
    return json.dumps(record, ensure_ascii=False)


_WHOLE = {f"int{bits}": 2 ** (bits - 1) for bits in (8, 16, 32, 64)}
"""Where whole numbers of a type end."""

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
            # SciPy's own BLAS is loaded first: a limit holds for libraries that are loaded.
            importlib.import_module("scipy.linalg")
            _let_this_thread_limit_blas()
            _blas_limits = ThreadpoolController().limit(limits=1, user_api="blas")
        _blas_users += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_users -= 1
            if _blas_users == 0 and _blas_limits is not None:
                _let_this_thread_limit_blas()
                _blas_limits.restore_original_limits()
                _let_this_thread_limit_blas()
                _blas_limits = None


def _let_this_thread_limit_blas() -> None:
    """Free OpenBLAS from the thread that limited it last.

    From version 3.8 on, threadpoolctl ignores limits that other threads set, without a word.
    """
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)
