"""Pareto fronts, against the definition pair by pair and fronts in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from analyses import operating_point, pareto_front
from analyses.pareto import undominated
from ensemble import InvalidInput, Status
from tests.analyses.test_operating_points import pair_map, random_map

BOTH = {"power": "max", "constancy": "max"}


def dominates(y, x):
    return all(a >= b for a, b in zip(y, x, strict=True)) and any(
        a > b for a, b in zip(y, x, strict=True)
    )


@given(
    npst.arrays(
        float, st.tuples(st.integers(0, 25), st.integers(2, 4)), elements=st.sampled_from(range(5))
    )
)
def test_the_definition_pair_by_pair(values):
    """Few different values, so that there are many ties."""
    rows = [tuple(row) for row in values]
    expected = {i for i, x in enumerate(rows) if not any(dominates(y, x) for y in rows)}
    found = undominated(values)
    assert set(found.tolist()) == expected
    assert len(found) == len(expected)
    assert (np.diff(values[found, 0]) <= 0).all()


@pytest.mark.parametrize("directions", [("max", "max"), ("max", "min"), ("min", "min")])
@given(seed=st.integers(0, 2**32 - 1))
def test_maps_by_brute_force(directions, seed):
    grid = random_map(seed)
    objectives = dict(zip(BOTH, directions, strict=True))
    front = pareto_front(grid, objectives=objectives)
    signs = [1 if direction == "max" else -1 for direction in directions]
    usable = (np.isfinite(grid.power) & (grid.status == Status.OK)).values
    expected, empty = {}, 0
    for n in range(3):
        points = {
            place: tuple(
                s * grid[name].values[(n, *place)]
                for s, name in zip(signs, objectives, strict=True)
            )
            for place in np.ndindex(usable.shape[1:])
            if usable[(n, *place)]
        }
        on_it = [p for p, x in points.items() if not any(dominates(y, x) for y in points.values())]
        empty += not on_it
        expected |= {(n, *place): (len(points), len(on_it)) for place in on_it}
    labels = {
        (grid.N.values[n], grid.delta_E.values[i], grid.T_mean.values[j]): counts
        for (n, i, j), counts in expected.items()
    }
    found = zip(front.N.values, front.delta_E.values, front.T_mean.values, strict=True)
    counts = zip(front.n_points.values, front.n_on_front.values, strict=True)
    assert dict(zip(found, counts, strict=True)) == labels
    assert (front.n_left_out == 20 - front.n_points).all()
    assert front.power.attrs["n_empty"] == empty
    for point in range(front.sizes["front"]):
        at = front.isel(front=point)
        original = grid.sel(N=at.N, delta_E=at.delta_E, T_mean=at.T_mean)
        assert (at.power, at.constancy) == (original.power, original.constancy)


class TestClosedForms:
    def test_a_quarter_circle(self):
        """x² + y² ≤ 1 on a grid: the top of each column that no later column reaches."""
        x = np.linspace(0.1, 1, 10)
        grid = xr.Dataset(coords={"a": x, "b": x})
        inside = grid.a**2 + grid.b**2 <= 1 + 1e-12
        grid = grid.assign(f=grid.a.where(inside), g=grid.b.where(inside))
        front = pareto_front(grid, objectives={"f": "max", "g": "max"}, dims=["a", "b"])
        tops = {a: max((b for b in x if a * a + b * b <= 1 + 1e-12), default=None) for a in x}
        expected = [
            (a, b)
            for a, b in tops.items()
            if b is not None and not any(c > a and (tops[c] or 0) >= b for c in x)
        ]
        found = zip(front.a.values, front.b.values, strict=True)
        np.testing.assert_array_equal(sorted(found), sorted(expected))
        assert (front.n_left_out == (~inside).sum()).all()

    def test_a_single_pair_between_maximum_power_and_carnot(self):
        """P has one maximum in ΔE, η rises with ΔE: the front is all between it and Carnot."""
        grid = pair_map(np.linspace(0.5, 12.5, 25), [12.0])
        front = pareto_front(grid, objectives={"power": "max", "efficiency": "max"})
        best = operating_point(grid)
        spacings = grid.delta_E.values
        expected = spacings[(spacings >= float(best.best_delta_E)) & (spacings < 10.0)]
        np.testing.assert_array_equal(front.delta_E, expected)
        assert front.power[0] == best.power
        assert (front.T_mean == 12).all()
        assert (front.n_points == (grid.power > 0).sum()).all()
        np.testing.assert_allclose(front.delta_E_above - front.delta_E, 0.5)
        assert not front.at_edge.any()

    def test_each_size_has_a_front_of_its_own(self):
        grid = random_map(5)
        together = pareto_front(grid, objectives=BOTH)
        for n in grid.N.values:
            alone = pareto_front(grid.sel(N=n), objectives=BOTH)
            part = together.isel(front=np.flatnonzero(n == together.N))
            np.testing.assert_array_equal(part.power, alone.power)
            np.testing.assert_array_equal(part.T_mean, alone.T_mean)
        across = pareto_front(grid, objectives=BOTH, dims=["N", "delta_E", "T_mean"])
        assert set(across.power.values) <= set(together.power.values)
        assert (across.n_points == across.n_points[0]).all()


def test_an_empty_map_has_an_empty_front():
    grid = random_map(6)
    grid["status"] = xr.full_like(grid.status, int(Status.FAILED))
    front = pareto_front(grid, objectives=BOTH)
    assert front.sizes["front"] == 0
    assert front.power.attrs["n_empty"] == 3


def test_lazy_data_are_computed_and_nothing_is_changed():
    grid = random_map(7)
    before = grid.copy(deep=True)
    front = pareto_front(grid.chunk(N=1, delta_E=2), objectives=BOTH)
    xr.testing.assert_identical(front.compute(), pareto_front(grid, objectives=BOTH))
    xr.testing.assert_identical(grid, before)


def test_what_is_wrong_is_told():
    grid = random_map(8)
    for options, match in (
        ({"objectives": {"power": "max"}}, r"two objectives or more, but has 1: for a single one"),
        (
            {"objectives": BOTH | {"power": "up"}},
            r"must be 'max' or 'min', but is 'up': choose one",
        ),
        ({"objectives": BOTH | {"powr": "max"}}, r"no variable 'powr': did you mean 'power'\?$"),
        ({"objectives": BOTH, "dims": ["x"]}, r"no dimension 'x'"),
        ({}, r"no variable 'efficiency'"),
    ):
        with pytest.raises(InvalidInput, match=match):
            pareto_front(grid, **options)
