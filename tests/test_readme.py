"""The README's blocks run as printed, and its store is complete."""

import pytest

import catalog
from tests.pages import ROOT, run_page


@pytest.mark.pages
def test_every_code_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stored = run_page(ROOT / "README.md", tmp_path)["ds"]
    store = catalog.open("engines.zarr")["steadiness"]
    assert store.counts() == dict.fromkeys(store.counts(), 0) | {"ok": store.grid.size}
    assert stored.power.sel(N=8).notnull().all()
