"""The profile of a cluster: which batch jobs a run may use."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import Any

from dask.utils import parse_bytes, parse_timedelta

from catalog.arguments import shown
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

KINDS = ("slurm",)
MEANT = {"int": "a whole number", "str": "a string in quotes", "tuple": "a list of strings"}
MOST = {"jobs": 10_000, "cores": 4096}
"""Largest numbers that are accepted."""
LONGEST = 1000
"""Most characters of a string, and most lines of a list."""
MOST_BYTES = 2**50
"""Largest memory of a job, 1 PiB."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:+@/=-]*")
"""Queue, account and interface, which the job script contains as they are given."""
WALLTIME = re.compile(r"(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?")
UNLIMITED = ("UNLIMITED", "INFINITE")
DURATION = re.compile(r"\d{1,9}(?:\.\d{1,9})? ?[smhd]")
DEATH_TIMEOUT = 60.0
"""Seconds that a worker looks for the scheduler, if the profile does not say it."""
MARGIN, LONGEST_MARGIN = 0.1, 300.0
"""Part of the wall time, and most seconds, by which a worker ends before its job would."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Batch jobs that run workers, every worker a process of one thread.

    Parameters
    ----------
    kind : {"slurm"}
    jobs : int
        Most jobs at a time; never more are submitted than there are blocks for.
    memory : str
        Of one job, such as "4GB", shared evenly by its workers.
    cores : int
        Cores of one job, and as many workers in it.
    walltime : str
        Of one job, as SLURM writes it: "HH:MM:SS", "D-HH:MM:SS", minutes, or "UNLIMITED".  A job
        that ends is submitted again, and the blocks that it was computing are computed elsewhere.
    worker_lifetime : str, optional
        Time after which a worker hands over its work and ends, such as "55m" or "11.5h".  By
        default that is a tenth of the wall time before its end, at most five minutes.
    death_timeout : str, optional
        Time after which a worker that reaches no scheduler ends, such as "2m"; 60 s by default.
    queue, account : str, optional
        Partition and account.
    interface : str, optional
        Network interface over which the workers reach the driver, such as "ib0".
    prologue : sequence of str
        Shell lines before the worker starts, such as "module load python".
    directives : sequence of str
        Further options of the batch system, such as "--constraint=haswell".
    local_directory : str, optional
        Fast local disk of a node; variables such as ``$TMPDIR`` are those of the node.
    log_directory : str, optional
        Directory for the jobs' output, the current one by default.
    shared_directory : str, optional
        Directory that this machine and the nodes share, the home directory by default.  During a
        run it holds the temporary key of the run's scheduler, in files that only their owner reads.

    Raises
    ------
    InvalidInput
        In one line, with the remedy.

    Examples
    --------
    >>> profile = Profile(kind="slurm", jobs=20, memory="8GB", cores=2)
    >>> profile.jobs_for(5), profile.jobs_for(1000), profile.worker_bytes
    (3, 20, 4000000000.0)
    """

    kind: str
    jobs: int
    memory: str
    cores: int = 1
    walltime: str = "01:00:00"
    queue: str | None = None
    account: str | None = None
    interface: str | None = None
    prologue: tuple[str, ...] = ()
    directives: tuple[str, ...] = ()
    local_directory: str | None = None
    log_directory: str | None = None
    shared_directory: str | None = None
    worker_lifetime: str | None = None
    death_timeout: str | None = None

    def __post_init__(self) -> None:
        for entry in fields(self):
            if isinstance(value := getattr(self, entry.name), list):
                object.__setattr__(self, entry.name, tuple(value))
            _require_type(entry.name, str(entry.type), getattr(self, entry.name))
            _require_plain(entry.name, getattr(self, entry.name))
        if self.kind not in KINDS:
            raise InvalidInput(f"unknown kind {shown(self.kind)}{suggestion(self.kind, KINDS)}")
        for name, most in MOST.items():
            if not 1 <= getattr(self, name) <= most:
                raise InvalidInput(
                    f"{name} must be at least 1 and at most {most}, but is "
                    f"{shown(getattr(self, name))}: use 1, 2, …"
                )
        for name in ("queue", "account", "interface"):
            value = getattr(self, name)
            if value is not None and not NAME.fullmatch(value):
                raise InvalidInput(
                    f"{name} must be a name of letters, digits and _.,:+@/=-, but is {value!r}: "
                    "correct it"
                )
        for name in ("local_directory", "log_directory", "shared_directory"):
            value = getattr(self, name)
            if value is not None and (not value.strip() or set(value) & set('"\\`')):
                raise InvalidInput(
                    f"{name} must be a path without quotes, backslash and backquote, but is "
                    f"{value!r}: rename the directory"
                )
        if not 1 <= self._bytes() <= MOST_BYTES:
            raise InvalidInput(
                f'memory must be a size, but is {shown(self.memory)}: write e.g. memory = "4GB"'
            )
        if not self._walltime_seconds() > 0:  # nor NaN
            raise InvalidInput(
                f"walltime must be a time as SLURM writes it, but is {self.walltime!r}: write e.g. "
                'walltime = "12:00:00"'
            )
        for name in ("worker_lifetime", "death_timeout"):
            if (value := getattr(self, name)) is not None and not _duration(value) > 0:
                raise InvalidInput(
                    f'{name} must be a time with its unit, but is {value!r}: write e.g. "55m"'
                )
        if self.worker_lifetime and _duration(self.worker_lifetime) >= self._walltime_seconds():
            raise InvalidInput(
                f"worker_lifetime {self.worker_lifetime!r} is not shorter than walltime "
                f"{self.walltime!r}: shorten it, so that a worker ends before its job does"
            )

    @property
    def worker_bytes(self) -> float:
        """Memory of one worker."""
        return self._bytes() / self.cores

    @property
    def lifetime(self) -> tuple[float, float] | None:
        """Seconds that a worker lives, and by how much they vary at random; None: for ever.

        They vary so that the workers of many jobs do not all end at the same time.  Even the last
        one ends before its job would.

        Examples
        --------
        >>> Profile(kind="slurm", jobs=1, memory="4GB", walltime="01:00:00").lifetime
        (3300.0, 150.0)
        """
        walltime = self._walltime_seconds()
        if self.worker_lifetime is not None:
            seconds = _duration(self.worker_lifetime)
            return seconds, min((walltime - seconds) / 2, seconds * MARGIN / 2, LONGEST_MARGIN / 2)
        if math.isinf(walltime):
            return None
        margin = min(MARGIN * walltime, LONGEST_MARGIN)
        return walltime - margin, margin / 2

    @property
    def death_seconds(self) -> float:
        """Seconds that a worker looks for the scheduler before it ends."""
        return DEATH_TIMEOUT if self.death_timeout is None else _duration(self.death_timeout)

    def _bytes(self) -> float:
        try:
            return float(parse_bytes(self.memory))
        except (ValueError, KeyError, OverflowError):
            return math.nan

    def _walltime_seconds(self) -> float:
        """NaN if it is not a time of SLURM's."""
        if self.walltime in UNLIMITED:
            return math.inf
        found = WALLTIME.fullmatch(self.walltime)
        if found is None:
            return math.nan
        days, *fields_ = found.groups()
        numbers = [int(field) for field in fields_ if field is not None]
        if days is not None:  # days-hours[:minutes[:seconds]]
            hours, minutes, seconds = (*numbers, 0, 0)[:3]
        elif len(numbers) == 3:
            hours, minutes, seconds = numbers
        else:  # minutes[:seconds]
            hours, (minutes, seconds) = 0, (*numbers, 0)[:2]
        return 86400.0 * int(days or 0) + 3600.0 * hours + 60.0 * minutes + seconds

    def jobs_for(self, blocks: int) -> int:
        """Number of jobs that this many blocks can keep busy."""
        return min(self.jobs, math.ceil(blocks / self.cores))


def _require_type(name: str, annotation: str, value: Any) -> None:
    wanted = annotation.partition("[")[0].removesuffix(" | None")
    if value is None and annotation.endswith("None"):
        return
    if wanted == "tuple":
        right = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    else:
        right = isinstance(value, {"int": int, "str": str}[wanted]) and not isinstance(value, bool)
    if not right:
        given = list(value) if isinstance(value, tuple) else value
        raise InvalidInput(f"{name} must be {MEANT[wanted]}, but is {shown(given)}: correct it")


def _require_plain(name: str, value: Any) -> None:
    """Refuse what would end a line of the job script, or is too long."""
    lines = value if isinstance(value, tuple) else [value] if isinstance(value, str) else []
    if len(lines) > LONGEST or any(len(line) > LONGEST for line in lines):
        raise InvalidInput(
            f"{name} is too long: at most {LONGEST} lines of {LONGEST} characters each are "
            "accepted, shorten it"
        )
    for line in lines:
        if not line.replace("\t", " ").isprintable():
            raise InvalidInput(
                f"{name} has a line break or another control character in {shown(line)}: write "
                "each line as a string of its own, without control characters"
            )


def _duration(text: str) -> float:
    """Seconds of a time with its unit; NaN if it is none."""
    return float(parse_timedelta(text)) if DURATION.fullmatch(text) else math.nan
