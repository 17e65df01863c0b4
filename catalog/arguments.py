"""Checks of arguments at the boundary of the package: types, paths, counts.

Files of `catalog` that check values import `as_number`, `is_finite` and `shown` from here, because
they may import only the contract of `ensemble`.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ensemble import InvalidInput
from ensemble.checks import as_number as as_number
from ensemble.checks import is_finite as is_finite
from ensemble.checks import shown as shown

P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[str, Any], Any]
"""A function of a name and a value that returns the value to use, or raises `InvalidInput`."""

MOST_TEXTS = 1000
MOST_LETTERS = 4095
"""Most characters of a path on Linux."""
MOST = 1_000_000
"""Largest count of workers or points that is accepted: a larger one is probably a mistake."""


def checked(**checks: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: each named argument that is given goes through its check.

    Examples
    --------
    >>> @checked(workers=a_count)
    ... def run(*, workers=None):
    ...     return workers
    >>> run(workers=2)
    2
    >>> run(workers="two")
    Traceback (most recent call last):
    ensemble.errors.InvalidInput: workers must be at least 1, but is 'two': use 1, 2, …
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            for name, check in checks.items():
                if name in bound.arguments:
                    bound.arguments[name] = check(name, bound.arguments[name])
            return function(*bound.args, **bound.kwargs)

        return wrapper

    return decorate


def optional(check: Check) -> Check:
    """The check of an argument that may also be None."""
    return lambda name, value: None if value is None else check(name, value)


def instance(kind: type, remedy: str, *others: type) -> Check:
    """The check that a value is of one of some types; the remedy says how to get one."""

    def check(name: str, value: Any) -> Any:
        if isinstance(value, (kind, *others)):
            return value
        raise InvalidInput(f"{name} must be a {kind.__name__}, but is {shown(value)}: {remedy}")

    return check


def a_count(name: str, value: Any) -> int:
    """A whole number ≥ 1, not absurdly large."""
    number = as_number(value)
    if not isinstance(number, int) or number < 1:
        raise InvalidInput(f"{name} must be at least 1, but is {shown(value)}: use 1, 2, …")
    if number > MOST:
        raise InvalidInput(f"{name} must be at most {MOST}, but is {shown(number)}: lower it")
    return number


def a_flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} must be True or False, but is {shown(value)}: give one of them")
    return value


def a_text(name: str, value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be text, but is {shown(value)}: put it in quotes")
    return value


def a_callable(name: str, value: Any) -> Any:
    """Something that can be called."""
    if not callable(value):
        raise InvalidInput(f"{name} must be a function, but is {shown(value)}: leave it out")
    return value


def a_scheduler(name: str, value: Any) -> Any:
    """The name or address of a scheduler, or an object that stands for one."""
    is_name = isinstance(value, str) and len(value) <= 1000
    is_object = hasattr(value, "jobs_for") or hasattr(value, "scheduler_info")
    if not (is_name or is_object) or isinstance(value, type):
        raise InvalidInput(
            f"{name} must be a name, an address, a Profile or a Client, but is {shown(value)}: "
            'use e.g. "processes"'
        )
    return value


def a_path(name: str, value: Any) -> Path:
    """A path with ``~`` replaced by the home directory."""
    text = _path_text(name, value)
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no such user, or no home directory
        raise InvalidInput(
            f"there is no home directory for {shown(text)}: give {name} in full"
        ) from None


def a_location(name: str, value: Any) -> str:
    """Where a store lies: a path, with ``~`` replaced by the home directory, or a URL."""
    text = _path_text(name, value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{name} {shown(text)} is not UTF-8 text: choose another name of the folder"
        ) from None
    return text if "://" in text else str(a_path(name, text))


def _path_text(name: str, value: Any) -> str:
    if not isinstance(value, str | os.PathLike):
        raise InvalidInput(f"{name} must be a path, but is {shown(value)}: give text or a Path")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise InvalidInput(f"{name} must be text, but is {shown(text)}: decode it")
    if not text.strip():
        raise InvalidInput(f"{name} is empty: give a path")
    if len(text) > MOST_LETTERS:
        raise InvalidInput(f"{name} {shown(text)} is too long for a path: choose a shorter one")
    if any(ord(letter) < 32 for letter in text):
        raise InvalidInput(f"{name} {shown(text)} has control characters: choose another name")
    return text


def texts(name: str, value: Any) -> list[str]:
    """A list of texts."""
    if isinstance(value, str):
        quoted = shown(value)[1:-1]
        raise InvalidInput(f'{name} must be a list, but is {shown(value)}: write ["{quoted}"]')
    no_list = isinstance(value, bytes | bytearray | Mapping) or getattr(value, "ndim", 1) != 1
    if no_list or not isinstance(value, Iterable):
        raise InvalidInput(f'{name} must be a list, but is {shown(value)}: e.g. {name}=["power"]')
    found = list(itertools.islice(value, MOST_TEXTS + 1))
    for item in found:
        if not isinstance(item, str):
            raise InvalidInput(f"{name} must be text, but one is {shown(item)}: put it in quotes")
    if len(found) > MOST_TEXTS:
        raise InvalidInput(f"{name} are more than {MOST_TEXTS}: give fewer")
    return found
