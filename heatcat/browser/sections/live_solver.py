"""Solves the engine under the sliders: at once what a reduced basis gives, the rest afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ensemble import Engine, Exact, Solution
from ensemble.basis.follow import Follower
from ensemble.method import Method, attempt
from ensemble.together.solve import DEFINED
from ensemble.variables import FROM_CUMULANTS, FROM_PAIR

SLOW = {"gap", *FROM_CUMULANTS, *FROM_PAIR}
"""Variables that are left out: each takes longer than the currents and their noise together."""

Timed = tuple[Solution, float]
"""A solution, and the seconds that it took."""


@dataclass(frozen=True)
class LiveSolver:
    """Solves engines that are moved one parameter at a time.

    For method ``exact``, currents, noise and what follows from them are sought among combinations
    of the engines before (`Follower`), with the certificate of the full equations; where that is
    not met, they are solved in full.  The bounds on the noise need a full solve of their own.

    Parameters
    ----------
    method : Method
    scaling, statistics : str
        As of `Engine`.
    """

    method: Method
    scaling: str
    statistics: str
    _follower: list[Follower] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.method, Exact):
            follower = Follower(self.method, self.at_once, self.scaling, self.statistics)
            self._follower.append(follower)

    @property
    def at_once(self) -> list[str]:
        """Variables of a move."""
        quick = [name for name in self.method.variables if name not in SLOW]
        return [n for n in quick if n in DEFINED] if isinstance(self.method, Exact) else quick

    @property
    def later(self) -> list[str]:
        """Variables that are solved after the moves."""
        return [n for n in self.method.variables if n not in SLOW and n not in self.at_once]

    def engine(self, parameters: Mapping[str, Any]) -> Engine:
        """The engine of some parameters.

        Raises
        ------
        InvalidInput
            If there is none, or the method does not solve it.
        """
        kind = {"scaling": self.scaling, "statistics": self.statistics}
        engine = Engine(**parameters, **cast(dict[str, Any], kind))
        self.method.accept(engine)
        return engine

    def move(self, parameters: Mapping[str, Any]) -> Timed:
        """The variables ``at_once``; one call at a time, as it keeps the engines before."""
        start = time.perf_counter()
        if self._follower:
            solution = self._follower[0].solve(parameters)
        else:
            solution = self._full(parameters, self.at_once)
        return solution, time.perf_counter() - start

    def rest(self, parameters: Mapping[str, Any]) -> Timed:
        """The variables ``later``."""
        start = time.perf_counter()
        return self._full(parameters, self.later), time.perf_counter() - start

    def _full(self, parameters: Mapping[str, Any], variables: Sequence[str]) -> Solution:
        return attempt(self.method, self.engine(parameters), variables)
