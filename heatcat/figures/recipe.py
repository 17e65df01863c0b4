"""What all figures share: the steps from the Datasets of the sweeps to the files of a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.figure import Figure

import catalog
from catalog.names.described import without_derived

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",  # ships with matplotlib and has T̄
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "legend.fontsize": 8,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Recipe:
    """How one figure is made.

    Attributes
    ----------
    name : str
        "fig2" and so on.
    sweeps : mapping of str to str
        Presets that the figure is computed from, by their part in it; the coarser ones have
        ``-quick`` appended to their names.  A preset that figures share is computed once.
    reduce : callable
        Function of the Datasets of the sweeps, by part, that returns the reduced Dataset.
    draw : callable
        Function of the reduced Dataset that returns a matplotlib figure.
    interactive : callable
        Function of the reduced Dataset that returns a HoloViews object.
    """

    name: str
    sweeps: Mapping[str, str]
    reduce: Callable[[Mapping[str, xr.Dataset]], xr.Dataset]
    draw: Callable[[xr.Dataset], Figure]
    interactive: Callable[[xr.Dataset], Any]

    def __post_init__(self) -> None:
        given = self.reduce

        def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
            return given({part: without_derived(ds) for part, ds in datasets.items()})

        object.__setattr__(self, "reduce", reduce)  # the instance is frozen

    def presets(self, *, quick: bool) -> dict[str, catalog.Sweep]:
        """The sweeps that the figure is computed from, by part."""
        known = catalog.presets()
        ending = "-quick" if quick else ""
        return {part: known[preset + ending] for part, preset in self.sweeps.items()}

    def make(self, datasets: Mapping[str, xr.Dataset], out: Path) -> list[Path]:
        """Write the reduced data (NetCDF), PNG, PDF and a self-contained interactive page."""
        out.mkdir(parents=True, exist_ok=True)
        reduced = self.reduce(datasets).compute()
        paths = [out / f"{self.name}.{ending}" for ending in ("nc", "png", "pdf", "html")]
        data, png, pdf, html = paths
        reduced.to_netcdf(data, engine="h5netcdf")
        with mpl.rc_context(STYLE):
            figure = self.draw(reduced)
            figure.savefig(png)
            figure.savefig(pdf)
        _save_html(self.interactive(reduced), html, title=f"heatcat {self.name}")
        return paths


def _save_html(plot: Any, path: Path, *, title: str) -> None:
    """A page that contains Bokeh's code and works without a network.

    It is put together here because a page that Bokeh makes would also refer to the files of every
    extension that has been imported, such as Panel's.
    """
    import holoviews as hv
    from bokeh.embed import components
    from bokeh.resources import Resources

    script, place = components(hv.render(plot, backend="bokeh"))
    library = Resources("inline", components=["bokeh"]).js_raw
    code = "".join(f"<script>{text}</script>" for text in library)
    path.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>{code}</head><body>{place}{script}</body></html>\n",
        encoding="utf-8",
    )
