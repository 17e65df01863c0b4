"""Small maps: the shown map for several labels of another dimension."""

from __future__ import annotations

import panel as pn
import param
from bokeh.models import LinearColorMapper

from heatcat.browser.drawn.cells import colour_bar, small_plot
from heatcat.browser.panels.bound import dim_text
from heatcat.browser.panels.panel import Panel, small
from heatcat.browser.shown import escape
from heatcat.browser.shown.colours import MISSING
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.small_maps import SmallMaps, load_small_maps, other_dims
from heatcat.browser.state.section import Context, Shown


class SmallMapsState(param.Parameterized):
    """What the address keeps of the small maps."""

    over = param.String(default="N", doc="Dimension with a map for each label.")


class SmallMapsPanel(Panel):
    """The small maps with their control."""

    name = "small_maps"
    tab = "Small maps"
    label = "small maps over a dimension"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._state = SmallMapsState()
        self.bind(self._state, over=small(pn.widgets.Select(label="a map for each"), 130))
        self._maps = pn.FlexBox(gap="4px", justify_content="start", sizing_mode="stretch_width")
        self._bar = pn.pane.HTML("", sizing_mode="stretch_width", max_width=600)
        self.body.objects = [self._maps, self._bar]

    def load(self, shown: Shown) -> SmallMaps:
        return load_small_maps(shown.sheet, shown.picture, self._over(shown.sheet, shown.picture))

    def show(self, shown: Shown, found: SmallMaps) -> None:
        sheet, over = shown.sheet, self._over(shown.sheet, shown.picture)
        with param.discard_events(self._state):
            self._state.over = over
        dims = other_dims(sheet, shown.picture)
        self._bound.refresh({"over": {dim_text(sheet, dim): dim for dim in dims}})
        colours = found.planes[0].colours
        low, high = colours.limits
        mapper = LinearColorMapper(palette=colours.palette, low=low, high=high, nan_color=MISSING)
        self._bar.object = colour_bar(found.planes[0])
        self._maps.objects = [
            pn.Column(
                pn.pane.HTML(f"<h3>{escape.html(text)}</h3>"),
                pn.pane.Bokeh(small_plot(plane, mapper, chosen=label == shown.picture.at[over])),
            )
            for plane, text, label in zip(found.planes, found.texts, found.labels, strict=True)
        ]
        self.say(found.note, "all with the same colours")

    def _over(self, sheet: Sheet, picture: Picture) -> str:
        dims = other_dims(sheet, picture)
        return self._state.over if self._state.over in dims else (*dims, "")[0]
