"""Ask SLURM's commands, and read what they print."""

from __future__ import annotations

import asyncio
import os
import re

ANSWER_SECONDS = 20.0
"""Time in which a command of SLURM answers."""


async def answer_of(*command: str) -> str | None:
    """What a command of SLURM prints; None if it fails or does not answer."""
    # Users may have set SQUEUE_ variables for their own listings, which can hide jobs.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SQUEUE_")}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        out, _ = await asyncio.wait_for(process.communicate(), ANSWER_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return out.decode(errors="replace") if process.returncode == 0 else None


def field(record: str, name: str) -> str:
    """A field of what ``scontrol show`` prints on one line: NAME=value NAME=value …"""
    found = re.search(rf"\b{name}=(.*?)(?= [A-Z][A-Za-z:/]*=|$)", record, re.MULTILINE)
    return "" if found is None else found[1].strip()
