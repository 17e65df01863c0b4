"""Chromium, and a page of a tiny store, for the tests that drive a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from tests.heatcat.serving import FLAGS, serving
from tests.heatcat.stores import computed


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "Chromium is missing: apt-get install chromium"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, xr.Dataset]:
    location = tmp_path_factory.mktemp("tiny") / "store.zarr"
    return location, computed(location)


@pytest.fixture(scope="module")
def address(tiny: tuple[Path, xr.Dataset]) -> Iterator[str]:
    with serving(tiny[0]) as found:
        yield found
