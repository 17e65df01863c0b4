"""Leases: one worker at a time on a block, also among drivers that do not know of each other.

A lease is an object that says who works on something and until when.  Only its creation needs to
be atomic ("create unless there is one", which disks, NFS and S3 all offer): a lease that expired is
not replaced but followed by one of the next generation, which just one claimant can create.

It keeps work from being done twice.  Values do not depend on it: two workers that hold clocks an
hour apart would both solve a block, and store the same numbers.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from catalog.storage import Storage

LEASE_SECONDS = 120.0
"""A lease that was not renewed for so long is void."""
RENEW_SECONDS = 20.0
POLL_SECONDS = 0.2
FOLDER = ".heatcat-leases"
"""Lies within an array's folder, where Zarr expects chunks and lists nothing else."""


class Busy(Exception):
    """Somebody else holds the lease."""


@dataclass(frozen=True)
class Claims:
    """The leases of a sweep's group.

    Parameters
    ----------
    storage : Storage
    group : str
        Name of the group in the store.
    """

    storage: Storage
    group: str

    @property
    def prefix(self) -> str:
        """Where the leases lie."""
        return f"{self.group}/status/{FOLDER}"

    @contextmanager
    def hold(self, what: str, *, wait: bool) -> Iterator[None]:
        """Hold the lease on something for the duration of a with block; renewed meanwhile.

        Raises
        ------
        Busy
            If another holds it, and ``wait`` is false.
        """
        while (key := self._claim(what)) is None:
            if not wait:
                raise Busy(what)
            time.sleep(POLL_SECONDS)
        done = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(key, done), daemon=True)
        renewal.start()
        try:
            yield
        finally:
            done.set()
            renewal.join()
            self._release(what, key)

    def held(self) -> dict[str, dict[str, Any]]:
        """Live leases: what is held, and by whom."""
        live = {}
        for what, generations in self._all().items():
            content = self._read(f"{what}.{max(generations)}")
            if content is not None and _is_live(content):
                live[what] = content
        return live

    def stale(self) -> list[str]:
        """Keys of the leases that nobody holds any more."""
        live = self.held()
        return [
            f"{self.prefix}/{what}.{generation}"
            for what, generations in self._all().items()
            for generation in generations
            if what not in live or generation < max(generations)
        ]

    def _claim(self, what: str) -> str | None:
        """Key of a lease of mine, None if another's is in force."""
        generations = self._generations(what)
        if generations:
            content = self._read(f"{what}.{max(generations)}")
            if content is not None and _is_live(content):
                return None
        name = f"{what}.{max(generations, default=0) + 1}"
        mine = _content()
        if not self.storage.create(f"{self.prefix}/{name}", mine):
            return None
        if self._disputed(what, int(name.rpartition(".")[2])):
            self.storage.delete(f"{self.prefix}/{name}")
            return None
        return name

    def _disputed(self, what: str, mine: int) -> bool:
        """Whether, between my listing and creating, others came, took it over and perhaps left.

        Whoever looks last after creating sees the other: two never hold it both.
        """
        others = set(self._generations(what)) - {mine}
        if any(generation > mine for generation in others):
            return True
        contents = (self._read(f"{what}.{generation}") for generation in others)
        return any(content is not None and _is_live(content) for content in contents)

    def _renew(self, name: str, done: threading.Event) -> None:
        while not done.wait(RENEW_SECONDS):
            # A disk that is full now may not be at the next time, long before the lease is void.
            with suppress(OSError):
                self.storage.put(f"{self.prefix}/{name}", _content())

    def _release(self, what: str, name: str) -> None:
        mine = int(name.rpartition(".")[2])
        for generation in sorted(self._generations(what)):
            if generation <= mine:  # the newest last, so that it is in force to the end
                self.storage.delete(f"{self.prefix}/{what}.{generation}")

    def _all(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for name in self.storage.names(self.prefix):
            what, _, generation = name.rpartition(".")
            if generation.isdecimal():
                found.setdefault(what, []).append(int(generation))
        return found

    def _generations(self, what: str) -> list[int]:
        return self._all().get(what, [])

    def _read(self, name: str) -> dict[str, Any] | None:
        content = self.storage.get(f"{self.prefix}/{name}")
        if content is None:
            return None
        try:
            return json.loads(content)
        except ValueError:  # damaged: as good as none
            return {"expires": 0.0}


def _content() -> bytes:
    content = {**_holder(), "expires": time.time() + LEASE_SECONDS, "nonce": uuid.uuid4().hex}
    return json.dumps(content).encode()


def _is_live(content: dict[str, Any]) -> bool:
    """Whether a lease is in force: not expired, and its holder not known to be dead."""
    if content["expires"] < time.time():
        return False
    if content.get("machine") != _machine():
        return True
    try:
        process = psutil.Process(content["pid"])
        alive = process.create_time() == content["started"]
        return alive and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@cache
def _machine() -> str:
    """This boot of this machine, and its process namespace: where a process number means one."""
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists() and space.exists():
        return f"{boot.read_text().strip()}/{space.stat().st_ino}"
    return platform.node()


def _holder() -> dict[str, Any]:
    process = psutil.Process(os.getpid())
    return {
        "host": platform.node(),
        "machine": _machine(),
        "pid": process.pid,
        "started": process.create_time(),
    }
