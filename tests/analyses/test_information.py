"""Rank correlation of mutual information and power: against SciPy, by mode, ties and holes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.stats import spearmanr

from analyses.information import MODES, information_rank_correlation
from ensemble import InvalidInput
from tests.analyses.conftest import no_computing

SHAPE = (6, 7)
values = npst.arrays(float, SHAPE, elements=st.floats(-1e3, 1e3).map(lambda x: round(x, 1)))


def as_map(data, name="power"):
    coords = {"delta_E": np.arange(1.0, 7), "T_mean": np.arange(11.0, 18), "E_1": 1.0}
    return xr.DataArray(data, coords=coords, dims=("delta_E", "T_mean"), name=name)


@pytest.fixture
def maps():
    rng = np.random.default_rng(8)
    power = as_map(rng.normal(size=SHAPE))
    return as_map(np.abs(power.values) + rng.random(SHAPE), "mutual_information"), power


@given(power=values, information=values)
def test_against_scipy(power, information):
    found = information_rank_correlation(as_map(np.abs(information)), as_map(power))
    for mode, chosen in zip(MODES, (power == power, power > 0, power < 0), strict=True):
        x, y = np.abs(information[chosen]), np.abs(power[chosen])
        rank = found.rank_correlation.sel(mode=mode).item()
        assert found.n_points.sel(mode=mode) == chosen.sum()
        if chosen.sum() < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            assert np.isnan(rank)
        else:
            assert rank == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("function", [np.square, np.log1p, lambda x: x**0.1])
def test_any_increasing_function_has_correlation_one(maps, function):
    _, power = maps
    found = information_rank_correlation(function(np.abs(power)), power)
    np.testing.assert_allclose(found.rank_correlation, 1.0, rtol=1e-14)
    falling = information_rank_correlation(-function(np.abs(power)), power)
    np.testing.assert_allclose(falling.rank_correlation, -1.0, rtol=1e-14)


def test_the_modes_can_disagree():
    power = as_map(np.arange(-20.0, 22.0).reshape(SHAPE))
    found = information_rank_correlation(xr.where(power > 0, power, -1 / (power - 1)), power)
    np.testing.assert_allclose(found.rank_correlation.sel(mode=["engine", "refrigerator"]), [1, -1])
    assert abs(found.rank_correlation.sel(mode="all")) < 1


def test_holes_on_either_side_are_left_out(maps):
    information, power = maps
    pierced = information_rank_correlation(
        information.where(information.delta_E != 2), power.where(power.T_mean != 12)
    )
    rest = information_rank_correlation(
        *(data.sel(delta_E=[1, 3, 4, 5, 6]).drop_sel(T_mean=12) for data in maps)
    )
    xr.testing.assert_allclose(pierced, rest)


def test_other_dimensions_and_their_order(maps):
    information, power = maps
    stacked = xr.concat([information, -information], xr.Variable("case", ["up", "down"]))
    found = information_rank_correlation(stacked, power.expand_dims(case=["up", "down"]).T)
    assert set(found.rank_correlation.dims) == {"case", "mode"}
    xr.testing.assert_allclose(
        found.sel(case="up", drop=True), information_rank_correlation(information, power)
    )
    rows = information_rank_correlation(information, power, dims=["T_mean"])
    assert rows.sizes == {"delta_E": 6, "mode": 3}
    expected = spearmanr(information[2], np.abs(power[2])).statistic
    assert rows.rank_correlation.sel(mode="all")[2] == pytest.approx(expected)


def test_what_does_not_match_is_refused(maps):
    information, power = maps
    with pytest.raises(InvalidInput, match=r"takes a DataArray, not Dataset: select one variable"):
        information_rank_correlation(information, power.to_dataset())
    with pytest.raises(InvalidInput, match=r"no dimension 'T_mea': did you mean 'T_mean'\?$"):
        information_rank_correlation(information, power, dims=["T_mea"])
    with pytest.raises(InvalidInput, match=r"different dimensions: select both from one dataset"):
        information_rank_correlation(information.expand_dims(case=2), power)
    with pytest.raises(InvalidInput, match=r"different labels: select both from one dataset"):
        information_rank_correlation(information, power.isel(T_mean=slice(1, None)))


def test_labels_lazy_and_pure(maps):
    before = [data.copy(deep=True) for data in maps]
    with no_computing():
        found = information_rank_correlation(*(data.chunk(delta_E=2, T_mean=3) for data in maps))
    assert found.rank_correlation.chunks is not None
    assert found.rank_correlation.attrs["units"] == "1"
    assert found.rank_correlation.attrs["dims"] == "delta_E, T_mean"
    assert (found.mode.values.tolist(), found.E_1.item()) == (list(MODES), 1.0)
    xr.testing.assert_identical(found.compute(), information_rank_correlation(*maps))
    for data, kept in zip(maps, before, strict=True):
        xr.testing.assert_identical(data, kept)
