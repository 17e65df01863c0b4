"""The profile of a cluster: a small TOML file that says which batch jobs a run may use."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from dask.utils import parse_bytes

from catalog.arguments import a_path, checked
from catalog.sweepfile import parsed_toml, read_text
from catalog.vocabulary import suggestion
from ensemble import InvalidInput
from ensemble.checks import shown

KINDS = ("slurm",)
MEANT = {"int": "a whole number", "str": "a string in quotes", "tuple": "a list of strings"}


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
        Of one job, as the batch system writes it.  A job that ends is submitted anew, and the
        blocks that it was computing are computed elsewhere.
    queue, account : str, optional
        Partition and account.
    interface : str, optional
        Network interface over which the workers reach the driver, such as "ib0".
    prologue : tuple of str
        Shell lines before the worker starts, such as "module load python".
    directives : tuple of str
        Further options of the batch system, such as "--constraint=haswell".
    local_directory, log_directory : str, optional
        Fast local disk of a node, and the directory for the jobs' output.

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

    def __post_init__(self) -> None:
        for entry in fields(self):
            _require_type(entry.name, str(entry.type), getattr(self, entry.name))
        if self.kind not in KINDS:
            raise InvalidInput(f"unknown kind {shown(self.kind)}{suggestion(self.kind, KINDS)}")
        for name in ("jobs", "cores"):
            if getattr(self, name) < 1:
                raise InvalidInput(
                    f"{name} must be at least 1, but is {getattr(self, name)}: use 1, 2, …"
                )
        try:
            size = parse_bytes(self.memory)
        except (ValueError, OverflowError):
            size = 0
        if size < 1:
            raise InvalidInput(
                f'memory must be a size, but is {shown(self.memory)}: write e.g. memory = "4GB"'
            )

    @property
    def worker_bytes(self) -> float:
        """Memory of one worker."""
        return parse_bytes(self.memory) / self.cores

    def jobs_for(self, blocks: int) -> int:
        """Number of jobs that this many blocks can keep busy."""
        return min(self.jobs, math.ceil(blocks / self.cores))


@checked(path=a_path)
def read_profile(path: str | Path) -> Profile:
    """Read the profile in the table ``[cluster]`` of a TOML file.

    Raises
    ------
    InvalidInput
        In one line that names the file and the remedy.
    """
    text = read_text(Path(path), "cluster profile")
    try:
        return profile_from_toml(text)
    except InvalidInput as failure:
        raise InvalidInput(f"{path}: {failure}") from None


def profile_from_toml(text: str) -> Profile:
    """The profile that a TOML text describes (see `read_profile`).

    Examples
    --------
    >>> profile_from_toml('[cluster]\\nkind = "slurm"\\njobs = 4\\nmemory = "2GB"').jobs
    4
    """
    content = parsed_toml(text)
    for table in content:
        if table != "cluster":
            raise InvalidInput(f"unknown table {shown(table)}{suggestion(table, ['cluster'])}")
    given = content.get("cluster")
    if not isinstance(given, dict):
        raise InvalidInput("no table [cluster]: write [cluster] on a line of its own")
    known = {entry.name: entry for entry in fields(Profile)}
    for key in given:
        if key not in known:
            raise InvalidInput(f"unknown key {shown(key)} in [cluster]{suggestion(key, known)}")
    for name, entry in known.items():
        if entry.default is MISSING and name not in given:
            raise InvalidInput(f"[cluster] has no {name}: add {_EXAMPLES[name]}")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in given.items()
    }
    return Profile(**values)


_EXAMPLES = {"kind": 'kind = "slurm"', "jobs": "jobs = 20", "memory": 'memory = "4GB"'}


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
