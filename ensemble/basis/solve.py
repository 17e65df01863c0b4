"""Solve the engines of a block from a reduced basis that grows where its error is largest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray, IntArray
from ensemble.basis.block import Block, are_near, common_truncation, engine_at, equations
from ensemble.basis.compressed import Compression
from ensemble.basis.family import Family
from ensemble.basis.spread import coordinates, edged, spread, worst
from ensemble.errors import Unsolvable
from ensemble.solution import Solution
from ensemble.steady.sector_forecast import complete_size, excitation_cuts, kept_whole
from ensemble.steady.truncation import Truncation
from ensemble.together.engines import Engines
from ensemble.together.solve import DEFINED, MOST_UNKNOWNS
from ensemble.variables import FROM_CUMULANTS

LEAST = 96
"""Least number of engines of one size for a basis: fewer need less time one by one."""
PAYS, PAYS_SIZE = 2000, 3000
"""Engines of one size, and elements of their sector (N = 20), from which a basis takes at most two
thirds of the time, measured on boxes that need 216 vectors."""
FIRST = 48
"""Points, far apart, that the basis starts with."""
MORE = 24
"""Points that it grows by at a time."""
TRAINED = 512
"""Points on which a growing basis is tried: those that it did not serve before, and new ones."""
SAMPLED = 64
"""Number of these points whose defects are formed in full, for the weights."""
MOSTLY = 0.9
"""While more than this part of the points is refused, a fourth of ``TRAINED`` points is tried."""
MARGIN = 0.3
"""A point whose residual, relative to the accepted one, is below this needs no more vectors."""
LEFT, LEFT_PART = 96, 0.05
"""If at most this many points, and at most this part of the block, are left over, they are solved
one by one and the basis does not grow again."""
PATIENCE, BETTER = 2, 0.95
"""A basis is left as it is after so many growths in which its mean error, as of `_excess`, has not
fallen to this part."""
COARSER = 2.0
"""Factor between the excitation numbers that are kept of engines of different bases."""
TRUNCATIONS = 6
"""Points whose truncations the sector is made of."""


def solve_from_basis(
    columns: Mapping[str, FloatArray],
    variables: Sequence[str],
    *,
    scaling: str,
    statistics: str,
    tolerance: float,
    least: int,
    smallest: float = MOST_UNKNOWNS,
) -> list[Solution | None]:
    """Solve engines from bases; None for each that has to be solved by itself.

    Parameters
    ----------
    columns, variables, scaling, statistics, tolerance
        As of `ensemble.together.solve.solve_together`.
    least : int
        Engines of one size from which a basis is made.
    smallest : float
        Elements that their sector must exceed; by default those that elimination serves.

    Returns
    -------
    list of Solution or None
        The diagnostic ``solver`` is "basis".  The values depend on the other points, within the
        certificates.
    """
    points = next(iter(columns.values())).size
    solutions: list[Solution | None] = [None] * points
    if not DEFINED.issuperset(variables):
        return solutions
    made = Engines.of(columns, scaling=scaling, statistics=statistics)
    if made is None:
        return solutions
    engines, positions = made
    with np.errstate(all="ignore"):  # what leaves the range of doubles fails its checks
        near = are_near(engines, variables)
        for chosen in _alike(engines, near, least, smallest, tolerance):
            own = {name: values[positions[chosen]] for name, values in columns.items()}
            try:
                truncation = _truncation(own, engines[chosen], scaling, statistics, tolerance)
            except Unsolvable:
                continue
            block = Block.of(
                own,
                engines[chosen],
                scaling=scaling,
                statistics=statistics,
                tolerance=tolerance,
                truncation=truncation,
                near=bool(near[chosen[0]]),
            )
            found: list[Solution | None] = [None] * chosen.size
            with suppress(np.linalg.LinAlgError):  # the points that are left are solved alone
                _solve(block, variables, found)
            for position, solution in zip(positions[chosen], found, strict=True):
                solutions[position] = solution
    return solutions


def _alike(
    engines: Engines,
    near: NDArray[np.bool_],
    least: int,
    smallest: float,
    tolerance: float,
) -> list[IntArray]:
    """Engines of one size, all near their Carnot point or all far, whose largest population is the
    same and whose sectors are alike; if there are enough of them.
    """
    cold, hot = engines.bright_baths
    sectors = _sectors(engines, tolerance)
    kinds = np.stack(
        [engines.n_1, engines.n_2, cold.log_ratio < 0, hot.log_ratio < 0, near, sectors]
    )
    found = []
    for kind in np.unique(kinds, axis=1).T:
        alike = np.flatnonzero((kinds == kind[:, np.newaxis]).all(axis=0))
        if alike.size >= least and complete_size(*kind[:2]) > smallest:
            found.append(alike)
    return found


def _sectors(engines: Engines, tolerance: float) -> IntArray:
    """Numbers that are equal for engines whose truncated sectors are of about the same size.

    All engines of a basis share one sector: with hot engines among them, cold ones would be solved
    with more excitations than they need.
    """
    ratios = (bath.log_ratio for bath in engines.bright_baths)
    cuts = np.maximum(*excitation_cuts(engines.n_1, engines.n_2, *ratios, tolerance=tolerance))
    largest = np.maximum(engines.n_1, engines.n_2)
    finer = np.floor(np.log(largest / np.maximum(cuts, 1)) / math.log(COARSER))
    return np.where(kept_whole(engines.n_1, engines.n_2), 0, finer).astype(np.int64)


def _truncation(
    columns: Mapping[str, FloatArray], engines: Engines, scaling: str, statistics: str, tol: float
) -> Truncation:
    """One that serves engines far apart."""
    apart = spread(coordinates(engines), TRUNCATIONS).tolist()
    tried = [engine_at(columns, point, scaling=scaling, statistics=statistics) for point in apart]
    return common_truncation(tried, tolerance=tol, solver="auto")


def _solve(block: Block, variables: Sequence[str], solutions: list[Solution | None]) -> None:
    """Grow a basis until it serves the block, or until more vectors no longer save time."""
    growing = _Growing(block, variables, coordinates(block.engines))
    points = block.engines.points
    order = spread(edged(growing.places), FIRST + TRAINED)
    if not growing.add(order[:FIRST]):
        return
    others = np.setdiff1d(np.arange(points), order)
    unseen = np.concatenate([order[FIRST:], np.random.default_rng(0).permutation(others)])
    sample = unseen[:SAMPLED] if unseen.size else order
    few = min(LEFT, LEFT_PART * points)
    _train(growing, unseen, sample, few)
    left = np.arange(points)
    while True:
        error = growing.basis(sample, certain=True).errors(left, variables, solutions)
        before, kept = left.size, np.array([solutions[point] is None for point in left.tolist()])
        left, error = left[kept], error[kept]
        if left.size <= few or growing.is_costly or left.size > before - MORE:
            return
        if not growing.add(growing.worst(left, error)):
            return


def _train(growing: _Growing, unseen: IntArray, sample: IntArray, few: float) -> None:
    """Grow a basis until only a few points of its block are expected to be left over.

    Parameters
    ----------
    growing : _Growing
    unseen : ndarray of int
        Points on which it is tried, in this order.
    sample : ndarray of int
        As of `_Growing.basis`.
    few : float
    """
    known = unseen[:0]
    number = TRAINED // 4  # while most are refused, a fourth of the points shows what is lacking
    excess: list[float] = []
    while not growing.is_costly:
        fresh, unseen = np.split(unseen, [number - known.size])
        trained = np.concatenate([known, fresh])
        if not trained.size:
            return
        basis = growing.basis(sample, certain=False)
        error = basis.errors(trained, equations(growing.variables))
        error = np.where(np.isnan(error), np.inf, error)
        refused = error > 1
        unknown = refused[known.size :].mean() * (fresh.size + unseen.size) if fresh.size else 0
        if refused[: known.size].sum() + unknown <= few:
            return
        excess.append(_excess(error[known.size :] if fresh.size else error))
        if len(excess) > PATIENCE and min(excess[-PATIENCE:]) > BETTER * min(excess[:-PATIENCE]):
            return
        if refused.mean() < MOSTLY and number < TRAINED:
            number, excess = TRAINED, []
        lacking = error > MARGIN
        chosen = growing.worst(trained[lacking], error[lacking])
        known = np.setdiff1d(trained[lacking], chosen)
        if not growing.add(chosen):
            return


def _excess(error: FloatArray) -> float:
    """Mean logarithm of the factor by which errors are beyond the margin."""
    beyond = np.clip(error / MARGIN, 1.0, np.finfo(float).max)
    return float(np.log(beyond).mean())


@dataclass(eq=False)
class _Growing:
    """Bases of a block that grow, and the points that were solved for them.

    Attributes
    ----------
    block : Block
    variables : sequence of str
    places : ndarray, shape (points, number)
        Coordinates of the block's engines, as of `coordinates`.
    vectors : dict of str to list of ndarray
        Solutions by the name of their equation.
    families : dict of str to Family
        Bases of these.
    tried : set of int
        Points that were solved in full, or could not be.
    """

    block: Block
    variables: Sequence[str]
    places: FloatArray
    vectors: dict[str, list[FloatArray]] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    tried: set[int] = field(default_factory=set)

    @property
    def is_costly(self) -> bool:
        """Whether half of the points were solved in full."""
        return len(self.tried) >= len(self.places) // 2

    def add(self, points: IntArray) -> bool:
        """Add the solutions at more points to the bases; whether there were any."""
        added = False
        for point in points.tolist():
            self.tried.add(point)
            try:
                found, _ = self.block.solved(point, self.variables, self.families)
            except Unsolvable:
                continue
            for name, vector in found.items():
                size = np.linalg.norm(vector)
                if np.isfinite(size) and size > 0:
                    self.vectors.setdefault(name, []).append(vector)
                    added = True
        if added:
            self.families = self.block.families(self.vectors)
        return added

    def worst(self, points: IntArray, error: FloatArray) -> IntArray:
        """Those of some points with the largest errors, apart from each other, not yet tried."""
        fresh = np.array([point not in self.tried for point in points.tolist()], dtype=bool)
        points, error = points[fresh], error[fresh]
        radius = len(self.tried) ** (-1 / self.places.shape[1])
        return points[worst(error, self.places[points], MORE, goal=MARGIN, radius=radius)]

    def basis(self, sample: IntArray, *, certain: bool) -> Basis:
        """The bases as they are; the parameters are those of `Basis.of`."""
        return Basis.of(self.block, self.families, self.variables, sample, certain=certain)


@dataclass(frozen=True, eq=False)
class Basis:
    """Bases of a block, whose equations may be compressed.

    Attributes
    ----------
    block : Block
    families : mapping of str to Family
    compression : Compression, optional
    """

    block: Block
    families: Mapping[str, Family]
    compression: Compression | None

    @classmethod
    def of(
        cls,
        block: Block,
        families: Mapping[str, Family],
        names: Sequence[str],
        sample: IntArray,
        *,
        certain: bool,
    ) -> Basis:
        """The bases, ``sample`` and ``certain`` as of `Compression.of`."""
        if FROM_CUMULANTS.intersection(names):  # they need all elements of their solutions
            return cls(block, families, None)
        return cls(
            block,
            families,
            Compression.of(
                families,
                block.layout,
                block.engines[sample],
                block.directions,
                certain=certain,
            ),
        )

    def errors(
        self,
        points: IntArray,
        names: Sequence[str],
        solutions: list[Solution | None] | None = None,
    ) -> FloatArray:
        """Largest residual of each point, relative to the one that is accepted.

        Solutions of points that meet every check are put into a list, if one is given.
        """
        block, errors = self.block, []
        for batch in block.batches(points, compressed=self.compression is not None):
            if self.compression is None:
                engines, found = block.projected(self.families, batch, names)
            else:
                engines, found = block.served(self.compression, batch, names)
            if solutions is not None:
                found.solutions(engines, batch, names, block.diagnostics, solutions)
            errors.append(found.diagnostics["residual"])
        return np.concatenate(errors) / block.accepted(names)
