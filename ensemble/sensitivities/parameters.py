"""The chain rule: how the five rates and the affinity depend on the parameters of an engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.parameters.bath import Bath

PARAMETERS = (
    *("E_1", "delta_E", "T_mean", "delta_T", "omega_0"),
    *("Gamma_0", "Gamma_1", "Gamma_2", "mu_1", "mu_2"),
)
"""Parameters that derivatives are taken with respect to, each with the others held fixed."""


def parameters_of(engine: Engine) -> tuple[str, ...]:
    """Those of ``PARAMETERS`` that an engine has: μ's if fermionic, Γ₁ and Γ₂ if they are given."""
    lacking = {name for name in ("Gamma_1", "Gamma_2") if getattr(engine, name) is None}
    if engine.statistics == "bosonic":
        lacking |= {"mu_1", "mu_2"}
    return tuple(name for name in PARAMETERS if name not in lacking)


@dataclass(frozen=True, eq=False)
class Chain:
    """Slopes along the parameters, in the order of ``PARAMETERS``.

    Attributes
    ----------
    rates : ndarray, shape (10, 5)
        ∂ln c_p/∂θ of the five rates (see `ensemble.sensitivities.rates`).
    affinity : ndarray, shape (10,)
        ∂a/∂θ.
    """

    rates: FloatArray
    affinity: FloatArray


def chain(engine: Engine) -> Chain:
    r"""Slopes of the rates and of the affinity along the parameters of an engine.

    With ℓ = (E − μ)/T of a bath,

    .. math:: \frac{\partial \ln\gamma_\downarrow}{\partial \ell} = \mp
              \frac{\gamma_\uparrow}{\Gamma_0}, \qquad
              \frac{\partial \ln\gamma_\uparrow}{\partial \ell} = -
              \frac{\gamma_\downarrow}{\Gamma_0}

    (upper sign: bosons), and a = ℓ₁ − ℓ₂.

    Examples
    --------
    At the Carnot line the affinity falls with the hot spacing, by 1/T₂, and not with Γ₀:

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=3, delta_T=2, omega_0=1, Gamma_0=1)
    >>> slopes = dict(zip(PARAMETERS, chain(engine).affinity.tolist(), strict=True))
    >>> slopes["delta_E"], slopes["Gamma_0"]
    (-0.25, 0.0)
    """
    size = engine.N if engine.scaling == "high-temperature" else 1
    # Along each parameter: E, T (before Eq. 28) and μ of the cold bath, then of the hot one.
    cold = {"E_1": (1, 0, 0), "T_mean": (0, 1, 0), "delta_T": (0, -0.5, 0), "mu_1": (0, 0, 1)}
    hot = {
        "E_1": (1, 0, 0),
        "delta_E": (1, 0, 0),
        "T_mean": (0, 1, 0),
        "delta_T": (0, 0.5, 0),
        "mu_2": (0, 0, 1),
    }
    ratios = np.array(
        [
            [_ratio_slope(bath, size, *moves.get(name, (0, 0, 0))) for name in PARAMETERS]
            for bath, moves in ((engine.cold, cold), (engine.hot, hot))
        ]
    )
    rates = np.zeros((len(PARAMETERS), 5))
    for i, bath in enumerate((engine.cold, engine.hot)):
        sign = -1.0 if bath.statistics == "bosonic" else 1.0
        rates[:, 1 + 2 * i] = sign * bath.gamma_up / bath.Gamma_0 * ratios[i]
        rates[:, 2 + 2 * i] = -bath.gamma_down / bath.Gamma_0 * ratios[i]
    rates[PARAMETERS.index("omega_0"), 0] = 1 / engine.omega_0
    for own, of_bath in (("Gamma_1", slice(1, 3)), ("Gamma_2", slice(3, 5))):
        name = "Gamma_0" if getattr(engine, own) is None else own  # Γ₀ counts where none is given
        rates[PARAMETERS.index(name), of_bath] = 1 / getattr(engine, name)
    return Chain(rates=rates, affinity=ratios[0] - ratios[1])


def _ratio_slope(bath: Bath, size: int, energy: float, temperature: float, mu: float) -> float:
    """Change of ℓ = (E − μ)/T by a change of E, T/size and μ."""
    return (energy - mu - bath.log_ratio * size * temperature) / bath.temperature
