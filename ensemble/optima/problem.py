"""What is optimised: a variable of an engine over a box of parameters, under constraints."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.checks import as_number, is_finite, shown
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.sensitivities.parameters import PARAMETERS
from ensemble.sensitivities.quantities import QUANTITIES
from ensemble.sensitivities.sensitivity import sensitivity

GAIN = "collective_gain"
OPTIMIZABLE = (*QUANTITIES, GAIN)
"""Variables that can be an objective or a constraint."""
CONSTRAINT = re.compile(r"\s*(\w+)\s*(>=|<=)\s*(\S+)\s*")


@dataclass(frozen=True)
class Constraint:
    """A variable that must not fall below, or exceed, a level.

    Attributes
    ----------
    variable : str
    sign : {1, -1}
        1 for ``>=``, −1 for ``<=``.
    level : float

    Examples
    --------
    >>> Constraint.of("gain >= 1")
    Constraint(variable='collective_gain', sign=1, level=1.0)
    """

    variable: str
    sign: int
    level: float

    @classmethod
    def of(cls, text: str) -> Constraint:
        """A constraint as it is written, such as ``constancy >= 1``; ``gain`` is collective."""
        found = CONSTRAINT.fullmatch(text)
        try:
            level = float(found[3]) if found else math.nan
        except ValueError:
            level = math.nan
        if found is None or not math.isfinite(level):
            raise InvalidInput(
                f'{shown(text)} is not a constraint: write e.g. "constancy >= 1" or "power <= 2.5"'
            )
        return cls(optimizable(found[1]), 1 if found[2] == ">=" else -1, level)

    def __str__(self) -> str:
        return f"{self.variable} {'>=' if self.sign > 0 else '<='} {self.level:g}"


def optimizable(name: str) -> str:
    """The name of a variable that has derivatives; ``gain`` is short for ``collective_gain``.

    Raises
    ------
    InvalidInput
    """
    full = GAIN if name == "gain" else name
    if full not in OPTIMIZABLE:
        raise InvalidInput(
            f"{shown(name)} cannot be optimised: choose from {', '.join(OPTIMIZABLE)}"
        )
    return full


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Variables at one point of the box.

    Attributes
    ----------
    values : mapping of str to float
    gradients : mapping of str to ndarray, shape (parameters,)
        With respect to positions in the unit box.
    residual : float
        Worst relative residual of the solves behind them.
    message : str
        Why they are not certified (`Sensitivity.message`); empty if they are.
    """

    values: Mapping[str, float]
    gradients: Mapping[str, FloatArray]
    residual: float
    message: str


class Problem:
    """A variable of an engine over a box of parameters, under constraints.

    Parameters
    ----------
    engine : Engine
        All parameters that are not varied.
    objective : str
    over : mapping of str to pair of float
        Lowest and highest value of each parameter that is varied.
    constraints : iterable of Constraint or str
    geometric : iterable of str
        Parameters that are measured by ratios.
    tolerance : float
        Largest relative residual that counts as certified.

    Raises
    ------
    InvalidInput
        If a name is unknown, a range is empty, or a corner of the box is no engine or has no
        drive.
    """

    def __init__(
        self,
        engine: Engine,
        objective: str,
        over: Mapping[str, tuple[float, float]],
        *,
        constraints: Iterable[Constraint | str] = (),
        geometric: Iterable[str] = (),
        tolerance: float = 1e-10,
    ) -> None:
        self.engine, self.tolerance = engine, tolerance
        self.objective = optimizable(objective)
        self.constraints = tuple(
            item if isinstance(item, Constraint) else Constraint.of(item) for item in constraints
        )
        self.names = tuple(over)
        self.box = np.array([_range(name, limits) for name, limits in over.items()])
        if not self.names:
            raise InvalidInput("nothing is varied: give at least one parameter and its range")
        by_ratio = set(geometric)
        for name in by_ratio - set(self.names):
            raise InvalidInput(f"{shown(name)} is not varied: choose from {', '.join(self.names)}")
        self.geometric = np.array([name in by_ratio for name in self.names])
        for name, (low, _), ratio in zip(self.names, self.box, self.geometric, strict=True):
            if ratio and not low > 0:
                raise InvalidInput(f"a ratio needs {name} > 0, but its range begins at {low:g}")
        self.variables = tuple(
            dict.fromkeys((self.objective, *(item.variable for item in self.constraints)))
        )
        for corner in itertools.product((0.0, 1.0), repeat=len(self.names)):
            if not self.at(np.array(corner)).drive > 0:  # `at` refuses what is no engine
                raise InvalidInput("without a drive nothing flows: keep omega_0 above 0")

    def parameters(self, position: FloatArray) -> dict[str, float]:
        """Parameters at a position in the unit box."""
        low, high = self.box.T
        inside = np.clip(position, 0.0, 1.0)
        linear = low + inside * (high - low)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_ratio = low * (high / low) ** inside
        values = np.clip(np.where(self.geometric, by_ratio, linear), low, high)
        return dict(zip(self.names, values.tolist(), strict=True))

    def at(self, position: FloatArray) -> Engine:
        """The engine at a position in the unit box."""
        moved: dict[str, Any] = {**self.parameters(position)}
        return replace(self.engine, **moved)

    def evaluate(self, position: FloatArray) -> Evaluated:
        """Variables and their gradients at a position.

        Raises
        ------
        Unsolvable
            If there is an engine that double precision cannot solve.
        """
        engine = self.at(position)
        low, high = self.box.T
        values = np.array(list(self.parameters(position).values()))
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.where(self.geometric, values * np.log(high / low), high - low)
        of = [name for name in self.variables if name != GAIN]
        if GAIN in self.variables:
            of.append("conductance")
        found = sensitivity(engine, of=dict.fromkeys(of), to=self.names, tolerance=self.tolerance)
        result = dict(found.values)
        gradients = {
            name: np.array([slopes[to] for to in self.names]) * steps
            for name, slopes in found.derivatives.items()
        }
        residual, message = found.residual, found.message
        if GAIN in self.variables:
            single = sensitivity(
                replace(engine, N=1, spin_1=None, spin_2=None),
                of="conductance",
                to=self.names,
                tolerance=self.tolerance,
            )
            residual, message = max(residual, single.residual), message or single.message
            # P = ΔE a (J/a) with a ∝ 1/N in the high-temperature scaling: no 0/0 at a = 0.
            powers = 2 if engine.scaling == "high-temperature" else 1
            one, many = single.values["conductance"], result["conductance"]
            gain = many / (one * engine.N**powers)
            slope = np.array([single.derivatives["conductance"][to] for to in self.names]) * steps
            result[GAIN] = gain
            gradients[GAIN] = gain * (gradients["conductance"] / many - slope / one)
        return Evaluated(
            {name: result[name] for name in self.variables},
            {name: gradients[name] for name in self.variables},
            residual,
            message,
        )


def _range(name: str, limits: tuple[float, float]) -> tuple[float, float]:
    if name not in PARAMETERS:
        raise InvalidInput(f"{shown(name)} cannot be varied: choose from {', '.join(PARAMETERS)}")
    numbers = [as_number(limit) for limit in limits]
    if len(numbers) != 2 or any(n is None or not is_finite(n) for n in numbers):
        raise InvalidInput(f"the range of {name} must be two numbers, but is {shown(limits)}")
    low, high = (float(n) for n in numbers if n is not None)
    if not low < high:
        raise InvalidInput(f"the range of {name} is empty, {low:g} to {high:g}: exchange them")
    return low, high
