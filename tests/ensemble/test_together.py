"""Engines solved together agree with the same engines solved one by one, at every point."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from ensemble import Engine, Status
from ensemble.correlations.pair import PairState
from ensemble.generator.liouvillian import coefficients, liouvillian
from ensemble.together import elimination, solve
from ensemble.together.blocks import blocks
from ensemble.together.certified import Solver, applied
from ensemble.together.discord import discord
from ensemble.together.elimination import Elimination, inverted
from ensemble.together.engines import Engines
from ensemble.together.layout import layout
from tests.ensemble.together_samples import KINDS, SCALINGS, VARIABLES, distance, sample

AGREEMENT = 1e-10
"""The tolerance of the certificates; differences seen are below 1e-11."""
ABSOLUTE = {
    **dict.fromkeys(("magnetization_1", "magnetization_2", "spin_correlation_zz"), 1e-13),
    "l1_coherence": 1e-13,
}
"""Sums of numbers of order one, which may cancel: so much is their rounding."""


def differences(found, expected) -> dict[str, float]:
    """Relative differences by name, those that are rounding left out."""
    return {
        name: distance(found[name], expected[name])
        for name in expected
        if not abs(found[name] - expected[name]) <= ABSOLUTE.get(name, 0.0)
    }


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_that_of_the_engine_alone(kind, scaling):
    engines = sample(kind, scaling)
    together = engines.together()
    left_out = 0
    for point, found in enumerate(together):
        alone = engines.alone(point)
        if found is None:
            left_out += 1
            continue
        assert alone.status == found.status == Status.OK
        worst = differences(found.values, alone.values)
        assert list(found.values) == list(VARIABLES)
        assert max(worst.values(), default=0.0) <= AGREEMENT, worst
        same = {"coherence_order", "excitation_cut"}
        assert {n: found.diagnostics[n] for n in same} == {n: alone.diagnostics[n] for n in same}
        rounding = found.diagnostics["affinity_rounding"], alone.diagnostics["affinity_rounding"]
        assert distance(*rounding) <= 1e-12
        assert found.diagnostics["residual"] <= 1e-10
        assert found.diagnostics.keys() == alone.diagnostics.keys()
        assert found.diagnostics["solver"] == "together"
    assert left_out <= 2  # dark baths are uncertified now and then


def test_current_per_affinity_keeps_its_digits_next_to_the_carnot_point():
    engines = sample("near carnot", "bare", points=100, seed=1)
    names = ["quanta_current", "affinity", "constancy", "quanta_cumulant_3"]
    for point, found in enumerate(engines.together(names)):
        assert found is not None
        alone = engines.alone(point, names)
        worst = differences(found.values, alone.values)
        assert max(worst.values(), default=0.0) <= 1e-11, worst


def test_at_the_carnot_point_nothing_flows_and_the_constancy_is_one():
    for found in sample("carnot", "bare").together():
        assert found is not None
        assert found.values["affinity"] == found.values["power"] == 0.0
        assert found.values["quanta_cumulant_3"] == 0.0
        assert found.values["constancy"] == pytest.approx(1, abs=1e-11)


@pytest.mark.parametrize("kind", ["plain", "fermions", "cold", "spins"])
def test_a_point_does_not_depend_on_its_neighbours_to_the_last_bit(kind):
    engines = sample(kind, "bare", points=60, seed=2)
    whole = engines.together()
    for chosen in (slice(None, 1), slice(7, 30), slice(None, None, -1), [3, 3, 59]):
        part = engines.part(chosen).together()
        expected = np.array(whole, dtype=object)[chosen]
        for found, before in zip(part, expected, strict=True):
            assert (found is None) == (before is None)
            if found is not None:
                assert repr(found) == repr(before)  # NaN included


def test_the_size_of_batches_changes_nothing(monkeypatch):
    engines = sample("plain", "bare", points=50, seed=3)
    whole = engines.together()
    monkeypatch.setattr(solve, "MOST_POINTS", 7)
    assert repr(engines.together()) == repr(whole)


def test_affinities_are_those_of_the_given_numbers():
    engines = sample("near carnot", "high-temperature", points=200, seed=4)
    made = Engines.of(engines.columns, scaling=engines.scaling, statistics=engines.statistics)
    assert made is not None
    for point, affinity in zip(made[1], made[0].affinity, strict=True):
        exact = engines.engine(int(point)).affinity
        assert abs(affinity - exact) <= 2 * math.ulp(exact)
        given = {name: Fraction(float(x[point])) for name, x in engines.columns.items()}
        rational = given["E_1"] / given["T_1"] - given["E_2"] / given["T_2"]
        assert abs(Fraction(float(affinity)) - rational / given["N"]) <= Fraction(
            2 * math.ulp(exact)
        )


def test_parameters_and_units_are_those_of_the_engine():
    for kind in KINDS:
        engines = sample(kind, "high-temperature", seed=5)
        made = Engines.of(engines.columns, scaling=engines.scaling, statistics=engines.statistics)
        assert made is not None
        several, positions = made
        assert positions.size == engines.points
        cold, hot = several.own_baths
        for point in range(engines.points):
            one = engines.engine(point)
            rate, energy = 2.0 ** several.rate_unit[point], 2.0 ** several.energy_unit[point]
            assert distance(several.drive[point] * rate, one.drive) == 0
            assert distance(several.delta_E[point] * energy, one.delta_E) == 0
            for baths, bath in ((cold, one.cold), (hot, one.hot)):
                assert distance(baths.log_ratio[point], bath.log_ratio) <= 1e-15
                assert distance(baths.gamma_down[point] * rate, bath.gamma_down) <= 1e-14
                assert distance(baths.gamma_up[point] * rate, bath.gamma_up) <= 1e-12
            for heat, exact in zip(several.quantum_heats, one.quantum_heats, strict=True):
                assert distance(heat[point] * energy, exact) == 0
            assert distance(several.efficiency[point], one.efficiency) <= 1e-15
            assert distance(several.cop[point], one.cop) <= 1e-15


def test_what_is_not_plainly_valid_is_left_to_the_engine():
    engines = sample("plain", "bare", points=12, seed=6)
    for number, (name, value) in enumerate(
        [
            ("N", 1.5),
            ("N", 40.0),
            ("delta_E", -1.0),
            ("Gamma_0", 0.0),
            ("omega_0", math.nan),
            ("T_1", -1.0),
            ("E_1", 1e-301),
            ("omega_0", 1e120),
        ]
    ):
        engines.columns[name][number] = value
    found = engines.together()
    assert [number for number, one in enumerate(found) if one is None] == list(range(8))
    assert engines.part(slice(8, None)).together() != [None] * 4


def test_a_variable_that_is_not_known_leaves_all_points_to_the_engine():
    engines = sample("plain", "bare", points=8)
    assert engines.together(["power", "gap"]) == [None] * 8
    assert engines.together(["power", "kur_bound"]) == [None] * 8


@pytest.mark.parametrize("name", ["Gamma_local", "Gamma_dephasing", "detuning"])
def test_a_parameter_that_is_not_known_leaves_points_where_it_counts_to_the_engine(name):
    engines = sample("plain", "bare", points=8)
    whole = engines.together()
    engines.columns[name] = np.where(np.arange(8) < 3, 0.1, 0.0)
    found = engines.together()
    assert found[:3] == [None] * 3
    assert repr(found[3:]) == repr(whole[3:])


def test_points_that_fail_a_check_are_left_to_the_engine():
    engines = sample("plain", "bare", points=8)
    assert engines.together(tolerance=1e-18) == [None] * 8


def test_other_solvers_and_a_given_order_leave_all_points_to_the_engine():
    engines = sample("plain", "bare", points=3)
    assert None not in engines.together(["power"])
    for options in ({"solver": "superlu"}, {"solver": "gmres"}, {"coherence_order": 1}):
        assert engines.together(["power"], **options) == [None] * 3


def test_a_pivot_that_vanishes_costs_its_own_point_only(monkeypatch):
    engines = sample("plain", "bare", points=20, most=1)
    whole = engines.together()
    original, seen = elimination.inverted, []
    monkeypatch.setattr(elimination, "inverted", lambda m: seen.append(m[:, 1, 1]) or original(m))
    engines.part([13]).together()
    monkeypatch.setattr(elimination, "inverted", _failing_at(seen[0][0], original))
    found = engines.together()
    assert [number for number, one in enumerate(found) if one is None] == [13]
    assert repr(found[:13]) == repr(whole[:13])


def _failing_at(element, original):
    def inverse(matrices):
        if np.any(matrices[:, 1, 1] == element):
            raise np.linalg.LinAlgError("Singular matrix")
        return original(matrices)

    return inverse


@pytest.mark.parametrize(("n_1", "n_2"), [(1, 1), (3, 3), (2, 5), (6, 6)])
def test_elimination_solves_with_the_generator_and_its_transpose(n_1, n_2):
    engine = Engine(
        N=1, E_1=1, delta_E=1, T_mean=2, delta_T=1, omega_0=1.5, Gamma_0=1, Gamma_2=0.3,
        spin_1=n_1 / 2, spin_2=n_2 / 2,
    )  # fmt: skip
    place, found = layout(n_1, n_2), liouvillian(n_1, n_2)
    c = coefficients(engine)[:, np.newaxis]
    ground = place.size - 1
    solver = Solver(place, c, Elimination.of(blocks(n_1, n_2), c, np.array([ground])))
    order = np.lexsort(
        (found.sector.k_2, found.sector.k_1, found.sector.q, found.sector.k_1 + found.sector.k_2)
    )
    dense = found.matrix(found.values(engine)).toarray()[np.ix_(order, order)]
    x = np.random.default_rng(0).normal(size=(place.size, 2, 1))
    assert np.allclose(solver.apply(x)[..., 0], dense @ x[..., 0], rtol=1e-13)
    inner = np.arange(place.size) != ground
    for matrix, solved in (
        (dense, solver.corrector.solve(x)),
        (dense.T, solver.corrector.solve_transposed(x)),
    ):
        expected = np.linalg.solve(matrix[np.ix_(inner, inner)], x[inner, :, 0])
        assert np.allclose(solved[inner, :, 0], expected, rtol=1e-9)
        assert (solved[ground] == 0).all()
    half = found.hop_anticommutator().toarray()[np.ix_(order, order)]
    assert np.allclose(applied(place.anticommutator, x)[..., 0], half @ x[..., 0])


def test_inverses_by_halves():
    matrices = np.random.default_rng(1).normal(size=(5, 45, 45)) + 10 * np.eye(45)
    assert np.allclose(inverted(matrices) @ matrices, np.eye(45), atol=1e-12)


def test_discord_is_that_of_each_state_where_no_theorem_gives_it():
    rng = np.random.default_rng(2)
    states, bracketed = [], 0
    while len(states) < 300:
        p_1, p_2 = rng.uniform(0, 1, 2)
        kappa = rng.uniform(-0.25, 0.25)
        both, only_1, only_2 = p_1 * p_2 + kappa, p_1 * (1 - p_2) - kappa, p_2 * (1 - p_1) - kappa
        if min(both, only_1, only_2, 1 - both - only_1 - only_2) <= 0:
            continue
        w = math.sqrt(only_1 * only_2) * rng.uniform(0, 1)
        states.append(PairState(p_1=p_1, p_2=p_2, covariance=kappa, xy=2 * w))
        bracketed += states[-1].discord_measuring(2).bound > 0
    assert bracketed > 20
    found, closed = discord(
        *(np.array([getattr(s, n) for s in states]) for n in ("p_1", "p_2", "covariance")),
        np.array([abs(s.coherence) for s in states]),
        np.array([s.populations for s in states]),
        quantum=np.array([s._coherence_information() for s in states]),
        mutual=np.array([s.mutual_information for s in states]),
    )
    assert closed.all()
    assert np.allclose(found, [s.discord for s in states], rtol=1e-12, atol=1e-16)
