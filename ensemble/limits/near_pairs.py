"""Many similar pairs in one pool of modes: their generators are sums of the same five matrices.

In the modes of two references b̃₁ and b̃₂ the generator of every pair with the shares ν₁ and ν₂ is

    G = Γ₁y₁ H₁ + β₁ W₁ + Γ₂y₂ H₂ + β₂ W₂ + ω₀ X,      βᵢ = Γᵢyᵢ (bᵢ − b̃ᵢ)/2,

with −Hᵢ the diagonal matrix of the rates of the modes, Wᵢ the drift of `BathModes` and X the drive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.classical_state import ClassicalState
from ensemble.limits.pair_sector import PairSector

Densities = list[FloatArray]
"""One density a pair, one array of shape (K₁, pairs, K₂) for each order μ, with K₁ and K₂ of it."""


@dataclass(frozen=True, eq=False)
class NearPairs:
    r"""Pairs of equal shares, and the pool of modes in which they are solved together.

    Their densities are a start plus a multiple of the deviation that is solved for.  If the
    references are those of baths (``matched``), the start is the product of the pair's own baths'
    densities, and the multiple is aN, as in `ClassicalState`; else start and multiple are the
    reference and 1.

    Attributes
    ----------
    pairs : tuple of ClassicalPair
    sector : PairSector
        That of one of the pairs, which has the parts that all share.
    modes : tuple of BathModes
    matched : bool
    """

    pairs: tuple[ClassicalPair, ...]
    sector: PairSector
    modes: tuple[BathModes, BathModes]
    matched: bool

    @classmethod
    def like(cls, pairs: Sequence[ClassicalPair], state: ClassicalState) -> NearPairs:
        """Pairs in the modes of the state of one that is similar."""
        return cls(tuple(pairs), state.sector, state.modes, state.matched)

    def enlarged(self, shape: tuple[int, int, int]) -> NearPairs:
        """The same in a pool of another shape (orders, K₁, K₂)."""
        if shape == self.sector.shape:
            return self
        first, second = (
            BathModes.of(mode.reference, modes=number, orders=shape[0] - 1)
            for mode, number in zip(self.modes, shape[1:], strict=True)
        )
        sector = PairSector.of(self.sector.pair, (first, second))
        return NearPairs(self.pairs, sector, (first, second), self.matched)

    def signs_in(self, larger: NearPairs) -> FloatArray:
        """Signs that the modes of this pool have in a larger one, shape ``sector.shape``.

        An eigenvector has no sign of its own.
        """
        first, second = (
            np.sign(
                np.einsum(
                    "mnk,mnk->mk",
                    mode.vectors,
                    other.vectors[
                        : len(mode.rates), : mode.vectors.shape[1], : mode.rates.shape[1]
                    ],
                )
            )
            for mode, other in zip(self.modes, larger.modes, strict=True)
        )
        return np.asarray(first[:, :, np.newaxis] * second[:, np.newaxis])

    def __getitem__(self, chosen: IntArray) -> NearPairs:
        """Some of the pairs."""
        pairs = tuple(self.pairs[position] for position in chosen.tolist())
        return NearPairs(pairs, self.sector, self.modes, self.matched)

    @cached_property
    def coefficients(self) -> FloatArray:
        """Γ₁y₁, β₁, Γ₂y₂, β₂ and ω₀ of every pair, shape (5, pairs)."""
        rows: list[list[float]] = []
        for i in (0, 1):
            rate = [pair.rates[i] * pair.y[i] for pair in self.pairs]
            reference = self.modes[i].reference
            rows += [
                rate,
                [r * (p.b[i] - reference) / 2 for r, p in zip(rate, self.pairs, strict=True)],
            ]
        return np.array([*rows, [pair.drive for pair in self.pairs]])

    @cached_property
    def affinity(self) -> FloatArray:
        """aN of every pair."""
        return np.array([pair.affinity for pair in self.pairs])

    @property
    def scale(self) -> FloatArray:
        """What the deviation is multiplied by, shape (pairs,)."""
        return self.affinity if self.matched else np.ones(len(self.pairs))

    @cached_property
    def start(self) -> tuple[FloatArray, FloatArray]:
        """Marginals of the start at μ = 0, shapes (K₁, pairs) and (K₂, pairs)."""
        first, second = (
            _bath_density(mode, [pair.b[i] for pair in self.pairs], self.matched)
            for i, mode in enumerate(self.modes)
        )
        return first, second

    def decay(self, order: int, sizes: tuple[int, int]) -> FloatArray:
        """Diagonal of −(D₁ + D₂) at an order, shape (K₁, pairs, K₂)."""
        first, second = (
            np.outer(mode.rates[order, :K], rate) - np.outer(np.diag(mode.drift[order])[:K], drift)
            for mode, K, rate, drift in zip(
                self.modes, sizes, self.coefficients[:4:2], self.coefficients[1:4:2], strict=True
            )
        )
        return np.asarray(first[:, :, np.newaxis] + second.T)

    def apply(self, x: Densities) -> Densities:
        """G x of every pair; what leaves the sizes of x is left out."""
        rate_1, drift_1, rate_2, drift_2, drive = self.coefficients[:, :, np.newaxis]
        y = []
        for order, part in enumerate(x):
            K_1, _, K_2 = part.shape
            first, second = self.modes
            image = drift_1 * left(first.drift[order, :K_1, :K_1], part)
            image += drift_2 * right(part, second.drift[order, :K_2, :K_2])
            image -= rate_1 * first.rates[order, :K_1, np.newaxis, np.newaxis] * part
            image -= rate_2 * part * second.rates[order, :K_2]
            y.append(image)
        sector = self.sector
        nu_1, nu_2 = sector.pair.share
        tilt = sector.tilt * nu_1 * nu_2 / 8
        for b in range(len(x) - 1):
            low, high = x[b], x[b + 1]
            m_1, L_1 = (
                a[b, : len(high), : len(low)] for a in (sector.raising_1, sector.rotation_1)
            )
            K_low, K_high = low.shape[2], high.shape[2]
            m_2, L_2 = (a[b, :K_high, :K_low] for a in (sector.lowering_2, sector.rotation_2))
            moved, turned = left(m_1, low), left(L_1, low)
            y[b + 1] -= drive * (
                right(nu_2 / 4 * turned + tilt * moved, m_2) + nu_1 / 4 * right(moved, L_2)
            )
            moved, turned = left(m_1.T, high), left(L_1.T, high)
            y[b] += drive * (
                right(nu_2 / 4 * turned - tilt * moved, m_2.T) + nu_1 / 4 * right(moved, L_2.T)
            )
        return y

    def current(self, x: Densities) -> Densities:
        """p x of every pair."""
        nu_1, nu_2 = self.sector.pair.share
        flux = -self.coefficients[4, :, np.newaxis] * nu_1 * nu_2 / 8
        y = [np.zeros(part.shape) for part in x]
        for b in range(len(x) - 1):
            low, high = x[b], x[b + 1]
            m_1 = self.sector.raising_1[b, : len(high), : len(low)]
            m_2 = self.sector.lowering_2[b, : high.shape[2], : low.shape[2]]
            y[b + 1] += flux * right(left(m_1, low), m_2)
            y[b] += flux * right(left(m_1.T, high), m_2.T)
        return y


def coordinates(pairs: Sequence[ClassicalPair]) -> FloatArray:
    """Logarithms of what a state depends on beside the shares, shape (pairs, 4).

    These are b₁, b₂, ω₀/Γ₁ and Γ₂/Γ₁.
    """
    ratios = [(*p.b, p.drive / p.rates[0], p.rates[1] / p.rates[0]) for p in pairs]
    return np.log(ratios)


def central(places: FloatArray) -> int:
    """Position of the point nearest to the middle of the box around all.

    Examples
    --------
    >>> central(np.array([[0.0], [0.7], [1.0]]))
    1
    """
    middle = (places.max(axis=0) + places.min(axis=0)) / 2
    return int(np.abs(places - middle).max(axis=1).argmin())


def halved(
    positions: IntArray, places: FloatArray, *, widest: float, most: int
) -> Iterator[IntArray]:
    """Halves of halves of points, along the longest side, until each part is small enough.

    Examples
    --------
    >>> places = np.array([[0.0], [0.1], [2.0], [2.3], [2.4]])
    >>> [part.tolist() for part in halved(np.arange(5), places, widest=1.0, most=2)]
    [[0, 1], [2], [3, 4]]
    """
    box = places[positions]
    ranges = np.ptp(box, axis=0)
    if ranges.max() <= widest and positions.size <= most:
        yield positions
        return
    longest = int(ranges.argmax())
    side = box[:, longest]
    low = side <= (side.max() + side.min()) / 2
    if low.all():  # the points are all the same
        low = np.arange(low.size) < low.size // 2
    for part in (positions[low], positions[~low]):
        yield from halved(part, places, widest=widest, most=most)


def left(matrix: FloatArray, x: FloatArray) -> FloatArray:
    """A matrix of spin 1 times the densities of one order, shape (K₁, pairs, K₂)."""
    return np.asarray((matrix @ x.reshape(len(x), -1)).reshape(-1, *x.shape[1:]))


def right(x: FloatArray, matrix: FloatArray) -> FloatArray:
    """A matrix of spin 2 times the densities of one order."""
    rows = x.reshape(-1, x.shape[2]) @ matrix.T
    return np.asarray(rows.reshape(*x.shape[:2], -1))


def _bath_density(mode: BathModes, b: list[float], matched: bool) -> FloatArray:
    """Modes at μ = 0 of the densities exp(−bz/2), or of the reference; shape (K, number)."""
    start = np.zeros((mode.rates.shape[1], len(b)))
    start[0] = 1.0
    if matched:
        drift = mode.drift[0]
        off = (np.array(b) - mode.reference)[:, np.newaxis, np.newaxis] / 2
        inner = np.diag(mode.rates[0, 1:]) - off * drift[1:, 1:]
        start[1:] = np.linalg.solve(inner, off * drift[1:, :1])[:, :, 0].T
    return start
