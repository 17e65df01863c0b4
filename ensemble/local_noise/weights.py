r"""The weights of the total spins: their balance, and its repair where local noise is weak.

Local noise alone moves weight between the total spins (J₁, J₂).  Summed over the populations of one
pair, the equations of ρ are those of a slow rate process between pairs.  At Γ_loc ≪ Γ₀ they are
smaller than the rounding of the others, so that a solve loses a digit of the weights for each
decade of Γ₀/Γ_loc.  Here they are formed separately and solved once more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.local_noise.sector import SpinSector
from ensemble.local_noise.spins import SpinBasis, spin_parts
from ensemble.parameters.bath import Bath
from ensemble.steady.certified_solve import Solver

MAX_REPAIRS = 3
ROUNDING = 16 * float(np.finfo(float).eps)
ENOUGH = 1e-13
"""Relative residual that is not refined further."""
TINY = 1e-280
"""Weights of total spins up to this are not adjusted."""


@dataclass(frozen=True, eq=False)
class Transfers:
    """Local jumps of one ensemble between its total spins.

    Attributes
    ----------
    sums : ndarray, shape (spins, levels)
        1 where a level belongs to a total spin, J = n/2 first.
    into : ndarray, shape (spins, levels)
        Rate from a level into each other total spin.
    """

    sums: FloatArray
    into: FloatArray

    @classmethod
    def of(cls, bath: Bath, basis: SpinBasis, *, share: float, dephasing: float) -> Transfers:
        """The transfers of one ensemble, ``basis`` being that of q = 0."""
        parts = spin_parts(basis.n, 0)
        jumps = share * (bath.gamma_down * parts.local_down + bath.gamma_up * parts.local_up)
        jumps = jumps + dephasing / 2 * parts.local_z
        spins = np.arange(basis.n, -1, -2)
        sums = (spins[:, np.newaxis] == basis.j).astype(float)
        into = sums @ jumps.toarray()
        into[sums > 0] = 0.0  # jumps that keep J
        return cls(sums, into)

    @property
    def out(self) -> FloatArray:
        """Rate at which each level leaves its own total spin, in its row."""
        return self.sums * self.into.sum(axis=0)


@dataclass(frozen=True, eq=False)
class WeightBalance:
    """Flows of weight between the pairs (J₁, J₂) in an element x of a sector.

    Attributes
    ----------
    sector : SpinSector
    cold, hot : Transfers
    """

    sector: SpinSector
    cold: Transfers
    hot: Transfers

    @classmethod
    def of(cls, engine: Engine, sector: SpinSector) -> WeightBalance:
        """The balance of one engine."""
        cold, hot = (
            Transfers.of(bath, basis, share=share, dephasing=engine.dephasing)
            for bath, basis, share in (
                (engine.cold, sector.bases_1[0], engine.local_shares[0]),
                (engine.hot, sector.bases_2[0], engine.local_shares[1]),
            )
        )
        return cls(sector, cold, hot)

    def sums(self, x: FloatArray) -> FloatArray:
        """Weight of each pair, shape (spins 1, spins 2)."""
        return self.cold.sums @ self.sector.block(x, 0) @ self.hot.sums.T

    def flows(self, x: FloatArray) -> list[FloatArray]:
        """Weight per time into each pair (two terms) and, negative, out of it (two terms)."""
        populations, cold, hot = self.sector.block(x, 0), self.cold, self.hot
        rows, columns = populations @ hot.sums.T, cold.sums @ populations
        return [cold.into @ rows, columns @ hot.into.T, -cold.out @ rows, -columns @ hot.out.T]

    def defect(
        self, x: FloatArray, source: FloatArray, *, magnitude: float = 0.0
    ) -> tuple[FloatArray, float]:
        """Source less L x, summed over each pair, and its size relative to the terms.

        The rounding of a source that is a difference of terms of a ``magnitude`` does not count.
        """
        terms = [self.sums(source), *(-flow for flow in self.flows(x))]
        defect, gross = np.sum(terms, axis=0), np.sum(np.abs(terms), axis=0)
        # All equations together say that the trace is conserved: the others imply the largest one.
        defect.flat[gross.argmax()] -= defect.sum()
        scale, rounding = float(gross.sum()), ROUNDING * magnitude
        lacking = max(float(np.abs(defect).sum()) - rounding, 0.0)
        return defect, lacking / scale if scale > 0 else 0.0

    def rates(self, rho: FloatArray) -> FloatArray:
        """Rate matrix K of the pairs: flows of weight if each pair has its part of ρ, normalised.

        K[i, j] for i ≠ j is the rate from pair j to pair i, pairs in the order of raveled sums;
        columns add up to 0.
        """
        populations, cold, hot = self.sector.block(rho, 0), self.cold, self.hot
        weights = self.sums(rho)
        rows, columns = populations @ hot.sums.T, cold.sums @ populations
        n_1, n_2 = weights.shape
        rates = np.zeros((n_1, n_2, n_1, n_2))
        safe = np.where(np.abs(weights) > TINY, weights, np.inf)
        for b in range(n_2):
            rates[:, b, :, b] += (cold.into * rows[:, b]) @ cold.sums.T / safe[:, b]
        for a in range(n_1):
            rates[a, :, a, :] += (hot.into * columns[a]) @ hot.sums.T / safe[a]
        flat = rates.reshape(n_1 * n_2, n_1 * n_2)
        flat -= np.diag(flat.sum(axis=0))
        return flat


@dataclass(frozen=True, eq=False)
class WeightRepair:
    """Adds parts of ρ, one for each pair of total spins, so that the weights balance.

    Attributes
    ----------
    balance : WeightBalance
    parts : ndarray, shape (size,)
        ρ, each element over the weight of its pair.
    pair : ndarray of int, shape (size,)
        Pair of each element.
    moved : ndarray of int
        Pairs whose weights are adjusted: all that have any, but for the heaviest.
    factors : tuple
        LU factors of the rate matrix of these.
    """

    balance: WeightBalance
    parts: FloatArray
    pair: IntArray
    moved: IntArray
    factors: tuple[FloatArray, IntArray]

    @classmethod
    def of(cls, balance: WeightBalance, rho: FloatArray) -> WeightRepair:
        """The repair with a state whose parts within each pair are accurate."""
        sector, weights = balance.sector, balance.sums(rho)
        pair = (sector.n_1 - sector.j_1) // 2 * weights.shape[1] + (sector.n_2 - sector.j_2) // 2
        # Before the repair a small weight may have a wrong sign; its part of ρ is right.
        flat = weights.ravel()
        some = np.abs(flat) > TINY
        inverse = np.divide(1.0, flat, out=np.zeros_like(flat), where=some)
        moved = np.flatnonzero(some & (flat != flat.max()))
        rates = balance.rates(rho)[np.ix_(moved, moved)]
        return cls(balance, rho * inverse[pair], pair, moved, lu_factor(rates))

    def __call__(self, x: FloatArray, source: FloatArray) -> FloatArray:
        """x with weights that balance the source."""
        for _ in range(2):  # the error may exceed the right weight by many digits
            defect, _ = self.balance.defect(x, source)
            change = np.zeros(defect.size)
            change[self.moved] = lu_solve(self.factors, defect.ravel()[self.moved])
            x = x + change[self.pair] * self.parts
        return x


@dataclass(frozen=True, eq=False)
class NoisySolver(Solver):
    """Solves L x = b with local noise; its residuals include those of the weights' balance.

    Attributes
    ----------
    balance : WeightBalance
        On the sector of the generator.
    repair : WeightRepair, optional
        Applied to every solution; none before the state is known.
    weak : bool
        Whether local noise is weak.
    """

    balance: WeightBalance = field(kw_only=True)
    repair: WeightRepair | None = None
    weak: bool = False

    @property
    def transposable(self) -> bool:
        """Solutions of Lᵀ y = b are not repaired: there are none where local noise is weak."""
        return super().transposable and not self.weak

    def solve(self, source: FloatArray, *, magnitude: float = 0.0) -> tuple[FloatArray, float]:
        """Solution of L x = source and the larger of its two relative residuals."""
        x, residual = super().solve(source, magnitude=magnitude)
        if self.repair is not None:
            return self.repaired(x, source, self.repair, magnitude=magnitude)
        return x, max(residual, self.balance.defect(x, source, magnitude=magnitude)[1])

    def repaired(
        self, x: FloatArray, source: FloatArray, repair: WeightRepair, *, magnitude: float = 0.0
    ) -> tuple[FloatArray, float]:
        """A solution whose weights balance, refined if the repair disturbs the other equations."""
        best, last = x, math.inf
        for _ in range(1 + MAX_REPAIRS):
            x = repair(x, source)
            residual = self.residual(x, source, magnitude=magnitude)
            residual = max(residual, self.balance.defect(x, source, magnitude=magnitude)[1])
            helped = residual < last / 2
            if residual < last:
                best, last = x, residual
            if residual <= ENOUGH or not helped:
                break
            x = x + super().solve(source - self.generator.apply(x), magnitude=magnitude)[0]
        return best, last

    def null_residual(self, x: FloatArray) -> float:
        """The same for L x = 0."""
        return max(super().null_residual(x), self.balance.defect(x, np.zeros_like(x))[1])
