"""Maps, slices and the page of a Dataset: what ``Dataset.heatcat`` draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import holoviews as hv
import panel as pn
import xarray as xr

from catalog.arguments import shown
from catalog.names.described import coordinate_name
from catalog.names.vocabulary import POINT
from ensemble import InvalidInput
from heatcat.browser.drawn import notebook, paper
from heatcat.browser.drawn.maps import HEIGHT, layers
from heatcat.browser.drawn.slices import curve, load_slice
from heatcat.browser.page import Page
from heatcat.browser.server import use_style
from heatcat.browser.shown.labels import where
from heatcat.browser.shown.picture import Picture, picture_of
from heatcat.browser.shown.plane import load_plane
from heatcat.browser.shown.point_map import load_points_plane, points_picture
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source

BACKENDS = ("bokeh", "matplotlib")


def draw_map(
    data: xr.Dataset,
    variable: str | None,
    *,
    x: str | None,
    y: str | None,
    at: Mapping[str, float] | None,
    scale: str,
    overlays: Sequence[str],
    contour: str | None,
    levels: Sequence[float],
    backend: str,
    width: float,
) -> Any:
    """A map, or a curve where there is one dimension: see ``Dataset.heatcat.map``."""
    _require_backend(backend)
    sheet = sheet_of(data)
    if POINT in sheet.dims and y != "" and x != POINT and y != POINT:
        if contour:
            raise InvalidInput("scattered points have no contours: draw a grid")
        picture = points_picture(
            sheet, variable, x=x, y=y, at=at or {}, scale=scale, overlays=tuple(overlays)
        )
        plane = load_points_plane(sheet, picture)
        cut: Mapping[str, float] = picture.at
    else:
        picture = picture_of(
            sheet, variable, x=x, y=y, at=at, scale=scale, overlays=tuple(overlays),
            contour=contour, levels=tuple(levels),
        )  # fmt: skip
        if not picture.y:
            return _curves(sheet, picture, [picture.x], backend, width, alone=True)
        plane = load_plane(sheet, picture)
        dims = sheet.dims_of(picture.variable)
        cut = {dim: label for dim, label in picture.elsewhere.items() if dim in dims}
    title = _with_fixed(sheet, plane.title, ", " if cut else ", at ")
    if backend == "matplotlib":
        return paper.maps_figure([plane], [title], paper.a_width("width", width))
    notebook.load()
    return notebook.titled(layers(plane), title, HEIGHT)


def draw_slices(
    data: xr.Dataset,
    variable: str | None,
    *,
    at: Mapping[str, float] | None,
    dims: Sequence[str] | None,
    scale: str,
    backend: str,
    width: float,
) -> Any:
    """Curves through one point: see ``Dataset.heatcat.slices``."""
    _require_backend(backend)
    sheet = sheet_of(data)
    picture = picture_of(sheet, variable, at=at, scale=scale)
    known = sheet.dims_of(picture.variable)
    along = [dim for dim in known if len(sheet.labels(dim)) > 1 and dim != POINT]
    if dims is not None:
        along = [coordinate_name(data, dim) for dim in dims]
    if not along:
        raise InvalidInput(
            f"{picture.variable} has no dimension with two labels to draw a slice along; points "
            "have none: draw their map"
        )
    for dim in along:
        if dim not in known:
            raise InvalidInput(
                f"{picture.variable} has no dimension {dim}: choose from {', '.join(known)}"
            )
    return _curves(sheet, picture, along, backend, width)


def explorer(data: xr.Dataset) -> pn.viewable.Viewable:
    """The page for a Dataset, in a notebook."""
    notebook.load()
    use_style()
    return Page(Source("ds", {sheet_of(data).name: data})).body()


def sheet_of(data: xr.Dataset) -> Sheet:
    """A Dataset as the browser sees it."""
    return Sheet(str(data.attrs.get("title") or "the dataset"), data)


def _require_backend(backend: object) -> None:
    if backend not in BACKENDS:
        raise InvalidInput(f"unknown backend {shown(backend)}: choose from {', '.join(BACKENDS)}")


def _curves(
    sheet: Sheet,
    picture: Picture,
    dims: Sequence[str],
    backend: str,
    width: float,
    *,
    alone: bool = False,
) -> Any:
    """The curves of a picture along some dimensions: one overlay, or several in a layout."""
    cuts = []
    for dim in dims:
        cut = load_slice(sheet, picture, dim)
        title = f"at {cut.title}" if cut.title else ""
        cuts.append(replace(cut, title=_with_fixed(sheet, title, ", " if title else "at ")))
    if backend == "matplotlib":
        return paper.curves_figure(cuts, paper.a_width("width", width))
    notebook.load()
    drawn = [notebook.titled(curve(cut), cut.title, notebook.CURVE_HEIGHT) for cut in cuts]
    if alone:
        return drawn[0]
    return hv.Layout(drawn).opts(shared_axes=False).cols(3)


def _with_fixed(sheet: Sheet, title: str, joined: str) -> str:
    """A title that also names the parameters that have one value in all of the data."""
    fixed = where(sheet.data, sheet.fixed())
    return f"{title}{joined}{fixed}" if fixed else title
