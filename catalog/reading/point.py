"""One point of a stored sweep: its parameters, what was found, and how to find it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models.contract import Model, Timed
from catalog.models.loading import as_model
from catalog.models.recorded import RecordedModel
from catalog.names.labels import Label
from ensemble import InvalidInput, Solution, Status


@dataclass(frozen=True)
class Point:
    """A point, computed or not.

    Attributes
    ----------
    labels : mapping of str to number
        All parameters by name.
    model : Model
        Known by its record alone if it is not the heat engine.
    variables : tuple of str
        What the sweep computes.
    values, diagnostics : mapping
        What is stored, by name; NaN where undefined or not computed, an array where a variable has
        inner dimensions.
    status : Status
    error : str
        What failed, in one line.
    failure : mapping or None
        Input and traceback of a failed point, as they were kept.
    """

    labels: Mapping[str, Label]
    model: Model
    variables: tuple[str, ...]
    values: Mapping[str, Any]
    diagnostics: Mapping[str, Any]
    status: Status
    error: str
    failure: Mapping[str, Any] | None

    @property
    def engine(self) -> Any:
        """The `ensemble.Engine` of the point of a heat engine.

        Raises
        ------
        InvalidInput
            If it is a point of another model.
        """
        make = getattr(self.model, "engine", None)
        if make is None:
            raise InvalidInput(f"a point of {self.model.title} is no heat engine: use its labels")
        return make(self.labels)

    @property
    def traceback(self) -> str:
        """Where the solve raised; empty unless the point failed."""
        return self.failure["traceback"] if self.failure else ""

    def reproduce(self, model: Model | None = None) -> Solution:
        """Solve the point again, here and now; nothing is stored.

        It is solved by itself.  If it was stored from a block that was solved together or from a
        reduced basis (the diagnostic ``solver`` of method exact then says "together" or "basis"),
        the two agree within their certificates, not to the last bit.

        What the solver raises is raised here, too, so that a debugger can be used.

        Parameters
        ----------
        model : Model, optional
            The model with its code, if it is not the heat engine.

        Raises
        ------
        InvalidInput
            If the model is needed and not given.
        """
        chosen = self.model if model is None else as_model(model)
        if isinstance(chosen, RecordedModel):
            raise chosen.unknown()
        if type(chosen).solve_point is Model.solve_point:  # it solves points only together
            (found,) = chosen.solve([self.labels], self.variables)
            return found.solution if isinstance(found, Timed) else found
        return chosen.solution(self.labels, self.variables)

    def __repr__(self) -> str:
        labels = ", ".join(f"{name}={value!r}" for name, value in self.labels.items())
        error = f": {self.error}" if self.error else ""
        return f"<Point {labels}, {self.model.title}: {self.status.label}{error}>"


def parsed(failure: str) -> dict[str, Any] | None:
    """The kept input and traceback, None where nothing failed."""
    return json.loads(failure) if failure else None
