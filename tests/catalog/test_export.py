"""Exports: what was stored comes back, whole or not at all, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from click.testing import CliRunner
from pyarrow import parquet

import catalog
from analyses import power_law_exponent
from catalog import run, where_expression
from catalog.export import export, zip_store
from catalog.status import has_status
from catalog.storage import Storage
from catalog.table import table
from ensemble import Engine, Exact, InvalidInput
from heatcat.export_command import export as export_command
from tests.catalog.samples import MESSAGE, sample
from tests.catalog.support import AXES, refused, tiny_sweep

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
        module = importlib.import_module("catalog.export")
        pieces = module.iter_tables
        def slowly(ds, **options):
            yield from pieces(ds, **options)
            print("written", flush=True)
            time.sleep(60)
        module.iter_tables = slowly
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


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".parquet"])
def test_an_array_and_what_an_analysis_gives_are_exported(suffix, tmp_path):
    ds = sample()
    found = export(ds.power, tmp_path / f"array{suffix}")
    assert (found.points, found.not_computed) == (12, 0)
    grid = tiny_sweep(axes={**AXES, "N": [1, 2, 3, 4, 5]}, variables=["power"])
    fitted = power_law_exponent(catalog.dataset(grid).power, min_points=3)
    assert export(fitted, tmp_path / f"fit{suffix}").points == 6
    readers = {".nc": xr.open_dataset, ".csv": pd.read_csv, ".parquet": pd.read_parquet}
    back = readers[suffix](tmp_path / f"fit{suffix}")
    assert np.allclose(np.ravel(back["exponent"]), fitted.exponent.values.ravel(), equal_nan=True)


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".parquet"])
@pytest.mark.parametrize("kept", [False, True], ids=["without a store", "in a store"])
def test_an_export_solves_each_point_once(suffix, kept, tmp_path, monkeypatch):
    solved: list[Engine] = []
    solve = Exact.solve

    def counting(self, engine, variables=None):
        solved.append(engine)
        return solve(self, engine, variables)

    monkeypatch.setattr(Exact, "solve", counting)
    sweep = tiny_sweep(variables=["power", "cop"])
    ds = catalog.dataset(sweep, tmp_path / "s.zarr" if kept else None)
    assert export(ds, tmp_path / f"x{suffix}").points == 12
    assert len(solved) == len(set(solved)) == 12


CHANGED = {
    "reindex": lambda ds: ds.reindex(N=[1, 2, 3]),
    "where": lambda ds: ds.where(ds.power > 0),
    "merge": lambda ds: xr.merge(
        [ds.isel(N=[0]), ds.isel(N=[1], delta_E=[0])], join="outer", compat="no_conflicts"
    ),
    "combine_first": lambda ds: ds.isel(N=[0]).combine_first(ds.isel(N=[1], delta_E=[0])),
    "align": lambda ds: xr.align(ds.isel(N=[0]), ds.isel(N=[1]), join="outer")[0],
}


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("lazy", [False, True])
def test_points_that_xarray_adds_are_not_computed_in_every_format(change, lazy, tmp_path):
    ds = CHANGED[change](sample(lazy=lazy))
    assert ds.status.dtype.kind == "f"
    computed = int((ds.status.fillna(0) != 0).sum())
    assert 0 < computed < ds.status.size
    for suffix in (".nc", ".csv", ".parquet"):
        found = export(ds, tmp_path / f"x{suffix}")
        assert (found.points, found.not_computed) == (computed, ds.status.size - computed)
    assert len(table(ds)) == computed
    assert set(table(ds, computed_only=False).status) >= {"ok", "not computed"}
    assert not table(ds).error.isin(["nan", "None"]).any()
    with xr.open_dataset(tmp_path / "x.nc") as back:
        assert back.status.dtype == "u1"
    assert int(has_status(ds, "not computed").sum()) == ds.status.size - computed
    assert int(where_expression(ds, "status == 'not computed'").sum()) == ds.status.size - computed
    assert int(where_expression(ds, "status != 'not computed'").sum()) == computed


def test_our_datasets_are_written_and_combined_by_xarray_itself(tmp_path):
    """Warnings are errors here."""
    one, two = (
        catalog.dataset(tiny_sweep(axes={**AXES, "N": [N]}, variables=["power"])) for N in (1, 2)
    )
    whole = catalog.dataset(tiny_sweep(variables=["power"])).load()
    for ds in (one, one.compute()):
        ds.to_netcdf(tmp_path / "x.nc")
        ds.drop_encoding().to_zarr(tmp_path / "x.zarr", mode="w", consolidated=False)
        with xr.open_dataset(tmp_path / "x.nc") as back:
            assert back.power.identical(ds.power.load())
            assert (back.error == "").all()
    for combined in (xr.combine_by_coords([one, two]), xr.concat([one, two], "N")):
        assert combined.power.load().identical(whole.power)
        assert combined.attrs == whole.attrs


def test_a_status_that_no_run_writes_is_an_error():
    ds = sample()
    ds["status"] = ds.status.astype(float).where(ds.power > 0, 7.5)
    with refused("the status has the value 7.5, which no run writes: use the status .* opened"):
        table(ds)
    with refused("unknown status 'okay': did you mean 'ok'.*"):
        has_status(ds, "okay")


def test_links_and_pipes_are_never_packed(tmp_path):
    store = tmp_path / "store"
    run(tiny_sweep(variables=["power"]), store, scheduler="synchronous")
    (tmp_path / "secret").write_text("password")
    (store / "tiny" / "secret.txt").symlink_to(tmp_path / "secret")
    (store / "tiny" / "loop").symlink_to(store)
    (store / "home").symlink_to(tmp_path)
    os.mkfifo(store / "tiny" / "pipe")
    (store / os.fsdecode(b"tiny/\xff.txt")).write_text("notes")
    packed = zip_store(store, tmp_path / "x.zip")
    assert packed.left_out == 5
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert not any("secret" in name or "loop" in name for name in archive.namelist())
    assert catalog.open(tmp_path / "x.zip")["tiny"].counts()["ok"] == 12


@pytest.mark.parametrize("harm", ["cut", "empty", "text"])
def test_an_archive_that_is_not_whole_is_refused_in_one_line(harm, tmp_path):
    store, archive = tmp_path / "store", tmp_path / "x.zip"
    run(tiny_sweep(variables=["power"]), store, scheduler="synchronous")
    zip_store(store, archive)
    whole = archive.read_bytes()
    content = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"results"}[harm]
    archive.write_bytes(content)
    for attempt in (catalog.open, catalog.check):
        with refused(r"is not a whole Zip archive \(.*\): copy or export it again"):
            attempt(archive)


def test_an_archive_that_was_replaced_is_opened_anew(tmp_path):
    for name in ("first", "second"):
        run(tiny_sweep(name=name, variables=["power"]), tmp_path / name, scheduler="synchronous")
        zip_store(tmp_path / name, tmp_path / "x.zip", overwrite=True)
        assert list(catalog.open(tmp_path / "x.zip")) == [name]


def test_a_zipped_store_is_opened_by_zarr_and_xarray(tmp_path, store):
    packed = zip_store(store, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert len(archive.namelist()) == packed.files
        assert {item.compress_type for item in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.testzip() is None
    with zarr.storage.ZipStore(tmp_path / "x.zip", mode="r") as opened:
        assert list(zarr.open_group(opened, mode="r").group_keys()) == ["tiny"]
        back = xr.open_zarr(opened, group="tiny", consolidated=False)
        here = xr.open_zarr(store, group="tiny", consolidated=False)
        xr.testing.assert_identical(back.compute(), here.compute())
    reopened = catalog.open(tmp_path / "x.zip")["tiny"]
    assert reopened.counts() == catalog.open(store)["tiny"].counts()
    with refused("overwrite it"):
        zip_store(store, tmp_path / "x.zip")


def test_temporary_files_and_leases_stay_behind(tmp_path, store):
    torn = store / "tiny" / "power" / f"zarr.json.{'0' * 32}.partial"
    lease = store / "tiny" / "status" / ".heatcat-leases" / "0.0.0.1"
    lease.parent.mkdir(exist_ok=True)
    try:
        torn.write_text("{")
        lease.write_text("me")
        packed = zip_store(store, tmp_path / "x.zip")
    finally:
        torn.unlink()
        lease.unlink()
    assert packed.left_out == 2
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        names = archive.namelist()
    expected = {file.relative_to(store).as_posix() for file in store.rglob("*") if file.is_file()}
    assert set(names) == expected
    assert len(names) == len(expected)


def test_blocks_that_are_finished_while_the_store_is_copied_are_whole_or_not_computed(
    tmp_path, monkeypatch
):
    sweep = tiny_sweep(variables=["power"])
    ds = catalog.dataset(sweep, tmp_path / "s.zarr")
    blocks = [ds.power[sweep.block_slices(index)] for index in sweep.block_indices()]
    blocks[0].compute()
    get = Storage.get
    late = iter(blocks[1:])
    inside = []

    def getting(self, key, **options):
        if "/c/" in key and not inside:  # a run finishes a block before each chunk is copied
            inside.append(True)
            for block in [next(late, None)]:
                if block is not None:
                    block.compute()
            inside.clear()
        return get(self, key, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "get", getting)
        zip_store(tmp_path / "s.zarr", tmp_path / "x.zip")
    assert next(late, None) is None  # they all were finished meanwhile
    assert catalog.check(tmp_path / "x.zip").sound
    with zarr.storage.ZipStore(tmp_path / "x.zip", mode="r") as opened:
        back = xr.open_zarr(opened, group="tiny", consolidated=False).compute()
    done = back.status.values != 0
    assert done.sum() >= 1
    assert np.isfinite(back.power.values[done]).all()
    assert catalog.open(tmp_path / "x.zip")["tiny"].counts()["ok"] == done.sum()


def test_what_is_no_store_is_not_zipped(tmp_path, store):
    with refused("check the path"):
        zip_store(tmp_path, tmp_path / "x.zip")
    with refused("put the archive elsewhere"):
        zip_store(store, store / "x.zip")
    with refused("not as x.tar"):
        zip_store(store, tmp_path / "x.tar")
    with refused("zip that"):
        zip_store("s3://bucket/x.zarr", tmp_path / "x.zip")


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
    assert str(whole.exception).endswith("leave out the sweep")
