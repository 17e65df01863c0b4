"""Colours and scales: colours diverge about a natural centre, else are sequential; log scales.

The colours within RdBu and within viridis can be told apart with every common colour vision, and
those of viridis in black-and-white print, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.palettes import RdBu11, Viridis256, interp_palette
from numpy.typing import NDArray

from ensemble import Status
from heatcat.browser.labels import decade

SCALES = ("linear", "log", "symlog")
SEQUENTIAL = list(Viridis256)
DIVERGING = list(interp_palette(RdBu11, 512))
"""Blue below the centre, red above it."""
MISSING = "#d9d9d9"
"""Cells without a value on this scale: grey, which neither colour map contains."""
STATUS_COLOURS = ("#f0f0f0", "#0072b2", "#e69f00", "#cc79a7", "#000000")
"""Colours of ``Status``, in order, by Okabe and Ito: colour-blind people can tell them apart."""
SYMLOG_DECADES = 3
"""A symmetric-log scale is linear for values this many decades below the largest magnitude."""

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


def centre(variable: str) -> float | None:
    """The natural centre of a variable, None if it has none.

    >>> centre("power"), centre("constancy"), centre("quanta_noise"), centre("constancy_error")
    (0.0, 1.0, None, 0.0)
    """
    if variable in ONE:
        return 1.0
    stem = variable.removesuffix("_per_pair")
    if variable in ZERO_STEMS or stem in ZERO_STEMS or variable.endswith("_error"):
        return 0.0
    return None


@dataclass(frozen=True)
class Scale:
    """From a value to the number that is drawn, and back.

    Attributes
    ----------
    kind : {"linear", "log", "symlog"}
    threshold : float
        Magnitude below which a symmetric-log scale is linear.
    """

    kind: str = "linear"
    threshold: float = 1.0

    def forward(self, values: Any) -> NDArray[np.float64]:
        """The numbers that are drawn; NaN where a value has no place on the scale."""
        values = np.asarray(values, dtype=float)
        if self.kind == "linear":
            return values
        if self.kind == "log":
            return np.log10(np.where(values > 0, values, np.nan))
        return np.sign(values) * np.log10(1 + np.abs(values) / self.threshold)

    def text(self, drawn: float, step: float = 1.0) -> str:
        """Text of a tick at a drawn number, with enough digits to tell it from the next tick.

        >>> Scale("log").text(-3.0), Scale("log").text(0.5), Scale("symlog", 0.1).text(0.0)
        ('10⁻³', '3.16', '0')
        >>> Scale("log").text(-0.0002, step=0.0001)
        '0.99954'
        """
        if self.kind == "linear":
            return f"{drawn:g}"
        digits = max(3, math.ceil(-math.log10(step)) + 1)
        if self.kind == "log":
            whole = round(drawn)
            return decade(whole) if abs(drawn - whole) < 1e-9 else f"{10**drawn:.{digits}g}"
        value = math.copysign(self.threshold * (10 ** abs(drawn) - 1), drawn)
        return f"{value + 0.0:.{digits}g}"

    @property
    def script(self) -> str:
        """The same as ``text`` in JavaScript, for ``tick``, one of ``ticks``."""
        digits = (
            "const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;"
            "const digits = Math.max(3, Math.ceil(-Math.log10(step)) + 1);"
        )
        if self.kind == "log":
            return digits + (
                "const whole = Math.round(tick);"
                "if (Math.abs(tick - whole) > 1e-9)"
                " return Number((10 ** tick).toPrecision(digits)) + '';"
                "return '10' + (whole + '').replace(/-/g, '⁻')"
                ".replace(/[0-9]/g, d => '⁰¹²³⁴⁵⁶⁷⁸⁹'[d]);"
            )
        return digits + (
            f"const value = Math.sign(tick) * {self.threshold!r} * (10 ** Math.abs(tick) - 1);"
            "return Number(value.toPrecision(digits)) + '';"
        )


def scale_for(kind: str, values: Any) -> Scale:
    """The scale of a kind that suits these values."""
    if kind != "symlog":
        return Scale(kind)
    magnitudes = np.abs(np.asarray(values, dtype=float))
    largest = float(np.max(magnitudes[np.isfinite(magnitudes)], initial=0.0))
    if not largest > 0:
        return Scale(kind)
    return Scale(kind, 10.0 ** (math.floor(math.log10(largest)) - SYMLOG_DECADES + 1))


@dataclass(frozen=True)
class Colours:
    """Colours in order, and the drawn numbers at their ends."""

    palette: list[str]
    limits: tuple[float, float]


def colours_for(variable: str, scale: Scale, drawn: NDArray[np.float64]) -> Colours:
    """Colours of a variable.

    With a centre, equal distances from it have equally strong colours, and the end that no value
    reaches is cut off.
    """
    if variable == "status":
        return Colours(list(STATUS_COLOURS), (-0.5, len(Status) - 0.5))
    finite = drawn[np.isfinite(drawn)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    middle = centre(variable)
    if middle is None or (scale.kind == "log" and middle <= 0):
        return Colours(SEQUENTIAL, _spread(low, high))
    at = float(scale.forward(middle))
    low, high = _spread(min(low, at), max(high, at))
    half = max(high - at, at - low)
    first, last = (round((0.5 + (end - at) / (2 * half)) * len(DIVERGING)) for end in (low, high))
    return Colours(DIVERGING[first:last], (low, high))


def _spread(low: float, high: float) -> tuple[float, float]:
    """Limits that differ from each other, also if all values are the same."""
    if high > low:
        return low, high
    pad = abs(low) * 1e-3 or 1.0
    return low - pad, high + pad
