"""Slowest modes at N → ∞: one-spin rates, an independent generator's spectra, and the bound."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

from ensemble import Status
from ensemble.limits import classical_spectrum as spectrum_module
from ensemble.limits import mode_search
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.classical_spectrum import classical_spectrum
from ensemble.limits.mode_selection import classical_state
from ensemble.methods.macroscopic import GAP_TOLERANCE, Macroscopic
from tests.ensemble.fokker_planck_reference import Reference, bath_rates
from tests.ensemble.test_macroscopic import PUBLIC, engine_of, limits

near = partial(pytest.approx, abs=0.0)
ALL_SECTORS = {(0, 1), (0, -1), (1, 0), (2, 0), (3, 0), (4, 0)}


def spectrum(engine, **options):
    return classical_spectrum(classical_state(ClassicalPair(engine)), **options)


def distance(eigenvalue, values):
    """From an eigenvalue or its conjugate to the nearest value, relative to its modulus."""
    conjugates = np.array([eigenvalue, eigenvalue.conjugate()])
    return np.abs(conjugates[:, np.newaxis] - values).min() / abs(eigenvalue)


def undriven_rates(pair):
    """Slowest sum of one-spin rates in each sector, from plain harmonics up to l = 60."""
    rates = [
        [rate * bath_rates(y, nu, mu, 60)[:2] for mu in range(6)]
        for rate, y, nu in zip(pair.rates, pair.y, pair.share, strict=True)
    ]
    first, second = rates
    slowest = {
        # Populations of either spin; at parity −1 both coherences of order 1 take part.
        (0, 1): min(first[0][1], second[0][1], first[1][0] + second[1][0]),
        (0, -1): first[1][0] + second[1][0],
    }
    for d in range(1, 5):
        slowest[d, 0] = min(first[m][0] + second[d - m][0] for m in range(d + 1))
    return slowest


class TestUndriven:
    @pytest.mark.parametrize("ratios", [(0.1, 0.4), (3.0, 2.0), (8.0, 5.0), (10.0, 6.0)])
    def test_rates_are_sums_of_one_spin_rates(self, ratios):
        """In all sectors up to d = 4; eigenvalues of the plain generator err by eps e^{b/2}."""
        engine = replace(engine_of(ratios, 1.0, spins=(1.0, 1.5)), omega_0=0)
        pair = ClassicalPair(engine)
        exact = undriven_rates(pair)
        found = spectrum(engine, all_sectors=True)
        assert {(mode.difference, mode.parity) for mode in found.modes} == ALL_SECTORS
        for mode in found.modes:
            assert mode.complete
            assert mode.rate == near(exact[mode.difference, mode.parity], rel=1e-9)
        assert found.gap == near(min(exact.values()), rel=1e-9)
        assert spectrum(engine).gap == near(found.gap, rel=1e-12)

    def test_hot_baths_diffuse(self):
        """E/T → 0: a coherence of order 1 decays at Γ₀y(1·2 − 1) but for (E/T)²."""
        engine = replace(engine_of((1e-3, 1e-3), 1.0), omega_0=0)
        slowest = spectrum(engine).modes[0]
        assert (slowest.difference, slowest.parity) == (1, 0)
        assert slowest.rate == near(0.001 * 1e3, rel=1e-6)

    def test_cold_baths_emit(self):
        """E/T → ∞: a coherence of order 1 decays at half of Γ₀ν, but for T/E."""
        engine = replace(engine_of((2e3, 2e3), 1.0, spins=(1.0, 0.5)), omega_0=0)
        assert spectrum(engine).gap == near(0.001 * 0.5 / 2, rel=4e-3)


DRIVEN = [
    # E₁/T₁, E₂/T₂, ω₀/Γ₀, shares, l of the two dense references, agreement at d ≤ 1
    (0.2, 0.35, 2.5, (1.0, 1.0), (5, 7), 1e-8),
    (0.6, 0.3, 6.0, (1.0, 0.5), (5, 7), 1e-7),
    (0.9, 1.8, 1.0, (1.0, 1.0), (5, 7), 1e-5),
]


@pytest.mark.parametrize(("cold", "hot", "strength", "spins", "sizes", "accuracy"), DRIVEN)
def test_driven_modes_are_eigenvalues_of_the_plain_generator(
    cold, hot, strength, spins, sizes, accuracy
):
    """The whole spectrum of every sector, with harmonics added: none decays more slowly."""
    engine = engine_of((cold, hot), strength, spins=spins)
    found = spectrum(engine, all_sectors=True)
    assert {(mode.difference, mode.parity) for mode in found.modes} == ALL_SECTORS
    slowest = {}
    for d in range(5):
        coarse, fine = (Reference(engine, size, difference=d).eigenvalues() for size in sizes)
        # The error of the coarse one; convergence is exponential, that of the fine one is smaller.
        error = distance(complex(fine[0]), coarse)
        assert error < (accuracy if d <= 1 else 1e-3)
        error += GAP_TOLERANCE
        modes = [mode for mode in found.modes if mode.difference == d]
        slowest[d] = -fine[0].real
        for mode in modes:
            assert mode.complete
            assert distance(mode.eigenvalue, fine) < error
            assert mode.eigenvalue.imag >= 0
        assert modes[0].rate == near(slowest[d], rel=2 * error)
    assert found.gap == near(min(slowest.values()), rel=accuracy + GAP_TOLERANCE)


STRONG = [
    # The baths' own density is far from the state, or cold baths: Arnoldi with l up to 20.
    (8.0, 0.1, 3.0, (1.0, 1.0), 14),
    (12.0, 1.0, 3.0, (1.0, 1.0), 16),
    (2.0, 6.0, 8.0, (0.5, 1.0), 14),
    (4.2, 1.4, 0.67, (2.0, 1.0), 16),
]


@pytest.mark.parametrize(("cold", "hot", "strength", "spins", "size"), STRONG)
def test_slowest_mode_far_from_equilibrium(cold, hot, strength, spins, size):
    engine = engine_of((cold, hot), strength, spins=spins)
    found = spectrum(engine)
    slowest = []
    for d in (0, 1, 2):
        values = np.array(
            [
                Reference(engine, n, mu_max=8, difference=d).slow_eigenvalues()[0]
                for n in (size - 3, size)
            ]
        )
        # The plain generator's own convergence is part of the comparison.
        # Of a conjugate pair either may come first.
        error = abs(values[1]) * distance(complex(values[1]), values[:1])
        slowest.append((-values[1].real, error))
    rate, error = min(slowest)
    assert error < 1e-5 * rate
    assert found.modes[0].complete
    assert found.gap == near(rate, rel=GAP_TOLERANCE + 2 * error / rate)


@pytest.mark.parametrize("ratios", [(3.0, 1.0), (20.0, 0.5)])
def test_where_the_bound_says_nothing_all_sectors_are_searched(ratios, monkeypatch):
    """Far from equilibrium the sectors up to d = 4 are looked at."""
    engine = engine_of(ratios, 8.0)
    state = classical_state(ClassicalPair(engine))
    searched = []
    candidates = spectrum_module.candidates

    def recorded(pool, relevant):
        searched.append((pool.sector.difference, pool.sector.parity))
        return candidates(pool, relevant)

    monkeypatch.setattr(spectrum_module, "candidates", recorded)
    found = classical_spectrum(state)
    assert found.others_decay_faster_than < 0
    assert set(searched) == ALL_SECTORS


@pytest.mark.parametrize(
    ("ratios", "strength", "spins"),
    [
        ((5.0, 0.5), 6.0, (0.5, 2.0)),
        ((10.0, 2.0), 8.0, (0.5, 2.0)),
        ((12.0, 2.0), 12.0, (0.5, 2.0)),
    ],
)
def test_slowest_mode_of_odd_parity(ratios, strength, spins):
    """A strong drive slows the odd populations and coherences down: the gap may be theirs."""
    engine = engine_of(ratios, strength, spins=spins)
    plain = Reference(engine, 12, mu_max=9).slow_eigenvalues()[0]
    other = Reference(engine, 12, mu_max=9, difference=1).slow_eigenvalues()[0]
    assert other.real < plain.real
    # l ≤ 12 hold the modes to 1e-4 at least.
    assert spectrum(engine).gap == near(-plain.real, rel=1e-4)


def test_sectors_of_opposite_difference_have_conjugate_modes():
    """−d need not be searched."""
    engine = engine_of((1.0, 0.3), 2.0)
    found = {mode.difference: mode for mode in spectrum(engine, all_sectors=True).modes}
    for d in (1, 2):
        other = Reference(engine, 8, difference=-d).eigenvalues()
        assert distance(found[d].eigenvalue, other) < 1e-8
        assert found[d].rate == near(-other[0].real, rel=2e-8)


def test_parities_make_up_the_sector_of_equal_coherences():
    """The two slowest modes by parity are both in the plain spectrum at d = 0, and not the same."""
    engine = engine_of((0.6, 0.2), 2.0)
    plain = Reference(engine, 7).eigenvalues()
    modes = {
        mode.parity: mode
        for mode in spectrum(engine, all_sectors=True).modes
        if mode.difference == 0
    }
    assert set(modes) == {1, -1}
    for mode in modes.values():
        assert distance(mode.eigenvalue, plain) < 2e-8
    assert abs(modes[1].rate - modes[-1].rate) > 1e-4 * modes[1].rate
    assert min(modes[1].rate, modes[-1].rate) == near(-plain[0].real, rel=2e-8)


@given(limits(coldest=1.5, strongest=4.0))
@settings(deadline=None, max_examples=8)
def test_bound_on_the_other_sectors_is_never_violated(engine):
    """Against the plain spectra of d = 0 … 5; a bound that says something is checked too."""
    found = spectrum(engine)
    slowest = [
        -Reference(engine, 10, mu_max=6, difference=d).slow_eigenvalues(4)[0].real for d in range(6)
    ]
    rounding = 1e-5 * found.gap  # of l ≤ 10
    assert found.gap <= min(slowest) + rounding
    assert found.gap == near(min(slowest), rel=1e-5)
    highest = max(mode.difference for mode in found.modes)
    # Sectors beyond the highest of the list and below the bound would be missed modes.
    for d in range(highest + 1, 6):
        assert slowest[d] >= min(found.others_decay_faster_than, found.gap) - rounding
    # The bound itself: by the searched sectors' undriven order all those with d = 5 are left out.
    assert slowest[5] >= found.others_decay_faster_than - rounding


@given(limits(coldest=3.0, strongest=3.0))
@settings(deadline=None, max_examples=10)
def test_refining_every_sector_changes_nothing(engine):
    """The slowest of all sectors, each refined, is the gap found by exclusion."""
    alone, every = spectrum(engine), spectrum(engine, all_sectors=True)
    assert every.gap == near(alone.gap, rel=10 * GAP_TOLERANCE)
    rates = [mode.rate for mode in every.modes]
    assert rates == sorted(rates)
    assert all(mode.change <= GAP_TOLERANCE for mode in every.modes if mode.complete)


@pytest.mark.parametrize(
    "ratios",
    [(3.0, 1.0), (20.0, 0.05)],
)
def test_all_sectors_means_all_up_to_four(ratios):
    """A cold and a hot spin: five coherences of the one decay before one of the other."""
    found = spectrum(engine_of(ratios, 0.1), all_sectors=True)
    assert {(mode.difference, mode.parity) for mode in found.modes} == ALL_SECTORS


def test_gap_of_the_method():
    """The value, its certificate among the diagnostics, and its tolerance of 1e-8."""
    solution = Macroscopic().solve(PUBLIC, ["gap"])
    assert solution.status is Status.OK
    coarse, fine = (
        -Reference(PUBLIC, size, difference=1).slow_eigenvalues()[0].real for size in (9, 12)
    )
    assert coarse == near(fine, rel=1e-10)
    assert solution.values["gap"] == near(fine, rel=GAP_TOLERANCE)
    assert 0 < solution.diagnostics["truncation"] <= GAP_TOLERANCE


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10])
def test_eigenvalue_errs_less_than_its_last_change(tolerance):
    engine = engine_of((5.0, 2.0), 2.0)
    finest = spectrum(engine, tolerance=1e-11).gap
    mode = spectrum(engine, tolerance=tolerance).modes[0]
    assert mode.complete
    assert mode.change <= tolerance
    assert abs(mode.rate - finest) <= tolerance * finest
    assert math.isfinite(mode.residual)


def test_a_search_without_work_is_not_complete(monkeypatch):
    exact = spectrum(PUBLIC).gap
    monkeypatch.setattr(mode_search, "MOST_WORK", 1.0)
    mode = spectrum(PUBLIC).modes[0]
    assert not mode.complete
    assert mode.rate == near(exact, rel=1e-2)
