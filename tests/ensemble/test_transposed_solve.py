"""Solves with the transposed generator, by the factors of the generator itself."""

from __future__ import annotations

import numpy as np
import pytest

from ensemble import Engine
from ensemble.generator.assembled import Assembled
from ensemble.steady.stationary import stationary

EPS = float(np.finfo(float).eps)
ENGINE = Engine(N=4, E_1=1, delta_E=2, T_mean=4, delta_T=6, omega_0=1, Gamma_0=1, spin_2=1.5)
LARGE = Engine(N=30, E_1=1, delta_E=2, T_mean=4, delta_T=6, omega_0=1, Gamma_0=1)


class TestTransposedSolve:
    """Lᵀ y = b, b·ρ = 0, on a whole sector and on a truncated one."""

    def test_on_a_whole_sector_it_is_the_dense_solution(self):
        state = stationary(ENGINE)
        sector = state.generator.sector
        matrix = Assembled.of(ENGINE, sector).matrix.toarray()
        b = np.random.default_rng(2).normal(size=sector.size)
        b -= (b @ state.rho) * sector.trace
        importance = np.ones(sector.size)
        y, residual = state.solver.solve_transposed(b, importance=importance)
        defect = matrix.T @ y - b
        scale = np.abs(matrix.T) @ np.abs(y) + np.abs(b)
        assert residual <= 8 * EPS
        assert residual == pytest.approx(np.abs(defect).sum() / scale.sum(), abs=4 * EPS)
        dense = np.linalg.lstsq(matrix.T, b, rcond=None)[0]
        apart = y - dense  # a multiple of the trace, the null vector of Lᵀ
        apart -= (apart @ sector.trace) / sector.trace.sum() * sector.trace
        condition = np.linalg.svd(matrix, compute_uv=False)
        assert np.abs(apart).max() <= 10 * EPS * condition[0] / condition[-2] * np.abs(y).max()

    def test_on_a_truncated_sector_it_is_0_outside(self):
        state = stationary(LARGE, solver="superlu")
        positions = state.solver.positions
        assert positions is not None
        size = state.generator.sector.size
        outside = np.ones(size, dtype=bool)
        outside[positions] = False
        b = state.generator.sector.k_1 * state.generator.sector.trace
        b = b - (b @ state.rho) * state.generator.sector.trace
        y, residual = state.solver.solve_transposed(b, importance=np.abs(state.rho))
        assert not y[outside].any()
        # The truncated L has another null vector than the padded one: b·ρ = 0 up to what leaks.
        assert residual <= 1e-12

    def test_an_error_matters_as_much_as_it_is_said_to(self):
        """Where the importance is 0, nothing counts: the residual is 0 over 0, given as 0."""
        state = stationary(ENGINE)
        b = state.generator.sector.k_1 * state.generator.sector.trace
        b = b - (b @ state.rho) * state.generator.sector.trace
        _, residual = state.solver.solve_transposed(b, importance=np.zeros(b.size))
        assert residual == 0

    def test_without_a_transpose_it_is_refused(self):
        state = stationary(LARGE, solver="gmres")
        assert not state.solver.transposable
        assert stationary(LARGE, solver="superlu").solver.transposable
        zero = np.zeros(state.generator.sector.size)
        with pytest.raises(TypeError, match="Krylov does not solve with Lᵀ"):
            state.solver.solve_transposed(zero, importance=zero)
