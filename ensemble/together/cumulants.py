"""Third and fourth cumulant of many engines: `ensemble.counting.paired_cumulants`, for arrays."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.counting.paired_cumulants import Level, deviation_source, left_source
from ensemble.counting.tilting import Derivatives
from ensemble.together.certified import applied, total
from ensemble.together.layout import Layout
from ensemble.together.state import Solved


class Cumulants(NamedTuple):
    """Cumulants per time c₁ … c_order, shape (order, points), and what they were found from.

    Attributes
    ----------
    rates : ndarray, shape (order, points)
    residual : ndarray, shape (points,)
        The worst of all solves.
    response : ndarray, shape (size, points)
        ρ₁, the first derivative of the state by the counting field at the drive.
    """

    rates: FloatArray
    residual: FloatArray
    response: FloatArray


def cumulants(states: Solved, order: int = 4, *, split: bool = True) -> Cumulants:
    """Cumulants of the exchanged quanta, as `ensemble.counting.cumulants.cumulants`.

    Left and right eigenvectors in pairs where there are solves with Lᵀ, else by recursion.

    Parameters
    ----------
    states : Solved
    order : int
        Even, and at least 4.
    split : bool
        Whether right eigenvectors in pairs are split at their time-reversed partners, with which
        odd cumulants keep their relative accuracy near the Carnot point.
    """
    paired = states.solver.corrector.transposable
    return _paired(states, order, split) if paired else _recursion(states, order)


def _paired(states: Solved, order: int, split: bool) -> Cumulants:
    """As `ensemble.counting.paired_cumulants.paired_cumulants`.

    The last cumulant is even and needs of the highest level ρ_m alone, which is solved for by
    itself.
    """
    place, s = states.layout, states.contrast
    counted = np.where(place.q == 0, 1.0, 2.0)
    mirror = _Mirror(states)
    act = mirror.at_drive
    importance = (np.abs(mirror.theta) / counted)[:, np.newaxis]

    def level(k: int, X: FloatArray, delta: FloatArray) -> Level:
        tau = (-1) ** k * mirror.theta * X
        rho = tau + s * delta if k else states.rho
        return Level(X, tau, delta, rho, act(X), act(delta), act(rho), mirror.excess((-1) ** k * X))

    one = np.broadcast_to(place.trace, states.rho.shape)
    levels = [level(0, one, states.delta)]
    rho, L_rho = [states.rho], [levels[0].L_rho]
    c = np.zeros((order + 1, s.size))
    per_contrast = np.zeros_like(c)
    residual = states.residual
    for n in range(1, order + 1):
        m, odd = n // 2, n % 2 == 1
        if not odd and n < order:
            source = counted * left_source(levels, c)
            y, worst = states.solver.solve_transposed(
                source[:, np.newaxis], importance, name=f"left {m}"
            )
            residual = np.maximum(residual, worst[0])
            X = y[:, 0] / counted
            X = X - total(counted * X * states.rho) * place.trace
            if split:
                terms = deviation_source(levels, c, per_contrast, mirror.excess((-1) ** m * X))
                delta, residual = _respond(states, terms, residual, name=f"right {m}")
            else:
                terms = _recursion_terms(rho, L_rho, c)
                response, residual = _respond(states, terms, residual, name=f"response {m}")
                delta = (response - (-1) ** m * mirror.theta * X) / s
            levels.append(level(m, X, delta))
            rho.append(levels[m].rho)
            L_rho.append(levels[m].L_rho)
        elif not odd:
            response, residual = _respond(
                states, _recursion_terms(rho, L_rho, c), residual, name=f"response {m}"
            )
            rho.append(response)
            L_rho.append(act(response))
        for i, j in np.ndindex(n - m, m + 1):
            p = n - i - j
            if odd:
                right = levels[j]
                shift = per_contrast[p] * right.rho if p % 2 else c[p] * right.delta
                part = right.L_delta(p) + right.excess(p) / 2 - shift
            else:
                part = L_rho[j](p) - c[p] * rho[j]
            factor = math.comb(n, i) * math.comb(n - i, j)
            per_contrast[n] += factor * total(counted * levels[i].X * part)
        c[n] = s * per_contrast[n] + 0.0 if odd else per_contrast[n]  # no −0
    return Cumulants(c[1:], residual, rho[1])


def _recursion(states: Solved, order: int) -> Cumulants:
    """As the recursion of `ensemble.counting.cumulants.cumulants`, counting at the drive."""
    trace, act = states.layout.trace, _Mirror(states).at_drive
    c = np.zeros((order + 1, states.contrast.size))
    c[1] = states.contrast * total(trace * act(states.delta)(1))
    rho, L_rho, residual = [states.rho], [act(states.rho)], states.residual
    for n in range(1, order):
        terms = _recursion_terms(rho, L_rho, c)
        response, residual = _respond(states, terms, residual, name=f"response {n}")
        rho.append(response)
        L_rho.append(act(response))
        for j in range(1, n + 2):
            c[n + 1] += math.comb(n + 1, j) * total(trace * L_rho[n + 1 - j](j))
    return Cumulants(c[1:], residual, rho[1])


def _recursion_terms(
    rho: list[FloatArray], L_rho: list[Derivatives], c: FloatArray
) -> list[FloatArray]:
    """Terms of L ρ_n = −Σ_j (n over j) (L⁽ʲ⁾ − c_j) ρ_{n−j}."""
    n = len(rho)
    return [
        term
        for j in range(1, n + 1)
        for term in (-math.comb(n, j) * L_rho[n - j](j), math.comb(n, j) * c[j] * rho[n - j])
    ]


def _respond(
    states: Solved, terms: list[FloatArray], residual: FloatArray, *, name: str
) -> tuple[FloatArray, FloatArray]:
    """The response to a sum of terms, and the worst of its residual and a given one."""
    magnitude = np.asarray(sum(total(np.abs(term)) for term in terms))
    summed = np.asarray(sum(terms[1:], start=terms[0]))
    response, worst = states.respond(summed[:, np.newaxis], magnitude[np.newaxis], name=name)
    return response[:, 0], np.maximum(residual, worst[0])


class _Mirror:
    """The drive's moves of `counting.tilting` and the time reversal of `counting.time_reversal`."""

    def __init__(self, states: Solved) -> None:
        place = states.layout
        self._layout: Layout = place
        self._drive = states.engines.drive
        number = 2 * place.k_2 - place.q
        self._before = np.where(number // 2 % 2, -1.0, 1.0)
        self._after = np.where(number % 2, self._before, -self._before)
        exponent = -((place.k_1 + place.q / 2) * states.cold.log_ratio)
        exponent -= (place.k_2 - place.q / 2) * states.hot.log_ratio
        sign = np.where(place.q % 2, -1.0, 1.0)
        self.theta = states.largest * sign * np.exp(exponent - exponent.max(axis=0))
        affinity = states.engines.affinity
        self._forward = affinity >= 0
        self._gain = 1 / (1 + np.exp(-np.abs(affinity) / 2))

    def _odd(self, x: FloatArray) -> FloatArray:
        return -self._drive * applied(self._layout.anticommutator, x)

    def _even(self, x: FloatArray) -> FloatArray:
        even = applied(self._layout.anticommutator, self._before * x)
        return self._drive * (self._after * even)

    def at_drive(self, x: FloatArray) -> Derivatives:
        """p → L⁽ᵖ⁾x of the generator tilted at the drive; x is acted on when first asked."""
        halves = functools.cache(lambda odd: self._odd(x) if odd else self._even(x))
        return lambda p: halves(p % 2 == 1) * 2.0 ** (1 - p)

    def excess(self, X: FloatArray) -> Derivatives:
        """p → (L⁽ᵖ⁾(0) − L⁽ᵖ⁾(−a)) ΘX / s; X is acted on when first asked."""
        sign = np.where(self._forward, 1.0, -1.0)
        gain = sign * self._gain

        @functools.cache
        def acted() -> tuple[FloatArray, FloatArray]:
            mirrored = self.theta * X
            direct = self._even(mirrored) + sign * self._odd(mirrored)
            return direct, self.theta * (self._even(X) - sign * self._odd(X))

        def derivative(p: int) -> FloatArray:
            direct, mirrored = acted()
            parity = (-1) ** p
            first = np.where(self._forward, 1.0, parity)
            second = np.where(self._forward, parity, 1.0)
            return gain / 2**p * first * direct + gain / 2**p * second * mirrored

        return derivative
