"""Stationary density of the classical limit, its averages and its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.block_tridiagonal import BlockTridiagonal, Mask
from ensemble.limits.classical_averages import BathCount, ClassicalAverages
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.pair_sector import PairSector


@dataclass(frozen=True, eq=False)
class ClassicalState:
    r"""Stationary density f = exp(−c₁z₁−c₂z₂) g of a `ClassicalPair`, g = Σ x_μ[k₁, k₂] modes.

    Attributes
    ----------
    sector : PairSector
        At d = 0 and parity 1, on the whole pool of modes.
    solver : BlockTridiagonal
        Factors of G on the modes that were selected, the norm left out.
    deviation : ndarray, shape ``sector.shape``
        x − e₀, where e₀ is the reference; over aN if ``matched``.
    response : ndarray, shape ``sector.shape``
        h of G h = −(p − J/N) x, whose average of p is D/(2N²).
    matched : bool
        Whether the reference is the baths' own product density, so that the deviation is
        proportional to the affinity and keeps its relative accuracy where that vanishes.
    residual : float
        Largest relative residual of the solves on the selection.
    change : float
        Largest relative change of J/N, D/N² and (against 1) the moments of the magnetisations in
        the last enlargement of the selection: the error that remains is smaller.
    tail : float
        Norm of the neglected modes by their residual over their decay rate, relative to that of
        the deviation and the response (the larger one).  The error of an average is at most its
        square times the sensitivity of the state.
    modes : tuple of BathModes
        The pool of each spin.
    complete : bool
        False if the work would have exceeded ``MOST_WORK``.
    smaller : ndarray of bool, optional
        The selection before its last enlargement.
    """

    sector: PairSector
    solver: BlockTridiagonal
    deviation: FloatArray
    response: FloatArray
    matched: bool
    residual: float
    change: float
    tail: float
    modes: tuple[BathModes, BathModes]
    complete: bool
    smaller: Mask | None = None

    @property
    def pair(self) -> ClassicalPair:
        """The engine in the limit."""
        return self.sector.pair

    @property
    def harmonics(self) -> int:
        """Highest degree l of the spherical harmonics behind the modes."""
        return max(mode.harmonics for mode in self.modes)

    @property
    def averages(self) -> ClassicalAverages:
        """Averages and certificate, with the counts at both baths if there is a drive."""
        driven = self.pair.drive > 0
        counts = tuple(self.at_bath(bath) for bath in (1, 2)) if driven else ()
        return ClassicalAverages(
            current=self.current,
            current_per_affinity=self.current_per_affinity if driven else 0.0,
            noise=self.noise,
            magnetizations=self.magnetizations,
            second_moments=self.second_moments,
            covariance=self.covariance,
            residual=self.residual,
            change=self.change,
            tail=self.tail,
            complete=self.complete,
            mode_count=int(self.solver.selection.sum()) + 1,
            harmonics=self.harmonics,
            counts=counts,
        )

    @property
    def density(self) -> FloatArray:
        """x, normalised."""
        return normalised(self.deviation, self._scale)

    @property
    def _scale(self) -> float:
        return self.pair.affinity if self.matched else 1.0

    @property
    def current_per_affinity(self) -> float:
        """(J/N)/(aN); at the Carnot point its limit, NaN if the reference is not the baths'."""
        slope = average(self.sector.current(self.deviation))
        if self.matched:
            return slope
        return slope / self.pair.affinity if self.pair.affinity else math.nan

    @property
    def current(self) -> float:
        """J/N."""
        return self._scale * average(self.sector.current(self.deviation))

    @property
    def noise(self) -> float:
        """D/N²."""
        return 2 * average(self.sector.current(self.response))

    @property
    def magnetizations(self) -> tuple[float, float]:
        """⟨m₁ᶻ⟩ and ⟨m₂ᶻ⟩."""
        first, second = self._marginals()
        return float(self.sector.z_1[0, 0] @ first), float(self.sector.z_2[0, 0] @ second)

    @property
    def second_moments(self) -> tuple[float, float]:
        """⟨(m₁ᶻ)²⟩ and ⟨(m₂ᶻ)²⟩."""
        first, second = self._marginals()
        return float(self.sector.square_1 @ first), float(self.sector.square_2 @ second)

    @property
    def covariance(self) -> float:
        """⟨m₁ᶻm₂ᶻ⟩ − ⟨m₁ᶻ⟩⟨m₂ᶻ⟩, which is of second order in the deviation: no cancellation."""
        d = self._scale * self.deviation[0]
        correlated = d - np.outer(d[:, 0], d[0])
        # e₀ itself is a product; so are e₀'s products with the marginals, row and column 0.
        correlated[:, 0] = correlated[0, :] = 0.0
        return float(self.sector.z_1[0, 0] @ correlated @ self.sector.z_2[0, 0])

    def _marginals(self) -> tuple[FloatArray, FloatArray]:
        x = self.density[0]
        return x[:, 0], x[0]

    def at_bath(self, bath: int) -> BathCount:
        r"""J/N and D/N² once more, counted at one bath.

        .. math:: \mathcal{J} = [u, D_i], \quad \mathcal{A} = [u, [u, D_i]], \quad
                  \frac{D}{N^2} = \langle\mathcal{A}\rangle
                  - 2 \langle\mathcal{J} G^{+} (\mathcal{J} - J/N)\rangle

        with u = −ν₁m₁ᶻ/2 at the cold bath (quanta that it takes) and ν₂m₂ᶻ/2 at the hot one.
        """
        sector, share = self.sector, self.pair.share
        if bath == 1:
            u, D = -share[0] / 2 * sector.z_1, sector.bath_1

            def left(matrix: FloatArray, x: FloatArray) -> FloatArray:
                return np.asarray(matrix @ x)
        else:
            u, D = share[1] / 2 * sector.z_2, sector.bath_2

            def left(matrix: FloatArray, x: FloatArray) -> FloatArray:
                return np.asarray(x @ matrix.swapaxes(-1, -2))

        def flow(x: FloatArray) -> FloatArray:
            return left(u, left(D, x)) - left(D, left(u, x))

        current = average(left(u, left(D, self.deviation)))
        if not self.matched:
            current += average(left(u, left(D, normalised(0 * self.deviation, 0.0))))
        x = self.density
        source = self._scale * current * x - flow(x)
        response, residual = self.solver.solve(source)
        activity = average(left(u, left(u, left(D, x)))) - 2 * average(left(u, left(D, left(u, x))))
        noise = activity + 2 * average(left(u, left(D, response)))
        return BathCount(self._scale * current, noise, activity, residual)


def normalised(deviation: FloatArray, scale: float) -> FloatArray:
    """e₀ and a multiple of the deviation."""
    x = scale * deviation
    x[0, 0, 0] = 1.0
    return x


def average(x: FloatArray) -> float:
    """Integral of a density: its element along the reference."""
    return float(x[0, 0, 0])
