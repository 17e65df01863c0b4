"""Random engines as columns, of every kind that is solved together, and the same one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ensemble import Engine, Exact, Solution
from ensemble.arrays import FloatArray
from ensemble.method import attempt

VARIABLES = tuple(name for name in Exact.variables if name not in Exact.on_request)
KINDS = ("plain", "fermions", "spins", "carnot", "near carnot", "dark", "cold", "no drive")
SCALINGS = ("bare", "high-temperature")


class Sample(NamedTuple):
    """Engines as columns of parameters."""

    columns: dict[str, FloatArray]
    scaling: str
    statistics: str

    @property
    def points(self) -> int:
        return self.columns["N"].size

    def engine(self, point: int) -> Engine:
        parameters = {name: float(values[point]) for name, values in self.columns.items()}
        return Engine.of(**parameters, scaling=self.scaling, statistics=self.statistics)

    def part(self, chosen: FloatArray | slice | list[int]) -> Sample:
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return self._replace(columns=columns)

    def together(self, names=VARIABLES, **options) -> list[Solution | None]:
        method = Exact(**options)
        return method.solve_together(
            self.columns, names, scaling=self.scaling, statistics=self.statistics
        )

    def alone(self, point: int, names=VARIABLES) -> Solution:
        return attempt(Exact(), self.engine(point), names)


def sample(kind: str, scaling: str, *, points: int = 40, seed: int = 0, most: int = 5) -> Sample:
    """Engines, fridges and accelerators over several decades of every parameter."""
    rng = np.random.default_rng([seed, KINDS.index(kind), SCALINGS.index(scaling)])

    def decades(low: float, high: float) -> FloatArray:
        return 10 ** rng.uniform(low, high, points)

    E_1, rate, ratio = decades(-2, 2), decades(-3, 1), decades(0.01, 1)
    T_1 = E_1 * decades(-0.7, 1.3)
    found = {
        "N": rng.integers(1, most + 1, points).astype(float),
        "E_1": E_1,
        "delta_E": E_1 * decades(-1, 1),
        "T_1": T_1,
        "T_2": T_1 * ratio,
        "Gamma_0": rate,
        "omega_0": rate * decades(-2, 2),
    }
    statistics = "bosonic"
    if kind == "fermions":
        statistics = "fermionic"
        found |= {"mu_1": E_1 * rng.uniform(-2, 2.5, points)}
        found |= {"mu_2": E_1 * rng.uniform(-2, 4, points)}
    elif kind == "spins":
        found |= {f"spin_{i}": rng.integers(1, most + 1, points) / 2 for i in (1, 2)}
        found |= {f"Gamma_{i}": rate * decades(-1, 1) for i in (1, 2)}
    elif kind == "carnot":  # E₂/E₁ = T₂/T₁ a binary fraction
        stretched = rng.integers(5, 40, points) / 4
        E_1 = np.round(E_1 * 2**20) / 2**20
        T_1 = np.round(T_1 * 2**20) / 2**20
        found |= {"E_1": E_1, "T_1": T_1, "T_2": T_1 * stretched, "E_2": E_1 * stretched}
        del found["delta_E"]
    elif kind == "near carnot":
        off = decades(-14, -2) * rng.choice([-1, 1], points)
        found["E_2"] = np.maximum(E_1, E_1 * ratio * (1 + off))
        del found["delta_E"]
    elif kind == "dark":
        found["T_1"] = E_1 / decades(2.4, 3.2)
        found["T_2"] = found["T_1"] * rng.uniform(1, 2, points)
        found["delta_E"] = E_1 * decades(-2, 0)
    elif kind == "cold":
        found["T_1"] = E_1 / decades(0.5, 2.4)
        found["T_2"] = found["T_1"] * rng.uniform(1, 3, points)
    elif kind == "no drive":
        found["omega_0"] = 0 * rate
    return Sample(found, scaling, statistics)


def distance(one: float, other: float) -> float:
    """Relative difference of two values, 0 if both are undefined and infinite if one is."""
    if one == other or (np.isnan(one) and np.isnan(other)):
        return 0.0
    found = abs(one - other) / max(abs(one), abs(other))
    return float("inf") if np.isnan(found) else found
