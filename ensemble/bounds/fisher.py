r"""Quantum Fisher information of all that the baths record, about the five rates.

If drive and jump operators depend on parameters θ, what the baths take up in a long time t carries
at most the information t F, whatever is measured on it (S. Gammelmark and K. Mølmer, PRL 112,
170401 (2014)):

.. math:: F_{ab} = 4\,\mathrm{Re}\left[\sum_k \mathrm{Tr}\,\partial_a L_k^\dagger \partial_b L_k
          \rho - \mathrm{Tr}\,\mathcal K_a L^+ \mathcal K_b' \rho
          - \mathrm{Tr}\,\mathcal K_b L^+ \mathcal K_a' \rho\right], \qquad
          \mathcal K_a X = -i\,\partial_a H X + \sum_k \partial_a L_k X L_k^\dagger
          - \tfrac12 \partial_a(L_k^\dagger L_k) X,

with 𝒦'X = (𝒦X†)†.  Here θ are the logarithms of (ω₀, γ↓₁, γ↑₁, γ↓₂, γ↑₂).  What is left of the
formula in the real gauge is derived in ``docs/theory/bounds.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.errors import Unsolvable
from ensemble.generator.assembled import Assembled
from ensemble.generator.generator import Elements, Generator, LinearMap
from ensemble.generator.liouvillian import DRIVE, coefficients, liouvillian
from ensemble.generator.sector import Sector
from ensemble.steady.certified_solve import Solver, TransposedCorrector
from ensemble.steady.factorization import Factors, superlu
from ensemble.steady.state import Stationary


@dataclass(frozen=True, eq=False)
class Antisymmetric:
    """L on antisymmetric operators: the elements of a sector with q ≥ 1, since those at 0 vanish.

    Vectors keep the length of the sector; what they have at q = 0 is ignored and returned as 0.
    """

    generator: Generator

    @property
    def sector(self) -> Elements:
        """The sector, with q = 0."""
        return self.generator.sector

    @cached_property
    def _kept(self) -> FloatArray:
        return (self.sector.q > 0).astype(float)

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self._kept * self.generator.apply(self._kept * x)

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x."""
        return self._kept * self.generator.apply_magnitude(self._kept * x)

    def jump(self, part: int) -> LinearMap:
        """As of the generator."""
        return self.generator.jump(part)

    def hop_anticommutator(self) -> LinearMap:
        """As of the generator."""
        return self.generator.hop_anticommutator()


@dataclass(frozen=True, eq=False)
class _Corrector:
    """Solves with the factors of the block q ≥ 1."""

    factors: Factors
    kept: IntArray
    transposed: TransposedCorrector | None = None

    def correct(self, defect: FloatArray, rounding: FloatArray | None = None) -> FloatArray:
        """Solve by substitution; ``rounding`` does not matter to a direct method."""
        x = np.zeros_like(defect)
        x[self.kept] = self.factors.solve(defect[self.kept])
        return x


def fisher_information(state: Stationary, jump_rates: FloatArray) -> tuple[FloatArray, float]:
    r"""Fisher information per time about the logarithms of the five rates, and its residual.

    .. math:: F_{kl} = r_k \delta_{kl}, \qquad
              F_{\omega k} = -h \cdot L^{-1} [\gamma_k S_k^\dagger S_k, \rho], \qquad
              F_{\omega\omega} = 4\, h \cdot L^{-1} \{-iV, \rho\}

    for jumps k, l of rate r, with h the row of the current, V the Hamiltonian and L restricted to
    antisymmetric operators, where it is regular.

    Parameters
    ----------
    state : Stationary
    jump_rates : ndarray, shape (5,)
        r_k, and 0 for the drive (`ensemble.sensitivities.rates.RateDerivatives.jump_rates`).

    Returns
    -------
    F : ndarray, shape (5, 5)
        Symmetric.
    residual : float
        Largest relative residual of the five solves.

    Raises
    ------
    Unsolvable
        If a pivot vanishes in double precision.
    """
    solver = _antisymmetric_solver(state)
    sector = state.sector
    row = -state.engine.drive * sector.hop
    sources = [4 * _drive_anticommutator(state), *_loss_commutators(state)]
    information = np.diag(jump_rates)
    worst = 0.0
    for p, source in enumerate(sources):
        # In units of its own size, which may be at the end of the range if a rate hardly occurs.
        size = float(np.abs(source).max()) or 1.0
        response, residual = solver.solve(source / size)
        information[DRIVE, p] = information[p, DRIVE] = float(row @ response) * size
        worst = max(worst, residual)
    return information, worst


def _antisymmetric_solver(state: Stationary) -> Solver:
    engine, inner = state.engine, state.truncation.sector(state.engine)
    kept = np.flatnonzero(inner.q > 0)
    matrix = Assembled.of(engine, inner).matrix[kept][:, kept].tocsc()
    try:
        factors = superlu(matrix)
    except RuntimeError as failure:  # "Factor is exactly singular"
        raise Unsolvable(
            "a pivot of the antisymmetric equations vanishes in double precision: bring ω₀/Γ₀ and "
            "the baths' E/T nearer to 1"
        ) from failure
    return Solver(Antisymmetric(state.generator), _Corrector(factors, kept), state.solver.positions)


def _drive_anticommutator(state: Stationary) -> FloatArray:
    """{−iV, ρ}: the drive's part of L ρ, with the opposite sign where it acts on bras.

    A term of the drive moves quanta of the ket, hence its k₁, or of the bra.
    """
    sector = state.sector
    parts = liouvillian(sector.n_1, sector.n_2, sector.coherence_order, sector.cut_1, sector.cut_2)
    on_bra = sector.k_1[parts.indices] == sector.k_1[parts.columns]
    values = state.engine.drive * parts.parts[DRIVE] * np.where(on_bra, -1.0, 1.0)
    return np.where(sector.q > 0, parts.matrix(values) @ state.rho, 0.0)


def _loss_commutators(state: Stationary) -> list[FloatArray]:
    """−[γ_k S_k†S_k, ρ] for the four jump operators."""
    engine, sector = state.engine, state.sector
    return [
        (bra - ket) * state.rho
        for ket, bra in zip(
            _losses(engine, sector, 0), _losses(engine, sector, sector.q), strict=True
        )
    ]


def _losses(engine: Engine, sector: Sector, q: IntArray | int) -> list[FloatArray]:
    """γ_k S_k†S_k of the ket (q = 0) or of the bra."""
    _, *rates = coefficients(engine)
    k_1, k_2, n_1, n_2 = sector.k_1 + q, sector.k_2 - q, sector.n_1, sector.n_2
    return [
        rates[0] * k_1 * (n_1 + 1.0 - k_1),
        rates[1] * (k_1 + 1.0) * (n_1 - k_1),
        rates[2] * k_2 * (n_2 + 1.0 - k_2),
        rates[3] * (k_2 + 1.0) * (n_2 - k_2),
    ]
