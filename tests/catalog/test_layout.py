"""Block shapes: parts cover a sweep exactly, no block takes too long, none is too small."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catalog
from catalog.cost.block_shapes import FINER, LONGEST_SECONDS, layout
from catalog.cost.model import WRITE_SECONDS, CostModel
from catalog.heat_engine.methods import METHODS
from catalog.sweeps.cuts import BLOCK_POINTS
from catalog.sweeps.grid import Grid
from catalog.sweeps.sweep import Sweep
from tests.strategies import examples

FIG_7 = {"E_1": 1, "delta_T": 23, "omega_0": 0.006, "Gamma_0": 0.001}
SIZES = [1, 4, 16, 24, 40, 64, 80, 100, 128, 200, 256, 512, 800]


def grid(sizes, delta_E: int = 20, T_mean: int = 12, **changes) -> Sweep:
    arguments = {
        "name": "grid",
        "axes": {
            "N": sizes,
            "delta_E": np.linspace(5, 12, delta_E),
            "T_mean": np.linspace(13, 20, T_mean),
        },
        "fixed": FIG_7,
        "scaling": "high-temperature",
    }
    return Sweep(**{**arguments, **changes})


def longest(grid: Grid) -> np.ndarray:
    """Predicted time of the longest block at each N."""
    work = [(grid, index) for index in grid.block_indices()]
    blocks = CostModel().block_seconds(work).reshape(grid.block_grid)
    return blocks.reshape(grid.block_grid[0], -1).max(axis=1)


@settings(deadline=None, max_examples=examples(20))
@given(
    sizes=st.lists(st.sampled_from(SIZES), min_size=1, unique=True).map(sorted),
    delta_E=st.integers(1, 30),
    T_mean=st.integers(1, 30),
)
def test_parts_cover_the_sweep_once_and_no_block_is_too_long(sizes, delta_E, T_mean):
    sweep = grid(sizes, delta_E, T_mean)
    parts = layout(sweep)
    assert [N for part in parts for N in part.axes["N"]] == sizes
    for part in parts:
        assert part.blocks["N"] == 1
        assert {**part.axes, "N": None} == {**sweep.axes, "N": None}
        ignored = {"axes": {}, "blocks": {}, "chunks": {}}
        assert {**part.definition(), **ignored} == {**sweep.grid.definition(), **ignored}
        points = math.prod(part.blocks.values())
        assert points <= BLOCK_POINTS
        assert points == 1 or (longest(part) <= LONGEST_SECONDS + WRITE_SECONDS).all()
        assert layout(sweep.replace(axes=part.axes)) == [part]
    sizes_of_blocks = [math.prod(part.blocks.values()) for part in parts]
    assert sizes_of_blocks == sorted(sizes_of_blocks, reverse=True)
    assert len(parts) <= 5


def test_parts_of_large_sizes_have_blocks_of_ten_seconds_to_a_minute():
    parts = layout(grid([1, 64, 100, 128, 200, 256], 20, 20))
    assert len(parts) > 2
    for part in parts[1:]:
        times = longest(part)
        assert times.max() > LONGEST_SECONDS / FINER / 2  # shapes are halved until they fit
        assert times.max() < LONGEST_SECONDS + WRITE_SECONDS


def test_small_sizes_are_one_part_in_blocks_of_at_least_64_points():
    for sweep in (grid(range(1, 41), 20, 20), catalog.presets()["fig2-quick"]):
        assert layout(sweep) == [sweep.grid]
        assert 64 <= math.prod(sweep.grid.blocks.values()) <= BLOCK_POINTS


def test_writing_costs_at_most_a_millisecond_a_point_at_small_sizes():
    for part in layout(grid(SIZES, 20, 20)):
        points = math.prod(part.blocks.values())
        seconds = longest(part) - WRITE_SECONDS
        assert ((points * 1e-3 >= WRITE_SECONDS) | (seconds >= 100 * WRITE_SECONDS)).all()


@pytest.mark.parametrize("name", catalog.presets())
def test_presets_keep_their_definition(name):
    """Stores of the figures that are there already are still theirs."""
    sweep = catalog.presets()[name]
    (part,) = layout(sweep)
    assert part is sweep.grid


def test_given_blocks_are_kept():
    for blocks in ({"delta_E": 20, "T_mean": 12}, {"T_mean": 4}):
        sweep = grid([1, 512], blocks=blocks)
        assert layout(sweep) == [sweep.grid]
        assert blocks.items() <= sweep.grid.blocks.items()


def test_a_stored_grid_is_what_its_definition_says():
    sweep = grid([1, 512])
    for part in [sweep.grid, *layout(sweep)]:
        stored = json.loads(json.dumps(part.definition()))
        again = Grid.from_definition(stored, sweep.model)
        assert (again, again.key) == (part, part.key)


def test_a_new_description_changes_neither_blocks_nor_key():
    sweep = grid([1, 512])
    described = sweep.replace(description="in other words")
    assert described.grid.key == sweep.grid.key
    assert [part.key for part in layout(described)] == [part.key for part in layout(sweep)]


def test_without_an_axis_of_sizes_costly_points_make_smaller_blocks():
    axes = {"omega_0": np.geomspace(0.001, 0.006, 200)}
    fixed = {**FIG_7, "delta_E": 9, "T_mean": 13.5}
    del fixed["omega_0"]
    for N, points in ((24, 100), (128, 25), (256, 7)):
        sweep = Sweep(
            name="drive", axes=axes, fixed={**fixed, "N": N}, scaling="high-temperature"
        )  # fmt: skip
        (part,) = layout(sweep)
        assert part.blocks == {"omega_0": points}
        assert longest(part).max() <= LONGEST_SECONDS + WRITE_SECONDS
    limit = Sweep(
        name="limit", axes=axes, fixed=fixed, scaling="high-temperature",
        method=METHODS["macroscopic"](),
    )  # fmt: skip
    assert layout(limit) == [limit.grid]


def test_scattered_points_are_laid_out_by_their_own_sizes():
    points = {"N": [256, 4] * 60, "delta_E": np.linspace(5, 12, 120)}
    scattered = Sweep(
        name="s", axes={}, points=points, fixed={**FIG_7, "T_mean": 13.5},
        scaling="high-temperature",
    )  # fmt: skip
    (part,) = layout(scattered)
    assert part.points == scattered.points
    assert 1 < part.blocks["point"] < 20
    assert longest(part).max() <= LONGEST_SECONDS + WRITE_SECONDS


def test_a_store_takes_the_parts(tmp_path):
    """Begun in the layout's parts and extended by them; each part has chunks of its own."""
    sweep = grid([1, 2, 256], 20, 12)
    stored = catalog.create_or_open(tmp_path / "s", sweep)
    assert [part.grid for part in stored.parts] == layout(sweep)
    assert len(stored.parts) == 2
    larger = catalog.create_or_open(tmp_path / "s", grid([1, 2, 4, 200, 256], 20, 12))
    shapes = [math.prod(part.blocks.values()) for part in (part.grid for part in larger.parts)]
    assert shapes[0] == shapes[2] > 64 > shapes[3] > 1
    plan = catalog.plan(sweep, larger)
    assert plan.blocks == sum(math.prod(part.block_grid) for part in layout(sweep))
