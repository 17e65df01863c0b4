"""The slices through the chosen point, one plot for each dimension, updated in place."""

from __future__ import annotations

import panel as pn

from heatcat.browser.drawn.curve_figure import CurveFigure
from heatcat.browser.drawn.legend import legend
from heatcat.browser.drawn.slices import Slice, load_slice
from heatcat.browser.shown import escape
from heatcat.browser.shown.labels import symbol_of
from heatcat.browser.state.section import Context, Section, Shown


class SlicePanes(Section):
    """Curves of the variable along every dimension that has more than one label."""

    name = "slices"
    label = "slices through the chosen cell"
    tab = "Slices"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._panes: dict[tuple[str, bool], SlicePane] = {}
        self.layout = pn.FlexBox(gap="16px", sizing_mode="stretch_width")

    def load(self, shown: Shown) -> dict[str, Slice]:
        sheet, picture = shown.sheet, shown.picture
        dims = [
            dim
            for dim in sheet.dims_of(picture.variable)
            if len(sheet.labels(dim)) > 1 and (dim,) != picture.axes
        ]
        return {dim: load_slice(sheet, picture, dim) for dim in dims}

    def show(self, shown: Shown, found: dict[str, Slice]) -> None:
        """Draw the slices; a plot is made once for each dimension."""
        panes = [self._pane(cut) for cut in found.values()]
        for pane, cut in zip(panes, found.values(), strict=True):
            pane.show(cut, symbol_of(shown.sheet.data[cut.dim]))
        layouts = [pane.layout for pane in panes]
        if list(self.layout.objects) != layouts:
            self.layout.objects = layouts

    def _pane(self, cut: Slice) -> SlicePane:
        key = (cut.dim, cut.side.log)
        if key not in self._panes:
            self._panes[key] = SlicePane(cut, self.context)
        return self._panes[key]


class SlicePane:
    """Heading, plot and legend of one slice."""

    def __init__(self, cut: Slice, context: Context) -> None:
        self._dim, self._context = cut.dim, context
        self._heading = pn.pane.HTML("", sizing_mode="stretch_width")
        self._note = pn.pane.HTML("", css_classes=["note"], sizing_mode="stretch_width")
        self._figure = CurveFigure(cut.side.log, self._picked)
        self.layout = pn.Column(
            self._heading,
            pn.pane.Bokeh(self._figure.plot, sizing_mode="stretch_width"),
            self._note,
            styles={"flex": "1 1 300px", "min-width": "0"},
        )

    def show(self, cut: Slice, symbol: str) -> None:
        """Draw a slice."""
        at = f" at {escape.html(cut.title)}" if cut.title else ""
        self._heading.object = f"<h3>along {escape.html(symbol)}{at}</h3>"
        self._figure.show(cut)
        self._note.object = legend(cut.states, cut.note)

    def _picked(self, label: float) -> None:
        self._context.pick({self._dim: label})
