"""Checks of one parameter of an engine: each refusal is one line that names the remedy."""

from __future__ import annotations

import math

from ensemble.checks import as_number, is_finite, shown
from ensemble.errors import InvalidInput

SMALLEST, LARGEST = 1e-300, 1e300
"""Least and largest size of a bath's parameter that is not 0: rates and affinity stay finite."""


def as_float(name: str, value: object) -> float:
    number = as_number(value)
    if number is None or not is_finite(number):
        raise InvalidInput(
            f"{name} must be a finite number, but is {shown(value)}: give e.g. {name} = 1"
        )
    return float(number)


def require_size(name: str, value: float) -> None:
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise InvalidInput(
            f"{name} is {value:g}, and sizes outside of {SMALLEST:g} … {LARGEST:g} are not "
            "computed with: choose a unit in which it is closer to 1"
        )


def require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InvalidInput(f"{name} must be positive, but is {value:g}: give {name} > 0")


def require_not_negative(name: str, value: float, why: str) -> None:
    if not value >= 0:
        raise InvalidInput(f"{name} must not be negative, but is {value:g}: {why}")


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if not (isinstance(value, str) and value in choices):
        known = ", ".join(choices)
        raise InvalidInput(f"{name} must be one of {known}, but is {shown(value)}: choose one")
