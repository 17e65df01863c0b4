"""Terms: what a model's parameters and results are called, and how they are stored."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

import numpy as np

from catalog.arguments import as_number, is_finite, shown
from ensemble import InvalidInput, Status

Kind = Literal["index", "parameter", "derived", "variable", "diagnostic"]
InnerLabel = int | float | str
"""A label of an inner dimension."""

DTYPES = {
    **dict.fromkeys(("float64", "float32"), math.nan),
    **dict.fromkeys(("complex128", "complex64"), complex(math.nan, math.nan)),
    **dict.fromkeys(("int8", "int16", "int32", "int64"), -1),
    "str": "",
}
"""Types of arrays that a model may declare, and the value where nothing was computed."""
MOST_NAME = 100
MOST_INNER = 100_000
"""Most values that a variable with inner dimensions has at one point."""
STATUS = "status"


def _require_name(what: str, name: Any) -> None:
    if (
        not isinstance(name, str)
        or not (name.isascii() and name.isidentifier())
        or keyword.iskeyword(name)
        or name.startswith("_")
        or len(name) > MOST_NAME
    ):
        raise InvalidInput(
            f"{what} cannot be called {shown(name)}: use at most {MOST_NAME} ASCII letters, digits "
            "and _, a letter first"
        )


def _inner_labels(variable: str, dim: Any, labels: Any) -> tuple[InnerLabel, ...]:
    """Labels of an inner dimension in canonical form: all numbers or all texts, each once."""
    _require_name(f"an inner dimension of {variable}", dim)
    if isinstance(labels, str | bytes | Mapping) or not isinstance(labels, Iterable):
        raise InvalidInput(
            f"the inner dimension {dim} of {variable} needs a list of labels, but has "
            f"{shown(labels)}: write e.g. range(6)"
        )
    listed = np.asarray(labels).tolist() if hasattr(labels, "__array__") else list(labels)
    if not listed:
        raise InvalidInput(f"the inner dimension {dim} of {variable} is empty: give it labels")
    if all(isinstance(item, str) for item in listed):
        found: list[InnerLabel] = list(listed)
    else:
        numbers = [as_number(item) for item in listed]
        if any(number is None or not is_finite(number) for number in numbers):
            raise InvalidInput(
                f"the labels of the inner dimension {dim} of {variable} must be finite numbers, or "
                "all of them texts: correct them"
            )
        whole = all(isinstance(number, int) for number in numbers)
        found = [number if whole else float(number) for number in numbers if number is not None]
    if len(set(found)) < len(found):
        raise InvalidInput(f"the inner dimension {dim} of {variable} has a label twice: keep one")
    return tuple(found)


@dataclass(frozen=True)
class Term:
    """One parameter, variable or diagnostic of a model.

    Attributes
    ----------
    name : str
        ASCII identifier, the name in Datasets, sweep files and stores.
    symbol : str
        As it is written in papers; accepted in place of the name.
    long_name : str
        In words.
    kind : {"index", "parameter", "derived", "variable", "diagnostic"}
        Parameters become dimensions or scalar coordinates, variables and diagnostics arrays on
        the grid; an index describes an inner dimension.  What is derived follows from the
        parameters alone: it is a coordinate of Datasets, and not stored.
    unit : str
        "1" if there is none.
    equation : str
        Where it is defined, or the defining relation.
    dtype : str
        A key of ``DTYPES``.  A parameter is float64, or int64 for whole numbers.
    fill : number, optional
        What a point holds that is not computed, where the default of ``DTYPES`` may be a result.
    dims : mapping of str to sequence of number or str
        Inner dimensions of a variable and their labels, such as ``{"mode": range(6)}``: the
        variable is an array of that shape at each point.

    Raises
    ------
    InvalidInput
        If something of this does not hold.
    """

    name: str
    symbol: str = ""
    long_name: str = ""
    _: KW_ONLY
    kind: Kind = "variable"
    unit: str = "1"
    equation: str = ""
    dtype: str = "float64"
    fill: Any = None
    dims: Mapping[str, Sequence[InnerLabel]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_name(f"a {self.kind}", self.name)
        for text in ("symbol", "long_name", "unit", "equation"):
            value = getattr(self, text)
            if not isinstance(value, str) or not value.isprintable():
                raise InvalidInput(
                    f"{text} of {self.name} must be a printable text, but is {shown(value)}: write "
                    'e.g. "1"'
                )
        allowed = ["float64", "int64"] if self.kind == "parameter" else list(DTYPES)
        if not isinstance(self.dtype, str) or self.dtype not in allowed:
            raise InvalidInput(
                f"{self.kind} {self.name} cannot have the type {shown(self.dtype)}: use one of "
                f"{', '.join(allowed)}"
            )
        if self.fill is not None and not (
            self.dtype.startswith("int") and isinstance(self.fill, int)
        ):
            raise InvalidInput(
                f"fill of {self.name} must be a whole number, of a whole-number type, but is "
                f"{shown(self.fill)}: leave it out"
            )
        object.__setattr__(self, "dims", self._inner_dims())

    def _inner_dims(self) -> dict[str, tuple[InnerLabel, ...]]:
        if not isinstance(self.dims, Mapping):
            raise InvalidInput(
                f"dims of {self.name} map names to labels, but are {shown(self.dims)}: write e.g. "
                'dims={"mode": range(6)}'
            )
        if self.dims and self.kind not in ("variable", "diagnostic"):
            raise InvalidInput(f"{self.kind} {self.name} is one number: leave out its dims")
        found = {name: _inner_labels(self.name, name, v) for name, v in self.dims.items()}
        if math.prod(len(labels) for labels in found.values()) > MOST_INNER:
            raise InvalidInput(
                f"{self.name} has more than {MOST_INNER} values at one point: give it fewer labels"
            )
        return found

    @property
    def fill_value(self) -> Any:
        """What an uncomputed point holds."""
        return DTYPES.get(self.dtype, -1) if self.fill is None else self.fill

    @property
    def inner_shape(self) -> tuple[int, ...]:
        """Number of labels along each inner dimension."""
        return tuple(len(labels) for labels in self.dims.values())

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.dtype.startswith(("int", "uint"))

    def attributes(self) -> dict[str, Any]:
        """Attributes of the labelled array: what it is, for people and for programs."""
        attributes: dict[str, Any] = {
            "long_name": self.long_name or self.name,
            "symbol": self.symbol,
            "units": self.unit,
            "role": self.kind,
        }
        if self.equation:
            attributes["equation"] = self.equation
        if self.kind == "diagnostic" and self.whole and self.name != STATUS:
            attributes["number_type"] = self.dtype
            attributes["not_computed"] = int(self.fill_value)
        if self.name == STATUS:
            attributes["flag_values"] = [int(status) for status in Status]
            attributes["flag_meanings"] = " ".join(status.name.lower() for status in Status)
        return attributes

    def record(self) -> dict[str, Any]:
        """All of it as plain JSON data; an omitted argument has its default."""
        record: dict[str, Any] = {"name": self.name, "kind": self.kind}
        for key in ("symbol", "long_name", "equation"):
            if getattr(self, key):
                record[key] = getattr(self, key)
        if self.unit != "1":
            record["unit"] = self.unit
        if self.dtype != "float64":
            record["dtype"] = self.dtype
        if self.fill is not None:
            record["fill"] = self.fill
        if self.dims:
            record["dims"] = {name: list(labels) for name, labels in self.dims.items()}
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Term:
        """The term with a given ``record()``."""
        return cls(**record)


def Parameter(name: str, symbol: str = "", long_name: str = "", **more: Any) -> Term:
    """A parameter of a model: a number that a sweep gives; see `Term` for the options.

    Examples
    --------
    >>> Parameter("tau", "τ", "stroke time", unit="1/E_1").kind
    'parameter'
    """
    return Term(name, symbol, long_name, kind="parameter", **more)


def Variable(name: str, symbol: str = "", long_name: str = "", **more: Any) -> Term:
    """A variable of a model: a result at each point; see `Term` for the options."""
    return Term(name, symbol, long_name, kind="variable", **more)


def Diagnostic(name: str, symbol: str = "", long_name: str = "", **more: Any) -> Term:
    """A certificate or figure that a model gives beside its results; see `Term`."""
    return Term(name, symbol, long_name, kind="diagnostic", **more)


def Index(name: str, symbol: str = "", long_name: str = "", **more: Any) -> Term:
    """What an inner dimension is: symbol, words and unit of its labels; see `Term`."""
    return Term(name, symbol, long_name, kind="index", **more)


def Derived(name: str, symbol: str = "", long_name: str = "", **more: Any) -> Term:
    """What follows from the parameters alone: a `Term`; its values are given by `Model.derive`."""
    return Term(name, symbol, long_name, kind="derived", **more)
