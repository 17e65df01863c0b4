"""Leases: one worker at a time on a block, also among runs that were started separately.

A lease is an object that says who works on something and until when.  Only its creation needs to
be atomic ("create unless there is one", which disks, NFS and S3 all offer): a lease that expired is
not replaced but followed by one of the next generation, which just one claimant can create.

A lease prevents that work is done twice.  Values do not depend on it: two workers whose clocks are
an hour apart may both solve a block, and store the same numbers.

A lease is not flushed to the disk: a power cut that removes it has also ended its holder.  A power
cut that restores a released lease delays other processes until that lease expires.
"""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import re
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

from catalog.store.storage import Storage

LEASE_SECONDS = 120.0
"""A lease that was not renewed for so long is void."""
RENEW_SECONDS = 20.0
POLL_SECONDS = 0.2
MOST_SECONDS = 2 * LEASE_SECONDS
"""No lease is written with a later end than this, also by a clock that is two minutes fast."""
SAY_SECONDS = 5.0
"""Time after which a process that waits logs whom it waits for."""
NAME = re.compile(r"([a-z]+|(?:[a-z]+\.)?[0-9]+(?:\.[0-9]+)*)\.([1-9][0-9]{0,8})")
"""What is held, and the generation of the lease."""
EXCLUSIVE = "exclusive"
"""What is held by whoever replaces a whole group: meanwhile nobody gets another lease on it."""
FOLDER = ".heatcat-leases"
"""Lies within an array's folder: Zarr looks for chunks there, and lists nothing else."""


log = logging.getLogger(__name__)


class Busy(Exception):
    """Another process holds the lease.

    Attributes
    ----------
    holder : str
        Who, in words.
    """

    def __init__(self, what: str, holder: str = "another process") -> None:
        super().__init__(what, holder)
        self.holder = holder


@dataclass(frozen=True)
class Leases:
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
        say_at = time.monotonic() + SAY_SECONDS
        while (key := self._claim(what)) is None:
            if not wait:
                raise Busy(what, self.holder(what))
            if time.monotonic() > say_at:
                log.warning(
                    "waiting for %s: it works on %s/%s", self.holder(what), self.group, what
                )
                say_at = math.inf
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

    def holder(self, what: str) -> str:
        """Who holds the lease on something, as text."""
        held = self.held()
        content = held.get(what, held.get(EXCLUSIVE))
        return "another process" if content is None else holder_in_words(content)

    def stale(self) -> list[str]:
        """Keys of the leases that no process holds any more."""
        live = self.held()
        return [
            f"{self.prefix}/{what}.{generation}"
            for what, generations in self._all().items()
            for generation in generations
            if what not in live or generation < max(generations)
        ]

    def _claim(self, what: str) -> str | None:
        """Key of a lease of mine, None if another's is in force."""
        everything = self._all()
        if self._closed(what, everything):
            return None
        generations = everything.get(what, [])
        if generations:
            content = self._read(f"{what}.{max(generations)}")
            if content is not None and _is_live(content):
                return None
        name = f"{what}.{max(generations, default=0) + 1}"
        mine = _content()
        if not self.storage.create_fleeting(f"{self.prefix}/{name}", mine):
            return None
        if self._disputed(what, int(name.rpartition(".")[2])):
            self.storage.delete_fleeting(f"{self.prefix}/{name}")
            return None
        return name

    def _disputed(self, what: str, mine: int) -> bool:
        """Whether, between my listing and creating, others came, took it over and perhaps left.

        Each claimant looks after creating its lease.  The one that looks last sees the other, so
        that two never hold the lease at the same time.
        """
        everything = self._all()
        if self._closed(what, everything):
            return True
        generations = everything.get(what, [])
        if mine not in generations:  # taken for void by a machine whose clock is fast
            return True
        others = set(generations) - {mine}
        if any(generation > mine for generation in others):
            return True
        contents = (self._read(f"{what}.{generation}") for generation in others)
        return any(content is not None and _is_live(content) for content in contents)

    def _closed(self, what: str, everything: dict[str, list[int]]) -> bool:
        """Whether another holds the whole group.

        Whoever closes a group looks for other leases after creating his own, and whoever claims
        another lease looks here after creating it: one of the two sees the other.
        """
        if what == EXCLUSIVE or EXCLUSIVE not in everything:
            return False
        content = self._read(f"{EXCLUSIVE}.{max(everything[EXCLUSIVE])}")
        return content is not None and _is_live(content)

    def _renew(self, name: str, done: threading.Event) -> None:
        while not done.wait(RENEW_SECONDS):
            # If the disk is full or the network is down, the next attempt may succeed, long before
            # the lease is void.
            with suppress(Exception):
                # Only while it is there: a store that was deleted must not be created again.
                if self.storage.has(f"{self.prefix}/{name}"):
                    self.storage.put(f"{self.prefix}/{name}", _content())

    def _release(self, what: str, name: str) -> None:
        """Delete my lease, and before it the void ones that it followed.

        An earlier generation may be live: of a claimant that has just created it and does not know
        of mine yet.  If that were deleted, the claimant could find nothing here, mine gone as well,
        and would hold a lease that nobody else sees.
        """
        mine = int(name.rpartition(".")[2])
        for generation in sorted(self._generations(what)):
            content = self._read(f"{what}.{generation}") if generation < mine else None
            if content is not None and not _is_live(content):
                self.storage.delete_fleeting(f"{self.prefix}/{what}.{generation}")
        self.storage.delete_fleeting(f"{self.prefix}/{name}")

    def _all(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for name in self.storage.names(self.prefix):
            # Only names that heatcat gives: other programs may leave files here, too.
            if match := NAME.fullmatch(name):
                found.setdefault(match[1], []).append(int(match[2]))
        return found

    def _generations(self, what: str) -> list[int]:
        return self._all().get(what, [])

    def _read(self, name: str) -> dict[str, Any] | None:
        """A lease; what is not one as `_content` writes it is void."""
        key = f"{self.prefix}/{name}"
        try:
            content = self.storage.get(key, most=MOST_BYTES)
            return None if content is None else _validated(json.loads(content))
        except (ValueError, TypeError, RecursionError):
            return VOID


MOST_BYTES = 10_000
VOID: dict[str, Any] = {"expires": 0.0}
FIELDS = {"host": str, "machine": str, "pid": int, "started": int, "expires": float, "nonce": str}


def _validated(content: Any) -> dict[str, Any]:
    """The lease if it has the fields of one and ends within its time, else a void one."""
    sound = (
        isinstance(content, dict)
        and content.keys() == FIELDS.keys()
        and all(type(content[name]) is kind for name, kind in FIELDS.items())
        and content["expires"] <= time.time() + MOST_SECONDS  # not NaN either
        and 0 < content["pid"] < 2**31
    )
    return content if sound else VOID


def holder_in_words(content: dict[str, Any]) -> str:
    """Who holds a lease."""
    host = re.sub(r"[^\w.-]", "?", content["host"])[:100]
    return f"process {content['pid']} on {host}"


def _content() -> bytes:
    content = {**_holder(), "expires": time.time() + LEASE_SECONDS, "nonce": uuid.uuid4().hex}
    return json.dumps(content).encode()


def _is_live(content: dict[str, Any]) -> bool:
    """Whether a lease is in force: not expired, and its holder not known to be dead."""
    if content["expires"] < time.time():
        return False
    return is_alive(content) is not False


def is_alive(holder: dict[str, Any]) -> bool | None:
    """Whether a process lives, None if it is one of another machine."""
    if holder["machine"] != this_machine():
        return None
    return _started(holder["pid"]) == holder["started"]


@cache
def this_machine() -> str:
    """This boot of this machine, and its process namespace: process numbers are unique there."""
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists() and space.exists():
        return f"{boot.read_text().strip()}/{space.stat().st_ino}"
    return platform.node()


def _started(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine did; None if it does not live.

    Ticks, since a wall clock may be set while the process lives.
    """
    if Path("/proc/self/stat").exists():
        try:
            # The name of the program, in brackets, may hold anything: count from behind it.
            state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if state[0] in "ZX" else int(state[19])
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round(process.create_time() - psutil.boot_time())
    except psutil.NoSuchProcess:
        return None


def _holder() -> dict[str, Any]:
    return {"host": platform.node(), **this_process()}


def this_process() -> dict[str, Any]:
    """What tells this process from every other."""
    pid = os.getpid()
    return {"machine": this_machine(), "pid": pid, "started": _started(pid)}
