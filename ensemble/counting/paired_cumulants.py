"""Cumulants from pairs of left and right eigenvectors, which time reversal relates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.counting.tilting import Derivatives, Moves, at_drive, respond
from ensemble.counting.time_reversal import Mirror, theta, weight
from ensemble.steady.state import Stationary


class PairedCumulants(NamedTuple):
    """Cumulants c₁ … c_n and what they are made of.

    Attributes
    ----------
    rates : ndarray, shape (order,)
        c_k.
    odd_per_contrast : ndarray, shape ((order + 1) // 2,)
        c₁/s, c₃/s, … with the contrast s ∝ a of the state.
    magnitude : ndarray, shape (order,)
        Sum of the magnitudes of all terms of each rate.
    residual : float
        Worst relative residual of the state and of all responses.
    """

    rates: FloatArray
    odd_per_contrast: FloatArray
    magnitude: FloatArray
    residual: float


@dataclass(frozen=True, eq=False)
class Level:
    """k-th derivatives at χ = 0: X_k and ρ_k = τ_k + s δ_k, with L⁽ᵖ⁾ acting on each.

    Vectors have the shape (size,), or (size, points) for many engines.
    """

    X: FloatArray
    tau: FloatArray
    delta: FloatArray
    rho: FloatArray
    L_X: Derivatives
    L_delta: Derivatives
    L_rho: Derivatives
    excess: Derivatives


def paired_cumulants(state: Stationary, order: int) -> PairedCumulants:
    r"""Cumulants from left and right eigenvectors to order m = n/2 each (Wigner's 2m + 1 rule).

    Both are expanded in χ at the drive: ρ_k are the derivatives of the right eigenvector, the
    operators X_k those of the left one, with ⟨X, ρ⟩ = Tr Xρ.  The rule is

    .. math:: c_n = \sum_{i + j + p = n} \frac{n!}{i!\,j!\,p!}
              \langle X_i, (L^{(p)} - c_p) \rho_j \rangle, \qquad
              i < n - m, \quad j \le m, \quad p \ge 1 \quad (c_n\ \text{itself left out}).

    τ_k = (−1)^k ΘX_k is the k-th derivative of ρ(χ) at χ = −a (see `Mirror`), and
    ρ_k = τ_k + s δ_k with the contrast s ∝ a.  In an odd cumulant the terms made of τ alone cancel
    up to one with an explicit factor s, so c_n/s is a sum of terms in δ_k and of that one
    (docs/theory/counting.md).
    """
    trace, s = state.generator.sector.trace, state.contrast
    counted = weight(state.generator.sector)
    act = at_drive(state)
    mirror = Mirror(state, Moves(state))

    def level(k: int, X: FloatArray, delta: FloatArray) -> Level:
        tau = (-1) ** k * mirror(X)
        rho = tau + s * delta if k else state.rho
        excess = mirror.excess((-1) ** k * X)
        return Level(X, tau, delta, rho, act(X), act(delta), act(rho), excess)

    levels = [level(0, trace, state.delta)]
    c = np.zeros(order + 1)
    per_contrast = np.zeros(order + 1)  # c_n/s for odd n
    magnitude = np.zeros(order + 1)
    residual = state.residual
    for n in range(1, order + 1):
        m, odd = n // 2, n % 2 == 1
        if not odd:
            X, worst_left = _solve_adjoint(state, left_source(levels, c))
            X -= (counted * X) @ state.rho * trace  # any multiple of 1 may be added: keep X small
            terms = deviation_source(levels, c, per_contrast, mirror.excess((-1) ** m * X))
            delta, worst_right = respond(state, terms)
            levels.append(level(m, X, delta))
            residual = max(residual, worst_left, worst_right)
        for i, j in np.ndindex(n - m, m + 1):
            p = n - i - j  # p = n comes first, when c_n is still 0: it is to be left out
            if odd:
                right = levels[j]
                shift = per_contrast[p] * right.rho if p % 2 else c[p] * right.delta
                parts = [right.L_delta(p), right.excess(p) / 2, -shift]
            else:
                parts = [levels[j].L_rho(p), -c[p] * levels[j].rho]
            factor = math.comb(n, i) * math.comb(n - i, j) * counted * levels[i].X
            per_contrast[n] += sum(float(factor @ part) for part in parts)
            magnitude[n] += sum(float(np.abs(factor) @ np.abs(part)) for part in parts)
        c[n] = s * per_contrast[n] + 0.0 if odd else per_contrast[n]  # no −0
        magnitude[n] *= abs(s) if odd else 1.0
    return PairedCumulants(c[1:], per_contrast[1::2], magnitude[1:], residual)


def _solve_adjoint(state: Stationary, source: FloatArray) -> tuple[FloatArray, float]:
    """X of L† X = source for ⟨source, ρ⟩ = 0, up to a multiple of 1, and its residual.

    An adjoint is a transpose between elements that are counted with their weight.  The relative
    residual is that of ΘX, the form in which X enters: elements count as the state does.
    """
    counted = weight(state.generator.sector)
    importance = np.abs(theta(state)) / counted
    y, residual = state.solver.solve_transposed(counted * source, importance=importance)
    return y / counted, residual


def left_source(levels: Sequence[Level], c: FloatArray) -> FloatArray:
    """L† X_k = −Σ_j (k over j) (L⁽ʲ⁾† − c_j) X_{k−j}, with F† = −B, hence L⁽ʲ⁾† = −(−1)ʲ L⁽ʲ⁾.

    ``c`` holds c₀, c₁, …: numbers, or arrays over points.
    """
    k = len(levels)
    source = np.zeros_like(levels[0].rho)
    for j in range(1, k + 1):
        left = levels[k - j]
        source += math.comb(k, j) * (c[j] * left.X + (-1) ** j * left.L_X(j))
    return source


def deviation_source(
    levels: Sequence[Level], c: FloatArray, per_contrast: FloatArray, excess: Derivatives
) -> list[FloatArray]:
    """Terms of L δ_k: the equation of ρ_k at χ = 0 less that of τ_k at χ = −a, over s.

    The latter has (−1)ʲ c_j, so that odd c_j enter as 2 c_j/s.
    """
    k = len(levels)
    terms = [-excess(0)]
    for j in range(1, k + 1):
        lower, w = levels[k - j], math.comb(k, j)
        terms += [w * c[j] * lower.delta, -w * lower.L_delta(j), -w * lower.excess(j)]
        if j % 2:
            terms.append(2 * w * per_contrast[j] * lower.tau)
    return terms
