"""Currents and noise of many similar pairs by counting the quanta that one bath exchanges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.limits.near_pairs import Densities, NearPairs, left, right


@dataclass(frozen=True, eq=False)
class BathCounter:
    r"""The operators of counting at one bath, as of `ClassicalState.at_bath`.

    With u the number of quanta per N and :math:`D = -\Gamma y H + \beta W`, each of the following
    is a pair: what Γy multiplies, and what β multiplies.

    Attributes
    ----------
    near : NearPairs
    bath : int
    u : ndarray, shape (orders, K, K)
    flux : tuple of ndarray, shape (orders, K, K)
        [u, D].
    current, activity : tuple of ndarray, shape (K,)
        Rows 0 of uD, and of uuD − 2uDu, at μ = 0.
    """

    near: NearPairs
    bath: int
    u: FloatArray
    flux: tuple[FloatArray, FloatArray]
    current: tuple[FloatArray, FloatArray]
    activity: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, near: NearPairs, bath: int) -> BathCounter:
        """At bath 1 or 2."""
        mode, share = near.modes[bath - 1], near.sector.pair.share[bath - 1]
        u = (-share / 2 if bath == 1 else share / 2) * mode.z
        rates, drift = mode.rates, mode.drift
        decay = -rates[0, :, np.newaxis] * np.eye(rates.shape[1])
        first, parts = u[0], (decay, drift[0])
        return cls(
            near,
            bath,
            u,
            (u * (rates[:, :, np.newaxis] - rates[:, np.newaxis]), u @ drift - drift @ u),
            (first[0] @ parts[0], first[0] @ parts[1]),
            (
                first[0] @ (first @ parts[0] - 2 * parts[0] @ first),
                first[0] @ (first @ parts[1] - 2 * parts[1] @ first),
            ),
        )

    @property
    def strength(self) -> FloatArray:
        """Γy and β of every pair, shape (2, pairs)."""
        return self.near.coefficients[2 * self.bath - 2 : 2 * self.bath]

    def average(self, rows: tuple[FloatArray, FloatArray], x: Densities) -> FloatArray:
        """Averages of what has such rows 0, shape (pairs,)."""
        marginal = x[0][:, :, 0] if self.bath == 1 else x[0][0].T
        return np.asarray(
            sum(
                strength * (row[: len(marginal)] @ marginal)
                for strength, row in zip(self.strength, rows, strict=True)
            )
        )

    def flow(self, x: Densities) -> Densities:
        """[u, D] x."""
        rate, drift = self.strength[:, :, np.newaxis]
        return [
            rate * self._at(self.flux[0][b], part) + drift * self._at(self.flux[1][b], part)
            for b, part in enumerate(x)
        ]

    def counted(self, x: Densities) -> Densities:
        """(u − ⟨u⟩) x: what the response has beside that to the drive's flux."""
        found = [self._at(self.u[b], part) for b, part in enumerate(x)]
        mean = found[0][0, :, 0].copy()[:, np.newaxis]
        return [part - mean * density for part, density in zip(found, x, strict=True)]

    def _at(self, matrix: FloatArray, part: FloatArray) -> FloatArray:
        K = part.shape[0 if self.bath == 1 else 2]
        return left(matrix[:K, :K], part) if self.bath == 1 else right(part, matrix[:K, :K])
