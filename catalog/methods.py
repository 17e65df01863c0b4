"""The methods that a sweep may use, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from catalog.vocabulary import suggestion
from ensemble import (
    Bosonic,
    Cumulant,
    Exact,
    IndependentSpins,
    InvalidInput,
    Macroscopic,
    Qutip,
    Undriven,
)
from ensemble.method import Method

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (Exact, Macroscopic, Cumulant, Bosonic, IndependentSpins, Undriven, Qutip)
}


def method_from(given: str | Mapping[str, Any]) -> Method:
    """A method from its name, or from a table with its ``name`` and options."""
    if not isinstance(given, str | Mapping):
        raise InvalidInput(f'method must be a name or a table, but is {given!r}: write "exact"')
    options = {"name": given} if isinstance(given, str) else dict(given)
    name = str(options.pop("name", ""))
    if name not in METHODS:
        raise InvalidInput(f"unknown method {name!r}{suggestion(name, METHODS)}")
    method = METHODS[name]
    known = [option.name for option in fields(method)]
    for option in options:
        if option not in known:
            raise InvalidInput(f"method {name} has no option {option!r}{suggestion(option, known)}")
    try:
        return method(**options)
    except TypeError:
        raise InvalidInput(
            f"an option of method {name} has the wrong type in {options!r}: write numbers unquoted"
        ) from None
