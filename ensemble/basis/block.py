"""The engines of one size of a block, solved in full one by one or from a basis in batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray, IntArray
from ensemble.basis.compressed import Compression, Directions
from ensemble.basis.correctors import Full, Projection, is_left
from ensemble.basis.family import Family
from ensemble.basis.served import Batch
from ensemble.closed_forms.dark import brightened
from ensemble.counting.noise import response_at_drive
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.generator.sector import Sector
from ensemble.steady.first_guess import first_guess
from ensemble.steady.sector_forecast import kept_whole
from ensemble.steady.start import Start
from ensemble.steady.stationary import SolverName, choose, stationary
from ensemble.steady.truncated_solve import solve_truncated
from ensemble.steady.truncation import Truncation, complete, kept_excitations
from ensemble.together import state
from ensemble.together.certified import Solver
from ensemble.together.engines import Engines
from ensemble.together.layout import Layout, lowest_orders, padded_layout
from ensemble.together.solve import Found, Known, found_of
from ensemble.units import natural_units
from ensemble.variables import FROM_CUMULANTS, FROM_NOISE

BATCH_ELEMENTS = 1e5
"""Elements of the vectors of a batch: they should stay in the cache."""
NEAR = 0.05
"""Affinity below which engines count as near their Carnot point.  There odd cumulants are found
from deviations, whose basis would be larger far from it."""
ACCEPTED, ACCEPTED_OF_CUMULANTS = 0.1, 0.015
"""Largest residual of a solution from a basis, relative to the tolerance: the relative error of a
value may be larger than the residual, that of the fourth cumulant 40 times (Fig. 2's map)."""
SNAPSHOT = 0.1
"""Largest residual of a solution that a basis is made of, relative to the accepted one.
Truncations aim at a tenth of it."""
FEWEST, MOST = 16, 128
"""Points of a batch at least and at most."""
SERVED_ELEMENTS, SERVED_FEWEST = 4e5, 32
"""The same for compressed equations, whose products with small matrices need more points."""


@dataclass(frozen=True, eq=False)
class Block:
    """Engines of one size, with one truncated sector and one element that is fixed.

    Attributes
    ----------
    columns : mapping of str to ndarray, shape (points,)
        Parameters as of `Engine.of`.
    engines : Engines
        The same.
    scaling, statistics, tolerance
        As of `ensemble.together.solve.solve_together`.
    truncation : Truncation
    ground : int
        The element that is fixed.
    near : bool
        Whether the engines are near their Carnot point.
    """

    columns: Mapping[str, FloatArray]
    engines: Engines
    scaling: str
    statistics: str
    tolerance: float
    truncation: Truncation
    ground: int
    near: bool

    @classmethod
    def of(
        cls,
        columns: Mapping[str, FloatArray],
        engines: Engines,
        *,
        scaling: str,
        statistics: str,
        tolerance: float,
        truncation: Truncation,
        near: bool,
    ) -> Block:
        """The block of engines with one largest population."""
        cold, hot = engines.bright_baths
        k_1 = np.where(cold.log_ratio[:1] < 0, engines.n_1[:1], 0)
        k_2 = np.where(hot.log_ratio[:1] < 0, engines.n_2[:1], 0)
        first = engine_at(columns, 0, scaling=scaling, statistics=statistics)
        ground = int(truncation.sector(first).padded().index(k_1, k_2, 0 * k_1)[0])
        return cls(columns, engines, scaling, statistics, tolerance, truncation, ground, near)

    @property
    def diagnostics(self) -> dict[str, int | str]:
        """What all solutions from a basis share."""
        return {
            "coherence_order": self.truncation.coherence_order,
            "excitation_cut": max(self.truncation.cut_1, self.truncation.cut_2),
            "solver": "basis",
        }

    @cached_property
    def sector(self) -> Sector:
        """The sector, truncated."""
        return self.truncation.sector(self.engine(0))

    @cached_property
    def layout(self) -> Layout:
        """Its elements, padded where it is truncated."""
        return padded_layout(self.sector)

    @cached_property
    def directions(self) -> Directions:
        """Directions in which the coefficients of its engines lie."""
        return Directions.of(state.coefficients(self.engines), self.layout)

    def accepted(self, names: Collection[str]) -> float:
        """Largest residual with which a point from a basis is accepted."""
        of_cumulants = FROM_CUMULANTS.intersection(names)
        return (ACCEPTED_OF_CUMULANTS if of_cumulants else ACCEPTED) * self.tolerance

    def snapshot(self, names: Collection[str]) -> float:
        """Largest residual of a solution that a basis is made of."""
        return SNAPSHOT * self.accepted(names)

    def engine(self, point: int) -> Engine:
        """One of the engines in natural units, with warmer baths if both are dark."""
        return engine_at(self.columns, point, scaling=self.scaling, statistics=self.statistics)

    def truncation_of(self, engine: Engine) -> Truncation:
        """The truncation that one engine is expected to need, at most that of the block."""
        own, shared = first_guess(engine, tolerance=self.tolerance), self.truncation
        cut_1, cut_2 = min(own.cut_1, shared.cut_1), min(own.cut_2, shared.cut_2)
        order = min(own.coherence_order, shared.coherence_order)
        return Truncation(min(order, cut_1, cut_2), cut_1, cut_2)

    def solved(
        self, point: int, names: Collection[str], families: Mapping[str, Family]
    ) -> tuple[dict[str, FloatArray], str]:
        """Solutions of all equations of an engine, by the name of the equation; and the solver.

        Raises
        ------
        Unsolvable
            If double precision does not hold the equations, or if a residual is too large for a
            solution that a basis is made of.
        """
        if FROM_CUMULANTS.intersection(names):
            return self._solved_to_fourth_order(point, names, families)
        engine = self.engine(point)
        cut_1, cut_2 = kept_excitations(engine, self.snapshot(names))
        shared = self.truncation
        cut_1, cut_2 = min(cut_1, shared.cut_1), min(cut_2, shared.cut_2)
        own = Truncation(min(shared.coherence_order, cut_1, cut_2), cut_1, cut_2)
        if _faster(engine, own, names) != "gmres":
            guess = first_guess(engine, tolerance=self.snapshot(names))
            own = replace(own, coherence_order=min(own.coherence_order, guess.coherence_order))
        for truncation in dict.fromkeys([own, shared]):
            full, residual = self._state_and_response(engine, truncation, names)
            if residual <= self.snapshot(names):
                return full.solutions(self.ground), full.state.solver_name
        raise Unsolvable("the residual is too large for a basis: solve this engine by itself")

    def _state_and_response(
        self, engine: Engine, truncation: Truncation, names: Collection[str]
    ) -> tuple[Full, float]:
        """δ, and ρ₁ if the noise is asked for, with the larger residual."""
        found = solve_truncated(engine, truncation, _faster(engine, truncation, names))
        places = found.sector.positions_in(self.sector.padded())
        full, worst = Full(found, places, self.layout.size), found.residual
        full.keep("deviation", found.delta / found.rho_0.max())
        if FROM_NOISE.intersection(names):
            _, response, residual = response_at_drive(found)
            full.keep("noise", response)
            worst = max(worst, residual)
        return full, worst

    def _solved_to_fourth_order(
        self, point: int, names: Collection[str], families: Mapping[str, Family]
    ) -> tuple[dict[str, FloatArray], str]:
        """The same with all equations of the cumulants.

        They are found on the engine's own truncation, or on that of the block where it is not
        enough.  An iteration starts from the solutions in the bases, if there are any.
        """
        engine = self.engine(point)
        one = self.engines[np.array([point])]
        c = state.coefficients(one)
        guesses = Projection(families, c, transposable=False) if families else None
        own = self.truncation_of(engine)
        full = self._in_full(engine, own, one, guesses)
        if full.state.residual > self.snapshot(names) and own != self.truncation:
            full = self._in_full(engine, self.truncation, one, guesses)
        solver = Solver(self.layout, c, full)
        Known.of(state.stationary(one, solver), equations(names), split=self.near)
        return full.solutions(self.ground), full.state.solver_name

    def _in_full(
        self, engine: Engine, truncation: Truncation, one: Engines, guesses: Projection | None
    ) -> Full:
        """The solver of an engine on a truncation, with its stationary state."""
        sector = truncation.sector(engine)
        library = choose("auto", engine, sector)
        start = None
        if library != "gmres":
            guesses = None
        elif guesses is not None:
            solver = Solver(self.layout, guesses.coefficients, guesses)
            guessed = state.stationary(one, solver).delta
            start = Start(truncation, guessed[sector.positions_in(self.sector.padded())].T)
        found = solve_truncated(engine, truncation, library, start=start)
        places = sector.padded().positions_in(self.sector.padded())
        return Full(found, places, self.layout.size, guesses)

    def families(self, solutions: Mapping[str, Sequence[FloatArray]]) -> dict[str, Family]:
        """Bases of solutions."""
        return {
            name: Family.of(vectors, self.layout, transposed=is_left(name))
            for name, vectors in solutions.items()
        }

    def enlarged(
        self, families: Mapping[str, Family], solutions: Mapping[str, FloatArray]
    ) -> dict[str, Family]:
        """Bases that hold the solutions of one more engine, too."""
        found = dict(families)
        for name, vector in solutions.items():
            family = found.get(name) or Family.empty(self.layout.size)
            found[name] = family.enlarged(
                vector[:, np.newaxis], self.layout, transposed=is_left(name)
            )
        return found

    def batches(self, points: IntArray, *, compressed: bool) -> list[IntArray]:
        """Some points in batches."""
        elements, fewest, size = BATCH_ELEMENTS, FEWEST, self.layout.size
        if compressed:
            elements, fewest, size = SERVED_ELEMENTS, SERVED_FEWEST, lowest_orders(self.layout).size
        number = int(np.clip(elements / size, fewest, MOST))
        return [points[start : start + number] for start in range(0, points.size, number)]

    def projected(
        self, families: Mapping[str, Family], batch: IntArray, names: Collection[str]
    ) -> tuple[Engines, Found]:
        """Values of a batch from bases, with the residuals of the full equations."""
        engines = self.engines[batch]
        c = state.coefficients(engines)
        transposable = any(is_left(name) for name in families)
        solver = Solver(self.layout, c, Projection(families, c, transposable))
        states = state.stationary(engines, solver)
        allowed = self.accepted(names)
        known = Known.of(states, names, split=self.near)
        return engines, found_of(states, known, names, allowed, even=allowed)

    def served(
        self, compression: Compression, batch: IntArray, names: Collection[str]
    ) -> tuple[Engines, Found]:
        """Values of a batch from compressed equations, with bounds of the residuals."""
        engines = self.engines[batch]
        return engines, Batch(engines, compression).found(names, self.accepted(names))


def _faster(engine: Engine, truncation: Truncation, names: Collection[str]) -> str:
    """The faster solver for δ, and for ρ₁ if the noise is asked for."""
    solves = 1 + bool(FROM_NOISE.intersection(names))
    return choose("auto", engine, truncation.sector(engine), solves=solves)


def engine_at(
    columns: Mapping[str, FloatArray], point: int, *, scaling: str, statistics: str
) -> Engine:
    """A point's engine in natural units, with warmer baths if both are dark."""
    values = {name: float(column[point]) for name, column in columns.items()}
    natural, _ = natural_units(Engine.of(**values, scaling=scaling, statistics=statistics))
    return brightened(natural)[0]


def are_near(engines: Engines, names: Collection[str]) -> NDArray[np.bool_]:
    """Which engines are near their Carnot point, if that matters for some variables."""
    return (np.abs(engines.affinity) < NEAR) & bool(FROM_CUMULANTS.intersection(names))


def equations(names: Collection[str]) -> list[str]:
    """Variables for which all equations are solved that are solved for some variables."""
    needed = ["power"]
    needed += [name for name in sorted(FROM_NOISE | FROM_CUMULANTS) if name in names]
    return needed


def common_truncation(engines: list[Engine], *, tolerance: float, solver: SolverName) -> Truncation:
    """A truncation that serves all of some engines, complete if their sector is small.

    Raises
    ------
    Unsolvable
        If there is none.
    """
    first = engines[0]
    if kept_whole(*first.levels):
        return complete(first)
    found = []
    for engine in engines:
        try:
            found.append(stationary(engine, tolerance=tolerance, solver=solver).truncation)
        except (InvalidInput, Unsolvable):
            continue
    if not found:
        raise Unsolvable("none of the engines that were tried can be solved: solve each by itself")
    return Truncation(
        max(t.coherence_order for t in found),
        max(t.cut_1 for t in found),
        max(t.cut_2 for t in found),
    )
