"""A table whose buttons tell Python which of them was clicked."""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn
import param
from panel.reactive import ReactiveHTML

Cell = dict[str, Any]

STYLE = """
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 4px 0; }
.wide { overflow-x: auto; max-width: 100%; }
th, td { padding: 2px 8px 2px 0; border-top: 1px solid var(--_rule); text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; vertical-align: top; }
th:first-child { text-align: left; font-weight: 400; }
small { color: var(--_quiet); display: block; }
caption { text-align: left; font-weight: 600; }
button { font: inherit; color: var(--_accent); background: none; border: 1px solid var(--_rule);
  border-radius: 3px; padding: 0 6px; margin: 0 0 0 4px; cursor: pointer; }
button:disabled { color: var(--_quiet); cursor: default; }
"""

RENDER = """
    const element = (tag, item) => {
      const made = document.createElement(tag)
      const parts = item.parts || [item]
      for (const part of parts) {
        let inner = made
        if (part.send) {
          inner = document.createElement("button")
          inner.dataset.send = part.send
          if (part.label) inner.setAttribute("aria-label", part.label)
          inner.disabled = Boolean(part.disabled)
          made.append(inner)
        }
        if (part.title) inner.title = part.title
        inner.append(document.createTextNode(part.text))
        if (part.below) {
          const small = document.createElement("small")
          small.textContent = part.below
          made.append(small)
        }
      }
      if (item.sort) made.setAttribute("aria-sort", item.sort)
      return made
    }
    const table = document.createElement("table")
    const content = data.content
    if (content.caption) table.createCaption().textContent = content.caption
    const row = (place, cells, first) => {
      const made = place.insertRow()
      cells.forEach((cell, i) => {
        const head = first || i == 0
        const one = element(head ? "th" : "td", cell)
        if (head) one.scope = first ? "col" : "row"
        made.append(one)
      })
      return made
    }
    row(table.createTHead(), content.head || [], true)
    const body = table.createTBody()
    for (const cells of content.rows || []) {
      const made = row(body, cells, false)
      if (cells[0].name) made.dataset.name = cells[0].name
    }
    const foot = element("p", {parts: content.foot || []})
    box.replaceChildren(...(content.head ? [table, foot] : []))
"""


class ClickTable(ReactiveHTML):
    """A table of texts, some of them buttons that send a text when they are clicked.

    The browser puts all texts into the page as text, so that nothing of them is taken for HTML.
    """

    content = param.Dict(default={}, doc="caption, head, rows and foot, made of cells.")
    sent = param.String(doc="What the last click sent, and a number that makes it new.")

    _template = '<div id="box" class="wide" onclick="${script(\'click\')}"></div>'
    _scripts: ClassVar[dict[str, Any]] = {
        "render": RENDER,
        "content": RENDER,
        "click": """
            const element = event.target.closest("[data-send]")
            if (element) data.sent = element.dataset.send + " " + Date.now()
        """,
    }


def click_table() -> ClickTable:
    """An empty table in the style of the page's parts."""
    shared = list(pn.pane.HTML.param["stylesheets"].default)
    return ClickTable(stylesheets=[*shared, STYLE], sizing_mode="stretch_width")


def cell(text: str, **more: Any) -> Cell:
    """A cell of a table.

    Parameters
    ----------
    text : str
    more
        ``send``: makes it a button that sends this text; ``label``: what a screen reader calls the
        button; ``disabled``; ``title``: shown on hovering; ``below``: a second line; ``sort``: how
        the column is sorted; ``name``: of the row; ``parts``: several cells in the place of one.
    """
    return {"text": text} | {name: value for name, value in more.items() if value}
