"""Engines by any spacings and temperatures that determine them: T₁, T₂ and E₂ among them."""

from __future__ import annotations

import itertools
import pickle
from fractions import Fraction

import pytest

from ensemble import Engine, Exact, InvalidInput
from ensemble.units import natural_units

OTHERS = {"N": 3, "omega_0": 0.3, "Gamma_0": 0.1}
ALL = {"E_1": 1.0, "delta_E": 3.0, "E_2": 4.0}
WARM = {"T_mean": 2.5, "delta_T": 1.0, "T_1": 2.0, "T_2": 3.0}


@pytest.mark.parametrize("spacings", [*itertools.combinations(ALL, 2)])
@pytest.mark.parametrize("temperatures", [*itertools.combinations(WARM, 2)])
def test_any_two_of_each_are_the_same_engine(spacings, temperatures):
    given = {name: (ALL | WARM)[name] for name in (*spacings, *temperatures)}
    engine = Engine.of(**OTHERS, **given)
    for name, value in (ALL | WARM).items():
        assert getattr(engine, name) == value
    assert engine.affinity == pytest.approx(1 / 2 - 4 / 3, rel=1e-16)
    assert (engine.cold.temperature, engine.hot.temperature) == (2.0, 3.0)


def test_what_is_given_is_kept_to_the_last_digit():
    """T₁ is 10⁻¹² of T̄: as the difference T̄ − ΔT/2 it would have 4 digits."""
    engine = Engine.of(**OTHERS, E_1=1e-3, E_2=1 / 3, T_1=1.1e-3, T_2=1.3e9)
    assert (engine.E_2, engine.T_1, engine.T_2) == (1 / 3, 1.1e-3, 1.3e9)
    assert engine.T_mean - engine.delta_T / 2 != 1.1e-3
    exact = Fraction(1e-3) / Fraction(1.1e-3) - Fraction(1 / 3) / Fraction(1.3e9)
    assert engine.affinity == float(exact)
    natural, units = natural_units(engine)
    assert natural.affinity == engine.affinity
    assert natural.T_1 * 2**units.energy == engine.T_1
    assert pickle.loads(pickle.dumps(engine)) == engine


def test_the_affinity_is_that_of_the_numbers_that_are_given():
    """0.9/0.6 − 1.8/1.2 is 0; but T̄ = 0.9 and ΔT = 0.6 are not the mean and difference."""
    engine = Engine.of(**OTHERS, E_1=0.9, E_2=1.8, T_1=0.6, T_2=1.2)
    assert engine.affinity == 0.0
    canonical = Engine(**OTHERS, E_1=0.9, delta_E=0.9, T_mean=0.6 + 0.3, delta_T=0.6)
    assert 0 < abs(canonical.affinity) <= 4 * canonical.affinity_rounding
    assert Exact().solve(engine, ["power"]).values["power"] == 0


@pytest.mark.parametrize("temperatures", [*itertools.combinations(WARM, 2)])
def test_the_rounding_is_that_of_the_numbers_that_are_given(temperatures):
    """Each given number is moved by a relative 2⁻³⁰; the sum of the changes is predicted."""
    given = {"E_1": 1.0, "E_2": 4.0, **{name: WARM[name] for name in temperatures}}
    small = 2.0**-30
    changes = []
    base = Engine.of(**OTHERS, **given)
    for name, value in given.items():
        moved = Engine.of(**OTHERS, **{**given, name: value * (1 + small)})
        changes.append(abs(moved.affinity - base.affinity))
    assert base.affinity_rounding == pytest.approx(sum(changes) / small * 2.0**-53, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"E_1": 1, "T_1": 1, "T_2": 2}, r"two independent level spacings .* E_1 is given: give"),
        ({"T_1": 1, "T_2": 2}, r"level spacings of E_1, delta_E, E_2, but none of them is given"),
        (
            {"E_1": 1, "E_2": 2, "delta_E": 1, "T_1": 1, "T_2": 2},
            r"but E_1, delta_E, E_2 are given: give exactly two",
        ),
        ({"E_1": 1, "E_2": 2, "T_1": 1}, r"temperatures of T_mean, .* but T_1 is given"),
        ({"E_1": 2, "E_2": 1, "T_1": 1, "T_2": 2}, r"E_2 must not be smaller than E_1, .* wider"),
        ({"delta_E": 2, "E_2": 1, "T_1": 1, "T_2": 2}, r"E_1 must be positive, but .* choose"),
        ({"E_1": 1, "E_2": 2, "T_1": 2, "T_2": 1}, r"T_2 must not be smaller than T_1, .* hot one"),
        ({"E_1": 1, "E_2": 2, "T_1": -2, "T_2": 1}, r"T_1 must be positive, but is -2"),
        ({"E_1": 1, "E_2": 2, "T_mean": 1, "T_2": 3}, r"T_1 must be positive, but T_mean = 1 and"),
        ({"E_1": 1, "E_2": 2, "T_mean": 1, "delta_T": -3}, r"delta_T must not be negative"),
        ({"E_1": 1, "E_2": "x", "T_1": 1, "T_2": 2}, r"E_2 must be a finite number, but is 'x'"),
        ({"E_1": 1, "E_2": 2, "T_1": 1e-20, "T_2": 2}, r"T_2 is 2e\+20 times T_1, .* closer"),
    ],
)
def test_refusals(given, message):
    with pytest.raises(InvalidInput, match=message):
        Engine.of(**OTHERS, **given)
