"""Terms: what a model's parameters and results are called, and how they are stored."""

from __future__ import annotations

import difflib
import keyword
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

import numpy as np

from ensemble import InvalidInput, Status
from ensemble.checks import as_number, is_finite, shown

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
POINT = "point"
"""The dimension along which scattered points lie."""


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
        """All of it as plain JSON data; what is left out has its default."""
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


STATUS = "status"


class _Status(Term):
    """The status has a type of its own, which no model may declare."""

    def __init__(self) -> None:
        super().__init__(STATUS, "", "state of the point", kind="diagnostic", dtype="int8")
        object.__setattr__(self, "dtype", "uint8")
        object.__setattr__(self, "fill", int(Status.NOT_COMPUTED))


DIAGNOSTICS: tuple[Term, ...] = (
    Diagnostic("wall_time", "", "time that the solve took", unit="s"),
    Diagnostic("error", "", "what failed", dtype="str"),
    Diagnostic("failure", "", "input and traceback of a failed point, JSON", dtype="str"),
    Diagnostic("run", "", "number of the run that solved the point", dtype="int32"),
    _Status(),
)
"""What the catalogue itself keeps at each point, whatever the model; the status last."""

OWN: Mapping[str, Term] = {
    POINT: Index(POINT, "", "scattered point", dtype="int64"),
    **{term.name: term for term in DIAGNOSTICS},
}
"""Names that no model may use."""


class Vocabulary(Mapping[str, Term]):
    """The terms of a model and those of the catalogue, by name, in the model's order.

    Parameters
    ----------
    terms : iterable of Term
        Of the model.

    Raises
    ------
    InvalidInput
        If two names or symbols are the same, or a name is one of the catalogue's own.

    Examples
    --------
    >>> words = Vocabulary([Parameter("tau", "τ"), Variable("work", "W")])
    >>> words.parameter_name("τ"), words.names("diagnostic")[-1]
    ('tau', 'status')
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms: dict[str, Term] = {POINT: OWN[POINT]}
        for term in terms:
            if not isinstance(term, Term):
                raise InvalidInput(
                    f"a model's terms are made by Parameter, Variable or Diagnostic, but one is "
                    f"{shown(term)}: write e.g. Variable('work', 'W', 'work per cycle')"
                )
            if term.name in OWN:
                raise InvalidInput(
                    f"{term.kind} {term.name} has a name that the catalogue uses itself: rename it"
                )
            if term.name in self._terms:
                raise InvalidInput(f"two terms are called {term.name}: rename one")
            self._terms[term.name] = term
        self._terms |= {term.name: term for term in DIAGNOSTICS}
        self._parameters: dict[str, str] = {}
        self._require_symbols_apart()
        self._require_dims_apart()

    def _require_symbols_apart(self) -> None:
        """Refuse two terms of one symbol, and parameters whose symbols may be typed alike."""
        seen: dict[str, str] = {name: name for name in self._terms}
        for term in self._terms.values():
            keys = {unicodedata.normalize("NFC", term.symbol.strip())}
            if term.kind == "parameter":
                keys.add(folded(term.symbol))
            for key in keys - {"", term.name}:
                other = seen.setdefault(key, term.name)
                if other != term.name:
                    raise InvalidInput(
                        f"{term.name} and {other} have the same symbol or name {term.symbol!r}: "
                        "give one of them another"
                    )
                if term.kind == "parameter":
                    self._parameters[folded(term.symbol)] = term.name

    def _require_dims_apart(self) -> None:
        """Refuse an inner dimension named as a parameter or array, or with two different sizes."""
        known: dict[str, tuple[InnerLabel, ...]] = {}
        for term in self._terms.values():
            for dim, labels in term.dims.items():
                if (dim in self._terms and self._terms[dim].kind != "index") or dim == POINT:
                    raise InvalidInput(
                        f"the inner dimension {dim} of {term.name} has the name of another term: "
                        "rename it"
                    )
                if known.setdefault(dim, tuple(labels)) != tuple(labels):
                    raise InvalidInput(
                        f"the inner dimension {dim} has other labels for {term.name} than for "
                        "another variable: give one of them another dimension"
                    )

    def __getitem__(self, name: str) -> Term:
        return self._terms[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Names of a kind, in order, which is also the order of dimensions."""
        return tuple(term.name for term in self._terms.values() if term.kind == kind)

    def ordered(self, parameters: Iterable[str]) -> tuple[str, ...]:
        """Parameters in the order of the vocabulary."""
        chosen = set(parameters)
        return tuple(name for name in self.names("parameter") if name in chosen)

    def parameter_name(self, text: object) -> str:
        """Canonical name of a parameter given by name or symbol.

        Raises
        ------
        InvalidInput
            If there is no such parameter; the message suggests the nearest.
        """
        if not isinstance(text, str):
            raise InvalidInput(f"a parameter is named by text, not {shown(text)}: write e.g. 'N'")
        name = text if text in self._terms else self._parameters.get(folded(text), "")
        if name in self._terms and self._terms[name].kind == "parameter":
            return name
        raise InvalidInput(
            f"unknown parameter {shown(text)}{suggestion(text, self.names('parameter'))}"
        )

    def own(self) -> tuple[Term, ...]:
        """The model's terms, without those of the catalogue."""
        return tuple(term for name, term in self._terms.items() if name not in OWN)


def folded(text: str) -> str:
    """Compatibility-normalised text: typographic variants of a symbol compare equal."""
    return unicodedata.normalize("NFKC", text.strip()).replace("∆", "Δ")


MOST_LETTERS = 100
"""Number of characters of an unknown word that are compared with known words."""


def suggestion(text: object, known: Iterable[str]) -> str:
    """The end of an error about an unknown word: ": did you mean 'x'?" or the whole list."""
    known = list(known)
    word = text[:MOST_LETTERS].lower() if isinstance(text, str) else ""
    lowered = {word.lower(): word for word in known}
    near = difflib.get_close_matches(word, lowered, n=1, cutoff=0.5)
    if near:
        return f": did you mean {lowered[near[0]]!r}?"
    return f": choose from {', '.join(known)}"
