"""Damage: every flipped bit, truncated or lost file is found, mended, and leaves no wrong value."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import catalog
from catalog import check, repair, run
from catalog.lease import FOLDER as LEASES
from catalog.lease import Claims
from catalog.storage import storage
from tests.catalog.support import AXES, block_files, refused, stored_values, tiny_sweep

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


def harm_and_repair(
    sound: Path, folder: Path, cases: list[tuple[int, str]], expected: dict[str, Any]
) -> None:
    """Damage one file, check, repair, run again; counts are shown if it fails."""
    rng = random.Random(7)
    counts = {"harmed": 0, "found": 0, "recomputed blocks": 0, "wrong": 0}
    for number, how in cases:
        location = folder / "store"
        shutil.copytree(sound, location)
        path = stored_files(location)[number]
        name = path.relative_to(location)
        harm(path, how, rng)
        counts["harmed"] += 1
        lost_block = path.match("status/c/*/*/*") and how == "delete"  # is just not computed
        report = check(location)
        assert report.sound == lost_block, f"{how} of {name} was not found"
        counts["found"] += not report.sound
        mended = repair(location)
        assert [(d.group, d.what) for d in mended.damages][:1] == [
            (d.group, d.what) for d in report.damages
        ][:1]
        assert check(location).sound, f"{how} of {name} was not mended"
        before = {index: block_files(location, index) for index in SMALL.block_indices()}
        solved: list = []
        run(
            LARGER, location, scheduler="synchronous",
            on_block=lambda block, _, solved=solved: solved.append(block),
        )  # fmt: skip
        counts["recomputed blocks"] += len(solved)
        in_block = "c" in name.parts and name.parts[1] not in (*AXES, *SMALL.fixed)
        assert len(solved) == in_block, f"{how} of {name}: {len(solved)} blocks solved"
        untouched = {i: files for i, files in before.items() if len(files) == len(SMALL.arrays)}
        after = {index: block_files(location, index) for index in untouched}
        assert after == untouched, "a sound block was rewritten"
        if values(location) != expected:
            counts["wrong"] += 1
        assert not counts["wrong"], f"{how} of {name}: wrong values"
        shutil.rmtree(location)
    print(counts)


def test_some_harms(sound, expected, tmp_path):
    rng = random.Random(8)
    files = stored_files(sound)
    metadata = [i for i, path in enumerate(files) if "c" not in path.relative_to(sound).parts]
    chunks = [i for i in range(len(files)) if i not in metadata]
    cases = [(rng.choice(metadata), how) for how in HARMS for _ in range(2)]
    cases += [(rng.choice(chunks), how) for how in HARMS for _ in range(3)]
    cases += [(files.index(sound / "zarr.json"), "empty")]
    cases += [(files.index(sound / "tiny" / "zarr.json"), how) for how in ("flip", "delete")]
    harm_and_repair(sound, tmp_path, cases, expected)


@pytest.mark.slow
def test_a_harm_to_every_file(sound, expected, tmp_path):
    rng = random.Random(9)
    cases = [(number, rng.choice(HARMS)) for number in range(len(stored_files(sound)))]
    harm_and_repair(sound, tmp_path, cases, expected)


def test_a_sound_store_is_sound_and_checking_changes_nothing(sound):
    before = {path: path.stat().st_mtime_ns for path in sound.rglob("*")}
    report = check(sound)
    assert report.sound
    assert (report.blocks, report.unfinished, report.leavings) == (9, 0, 0)
    assert report.chunks == 9 * len(SMALL.arrays)
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
        rf"tiny in {location} is damaged \(.*checksum.*\): run heatcat repair .*, then go on"
    ):
        catalog.dataset(SMALL, location).power.compute()
    with xr.open_zarr(location, group="tiny", consolidated=False) as ds:
        with pytest.raises(ValueError, match="checksum"):  # without this package, too
            ds.power.load()
        assert ds.power.sel(N=2).notnull().all()


def test_a_hopeless_group_is_named_and_the_others_are_mended(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    (location / "tiny~1" / "zarr.json").write_bytes(b'{"attributes": {"sweep_key": "')
    (location / "tiny~1" / "status" / ".heatcat-template").write_bytes(b"")
    (location / "tiny" / "zarr.json").write_bytes(b"")
    report = repair(location)
    assert {(d.group, d.what) for d in report.damages} == {
        ("tiny", "zarr.json"),
        ("tiny~1", "zarr.json"),
        ("tiny~1", "status/.heatcat-template"),
    }
    assert "cannot be mended" in next(
        d.remedy for d in report.damages if (d.group, d.what) == ("tiny~1", "zarr.json")
    )
    with xr.open_zarr(location, group="tiny", consolidated=False) as ds:
        assert ds.power.notnull().all()


def test_leavings_of_killed_processes_are_counted_and_deleted(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    (location / "zarr.json.0123.partial").write_bytes(b"{")
    leases = location / "tiny" / "status" / LEASES
    leases.mkdir(exist_ok=True)
    (leases / "0.0.0.1").write_text(json.dumps({"expires": 0.0}))
    chunks = location / "tiny" / "power" / "c" / "0" / "0"
    (chunks / "0.4567.partial").write_bytes(b"")  # a process was killed amid writing a chunk
    assert check(location).leavings == 3
    assert check(location).sound
    assert repair(location).leavings == 3
    assert check(location).leavings == 0


def test_a_store_at_work_is_not_repaired(sound, tmp_path):
    location = tmp_path / "store"
    shutil.copytree(sound, location)
    with (
        Claims(storage(str(location)), "tiny").hold("0.0.0", wait=False),
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
    with pytest.warns(catalog.OlderSolver, match="run 1"):
        assert [record["outcome"] for record in catalog.open(location)["tiny"].history()] == [
            "record damaged", "complete",
        ]  # fmt: skip


def test_where_there_is_nothing_nothing_is_checked(tmp_path):
    for attempt in (check, repair):
        with refused("there is no store at .*: check the path"):
            attempt(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
