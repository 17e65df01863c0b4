"""The query of the page's address in the browser, and the buttons Back and Forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bokeh.document import Document
from bokeh.models import CustomJS, TextInput  # type: ignore[attr-defined]

from heatcat.browser.state.threads import on_document

NAME = "query of the address"
APART_MS = 700
"""Changes that follow each other faster than this are one step for Back and Forward."""
SETTLED = "settled"
WRITE = f"""
const search = cb_obj.value;
if (search !== window.location.search) {{
  const soon = Date.now() - (window.heatcat_moved ?? 0) < {APART_MS};
  const step = cb_obj.placeholder === "{SETTLED}" && !soon;
  if (cb_obj.placeholder === "{SETTLED}") window.heatcat_moved = Date.now();
  window.history[step ? "pushState" : "replaceState"]({{}}, "", search);
}}
"""
"""What a link leaves open is filled in when the view settles: that is no step of its own."""
AT_FIRST = """
if (address.value !== window.location.search) {
  window.history.replaceState({}, "", address.value);
}
"""
"""The view may have settled before the browser was there."""


class Address:
    """The query as a field that is not seen: Python writes it, and Back and Forward do.

    Parameters
    ----------
    search : str
        The query with which the page was opened.

    Attributes
    ----------
    model : bokeh.models.TextInput
        Part of the page; the script of ``page.html`` sets it when the visitor goes back or forward.
    """

    def __init__(self, search: str) -> None:
        self.model = TextInput(value=search, name=NAME, visible=False)
        self.model.js_on_change("value", CustomJS(code=WRITE))

    @property
    def search(self) -> str:
        """The query, with its question mark."""
        return str(self.model.value)

    @search.setter
    def search(self, search: str) -> None:
        on_document(lambda: setattr(self.model, "value", search))

    def opened(self, document: Document) -> None:
        """Have the browser show the query as soon as the document is there."""
        at_first = CustomJS(args={"address": self.model}, code=AT_FIRST)
        document.js_on_event("document_ready", at_first)

    def settled(self) -> None:
        """From now on, changes are the visitor's, and steps for Back and Forward."""
        on_document(lambda: setattr(self.model, "placeholder", SETTLED))

    def watch(self, moved: Callable[[str], None]) -> None:
        """Call a function with the query when it changes."""

        def changed(attr: str, old: Any, new: Any) -> None:
            moved(str(new))

        self.model.on_change("value", changed)
