"""The vocabulary of a model: its terms and those that the catalogue adds, by name and symbol."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from catalog.arguments import shown
from catalog.names.suggestion import suggestion
from catalog.names.term import STATUS, Diagnostic, Index, InnerLabel, Kind, Term
from ensemble import InvalidInput, Status

POINT = "point"
"""The dimension along which scattered points lie."""


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
    >>> from catalog.names.term import Parameter, Variable
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
