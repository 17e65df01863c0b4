"""One dissipative collective spin at finite N: exact stationary moments, decay rates and N*."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ensemble.arrays import FloatArray
from ensemble.closed_forms.classical_spin import langevin
from ensemble.errors import InvalidInput
from ensemble.generator.sector import ladder


def decay_bands(
    n: int, coherence: int, gamma_down: float, gamma_up: float, exchange: float
) -> tuple[FloatArray, FloatArray]:
    r"""Minus the dissipator of a spin n/2 on the elements ⟨k|ρ|k+d⟩, as a symmetric matrix.

    .. math:: \tfrac12\left[\gamma_\downarrow(a_k^2 + a_{k+d}^2)
              + \gamma_\uparrow(a_{k+1}^2 + a_{k+d+1}^2)\right], \quad
              -g\, a_{k+1} a_{k+d+1}, \quad a_k = \sqrt{k(n+1-k)}

    Parameters
    ----------
    n, coherence : int
        2S and d, 0 ≤ d ≤ n.
    gamma_down, gamma_up : float
        Rates γ↓ and γ↑.
    exchange : float
        g.  At g = √(γ↓γ↑) the matrix is similar to the dissipator, by the thermal state.

    Returns
    -------
    diagonal : ndarray, shape (n + 1 − d,)
    off_diagonal : ndarray, shape (n − d,)
    """
    k = np.arange(n + 1 - coherence)
    low, high = ladder(k, n), ladder(k + coherence, n)
    up, bra_up = ladder(k + 1, n), ladder(k + coherence + 1, n)
    diagonal = (gamma_down * (low**2 + high**2) + gamma_up * (up**2 + bra_up**2)) / 2
    return diagonal, -exchange * (up * bra_up)[:-1]


@dataclass(frozen=True)
class SingleSpin:
    r"""One dissipative spin S = N/2 at finite N: exact stationary moments and decay rates.

    Rates are :math:`\gamma_\downarrow = (\Gamma_0/N)/(1 - e^{-\beta E/N})` and
    :math:`\gamma_\uparrow = \gamma_\downarrow e^{-\beta E/N}`.

    Parameters
    ----------
    N : int
        Number of spins ½.
    beta_E : float
        βE > 0 before the scaling of Eq. 28; may be infinite.
    Gamma_0 : float
        Γ₀ before the scaling.

    Raises
    ------
    InvalidInput
        If N is not a whole number ≥ 1, or a parameter is not positive.

    Examples
    --------
    One spin ½ has ⟨mᶻ⟩ = −tanh(βE/2), and its coherence decays half as fast as its populations:

    >>> spin = SingleSpin(1, 2.0)
    >>> math.isclose(spin.magnetization, -math.tanh(1.0))
    True
    >>> rates = [float(spin.decay_rates(d)[0]) for d in (0, 1)]
    >>> math.isclose(rates[0], 2 * rates[1])
    True
    """

    N: int
    beta_E: float
    Gamma_0: float = 1.0

    def __post_init__(self) -> None:
        if not (self.N >= 1 and float(self.N).is_integer()):
            raise InvalidInput(f"N must be a whole number ≥ 1, but is {self.N!r}: use N = 1, 2, …")
        if not self.beta_E > 0:
            raise InvalidInput(f"beta_E must be positive, but is {self.beta_E!r}: give beta_E > 0")
        if not 0 < self.Gamma_0 < math.inf:
            raise InvalidInput(
                f"Gamma_0 must be positive and finite, but is {self.Gamma_0!r}: try 1"
            )

    @property
    def log_ratio(self) -> float:
        """ln(γ↓/γ↑) = βE/N."""
        return self.beta_E / self.N

    @property
    def gamma_down(self) -> float:
        """Emission rate γ↓."""
        return -self.Gamma_0 / self.N / math.expm1(-self.log_ratio)

    @property
    def gamma_up(self) -> float:
        """Absorption rate γ↑."""
        return self.gamma_down * math.exp(-self.log_ratio)

    @property
    def populations(self) -> FloatArray:
        """Stationary p_k ∝ exp(−kβE/N), k = 0 … N excitations (Eq. 32), shape (N + 1,)."""
        weights = np.power(math.exp(-self.log_ratio), np.arange(self.N + 1.0))
        return weights / weights.sum()

    @property
    def magnetization(self) -> float:
        r""":math:`\langle m^z\rangle = -[(N+1) L(\tfrac{(N+1)\beta E}{2N}) - L(\tfrac{\beta E}
        {2N})]/N`, the Brillouin function, with L(z) = coth z − 1/z."""
        half = self.log_ratio / 2
        return -((self.N + 1) * langevin((self.N + 1) * half) - langevin(half)) / self.N

    @property
    def excited_fraction(self) -> float:
        """(1 + ⟨mᶻ⟩)/2, which keeps its relative accuracy as the temperature goes to zero."""
        step, span = self.log_ratio, (self.N + 1) * self.log_ratio
        if span < 1:  # there the two terms below nearly cancel, but not 1 and ⟨mᶻ⟩
            return (1 + self.magnetization) / 2
        return (_bose(step) - (self.N + 1) * _bose(span)) / self.N

    @property
    def second_moment(self) -> float:
        r""":math:`\langle (m^z)^2\rangle = 1 + \tfrac2N + \tfrac2N \coth(\tfrac{\beta E}{2N})
        \langle m^z\rangle`, which the stationarity of ⟨mᶻ⟩ implies (Eq. 34 at N → ∞)."""
        return 1 + 2 / self.N * (1 + self.magnetization / math.tanh(self.log_ratio / 2))

    def decay_rates(self, coherence: int, count: int = 1) -> FloatArray:
        """The slowest rates −λ of the elements ⟨k|ρ|k+d⟩, without the stationary one, ascending.

        Parameters
        ----------
        coherence : int
            d, from 0 (populations) to N.
        count : int
            How many; fewer if there are no more.

        Returns
        -------
        ndarray
            Real: the dissipator is self-adjoint.  Rounding is a few ε times the largest rate,
            which is about N²/4 times the smallest.

        Raises
        ------
        InvalidInput
            If d is out of range.
        """
        if not 0 <= coherence <= self.N:
            raise InvalidInput(f"coherence must lie between 0 and {self.N}, but is {coherence!r}")
        down, up = self.gamma_down, self.gamma_up
        exchange = down * math.exp(-self.log_ratio / 2)
        if coherence == 0:
            # The populations' matrix is BᵀB with B bidiagonal; BBᵀ has its spectrum without the 0.
            step = ladder(np.arange(1, self.N + 1), self.N)
            diagonal, off_diagonal = (down + up) * step**2, -exchange * step[1:] * step[:-1]
        else:
            diagonal, off_diagonal = decay_bands(self.N, coherence, down, up, exchange)
        last = min(count, diagonal.size) - 1
        return eigh_tridiagonal(
            diagonal, off_diagonal, eigvals_only=True, select="i", select_range=(0, last)
        )

    def slowest(self) -> tuple[float, int]:
        """Lindbladian gap (Eq. 40) over the populations and all coherences, and which d has it.

        All d are searched, since at zero temperature the coherence d = N of |0⟩ and |N⟩ decays as
        slowly as d = 1.  This takes of the order of N² operations.
        """
        return min((float(self.decay_rates(d)[0]), d) for d in range(self.N + 1))


def transient_size(
    beta_E: float,
    *,
    epsilon: float = 1e-10,
    of: Literal["gap", "magnetization"] = "magnetization",
) -> int:
    r"""Size N* up to which a bath looks like one at zero temperature (Fig. 4, bottom right).

    The smallest N with :math:`|X_N(\beta E) - X_N(\infty)| > \epsilon`, X the Lindbladian gap in
    units of Γ₀ (½ at zero temperature, for every N) or ⟨mᶻ⟩ (−1).  Both deviations are at most
    exp(−βE/N) where they are small, and grow with N; N* is bracketed from there and bisected.

    Parameters
    ----------
    beta_E : float
        βE > 0, finite.
    epsilon : float
        ε; between 1e-12 and 0.1.
    of : {"gap", "magnetization"}
        X.

    Returns
    -------
    int

    Raises
    ------
    InvalidInput
        If an argument is out of range, or N* exceeds 10⁶.

    Examples
    --------
    >>> transient_size(1.0), transient_size(1000.0), transient_size(1000.0, of="gap")
    (1, 51, 53)
    """
    if not 0 < beta_E < math.inf:
        raise InvalidInput(
            f"beta_E must be positive and finite, but is {beta_E!r}: at zero temperature N* is "
            "infinite"
        )
    if not 1e-12 <= epsilon <= 0.1:
        raise InvalidInput(f"epsilon must lie between 1e-12 and 0.1, but is {epsilon!r}: try 1e-10")
    if of not in ("gap", "magnetization"):
        raise InvalidInput(f"of must be 'gap' or 'magnetization', but is {of!r}")

    def deviates(N: int) -> bool:
        spin = SingleSpin(N, beta_E)
        deviation = 2 * spin.excited_fraction if of == "magnetization" else spin.slowest()[0] - 0.5
        return abs(deviation) > epsilon

    below, above = 0, 1
    if (start := int(beta_E / -math.log(epsilon / 4))) > 1:
        below, above = start - 1, start
    while not deviates(above):
        below, above = above, above + max(1, above // 4)
        if above > 10**6:
            raise InvalidInput(f"N* exceeds 10⁶ at beta_E = {beta_E:g}: lower beta_E")
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if deviates(middle) else (middle, above)
    return above


def _bose(x: float) -> float:
    """1/(eˣ − 1), 0 where eˣ overflows."""
    return math.exp(-x) / -math.expm1(-x)
