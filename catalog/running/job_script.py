"""The script of a batch job that runs workers: what `sbatch` is given.

Entries of a profile are never run as commands: names are checked where the profile is read, paths
are quoted.  Only `prologue` and `directives` become lines of the script as they are, on purpose.
"""

from __future__ import annotations

import math
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from catalog.running.profile import Profile
from ensemble import InvalidInput

JOB_NAME = "heatcat"
KEY_FILES = ("tls-ca-file", "tls-cert", "tls-key")
"""Options of ``dask worker`` that name the files of the run's temporary key."""
ENVIRONMENT = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
    # No page in a browser, and no pickled data in files.
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
}


@dataclass(frozen=True)
class Meeting:
    """Where the workers of a job find the scheduler, and how they prove that they belong to it.

    Parameters
    ----------
    address : str
        Of the scheduler.
    name : str
        Of the job's worker; several are called name-0, name-1, …
    ca_file, cert, key : str
        Paths of the files of the temporary certificate and key.
    """

    address: str = "tls://SCHEDULER:PORT"
    name: str = "NAME"
    ca_file: str = "PRIVATE_DIRECTORY/certificate.pem"
    cert: str = "PRIVATE_DIRECTORY/certificate.pem"
    key: str = "PRIVATE_DIRECTORY/key.pem"


def job_script(profile: Profile, meeting: Meeting | None = None) -> str:
    """The script of one job.

    Parameters
    ----------
    profile : Profile
    meeting : Meeting, optional
        Known once a run has begun; else words in capitals stand for it.

    Examples
    --------
    >>> profile = Profile(kind="slurm", jobs=2, memory="4GB", queue="normal")
    >>> print(job_script(profile).splitlines()[2])
    #SBATCH -p normal
    """
    return "\n".join(
        [
            "#!/usr/bin/env bash",
            *(f"#SBATCH {option}" for option in (*_options(profile), *profile.directives)),
            *(f"export {name}={shlex.quote(value)}" for name, value in ENVIRONMENT.items()),
            *profile.prologue,
            # dask puts this directory on Python's search path: nobody else may write there.
            f"mkdir -p -- {_scratch(profile)} || exit",
            f"heatcat_scratch=$(mktemp -d -- {_scratch(profile)}/heatcat-XXXXXXXXXX) || exit",
            "trap 'rm -rf -- \"$heatcat_scratch\"' EXIT",
            _worker(profile, meeting or Meeting()),
            "",
        ]
    )


def log_file(profile: Profile, job: str) -> Path:
    """File of a job's output, unless a directive of the profile names another."""
    return log_directory(profile) / f"{JOB_NAME}-{job}.out"


def log_directory(profile: Profile) -> Path:
    """Directory of the jobs' output."""
    try:
        return Path(profile.log_directory or ".").expanduser().absolute()
    except RuntimeError:
        raise InvalidInput(
            f"there is no home directory for log_directory {profile.log_directory!r}: give another"
        ) from None


def _options(profile: Profile) -> list[str]:
    pattern = str(log_file(profile, "\0")).replace("%", "%%").replace("\0", "%j")
    named = [("-p", profile.queue), ("-A", profile.account)]
    return [
        f"-J {JOB_NAME}",
        *(f"{option} {value}" for option, value in named if value is not None),
        f'-o "{pattern}"',
        "-n 1",
        f"--cpus-per-task={profile.cores}",
        f"--mem={math.ceil(profile.worker_bytes * profile.cores / 2**20)}M",
        f"-t {profile.walltime}",
    ]


def _worker(profile: Profile, meeting: Meeting) -> str:
    """The command that runs the workers of a job; the key travels in files, not in the command."""
    words = [sys.executable, "-m", "distributed.cli.dask_worker", meeting.address]
    options: dict[str, object] = {
        "name": meeting.name,
        "nworkers": profile.cores,
        "nthreads": 1,
        "memory-limit": int(profile.worker_bytes),
        "death-timeout": f"{profile.death_seconds:g}s",
        "dashboard-address": "127.0.0.1:0",
        "protocol": "tls",
        **dict(zip(KEY_FILES, (meeting.ca_file, meeting.cert, meeting.key), strict=True)),
    }
    if profile.lifetime is not None:
        seconds, stagger = profile.lifetime
        options |= {"lifetime": f"{seconds:.0f}s", "lifetime-stagger": f"{stagger:.0f}s"}
    if profile.interface is not None:
        options["interface"] = profile.interface
    words += ["--nanny", "--no-dashboard"]
    words += [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    return shlex.join(words) + ' --local-directory "$heatcat_scratch"'


def _scratch(profile: Profile) -> str:
    """The directory of a node in which each job makes one of its own, quoted for the shell."""
    given = profile.local_directory
    return '"${TMPDIR:-/tmp}"' if given is None else _with_variables(given)


def _with_variables(path: str) -> str:
    """A path in quotes, in which the shell fills in plain variables such as $TMPDIR only.

    >>> _with_variables("/scratch/$USER/a b; $(date)")
    '"/scratch/$USER/a b; \\\\$(date)"'
    """
    return '"' + re.sub(r"\$(?![A-Za-z_]|\{[A-Za-z_][A-Za-z0-9_]*\})", r"\\$", path) + '"'
