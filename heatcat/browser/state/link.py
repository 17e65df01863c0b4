"""The page's address carries its view: reading a link, and keeping it up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param

from catalog.names.suggestion import suggestion
from heatcat.browser.state.address import Address


class Link:
    """Ties the states of a page to the query of its address.

    Parameters
    ----------
    address : Address
    states : mapping of str to param.Parameterized
        The view under "", whose fields are words of the address; of others the words are
        "name.field".  All are set from the address when the link is made.
    keep : mapping of str to str, optional
        Words of the address that do not belong to the view; they stay in it.
    """

    def __init__(
        self,
        address: Address,
        states: Mapping[str, param.Parameterized],
        *,
        keep: Mapping[str, str] | None = None,
    ) -> None:
        self._address, self._states, self._keep = address, states, dict(keep or {})
        self._writing = False
        self._refused: list[str] = []
        self._read()
        for state in states.values():
            state.param.watch(self.write, fields(state))
        address.watch(self._moved)

    def complaints(self) -> list[str]:
        """One line for every word of the address that was refused; returned only once."""
        refused, self._refused = self._refused, []
        return refused

    def write(self, *_: Any) -> None:
        """Write the view into the address; fields with their default value are left out."""
        if self._writing:
            return
        self._writing = True
        try:
            self._address.search = query(self._states, self._keep)
        finally:
            self._writing = False

    def _moved(self, search: str) -> None:
        """Read the address after the visitor went back or forward in history."""
        if not self._writing and search != query(self._states, self._keep):
            self._read()

    def _read(self) -> None:
        self._refused = []
        known = dict(_words(self._states))
        values: dict[str, dict[str, Any]] = {name: {} for name in self._states}
        for name, field in known.values():
            values[name][field] = self._states[name].param[field].default
        for word, text in parse_qsl(self._address.search.removeprefix("?")):
            if word in self._keep:
                continue
            if word not in known:
                self._refused.append(f"the link has a word {word!r}{suggestion(word, known)}")
                continue
            name, field = known[word]
            try:
                values[name][field] = _value(self._states[name], field, text)
            except ValueError:
                self._refused.append(
                    f"the link asks for {word} = {text}, which cannot be: see the page"
                )
        # The address is not written while it is being read: half of it would be new.
        self._writing = True
        try:
            for name, state in self._states.items():
                state.param.update(**values[name])
        finally:
            self._writing = False


def fields(state: param.Parameterized) -> list[str]:
    """Names of the fields of a state."""
    return [name for name in state.param if name != "name"]


def query(
    states: Mapping[str, param.Parameterized], keep: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The query of an address that leads to these states; words to keep come first.

    >>> from heatcat.browser.state.view import View
    >>> query({"": View(sweep="fig2", at={"N": 8})})
    '?sweep=fig2&at=%7B%22N%22%3A+8%7D'
    """
    words = {}
    for word, (name, field) in _words(states):
        value = getattr(states[name], field)
        if value != states[name].param[field].default:
            words[word] = value if isinstance(value, str) else json.dumps(value)
    return "?" + urlencode({**keep, **words})


def _words(
    states: Mapping[str, param.Parameterized],
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each word of an address, with the state and the field that it is for."""
    for name, state in states.items():
        for field in fields(state):
            yield f"{name}.{field}" if name else field, (name, field)


def _value(state: param.Parameterized, field: str, text: str) -> Any:
    """A word of an address as the value of a field; raises ``ValueError`` if it is none."""
    plain = isinstance(state.param[field], param.String | param.Selector)
    value = text if plain else json.loads(text)
    probe = type(state)()
    setattr(probe, field, value)
    return value
