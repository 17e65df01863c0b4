"""Two ways to solve the equations of many engines: one full solver each, and in a reduced basis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.basis.family import Family
from ensemble.counting.time_reversal import theta, weight
from ensemble.steady.start import Subspace
from ensemble.steady.state import Stationary


@dataclass(frozen=True, eq=False)
class Projection:
    """Galerkin's solutions in a basis for each kind of equation.

    Attributes
    ----------
    families : mapping of str to Family
        By the name of the equation.
    coefficients : ndarray, shape (5, points)
    transposable : bool
        Whether there are bases for the equations with Lᵀ.
    """

    families: Mapping[str, Family]
    coefficients: FloatArray
    transposable: bool

    @property
    def final(self) -> bool:
        """True: a basis cannot reduce the defect that its own solutions leave."""
        return True

    def solve(
        self, source: FloatArray, name: str, magnitude: FloatArray | float = 0.0
    ) -> FloatArray:
        """Solutions for one source a point, shape (size, 1, points)."""
        found = self.families[name].solve(self.coefficients, source[:, 0])
        return found[:, np.newaxis]

    solve_transposed = solve

    def __getitem__(self, chosen: IntArray) -> Projection:
        """Those of some of the engines."""
        return Projection(self.families, self.coefficients[:, chosen], self.transposable)


@dataclass(frozen=True, eq=False)
class Full:
    """The full solver of one engine, which keeps what it found.

    Attributes
    ----------
    state : Stationary
        Solved, with the solver that made it.
    places : ndarray of int
        Positions of the elements of its padded sector among those of the equations.
    size : int
        Number of elements of the equations.
    guesses : Projection, optional
        Solutions from a basis, from which an iteration starts.
    found : dict of str to ndarray, shape (size,)
        Solutions by the name of their equation.
    """

    state: Stationary
    places: IntArray
    size: int
    guesses: Projection | None = None
    found: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def final(self) -> bool:
        """The solver refines by itself."""
        return True

    @property
    def transposable(self) -> bool:
        """As of the solver."""
        return self.state.solver.transposable

    def solve(
        self, source: FloatArray, name: str, magnitude: FloatArray | float = 0.0
    ) -> FloatArray:
        """The solution for one source, shape (size, 1, 1)."""
        if name == "deviation":  # it was solved for when the solver was made
            x = self.state.delta / self.state.rho_0.max()
        else:
            solver = self.state.solver
            if self.guesses is not None:
                guess = self.guesses.solve(source, name)[self.places, 0].T
                solver = replace(solver, start=Subspace.of(solver.generator, guess))
            right = source[self.places, 0, 0]
            x, _ = solver.solve(right, magnitude=float(np.max(magnitude)))
        return self.keep(name, x)

    def solve_transposed(self, source: FloatArray, name: str) -> FloatArray:
        """The same with Lᵀ."""
        importance = np.abs(theta(self.state)) / weight(self.state.generator.sector)
        right = source[self.places, 0, 0]
        y, _ = self.state.solver.solve_transposed(right, importance=importance)
        return self.keep(name, y)

    def __getitem__(self, chosen: IntArray) -> Full:
        """Itself: there is one engine."""
        return self

    def solutions(self, ground: int) -> dict[str, FloatArray]:
        """What was found, with ``ground`` the element that is 0.

        To a solution of L x = b a multiple of ρ may be added.
        """
        rho = self._placed(self.state.rho)
        return {
            name: x if is_left(name) else x - x[ground] / rho[ground] * rho
            for name, x in self.found.items()
        }

    def keep(self, name: str, x: FloatArray) -> FloatArray:
        """A solution among all elements, kept under its name, shape (size, 1, 1)."""
        self.found[name] = self._placed(x)
        return self.found[name][:, np.newaxis, np.newaxis]

    def _placed(self, x: FloatArray) -> FloatArray:
        """A vector of the state's padded sector among all elements, zero elsewhere."""
        whole = np.zeros(self.size)
        whole[self.places] = x
        return whole


def is_left(name: str) -> bool:
    """Whether an equation of this name is one with Lᵀ."""
    return name.startswith("left")
