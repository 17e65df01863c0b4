"""How much two solutions of one point differ."""

from __future__ import annotations

import math
from collections.abc import Collection

from ensemble import Solution


def difference(one: Solution, other: Solution, absolute: Collection[str]) -> float:
    """Largest relative difference of a value, infinite if only one of the two is defined.

    Parameters
    ----------
    one, other : Solution
    absolute : collection of str
        Variables whose difference is taken as it is: sums of numbers of order one.
    """
    worst = 0.0
    for name, y in other.values.items():
        x = one.values[name]
        if x == y or (math.isnan(x) and math.isnan(y)):
            continue
        scale = 1.0 if name in absolute else max(abs(x), abs(y))
        worst = max(worst, math.inf if math.isnan(x - y) else abs(x - y) / scale)
    return worst
