"""What one quantum does on its way from the hot bath to the cold one: heat, work and entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Quantum:
    """Heats of one quantum and the temperatures of the baths, as rational numbers.

    Attributes
    ----------
    cold_heat, hot_heat : Fraction
        E₁ − μ₁ and E₂ − μ₂.
    cold_temperature, hot_temperature : Fraction
        After the scaling.

    Examples
    --------
    >>> quantum = Quantum(
    ...     cold_heat=Fraction(1), hot_heat=Fraction(2), cold_temperature=Fraction(1),
    ...     hot_temperature=Fraction(4))
    >>> quantum.affinity, quantum.efficiency(quantum.affinity), quantum.cop(quantum.affinity)
    (0.5, 0.5, nan)
    """

    cold_heat: Fraction
    hot_heat: Fraction
    cold_temperature: Fraction
    hot_temperature: Fraction

    @property
    def affinity(self) -> float:
        """Entropy that the quantum produces, rounded once; infinite if no double holds it."""
        exact = self.cold_heat / self.cold_temperature - self.hot_heat / self.hot_temperature
        try:
            return float(exact)
        except OverflowError:
            return math.inf if exact > 0 else -math.inf

    @property
    def work(self) -> Fraction:
        """Work of the quantum."""
        return self.hot_heat - self.cold_heat

    def efficiency(self, affinity: float) -> float:
        """Work over heat of the hot bath; NaN unless quanta gain work from that heat.

        Quanta go from hot to cold if ``affinity`` is positive, and back if it is negative.
        """
        direction = (affinity > 0) - (affinity < 0)
        gains = self.work * direction >= 0 and (self.hot_heat * direction > 0 or not direction)
        return float(self.work / self.hot_heat) if self.hot_heat and gains else math.nan

    def cop(self, affinity: float) -> float:
        """Heat of the cold bath over work; NaN unless quanta take that heat and cost work."""
        direction = (affinity > 0) - (affinity < 0)
        cools = self.work * direction < 0 and self.cold_heat * direction < 0
        if not self.work or not (cools or not direction):
            return math.nan
        return float(self.cold_heat / self.work)
