"""Scales of values: linear, logarithmic, and logarithmic on both sides of a centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatcat.browser.shown.labels import decade

SCALES = ("automatic", "linear", "log", "symlog")
ROUNDING = 1000 * np.finfo(float).eps
"""Relative spread that rounding alone may cause: a fit or a sum has some hundred roundings."""
WIDE = 1000.0
"""Positive values whose largest is this many times the smallest are drawn on a log scale."""
SMALL_SIDE = 0.2
"""Where one sign reaches less than this share of the other, a linear scale would hide it."""
MOST_DECADES, FEWEST_DECADES = 9, 2
"""Decades on one side of a symmetric-log scale."""
MOST_TICKS = 5
"""Ticks on one side of a centre, or on a logarithmic scale."""


@dataclass(frozen=True)
class Scale:
    """From a value to the number that is drawn, and back.

    Attributes
    ----------
    kind : {"linear", "log", "symlog"}
    threshold : float
        Distance from the centre below which a symmetric-log scale is linear.
    centre : float
        Where a symmetric-log scale has its middle.
    """

    kind: str = "linear"
    threshold: float = 1.0
    centre: float = 0.0

    def forward(self, values: Any) -> NDArray[np.float64]:
        """The numbers that are drawn; NaN where a value has no place on the scale."""
        values = np.asarray(values, dtype=float)
        if self.kind == "linear":
            return values
        if self.kind == "log":
            return np.log10(np.where(values > 0, values, np.nan))
        distance = values - self.centre
        return np.sign(distance) * np.log10(1 + np.abs(distance) / self.threshold)

    def back(self, drawn: float) -> float:
        """The value at a drawn number."""
        if self.kind == "linear":
            return drawn
        if self.kind == "log":
            return 10.0**drawn
        return self.centre + math.copysign(self.threshold * (10 ** abs(drawn) - 1), drawn)

    @property
    def script(self) -> str:
        """JavaScript that turns ``tick``, one of ``ticks``, into the text of its value."""
        back = {
            "linear": "tick",
            "log": "10 ** tick",
            "symlog": f"{self.centre!r} + Math.sign(tick) * {self.threshold!r}"
            " * (10 ** Math.abs(tick) - 1)",
        }[self.kind]
        return (
            "const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;"
            "const digits = Math.min(15, Math.max(3, Math.ceil(-Math.log10(step)) + 1));"
            f"return Number(({back}).toPrecision(digits)) + '';"
        )

    def ticks(self, low: float, high: float) -> list[tuple[float, str]]:
        """Places and texts of round values between two drawn numbers.

        >>> [text for _, text in Scale("log").ticks(-4, 0)]
        ['10⁻⁴', '10⁻³', '0.01', '0.1', '1']
        >>> [text for _, text in Scale("symlog", 0.1).ticks(-3, 2)]
        ['-50', '-20', '-10', '-5', '-2', '-1', '-0.5', '0', '0.5', '1', '2', '5']
        """
        first, last = self.back(low), self.back(high)
        if self.kind == "log":
            values = _round_values(first, last)
        elif self.kind == "symlog":
            above, below = last - self.centre, self.centre - first
            near = self.threshold * (5 if high - low > 3 else 1)  # texts near 0 would overlap
            found = _round_values(near, max(above, below))
            values = [
                self.centre + step for step in sorted([*(-step for step in found), 0.0, *found])
            ]
        else:
            values = _evenly(first, last)
        slack = 1e-9 * (high - low)
        shown = [v for v in values if low - slack <= float(self.forward(v)) <= high + slack]
        if len(shown) < 2:
            shown = _evenly(first, last)
        return [(float(self.forward(value)), self.text(value)) for value in shown]

    def text(self, value: float) -> str:
        """A round value in words; near a centre other than 0, as its distance from that.

        >>> Scale().text(2e-7), Scale("symlog", 1e-6, 1.0).text(1 + 1e-5)
        ('2×10⁻⁷', '1 + 10⁻⁵')
        """
        distance = float(f"{value - self.centre:.3g}")
        if self.centre and distance and abs(distance) < 1e-2 * abs(self.centre):
            sign = "+" if distance > 0 else "−"
            return f"{self.centre:g} {sign} {_plain(abs(distance))}"
        return _plain(value)


def automatic(values: NDArray[Any], centre: float | None) -> str:
    """The kind of scale that shows values best.

    Both sides of a centre are to be seen; positive values over many decades, too.
    """
    finite = values[np.isfinite(values)].astype(float)
    if not finite.size or is_flat(finite):
        return "linear"
    if centre is None:
        positive = finite.min() > 0 and finite.max() >= WIDE * finite.min()
        return "log" if positive else "linear"
    above, below = finite.max() - centre, centre - finite.min()
    least, most = sorted((above, below))
    if least > 0:
        return "symlog" if least < SMALL_SIDE * most else "linear"
    distances = np.abs(finite - centre)
    typical = np.median(distances[distances > 0]) if most > 0 else 0.0
    return "symlog" if most > WIDE * typical / 10 else "linear"


def scale_for(kind: str, values: Any, centre: float | None = None) -> Scale:
    """The scale of a kind that suits these values.

    A symmetric-log scale has its middle at the centre of the values, and both sides of it show at
    least a decade.
    """
    values = np.asarray(values, dtype=float)
    if kind == "automatic":
        kind = automatic(values, centre)
    if kind != "symlog":
        return Scale(kind)
    middle = 0.0 if centre is None else centre
    distance = (values - middle)[np.isfinite(values)]
    sides = [np.max(side, initial=0.0) for side in (distance, -distance)]
    most, least = max(sides), min(sides)
    if not most > 0:
        return Scale(kind, centre=middle)
    small = np.abs(distance[distance != 0])
    wanted = min(float(np.quantile(small, 0.1)), least / 10 if least > 0 else math.inf)
    nearest = max(most * 10.0**-MOST_DECADES, ROUNDING * abs(middle))
    threshold = float(np.clip(wanted, nearest, max(most * 10.0**-FEWEST_DECADES, nearest)))
    return Scale(kind, 10.0 ** math.floor(math.log10(threshold)), middle)


def is_flat(values: NDArray[Any], certificate: float = 0.0) -> bool:
    """Whether values differ by no more than rounding, or than their certified relative error."""
    finite = values[np.isfinite(values)].astype(float)
    if finite.size < 2:
        return bool(finite.size)
    return bool(np.ptp(finite) <= max(ROUNDING, certificate) * np.max(np.abs(finite)))


def _round_values(low: float, high: float) -> list[float]:
    """Powers of ten between two positive numbers, or 1, 2 and 5 times these if there are few."""
    if not 0 < low <= high:
        return []
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / MOST_TICKS))
    decades = [float(f"1e{k}") for k in range(last, first - 1, -step)][::-1]
    if len(decades) > 2 or high > 1e3 * low:
        return decades
    fine = [float(f"{m}e{k}") for k in range(first - 1, last + 1) for m in (1, 2, 5)]
    return [value for value in fine if low <= value <= high]


def _evenly(low: float, high: float) -> list[float]:
    """Round numbers at equal distances."""
    from matplotlib.ticker import MaxNLocator  # slow to import: only where ticks are few

    return [float(tick) for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high]


def _plain(value: float) -> str:
    """A round number, with a power of ten where it has many zeros."""
    value = float(f"{value:.12g}")
    if value == 0 or 1e-2 <= abs(value) < 1e5:
        return f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"
    mantissa, _, exponent = f"{value:.6e}".partition("e")
    shown = f"{float(mantissa):g}"
    power = decade(int(exponent))
    return power if shown == "1" else f"-{power}" if shown == "-1" else f"{shown}×{power}"
