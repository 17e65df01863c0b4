"""What a part of the page is, what it is given to show, and what it may ask of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import panel as pn
import param
import xarray as xr

from ensemble import InvalidInput
from heatcat.browser.shown import escape
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source
from heatcat.browser.state.view import View

RULED = {"border-top": "1px solid var(--rule)", "padding-top": "10px"}
"""Style of a heading that begins a section, as in ``page.css``."""


@dataclass(frozen=True)
class Shown:
    """What the page shows at one moment.

    Attributes
    ----------
    source : Source
    sheet : Sheet
        The sweep.
    picture : Picture
        Its variable, axes, chosen labels, scale and lines.
    beside : tuple of Sheet and Picture, str or None
        The second map; a text that says why there is none; None if none is wanted.
    refused : str
        Why a condition of the view is not applied; "" if both are.
    selected : xarray.DataArray of bool or None
        Which points are selected, on the dimensions of the sheet; None without a selection.
    relation : str
        What a third map shows of the two; "" for none.
    zoom : mapping of str to pair of float
        Labels in view, by dimension; all labels of a dimension that is not in it.
    """

    source: Source
    sheet: Sheet
    picture: Picture
    beside: tuple[Sheet, Picture] | str | None = None
    refused: str = ""
    selected: xr.DataArray | None = None
    relation: str = ""
    zoom: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a section may ask of its page.

    Attributes
    ----------
    view : View
        What the address keeps; setting a field draws the page again.
    source : Source
    pick : callable
        Chooses the point with these labels, or the nearest.
    mark : callable
        Puts the live point at these parameters on the map; None removes it.
    refresh : callable
        Reads the store again and draws: points or sweeps have been added.
    """

    view: View
    source: Source
    pick: Callable[[Mapping[str, float]], None]
    mark: Callable[[Mapping[str, float] | None], None]
    refresh: Callable[[], None]


class Section:
    """A part of the page; a subclass that is listed in ``sections.SECTIONS`` is shown.

    For every view, the page calls `load` in a thread and then `show` on the document.  Whatever
    reads the store or takes long belongs into `load`, whatever touches widgets into `show`.

    Parameters
    ----------
    context : Context

    Attributes
    ----------
    name : str
        Unique; an identifier.
    heading : str
        Heading of the section; "" for none.
    label : str
        What a screen reader calls the section.
    tab : str
        Name of the tab that the section stands behind; "" if it is always shown.
    group : str
        Sections with the same group stand side by side under the heading of the first.
    state : param.Parameterized or None
        Fields that the address keeps as "name.field"; when one changes, the page is drawn again.
    layout : viewable
    """

    name: ClassVar[str] = ""
    heading: ClassVar[str] = ""
    label: ClassVar[str] = ""
    tab: ClassVar[str] = ""
    group: ClassVar[str] = ""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.state: param.Parameterized | None = None
        self.layout: Any = pn.Column(sizing_mode="stretch_width")

    def parts(self) -> list[Any]:
        """What stands on the page: the layout, or several that stand side by side."""
        return [self.layout]

    def opened(self) -> None:
        """Called once, when the page is open in a browser."""

    def wants(self, shown: Shown) -> bool:
        """Whether there is anything to show; if not, nothing is loaded."""
        return True

    def load(self, shown: Shown) -> Any:
        """Read and compute, in a thread; touches no widget."""
        return None

    def show(self, shown: Shown, found: Any) -> None:
        """Show what `load` found."""

    def complain(self, message: str) -> None:
        """Say why there is nothing to show."""
        self.layout.objects = [alert(message)]

    def loaded(self, shown: Shown) -> Any:
        """What `load` finds, or the `InvalidInput` that says why there is nothing."""
        try:
            return self.load(shown)
        except InvalidInput as problem:
            return problem

    def shows(self, shown: Shown, found: Any) -> None:
        """Show what `loaded` has found."""
        if isinstance(found, InvalidInput):
            self.complain(str(found))
        else:
            self.show(shown, found)


def alert(message: str) -> pn.pane.HTML:
    """A message that says what went wrong."""
    return pn.pane.HTML(alert_html(message), sizing_mode="stretch_width")


def alert_html(message: str) -> str:
    """The same as HTML."""
    return f'<p role="alert">{escape.html(message)}</p>'
