"""Searches for optima from several starts, with their Karush–Kuhn–Tucker residuals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize as minimize_function
from scipy.optimize import nnls

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.optima.problem import Constraint, Evaluated, Problem

KKT_TOLERANCE = 1e-6
"""Largest residual of an optimum: the objective's relative change over the width of the box."""
FEASIBLE = 1e-8
"""Violation of a constraint that counts as none, relative to its level or its value."""
ACTIVE = 1e-6
"""Distance within which a constraint counts as active, and so does the edge of the unit box."""
MOST_STEPS = 300
"""Most steps of one round of a search; a search that needs more says so."""
MOST_ROUNDS = 5
MOST_STARTS = 1000
SAME_OPTIMUM = 1e-5
"""Distance in the unit box within which two searches count as having found one optimum."""


@dataclass(frozen=True, eq=False)
class Search:
    """One search and the point that it ended at.

    Attributes
    ----------
    start, parameters : mapping of str to float
        Where it began and where it ended.
    values : mapping of str to float
        The objective and the constrained variables at its end.
    kkt_residual : float
        ‖∇f − Σ λᵢ∇cᵢ‖₂ / |f| with the best multipliers λ ≥ 0 of the active constraints and bounds,
        gradients in the unit box: 0 at an optimum.
    violation : float
        Largest violation of a constraint, relative to its level (or its value, where that is 0).
    prices : mapping of str to float
        Change of the optimal objective per unit of each constraint's level; 0 if it is not active.
    at_bounds : tuple of str
        Parameters that ended at a limit of their range.
    residual : float
        Worst relative residual of the solves at the end.
    evaluations : int
    converged : bool
        Whether it is feasible, certified, and its Karush–Kuhn–Tucker residual small.
    message : str
        Why it did not converge; empty otherwise.
    position : ndarray
        Its end in the unit box.
    """

    start: Mapping[str, float]
    parameters: Mapping[str, float]
    values: Mapping[str, float]
    kkt_residual: float
    violation: float
    prices: Mapping[str, float]
    at_bounds: tuple[str, ...]
    residual: float
    evaluations: int
    converged: bool
    message: str
    position: FloatArray


@dataclass(frozen=True, eq=False)
class Optimization:
    """All searches for one problem.

    Attributes
    ----------
    problem : Problem
    maximized : bool
    seed : int
    searches : tuple of Search
        Those that converged first, the best of them first; one for each start.
    """

    problem: Problem
    maximized: bool
    seed: int
    searches: tuple[Search, ...]

    @property
    def best(self) -> Search | None:
        """The best of the searches that converged, if any did."""
        first = self.searches[0]
        return first if first.converged else None

    @property
    def distinct(self) -> tuple[Search, ...]:
        """One of the searches that converged for each optimum, the best first."""
        kept: list[Search] = []
        for search in self.searches:
            apart = [np.abs(search.position - other.position).max() for other in kept]
            if search.converged and all(distance > SAME_OPTIMUM for distance in apart):
                kept.append(search)
        return tuple(kept)


def optimize(
    engine: Engine,
    *,
    over: Mapping[str, tuple[float, float]],
    maximize: str | None = None,
    minimize: str | None = None,
    subject_to: Iterable[Constraint | str] = (),
    geometric: Iterable[str] = (),
    starts: int = 8,
    seed: int = 0,
    tolerance: float = 1e-10,
) -> Optimization:
    """Local optima of a variable over a box of parameters, by SLSQP on adjoint gradients.

    Searches begin at the points of a scrambled Halton sequence.  Each ends in a local optimum; it
    is not proved that no better one exists.

    Parameters
    ----------
    engine : Engine
        Its parameters are those that are not varied.
    over : mapping of str to pair of float
        Lowest and highest value of each parameter that is varied.
    maximize, minimize : str
        The objective, one of them: currents, noise, constancy, activity or ``collective_gain``.
    subject_to : iterable of str
        Constraints such as ``"constancy >= 1"`` and ``"gain >= 1"``.
    geometric : iterable of str
        Parameters that are searched by ratios.
    starts : int
        Number of searches.
    seed : int
        Of the sequence of starts.
    tolerance : float
        Largest relative residual of a solve that counts as certified.

    Returns
    -------
    Optimization

    Raises
    ------
    InvalidInput
        If an argument is out of its range.

    Examples
    --------
    The spacing at which one pair has the most power:

    >>> engine = Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001)
    >>> found = optimize(engine, maximize="power", over={"delta_E": (1, 11)}, starts=2)
    >>> round(found.best.parameters["delta_E"], 4), found.best.kkt_residual < 1e-6
    (5.9116, True)
    """
    if (maximize is None) == (minimize is None):
        raise InvalidInput("an optimisation has one objective: give maximize or minimize")
    if not 1 <= starts <= MOST_STARTS:
        raise InvalidInput(f"starts must lie between 1 and {MOST_STARTS}, but is {starts}")
    if seed < 0:
        raise InvalidInput(f"seed must not be negative, but is {seed}: use 0, 1, 2, …")
    objective = maximize if maximize is not None else minimize
    assert objective is not None
    problem = Problem(
        engine, objective, over, constraints=subject_to, geometric=geometric, tolerance=tolerance
    )
    from scipy.stats import qmc  # slow to import, and no engine needs it

    begin = qmc.Halton(d=len(problem.names), scramble=True, rng=seed).random(starts)
    sign = -1.0 if maximize is not None else 1.0
    searches = [_Searcher(problem, sign).search(position) for position in begin]
    searches.sort(key=lambda s: (not s.converged, sign * s.values.get(problem.objective, np.inf)))
    return Optimization(problem, maximize is not None, seed, tuple(searches))


class _Searcher:
    """One search; points are evaluated once, although the optimiser asks for each part."""

    def __init__(self, problem: Problem, sign: float) -> None:
        self.problem, self.sign = problem, sign
        self._last: tuple[bytes, Evaluated] | None = None
        self.evaluations = 0

    def evaluate(self, position: FloatArray) -> Evaluated:
        """Variables at a position, from memory if it was the last."""
        key = position.tobytes()
        if self._last is None or self._last[0] != key:
            self.evaluations += 1
            self._last = key, self.problem.evaluate(position)
        return self._last[1]

    def search(self, start: FloatArray) -> Search:
        """Follow SLSQP from a start to its end.

        SLSQP stops when the objective no longer changes, and the gradient need not be small there.
        So it is started again from its end, with the objective in units of its new value, until
        the residual is small or the point no longer moves.
        """
        problem, position = self.problem, start
        try:
            for _ in range(MOST_ROUNDS):
                before = position
                position, words = self._follow(before)
                found = self._ended(start, position, self.evaluate(position), words)
                if found.converged or np.array_equal(position, before):
                    break
        except Unsolvable as failure:
            nowhere = dict.fromkeys(problem.names, np.nan)
            return Search(
                problem.parameters(start), nowhere, {}, np.inf, np.inf, {}, (), np.inf,
                self.evaluations, False, str(failure), start,
            )  # fmt: skip
        return found

    def _follow(self, start: FloatArray) -> tuple[FloatArray, str]:
        """Where SLSQP ends, and what it says."""
        problem, first = self.problem, self.evaluate(start)
        unit = abs(first.values[problem.objective]) or 1.0
        scales = [self._scale(item, first) for item in problem.constraints]
        found = minimize_function(
            lambda u: self.sign * self.evaluate(u).values[problem.objective] / unit,
            start,
            jac=lambda u: self.sign * self.evaluate(u).gradients[problem.objective] / unit,
            method="SLSQP",
            bounds=[(0.0, 1.0)] * len(problem.names),
            constraints=[
                {
                    "type": "ineq",
                    "fun": lambda u, c=item, s=scale: self._slack(c, self.evaluate(u)) / s,
                    "jac": lambda u, c=item, s=scale: (
                        c.sign * self.evaluate(u).gradients[c.variable] / s
                    ),
                }
                for item, scale in zip(problem.constraints, scales, strict=True)
            ],
            options={"maxiter": MOST_STEPS, "ftol": 1e-15},
        )
        return np.clip(found.x, 0.0, 1.0), str(found.message)

    def _ended(self, start: FloatArray, end: FloatArray, last: Evaluated, words: str) -> Search:
        """The point at which a search ended, judged by its multipliers."""
        problem = self.problem
        value = last.values[problem.objective]
        size = abs(value) or 1.0
        slope = self.sign * last.gradients[problem.objective] / size
        columns: list[FloatArray] = []
        active: list[tuple[Constraint, float]] = []
        violation = 0.0
        for item in problem.constraints:
            scale = self._scale(item, last)
            slack = self._slack(item, last) / scale
            violation = max(violation, -slack)
            if slack <= ACTIVE:
                active.append((item, scale))
                columns.append(item.sign * last.gradients[item.variable] / scale)
        at_bounds = []
        for i, name in enumerate(problem.names):
            for edge, inward in ((0.0, 1.0), (1.0, -1.0)):
                if abs(end[i] - edge) <= ACTIVE:
                    columns.append(inward * np.eye(len(problem.names))[i])
                    at_bounds.append(name)
        if columns:
            multipliers, kkt = nnls(np.array(columns).T, slope)
        else:
            multipliers, kkt = np.zeros(0), float(np.linalg.norm(slope))
        prices = {str(item): 0.0 for item in problem.constraints}
        for (item, scale), multiplier in zip(active, multipliers, strict=False):
            prices[str(item)] = float(self.sign * item.sign * multiplier * size / scale)
        message = last.message
        if not message and not violation <= FEASIBLE:
            message = f"no feasible point found: a constraint is violated by {violation:.1e}"
        if not message and not kkt <= KKT_TOLERANCE:
            message = f"KKT residual {kkt:.1e} exceeds {KKT_TOLERANCE:.0e} ({words})"
        return Search(
            start=problem.parameters(start),
            parameters=problem.parameters(end),
            values=last.values,
            kkt_residual=float(kkt),
            violation=max(violation, 0.0),
            prices=prices,
            at_bounds=tuple(at_bounds),
            residual=last.residual,
            evaluations=self.evaluations,
            converged=not message,
            message=message,
            position=end,
        )

    @staticmethod
    def _slack(item: Constraint, at: Evaluated) -> float:
        return item.sign * (at.values[item.variable] - item.level)

    @staticmethod
    def _scale(item: Constraint, at: Evaluated) -> float:
        return abs(item.level) or abs(at.values[item.variable]) or 1.0
