"""Solves that start from approximate solutions end at the same values, sooner."""

from dataclasses import replace

import numpy as np
import pytest

from ensemble import Engine, InvalidInput
from ensemble.counting.noise import noise
from ensemble.counting.tilting import Moves
from ensemble.generator.assembled import Assembled
from ensemble.generator.sector import Sector
from ensemble.steady.krylov import Krylov
from ensemble.steady.start import Start, Subspace
from ensemble.steady.stationary import stationary

ENGINE = Engine(N=26, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)


def start_of(state, extra=()):
    """A state, and perhaps responses on its padded sector, as a start."""
    inside = state.truncation.sector(state.engine).positions_in(state.sector)
    return Start(state.truncation, np.array([v[inside] for v in (state.delta, *extra)]))


@pytest.fixture
def products(monkeypatch):
    """Counts the iterations."""
    calls = []
    apply = Krylov._reduced
    monkeypatch.setattr(Krylov, "_reduced", lambda self, x: calls.append(1) or apply(self, x))
    return calls


def test_a_neighbour_saves_iterations_and_changes_no_value(products):
    """Half of the digits are known: half of the iterations are left."""
    neighbour = stationary(replace(ENGINE, T_mean=ENGINE.T_mean * (1 + 1e-7)), solver="gmres")
    products.clear()
    expected = stationary(ENGINE, solver="gmres")
    without = len(products)
    products.clear()
    found = stationary(ENGINE, solver="gmres", start=start_of(neighbour))
    assert len(products) < 0.8 * without
    assert found.residual <= 1e-13
    row = -ENGINE.drive * found.sector.hop
    assert found.current(row) == pytest.approx(expected.current(row), rel=1e-10)
    assert noise(found).at_drive == pytest.approx(noise(expected).at_drive, rel=1e-10)


def test_solutions_in_any_scale_and_order_need_no_iteration(products):
    state = stationary(ENGINE, solver="gmres")
    tilted = Moves(state).odd(state.rho)
    source = tilted - (state.sector.trace @ tilted) * state.rho
    response, _ = state.respond(source)
    start = start_of(replace(state, delta=-7 * response), [1e3 * state.delta])
    products.clear()
    again = stationary(ENGINE, solver="gmres", start=start)
    found, residual = again.respond(source)
    assert not products
    assert max(again.residual, residual) <= 1e-13
    assert found == pytest.approx(response, abs=1e-10 * np.abs(response).max())


@pytest.mark.parametrize("solver", ["gmres", "superlu"])
def test_a_start_on_too_small_a_truncation_is_outgrown(solver):
    small = stationary(ENGINE, solver="superlu", coherence_order=2)
    state = stationary(ENGINE, solver=solver, start=start_of(small))
    assert small.residual > 1e-10 >= state.residual
    assert state.truncation.coherence_order > 2
    expected = stationary(ENGINE, solver="superlu")
    assert noise(state).at_drive == pytest.approx(noise(expected).at_drive, rel=1e-10)


def test_nearest_is_the_least_squares_solution():
    rng = np.random.default_rng(0)
    generator = Assembled.of(replace(ENGINE, N=3), Sector(3, 3))
    vectors, source = rng.normal(size=(3, generator.sector.size)), rng.normal(size=30)
    vectors[1] = 0.0  # a vector without an image counts for nothing
    x = Subspace.of(generator, vectors).nearest(source)
    images = generator.matrix.toarray() @ vectors[[0, 2]].T
    expected = vectors[[0, 2]].T @ np.linalg.solve(images.T @ images, images.T @ source)
    assert x == pytest.approx(expected, rel=1e-10)


def test_what_is_no_start_is_refused():
    state = stationary(ENGINE, solver="superlu", coherence_order=2)
    start = start_of(state)
    with pytest.raises(InvalidInput, match="finite numbers a row"):
        replace(start, vectors=np.nan * start.vectors)
    with pytest.raises(InvalidInput, match="elements, as its truncation"):
        stationary(ENGINE, start=replace(start, vectors=start.vectors[:, 1:]))
    with pytest.raises(InvalidInput, match="leave out coherence_order"):
        stationary(ENGINE, start=start, coherence_order=3)
