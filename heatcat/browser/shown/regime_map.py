"""The regimes of the engines on the shown map, with a legend that counts them."""

from __future__ import annotations

from dataclasses import dataclass

import dask
import numpy as np
from numpy.typing import NDArray

from analyses.regimes import Regime, operating_regime
from ensemble import InvalidInput
from heatcat.browser.shown import escape
from heatcat.browser.shown.labels import where
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.plane import Axis, axis
from heatcat.browser.shown.sheet import Sheet

HIDDEN = -1
"""A point that does not meet the condition."""

COLOURS = {
    HIDDEN: "#ffffff",
    Regime.NO_VALUE: "#ffffff",
    Regime.NO_POWER: "#ffffff",
    Regime.DISSIPATES: "#ffffff",
    Regime.REFRIGERATOR: "#4f9bd1",
    Regime.ENGINE: "#fdeeb0",
    Regime.ENGINE_WITH_GAIN: "#f7b149",
    Regime.STEADY_ENGINE: "#b5470b",
    Regime.STEADY_ENGINE_WITH_GAIN: "#3b1203",
}
"""In black-and-white print the five filled ones differ in lightness, by 14 of 100 at least."""
HATCHES = {
    HIDDEN: " ",
    Regime.NO_VALUE: "/",
    Regime.NO_POWER: ".",
    Regime.DISSIPATES: "x",
}
"""The others are white and have patterns."""
PATTERNS = {
    Regime.NO_VALUE: "repeating-linear-gradient(-45deg, #555 0 1px, #fff 1px 5px)",
    Regime.NO_POWER: "radial-gradient(#555 1px, #fff 1.5px) 0 0 / 5px 5px",
    Regime.DISSIPATES: (
        "repeating-linear-gradient(45deg, #555 0 1px, transparent 1px 5px), "
        "repeating-linear-gradient(-45deg, #555 0 1px, #fff 1px 5px)"
    ),
}
"""The same patterns in CSS, for the legend."""


@dataclass(frozen=True)
class RegimeMap:
    """Regimes of a map, ready to be drawn.

    Attributes
    ----------
    x, y : Axis
    codes : ndarray of int8, shape (y, x)
        `Regime` or ``HIDDEN``.
    title, note : str
    """

    x: Axis
    y: Axis
    codes: NDArray[np.int8]
    title: str
    note: str

    def counts(self) -> dict[int, int]:
        """Number of cells of each code that occurs."""
        codes, counts = np.unique(self.codes, return_counts=True)
        return {int(code): int(count) for code, count in zip(codes, counts, strict=True)}


def load_regimes(sheet: Sheet, picture: Picture) -> RegimeMap:
    """Read the regimes on the axes of a picture.

    Raises
    ------
    InvalidInput
        If the picture is a curve, or the sweep does not hold what a regime needs.
    """
    if not picture.y:
        raise InvalidInput("this view is a curve: choose a dimension up (y) to get a map")
    missing = [dim for dim in picture.axes if dim not in sheet.dims]
    if missing:
        raise InvalidInput(f"{sheet.name} has no dimension {', '.join(missing)}: choose other axes")
    plain, at = sheet.plain, picture.elsewhere
    x, y = (axis(sheet.data[dim]) for dim in picture.axes)
    cut = {x.name: x.labels, y.name: y.labels}
    gain = None
    if "collective_gain" in plain.all_variables:
        gain = plain.select("collective_gain", at).sel(cut)
    data = plain.data.sel(at).sel(cut)
    found = operating_regime(data, gain=gain)
    met = None if sheet.met is None else sheet.met.sel(at).sel(cut)
    order = (y.name, x.name)
    codes, inside = dask.compute(
        found.transpose(*order), True if met is None else met.transpose(*order)
    )
    not_judged = found.attrs["not_judged"]
    notes = [f"not stored, so not judged: {not_judged}"] if not_judged else []
    notes += [
        f"one in {side.step} of {side.total} labels of {side.symbol} is drawn"
        for side in (x, y)
        if side.step > 1
    ]
    shown = {dim: value for dim, value in at.items() if len(sheet.labels(dim)) > 1}
    return RegimeMap(
        x,
        y,
        np.where(inside, codes, HIDDEN).astype(np.int8),
        where(sheet.data, shown),
        "; ".join(notes),
    )


def legend(regimes: RegimeMap) -> str:
    """The regimes that occur with their numbers of cells, as HTML."""
    rows = []
    for code, count in sorted(regimes.counts().items(), reverse=True):
        text = "does not meet the condition" if code == HIDDEN else Regime(code).text
        background = PATTERNS.get(code, COLOURS[code])  # type: ignore[call-overload]
        rows.append(
            f'<li data-regime="{code}"><i style="background:{background}"></i>'
            f"{escape.html(text)}: {count:,}</li>"
        )
    return f'<ul aria-label="regimes and their numbers of cells">{"".join(rows)}</ul>'
