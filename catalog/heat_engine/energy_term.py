"""A term of the heat engine: its unit may be a power of the unit of energy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from catalog.names.term import Kind, Term

SIMPLE_UNIT = re.compile(r"\w+")
"""A unit to which a power can be appended; others, such as cm^-1, are put in brackets first."""


@dataclass(frozen=True)
class EnergyTerm:
    """A term whose unit may be a power of the energy (ħ = k_B = 1).

    Attributes
    ----------
    name, symbol, kind, long_name, equation, dtype, fill
        As of `catalog.names.term.Term`.
    energy_power : int or None
        The unit is this power of the sweep's unit of energy; None: see ``unit``.
    unit : str
        The unit if it is not a power of the energy; "1" if there is none.
    """

    name: str
    symbol: str
    kind: Kind
    long_name: str
    energy_power: int | None = None
    unit: str = "1"
    equation: str = ""
    dtype: str = "float64"
    fill: Any = None

    def units(self, energy_unit: str) -> str:
        """Unit string for a sweep whose energies and temperatures are in ``energy_unit``."""
        if self.energy_power is None:
            return self.unit
        if self.energy_power == 1:
            return energy_unit
        base = energy_unit if SIMPLE_UNIT.fullmatch(energy_unit) else f"({energy_unit})"
        return f"{base}^{self.energy_power}"

    def term(self, energy_unit: str) -> Term:
        """The term with its unit."""
        return Term(
            self.name,
            self.symbol,
            self.long_name,
            kind=self.kind,
            unit=self.units(energy_unit),
            equation=self.equation,
            dtype=self.dtype,
            fill=self.fill,
        )

    def attributes(self, energy_unit: str) -> dict[str, Any]:
        """Attributes of the labelled array."""
        return self.term(energy_unit).attributes()
