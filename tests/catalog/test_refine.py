"""Refinement: points go where the quantity changes, and locate its lines better than a grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import Delaunay, KDTree

from analyses.carnot import carnot_delta_E
from catalog.reading.table import table
from catalog.refining.propose import known_points, propose, refine
from ensemble import Engine, Exact
from tests.catalog.samples import sample
from tests.catalog.support import FIXED, refused

Function = Callable[[np.ndarray], np.ndarray]

MAP = [(-1.0, 1.0), (0.0, 10.0)]
RADIUS, WIDTH = 0.3, 0.02
"""A front on a circle, on the unit square."""


def places(points: np.ndarray, bounds=MAP) -> np.ndarray:
    low, high = np.array(bounds).T
    return (points - low) / (high - low)


def grid(number: int, bounds=MAP) -> np.ndarray:
    axes = [np.linspace(*ends, number) for ends in bounds]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def distance_to_circle(points: np.ndarray) -> np.ndarray:
    return np.hypot(*(places(points) - 0.5).T) - RADIUS


def front(points: np.ndarray) -> np.ndarray:
    return np.tanh(distance_to_circle(points) / WIDTH)


def share_near_front(points: np.ndarray, band: float = 0.05) -> float:
    return float(np.mean(np.abs(distance_to_circle(points)) < band))


@pytest.mark.parametrize(("level", "at_least"), [(None, 0.65), (0.0, 0.9)])
def test_points_gather_at_a_front(level, at_least):
    """A uniform grid has 19 % of its points within this band: 4π · 0.3 · 0.05 of the area."""
    coarse = grid(11)
    assert share_near_front(grid(101)) == pytest.approx(4 * np.pi * RADIUS * 0.05, abs=0.01)
    refined = refine(front, coarse, front(coarse), bounds=MAP, budget=200, batch=25, level=level)
    assert refined.added == 200
    assert share_near_front(refined.points[len(coarse) :]) > at_least


def test_points_gather_from_nothing():
    refined = refine(front, [], [], bounds=MAP, budget=300, batch=20)
    assert refined.points[:4].tolist() == [[-1, 0], [-1, 10], [1, 0], [1, 10]]
    assert share_near_front(refined.points[150:]) > 0.5


def test_what_was_known_is_kept_and_nothing_is_asked_for_twice():
    coarse = grid(5)
    asked: list[np.ndarray] = []

    def solve(points: np.ndarray) -> np.ndarray:
        asked.append(points)
        return front(points)

    refined = refine(solve, coarse, front(coarse), bounds=MAP, budget=47, batch=10)
    assert [len(points) for points in asked] == [10, 10, 10, 10, 7]
    np.testing.assert_array_equal(refined.points, np.vstack([coarse, *asked]))
    np.testing.assert_array_equal(refined.values, front(refined.points))
    apart, _ = KDTree(places(refined.points)).query(places(refined.points), k=2)
    assert apart[:, 1].min() > 1e-3


def test_labels_have_seven_digits_and_stay_within_the_bounds():
    bounds = [(1 / 3, 2 / 3), (-1e-9 / 7, 1e-9 / 7)]
    values = np.random.default_rng(1).normal(size=9)
    points = propose(grid(3, bounds), values, bounds, 30)
    assert len(points) == 30
    low, high = np.array(bounds).T
    for label in points[(points != low) & (points != high)].tolist():
        assert float(f"{label:.7g}") == label
    assert ((points >= low) & (points <= high)).all()


def test_missing_corners_come_first():
    inner = grid(3, [(-0.5, 0.5), (2, 8)])
    points = propose(inner, front(inner), MAP, 6)
    assert points[:4].tolist() == [[-1, 0], [-1, 10], [1, 0], [1, 10]]
    assert len(points) == 6


def test_undefined_values_neither_break_nor_attract():
    def half(points: np.ndarray) -> np.ndarray:
        return np.where(points[:, 0] > 0.2, np.nan, front(points))

    coarse = grid(11)
    refined = refine(half, coarse, half(coarse), bounds=MAP, budget=100, batch=20)
    new = refined.points[len(coarse) :]
    assert refined.added == 100
    assert np.isnan(refined.values[len(coarse) :]).mean() < 0.1
    assert share_near_front(new[new[:, 0] < 0.2]) > 0.6


@pytest.mark.parametrize("level", [None, 0.0])
@pytest.mark.parametrize("values", [np.full(9, np.nan), np.zeros(9), np.full(9, np.inf)])
def test_without_any_change_the_map_is_explored_evenly(values, level):
    refined = refine(
        lambda points: np.full(len(points), values[0]),
        grid(3), values, bounds=MAP, budget=60, batch=15, level=level,
    )  # fmt: skip
    assert refined.added == 60
    nearest, _ = KDTree(places(refined.points)).query(places(grid(20)))
    assert nearest.max() < 0.25


def test_a_jump_is_resolved_and_no_further():
    refined = refine(
        lambda points: (points[:, 0] > 0.1234).astype(float),
        [], [], bounds=MAP, budget=5000, batch=50, resolution=0.05,
    )  # fmt: skip
    assert refined.added < 1000
    apart, _ = KDTree(places(refined.points)).query(places(refined.points), k=2)
    assert apart[:, 1].min() >= 0.05 * (1 - 1e-6)


def test_geometric_spacing_measures_distances_by_ratios():
    bounds = [(1e-3, 1e3), (1.0, 2.0)]
    points = propose([], [], bounds, 200, spacing=("geometric", "linear"))
    assert 0.4 < np.mean(points[:, 0] < 1) < 0.6
    linear = propose([], [], bounds, 200)
    assert np.mean(linear[:, 0] < 1) < 0.1


CARNOT_MAP = [(20.0, 300.0), (60.0, 200.0)]


def power(points: np.ndarray) -> np.ndarray:
    """Power of engines and refrigerators of four pairs."""
    exact = Exact()
    return np.array([
        exact.solve(Engine(N=4, delta_E=delta_E, T_mean=T_mean, **FIXED), ["power"]).values["power"]
        for delta_E, T_mean in points
    ])  # fmt: skip


def located(points: np.ndarray, values: np.ndarray, bounds) -> np.ndarray:
    """Where the linear interpolation between neighbours is zero, on the unit square."""
    square = places(points, bounds)
    sides = Delaunay(square).simplices[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    first, second = np.unique(np.sort(sides, axis=1), axis=0).T
    crossed = values[first] * values[second] < 0
    first, second = first[crossed], second[crossed]
    share = (values[first] / (values[first] - values[second]))[:, None]
    return square[first] * (1 - share) + square[second] * share


def test_the_carnot_line_is_located_from_the_power_alone():
    """Against the closed form; a grid of as many points is the rival."""
    T_mean = np.linspace(*CARNOT_MAP[1], 20_001)
    line = np.column_stack([carnot_delta_E(T_mean, E_1=100.0, delta_T=100.0), T_mean])
    exact = KDTree(places(line, CARNOT_MAP))

    def error(points: np.ndarray, values: np.ndarray) -> float:
        return float(np.median(exact.query(located(points, values, CARNOT_MAP))[0]))

    coarse, rival = grid(8, CARNOT_MAP), grid(11, CARNOT_MAP)
    refined = refine(
        power, coarse, power(coarse), bounds=CARNOT_MAP, budget=len(rival) - len(coarse),
        batch=15, level=0.0,
    )  # fmt: skip
    assert len(refined.points) == len(rival)
    found = error(refined.points, refined.values)
    assert found < error(coarse, power(coarse)) / 20
    assert found < error(rival, power(rival)) / 10


def test_what_a_dataset_knows_of_a_map():
    ds = sample(lazy=True)
    points, values = known_points(ds, ("ΔE", "T̄"), "power", N=2)
    frame = table(ds).query("N == 2")
    assert sorted(map(tuple, points)) == sorted(zip(frame.delta_E, frame.T_mean, strict=True))
    for (delta_E, T_mean), value in zip(points, values, strict=True):
        expected = float(ds.power.sel(N=2, delta_E=delta_E, T_mean=T_mean))
        assert value == expected or (np.isnan(value) and (delta_E, T_mean) == (250, 60))
    _, swapped = known_points(ds, ("T_mean", "delta_E"), lambda part: part.power * 2, N=2)
    assert np.nansum(swapped) == pytest.approx(2 * np.nansum(values))


def test_what_scattered_points_know_of_a_map():
    ds = xr.Dataset(
        {"power": ("point", [1.0, 2.0, 3.0]), "status": ("point", np.array([1, 0, 4], "u1"))},
        {"delta_E": ("point", [5.0, 1.0, 3.0]), "T_mean": ("point", [1.0, 2.0, 3.0]), "N": 4},
    )
    points, values = known_points(ds, ("delta_E", "T_mean"), "power")
    assert points.tolist() == [[5, 1], [3, 3]]
    np.testing.assert_array_equal(values, [1, np.nan])


def test_bad_maps_are_refused_before_any_work():
    with refused("give its label"):
        known_points(sample(), ("delta_E", "T_mean"), "power")
    with refused("choose another axis"):
        known_points(sample(), ("E_1", "T_mean"), "power", N=1)
    with refused(r"did you mean 'power'\?"):
        known_points(sample(), ("delta_E", "T_mean"), "powr", N=1)
    with refused("give one value a point"):
        propose(grid(3), [1.0], MAP, 1)
    with refused("leave it out"):
        propose([(0.0, np.nan)], [1.0], MAP, 1)
    with refused("not 1.0, -1.0"):
        propose([], [], [(1.0, -1.0), (0.0, 1.0)], 1)
    with refused("not -1.0"):
        propose([], [], MAP, 1, spacing=("geometric", "linear"))
    with refused("use linear or geometric"):
        propose([], [], MAP, 1, spacing=("log", "linear"))
    with refused("two bounds and two spacings"):
        propose([], [], MAP[:1], 1)
    with refused("try 0.001"):
        propose([], [], MAP, 1, resolution=0)
    with refused("give e.g. level = 0"):
        propose([], [], MAP, 1, level=np.nan)
    with refused("use 1, 2, …"):
        refine(front, [], [], bounds=MAP, budget=0)
    with refused("NaN where it is undefined"):
        refine(lambda points: [1.0], [], [], bounds=MAP, budget=10)
