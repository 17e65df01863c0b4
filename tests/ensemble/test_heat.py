"""Heat of fermionic engines: E − μ a quantum, with both laws, in every method."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ensemble import (
    Bosonic,
    Cumulant,
    Engine,
    Exact,
    IndependentSpins,
    Macroscopic,
    Qutip,
    Status,
)
from ensemble.evolution.dynamics import evolve, fock
from ensemble.laws import first_law_error, quanta_error, second_law_error

CHEMICAL = Engine(
    N=2, E_1=1, delta_E=1, T_mean=1, delta_T=0.02, omega_0=0.1, Gamma_0=0.1,
    statistics="fermionic", mu_1=-1, mu_2=1,
)  # fmt: skip
"""P = ΔE J > 0, but the particles lose twice as much on their way from μ₂ to μ₁."""
ENGINE = replace(CHEMICAL, E_1=1, delta_E=1, T_mean=2, delta_T=2, mu_1=0.25, mu_2=-0.5)
"""2.5/3 − 0.75/1 > 0 of each quantum's entropy would flow back: a refrigerator."""

METHODS = [Exact(), IndependentSpins(), Qutip()]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("engine", [CHEMICAL, ENGINE, replace(ENGINE, mu_1=-1.0, mu_2=1.5)])
def test_both_laws_with_chemical_potentials(method, engine):
    solution = method.solve(engine)
    assert (solution.status, solution.message) == (Status.OK, "")
    v = solution.values
    assert v["power"] == pytest.approx(engine.delta_E * v["quanta_current"])
    assert v["chemical_power"] == pytest.approx((engine.mu_1 - engine.mu_2) * v["quanta_current"])
    assert v["energy_current_1"] == pytest.approx(-engine.E_1 * v["quanta_current"])
    assert v["energy_current_2"] == pytest.approx(engine.E_2 * v["quanta_current"])
    assert v["heat_current_1"] == pytest.approx(-(engine.E_1 - engine.mu_1) * v["quanta_current"])
    assert v["heat_current_2"] == pytest.approx((engine.E_2 - engine.mu_2) * v["quanta_current"])
    work = v["power"] + v["chemical_power"]
    assert work == pytest.approx(v["heat_current_1"] + v["heat_current_2"])
    entropy = -v["heat_current_1"] / engine.T_1 - v["heat_current_2"] / engine.T_2
    assert entropy == pytest.approx(engine.affinity * v["quanta_current"], rel=1e-12)
    assert v["entropy_production"] == pytest.approx(entropy, rel=1e-12)
    assert entropy > 0
    heated = work > 0 and v["heat_current_2"] > 0
    assert math.isnan(v["efficiency"]) != heated
    if heated:
        assert v["efficiency"] == pytest.approx(work / v["heat_current_2"])
    cooled = work < 0 and v["heat_current_1"] > 0
    assert math.isnan(v["cop"]) != cooled
    if cooled:
        assert v["cop"] == pytest.approx(-v["heat_current_1"] / work)


def test_an_engine_whose_drive_gains_less_than_the_particles_lose_has_no_efficiency():
    values = Exact().solve(CHEMICAL).values
    assert values["power"] > 0 > values["power"] + values["chemical_power"]
    assert math.isnan(values["efficiency"])
    assert math.isnan(values["cop"])


def test_no_engine_exceeds_carnot():
    """300 random fermionic engines: η ≤ η_C, ε ≤ ε_C, −ΣQᵢ/Tᵢ = aJ ≥ 0."""
    rng, engines, refrigerators = np.random.default_rng(20), 0, 0
    for _ in range(300):
        E_1, delta_E, T_1, factor, omega_0 = np.exp(rng.uniform(-2, 2, size=5))
        T_2 = T_1 * (1 + factor)
        mu_1, mu_2 = rng.normal(size=2) * 3
        engine = Engine.of(
            N=int(rng.integers(1, 4)), E_1=E_1, delta_E=delta_E, T_1=T_1, T_2=T_2,
            omega_0=omega_0, Gamma_0=0.5, Gamma_2=0.2, statistics="fermionic", mu_1=mu_1, mu_2=mu_2,
        )  # fmt: skip
        solution = Exact().solve(engine, ["efficiency", "cop", "entropy_production"])
        assert (solution.status, solution.message) == (Status.OK, "")
        values = solution.values
        assert values["entropy_production"] >= 0
        if not math.isnan(values["efficiency"]):
            engines += 1
            assert 0 <= values["efficiency"] <= 1 - T_1 / T_2
        if not math.isnan(values["cop"]):
            refrigerators += 1
            assert 0 < values["cop"] <= T_1 / (T_2 - T_1)
    assert engines >= 30
    assert refrigerators >= 30


def test_at_the_carnot_point_both_efficiencies_are_carnots():
    """(E₁−μ₁)/T₁ = (E₂−μ₂)/T₂ with E₁−μ₁ = 2, E₂−μ₂ = 3, T₁ = 1, T₂ = 1.5."""
    engine = Engine.of(
        N=2, E_1=1, E_2=5, T_1=1, T_2=1.5, omega_0=1, Gamma_0=1, statistics="fermionic",
        mu_1=-1, mu_2=2,
    )  # fmt: skip
    values = Exact().solve(engine).values
    assert values["affinity"] == values["power"] == values["heat_current_1"] == 0
    assert values["efficiency"] == pytest.approx(1 / 3, rel=1e-15)
    assert values["cop"] == pytest.approx(2, rel=1e-15)
    assert values["constancy"] == pytest.approx(1, rel=1e-13)


def test_heats_fluctuate_as_the_quanta_that_carry_them():
    engine = ENGINE
    v = Exact().solve(engine).values
    cold, hot = engine.E_1 - engine.mu_1, engine.E_2 - engine.mu_2
    assert v["heat_current_1_variance"] == pytest.approx(cold**2 * v["quanta_noise"])
    assert v["heat_current_2_variance"] == pytest.approx(hot**2 * v["quanta_noise"])
    assert v["heat_covariance"] == pytest.approx(-cold * hot * v["quanta_noise"])


def test_both_laws_along_a_trajectory_with_chemical_potentials():
    path = evolve(ENGINE, fock(ENGINE, 2, 0), [0.0, 1.0, 30.0, 1e6])
    assert path.first_law_error <= 1e-12
    change = path.heat_1 + path.heat_2 - path.work - path.chemical_work
    np.testing.assert_allclose(path.energy_change, change, atol=1e-9)
    v = Exact().solve(ENGINE).values
    for name in ("power", "heat_current_1", "heat_current_2", "chemical_power"):
        assert getattr(path, name)[-1] == pytest.approx(v[name], rel=1e-9), name
    assert path.entropy_production_rate[-1] == pytest.approx(v["entropy_production"], rel=1e-9)


def test_a_bosonic_mode_of_a_fermionic_bath():
    """The limit of the bare scaling takes fermions with E > μ."""
    engine = replace(CHEMICAL, N=1, E_1=2, delta_E=1, T_mean=2, delta_T=2, mu_1=0.5, mu_2=1.0)
    solution = Bosonic().solve(engine)
    assert solution.status is Status.OK
    v = solution.values
    work = v["power_per_pair"] + v["chemical_power_per_pair"]
    heats = v["heat_current_1_per_pair"], v["heat_current_2_per_pair"]
    assert work == pytest.approx(sum(heats), rel=1e-13)
    entropy = -heats[0] / engine.T_1 - heats[1] / engine.T_2
    assert v["entropy_production_per_pair"] == pytest.approx(entropy, rel=1e-12)


@pytest.mark.parametrize("method", [Macroscopic(), Cumulant(), Cumulant(order=4)], ids=str)
def test_the_limits_check_the_second_law(method):
    engine = Engine(
        N=5, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
        scaling="high-temperature",
    )  # fmt: skip
    solution = method.solve(engine)
    assert solution.status is Status.OK
    assert solution.diagnostics["self_check"] <= 1e-9
    v = solution.values
    entropy = -v["heat_current_1_per_pair"] / 2 - v["heat_current_2_per_pair"] / 25
    assert v["entropy_production"] == pytest.approx(entropy, rel=1e-12)


@pytest.mark.parametrize("method", [Exact(), IndependentSpins(), Bosonic(), Qutip()], ids=str)
def test_a_wrong_heat_is_unphysical(method, monkeypatch):
    """If all of a particle's energy counts as heat, the laws do not hold."""
    engine = replace(ENGINE, mu_1=0.5, mu_2=1.0)
    assert method.solve(engine).status is Status.OK
    monkeypatch.setattr(Engine, "quantum_heats", property(lambda self: (self.E_1, self.E_2)))
    assert method.solve(engine).status is Status.UNPHYSICAL


@pytest.mark.parametrize("method", [Macroscopic(), Cumulant()], ids=str)
def test_a_wrong_affinity_of_a_limit_is_unphysical(method, monkeypatch):
    engine = Engine(
        N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
        scaling="high-temperature",
    )  # fmt: skip
    monkeypatch.setattr(Engine, "affinity", 0.11)  # it is 0.1
    assert method.solve(engine).status is Status.UNPHYSICAL


def test_violations_are_relative_to_the_largest_term():
    assert first_law_error(1.0, 0.5, -0.5, 2.0) == 0
    assert first_law_error(1.0, 0.5, -0.5, 2.5) == pytest.approx(0.2)
    assert first_law_error(0.0, 0.0, 0.0, 0.0) == 0
    assert quanta_error(-0.5, 0.5, -0.5) == 0
    assert quanta_error(1.0, -1.25, 1.0) == quanta_error(1.0, -1.0, 1.25) == pytest.approx(0.2)
    assert quanta_error(0.0, 0.0, 0.0) == 0
    engine = Engine.of(N=3, E_1=1, E_2=2, T_1=1, T_2=4, omega_0=1, Gamma_0=1)
    assert second_law_error(engine, -1.0, 2.0, 0.5) == 0
    assert second_law_error(engine, -1.0, 2.0, 0.75) == pytest.approx(0.25)
    hot = replace(engine, scaling="high-temperature")
    assert second_law_error(hot, -1.0, 2.0, 0.5, per_pair=True) == 0
    assert second_law_error(hot, -1.0, 2.0, 0.5 / 3) == pytest.approx(0, abs=1e-16)
    assert second_law_error(engine, 0.0, 0.0, 0.0) == 0
