"""The slices through the chosen point, one plot for each dimension, updated in place."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import panel as pn

from heatcat.browser import escape
from heatcat.browser.labels import symbol_of
from heatcat.browser.map_pane import Revision
from heatcat.browser.section import Context, Section, Shown
from heatcat.browser.slices import Slice, curve, load_slice


class SlicePanes(Section):
    """Curves of the variable along every dimension that has more than one label."""

    name = "slices"
    label = "slices through the chosen cell"
    tab = "Slices"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._slices: dict[str, Slice] = {}
        self._symbols: dict[str, str] = {}
        self._revision = Revision()
        self._key: Any = None
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
        """Draw the slices of a picture; another variable, sweep or scale gets new plots."""
        sheet, picture = shown.sheet, shown.picture
        self._slices = found
        self._symbols = {dim: symbol_of(sheet.data[dim]) for dim in found}
        key = (sheet.name, picture.variable, picture.scale, tuple(found))
        if key != self._key:
            self._key, self._revision = key, Revision()
            self.layout.objects = [self._pane(dim) for dim in found]
        else:
            self._revision.event(revision=self._revision.revision + 1)

    def complain(self, message: str) -> None:
        self._key = None
        super().complain(message)

    def _pane(self, dim: str) -> pn.Column:
        drawn = hv.DynamicMap(lambda revision: curve(self._slices[dim]), streams=[self._revision])
        return pn.Column(
            pn.pane.HTML(
                f"<h3>along {escape.html(self._symbols[dim])}</h3>", sizing_mode="stretch_width"
            ),
            # The axes are not linked to those of the maps, so that the maps keep their zoom.
            pn.pane.HoloViews(drawn, sizing_mode="stretch_width", linked_axes=False),
            styles={"flex": "1 1 300px", "min-width": "0"},
        )
