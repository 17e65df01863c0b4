"""Ensembles of different sizes and baths of different rates, in every method that takes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemble import (
    Bosonic,
    Cumulant,
    Engine,
    Exact,
    IndependentSpins,
    Macroscopic,
    Qutip,
    Status,
    Undriven,
)
from ensemble.closed_forms.single_pair import single_pair_current
from ensemble.closure.closed_moments import rates_of
from tests.ensemble.fokker_planck_reference import Reference
from tests.strategies import engines

ENGINE = Engine(
    N=3, E_1=1, delta_E=2, T_mean=3, delta_T=4, omega_0=0.8, Gamma_0=1, Gamma_1=0.4, Gamma_2=2.5,
    spin_1=1.0, spin_2=2.5,
)  # fmt: skip
SCALED = replace(ENGINE, N=2, scaling="high-temperature")


def test_rates_default_to_the_common_one():
    engine = replace(ENGINE, Gamma_1=None)
    assert engine.rates == (1.0, 2.5)
    assert (engine.cold.Gamma_0, engine.hot.Gamma_0) == (1.0, 2.5)
    assert replace(SCALED, Gamma_2=None).hot.Gamma_0 == 0.5


@pytest.mark.parametrize("engine", [ENGINE, SCALED, replace(ENGINE, statistics="fermionic")])
def test_against_qutip(engine):
    ours, reference = Exact().solve(engine), Qutip().solve(engine)
    assert ours.status is reference.status is Status.OK
    for name, value in reference.values.items():
        assert ours.values[name] == pytest.approx(value, rel=1e-10, nan_ok=True), name


@given(engines(highest_N=1, equal_spins=True))
@settings(deadline=None, max_examples=30)
def test_one_pair_is_the_closed_form(engine):
    solution = Exact().solve(engine, ["quanta_current"])
    expected = single_pair_current(engine)
    assert solution.values["quanta_current"] == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(st.floats(0.1, 10), st.floats(0.1, 10))
@settings(deadline=None, max_examples=10)
def test_exchanging_the_ensembles_reverses_the_current(first, second):
    """The occupations alone count: bath 1 in place of bath 2 reverses J, and D stays."""
    engine = replace(
        ENGINE, statistics="fermionic", Gamma_1=first, Gamma_2=second, mu_1=0.3, mu_2=0.1
    )
    x_1, x_2 = engine.cold.log_ratio, engine.hot.log_ratio
    swapped = replace(
        engine, Gamma_1=second, Gamma_2=first, spin_1=engine.spin_2, spin_2=engine.spin_1,
        mu_1=engine.E_1 - x_2 * engine.T_1, mu_2=engine.E_2 - x_1 * engine.T_2,
    )  # fmt: skip
    here, there = (Exact().solve(e, ["quanta_current", "quanta_noise"]) for e in (engine, swapped))
    for name, sign in (("quanta_current", -1), ("quanta_noise", 1)):
        assert there.values[name] == pytest.approx(sign * here.values[name], rel=1e-11), name


def test_the_macroscopic_limit_against_another_discretisation():
    reference = Reference(SCALED, 14)
    solution = Macroscopic().solve(SCALED)
    assert solution.status is Status.OK
    values = solution.values
    assert values["quanta_current_per_pair"] == pytest.approx(float(reference.J), rel=1e-9)
    assert values["quanta_current_per_pair_noise"] == pytest.approx(float(reference.D), rel=1e-9)


def test_finite_engines_approach_the_limits():
    """The distance falls as 1/N: P/N at N and 2N extrapolates to within its square."""
    names = ["power_per_pair", "magnetization_1", "magnetization_2"]
    limit = Macroscopic().solve(SCALED, names).values
    found = []
    for N in (8, 16, 32):
        engine = replace(SCALED, N=N, spin_1=N / 2, spin_2=5 * N / 4)
        found.append(Exact().solve(engine, names).values)
    for name in names:
        errors = [abs(values[name] - limit[name]) for values in found]
        assert errors[0] / errors[1] == pytest.approx(2, rel=0.15), name
        assert errors[1] / errors[2] == pytest.approx(2, rel=0.08), name


def test_the_bosonic_limit():
    engine = replace(ENGINE, N=1, spin_1=None, spin_2=None)
    limit = Bosonic().solve(engine).values["power_per_pair"]
    errors = [
        abs(
            Exact().solve(replace(engine, N=N), ["power_per_pair"]).values["power_per_pair"] - limit
        )
        for N in (32, 64)
    ]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.2)
    assert errors[1] < 0.1 * limit


def test_the_closure_has_the_rates_of_either_bath():
    assert rates_of(SCALED).tolist() == [0.4 * 1, 2.5 * 5 / 3, 0.4 / 2, 2.5 * 2.5 / 2, 0.4, 1.0]
    solution, limit = Cumulant().solve(SCALED), Macroscopic().solve(SCALED)
    assert solution.status is Status.OK
    # Its power is an approximation, here of a few per cent; with a rate exchanged it is not.
    ratio = solution.values["power_per_pair"] / limit.values["power_per_pair"]
    assert ratio == pytest.approx(1, abs=0.1)


def test_without_a_drive_each_ensemble_is_alone():
    engine = replace(ENGINE, omega_0=0.0)
    alone = Undriven().solve(engine).values
    together = Exact().solve(engine).values
    assert alone["magnetization_1"] == pytest.approx(together["magnetization_1"], rel=1e-12)
    slower = Undriven().solve(replace(engine, Gamma_1=0.2)).values["gap"]
    assert alone["gap"] == pytest.approx(2 * slower, rel=1e-10)


def test_an_average_over_total_spins_is_over_those_of_each_ensemble():
    average = IndependentSpins().solve(ENGINE)
    assert average.status is Status.OK
    hot = replace(ENGINE, spin_1=0.5, spin_2=0.5)
    pair = IndependentSpins().solve(hot).values["power"]
    assert pair == pytest.approx(Exact().solve(hot).values["power"], rel=1e-12)
    assert np.sign(average.values["power"]) == np.sign(pair)
