"""Engines one after another while a parameter is moved, each from the solutions before it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ensemble.basis.block import Block, are_near, common_truncation, engine_at
from ensemble.basis.family import Family
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.method import Method, attempt
from ensemble.solution import Solution
from ensemble.steady.truncation import Truncation
from ensemble.together.engines import Engines
from ensemble.together.solve import DEFINED

MOST_VECTORS = 120
"""Most solutions that are kept; then all are dropped, and the next engine is solved in full."""


@dataclass
class Follower:
    """Solves engines whose parameters change from one to the next, each from those before it.

    An engine is sought among combinations of the solutions before it.  If the residual of its full
    equations exceeds its bound, or another check fails, it is solved in full, and its solutions are
    added.  So every solution is certified as those of the method are.  Where one parameter is moved
    to and fro, most engines after the first dozens take a small part of the time of a full solve.

    Parameters
    ----------
    method : Method
        Solves what cannot be followed.  Its tolerance is that of all solutions.
    variables : sequence of str
    scaling, statistics : str
        As of `Engine`.

    Examples
    --------
    >>> from ensemble import Exact
    >>> follower = Follower(Exact(), ["power"], "high-temperature", "bosonic")
    >>> fixed = {"N": 14, "E_1": 1, "T_mean": 13.5, "delta_T": 23, "omega_0": 0.006,
    ...          "Gamma_0": 0.001}
    >>> moved = [follower.solve({**fixed, "delta_E": 9 + k / 50}) for k in range(20)]
    >>> [one.diagnostics["solver"] for one in moved][::19]
    ['superlu', 'basis']
    """

    method: Method
    variables: Sequence[str]
    scaling: str
    statistics: str
    _kind: Hashable = field(default=None, init=False, repr=False)
    _truncation: Truncation | None = field(default=None, init=False, repr=False)
    _families: dict[str, Family] = field(default_factory=dict, init=False, repr=False)

    def solve(self, parameters: Mapping[str, float]) -> Solution:
        """The engine of some parameters.

        Parameters
        ----------
        parameters : mapping of str to float
            As of `Engine.of`.

        Returns
        -------
        Solution
            Its diagnostic ``solver`` is "basis", or that of the full solve.

        Raises
        ------
        InvalidInput
            If no engine has these parameters.
        """
        engine = Engine.of(**parameters, scaling=self.scaling, statistics=self.statistics)
        with np.errstate(all="ignore"):  # what leaves the range of doubles fails its checks
            try:
                found = self._followed(parameters)
            except (InvalidInput, Unsolvable):
                found = None
        return attempt(self.method, engine, self.variables) if found is None else found

    def _followed(self, parameters: Mapping[str, float]) -> Solution | None:
        """The engine from solutions before it, its own added if they do not suffice."""
        columns = {name: np.array([float(value)]) for name, value in parameters.items()}
        made = Engines.of(columns, scaling=self.scaling, statistics=self.statistics)
        if made is None or not made[0].points or not DEFINED.issuperset(self.variables):
            return None
        block = self._block(columns, made[0])
        found = self._projected(block, "basis") if self._families else None
        if found is None:
            if any(family.dimension >= MOST_VECTORS for family in self._families.values()):
                self._families = {}
            own, solver = block.solved(0, self.variables, self._families)
            self._families = block.enlarged(self._families, own)
            found = self._projected(block, solver)
        if found is None:  # the truncation does not serve this engine
            self._kind = None
        return found

    def _block(self, columns: Mapping[str, np.ndarray], engines: Engines) -> Block:
        """This engine alone, on the sector of those before it if it is of their kind."""
        near = bool(are_near(engines, self.variables)[0])
        inverted = tuple(bool(bath.log_ratio[0] < 0) for bath in engines.bright_baths)
        kind = int(engines.n_1[0]), int(engines.n_2[0]), inverted, near
        if kind != self._kind or self._truncation is None:
            engine = engine_at(columns, 0, scaling=self.scaling, statistics=self.statistics)
            tolerance = self.method.tolerance
            self._truncation = common_truncation([engine], tolerance=tolerance, solver="auto")
            self._kind, self._families = kind, {}
        return Block.of(
            columns,
            engines,
            scaling=self.scaling,
            statistics=self.statistics,
            tolerance=self.method.tolerance,
            truncation=self._truncation,
            near=near,
        )

    def _projected(self, block: Block, solver: str) -> Solution | None:
        """The solution in the basis, None if it does not meet every check."""
        solutions: list[Solution | None] = [None]
        engines, found = block.projected(self._families, np.array([0]), self.variables)
        how = {**block.diagnostics, "solver": solver}
        found.solutions(engines, np.array([0]), self.variables, how, solutions)
        return solutions[0]
