"""The model: two collective spins, two baths and a resonant drive (ħ = k_B = 1)."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from ensemble.errors import InvalidInput
from ensemble.parameters.bath import Bath, Statistics
from ensemble.parameters.checks import as_float
from ensemble.parameters.given import CANONICAL, SPACINGS, TEMPERATURES, GivenParameters
from ensemble.parameters.quantum import Quantum
from ensemble.parameters.validation import NOISE, Scaling, require_valid


@dataclass(frozen=True, kw_only=True)
class Engine:
    r"""One engine: N spin pairs, two baths, a collective drive (Eqs. 1–8).

    .. math:: \dot\rho = -i\left[\tfrac{\omega_0}{2}(S_1^+ S_2^- + S_1^- S_2^+)
              - \delta S_2^z, \rho\right]
              + \sum_i \left(\gamma_{\downarrow i} D[S_i^-]
              + \gamma_{\uparrow i} D[S_i^+]\right)\rho

    with E₂ = E₁ + ΔE, T₁ = T̄ − ΔT/2 (cold) and T₂ = T̄ + ΔT/2 (hot).

    Parameters
    ----------
    N : int
        Number of spin pairs, N ≥ 1.
    E_1, delta_E : float
        Level spacing of the cold ensemble, E₁ > 0, and the difference ΔE = E₂ − E₁ ≥ 0.
    T_mean, delta_T : float
        Mean temperature T̄ and difference ΔT ≥ 0; T̄ > ΔT/2.
    omega_0, Gamma_0 : float
        Drive ω₀ ≥ 0 and spontaneous rate Γ₀ > 0 of both baths.
    scaling : {"bare", "high-temperature"}
        "high-temperature" applies Eq. 28: ω₀ → ω₀/N, Γ₀ → Γ₀/N, T → N T.
    spin_1, spin_2 : float, optional
        Collective spins S₁ and S₂, each a positive half-integer; N/2 by default.
    Gamma_1, Gamma_2 : float, optional
        Spontaneous rates of the cold and of the hot bath; Γ₀ by default, and scaled like it.
    statistics : {"bosonic", "fermionic"}
        Of both baths.
    mu_1, mu_2 : float
        Chemical potentials of fermionic baths; they are not scaled with N.
    detuning : float
        Frequency of the drive minus ΔE, δ; not scaled with N.  It must be small against ΔE.
    Gamma_local : float
        Rate Γ_loc ≥ 0 at which each spin ½ has its own contact with the bath of its ensemble,
        Γ_loc(n+1) D[σ⁻] + Γ_loc n D[σ⁺] (fermions likewise), scaled as Γ₀.
    Gamma_dephasing : float
        Rate Γ_φ ≥ 0 at which the coherence of each spin ½ decays, (Γ_φ/2) D[σᶻ], scaled as Γ₀.

    Attributes
    ----------
    levels : tuple of int
        Highest excitation numbers (2 S₁, 2 S₂).
    cold, hot : Bath
        Baths 1 and 2, after the scaling.

    Raises
    ------
    InvalidInput
        If a parameter is out of its range; the message names the remedy.

    Notes
    -----
    All energies and temperatures share one unit.  `Engine.of` takes T₁, T₂ and E₂ as well.

    Examples
    --------
    >>> engine = Engine(N=8, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> engine.cold.temperature, engine.hot.temperature
    (16.0, 200.0)
    >>> round(engine.affinity, 12)
    0.0125
    """

    N: int
    E_1: float
    delta_E: float
    T_mean: float
    delta_T: float
    omega_0: float
    Gamma_0: float
    scaling: Scaling = "bare"
    spin_1: float | None = None
    spin_2: float | None = None
    Gamma_1: float | None = None
    Gamma_2: float | None = None
    statistics: Statistics = "bosonic"
    mu_1: float = 0.0
    mu_2: float = 0.0
    detuning: float = 0.0
    Gamma_local: float = 0.0
    Gamma_dephasing: float = 0.0
    _known_affinity: float | None = field(init=False, repr=False, default=None)
    _given: GivenParameters | None = field(init=False, repr=False, default=None)
    levels: tuple[int, int] = field(init=False, repr=False, compare=False)
    cold: Bath = field(init=False, repr=False, compare=False)
    hot: Bath = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the instance is frozen
        for item in fields(self):
            value = getattr(self, item.name, None)
            optional = item.default is None and value is None
            if item.init and item.name not in ("scaling", "statistics") and not optional:
                set_field(self, item.name, as_float(item.name, value))
        require_valid({item.name: getattr(self, item.name) for item in fields(self) if item.init})
        set_field(self, "N", int(self.N))
        spins = [self.N / 2 if spin is None else spin for spin in (self.spin_1, self.spin_2)]
        set_field(self, "levels", (round(2 * spins[0]), round(2 * spins[1])))
        self._set_baths()

    def _set_baths(self) -> None:
        size = self._size_factor
        rates = self.rates
        for name, energy, temperature, rate, mu in (
            ("cold", self.E_1, self.T_1, rates[0], self.mu_1),
            ("hot", self.E_2, self.T_2, rates[1], self.mu_2),
        ):
            bath = Bath(
                energy=energy,
                temperature=size * temperature,
                Gamma_0=rate / size,
                statistics=self.statistics,
                mu=mu,
            )
            object.__setattr__(self, name, bath)

    @classmethod
    def of(cls, **parameters: Any) -> Engine:
        """An engine from any parameters that determine it.

        Parameters
        ----------
        **parameters
            As of `Engine`, except that any two of ``T_mean``, ``delta_T``, ``T_1`` and ``T_2`` may
            be given, and any two of ``E_1``, ``delta_E`` and ``E_2``.  The affinity is that of the
            numbers that are given; the others are rounded from them.

        Raises
        ------
        InvalidInput
            If they are too few or too many, or out of their range.

        Examples
        --------
        >>> engine = Engine.of(N=1, E_1=1, E_2=10, T_1=2, T_2=25, omega_0=1, Gamma_0=1)
        >>> engine.delta_E, engine.T_mean, engine.delta_T
        (9.0, 13.5, 23.0)
        """
        natural = {*SPACINGS, *TEMPERATURES}.difference(*CANONICAL)
        if not natural & parameters.keys() and {*CANONICAL[0], *CANONICAL[1]} <= parameters.keys():
            return cls(**parameters)
        given, others = GivenParameters.of(parameters)
        rounded: dict[str, Any] = given.rounded()
        engine = cls(**rounded, **others)
        return engine._keeping(given, None)

    def collective(self, spin_1: float, spin_2: float) -> Engine:
        """The engine of two collective spins with the same baths and drive, without local noise."""
        changes: dict[str, Any] = {"spin_1": spin_1, "spin_2": spin_2}
        changes |= dict.fromkeys(NOISE, 0.0)
        return self._keeping(self._given, self._known_affinity, **changes)

    def _keeping(
        self, given: GivenParameters | None, affinity: float | None, **changes: Any
    ) -> Engine:
        """A copy with changed fields, which keeps the exact spacings, temperatures and affinity."""
        engine = replace(self, **changes)
        object.__setattr__(engine, "_given", given)
        object.__setattr__(engine, "_known_affinity", affinity)
        if given is not None:
            engine._set_baths()
        return engine

    @property
    def _size_factor(self) -> int:
        """The N of Eq. 28, or 1 in the bare scaling."""
        return self.N if self.scaling == "high-temperature" else 1

    @property
    def E_2(self) -> float:
        """Level spacing of the hot ensemble, E₂ = E₁ + ΔE."""
        return self.E_1 + self.delta_E if self._given is None else float(self._given.E_2)

    @property
    def T_1(self) -> float:
        """Temperature of the cold bath before the scaling, T₁ = T̄ − ΔT/2."""
        return self.T_mean - self.delta_T / 2 if self._given is None else float(self._given.T_1)

    @property
    def T_2(self) -> float:
        """Temperature of the hot bath before the scaling, T₂ = T̄ + ΔT/2."""
        return self.T_mean + self.delta_T / 2 if self._given is None else float(self._given.T_2)

    @property
    def rates(self) -> tuple[float, float]:
        """Spontaneous rates Γ₁ and Γ₂ before the scaling."""
        return (
            self.Gamma_0 if self.Gamma_1 is None else self.Gamma_1,
            self.Gamma_0 if self.Gamma_2 is None else self.Gamma_2,
        )

    @property
    def scaled_temperatures(self) -> tuple[float, float]:
        """T₁ and T₂ after the scaling."""
        return self._size_factor * self.T_1, self._size_factor * self.T_2

    @property
    def drive(self) -> float:
        """The drive that enters the generator: ω₀, or ω₀/N in the high-temperature scaling."""
        return self.omega_0 / self._size_factor

    @cached_property
    def quantum_heats(self) -> tuple[float, float]:
        """Heat E₁ − μ₁ and E₂ − μ₂ that one quantum carries out of its bath.

        A quantum of a fermionic bath is a particle: of its energy E the part μ is work.
        """
        return float(self._quantum.cold_heat), float(self._quantum.hot_heat)

    @property
    def has_local_noise(self) -> bool:
        """Whether single spins have baths of their own, or dephase."""
        return self.Gamma_local > 0 or self.Gamma_dephasing > 0

    @property
    def local_shares(self) -> tuple[float, float]:
        """Γ_loc/Γ₁ and Γ_loc/Γ₂: a local rate of a bath is this times its γ↓ or γ↑."""
        return self.Gamma_local / self.rates[0], self.Gamma_local / self.rates[1]

    @property
    def dephasing(self) -> float:
        """The dephasing rate that enters the generator: Γ_φ, or Γ_φ/N in the scaling of Eq. 28."""
        return self.Gamma_dephasing / self._size_factor

    def require_collective(self, what: str, *, detuned: bool = False) -> None:
        """Raise ``InvalidInput`` if there is local noise, which ``what`` does not treat.

        A detuned drive is refused too, unless ``detuned`` is true.
        """
        if self.detuning and not detuned:
            raise InvalidInput(
                f"{what} takes a resonant drive only, but detuning is {self.detuning:g}: set it to "
                "0, or use method exact"
            )
        if self.has_local_noise:
            raise InvalidInput(
                f"{what} takes collective baths only, but Gamma_local is {self.Gamma_local:g} and "
                f"Gamma_dephasing is {self.Gamma_dephasing:g}: set both to 0, or use method exact"
            )

    @property
    def efficiency(self) -> float:
        r"""Efficiency of an engine, NaN where no work is gained from the heat of the hot bath.

        .. math:: \eta = \frac{P + P_\mathrm{chem}}{Q_2} = 1 - \frac{E_1 - \mu_1}{E_2 - \mu_2}

        which is ΔE/E₂ without chemical potentials (Eq. 22).
        """
        return self._quantum.efficiency(self.affinity) if self.drive > 0 else math.nan

    @property
    def cop(self) -> float:
        r"""Coefficient of performance of a refrigerator, else NaN.

        .. math:: \epsilon = \frac{Q_1}{-(P + P_\mathrm{chem})}
                  = \frac{E_1 - \mu_1}{(E_2 - \mu_2) - (E_1 - \mu_1)}

        which is E₁/ΔE without chemical potentials (Eq. 22).
        """
        return self._quantum.cop(self.affinity) if self.drive > 0 else math.nan

    @cached_property
    def affinity(self) -> float:
        r"""Entropy produced per quantum sent from the hot bath to the cold one.

        .. math:: a = \frac{E_1 - \mu_1}{T_1} - \frac{E_2 - \mu_2}{T_2}

        with the scaled temperatures.  It is evaluated in rational arithmetic and rounded once: to
        the last digit it is the affinity of the given floating-point numbers, however small.
        """
        if self._known_affinity is not None:
            return self._known_affinity
        return self._quantum.affinity

    @cached_property
    def affinity_rounding(self) -> float:
        r"""How far the affinity may be off because the parameters are rounded to doubles.

        .. math:: \frac{\epsilon}{2} \sum_p \left| p \, \frac{\partial a}{\partial p} \right|, \quad
                  \epsilon = 2^{-52}

        over the spacings, temperatures and chemical potentials that are given.  `affinity` itself
        is exact for these doubles.  But a parameter that is meant as a decimal number, such as
        0.1, is not a double: the affinity of the engine that is meant differs by up to this.
        """
        spread = self._exact.affinity_spread(self.mu_1, self.mu_2)
        return sys.float_info.epsilon / 2 * spread / self._size_factor

    @cached_property
    def _exact(self) -> GivenParameters:
        """Spacings and temperatures as rational numbers."""
        if self._given is not None:
            return self._given
        mean, half = Fraction(self.T_mean), Fraction(self.delta_T) / 2
        E_1 = Fraction(self.E_1)
        return GivenParameters(E_1, E_1 + Fraction(self.delta_E), mean - half, mean + half)

    @cached_property
    def _quantum(self) -> Quantum:
        """What one quantum carries, without rounding."""
        return Quantum(
            cold_heat=self._exact.E_1 - Fraction(self.mu_1),
            hot_heat=self._exact.E_2 - Fraction(self.mu_2),
            cold_temperature=self._size_factor * self._exact.T_1,
            hot_temperature=self._size_factor * self._exact.T_2,
        )

    def with_affinity(self, affinity: float) -> Engine:
        """The same engine with an affinity that is more accurate than the rounded parameters.

        Raises
        ------
        InvalidInput
            If it differs from the parameters' affinity by more than their rounding.
        """
        affinity = as_float("affinity", affinity)
        ratios = abs(self.cold.log_ratio) + abs(self.hot.log_ratio)
        allowed = 16 * sys.float_info.epsilon * ratios
        if not abs(affinity - self.affinity) <= allowed:
            raise InvalidInput(
                f"affinity must agree with the parameters, {self.affinity:.17g} ± {allowed:.1g}, "
                f"but is {affinity:.17g}: change delta_E or T_mean instead"
            )
        return self._keeping(self._given, affinity)
