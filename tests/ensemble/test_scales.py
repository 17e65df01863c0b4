"""Units and extremes: no unit of energy matters, and every engine ends in a value or a sentence."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.heat_engine.terms import VOCABULARY
from ensemble import (
    Bosonic,
    Cumulant,
    Engine,
    Exact,
    IndependentSpins,
    InvalidInput,
    Macroscopic,
    Qutip,
    Status,
    Undriven,
)
from ensemble.closed_forms.single_pair import single_pair_current
from ensemble.errors import Unsolvable
from ensemble.limits import mode_search, mode_selection, work
from ensemble.method import Method, attempt
from ensemble.steady import factorization
from ensemble.units import POWERS
from tests.ensemble.precise import Reference
from tests.strategies import engines, log_uniform

EPS = 2.0**-52
METHODS = (
    Exact(),
    IndependentSpins(),
    Undriven(),
    Qutip(),
    Bosonic(),
    Macroscopic(),
    Cumulant(),
)
ENERGIES = ("E_1", "delta_E", "T_mean", "delta_T", "omega_0", "Gamma_0")
BEYOND = re.compile(
    r"no double holds the value of [\w, ]+ in this unit of energy: measure energies .*"
)


def fitted(engine: Engine, method: Method) -> Engine:
    """The engine with what a method asks for: its scaling, no drive, no spins of its own."""
    scaling = {"bosonic": "bare", "macroscopic": "high-temperature", "cumulant": "high-temperature"}
    return replace(
        engine,
        scaling=scaling.get(method.name, engine.scaling),
        omega_0=0.0 if method.name == "undriven" else engine.omega_0,
        spin_1=None,
        spin_2=None,
    )


def test_every_variable_has_the_powers_of_its_unit():
    for method in METHODS:
        for name in method.variables:
            assert sum(POWERS.get(name, (0, 0))) == (VOCABULARY[name].energy_power or 0), name


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@given(engines(highest_N=3), st.integers(-498, 498))
@settings(deadline=None, max_examples=15)
def test_no_unit_of_energy_matters(method, engine, doublings):
    """All energies times 2^k, up to 10^±150: exact, so that all digits stay the same.

    A value that no double holds in the new unit is NaN and makes the point uncertified.
    """
    engine = fitted(engine, method)
    names = [name for name in method.variables if name != "gap"]
    before = attempt(method, engine, names)
    scaled = {
        name: math.ldexp(getattr(engine, name), doublings)
        for name in (*ENERGIES, "Gamma_1", "Gamma_2")
        if getattr(engine, name) is not None
    }
    after = attempt(method, replace(engine, **scaled), names)
    assert before.status is not Status.FAILED, before.message
    lost = set()
    for name, value in before.values.items():
        power = doublings * (VOCABULARY[name].energy_power or 0)
        exponent = math.frexp(value)[1] + power if value and math.isfinite(value) else 0
        if -1021 <= exponent <= 1024:
            expected = math.ldexp(value, power) if math.isfinite(value) else value
            assert after.values[name] == pytest.approx(expected, rel=0, abs=0, nan_ok=True), name
        else:
            assert math.isnan(after.values[name])
            lost.add(name)
    assert after.status is max(before.status, Status.UNCERTIFIED if lost else Status.OK)
    if lost and before.status is Status.OK:
        assert BEYOND.fullmatch(after.message)
        assert all(name in after.message for name in lost)
    else:
        assert after.message == before.message


def test_tiny_energies_have_their_current():
    """At 1e-80 the transmission ω₀²κ²/… was 0 and the status ok."""
    engine = Engine(N=1, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
    small = replace(engine, **{name: getattr(engine, name) * 1e-80 for name in ENERGIES})
    for method in (Bosonic(), Exact()):
        name = "power_per_pair"
        expected = 1e-160 * method.solve(engine, [name]).values[name]
        found = method.solve(small, [name])
        assert found.status is Status.OK
        # 1e-80 times a number is rounded, and E₁/T₁ with it.
        assert found.values[name] == pytest.approx(expected, rel=1e-14, abs=0)


@st.composite
def extreme_engines(draw: st.DrawFn) -> Engine:
    """Every parameter log-uniform over 1e-8 … 1e8, independently of the others."""
    wide = log_uniform(1e-8, 1e8)
    T_1, delta_T = draw(wide), draw(wide)
    return Engine(
        N=draw(st.sampled_from([1, 1, 2, 3, 5])),
        E_1=draw(wide),
        delta_E=draw(wide),
        T_mean=T_1 + delta_T / 2,
        delta_T=delta_T,
        omega_0=draw(wide),
        Gamma_0=draw(wide),
        scaling=draw(st.sampled_from(["bare", "high-temperature"])),
    )


@pytest.fixture
def little_work(monkeypatch):
    """Limits on the work at which the cold half of all engines ends in seconds."""
    monkeypatch.setattr(work, "MOST_WORK", 2e8)
    monkeypatch.setattr(mode_selection, "MOST_WORK", 1e8)
    monkeypatch.setattr(mode_search, "MOST_WORK", 1e7)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.usefixtures("little_work")
def test_extreme_engines_end_in_values_or_in_a_sentence(method):
    @given(extreme_engines())
    @settings(deadline=None, max_examples=25)
    def check(engine):
        engine = fitted(engine, method)
        names = [name for name in method.variables if name != "gap"]
        solution = attempt(method, engine, names)
        if solution.status is Status.FAILED:
            check_sentence(solution.message)
            with pytest.raises((Unsolvable, InvalidInput)):
                method.solve(engine, names)
        else:
            assert list(solution.values) == names
            assert not any(math.isinf(value) for value in solution.values.values())
            assert (solution.message == "") == (solution.status is Status.OK)

    check()


def check_sentence(message: str) -> None:
    """For people: no name of an exception, and a remedy behind a colon."""
    assert not re.search(r"Error|Warning|Exception|exactly singular", message), message
    assert re.search(r": \w", message), message
    assert "\n" not in message


READ_FROM_SMALL = Engine(
    N=2, E_1=math.exp(1), delta_E=math.exp(15), T_mean=162755.29141900392, delta_T=1,
    omega_0=math.exp(14.84375), Gamma_0=1,
)  # fmt: skip
"""The drive exceeds the baths' rates so far that the noise is 1e-6 of the response."""


@given(extreme_engines())
@example(READ_FROM_SMALL)
@settings(deadline=None, max_examples=40)
def test_what_the_exact_method_vouches_for_is_right(engine):
    """Against 300 digits: 1e-10 is allowed between the routes, hence between value and truth."""
    engine = replace(engine, N=min(engine.N, 2))
    names = ["quanta_current", "heat_current_1", "heat_current_2", "quanta_noise", "constancy"]
    solution = attempt(Exact(), engine, names)
    if solution.status is not Status.OK or min(baths_ratios(engine)) > 200 or not engine.affinity:
        return
    reference = Reference(engine, digits=300)
    J, D = reference.solve()
    expected = {
        "quanta_current": float(J),
        "heat_current_1": float(-engine.E_1 * J),
        "heat_current_2": float(engine.E_2 * J),
        "quanta_noise": float(D),
        "constancy": float(2 * J / (reference.affinity * D)),
    }
    # T₁ = T̄ − ΔT/2 is rounded before anything is solved, and E/T enters by exp and by a.
    of_T_1 = 4 * EPS * (1 + engine.T_mean / (engine.T_mean - engine.delta_T / 2))
    rounding = of_T_1 * (1 + sum(baths_ratios(engine)) * (1 + 1 / abs(engine.affinity)))
    for name, value in expected.items():
        assert solution.values[name] == pytest.approx(value, rel=5e-10 + rounding, abs=0), name


def test_the_smaller_of_two_heats_is_vouched_for_too():
    """Q₁/Q₂ is 7e-8 here: both laws hold to 1e-16, however wrong Q₁ is.

    Counted at bath 1 it is 1e-7 of the flows whose difference it is, so that 9 digits are left.
    """
    engine = Engine(
        N=1, E_1=1, delta_E=math.exp(16.5), T_mean=14650719.928953517, delta_T=1, omega_0=1,
        Gamma_0=math.exp(16.1875),
    )  # fmt: skip
    solution = Exact().solve(engine, ["heat_current_1"])
    error = abs(solution.values["heat_current_1"] / -single_pair_current(engine) - 1)
    self_check = solution.diagnostics["self_check"]
    assert error <= self_check + 1e-12
    assert 1e-13 < self_check < 1e-8
    assert (solution.status is Status.OK) == (self_check <= 1e-10)
    if solution.message:
        assert solution.status is Status.UNCERTIFIED
        assert re.match("first law holds to .* only: the heat currents are 1/", solution.message)


def baths_ratios(engine: Engine) -> tuple[float, float]:
    return engine.cold.log_ratio, engine.hot.log_ratio


class TestDark:
    """Both baths so cold that no quantum comes: E/T from 200 to beyond the range of exp."""

    @staticmethod
    def engine(ratio: float, **more) -> Engine:
        shared = {"N": 3, "E_1": 1.0, "delta_E": 0.5, "omega_0": 0.7, "Gamma_0": 0.3}
        return Engine(**{**shared, "T_mean": 1.3 / ratio, "delta_T": 0.6 / ratio, **more})

    @pytest.mark.parametrize("method", [Exact(), IndependentSpins(), Bosonic()], ids=str)
    @pytest.mark.parametrize("ratio", [900.0, 1e4, 1e8])
    def test_nothing_flows(self, method, ratio):
        engine = self.engine(ratio)
        solution = method.solve(engine)
        assert (solution.status, solution.message) == (Status.OK, "")
        # The width of the line is that of the transition to the ground state, with no quantum too.
        lasting = {"linewidth_1", "linewidth_2", "rotating_wave"}
        for name, value in solution.values.items():
            if name in POWERS and name not in lasting:
                assert value == 0, name

    @pytest.mark.parametrize("ratio", [220.0, 600.0, 750.0, 1e5, 1e8])
    def test_the_constancy_is_that_of_uncorrelated_quanta(self, ratio):
        """Quanta that come one at a time: J ∝ 1 − e^{−a}, D ∝ 1 + e^{−a}, C = tanh(a/2)/(a/2)."""
        engine = self.engine(ratio)
        half = engine.affinity / 2
        value = Exact().solve(engine, ["constancy"]).values["constancy"]
        assert value == pytest.approx(math.tanh(half) / half, rel=1e-13, abs=0)

    @pytest.mark.parametrize("statistics", ["bosonic", "fermionic"])
    @pytest.mark.parametrize("N", [1, 4])
    def test_what_flows_is_the_bosonic_limit(self, N, statistics):
        """One quantum at a time meets two modes with g = ω₀N and κ = Γ₀N, at every N."""
        engine = self.engine(230.0, N=N, statistics=statistics)
        solution = Exact().solve(engine)
        bosons = Bosonic().solve(self.engine(230.0))
        assert solution.status is bosons.status is Status.OK
        for name in ("power", "quanta_current", "quanta_noise", "power_variance"):
            expected = N * bosons.values[f"{name}_per_pair"]
            # exp turns the rounding of E/T into 230 times as much.
            assert solution.values[name] == pytest.approx(expected, rel=2e-13, abs=0), name
        assert solution.values["quanta_current"] != 0

    def test_inverted_baths_are_dark_too(self):
        engine = self.engine(1.0, statistics="fermionic", mu_1=900.0, mu_2=800.0)
        assert max(baths_ratios(engine)) < -200
        solution = Exact().solve(engine)
        assert (solution.status, solution.message) == (Status.OK, "")
        assert solution.values["magnetization_1"] == 1
        half = abs(engine.affinity) / 2
        assert solution.values["constancy"] == pytest.approx(math.tanh(half) / half, rel=1e-12)

    def test_at_the_carnot_point_the_constancy_is_one(self):
        engine = Engine(
            N=2, E_1=1, delta_E=1, T_mean=1.5 / 1024, delta_T=1 / 1024, omega_0=1, Gamma_0=1
        )
        assert engine.affinity == 0
        assert Exact().solve(engine, ["constancy"]).values["constancy"] == pytest.approx(
            1, rel=1e-13
        )


@pytest.mark.parametrize("N", [1, 2, 8, 20])
@pytest.mark.parametrize("drive", [1e4, 1e8, 1e12])
def test_strong_drives_are_solved(N, drive):
    """ω₀ ≫ Γ₀ makes pivots on the diagonal vanish; with row exchanges all digits are there.

    The current approaches its limit as (Γ/ω₀)², Γ ≤ 3N³ the largest rate of a level.
    """
    engine = Engine(N=N, E_1=1, delta_E=1, T_mean=3, delta_T=2, omega_0=drive, Gamma_0=1)
    solution = Exact().solve(engine)
    assert (solution.status, solution.message) == (Status.OK, "")
    stronger = Exact().solve(replace(engine, omega_0=2 * drive))
    near = (3 * N**3 / drive) ** 2 + 1e-10
    assert solution.values["power"] == pytest.approx(stronger.values["power"], rel=near, abs=0)


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("drive", [0.001, 0.006, 0.1])
def test_ordinary_drives_need_no_row_exchanges(drive, scaling, monkeypatch):
    """They cost as much again; high coherence orders that hardly weigh must not ask for them."""

    def pivoted(matrix):
        raise AssertionError("factorised twice")

    monkeypatch.setattr(factorization, "_pivoted", pivoted)
    engine = Engine(
        N=24, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=drive, Gamma_0=0.001,
        scaling=scaling,
    )  # fmt: skip
    assert Exact().solve(engine, ["power"]).status is Status.OK


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"omega_0": 1e120},
            "omega_0/Gamma_0 is about 1e120, and beyond 1e±100 .*bring omega_0",
        ),
        ({"delta_E": 1e-130}, "delta_E/E_1 is about 1e-130, .*bring delta_E nearer to E_1"),
        ({"T_mean": 1e200}, "T_1/E_1 is about 1e200, .*bring T_1 nearer to E_1"),
    ],
)
@pytest.mark.parametrize("method", [Exact(), Bosonic(), Qutip()], ids=lambda method: method.name)
def test_ratios_beyond_the_range_of_doubles_are_named(method, changed, message):
    valid = {"E_1": 1, "delta_E": 1, "T_mean": 1.5, "delta_T": 0.4, "omega_0": 1, "Gamma_0": 1}
    engine = Engine(N=1, **{**valid, **changed})
    with pytest.raises(Unsolvable, match=message):
        method.solve(engine)
    assert attempt(method, engine).status is Status.FAILED


def test_an_affinity_that_is_known_stays_known():
    engine = Engine(
        N=2, E_1=100, delta_E=100 - 2e-11, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1
    )
    known = engine.with_affinity(1.01e-13)
    assert Exact().solve(known, ["affinity"]).values["affinity"] == 1.01e-13


def test_noise_that_is_read_from_small_elements_is_uncertified():
    solution = Exact().solve(READ_FROM_SMALL, ["quanta_noise"])
    assert solution.status is Status.UNCERTIFIED
    assert solution.message.startswith("power variance and counting agree to ")
    weak_drive = replace(READ_FROM_SMALL, omega_0=1e-3)  # counting alone loses digits
    assert Exact().solve(weak_drive, ["quanta_noise"]).status is Status.OK
