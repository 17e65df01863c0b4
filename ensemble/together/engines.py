"""Many engines as columns of parameters, in natural units and with exact affinities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray
from ensemble.parameters.given import SPACINGS, TEMPERATURES, inverse
from ensemble.parameters.given import Pair as Row
from ensemble.together.baths import Baths, Brightened, baths, brightened
from ensemble.together.columns import DEFAULTS, KNOWN, resolved, sound
from ensemble.together.double_double import Pair, add, multiply, quotient
from ensemble.units import LARGEST_RATIO

Mask = NDArray[np.bool_]
CANCELLED = 2.0**-40
"""Affinity relative to its terms below which it is formed from rational numbers."""
WITHIN = 1e-2 * LARGEST_RATIO


@dataclass(frozen=True, eq=False, kw_only=True)
class Engines:
    """Engines that may be solved together, each attribute an array over points, shape (points,).

    Rates and energies are in the natural units of each engine (`ensemble.units`): the powers of
    two ``energy_unit`` and ``rate_unit`` are left out.

    Attributes
    ----------
    N, n_1, n_2 : ndarray of int
        Pairs, and highest excitation numbers 2S₁ and 2S₂.
    E_1, E_2, T_1, T_2 : Pair
        Before the scaling, without rounding.
    delta_E, omega_0, mu_1, mu_2, Gamma_1, Gamma_2 : ndarray
        Before the scaling.
    size : ndarray
        The N of Eq. 28, or 1.
    given : tuple of tuple of str
        The two spacings and the two temperatures that are given.
    bosonic : bool
    """

    N: NDArray[np.int64]
    n_1: NDArray[np.int64]
    n_2: NDArray[np.int64]
    E_1: Pair
    E_2: Pair
    T_1: Pair
    T_2: Pair
    delta_E: FloatArray
    omega_0: FloatArray
    mu_1: FloatArray
    mu_2: FloatArray
    Gamma_1: FloatArray
    Gamma_2: FloatArray
    size: FloatArray
    energy_unit: NDArray[np.int64]
    rate_unit: NDArray[np.int64]
    given: tuple[tuple[str, str], tuple[str, str]]
    bosonic: bool

    @classmethod
    def of(
        cls, columns: Mapping[str, FloatArray], *, scaling: str, statistics: str
    ) -> tuple[Engines, NDArray[np.int64]] | None:
        """The engines among some points that are plainly valid, and their positions.

        Parameters
        ----------
        columns : mapping of str to ndarray, shape (points,)
            Parameters as of `Engine.of`.

        Returns
        -------
        Engines, ndarray of int
            None if there is a parameter that no engine has, or too few or too many.  Points that
            are left out are to be made by `Engine.of`, which says what is wrong, if anything is.
        """
        pairs = [[name for name in forms if name in columns] for forms in (SPACINGS, TEMPERATURES)]
        required = {"N", "omega_0", "Gamma_0"}
        if not (
            columns.keys() <= {*KNOWN, *DEFAULTS}
            and all(len(pair) == 2 for pair in pairs)
            and required <= columns.keys()
            and scaling in ("bare", "high-temperature")
            and statistics in ("bosonic", "fermionic")
        ):
            return None
        with np.errstate(all="ignore"):
            plain = sound(columns, pairs, statistics)
            found = {name: values[plain] for name, values in columns.items()}
            engines = cls._natural(found, pairs, scaling, statistics)
            kept = np.flatnonzero(engines._within_range)
            return engines[kept], np.flatnonzero(plain)[kept]

    @classmethod
    def _natural(
        cls, columns: Mapping[str, FloatArray], pairs: list[list[str]], scaling: str, kind: str
    ) -> Engines:
        (E_1, E_2), (T_1, T_2) = (
            resolved([columns[name] for name in names], inverse(forms[names[0]], forms[names[1]]))
            for names, forms in zip(pairs, (SPACINGS, TEMPERATURES), strict=True)
        )
        N, zero = columns["N"], np.zeros_like(columns["N"])
        common = columns["Gamma_0"]
        energy, rate = (np.frexp(x)[1].astype(np.int64) - 1 for x in (E_1.high, common))
        delta_E = columns["delta_E"] if "delta_E" in columns else add(E_2, -E_1).high
        mu_1, mu_2 = columns.get("mu_1", zero), columns.get("mu_2", zero)

        def in_unit(x: FloatArray, unit: NDArray[np.int64]) -> FloatArray:
            return np.ldexp(x, -unit)

        (E_1, E_2, T_1, T_2) = (
            Pair(in_unit(x.high, energy), in_unit(x.low, energy)) for x in (E_1, E_2, T_1, T_2)
        )
        return cls(
            N=N.astype(np.int64),
            n_1=np.rint(2 * columns.get("spin_1", N / 2)).astype(np.int64),
            n_2=np.rint(2 * columns.get("spin_2", N / 2)).astype(np.int64),
            E_1=E_1, E_2=E_2, T_1=T_1, T_2=T_2,
            delta_E=in_unit(delta_E, energy),
            omega_0=in_unit(columns["omega_0"], rate),
            mu_1=in_unit(mu_1, energy), mu_2=in_unit(mu_2, energy),
            Gamma_1=in_unit(columns.get("Gamma_1", common), rate),
            Gamma_2=in_unit(columns.get("Gamma_2", common), rate),
            size=N if scaling == "high-temperature" else np.ones_like(N),
            energy_unit=energy, rate_unit=rate,
            given=(_two(pairs[0]), _two(pairs[1])),
            bosonic=kind == "bosonic",
        )  # fmt: skip

    @property
    def points(self) -> int:
        """Number of engines."""
        return self.N.size

    def __getitem__(self, chosen: NDArray[Any] | slice) -> Engines:
        """Some of the engines."""
        found: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Pair):
                value = Pair(value.high[chosen], value.low[chosen])
            elif isinstance(value, np.ndarray):
                value = value[chosen]
            found[item.name] = value
        return Engines(**found)

    @property
    def _within_range(self) -> Mask:
        """Whether no ratio is near the limits at which `natural_units` refuses an engine."""
        energies = (self.E_2.high, self.delta_E, self.T_1.high, self.T_2.high, self.mu_1, self.mu_2)
        kept = np.ones(self.N.shape, dtype=bool)
        for values in (*energies, self.omega_0, self.Gamma_1, self.Gamma_2):
            size = np.abs(values)
            kept &= (size == 0) | ((size > 1 / WITHIN) & (size < WITHIN))
        return kept

    @property
    def drive(self) -> FloatArray:
        """ω₀ after the scaling."""
        return self.omega_0 / self.size

    @property
    def temperatures(self) -> tuple[FloatArray, FloatArray]:
        """T₁ and T₂ after the scaling."""
        return self.size * self.T_1.high, self.size * self.T_2.high

    @cached_property
    def _heats(self) -> tuple[Pair, Pair]:
        """E₁ − μ₁ and E₂ − μ₂."""
        zero = np.zeros_like(self.mu_1)
        return add(self.E_1, Pair(-self.mu_1, zero)), add(self.E_2, Pair(-self.mu_2, zero))

    @property
    def quantum_heats(self) -> tuple[FloatArray, FloatArray]:
        """E₁ − μ₁ and E₂ − μ₂, rounded once."""
        return self._heats[0].high, self._heats[1].high

    @cached_property
    def affinity(self) -> FloatArray:
        """The affinity of the given numbers to the last digit but one, however small it is."""
        cold, hot = self._heats
        terms = multiply(cold, self.T_2), multiply(hot, self.T_1)
        difference = add(terms[0], -terms[1])
        product = multiply(self.T_1, self.T_2)
        affinity = quotient(difference, product)
        close = np.abs(difference.high) <= CANCELLED * np.abs(terms[0].high)
        for point in np.flatnonzero(close):
            affinity[point] = self._rational_affinity(int(point))
        return affinity / self.size + 0.0

    def _rational_affinity(self, point: int) -> float:
        E_1, E_2, T_1, T_2 = (
            Fraction(float(x.high[point])) + Fraction(float(x.low[point]))
            for x in (self.E_1, self.E_2, self.T_1, self.T_2)
        )
        cold, hot = E_1 - Fraction(float(self.mu_1[point])), E_2 - Fraction(float(self.mu_2[point]))
        return float((cold * T_2 - hot * T_1) / (T_1 * T_2))

    @property
    def affinity_rounding(self) -> FloatArray:
        """As of `Engine`: how far the affinity may be off because parameters are rounded."""
        T_1, T_2 = self.T_1.high, self.T_2.high
        cold, hot = self.quantum_heats
        spread = np.abs(self.mu_1 / T_1) + np.abs(self.mu_2 / T_2)
        slopes = (1 / T_1, -1 / T_2), (-cold / T_1**2, hot / T_2**2)
        values = (self.E_1.high, self.E_2.high), (T_1, T_2)
        for names, forms, slope, pair in zip(
            self.given, (SPACINGS, TEMPERATURES), slopes, values, strict=True
        ):
            rows = inverse(forms[names[0]], forms[names[1]])
            for column, name in enumerate(names):
                value = _combined(forms[name], pair)
                by = sum(s * float(row[column]) for s, row in zip(slope, rows, strict=True))
                spread = spread + np.abs(value * by)
        return np.finfo(float).eps / 2 * spread / self.size

    @cached_property
    def own_baths(self) -> tuple[Baths, Baths]:
        """The cold and the hot bath as they are, after the scaling."""
        T_1, T_2 = self.temperatures
        bosonic = np.full(self.points, self.bosonic)
        return (
            baths(self.Gamma_1 / self.size, (self.E_1.high - self.mu_1) / T_1, bosonic),
            baths(self.Gamma_2 / self.size, (self.E_2.high - self.mu_2) / T_2, bosonic),
        )

    @cached_property
    def _bright(self) -> Brightened:
        cold, hot = self.own_baths
        return brightened(cold.log_ratio, hot.log_ratio, self.affinity)

    @property
    def power_of_two(self) -> NDArray[np.int64]:
        """What ``LINEAR`` variables of the brightened engines are to be given."""
        return self._bright.power_of_two

    @cached_property
    def bright_baths(self) -> tuple[Baths, Baths]:
        """Both baths, or warmer ones where both are dark (`ensemble.closed_forms.dark`)."""
        bright = self._bright
        if not bright.power_of_two.any():
            return self.own_baths
        bosonic = np.full(self.points, self.bosonic) & (bright.power_of_two == 0)
        cold, hot = self.own_baths
        return (
            baths(cold.Gamma_0, bright.cold, bosonic),
            baths(hot.Gamma_0, bright.hot, bosonic),
        )

    @property
    def efficiency(self) -> FloatArray:
        """As of `Engine`: NaN where no work is gained from the heat of the hot bath."""
        cold, hot = self._heats
        gained = add(hot, -cold)
        direction = np.sign(self.affinity)
        gains = (gained.high * direction >= 0) & ((hot.high * direction > 0) | (direction == 0))
        defined = (self.drive > 0) & (hot.high != 0) & gains
        return np.where(defined, quotient(gained, hot), math.nan)

    @property
    def cop(self) -> FloatArray:
        """As of `Engine`: NaN but for a refrigerator."""
        cold, hot = self._heats
        gained = add(hot, -cold)
        direction = np.sign(self.affinity)
        cools = (gained.high * direction < 0) & (cold.high * direction < 0)
        defined = (self.drive > 0) & (gained.high != 0) & (cools | (direction == 0))
        return np.where(defined, quotient(cold, gained), math.nan)


def _combined(row: Row, values: tuple[FloatArray, FloatArray]) -> FloatArray:
    return np.asarray(float(row[0]) * values[0] + float(row[1]) * values[1])


def _two(names: list[str]) -> tuple[str, str]:
    first, second = names
    return first, second
