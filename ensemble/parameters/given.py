"""Level spacings and temperatures as rational numbers, from whichever of them are given.

Near the Carnot point the affinity E₁/T₁ − E₂/T₂ is a small difference of large numbers.  Every
double is a rational number, so that the difference can be formed without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ensemble.errors import InvalidInput
from ensemble.parameters.checks import (
    as_float,
    require_not_negative,
    require_positive,
    require_size,
)

Pair = tuple[Fraction, Fraction]
HALF = Fraction(1, 2)
SPACINGS: Mapping[str, Pair] = {
    "E_1": (Fraction(1), Fraction(0)),
    "delta_E": (Fraction(-1), Fraction(1)),
    "E_2": (Fraction(0), Fraction(1)),
}
"""Each level spacing as a combination of E₁ and E₂; two of them determine both."""
TEMPERATURES: Mapping[str, Pair] = {
    "T_mean": (HALF, HALF),
    "delta_T": (Fraction(-1), Fraction(1)),
    "T_1": (Fraction(1), Fraction(0)),
    "T_2": (Fraction(0), Fraction(1)),
}
"""Each temperature as a combination of T₁ and T₂; two of them determine both."""
CANONICAL = (("E_1", "delta_E"), ("T_mean", "delta_T"))


@dataclass(frozen=True)
class GivenParameters:
    """E₁, E₂, T₁ and T₂ before the scaling, without rounding.

    Attributes
    ----------
    E_1, E_2, T_1, T_2 : Fraction
    given : tuple of tuple of str
        Names of the two spacings and of the two temperatures that they follow from.
    """

    E_1: Fraction
    E_2: Fraction
    T_1: Fraction
    T_2: Fraction
    given: tuple[tuple[str, str], tuple[str, str]] = CANONICAL

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> tuple[GivenParameters, dict[str, Any]]:
        """From two spacings and two temperatures; and the parameters that are neither.

        Raises
        ------
        InvalidInput
            If there are not two of each, or one is out of its range.
        """
        spacings = _two(parameters, SPACINGS, "level spacings")
        temperatures = _two(parameters, TEMPERATURES, "temperatures")
        E_1, E_2 = _resolved(spacings, SPACINGS)
        T_1, T_2 = _resolved(temperatures, TEMPERATURES)
        _require_order("E", E_1, E_2, spacings, "call the wider spacing 2")
        _require_order("T", T_1, T_2, temperatures, "bath 2 is the hot one")
        names = _pair(spacings), _pair(temperatures)
        others = {k: v for k, v in parameters.items() if k not in {*SPACINGS, *TEMPERATURES}}
        return cls(E_1, E_2, T_1, T_2, names), others

    def rounded(self) -> dict[str, float]:
        """E₁, ΔE, T̄ and ΔT, each the double nearest to its exact value.

        Raises
        ------
        InvalidInput
            If doubles cannot tell T̄ from ΔT/2.
        """
        T_mean, delta_T = float((self.T_1 + self.T_2) / 2), float(self.T_2 - self.T_1)
        if not T_mean > delta_T / 2:
            raise InvalidInput(
                f"T_2 is {float(self.T_2 / self.T_1):.0e} times T_1, and beyond 1e15 the mean "
                "temperature does not resolve T_1: bring the temperatures closer together"
            )
        return {
            "E_1": float(self.E_1),
            "delta_E": float(self.E_2 - self.E_1),
            "T_mean": T_mean,
            "delta_T": delta_T,
        }

    def scaled(self, factor: Fraction) -> GivenParameters:
        """All four multiplied by a factor: in another unit of energy."""
        E_1, E_2, T_1, T_2 = (factor * x for x in (self.E_1, self.E_2, self.T_1, self.T_2))
        return GivenParameters(E_1, E_2, T_1, T_2, self.given)

    def affinity_spread(self, mu_1: float, mu_2: float) -> float:
        """Σ |p ∂a/∂p| over the parameters that are given, chemical potentials included."""
        spread = abs(mu_1 / float(self.T_1)) + abs(mu_2 / float(self.T_2))
        cold, hot = self.E_1 - Fraction(mu_1), self.E_2 - Fraction(mu_2)
        slopes = (
            (1 / self.T_1, -1 / self.T_2),
            (-cold / self.T_1**2, hot / self.T_2**2),
        )
        pairs = (self.E_1, self.E_2), (self.T_1, self.T_2)
        for names, forms, slope, pair in zip(
            self.given, (SPACINGS, TEMPERATURES), slopes, pairs, strict=True
        ):
            rows = inverse(forms[names[0]], forms[names[1]])
            for column, name in enumerate(names):
                value = sum(c * x for c, x in zip(forms[name], pair, strict=True))
                spread += abs(
                    float(value * sum(s * row[column] for s, row in zip(slope, rows, strict=True)))
                )
        return spread


def _two(
    parameters: Mapping[str, Any], forms: Mapping[str, Pair], what: str
) -> dict[str, Fraction]:
    """The two parameters of a kind that are given, each in its range."""
    chosen = [name for name in forms if parameters.get(name) is not None]
    if len(chosen) != 2:
        have = ", ".join(chosen) if chosen else "none of them"
        raise InvalidInput(
            f"an engine has two independent {what} of {', '.join(forms)}, but {have} "
            f"{'are' if len(chosen) > 1 else 'is'} given: give exactly two"
        )
    values = {}
    for name in chosen:
        value = as_float(name, parameters[name])
        require_size(name, value)
        if name == "delta_E":
            require_not_negative(name, value, "E_2 ≥ E_1: call the wider spacing 2")
        elif name == "delta_T":
            require_not_negative(name, value, "bath 2 is the hot one")
        else:
            require_positive(name, value)
        values[name] = Fraction(value)
    return values


def _resolved(values: Mapping[str, Fraction], forms: Mapping[str, Pair]) -> Pair:
    """Both numbers of a pair, from two combinations of them."""
    names, (x, y) = list(values), values.values()
    (a, b), (c, d) = inverse(forms[names[0]], forms[names[1]])
    return a * x + b * y, c * x + d * y


def inverse(first: Pair, second: Pair) -> tuple[Pair, Pair]:
    """The inverse of the matrix with two given rows."""
    (a, b), (c, d) = first, second
    determinant = a * d - b * c
    return (d / determinant, -b / determinant), (-c / determinant, a / determinant)


def _require_order(
    letter: str, one: Fraction, two: Fraction, values: Mapping[str, Fraction], why: str
) -> None:
    """Refuse a pair that is not 0 < one ≤ two."""
    shown = " and ".join(f"{name} = {float(value):g}" for name, value in values.items())
    if not one > 0:
        raise InvalidInput(
            f"{letter}_1 must be positive, but {shown} make it {float(one):g}: choose others"
        )
    if two < one:
        raise InvalidInput(
            f"{letter}_2 must not be smaller than {letter}_1, but {shown} make them "
            f"{float(two):g} and {float(one):g}: {why}"
        )


def _pair(values: Mapping[str, Fraction]) -> tuple[str, str]:
    first, second = values
    return first, second
