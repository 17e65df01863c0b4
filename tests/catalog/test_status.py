"""A status after xarray's operations: NaN means "not computed" for everything that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import heatcat  # noqa: F401 (registers Dataset.heatcat)
from catalog.heat_engine.terms import NAMES
from catalog.names.fills import restored
from catalog.names.select import select
from catalog.names.status import code_of, codes_of, has_status, status_codes, status_labels
from catalog.names.where import where_expression
from catalog.reading.export import export
from catalog.reading.table import table
from ensemble import InvalidInput, Status
from heatcat.browser.drawn.slices import load_slice
from heatcat.browser.panels.point import as_html, load_point
from heatcat.browser.shown.picture import picture_of
from heatcat.browser.shown.plane import load_plane
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source
from tests.analyses.conftest import no_computing
from tests.catalog.samples import sample
from tests.catalog.support import refused

Operation = Callable[[xr.Dataset], xr.Dataset]


def elsewhere(ds: xr.Dataset) -> xr.Dataset:
    """The same values at N = 4 and 8."""
    return ds.assign_coords(N=[4, 8])


def reindexed(ds: xr.Dataset) -> xr.Dataset:
    return ds.reindex(N=[1, 2, 3])


def masked(ds: xr.Dataset) -> xr.Dataset:
    return ds.where(ds.N == 1)


def merged(ds: xr.Dataset) -> xr.Dataset:
    parts = [ds.sel(N=[1]), ds.sel(N=[2], T_mean=[60.0])]
    return xr.merge(parts, join="outer", compat="no_conflicts")


def combined(ds: xr.Dataset) -> xr.Dataset:
    return ds.sel(T_mean=[60.0]).combine_first(elsewhere(ds).sel(T_mean=[100.0]))


def aligned(ds: xr.Dataset) -> xr.Dataset:
    return xr.align(ds, elsewhere(ds), join="outer")[0]


def concatenated(ds: xr.Dataset) -> xr.Dataset:
    return xr.concat([ds, elsewhere(ds).sel(T_mean=[60.0])], "N", join="outer")


def by_coords(ds: xr.Dataset) -> xr.Dataset:
    parts = [ds.sel(N=[1]), elsewhere(ds).sel(T_mean=[60.0])]
    return xr.combine_by_coords(parts, join="outer")


def shifted(ds: xr.Dataset) -> xr.Dataset:
    return ds.shift(delta_E=1)


COMPUTED: dict[Operation, int] = {
    reindexed: 10,
    masked: 6,
    merged: 6 + 3,
    combined: 6 + 4,
    aligned: 10,
    concatenated: 10 + 6,
    by_coords: 6 + 6,
    shifted: 6,
}
"""Computed points after each operation: 10 of 12 before, and the two holes at N = 2, T̄ = 100."""


@pytest.fixture(params=[False, True], ids=["memory", "lazy"])
def ds(request) -> xr.Dataset:
    """The sample, whose texts are objects as in a Dataset of a sweep."""
    ds = sample()[["power", "constancy", "coherence_order", "error", "solver", "run", "status"]]
    ds = ds.assign({name: ds[name].astype(object) for name in ("error", "solver")})
    return ds.chunk({"N": 1, "delta_E": 2}) if request.param else ds


@pytest.mark.parametrize("operation", COMPUTED)
def test_codes_labels_and_masks_after_an_operation(ds, operation):
    found, expected = operation(ds), COMPUTED[operation]
    assert found.status.dtype.kind == "f"
    codes = status_codes(found)
    assert codes.dtype == np.uint8
    assert codes.attrs == found.status.attrs
    assert int((codes != Status.NOT_COMPUTED).sum()) == expected
    assert int((status_labels(found) != "not computed").sum()) == expected
    assert int((~has_status(found, "not_computed")).sum()) == expected
    assert int(found.heatcat.ok.sum()) == int((found.status == Status.OK).sum())
    assert int(found.heatcat.status("failed", "uncertified").sum()) == int((found.status > 1).sum())
    assert int((found.heatcat.status_labels() == "ok").sum()) == int(found.heatcat.ok.sum())


@pytest.mark.parametrize("operation", COMPUTED)
def test_tables_and_exports_after_an_operation(tmp_path, ds, operation):
    found, expected = operation(ds), COMPUTED[operation]
    size = found.status.size
    frame = table(found)
    assert len(frame) == expected
    assert "not computed" not in set(frame.status)
    assert (frame.status == "ok").sum() == int((found.status == Status.OK).sum())
    assert frame.dtypes[["run", "coherence_order", "error"]].tolist() == ["int32", "int16", "str"]
    assert not frame[["error", "solver"]].isna().any(axis=None)

    everything = table(found, computed_only=False)
    assert (everything.status == "not computed").sum() == size - expected
    holes = everything[everything.status == "not computed"]
    assert set(holes.run) == {-1}
    assert set(holes.error) == {""}

    for suffix in (".csv", ".parquet", ".nc"):
        written = export(found, tmp_path / f"x{suffix}")
        assert (written.points, written.not_computed) == (expected, size - expected), suffix
    assert len(pd.read_csv(tmp_path / "x.csv")) == expected
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), frame)
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        assert (back.status.dtype, back.run.dtype) == (np.uint8, np.int32)
        assert int((back.status == Status.NOT_COMPUTED).sum()) == size - expected
        assert set(back.error.values.ravel()) == set(everything.error)
        pd.testing.assert_frame_equal(table(back), frame)


@pytest.mark.parametrize("operation", COMPUTED)
def test_conditions_in_words_after_an_operation(ds, operation):
    found, expected = operation(ds), COMPUTED[operation]

    def number(words: str) -> int:
        return int(where_expression(found, words).sum())

    assert number("status == 'ok'") == int((found.status == Status.OK).sum())
    assert number("status != 'not computed'") == expected
    assert number("status in ('not_computed',)") == found.status.size - expected
    assert number("error == '' or error != ''") == found.status.size
    assert number("run == -1 or run > 0") == found.status.size
    picked = select(found, {"ΔE": 50})
    assert int(has_status(picked, "ok").sum()) == int((picked.status == Status.OK).sum())


@pytest.mark.parametrize("operation", COMPUTED)
def test_the_browser_after_an_operation(ds, operation):
    found, expected = operation(ds), COMPUTED[operation]
    counts = Source("ds", {"ds": found}).counts("ds")
    assert sum(counts.values()) - counts["not computed"] == expected
    sheet = Sheet("ds", found)
    for N in found.N.values.tolist():
        picture = picture_of(sheet, "power", x="delta_E", y="T_mean", at={"N": N})
        plane = load_plane(sheet, picture)
        assert plane.status.dtype == np.uint8
        assert (plane.status != 0).sum() == int((status_codes(found.sel(N=N)) != 0).sum())
        load_plane(sheet, picture_of(sheet, "status", x="delta_E", y="T_mean", at={"N": N}))
        assert not load_slice(sheet, picture, "N").doubtful[np.isnan(found.N.values)].any()
    hole = np.argwhere(status_codes(found).values == Status.NOT_COMPUTED)[0]
    at = {dim: found[dim].values[i].item() for dim, i in zip(found.status.dims, hole, strict=True)}
    point = load_point(sheet, at)
    assert point.status is Status.NOT_COMPUTED
    assert point.error == ""
    assert "nan" not in as_html(point)


def test_nothing_is_computed_before_it_is_asked_for():
    ds = sample(lazy=True)
    with no_computing():
        found = reindexed(ds.drop_vars(["error", "failure", "solver"]))
        status_codes(found), status_labels(found), has_status(found, "ok")
        where_expression(found, "status == 'ok' and run > 0")


def test_a_table_comes_back_from_pandas():
    """Only the computed points are rows: in the grid that pandas builds the others are NaN."""
    frame = table(sample())
    dims = ["N", "delta_E", "T_mean"]
    back = frame.astype({"status": object, "error": object}).set_index(dims).to_xarray()
    assert back.status.isnull().sum() == 2
    again = table(back)
    assert len(again) == 10
    pd.testing.assert_series_equal(again.status, frame.status)
    assert again.run.dtype == np.int32
    assert int(where_expression(back, "status == 'failed'").sum()) == 1
    assert back.heatcat.status("failed", "uncertified").sum() == 2


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, 9],
        [0.0, 1.0, 0.5],
        [0.0, -1.0, np.inf],
        ["ok", "okay", "failed"],
        [True, False, True],
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_what_is_no_status_is_one_clear_error(tmp_path, values, lazy):
    held = np.array(values)
    ds = xr.Dataset({"power": ("N", np.ones(3)), "status": ("N", held)}, {"N": [1, 2, 4]})
    if lazy:
        ds = ds.chunk(N=1)
    remedy = re.escape("else drop it with drop_vars('status')")
    for read in (
        lambda: status_codes(ds).compute(),
        lambda: ds.heatcat.ok.compute(),
        lambda: table(ds),
        lambda: export(ds, tmp_path / "x.nc"),
        lambda: export(ds, tmp_path / "x.csv"),
        lambda: where_expression(ds, "status == 'ok'").compute(),
    ):
        with refused(remedy):
            read()
    assert list(tmp_path.iterdir()) == []
    assert len(table(ds.drop_vars("status"))) == 3


def test_texts_of_which_nothing_but_nan_is_left(tmp_path):
    """A single element of a lazy array of objects is a bare NaN, a float, once it is computed."""
    ds = reindexed(sample()[["power", "status"]].assign(error=("N", ["a", "b"])).chunk(N=1))
    one = ds.isel(N=2, delta_E=0, T_mean=0).compute()
    assert one.error.dtype == float
    assert table(one, computed_only=False).error.tolist() == [""]
    assert where_expression(one, "error == ''").item()
    export(one, tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        assert back.error.item() == ""


def test_fractions_are_no_whole_numbers():
    ds = xr.Dataset(
        {
            "coherence_order": ("N", [1.0, 1.5], NAMES["coherence_order"].attributes()),
            "status": ("N", [1.0, 1.0]),
        },
        {"N": [1, 2]},
    )
    with refused("or its attributes with drop_attrs.*"):
        table(ds)
    assert table(ds.drop_attrs()).coherence_order.tolist() == [1.0, 1.5]


def test_other_arrays_stay_as_they_are():
    ds = xr.Dataset(
        {"power": ("N", [1.0, np.nan]), "regular": ("N", [True, False]), "count": ("N", [1, 2])},
        {"N": [1, 2]},
    )
    xr.testing.assert_identical(restored(ds), ds)
    assert restored(ds.assign(regular=ds.regular.astype(object))).regular.values.tolist() == [
        "True",
        "False",
    ]


@pytest.mark.parametrize("label", ["okay", "OK ", "", None, 1])
def test_unknown_labels_suggest_the_nearest(label):
    with pytest.raises(InvalidInput, match=r"unknown status .*(did you mean 'ok'|choose from)"):
        code_of(label)
    with refused(r"4 \(failed\)"):
        has_status(sample())
    with refused("when you select variables"):
        status_codes(sample().drop_vars("status"))


def test_codes_keep_their_shape():
    for values in (np.array(1, "u1"), np.array([[np.nan, 4]]), np.empty((0, 2)), np.array("ok")):
        assert codes_of(values).shape == values.shape
    mixed = np.array([None, np.nan, "not computed", "uncertified", 1, 4.0], dtype=object)
    assert codes_of(mixed).tolist() == [0, 0, 0, 2, 1, 4]
    lazy = xr.DataArray(da.from_array(np.array([1.0, np.nan]), chunks=1), dims="N")
    assert status_codes(lazy).chunks == ((1, 1),)
