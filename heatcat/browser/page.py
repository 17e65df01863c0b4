"""The page: controls and sections, drawn again whenever the view or the store changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import param

from catalog.names.suggestion import suggestion
from ensemble import InvalidInput
from heatcat.browser.drawn.frames import is_dark
from heatcat.browser.sections.controls import Controls
from heatcat.browser.sections.map_section import MapSection
from heatcat.browser.sections.order import SECTIONS
from heatcat.browser.sections.tabs import Tabs
from heatcat.browser.shown import escape
from heatcat.browser.shown.condition import condition_of, masked
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source
from heatcat.browser.state.address import Address
from heatcat.browser.state.link import fields
from heatcat.browser.state.section import Context, Section, Shown, alert_html
from heatcat.browser.state.threads import Drawing, Step, in_thread, on_document
from heatcat.browser.state.view import CURVE, View

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "page.css").read_text(encoding="utf-8")
SCRIPT = (FOLDER / "page.js").read_text(encoding="utf-8")


class Page:
    """One person's view of a catalogue.

    Parameters
    ----------
    source : Source
    view : View, optional
        The view at the beginning.

    Attributes
    ----------
    context : Context
    sections : tuple of Section
    complaints : callable
        Returns one line for each word of the link that was refused since it was last called.
    on_settled : callable
        Called when the view fits the catalogue.
    """

    def __init__(self, source: Source, view: View | None = None) -> None:
        self.complaints: Callable[[], list[str]] = list
        self.on_settled: Callable[[], None] = lambda: None
        self.source = source
        self.view = View() if view is None else view
        self._settling = self._begun = False
        self._mask: tuple[Any, Sheet] | None = None
        self._notes = pn.pane.HTML("", css_classes=["notes"], sizing_mode="stretch_width")
        self._busy = pn.pane.HTML("", css_classes=["busy"], sizing_mode="stretch_width")
        self.controls = Controls(self.view, source)
        self.context = Context(self.view, source, self._pick, self._mark, self.refresh)
        self.sections = tuple(section(self.context) for section in SECTIONS)
        self.tabs = Tabs(self.view, [section for section in self.sections if section.tab])
        self.drawing = Drawing(self._plan, self._say_busy)
        self.view.param.watch(self._changed, View.fields())
        for state in self.states().values():
            if state is not self.view:
                state.param.watch(self._changed, fields(state))

    def states(self) -> dict[str, param.Parameterized]:
        """What the address keeps: the view, and the fields of sections by their names."""
        of_sections = {s.name: s.state for s in self.sections if s.state is not None}
        return {"": self.view, **of_sections}

    def template(self, title: str, address: Address) -> pn.Template:
        """The served page, whose address holds its state."""
        template = pn.Template((FOLDER / "page.html").read_text(encoding="utf-8"))
        template.add_panel("address", pn.pane.Bokeh(address.model, visible=False))
        template.add_variable("heading", title)
        template.add_variable("style", STYLE)
        template.add_variable("dark", is_dark())
        template.add_variable("script", SCRIPT)
        blocks = self._blocks()
        template.add_variable("sections", [head for head, _ in blocks])
        template.add_panel("busy", self._busy)
        template.add_panel("controls", self.controls.layout)
        template.add_panel("notes", self._notes)
        for head, part in blocks:
            template.add_panel(head.name, part)
        pn.state.onload(self._opened)
        self.begin()
        return template

    def body(self) -> pn.Row:
        """The same page in a notebook."""
        self.begin()
        parts: list[Any] = [self._busy, self._notes]
        for head, part in self._blocks():
            if head.heading:
                parts.append(f"<h2>{head.heading}</h2>")
            parts.append(part)
        controls = pn.Column(self.controls.layout, width=300)
        return pn.Row(controls, pn.Column(*parts, sizing_mode="stretch_width"))

    def begin(self) -> None:
        """Draw for the first time; the address has been read by now."""
        self._begun = True
        self.drawing.request()

    def _opened(self) -> None:
        for section in self.sections:
            section.opened()

    def refresh(self) -> None:
        """Read the store again and draw: sweeps were added or taken away, or points computed."""
        in_thread(self.source.reread, self._refreshed)

    def settle(self) -> None:
        """Make the view fit the catalogue, and show a note for each word that did not fit."""
        self._settling = True
        try:
            notes = [*self.complaints(), *self.view.settle(self.source)]
            if self.view.tab not in ("", *self.tabs.names):
                notes.append(
                    f"no tab {self.view.tab!r}{suggestion(self.view.tab, self.tabs.names)}"
                )
                self.view.tab = ""
        finally:
            self._settling = False
        self._notes.object = "".join(f'<p role="status">{escape.html(note)}</p>' for note in notes)
        self.controls.refresh()
        self.on_settled()

    def _plan(self) -> Iterator[Step]:
        """The steps of a drawing: the sweeps in view, then the sections from the top."""
        problems: list[InvalidInput] = []

        def open_sweeps() -> None:
            try:
                self.source.prepare(self.view.sweep, self.view.beside_sweep)
            except InvalidInput as problem:
                problems.append(problem)

        if not self.source.has_read(self.view.sweep, self.view.beside_sweep):
            yield open_sweeps, lambda _: None
        if problems:
            self._notes.object = alert_html(str(problems[0]))
            return
        try:
            self.settle()
        except InvalidInput as problem:  # a sweep without anything to draw
            self._notes.object = alert_html(str(problem))
            return
        shown = self._shown()
        for section in self.sections:
            if section.tab in ("", self.tabs.open) and section.wants(shown):
                yield partial(section.loaded, shown), partial(section.shows, shown)

    def _shown(self) -> Shown:
        sheet, picture = self.source.sheet(self.view.sweep), self.view.picture()
        refused, selected = "", None
        try:
            selected = condition_of(sheet, self.view.selected)
            sheet = self._masked(sheet)
        except InvalidInput as problem:
            refused = str(problem)
        beside: Any = None
        if self.view.compare:
            try:
                other, picture_of_other = self.view.second_picture(self.source)
                beside = masked(other, "" if refused else self.view.only), picture_of_other
            except InvalidInput as problem:
                beside = str(problem)
        zoom = {dim: (part[0], part[1]) for dim, part in self.view.zoom.items()}
        relation = self.view.relation
        return Shown(self.source, sheet, picture, beside, refused, selected, relation, zoom)

    def _masked(self, sheet: Sheet) -> Sheet:
        """The sheet under the condition; the same object as long as both are the same."""
        key = (sheet, self.view.only)
        if self._mask is None or self._mask[0] != key:
            self._mask = key, masked(sheet, self.view.only)
        return self._mask[1]

    def _blocks(self) -> list[tuple[Section | Tabs, Any]]:
        """What stands below each other: a section, several side by side, or all tabs."""
        blocks: list[tuple[Section | Tabs, Any]] = []
        for key, found in itertools.groupby(self.sections, _block):
            group = list(found)
            tabs = key == self.tabs.name
            blocks.append((self.tabs, self.tabs.layout) if tabs else (group[0], _beside(group)))
        return blocks

    def _say_busy(self, at_work: bool) -> None:
        self._busy.object = '<p role="progressbar">reading and drawing</p>' if at_work else ""

    def _changed(self, *events: Any) -> None:
        if self._settling or not self._begun:
            return
        if self.view.y == CURVE and any(event.name == "sweep" for event in events):
            # After a curve of one sweep, the next sweep is shown as a map where it can be.
            self._settling = True
            self.view.x = self.view.y = ""
            self._settling = False
        names = {event.name for event in events}
        if names & {"variable", "sweep"} and not names & {"low", "high"}:
            self._settling = True
            self.view.low = self.view.high = ""  # those of another variable
            self._settling = False
        self.drawing.request()

    def _pick(self, labels: Mapping[str, float]) -> None:
        self.view.choose(self.source.sheet(self.view.sweep), labels)

    def _mark(self, parameters: Mapping[str, float] | None) -> None:
        for section in self.sections:
            if isinstance(section, MapSection):
                on_document(partial(section.mark, parameters))

    def _refreshed(self, _: Any) -> None:
        self.drawing.request()


def _block(section: Section) -> str:
    """Sections of the same block stand together."""
    return Tabs.name if section.tab else section.group or section.name


def _beside(sections: list[Section]) -> Any:
    """Sections side by side."""
    parts = [part for section in sections for part in section.parts()]
    if len(parts) == 1:
        return parts[0]
    return pn.FlexBox(*parts, gap="16px", sizing_mode="stretch_width")
