"""The methods that a sweep may use, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from catalog.heat_engine.terms import VOCABULARY
from catalog.names.suggestion import suggestion
from ensemble import (
    Bosonic,
    Cumulant,
    Exact,
    IndependentSpins,
    InvalidInput,
    Macroscopic,
    Qutip,
    Undriven,
    WeakLocal,
)
from ensemble.checks import shown
from ensemble.method import Method

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        *(Exact, Macroscopic, Cumulant, Bosonic, IndependentSpins, Undriven, WeakLocal, Qutip),
    )
}


def method_from(given: Method | str | Mapping[str, Any]) -> Method:
    """A method from itself, from its name, or from a table with its ``name`` and options.

    Raises
    ------
    InvalidInput
        If there is no such method or option, or the method is none that a store could name:
        stores keep a method as its name and options.

    Examples
    --------
    >>> method_from({"name": "exact", "tolerance": 1e-9}) == method_from(Exact(tolerance=1e-9))
    True
    """
    if isinstance(given, Method):
        return _storable(given)
    if not isinstance(given, str | Mapping):
        hint = f" (write {given.__name__}())" if isinstance(given, type) else ""
        raise InvalidInput(
            f'method must be a name or a table, but is {shown(given)}{hint}: write "exact"'
        )
    options = {"name": given} if isinstance(given, str) else dict(given)
    name = options.pop("name", "")
    if not isinstance(name, str) or name not in METHODS:
        raise InvalidInput(f"unknown method {shown(name)}{suggestion(name, METHODS)}")
    method = METHODS[name]
    known = [option.name for option in fields(method)]
    for option in options:
        if option not in known:
            raise InvalidInput(
                f"method {name} has no option {shown(option)}{suggestion(option, known)}"
            )
    return method(**options)


def _storable(method: Method) -> Method:
    """The method, if everything that it declares has a name in the vocabulary."""
    what = type(method).__name__
    for attribute in ("name", "variables", "diagnostics"):
        if not hasattr(method, attribute):
            raise InvalidInput(f"method {what} declares no {attribute}: add them to its class")
    for kind, declared in (("variable", method.variables), ("diagnostic", method.diagnostics)):
        for name in declared:
            if name not in VOCABULARY or VOCABULARY[name].kind != kind:
                raise InvalidInput(
                    f"method {what} declares the {kind} {shown(name)}, which is not in the "
                    "vocabulary: add a row to catalog/heat_engine/terms.py"
                )
    return method
