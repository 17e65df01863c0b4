"""Archives of stores: Zarr opens them, a run may go on, and nothing from outside is in them."""

from __future__ import annotations

import os
import shutil
import socket
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from click.testing import CliRunner

import catalog
from catalog import run
from catalog.store.archive import _content, zip_store
from heatcat.export_command import export as export_command
from tests.catalog.support import refused, tiny_sweep


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A store with one complete sweep."""
    location = tmp_path_factory.mktemp("store") / "engines.zarr"
    sweep = tiny_sweep(variables=["power", "efficiency"])
    catalog.run(sweep, location, scheduler="synchronous")
    return location


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
    blocks = [ds.power[sweep.grid.block_slices(index)] for index in sweep.grid.block_indices()]
    blocks[0].compute()
    late = iter(blocks[1:])
    inside = []

    def getting(store, key):
        if "/c/" in key and not inside:  # a run finishes a block before each chunk is copied
            inside.append(True)
            for block in [next(late, None)]:
                if block is not None:
                    block.compute()
            inside.clear()
        return _content(store, key)

    with monkeypatch.context() as patch:
        patch.setattr("catalog.store.archive._content", getting)
        zip_store(tmp_path / "s.zarr", tmp_path / "x.zip")
    assert next(late, None) is None  # they all were finished meanwhile
    assert catalog.check(tmp_path / "x.zip").sound
    with zarr.storage.ZipStore(tmp_path / "x.zip", mode="r") as opened:
        back = xr.open_zarr(opened, group="tiny", consolidated=False).compute()
    done = back.status.values != 0
    assert done.sum() >= 1
    assert np.isfinite(back.power.values[done]).all()
    assert catalog.open(tmp_path / "x.zip")["tiny"].counts()["ok"] == done.sum()


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


def test_what_is_no_store_is_not_zipped(tmp_path, store):
    with refused("check the path"):
        zip_store(tmp_path, tmp_path / "x.zip")
    with refused("put the archive elsewhere"):
        zip_store(store, store / "x.zip")
    with refused("not as x.tar"):
        zip_store(store, tmp_path / "x.tar")
    with refused("zip that"):
        zip_store("s3://bucket/x.zarr", tmp_path / "x.zip")


@pytest.fixture
def copy(store, tmp_path) -> Path:
    """A copy of the store to do things to."""
    shutil.copytree(store, tmp_path / "copy.zarr")
    return tmp_path / "copy.zarr"


SECRET = "the secret of another folder"


def link_to_a_file(store: Path, outside: Path) -> Path:
    found = next(path for path in sorted(store.rglob("tiny/power/c/**/*")) if path.is_file())
    found.unlink()
    found.symlink_to(outside / "secret")
    return found


def link_to_a_folder(store: Path, outside: Path) -> Path:
    (store / "tiny" / "more").symlink_to(outside, target_is_directory=True)
    return store / "tiny" / "more"


def link_to_metadata(store: Path, outside: Path) -> Path:
    (store / "other").mkdir()
    (store / "other" / "zarr.json").symlink_to(outside / "secret")
    return store / "other" / "zarr.json"


def loop(store: Path, outside: Path) -> Path:
    (store / "tiny" / "loop").symlink_to(store, target_is_directory=True)
    return store / "tiny" / "loop"


def dangling(store: Path, outside: Path) -> Path:
    (store / "tiny" / "status" / "nowhere").symlink_to("nowhere at all")
    return store / "tiny" / "status" / "nowhere"


def pipe(store: Path, outside: Path) -> Path:
    os.mkfifo(store / "tiny" / "pipe")
    return store / "tiny" / "pipe"


def listener(store: Path, outside: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.open(store / "tiny", os.O_RDONLY)  # its full path would be too long
        bound.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    return store / "tiny" / "socket"


@pytest.mark.parametrize(
    "planted",
    [link_to_a_file, link_to_a_folder, link_to_metadata, loop, dangling, pipe, listener],
)
def test_a_store_with_a_link_or_a_pipe_is_refused_and_the_line_names_it(tmp_path, copy, planted):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    name = planted(copy, outside).relative_to(copy).as_posix()
    with refused("remove it, or put a file or folder in its place"):
        zip_store(copy, tmp_path / "x.zip")
    result = CliRunner().invoke(export_command, [str(copy), "--to", str(tmp_path / "x.zip")])
    assert f"'{name}' in" in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.zarr", "outside"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_becomes_a_link_while_the_store_is_packed_is_not_followed(
    tmp_path, copy, monkeypatch, what
):
    outside = tmp_path / "outside"
    (outside / "power" / "c" / "0" / "0").mkdir(parents=True)
    for number in "01":
        (outside / "power" / "c" / "0" / "0" / number).write_text(SECRET)

    def replaced(store, name):
        if "/power/c/" in name and not (outside / "old").exists():
            if what == "file":
                (store / name).unlink()
                (store / name).symlink_to(outside / "power" / "c" / "0" / "0" / "0")
                (outside / "old").touch()
            else:
                (store / "tiny" / "power").rename(outside / "old")
                (store / "tiny" / "power").symlink_to(outside / "power", target_is_directory=True)
        return _content(store, name)

    monkeypatch.setattr("catalog.store.archive._content", replaced)
    with refused("remove it, or put a file or folder in its place"):
        zip_store(copy, tmp_path / "x.zip")
    assert not list(tmp_path.glob("*x.zip*"))


def test_the_store_itself_may_be_reached_by_a_link(tmp_path, store):
    (tmp_path / "link.zarr").symlink_to(store, target_is_directory=True)
    packed = zip_store(tmp_path / "link.zarr", tmp_path / "x.zip")
    assert packed.files == zip_store(store, tmp_path / "y.zip").files
    with refused("put the archive elsewhere"):
        zip_store(store, tmp_path / "link.zarr" / "tiny" / "x.zip")


def test_names_that_are_not_utf8_are_refused(tmp_path, copy):
    (copy / "tiny" / os.fsdecode(b"caf\xe9")).touch()
    with refused("rename or remove it"):
        zip_store(copy, tmp_path / "x.zip")


@pytest.mark.parametrize("what", ["_opened", "_entries"])
def test_what_cannot_be_read_is_said(tmp_path, copy, monkeypatch, what):
    """Root reads everything: here the system's refusal is put in."""
    number = {"_opened": "open", "_entries": "scandir"}[what]

    def refusing(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(f"catalog.store.archive.os.{number}", refusing)
    with refused("change its permissions"):
        zip_store(copy, tmp_path / "x.zip")


def test_files_that_vanish_between_listing_and_reading_are_counted(tmp_path, copy, monkeypatch):
    (copy / "tiny" / "notes.txt").write_text("mine")
    whole = zip_store(copy, tmp_path / "whole.zip")

    def vanishing(store, name):
        if name.endswith("notes.txt"):
            (store / name).unlink()
        return _content(store, name)

    monkeypatch.setattr("catalog.store.archive._content", vanishing)
    packed = zip_store(copy, tmp_path / "x.zip")
    assert (packed.files, packed.left_out) == (whole.files - 1, whole.left_out + 1)
