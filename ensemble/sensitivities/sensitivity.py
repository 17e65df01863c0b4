"""``sensitivity``: derivatives of variables of one engine with respect to its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ensemble.checks import shown
from ensemble.closed_forms.dark import LINEAR, brightened
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.method import AGREEMENT
from ensemble.sensitivities.parameters import PARAMETERS, parameters_of
from ensemble.sensitivities.quantities import QUANTITIES, Ingredients
from ensemble.sensitivities.rates import RateDerivatives, factorised
from ensemble.solution import Status
from ensemble.units import POWERS, natural_units

ENERGIES = frozenset({"E_1", "delta_E", "T_mean", "delta_T", "mu_1", "mu_2"})
"""Parameters that are measured in the unit of energy; the others in that of rates."""


@dataclass(frozen=True)
class Sensitivity:
    """Values and derivatives of some variables, with what certifies them.

    Attributes
    ----------
    values : mapping of str to float
        The variables themselves.
    derivatives : mapping of str to mapping of str to float
        ``derivatives[variable][parameter]`` is ∂variable/∂parameter, the other parameters fixed.
    residual : float
        Largest relative residual of the state, of the response and of the adjoint solves.
    euler_error : float
        Largest relative violation of Euler's relation, Σ_p c_p ∂x/∂c_p = x over the five rates,
        among J/a, D and 𝒜, which are of degree 1 in them.
    status : Status
    message : str
        Empty if the status is ok, else which of the two figures exceeds what is allowed.
    """

    values: Mapping[str, float]
    derivatives: Mapping[str, Mapping[str, float]]
    residual: float
    euler_error: float
    status: Status
    message: str


def sensitivity(
    engine: Engine,
    *,
    of: str | Iterable[str],
    to: str | Iterable[str] | None = None,
    tolerance: float = 1e-10,
) -> Sensitivity:
    r"""Derivatives of currents, noise and constancy with respect to parameters, method exact.

    One adjoint solve gives the derivatives of all currents with respect to all parameters, a
    response and a second adjoint solve those of the noise (``docs/theory/sensitivities.md``).
    Currents are differentiated as a · (J/a), so that no digits are lost near the Carnot point.

    Parameters
    ----------
    engine : Engine
        With a drive, ω₀ > 0.
    of : str or iterable of str
        Variables, of those in ``QUANTITIES``: currents, noise, constancy, activity.
    to : str or iterable of str, optional
        Parameters, of those in ``PARAMETERS``; by default all that the engine has: μ₁ and μ₂ count
        for fermionic baths only, Γ₁ and Γ₂ where they are given in place of Γ₀.  E₂, T₁ and T₂
        follow E₁, ΔE, T̄ and ΔT.
    tolerance : float
        Largest relative residual that still counts as certified.

    Returns
    -------
    Sensitivity
        Each derivative in the unit of the variable over that of the parameter.

    Raises
    ------
    InvalidInput
        If a name is unknown or there is no drive.
    Unsolvable
        If the sector cannot be factorised by SuperLU in double precision.

    Examples
    --------
    The power is of degree 1 in ω₀ and Γ₀ together:

    >>> engine = Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001)
    >>> found = sensitivity(engine, of=["power", "constancy"], to=["omega_0", "Gamma_0"])
    >>> slopes = found.derivatives["power"]
    >>> total = engine.omega_0 * slopes["omega_0"] + engine.Gamma_0 * slopes["Gamma_0"]
    >>> found.status.label, math.isclose(total, found.values["power"])
    ('ok', True)
    """
    names = _chosen("of", of, tuple(QUANTITIES))
    known = parameters_of(engine)
    parameters = known if to is None else _chosen("to", to, known)
    if not engine.drive > 0:
        raise InvalidInput("without a drive nothing flows: give omega_0 > 0")
    natural, units = natural_units(engine)
    brighter, power_of_two = brightened(natural)
    rates = RateDerivatives(factorised(brighter, tolerance=tolerance))
    of_engine = Ingredients(natural, rates)
    values: dict[str, float] = {}
    derivatives: dict[str, dict[str, float]] = {}
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        found = {name: QUANTITIES[name](of_engine) for name in names}
    for name, slope in found.items():
        energy, rate = POWERS.get(name, (0, 0))
        exponent = energy * units.energy + rate * units.rate
        exponent += power_of_two if name in LINEAR else 0
        values[name] = _scaled(slope.value, exponent)
        gradient = dict(zip(PARAMETERS, slope.gradient.tolist(), strict=True))
        derivatives[name] = {
            to_name: _scaled(
                gradient[to_name], exponent - (units.energy if to_name in ENERGIES else units.rate)
            )
            for to_name in parameters
        }
    euler_error = max((graded.euler_error for graded in of_engine.used.values()), default=0.0)
    status, message = Status.OK, ""
    if not rates.residual <= tolerance:
        status = Status.UNCERTIFIED
        message = f"relative residual {rates.residual:.1e} exceeds {tolerance:.1e}"
    elif not euler_error <= AGREEMENT:
        status = Status.UNCERTIFIED
        message = f"Euler's relation of the rates is violated by {euler_error:.1e} (relative)"
    return Sensitivity(values, derivatives, rates.residual, euler_error, status, message)


def _chosen(argument: str, given: str | Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Names that are given, checked."""
    names = (given,) if isinstance(given, str) else tuple(given)
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"{argument} has the unknown name {shown(name)}: choose from {', '.join(known)}"
            )
    if not names:
        raise InvalidInput(f"{argument} is empty: choose from {', '.join(known)}")
    return names


def _scaled(value: float, exponent: int) -> float:
    """A value times 2^exponent; infinite where no double holds it."""
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        raise Unsolvable(
            "a derivative is too large for a double: measure energies in a unit nearer to them"
        ) from None
