"""The model: two collective spins, two baths and a resonant drive (ħ = k_B = 1)."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field, fields, replace
from typing import Literal, get_args

from scipy import special

from ensemble.checks import as_number, is_finite, shown
from ensemble.errors import InvalidInput

Scaling = Literal["bare", "high-temperature"]
Statistics = Literal["bosonic", "fermionic"]

MOST_PAIRS = 10**9
"""Largest N: no memory holds the levels of larger spins."""
SMALLEST, LARGEST = 1e-300, 1e300
"""Sizes of a parameter of the baths that is not 0, so that rates and affinity are finite."""


@dataclass(frozen=True, kw_only=True)
class Bath:
    r"""A bath that a collective spin emits into and absorbs from.

    .. math:: \gamma_\downarrow = \Gamma_0 (n + 1), \quad \gamma_\uparrow = \Gamma_0 n, \quad
              n = 1 / (e^{E/T} - 1)

    for bosons and

    .. math:: \gamma_\downarrow = \Gamma_0 (1 - f), \quad \gamma_\uparrow = \Gamma_0 f, \quad
              f = 1 / (e^{(E-\mu)/T} + 1)

    for fermions (Eqs. 7 and 8 of the paper and the text after them), in the dissipator
    :math:`\gamma_\downarrow D[S^-] + \gamma_\uparrow D[S^+]`.

    Parameters
    ----------
    energy : float
        Level spacing E > 0.
    temperature : float
        Temperature T > 0, in the unit of ``energy``.
    Gamma_0 : float
        Spontaneous (bosons) or tunnelling (fermions) rate Γ₀ > 0, in the unit of ``energy``.
    statistics : {"bosonic", "fermionic"}
    mu : float
        Chemical potential μ, in the unit of ``energy``; 0 for bosons.

    Raises
    ------
    InvalidInput
        If a parameter is out of its range; the message names the remedy.

    Examples
    --------
    >>> bath = Bath(energy=1.0, temperature=2.0, Gamma_0=0.5)
    >>> round(bath.gamma_down - bath.gamma_up, 12)
    0.5
    >>> Bath(energy=1.0, temperature=2.0, Gamma_0=0.5, statistics="fermionic", mu=1.0).gamma_up
    0.25
    """

    energy: float
    temperature: float
    Gamma_0: float
    statistics: Statistics = "bosonic"
    mu: float = 0.0

    def __post_init__(self) -> None:
        for name in ("energy", "temperature", "Gamma_0", "mu"):
            object.__setattr__(self, name, _as_float(name, getattr(self, name)))
        for name in ("energy", "temperature", "Gamma_0"):
            _require_positive(name, getattr(self, name))
        _require_statistics(self.statistics, mu=self.mu)

    @property
    def log_ratio(self) -> float:
        """ln(γ↓/γ↑) = (E − μ)/T, the entropy that one absorbed quantum takes from the bath."""
        return (self.energy - self.mu) / self.temperature

    @property
    def gamma_down(self) -> float:
        """Emission rate γ↓; it stays finite and exact where n underflows."""
        if self.statistics == "fermionic":
            return self.Gamma_0 * float(special.expit(self.log_ratio))
        return -self.Gamma_0 / math.expm1(-self.log_ratio)

    @property
    def gamma_up(self) -> float:
        """Absorption rate γ↑ = γ↓ exp(−(E − μ)/T)."""
        if self.statistics == "fermionic":
            return self.Gamma_0 * float(special.expit(-self.log_ratio))
        return self.gamma_down * math.exp(-self.log_ratio)


@dataclass(frozen=True, kw_only=True)
class Engine:
    r"""One engine: N spin pairs, two baths, a collective drive (Eqs. 1–8).

    .. math:: \dot\rho = -i\left[\tfrac{\omega_0}{2}(S_1^+ S_2^- + S_1^- S_2^+), \rho\right]
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
        Drive ω₀ ≥ 0 and spontaneous rate Γ₀ > 0.
    scaling : {"bare", "high-temperature"}
        "high-temperature" applies Eq. 28: ω₀ → ω₀/N, Γ₀ → Γ₀/N, T → N T.
    spin_1, spin_2 : float, optional
        Collective spins S₁ and S₂, each a positive half-integer; N/2 by default.
    statistics : {"bosonic", "fermionic"}
        Of both baths.
    mu_1, mu_2 : float
        Chemical potentials of fermionic baths; they are not scaled with N.

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
    All energies and temperatures share one unit.

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
    statistics: Statistics = "bosonic"
    mu_1: float = 0.0
    mu_2: float = 0.0
    _known_affinity: float | None = field(init=False, repr=False, default=None)
    levels: tuple[int, int] = field(init=False, repr=False, compare=False)
    cold: Bath = field(init=False, repr=False, compare=False)
    hot: Bath = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the instance is frozen
        for item in fields(self):
            value = getattr(self, item.name, None)
            optional = item.name in ("spin_1", "spin_2") and value is None
            if item.init and item.name not in ("scaling", "statistics") and not optional:
                set_field(self, item.name, _as_float(item.name, value))
        self._validate()
        set_field(self, "N", int(self.N))
        spins = [self.N / 2 if spin is None else spin for spin in (self.spin_1, self.spin_2)]
        set_field(self, "levels", (round(2 * spins[0]), round(2 * spins[1])))
        rate, heating = self.Gamma_0 / self._size_factor, self._size_factor
        half = self.delta_T / 2
        for name, energy, temperature, mu in (
            ("cold", self.E_1, self.T_mean - half, self.mu_1),
            ("hot", self.E_2, self.T_mean + half, self.mu_2),
        ):
            bath = Bath(
                energy=energy,
                temperature=heating * temperature,
                Gamma_0=rate,
                statistics=self.statistics,
                mu=mu,
            )
            set_field(self, name, bath)

    def _validate(self) -> None:
        if not (self.N >= 1 and float(self.N).is_integer()):
            raise InvalidInput(
                f"N must be a whole number ≥ 1, but is {self.N:g}: use N = 1, 2, 3, …"
            )
        if self.N > MOST_PAIRS:
            raise InvalidInput(
                f"N must be at most {MOST_PAIRS}, but is {self.N:g}: use a limit N → ∞, e.g. "
                "method macroscopic"
            )
        _require_choice("scaling", self.scaling, get_args(Scaling))
        _require_statistics(self.statistics, mu_1=self.mu_1, mu_2=self.mu_2)
        for name in ("E_1", "delta_E", "T_mean", "delta_T", "Gamma_0", "mu_1", "mu_2"):
            _require_size(name, getattr(self, name))
        _require_positive("E_1", self.E_1)
        _require_positive("Gamma_0", self.Gamma_0)
        _require_not_negative("omega_0", self.omega_0, "the sign of the drive is a choice of gauge")
        _require_not_negative("delta_E", self.delta_E, "E_2 ≥ E_1: call the wider spacing 2")
        _require_not_negative("delta_T", self.delta_T, "bath 2 is the hot one")
        if not self.T_mean > self.delta_T / 2:
            raise InvalidInput(
                f"T_mean must exceed delta_T/2 = {self.delta_T / 2:g} (else T_1 ≤ 0), but is "
                f"{self.T_mean:g}: raise T_mean or lower delta_T"
            )
        for name in ("spin_1", "spin_2"):
            spin = getattr(self, name)
            if spin is not None and not (spin > 0 and (2 * spin).is_integer()):
                raise InvalidInput(
                    f"{name} must be a positive half-integer, but is {spin:g}: use 0.5, 1, 1.5, …"
                )
            if spin is not None and 2 * spin > MOST_PAIRS:
                raise InvalidInput(
                    f"{name} must be at most {MOST_PAIRS / 2:g}, but is {spin:g}: use a smaller one"
                )

    @property
    def _size_factor(self) -> int:
        """The N of Eq. 28, or 1 in the bare scaling."""
        return self.N if self.scaling == "high-temperature" else 1

    @property
    def E_2(self) -> float:
        """Level spacing of the hot ensemble, E₂ = E₁ + ΔE."""
        return self.E_1 + self.delta_E

    @property
    def drive(self) -> float:
        """The drive that enters the generator: ω₀, or ω₀/N in the high-temperature scaling."""
        return self.omega_0 / self._size_factor

    @property
    def efficiency(self) -> float:
        """Efficiency η = ΔE/E₂ = P/Q₂ of an engine (Eq. 22); NaN for a refrigerator or undriven."""
        return self.delta_E / self.E_2 if self.drive > 0 and self.affinity >= 0 else math.nan

    @property
    def cop(self) -> float:
        """Coefficient of performance E₁/ΔE = −Q₁/P of a refrigerator (Eq. 22), else NaN."""
        cooling = self.drive > 0 and self.affinity <= 0 and self.delta_E > 0
        return self.E_1 / self.delta_E if cooling else math.nan

    @property
    def affinity(self) -> float:
        """Entropy produced per quantum sent from hot to cold, a = (E₁−μ₁)/T₁ − (E₂−μ₂)/T₂.

        It is computed over the common denominator T₁T₂, so that the only terms that cancel are
        those whose difference is 0 at the Carnot point a = 0.  The temperatures are the scaled
        ones.  Near that point a is as uncertain as the rounding of the parameters: see
        `with_affinity`.
        """
        if self._known_affinity is not None:
            return self._known_affinity
        # A power of two near T̄ as the unit: exact, and the products cannot overflow.
        unit = math.ldexp(1.0, math.frexp(self.T_mean)[1] - 1)
        delta_T, delta_E, level = (
            x / unit for x in (self.delta_T, self.delta_E, self.E_1 - self.mu_1)
        )
        t_1 = (self.T_mean - self.delta_T / 2) / unit
        t_2 = (self.T_mean + self.delta_T / 2) / unit
        numerator = level * delta_T - (delta_E - (self.mu_2 - self.mu_1) / unit) * t_1
        return numerator / (t_1 * t_2 * self._size_factor)

    def with_affinity(self, affinity: float) -> Engine:
        """The same engine with an affinity that is more accurate than the rounded parameters.

        Raises
        ------
        InvalidInput
            If it differs from the parameters' affinity by more than their rounding.
        """
        affinity = _as_float("affinity", affinity)
        ratios = abs(self.cold.log_ratio) + abs(self.hot.log_ratio)
        allowed = 16 * sys.float_info.epsilon * ratios
        if not abs(affinity - self.affinity) <= allowed:
            raise InvalidInput(
                f"affinity must agree with the parameters, {self.affinity:.17g} ± {allowed:.1g}, "
                f"but is {affinity:.17g}: change delta_E or T_mean instead"
            )
        engine = replace(self)
        object.__setattr__(engine, "_known_affinity", affinity)
        return engine


def _as_float(name: str, value: object) -> float:
    number = as_number(value)
    if number is None or not is_finite(number):
        raise InvalidInput(
            f"{name} must be a finite number, but is {shown(value)}: give e.g. {name} = 1"
        )
    return float(number)


def _require_size(name: str, value: float) -> None:
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise InvalidInput(
            f"{name} is {value:g}, and sizes outside of {SMALLEST:g} … {LARGEST:g} are not "
            "computed with: choose a unit in which it is closer to 1"
        )


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InvalidInput(f"{name} must be positive, but is {value:g}: give {name} > 0")


def _require_not_negative(name: str, value: float, why: str) -> None:
    if not value >= 0:
        raise InvalidInput(f"{name} must not be negative, but is {value:g}: {why}")


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if not (isinstance(value, str) and value in choices):
        known = ", ".join(choices)
        raise InvalidInput(f"{name} must be one of {known}, but is {shown(value)}: choose one")


def _require_statistics(statistics: str, **mu: float) -> None:
    _require_choice("statistics", statistics, get_args(Statistics))
    for name, value in mu.items():
        if value != 0 and statistics == "bosonic":
            raise InvalidInput(
                f"{name} is {value:g}, but bosonic baths have no chemical potential: leave it 0 "
                "or choose fermionic statistics"
            )
