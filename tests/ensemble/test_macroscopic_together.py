"""Limits of many engines that share modes and factorisations, against each engine by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ensemble import Engine, InvalidInput, Macroscopic, Solution, Status
from ensemble.closed_forms.classical_spin import magnetization
from ensemble.limits import near_search, near_solver
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.mode_selection import classical_state
from ensemble.limits.near_counts import BathCounter
from ensemble.limits.near_generator import NearGenerator
from ensemble.limits.near_pairs import NearPairs, coordinates
from ensemble.limits.near_search import groups
from ensemble.limits.near_solver import NearSolver
from ensemble.limits.pair_sector import PairSector
from ensemble.methods import macroscopic as macroscopic_module

FIG_6 = {"E_1": 1.0, "delta_T": 20.0, "omega_0": 0.006, "Gamma_0": 0.001}
SCALE_ONE = {
    "magnetization_1", "magnetization_2", "magnetization_1_squared", "magnetization_2_squared",
    "spin_correlation_zz", "spin_correlation_xy", "mutual_information", "concurrence", "discord",
    "pair_purity",
}  # fmt: skip
"""Values that are certified relative to 1."""
NAMES = tuple(name for name in Macroscopic.variables if name != "gap")
WAY = {"scaling": "high-temperature", "statistics": "bosonic"}


def columns_of(engines: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([one[name] for one in engines]) for name in engines[0]}


def patch(rng, count, delta_E, T_mean, reach=0.3, **more):
    """Engines near one another: factors up to exp(±reach) of ΔE and of T₁."""
    factors = np.exp(rng.uniform(-reach, reach, (count, 2)))
    return [
        {**FIG_6, "delta_E": delta_E * a, "T_mean": 10 + (T_mean - 10) * b, **more}
        for a, b in factors.tolist()
    ]


def together(engines, names=NAMES, method=None) -> list[Solution | None]:
    return (method or Macroscopic()).solve_together(columns_of(engines), names, **WAY)


def alone(parameters, names=NAMES) -> Solution:
    return Macroscopic().solve(Engine.of(N=1, **parameters, **WAY), names)


def difference(one: Solution, other: Solution) -> float:
    worst = 0.0
    for name, value in other.values.items():
        found = one.values[name]
        if math.isnan(value):
            assert math.isnan(found)
            continue
        scale = 1.0 if name in SCALE_ONE else max(abs(value), abs(found))
        worst = max(worst, abs(found - value) / scale if scale else 0.0)
    return worst


# --- values -----------------------------------------------------------------------------------

PATCHES = {
    "warm": (9.0, 13.5, {}),
    "large gain": (150.0, 11.0, {}),
    "cold": (30.0, 10.08, {}),  # E₁/T₁ = 12: the spins are far from their own baths
    "fridge": (1.5, 12.0, {}),
    "unlike rates": (9.0, 13.5, {"Gamma_1": 0.0005, "Gamma_2": 0.002}),
    "unlike spins": (9.0, 13.5, {"spin_1": 1.0, "spin_2": 0.5}),
}


@pytest.mark.parametrize("where", PATCHES)
def test_the_same_as_one_by_one(where):
    """Within the tolerance to which both are certified, in every variable and in status."""
    delta_E, T_mean, more = PATCHES[where]
    engines = patch(np.random.default_rng(7), 12, delta_E, T_mean, **more)
    for one, parameters in list(zip(together(engines), engines, strict=True))[::3]:
        other = alone(parameters)
        assert (one.status, one.message) == (other.status, other.message) == (Status.OK, "")
        assert difference(one, other) <= 1e-10
        assert one.diagnostics["truncation"] <= 1e-10
        assert one.diagnostics["residual"] <= 1e-10
        assert one.diagnostics["self_check"] <= 1e-8
        assert one.diagnostics["affinity_rounding"] == other.diagnostics["affinity_rounding"]


def test_the_carnot_point_has_all_its_digits():
    """J/a relative to itself at affinities from 1e-14 up, of either sign, and at 0."""
    engines = []
    for off in (0.0, 1e-14, -3e-13, 1e-9, -1e-6, 1e-4, 1e-3, -1e-2):
        T_1, T_2 = 2.0, 22.0
        fixed = {name: FIG_6[name] for name in ("E_1", "omega_0", "Gamma_0")}
        engines.append({**fixed, "T_1": T_1, "T_2": T_2, "E_2": T_2 / T_1 * (1 + off)})
    found = together(engines)
    noise_there = found[0].values["quanta_current_per_pair_noise"]
    assert found[0].values["quanta_current_per_pair"] == 0
    assert found[0].values["constancy"] == pytest.approx(1, abs=1e-10)
    for one, parameters in zip(found[1:], engines[1:], strict=True):
        other = alone(parameters)
        slope, expected = (
            s.values["quanta_current_per_pair"] / s.values["affinity_times_N"] for s in (one, other)
        )
        assert slope == pytest.approx(expected, rel=1e-10)
        if abs(one.values["affinity_times_N"]) < 1e-8:  # J/a = D/2 at a = 0
            assert slope == pytest.approx(noise_there / 2, rel=1e-7)


def test_units_change_powers_of_two_only():
    engines = patch(np.random.default_rng(3), 8, 9.0, 13.5)
    energies = ("E_1", "delta_E", "T_mean", "delta_T")
    scaled = [
        {name: v * (2.0**40 if name in energies else 0.125) for name, v in one.items()}
        for one in engines
    ]
    for one, other in zip(together(engines), together(scaled), strict=True):
        assert other.values["constancy"] == one.values["constancy"]
        assert other.values["power_per_pair"] == one.values["power_per_pair"] * 2.0**40 * 0.125


def test_the_same_call_gives_the_same_bits():
    engines = patch(np.random.default_rng(5), 20, 9.0, 11.0)
    first = together(engines)
    BathModes.of.cache_clear()
    assert [one.values for one in together(engines)] == [one.values for one in first]


# --- what is left to be solved by itself --------------------------------------------------------


def test_what_cannot_be_solved_together_is_none():
    """Too few alike, no drive, a parameter that is refused; the others are found all the same."""
    engines = patch(np.random.default_rng(1), 11, 9.0, 13.5)
    engines[2] = {**engines[2], "omega_0": 0.0}
    engines[5] = {**engines[5], "T_mean": 5.0}  # T₁ < 0
    engines[6] = {**engines[6], "omega_0": 6.0}  # unlike all others
    found = together(engines)
    assert [i for i, one in enumerate(found) if one is None] == [2, 5, 6]
    assert together(engines[7:]) == [None] * 4


@pytest.mark.parametrize("way", [{"scaling": "bare"}, {"statistics": "fermionic"}])
def test_engines_without_this_limit_are_left_to_the_method(way):
    columns = columns_of(patch(np.random.default_rng(1), 8, 9.0, 13.5))
    assert Macroscopic().solve_together(columns, NAMES, **{**WAY, **way}) == [None] * 8


def test_the_gap_is_searched_for_one_by_one():
    assert not Macroscopic().batches(["gap"])
    assert Macroscopic().batches(NAMES)
    assert together(patch(np.random.default_rng(1), 8, 9.0, 13.5), ["gap"]) == [None] * 8
    with pytest.raises(InvalidInput, match="does not define power"):
        together(patch(np.random.default_rng(1), 8, 9.0, 13.5), ["power"])


def test_a_method_with_its_own_solve_decides_about_every_engine():
    class Own(Macroscopic):
        def solve(self, engine, variables=None):
            raise NotImplementedError

    assert not Own().batches(NAMES)


def test_no_engine_passes_without_its_certificates(monkeypatch):
    """Each condition by itself leaves an engine to `solve`, which says what is wrong."""
    engines = patch(np.random.default_rng(2), 8, 9.0, 13.5)
    assert None not in together(engines)
    with (
        monkeypatch.context() as patched
    ):  # the residual: one step is enough for the middle of each round
        patched.setattr(near_solver, "MOST_STEPS", 1)
        assert together(engines).count(None) >= 6
    with monkeypatch.context() as patched:  # the self-check
        patched.setattr(macroscopic_module, "BATH_AGREEMENT", 0.0)
        assert together(engines) == [None] * 8
    with monkeypatch.context() as patched:  # the number of modes
        patched.setattr("ensemble.limits.near_selection.MOST_MODES", 30)
        assert together(engines) == [None] * 8
    with monkeypatch.context() as patched:  # change and tail: one enlargement is not enough
        patched.setattr("ensemble.limits.near_selection.MOST_ENLARGEMENTS", 1)
        assert together(engines) == [None] * 8


def test_a_tolerance_of_ones_own_is_met():
    engines = patch(np.random.default_rng(2), 8, 9.0, 13.5)
    for one in together(engines, method=Macroscopic(tolerance=1e-7)):
        assert one.diagnostics["truncation"] <= 1e-7
    loose = together(engines, method=Macroscopic(tolerance=1e-7))[0]
    assert loose.diagnostics["mode_count"] < together(engines)[0].diagnostics["mode_count"]


# --- the parts --------------------------------------------------------------------------------


def near_pairs(T_mean=13.5, delta_E=9.0, count=5):
    engines = patch(np.random.default_rng(4), count, delta_E, T_mean, reach=0.4)
    pairs = [ClassicalPair(Engine.of(N=1, **one, **WAY)) for one in engines]
    state = classical_state(pairs[0])
    return NearPairs.like(pairs, state), state


@pytest.mark.parametrize("T_mean", [13.5, 10.08])
def test_the_generator_is_that_of_each_pair(T_mean):
    """On the whole pool and on a selection, against the sector of each pair in the same modes."""
    near, state = near_pairs(T_mean, 30.0)
    assert near.matched is (T_mean == 13.5)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((*near.sector.shape, len(near.pairs)))
    densities = [np.ascontiguousarray(part.swapaxes(1, 2)) for part in x]
    image, flow, selection = near.apply(densities), near.current(densities), state.solver.selection
    generator = NearGenerator.of(near, selection)
    found = generator.multiply(near.coefficients, x[selection])
    for i, pair in enumerate(near.pairs):
        sector = PairSector.of(pair, near.modes)
        size = np.abs(sector.apply(x[..., i])).max()
        for b, part in enumerate(sector.apply(x[..., i])):
            assert np.abs(image[b][:, i] - part).max() <= 1e-13 * size
        for b, part in enumerate(sector.current(x[..., i])):
            assert np.abs(flow[b][:, i] - part).max() <= 1e-13 * size
        inside = np.where(selection, x[..., i], 0.0)
        assert np.abs(found[:, i] - sector.apply(inside)[selection]).max() <= 1e-13 * size
        for b, part in enumerate(sector.decay):
            assert near.decay(b, part.shape)[:, i] == pytest.approx(part, rel=1e-12, abs=1e-18)


def test_modes_keep_their_meaning_in_a_larger_pool():
    """Its eigenvectors may have other signs: with them, G of both pools is the same."""
    near, _ = near_pairs(11.0)
    B, K_1, K_2 = near.sector.shape
    wider = near.enlarged((B + 3, K_1 + 5, K_2 + 7))
    assert near.enlarged(near.sector.shape) is near
    signs = near.signs_in(wider)
    assert {-1.0, 1.0} == set(np.unique(signs))
    x = np.random.default_rng(0).standard_normal((B, K_1, len(near.pairs), K_2))
    signs = signs[:, :, np.newaxis]
    turned = wider.apply(list(signs * x))
    for b, part in enumerate(near.apply(list(x))):
        assert np.abs(signs[b] * turned[b] - part).max() <= 1e-12 * np.abs(part).max()


def test_the_start_is_stationary_in_the_pairs_own_baths():
    """And has their magnetisations, which have a closed form."""
    near, _ = near_pairs(11.0)
    for i, pair in enumerate(near.pairs):
        for bath, (mode, start) in enumerate(zip(near.modes, near.start, strict=True)):
            u = start[:, i]
            off = (pair.b[bath] - mode.reference) / 2
            assert np.abs(off * mode.drift[0] @ u - mode.rates[0] * u).max() <= 1e-12
            assert mode.z[0, 0] @ u == pytest.approx(magnetization(pair.b[bath]), abs=1e-10)


def test_solutions_of_any_right_hand_side():
    """Against dense matrices; zero gives zero; the pair that was factorised takes one step."""
    near, state = near_pairs()
    generator = NearGenerator.of(near, state.solver.selection)
    solver = NearSolver.of(generator)
    assert len(solver.parts) < len(near.pairs)
    right = np.random.default_rng(0).standard_normal((generator.size, len(near.pairs)))
    right[:, 2] = 0.0
    found = solver.solve(right, accuracy=1e-13)
    assert np.all(solver.residual(found, right) <= 1e-13)
    assert not found[:, 2].any()
    unit = np.eye(generator.size)
    for i, coefficients in enumerate(near.coefficients.T):
        columns = np.repeat(coefficients[:, np.newaxis], generator.size, axis=1)
        dense = generator.multiply(columns, unit)
        expected = np.linalg.solve(dense, right[:, i])
        assert np.abs(found[:, i] - expected).max() <= 1e-10 * max(np.abs(expected).max(), 1)
    again = solver.solve(right, found, accuracy=1e-13)
    assert np.abs(again - found).max() <= 1e-11 * np.abs(found).max()


def test_counting_at_a_bath_is_that_of_one_state():
    near, state = near_pairs(count=2)
    x = [np.ascontiguousarray(part[:, np.newaxis]) for part in state.density]
    own = near[np.array([0])]
    for bath in (1, 2):
        counter = BathCounter.of(own, bath)
        expected = state.at_bath(bath)
        assert counter.average(counter.current, x)[0] == pytest.approx(expected.current, rel=1e-9)
        activity = counter.average(counter.activity, x)[0]
        assert activity == pytest.approx(expected.activity, rel=1e-12)
        flow = sum(part[0, 0, 0] for part in counter.flow(x)[:1])
        assert flow == pytest.approx(expected.current, rel=1e-9)


def test_groups_are_similar_and_of_equal_spins():
    rng = np.random.default_rng(0)
    spread_out = [
        {**FIG_6, "delta_E": e, "T_mean": 10 + t, "spin_1": s}
        for e, t, s in zip(
            np.exp(rng.uniform(0, 5, 300)), np.exp(rng.uniform(-3, 4, 300)),
            rng.choice([0.5, 1.0], 300), strict=True,
        )
    ]  # fmt: skip
    pairs = [ClassicalPair(Engine.of(N=1, **one, **WAY)) for one in spread_out]
    found = list(groups(pairs))
    members = np.concatenate(found)
    assert len(set(members.tolist())) == members.size
    for group in found:
        assert near_search.LEAST_PAIRS <= group.size <= near_search.MOST_PAIRS
        assert len({pairs[i].share for i in group}) == 1
        assert np.ptp(coordinates([pairs[i] for i in group]), axis=0).max() <= near_search.WIDEST
    equal = [pairs[0]] * 300  # twins are shared out, too
    assert sum(group.size for group in groups(equal)) == 300
    assert list(groups([])) == []
