"""Columns of parameters, a value for each of many engines, and which engines are clearly valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.parameters.checks import LARGEST, SMALLEST
from ensemble.parameters.given import SPACINGS, TEMPERATURES, inverse
from ensemble.parameters.given import Pair as Row
from ensemble.parameters.validation import RATES
from ensemble.together.double_double import Pair, two_sum

KNOWN = (
    *SPACINGS,
    *TEMPERATURES,
    *("N", "omega_0", *RATES, "spin_1", "spin_2", "mu_1", "mu_2"),
)
"""Parameters that this solver takes."""
DEFAULTS: Mapping[str, Any] = {item.name: item.default for item in fields(Engine) if item.init}
"""Other parameters may be given only with their default values."""


def sound(
    columns: Mapping[str, FloatArray], pairs: list[list[str]], statistics: str
) -> NDArray[np.bool_]:
    """Where every parameter is clearly in its range; `Engine.of` decides about the others."""
    found = np.ones(columns["N"].shape, dtype=bool)
    for name, values in columns.items():
        if name not in KNOWN:
            found &= values == DEFAULTS[name]
            continue
        size = np.abs(values)
        found &= np.isfinite(values) & ((size == 0) | ((size >= SMALLEST) & (size <= LARGEST)))
        if name in ("delta_E", "delta_T", "omega_0"):
            found &= values >= 0
        elif name in ("mu_1", "mu_2"):
            found &= (values == 0) | (statistics == "fermionic")
        else:
            found &= values > 0
        if name in ("N", "spin_1", "spin_2"):
            doubled = values if name == "N" else 2 * values
            found &= (doubled == np.floor(doubled)) & (doubled <= 1e9)
    for names, forms in zip(pairs, (SPACINGS, TEMPERATURES), strict=True):
        rows = inverse(forms[names[0]], forms[names[1]])
        one, two = resolved([columns[name] for name in names], rows)
        found &= (one.high > 1e-14 * two.high) & (two.high >= one.high)
    return found


def resolved(given: list[FloatArray], rows: tuple[Row, Row]) -> tuple[Pair, Pair]:
    """Two numbers without rounding: every coefficient is a power of two, or 0."""
    first, second = (two_sum(float(row[0]) * given[0], float(row[1]) * given[1]) for row in rows)
    return first, second
