"""The symmetry sector: its size, its numbering, and the generator on it against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from ensemble import Engine
from ensemble.generator.liouvillian import DOWN_2, UP_2, liouvillian
from ensemble.generator.sector import Sector
from tests.ensemble.dense import embed, extract, gauge, lindblad, raising

EPS = np.finfo(float).eps
SPINS = [(1, 1), (1, 3), (4, 2), (4, 4)]


def an_engine(n_1: int, n_2: int) -> Engine:
    """An engine whose five rates are all different and of order one."""
    return Engine(
        N=1, E_1=1, delta_E=2, T_mean=2, delta_T=2, omega_0=1.7, Gamma_0=0.6,
        spin_1=n_1 / 2, spin_2=n_2 / 2,
    )  # fmt: skip


@pytest.mark.parametrize(("n_1", "n_2"), [*SPINS, (32, 32)])
def test_size(n_1, n_2):
    orders = range(min(n_1, n_2) + 1)
    assert Sector(n_1, n_2).size == sum((n_1 + 1 - q) * (n_2 + 1 - q) for q in orders)


@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
@pytest.mark.parametrize("order", [-1, 0, 1])
def test_index_is_a_bijection(n_1, n_2, order):
    sector = Sector(n_1, n_2, order)
    assert np.array_equal(sector.index(sector.k_1, sector.k_2, sector.q), np.arange(sector.size))
    numbers = set(zip(sector.k_1.tolist(), sector.k_2.tolist(), sector.q.tolist(), strict=True))
    assert numbers == {
        (k_1, k_2, q)
        for k_1 in range(n_1 + 1)
        for k_2 in range(n_2 + 1)
        for q in range(sector.coherence_order + 1)
        if k_1 + q <= n_1 and k_2 - q >= 0
    }


@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
def test_generator_is_the_dense_one_and_the_sector_is_closed(n_1, n_2):
    """Apply the definition of L to every basis element; nothing may leave the sector."""
    engine = an_engine(n_1, n_2)
    generator = liouvillian(n_1, n_2)
    sector = generator.sector
    matrix = generator.matrix(generator.values(engine)).toarray()
    phase = gauge(n_1, n_2)
    to_physical = np.outer(phase, phase.conj())

    image = np.empty_like(matrix)
    for column, element in enumerate(np.eye(sector.size)):
        change = to_physical.conj() * lindblad(engine, to_physical * embed(sector, element))
        image[:, column] = extract(sector, change.real)
        # Real, symmetric and within the sector: its elements say everything.
        assert abs(change - embed(sector, image[:, column])).max() <= 8 * EPS * abs(matrix).max()
    # An element is a sum of at most four products of square roots of the size of the largest.
    np.testing.assert_allclose(matrix, image, rtol=0, atol=8 * EPS * abs(matrix).max())


@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
def test_trace_is_preserved(n_1, n_2):
    generator = liouvillian(n_1, n_2)
    matrix = generator.matrix(generator.values(an_engine(n_1, n_2)))
    leak = generator.sector.trace @ matrix
    assert abs(leak).max() <= 4 * EPS * abs(matrix).max()


@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
def test_observables_are_the_dense_ones(n_1, n_2):
    """Trace, hop, ½{X, ρ} and one jump on a state without structure."""
    generator = liouvillian(n_1, n_2)
    sector = generator.sector
    elements = np.random.default_rng(1).normal(size=sector.size)
    rho = embed(sector, elements)
    hop = np.kron(raising(n_1), raising(n_2).T).real
    X = (hop + hop.T) / 2
    up_2 = np.kron(np.eye(n_1 + 1), raising(n_2)).real
    # Sums of ``size`` terms of order hop.max().
    close = {"rtol": 0, "atol": 4 * EPS * sector.size * (n_1 + 1) * (n_2 + 1)}

    np.testing.assert_allclose(sector.trace @ elements, np.trace(rho), **close)
    np.testing.assert_allclose(sector.hop @ elements, np.trace(hop @ rho), **close)
    anticommutator = extract(sector, (X @ rho + rho @ X) / 2)
    np.testing.assert_allclose(generator.hop_anticommutator() @ elements, anticommutator, **close)
    for part, jump in ((UP_2, up_2), (DOWN_2, up_2.T)):
        after = extract(sector, jump @ rho @ jump.T)
        np.testing.assert_allclose(generator.jump(part) @ elements, after, **close)


def test_thermal_product_state():
    """exp(−k₁l₁ − k₂l₂) on the populations, and no overflow however cold the baths."""
    sector = Sector(2, 1)
    populations = sector.q == 0
    k_1, k_2 = sector.k_1[populations], sector.k_2[populations]
    warm = sector.thermal(0.5, 2.0)
    np.testing.assert_allclose(warm[populations], np.exp(-0.5 * k_1 - 2 * k_2), rtol=4 * EPS)
    assert not warm[~populations].any()
    assert np.array_equal(sector.thermal(1e4, 1e4)[populations], (k_1 + k_2 == 0).astype(float))
