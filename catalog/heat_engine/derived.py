"""What follows from an engine's parameters alone: T₁, T₂, E₂, η_C and the affinity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from catalog.heat_engine.terms import NAMES
from catalog.names.term import Derived
from ensemble import InvalidInput
from ensemble.parameters.given import SPACINGS, TEMPERATURES, inverse

CARNOT_EFFICIENCY = Derived("carnot_efficiency", "η_C", "Carnot efficiency", equation="1 − T₁/T₂")
AFFINITY = replace(NAMES["affinity"], kind="derived")


def missing_parameters(given: Collection[str]) -> list[str]:
    """Level spacings and temperatures that are still needed, in place of which others may be given.

    Raises
    ------
    InvalidInput
        If more than two of either kind are given, or one of those that are seldom given alone.
    """
    needed = []
    for forms, usual, what in (
        (SPACINGS, ("E_1", "delta_E"), "level spacings"),
        (TEMPERATURES, ("T_mean", "delta_T"), "temperatures"),
    ):
        chosen = [name for name in forms if name in given]
        if len(chosen) > 2:
            raise InvalidInput(
                f"two {what} determine the others, but {', '.join(chosen)} are given: leave out "
                f"{len(chosen) - 2} of them"
            )
        if len(chosen) == 1 and chosen[0] not in usual:
            others = [name for name in forms if name not in chosen]
            raise InvalidInput(
                f"{chosen[0]} alone does not determine the {what}: give one of "
                f"{', '.join(others)} under axes or under fixed"
            )
        if len(chosen) < 2:
            needed += [name for name in usual if name not in given]
    return needed


def completed(points: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """All level spacings and temperatures of many points, from those that are given.

    Parameters
    ----------
    points : mapping of str to ndarray
        Two spacings and two temperatures at least; arrays that broadcast to one shape.

    Returns
    -------
    dict of str to ndarray
        E_1, delta_E, E_2, T_mean, delta_T, T_1 and T_2, before the scaling; those that are given
        as they are.
    """
    found: dict[str, NDArray] = {}
    for forms in (SPACINGS, TEMPERATURES):
        first, second = [name for name in forms if name in points][:2]
        given = [np.asarray(points[name], dtype=float) for name in (first, second)]
        pair = [_combined(row, given) for row in inverse(forms[first], forms[second])]
        found |= {name: _combined(row, pair) for name, row in forms.items() if name not in points}
        found |= {first: given[0], second: given[1]}
    return found


def _combined(row: Sequence[Fraction], values: Sequence[NDArray]) -> NDArray:
    """The combination Σ row · values, of the shape of those that take part."""
    return reduce(np.add, [float(c) * x for c, x in zip(row, values, strict=True) if c])


def derived(points: Mapping[str, NDArray], *, scaled: bool) -> dict[str, NDArray]:
    """Spacings and temperatures that are not given, the Carnot efficiency and the affinity.

    Each has the shape of the parameters that it depends on.  The affinity is rounded as any
    difference of doubles; the variable of that name, which methods define, is not.
    """
    every = completed(points)
    found = {name: values for name, values in every.items() if name not in points}
    found[CARNOT_EFFICIENCY.name] = every["delta_T"] / every["T_2"]
    size = np.asarray(points.get("N", 1), dtype=float) if scaled else 1.0
    mu_1, mu_2 = (np.asarray(points.get(name, 0.0), dtype=float) for name in ("mu_1", "mu_2"))
    cold, hot = (every["E_1"] - mu_1) / every["T_1"], (every["E_2"] - mu_2) / every["T_2"]
    found[AFFINITY.name] = (cold - hot) / size
    return found
