"""Curves of the variables that have a dimension of their own, at the chosen point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dask
import holoviews as hv
import numpy as np
import panel as pn
import xarray as xr

from catalog.names.described import inner_dims
from heatcat.browser.drawn.maps import TOOLS
from heatcat.browser.drawn.slices import LINE
from heatcat.browser.shown import escape
from heatcat.browser.shown.labels import symbol_of, with_unit
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.section import Context, Section, Shown

IMAGINARY = "#D55E00"


@dataclass(frozen=True)
class Profile:
    """A variable along its inner dimension.

    Attributes
    ----------
    name : str
    labels : ndarray
        Numbers or texts.
    parts : dict of str to ndarray
        The curves by name: one curve, or the real and the imaginary part.
    dim_text, value_text : str
        Symbols and units for the axes.
    """

    name: str
    labels: np.ndarray
    parts: dict[str, np.ndarray]
    dim_text: str
    value_text: str


def load_profiles(sheet: Sheet, at: Mapping[str, float]) -> tuple[list[Profile], list[str]]:
    """The profiles at a point, and the names of variables that cannot be drawn as a curve."""
    inner = inner_dims(sheet.data)
    names = [str(n) for n, array in sheet.data.data_vars.items() if {*inner} & {*array.dims}]
    curves = [name for name in names if _is_curve(sheet.data[name], inner)]
    (found,) = dask.compute(sheet.stored(at)[curves]) if curves else (xr.Dataset(),)
    return [_profile(found[name]) for name in curves], [n for n in names if n not in curves]


def _is_curve(array: xr.DataArray, inner: list[str]) -> bool:
    return len({*inner} & {*array.dims}) == 1 and array.dtype.kind in "iufc"


def _profile(array: xr.DataArray) -> Profile:
    (dim,) = array.dims
    values = array.values
    parts = {"": values.astype(float)}
    if values.dtype.kind == "c":
        parts = {"real part": values.real, "imaginary part": values.imag}
    labels = array[dim].values
    return Profile(str(array.name), labels, parts, with_unit(array[dim]), with_unit(array))


class ProfilePanes(Section):
    """One plot for each profile, drawn again for each chosen point."""

    name = "profiles"
    label = "profiles"
    tab = "Slices"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.layout = pn.FlexBox(gap="16px", sizing_mode="stretch_width")

    def load(self, shown: Shown) -> tuple[list[Profile], list[str]]:
        return load_profiles(shown.sheet, shown.picture.chosen)

    def show(self, shown: Shown, found: tuple[list[Profile], list[str]]) -> None:
        profiles, others = found
        panes: list[Any] = [self._pane(shown.sheet, profile) for profile in profiles]
        if others:
            text = f"not drawn, as they are no curves: {', '.join(others)}"
            panes.append(pn.pane.HTML(f"<p>{escape.html(text)}</p>"))
        self.layout.objects = panes

    def _pane(self, sheet: Sheet, profile: Profile) -> pn.Column:
        mark = escape.html(symbol_of(sheet.data[profile.name]))
        name = escape.html(profile.name)
        heading = f'<h3 data-profile="{name}">{name} <i>{mark}</i> at the chosen point</h3>'
        return pn.Column(
            pn.pane.HTML(heading, sizing_mode="stretch_width"),
            pn.pane.HoloViews(drawn(profile), sizing_mode="stretch_width", linked_axes=False),
            styles={"flex": "1 1 300px", "min-width": "0"},
        )


def drawn(profile: Profile) -> hv.Overlay:
    """The curves of a profile with their points."""
    x = escape.label(profile.dim_text, "bokeh")
    y = escape.label(profile.value_text, "bokeh")
    layers: list[Any] = []
    for (part, values), color in zip(profile.parts.items(), (LINE, IMAGINARY), strict=False):
        columns = (profile.labels, values)
        kdims, vdims = hv.Dimension("label", label=x), hv.Dimension("value", label=y)
        layers.append(hv.Curve(columns, kdims, vdims, label=part).opts(color=color))
        layers.append(
            hv.Scatter(columns, kdims, vdims, label=part).opts(color=color, size=6, tools=["hover"])
        )
    return hv.Overlay(layers).opts(
        xlabel=x,
        ylabel=y,
        default_tools=TOOLS,
        active_tools=[],
        responsive=True,
        min_height=230,
        show_legend=len(profile.parts) > 1,
        legend_position="top",
        toolbar="above",
        backend_opts={"plot.toolbar.logo": None},
        padding=0.06,
    )
