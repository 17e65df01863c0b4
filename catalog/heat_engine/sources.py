"""Which files of ``ensemble`` a method uses: their hash tells results of two versions apart."""

from __future__ import annotations

import importlib.util
import re
from functools import cache

from catalog.models.source_code import modules_hash, source_of
from ensemble.method import Method

IMPORT = re.compile(r"^\s*(?:from|import)\s+(ensemble(?:\.\w+)*)", re.MULTILINE)


@cache
def method_hash(method: type[Method]) -> str:
    """SHA-256 over the code of all modules of ``ensemble`` that a method imports, by any way."""
    return modules_hash(modules_of(method.__module__))


@cache
def modules_of(module: str) -> tuple[str, ...]:
    """A module and those of ``ensemble`` that it imports, directly or through others.

    Imports inside functions count; the package itself, which imports everything to name it, does
    not.
    """
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in found or name == "ensemble":
            continue
        found.add(name)
        waiting += [item for item in IMPORT.findall(source_of(name)) if _is_module(item)]
    return tuple(sorted(found))


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
