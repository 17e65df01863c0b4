"""The view that is shown, as files: PNG, SVG, NetCDF, and as Python code that makes it."""

from __future__ import annotations

import io
from typing import Literal

import dask
import xarray as xr

from heatcat.browser.drawn import paper
from heatcat.browser.drawn.slices import load_slice
from heatcat.browser.shown.compare import related
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.plane import Plane, coloured, load_plane
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source
from heatcat.browser.state.view import arguments

WIDTH = 5.0
"""Width of a map in inches."""


Beside = tuple[Sheet, Picture]


def image(
    sheet: Sheet,
    picture: Picture,
    kind: Literal["png", "svg"],
    *,
    beside: Beside | None = None,
    relation: str = "",
) -> io.BytesIO:
    """The map or curve as a figure for print, with what is compared with it.

    Parameters
    ----------
    sheet : Sheet
    picture : Picture
    kind : {"png", "svg"}
    beside : tuple of Sheet and Picture, optional
        The second map.
    relation : str
        What a third map shows of the two; "" for none.
    """
    if picture.y:
        planes = _planes(sheet, picture, beside, relation)
        titles = [plane.title for plane in planes]
        figure = paper.maps_figure(planes, titles, WIDTH * len(planes))
    else:
        figure = paper.curves_figure([load_slice(sheet, picture, picture.x)], WIDTH)
    file = io.BytesIO()
    figure.savefig(file, format=kind)
    file.seek(0)
    return file


def _planes(sheet: Sheet, picture: Picture, beside: Beside | None, relation: str) -> list[Plane]:
    """The maps of a picture, as the page shows them."""
    first = load_plane(sheet, picture)
    if beside is None:
        return [first]
    other, there = beside
    second = load_plane(other, there)
    planes = [first, second]
    if first.variable == second.variable:
        planes = [
            coloured(first, picture, second.every_value),
            coloured(second, there, first.every_value),
        ]
    if relation:
        planes.append(related(first, second, relation, picture, (sheet.name, other.name)))
    return planes


def selection(sheet: Sheet, picture: Picture, beside: Beside | None = None) -> xr.Dataset:
    """What the map shows, at every label: the variable, its status and its coordinates.

    A second map is the variable "NAME_beside", at the labels of the first: NaN where it has none.
    """
    value = sheet.select(picture.variable, picture.elsewhere)
    chosen = {picture.variable: value.rename(picture.variable)}
    status = sheet.status(picture.variable, picture.elsewhere)
    if status is not None:
        chosen["status"] = status
    (found,) = dask.compute(xr.Dataset(chosen, attrs=sheet.data.attrs))
    if beside is None:
        return found
    other, there = beside
    (second,) = dask.compute(other.select(there.variable, there.elsewhere))
    there_only = [name for name in second.coords if name not in second.dims]
    second = (
        second.astype(float).drop_vars(there_only).reindex({dim: found[dim] for dim in second.dims})
    )
    return found.assign(
        {f"{there.variable}_beside": second.assign_attrs(second.attrs, sweep=other.name)}
    )


def netcdf(sheet: Sheet, picture: Picture, beside: Beside | None = None) -> io.BytesIO:
    """The selection as a NetCDF file."""
    found = selection(sheet, picture, beside)
    for array in found.variables.values():
        array.encoding = {}  # the store's filters, which NetCDF lacks
    return io.BytesIO(bytes(found.to_netcdf(engine="h5netcdf")))


def python(source: Source, sheet: Sheet, picture: Picture, beside: Beside | None = None) -> str:
    """Python code that makes the same selection and draws it; then the second map, if any."""
    code = _python(source, sheet, picture)
    if beside is None:
        return code
    lines = _python(source, *beside).splitlines()
    return "\n".join([code, *(line for line in lines if not line.startswith("import "))])


def _python(source: Source, sheet: Sheet, picture: Picture) -> str:
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
