"""The model's parameters: validation, rates, detailed balance, scaling and the affinity."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given

from ensemble import Bath, Engine, InvalidInput
from tests.strategies import engines

EPS = 2.0**-52

VALID = {
    "N": 4,
    "E_1": 100.0,
    "delta_E": 125.0,
    "T_mean": 130.0,
    "delta_T": 100.0,
    "omega_0": 1.0,
    "Gamma_0": 0.5,
}
"""The Carnot point E₁/T₁ = 100/80 = E₂/T₂ = 225/180, in numbers that are exact in binary."""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"N": 0}, r"N must be a whole number ≥ 1, but is 0: use N = 1, 2, 3"),
        ({"N": 1.5}, r"N must be a whole number ≥ 1, but is 1\.5"),
        ({"N": True}, r"N must be a finite number, but is True"),
        ({"E_1": math.nan}, r"E_1 must be a finite number, but is nan"),
        ({"T_mean": math.inf}, r"T_mean must be a finite number, but is inf"),
        ({"omega_0": "fast"}, r"omega_0 must be a finite number, but is 'fast'"),
        ({"spin_1": 1j}, r"spin_1 must be a finite number, but is 1j"),
        ({"N": None}, r"N must be a finite number, but is None"),
        ({"N": 10**10}, r"N must be at most 1000000000, but is 1e\+10: use a limit N → ∞"),
        ({"N": "4"}, r"N must be a finite number, but is '4': give e\.g\. N = 1"),
        ({"E_1": 1e-301}, r"E_1 is 1e-301, and sizes outside of .*: choose a unit in which"),
        ({"T_mean": 1e301}, r"T_mean is 1e\+301, and sizes outside of .*: choose a unit in which"),
        ({"spin_1": 1e20}, r"spin_1 must be at most 5e\+08, but is 1e\+20: use a smaller one"),
        ({"E_1": 10**400}, r"E_1 must be a finite number"),
        ({"scaling": "none"}, r"scaling must be one of bare, high-temperature, but is 'none'"),
        ({"E_1": 0}, r"E_1 must be positive, but is 0: give E_1 > 0"),
        ({"Gamma_0": -1}, r"Gamma_0 must be positive, but is -1: give Gamma_0 > 0"),
        ({"omega_0": -1}, r"omega_0 must not be negative, but is -1: the sign .* choice of gauge"),
        ({"delta_E": -1}, r"delta_E must not be negative, but is -1: .* call the wider spacing 2"),
        ({"delta_T": -1}, r"delta_T must not be negative, but is -1: bath 2 is the hot one"),
        ({"T_mean": 50}, r"T_mean must exceed delta_T/2 = 50 .* raise T_mean or lower delta_T"),
        ({"spin_1": 0}, r"spin_1 must be a positive half-integer, but is 0: use 0\.5, 1, 1\.5"),
        ({"spin_2": 0.75}, r"spin_2 must be a positive half-integer, but is 0\.75"),
        ({"Gamma_1": 0}, r"Gamma_1 must be positive, but is 0: give Gamma_1 > 0"),
        ({"Gamma_2": -1}, r"Gamma_2 must be positive, but is -1: give Gamma_2 > 0"),
        ({"Gamma_2": math.nan}, r"Gamma_2 must be a finite number, but is nan"),
        ({"spin_2": -0.5}, r"spin_2 must be a positive half-integer, but is -0\.5"),
    ],
)
def test_engine_refuses(changed, message):
    with pytest.raises(InvalidInput, match=message):
        Engine(**VALID | changed)


@pytest.mark.parametrize("name", ["energy", "temperature", "Gamma_0"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.0, "must be positive, but is 0: give"),
        (-1.0, "must be positive, but is -1: give"),
        (math.inf, "must be a finite number, but is inf"),
        (math.nan, "must be a finite number, but is nan"),
        ("x", "must be a finite number, but is 'x'"),
    ],
)
def test_bath_refuses(name, value, message):
    valid = {"energy": 1.0, "temperature": 1.0, "Gamma_0": 1.0}
    with pytest.raises(InvalidInput, match=f"{name} {message}"):
        Bath(**valid | {name: value})


def test_zeros_that_are_allowed():
    engine = Engine(**VALID | {"delta_E": 0, "delta_T": 0, "omega_0": 0})
    assert (engine.affinity, engine.drive, engine.E_2) == (0, 0, 100)


def test_levels_follow_the_spins():
    assert Engine(**VALID).levels == (4, 4)
    assert Engine(**VALID, spin_1=1.5, spin_2=5).levels == (3, 10)


def test_replacing_the_size_replaces_the_spins_that_follow_it():
    assert dataclasses.replace(Engine(**VALID), N=8).levels == (8, 8)
    assert dataclasses.replace(Engine(**VALID, spin_2=1), N=8).levels == (8, 2)


def test_engines_are_values():
    assert Engine(**VALID) == Engine(**VALID | {"N": 4.0, "E_1": 100})
    assert Engine(**VALID) != Engine(**VALID, spin_1=1)


@pytest.mark.parametrize("ratio", [1e-9, 1e-3, 0.5, 1.0, 10.0, 300.0])
def test_rates_are_bosonic_and_in_detailed_balance(ratio):
    """γ↓ = Γ₀(n+1), γ↑ = Γ₀ n (Eq. 8) and γ↓/γ↑ = exp(E/T) (Eq. 7).

    exp turns the rounding of its argument into a relative error of E/T·eps.
    """
    bath = Bath(energy=2 * ratio, temperature=2.0, Gamma_0=0.25)
    n = 1 / math.expm1(ratio)
    allowed = 4 * EPS * (1 + ratio)
    assert bath.log_ratio == ratio
    assert bath.gamma_up == pytest.approx(0.25 * n, rel=allowed, abs=0)
    assert bath.gamma_down == pytest.approx(0.25 * (n + 1), rel=allowed, abs=0)
    assert bath.gamma_down / bath.gamma_up == pytest.approx(math.exp(ratio), rel=allowed, abs=0)


def test_rates_of_a_frozen_bath_do_not_overflow():
    bath = Bath(energy=1e4, temperature=1.0, Gamma_0=0.25)
    assert (bath.gamma_down, bath.gamma_up) == (0.25, 0.0)


def test_bare_engine_keeps_its_parameters():
    engine = Engine(**VALID)
    assert engine.drive == 1.0
    assert engine.cold == Bath(energy=100.0, temperature=80.0, Gamma_0=0.5)
    assert engine.hot == Bath(energy=225.0, temperature=180.0, Gamma_0=0.5)


def test_high_temperature_scaling():
    """Eq. 28: ω₀ → ω₀/N, Γ₀ → Γ₀/N, T → N T, so the affinity falls as 1/N."""
    off_carnot = VALID | {"delta_E": 25.0}
    engine = Engine(**off_carnot, scaling="high-temperature")
    assert engine.drive == 0.25
    assert engine.cold == Bath(energy=100.0, temperature=320.0, Gamma_0=0.125)
    assert engine.hot == Bath(energy=125.0, temperature=720.0, Gamma_0=0.125)
    assert engine.affinity == Engine(**off_carnot).affinity / 4


def test_affinity_vanishes_at_the_carnot_point_only():
    assert Engine(**VALID).affinity == 0
    assert Engine(**VALID | {"delta_E": math.nextafter(125, 0)}).affinity > 0
    assert Engine(**VALID | {"delta_E": math.nextafter(125, 200)}).affinity < 0


@given(engines())
def test_affinity_is_the_difference_of_the_baths_log_ratios(engine):
    """The naive difference is good to the rounding of its terms: a few eps of each."""
    cold, hot = engine.cold.log_ratio, engine.hot.log_ratio
    # T₁ = T̄ − ΔT/2 is rounded alike in both, so it does not enter.
    assert abs(engine.affinity - (cold - hot)) <= 8 * EPS * (cold + hot)
