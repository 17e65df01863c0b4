"""Fixtures: the maser as a user has it, and a store of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import catalog
from catalog import Sweep
from tests.examples.support import BLOCKS, EXAMPLES, MASERS, example


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A user's folder: a copy of the example, and a sweep file beside it."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copy(EXAMPLES / "maser.py", folder)
    (folder / "sweep.toml").write_text(MASERS, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sweep() -> Sweep:
    """The sweep, with the example where it lies."""
    example("maser:maser")
    return catalog.sweep_from_toml(MASERS)


@pytest.fixture(scope="session")
def complete(sweep, tmp_path_factory) -> Path:
    """A store whose run nothing interrupted."""
    location = tmp_path_factory.mktemp("complete") / "store.zarr"
    assert catalog.run(sweep, location, scheduler="synchronous")["ok"] == BLOCKS
    return location
