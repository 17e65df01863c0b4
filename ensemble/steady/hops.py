"""The drive between even and odd coherence orders, all orders at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.generator.sector import Sector, ladder


@dataclass(frozen=True, eq=False)
class Hops:
    """The drive's part of L from the orders of one parity to those of the other.

    The drive changes the coherence order by one.  Blocks of one parity are stacked, shape
    (orders, cut_1 + 1, cut_2 + 1), the block of order q in the corner of cut_i + 1 − q rows and
    columns and zeros beside it.

    Attributes
    ----------
    below, above : slice
        Stacked source blocks of the orders q − 1 and q + 1.
    from_below, from_above : slice
        Target blocks q that have them.
    factors : tuple of ndarray, shape (targets, cut_1 + 1, cut_2 + 1)
        Amplitudes from the elements (i+1, j), (i, j+1) of order q − 1 and (i−1, j), (i, j−1) of
        order q + 1 to the element (i, j), rows k₁ and columns k₂ − q.
    """

    below: slice
    above: slice
    from_below: slice
    from_above: slice
    factors: tuple[FloatArray, FloatArray, FloatArray, FloatArray]

    @classmethod
    def to(cls, parity: int, sector: Sector, drive: float) -> Hops:
        """The hops to the even orders (0) or to the odd ones (1)."""
        top = sector.coherence_order
        q = np.arange(parity, top + 1, 2)[:, np.newaxis, np.newaxis]
        i = np.arange(sector.cut_1 + 1)[:, np.newaxis]
        j = np.arange(sector.cut_2 + 1)
        n_1, n_2 = sector.n_1, sector.n_2
        inside = (i + q <= sector.cut_1) & (j + q <= sector.cut_2)
        higher = inside & (q < top)
        half = drive / 2
        # At q = 0 the transposed terms, which lie outside q ≥ 0, double those from above.
        weight = np.where(q == 0, drive, half)
        factors = (
            np.where(inside & (q > 0), half * ladder(i + 1, n_1) * ladder(j + q, n_2), 0.0),
            np.where(inside & (q > 0), -half * ladder(i + q, n_1) * ladder(j + 1, n_2), 0.0),
            np.where(
                higher & (j + 1 + q <= sector.cut_2),
                -weight * ladder(i, n_1) * ladder(j + 1 + q, n_2),
                0.0,
            ),
            np.where(
                higher & (i + 1 + q <= sector.cut_1),
                weight * ladder(i + 1 + q, n_1) * ladder(j, n_2),
                0.0,
            ),
        )
        targets, sources = len(q), (top + 1 + parity) // 2  # orders of each parity
        with_lower = slice(1 - parity, targets)
        with_higher = slice(0, sources - parity)
        return cls(
            below=slice(0, targets - 1 + parity),
            above=slice(parity, sources),
            from_below=with_lower,
            from_above=with_higher,
            factors=factors,
        )

    def __call__(self, x: FloatArray) -> FloatArray:
        """The targets' blocks, of the stacked blocks of the other parity."""
        y = np.zeros(self.factors[0].shape)
        first, second, third, fourth = self.factors
        low, high = x[self.below], x[self.above]
        here, there = self.from_below, self.from_above
        y[here, :-1] += first[here, :-1] * low[:, 1:]
        y[here, :, :-1] += second[here, :, :-1] * low[:, :, 1:]
        y[there, 1:] += third[there, 1:] * high[:, :-1]
        y[there, :, 1:] += fourth[there, :, 1:] * high[:, :, :-1]
        return y
