"""The store: readable without us, refused rather than overwritten, and whole after any tear."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

import catalog
import catalog.store.durable
from catalog import create_or_open, find_stored, run
from catalog.heat_engine.terms import NAMES, vocabulary
from catalog.names.described import without_derived
from catalog.running.complete import complete_block
from catalog.running.solve import solve_block
from catalog.store.history import RunRecord
from catalog.store.part import Part
from catalog.store.seal import sealed, unsealed
from catalog.store.settle import settle
from catalog.store.template import COPY, FORMAT
from catalog.sweeps.arrays import Arrays, empty_arrays
from catalog.sweeps.cuts import CHUNK_BLOCKS, CHUNK_POINTS
from catalog.sweeps.grid import Index
from catalog.sweeps.sweep import Sweep
from ensemble import Exact, Status
from tests.catalog.support import (
    AXES,
    FIXED,
    block_content,
    finished_blocks,
    pending_blocks,
    refused,
    stored_values,
    tiny_sweep,
)

SMALL = tiny_sweep(variables=["power"])
"""Fewer arrays to write, where it does not matter which."""
OTHER = tiny_sweep(
    axes={"N": [1], "delta_E": [50]},
    fixed={**FIXED, "T_mean": 100},
    blocks={},
    scaling="bare",
    variables=["cop"],
)
"""A different sweep of the same name."""


@contextmanager
def opened(location: Path, name: str = "tiny") -> Iterator[xr.Dataset]:
    """What a colleague without this package sees."""
    with xr.open_zarr(location, group=name, consolidated=False) as ds:
        yield ds


def part_of(location: Path, sweep: Sweep) -> Part:
    """The only part of a sweep that is begun here."""
    (part,) = create_or_open(location, sweep).parts
    return part


def solve(part: Part, index: Index) -> Arrays:
    """What a run does with a block."""
    record = RunRecord(part.location, part.group, {}, "solver")
    arrays = complete_block(part, index, part.grid.model, record, wait=False)
    assert arrays is not None
    return arrays


def files(location: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in location.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A complete store; tests only read it."""
    location = tmp_path_factory.mktemp("whole")
    run(tiny_sweep(description="a small one"), location, scheduler="synchronous")
    return location


def test_a_template_opens_without_this_package_and_shows_no_results(tmp_path):
    create_or_open(tmp_path, tiny_sweep())
    with opened(tmp_path) as ds:
        assert ds.sizes == {"N": 2, "delta_E": 3, "T_mean": 2}
        assert set(ds.data_vars) == set(tiny_sweep().arrays)
        for name, array in ds.data_vars.items():
            fill = NAMES[str(name)].fill_value
            values = array.values
            if array.dtype.kind == "f":
                assert math.isnan(fill)
                assert np.isnan(values).all(), name
            else:
                assert (values == fill).all(), name
        kinds = {str(name): array.dtype.kind for name, array in ds.data_vars.items()}
    assert kinds["power"] == "f"
    assert kinds["coherence_order"] == "i"  # not turned into floats on the way
    assert kinds["status"] == "u"
    assert finished_blocks(tmp_path) == set()


def test_coordinates_units_and_flags_open_without_this_package(whole):
    sweep = tiny_sweep()
    with opened(whole) as ds:
        assert {name: labels.tolist() for name, labels in ds.indexes.items()} == AXES
        assert {name: ds[name].item() for name in FIXED} == FIXED
        for name, array in ds.variables.items():
            expected = vocabulary("omega_0")[str(name)].attributes()
            assert {key: array.attrs[key] for key in expected} == expected
            if name in ds.data_vars:
                assert array.dims == sweep.dims
        assert ds.power.attrs["units"] == "omega_0^2"
        meanings = ds.status.attrs["flag_meanings"].split()
        assert meanings[ds.status.attrs["flag_values"].index(0)] == "not_computed"
        assert (ds.status == ds.status.attrs["flag_values"][meanings.index("ok")]).all()
        assert ds.attrs["title"] == "tiny"
        assert ds.attrs["description"] == "a small one"


def test_stored_values_are_those_of_the_lazy_dataset(whole):
    lazy = without_derived(catalog.dataset(tiny_sweep())).drop_vars(["wall_time", "run"]).compute()
    with opened(whole) as ds:
        assert ds.drop_vars(["wall_time", "run"]).load().drop_attrs().identical(lazy.drop_attrs())


def test_a_chunk_holds_many_blocks_of_every_array(whole):
    sweep = tiny_sweep()
    group = zarr.open_group(whole, path="tiny", mode="r")
    for name in sweep.arrays:
        array = group[name]
        assert isinstance(array, zarr.Array)
        assert array.chunks == sweep.shape  # all eight blocks
        assert array.shards is None
        assert array.metadata.codecs[-1].to_dict()["name"] == "crc32c"
        assert array.metadata.zarr_format == 3


def test_chunks_are_whole_blocks_within_their_bounds():
    large = tiny_sweep(
        axes={"N": [1, 2], "delta_E": range(1, 501), "T_mean": range(60, 260)}, blocks={}
    )
    chunks = large.grid.chunks
    assert math.prod(chunks.values()) <= CHUNK_POINTS
    inside = [large.grid.blocks_of(chunk) for chunk in large.grid.chunk_indices()]
    assert max(map(len, inside)) <= CHUNK_BLOCKS
    assert sorted(block for blocks in inside for block in blocks) == list(
        large.grid.block_indices()
    )
    for chunk, blocks in zip(large.grid.chunk_indices(), inside, strict=True):
        assert {large.grid.chunk_of(block) for block in blocks} == {chunk}
    files = len(inside) * (len(large.arrays) + 1)
    assert files / len(list(large.grid.block_indices())) < 1


def test_attributes_say_where_the_values_come_from(whole):
    with opened(whole) as ds:
        record = json.loads(ds.attrs["provenance"])
        definition = {**tiny_sweep().grid.definition(), "description": "a small one"}
        assert json.loads(ds.attrs["sweep"]) == definition
        assert json.loads(ds.attrs["model_record"])["terms"][0]["symbol"] == "N"
        assert ds.attrs["sweep_key"] == tiny_sweep().grid.key
    assert record["packages"]["numpy"] == np.__version__
    assert {"heatcat", "numpy", "scipy", "xarray", "dask", "zarr"} <= set(record["packages"])
    assert len(record["solver_hash"]) == 64
    assert np.datetime64(record["created"].removesuffix("+00:00")) <= np.datetime64("now")


def test_two_sweeps_share_a_store(tmp_path):
    small = tiny_sweep(name="small", axes={**AXES, "N": [1], "delta_E": [50]})
    create_or_open(tmp_path, tiny_sweep())
    before = files(tmp_path)
    counts = run(small, tmp_path, scheduler="synchronous")
    assert counts["ok"] == small.size == 2
    assert set(catalog.open(tmp_path)) == {"small", "tiny"}
    assert catalog.open(tmp_path)["tiny"].counts()["not computed"] == 12
    assert catalog.open(tmp_path)["small"].grid == small.grid
    assert before.items() <= files(tmp_path).items()


def test_a_different_sweep_of_that_name_is_refused_and_nothing_changes(whole):
    before = files(whole)
    complaint = (
        r"holds a different sweep named 'tiny' \(variables differ\): rename the sweep "
        "or choose another store"
    )
    for attempt in (create_or_open, find_stored):
        with refused(complaint):
            attempt(whole, OTHER)
    with refused(complaint):
        run(OTHER, whole, scheduler="synchronous")
    with refused(r"\(method, variables differ\): rename the sweep or choose another store"):
        create_or_open(whole, tiny_sweep(method=Exact(tolerance=1e-8), variables=["power"]))
    assert files(whole) == before


FORMAT_COMPLAINT = (
    "was written by another version of heatcat, in a format that this one does not know: "
    "choose another store"
)


def write_an_older_store(location: Path) -> None:
    """As before there was a sealed copy under a format of its own."""
    create_or_open(location, SMALL)
    metadata = location / "tiny" / "zarr.json"
    content = json.loads(metadata.read_text())
    content["attributes"]["store_format"] = 2
    metadata.write_text(json.dumps(content))
    (location / "tiny" / COPY).unlink()


def write_a_newer_store(location: Path) -> None:
    create_or_open(location, SMALL)
    copy = location / "tiny" / COPY
    content = json.loads(unsealed(copy.read_bytes()) or b"")
    copy.write_bytes(sealed(json.dumps({**content, "format": FORMAT + 1}).encode()))


@pytest.mark.parametrize("write", [write_an_older_store, write_a_newer_store])
def test_a_store_of_another_format_is_refused_and_left_alone(write, tmp_path):
    write(tmp_path)
    before = files(tmp_path)
    for attempt in (create_or_open, find_stored):
        with refused(FORMAT_COMPLAINT):
            attempt(tmp_path, SMALL)
    with refused(FORMAT_COMPLAINT):
        catalog.open(tmp_path)
    assert files(tmp_path) == before


def test_opening_again_writes_nothing(whole):
    before = {path: Path(path).stat().st_mtime_ns for path in files(whole)}
    store = create_or_open(whole, tiny_sweep())
    assert store.missing() == []
    assert run(tiny_sweep(), whole, scheduler="synchronous")["ok"] == 12
    assert {path: Path(path).stat().st_mtime_ns for path in files(whole)} == before


def make_file(location: Path) -> None:
    location.write_text("results")


def make_directory(location: Path) -> None:
    location.mkdir()
    (location / "thesis.tex").write_text("results")


def make_old_zarr(location: Path) -> None:
    zarr.open_group(location, mode="w", zarr_format=2)


def make_array(location: Path) -> None:
    zarr.create_array(location, shape=(3,), dtype="f8")


def make_foreign_group(location: Path) -> None:
    zarr.open_group(location, mode="w").create_group("tiny", attributes={"author": "another"})


def make_foreign_array(location: Path) -> None:
    zarr.create_array(location, name="tiny", shape=(3,), dtype="f8")


def make_thesis(location: Path) -> None:
    zarr.open_group(location, mode="w")
    (location / "tiny").mkdir()
    (location / "tiny" / "thesis.tex").write_text("results")


def make_old_group(location: Path) -> None:
    zarr.open_group(location, mode="w")
    zarr.open_group(location / "tiny", mode="w", zarr_format=2)


def make_hidden(location: Path) -> None:
    zarr.open_group(location, mode="w")
    folder = location / "tiny" / "status" / ".heatcat-blocks"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("results")


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (make_file, "is a file, not a store: give a directory"),
        (make_directory, "is not a Zarr v3 store: give another directory"),
        (make_old_zarr, "is not a Zarr v3 store: give another directory"),
        (make_array, "is a Zarr array, not a store of sweeps: give another directory"),
        *(
            (make, rf"has '{key}', which heatcat did not write, .*: choose another name or store")
            for make, key in [
                (make_foreign_group, "tiny/zarr.json"),
                (make_foreign_array, "tiny/zarr.json"),
                (make_thesis, "tiny/thesis.tex"),
                (make_old_group, r"tiny/\.z(group|attrs)"),
                (make_hidden, "tiny/status/.heatcat-blocks/notes.txt"),
            ]
        ),
    ],
)
def test_what_is_not_ours_is_refused_and_left_alone(make, complaint, tmp_path):
    location = tmp_path / "store"
    make(location)
    before = files(tmp_path)
    with refused(complaint):
        create_or_open(location, tiny_sweep())
    assert files(tmp_path) == before


def test_an_unknown_address_is_not_taken_for_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for attempt in (create_or_open, find_stored):
        with refused(
            "cannot store at ftp://host/a: give a directory that every worker sees, or s3://bucket/…"
        ):
            attempt("ftp://host/a", tiny_sweep())
    assert list(tmp_path.iterdir()) == []


def test_looking_for_a_store_writes_nothing(tmp_path):
    gone = tmp_path / "gone"
    assert find_stored(gone, tiny_sweep()) is None
    with refused("there is no store at .*: check the path"):
        catalog.open(gone)
    assert not gone.exists()
    create_or_open(tmp_path / "other", tiny_sweep(name="other"))
    before = files(tmp_path)
    assert find_stored(tmp_path / "other", tiny_sweep()) is None
    assert files(tmp_path) == before


def test_a_store_without_sweeps_is_refused(tmp_path):
    zarr.open_group(tmp_path, mode="w")
    with refused("holds no sweep: fill it with heatcat run SWEEP --store …"):
        catalog.open(tmp_path)


def test_relative_paths_are_resolved_where_the_store_is_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = create_or_open("here", tiny_sweep())
    monkeypatch.chdir("/")
    assert [block.index for block in store.missing()] == list(tiny_sweep().grid.block_indices())


def test_a_block_that_does_not_cover_its_chunk_is_not_written(tmp_path):
    sweep = tiny_sweep()
    part = part_of(tmp_path, sweep)
    before = files(tmp_path)
    for shape in [(1, 1, 1), (2, 3, 2), (2,)]:
        with pytest.raises(AssertionError, match=r"does not cover block \(0, 0, 0\)"):
            part.write((0, 0, 0), empty_arrays(sweep.grid, shape))
    assert files(tmp_path) == before


def test_a_block_that_is_not_solved_throughout_is_not_written(tmp_path):
    sweep = tiny_sweep()
    part = part_of(tmp_path, sweep)
    before = files(tmp_path)
    arrays = solve_block(sweep.grid, (0, 0, 0), sweep.model)
    arrays["status"][0, 1, 0] = Status.NOT_COMPUTED
    with pytest.raises(AssertionError, match=r"block \(0, 0, 0\) is not solved"):
        part.write((0, 0, 0), arrays)
    assert files(tmp_path) == before


@contextmanager
def writing(monkeypatch: pytest.MonkeyPatch, before: Callable[[Path], None]) -> Iterator[None]:
    """Call something before each file that is written, by its path."""
    write_file = catalog.store.durable.write_file

    def write(path: Path, content: bytes, **options: Any) -> None:
        before(path)
        write_file(path, content, **options)

    with monkeypatch.context() as patch:
        patch.setattr(catalog.store.durable, "write_file", write)
        yield


def array_of(path: Path) -> str | None:
    """The array that a file is a chunk of."""
    return path.parts[path.parts.index("c") - 1] if "c" in path.parts else None


def test_a_block_is_one_file_until_it_settles(tmp_path):
    part = part_of(tmp_path, tiny_sweep())
    before = set(files(tmp_path))
    solve(part, (1, 0, 1))
    record, _ = sorted(set(files(tmp_path)) - before)  # the other is the record of the run
    assert record.endswith("tiny/status/.heatcat-blocks/0.0.0/1.0.1")
    assert finished_blocks(tmp_path) == {(1, 0, 1)}


def test_values_settle_first_and_the_status_last_between_two_manifests(tmp_path, monkeypatch):
    sweep = tiny_sweep()
    part = part_of(tmp_path, sweep)
    solve(part, (1, 0, 1))
    written: list[Path] = []
    with writing(monkeypatch, written.append):
        settle(part)
    steps = [array_of(path) or path.parent.name for path in written]
    steps = [step for step in steps if step != ".heatcat-leases"]
    assert sorted(steps[1:-1]) == sorted(sweep.arrays)  # also those that hold only fill values
    assert (steps[0], steps[-2], steps[-1]) == (".heatcat-chunks", "status", ".heatcat-chunks")
    assert pending_blocks(tmp_path) == set()
    assert finished_blocks(tmp_path) == {(1, 0, 1)}


def test_every_file_and_folder_is_flushed_before_the_next_stage(tmp_path, monkeypatch):
    """A record must not be deleted before the chunks reach the disk: each write ends in fsyncs."""
    part = part_of(tmp_path, SMALL)
    events: list[tuple[str, str]] = []
    fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

    def record_fsync(descriptor: int) -> None:
        events.append(("fsync", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def record_replace(path: Path, target: Path) -> Path:
        events.append(("rename", str(target)))
        return replace(path, target)

    def record_unlink(path: Path, missing_ok: bool = False) -> None:
        events.append(("delete", str(path)))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(Path, "replace", record_replace)
    monkeypatch.setattr(Path, "unlink", record_unlink)
    solve(part, (0, 0, 0))
    settle(part)
    renamed = [at for at, (kind, _) in enumerate(events) if kind == "rename"]
    deleted = max(
        at for at, event in enumerate(events) if event[0] == "delete" and "blocks/0" in event[1]
    )
    stages = [  # what must be on the disk before the next begins
        at
        for at in renamed
        if events[at][1].endswith(("blocks/0.0.0/0.0.0", "chunks/0.0.0", "status/c/0/0/0"))
    ] + [deleted]
    assert len(stages) == 5
    for at in renamed:
        target = Path(events[at][1])
        before = events[:at]
        after = events[at : min(stage for stage in stages if stage > at)]
        assert any(k == "fsync" and p.startswith(str(target) + ".") for k, p in before), target
        assert ("fsync", str(target.parent)) in after, target


def test_a_block_whose_record_was_torn_is_not_computed_and_solved_again(
    tmp_path, monkeypatch, solved
):
    sweep = tiny_sweep()
    part = part_of(tmp_path, sweep)

    def full_disk(path: Path) -> None:
        if ".heatcat-blocks" in path.parts:
            raise OSError("No space left on device")

    with writing(monkeypatch, full_disk), pytest.raises(OSError, match="No space left"):
        solve(part, (0, 0, 0))
    store = create_or_open(tmp_path, sweep)
    assert not part.has((0, 0, 0))
    assert store.counts()["not computed"] == sweep.size
    assert (0, 0, 0) in [block.index for block in store.missing()]

    solved.clear()
    again = solve(part, (0, 0, 0))
    assert solved == [(0, 0, 0)]
    assert part.has((0, 0, 0))
    assert again["power"].tobytes() == part.read((0, 0, 0), ["power"])["power"].tobytes()


def test_a_store_that_is_moved_or_deleted_stops_a_run_in_one_line_and_is_not_begun_anew(tmp_path):
    for gone in ("moved", "deleted"):
        location = tmp_path / gone / "store"
        location.parent.mkdir()

        def leave(*_: object, gone: str = gone, location: Path = location) -> None:
            if gone == "moved":
                location.rename(location.with_name("elsewhere"))
            else:
                shutil.rmtree(location)

        with refused("no longer .*, .* moved or deleted.*: .*give its new place and run the .*"):
            run(SMALL, location, scheduler="synchronous", on_block=leave)
        assert not location.exists()
    moved = tmp_path / "moved" / "elsewhere"
    assert len(finished_blocks(moved)) == 1
    assert run(SMALL, moved, scheduler="synchronous")["ok"] == SMALL.size


def test_a_store_that_another_took_the_place_of_is_not_written_to(tmp_path):
    location = tmp_path / "store"

    def replace(*_: object) -> None:
        location.rename(tmp_path / "elsewhere")
        create_or_open(location, tiny_sweep(name="other"))

    with refused("the sweep 'tiny' is no longer in .*: give its new place and run the same .*"):
        run(SMALL, location, scheduler="synchronous", on_block=replace)
    assert sorted(path.name for path in location.iterdir()) == ["other", "zarr.json"]


def test_a_finished_group_whose_metadata_was_deleted_is_mended_not_begun_anew(tmp_path):
    run(SMALL, tmp_path, scheduler="synchronous")
    before = stored_values(tmp_path)
    (tmp_path / "tiny" / "zarr.json").unlink()
    with refused("tiny/zarr.json in .* is damaged .*: run heatcat repair .*, then go on"):
        run(SMALL, tmp_path, scheduler="synchronous")
    assert catalog.repair(tmp_path).damages[0].what == "zarr.json"
    assert stored_values(tmp_path) == before


def test_failed_points_are_stored_with_their_message_and_not_tried_again(
    tmp_path, monkeypatch, solved
):
    solve = Exact.solve

    def flaky(self, engine, variables=None):
        if engine.N == 2 and engine.delta_E == 125:
            raise ZeroDivisionError("no pivot")
        return solve(self, engine, variables)

    monkeypatch.setattr(Exact, "solve", flaky)
    counts = run(tiny_sweep(), tmp_path, scheduler="threads", workers=2)
    assert counts == {
        "not computed": 0, "running": 0, "ok": 10, "uncertified": 0, "unphysical": 0, "failed": 2
    }  # fmt: skip
    with opened(tmp_path) as ds:
        failed = ds.sel(N=2, delta_E=125)
        assert failed.status.values.tolist() == [Status.FAILED] * 2
        assert failed.error.values.tolist() == ["ZeroDivisionError: no pivot"] * 2
        assert failed.power.isnull().all()
        assert failed.coherence_order.values.tolist() == [-1, -1]
        assert (ds.status == Status.OK).sum() == 10
        assert (ds.error == "").sum() == 10
    solved.clear()
    assert run(tiny_sweep(), tmp_path, scheduler="synchronous") == counts
    assert solved == []


@pytest.mark.parametrize("sweep", [SMALL, OTHER], ids=["same", "other definition"])
@pytest.mark.parametrize("allowed", [0, 1, 5, 20])
def test_a_template_that_was_never_finished_is_begun_again(allowed, sweep, tmp_path, monkeypatch):
    with files_until_killed(allowed, monkeypatch):
        create_or_open(tmp_path, sweep)
    if allowed:
        assert find_stored(tmp_path, SMALL) is None
        with refused("holds no sweep: fill it with heatcat run SWEEP --store …"):
            catalog.open(tmp_path)
    assert run(SMALL, tmp_path, scheduler="synchronous")["ok"] == 12
    with opened(tmp_path) as ds:  # and of the other definition nothing is left
        assert set(ds.data_vars) == set(SMALL.arrays)


class Killed(BaseException):
    """Stands for kill -9: no library handles it."""


@contextmanager
def files_until_killed(allowed: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let so many files become whole and stop before the next; yield the names of all of them.

    A file gets its name when it is whole, so that what a kill leaves on disk is given by the files
    that were finished.  Stopping before each of them tries all moments at which to be killed.
    """
    names: list[str] = []

    def count(path: Path) -> None:
        if len(names) >= allowed:
            raise Killed
        names.append(str(path))

    with writing(monkeypatch, count), contextlib.suppress(Killed):
        yield names


@pytest.fixture
def writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Number of files that a run of the small sweep below writes."""
    with files_until_killed(math.inf, monkeypatch) as names:
        run(SMALL, tmp_path / "counted", scheduler="synchronous")
    assert any(name.endswith("status/c/0/0/0") for name in names), "files are not renamed any more"
    return len(names)


def check_kills(moments: Iterable[int], folder: Path, monkeypatch, solved: list[Index]) -> None:
    """Kill a run before so many files are written, kill its repetition, and let it finish."""
    for moment in moments:
        location = folder / str(moment)
        kept: dict[Index, dict] = {}
        for allowed in (moment, moment // 2):
            with files_until_killed(allowed, monkeypatch):
                run(SMALL, location, scheduler="synchronous")
            finished = {i: block_content(location, i) for i in finished_blocks(location)}
            assert kept.items() <= finished.items(), f"{moment}: a finished block was rewritten"
            kept = finished
        solved.clear()
        assert run(SMALL, location, scheduler="synchronous")["ok"] == SMALL.size
        assert sorted({*solved, *kept}) == list(SMALL.grid.block_indices())
        assert len(solved) + len(kept) == 8, f"{moment}: a finished block was solved again"
        assert kept.items() <= {i: block_content(location, i) for i in kept}.items()
        assert list(catalog.open(location)) == ["tiny"]  # Zarr warns of stray files, an error here
        assert stored_values(location) == stored_values(folder / "counted")
        shutil.rmtree(location)


def test_killed_before_any_of_some_writes(writes, tmp_path, monkeypatch, solved):
    some = sorted({0, 1, 2, 3, *range(7, writes, 17), writes - 1})
    check_kills(some, tmp_path, monkeypatch, solved)


@pytest.mark.slow
def test_killed_before_any_write(writes, tmp_path, monkeypatch, solved):
    check_kills(range(writes), tmp_path, monkeypatch, solved)
