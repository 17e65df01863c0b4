"""What a catalogue says of its sweeps: names, descriptions, and one line for each."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr
from click.testing import CliRunner

import catalog
from ensemble import InvalidInput
from heatcat.cli import cli
from tests.catalog.support import tiny_sweep

WORDS = "first look at the gain; not for publication"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("catalogue") / "store.zarr"
    sweep = tiny_sweep(axes={"N": [1, 2], "delta_E": [50.0], "T_mean": [60.0]}, description=WORDS)
    catalog.run(sweep, location, scheduler="synchronous")
    return location


def test_a_description_is_no_part_of_what_a_sweep_is():
    one, other = tiny_sweep(description=WORDS), tiny_sweep(description="something else")
    assert one.definition()["description"] == WORDS
    assert one.grid.key == other.grid.key == tiny_sweep().grid.key
    assert one.family.identity() == other.family.identity()
    assert tiny_sweep(scaling="high-temperature").grid.key != one.grid.key


def test_a_description_is_found_again_wherever_one_looks(store, tmp_path):
    entry = catalog.open(store)["tiny"]
    assert entry.grid.description == WORDS
    assert entry.dataset().attrs["description"] == WORDS
    catalog.export(entry.dataset(), tmp_path / "tiny.nc")
    with xr.open_dataset(tmp_path / "tiny.nc", engine="h5netcdf") as exported:
        assert exported.attrs["description"] == WORDS
    assert WORDS in entry._repr_html_()
    shown = CliRunner().invoke(cli, ["status", str(store)], catch_exceptions=False)
    assert WORDS.split(";")[0] in shown.output


def test_the_words_of_the_last_run_are_kept(tmp_path):
    """A sweep is run again, or extended, with other words: all groups say them, and are sound."""
    location = tmp_path / "store.zarr"
    catalog.run(tiny_sweep(variables=["power"]), location, scheduler="synchronous")

    def said() -> set[str]:
        assert catalog.check(location).sound
        entry = catalog.open(location)["tiny"]
        groups = [
            xr.open_zarr(location, group=part.group, consolidated=False) for part in entry.parts
        ]
        seen = (entry.grid, *(part.grid for part in entry.parts))
        words = {entry.dataset().attrs["description"], *(one.description for one in seen)}
        return words | {group.attrs["description"] for group in groups}

    assert said() == {""}
    for words in (WORDS, "<b>others</b> \x1b[31m", WORDS):
        again = tiny_sweep(variables=["power"], description=words)
        catalog.run(again, location, scheduler="synchronous")
        assert said() == {words}
    catalog.run(tiny_sweep(variables=["power"]), location, scheduler="synchronous")
    assert said() == {WORDS}  # no words are no news
    longer = tiny_sweep(
        axes={"N": [1, 2, 3], "delta_E": [50.0], "T_mean": [60.0]},
        variables=["power"],
        description="more",
    )
    catalog.create_or_open(location, longer)
    assert len(catalog.open(location)["tiny"].parts) == 2
    assert said() == {"more"}


def test_a_run_that_is_killed_between_old_and_new_words_does_no_harm(tmp_path):
    location = tmp_path / "store.zarr"
    sweep = tiny_sweep(variables=["power"], description="old")
    catalog.run(sweep, location, scheduler="synchronous")
    metadata = location / "tiny" / "zarr.json"
    before = metadata.read_bytes()
    catalog.run(sweep.replace(description="new"), location, scheduler="synchronous")
    metadata.write_bytes(before)  # as if it had been killed before the last step
    assert catalog.check(location).sound
    assert catalog.open(location)["tiny"].grid.description == "new"
    catalog.run(sweep.replace(description="new"), location, scheduler="synchronous")
    assert b'"description": "new"' in metadata.read_bytes()


def test_an_entry_is_one_line(store):
    shown = repr(catalog.open(store)["tiny"])
    assert shown == f"<Entry tiny of {store}: 2 N × 1 delta_E × 1 T_mean points, method exact>"


@pytest.mark.parametrize("kind", [InvalidInput, KeyError])
def test_a_name_that_is_not_there_gets_a_suggestion(kind, store):
    entries = catalog.open(store)
    with pytest.raises(kind, match=r"store\.zarr holds no sweep 'tyni': did you mean 'tiny'\?$"):
        entries["tyni"]
    with pytest.raises(kind, match=r"holds no sweep 3: choose from tiny$"):
        entries[3]  # type: ignore[index]
    assert "tyni" not in entries
    assert entries.get("tyni") is None
