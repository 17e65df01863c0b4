"""Exports of what analyses give, of single arrays and of any Dataset: every label is a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pyarrow import parquet

import analyses
from catalog import dataset, table
from catalog.reading.export import export
from tests.catalog.samples import sample
from tests.catalog.support import refused, tiny_sweep

AXES = {
    "N": [1, 2, 3, 4, 5, 6],
    "delta_E": [60.0, 90.0, 125.0, 160.0],
    "T_mean": [70.0, 90.0, 110.0],
}
INF = np.inf


@pytest.fixture(scope="module")
def lazy() -> xr.Dataset:
    """A lazy sweep that all analyses can be asked of."""
    names = ["power", "constancy", "quanta_noise", "mutual_information", "affinity"]
    return dataset(tiny_sweep(axes=AXES, blocks={}, variables=names))


@pytest.fixture(scope="module")
def solved(lazy: xr.Dataset) -> xr.Dataset:
    return lazy.compute()


def gain(ds: xr.Dataset) -> xr.DataArray:
    return analyses.collective_gain(ds.power)


def limit(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign(quanta_noise_per_pair=ds.quanta_noise / ds.N)


RESULTS = {
    "best_constancy": lambda ds: analyses.best_constancy(ds.constancy, dim="delta_E"),
    "boundary_exponent": lambda ds: analyses.boundary_exponent(
        xr.DataArray(
            [50.0, 70.0, 99.0],
            {"T_mean": AXES["T_mean"]},
            name="boundary",
            attrs={"units": "omega_0"},
        )
    ),
    "carnot_delta_E": lambda ds: analyses.carnot_delta_E(ds.T_mean, E_1=ds.E_1, delta_T=ds.delta_T),
    "carnot_efficiency": lambda ds: analyses.carnot_efficiency(ds.T_mean, delta_T=ds.delta_T),
    "closure_error": lambda ds: analyses.closure_error(
        ds, ds.assign(power=1.01 * ds.power), variables=["power"]
    ),
    "collective_gain": gain,
    "conductance": lambda ds: analyses.conductance(ds.constancy, ds.quanta_noise),
    "crossover_size": lambda ds: analyses.crossover_size(analyses.local_exponent(ds.power)),
    "efficiency_at_maximum_power": lambda ds: analyses.efficiency_at_maximum_power(
        ds.assign(efficiency=ds.delta_E / (ds.delta_E + ds.E_1) + 0 * ds.power)
    ),
    "extrapolate": lambda ds: analyses.extrapolate(ds.constancy),
    "gain_boundary": lambda ds: analyses.gain_boundary(gain(ds)),
    "growth_rate": lambda ds: analyses.growth_rate(gain(ds), start=0.0, stop=INF),
    "information_rank_correlation": lambda ds: analyses.information_rank_correlation(
        ds.mutual_information, ds.power
    ),
    "last_violation": lambda ds: analyses.last_violation(ds.constancy),
    "local_exponent": lambda ds: analyses.local_exponent(ds.power),
    "local_growth_rate": lambda ds: analyses.local_growth_rate(gain(ds)),
    "noise_threshold": lambda ds: analyses.noise_threshold(gain(ds), dim="delta_E"),
    "operating_regime": lambda ds: analyses.operating_regime(ds),
    "operating_point": lambda ds: analyses.operating_point(ds, of="constancy"),
    "pareto_front": lambda ds: analyses.pareto_front(
        ds, objectives={"power": "max", "constancy": "max"}, dims=["delta_E"]
    ),
    "power_law_exponent": lambda ds: analyses.power_law_exponent(ds.power),
    "power_ratio": lambda ds: analyses.power_ratio(ds.power),
    "relaxation_slopes": lambda ds: analyses.relaxation_slopes(abs(ds.power).rename("gap"), 80.0),
    "transient_size": lambda ds: analyses.transient_size(ds.power, frozen=1.0),
    "tur_violation": lambda ds: analyses.tur_violation(ds.constancy),
    "window_exponent": lambda ds: analyses.window_exponent(ds.power, start=1, stop=6),
}
BY_TEST_OF_THEIR_OWN = {
    "carnot_T_mean",
    "carnot_cop",
    "limit_gain",
    "same_bath_gain",
    "single_pair_conductance",
}
"""They give arrays as their neighbours in the table above do."""


def test_every_analysis_is_exported():
    assert {*RESULTS} | BY_TEST_OF_THEIR_OWN == {*analyses.__all__}


@pytest.mark.parametrize("name", RESULTS)
def test_the_result_of_an_analysis_is_written_by_xarray_and_by_export(tmp_path, solved, name):
    found = RESULTS[name](solved)
    named = found if isinstance(found, xr.Dataset) else found.to_dataset()
    found.to_netcdf(tmp_path / "plain.nc", engine="h5netcdf")  # warnings are errors
    with xr.open_dataset(tmp_path / "plain.nc", engine="h5netcdf") as back:
        xr.testing.assert_equal(back, named)
    rows = int(np.prod(list(named.sizes.values())))
    for suffix in (".nc", ".csv", ".parquet"):
        written = export(found, tmp_path / f"x{suffix}")
        assert (written.points, written.not_computed) == (rows, 0)
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        xr.testing.assert_equal(back, named)
        assert {*back.attrs} == {*named.attrs}
    frame = pd.read_parquet(tmp_path / "x.parquet")
    assert len(frame) == len(pd.read_csv(tmp_path / "x.csv")) == rows
    assert {*frame.columns} == {*map(str, {**named.sizes, **named.variables})}
    some = next(iter(named.data_vars))
    metadata = parquet.read_schema(tmp_path / "x.parquet").field(str(some)).metadata
    assert metadata[b"long_name"].decode() == named[some].attrs["long_name"]


@pytest.mark.parametrize("name", ["power_law_exponent", "tur_violation", "local_exponent"])
def test_lazy_results_are_the_same(tmp_path, lazy, solved, name):
    found = RESULTS[name](lazy)
    export(found, tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        expected = RESULTS[name](solved)
        expected = expected if isinstance(expected, xr.Dataset) else expected.to_dataset()
        xr.testing.assert_allclose(back, expected)
        assert {str(key): value.dtype for key, value in back.variables.items()} == {
            str(key): value.dtype for key, value in expected.variables.items()
        }
        assert {*back.coords} == {*expected.coords}


def test_a_single_array_and_a_single_point(tmp_path, solved):
    written = export(solved.power, tmp_path / "power.csv")
    assert written.points == solved.power.size
    assert (
        pd.read_csv(tmp_path / "power.csv").power.tolist() == solved.power.values.ravel().tolist()
    )
    point = solved.power.isel(N=0, delta_E=0, T_mean=0)
    assert export(point, tmp_path / "point.parquet").points == 1
    assert pd.read_parquet(tmp_path / "point.parquet").N.tolist() == [1]
    export(point, tmp_path / "point.nc")
    assert xr.load_dataset(tmp_path / "point.nc", engine="h5netcdf").power == point


def test_a_dataset_of_a_sweep_without_its_status_keeps_every_label(tmp_path):
    ds = sample().drop_vars("status")
    assert len(table(ds)) == export(ds, tmp_path / "x.csv").points == 12


def test_further_dimensions_make_further_rows_but_no_further_points(tmp_path):
    ds = sample()[["power", "status"]]
    ds = ds.assign(spectrum=ds.power * xr.DataArray([1.0, 2.0, 3.0], dims="mode"))
    for data in (ds, ds.chunk({"N": 1, "mode": 1})):
        for suffix in (".nc", ".csv", ".parquet"):
            written = export(data, tmp_path / f"x{suffix}", overwrite=True)
            assert (written.points, written.not_computed) == (10, 2)
        assert len(pd.read_csv(tmp_path / "x.csv")) == 30
        assert xr.load_dataset(tmp_path / "x.nc", engine="h5netcdf").equals(ds)


def test_kinds_of_values_that_a_user_may_add(tmp_path):
    ds = sample()[["power", "status"]]
    when = np.datetime64("2024-05-01T12:00:00", "ns") + np.arange(3) * np.timedelta64(90, "m")
    ds = ds.assign(
        when=("delta_E", when),
        regular=ds.power > 0,
        half=ds.power.astype("f4"),
        word=("N", np.array(["one", "two"])),
        counted=ds.N.astype("u2") * 1,
    )
    for data in (ds, ds.chunk(N=1, delta_E=2)):
        for suffix in (".nc", ".csv", ".parquet"):
            export(data, tmp_path / f"x{suffix}", overwrite=True)
        with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
            xr.testing.assert_equal(back, ds)
            assert {name: back[name].dtype.kind for name in ds} == {
                name: ds[name].dtype.kind for name in ds
            }
        frame = pd.read_parquet(tmp_path / "x.parquet")
        assert frame.dtypes[["regular", "half", "word"]].tolist() == ["bool", "float32", "str"]
        assert frame.when.nunique() == 3


def test_what_cannot_be_exported_is_said_in_one_line(tmp_path, solved):
    with refused(r"give one with rename\('power'\)"):
        export(solved.power.rename(None), tmp_path / "x.csv")
    with refused("give it another with rename"):
        export(solved.N, tmp_path / "x.csv")
    with refused(r"catalog.open\(store\)\[name\].dataset\(\)"):
        export(xr.DataTree(solved), tmp_path / "x.csv")
    spectrum = (solved.power * 1j).rename("spectrum")
    both = spectrum.to_dataset().assign(spectrum_imag=solved.power)
    for suffix in (".nc", ".csv", ".parquet"):
        with refused("would be written as spectrum_imag, which is there already: rename one .*"):
            export(both, tmp_path / f"x{suffix}")
    assert not list(tmp_path.iterdir())
    assert export(spectrum, tmp_path / "x.csv").points == spectrum.size
