"""Factorise the generator once; the stationary state and every response follow by substitution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ensemble.engine import Engine
from ensemble.factorization import Factorization
from ensemble.liouvillian import Liouvillian, liouvillian
from ensemble.sector import FloatArray


@dataclass(frozen=True, eq=False)
class Stationary:
    r"""The stationary state of an engine, split at the state that carries no current.

    With xᵢ = γ↑ᵢ/γ↓ᵢ the product state ρ₀ ∝ x₁^{k₁} x₂^{k₂} is stationary for both baths, and the
    drive acts on it as 1 − exp(−a), a the affinity.  So

    .. math:: \rho = \rho_0 + s\,\delta, \qquad L\delta = -L\rho_0/s, \qquad
              s = \mathrm{sign}(a)\,(1 - e^{-|a|}),

    where the right-hand side has no cancellation.  Every current vanishes in ρ₀ and is therefore
    s times its value in δ, with full relative accuracy through the Carnot point a = 0.

    Attributes
    ----------
    engine : Engine
    generator : Liouvillian
    rho, delta : ndarray, shape (sector.size,)
        The state, Tr ρ = 1, and its deviation per ``contrast``, in the same normalisation.
    contrast : float
        The factor s.
    residual : float
        The certificate: the larger of ‖Lρ‖₁ / ‖|L||ρ|‖₁ and the same for the equation of δ.
    """

    engine: Engine
    generator: Liouvillian
    rho: FloatArray
    delta: FloatArray
    contrast: float
    residual: float
    factorization: Factorization

    @property
    def contrast_per_affinity(self) -> float:
        """s/a, which is 1 at a = 0."""
        a = self.engine.affinity
        return self.contrast / a if a else 1.0

    def respond(self, source: FloatArray) -> tuple[FloatArray, float]:
        """Solve L y = source with Tr y = 0: the Drazin inverse on traceless sources.

        Parameters
        ----------
        source : ndarray, shape (sector.size,)
            A traceless element of the sector.

        Returns
        -------
        y : ndarray, shape (sector.size,)
        residual : float
            The relative residual of the solve.
        """
        y, residual = self.factorization.solve(source)
        return y - (self.generator.sector.trace @ y) * self.rho, residual

    def current(self, row: FloatArray) -> float:
        """Expectation value of an observable that vanishes in ρ₀, free of cancellation."""
        return float(self.contrast * (row @ self.delta))


def stationary(engine: Engine) -> Stationary:
    """Solve L ρ = 0, Tr ρ = 1 (Eq. 9) by one sparse LU factorisation.

    One large population is fixed and its row, which the others imply, is dropped; the rest is
    regular, and the same factors serve every response.
    """
    generator = liouvillian(*engine.levels)
    sector = generator.sector
    factorization = Factorization.of(
        generator.values(engine),
        generator.indices,
        generator.indptr,
        generator.columns,
        ground=0,  # the population of |0, 0⟩, the largest of ρ₀ since x < 1
    )
    affinity = engine.affinity
    contrast = math.copysign(-math.expm1(-abs(affinity)), affinity)
    rho_0 = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
    delta, residual = factorization.solve(_source(generator, engine, rho_0))
    rho = rho_0 + contrast * delta
    norm = sector.trace @ rho
    return Stationary(
        engine=engine,
        generator=generator,
        rho=rho / norm,
        delta=delta / norm,
        contrast=contrast,
        residual=max(residual, factorization.relative_residual(rho)),
        factorization=factorization,
    )


def _source(generator: Liouvillian, engine: Engine, rho_0: FloatArray) -> FloatArray:
    """−L ρ₀ / s = (ω₀/2) h · max(ρ₀ of the ket, ρ₀ of the bra), at q = 1."""
    sector = generator.sector
    first = sector.q == 1
    k_1, k_2, zero = sector.k_1[first], sector.k_2[first], np.zeros(first.sum(), dtype=int)
    ket = rho_0[sector.index(k_1, k_2, zero)]
    bra = rho_0[sector.index(k_1 + 1, k_2 - 1, zero)]
    source = np.zeros(sector.size)
    source[first] = engine.drive / 2 * sector.hop[first] * np.maximum(ket, bra)
    return source
