"""Operating points, against brute force, a parabola and the single pair's optimum by scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from analyses import efficiency_at_maximum_power, operating_point
from ensemble import Engine, InvalidInput, Status
from ensemble.closed_forms.single_pair import single_pair_power
from tests.analyses.conftest import no_computing

FIXED = {"E_1": 1.0, "delta_T": 20.0, "omega_0": 0.006, "Gamma_0": 0.001}


def single_pair(delta_E, T_mean):
    return single_pair_power(Engine(N=1, delta_E=delta_E, T_mean=T_mean, **FIXED))


def pair_map(spacings, temperatures):
    """Power and efficiency of one pair, in closed form."""
    power = [[single_pair(spacing, T) for T in temperatures] for spacing in spacings]
    grid = xr.Dataset(
        {"power": (("delta_E", "T_mean"), power, {"units": "E_1^2"})},
        {
            "delta_E": ("delta_E", spacings, {"units": "E_1"}),
            "T_mean": ("T_mean", temperatures, {"units": "E_1"}),
        }
        | FIXED,
    )
    engine = grid.power > 0
    return grid.assign(
        efficiency=(grid.delta_E / (1 + grid.delta_E)).where(engine),
        status=xr.full_like(grid.power, int(Status.OK), dtype=np.uint8),
    )


def random_map(seed, shape=(3, 4, 5)):
    rng = np.random.default_rng(seed)
    axes = {"N": np.arange(1, shape[0] + 1), "delta_E": 1.0 + np.arange(shape[1]) ** 2}
    axes["T_mean"] = 2.0 + np.cumsum(rng.random(shape[2]))
    dims = ("N", "delta_E", "T_mean")
    power = rng.normal(size=shape)
    power[rng.random(shape) < 0.2] = np.nan
    status = np.where(rng.random(shape) < 0.3, int(Status.UNCERTIFIED), int(Status.OK))
    return xr.Dataset(
        {
            "power": (dims, power),
            "constancy": (dims, rng.random(shape)),
            "status": (dims, status.astype(np.uint8)),
        },
        axes,
    )


@given(st.integers(0, 2**32 - 1))
def test_brute_force(seed):
    grid = random_map(seed)
    found = operating_point(grid)
    usable = (np.isfinite(grid.power) & (grid.status == Status.OK)).values
    shape = usable.shape[1:]
    for n in range(3):
        at = found.isel(N=n)
        places = [place for place in np.ndindex(shape) if usable[(n, *place)]]
        assert (at.n_points, at.n_left_out) == (len(places), np.prod(shape) - len(places))
        if not places:
            assert np.isnan([at.power, at.constancy, at.best_delta_E, at.T_mean_above]).all()
            continue
        i, j = max(places, key=lambda place: grid.power.values[(n, *place)])
        assert at.power == grid.power[n, i, j]
        assert at.constancy == grid.constancy[n, i, j]
        assert (at.best_delta_E, at.best_T_mean) == (grid.delta_E[i], grid.T_mean[j])
        assert at.at_edge == (i in (0, shape[0] - 1) or j in (0, shape[1] - 1))
        around = [
            (a, b)
            for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1))
            if 0 <= a < shape[0] and 0 <= b < shape[1]
        ]
        seen = [grid.power.values[n, a, b] for a, b in around if usable[n, a, b]]
        assert at.n_neighbours_left_out == len(around) - len(seen)
        fall = float(at.power) - min(seen) if seen else np.nan
        np.testing.assert_allclose(at.fall_to_neighbours, fall)
        for dim, place in (("delta_E", i), ("T_mean", j)):
            padded = [np.nan, *grid[dim].values, np.nan]
            np.testing.assert_array_equal(at[f"{dim}_below"], padded[place])
            np.testing.assert_array_equal(at[f"{dim}_above"], padded[place + 2])


class TestSinglePair:
    def test_maximum_power_by_scipy(self):
        """At T̄ = 12 the optimum over ΔE lies between the neighbours, and an eighth bounds it."""
        best = minimize(lambda x: -single_pair(x[0], 12.0), [3.0], tol=1e-14, method="Nelder-Mead")
        for count in (15, 29, 57):
            grid = pair_map(np.linspace(0.5, 9.5, count), [12.0]).isel(T_mean=0)
            found = operating_point(grid, dims=["delta_E"])
            assert found.delta_E_below < best.x[0] < found.delta_E_above
            assert not found.at_edge
            excess = -best.fun - float(found.power)
            # The parabola's bound, with a tenth for the third derivative.
            assert 0 <= excess <= 1.1 * float(found.fall_to_neighbours) / 8

    def test_efficiency_at_maximum_power(self):
        grid = pair_map(np.linspace(0.5, 9.5, 181), [12.0, 14.0])
        found = efficiency_at_maximum_power(grid, dims=["delta_E"])
        for T in (12.0, 14.0):
            at = found.sel(T_mean=T)
            best = minimize(lambda x, T=T: -single_pair(x[0], T), [3.0], method="Nelder-Mead")
            expected = best.x[0] / (1 + best.x[0])
            step = 0.05 / (1 + best.x[0]) ** 2  # of η from one label to the next
            assert float(at.efficiency) == pytest.approx(expected, abs=1.1 * step)
            T_1, T_2 = T - 10, T + 10
            assert float(at.carnot_efficiency) == pytest.approx(1 - T_1 / T_2)
            assert float(at.curzon_ahlborn_efficiency) == pytest.approx(1 - (T_1 / T_2) ** 0.5)
            assert at.efficiency < at.carnot_efficiency

    def test_temperatures_may_be_searched_over(self):
        grid = pair_map(np.linspace(0.5, 9.5, 19), np.array([10.5, 11.0, 12.0]))
        found = efficiency_at_maximum_power(grid)
        T = float(found.best_T_mean)
        assert float(found.carnot_efficiency) == pytest.approx(20 / (T + 10))

    def test_coordinates_that_follow_from_the_labels(self):
        """T₁ may be the axis: T̄ then varies along it, and η_C is a coordinate already."""
        temperatures = np.array([10.5, 11.0, 12.0])
        grid = pair_map(np.linspace(0.5, 9.5, 19), temperatures)
        along = grid.assign_coords(
            T_1=("T_mean", temperatures - 10), carnot_efficiency=20 / (grid.T_mean + 10)
        )
        by_cold = along.swap_dims(T_mean="T_1")
        found = efficiency_at_maximum_power(by_cold, dims=["delta_E", "T_1"])
        expected = efficiency_at_maximum_power(grid)
        assert found.best_T_mean == expected.best_T_mean == found.best_T_1 + 10
        assert found.carnot_efficiency == expected.carnot_efficiency
        assert found.best_carnot_efficiency == pytest.approx(float(found.carnot_efficiency))
        fixed = efficiency_at_maximum_power(along.sel(T_mean=12.0), dims=["delta_E"])
        assert float(fixed.carnot_efficiency) == pytest.approx(20 / 22)

    def test_maximum_efficiency_is_the_last_engine_before_carnot(self):
        grid = pair_map(np.linspace(0.5, 19.5, 39), [12.0])
        found = operating_point(grid, of="efficiency", dims=["delta_E"]).isel(T_mean=0)
        carnot = 20.0 / 2.0  # E₁ ΔT/T₁
        assert found.best_delta_E < carnot <= found.delta_E_above
        assert found.n_left_out == (grid.power <= 0).sum()

    def test_refrigerators_alone_have_no_efficiency(self):
        found = efficiency_at_maximum_power(pair_map([30.0, 40.0], [15.0, 16.0]))
        assert found.power < 0
        names = ("efficiency", "carnot_efficiency", "curzon_ahlborn_efficiency")
        assert np.isnan([found[name] for name in names]).all()


class TestLabelled:
    def test_attributes(self):
        found = operating_point(pair_map([2.0, 3.0], [12.0, 13.0]))
        assert found.power.attrs["units"] == found.fall_to_neighbours.attrs["units"] == "E_1^2"
        assert found.best_delta_E.attrs["units"] == found.T_mean_above.attrs["units"] == "E_1"
        for array in found.values():
            assert array.attrs["maximised"] == "power"
            assert array.attrs["among"] == "points of status ok"
        bare = operating_point(pair_map([2.0, 3.0], [12.0, 13.0]).drop_vars("status"))
        assert bare.power.attrs["among"] == "all points: the dataset has no status"

    def test_a_dimension_of_one_label_is_no_edge(self):
        grid = pair_map(np.linspace(0.5, 9.5, 19), [12.0])
        assert not operating_point(grid).at_edge

    def test_lazy_and_pure(self):
        grid = random_map(1)
        before = grid.copy(deep=True)
        with no_computing():
            found = operating_point(grid.chunk(N=1, delta_E=2, T_mean=2))
        assert all(array.chunks is not None for array in found.values())
        xr.testing.assert_identical(found.compute(), operating_point(grid))
        xr.testing.assert_identical(grid, before)

    def test_any_order_of_dimensions(self):
        grid = random_map(2)
        for order in itertools.permutations(("N", "delta_E", "T_mean")):
            found = operating_point(grid.transpose(*order))
            xr.testing.assert_identical(found, operating_point(grid))

    def test_what_is_wrong_is_told(self):
        grid = random_map(3)
        for options, match in (
            ({"of": "powr"}, r"no variable 'powr': did you mean 'power'\?$"),
            ({"report": ["eta"]}, r"no variable 'eta'"),
            ({"dims": ["omega_0"]}, r"no dimension 'omega_0'"),
            ({"dims": []}, r"names no dimension: give those of the map"),
        ):
            with pytest.raises(InvalidInput, match=match):
                operating_point(grid, **options)
        with pytest.raises(InvalidInput, match=r"takes a Dataset, not DataArray"):
            operating_point(grid.power)
        with pytest.raises(InvalidInput, match=r"power has no dimension 'delta_E': it is the same"):
            operating_point(grid.assign(power=grid.power.isel(delta_E=0, drop=True)))
        with pytest.raises(InvalidInput, match=r"positive and strictly increasing"):
            operating_point(grid.isel(T_mean=slice(None, None, -1)))
        with pytest.raises(InvalidInput, match=r"no variable 'efficiency'"):
            efficiency_at_maximum_power(grid)
