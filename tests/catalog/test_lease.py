"""Leases: one holder at a time, and none for ever."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import catalog.store.leases
from catalog.store.leases import EXCLUSIVE, LEASE_SECONDS, Busy, Leases
from catalog.store.storage import Storage


@pytest.fixture
def claims(tmp_path) -> Leases:
    (tmp_path / "sweep").mkdir()
    return Leases(Storage(str(tmp_path)), "sweep")


def leases(claims: Leases) -> list[str]:
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


def test_whoever_closes_a_group_and_whoever_works_on_it_exclude_each_other(claims):
    """Nobody gets a lease on a closed group; whoever closes it sees those that are held."""
    with claims.hold(EXCLUSIVE, wait=False):
        with pytest.raises(Busy, match=f"process {os.getpid()}"), claims.hold("0", wait=False):
            pass
        assert leases(claims) == [f"{EXCLUSIVE}.1"]
    with claims.hold("0", wait=False), claims.hold(EXCLUSIVE, wait=False):
        assert set(claims.held()) == {"0", EXCLUSIVE}


def test_of_two_who_close_a_group_and_claim_a_block_at_once_one_sees_the_other(claims, monkeypatch):
    """The group is closed between the look of the other and his claim, the worst moment."""
    create = Storage.create_fleeting
    closing = claims.hold(EXCLUSIVE, wait=False)

    def closed_just_before(self, key, content):
        if EXCLUSIVE not in key:
            closing.__enter__()
        return create(self, key, content)

    monkeypatch.setattr(Storage, "create_fleeting", closed_just_before)
    with pytest.raises(Busy), claims.hold("0", wait=False):
        pass
    assert set(claims.held()) == {EXCLUSIVE}
    closing.__exit__(None, None, None)


def test_a_lease_is_given_back_when_the_holder_fails(claims):
    with pytest.raises(ZeroDivisionError), claims.hold("0", wait=False):
        raise ZeroDivisionError
    assert leases(claims) == []


def other_host(claims: Leases, name: str, expires: float) -> None:
    content = {
        "machine": "another", "host": "far", "pid": 1, "started": 0, "expires": expires, "nonce": ""
    }  # fmt: skip
    claims.storage.put(f"{claims.prefix}/{name}", json.dumps(content).encode())


def test_a_lease_does_not_wait_for_the_disk(claims, monkeypatch):
    with claims.hold("0.1", wait=False):
        pass  # makes the folder of the leases
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    with claims.hold("0.2", wait=False):
        assert leases(claims) == ["0.2.1"]
    assert leases(claims) == []
    assert flushed == []


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
        "import os, sys; from catalog.store.leases import Leases\n"
        "from catalog.store.storage import Storage\n"
        "with Leases(Storage(sys.argv[1]), 'sweep').hold('0', wait=False): os._exit(9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, claims.storage.location], check=False)
    assert killed.returncode == 9
    assert leases(claims) == ["0.1"]
    assert claims.held() == {}
    with claims.hold("0", wait=False):
        assert claims.held()["0"]["pid"] == os.getpid()


def test_a_holder_renews(claims, monkeypatch):
    monkeypatch.setattr(catalog.store.leases, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(catalog.store.leases, "LEASE_SECONDS", 0.3)
    with claims.hold("0", wait=False):
        for _ in range(4):
            time.sleep(0.15)
            assert set(claims.held()) == {"0"}


def lease(**changes: Any) -> bytes:
    content = {
        "machine": "another", "host": "far", "pid": 1, "started": 0, "nonce": "",
        "expires": time.time() + 100, **changes,
    }  # fmt: skip
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"{}", b"[]", b"null", b"3", b'"text"', b"\xff\xfe", b"[" * 100_000,
        lease(expires=math.nan), lease(expires=math.inf), lease(expires=time.time() + 1e6),
        lease(expires="soon"), lease(expires=None), lease(expires=True), lease(pid=-1),
        lease(pid="1"), lease(pid=2**40), lease(started=0.5), lease(machine=None), lease(more=1),
        b"x" * 1_000_000,
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_what_is_no_lease_is_void(content, claims):
    claims.storage.put(f"{claims.prefix}/0.1", content)
    assert claims.held() == {}
    assert claims.stale() == [f"{claims.prefix}/0.1"]
    with claims.hold("0", wait=False):
        assert set(claims.held()) == {"0"}
    assert leases(claims) == []


def test_files_of_other_programs_among_the_leases_are_left_alone(claims):
    names = [".DS_Store", "._0.1", ".nfs0001", "0.bak", "0.01", "0.-1", "0", "x y.1", "~.1"]
    for name in names:
        claims.storage.put(f"{claims.prefix}/{name}", lease())
    with claims.hold("0", wait=False):
        assert set(claims.held()) == {"0"}
    assert claims.stale() == []
    assert leases(claims) == sorted(names)


def test_a_clock_that_is_set_does_not_end_a_lease(claims, monkeypatch):
    """A holder is known by the ticks at which it began, which no clock changes."""
    with claims.hold("0", wait=False):
        now = time.time
        for step in (-1.0, 1.0, -3600.0, 60.0):
            monkeypatch.setattr(time, "time", lambda step=step: now() + step)
            assert set(claims.held()) == ({"0"} if step > -LEASE_SECONDS else set())


def test_who_waits_says_for_whom(claims, monkeypatch, caplog):
    monkeypatch.setattr(catalog.store.leases, "SAY_SECONDS", 0.1)
    other_host(claims, "0.1", time.time() + 0.6)
    with claims.hold("0", wait=True):
        pass
    assert [record.message for record in caplog.records] == [
        "waiting for process 1 on far: it works on sweep/0"
    ]


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


def test_whoever_frees_a_lease_leaves_that_of_a_claimant_who_has_not_seen_it(claims):
    """He had found nothing and creates generation 1 just before generation 6 is freed."""
    other_host(claims, "0.5", time.time() - 1)
    with claims.hold("0", wait=False):
        assert leases(claims) == ["0.5", "0.6"]
        other_host(claims, "0.1", time.time() + 100)
        assert claims._disputed("0", 1)  # as long as he looks before the end
    assert leases(claims) == ["0.1"]
    assert not claims._disputed("0", 1)
    with pytest.raises(Busy), claims.hold("0", wait=False):
        pass


def test_who_comes_late_yields_to_a_live_lease_of_an_older_generation(claims, monkeypatch):
    """He saw a void lease; before he could follow it, it was taken over, freed and claimed anew."""
    other_host(claims, "0.1", time.time() - 1)
    create = Storage.create_fleeting

    def overtaken(self: Storage, key: str, content: bytes) -> bool:
        other_host(claims, "0.1", time.time() + 100)
        return create(self, key, content)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "create_fleeting", overtaken)
        with pytest.raises(Busy), claims.hold("0", wait=False):
            pass
    assert leases(claims) == ["0.1"]
    assert claims.held()["0"]["host"] == "far"


def test_a_holder_goes_on_renewing_after_a_full_disk(claims, monkeypatch):
    monkeypatch.setattr(catalog.store.leases, "RENEW_SECONDS", 0.05)
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
