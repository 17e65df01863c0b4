"""The page's address carries its view: reading a link, and keeping it up to date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param
from panel.io.location import Location

from catalog.names.suggestion import suggestion
from heatcat.browser.view import View


class Link:
    """Ties a view to the query of the page's address.

    Parameters
    ----------
    location : panel.io.location.Location
    view : View
        Set from the address when the link is made.
    keep : mapping of str to str, optional
        Words of the address that do not belong to the view; they stay in it.
    """

    def __init__(
        self, location: Location, view: View, *, keep: Mapping[str, str] | None = None
    ) -> None:
        self._location, self._view, self._keep = location, view, dict(keep or {})
        self._writing = False
        self._refused: list[str] = []
        self._read()
        view.param.watch(self.write, View.fields())
        location.param.watch(self._moved, "search")

    def complaints(self) -> list[str]:
        """One line for every word of the address that was refused; returned only once."""
        refused, self._refused = self._refused, []
        return refused

    def write(self, *_: Any) -> None:
        """Write the view into the address; fields with their default value are left out."""
        self._writing = True
        try:
            self._location.search = query(self._view, self._keep)
        finally:
            self._writing = False

    def _moved(self, event: Any) -> None:
        """Read the address after the visitor went back or forward in history, or edited it."""
        if not self._writing and event.new != query(self._view, self._keep):
            self._read()

    def _read(self) -> None:
        self._refused = []
        values = {name: self._view.param[name].default for name in View.fields()}
        for name, text in parse_qsl(str(self._location.search).removeprefix("?")):
            if name in self._keep:
                continue
            if name not in values:
                self._refused.append(f"the link has a word {name!r}{suggestion(name, values)}")
                continue
            try:
                values[name] = _value(self._view.param[name], text)
            except ValueError:
                self._refused.append(
                    f"the link asks for {name} = {text}, which cannot be: see the page"
                )
        self._view.param.update(**values)


def query(view: View, keep: Mapping[str, str] = MappingProxyType({})) -> str:
    """The query of an address that leads to this view; words to keep come first.

    >>> query(View(sweep="fig2", at={"N": 8}))
    '?sweep=fig2&at=%7B%22N%22%3A+8%7D'
    """
    values = {name: getattr(view, name) for name in View.fields()}
    return "?" + urlencode(
        {
            **keep,
            **{
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in values.items()
                if value != view.param[name].default
            },
        }
    )


def _value(field: param.Parameter, text: str) -> Any:
    """A word of an address as the value of a field; raises ``ValueError`` if it is none."""
    value = text if isinstance(field, param.String | param.Selector) else json.loads(text)
    probe = View()
    setattr(probe, str(field.name), value)
    return value
