"""Engines of a block from a reduced basis: as the engine alone, to the same certificates."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ensemble import Engine, Exact, InvalidInput, Solution, Status
from ensemble.basis import solve
from ensemble.basis.block import Block, common_truncation
from ensemble.basis.family import Family
from ensemble.basis.follow import Follower
from ensemble.basis.spread import spread, worst
from ensemble.errors import Unsolvable
from ensemble.generator.sector import Sector
from ensemble.steady.stationary import stationary
from ensemble.steady.truncation import Truncation
from ensemble.together.engines import Engines
from ensemble.together.layout import padded_layout
from tests.ensemble.together_samples import VARIABLES, Sample, distance

AGREEMENT = 1e-10
"""The tolerance: the residual of a point from a basis is at most a tenth of that, and 0.015 of it
with cumulants."""
ABSOLUTE = dict.fromkeys(
    ("magnetization_1", "magnetization_2", "spin_correlation_zz", "l1_coherence"), 1e-12
)
POINTS = 100
NOISE = ("power", "quanta_noise", "constancy")


def box(kind: str, points: int = POINTS) -> Sample:
    """Random engines of one size, in a box that a few dozen vectors serve."""
    rng = np.random.default_rng(5)

    def between(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, points)

    def all_(value: float) -> np.ndarray:
        return np.full(points, value)

    columns = {
        "N": all_(14.0), "E_1": all_(100.0), "delta_E": between(120, 150),
        "T_mean": between(140, 160), "delta_T": all_(100.0), "omega_0": all_(1.0),
        "Gamma_0": all_(1.0),
    }  # fmt: skip
    scaling, statistics = "bare", "bosonic"
    if kind == "hot":
        scaling = "high-temperature"
        columns |= {"E_1": all_(1.0), "delta_E": between(8, 10), "T_mean": between(13, 14)}
        columns |= {"delta_T": all_(23.0), "omega_0": all_(0.006), "Gamma_0": all_(0.001)}
    elif kind == "cold":
        columns |= {"T_mean": between(55, 57)}
    elif kind == "fermions":
        statistics = "fermionic"
        columns |= {"mu_1": between(-20, 0), "mu_2": all_(300.0)}
        columns |= {"delta_T": all_(50.0)}
    elif kind == "unequal":
        columns |= {"spin_1": all_(6.0), "spin_2": all_(8.0), "Gamma_2": all_(0.5)}
    elif kind == "near Carnot":
        off = 10 ** rng.uniform(-13, -2, points) * rng.choice([-1, 1], points)
        columns |= {"T_1": all_(100.0), "T_2": all_(200.0), "E_2": 200.0 * (1 + off)}
        for name in ("delta_E", "T_mean", "delta_T"):
            del columns[name]
        columns["omega_0"] = between(0.9, 1.1)
    elif kind == "narrow":
        columns |= {"delta_E": between(130, 130.5), "T_mean": all_(150.0)}
    return Sample(columns, scaling, statistics)


KINDS = ("plain", "hot", "cold", "fermions", "unequal", "near Carnot")


def found_in(engines: Sample, names=VARIABLES, least: int = 2) -> list[Solution | None]:
    return solve.solve_from_basis(
        engines.columns, names, scaling=engines.scaling, statistics=engines.statistics,
        tolerance=1e-10, least=least,
    )  # fmt: skip


@cache
def solved(kind: str) -> list[Solution | None]:
    return found_in(box(kind))


def differences(found: Solution, alone: Solution) -> dict[str, float]:
    return {
        name: distance(found.values[name], expected)
        for name, expected in alone.values.items()
        if not abs(found.values[name] - expected) <= ABSOLUTE.get(name, 0.0)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_that_of_the_engine_alone(kind):
    engines, found = box(kind), solved(kind)
    assert sum(one is None for one in found) <= solve.LEFT_PART * POINTS
    for point in range(0, POINTS, 33):
        one, alone = found[point], engines.alone(point)
        if one is None:
            continue
        assert alone.status == one.status == Status.OK
        assert one.values.keys() == alone.values.keys()
        apart = differences(one, alone)
        assert max(apart.values(), default=0.0) <= AGREEMENT, apart
        assert one.diagnostics["residual"] <= 1.5e-12
        assert one.diagnostics["solver"] == "basis"
        assert one.diagnostics.keys() == alone.diagnostics.keys()


def test_currents_keep_their_digits_next_to_the_carnot_point():
    """J/a and c₃/a are those of the engine alone even where a is 1e-13."""
    engines, found = box("near Carnot"), solved("near Carnot")
    affinity = np.array([one.values["affinity"] for one in found if one])
    assert np.abs(affinity).min() < 1e-11
    point = int(np.abs(affinity).argmin())
    one, alone = found[point], engines.alone(point)
    assert one is not None
    for name in ("quanta_current", "quanta_cumulant_3", "entropy_production"):
        assert distance(one.values[name], alone.values[name]) <= AGREEMENT
    assert one.values["constancy"] == pytest.approx(1, abs=1e-11)


def test_a_truncated_sector_shows_what_it_leaves_out(monkeypatch):
    """The same engines by SuperLU and by GMRES, which has no solves with Lᵀ."""
    engines = box("narrow", 20)
    names = (*NOISE, "quanta_cumulant_3", "quanta_cumulant_4")
    alone = engines.alone(11, names)
    monkeypatch.setattr(solve, "FIRST", 5)
    for order, library, served in (
        (12, "superlu", True),
        (12, "gmres", True),
        (8, "superlu", False),
    ):
        truncation = Truncation(order, 14, 14)
        monkeypatch.setattr(solve, "common_truncation", lambda *_, found=truncation, **__: found)
        monkeypatch.setattr("ensemble.basis.block.choose", lambda *_, name=library: name)
        found = found_in(engines, names)
        assert [one is not None for one in found] == [served] * 20
        if served:
            assert found[11].diagnostics["coherence_order"] == order
            assert max(differences(found[11], alone).values(), default=0.0) <= AGREEMENT


def test_the_truncation_of_a_block_is_that_of_its_most_demanding_engines():
    engines = [
        Engine(N=26, E_1=100, delta_E=125, T_mean=T, delta_T=30, omega_0=1, Gamma_0=1)
        for T in (20.0, 60.0)
    ]
    apart = [stationary(engine).truncation for engine in engines]
    both = common_truncation(engines, tolerance=1e-10, solver="auto")
    assert both.cut_2 == max(one.cut_2 for one in apart)
    assert both.coherence_order == max(one.coherence_order for one in apart)


def test_a_residual_is_that_of_the_full_equations():
    """What the basis cannot hold shows in the residual, and the point is left to the engine."""
    engines = box("plain")
    stretched = dict(engines.columns)
    stretched["omega_0"] = np.where(np.arange(POINTS) == 40, 30.0, 1.0)
    found = found_in(engines._replace(columns=stretched), NOISE)
    alone = [point for point, one in enumerate(found) if one is None]
    assert alone in ([], [40])


def test_an_engine_that_cannot_be_solved_costs_its_own_point_only(monkeypatch):
    engines, original = box("plain"), Block.solved
    refused = []

    def broken(self, point, names, families):
        if len(refused) < 3:
            refused.append(point)
            raise Unsolvable("a pivot vanishes: choose another")
        return original(self, point, names, families)

    monkeypatch.setattr(Block, "solved", broken)
    found = found_in(engines, NOISE)
    assert len(refused) == 3
    assert sum(one is not None for one in found) >= POINTS - 3


def test_a_point_whose_projection_fails_is_left_to_the_engine(monkeypatch):
    original = Family.coordinates

    def broken(self, coefficients, right):
        y = original(self, coefficients, right)
        y[:, 0] *= 1 + 1e-6  # of each batch
        return y

    monkeypatch.setattr(Family, "coordinates", broken)
    found = found_in(box("plain"), NOISE)
    left = [point for point, one in enumerate(found) if one is None]
    assert left
    assert len(left) <= 4
    monkeypatch.undo()
    for point, one in enumerate(found):
        if one is not None and point % 10 == 0:
            alone = box("plain").alone(point, NOISE)
            assert max(differences(one, alone).values(), default=0.0) <= AGREEMENT


def test_reduced_equations_without_a_solution_leave_the_points_to_the_engine(monkeypatch):
    def singular(self, coefficients, right):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(Family, "coordinates", singular)
    assert found_in(box("narrow", 20), NOISE) == [None] * 20


@pytest.mark.parametrize("names", [NOISE, ("power",), VARIABLES])
def test_engines_without_a_drive_beside_others_are_served_or_left(names):
    """δ and the noise of an engine without a drive vanish: nothing for a basis."""
    engines = box("narrow", 40)
    engines.columns["omega_0"][:30] = 0.0
    for found in (found_in(engines, names), found_in(engines.part(slice(0, 30)), names)):
        for point in range(0, len(found), 7):
            one, alone = found[point], engines.alone(point, names)
            if one is not None:
                assert one.status == alone.status
                apart = differences(one, alone)
                apart = {name: value for name, value in apart.items() if np.isfinite(value)}
                assert max(apart.values(), default=0.0) <= AGREEMENT, apart


def test_the_same_block_gives_the_same_bits():
    assert repr(found_in(box("hot"))) == repr(solved("hot"))


def test_few_engines_and_small_ones_are_left_to_others():
    assert found_in(box("plain", 20), NOISE, least=21) == [None] * 20
    small = box("plain", 20)
    small.columns["N"][:] = 12.0
    assert found_in(small, NOISE) == [None] * 20
    assert found_in(box("plain", 20), ("power", "gap")) == [None] * 20


def test_the_option_forces_and_forbids_it():
    engines = box("plain")
    forced = engines.together(NOISE, solver="basis")
    assert {one.diagnostics["solver"] for one in forced if one} == {"basis"}
    for solver_name in ("auto", "superlu"):  # too few engines, and forbidden
        assert engines.together(NOISE, solver=solver_name) == [None] * POINTS
    alone = Exact(solver="basis").solve(engines.engine(0), NOISE)
    assert alone.diagnostics["solver"] == "superlu"
    with pytest.raises(InvalidInput, match="coherence_order is chosen by the solver basis: leave"):
        Exact(solver="basis", coherence_order=3)


def test_cold_and_hot_engines_of_large_sectors_have_bases_of_their_own():
    """At T₂ = 105 a tenth of the levels matters that matter at T₂ = 3000."""
    columns = {name: values[:4] for name, values in box("plain").columns.items()}
    columns |= {"T_mean": np.array([55.0, 57.0, 3000.0, 3000.0])}
    for N, apart in ((100.0, 2), (14.0, 1)):  # small sectors are kept whole
        made = Engines.of(
            {**columns, "N": np.full(4, N)}, scaling="bare", statistics="bosonic"
        )  # fmt: skip
        assert made is not None
        kinds = solve._sectors(made[0], 1e-10).tolist()
        assert kinds[0] == kinds[1]
        assert len(set(kinds)) == apart


@pytest.mark.parametrize("transposed", [False, True])
def test_a_family_is_orthonormal_and_holds_the_reduced_equations(transposed):
    place = padded_layout(Sector(5, 5, 2, 4, 4))
    rng = np.random.default_rng(6)
    first, more = rng.normal(size=(2, place.size, 7))
    more[:, 0] = first @ rng.normal(size=7)  # nothing new
    family = Family.empty(place.size).enlarged(first, place, transposed=transposed)
    family = family.enlarged(more, place, transposed=transposed)
    assert family.dimension == 13
    assert np.allclose(family.vectors.T @ family.vectors, np.eye(13), atol=1e-14)
    c = rng.uniform(0.5, 2, (5, 1))
    parts = place.transposed if transposed else place.parts
    acted = parts(np.repeat(c, 13, axis=1), family.vectors)
    reduced = np.tensordot(c[:, 0], family.reduced, axes=1)
    assert np.allclose(family.vectors.T @ acted, reduced, atol=1e-12)


def test_points_are_spread_and_the_worst_are_apart():
    line = np.linspace(0, 1, 11)[:, np.newaxis]
    assert sorted(spread(line, 3).tolist()) == [0, 5, 10]
    error = np.where(np.arange(11) < 5, 100.0, 0.5)
    chosen = worst(error, line, 3, goal=1.0, radius=0.2)
    assert chosen[0] == 0
    assert chosen[1] == 4
    assert (error[chosen] > 1).all()
    assert worst(error, line, 3, goal=200.0, radius=0.2).size == 0


@pytest.mark.parametrize("kind", ["plain", "hot"])
def test_engines_that_follow_each_other_take_few_full_solves(kind):
    """To and fro over a range of one parameter, every value that of the engine alone."""
    engines = box(kind)
    follower = Follower(Exact(), NOISE, engines.scaling, engines.statistics)
    first = {name: float(values[0]) for name, values in engines.columns.items()}
    moves = np.linspace(0.9, 1.1, 25) * first["delta_E"]
    moves = np.concatenate([moves, moves[:0:-2] + 0.1])
    found = [follower.solve({**first, "delta_E": float(value)}) for value in moves]
    assert {one.status for one in found} == {Status.OK}
    full = [one.diagnostics["solver"] != "basis" for one in found]
    assert full[0]
    assert not any(full[25:])
    assert sum(full) < 15
    for value, one in list(zip(moves, found, strict=True))[::9]:
        engine = Engine.of(**{**first, "delta_E": float(value)}, scaling=engines.scaling)
        alone = Exact().solve(engine, NOISE)
        assert max(differences(one, alone).values(), default=0.0) <= AGREEMENT


def test_what_cannot_be_followed_is_solved_by_the_method():
    engines = box("plain")
    first = {name: float(values[0]) for name, values in engines.columns.items()}
    follower = Follower(Exact(), NOISE, "bare", "bosonic")
    assert follower.solve(first).status == Status.OK
    assert follower.solve({**first, "N": 15.0}).status == Status.OK  # another sector
    noisy = follower.solve({**first, "Gamma_local": 0.1, "N": 2.0})
    assert noisy.status == Status.OK
    with pytest.raises(InvalidInput, match="T_mean"):
        follower.solve({**first, "T_mean": -1.0})


@pytest.mark.parametrize("variables", [("power",), NOISE, VARIABLES])
def test_a_follower_passes_through_an_engine_without_a_drive(variables):
    """There δ = 0, which gives a basis nothing."""
    engines = box("plain")
    first = {name: float(values[0]) for name, values in engines.columns.items()}
    follower = Follower(Exact(), variables, engines.scaling, engines.statistics)
    for drive in (0.0, 1.0, 0.0):
        moved = {**first, "omega_0": drive}
        one = follower.solve(moved)
        alone = Exact().solve(Engine.of(**moved, scaling=engines.scaling), variables)
        assert one.status == alone.status == Status.OK
        assert one.values["power"] == pytest.approx(alone.values["power"], rel=AGREEMENT)
        assert (one.values["power"] == 0) == (drive == 0)
