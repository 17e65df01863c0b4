r"""Fluctuations of the power from closed moments: Gaussian fourth moments and regression (App. D).

With v = (m₁ˣ, m₁ʸ, m₂ˣ, m₂ʸ), whose means vanish, the quanta current is vᵀQv and

.. math:: \frac{D}{N^2} = 2\int_0^\infty \langle\delta(v^TQv)(\tau)\,\delta(v^TQv)(0)\rangle d\tau
          = 4\,\mathrm{Tr}\,QX, \qquad MX + XM^T + VQV = 0

because fourth moments are paired (D2), ⟨v(τ)v(0)ᵀ⟩ = exp(Mτ)V (D4, D5) and V = ⟨vvᵀ⟩.  This is
D3 with its prefactor ω₀²ΔE²/8, integrated.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.closure.hierarchy import RATES, generator, monomials

TRANSVERSE = (0, 1, 3, 4)
"""Places of m₁ˣ, m₁ʸ, m₂ˣ and m₂ʸ among the six components."""


@lru_cache
def _patterns() -> FloatArray:
    """M = Σ rate · mean · pattern over the rates and (1, ⟨m₁ᶻ⟩, ⟨m₂ᶻ⟩), shape (6, 3, 4, 4).

    A product ⟨m_a(τ)m_b(τ)A(0)⟩ without a third cumulant, ⟨A⟩ = 0, is ⟨m_a A⟩⟨m_b⟩ + ⟨m_a⟩⟨m_b A⟩:
    the rows of M are the gradients of 𝓛v at the means.
    """
    components = monomials(1)
    patterns = np.zeros((len(RATES), 3, 4, 4))
    for row, k in enumerate(TRANSVERSE):
        for rate, image in generator(components[k]).items():
            for moment, coefficient in image.items():
                for column, place in enumerate(TRANSVERSE):
                    rest = list(moment)
                    rest[place] -= 1
                    if rest[place] == 0 and not any(rest[other] for other in TRANSVERSE):
                        mean = (0, rest[2], rest[5]).index(1) if any(rest) else 0
                        patterns[RATES.index(rate), mean, row, column] += float(coefficient)
    return patterns


def regression_matrix(z_1: float, z_2: float, rates: FloatArray) -> FloatArray:
    """M of d⟨v(τ)A⟩/dτ = M⟨v(τ)A⟩ (D4 and D5), shape (4, 4).

    Examples
    --------
    >>> regression_matrix(-0.5, -0.25, np.array([1.0, 2.0, 0.5, 0.5, 3.0, 3.0])).tolist()[0]
    [-1.25, 0.0, 0.0, -1.5]
    """
    return np.asarray(np.einsum("r,m,rmij->ij", rates, [1.0, z_1, z_2], _patterns()))


def current_form(coupling: float) -> FloatArray:
    """Q of J/N = vᵀQv = −coupling·(m₁ˣm₂ʸ − m₁ʸm₂ˣ), coupling = ω₀ν₁ν₂/4, shape (4, 4)."""
    form = np.zeros((4, 4))
    form[0, 3] = form[3, 0] = -coupling / 2
    form[1, 2] = form[2, 1] = coupling / 2
    return form


def current_noise(
    V: FloatArray, z_1: float, z_2: float, rates: FloatArray, coupling: float
) -> tuple[float, float]:
    """D/N² of the quanta current, and the relative residual of the equation for X.

    Parameters
    ----------
    V : ndarray, shape (4, 4)
        Stationary ⟨vvᵀ⟩.
    z_1, z_2 : float
        Stationary ⟨m₁ᶻ⟩ and ⟨m₂ᶻ⟩.
    rates : ndarray, shape (6,)
        In the order of ``RATES``.
    coupling : float
        ω₀ν₁ν₂/4.

    Returns
    -------
    noise, residual : float
        In the unit of the rates.  NaN and 0 if M has a mode that does not decay: the integral
        diverges.
    """
    M, Q, one = regression_matrix(z_1, z_2, rates), current_form(coupling), np.eye(4)
    if not np.linalg.eigvals(M).real.max() < 0:
        return math.nan, 0.0
    source = V @ Q @ V
    # By elimination: SciPy's Schur route loses the small elements.
    X = np.linalg.solve(np.kron(M, one) + np.kron(one, M), -source.ravel()).reshape(4, 4)
    scale = float(np.sum(2 * np.abs(M) @ np.abs(X) + np.abs(source)))
    left = float(np.abs(M @ X + X @ M.T + source).sum())
    return 4 * float(np.sum(Q * X)), left / scale if scale > 0 else 0.0
