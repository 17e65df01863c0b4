"""Leases: one holder at a time, and none for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import catalog.lease
from catalog.lease import Busy, Claims
from catalog.storage import Storage


@pytest.fixture
def claims(tmp_path) -> Claims:
    return Claims(Storage(str(tmp_path)), "sweep")


def leases(claims: Claims) -> list[str]:
    folder = Path(claims.storage.location) / claims.prefix
    return sorted(path.name for path in folder.iterdir())


def test_a_second_claimant_is_told_at_once_or_waits(claims):
    with claims.hold("0.1", wait=False):
        with pytest.raises(Busy), claims.hold("0.1", wait=False):
            pass
        with claims.hold("0.2", wait=False):  # another block is another matter
            assert set(claims.held()) == {"0.1", "0.2"}
        waited = threading.Event()

        def wait() -> None:
            with claims.hold("0.1", wait=True):
                waited.set()

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        assert not waited.is_set()
    thread.join(5)
    assert waited.is_set()
    assert claims.held() == {}
    assert leases(claims) == []


def test_a_lease_is_given_back_when_the_holder_fails(claims):
    with pytest.raises(ZeroDivisionError), claims.hold("0", wait=False):
        raise ZeroDivisionError
    assert leases(claims) == []


def other_host(claims: Claims, name: str, expires: float) -> None:
    content = {"machine": "another", "host": "far", "pid": 1, "started": 0.0, "expires": expires}
    claims.storage.put(f"{claims.prefix}/{name}", json.dumps(content).encode())


def test_a_lease_of_another_machine_holds_until_it_expires(claims):
    other_host(claims, "0.1", time.time() + 100)
    assert set(claims.held()) == {"0"}
    with pytest.raises(Busy), claims.hold("0", wait=False):
        pass
    other_host(claims, "0.1", time.time() - 1)
    assert claims.held() == {}
    assert claims.stale() == [f"{claims.prefix}/0.1"]
    with claims.hold("0", wait=False):
        assert leases(claims) == ["0.1", "0.2"]  # the next generation
    assert leases(claims) == []


def test_a_lease_of_a_dead_process_of_this_machine_is_void_at_once(claims):
    code = (
        "import os, sys; from catalog.lease import Claims; from catalog.storage import Storage\n"
        "with Claims(Storage(sys.argv[1]), 'sweep').hold('0', wait=False): os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, claims.storage.location], check=False)
    assert killed.returncode == 9
    assert leases(claims) == ["0.1"]
    assert claims.held() == {}
    with claims.hold("0", wait=False):
        assert claims.held()["0"]["pid"] == os.getpid()


def test_a_holder_renews(claims, monkeypatch):
    monkeypatch.setattr(catalog.lease, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(catalog.lease, "LEASE_SECONDS", 0.3)
    with claims.hold("0", wait=False):
        for _ in range(4):
            time.sleep(0.15)
            assert set(claims.held()) == {"0"}


def test_a_damaged_lease_is_as_good_as_none(claims):
    claims.storage.put(f"{claims.prefix}/0.1", b"{")
    with claims.hold("0", wait=False):
        pass


def test_of_many_claimants_one_at_a_time_gets_it(claims):
    """Ten threads take over an expired lease again and again; the holds never overlap."""
    other_host(claims, "0.1", time.time() - 1)
    inside, overlaps, holds = [0], [0], [0]

    def work() -> None:
        for _ in range(8):
            try:
                with claims.hold("0", wait=False):
                    inside[0] += 1
                    overlaps[0] += inside[0] > 1
                    holds[0] += 1
                    time.sleep(0.002)
                    inside[0] -= 1
            except Busy:
                time.sleep(0.001)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [0]
    assert holds[0] > 1
    assert leases(claims) == []


def test_who_comes_late_yields_to_a_live_lease_of_an_older_generation(claims, monkeypatch):
    """He saw a void lease; before he could follow it, it was taken over, freed and claimed anew."""
    other_host(claims, "0.1", time.time() - 1)
    create = Storage.create

    def overtaken(self: Storage, key: str, content: bytes) -> bool:
        other_host(claims, "0.1", time.time() + 100)
        return create(self, key, content)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "create", overtaken)
        with pytest.raises(Busy), claims.hold("0", wait=False):
            pass
    assert leases(claims) == ["0.1"]
    assert claims.held()["0"]["host"] == "far"


def test_a_holder_goes_on_renewing_after_a_full_disk(claims, monkeypatch):
    monkeypatch.setattr(catalog.lease, "RENEW_SECONDS", 0.05)
    put, full = Storage.put, threading.Event()

    def put_if_there_is_space(self: Storage, key: str, content: bytes) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        put(self, key, content)

    monkeypatch.setattr(Storage, "put", put_if_there_is_space)
    with claims.hold("0", wait=False):
        full.set()
        time.sleep(0.2)
        before = claims.held()["0"]["expires"]
        full.clear()
        time.sleep(0.3)
        assert claims.held()["0"]["expires"] > before
