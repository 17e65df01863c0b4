"""Spins that local noise mixes, at a drive that hardly changes their state: current and noise."""

from __future__ import annotations

from ensemble.closed_forms.single_pair import bias, collective_rates
from ensemble.engine import Engine
from ensemble.errors import InvalidInput


def mixed_spins_current(engine: Engine) -> float:
    r"""Quanta current J of independent thermal spins that only a weak collective drive connects.

    .. math:: J = \frac{\omega_0^2\, n_1 n_2\, (f_2 - f_1)}{2\kappa}, \qquad
              \kappa = \tfrac12(\Gamma_1 + \Gamma_2) + 2\Gamma_\varphi

    with nᵢ spins ½ in ensemble i, fᵢ = γ↑ᵢ/(γ↓ᵢ + γ↑ᵢ) and Γᵢ the sum of γ↓ᵢ + γ↑ᵢ and the same of
    local baths.  It is the leading term for N → ∞ in the high-temperature scaling (Eq. 28) with
    local noise, where J/N falls as 1/N²; for strong local noise, Γ_loc or Γ_φ ≫ ω₀ and NΓ₀; and for
    ω₀ → 0 at N = 1.  docs/theory/local-noise.md derives it.

    Parameters
    ----------
    engine : Engine
        With or without local noise; resonant drive.  Its scaling is applied.

    Returns
    -------
    float
        Quanta per time from the hot bath to the cold one, in the unit of ``Gamma_0`` (ħ = 1).

    Raises
    ------
    InvalidInput
        If the drive is detuned.

    Examples
    --------
    >>> point = dict(E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001)
    >>> engine = Engine(N=100, Gamma_local=0.001, scaling="high-temperature", **point)
    >>> f"{100 * engine.delta_E * mixed_spins_current(engine):.4e}"  # N²P/N at N = 100
    '4.5000e-04'
    """
    return _hopping(engine) * bias(engine)


def mixed_spins_noise(engine: Engine) -> float:
    r"""Noise D of the quanta current of `mixed_spins_current`: hops of both directions add up.

    .. math:: D = \frac{\omega_0^2\, n_1 n_2}{2\kappa}\,[f_2 (1 - f_1) + f_1 (1 - f_2)]

    So C = 2J/(aD) = tanh(a/2)/(a/2), which tends to 1 in the high-temperature scaling, where a
    falls as 1/N.

    Parameters
    ----------
    engine : Engine
        As for `mixed_spins_current`.

    Returns
    -------
    float
        In the unit of ``Gamma_0``.

    Raises
    ------
    InvalidInput
        If the drive is detuned.
    """
    rate_1, rate_2 = collective_rates(engine)
    f_1, f_2 = engine.cold.gamma_up / rate_1, engine.hot.gamma_up / rate_2
    empty_1, empty_2 = engine.cold.gamma_down / rate_1, engine.hot.gamma_down / rate_2
    return _hopping(engine) * (f_2 * empty_1 + f_1 * empty_2)


def _hopping(engine: Engine) -> float:
    """ω₀² n₁ n₂/(2κ)."""
    if engine.detuning:
        raise InvalidInput(
            f"the closed form takes a resonant drive only, but detuning is {engine.detuning:g}: "
            "set it to 0, or use method exact"
        )
    both = zip(collective_rates(engine), engine.local_shares, strict=True)
    kappa = sum(rate * (1 + share) for rate, share in both) / 2 + 2 * engine.dephasing
    n_1, n_2 = engine.levels
    return engine.drive**2 * n_1 * n_2 / (2 * kappa)
