"""Boxes: differences are disjoint and complete, pieces find every point where it lies."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.sweeps.boxes import (
    Box,
    bounding_box,
    box_of,
    missing_points,
    pieces,
    refuse_near_misses,
    snapped,
    uncovered,
)
from catalog.sweeps.sweep import Sweep
from tests.catalog.support import FIXED, refused, tiny_sweep

LABELS = st.sets(st.integers(1, 6), min_size=1, max_size=4).map(lambda s: tuple(sorted(s)))
BOXES = st.tuples(LABELS, LABELS, LABELS).map(
    lambda labels: dict(zip(("N", "delta_E", "T_mean"), labels, strict=True))
)


def points(box: Box) -> set[tuple]:
    return set(itertools.product(*box.values()))


@given(box=BOXES, others=st.lists(BOXES, max_size=4))
def test_what_is_uncovered_is_the_difference_in_disjoint_boxes(box, others):
    found = uncovered(box, others)
    assert sum(len(points(piece)) for piece in found) == len(set().union(*map(points, found)))
    expected = points(box) - set().union(*map(points, others))
    assert set().union(*map(points, found)) == expected


@given(boxes=st.lists(BOXES, min_size=1, max_size=4))
def test_the_bounding_box_is_the_smallest_box_that_holds_all(boxes):
    whole = bounding_box(boxes)
    assert all(points(box) <= points(whole) for box in boxes)
    for name, labels in whole.items():
        assert list(labels) == sorted({label for box in boxes for label in box[name]})


def test_a_grid_that_only_grows_along_one_axis_adds_one_box():
    old = {"N": (1, 2), "delta_E": (5.0, 9.0)}
    assert uncovered({**old, "N": (1, 2, 3, 4)}, [old]) == [{**old, "N": (3, 4)}]
    assert uncovered(old, [old]) == []
    assert uncovered({**old, "N": (2,)}, [old]) == []


@pytest.mark.parametrize("whole", [False, True])
def test_pieces_find_the_points_of_a_grid(whole):
    sweep = tiny_sweep()
    number = np.arange(sweep.size, dtype=float).reshape(sweep.shape)
    box = {**box_of(sweep.grid), "N": (2, 7), "delta_E": (50.0, 60.0, 250.0)}
    found = np.full([len(labels) for labels in box.values()], -1.0)
    for piece in pieces(
        sweep.grid, box, steps=dict(zip(sweep.dims, sweep.shape, strict=True)) if whole else None
    ):
        block = number if whole else number[sweep.grid.block_slices(piece.index)]
        found[piece.outer] = piece.of(block)
    expected = np.full((2, 3, 2), -1.0)
    expected[0, [0, 2]] = number[1][[0, 2]]
    np.testing.assert_array_equal(found.reshape(2, 3, 2), expected)


def test_pieces_find_scattered_points():
    fixed = {name: value for name, value in FIXED.items() if name != "E_1"}
    sweep = tiny_sweep(
        axes={"N": [1, 2]},
        points={"delta_E": [90, 50, 70], "T_mean": [80, 60, 60], "E_1": [100, 100, 110]},
        fixed=fixed,
        blocks={"point": 2},
    )
    assert (sweep.dims, sweep.shape, sweep.grid.block_grid) == (("point", "N"), (3, 2), (2, 2))
    number = np.arange(6.0).reshape(3, 2)
    box = box_of(sweep.grid)
    assert box["delta_E"] == (50.0, 70.0, 90.0)
    found = np.full([len(labels) for labels in box.values()], -1.0)
    for piece in pieces(sweep.grid, box):
        found[piece.outer] = piece.of(number[sweep.grid.block_slices(piece.index)])
    # N, ΔE, T̄, ω₀, E₁, ΔT, Γ₀
    assert found.shape == (2, 3, 2, 1, 2, 1, 1)
    assert found[:, 2, 1, 0, 0, 0, 0].tolist() == [0, 1]
    assert found[:, 0, 0, 0, 0, 0, 0].tolist() == [2, 3]
    assert found[:, 1, 0, 0, 1, 0, 0].tolist() == [4, 5]
    assert (found == -1).sum() == found.size - 6


def test_labels_that_nearly_equal_stored_ones_are_refused():
    stored = {"delta_E": (0.3, 0.5)}
    refuse_near_misses({"delta_E": (0.3, 0.4)}, stored)
    with refused(r"delta_E = 0\.5000000001 nearly equals the stored label 0\.5: use that one"):
        refuse_near_misses({"delta_E": (0.5000000001,)}, stored)


def test_labels_that_differ_from_stored_ones_by_rounding_become_these():
    own = np.geomspace(50, 250, 15)
    rounded = tuple(float(f"{label:.15g}") for label in own)
    assert set(own) != set(rounded)
    sweep = tiny_sweep(axes={"N": [1], "delta_E": own, "T_mean": [60.0]}, blocks={"T_mean": 1})
    found = snapped(sweep, {**box_of(sweep.grid), "delta_E": rounded, "E_1": (100 * (1 + 1e-13),)})
    assert found.axes["delta_E"] == rounded
    assert found.fixed["E_1"] == 100 * (1 + 1e-13)
    assert found.blocks == sweep.blocks
    assert snapped(found, box_of(found.grid)) is found
    assert snapped(sweep, {"delta_E": tuple(own * (1 + 1e-11))}) is sweep


@pytest.mark.parametrize(
    ("asked", "stored", "expected"),
    [
        ((-0.5, 5.5e-17, 0.5), (-0.5, 0.0, 0.5), 0.0),
        ((-0.5, 0.0, 0.5), (-0.5, -1.1e-16, 0.5), -1.1e-16),
        ((-0.5, 1.1e-16, 0.5), (0.0,), 0.0),
        ((-0.5, 1e-11, 0.5), (-0.5, 0.0, 0.5), 1e-11),
        ((0.0, 1e-30, 1e-20), (0.0, 2e-30, 1e-20), 1e-30),
    ],
)
def test_what_rounding_left_of_zero_is_zero(asked, stored, expected):
    sweep = tiny_sweep(
        axes={"mu_1": asked}, statistics="fermionic", blocks={},
        fixed={**FIXED, "N": 1, "delta_E": 50.0, "T_mean": 60.0},
    )  # fmt: skip
    assert snapped(sweep, {"mu_1": stored}).axes["mu_1"][1] == expected


def scattered(points: list[tuple[float, float]], N: list[int]) -> Sweep:
    columns = dict(zip(("delta_E", "T_mean"), zip(*points, strict=True), strict=True))
    return tiny_sweep(axes={"N": N}, points=columns, blocks={})


PLACES = st.lists(
    st.tuples(st.sampled_from([50.0, 60.0, 70.0]), st.sampled_from([60.0, 90.0])),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip
SIZES = st.sets(st.integers(1, 3), min_size=1).map(sorted)


@settings(deadline=None)
@given(asked=PLACES, sizes=SIZES, held=st.lists(st.tuples(PLACES, SIZES), max_size=2), grid=SIZES)
def test_scattered_points_that_are_not_held_are_missing(asked, sizes, held, grid):
    others = [scattered(*item) for item in held]
    others.append(tiny_sweep(axes={"N": grid, "delta_E": [50.0], "T_mean": [60.0]}, blocks={}))
    covered = {(*place, N) for places, Ns in held for place in places for N in Ns}
    covered |= {(50.0, 60.0, N) for N in grid}
    expected = [place for place in asked if not {(*place, N) for N in sizes} <= covered]
    missing = missing_points(scattered(asked, sizes), [other.grid for other in others])
    found = [] if missing is None else list(zip(*missing.points.values(), strict=True))
    assert found == expected
