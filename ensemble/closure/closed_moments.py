r"""The closed moments of the limit N → ∞ as arrays: rates, Jacobian and divided differences.

Order 3 closes the monomials as 𝓛 gives them, like Eqs. C6 and C12; these equations conserve
⟨(mᵢ)²⟩ = 1.  (C3 and C5 use (mᵢ)² = 1 first.  That leaves the stationary state as it is and changes
the gap by up to 10 %.)  Orders 2 and 4 as 𝓛 gives them do not conserve (mᵢ)² = 1: ⟨mᵢᶻ⟩
relaxes to 0 at order 2, ⟨(mᵢ)²mᵢᶻ⟩ to 1.3–1.7 ⟨mᵢᶻ⟩ at order 4.  They close the traceless part of a
monomial only, so that (mᵢ)² = 1 holds in every moment.  See docs/theory/cumulant-closure.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray, IntArray
from ensemble.closure.hierarchy import ONE, RATES, Monomial, equation, monomials
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.limits.classical_pair import ClassicalPair

ORDERS = (2, 3, 4)
_Affine = dict[Monomial, float]
"""A moment through independent ones; the key ``ONE`` holds the constant."""


@dataclass(frozen=True, eq=False)
class ClosedMoments:
    """Closed equations dc/dt = f(c) of the independent moments c, shape (k,).

    Attributes
    ----------
    order : int
        Cumulants of this order and above vanish.
    moments : tuple of Monomial
        All n moments of degree 1 … order − 1.
    coordinates : tuple of Monomial
        The k independent ones.
    offset, embedding : ndarray, shapes (n + 1,) and (n + 1, k)
        All moments, and a 1 behind them, are ``offset + embedding @ c``.

    Notes
    -----
    ``rates`` is everywhere an array in the order of ``hierarchy.RATES``, see ``rates_of``.
    """

    order: int
    moments: tuple[Monomial, ...]
    coordinates: tuple[Monomial, ...]
    offset: FloatArray
    embedding: FloatArray
    _row: IntArray
    _rate: IntArray
    _coefficient: FloatArray
    _factors: IntArray

    def everything(self, c: FloatArray) -> FloatArray:
        """All moments and a 1 behind them, shape (n + 1,)."""
        return self.offset + self.embedding @ c

    @cached_property
    def transverse(self) -> NDArray[np.bool_]:
        """Which of the independent moments have transverse components, shape (k,)."""
        return np.array([any(m[k] for k in (0, 1, 3, 4)) for m in self.coordinates])

    def values(self, c: FloatArray) -> dict[Monomial, float]:
        """All moments by monomial, the constant ``ONE`` included."""
        return dict(zip((*self.moments, ONE), self.everything(c).tolist(), strict=True))

    def restrict(self, values: dict[Monomial, float]) -> FloatArray:
        """The independent ones of some moments, shape (k,)."""
        return np.array([values[moment] for moment in self.coordinates])

    def derivative(self, c: FloatArray, rates: FloatArray) -> FloatArray:
        """dc/dt, shape (k,)."""
        return self._collect(self._terms(c, rates))

    def gross(self, c: FloatArray, rates: FloatArray) -> FloatArray:
        """Sum of the moduli of the terms of dc/dt, shape (k,): the scale of their rounding."""
        return self._collect(np.abs(self._terms(c, rates)))

    def jacobian(self, c: FloatArray, rates: FloatArray) -> FloatArray:
        """∂(dc/dt)/∂c, shape (k, k)."""
        factors = self.everything(c)[self._factors]
        weights = self._coefficient * rates[self._rate]
        k, width = self.embedding.shape[1], self.offset.size
        matrix = np.zeros(k * width)
        for slot in range(self.order):
            others = _product(factors[:slot]) * _product(factors[slot + 1 :])
            place = self._row * width + self._factors[slot]
            matrix += np.bincount(place, weights * others, k * width)
        return matrix.reshape(k, width) @ self.embedding

    def difference(
        self, base: FloatArray, slope: FloatArray, step: float, rates: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """[f(base + step·slope) − f(base)]/step, and the sum of the moduli of its terms.

        The difference of two products is telescoped and never formed: step = 0 gives the
        directional derivative.
        """
        start, change = self.everything(base), self.embedding @ slope
        first, last = start[self._factors], (start + step * change)[self._factors]
        change = change[self._factors]
        terms, gross = np.zeros(self._row.size), np.zeros(self._row.size)
        for slot in range(self.order):
            term = _product(first[:slot]) * change[slot] * _product(last[slot + 1 :])
            terms += term
            gross += np.abs(term)
        weights = self._coefficient * rates[self._rate]
        return self._collect(weights * terms), self._collect(np.abs(weights) * gross)

    def _terms(self, c: FloatArray, rates: FloatArray) -> FloatArray:
        weights = self._coefficient * rates[self._rate]
        return np.asarray(weights * _product(self.everything(c)[self._factors]))

    def _collect(self, terms: FloatArray) -> FloatArray:
        collected = np.bincount(self._row, terms, self.embedding.shape[1])
        return np.asarray(collected, dtype=np.float64)


def _product(factors: FloatArray) -> FloatArray:
    return np.asarray(np.multiply.reduce(factors, axis=0))


@lru_cache
def closed_moments(order: int, *, symmetric: bool) -> ClosedMoments:
    """The closed equations of an order, generated from 𝓛.

    Parameters
    ----------
    order : int
        2, 3 or 4.
    symmetric : bool
        Only the moments that survive in the stationary state (2, 6 or 12), in place of all that
        (m₁)² = (m₂)² = 1 leaves independent (6, 25 or 69).

    Raises
    ------
    InvalidInput
        If the order is none of these.

    Examples
    --------
    >>> from ensemble.closure.hierarchy import symbol
    >>> [symbol(moment) for moment in closed_moments(3, symmetric=True).coordinates]
    ['m₁ᶻ', 'm₂ᶻ', 'm₁ˣm₂ʸ', '(m₁ᶻ)²', 'm₁ᶻm₂ᶻ', '(m₂ᶻ)²']
    """
    require_order(order)
    embed = _in_the_symmetric_state if symmetric else _on_the_spheres
    moments = monomials(order - 1)
    images = {moment: embed(moment) for moment in moments}
    coordinates = tuple(moment for moment in moments if images[moment] == {moment: 1.0})
    place = {moment: k for k, moment in enumerate((*moments, ONE))}
    column = {moment: k for k, moment in enumerate(coordinates)}
    offset, embedding = np.zeros(len(place)), np.zeros((len(place), len(coordinates)))
    offset[place[ONE]] = 1.0
    for moment, image in images.items():
        for independent, coefficient in image.items():
            if independent == ONE:
                offset[place[moment]] = coefficient
            else:
                embedding[place[moment], column[independent]] = coefficient
    terms = [
        (row, RATES.index(term.rate), float(term.coefficient), [place[m] for m in term.moments])
        for row, moment in enumerate(coordinates)
        for term in equation(moment, order, traceless=order != 3)
        if all(images[factor] for factor in term.moments)
    ]
    rows, rates, coefficients, factors = zip(*terms, strict=True)
    padded = [[*places, *[place[ONE]] * (order - len(places))] for places in factors]
    return ClosedMoments(
        order=order,
        moments=moments,
        coordinates=coordinates,
        offset=offset,
        embedding=embedding,
        _row=np.array(rows),
        _rate=np.array(rates),
        _coefficient=np.array(coefficients),
        _factors=np.array(padded).T,
    )


def _on_the_spheres(moment: Monomial) -> _Affine:
    """By (mᵢᶻ)² = 1 − (mᵢˣ)² − (mᵢʸ)²; at most one factor is above the first power here."""
    for k in (2, 5):
        if moment[k] >= 2:
            lower = _with_powers(moment, {k: -2})
            result = _on_the_spheres(lower)
            for axis in (k - 2, k - 1):
                for independent, coefficient in _on_the_spheres(
                    _with_powers(lower, {axis: 2})
                ).items():
                    result[independent] = result.get(independent, 0.0) - coefficient
            return result
    return {moment: 1.0}


def _in_the_symmetric_state(moment: Monomial) -> _Affine:
    """Averaged over the symmetries of 𝓛, for degrees up to 3.

    These are common rotations about z, and the reflection mʸ → −mʸ of both spins together with a
    rotation of one of them by π.  They leave powers of mᵢᶻ times 1, (mᵢˣ)² + (mᵢʸ)² = 1 − (mᵢᶻ)² or
    m₁ˣm₂ʸ − m₁ʸm₂ˣ.
    """
    transverse = {k: moment[k] for k in (0, 1, 3, 4) if moment[k]}
    longitudinal = _with_powers(moment, {k: -power for k, power in transverse.items()})
    if transverse in ({}, {0: 1, 4: 1}):
        return {moment: 1.0}
    if transverse == {1: 1, 3: 1}:
        return {_with_powers(longitudinal, {0: 1, 4: 1}): -1.0}
    for z, squares in ((2, ({0: 2}, {1: 2})), (5, ({3: 2}, {4: 2}))):
        if transverse in squares:
            return {longitudinal: 0.5, _with_powers(longitudinal, {z: 2}): -0.5}
    return {}


def _with_powers(moment: Monomial, changes: dict[int, int]) -> Monomial:
    a, b, c, d, e, f = (power + changes.get(k, 0) for k, power in enumerate(moment))
    return (a, b, c, d, e, f)


def require_order(order: int) -> None:
    """Raise `InvalidInput` unless the order is 2, 3 or 4."""
    if isinstance(order, bool) or order not in ORDERS:
        raise InvalidInput(
            f"order must be 2, 3 or 4, but is {order!r}: 3 is the paper's closure (Eq. 31)"
        )


def rates_of(engine: Engine) -> FloatArray:
    """The six rates of ``hierarchy.RATES``, shape (6,), in the unit of Γ₀.

    Examples
    --------
    >>> engine = Engine(N=7, E_1=1, delta_E=1, T_mean=4, delta_T=4, omega_0=6, Gamma_0=1,
    ...                 scaling="high-temperature")
    >>> [float(rate) for rate in rates_of(engine)]
    [2.0, 3.0, 0.5, 0.5, 3.0, 3.0]
    """
    pair = ClassicalPair(engine)
    drifts = [share / 2 for share in pair.share]
    baths = [rate * y for rate, y in zip(2 * pair.rates, (*pair.y, *drifts), strict=True)]
    return np.array(baths + [pair.drive * drift for drift in drifts])
