"""One spin pair (N = 1) in closed form: the reference for every collective gain."""

from __future__ import annotations

import math

from ensemble.engine import Engine
from ensemble.errors import InvalidInput


def single_pair_current(engine: Engine) -> float:
    r"""Quanta current J of one spin pair, for any drive and any rates.

    .. math:: J = \frac{\omega_0^2\, \Gamma_1 \Gamma_2\, (f_2 - f_1)}
                       {(\Gamma_1 + \Gamma_2)(\lambda\,\Gamma_1 \Gamma_2 + \omega_0^2)}, \qquad
              \lambda = \frac{\kappa}{\Gamma_1 + \Gamma_2}
              \left(1 + \frac{4\delta^2}{\kappa^2}\right), \quad
              \kappa = \Gamma_1 + \Gamma_2 + 4\Gamma_\varphi

    with fᵢ = γ↑ᵢ/(γ↓ᵢ + γ↑ᵢ) and Γᵢ the sum of γ↓ᵢ + γ↑ᵢ and the same of local baths: a single spin
    cannot tell them from collective ones.  For two spins ½ the excitations nᵢ and the coherence
    close among themselves: ṅ₁ = Γ₁(f₁ − n₁) + J, ṅ₂ = Γ₂(f₂ − n₂) − J and
    J = ω₀²(n₂ − n₁)κ/(κ² + 4δ²), δ the detuning.

    Parameters
    ----------
    engine : Engine
        An engine of two spins ½; its scaling is applied.

    Returns
    -------
    float
        Quanta per time from the hot bath to the cold one, in the unit of ``Gamma_0`` (ħ = 1).

    Raises
    ------
    InvalidInput
        If a collective spin is not ½.

    Examples
    --------
    At strong drive each spin sees both baths, and J = Γ₁Γ₂(f₂ − f₁)/(Γ₁ + Γ₂):

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=5.5, delta_T=9, omega_0=1e9, Gamma_0=1)
    >>> rates = [bath.gamma_down + bath.gamma_up for bath in (engine.cold, engine.hot)]
    >>> f_1, f_2 = engine.cold.gamma_up / rates[0], engine.hot.gamma_up / rates[1]
    >>> math.isclose(single_pair_current(engine), (f_2 - f_1) / (1 / rates[0] + 1 / rates[1]))
    True
    """
    if engine.levels != (1, 1):
        raise InvalidInput(
            f"the closed form holds for two spins 1/2, but the levels are {engine.levels}: "
            "use N = 1, or method exact"
        )
    rate_1, rate_2 = (
        rate * (1 + share)
        for rate, share in zip(collective_rates(engine), engine.local_shares, strict=True)
    )
    square = engine.drive**2
    series = rate_1 * rate_2 / (rate_1 + rate_2)
    widening = 1 + 4 * engine.dephasing / (rate_1 + rate_2)
    widening *= 1 + (2 * engine.detuning / (rate_1 + rate_2) / widening) ** 2
    return series * square / (rate_1 * rate_2 * widening + square) * bias(engine)


def single_pair_power(engine: Engine) -> float:
    """Power P = ΔE J of one spin pair (Eq. 10); P > 0 for an engine.

    Parameters
    ----------
    engine : Engine
        An engine of two spins ½; its scaling is applied.

    Returns
    -------
    float
        Energy per time, in the unit of ``E_1`` times ``Gamma_0`` (ħ = 1).

    Raises
    ------
    InvalidInput
        If a collective spin is not ½.

    Examples
    --------
    The power is 0 at the Carnot point E₁/T₁ = E₂/T₂ and negative at a wider hot spacing:

    >>> shared = dict(N=1, E_1=100, T_mean=130, delta_T=100, omega_0=1, Gamma_0=1)
    >>> single_pair_power(Engine(delta_E=125, **shared))
    0.0
    >>> single_pair_power(Engine(delta_E=150, **shared)) < 0
    True
    """
    return engine.delta_E * single_pair_current(engine)


def collective_rates(engine: Engine) -> tuple[float, float]:
    """γ↓ + γ↑ of the cold and of the hot collective bath."""
    cold, hot = engine.cold, engine.hot
    return cold.gamma_down + cold.gamma_up, hot.gamma_down + hot.gamma_up


def bias(engine: Engine) -> float:
    """f₂ − f₁ with full relative accuracy, in the affinity a; fᵢ = γ↑ᵢ/(γ↓ᵢ + γ↑ᵢ).

    It is f₂(1 − f₁)(1 − exp(−a)), and −f₁(1 − f₂)(1 − exp(a)) for a < 0: detailed balance turns one
    product of occupations into the other, so nothing cancels and no exponential grows.
    """
    cold, hot = engine.cold, engine.hot
    rate_1, rate_2 = collective_rates(engine)
    if engine.affinity >= 0:
        return -math.expm1(-engine.affinity) * (hot.gamma_up / rate_2) * (cold.gamma_down / rate_1)
    return math.expm1(engine.affinity) * (cold.gamma_up / rate_1) * (hot.gamma_down / rate_2)
