"""Relaxation of one undriven collective spin: at finite N, at N → ∞ and closed (Fig. 9).

All start in the same family of states, thermal with p_k ∝ exp(−bk/N) for k = 0 … N excitations,
and f ∝ exp(−bm/2) at N → ∞.  b = −∞ is the fully excited state ⟨mᶻ⟩ = 1, b = ∞ the ground state.
ħ = k_B = 1, times in the inverse unit of Γ₀.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import ive

from ensemble.arrays import FloatArray
from ensemble.checks import checked_times
from ensemble.closed_forms.classical_spin import closure_rates, magnetization, second_moment
from ensemble.closed_forms.single_spin import SingleSpin
from ensemble.errors import InvalidInput
from ensemble.generator.sector import ladder

EXCITED = -math.inf
FIRST_DEGREE = 32
HIGHEST_DEGREE = 1024
"""Most Legendre polynomials; with so many a step takes seconds."""
INTEGRATION = 1e-11
"""Tolerance of the closure's integration, relative and absolute."""


@dataclass(frozen=True, eq=False)
class SpinRelaxation:
    """Moments on the way to the stationary state, arrays of shape (times,).

    Attributes
    ----------
    times : ndarray
    magnetization, second_moment : ndarray
        ⟨mᶻ⟩ and ⟨(mᶻ)²⟩.
    error : float
        Certificate, in the unit of the moments; the function that returns it says what it is.
    """

    times: FloatArray
    magnetization: FloatArray
    second_moment: FloatArray
    error: float


def relax_spin(spin: SingleSpin, times: ArrayLike, *, initial: float = EXCITED) -> SpinRelaxation:
    r"""Relaxation at finite N, by the rate equations of the populations.

    .. math:: \dot p_k = \gamma_\uparrow (a_k^2 p_{k-1} - a_{k+1}^2 p_k)
              + \gamma_\downarrow (a_{k+1}^2 p_{k+1} - a_k^2 p_k), \qquad a_k^2 = k(N + 1 - k)

    Parameters
    ----------
    spin : SingleSpin
    times : array_like
        Increasing and ≥ 0.
    initial : float
        b of the initial state.

    Returns
    -------
    SpinRelaxation
        ``error`` is the largest violation of three properties of the matrix exponentials: columns
        sum to 1, the stationary state does not change, and P_{jk} p_k = P_{kj} p_j in it.

    Raises
    ------
    InvalidInput
        If the times are not increasing or b is NaN.

    Examples
    --------
    A spin ½ relaxes exponentially, at the rate γ↓ + γ↑ = Γ₀ coth(βE/2):

    >>> spin = SingleSpin(1, 2.0)
    >>> path = relax_spin(spin, [0.0, 0.7])
    >>> expected = spin.magnetization + (1 - spin.magnetization) * math.exp(-0.7 / math.tanh(1))
    >>> float(path.magnetization[0]), math.isclose(path.magnetization[1], expected)
    (1.0, True)
    """
    instants, b = checked_times(times), _checked_start(initial)
    step = ladder(np.arange(1, spin.N + 1), spin.N) ** 2
    up, down = spin.gamma_up * step, spin.gamma_down * step
    generator = np.diag(up, -1) + np.diag(down, 1)
    generator -= np.diag(generator.sum(axis=0))
    stationary = spin.populations
    propagators: dict[float, FloatArray] = {}
    states = _propagated(generator, _thermal(spin.N, b), instants, propagators)
    error = 0.0
    for matrix in propagators.values():
        balance = matrix * stationary
        error = max(
            error,
            float(np.abs(matrix.sum(axis=0) - 1).max()),
            float(np.abs(matrix @ stationary - stationary).max()),
            float(np.abs(balance - balance.T).max()),
        )
    m = 2 * np.arange(spin.N + 1) / spin.N - 1
    return SpinRelaxation(instants, states @ m, states @ m**2, error)


def relax_limit(
    beta_E: float,
    times: ArrayLike,
    *,
    initial: float = EXCITED,
    Gamma_0: float = 1.0,
    tolerance: float = 1e-9,
) -> SpinRelaxation:
    r"""Relaxation at N → ∞ in the high-temperature scaling, without closing any moment.

    The hierarchy of Eq. 37, written for :math:`c_l = \langle P_l(m^z)\rangle`, is tridiagonal:

    .. math:: \frac{\dot c_l}{\Gamma_0} = -\frac{l(l+1)}{\beta E} c_l
              - \frac{l(l+1)}{2(2l+1)} (c_{l-1} - c_{l+1})

    and diffusion makes its truncation converge exponentially.

    Parameters
    ----------
    beta_E : float
        βE > 0, finite.
    times : array_like
        Increasing and ≥ 0.
    initial : float
        b of the initial state.
    Gamma_0 : float
    tolerance : float
        Largest change of the moments, as the highest degree l is doubled, that is accepted.

    Returns
    -------
    SpinRelaxation
        ``error`` is the change in the last doubling.

    Raises
    ------
    InvalidInput
        If βE or Γ₀ is not positive and finite, the times are not increasing or b is NaN.
    ArithmeticError
        If 1024 polynomials are not enough.

    Examples
    --------
    >>> path = relax_limit(2.0, [0.0, 40.0])
    >>> [round(float(m), 9) for m in path.magnetization]
    [1.0, -0.313035285]
    >>> round(magnetization(2.0), 9)
    -0.313035285
    """
    instants, b = checked_times(times), _checked_start(initial)
    for name, value in (("beta_E", beta_E), ("Gamma_0", Gamma_0)):
        if not 0 < value < math.inf:
            raise InvalidInput(
                f"{name} must be positive and finite, but is {value!r}: give {name} > 0"
            )
    before: FloatArray | None = None
    degree = FIRST_DEGREE
    while degree <= HIGHEST_DEGREE:
        generator = Gamma_0 * _legendre_generator(degree, beta_E)
        c = _propagated(generator, _legendre_thermal(degree, b), instants, {})
        moments = np.array([c[:, 1], (1 + 2 * c[:, 2]) / 3])
        if before is not None:
            change = float(np.abs(moments - before).max())
            if change <= tolerance:
                return SpinRelaxation(instants, moments[0], moments[1], change)
        before, degree = moments, 2 * degree
    raise ArithmeticError(
        f"{HIGHEST_DEGREE} Legendre polynomials do not resolve βE = {beta_E:g} to {tolerance:.0e}"
    )


def relax_closure(
    beta_E: float, times: ArrayLike, *, initial: float = EXCITED, Gamma_0: float = 1.0
) -> SpinRelaxation:
    """Relaxation by the paper's effective equations, closed at the third cumulant (Eqs. 38, 39).

    This approximates `relax_limit`, with errors in the transient and in the stationary state.

    Parameters
    ----------
    beta_E : float
        βE > 0; may be infinite.
    times : array_like
        Increasing and ≥ 0.
    initial : float
        b of the initial state.
    Gamma_0 : float

    Returns
    -------
    SpinRelaxation
        ``error`` is the largest difference to an integration with a 100 times larger tolerance.

    Raises
    ------
    InvalidInput
        If an argument is out of its range.
    ArithmeticError
        If the integration fails.

    Examples
    --------
    >>> from ensemble.closed_forms.classical_spin import closure_fixed_point
    >>> path = relax_closure(2.0, [0.0, 40.0])
    >>> [round(float(path.magnetization[-1]), 6), round(closure_fixed_point(2.0)[0], 6)]
    [-0.324718, -0.324718]
    """
    instants, b = checked_times(times), _checked_start(initial)
    heat = abs(b)
    first, second = (0.0, 1 / 3) if b == 0 else (magnetization(heat), second_moment(heat))
    start = (math.copysign(first, -b), second)
    closure_rates(*start, beta_E, Gamma_0=Gamma_0)  # refuses βE and Γ₀ before the integrator runs

    if instants[-1] == 0:  # nothing to integrate
        return SpinRelaxation(instants, np.array([start[0]]), np.array([start[1]]), 0.0)

    def rates(_: float, moments: FloatArray) -> list[float]:
        return list(closure_rates(moments[0], moments[1], beta_E, Gamma_0=Gamma_0))

    found = []
    for tolerance in (INTEGRATION, 100 * INTEGRATION):
        path = solve_ivp(
            rates,
            (0.0, float(instants[-1])),
            start,
            method="LSODA",
            t_eval=instants,
            rtol=tolerance,
            atol=tolerance,
        )
        if not path.success:
            raise ArithmeticError(f"Eqs. 38 and 39 at βE = {beta_E:g}: {path.message}")
        found.append(path.y)
    error = float(np.abs(found[0] - found[1]).max())
    return SpinRelaxation(instants, found[0][0], found[0][1], error)


def _checked_start(b: float) -> float:
    if math.isnan(b):
        raise InvalidInput(
            "initial is not a number: give b, −inf for the fully excited state, inf for the ground "
            "state"
        )
    return float(b)


def _thermal(N: int, b: float) -> FloatArray:
    """Populations ∝ exp(−bk/N) of the levels k = 0 … N."""
    k = np.arange(N + 1.0)
    if math.isinf(b):
        return np.asarray(k == (N if b < 0 else 0), dtype=float)
    weights = np.exp(-abs(b) / N * (k if b >= 0 else N - k))
    return np.asarray(weights / weights.sum())


def _legendre_thermal(degree: int, b: float) -> FloatArray:
    """⟨P_l⟩ of f ∝ exp(−bm/2): modified spherical Bessel functions i_l(b/2)/i_0(b/2), signed."""
    degrees = np.arange(degree + 1)
    if b == 0:
        return np.asarray(degrees == 0, dtype=float)
    size = ive(degrees + 0.5, abs(b) / 2) if math.isfinite(b) else np.ones(degree + 1)
    return np.asarray(size / size[0] * np.where(degrees % 2 == 1, np.sign(-b), 1.0))


def _legendre_generator(degree: int, beta_E: float) -> FloatArray:
    """Matrix of the ċ_l at Γ₀ = 1; the row of c₀ = 1 is zero."""
    degrees = np.arange(degree + 1.0)
    product = degrees * (degrees + 1)
    drift = product / (2 * (2 * degrees + 1))
    return np.asarray(np.diag(-product / beta_E) - np.diag(drift[1:], -1) + np.diag(drift[:-1], 1))


def _propagated(
    generator: FloatArray,
    start: FloatArray,
    times: FloatArray,
    propagators: dict[float, FloatArray],
) -> FloatArray:
    """States at the times, shape (times, size), by dense exponentials, one for each step length.

    Lengths are rounded to 12 digits, so that equal steps share theirs.
    """
    states, now, state = [], 0.0, start
    for time in times:
        if time > now:
            span = float(f"{time - now:.12g}")
            if span not in propagators:
                propagators[span] = expm(generator * span)
            state, now = propagators[span] @ state, float(time)
        states.append(state)
    return np.array(states)
