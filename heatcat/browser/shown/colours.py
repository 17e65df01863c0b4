"""Colours of values: they diverge about a natural centre, else they are sequential.

The colours within RdBu and within viridis can be told apart with every common colour vision, and
those of viridis in black-and-white print, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from bokeh.palettes import RdBu11, Viridis256, interp_palette
from numpy.typing import NDArray

from ensemble import Status
from heatcat.browser.shown.scales import Scale

SEQUENTIAL = list(Viridis256)
DIVERGING = list(interp_palette(RdBu11, 512))
"""Blue below the centre, red above it."""
MISSING = "#d9d9d9"
"""Cells without a value on this scale: grey, which neither colour map contains."""
STATUS_COLOURS = ("#f0f0f0", "#0072b2", "#e69f00", "#cc79a7", "#000000")
"""Colours of ``Status``, in order, by Okabe and Ito: colour-blind people can tell them apart."""

ONE = {"constancy", "collective_gain", "same_bath_gain", "local_exponent", "exponent"}
"""Variables with the centre 1: the bound on C, no collective gain, growth in proportion to N."""
ZERO_STEMS = (
    "power",
    "power_per_pair",
    "heat_current_1",
    "heat_current_2",
    "quanta_current",
    "heat_covariance",
    "quanta_cumulant_3",
    "quanta_cumulant_4",
    "affinity",
    "affinity_times_N",
    "magnetization_1",
    "magnetization_2",
    "spin_correlation_zz",
    "spin_correlation_xy",
)
"""Variables whose sign has a meaning: engine or refrigerator, heat from a bath or into it."""


CENTRED = ("_error", "_difference")
"""Ends of the names of variables that are 0 where two quantities agree."""


def centre(variable: str) -> float | None:
    """The natural centre of a variable, None if it has none.

    >>> centre("power"), centre("constancy"), centre("quanta_noise"), centre("constancy_error")
    (0.0, 1.0, None, 0.0)
    """
    if variable in ONE or variable.endswith("_ratio"):
        return 1.0
    stem = variable.removesuffix("_per_pair")
    if variable in ZERO_STEMS or stem in ZERO_STEMS or variable.endswith(CENTRED):
        return 0.0
    return None


@dataclass(frozen=True)
class Colours:
    """Colours in order, and the drawn numbers at their ends.

    Attributes
    ----------
    palette : list of str
    limits : pair of float
    empty : bool
        Whether no value has a place on the scale: the limits then mean nothing.
    """

    palette: list[str]
    limits: tuple[float, float]
    empty: bool = False


def colours_for(
    variable: str,
    scale: Scale,
    drawn: NDArray[np.float64],
    limits: tuple[float | None, float | None] = (None, None),
) -> Colours:
    """Colours of a variable between the limits given, else between its extremes.

    With a centre, equal distances from it have equally strong colours, and the end that no value
    reaches is cut off.
    """
    if variable == "status":
        return Colours(list(STATUS_COLOURS), (-0.5, len(Status) - 0.5))
    finite = drawn[np.isfinite(drawn)]
    if not finite.size:
        return Colours(SEQUENTIAL, (0.0, 1.0), empty=True)
    given = [None if limit is None else float(scale.forward(limit)) for limit in limits]
    low = float(finite.min()) if given[0] is None or math.isnan(given[0]) else given[0]
    high = float(finite.max()) if given[1] is None or math.isnan(given[1]) else given[1]
    middle = centre(variable)
    at = math.nan if middle is None else float(scale.forward(middle))
    if math.isnan(at):
        return Colours(SEQUENTIAL, _spread(low, high))
    if given[0] is None:
        low = min(low, at)
    if given[1] is None:
        high = max(high, at)
    low, high = _spread(low, high)
    half = max(high - at, at - low)
    ends = [round((0.5 + (end - at) / (2 * half)) * len(DIVERGING)) for end in (low, high)]
    first, last = max(ends[0], 0), min(ends[1], len(DIVERGING))
    return Colours(DIVERGING[min(first, last - 1) : last], (low, high))


def _spread(low: float, high: float) -> tuple[float, float]:
    """Limits that differ from each other, also if all values are the same."""
    if high > low:
        return low, high
    pad = abs(low) * 1e-3 or 1.0
    return low - pad, high + pad
