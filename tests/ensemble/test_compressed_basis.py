"""Compressed equations: the same values as the full ones, and bounds above their residuals."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ensemble import Status
from ensemble.basis import solve
from ensemble.basis.block import Block, common_truncation, engine_at
from ensemble.basis.compressed import Compression, few_directions
from ensemble.basis.family import Family
from ensemble.errors import Unsolvable
from ensemble.generator.sector import Sector
from ensemble.steady.truncation import Truncation
from ensemble.together import state
from ensemble.together.certified import applied
from ensemble.together.engines import Engines
from ensemble.together.layout import lowest_orders, padded_layout
from tests.ensemble.test_basis import AGREEMENT, KINDS, NOISE, box, differences, found_in
from tests.ensemble.together_samples import VARIABLES, Sample

NAMES = tuple(name for name in VARIABLES if not name.startswith("quanta_cumulant"))


def block_of(engines: Sample, truncation: Truncation | None = None) -> Block:
    made = Engines.of(engines.columns, scaling=engines.scaling, statistics=engines.statistics)
    assert made is not None
    if truncation is None:
        first = engine_at(
            engines.columns, 0, scaling=engines.scaling, statistics=engines.statistics
        )
        truncation = common_truncation([first], tolerance=1e-10, solver="auto")
    return Block.of(
        engines.columns, made[0], scaling=engines.scaling, statistics=engines.statistics,
        tolerance=1e-10, truncation=truncation, near=False,
    )  # fmt: skip


def varied() -> Sample:
    """Engines whose drive and rates vary, too: their coefficients lie in all five directions."""
    engines, rng = box("hot"), np.random.default_rng(4)
    changed = {
        "omega_0": engines.columns["omega_0"] * rng.uniform(0.9, 1.1, 100),
        "Gamma_2": engines.columns["Gamma_0"] * rng.uniform(0.9, 1.1, 100),
    }
    return engines._replace(columns={**engines.columns, **changed})


@cache
def solved(kind: str, vectors: int) -> tuple[Block, dict[str, Family]]:
    """A block, and bases of solutions of its first engines."""
    block = block_of(varied() if kind == "varied" else box(kind))
    vectors_of: dict[str, list] = {}
    for point in range(vectors):
        for name, vector in block.solved(point, NAMES, {})[0].items():
            vectors_of.setdefault(name, []).append(vector)
    return block, block.families(vectors_of)


def compressed(kind: str, vectors: int, *, certain: bool = True) -> Compression:
    block, families = solved(kind, vectors)
    sample = block.engines[np.arange(60, 80)]
    return Compression.of(families, block.layout, sample, block.directions, certain=certain)


@pytest.mark.parametrize("kind", ["plain", "hot", "cold", "fermions", "unequal"])
def test_values_are_those_of_the_full_equations_in_the_same_basis(kind):
    block, families = solved(kind, 20)
    points = np.arange(30, 50)
    _, full = block.projected(families, points, NAMES)
    _, found = block.served(compressed(kind, 20), points, NAMES)
    assert found.values.keys() == full.values.keys()
    for name in NAMES:
        expected = full.values[name]
        assert np.allclose(found.values[name], expected, rtol=1e-10, atol=1e-13, equal_nan=True)


@pytest.mark.parametrize("vectors", [8, 20])
@pytest.mark.parametrize("kind", ["plain", "hot", "cold", "fermions", "unequal", "varied"])
def test_a_residual_is_at_least_that_of_the_full_equations(kind, vectors):
    """And at most a few times that, so that few points are refused for nothing."""
    block, families = solved(kind, vectors)
    points = np.arange(block.engines.points)
    for names in (("power",), NOISE):
        _, full = block.projected(families, points, names)
        _, found = block.served(compressed(kind, vectors), points, names)
        true, bound = full.diagnostics["residual"], found.diagnostics["residual"]
        apart = true > 1e-13  # below, rounding is part of both
        assert (bound[apart] >= true[apart]).all()
        assert np.median(bound / true) < 4


@pytest.mark.parametrize(("kind", "directions"), [("hot", 3), ("varied", 5)])
def test_a_defect_of_high_order_is_bounded_whatever_its_coordinates(kind, directions):
    """Random coordinates, against sums over all elements beyond the first coherence order."""
    block, families = solved(kind, 20)
    found, place = compressed(kind, 20), block.layout
    assert len(block.directions.parts) == directions
    rng = np.random.default_rng(3)
    of_engines = state.coefficients(block.engines)
    c = of_engines[:, rng.integers(block.engines.points, size=50)]
    known = found.layout.known
    k_1, k_2, q = place.k_1[known:], place.k_2[known:], place.q[known:]
    multiples = (np.ones_like(q), k_2 - q / 2, k_1 + q / 2)
    assert found.noise is not None
    y = rng.normal(size=(20, 50)) * 10.0 ** rng.uniform(-12, 0, (20, 50))
    v, moved, lost = (rng.normal(size=(20, 50)) for _ in range(3))
    V, W = families["deviation"].vectors, families["noise"].vectors
    of_delta = place.parts(c, V @ y)[known:]
    of_noise = place.parts(c, W @ v) + applied(place.anticommutator, V @ moved) + V @ lost
    for bounds, defect in (
        (found.deviation.bounds(c, y), of_delta),
        (found.noise.bounds(c, v, (moved, lost)), of_noise[known:]),
    ):
        for bound, multiple in zip(bounds, multiples, strict=True):
            true = np.abs(multiple * defect).sum(axis=0)
            assert (bound >= true * (1 - 1e-12)).all()
            assert (bound <= 100 * true).all()


@pytest.mark.parametrize("kind", ["plain", "hot", "cold", "fermions", "unequal"])
def test_coefficients_lie_in_a_few_directions(kind):
    """Drive and Γ are fixed: what is left is n of both baths with bosons, f with fermions."""
    block, _ = solved(kind, 8)
    U = block.directions.vectors
    assert U.shape == (5, 3)
    c = state.coefficients(block.engines)
    assert (np.abs(U @ (U.T @ c) - c) <= 1e-14 * np.linalg.norm(c, axis=0)).all()
    assert np.allclose(U.T @ U, np.eye(3), atol=1e-14)


def test_directions_of_fewer_engines_than_coefficients_hold_any():
    c = np.random.default_rng(2).uniform(size=(5, 3))
    U = few_directions(c)
    assert U.shape == (5, 3)
    assert np.allclose(U @ (U.T @ c), c, atol=1e-14)
    assert few_directions(c[:, :1]).shape == (5, 1)
    many = np.random.default_rng(2).uniform(size=(5, 50))
    assert np.array_equal(few_directions(many), np.eye(5))


def test_estimates_of_a_growing_basis_are_close_to_the_bounds():
    block, _ = solved("hot", 20)
    points = np.arange(block.engines.points)
    certain, estimated = (
        block.served(compressed("hot", 20, certain=sure), points, NOISE)[1].diagnostics["residual"]
        for sure in (True, False)
    )
    assert np.abs(np.log(estimated / certain)).max() < np.log(1.5)


def test_the_three_routes_to_the_noise_differ_as_those_of_the_full_equations():
    """The responses at the baths come from that at the drive, without equations of their own."""
    block, families = solved("plain", 20)
    points = np.arange(40, 60)
    _, full = block.projected(families, points, NOISE)
    _, found = block.served(compressed("plain", 20), points, NOISE)
    apart, expected = found.diagnostics["self_check"], full.diagnostics["self_check"]
    assert expected.max() > 1e-9  # twenty vectors leave a difference that is no rounding
    assert np.allclose(apart, expected, rtol=1e-3, atol=1e-12)


def test_the_lowest_orders_hold_the_rows_of_all_elements():
    place = padded_layout(Sector(7, 6, 3, 5, 6))
    low = lowest_orders(place)
    assert low.q.max() == 2
    assert low.known == (place.q <= 1).sum()
    rng = np.random.default_rng(1)
    c, x = rng.uniform(0.5, 2, (5, 3)), rng.normal(size=(place.size, 3))
    assert np.allclose(low.parts(c, x[: low.size]), place.parts(c, x)[: low.known], atol=1e-13)
    y = rng.normal(size=(low.known, 3))
    padded = np.concatenate([y, np.zeros((place.size - low.known, 3))])
    assert np.allclose(low.transposed(c, y), place.transposed(c, padded)[: low.size], atol=1e-13)


@pytest.mark.parametrize(("order", "enough"), [(12, True), (7, False)])
def test_what_a_truncation_leaves_out_shows_in_the_residual(order, enough):
    engines = box("narrow", 20)
    truncation = Truncation(order, 14, 14)
    block = block_of(engines, truncation)
    vectors_of: dict[str, list] = {}
    for point in range(0, 20, 2):
        full, _ = block._state_and_response(block.engine(point), truncation, NOISE)
        for name, vector in full.solutions(block.ground).items():
            vectors_of.setdefault(name, []).append(vector)
    families = block.families(vectors_of)
    found = Compression.of(families, block.layout, block.engines, block.directions, certain=True)
    _, served = block.served(found, np.arange(20), NOISE)
    residual = served.diagnostics["residual"]
    assert (residual < 1e-11).all() if enough else (residual > 1e-11).all()
    _, expected = block.projected(families, np.arange(20), NOISE)
    true = expected.diagnostics["residual"]
    assert (residual >= true)[true > 1e-13].all()  # below, rounding is part of both


def test_a_basis_is_made_of_solutions_with_small_residuals_only(monkeypatch):
    engines = box("narrow", 20)
    monkeypatch.setattr("ensemble.basis.block.SNAPSHOT", 1e-8)
    with pytest.raises(Unsolvable, match="solve this engine by itself"):
        block_of(engines).solved(0, NOISE, {})
    assert found_in(engines, NOISE) == [None] * 20


def test_a_sector_of_one_coherence_order_has_no_defects_beyond():
    """Half-integer spin 1/2 beside a large one: all elements have q ≤ 1."""
    engines = box("plain", 12)
    spins = {"spin_1": np.full(12, 0.5), "spin_2": np.full(12, 20.0)}
    block = block_of(engines._replace(columns={**engines.columns, **spins}))
    vectors = [block.solved(point, NOISE, {})[0] for point in range(6)]
    families = block.families(
        {name: [one[name] for one in vectors] for name in ("deviation", "noise")}
    )
    for certain in (True, False):
        found = Compression.of(
            families, block.layout, block.engines, block.directions, certain=certain
        )
        points = np.arange(6)
        _, served = block.served(found, points, NOISE)
        assert (served.diagnostics["residual"] < 1e-13).all()
        alone = engines._replace(columns={**engines.columns, **spins}).alone(3, NOISE)
        assert served.values["constancy"][3] == pytest.approx(alone.values["constancy"], rel=1e-11)


def test_cold_engines_keep_their_digits_in_a_basis_with_hot_ones():
    """Rates of high excitations multiply what solutions of hot engines leave there by rounding."""
    N, points = 30, 100
    rng = np.random.default_rng(8)
    T = np.concatenate([rng.uniform(55, 60, points // 2), rng.uniform(220, 250, points // 2)])
    columns = {
        "N": np.full(points, float(N)), "E_1": np.full(points, 100.0),
        "delta_E": rng.uniform(20, 30, points), "T_mean": T, "delta_T": np.full(points, 100.0),
        "omega_0": np.ones(points), "Gamma_0": np.ones(points),
    }  # fmt: skip
    engines = Sample(columns, "bare", "bosonic")
    block = block_of(engines, Truncation(14, N, N))
    vectors_of: dict[str, list] = {}
    chosen = [*range(20), *range(50, 80)]
    for point in chosen:
        for name, vector in block.solved(point, NOISE, {})[0].items():
            vectors_of.setdefault(name, []).append(vector)
    families = block.families(vectors_of)
    place = block.layout
    reach = np.abs(families["deviation"].vectors[:, :10]) * (place.k_1 + place.k_2)
    far = np.abs(families["deviation"].vectors[:, -10:]) * (place.k_1 + place.k_2)
    assert reach.sum() < far.sum() / 2
    sample = block.engines[np.array([25, 85])]
    found = Compression.of(families, place, sample, block.directions, certain=True)
    _, served = block.served(found, np.arange(40), NOISE)
    assert np.median(served.diagnostics["residual"]) < 1e-11
    alone = engines.alone(3, NOISE)
    assert alone.status == Status.OK
    expected = pytest.approx(alone.values["constancy"], rel=AGREEMENT)
    assert served.values["constancy"][3] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_that_of_the_engine_alone(kind):
    """All but the cumulants; near the Carnot point J/a, too."""
    engines = box(kind)
    found = found_in(engines, NAMES)
    assert sum(one is None for one in found) <= solve.LEFT_PART * len(found)
    points = [*range(0, 100, 33)]
    if kind == "near Carnot":
        affinity = [abs(one.values["affinity"]) if one else np.inf for one in found]
        points.append(int(np.argmin(affinity)))
        assert min(affinity) < 1e-11
    for point in points:
        one, alone = found[point], engines.alone(point, NAMES)
        if one is None:
            continue
        assert alone.status == one.status == Status.OK
        apart = differences(one, alone)
        assert max(apart.values(), default=0.0) <= AGREEMENT, apart
        assert one.diagnostics["residual"] <= 1e-11
        assert one.diagnostics.keys() == alone.diagnostics.keys()


def test_a_basis_that_comes_no_closer_is_left_as_it_is(monkeypatch):
    """Otherwise half of all points would be solved in full for nothing."""
    points = 800
    asked = []

    def errors(self, trained, names, solutions=None):
        if solutions is None:
            asked.append(trained.size)
        return np.full(trained.size, 2.0)

    monkeypatch.setattr(solve.Basis, "errors", errors)
    assert found_in(box("plain", points), ("power",)) == [None] * points
    assert len(asked) == solve.PATIENCE + 1
    assert points / 2 > solve.FIRST + solve.PATIENCE * solve.MORE


def test_a_basis_that_comes_closer_each_time_grows_on(monkeypatch):
    points, asked = 400, []

    def errors(self, trained, names, solutions=None):
        if solutions is None:
            asked.append(trained.size)
            return np.full(trained.size, 10.0 ** (9 - len(asked)))
        return np.full(trained.size, 2.0)

    monkeypatch.setattr(solve.Basis, "errors", errors)
    assert found_in(box("plain", points), ("power",)) == [None] * points
    assert len(asked) > solve.PATIENCE + 2


@pytest.mark.parametrize("refused", [2.0, np.nan])
def test_a_point_without_a_residual_counts_as_one_that_is_refused(refused, monkeypatch):
    asked = []

    def errors(self, trained, names, solutions=None):
        asked.append(trained.size)
        return np.full(trained.size, refused)

    monkeypatch.setattr(solve.Basis, "errors", errors)
    assert found_in(box("plain", 300), ("power",)) == [None] * 300
    assert len(asked) > 2


def test_a_basis_grows_on_fresh_points_until_few_are_left(monkeypatch):
    """In small steps, so that it grows several times, twice with the same bits."""
    engines, solved_at, tried_on = box("hot", 300), [], []
    for name, value in {"FIRST": 8, "MORE": 4, "TRAINED": 64, "LEFT": 2}.items():
        monkeypatch.setattr(solve, name, value)
    of_block, errors_of = Block.solved, solve.Basis.errors

    def solved_in_full(self, point, names, families):
        solved_at.append(point)
        return of_block(self, point, names, families)

    def errors(self, points, names, solutions=None):
        if solutions is None:
            assert not set(points.tolist()) & set(solved_at)
            tried_on.append(points.tolist())
        return errors_of(self, points, names, solutions)

    monkeypatch.setattr(Block, "solved", solved_in_full)
    monkeypatch.setattr(solve.Basis, "errors", errors)
    found = found_in(engines, NOISE)
    assert sum(one is None for one in found) <= 2
    assert len(solved_at) == len(set(solved_at)) > 20
    assert len(tried_on) > 3
    assert max(map(len, tried_on)) == 64
    assert len({point for points in tried_on for point in points}) > 70
    solved_at.clear()
    again = found_in(engines, NOISE)
    assert [one and one.values for one in again] == [one and one.values for one in found]


def test_an_l1_coherence_is_summed_over_all_elements():
    names = ("power", "l1_coherence")
    engines = box("plain")
    found = found_in(engines, names)
    for point in (5, 70):
        one, alone = found[point], engines.alone(point, names)
        assert one is not None
        assert max(differences(one, alone).values(), default=0.0) <= AGREEMENT
