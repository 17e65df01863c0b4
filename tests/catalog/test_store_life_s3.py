"""Compacting, renaming, deleting and copying on S3-compatible storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import catalog
from catalog import run
from catalog.store.compact import compact
from catalog.store.copy_sweep import Copied, copy
from catalog.store.delete import delete
from catalog.store.leases import FOLDER as LEASES
from catalog.store.rename import rename
from catalog.store.storage import Storage, storage
from ensemble import InvalidInput
from tests.catalog.test_compact import LARGER, SMALL, everything
from tests.catalog.test_copy_sweep import BEYOND
from tests.catalog.test_s3 import bucket, endpoint  # noqa: F401 - fixtures

pytestmark = pytest.mark.kills


class Killed(BaseException):
    """Stands for kill -9: no library handles it."""


def extended(location: str) -> str:
    for sweep in (SMALL, LARGER):
        run(sweep, location, scheduler="synchronous")
    return location


def test_the_life_of_a_sweep(bucket, tmp_path):  # noqa: F811
    location = extended(f"{bucket}/deep/store")
    place = storage(location)
    before = everything(location)
    compact(location, "tiny")
    assert everything(location) == before
    assert sorted(place.names("")) == ["tiny", "zarr.json"]
    with xr.open_zarr(place.zarr, group="tiny", consolidated=False) as ds:
        assert dict(ds.sizes) == {"N": 3, "delta_E": 4, "T_mean": 2}
        assert bool(ds.status.all())
        mine = 2 * ds[["power"]].rename(power="mine").load()
        mine.attrs = ds.attrs
        mine.to_zarr(place.zarr, group="tiny", mode="a", consolidated=False)
    rename(location, "tiny", "new")
    with xr.open_zarr(place.zarr, group="new", consolidated=False) as ds:
        np.testing.assert_array_equal(ds.mine.values, 2 * ds.power.values)
    copy(location, "new", tmp_path / "local", new="tiny")
    assert everything(tmp_path / "local") == everything(location, "new")
    copy(tmp_path / "local", "tiny", f"{bucket}/other")
    assert everything(f"{bucket}/other") == everything(location, "new")
    run(BEYOND, tmp_path / "beyond", scheduler="synchronous")
    copied = copy(tmp_path / "beyond", "tiny", f"{bucket}/other", new="tiny")
    assert copied == Copied("tiny", 4, 4, merged=True)
    for name in (location, f"{bucket}/other"):
        assert catalog.check(name).sound
    run(SMALL, location, scheduler="synchronous")
    delete(location, "tiny")
    assert sorted(place.names("")) == ["new", "zarr.json"]


def requests_until_killed(patch: pytest.MonkeyPatch, allowed: float) -> list[str]:
    """Stop before a request that changes the bucket; the list of those that were made."""
    made: list[str] = []

    def counted(method: Any) -> Any:
        def change(self: Storage, *arguments: Any) -> Any:
            if len(made) >= allowed:
                raise Killed
            made.append(str(arguments[0])[:100])
            return method(self, *arguments)

        return change

    for name in ("put", "put_many", "delete", "create"):
        patch.setattr(Storage, name, counted(getattr(Storage, name)))
    return made


@pytest.mark.parametrize("moments", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_killed_before_requests_heatcat_sees_all_and_other_readers_nothing_wrong(
    moments,
    bucket,  # noqa: F811
    tmp_path: Path,
):
    counted = extended(f"{bucket}/counted")
    with pytest.MonkeyPatch.context() as patch:
        made = requests_until_killed(patch, float("inf"))
        compact(counted, "tiny")
    after = everything(counted)
    switch = next(i for i, key in enumerate(made) if key.endswith("plan.json"))
    # Half of them after the switch, where groups are deleted and copied object by object.
    chosen = {
        *np.linspace(0, switch, moments // 2, dtype=int).tolist(),
        *np.linspace(switch + 1, len(made) - 1, moments // 2, dtype=int).tolist(),
    }
    for count, allowed in enumerate(sorted(chosen)):
        location = extended(f"{bucket}/{allowed}")
        before = everything(location)
        with pytest.MonkeyPatch.context() as patch:
            requests_until_killed(patch, allowed)
            with pytest.raises(Killed):
                compact(location, "tiny")
        place = storage(location)
        for key in (key for name in place.names("") for key in place.keys(name)):
            if LEASES in key:  # those of a process that was really killed would be void
                place.delete(key)
        assert everything(location) == before
        try:
            with xr.open_zarr(place.zarr, group="tiny", consolidated=False) as ds:
                shown = ds.power.notnull().load()
                assert shown.shape == (2, 3, 2) or shown.shape == (3, 4, 2)
                assert bool(ds.status.all())
        except FileNotFoundError:
            assert allowed > switch, "the group was gone before the switch"
        if count % 2:
            catalog.repair(location)
        compact(location, "tiny")
        assert everything(location) == before
        assert sorted(place.names("")) == ["tiny", "zarr.json"]
        assert catalog.check(location).sound
    assert after.keys() == before.keys()
    with pytest.raises(InvalidInput, match="holds no sweep"):
        compact(counted, "other")
