"""Every symmetry sector against dense matrices, and all of them together against QuTiP."""

from __future__ import annotations

import math

import numpy as np
import pytest
import qutip
from scipy import linalg
from scipy.optimize import linear_sum_assignment

from ensemble import Engine, InvalidInput
from ensemble.generator.liouvillian import liouvillian
from ensemble.generator.sector import Sector
from ensemble.spectrum.coherence_sectors import (
    ANTISYMMETRIC,
    SYMMETRIC,
    CoherenceSector,
    balanced_generator,
    sectors,
)
from tests.ensemble.dense import gauge, lindblad

EPS = np.finfo(float).eps
SPINS = [(1, 1), (1, 3), (3, 2), (3, 3)]


def an_engine(n_1: int, n_2: int, omega_0: float = 1.7) -> Engine:
    """An engine whose five rates are all different and of order one."""
    return Engine(
        N=1, E_1=1, delta_E=2, T_mean=2, delta_T=2, omega_0=omega_0, Gamma_0=0.6,
        spin_1=n_1 / 2, spin_2=n_2 / 2,
    )  # fmt: skip


def every_sector(n_1: int, n_2: int) -> list[CoherenceSector]:
    return [*sectors(n_1, n_2), CoherenceSector(n_1, n_2, 0)]


def basis_matrices(sector: CoherenceSector) -> np.ndarray:
    """The orthonormal basis of a sector as real matrices over |k₁, k₂⟩, shape (size, dim, dim)."""
    width = sector.n_2 + 1
    ket = sector.k_1 * width + sector.k_2
    bra = (sector.k_1 + sector.q) * width + sector.k_2 + sector.difference - sector.q
    basis = np.zeros((sector.size, (sector.n_1 + 1) * width, (sector.n_1 + 1) * width))
    element = np.arange(sector.size)
    basis[element, ket, bra] = 1
    if sector.parity:
        basis[element, bra, ket] += sector.parity
        basis /= np.sqrt((basis**2).sum(axis=(1, 2)))[:, None, None]
    return basis


@pytest.mark.parametrize(("n_1", "n_2"), [*SPINS, (6, 4)])
def test_sectors_number_every_element_once(n_1, n_2):
    """Two parities at d = 0, and d > 0 once for itself and once for −d, fill the matrix of L."""
    multiplicities = [2 if sector.difference else 1 for sector in sectors(n_1, n_2)]
    sizes = [sector.size for sector in sectors(n_1, n_2)]
    assert np.dot(multiplicities, sizes) == ((n_1 + 1) * (n_2 + 1)) ** 2
    for sector in every_sector(n_1, n_2):
        positions = sector.index(sector.k_1, sector.k_2, sector.q)
        assert np.array_equal(positions, np.arange(sector.size))


@pytest.mark.parametrize("weight", [0.0, 0.8])
@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
def test_generator_is_the_dense_one_and_the_sectors_are_closed(n_1, n_2, weight):
    """Apply the definition of L to every basis element; undo the weights; nothing may leave."""
    engine = an_engine(n_1, n_2)
    phase = gauge(n_1, n_2)
    to_physical = np.outer(phase, phase.conj())
    total = np.add.outer(np.arange(n_1 + 1), np.arange(n_2 + 1)).ravel()
    weights = np.exp(-weight * np.add.outer(total, total) / 4)
    for sector in every_sector(n_1, n_2):
        basis = basis_matrices(sector)
        matrix = balanced_generator(engine, sector, weight=weight).toarray()
        # An element is a sum of a few products of numbers of the size of the largest.
        close = {"rtol": 0, "atol": 32 * EPS * abs(matrix).max() * weights.max() / weights.min()}
        for column, element in enumerate(basis):
            change = lindblad(engine, to_physical * weights * element)
            change = to_physical.conj() * change / weights
            np.testing.assert_allclose(
                change, np.tensordot(matrix[:, column], basis, axes=1), **close
            )


@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
def test_parity_blocks_are_those_of_the_stationary_sector(n_1, n_2):
    """The symmetric block is the generator that the stationary state is solved with, rescaled; the
    antisymmetric one is its part with q ≥ 1."""
    engine, generator = an_engine(n_1, n_2), liouvillian(n_1, n_2)
    sector = Sector(n_1, n_2)
    matrix = generator.matrix(generator.values(engine)).toarray()
    norm = np.where(sector.q == 0, 1.0, math.sqrt(2))
    symmetric = balanced_generator(engine, CoherenceSector(n_1, n_2, 0, SYMMETRIC)).toarray()
    close = {"rtol": 0, "atol": 8 * EPS * abs(matrix).max()}
    np.testing.assert_allclose(symmetric, norm[:, None] * matrix / norm, **close)
    antisymmetric = balanced_generator(engine, CoherenceSector(n_1, n_2, 0, ANTISYMMETRIC))
    coherent = sector.q >= 1
    np.testing.assert_allclose(antisymmetric.toarray(), matrix[coherent][:, coherent], **close)


@pytest.mark.parametrize(("n_1", "n_2"), SPINS)
def test_trace_is_the_left_null_vector(n_1, n_2):
    engine = an_engine(n_1, n_2)
    for sector in every_sector(n_1, n_2):
        matrix = balanced_generator(engine, sector, weight=0.8)
        assert abs(sector.trace(0.8) @ matrix).max() <= 16 * EPS * abs(matrix).max()
        has_populations = sector.difference == 0 and sector.parity != ANTISYMMETRIC
        assert sector.trace(0.8).max() == has_populations


@pytest.mark.parametrize("weight", [-0.4, 0.0, 1.3])
def test_drive_is_antisymmetric_at_any_weight(weight):
    for sector in every_sector(3, 2):
        driven, undriven = (
            balanced_generator(an_engine(3, 2, omega_0), sector, weight=weight).toarray()
            for omega_0 in (1.7, 0.0)
        )
        drive = driven - undriven
        assert abs(drive + drive.T).max() <= 2 * EPS * abs(driven).max()
        assert abs(drive).max() > 0.5 or sector.difference == 5  # |0,0⟩⟨3,2| is not driven


def test_dissipators_are_symmetric_at_the_weight_of_equal_baths():
    """At E₁/T₁ = E₂/T₂ = w both obey detailed balance with respect to one state."""
    engine = Engine(
        N=1, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=0, Gamma_0=1, spin_1=1.5, spin_2=1
    )
    for sector in every_sector(3, 2):
        matrix = balanced_generator(engine, sector, weight=1.0).toarray()
        assert abs(matrix - matrix.T).max() <= 4 * EPS * abs(matrix).max()
        if sector.size > 1:
            skewed = balanced_generator(engine, sector, weight=0.9).toarray()
            assert abs(skewed - skewed.T).max() > 0.01


@pytest.mark.parametrize(
    "engine",
    [
        an_engine(1, 1),
        an_engine(2, 2),
        an_engine(3, 3),
        an_engine(1, 4),
        Engine(N=3, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=6, Gamma_0=1,
               scaling="high-temperature"),
        Engine(N=3, E_1=100, delta_E=50, T_mean=75, delta_T=40, omega_0=50, Gamma_0=1),
    ],
    ids=lambda engine: f"{engine.levels} omega_0={engine.omega_0:g}",
)  # fmt: skip
def test_all_sectors_make_up_the_spectrum_of_the_whole_liouvillian(engine):
    """Every eigenvalue of QuTiP's Liouvillian, with its multiplicity."""
    spins = [qutip.jmat(n / 2, "+") for n in engine.levels]
    ones = [qutip.qeye_like(spin) for spin in spins]
    up = [qutip.tensor(spins[0], ones[1]), qutip.tensor(ones[0], spins[1])]
    hop = up[0] * up[1].dag()
    jumps = []
    for bath, raising in zip((engine.cold, engine.hot), up, strict=True):
        jumps += [math.sqrt(bath.gamma_down) * raising.dag(), math.sqrt(bath.gamma_up) * raising]
    whole = qutip.liouvillian(engine.drive / 2 * (hop + hop.dag()), jumps).full()
    expected = np.linalg.eigvals(whole)

    weight = (engine.cold.log_ratio + engine.hot.log_ratio) / 2
    found, condition = [], 1.0
    for sector in sectors(*engine.levels):
        matrix = balanced_generator(engine, sector, weight=weight).toarray()
        values, left, right = linalg.eig(matrix, left=True)
        condition = max(condition, (1 / abs(np.einsum("ij,ij->j", left.conj(), right))).max())
        found += [values, values.conj()] if sector.difference else [values]
    found = np.concatenate(found)
    assert found.size == expected.size
    distance = abs(np.subtract.outer(found, expected))
    # A computed eigenvalue is good to ε ‖L‖ times its condition.  QuTiP's matrix lacks the weights,
    # so its condition is that of ours times, at most, the spread of the weights.
    condition *= math.exp(weight * sum(engine.levels) / 2)
    allowed = 32 * EPS * np.linalg.norm(whole, 2) * condition
    assert allowed < 1e-8 * abs(expected).max()
    assert distance[linear_sum_assignment(distance)].max() <= allowed


def test_invalid_sectors():
    with pytest.raises(InvalidInput, match=r"difference must lie between 0 and 4, but is 5"):
        CoherenceSector(2, 2, 5)
    with pytest.raises(InvalidInput, match=r"is the transpose of its positive twin"):
        CoherenceSector(2, 2, -1)
    with pytest.raises(InvalidInput, match=r"parity must be 0, 1 or -1.*leave it out"):
        CoherenceSector(2, 2, 1, SYMMETRIC)
    with pytest.raises(InvalidInput, match=r"parity must be 0, 1 or -1"):
        CoherenceSector(2, 2, 0, 2)
    with pytest.raises(InvalidInput, match=r"build the sector from engine\.levels"):
        balanced_generator(an_engine(1, 1), CoherenceSector(2, 2, 0))
