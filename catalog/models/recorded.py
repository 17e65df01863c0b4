"""A model as a store describes it: names and options, without its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.models.contract import Model, Point
from catalog.names.term import Term
from ensemble import InvalidInput, Solution


def record_of(model: Model) -> dict[str, Any]:
    """What opening, selecting and checking results needs to know of a model; JSON data."""
    return {
        "name": model.name,
        "version": model.version,
        "path": model.path,
        "options": model.options(),
        "summary": model.summary(),
        "title": model.title,
        "attributes": model.attributes(),
        "terms": [term.record() for term in model.vocabulary.own()],
        "optional": sorted(model.optional),
        "on_request": sorted(model.on_request),
        "split_by": list(model.split_by),
    }


class RecordedModel(Model):
    """A model that results were computed with, known by its record alone.

    It imports nothing.  Results can be read, selected, checked and exported with it; only solving
    needs the model itself.

    Parameters
    ----------
    record : mapping
        As of `record_of`.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no such record.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        terms = [Term.from_record(item) for item in record["terms"]]
        self.name, self.version = str(record["name"]), str(record["version"])
        self.parameters = tuple(term for term in terms if term.kind == "parameter")
        self.variables = tuple(term for term in terms if term.kind == "variable")
        self.diagnostics = tuple(term for term in terms if term.kind == "diagnostic")
        self.indices = tuple(term for term in terms if term.kind == "index")
        self.derived = tuple(term for term in terms if term.kind == "derived")
        self.optional = tuple(record["optional"])
        self.on_request = tuple(record["on_request"])
        self.split_by = tuple(record["split_by"])
        self._record = {**record}

    def options(self) -> dict[str, Any]:
        """As they were recorded."""
        return dict(self._record["options"])

    def summary(self) -> str:
        """As it was recorded."""
        return str(self._record["summary"])

    def attributes(self) -> dict[str, str]:
        """As they were recorded."""
        return {str(key): str(value) for key, value in self._record["attributes"].items()}

    def solve(self, points: Sequence[Point], variables: Sequence[str]) -> Any:
        """Refuse: the code is not here."""
        raise self.unknown()

    def solve_point(self, point: Point, variables: Sequence[str]) -> Solution:
        """Refuse: the code is not here."""
        raise self.unknown()

    def source_hash(self) -> str:
        """Refuse: the code is not here."""
        raise self.unknown()

    def unknown(self) -> InvalidInput:
        """The error that is raised if a caller wants to solve without the model itself."""
        return InvalidInput(
            f"the sweep was computed by {self.title} of {self.path}, which a store does not make a "
            f"process import: name it yourself, --model {self.path} (in Python model=…)"
        )

    @property
    def title(self) -> str:
        """As it was recorded."""
        return str(self._record["title"])

    @property
    def path(self) -> str:
        """Where the model was defined, ``module:object``."""
        return str(self._record["path"])

    def __repr__(self) -> str:
        return f"<{self.title} {self.version} as recorded, {self.path}>"
