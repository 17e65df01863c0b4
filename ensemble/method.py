"""Base of all methods: the tolerance, and the names that a method defines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.checks import LONGEST, as_number, is_finite, shown
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.solution import Solution, failed

AGREEMENT = 1e-10
"""Relative difference allowed between independent routes to one number, beyond rounding."""
ROUNDING = 1e3 * float(np.finfo(float).eps)
"""Rounding allowed relative to the terms whose difference a number is."""


@dataclass(frozen=True)
class Method:
    """Base of the methods: a frozen dataclass whose fields are the method's options.

    Attributes
    ----------
    name : str
    sized : bool
        Whether the method is for a finite N; a limit takes engines of any N.
    local_noise : bool
        Whether the method treats engines with ``Gamma_local`` or ``Gamma_dephasing``.
    detuned : bool
        Whether the method treats a drive off resonance.
    variables : tuple of str
        Names of all variables that it defines.
    on_request : tuple of str
        Those that are expensive and computed only if asked for by name.
    diagnostics : tuple of str
        Names in the diagnostics of its solutions.
    """

    tolerance: float = 1e-10

    name: ClassVar[str]
    sized: ClassVar[bool] = True
    local_noise: ClassVar[bool] = False
    detuned: ClassVar[bool] = False
    variables: ClassVar[tuple[str, ...]]
    on_request: ClassVar[tuple[str, ...]] = ()
    diagnostics: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        for option in fields(self):
            set_option = object.__setattr__  # the instance is frozen
            value = getattr(self, option.name)
            set_option(self, option.name, _plain_option(option.name, value, option.default))
        if not (isinstance(self.tolerance, int | float) and 0 < self.tolerance < 1):
            raise InvalidInput(
                f"tolerance must lie between 0 and 1, but is {self.tolerance!r}: try 1e-10"
            )

    def accept(self, engine: Engine) -> None:
        """Raise ``InvalidInput`` if an engine is outside the method's scope.

        This refuses local noise where the method does not treat it; a method with bounds of its own
        calls it first.
        """
        if not self.local_noise:
            engine.require_collective(f"method {self.name}", detuned=self.detuned)
        if engine.detuning and not self.detuned:
            engine.require_collective(f"method {self.name}")

    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Values, status and diagnostics of one engine; the names are checked by `chosen`."""
        raise TypeError(f"{type(self).__name__} has no solve")

    def batches(self, variables: Iterable[str]) -> bool:
        """Whether the engines of a block are solved together for some variables.

        Not by a subclass with a `solve` of its own, which decides about every engine.
        """
        return False

    def solve_together(
        self,
        columns: Mapping[str, FloatArray],
        variables: Iterable[str] | None = None,
        *,
        scaling: str,
        statistics: str,
    ) -> list[Solution | None]:
        """Solve many engines at once; None for each that is to be solved by itself.

        The values agree with those of `solve` within the certificates, which are the same; within
        them they may depend on the other engines.  What does not pass every check is None, and so
        are all engines if the method does not solve them together (`batches`).

        Parameters
        ----------
        columns : mapping of str to ndarray, shape (points,)
            Parameters as of `ensemble.Engine.of`.
        variables : iterable of str, optional
            As of `solve`.
        scaling, statistics : str
            As of `ensemble.Engine`.

        Raises
        ------
        InvalidInput
            If a name is unknown.
        """
        names = self.chosen(variables)
        if not self.batches(names):
            return [None] * next(iter(columns.values())).size
        return self._together(columns, names, scaling, statistics)

    def _together(
        self,
        columns: Mapping[str, FloatArray],
        names: tuple[str, ...],
        scaling: str,
        statistics: str,
    ) -> list[Solution | None]:
        """`solve_together` where the method ``batches``."""
        raise TypeError(f"{type(self).__name__} solves engines one by one")

    def chosen(self, variables: Iterable[str] | None) -> tuple[str, ...]:
        """The names asked for, checked; by default all but those on request."""
        if variables is None:
            return tuple(name for name in self.variables if name not in self.on_request)
        names = tuple(variables)
        unknown = [name for name in names if name not in self.variables]
        if unknown:
            raise InvalidInput(
                f"method {self.name} does not define {', '.join(unknown)}: choose from "
                f"{', '.join(self.variables)}"
            )
        return names


def _plain_option(name: str, value: object, default: object) -> object:
    """An option as plain data of the kind of its default; subclasses check its range."""
    number = as_number(value)
    # A NaN is in no range, so that the check of the range refuses it, too.
    is_number = number is not None and (is_finite(number) or number != number)
    if is_number and not isinstance(default, str | bool):
        return number
    kind, meant = (str, "text") if isinstance(default, str) else (bool, "true or false")
    if isinstance(default, kind) and isinstance(value, kind) and len(str(value)) <= LONGEST:
        return value
    if default is None and value is None:
        return value
    what = meant if isinstance(default, str | bool) else "a finite number"
    raise InvalidInput(f"{name} must be {what}, but is {shown(value)}: correct it, or leave it out")


def attempt(method: Method, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
    """Solve one engine; an exception becomes a solution by `ensemble.solution.failed`."""
    try:
        return method.solve(engine, variables)
    except Exception as failure:
        return failed(failure)
