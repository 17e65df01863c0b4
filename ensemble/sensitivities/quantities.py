"""The variables that have sensitivities, as functions of J, D, 𝒜, the affinity and the energies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.sensitivities.parameters import PARAMETERS, Chain, chain
from ensemble.sensitivities.rates import Graded, RateDerivatives

NEAR_CARNOT = 1.0
"""|a| below which J is differentiated as a (J/a), which is accurate through a = 0.  Above it a
slope may be small because its rate is small; only the slopes of J itself are then relatively
accurate."""


@dataclass(frozen=True, eq=False)
class Slope:
    """A number with its derivatives along the parameters; products and quotients keep both.

    Attributes
    ----------
    value : float
    gradient : ndarray, shape (10,)
        In the order of ``PARAMETERS``.
    """

    value: float
    gradient: FloatArray

    def __mul__(self, other: Slope | float) -> Slope:
        if isinstance(other, Slope):
            gradient = self.value * other.gradient + other.value * self.gradient
            return Slope(self.value * other.value, gradient)
        return Slope(self.value * other, self.gradient * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Slope) -> Slope:
        value = self.value / other.value
        return Slope(value, (self.gradient - value * other.gradient) / other.value)


class Ingredients:
    """What variables are made of, each as a `Slope`, computed when it is first asked for.

    Parameters
    ----------
    engine : Engine
        With its own baths, whose slopes along the parameters are meant.
    rates : RateDerivatives
        Of its stationary state, or of that of its brightened form.
    """

    def __init__(self, engine: Engine, rates: RateDerivatives) -> None:
        self._engine, self._rates = engine, rates
        self._chain: Chain = chain(engine)
        self._near_carnot = abs(engine.affinity) < NEAR_CARNOT
        self.used: dict[str, Graded] = {}

    def _along(self, name: str) -> Slope:
        graded: Graded = getattr(self._rates, name)
        self.used[name] = graded
        return Slope(graded.value, self._chain.rates @ graded.slopes)

    @property
    def affinity(self) -> Slope:
        """The affinity a."""
        return Slope(self._engine.affinity, self._chain.affinity)

    @property
    def per_affinity(self) -> Slope:
        """J/a."""
        if self._near_carnot:
            return self._along("per_affinity")
        return self._along("current") / self.affinity

    @property
    def current(self) -> Slope:
        """J, near the Carnot point as a (J/a): its slope is no difference of large terms."""
        if self._near_carnot:
            return self.affinity * self.per_affinity
        return self._along("current")

    @property
    def noise(self) -> Slope:
        """D."""
        return self._along("noise")

    @property
    def activity(self) -> Slope:
        """The dynamical activity 𝒜."""
        return self._along("activity")

    @property
    def E_1(self) -> Slope:
        """The energy that a quantum carries into the cold bath."""
        return self._energy(self._engine.E_1, E_1=1.0)

    @property
    def E_2(self) -> Slope:
        """The energy that a quantum carries out of the hot bath."""
        return self._energy(self._engine.E_2, E_1=1.0, delta_E=1.0)

    @property
    def heat_1(self) -> Slope:
        """The heat that a quantum carries into the cold bath, E₁ − μ₁."""
        return self._energy(self._engine.quantum_heats[0], E_1=1.0, mu_1=-1.0)

    @property
    def heat_2(self) -> Slope:
        """The heat that a quantum carries out of the hot bath, E₂ − μ₂."""
        return self._energy(self._engine.quantum_heats[1], E_1=1.0, delta_E=1.0, mu_2=-1.0)

    @property
    def chemical_work(self) -> Slope:
        """The chemical work of one quantum, μ₁ − μ₂."""
        return self._energy(self._engine.mu_1 - self._engine.mu_2, mu_1=1.0, mu_2=-1.0)

    @property
    def delta_E(self) -> Slope:
        """The work of one quantum."""
        return self._energy(self._engine.delta_E, delta_E=1.0)

    @property
    def N(self) -> int:
        """The number of spin pairs."""
        return self._engine.N

    @staticmethod
    def _energy(value: float, **slopes: float) -> Slope:
        return Slope(value, np.array([slopes.get(name, 0.0) for name in PARAMETERS]))


QUANTITIES: Mapping[str, Callable[[Ingredients], Slope]] = {
    "quanta_current": lambda of: of.current,
    "conductance": lambda of: of.per_affinity,
    "power": lambda of: of.delta_E * of.current,
    "power_per_pair": lambda of: of.delta_E * of.current * (1 / of.N),
    "heat_current_1": lambda of: of.heat_1 * of.current * -1.0,
    "heat_current_2": lambda of: of.heat_2 * of.current,
    "energy_current_1": lambda of: of.E_1 * of.current * -1.0,
    "energy_current_2": lambda of: of.E_2 * of.current,
    "chemical_power": lambda of: of.chemical_work * of.current,
    "entropy_production": lambda of: of.affinity * of.affinity * of.per_affinity,
    "affinity": lambda of: of.affinity,
    "quanta_noise": lambda of: of.noise,
    "power_variance": lambda of: of.delta_E * of.delta_E * of.noise,
    "power_per_pair_variance": lambda of: of.delta_E * of.delta_E * of.noise * of.N**-2.0,
    "heat_current_1_variance": lambda of: of.heat_1 * of.heat_1 * of.noise,
    "heat_current_2_variance": lambda of: of.heat_2 * of.heat_2 * of.noise,
    "heat_covariance": lambda of: of.heat_1 * of.heat_2 * of.noise * -1.0,
    "constancy": lambda of: 2.0 * of.per_affinity / of.noise,
    "dynamical_activity": lambda of: of.activity,
    "kur_ratio": lambda of: of.current * of.current / (of.activity * of.noise),
}
"""By name of the variable, defined as in `ensemble.methods.exact`; the conductance is J/a."""
