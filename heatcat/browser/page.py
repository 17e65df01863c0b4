"""The page: controls, one or two linked maps, slices, the chosen engine, progress and export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn

from ensemble import InvalidInput
from heatcat.browser import escape, export
from heatcat.browser.coalesced import Coalesced
from heatcat.browser.controls import Controls
from heatcat.browser.live_point import LivePoint, is_engine
from heatcat.browser.map_pane import MapPane
from heatcat.browser.picture import Picture
from heatcat.browser.point import as_html, load_point
from heatcat.browser.profiles import ProfilePanes
from heatcat.browser.progress import Progress
from heatcat.browser.sheet import Sheet
from heatcat.browser.slice_panes import SlicePanes
from heatcat.browser.source import Source
from heatcat.browser.view import View

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "page.css").read_text(encoding="utf-8")

RULED = {"border-top": "1px solid var(--rule)", "padding-top": "10px"}
"""Style of a heading that begins a section, as in ``page.css``."""


class Page:
    """One person's view of a catalogue.

    Parameters
    ----------
    source : Source
    view : View, optional
        The view at the beginning.
    complaints : callable
        Returns one line for each word of the link that was refused since it was last called.
    """

    def __init__(
        self,
        source: Source,
        view: View | None = None,
        *,
        complaints: Callable[[], list[str]] = list,
    ) -> None:
        self._complaints = complaints
        self.source = source
        self.view = View() if view is None else view
        self._settling = False
        self._notes = pn.pane.HTML("", css_classes=["notes"], sizing_mode="stretch_width")
        self.controls = Controls(self.view, source)
        self._first, self._second = MapPane(self._pick), MapPane(self._pick)
        self._second.layout.visible = False
        self._slices, self._profiles = SlicePanes(), ProfilePanes()
        self._point = pn.pane.HTML("", sizing_mode="stretch_width")
        self._live = LivePoint(self._mark_live)
        self._live_switch = pn.widgets.Toggle(
            label="solve live from the chosen cell", color="primary", variant="outline"
        )
        self._live_switch.param.watch(self._toggle_live, "value")
        self._live_again = pn.widgets.Button(label="back to the chosen cell", visible=False)
        self._live_again.on_click(lambda _: self._start_live())
        self._live.layout.visible = False
        self._live_part = pn.Column(
            pn.pane.HTML("<h2>Live point</h2>", sizing_mode="stretch_width", styles=RULED),
            pn.FlexBox(self._live_switch, self._live_again, gap="8px"),
            self._live.layout,
            sizing_mode="stretch_width",
        )
        self._python = pn.pane.HTML("", sizing_mode="stretch_width")
        self.progress = Progress(source, lambda: self.view.sweep, self._grown)
        self._draw = Coalesced(self.draw)
        self._draw_more = Coalesced(self.draw_more)
        self._values: dict[str, float] = {}
        self.view.param.watch(self._changed, View.fields())
        self.settle()
        self.draw()

    def template(self, title: str) -> pn.Template:
        """The served page, whose address holds its state."""
        template = pn.Template((FOLDER / "page.html").read_text(encoding="utf-8"), location=True)
        template.add_variable("heading", title)
        template.add_variable("style", STYLE)
        for name, part in self.parts().items():
            template.add_panel(name, part)
        if self.source.growing:
            pn.state.onload(self.progress.start)
        return template

    def body(self) -> pn.Row:
        """The same page in a notebook."""
        parts = self.parts()
        controls = pn.Column(parts.pop("controls"), width=300)
        return pn.Row(controls, pn.Column(*parts.values(), sizing_mode="stretch_width"))

    def parts(self) -> dict[str, Any]:
        """The roots of the page by name."""
        point = pn.Column(
            self._point,
            styles={"flex": "1 1 320px", "min-width": "0", "max-height": "470px"},
            scroll="y-auto",
        )
        maps = pn.FlexBox(
            self._first.layout, self._second.layout, point, gap="16px", sizing_mode="stretch_width"
        )
        downloads = [self._download(kind) for kind in ("png", "svg", "nc")]
        exported = pn.Column(
            pn.FlexBox(*downloads, gap="8px"), self._python, sizing_mode="stretch_width"
        )
        return {
            "controls": self.controls.layout,
            "notes": self._notes,
            "maps": maps,
            "slices": pn.Column(
                self._slices.layout, self._profiles.layout, sizing_mode="stretch_width"
            ),
            "live": self._live_part,
            "export": exported,
            "progress": self.progress.layout,
        }

    def settle(self) -> None:
        """Make the view fit the catalogue, and show a note for each word that did not fit."""
        self._settling = True
        try:
            notes = [*self._complaints(), *self.view.settle(self.source)]
        finally:
            self._settling = False
        self._notes.object = "".join(f'<p role="status">{escape.html(note)}</p>' for note in notes)
        self.controls.refresh()

    def draw(self) -> None:
        """Show the view: the maps first, because the visitor waits for them."""
        sheet, picture = self.source.sheet(self.view.sweep), self.view.picture()
        about = str(sheet.data.attrs.get("description", ""))
        self._first.show(sheet, picture, title=_caption(sheet) if self.view.compare else about)
        self._second.layout.visible = self.view.compare
        if self.view.compare:
            self._draw_second()
        if pn.state.curdoc is not None and not pn.state.loaded:
            pn.state.onload(self.draw_more)
        else:
            self._draw_more()

    def draw_more(self) -> None:
        """Show the chosen engine, the slices and the line of Python."""
        sheet, picture = self.source.sheet(self.view.sweep), self.view.picture()
        self._draw_point(sheet, picture)
        self._slices.show(sheet, picture)
        self._profiles.show(sheet, picture.at)
        self._live_part.visible = is_engine(sheet)
        python = export.python(self.source, sheet, picture)
        line = "\n".join(map(escape.html, python.split("\n")))
        self._python.object = f'<pre class="python" tabindex="0"><code>{line}</code></pre>'

    def _draw_second(self) -> None:
        try:
            sheet, picture = self.view.second_picture(self.source)
        except InvalidInput as error:
            self._second.complain(str(error))
            return
        self._second.show(sheet, picture, title=_caption(sheet))

    def _draw_point(self, sheet: Sheet, picture: Picture) -> None:
        derived = [] if picture.variable in sheet.data else [picture.variable]
        point = load_point(sheet, picture.at, derived=derived)
        self._point.object = as_html(point)
        self._values = point.numbers

    def _changed(self, *events: Any) -> None:
        if self._settling:
            return
        if not self.view.y and any(event.name == "sweep" for event in events):
            # After a curve of one sweep, the next sweep is shown as a map: without x, the view
            # chooses both axes.
            self._settling = True
            self.view.x = ""
            self._settling = False
        self.settle()
        self._draw()

    def _pick(self, labels: Mapping[str, float]) -> None:
        known = {dim: value for dim, value in labels.items() if dim in self.view.at}
        sheet = self.source.sheet(self.view.sweep)
        nearest = {dim: sheet.nearest(dim, value) for dim, value in known.items()}
        self.view.at = {**self.view.at, **nearest}

    def _grown(self) -> None:
        self.source.refresh()
        self.settle()
        self._draw()

    def _toggle_live(self, event: Any) -> None:
        self._live.layout.visible = self._live_again.visible = event.new
        if event.new:
            self._start_live()
        else:
            self._first.mark(None)

    def _start_live(self) -> None:
        self._live.start(self.source.sheet(self.view.sweep), self.view.at, self._values)

    def _mark_live(self, parameters: Mapping[str, float]) -> None:
        axes = (self.view.x, self.view.y)
        inside = all(axis in parameters for axis in axes)
        self._first.mark((parameters[axes[0]], parameters[axes[1]]) if inside else None)

    def _download(self, kind: str) -> pn.widgets.FileDownload:
        return pn.widgets.FileDownload(
            callback=partial(self._file, kind),
            filename=f"heatcat.{kind}",
            label={"png": "PNG", "svg": "SVG", "nc": "NetCDF"}[kind],
            width=110,
        )

    def _file(self, kind: str) -> Any:
        sheet, picture = self.source.sheet(self.view.sweep), self.view.picture()
        if kind == "nc":
            return export.netcdf(sheet, picture)
        return export.image(sheet, picture, "png" if kind == "png" else "svg")


def _caption(sheet: Sheet) -> str:
    """Caption that says which sweep a map shows, where there are two maps."""
    method = str(sheet.data.attrs.get("method", ""))
    scaling = str(sheet.data.attrs.get("scaling", ""))
    about = str(sheet.data.attrs.get("description", ""))
    scaled = f"{scaling} scaling" if scaling else ""
    return f"{sheet.name}: {', '.join(filter(None, (about, method, scaled)))}"
