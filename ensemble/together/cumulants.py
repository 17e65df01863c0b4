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
from ensemble.together.state import States


class Cumulants(NamedTuple):
    """Cumulants per time c₁ … c_order, shape (order, points), and the worst residual."""

    rates: FloatArray
    residual: FloatArray


def cumulants(states: States, order: int = 4) -> Cumulants:
    """Cumulants of the exchanged quanta, left and right eigenvectors in pairs.

    The formulas, with their derivation, are those of
    `ensemble.counting.paired_cumulants.paired_cumulants`.
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
    c = np.zeros((order + 1, s.size))
    per_contrast = np.zeros_like(c)
    residual = states.residual
    for n in range(1, order + 1):
        m, odd = n // 2, n % 2 == 1
        if not odd:
            source = counted * left_source(levels, c)
            y, worst_left = states.solver.solve_transposed(source[:, np.newaxis], importance)
            X = y[:, 0] / counted
            X = X - total(counted * X * states.rho) * place.trace
            terms = deviation_source(levels, c, per_contrast, mirror.excess((-1) ** m * X))
            magnitude = sum(total(np.abs(term)) for term in terms)
            summed = np.asarray(sum(terms[1:], start=terms[0]))
            delta, worst_right = states.respond(
                summed[:, np.newaxis], np.asarray(magnitude)[np.newaxis]
            )
            levels.append(level(m, X, delta[:, 0]))
            residual = np.maximum(residual, np.maximum(worst_left[0], worst_right[0]))
        for i, j in np.ndindex(n - m, m + 1):
            p = n - i - j
            right = levels[j]
            if odd:
                shift = per_contrast[p] * right.rho if p % 2 else c[p] * right.delta
                part = right.L_delta(p) + right.excess(p) / 2 - shift
            else:
                part = right.L_rho(p) - c[p] * right.rho
            factor = math.comb(n, i) * math.comb(n - i, j)
            per_contrast[n] += factor * total(counted * levels[i].X * part)
        c[n] = s * per_contrast[n] + 0.0 if odd else per_contrast[n]  # no −0
    return Cumulants(c[1:], residual)


class _Mirror:
    """The drive's moves of `counting.tilting` and the time reversal of `counting.time_reversal`."""

    def __init__(self, states: States) -> None:
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
