"""Time reversal of the counted quanta: detailed balance between L(χ) and its adjoint."""

from __future__ import annotations

import math

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.counting.tilting import Derivatives, Moves
from ensemble.generator.generator import Elements
from ensemble.steady.state import Stationary


def weight(sector: Elements) -> FloatArray:
    """1, or 2 for q > 0: how many elements of a symmetric operator a stored one stands for."""
    return np.where(sector.q == 0, 1.0, 2.0)


def theta(state: Stationary) -> FloatArray:
    """(−1)^q √(ρ₀(ket) ρ₀(bra)), ρ₀ in the normalisation of ρ = ρ₀ + s δ."""
    sector, engine = state.generator.sector, state.engine
    exponent = sector.log_weight(engine.cold.log_ratio, engine.hot.log_ratio)
    largest = int(exponent.argmax())
    norm = state.rho[largest] - state.contrast * state.delta[largest]
    return norm * np.where(sector.q % 2, -1.0, 1.0) * np.exp(exponent - exponent[largest])


class Mirror:
    """Time reversal: detailed balance Θ L(χ)† Θ⁻¹ = L(−χ − a), and its change by a ≠ 0, over s.

    Θ multiplies an element by (−1)^q √(ρ₀(ket) ρ₀(bra)).
    """

    def __init__(self, state: Stationary, moves: Moves) -> None:
        self._theta = theta(state)
        self._moves = moves
        self._engine = state.engine.affinity >= 0
        self._gain = 1 / (1 + math.exp(-abs(state.engine.affinity) / 2))  # (1 − exp(−|a|/2)) / |s|

    def __call__(self, X: FloatArray) -> FloatArray:
        """ΘX."""
        return self._theta * X

    def excess(self, X: FloatArray) -> Derivatives:
        """p → (L⁽ᵖ⁾(0) − L⁽ᵖ⁾(−a)) ΘX / s for p ≥ 0, free of cancellation and of exp(|a|).

        L⁽ᵖ⁾(−a) has 2⁻ᵖ exp(−a/2) F and (−2)⁻ᵖ exp(a/2) B; detailed balance turns the larger one
        into an adjoint, exp(a/2) BΘ = (FΘ)† = −ΘB.
        """
        odd, even = self._moves(self._theta * X)
        odd_X, even_X = self._moves(X)
        if self._engine:
            direct, mirrored = even + odd, self._theta * (even_X - odd_X)
            return lambda p: self._gain / 2**p * (direct + (-1) ** p * mirrored)
        direct, mirrored = even - odd, self._theta * (even_X + odd_X)
        return lambda p: -self._gain / 2**p * ((-1) ** p * direct + mirrored)
