"""Damage: every flipped bit, truncated or lost file is found, mended, and leaves no wrong value."""

from __future__ import annotations

import json
import os
import random
import shutil
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from google_crc32c import value as crc32c
from numcodecs.zstd import Zstd

import catalog
import catalog.sweeps.cuts
from catalog import check, create_or_open, repair, run, table
from catalog.running.solve import solve_block
from catalog.store.chunk_codec import digest
from catalog.store.leases import FOLDER as LEASES
from catalog.store.leases import Leases
from catalog.store.seal import sealed, unsealed
from catalog.store.storage import storage
from ensemble import InvalidInput
from tests.catalog.support import AXES, as_nobody, refused, stored_values, tiny_sweep

SMALL = tiny_sweep(variables=["power", "cop"])
LARGER = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 3]}, blocks={})
HARMS = ("flip", "truncate", "empty", "delete")


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A complete store of two parts; tests copy it."""
    location = tmp_path_factory.mktemp("sound") / "store"
    run(SMALL, location, scheduler="synchronous")
    run(LARGER, location, scheduler="synchronous")
    return location


@pytest.fixture(scope="module")
def expected(sound) -> dict[str, Any]:
    return values(sound)


def values(location: Path) -> dict[str, Any]:
    return {group: stored_values(location, group) for group in ("tiny", "tiny~1")}


def harm(path: Path, how: str, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if how == "delete":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "truncate":
        path.write_bytes(bytes(content[: rng.randrange(1, len(content))]))
    else:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(content))


def stored_files(location: Path) -> list[Path]:
    """All but the records of runs, of which there is no second copy."""
    found = sorted(path for path in location.rglob("*") if path.is_file())
    return [path for path in found if ".heatcat-runs" not in path.parts]


def kind_of(name: Path) -> str:
    """What a file of a store is."""
    parts = name.parts
    if len(parts) == 1:
        return "root"
    for folder in ("template", "blocks", "chunks"):
        if f".heatcat-{folder}" in parts:
            return folder
    array = parts[1]
    if "c" in parts:
        return "coordinate" if array in (*AXES, *SMALL.fixed) else "chunk"
    return "group metadata" if array == "zarr.json" else "array metadata"


def harm_and_repair(
    sound: Path, folder: Path, cases: list[tuple[int, str]], expected: dict[str, Any]
) -> None:
    """Damage one file, check, repair, run again; counts are shown if it fails."""
    rng = random.Random(7)
    counts: dict[str, Counter[str]] = {}
    for number, how in cases:
        location = folder / "store"
        shutil.copytree(sound, location)
        path = stored_files(location)[number]
        name = path.relative_to(location)
        harm(path, how, rng)
        count = counts.setdefault(kind_of(name), Counter())
        count["tried"] += 1
        report = check(location)
        if report.sound and how == "flip" and name.parts[1] in (*AXES, *SMALL.fixed):
            # Other programs may write a coordinate in their own way: it has the same labels still.
            assert values(location) == expected
            shutil.rmtree(location)
            continue
        assert not report.sound, f"{how} of {name} was not found"
        count["found"] += 1
        mended = repair(location)
        assert [(d.group, d.what) for d in mended.damages][:1] == [
            (d.group, d.what) for d in report.damages
        ][:1]
        assert check(location).sound, f"{how} of {name} was not mended"
        solved: list = []
        run(
            LARGER, location, scheduler="synchronous",
            on_block=lambda block, _, solved=solved: solved.append(block),
        )  # fmt: skip
        # A damaged chunk takes all its blocks with it; everything else is mended in full.
        part_blocks = 8 if name.parts[0] == "tiny" else 1
        lost = {"chunk": part_blocks}.get(kind_of(name), 0)
        assert len(solved) == lost, f"{how} of {name}: {len(solved)} blocks solved"
        count["blocks solved again"] += len(solved)
        count["wrong"] += values(location) != expected
        assert not count["wrong"], f"{how} of {name}: wrong values"
        shutil.rmtree(location)
    print({kind: dict(count) for kind, count in counts.items()})


def test_some_harms(sound, expected, tmp_path):
    rng = random.Random(8)
    files = stored_files(sound)
    kinds: dict[str, list[int]] = {}
    for number, path in enumerate(files):
        kinds.setdefault(kind_of(path.relative_to(sound)), []).append(number)
    assert len(kinds) == 7  # no block records are left
    cases = [(rng.choice(numbers), how) for numbers in kinds.values() for how in HARMS]
    harm_and_repair(sound, tmp_path, cases, expected)


@pytest.mark.slow
def test_a_harm_to_every_file(sound, expected, tmp_path):
    rng = random.Random(9)
    cases = [(number, rng.choice(HARMS)) for number in range(len(stored_files(sound)))]
    harm_and_repair(sound, tmp_path, cases, expected)


FLIPS = int(os.environ.get("HEATCAT_FLIPS", "6"))
"""Flipped bits for each kind of file; HEATCAT_FLIPS=500 pytest -s -k every_kind takes minutes."""


def test_flipped_bits_in_every_kind_of_file_never_give_a_wrong_value(tmp_path):
    """Opened, read and exported without a check before: right, or refused in one line."""
    sound = tmp_path / "sound"
    run(SMALL, sound, scheduler="synchronous")
    entry = catalog.open(sound)["tiny"]
    # One block in a record of its own, with values that the chunk does not have.
    part = entry.parts[0]
    arrays = part.read((0, 0, 0), SMALL.arrays)
    arrays["wall_time"] = arrays["wall_time"] + 1
    part.write((0, 0, 0), arrays)
    right = table(entry.dataset())
    plain = xr.open_zarr(sound, group="tiny", consolidated=False).load()
    rng = random.Random(10)
    kinds: dict[str, list[Path]] = {}
    for path in sorted(path for path in sound.rglob("*") if path.is_file()):
        name = path.relative_to(sound)
        kind = "run record" if ".heatcat-runs" in name.parts else kind_of(name)
        kinds.setdefault(kind, []).append(name)
    assert len(kinds) == 9
    counts: dict[str, Counter[str]] = {}
    for kind, names in kinds.items():
        count = counts.setdefault(kind, Counter())
        for _ in range(FLIPS):
            location = tmp_path / "flipped"
            shutil.copytree(sound, location)
            name = rng.choice(names)
            harm(location / name, "flip", rng)
            count["tried"] += 1
            if check(location).sound:  # a flip that makes no difference, to any reader
                with xr.open_zarr(location, group="tiny", consolidated=False) as now:
                    count["harmless"] += now.load().identical(plain)
            else:
                count["found by check"] += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", catalog.OlderSolver)
                    found = catalog.open(location)["tiny"]
                    count["wrong"] += not table(found.dataset()).equals(right)
                    found.history(), found.counts(), found.summary(), found.points_by_run()
                count["read right"] += 1
            except InvalidInput as refusal:
                count["refused"] += 1
                count["many lines"] += "\n" in str(refusal)
            shutil.rmtree(location)
    print({kind: dict(count) for kind, count in counts.items()})
    for kind, count in counts.items():
        assert count["wrong"] == count["many lines"] == 0, kind
        assert count["found by check"] + count["harmless"] == count["tried"], kind
        assert count["harmless"] <= 0.2 * count["tried"], kind


def test_a_chunk_that_was_copied_to_another_place_is_found(tmp_path):
    """Within an array, from another array, and with its manifest; also a record."""
    two_chunks = tmp_path / "sound"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog.sweeps.cuts, "CHUNK_BLOCKS", 4)
        sweep = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 3]})
        run(sweep, two_chunks, scheduler="synchronous")
        assert len(list((two_chunks / "tiny/power/c").rglob("0"))) > 1
        copies = [
            ("power/c/0/0/0", "power/c/1/0/0"),
            ("power/c/0/0/0", "cop/c/0/0/0"),
            ("status/.heatcat-chunks/0.0.0", "status/.heatcat-chunks/1.0.0"),
        ]
        for number, (source, target) in enumerate(copies):
            location = tmp_path / str(number)
            shutil.copytree(two_chunks, location)
            shutil.copy(location / "tiny" / source, location / "tiny" / target)
            assert not check(location).sound, target
            with refused(".* is damaged .*: run heatcat repair .*, then go on"):
                catalog.open(location)["tiny"].dataset().compute()
        location = tmp_path / "record"
        create_or_open(location, sweep)
        part = catalog.open(location)["tiny"].parts[0]
        part.write((0, 0, 0), solve_block(sweep.grid, (0, 0, 0), sweep.model))
        record = location / part.record_key((0, 0, 0))
        record.rename(record.with_name("0.0.1"))
        assert not check(location).sound
        with refused(".* is damaged .*: run heatcat repair .*, then go on"):
            catalog.open(location)["tiny"].dataset().compute()


def test_a_missing_chunk_of_finished_blocks_is_an_error_not_nan(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    (location / "tiny" / "power" / "c" / "0" / "0" / "0").unlink()
    with refused(r"tiny/power/c/0/0/0 in .* is damaged \(the chunk is missing\): .*, then go on"):
        catalog.open(location)["tiny"].dataset().power.compute()


def test_a_chunk_that_unpacks_to_more_than_its_array_is_not_unpacked(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    bomb = Zstd(3).encode(bytes(2**28))
    content = bomb + crc32c(bomb).to_bytes(4, "little")
    assert len(content) < 40_000
    for array in ("power", "error"):
        (location / "tiny" / array / "c" / "0" / "0" / "0").write_bytes(content)
    manifest = location / "tiny/status/.heatcat-chunks/0.0.0"
    record = json.loads(unsealed(manifest.read_bytes()) or b"")
    record["digests"]["power"] = record["digests"]["error"] = [digest(content)]
    manifest.write_bytes(sealed(json.dumps(record).encode()))
    tracemalloc.start()
    try:
        assert {damage.what for damage in check(location).damages} == {"power", "error"}
        for name in ("power", "error"):
            with refused("(.*unpack to more than .*|.*at most .* expected.*), then go on"):
                catalog.open(location)["tiny"].dataset()[name].compute()
        assert tracemalloc.get_traced_memory()[1] < 2**27
    finally:
        tracemalloc.stop()


def test_files_of_other_programs_harm_nothing_and_stay(sound, expected, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    names = [".DS_Store", "._0", ".nfs000000000001", "0.bak", "0.0", "00.0.0", "notes.txt", "9.9.9"]
    folders = [
        "", "tiny", "tiny/status", "tiny/status/c", "tiny/status/c/0", "tiny/power/c/0/0",
        "tiny/status/.heatcat-blocks", "tiny/status/.heatcat-blocks/0.0.0",
        "tiny/status/.heatcat-chunks", "tiny/status/.heatcat-leases", "tiny/status/.heatcat-runs",
    ]  # fmt: skip
    stray = [f"{folder}/{name}" for folder in folders for name in names]
    stray.remove("tiny/status/.heatcat-leases/9.9.9")  # that is how a lease is named
    for name in stray:
        (location / name).parent.mkdir(exist_ok=True)
        (location / name).write_bytes(b"results")
    assert check(location).sound
    assert repair(location).sound
    assert run(LARGER, location, scheduler="synchronous")["ok"] == LARGER.size
    ds = catalog.open(location)["tiny"].dataset()
    assert ds.power.notnull().all()
    for name in stray:
        assert (location / name).read_bytes() == b"results", name


def test_a_renamed_or_copied_group_is_named_with_its_remedy(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    shutil.copytree(location / "tiny", location / "copy")
    with pytest.warns(catalog.SweepLeftOut, match="'copy' in .* was written as 'tiny', .*copied"):
        entries = catalog.open(location)
    assert list(entries) == ["tiny"]
    assert [damage.group for damage in check(location).damages] == ["copy"]
    (location / "tiny").rename(location / "other")
    shutil.rmtree(location / "copy")
    with refused("'other' in .* was written as 'tiny', .*: give it that name again, or move .*"):
        catalog.open(location)
    before = {path: path.read_bytes() for path in location.rglob("*") if path.is_file()}
    repair(location)
    assert {path: path.read_bytes() for path in location.rglob("*") if path.is_file()} == before


def test_arrays_that_users_add_with_xarray_are_kept_and_shown(sound, expected, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    with xr.open_zarr(location, group="tiny", consolidated=False) as plain:
        doubled = (2 * plain.power).rename("doubled").to_dataset().load().drop_encoding()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        doubled.to_zarr(location, group="tiny", mode="a", consolidated=False)
    assert check(location).sound or repair(location)
    assert check(location).sound
    ds = catalog.open(location)["tiny"].dataset()
    assert ds.doubled.dims == ds.power.dims
    first = ds.sel(N=[1, 2])
    assert np.array_equal(first.doubled, 2 * first.power)
    assert ds.doubled.sel(N=3).isnull().all()  # the other part has none
    run(LARGER, location, scheduler="synchronous")
    assert "doubled" in catalog.open(location)["tiny"].dataset()


def test_what_is_not_of_heatcat_is_left_alone(tmp_path):
    zarr.create_array(tmp_path / "array", shape=(3,), dtype="f8")[:] = 1
    zarr.open_group(tmp_path / "group", mode="w").create_array("tiny", shape=(3,), dtype="f8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "zarr.json").write_text("{")
    (tmp_path / "file").write_text("results")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for name, why in [
        ("array", "nothing at .* can be recognised as a store of heatcat: check the path"),
        ("folder", "nothing at .* can be recognised as a store of heatcat: check the path"),
        ("file", ".* is a file, not a store: give a directory"),
    ]:
        for attempt in (check, repair):
            with refused(why):
                attempt(tmp_path / name)
    repair(tmp_path / "group")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_part_names_the_others_for_those_who_read_without_heatcat(sound):
    for group in ("tiny", "tiny~1"):
        with xr.open_zarr(sound, group=group, consolidated=False) as ds:
            assert ds.attrs["parts"].startswith("2 groups hold this sweep together: tiny, tiny~1;")


def test_a_folder_that_may_not_be_read_is_an_error_not_an_empty_one(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    assert check(location).sound
    closed = location / "tiny" / "status" / ".heatcat-chunks"
    closed.chmod(0)
    with as_nobody(tmp_path), pytest.raises(PermissionError, match="Permission denied"):
        check(location)
    closed.chmod(0o700)


def test_a_sound_store_is_sound_and_checking_changes_nothing(sound):
    before = {path: path.stat().st_mtime_ns for path in sound.rglob("*")}
    report = check(sound)
    assert report.sound
    assert (report.blocks, report.unfinished, report.leavings) == (9, 0, 0)
    assert report.chunks == 2 * len(SMALL.arrays)
    assert repair(sound).plain() == report.plain()
    assert {path: path.stat().st_mtime_ns for path in sound.rglob("*")} == before


def test_blocks_that_are_not_computed_are_no_damage(tmp_path):
    catalog.dataset(SMALL, tmp_path).power.sel(N=1, delta_E=50).compute()
    report = check(tmp_path)
    assert report.sound
    assert (report.blocks, report.unfinished) == (2, 6)


def test_reading_a_damaged_chunk_never_gives_a_wrong_value(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    harm(location / "tiny" / "power" / "c" / "0" / "0" / "0", "flip", random.Random(1))
    with refused(
        rf"tiny/power/c/0/0/0 in {location} is damaged \(.*checksum.*\): run .*, then go on"
    ):
        catalog.dataset(SMALL, location).power.compute()
    with xr.open_zarr(location, group="tiny", consolidated=False) as ds:
        with pytest.raises(ValueError, match="checksum"):  # without this package, too
            ds.power.load()
        assert ds.cop.notnull().any()


def test_a_hopeless_group_is_named_and_the_others_are_mended(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    (location / "tiny~1" / "zarr.json").write_bytes(b'{"attributes": {"sweep_key": "')
    (location / "tiny~1" / "status" / ".heatcat-template").write_bytes(b"")
    (location / "tiny" / "zarr.json").write_bytes(b"")
    report = repair(location)
    assert {(d.group, d.what) for d in report.damages} == {
        ("tiny", "zarr.json"),
        ("tiny~1", "status/.heatcat-template"),
    }
    assert "cannot be mended" in next(d.remedy for d in report.damages if d.group == "tiny~1")
    with xr.open_zarr(location, group="tiny", consolidated=False) as ds:
        assert ds.power.notnull().all()


def test_leavings_of_killed_processes_are_counted_and_deleted(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    torn = f"{'0123' * 8}.partial"
    (location / f"zarr.json.{torn}").write_bytes(b"{")
    (location / "thesis.partial").write_bytes(b"not of heatcat")
    leases = location / "tiny" / "status" / LEASES
    leases.mkdir(exist_ok=True)
    (leases / "0.0.0.1").write_text(json.dumps({"expires": 0.0}))
    chunks = location / "tiny" / "power" / "c" / "0" / "0"
    (chunks / f"0.{torn}").write_bytes(b"")  # a process was killed amid writing a chunk
    assert check(location).leavings == 3
    assert check(location).sound
    assert repair(location).leavings == 3
    assert check(location).leavings == 0
    assert (location / "thesis.partial").exists()


def test_a_store_at_work_is_not_repaired(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    with (
        Leases(storage(str(location)), "tiny").hold("0.0.0", wait=False),
        refused(r"is being worked on by process \d+ on .*: stop it, then repair"),
    ):
        repair(location)


def test_a_damaged_record_of_a_run_is_reported_and_harms_nothing(sound, expected, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    (location / "tiny" / "status" / ".heatcat-runs" / "1.json").write_bytes(b"{")
    (damage,) = check(location).damages
    assert damage.what == "status/.heatcat-runs/1.json"
    assert values(location) == expected
    with pytest.warns(
        catalog.OlderSolver, match="not fully documented: the record of run 1 is damaged"
    ):
        assert [record["outcome"] for record in catalog.open(location)["tiny"].history()] == [
            "record damaged", "complete",
        ]  # fmt: skip


def test_where_there_is_nothing_nothing_is_checked(tmp_path):
    for attempt in (check, repair):
        with refused("there is no store at .*: check the path"):
            attempt(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
