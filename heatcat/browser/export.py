"""The view that is shown, as files: PNG, SVG, NetCDF, and as Python code that makes it."""

from __future__ import annotations

import io
from typing import Literal

import dask
import xarray as xr

from heatcat.browser.maps import map_overlay
from heatcat.browser.picture import Picture
from heatcat.browser.sheet import Sheet
from heatcat.browser.slices import curve, load_slice
from heatcat.browser.source import Source
from heatcat.browser.view import arguments

DPI = 200


def image(sheet: Sheet, picture: Picture, kind: Literal["png", "svg"]) -> io.BytesIO:
    """The map or curve, drawn by Matplotlib."""
    import holoviews.plotting.mpl
    import matplotlib as mpl

    if picture.y:
        drawn = map_overlay(sheet, picture, "matplotlib")
    else:
        drawn = curve(load_slice(sheet, picture, picture.x), "matplotlib")
    figure = holoviews.plotting.mpl.MPLRenderer.instance(dpi=100).get_plot(drawn).state
    file = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(file, format=kind, dpi=DPI, bbox_inches="tight")
    file.seek(0)
    return file


def selection(sheet: Sheet, picture: Picture) -> xr.Dataset:
    """What the map shows, at every label: the variable, its status and its coordinates."""
    value = sheet.select(picture.variable, picture.elsewhere)
    chosen = {picture.variable: value.rename(picture.variable)}
    status = sheet.status(picture.variable, picture.elsewhere)
    if status is not None:
        chosen["status"] = status
    (found,) = dask.compute(xr.Dataset(chosen, attrs=sheet.data.attrs))
    return found


def netcdf(sheet: Sheet, picture: Picture) -> io.BytesIO:
    """The selection as a NetCDF file."""
    found = selection(sheet, picture)
    for array in found.variables.values():
        array.encoding = {}  # the store's filters, which NetCDF lacks
    return io.BytesIO(bytes(found.to_netcdf(engine="h5netcdf")))


def python(source: Source, sheet: Sheet, picture: Picture) -> str:
    """Python code that makes the same selection and draws it."""
    elsewhere = {
        dim: value
        for dim, value in picture.elsewhere.items()
        if dim in sheet.dims_of(picture.variable)
    }
    options = ", ".join(f"{name}={value!r}" for name, value in arguments(picture).items())
    lines = []
    if source.found is None:
        lines = ["import catalog, heatcat", f"ds = {source.python(sheet.name)}"]
    if picture.variable in sheet.data:
        chosen = f"ds.heatcat.sel({elsewhere!r})" if elsewhere else "ds"
        lines.append(f"{chosen}[{picture.variable!r}]")
    lines.append(f"ds.heatcat.map({picture.variable!r}, {options})")
    return "\n".join(lines)
