"""Queries by label: what matches, what does not, and what a miss says."""

from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from catalog.heat_engine.terms import NAMES
from catalog.names.ranges import range_labels
from catalog.names.select import select
from tests.catalog.samples import sample
from tests.catalog.support import refused

SCATTERED = xr.Dataset(
    {"power": ("point", [1.0, 2.0, 3.0, 4.0])},
    {
        "delta_E": ("point", [5.0, 1.0, 3.0, 1.0], NAMES["delta_E"].attributes()),
        "T_mean": ("point", [1.0, 2.0, 3.0, 4.0], NAMES["T_mean"].attributes()),
        "N": 4,
    },
)


def test_names_and_symbols_find_the_same():
    ds = sample()
    expected = ds.sel(N=2, delta_E=125.0, T_mean=60.0)
    for query in ({"N": 2, "ΔE": 125, "T̄": 60}, {"N": 2.0, "delta_E": 125.0, "T̄": 60.0}):
        xr.testing.assert_identical(select(ds, query), expected)
    xr.testing.assert_identical(select(ds, {"ΔE": 125}, N=2, T_mean=60), expected)


@given(
    value=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    error=st.floats(-9e-10, 9e-10),
)
def test_labels_match_despite_rounding(value, error):
    ds = xr.Dataset(coords={"delta_E": sorted([0.0, value])})
    assert float(select(ds, delta_E=value * (1 + error)).delta_E) == value


def test_a_sum_finds_its_decimal():
    mean = xr.Variable("T_mean", [0.1 + 0.2, 0.7], NAMES["T_mean"].attributes())
    ds = xr.Dataset(coords={"delta_E": [0.1, 0.3], "T_mean": mean})
    assert float(select(ds, delta_E=0.1 + 0.2).delta_E) == 0.3
    assert select(ds, {"T̄": 0.3}).T_mean.item() == 0.1 + 0.2
    assert select(ds, {"T̄": slice(0.3, 0.3)}).T_mean.values.tolist() == [0.1 + 0.2]


@pytest.mark.parametrize("zero", [0.0, 5.5e-17, -1.1e-16])
def test_what_rounding_left_of_zero_is_found_as_zero(zero):
    ds = xr.Dataset(coords={"mu_1": [-0.2, zero, 0.2]})
    for asked in (0, 1e-16, [0], xr.DataArray([0], dims="x")):
        assert np.ravel(select(ds, mu_1=asked).mu_1).tolist() == [zero]
    assert select(ds, mu_1=slice(0, 0.2)).mu_1.values.tolist() == [zero, 0.2]
    with refused('"nearest"'):
        select(ds, mu_1=1e-9)


def test_ranges_of_numpy_are_found_in_ranges_of_a_file():
    labels = range_labels("T_mean", {"start": 0.1, "stop": 1.3, "num": 13})
    ds = xr.Dataset(coords={"T_mean": labels})
    assert labels != np.linspace(0.1, 1.3, 13).tolist()
    assert select(ds, T_mean=np.linspace(0.1, 1.3, 13)).T_mean.values.tolist() == labels


def test_lists_keep_the_dimension_and_the_order_asked_for():
    found = select(sample(), delta_E=[250, 50], N=(2,))
    assert found.delta_E.values.tolist() == [250, 50]
    assert found.N.values.tolist() == [2]


def test_slices_include_their_ends_and_count_labels():
    ds = sample()
    assert select(ds, delta_E=slice(50, 125)).delta_E.values.tolist() == [50, 125]
    assert select(ds, delta_E=slice(51, None)).delta_E.values.tolist() == [125, 250]
    assert select(ds, delta_E=slice(None, None, 2)).delta_E.values.tolist() == [50, 250]
    with refused("choose from 50 to 250"):
        select(ds, delta_E=slice(60, 70))
    with refused("or none"):
        select(ds, delta_E=slice(None, None, -1))


def test_arrays_that_share_a_dimension_pick_points():
    ds = sample()
    picked = select(
        ds,
        delta_E=xr.DataArray([250, 50], dims="path"),
        T_mean=xr.DataArray([60, 100], dims="path"),
    )
    expected = [ds.power.sel(delta_E=250, T_mean=60), ds.power.sel(delta_E=50, T_mean=100)]
    np.testing.assert_array_equal(
        picked.power.transpose("path", "N").values, [item.values for item in expected]
    )


def test_the_nearest_label_within_a_distance():
    ds = sample()
    assert select(ds, delta_E=100, method="nearest").delta_E == 125
    assert select(ds, delta_E=130, method="nearest", tolerance=5).delta_E == 125
    with refused("raise the tolerance of 4"):
        select(ds, delta_E=130, method="nearest", tolerance=4)
    both = select(
        ds,
        {"ΔE": 130, "T̄": 70},
        method={"ΔE": "nearest", "T̄": "nearest"},
        tolerance={"ΔE": 5, "T̄": 10},
    )
    assert (both.delta_E, both.T_mean) == (125, 60)


def test_the_nearest_N_is_asked_for_by_name():
    ds = sample()
    with refused(r'method=\{"N": "nearest"\}'):
        select(ds, N=3, delta_E=100, method="nearest")
    assert select(ds, N=3, method={"N": "nearest"}).N == 2


@pytest.mark.parametrize(
    ("label", "near"), [(120, "50 and 125"), (1, "50"), (1000.5, "250"), (125.001, "125 and 250")]
)
def test_a_miss_names_the_nearest_labels(label, near):
    with refused(rf'there is no delta_E = {label} \(nearest: {near}\): .* method="nearest"'):
        select(sample(), delta_E=label)


def test_a_fixed_parameter_must_equal_what_is_asked_for():
    ds = sample()
    for value in (100, 100 * (1 + 1e-10), [90, 100], slice(90, 110)):
        xr.testing.assert_identical(select(ds, {"E₁": value}), ds)
    xr.testing.assert_identical(select(ds, E_1=101, method="nearest", tolerance=2), ds)
    with refused("E_1 is 100 throughout, not 101: leave E_1 out"):
        select(ds, E_1=101)
    with refused("leave E_1 out"):
        select(ds, E_1=101, method="nearest")
    with refused("choose from 100 to 100"):
        select(ds, E_1=slice(101, None))


def test_scattered_points_that_share_a_label_all_match():
    assert select(SCATTERED, delta_E=1).power.values.tolist() == [2, 4]
    assert select(SCATTERED, delta_E=[1, 5]).power.values.tolist() == [1, 2, 4]
    assert select(SCATTERED, delta_E=slice(2, None)).power.values.tolist() == [1, 3]
    assert select(SCATTERED, delta_E=1.4, method="nearest").power.values.tolist() == [2, 4]
    assert select(SCATTERED, {"ΔE": 1, "T̄": 4}, N=4).power.values.tolist() == [4]
    with refused('"nearest"'):
        select(SCATTERED, {"ΔE": 1, "T̄": 3})


@pytest.mark.parametrize(
    ("query", "options", "remedy"),
    [
        ({"deltaE": 1}, {}, r"did you mean 'delta_E'\?"),
        ({"xyzzy": 0}, {}, "choose from .*"),
        ({"ΔE": 50}, {"delta_E": 50}, "keep one"),
        ({"N": 1.5}, {}, "use N = 1, 2, 3, …"),
        ({"N": "all"}, {}, "give e.g. N = 1"),
        ({"ΔE": float("nan")}, {}, "give e.g. delta_E = 1"),
        ({"N": 1}, {"method": "ffill"}, "or leave it out"),
        ({"N": 1}, {"method": {"T̄": "nearest"}}, "remove it there"),
        ({"N": 1}, {"tolerance": 1.0}, 'add method="nearest"'),
    ],
)
def test_bad_queries_are_refused_in_one_line(query, options, remedy):
    with refused(remedy):
        select(sample(), query, **options)


def test_nothing_is_computed():
    ds = sample(lazy=True)
    with dask.config.set(scheduler=_refuse):
        found = select(ds, {"ΔE": 125, "N": [1], "T̄": slice(60, 100)})
    assert found.power.chunks is not None


def _refuse(*args: object, **kwargs: object) -> None:
    raise AssertionError("computed")
