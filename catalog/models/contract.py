"""A model: what the catalogue needs to know of the physics that it sweeps."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import ArrayLike, NDArray

from catalog.arguments import shown
from catalog.models.source_code import modules_hash, object_hash
from catalog.names.suggestion import suggestion
from catalog.names.term import Term
from catalog.names.vocabulary import Vocabulary
from ensemble import InvalidInput, Solution
from ensemble.solution import failed

Point = Mapping[str, int | float]
"""A label of each parameter that a sweep gives."""
Columns = Mapping[str, NDArray]
"""The labels of many points: for each parameter an array, which broadcast to one shape."""


@dataclass(frozen=True)
class Cost:
    """What some points are predicted to take; arrays or numbers that broadcast to their shape.

    Attributes
    ----------
    seconds : array_like
        Time on one core.
    bytes : array_like
        Memory beyond that of a process that has imported the model.
    size : array_like
        Whatever the time grows with, such as N: from the times measured at some sizes, the
        catalogue corrects the prediction at the others.
    block : array_like
        Time of a block beside that of its points, where it is solved together.
    """

    seconds: ArrayLike
    bytes: ArrayLike = 1e7
    size: ArrayLike = 1.0
    block: ArrayLike = 0.0


class Timed(NamedTuple):
    """A solution and the time that it took, as a share of that of points solved together."""

    solution: Solution
    seconds: float


class Model:
    """Base class of models.

    A subclass names its terms and solves points.  It should be a frozen dataclass: its fields are
    then its options, which are part of a sweep's identity.  For a plain function, `catalog.model`
    makes one.

    Attributes
    ----------
    name : str
        Of the model, in words that never change.
    version : str
        Part of a sweep's identity: raise it when results change, so that a store never holds
        results of two versions.
    parameters, variables, diagnostics : sequence of Term
        Made by `Parameter`, `Variable` and `Diagnostic`.
    indices : sequence of Term
        Made by `Index`: what inner dimensions of variables are, as far as there is more to say
        than their names.
    derived : sequence of Term
        Made by `Derived`: what follows from the parameters alone, such as a ratio of two of them.
        It becomes a coordinate of Datasets: queries, conditions and plots know it.
    optional : collection of str
        Parameters that a sweep may leave out.
    on_request : collection of str
        Variables that are computed only for a sweep that names them.
    split_by : tuple of str
        Parameters that decide how long a point takes: a block holds one label of each.
    modules : tuple of str
        Further modules whose source decides the results, beside the one of the class.
    """

    name: str = ""
    version: str = "1"
    parameters: Sequence[Term] = ()
    variables: Sequence[Term] = ()
    diagnostics: Sequence[Term] = ()
    indices: Sequence[Term] = ()
    derived: Sequence[Term] = ()
    optional: Collection[str] = ()
    on_request: Collection[str] = ()
    split_by: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def options(self) -> dict[str, Any]:
        """Plain JSON data that, with name and version, identify the model; its dataclass fields."""
        if not is_dataclass(self):
            return {}
        return {item.name: getattr(self, item.name) for item in fields(self) if item.init}

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Model:
        """The model with given ``options()``."""
        try:
            return cls(**options)
        except TypeError as failure:
            raise InvalidInput(
                f"model {cls.__name__} does not take these options ({failure}): correct them"
            ) from None

    def check(self, point: Point) -> None:
        """Refuse a point that cannot exist; called before anything is written.

        It is called for every corner of a sweep's grid and for each label of each axis.

        Raises
        ------
        InvalidInput
            In one line that ends in its remedy.
        """

    def derive(self, points: Columns) -> Mapping[str, ArrayLike]:
        """What follows from the parameters of many points, by name.

        Names are those of ``derived``, or of parameters or variables that the sweep does not have;
        each array broadcasts with those of ``points``.  It is called when a Dataset is made.
        """
        return {}

    def check_parameters(self, given: Collection[str]) -> None:
        """Refuse a sweep without a required parameter, or with an unknown one.

        Raises
        ------
        InvalidInput
        """
        missing = self.missing_parameters(given)
        if missing:
            raise InvalidInput(
                f"no value for {', '.join(missing)}: give it under axes or under fixed"
            )

    def missing_parameters(self, given: Collection[str]) -> Sequence[str]:
        """Parameters that a sweep must give, and does not."""
        return [name for name in self.required if name not in given]

    def solve_point(
        self, point: Point, variables: Sequence[str]
    ) -> Solution | Mapping[str, ArrayLike]:
        """Solve one point: the variables that are asked for, by name.

        More variables and diagnostics may be given than are asked for.  What raises is stored as
        a failed point, with its traceback.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither solve_point nor solve")

    def solve(
        self, points: Sequence[Point], variables: Sequence[str]
    ) -> Iterable[Solution | Timed]:
        """Solve the points of one block together: one solution a point, in their order.

        The time of a point is that until its solution comes, unless it is `Timed`.  By default
        points are solved one by one.
        """
        for point in points:
            yield self.attempt(point, variables)

    def attempt(self, point: Point, variables: Sequence[str]) -> Solution:
        """What `solve_point` gives, as a solution; an exception as one that failed."""
        try:
            return self.solution(point, variables)
        except Exception as failure:
            return failed(failure)

    def solution(self, point: Point, variables: Sequence[str]) -> Solution:
        """What `solve_point` gives, as a solution; its exceptions are passed on."""
        found = self.solve_point(point, variables)
        if isinstance(found, Solution):
            return found
        if not isinstance(found, Mapping):
            raise TypeError(f"it returned {shown(found)} in place of a mapping of variables")
        diagnostics = {term.name for term in self.diagnostics}
        return Solution(
            {name: value for name, value in found.items() if name not in diagnostics},  # type: ignore[misc]
            diagnostics={name: value for name, value in found.items() if name in diagnostics},  # type: ignore[misc]
        )

    def cost(self, points: Columns, variables: Sequence[str]) -> Cost | None:
        """Predict what points take; None: it is learned from the points that were solved."""
        return None

    def block_cost(
        self, points: Columns, variables: Sequence[str], *, block_points: int
    ) -> Cost | None:
        """Predict what points take in blocks of so many, for a model that solves them together."""
        return self.cost(points, variables)

    @property
    def largest_block(self) -> int | None:
        """Points of a block up to which solving them together pays; None: as usual."""
        return None

    def summary(self) -> str:
        """The model in a line for people."""
        options = ", ".join(f"{name} = {value}" for name, value in self.options().items())
        return f"{self.name} {self.version}" + (f" ({options})" if options else "")

    def attributes(self) -> dict[str, str]:
        """Attributes of every Dataset of this model."""
        return {"model": self.summary()}

    def source_hash(self) -> str:
        """SHA-256 of the source that decides the results; equal hashes mean the same solver.

        Of the module of the class, and of ``modules``, without comments and docstrings.
        """
        found = object_hash(type(self))  # type: ignore[arg-type]
        return modules_hash(self.modules, found) if self.modules else found

    # Subclasses do not override what follows: it is derived from the methods above.

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"model {self.name}"

    @property
    def path(self) -> str:
        """Where it is defined, ``module:object``."""
        return path_of(type(self))

    @property
    def by_value(self) -> bool:
        """Whether a session or a script defined it: workers are then sent the object itself."""
        return type(self).__module__ == "__main__"

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with the package."""
        return self.path.startswith("catalog.")

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """Its terms and those of the catalogue."""
        return Vocabulary(
            [*self.parameters, *self.derived, *self.variables, *self.diagnostics, *self.indices]
        )

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters that a sweep must give."""
        return tuple(term.name for term in self.parameters if term.name not in self.optional)

    @property
    def default_variables(self) -> tuple[str, ...]:
        """Variables of a sweep that names none."""
        on_request = set(self.on_request)
        return tuple(term.name for term in self.variables if term.name not in on_request)

    def require_sound(self) -> None:
        """Refuse a model that does not keep the contract.

        Raises
        ------
        InvalidInput
        """
        what = type(self).__name__
        for key in ("name", "version"):
            value = getattr(self, key)
            if not isinstance(value, str) or not value.strip() or not value.isprintable():
                raise InvalidInput(
                    f"{key} of model {what} must be a text, but is {shown(value)}: write e.g. "
                    f'{key} = "{"otto" if key == "name" else "1"}"'
                )
        terms = self.vocabulary
        for declared, kind in (
            ("parameters", "parameter"),
            ("variables", "variable"),
            ("diagnostics", "diagnostic"),
            ("indices", "index"),
            ("derived", "derived"),
        ):
            for term in getattr(self, declared):
                if term.kind != kind:
                    raise InvalidInput(
                        f"{self.title} declares the {term.kind} {term.name} among its {declared}: "
                        "move it"
                    )
        for kind in ("parameter", "variable"):
            if not terms.names(kind):  # type: ignore[arg-type]
                raise InvalidInput(f"{self.title} declares no {kind}s: add {kind}s")
        for key, kind in (
            ("optional", "parameter"),
            ("on_request", "variable"),
            ("split_by", "parameter"),
        ):
            for name in getattr(self, key):
                known = terms.names(kind)  # type: ignore[arg-type]
                if name not in known:
                    raise InvalidInput(
                        f"{key} of {self.title} names {shown(name)}{suggestion(name, known)}"
                    )
        try:
            json.dumps(self.options(), allow_nan=False)
        except (TypeError, ValueError) as failure:
            raise InvalidInput(
                f"options of {self.title} must be plain JSON data ({failure}): use numbers, texts, "
                "lists and mappings"
            ) from None


def path_of(thing: Any) -> str:
    """Where a class or function is defined, ``module:object``; a script by its file's name."""
    module, name = thing.__module__, thing.__qualname__
    if module == "__main__":
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        if file and Path(file).suffix == ".py":
            module = Path(file).stem
    return f"{module}:{name}"


def pairs(
    points: Sequence[Point], solutions: Iterable[Solution | Timed]
) -> Iterator[tuple[int, Solution | Timed]]:
    """Solutions with the positions of their points; an error if there are more or fewer."""
    count = 0
    for solution in solutions:
        if count == len(points):
            raise ValueError(f"it gave more than {len(points)} solutions")
        if not isinstance(solution, Solution | Timed):
            raise TypeError(f"it gave {shown(solution)} in place of a Solution")
        yield count, solution
        count += 1
    if count < len(points):
        raise ValueError(f"it gave {count} solutions for {len(points)} points")
