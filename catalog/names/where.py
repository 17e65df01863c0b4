"""Predicates in words, such as ``residual > 1e-8 and ΔE < 5 or status == 'failed'``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.arguments import a_text, instance, shown
from catalog.names.described import WholeNumbers, name_of, plain, symbols, whole_numbers
from catalog.names.fills import holds_text, restored_values
from catalog.names.status import code_of
from catalog.names.suggestion import suggestion
from catalog.names.term import STATUS
from catalog.names.vocabulary import OWN
from ensemble import InvalidInput

Kind = Literal["number", "truth", "text"]
Arrays = Mapping[str, NDArray]
Evaluate = Callable[[Arrays], Any]

ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Kind]] = {
    "abs": (np.abs, "number"),
    "log": (np.log, "number"),
    "isnan": (np.isnan, "truth"),
}
WORD = re.compile(
    r"""'[^']*'|"[^"]*"|\d[\d.]*(?:[eE][+-]?\d+)?|≤|≥|≠|[^\W\d](?:\w|[\u0300-\u036f])*"""
)
"""Quoted text and numbers, which stay as they are, signs that Python spells otherwise, names."""
SIGNS = {"≤": "<=", "≥": ">=", "≠": "!="}
PYTHON = {"and", "or", "not", "in"}


@dataclass(frozen=True)
class _Part:
    """A piece of an expression: what it evaluates to, and how."""

    kind: Kind
    value: Evaluate
    name: str = ""
    """Of the array, if it is one."""
    text: str | None = None
    """The text, if it is one."""


def where_expression(ds: xr.Dataset, text: str) -> xr.DataArray:
    """The points of a Dataset at which a predicate holds.

    Names and symbols of the dataset's arrays, numbers, comparisons (chains such as
    ``1 < N <= 8`` too), ``and``, ``or``, ``not``, ``+ - * / **``, ``abs``, ``log`` and ``isnan``;
    ``status`` and arrays of text, such as ``error``, compare with quoted text, also by
    ``in ('failed', 'unphysical')``.  Nothing else is understood, and nothing is executed as
    Python.

    Every comparison with an undefined value is false; ``not`` makes it true.  A status that
    xarray has filled with NaN is "not computed".

    Parameters
    ----------
    ds : xarray.Dataset
        Of a sweep, in memory or lazy.
    text : str

    Returns
    -------
    xarray.DataArray of bool
        On all dimensions of ``ds``; lazy if an array that it depends on is.

    Raises
    ------
    InvalidInput
        If the predicate is not understood, names an unknown array or is not true or false.

    Examples
    --------
    >>> work = xr.Variable("tau", [1.0, -2.0, 3.0], {"symbol": "W"})
    >>> ds = xr.Dataset({"work": work}, {"tau": [1.0, 2.0, 4.0]})
    >>> where_expression(ds, "W > 0 and tau <= 2").values.tolist()
    [True, False, False]
    """
    instance(xr.Dataset, "give a Dataset of a sweep")("ds", ds)
    a_text("text", text)
    try:
        tree = ast.parse(_with_names(ds, text.strip()), mode="eval").body
        used: dict[str, None] = {}
        whole = _Reader(ds, used).read(tree)
    except InvalidInput:
        raise
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        raise InvalidInput(
            f"cannot read the condition {text[:80]!r}: write e.g. residual > 1e-8 or status == "
            "'failed'"
        ) from None
    if whole.kind != "truth":
        raise InvalidInput(f"{text!r} is neither true nor false: compare it, e.g. power > 0")
    names = list(used)
    if not names:
        raise InvalidInput(f"{text!r} names no array: compare one, e.g. power > 0")
    stored = {name: whole_numbers(name, ds[name].attrs) for name in names}
    found = xr.apply_ufunc(
        lambda *arrays: _evaluated(whole, dict(zip(names, arrays, strict=True)), stored),
        *(ds[name] for name in names),
        dask="parallelized",
        output_dtypes=[bool],
    )
    return _over_points(found, ds).rename("condition")


def _over_points(found: xr.DataArray, ds: xr.Dataset) -> xr.DataArray:
    """A condition on all dimensions of the points, and on the inner ones that it depends on."""
    names = ds[STATUS].dims if STATUS in ds else ds.sizes
    dims = [dim for dim in ds.sizes if dim in names or dim in found.dims]
    inner = [dim for dim in ds.sizes if dim not in dims]
    shape = ds.isel(dict.fromkeys(inner, 0), drop=True)
    return found.broadcast_like(shape).transpose(*dims)


def _with_names(ds: xr.Dataset, text: str) -> str:
    """The text with names for symbols, some of which Python would not read (ω₀)."""
    known = symbols(ds)
    return WORD.sub(lambda match: _name(ds, known, match.group()), text)


def _name(ds: xr.Dataset, known: Mapping[str, str], word: str) -> str:
    if word[0] in "'\"0123456789" or word in ds.variables or word in PYTHON or word in FUNCTIONS:
        return word
    if word in OWN:
        return word
    normal = plain(word)
    if normal in SIGNS:
        return SIGNS[normal]
    meant = name_of(known, word)
    if meant is not None:
        return meant
    names = map(str, ds.variables)
    raise InvalidInput(f"unknown name {shown(word)}{_nearest(word, names)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    """The nearest words only: the whole vocabulary does not fit on one line."""
    tail = suggestion(word, known)
    return tail if "did you mean" in tail else ": use the names of the dataset's arrays"


class _Reader:
    """Reads the syntax tree into a function of arrays, checking kinds on the way."""

    def __init__(self, ds: xr.Dataset, used: dict[str, None]) -> None:
        self.ds, self.used = ds, used

    def read(self, node: ast.expr) -> _Part:
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                constant = np.float64(number)  # powers of a float overflow to inf at once
                return _Part("number", lambda arrays: constant)
            case ast.Constant(value=str() as text):
                return _Part("text", lambda arrays: text, text=text)
            case ast.Name(id=name):
                return self._array(name)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                truth = self._truth(operand)
                return _Part("truth", lambda arrays: np.logical_not(truth(arrays)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                positive = self._number(operand)
                return _Part("number", lambda arrays: -positive(arrays))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return _Part("number", self._number(operand))
            case ast.BoolOp(op=op, values=operands):
                truths = [self._truth(operand) for operand in operands]
                return _joined(truths, np.logical_and if isinstance(op, ast.And) else np.logical_or)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                first, second = self._number(left), self._number(right)
                combine = ARITHMETIC[type(op)]
                return _Part("number", lambda arrays: combine(first(arrays), second(arrays)))
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip([left, *others], ops, others, strict=False)
                return _joined([self._comparison(*pair) for pair in pairs], np.logical_and)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
                name in FUNCTIONS
            ):
                function, kind = FUNCTIONS[name]
                given = self._number(argument)
                return _Part(kind, lambda arrays: function(given(arrays)))
        raise InvalidInput(
            f"{ast.unparse(node)!r} is not understood: use names, numbers, comparisons, and, or, "
            f"not, + - * / ** and {', '.join(FUNCTIONS)}"
        )

    def _array(self, name: str) -> _Part:
        if name not in self.ds.variables:
            known = [str(variable) for variable in self.ds.variables]
            raise InvalidInput(f"the dataset has no {shown(name)}{_nearest(name, known)}")
        self.used[name] = None
        if holds_text(name, self.ds[name].dtype):
            return _Part("text", lambda arrays: arrays[name], name=name)
        return _Part("number", lambda arrays: np.asarray(arrays[name], dtype=float), name=name)

    def _number(self, node: ast.expr) -> Evaluate:
        part = self.read(node)
        if part.kind != "number":
            raise InvalidInput(
                f"{ast.unparse(node)!r} is not a number: only status and arrays of text compare "
                "with quoted text, by == or !="
            )
        return part.value

    def _truth(self, node: ast.expr) -> Evaluate:
        part = self.read(node)
        if part.kind != "truth":
            raise InvalidInput(
                f"{ast.unparse(node)!r} is neither true nor false: and, or, not join comparisons, "
                "e.g. power > 0 and N < 4"
            )
        return part.value

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Evaluate:
        if isinstance(op, ast.In | ast.NotIn) and isinstance(right, ast.Tuple | ast.List):
            equal = [self._comparison(left, ast.Eq(), item) for item in right.elts]
            if equal:
                among = _joined(equal, np.logical_or).value
                if isinstance(op, ast.In):
                    return among
                return lambda arrays: np.logical_not(among(arrays))
        elif type(op) in COMPARISONS:
            compare = COMPARISONS[type(op)]
            if isinstance(op, ast.Eq | ast.NotEq):
                first, second = self.read(left), self.read(right)
                if first.text is not None:
                    first, second = second, first
                if second.text is not None:
                    array, wanted = first.value, _stored(first, second.text)
                    return lambda arrays: compare(array(arrays), wanted)
            one, other = self._number(left), self._number(right)
            return lambda arrays: compare(one(arrays), other(arrays))
        raise InvalidInput(
            f"cannot compare {ast.unparse(left)!r} with {ast.unparse(right)!r}: use < <= > >= == "
            "!=, or in with a list, e.g. status in ('failed', 'unphysical')"
        )


def _stored(array: _Part, text: str) -> float | str:
    """What an array holds for a text: the status is a number there."""
    if array.name == STATUS:
        return float(code_of(text))
    if array.kind != "text" or not array.name:
        raise InvalidInput(
            f"text {text!r} compares only with status and with arrays of text: drop the quotes"
        )
    return text


def _joined(parts: Sequence[Evaluate], join: Callable[[Any, Any], Any]) -> _Part:
    return _Part("truth", lambda arrays: reduce(join, (part(arrays) for part in parts)))


def _evaluated(
    whole: _Part, arrays: Arrays, stored: Mapping[str, WholeNumbers | None]
) -> NDArray[np.bool_]:
    """The values of the predicate; undefined ones arise without a warning."""
    arrays = {
        name: restored_values(name, array, stored.get(name)) for name, array in arrays.items()
    }
    shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(whole.value(arrays), dtype=bool), shape)
