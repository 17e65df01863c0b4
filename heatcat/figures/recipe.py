"""What all figures share: the steps from the Datasets of the sweeps to the files of a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

import catalog
from catalog.names.described import without_derived
from ensemble import InvalidInput, Status
from heatcat.figures import page, printed
from heatcat.figures.panels import Drawing

FORMATS = ("nc", "png", "pdf", "html")
"""Files of a figure, unless others are asked for."""


def certified(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """A variable where its point is ok; NaN elsewhere."""
    return dataset[name].where(dataset.status == Status.OK)


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
        Function of the Datasets of the sweeps, by part and without derived coordinates, that
        returns the reduced Dataset.
    draw : callable
        Function of the reduced Dataset that returns what is drawn.
    letters : str
        Letters of the panels that it draws.
    """

    name: str
    sweeps: Mapping[str, str]
    reduce: Callable[[Mapping[str, xr.Dataset]], xr.Dataset]
    draw: Callable[[xr.Dataset], Drawing]
    letters: str

    def presets(self, *, quick: bool) -> dict[str, catalog.Sweep]:
        """The sweeps that the figure is computed from, by part."""
        known = catalog.presets()
        ending = "-quick" if quick else ""
        return {part: known[preset + ending] for part, preset in self.sweeps.items()}

    def require(self, panels: str) -> None:
        """Refuse letters that no panel has."""
        if unknown := set(panels) - set(self.letters):
            raise InvalidInput(
                f"{self.name} has no panel {min(unknown)!r}: choose from {self.letters[0]} to "
                f"{self.letters[-1]}"
            )

    def reduced(self, datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
        """The reduced Dataset of the sweeps, lazy if they are."""
        return self.reduce({part: without_derived(ds) for part, ds in datasets.items()})

    def make(
        self,
        datasets: Mapping[str, xr.Dataset],
        out: Path,
        *,
        width: float = printed.WIDTH,
        panels: str = "",
        formats: Sequence[str] = FORMATS,
    ) -> list[Path]:
        """Write the reduced data (NetCDF), pictures and a self-contained interactive page.

        ``width`` is that of the pictures, in inches; ``panels`` are letters, of all if it is empty.
        """
        self.require(panels)
        out.mkdir(parents=True, exist_ok=True)
        reduced = self.reduced(datasets).compute()
        drawing = self.draw(reduced)
        drawing = drawing.only(panels) if panels else drawing
        paths = [out / f"{self.name}.{ending}" for ending in formats]
        pictures = [path for path in paths if path.suffix not in (".nc", ".html")]
        figure = printed.draw(drawing, width=width) if pictures else None
        for path in paths:
            if path.suffix == ".nc":
                reduced.to_netcdf(path, engine="h5netcdf")
            elif path.suffix == ".html":
                text = page.write(drawing, title=f"heatcat {self.name}")
                path.write_text(text, encoding="utf-8")
            elif figure is not None:
                printed.save(figure, path)
        return paths
