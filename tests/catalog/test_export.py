"""Exports: what was stored comes back, whole or not at all, and nothing is overwritten."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from distributed import Client
from pyarrow import parquet

import catalog
from catalog.reading.export import export
from catalog.reading.table import table
from ensemble import InvalidInput
from heatcat.export_command import export as export_command
from tests.catalog.samples import MESSAGE, sample
from tests.catalog.support import refused, tiny_sweep

SUFFIXES = [".nc", ".csv", ".parquet"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A store with one complete sweep."""
    location = tmp_path_factory.mktemp("store") / "engines.zarr"
    sweep = tiny_sweep(variables=["power", "efficiency"])
    catalog.run(sweep, location, scheduler="synchronous")
    return location


@pytest.mark.parametrize("lazy", [False, True])
def test_netcdf_keeps_values_labels_units_and_provenance(tmp_path, lazy):
    ds = sample(lazy=lazy).assign_attrs(provenance=json.dumps({"python": "3"}), odd={"a": None})
    written = export(ds, tmp_path / "x.nc")
    assert (written.points, written.not_computed) == (10, 2)
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        assert set(back.variables) == set(ds.variables)
        for name in ds.variables:
            if ds[name].dtype.kind in "OT":
                assert back[name].values.tolist() == ds[name].values.tolist()
            else:
                assert back[name].dtype == ds[name].dtype, name
                np.testing.assert_array_equal(back[name].values, ds[name].values)
            for key, value in ds[name].attrs.items():
                np.testing.assert_array_equal(back[name].attrs[key], value)
        assert MESSAGE in back.error.values
        assert back.power.attrs["units"] == "omega_0^2"
        assert back.status.attrs["flag_meanings"].startswith("not_computed ok")
        assert {**back.attrs, "odd": {"a": None}} == ds.attrs
        assert json.loads(back.attrs["odd"]) == {"a": None}


def test_xarray_writes_a_dataset_of_a_sweep_itself(tmp_path):
    """To NetCDF and Zarr, without warnings, which are errors here; a single point, too."""
    ds = catalog.dataset(tiny_sweep(variables=["power"])).drop_vars("wall_time")
    point = {"N": 1, "delta_E": 50.0, "T_mean": 60.0}
    for data in (
        ds,
        ds.sel(N=[2]),
        ds.sel(point),
        ds.persist(),
        ds.compute(),
        ds.compute().sel(point),
    ):
        data.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
            assert back.equals(data.compute())
            assert back.error.attrs == data.error.attrs
        data.to_zarr(tmp_path / "x.zarr", mode="w", consolidated=False)
        with xr.open_zarr(tmp_path / "x.zarr", consolidated=False) as back:
            assert back.error.values.tolist() == data.error.values.tolist()
            assert back.power.equals(data.power.compute())


def test_a_store_that_xarray_opened_is_written_as_well(tmp_path, store):
    """Its chunks and codecs are Zarr's and mean nothing to NetCDF."""
    plain = xr.open_zarr(store, group="tiny", consolidated=False)
    plain.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    export(plain, tmp_path / "y.nc")
    with (
        xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as one,
        xr.open_dataset(tmp_path / "y.nc", engine="h5netcdf") as other,
    ):
        xr.testing.assert_identical(one.load(), other.load())
        assert one.power.equals(plain.power.compute())
    assert len(table(plain)) == 12


def test_an_export_leaves_the_dataset_as_it_was(tmp_path):
    ds = sample(lazy=True).assign_attrs(odd={"a": None})
    ds.power.attrs["flags"] = [True, False]
    before, graph = ds.copy(deep=True), dict(ds.power.data.dask)
    for suffix in SUFFIXES:
        export(ds, tmp_path / f"x{suffix}")
    assert ds.attrs == before.attrs
    assert {name: ds[name].attrs for name in ds.variables} == {
        name: before[name].attrs for name in before.variables
    }
    assert dict(ds.power.data.dask) == graph


def test_csv_is_the_table_to_the_last_bit(tmp_path):
    ds = sample(lazy=True)
    written = export(ds, tmp_path / "x.csv")
    assert (written.points, written.not_computed) == (10, 2)
    back = pd.read_csv(tmp_path / "x.csv")
    expected = table(ds)
    for text in ("error", "failure", "solver"):
        back[text] = back[text].astype(object).fillna("")
    pd.testing.assert_frame_equal(back, expected, check_exact=True, check_dtype=False)


def test_parquet_is_the_table_with_units_in_its_schema(tmp_path):
    ds = sample(lazy=True)
    written = export(ds, tmp_path / "x.parquet")
    assert (written.points, written.not_computed) == (10, 2)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), table(ds))
    schema = parquet.read_schema(tmp_path / "x.parquet")
    metadata = schema.field("power").metadata
    assert metadata[b"units"] == b"omega_0^2"
    assert metadata[b"long_name"] == b"power output"
    assert schema.field("T_mean").metadata[b"symbol"].decode() == "T̄"
    assert json.loads(schema.metadata[b"sweep"])["name"] == "tiny"


WAYS = {
    ".nc": lambda ds, folder: export(ds, folder / "x.nc"),
    ".csv": lambda ds, folder: export(ds, folder / "x.csv"),
    ".parquet": lambda ds, folder: export(ds, folder / "x.parquet"),
    "table": lambda ds, folder: table(ds),
    "to_netcdf": lambda ds, folder: ds.to_netcdf(folder / "plain.nc", engine="h5netcdf"),
    "to_zarr": lambda ds, folder: ds.to_zarr(folder / "plain.zarr", consolidated=False),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stored", [False, True])
def test_each_block_is_solved_once(tmp_path, solved, way, stored):
    sweep = tiny_sweep(variables=["power", "efficiency"])
    ds = catalog.dataset(sweep, tmp_path / "s.zarr" if stored else None)
    WAYS[way](ds, tmp_path)
    assert sorted(solved) == list(sweep.grid.block_indices())
    solved.clear()
    (tmp_path / "part").mkdir()
    WAYS[way](ds.isel(N=[0]).isel(delta_E=[0, 2]), tmp_path / "part")
    assert sorted(solved) == ([] if stored else [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)])


@pytest.mark.parametrize("way", ["table", ".nc"])
def test_each_block_is_solved_once_in_pieces(tmp_path, solved, monkeypatch, way):
    monkeypatch.setattr(sys.modules["catalog.reading.table"], "MOST_BLOCKS", 1)
    sweep = tiny_sweep(variables=["power"])
    ds = catalog.dataset(sweep)
    ds["relative"] = (ds.power / ds.power.max("delta_E")).chunk(delta_E=-1)
    WAYS[way](ds[["power", "relative", "status"]], tmp_path)
    assert sorted(solved) == list(sweep.grid.block_indices())


@pytest.mark.parametrize("way", ["table", ".csv", ".nc"])
@pytest.mark.parametrize("how", ["lazy", "persist", "compute"])
def test_each_block_is_solved_once_by_a_cluster(tmp_path, solved, way, how):
    sweep = tiny_sweep(variables=["power"])
    options = {"processes": False, "dashboard_address": "127.0.0.1:0", "n_workers": 2}
    with Client(**options, threads_per_worker=1):
        ds = catalog.dataset(sweep)
        if how != "lazy":
            ds = getattr(ds, how)()
        WAYS[way](ds, tmp_path)
    assert sorted(solved) == list(sweep.grid.block_indices())


@pytest.mark.parametrize("way", WAYS)
def test_the_dask_graph_is_evaluated_once(tmp_path, way):
    evaluated = []

    def counting(dsk, keys, **options):
        evaluated.append(keys)
        return dask.get(dsk, keys, **options)

    ds = catalog.dataset(tiny_sweep(variables=["power"]))
    with dask.config.set(scheduler=counting):
        WAYS[way](ds, tmp_path)
    assert len(evaluated) == 1


def test_a_large_dataset_is_never_in_memory_at_once(tmp_path):
    """Eight pieces of 50,000 points in 6 arrays: 19 MB of numbers, of which a piece is 2.4 MB."""
    shape, chunks = (8, 250, 200), (1, 25, 200)
    alive, most = set(), 0

    class Numbered(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def block(block_id):
        nonlocal most
        found = np.full((1, 25, 200), float(block_id[0])).view(Numbered)
        alive.add(id(found))
        most = max(most, len(alive))
        return found

    arrays = {
        name: da.map_blocks(
            block,
            chunks=da.core.normalize_chunks(chunks, shape),
            name=f"block-{name}",
            dtype=float,
            meta=np.empty((0, 0, 0)),
        )
        for name in "abcdef"
    }
    dims = ("N", "delta_E", "T_mean")
    ds = xr.Dataset({name: (dims, array) for name, array in arrays.items()})
    export(ds, tmp_path / "x.nc")
    assert most <= 2 * 10 * 6
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        assert (back.a == xr.DataArray(np.arange(8.0), dims="N")).all()
        assert (back.f == xr.DataArray(np.arange(8.0), dims="N")).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_without_a_computed_point_the_file_has_columns_but_no_rows(tmp_path, suffix):
    ds = sample()
    ds["status"] = ds.status * 0
    written = export(ds, tmp_path / f"x{suffix}")
    assert (written.points, written.not_computed) == (0, 12)
    if suffix == ".csv":
        assert pd.read_csv(tmp_path / "x.csv").columns.tolist() == table(ds).columns.tolist()
    if suffix == ".parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), table(ds))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_overwritten_unless_asked_for(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_text("precious")
    with refused("choose another name or overwrite it"):
        export(sample(), path)
    assert path.read_text() == "precious"
    export(sample(), path, overwrite=True)
    assert path.stat().st_size > 100


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_export_that_fails_leaves_nothing(tmp_path, suffix):
    ds = sample(lazy=True)
    ds["power"] = ds.power.copy(data=ds.power.data.map_blocks(_broken, dtype=float))
    with pytest.raises(RuntimeError, match="unreadable chunk"):
        export(ds, tmp_path / f"x{suffix}")
    assert list(tmp_path.iterdir()) == []


def _broken(block):
    raise RuntimeError("unreadable chunk")


def test_a_killed_export_leaves_no_file_under_the_final_name(tmp_path):
    script = """
        import importlib, time
        from tests.catalog.samples import sample
        module = importlib.import_module("catalog.reading.export")
        pieces = module.computed_pieces
        def slowly(ds, **options):
            yield from pieces(ds, **options)
            print("written", flush=True)
            time.sleep(60)
        module.computed_pieces = slowly
        module.export(sample(), "x.csv")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    )
    try:
        assert process.stdout.readline() == "written\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (left,) = tmp_path.iterdir()
    assert left.suffix == ".partial"
    export(sample(), tmp_path / "x.csv")  # and it is not in the way
    assert len(pd.read_csv(tmp_path / "x.csv")) == 10


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("x.xls", r"end it in \.nc, \.csv, \.parquet"),
        ("x.zip", r"use zip_store\(location, path\)"),
        ("nowhere/x.nc", "make it first"),
    ],
)
def test_bad_targets_are_refused_before_any_work(tmp_path, path, remedy):
    with refused(remedy):
        export(sample(), tmp_path / path)
    assert list(tmp_path.iterdir()) == []


def command(*words: object) -> object:
    return CliRunner().invoke(export_command, [str(word) for word in words])


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".zip"])
def test_the_command_writes_each_format_and_says_what(tmp_path, store, suffix):
    target = tmp_path / f"x{suffix}"
    result = command(store, "--to", target, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert said["path"] == str(target)
    assert said["bytes"] == target.stat().st_size
    if suffix != ".zip":
        assert (said["sweep"], said["points"], said["not_computed"]) == ("tiny", 12, 0)
    again = command(store, "--to", target)
    assert isinstance(again.exception, InvalidInput)
    assert str(again.exception).endswith("add --force")
    assert "->" in command(store, "--to", target, "--force").output


def test_the_command_asks_which_sweep_if_there_are_several(tmp_path):
    for name in ("one", "two"):
        catalog.create_or_open(tmp_path / "s.zarr", tiny_sweep(name=name, variables=["power"]))
    several = command(tmp_path / "s.zarr", "--to", tmp_path / "x.csv")
    assert str(several.exception).endswith("name one of one, two")
    unknown = command(tmp_path / "s.zarr", "tow", "--to", tmp_path / "x.csv")
    assert str(unknown.exception).endswith("did you mean 'two'?")
    chosen = command(tmp_path / "s.zarr", "two", "--to", tmp_path / "x.csv")
    assert "0 points of two, 12 not computed left out" in chosen.output
    whole = command(tmp_path / "s.zarr", "two", "--to", tmp_path / "x.zip")
    assert str(whole.exception).endswith("leave out the sweep and the layout")


def test_the_command_exports_scattered_points_and_says_what_it_leaves_out(tmp_path):
    store = tmp_path / "s.zarr"
    catalog.run(tiny_sweep(variables=["power"]), store, scheduler="synchronous")
    beside = {"delta_E": [51.0, 52.0], "T_mean": [61.0, 62.0]}
    more = tiny_sweep(variables=["power"], axes={"N": [1]}, points=beside, blocks={})
    catalog.run(more, store, scheduler="synchronous")
    ended = {
        "all": "14 points of tiny, 0 not computed kept as holes  ->",
        "points": "14 points of tiny, 0 not computed kept as holes  ->",
        "grid": "12 points of tiny, 0 not computed kept as holes, 2 scattered points left out  ->",
        "filled": f"14 points of tiny, {2 * 5 * 4 - 14} not computed kept as holes  ->",
    }
    for layout, words in ended.items():
        target = tmp_path / f"{layout}.nc"
        chosen = [] if layout == "all" else ["--layout", layout]
        assert words in command(store, "--to", target, *chosen).output
    with xr.open_dataset(tmp_path / "all.nc", engine="h5netcdf") as found:
        assert dict(found.sizes) == {"point": 14}
        assert found.delta_E.values[-2:].tolist() == beside["delta_E"]
