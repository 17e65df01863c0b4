"""Forecasts of a sector's size, cuts and solver: what the solver then really does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble import Engine
from ensemble.generator.sector import Sector
from ensemble.steady.first_guess import first_guess
from ensemble.steady.sector_forecast import (
    AIM,
    WEIGHTS,
    WELL_SCALED,
    common_ratio,
    complete_size,
    coupling,
    excitation_cuts,
    factorises,
    kept_whole,
    largest_fall,
    sector_size,
)
from ensemble.steady.stationary import stationary
from ensemble.steady.truncation import complete

SHARED = {"E_1": 1.0, "delta_E": 2.0, "Gamma_0": 1.0}
ENGINES = {
    "whole": Engine(N=24, T_mean=4, delta_T=6, omega_0=1, **SHARED),
    "small": Engine(N=25, T_mean=4, delta_T=6, omega_0=1, **SHARED),
    "cold": Engine(N=60, T_mean=1.5, delta_T=1, omega_0=1, **SHARED),
    "large": Engine(N=90, T_mean=40, delta_T=6, omega_0=0.1, **SHARED),
    "driven": Engine(N=40, T_mean=40, delta_T=6, omega_0=30, **SHARED),
    "inverted": Engine(
        N=26, T_mean=4, delta_T=6, omega_0=1, statistics="fermionic", mu_1=3, **SHARED
    ),
}


def columns(*values):
    """One number of each engine as an array."""
    return np.array(values, dtype=float).T


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 12))
def test_size_is_that_of_the_sector_when_it_is_built(cut_1, cut_2, order):
    built = Sector(12, 12, coherence_order=order, cut_1=cut_1, cut_2=cut_2)
    assert sector_size(order, cut_1, cut_2) == built.size


def test_size_of_the_largest_spins_does_not_overflow():
    n = 1e9  # Σ (n + 1 − q)² = (n + 1)(n + 2)(2n + 3)/6
    assert complete_size(n, n) == pytest.approx(n**3 / 3, rel=1e-8)


@pytest.mark.parametrize("name", ENGINES)
def test_neglected_populations_weigh_less_than_the_aim(name):
    """Each bath's own populations beyond the cut, against the tolerance times ``AIM``."""
    engine, tolerance = ENGINES[name], 1e-10
    baths = engine.cold, engine.hot
    cuts = excitation_cuts(*engine.levels, *(b.log_ratio for b in baths), tolerance=tolerance)
    for bath, top, cut in zip(baths, engine.levels, cuts, strict=True):
        k = np.arange(top + 1)
        weights = np.exp(-k * bath.log_ratio - max(0.0, -top * bath.log_ratio))
        assert weights[k > cut].sum() <= AIM * tolerance * weights.sum()


def test_many_engines_at_once_are_forecast_as_the_solver_treats_each():
    engines = list(ENGINES.values())
    n_1, n_2 = columns(*(engine.levels for engine in engines))
    ratios = columns(*((e.cold.log_ratio, e.hot.log_ratio) for e in engines))
    whole = kept_whole(n_1, n_2)
    cuts = excitation_cuts(n_1, n_2, *ratios, tolerance=1e-10)
    cut_1, cut_2 = np.where(whole, n_1, cuts[0]), np.where(whole, n_2, cuts[1])
    guesses = [first_guess(engine, tolerance=1e-10) for engine in engines]
    assert whole.tolist() == [g == complete(e) for g, e in zip(guesses, engines, strict=True)]
    assert cut_1.tolist() == [guess.cut_1 for guess in guesses]
    assert cut_2.tolist() == [guess.cut_2 for guess in guesses]

    states = [stationary(engine) for engine in engines]
    kept = [state.truncation for state in states]
    size = sector_size(*columns(*((t.coherence_order, t.cut_1, t.cut_2) for t in kept)))
    widths = np.sqrt(np.prod([[t.cut_1 + 1, t.cut_2 + 1] for t in kept], axis=1))
    fall = largest_fall(*columns(*((t.cut_1, t.cut_2) for t in kept)), *ratios)
    strength = [
        coupling(e.omega_0 / e.Gamma_0, e.N, *pair, bosonic=e.statistics == "bosonic")
        for e, pair in zip(engines, ratios.T, strict=True)
    ]
    direct = factorises(size, widths, fall, strength)
    assert direct.tolist() == [state.solver_name != "gmres" for state in states]
    assert set(direct.tolist()) == {True, False}  # both choices occur here


def test_where_iterations_would_not_converge_a_sector_is_factorised_if_memory_allows():
    size = np.array([1e5, 3.9e5, 4.1e5])
    assert factorises(size, 100, 10.0, 100.0).tolist() == [True, True, False]
    assert factorises(size, 100, 10.0, 1.0).tolist() == [False, False, False]


def test_unlike_baths_are_told_from_cold_ones():
    """Both at E/T = 3 are near their common reference, 3 and 0.1 are not."""
    assert largest_fall(30, 30, 3.0, 3.1) == pytest.approx(31 * 0.1)
    assert largest_fall(30, 30, 3.0, 0.1) > WELL_SCALED
    assert common_ratio(30, 30, -1.0, 2.0) == 0.0
    assert 61 * common_ratio(30, 30, 90.0, 91.0) == pytest.approx(WEIGHTS)
