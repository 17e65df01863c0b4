"""The exact method's interface, its limits of validity, and reference numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.counting.cumulants import cumulants
from ensemble.spectrum.gap import gap
from ensemble.steady.stationary import stationary

ENGINE = Engine(N=3, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
"""T = 100 and 200: an engine up to ΔE = E₁, the Carnot point, and then a refrigerator."""
REFRIGERATOR = replace(ENGINE, delta_E=125)
CARNOT = replace(ENGINE, delta_E=100)

FIG_7 = Engine(
    N=8, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
    scaling="high-temperature",
)  # fmt: skip


def defined(engine: Engine) -> set[str]:
    return {name for name, value in Exact().solve(engine).values.items() if not math.isnan(value)}


def richardson(coarse_to_fine: list[float]) -> tuple[float, float]:
    """Limit of f(h) = f(0) + c₁h + c₂h² + … from halved steps h, and the last correction."""
    row = coarse_to_fine
    correction = math.inf
    for order in range(1, len(row)):
        finer = [b + (b - a) / (2**order - 1) for a, b in pairwise(row)]
        correction = finer[-1] - row[-1]
        row = finer
    return row[-1], abs(correction)


@pytest.mark.parametrize("tolerance", [0, 1, -1e-10, math.nan])
def test_tolerance_must_be_a_fraction(tolerance):
    with pytest.raises(InvalidInput, match=r"tolerance must lie between 0 and 1, .*: try 1e-10"):
        Exact(tolerance=tolerance)


DEFAULT = tuple(name for name in Exact.variables if name not in Exact.on_request)
"""The gap is searched for only if it is asked for by name."""


def test_the_gap_is_there_on_request():
    found = Exact().solve(ENGINE, ["gap", "power"])
    assert tuple(found.values) == ("gap", "power")
    assert found.status is Status.OK
    assert found.values["gap"] == gap(ENGINE).value > 0


def test_higher_cumulants_and_covariances_are_those_of_the_count():
    values = Exact().solve(ENGINE).values
    rates = cumulants(stationary(ENGINE), order=4).rates
    assert [values["quanta_cumulant_3"], values["quanta_cumulant_4"]] == list(rates[2:])
    # P = Q₁ + Q₂ holds for the fluctuations, too.
    total = values["heat_current_1_variance"] + values["heat_current_2_variance"]
    total += 2 * values["heat_covariance"]
    assert values["power_variance"] == pytest.approx(total, rel=1e-12)


def test_unknown_variables_are_named_with_the_choices():
    with pytest.raises(InvalidInput, match=r"does not define gab, powr: choose from power, .*cop"):
        Exact().solve(ENGINE, ["gab", "power", "powr"])


def test_only_the_variables_asked_for_are_returned_in_that_order():
    names = ("constancy", "power")
    whole = Exact().solve(ENGINE)
    part = Exact().solve(ENGINE, names)
    assert tuple(whole.values) == DEFAULT
    assert tuple(part.values) == names
    assert all(part.values[name] == whole.values[name] for name in names)
    assert set(whole.diagnostics) == set(part.diagnostics) == set(Exact.diagnostics)


def test_noise_is_not_computed_for_nothing(monkeypatch):
    def refuse(state):
        raise AssertionError("the noise was computed")

    monkeypatch.setattr("ensemble.methods.exact.noise", refuse)
    assert Exact().solve(ENGINE, ["power", "efficiency"]).status is Status.OK
    with pytest.raises(AssertionError, match="the noise was computed"):
        Exact().solve(ENGINE, ["power", "constancy"])


def test_values_are_nan_only_where_they_are_undefined():
    """An engine has no COP, a refrigerator no efficiency; without a drive there is neither."""
    everything = set(DEFAULT)
    assert defined(ENGINE) == everything - {"cop"}
    assert defined(REFRIGERATOR) == everything - {"efficiency"}
    assert defined(CARNOT) == everything
    undriven = {"efficiency", "cop", "constancy", "linewidth_over_drive"}
    assert defined(replace(ENGINE, omega_0=0)) == everything - undriven
    assert defined(replace(ENGINE, delta_E=0)) == everything - {"cop", "rotating_wave"}


def test_efficiency_and_cop_are_ratios_of_the_currents():
    """η = P/Q₂ and COP = Q₁/|P| (Eq. 22), and both reach Carnot's at a = 0."""
    engine, fridge, carnot = (Exact().solve(e).values for e in (ENGINE, REFRIGERATOR, CARNOT))
    assert engine["efficiency"] == 50 / 150
    assert engine["power"] / engine["heat_current_2"] == pytest.approx(50 / 150, rel=1e-10)
    assert fridge["cop"] == 100 / 125
    assert fridge["heat_current_1"] / -fridge["power"] == pytest.approx(100 / 125, rel=1e-10)
    assert (carnot["efficiency"], carnot["cop"]) == (1 - 100 / 200, 100 / (200 - 100))
    assert (carnot["power"], carnot["entropy_production"]) == (0, 0)
    assert carnot["constancy"] == pytest.approx(1, abs=1e-13)


def test_values_per_pair_and_per_quantum():
    values = Exact().solve(ENGINE).values
    assert values["power"] == 50 * values["quanta_current"]
    assert values["power_per_pair"] == values["power"] / 3
    assert values["power_variance"] == 50**2 * values["quanta_noise"]
    assert values["power_per_pair_variance"] == values["power_variance"] / 3**2
    assert values["entropy_production"] == values["affinity"] * values["quanta_current"]


def test_a_tolerance_below_rounding_leaves_the_values_uncertified_but_there():
    certified = Exact().solve(ENGINE)
    strict = Exact(tolerance=1e-30).solve(ENGINE)
    assert certified.status is Status.OK
    assert certified.message == ""
    assert strict.status is Status.UNCERTIFIED
    assert strict.status.label == "uncertified"
    assert strict.message.startswith("relative residual ")
    assert strict.message.endswith(" exceeds 1.0e-30")
    assert strict.values["power"] == certified.values["power"]


@pytest.mark.parametrize(("E_1", "delta_E"), [(600, 300), (300, 1500), (1000, 500)])
def test_cold_baths_are_certified(E_1, delta_E):
    """E/T of 30 to 100: frozen, but solved to all digits.

    Counting at a bath that only takes quanta has the source 𝒥ρ − Jρ, which cancels to e^{−E/T} of
    its terms; what rounding leaves of its trace is large against that, but not against J.
    """
    frozen = Engine(N=2, E_1=E_1, delta_E=delta_E, T_mean=20, delta_T=20, omega_0=20, Gamma_0=1)
    solution = Exact().solve(frozen)
    assert solution.diagnostics["self_check"] <= 1e-13
    assert solution.status is Status.OK


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
def test_strong_drive_keeps_the_first_law(scaling):
    """ω₀/Γ₀ = 1e4, where pivots taken on the diagonal are small and refinement has to work."""
    engine = replace(FIG_7, scaling=scaling, omega_0=10.0)
    solution = Exact().solve(engine)
    power, *heats = (solution.values[n] for n in ("power", "heat_current_1", "heat_current_2"))
    assert solution.status is Status.OK
    assert abs(power - sum(heats)) <= 1e-12 * max(abs(power), *map(abs, heats))


@pytest.mark.parametrize(
    ("variable", "limit"),
    [("power_per_pair", 6.07793052e-5), ("power_per_pair_variance", 0.01094010128)],
)
def test_high_temperature_scaling_approaches_the_macroscopic_limit(variable, limit):
    """The limit is the Fokker-Planck equation of two unit vectors, to ten digits (docs: physics).

    Finite N is a series in 1/N.  Each Richardson step removes its lowest power, and the last step
    overestimates what is left, as the series converges: it is the tolerance.
    """
    series = [
        Exact().solve(replace(FIG_7, N=N), [variable]).values[variable] for N in (2, 4, 8, 16, 32)
    ]
    value, correction = richardson(series)
    assert correction < 1e-4 * limit
    assert abs(value - limit) < correction


def test_bare_scaling_approaches_two_bosonic_modes():
    """For N ≫ n each pair adds −ω₀²Γ₀(n₁−n₂)/(2(ω₀²+Γ₀²)) ΔE, up to corrections of order 1/N²."""
    power = {
        N: Exact().solve(replace(REFRIGERATOR, N=N), ["power"]).values["power"]
        for N in (8, 16, 24, 32)
    }
    n_1, n_2 = 1 / math.expm1(100 / 100), 1 / math.expm1(225 / 200)
    per_pair = (n_2 - n_1) / 4 * 125
    assert per_pair == pytest.approx(-3.1643, abs=5e-5)
    coarse, fine = (power[16] - power[8]) / 8, (power[32] - power[24]) / 8
    assert fine == pytest.approx(-3.169, abs=5e-4)
    # From the centres 12 to 28 of the two intervals an error of order 1/N² falls by (12/28)².
    assert abs(fine - per_pair) < (12 / 28) ** 2 * abs(coarse - per_pair) * 1.1
