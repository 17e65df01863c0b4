"""Engines of the paper's figures, and cached solutions of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from ensemble import Bosonic, Cumulant, Engine, Exact, Macroscopic, Status
from ensemble.method import Method

Parameters = dict[str, Any]

EXACT, LIMIT, CLOSURE, BOSONIC = Exact(), Macroscopic(), Cumulant(order=3), Bosonic()

FIG_2: Parameters = {
    "E_1": 100.0,
    "delta_T": 100.0,
    "omega_0": 1.0,
    "Gamma_0": 1.0,
    "scaling": "bare",
}
FIG_3: Parameters = {
    "E_1": 1.0,
    "delta_E": 9.0,
    "omega_0": 0.006,
    "Gamma_0": 0.001,
    "scaling": "bare",
}
HOT: Parameters = {"E_1": 1.0, "Gamma_0": 0.001, "scaling": "high-temperature"}
FIG_6: Parameters = {**HOT, "delta_T": 20.0, "omega_0": 0.006}
"""Parameters of Fig. 6, and of Figs. 5 and 8."""
FIG_7: Parameters = {**HOT, "delta_E": 9.0, "T_mean": 13.5, "delta_T": 23.0}
FIG_10: Parameters = {**HOT, "omega_0": 0.006, "T_mean": 50.01, "delta_T": 99.98}
"""Parameters of Fig. 10: β₁ = 50 and β₂ = 0.01."""

SOLVED = 1e-9
"""Relative deviations below this are numerical errors: methods certify residuals to 1e-10, and the
errors of values are somewhat larger."""


@lru_cache(maxsize=4096)
def _values(method: Method, engine: Engine, names: tuple[str, ...]) -> Mapping[str, float]:
    solution = method.solve(engine, names)
    if solution.status is not Status.OK:
        raise ArithmeticError(f"{method.name} is {solution.status.label}: {solution.message}")
    return solution.values


def engine(*parts: Mapping[str, Any], **parameters: Any) -> Engine:
    """Engine of these parameters, N = 1 unless given."""
    merged: Parameters = {"N": 1}
    for part in parts:
        merged |= part
    return Engine(**{**merged, **parameters})


def solve(method: Method, engine: Engine, *names: str) -> Mapping[str, float]:
    """Values of one engine.

    Raises
    ------
    ArithmeticError
        If the status is not ok.
    """
    return _values(method, engine, names)


def conductance(method: Method, engine: Engine) -> float:
    """J/a from CD/2, which is finite at the Carnot point; over N² where Eq. 28 scales a by 1/N.

    For N → ∞ it is (J/N)/(aN), the limit of this ratio.
    """
    if method.sized:
        found = solve(method, engine, "constancy", "quanta_noise")
        scaled = engine.N**2 if engine.scaling == "high-temperature" else 1
        return found["constancy"] * found["quanta_noise"] / 2 / scaled
    found = solve(method, engine, "constancy", "quanta_current_per_pair_noise")
    return found["constancy"] * found["quanta_current_per_pair_noise"] / 2


def limit_gain(method: Method, at: Engine) -> float:
    """P_N/(N P₁) for N → ∞ in the high-temperature scaling (Fig. 6b), through the Carnot line."""
    return conductance(method, at) / conductance(EXACT, at)


def finite_gain(at: Engine, single: Engine) -> float:
    """P_N/(N P₁) at finite N, in either scaling.

    P = ΔE a G with G = J/a.  The scaling of Eq. 28 divides a by N and `conductance` G, so that
    P_N/(N P₁) is the ratio of the conductances; in the bare scaling a does not depend on N.
    """
    ratio = conductance(EXACT, at) / conductance(EXACT, single)
    return ratio if at.scaling == "high-temperature" else ratio / at.N


def table(
    rows: Mapping[str, Sequence[float]], cells: Mapping[Any, float], name: str
) -> xr.DataArray:
    """Labelled array of values that are given at each tuple of labels."""
    shape = tuple(len(labels) for labels in rows.values())
    values = np.empty(shape)
    coords = {dim: np.asarray(labels, dtype=float) for dim, labels in rows.items()}
    for index in np.ndindex(shape):
        labels = tuple(list(labels)[k] for labels, k in zip(rows.values(), index, strict=True))
        values[index] = cells[labels]
    return xr.DataArray(values, coords=coords, dims=list(rows), name=name)


def spread(values: Iterable[float]) -> tuple[float, float]:
    """Least and largest value."""
    found = list(values)
    return min(found), max(found)


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's coefficient of two series without ties.

    >>> rank_correlation([1, 2, 3, 4], [1, 4, 9, 16]), rank_correlation([1, 2, 3], [3, 2, 1])
    (1.0, -1.0)
    """
    ranks = [np.argsort(np.argsort(series)) for series in (one, other)]
    squares = int(np.sum((ranks[0] - ranks[1]) ** 2))
    return 1 - 6 * squares / (len(one) * (len(one) ** 2 - 1))
