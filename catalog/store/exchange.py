"""Exchange two folders in one step, where the system can."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

FROM_WORKING_FOLDER = -100
"""AT_FDCWD of Linux: paths are taken as they are."""
EXCHANGE = 2
"""RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS."""
CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""Error numbers given by file systems that cannot exchange folders, such as NFS."""


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; whether system and file system can.

    Raises
    ------
    OSError
        If they can, and it fails.
    """
    library = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(os.fsencode(one), os.fsencode(other), EXCHANGE)
        else:
            here = FROM_WORKING_FOLDER
            paths = os.fsencode(one), os.fsencode(other)
            failed = library.renameat2(here, paths[0], here, paths[1], EXCHANGE)
    except AttributeError:  # the C library lacks it
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(one))
