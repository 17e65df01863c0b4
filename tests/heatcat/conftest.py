"""Chromium, and a page of a tiny store, for the tests that drive a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from tests.chromium import started
from tests.heatcat.serving import serving
from tests.heatcat.stores import computed


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, xr.Dataset]:
    location = tmp_path_factory.mktemp("tiny") / "store.zarr"
    return location, computed(location)


@pytest.fixture(scope="module")
def address(tiny: tuple[Path, xr.Dataset]) -> Iterator[str]:
    with serving(tiny[0]) as found:
        yield found
