"""Full counting statistics: cumulants of the exchanged quanta, to any order."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.counting.paired_cumulants import paired_cumulants
from ensemble.counting.tilting import BathName, Derivatives, at_bath, at_drive, respond
from ensemble.errors import InvalidInput
from ensemble.steady.state import Stationary

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Cumulants:
    r"""Cumulants per time of the number of quanta sent from hot to cold.

    .. math:: \langle\langle n^k \rangle\rangle \to c_k t, \qquad
              c_k = \left.\frac{d^k \lambda}{d\chi^k}\right|_{\chi = 0}

    at long times t, λ(χ) the scaled cumulant generating function; c₁ = J and c₂ = D.

    Attributes
    ----------
    rates : ndarray, shape (order,)
        c₁, c₂, …, each in the unit of Γ₀.
    odd_per_affinity : ndarray, shape ((order + 1) // 2,)
        c₁/a, c₃/a, …; at a = 0 their limits if they could be computed without cancellation (see
        `cumulants`), else NaN, except for c₁/a.
    rounding : ndarray, shape (order,)
        Estimated absolute rounding error of each rate: eps times the sum of the magnitudes of all
        terms that add up to it.  It does not contain the conditioning of the solves: errors up to
        100 times larger have been seen.
    residual : float
        Worst relative residual of the state and of all responses.
    """

    rates: FloatArray
    odd_per_affinity: FloatArray
    rounding: FloatArray
    residual: float

    @property
    def order(self) -> int:
        """Highest order computed."""
        return self.rates.size

    @property
    def skewness(self) -> float:
        """c₃/(c₂√c₂): over a time t the counts have this skewness, divided by √t.

        NaN where nothing is exchanged or c₃ was not computed.
        """
        return self._standardised(3)

    @property
    def kurtosis(self) -> float:
        """c₄/c₂²: over a time t the counts have this excess kurtosis, divided by t.

        NaN where nothing is exchanged or c₄ was not computed.
        """
        return self._standardised(4)

    def _standardised(self, n: int) -> float:
        if self.order < n or not self.rates[1] > 0:
            return math.nan
        return float(self.rates[n - 1] / self.rates[1] ** (n / 2))

    def of_energy(self, energy: float) -> FloatArray:
        r"""Cumulants per time of an energy that is ``energy`` times the count: εᵏ c_k.

        Work takes ε = ΔE, the heat from the hot bath E₂ and that from the cold one −E₁: the counts
        at all three places differ by bounded numbers, so that one set of cumulants serves them.

        Parameters
        ----------
        energy : float
            Energy per quantum ε.

        Returns
        -------
        ndarray, shape (order,)
        """
        return self.rates * float(energy) ** np.arange(1, self.order + 1)


def cumulants(state: Stationary, *, order: int = 4, bath: BathName | None = None) -> Cumulants:
    r"""Cumulants c₁ … c_order of the exchanged quanta, from the factorisation of the state.

    .. math:: c_n = \sum_{j=1}^{n} \binom nj \mathrm{Tr}[L^{(j)} \rho_{n-j}], \qquad
              L \rho_n = -\sum_{j=1}^{n} \binom nj (L^{(j)} - c_j) \rho_{n-j}, \qquad
              \mathrm{Tr} \rho_n = 0

    with L⁽ʲ⁾ the derivatives at χ = 0 of the tilted generator, at the hot bath
    L(χ) = L + (exp(χ) − 1) γ↑ S⁺·S⁻ + (exp(−χ) − 1) γ↓ S⁻·S⁺, at the cold one with χ → −χ.

    By default the quanta are counted at the drive, where no activity has to be subtracted, and
    left and right eigenvectors to order n/2 are paired.  Every odd cumulant has a factor a, and it
    comes from the deviation between time-reversed partners alone.  So c₃/a, c₅/a, … keep their
    relative accuracy through the Carnot point as J/a does.  This needs solves with the transposed
    generator.  If the state's solver has none, the recursion above is used at the drive, and odd
    cumulants beyond J are accurate to ``rounding`` only.

    Parameters
    ----------
    state : Stationary
    order : int
        Highest order, ≥ 1.
    bath : {"hot", "cold"}, optional
        Count the jumps at this bath, with the recursion above, instead of at the drive: an
        independent check.  For a weak drive it subtracts nearly equal numbers (see ``rounding``).

    Returns
    -------
    Cumulants

    Raises
    ------
    InvalidInput
        If the order is not a whole number ≥ 1 or the bath is unknown.

    Examples
    --------
    At the Carnot point the odd cumulants vanish and c₂ₘ = 2 c₂ₘ₋₁/a (Gallavotti–Cohen):

    >>> from ensemble import Engine
    >>> from ensemble.steady.stationary import stationary
    >>> engine = Engine(N=4, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=1, Gamma_0=1)
    >>> quanta = cumulants(stationary(engine), order=6)
    >>> bool(np.all(quanta.rates[::2] == 0))
    True
    >>> np.allclose(quanta.rates[1::2], 2 * quanta.odd_per_affinity, rtol=1e-12)
    True
    """
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
        raise InvalidInput(f"order must be a whole number ≥ 1, but is {order!r}: try order = 4")
    if bath is not None:
        return _recursion(state, int(order), at_bath(state, bath))
    if not state.solver.transposable:
        return _recursion(state, int(order), at_drive(state))
    found = paired_cumulants(state, int(order))
    return Cumulants(
        rates=found.rates,
        odd_per_affinity=state.contrast_per_affinity * found.odd_per_contrast,
        rounding=EPS * found.magnitude,
        residual=found.residual,
    )


def _recursion(
    state: Stationary, order: int, place: Callable[[FloatArray], Derivatives]
) -> Cumulants:
    """The recursion of `cumulants`, with the mean taken from the deviation."""
    trace, affinity = state.generator.sector.trace, state.engine.affinity
    flow = place(state.delta)(1)
    rates, rounding = np.zeros(order), np.zeros(order)
    rates[0] = state.contrast * (trace @ flow)
    rounding[0] = EPS * abs(state.contrast) * float(trace @ np.abs(flow))
    responses, acted, residual = [state.rho], [place(state.rho)], state.residual
    for n in range(1, order):
        terms = [
            term
            for j in range(1, n + 1)
            for term in (
                -math.comb(n, j) * acted[n - j](j),
                math.comb(n, j) * rates[j - 1] * responses[n - j],
            )
        ]
        response, worst = respond(state, terms)
        residual = max(residual, worst)
        responses.append(response)
        acted.append(place(response))
        for j in range(1, n + 2):
            term = math.comb(n + 1, j) * acted[n + 1 - j](j)
            rates[n] += trace @ term
            rounding[n] += EPS * float(trace @ np.abs(term))
    odd_per_affinity = rates[::2] / affinity if affinity else np.full((order + 1) // 2, np.nan)
    odd_per_affinity[0] = state.contrast_per_affinity * float(trace @ flow)
    return Cumulants(rates, odd_per_affinity, rounding, residual)
