"""A bath of an engine: its temperature, statistics and rates (ħ = k_B = 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from scipy import special

from ensemble.errors import InvalidInput
from ensemble.parameters.checks import as_float, require_choice, require_positive

Statistics = Literal["bosonic", "fermionic"]


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
            object.__setattr__(self, name, as_float(name, getattr(self, name)))
        for name in ("energy", "temperature", "Gamma_0"):
            require_positive(name, getattr(self, name))
        require_statistics(self.statistics, mu=self.mu)

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


def require_statistics(statistics: str, **mu: float) -> None:
    require_choice("statistics", statistics, get_args(Statistics))
    for name, value in mu.items():
        if value != 0 and statistics == "bosonic":
            raise InvalidInput(
                f"{name} is {value:g}, but bosonic baths have no chemical potential: leave it 0 "
                "or choose fermionic statistics"
            )
