"""Natural units: every engine is solved in the units of its own Γ₀ and E₁.

The state depends on ω₀/Γ₀ and on the ratios E/T and μ/T only.  So rates (ω₀, Γ₀ and those of local
noise) and energies (E, T, μ) may each be divided by a unit of their own, and a value such as
P = ΔE J is multiplied by both units afterwards.  The units are powers of two: nothing is rounded,
and no intermediate result overflows or underflows because of the unit that the user measures
energies in.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ensemble.engine import Engine
from ensemble.errors import Unsolvable
from ensemble.parameters.validation import NOISE, RATES
from ensemble.solution import Solution, Status

if TYPE_CHECKING:
    from ensemble.method import Method

TINY = float(np.finfo(float).tiny)
LARGEST_RATIO = 1e100
"""Largest ratio of parameters, and the inverse of the smallest.  So the squares and products that
the methods form stay within the range of a double, 1e-308 … 1e308."""

POWERS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(
        (
            "power",
            "heat_current_1",
            "heat_current_2",
            "power_per_pair",
            "heat_current_1_per_pair",
            "heat_current_2_per_pair",
            "chemical_power",
            "chemical_power_per_pair",
            "energy_current_1",
            "energy_current_2",
        ),
        (1, 1),
    ),
    **dict.fromkeys(
        (
            "quanta_current",
            "quanta_noise",
            "entropy_production",
            "quanta_cumulant_3",
            "quanta_cumulant_4",
            "gap",
            "quanta_current_per_pair",
            "quanta_noise_per_pair",
            "quanta_current_per_pair_noise",
            "entropy_production_per_pair",
            "linewidth_1",
            "linewidth_2",
            *("conductance", "dynamical_activity", "coherent_activity", "tur_bound", "kur_bound"),
            *("quantum_kur_bound", "coherence_kur_bound", "quantum_tur_bound", "response_bound"),
        ),
        (0, 1),
    ),
    **dict.fromkeys(
        (
            "power_variance",
            "power_per_pair_variance",
            "power_variance_per_pair",
            "heat_current_1_variance",
            "heat_current_2_variance",
            "heat_covariance",
        ),
        (2, 1),
    ),
    **dict.fromkeys(("weak_coupling_1", "weak_coupling_2", "rotating_wave"), (-1, 1)),
    "current_spread": (0, 2),
    "quanta_noise_times_Gamma_local": (0, 2),
    "power_variance_times_Gamma_local": (2, 2),
    "constancy_over_Gamma_local": (0, -1),
}
"""Powers of the units of energy and of rate in each variable; (0, 0) for what is not here."""

NUMERICAL = (ZeroDivisionError, OverflowError, FloatingPointError, np.linalg.LinAlgError)
"""What Python and NumPy raise where numbers leave their range or a matrix is singular."""


@dataclass(frozen=True)
class Units:
    """Units of energy and of rate, 2^energy and 2^rate.

    Examples
    --------
    >>> engine = Engine(N=1, E_1=6, delta_E=0, T_mean=1, delta_T=0, omega_0=0, Gamma_0=0.125)
    >>> natural, units = natural_units(engine)
    >>> natural.E_1, natural.T_mean, natural.Gamma_0
    (1.5, 0.25, 1.0)
    >>> units.restored("quanta_current", natural.Gamma_0), units.restored("power", 1.0)
    (0.125, 0.5)
    """

    energy: int
    rate: int

    def restored(self, name: str, value: float) -> float:
        """A value in the units of the user; infinite if it is too large for a double."""
        energy, rate = POWERS.get(name, (0, 0))
        try:
            return math.ldexp(value, energy * self.energy + rate * self.rate)
        except OverflowError:
            return math.copysign(math.inf, value)


def natural_units(engine: Engine) -> tuple[Engine, Units]:
    """The engine in its own units, 1 ≤ E₁ < 2 and 1 ≤ Γ₀ < 2, and these units.

    Raises
    ------
    Unsolvable
        If a ratio of its parameters is beyond ``LARGEST_RATIO``.
    """
    units = Units(math.frexp(engine.E_1)[1] - 1, math.frexp(engine.Gamma_0)[1] - 1)
    for name, value, reference_name, reference in (
        ("E_2", engine.E_2, "E_1", engine.E_1),
        ("delta_E", engine.delta_E, "E_1", engine.E_1),
        ("T_1", engine.cold.temperature, "E_1", engine.E_1),
        ("T_2", engine.hot.temperature, "E_1", engine.E_1),
        ("mu_1", abs(engine.mu_1), "E_1", engine.E_1),
        ("mu_2", abs(engine.mu_2), "E_1", engine.E_1),
        ("omega_0", engine.omega_0, "Gamma_0", engine.Gamma_0),
        ("Gamma_1", engine.rates[0], "Gamma_0", engine.Gamma_0),
        ("Gamma_2", engine.rates[1], "Gamma_0", engine.Gamma_0),
        *((name, getattr(engine, name), "Gamma_0", engine.Gamma_0) for name in NOISE),
        ("detuning", abs(engine.detuning), "Gamma_0", engine.Gamma_0),
    ):
        size = math.log10(value) - math.log10(reference) if value > 0 else 0.0
        if abs(size) > math.log10(LARGEST_RATIO):
            raise Unsolvable(
                f"{name}/{reference_name} is about 1e{size:.0f}, and beyond 1e±100 the equations "
                f"leave the range of double precision: bring {name} nearer to {reference_name}"
            )
    energies: dict[str, Any] = {
        name: math.ldexp(getattr(engine, name), -units.energy)
        for name in ("E_1", "delta_E", "T_mean", "delta_T", "mu_1", "mu_2")
    }
    rates: dict[str, Any] = {
        name: math.ldexp(getattr(engine, name), -units.rate)
        for name in ("omega_0", "detuning", *RATES, *NOISE)
        if getattr(engine, name) is not None
    }
    given = engine._given
    if given is not None:
        given = given.scaled(Fraction(2) ** -units.energy)
    return engine._keeping(given, engine._known_affinity, **energies, **rates), units


Solve = TypeVar("Solve", bound=Callable[..., Solution])


def in_natural_units(solve: Solve) -> Solve:
    """Give a method's ``solve`` every engine in natural units; its values are converted back.

    The names are checked and the engine is accepted first.  A value outside a double's range in the
    user's units becomes NaN, and the status "uncertified" says so.  Numerical exceptions that the
    method does not foresee become `Unsolvable`, in words.
    """

    @functools.wraps(solve)
    def wrapped(
        self: Method, engine: Engine, variables: Iterable[str] | None = None, **more: Any
    ) -> Solution:
        names = self.chosen(variables)
        self.accept(engine)
        natural, units = natural_units(engine)
        try:
            # Whatever overflows or is undefined shows in the certificates, not as a warning.
            with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
                found = solve(self, natural, names, **more)
        except NUMERICAL as failure:
            raise Unsolvable(_out_of_range(self, natural)) from failure
        except MemoryError as failure:
            raise Unsolvable(
                f"method {self.name} does not get the memory that it needs at N = {engine.N}: "
                "choose a smaller N, or a machine with more memory"
            ) from failure
        return restored(found, units)

    return wrapped  # type: ignore[return-value]


def _out_of_range(method: Method, engine: Engine) -> str:
    return (
        f"method {method.name} loses all digits at ω₀/Γ₀ = {engine.omega_0 / engine.Gamma_0:.1e}, "
        f"E₁/T₁ = {engine.cold.log_ratio:.1e}, E₂/T₂ = {engine.hot.log_ratio:.1e}: bring these "
        "nearer to 1, or use another method"
    )


def restored(solution: Solution, units: Units) -> Solution:
    """A solution in the units of the user.

    A value that no double holds there is NaN, and the status then says so.
    """
    values, lost = {}, []
    for name, value in solution.values.items():
        if math.isnan(value):  # undefined
            values[name] = value
            continue
        # In natural units, a value below the smallest normal number counts as 0.
        natural = 0.0 if abs(value) < TINY else value
        restored = units.restored(name, natural)
        too_small = abs(restored) < TINY <= abs(natural)  # digits are lost in the user's unit
        if math.isinf(restored) or too_small:
            lost.append(name)
            restored = math.nan
        values[name] = restored
    if not lost:
        return replace(solution, values=values)
    message = solution.message or (
        f"no double holds the value of {', '.join(lost)} in this unit of energy: measure "
        "energies in a unit that brings them nearer to 1, or leave these variables out"
    )
    return replace(
        solution,
        values=values,
        status=max(solution.status, Status.UNCERTIFIED),
        message=message,
    )
