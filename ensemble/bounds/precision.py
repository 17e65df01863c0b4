"""Lower bounds on the noise of the quanta current: classical ones, and ones for open systems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.bounds.fisher import fisher_information
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1, UP_2
from ensemble.sensitivities.rates import AFFINITY_SLOPES, RateDerivatives
from ensemble.steady.state import Stationary


@dataclass(frozen=True, eq=False)
class PrecisionBounds:
    r"""The least noise D that a current may have by several uncertainty relations.

    With g_p = ∂J/∂ln c_p the response of the current to the five rates, F their Fisher information
    (`ensemble.bounds.fisher.fisher_information`) and 𝒜 the jumps per time at both baths, each
    direction v in the space of the rates gives a bound, by the theorem of Cramér and Rao:

    .. math:: D \ge \frac{(g \cdot v)^2}{v^T F v}.

    Attributes
    ----------
    current, per_affinity : float
        J and J/a.
    responses : ndarray, shape (5,)
        g, in the order (ω₀, γ↓₁, γ↑₁, γ↓₂, γ↑₂).
    jump_rates : ndarray, shape (5,)
        Jumps per time of each kind; 0 for the drive.
    information : ndarray, shape (5, 5)
        F, per time.
    residual : float
        Worst relative residual of all solves.
    euler_error : float
        Relative violation of Σ_p g_p = J.
    """

    current: float
    per_affinity: float
    responses: FloatArray
    jump_rates: FloatArray
    information: FloatArray
    residual: float
    euler_error: float

    @property
    def activity(self) -> float:
        """𝒜, the dynamical activity: jumps of either kind at both baths, per time."""
        return float(self.jump_rates.sum())

    @property
    def coherent_activity(self) -> float:
        """Ψ = Σ F − 𝒜: what the drive adds to the information about the scale of time."""
        information = self.information
        return float(information[0, 0] + 2 * information[0, 1:].sum())

    @property
    def kur(self) -> float:
        """J²/𝒜: the kinetic uncertainty relation of classical jump processes."""
        return self._over(self.current**2, self.activity)

    @property
    def tur(self) -> float:
        """2J/a = 2J²/σ: the thermodynamic uncertainty relation of classical jump processes."""
        return 2 * self.per_affinity

    @property
    def quantum_kur(self) -> float:
        """J²/(𝒜 + Ψ): time is scaled, v = (1, 1, 1, 1, 1)."""
        return self._over(self.current**2, self.activity + self.coherent_activity)

    @property
    def coherence_kur(self) -> float:
        """(J − ∂J/∂ln ω₀)²/𝒜: the baths are scaled and the drive is not, v = (0, 1, 1, 1, 1)."""
        return self._over(float(self.responses[1:].sum()) ** 2, self.activity)

    @property
    def quantum_tur(self) -> float:
        """2(Σ_k ℓ_k g_k)²/σ with ℓ = ±J/𝒜ᵢ: each bath's forward jumps against its backward ones.

        F gives J²/𝒜₁ + J²/𝒜₂ ≤ σ/2 for this v, hence the bound with σ in its place is the weaker.
        """
        bath = self.jump_rates[[DOWN_1, DOWN_2]] + self.jump_rates[[UP_1, UP_2]]
        if not bath.min() > 0:
            return 0.0
        along = self.responses * AFFINITY_SLOPES / np.array([1.0, *bath[[0, 0, 1, 1]]])
        return 2 * self.per_affinity * float(along.sum()) ** 2

    @property
    def response(self) -> float:
        """g F⁻¹ g, the best of all directions: no bound of this family is higher."""
        # In units in which the diagonal is 1; rates that do not occur have no response either.
        scale = np.sqrt(np.diag(self.information))
        used = scale > 0
        scale = scale[used]
        matrix = self.information[np.ix_(used, used)] / np.outer(scale, scale)
        slopes = self.responses[used] / scale
        return float(slopes @ np.linalg.solve(matrix, slopes))

    @staticmethod
    def _over(square: float, rate: float) -> float:
        """A quotient, and 0 where nothing jumps."""
        return square / rate if rate > 0 else 0.0


def precision_bounds(state: Stationary) -> PrecisionBounds:
    """Bounds on the noise of a stationary state's current.

    Parameters
    ----------
    state : Stationary
        As `ensemble.sensitivities.rates.factorised` returns it.

    Raises
    ------
    Unsolvable
        If double precision does not hold the equations.

    Examples
    --------
    >>> from ensemble import Engine
    >>> from ensemble.sensitivities.rates import factorised
    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=4, delta_T=7, omega_0=2, Gamma_0=1)
    >>> bounds = precision_bounds(factorised(engine, tolerance=1e-10))
    >>> bounds.kur < bounds.response
    True
    """
    rates = RateDerivatives(state)
    current = rates.current
    jumps = rates.jump_rates
    information, residual = fisher_information(state, jumps)
    return PrecisionBounds(
        current=current.value,
        per_affinity=rates.per_affinity.value,
        responses=current.slopes,
        jump_rates=jumps,
        information=information,
        residual=max(residual, rates.residual),
        euler_error=rates.per_affinity.euler_error,
    )
