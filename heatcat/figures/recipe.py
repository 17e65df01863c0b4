"""What every figure shares: from the Dataset of its sweep to the files of a figure."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.figure import Figure

import catalog

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
        "fig2" and so on; its presets are called ``name`` and ``name-quick``.
    reduce : callable
        Dataset of the sweep to the reduced Dataset that the figure shows.
    draw : callable
        Reduced Dataset to a matplotlib figure.
    interactive : callable
        Reduced Dataset to a HoloViews object.
    """

    name: str
    reduce: Callable[[xr.Dataset], xr.Dataset]
    draw: Callable[[xr.Dataset], Figure]
    interactive: Callable[[xr.Dataset], Any]

    def sweep(self, *, quick: bool) -> catalog.Sweep:
        """The preset that the figure is computed from."""
        return catalog.presets()[f"{self.name}-quick" if quick else self.name]

    def make(self, dataset: xr.Dataset, out: Path) -> list[Path]:
        """Write the reduced data (NetCDF), PNG, PDF and a self-contained interactive page."""
        out.mkdir(parents=True, exist_ok=True)
        reduced = self.reduce(dataset).compute()
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
    import hvplot
    from bokeh.resources import INLINE  # the page must work without a network

    with warnings.catch_warnings():
        # Bokeh warns of our fixed frame sizes; the layout is what we ask for.
        hvplot.save(plot, path, resources=INLINE, title=title)
