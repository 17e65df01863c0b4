"""``heatcat browse`` as a process of its own, as a user starts it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(location: Path, *options: str) -> Iterator[str]:
    """Serve a store; gives the address that was printed, token included."""
    command = ["browse", str(location), "--port", "0", "--no-open", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "heatcat", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[^ ]+:\d+/[^ ]*\?token=[\w-]{43}(?= )", line)
        assert found, line + process.stderr.read() if process.stderr else line
        yield found.group()
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert "/heatcat/" not in errors, errors
