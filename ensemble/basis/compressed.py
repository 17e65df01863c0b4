r"""Equations in a basis whose parts of high coherence order are compressed into a small matrix.

Currents, noise and the two-spin state are read off the elements with q ≤ 1.  So the solutions of a
point are formed for the lowest coherence orders only; of the others only the defect matters, which
is r = M z with a tall matrix M that all engines share and a short vector z of each.  With weights
w > 0 of the elements, any κ, and W^(−1/2) M = Q R, Q with orthonormal columns,

.. math:: \|κ r\|_1 \le \left(\sum_i κ_i^2 w_i\right)^{1/2} \|W^{-1/2} r\|_2
                     = \left(\sum_i κ_i^2 w_i\right)^{1/2} \|R z\|_2

by Cauchy and Schwarz: a bound of the defect's 1-norm from a product with R.  It is the norm itself
where |r| is in proportion to w; so w is the mean |r| of some of the engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.basis.correctors import Projection
from ensemble.basis.family import Family
from ensemble.together import state
from ensemble.together.certified import Solver
from ensemble.together.engines import Engines
from ensemble.together.flows import source_at_drive
from ensemble.together.layout import Layout, lowest_orders

CHUNK = 16384
"""Elements of M at a time."""
LEAST_WEIGHT = 0.1
"""Part of the weights that is the same for all elements."""
SAME = 16 * float(np.finfo(float).eps)
"""Largest error of a coefficient, relative to the norm of all five, that counts as rounding."""
SAMPLED_ROWS = 512
"""Rows of M from which the bounds are estimated while a basis grows."""


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions in which the five coefficients of all engines lie.

    Often there are fewer than five: with bosonic baths of fixed Γ both rates of a bath depend on
    the occupation number alone.

    Attributes
    ----------
    vectors : ndarray, shape (5, number)
        Orthonormal U with c = U Uᵀ c for the coefficients c of each engine, to rounding.
    parts : list of csr_array
        Σ_p U_pj A_p for each direction j.
    """

    vectors: FloatArray
    parts: list[sparse.csr_array]

    @classmethod
    def of(cls, coefficients: FloatArray, place: Layout) -> Directions:
        """Those of engines, whose coefficients have the shape (5, points)."""
        U = few_directions(coefficients)
        matrices = place.parts.matrices
        parts = [
            sparse.csr_array(sum(float(u) * A for u, A in zip(column, matrices, strict=True)))
            for column in U.T
        ]
        for part in parts:
            part.eliminate_zeros()
        return cls(U, parts)


def few_directions(coefficients: FloatArray) -> FloatArray:
    """As few orthonormal vectors as the coefficients of all engines are combinations of.

    Parameters
    ----------
    coefficients : ndarray, shape (5, points)

    Returns
    -------
    ndarray, shape (5, number)
        The unit vectors where all five are needed.

    Examples
    --------
    >>> n = np.array([0.1, 0.7, 2.0])
    >>> few_directions(np.stack([0 * n + 1, 1 + n, n, 2 + 2 * n, 2 * n])).shape
    (5, 2)
    """
    c = coefficients / np.linalg.norm(coefficients, axis=0)
    U, _, _ = np.linalg.svd(c, full_matrices=False)
    for number in range(1, min(len(c) - 1, U.shape[1]) + 1):
        few = U[:, :number]
        if np.abs(c - few @ (few.T @ c)).max() <= SAME:
            return few
    return np.eye(len(c))


@dataclass(frozen=True, eq=False)
class Beyond:
    """Bounds of the defects of high coherence order.

    Attributes
    ----------
    lengths : ndarray, shape (3,)
        (Σ κ²w)^(1/2) for κ = 1, k₂ − q/2 and k₁ + q/2.
    factor : ndarray, shape (rows, length of z)
        R, or some rows of M with factors such that the norm is about the same.
    """

    lengths: FloatArray
    factor: FloatArray

    def bounds(self, z: FloatArray) -> FloatArray:
        """Bounds of ‖r‖₁ and of the two ‖κr‖₁, shape (3, points), of z of each point."""
        return np.outer(self.lengths, np.linalg.norm(self.factor @ z, axis=0))


@dataclass(frozen=True, eq=False)
class Equation:
    """One kind of equation in its basis.

    Attributes
    ----------
    family : Family
        The basis V and the projected equations.
    beyond : Beyond
        Its z begins with Uᵀc ⊗ y, y the coordinates of the solution V y, c the five coefficients
        and U the directions in which those of the block lie.
    size : int
        Number of elements that are formed, the first ones.
    directions : ndarray, shape (5, number)
        U, as of `Directions`.
    """

    family: Family
    beyond: Beyond
    size: int
    directions: FloatArray

    @property
    def low(self) -> FloatArray:
        """The elements of V that are formed."""
        return self.family.vectors[: self.size]

    def bounds(self, c: FloatArray, y: FloatArray, others: Sequence[FloatArray] = ()) -> FloatArray:
        """`Beyond.bounds` for coordinates and what else z holds."""
        scaled = ((self.directions.T @ c)[:, np.newaxis] * y).reshape(-1, y.shape[1])
        return self.beyond.bounds(np.concatenate([scaled, *others]))


@dataclass(frozen=True, eq=False)
class Compression:
    """The equations of δ and of the response ρ₁ in their bases V and W.

    Attributes
    ----------
    layout : Layout
        The elements that are formed.
    deviation : Equation
        z = Uᵀc ⊗ y.
    noise : Equation, optional
        z = (Uᵀc ⊗ v, ω₀ y', J y') with coordinates v of ρ₁ and y' = s y of ρ − ρ₀.
    overlaps : ndarray, shape (2, dimension of W, dimension of V)
        Wᵀ X V and Wᵀ V over the rows that are not formed, X of the anticommutator ½{X, ·}.
    """

    layout: Layout
    deviation: Equation
    noise: Equation | None
    overlaps: FloatArray

    @classmethod
    def of(
        cls,
        families: Mapping[str, Family],
        place: Layout,
        sample: Engines,
        directions: Directions,
        *,
        certain: bool,
    ) -> Compression:
        """That of bases of some elements.

        Parameters
        ----------
        families : mapping of str to Family
            "deviation", and "noise" where it is asked for.
        place : Layout
            All elements, the lowest coherence orders first.
        sample : Engines
            Some of those that are solved, for the weights.
        directions : Directions
            Those of all engines that will be solved.
        certain : bool
            Whether the bounds are to hold for certain.  They are estimated where they only say
            which vectors a basis lacks.
        """
        low = lowest_orders(place)
        weights = _weights(families, place, sample)
        V, W = families["deviation"], families.get("noise")
        U, parts = directions.vectors, directions.parts
        bounds = _beyond(V, parts, place, weights["deviation"], low.known, None, certain=certain)
        deviation = Equation(V, bounds, low.size, U)
        if W is None:
            return cls(low, deviation, None, np.zeros((2, 0, V.dimension)))
        overlaps = np.zeros((2, W.dimension, V.dimension))
        for rows in _chunks(low.known, place.size):
            for overlap, part in zip(overlaps, _sources(V, place, rows), strict=True):
                overlap += W.vectors[rows].T @ part
        bounds = _beyond(W, parts, place, weights["noise"], low.known, V, certain=certain)
        return cls(low, deviation, Equation(W, bounds, low.size, U), overlaps)


def _weights(
    families: Mapping[str, Family], place: Layout, sample: Engines
) -> dict[str, FloatArray]:
    """Weights of all elements for each equation: the mean size of some engines' defects."""
    c = state.coefficients(sample)
    solver = Solver(place, c, Projection(families, c, transposable=False))
    states = state.stationary(sample, solver)
    source = state.Origin.of(sample, place).source * states.largest
    defects = {"deviation": source - solver.apply(states.delta)}
    if "noise" in families:
        source = source_at_drive(states, states.current(-sample.drive * place.hop))
        defects["noise"] = source - solver.apply(families["noise"].solve(c, source))
    weights = {}
    for name, defect in defects.items():
        sizes = np.abs(defect) / np.abs(defect).sum(axis=0)
        sizes = sizes[:, np.isfinite(sizes).all(axis=0)]
        weights[name] = LEAST_WEIGHT / place.size + sizes.sum(axis=1) / max(sizes.shape[1], 1)
    return weights


def _sources(
    family: Family, place: Layout, rows: slice | IntArray
) -> tuple[FloatArray, FloatArray]:
    """X V and V, of which the source of ρ₁ is made."""
    return place.anticommutator[rows] @ family.vectors, family.vectors[rows]


def _beyond(
    family: Family,
    parts: Sequence[sparse.csr_array],
    place: Layout,
    weights: FloatArray,
    known: int,
    of_source: Family | None,
    *,
    certain: bool,
) -> Beyond:
    """The bounds of the rows of a family's equation from ``known`` on."""
    vectors = np.ascontiguousarray(family.vectors)  # as the sparse products need them

    def moved(rows: slice | IntArray) -> FloatArray:
        columns = [matrix[rows] @ vectors for matrix in parts]
        if of_source is not None:
            columns += _sources(of_source, place, rows)
        return np.concatenate(columns, axis=1)

    beyond = weights[known:]
    if certain or beyond.size <= SAMPLED_ROWS:
        columns = len(parts) * family.dimension + (2 * of_source.dimension if of_source else 0)
        factor = np.zeros((0, columns))
        for rows in _chunks(known, place.size):
            block = moved(rows) / np.sqrt(weights[rows, np.newaxis])
            factor = np.concatenate([factor, block])
            if factor.shape[0] > columns:
                factor = np.asarray(np.linalg.qr(factor, mode="r"))
    else:  # Σ r²/w is the mean of r²/w² over rows that are drawn in proportion to w, times Σ w
        drawn = np.random.default_rng(0).choice(beyond.size, SAMPLED_ROWS, p=beyond / beyond.sum())
        factor = moved(known + drawn) / beyond[drawn, np.newaxis]
        factor *= np.sqrt(beyond.sum() / SAMPLED_ROWS)
    k_1, k_2, q = (column[known:, 0] for column in (place.k_1, place.k_2, place.q))
    multiples = np.stack([np.ones(q.size), k_2 - q / 2, k_1 + q / 2])
    return Beyond(np.sqrt(multiples**2 @ beyond), np.ascontiguousarray(factor))


def _chunks(start: int, stop: int) -> Iterator[slice]:
    for first in range(start, stop, CHUNK):
        yield slice(first, min(first + CHUNK, stop))
