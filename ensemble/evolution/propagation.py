"""exp(Lt) and its time integral in the symmetry sector, relative to the stationary state."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, expm_multiply, norm

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.generator.liouvillian import liouvillian
from ensemble.generator.sector import Sector
from ensemble.steady.factorization import superlu

CHUNK = 2000.0
"""Longest step as ‖L‖₁ Δt.  After each, the deviation is made traceless; below ``GONE`` it is
dropped."""
GONE = 1e-18
"""1-norm below which a deviation is dropped: less than the rounding of the state."""
REFINEMENTS = 2
"""Corrections of each solve; one is enough unless the drive is far stronger than the baths."""


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A deviation from the stationary state at several times.

    Attributes
    ----------
    deviations : ndarray, shape (times, size)
    trace_error : float
        Largest trace that a step left, before it was removed.
    error : float
        |⟨o, exp(LT) x⟩ − ⟨exp(LᵀT) o, x⟩| / (max|o| ‖x‖₁), the largest over the observables o, at
        the first step after which half of ‖x‖₁ is left (or the last): two evaluations that share
        neither steps nor rounding.
    """

    deviations: FloatArray
    trace_error: float
    error: float


@dataclass(frozen=True, eq=False)
class Propagator:
    """The generator of an engine with its stationary state and one factorisation.

    Attributes
    ----------
    matrix : csr_array
    sector : Sector
    final : ndarray, shape (size,)
        The stationary state, Tr = 1.
    residual : float
        ‖Lρ‖₁ / ‖|L||ρ|‖₁ of it.
    """

    matrix: sparse.csr_array
    sector: Sector
    final: FloatArray
    residual: float
    factors: SuperLU
    kept: IntArray

    @classmethod
    def of(cls, engine: Engine) -> Propagator:
        """Factorise with one large population fixed; its row follows from the others."""
        generator = liouvillian(*engine.levels)
        sector = generator.sector
        matrix = generator.matrix(generator.values(engine)).tocsr()
        product = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
        ground = int(product.argmax())
        kept = np.delete(np.arange(sector.size), ground)
        factors = superlu(matrix[kept][:, kept].tocsc())
        unsolved = cls(matrix, sector, product, math.inf, factors, kept)
        state = np.zeros(sector.size)
        state[ground] = 1.0
        state += unsolved._solve(-(matrix @ state)[:, None])[:, 0]
        state /= sector.trace @ state
        weight = float((abs(matrix) @ np.abs(state)).sum())  # 0 if nothing leaves the state
        residual = float(np.abs(matrix @ state).sum()) / weight if weight else 0.0
        return cls(matrix, sector, state, residual, factors, kept)

    def integrate(self, changes: FloatArray) -> FloatArray:
        r"""L⁺ of traceless changes: :math:`\int_0^t (\rho - \rho_{ss}) dt' = L^+(\rho(t)-\rho(0))`.

        Parameters
        ----------
        changes : ndarray, shape (times, size)

        Returns
        -------
        ndarray, shape (times, size)
            Traceless.
        """
        x = self._solve(changes.T).T
        return x - np.outer(x @ self.sector.trace, self.final)

    def relax(self, start: FloatArray, times: FloatArray, observables: FloatArray) -> Relaxation:
        """Propagate a traceless start to increasing times ≥ 0.

        Parameters
        ----------
        start : ndarray, shape (size,)
        times : ndarray, shape (times,)
        observables : ndarray, shape (any, size)
            For the certificate.
        """
        scale, diagonal_sum = float(norm(self.matrix, 1)), float(self.matrix.diagonal().sum())

        def propagate(generator: sparse.csr_array, x: FloatArray, span: float) -> FloatArray:
            return expm_multiply(generator * span, x, traceA=diagonal_sum * span)

        x, now, trace_error = start, 0.0, 0.0
        checked, checked_time, size = start, 0.0, float(np.abs(start).sum())
        deviations = np.empty((times.size, start.size))
        for i, time in enumerate(times):
            span = time - now
            steps = max(1, math.ceil(scale * span / CHUNK)) if span > 0 else 0
            for step in range(1, steps + 1):
                if np.abs(x).sum() < GONE:
                    x = np.zeros_like(x)
                    break
                x = propagate(self.matrix, x, span / steps)
                drift = float(self.sector.trace @ x)
                x = x - drift * self.final
                trace_error = max(trace_error, abs(drift))
                if np.abs(checked).sum() > size / 2:
                    checked, checked_time = x, now + step * (span / steps)
            deviations[i], now = x, time

        error = 0.0
        if checked_time > 0 and size > 0:
            backwards = propagate(self.matrix.T.tocsr(), observables.T, checked_time).T
            largest = size * np.abs(observables).max(axis=1)
            gaps = np.abs(backwards @ start - observables @ checked)
            error = float((gaps / np.where(largest > 0, largest, 1.0)).max())
        return Relaxation(deviations, trace_error, error)

    def _solve(self, sources: FloatArray) -> FloatArray:
        """Solve L x = b, column by column, with the fixed population 0."""
        x, defect = np.zeros_like(sources), sources
        for _ in range(1 + REFINEMENTS):
            x[self.kept] += self.factors.solve(np.ascontiguousarray(defect[self.kept]))
            defect = sources - self.matrix @ x
        return x
