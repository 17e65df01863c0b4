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


def test_a_sweep_with_other_words_extends_the_stored_one(tmp_path):
    location = tmp_path / "store.zarr"
    catalog.create_or_open(location, tiny_sweep(description=WORDS))
    longer = tiny_sweep(
        axes={"N": [1, 2, 3], "delta_E": [50.0], "T_mean": [60.0]}, description="more"
    )
    catalog.create_or_open(location, longer)
    entry = catalog.open(location)["tiny"]
    assert len(entry.parts) == 2
    assert entry.grid.description == WORDS


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
