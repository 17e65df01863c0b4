"""S3-compatible object storage, against a real endpoint in this process."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import xarray as xr
from moto.server import ThreadedMotoServer

import catalog
from catalog import check, repair, run
from catalog.store.leases import Busy, Leases
from catalog.store.storage import Storage, storage
from ensemble import InvalidInput
from tests.catalog.support import AXES, exact, refused, tiny_sweep

pytestmark = pytest.mark.kills

SMALL = tiny_sweep(variables=["power", "cop"])
LARGER = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 3]}, blocks={})


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch) -> Iterator[str]:
    """URL of an empty bucket, reached through the environment as on any machine."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="engines")
    catalog.store.storage._storage.cache_clear()
    catalog.store.part._template.cache_clear()
    yield "s3://engines"
    listed = client.list_objects_v2(Bucket="engines").get("Contents", [])
    while listed:
        client.delete_objects(
            Bucket="engines", Delete={"Objects": [{"Key": item["Key"]} for item in listed]}
        )
        listed = client.list_objects_v2(Bucket="engines").get("Contents", [])
    client.delete_bucket(Bucket="engines")


def values(location: str) -> dict[str, Any]:
    ds = catalog.open(location)["tiny"].dataset().compute()
    return {str(name): exact(ds[name].values) for name in set(ds) - {"wall_time", "run"}}


def test_run_extend_query_check_and_repair(bucket, tmp_path):
    location = f"{bucket}/deep/store.zarr"
    with refused("there is no store at s3://engines/deep/store.zarr: check the path"):
        catalog.open(location)
    catalog.dataset(SMALL, location).power.sel(N=1).compute()
    assert run(SMALL, location, scheduler="synchronous")["ok"] == SMALL.size
    assert run(LARGER, location, scheduler="threads", workers=2)["ok"] == LARGER.size
    run(SMALL, tmp_path, scheduler="synchronous")
    run(LARGER, tmp_path, scheduler="synchronous")
    assert values(location) == values(str(tmp_path))

    place = storage(location)
    with xr.open_zarr(place.zarr, group="tiny", consolidated=False) as ds:
        assert ds.power.notnull().all()
    assert check(location).sound
    place.put("tiny/power/c/0/0/0", b"nonsense")
    place.delete("tiny/cop/c/0/0/0")
    place.put("tiny/zarr.json", b"{")
    assert len(check(location).damages) == 3
    assert len(repair(location).damages) == 3
    assert check(location).sound
    solved: list[Any] = []
    run(LARGER, location, scheduler="synchronous", on_block=lambda block, _: solved.append(block))
    assert len(solved) == 8  # all that the chunk held
    assert values(location) == values(str(tmp_path))
    assert len(catalog.open(location)["tiny"].history()) == 4


def test_workers_reach_the_bucket(bucket):
    location = f"{bucket}/store"
    assert run(SMALL, location, scheduler="processes", workers=2)["ok"] == SMALL.size
    assert catalog.open(location)["tiny"].missing() == []


def test_keys_with_characters_that_urls_give_a_meaning_to(bucket):
    location = f"{bucket}/odd #1/a?b=c/100%/über"
    assert run(SMALL, location, scheduler="synchronous")["ok"] == SMALL.size
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    keys = [item["Key"] for item in client.list_objects_v2(Bucket="engines")["Contents"]]
    assert all(key.startswith("odd #1/a?b=c/100%/über/") for key in keys)
    # Other tools mark folders by empty objects.
    for folder in ("", "tiny/", "tiny/status/c/", "tiny/status/.heatcat-blocks/", "tiny/power/c/"):
        client.put_object(Bucket="engines", Key=f"odd #1/a?b=c/100%/über/{folder}", Body=b"")
    assert check(location).sound
    assert run(SMALL, location, scheduler="synchronous")["ok"] == SMALL.size
    assert catalog.open(location)["tiny"].missing() == []


def test_a_lease_is_granted_once(bucket):
    claims = Leases(Storage(f"{bucket}/store"), "sweep")
    with (
        claims.hold("0", wait=False),
        pytest.raises(Busy),
        claims.hold("0", wait=False),
    ):
        pass
    assert claims.held() == {}
    assert claims.storage.create("key", b"first")
    assert not claims.storage.create("key", b"second")
    assert claims.storage.get("key") == b"first"


def test_a_bucket_that_is_not_there_is_refused_in_one_line(bucket):
    with refused(r"cannot open the store s3://elsewhere/store: .*404 Not Found.*"):
        run(SMALL, "s3://elsewhere/store", scheduler="synchronous")


def test_what_was_stored_locally_can_be_copied_there(bucket, tmp_path, endpoint):
    """A store is its objects: any tool that copies them moves it."""
    run(SMALL, tmp_path / "store", scheduler="synchronous")
    client = boto3.client("s3", endpoint_url=endpoint)
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            key = f"moved/{path.relative_to(tmp_path / 'store').as_posix()}"
            client.put_object(Bucket="engines", Key=key, Body=path.read_bytes())
    shutil.rmtree(tmp_path / "store")
    assert run(SMALL, f"{bucket}/moved", scheduler="synchronous")["ok"] == SMALL.size


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_loses_nothing(kills, bucket, tmp_path):
    """kill -9 of the command, again and again; the endpoint goes on, as Amazon's would."""
    sweep = tmp_path / "tiny.toml"
    sweep.write_text(
        '[sweep]\nname = "tiny"\nvariables = ["power", "cop"]\n'
        "[axes]\nN = [1, 2]\ndelta_E = [50, 125, 250]\nT_mean = [60, 100]\n"
        "[fixed]\nomega_0 = 1\nE_1 = 100\ndelta_T = 100\nGamma_0 = 1\n"
        "[blocks]\nN = 1\ndelta_E = 1\nT_mean = 1\n"
    )
    run(catalog.read_sweep(sweep), tmp_path / "whole", scheduler="synchronous")
    rng = random.Random(kills)
    done = stores = lost = duplicated = wrong = 0
    while done < kills:
        location = f"{bucket}/{stores}"
        seen: dict[Any, float] = {}
        for _ in range(min(4, kills - done)):
            command = [sys.executable, "-m", "heatcat", "run", str(sweep), "--workers", "1"]
            process = subprocess.Popen(
                [*command, "--store", location],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                process.wait(rng.uniform(1.5, 6.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            done += 1
            if storage(location).names(""):
                with contextlib.suppress(InvalidInput):  # it holds no sweep yet
                    part = catalog.open(location)["tiny"].parts[0]
                    now = {
                        index: float(part.read(index, ["wall_time"])["wall_time"].sum())
                        for index in part.finished()
                    }
                    lost += len(seen.keys() - now.keys())
                    duplicated += sum(now.get(index, time) != time for index, time in seen.items())
                    seen = now
        assert run(catalog.read_sweep(sweep), location, scheduler="synchronous")["ok"] == 12
        wrong += values(location) != values(str(tmp_path / "whole"))
        assert check(location).sound
        stores += 1
    print(f"{done} kills on {stores} stores: {lost} lost, {duplicated} duplicated, {wrong} wrong")
    assert (lost, duplicated, wrong) == (0, 0, 0)
