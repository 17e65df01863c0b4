"""Datasets of several sweeps put together by xarray, and taken elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import catalog
from catalog.names.described import without_derived
from catalog.names.status import has_status
from catalog.reading.export import export
from tests.analyses.conftest import no_computing
from tests.catalog.support import AXES, FIXED, tiny_sweep

SHARED = {"scaling", "method", "energy_unit", "conventions"}
"""Attributes that the sweeps here agree on; title, description and definition are their own."""


def lazy(**changes: object) -> xr.Dataset:
    return catalog.dataset(tiny_sweep(**{"variables": ["power"], **changes}))


def further(**changes: object) -> xr.Dataset:
    """A sweep of other N at one T̄ only."""
    axes = {**AXES, "N": [4, 8], "T_mean": [60.0]}
    return lazy(name="further", description="larger N", axes=axes, **changes)


def combined_by_coords(one: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    return xr.combine_by_coords([one, other], join="outer", combine_attrs="drop_conflicts")


def concatenated(one: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    both = [without_derived(part) for part in (one, other)]  # T₁, η_C, …: see the docs
    return xr.concat(both, "N", join="outer", combine_attrs="drop_conflicts")


def merged(one: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    return xr.merge(
        [one, other], join="outer", compat="no_conflicts", combine_attrs="drop_conflicts"
    )


@pytest.mark.parametrize("compute", [False, True], ids=["lazy", "memory"])
@pytest.mark.parametrize("combine", [combined_by_coords, concatenated, merged])
def test_two_sweeps_of_different_labels_make_one_dataset(tmp_path, combine, compute):
    one, other = lazy(), further()
    if compute:
        one, other = one.compute(), other.compute()
        found = combine(one, other)
    elif combine is merged:  # xarray looks into the values, to compare them
        found = combine(one, other)
    else:
        with no_computing():
            found = combine(one, other)
    assert found.N.values.tolist() == [1, 2, 4, 8]
    assert {*found.attrs} == SHARED
    assert {name: found[name].item() for name in FIXED} == FIXED
    for suffix in (".nc", ".csv", ".parquet"):
        written = export(found, tmp_path / f"x{suffix}")
        assert (written.points, written.not_computed) == (12 + 6, 6)
    frame = pd.read_parquet(tmp_path / "x.parquet")
    for part in (one, other):
        for row in catalog.table(part).to_dict("records"):
            there = frame[(frame[["N", "delta_E", "T_mean"]] == _labels(row)).all(axis=1)]
            assert there.power.tolist() == [row["power"]]
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        np.testing.assert_array_equal(back.power, found.power)
        assert int(has_status(back, "ok").sum()) == 18
        again = catalog.table(back)
        assert again.drop(columns="wall_time").equals(frame.drop(columns="wall_time"))


def _labels(row: dict) -> list[float]:
    return [row[name] for name in ("N", "delta_E", "T_mean")]


def test_sweeps_that_differ_in_a_fixed_parameter_get_a_dimension_for_it(tmp_path):
    other = lazy(name="strong", fixed={**FIXED, "omega_0": 2.0})
    found = xr.concat([lazy(), other], "omega_0", combine_attrs="drop_conflicts")
    assert found.omega_0.values.tolist() == [1.0, 2.0]
    assert export(found, tmp_path / "x.csv").points == 24
    frame = pd.read_csv(tmp_path / "x.csv")
    assert frame.groupby("omega_0").size().to_dict() == {1.0: 12, 2.0: 12}
    assert float(found.power.sel(omega_0=2.0, N=2, delta_E=50.0, T_mean=60.0)) == pytest.approx(
        float(other.power.sel(N=2, delta_E=50.0, T_mean=60.0)), rel=1e-14
    )


def test_xarray_asks_what_to_do_with_the_definitions_of_two_sweeps():
    """By default it keeps none, and stops: a Dataset of two sweeps has no single definition."""
    with pytest.raises(xr.MergeError, match="combine_attrs='no_conflicts'"):
        xr.combine_by_coords([lazy(), further()], join="outer")


def test_what_one_sweep_has_computed_fills_the_holes_of_another(tmp_path):
    catalog.dataset(tiny_sweep(variables=["power"]), tmp_path / "s.zarr").sel(N=1).compute()
    stored = catalog.open(tmp_path / "s.zarr")["tiny"].dataset()
    assert catalog.table(stored).N.unique().tolist() == [1]
    second = further().compute()
    found = stored.where(has_status(stored, "ok")).combine_first(second)
    assert sorted(catalog.table(found).N.unique()) == [1, 4, 8]
    assert len(catalog.table(found)) == 6 + 6
