"""One collective spin and one bath at N → ∞, without the drive: the paper's closed forms.

Everything is in the high-temperature scaling of Eq. 28, at one parameter βE (before the scaling),
and ħ = k_B = 1.  βE = inf is the zero-temperature bath.
Finite N: ``ensemble.closed_forms.single_spin``.
"""

from __future__ import annotations

import math

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.errors import InvalidInput

FRACTION_DEPTH = 16
"""Levels of the continued fraction of L(z), enough for the last digit up to z = 2."""


def langevin(z: float) -> float:
    """Langevin function L(z) = coth z − 1/z, z > 0, to a few units in the last place.

    Examples
    --------
    >>> langevin(3e-9), langevin(math.inf)
    (1e-09, 1.0)
    """
    return 1 / math.tanh(z) - 1 / z if z >= 2 else z / _z_over_langevin(z)


def magnetization(beta_E: float) -> float:
    r"""Stationary magnetisation at N → ∞ (Eq. 33).

    .. math:: \langle m^z \rangle = -\coth\frac{\beta E}{2} + \frac{2}{\beta E}

    Parameters
    ----------
    beta_E : float
        βE > 0; may be infinite.

    Returns
    -------
    float
        Between −1 and 0, to a few units in the last place at any βE.

    Raises
    ------
    InvalidInput
        If βE is not positive.

    Examples
    --------
    >>> magnetization(6e-9), magnetization(math.inf)
    (-1e-09, -1.0)
    """
    return -langevin(_positive("beta_E", beta_E) / 2)


def second_moment(beta_E: float) -> float:
    r"""Stationary :math:`\langle (m^z)^2 \rangle = 1 + 4 \langle m^z \rangle/\beta E` (Eq. 34).

    Examples
    --------
    >>> round(second_moment(1e-6), 12), second_moment(math.inf)
    (0.333333333333, 1.0)
    """
    return 1 - 2 / _z_over_langevin(_positive("beta_E", beta_E) / 2)


def transverse_second_moment(beta_E: float) -> float:
    r"""Stationary :math:`\langle (m^x)^2 \rangle = \langle (m^y)^2 \rangle` (Eq. 35).

    .. math:: 2\coth(\beta E/2)/\beta E - 4/(\beta E)^2

    Examples
    --------
    >>> math.isclose(second_moment(3.0) + 2 * transverse_second_moment(3.0), 1.0)
    True
    """
    return 1 / _z_over_langevin(_positive("beta_E", beta_E) / 2)


def moment_rates(moments: FloatArray, beta_E: float, *, Gamma_0: float = 1.0) -> FloatArray:
    r"""Time derivatives of the moments at N → ∞: the exact, open hierarchy of Eq. 37.

    .. math:: \frac{2}{\Gamma_0}\frac{d\langle m^n\rangle}{dt} = n(\langle m^{n+1}\rangle
              - \langle m^{n-1}\rangle) + \frac{4}{\beta E}\left[\binom n2 \langle m^{n-2}\rangle
              - \left(\binom n2 + n\right)\langle m^n\rangle\right]

    Parameters
    ----------
    moments : ndarray, shape (p + 2,)
        ⟨(mᶻ)ⁿ⟩ for n = 0 … p + 1; the first is 1.
    beta_E, Gamma_0 : float

    Returns
    -------
    ndarray, shape (p,)
        Derivatives of the moments 1 … p.

    Raises
    ------
    InvalidInput
        If there are fewer than three moments.

    Examples
    --------
    >>> bool(abs(moment_rates([1, magnetization(2.0), second_moment(2.0)], 2.0)) < 1e-15)
    True
    """
    m = np.asarray(moments, dtype=float)
    if m.ndim != 1 or m.size < 3:
        raise InvalidInput(f"moments must have shape (p + 2,), p ≥ 1, but has {m.shape}: add some")
    n = np.arange(1, m.size - 1)
    pairs = n * (n - 1) / 2
    lowest = np.concatenate([[0.0], m[:-3]])  # ⟨m^{n−2}⟩, which n = 1 does not need
    heat = 4 / _positive("beta_E", beta_E)
    drift = n * (m[2:] - m[:-2])
    return (
        _positive("Gamma_0", Gamma_0) / 2 * (drift + heat * (pairs * lowest - (pairs + n) * m[n]))
    )


def closure_rates(
    first: float, second: float, beta_E: float, *, Gamma_0: float = 1.0
) -> tuple[float, float]:
    r"""Derivatives of ⟨mᶻ⟩ and ⟨(mᶻ)²⟩, closed at the third cumulant (Eqs. 38 and 39).

    The closure :math:`\langle m^3\rangle = 3\langle m^2\rangle\langle m\rangle
    - 2\langle m\rangle^3` is an approximation: Eqs. 33 and 34 do not annul the second rate.

    Examples
    --------
    >>> rate, _ = closure_rates(magnetization(2.0), second_moment(2.0), 2.0)
    >>> abs(rate) < 1e-15
    True
    """
    third = 3 * second * first - 2 * first**3
    rates = moment_rates(np.array([1.0, first, second, third]), beta_E, Gamma_0=Gamma_0)
    return float(rates[0]), float(rates[1])


def closure_fixed_point(beta_E: float) -> tuple[float, float]:
    r"""Stationary ⟨mᶻ⟩ and ⟨(mᶻ)²⟩ of Eqs. 38 and 39.

    With h = 2/βE they are :math:`\langle m\rangle = u + h` and
    :math:`\langle m^2\rangle = 1 + 2h\langle m\rangle`, u the lowest root of

    .. math:: u^3 - u + h^3 = 0

    Parameters
    ----------
    beta_E : float
        βE > 0; may be infinite.

    Returns
    -------
    tuple of float
        They differ from Eqs. 33 and 34 by up to 0.0205 (at βE = 3.61) and 0.0263 (at βE = 2.68).

    Raises
    ------
    InvalidInput
        If βE is not positive.

    Examples
    --------
    >>> first, second = closure_fixed_point(2.0)
    >>> max(abs(rate) for rate in closure_rates(first, second, 2.0)) < 1e-15
    True
    >>> round(first - magnetization(2.0), 4), round(second - second_moment(2.0), 4)
    (-0.0117, -0.0234)
    """
    if not beta_E > 0:
        raise InvalidInput(f"beta_E must be positive, but is {beta_E!r}: give beta_E > 0")
    h = 2 / beta_E
    # Viète: the three roots are real up to 3√3 h³/2 = 1, beyond it only one is.
    size = 1.5 * math.sqrt(3) * h**3
    if size <= 1:
        u = -2 / math.sqrt(3) * math.cos(math.acos(size) / 3)
    else:
        u = -2 / math.sqrt(3) * math.cosh(math.acosh(size) / 3)
    first = u / (u * u - u * h + h * h)  # u + h, without its cancellation at large h
    # 1 + 2hm = 1 + 2hu/(u² − uh + h²) over the common denominator.
    second = (u * u + u * h + h * h) / (u * u - u * h + h * h)
    return first, second


def jacobian(beta_E: float, *, Gamma_0: float = 1.0) -> FloatArray:
    """Jacobian of Eqs. 38 and 39 at the moments of Eqs. 33 and 34, shape (2, 2) (Eqs. 41, 42)."""
    m, m_2, heat = magnetization(beta_E), second_moment(beta_E), 2 / beta_E
    rows = [[-heat, 0.5], [-1 + 3 * m_2 - 6 * m**2, 3 * (m - heat)]]
    return _positive("Gamma_0", Gamma_0) * np.array(rows)


def jacobian_eigenvalues(beta_E: float, *, Gamma_0: float = 1.0) -> tuple[float, float]:
    r"""Eigenvalues λ₊ ≥ λ₋ of the Jacobian (Eqs. 44 and 45); both are real and negative.

    .. math:: \lambda_\pm = \frac{\Gamma_0}{2}\left(-\frac{8}{\beta E} - 3L \pm \sqrt A\right),
              \quad A = 4 + \frac{16}{(\beta E)^2} - 3L^2, \quad
              \lambda_+\lambda_- = \Gamma_0^2\left(3\coth^2\tfrac{\beta E}{2} - 1\right)

    with L = coth(βE/2) − 2/βE.  This is the paper's form without its cancellations; λ₊ comes from
    the product.

    Examples
    --------
    >>> jacobian_eigenvalues(math.inf)
    (-1.0, -2.0)
    """
    heat, lag = 2 / _positive("beta_E", beta_E), -magnetization(beta_E)
    rate = _positive("Gamma_0", Gamma_0)
    twice = 4 * heat + 3 * lag + math.sqrt(4 + 4 * heat**2 - 3 * lag**2)
    return -2 * rate * (3 * (heat + lag) ** 2 - 1) / twice, -rate / 2 * twice


def jacobian_gap(beta_E: float, *, Gamma_0: float = 1.0) -> float:
    """Jacobian gap −λ₊ (Eq. 43): Γ₀ for βE → ∞ and 2Γ₀/βE for βE → 0 (Eq. 46).

    Examples
    --------
    >>> jacobian_gap(math.inf), round(1e-6 * jacobian_gap(1e-6), 9)
    (1.0, 2.0)
    """
    return -jacobian_eigenvalues(beta_E, Gamma_0=Gamma_0)[0]


def _z_over_langevin(z: float) -> float:
    """z/L(z) = 3 + z²/(5 + z²/(7 + …)), z > 0, whose terms are all positive."""
    if z >= 2:
        return z / langevin(z)
    tail = 2.0 * FRACTION_DEPTH + 3
    for odd in range(2 * FRACTION_DEPTH + 1, 1, -2):
        tail = odd + z * z / tail
    return tail


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise InvalidInput(f"{name} must be positive, but is {value!r}: give {name} > 0")
    return value
