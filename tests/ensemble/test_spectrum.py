"""The gap and the slow modes against whole spectra, the bound against the truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scipy import linalg

from ensemble import Engine, InvalidInput
from ensemble.closed_forms.single_spin import SingleSpin
from ensemble.errors import Unsolvable
from ensemble.spectrum import gap as gap_module
from ensemble.spectrum import rightmost
from ensemble.spectrum.coherence_sectors import (
    SYMMETRIC,
    CoherenceSector,
    balanced_generator,
    sectors,
)
from ensemble.spectrum.decay_bound import decay_bound
from ensemble.spectrum.gap import gap, slow_spectrum
from tests.ensemble.dense import lindblad
from tests.strategies import engines

EPS = np.finfo(float).eps
AGREEMENT = 1e-11
"""Relative.  The slowest modes have conditions below 10 in the balanced basis, and ‖L‖ is at most
1000 times their rate: 2e-12, and a factor 4 to spare for the dimension."""

SYSTEMS = {
    "engine": {"E_1": 100, "delta_E": 50, "T_mean": 150, "delta_T": 100},
    "refrigerator": {"E_1": 100, "delta_E": 125, "T_mean": 150, "delta_T": 100},
    "Carnot point": {"E_1": 1, "delta_E": 1, "T_mean": 1.5, "delta_T": 1},
    "cold": {"E_1": 100, "delta_E": 50, "T_mean": 15, "delta_T": 10},
    "very cold": {"E_1": 100, "delta_E": 50, "T_mean": 1.5, "delta_T": 1},
    "hot": {"E_1": 1, "delta_E": 1, "T_mean": 100, "delta_T": 1},
    "one cold, one hot": {"E_1": 1, "delta_E": 0, "T_mean": 5.1, "delta_T": 10},
}
DRIVES = [0.1, 1.0, 6.0, 50.0]
"""ω₀/Γ₀, from overdamped to far underdamped: |Im λ| up to 50 times the gap."""


def an_engine(system: str, N: int, omega_0: float, **changes) -> Engine:
    return Engine(N=N, omega_0=omega_0, Gamma_0=1, **SYSTEMS[system] | changes)


def all_rates(engine: Engine, sector: CoherenceSector) -> np.ndarray:
    """−Re λ of every mode of a sector but the stationary one, ascending, by dense algebra."""
    weight = decay_bound(engine).of(sector)[1]
    values = np.linalg.eigvals(balanced_generator(engine, sector, weight=weight).toarray())
    rates = np.sort(-values.real)
    if sector.parity == SYMMETRIC:
        assert abs(rates[0]) < 1e-9 * abs(rates[-1])
        rates = rates[1:]
    return rates


@pytest.fixture
def large_sectors(monkeypatch):
    """Treat all sectors but the smallest as too large to diagonalise."""
    monkeypatch.setattr(gap_module, "DENSE", 0)


FERMIONIC = [
    Engine(N=2, E_1=1, delta_E=2, T_mean=T_mean, delta_T=0.5 * T_mean, omega_0=2, Gamma_0=1,
           mu_1=3, mu_2=-1, statistics="fermionic")
    for T_mean in (1.0, 0.01)
]  # fmt: skip
"""The cold spin is inverted: ln(γ↓/γ↑) = −2.7 and −270."""


@pytest.mark.parametrize(
    "engine",
    [an_engine(system, N, omega_0) for system in SYSTEMS for N in (1, 2) for omega_0 in DRIVES]
    + FERMIONIC,
    ids=lambda engine: f"N={engine.N} omega_0={engine.omega_0:g} a={engine.affinity:.2g}",
)
def test_gap_is_that_of_the_whole_liouvillian(engine):
    """The definition of L as one matrix over all elements, which knows of no sector."""
    dim = (engine.N + 1) ** 2
    whole = np.stack(
        [lindblad(engine, unit).ravel() for unit in np.eye(dim**2).reshape(-1, dim, dim)]
    )
    rates = np.sort(-np.linalg.eigvals(whole).real)
    assert abs(rates[0]) < AGREEMENT * rates[1]
    found = gap(engine)
    assert found.value == pytest.approx(rates[1], rel=AGREEMENT, abs=0)
    assert found.residual < AGREEMENT


@pytest.mark.parametrize("omega_0", DRIVES)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
def test_gap_is_the_slowest_of_all_sectors(system, omega_0, scaling):
    """Dense spectra of all twelve sectors, those that the bound leaves out too."""
    engine = an_engine(system, 5, omega_0, scaling=scaling)
    slowest = {
        (sector.difference, sector.parity): all_rates(engine, sector)[0]
        for sector in sectors(*engine.levels)
    }
    found = gap(engine)
    assert found.value == pytest.approx(min(slowest.values()), rel=AGREEMENT, abs=0)
    skipped = [rate for key, rate in slowest.items() if key not in found.searched]
    assert min(skipped, default=np.inf) >= found.others_decay_faster_than * (1 - AGREEMENT)
    assert found.others_decay_faster_than >= found.value


@pytest.mark.usefixtures("large_sectors")
@pytest.mark.parametrize("omega_0", DRIVES[:-1])
@pytest.mark.parametrize("system", SYSTEMS)
def test_iterative_search_finds_the_dense_modes(system, omega_0, monkeypatch):
    engine = an_engine(system, 5, omega_0)
    found = slow_spectrum(engine, count=4).modes
    monkeypatch.setattr(gap_module, "DENSE", 10**6)
    expected = slow_spectrum(engine, count=4).modes
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.rate == pytest.approx(theirs.rate, rel=AGREEMENT, abs=0)
        assert mine.residual < AGREEMENT


@pytest.mark.parametrize(("N", "omega_0"), [(12, 1.0), (10, 50.0)])
def test_a_truly_large_sector(N, omega_0):
    """Beyond DENSE, by the plain search and by the filtered one, against all its eigenvalues."""
    engine = an_engine("engine", N, omega_0)
    sector = CoherenceSector(N, N, 1)
    assert sector.size > gap_module.DENSE
    (mode,) = slow_spectrum(engine, sector=1, count=1).modes
    matrix = balanced_generator(engine, sector, weight=decay_bound(engine).of(sector)[1])
    values = np.linalg.eigvals(matrix.toarray())
    slowest = values[values.real.argmax()]
    assert mode.rate == pytest.approx(-slowest.real, rel=AGREEMENT, abs=0)
    assert mode.eigenvalue.imag == pytest.approx(abs(slowest.imag), rel=AGREEMENT, abs=0)
    assert math.isnan(mode.condition)
    assert mode.eigenvalue.imag > mode.rate / 2  # one that the search nearest to zero may miss


@pytest.mark.usefixtures("large_sectors")
@pytest.mark.parametrize("omega_0", [1.0, 50.0])
def test_filtered_search_alone(omega_0, monkeypatch):
    """When the plain search does not converge, the one on exp(Lt) gives the same."""
    engine = an_engine("engine", 4, omega_0)
    monkeypatch.setattr(gap_module, "rightmost", lambda space, wanted: np.empty((space.size, 0)))
    found = gap(engine)
    monkeypatch.setattr(gap_module, "DENSE", 10**6)
    assert found.value == pytest.approx(gap(engine).value, rel=AGREEMENT, abs=0)
    assert found.residual < AGREEMENT


@pytest.mark.usefixtures("large_sectors")
def test_vectors_that_are_no_eigenvectors_are_caught(monkeypatch):
    """ARPACK has returned such; the residual gives them away and the other search takes over."""
    engine = an_engine("engine", 4, 1.0)
    expected = gap(engine).value

    def wrong(space, wanted):
        return np.random.default_rng(1).normal(size=(space.size, wanted))

    monkeypatch.setattr(gap_module, "rightmost", wrong)
    assert gap(engine).value == pytest.approx(expected, rel=AGREEMENT, abs=0)


@pytest.mark.usefixtures("large_sectors")
def test_a_search_that_fails_raises(monkeypatch):
    monkeypatch.setattr(rightmost, "RESTARTS", 1)
    monkeypatch.setattr(rightmost, "TOLERANCE", 1e-300)
    with pytest.raises(Unsolvable, match=r"no modes converged in the sector d = "):
        gap(an_engine("engine", 5, 1.0))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(engine=engines(highest_N=3))
def test_no_mode_decays_more_slowly_than_the_bound(engine):
    """Any spins, any temperatures, any drive."""
    bound = decay_bound(engine)
    for sector in sectors(*engine.levels):
        least, weight = bound.of(sector)
        values = np.linalg.eigvals(balanced_generator(engine, sector, weight=weight).toarray())
        # For ‖L‖ in place of the spectral radius: their ratio, times the dimension for the algebra.
        rounding = 1e3 * EPS * max(abs(values).max(), abs(least))
        assert -values.real.max() >= least - rounding


def test_bound_does_not_depend_on_the_drive_but_on_the_affinity():
    weak, strong = (decay_bound(an_engine("engine", 4, omega_0)) for omega_0 in (0.0, 50.0))
    assert np.array_equal(weak.rates_1, strong.rates_1)
    assert np.array_equal(weak.rates_2, strong.rates_2)


@pytest.mark.parametrize("N", [1, 2, 5])
def test_at_the_carnot_point_the_bound_is_the_undriven_rate_and_a_drive_only_speeds_up(N):
    undriven = an_engine("Carnot point", N, 0.0)
    bound = decay_bound(undriven)
    for sector in sectors(N, N):
        if sector.parity == SYMMETRIC:
            continue
        least, _ = bound.of(sector)
        assert all_rates(undriven, sector)[0] == pytest.approx(least, rel=AGREEMENT, abs=0)
        for omega_0 in DRIVES:
            driven = all_rates(replace(undriven, omega_0=omega_0), sector)[0]
            assert driven >= least * (1 - AGREEMENT)


@pytest.mark.parametrize("N", [1, 2, 4])
@pytest.mark.parametrize("system", ["engine", "Carnot point", "one cold, one hot", "hot"])
def test_undriven_gap_is_that_of_the_slower_spin(system, N):
    engine = an_engine(system, N, 0.0, scaling="high-temperature")
    betas = [engine.N * bath.log_ratio for bath in (engine.cold, engine.hot)]
    assert gap(engine).value == pytest.approx(
        min(SingleSpin(N, beta).slowest()[0] for beta in betas), rel=AGREEMENT, abs=0
    )
    assert gap(engine).mode.coherences in [(1, 0), (0, 1)]


def test_modes_of_all_sectors_make_up_the_whole_spectrum():
    engine = an_engine("engine", 2, 6.0)
    found = slow_spectrum(engine, count=1000)
    assert sum(mode.multiplicity for mode in found.modes) == 3**4 - 1  # all but the stationary one
    assert found.others_decay_faster_than == math.inf
    assert len(found.searched) == 6
    rates = [mode.rate for mode in found.modes]
    assert rates == sorted(rates)
    assert rates[0] == gap(engine).value
    assert {mode.multiplicity for mode in found.modes} == {1, 2, 4}


@pytest.mark.parametrize("sector", [0, 1, 4])
def test_one_sector(sector):
    engine = an_engine("engine", 2, 6.0)
    found = slow_spectrum(engine, sector=sector, count=1000)
    assert {mode.sector for mode in found.modes} == {sector}
    sizes = [block.size for block in sectors(2, 2) if block.difference == sector]
    conjugates = sum(mode.multiplicity for mode in found.modes) // (2 if sector else 1)
    assert conjugates == sum(sizes) - (sector == 0)


@pytest.mark.parametrize("omega_0", [1.0, 6.0])
def test_condition_is_what_a_perturbation_does(omega_0):
    """dλ = u·dL·x/(u·x): at most κ‖dL‖, and that much for dL = u xᵀ."""
    engine = an_engine("one cold, one hot", 3, omega_0)
    mode = gap(engine).mode
    sector = CoherenceSector(3, 3, mode.sector)
    matrix = balanced_generator(engine, sector, weight=decay_bound(engine).of(sector)[1]).toarray()
    values, left, right = linalg.eig(matrix, left=True)
    i = abs(values - mode.eigenvalue).argmin()
    step = 1e-7
    moved = np.linalg.eigvals(matrix + step * np.outer(left[:, i], right[:, i].conj()))
    shift = abs(moved - mode.eigenvalue).min() / step
    assert 1 < mode.condition < 10
    assert shift == pytest.approx(mode.condition, rel=1e-4)  # second order in the step


def test_the_drive_moves_the_gap_from_the_coherences_to_the_populations():
    """Weak: a coherence of one spin; strong: populations, whose rate no longer falls with ω₀."""
    weak, strong = gap(an_engine("engine", 5, 1.0)), gap(an_engine("engine", 5, 50.0))
    assert (weak.sector, weak.mode.parity, weak.eigenvalue.imag > 0) == (1, 0, True)
    assert (strong.sector, strong.mode.parity, strong.eigenvalue.imag) == (0, SYMMETRIC, 0)


def test_invalid_requests():
    engine = an_engine("engine", 2, 1.0)
    with pytest.raises(InvalidInput, match=r"count must be a whole number ≥ 1, but is 0"):
        slow_spectrum(engine, count=0)
    with pytest.raises(InvalidInput, match=r"sector must lie between 0 and 4, but is -1.*twin"):
        slow_spectrum(engine, sector=-1)
    with pytest.raises(InvalidInput, match=r"sector must lie between 0 and 4, but is 5"):
        slow_spectrum(engine, sector=5)
