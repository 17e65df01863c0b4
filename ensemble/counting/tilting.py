r"""The generator that counts quanta: its derivatives, at a bath or at the drive.

The tilted generator L(χ) gives the quanta that pass from hot to cold in a time t the moment
generating function ⟨exp(χn)⟩ = Tr exp(L(χ)t) ρ.  Where they are counted does not matter at long
times.  With L⁽ᵖ⁾ the p-th derivative at χ = 0:

.. math:: \text{hot bath:}\quad
              & L(\chi) = L + (e^{\chi} - 1)\,\gamma_\uparrow S^+ \cdot S^-
                + (e^{-\chi} - 1)\,\gamma_\downarrow S^- \cdot S^+, \\
          \text{cold bath:}\quad & \text{the same with } \chi \to -\chi, \\
          \text{drive:}\quad
              & L(\chi) = L + (e^{\chi/2} - 1)\,F + (e^{-\chi/2} - 1)\,B,

with F and B the terms of the drive that move a quantum forward, from hot to cold, and back.  They
act on ket or bra, hence half a count each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.errors import InvalidInput
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1, UP_2
from ensemble.steady.state import Stationary

BathName = Literal["hot", "cold"]

Derivatives = Callable[[int], FloatArray]
"""p → L⁽ᵖ⁾x for one x, p ≥ 1: only the parity of p and a factor change, so x is acted on once."""


def at_bath(state: Stationary, bath: BathName) -> Callable[[FloatArray], Derivatives]:
    """Derivatives of the generator tilted at a bath: L⁽ᵖ⁾ = (±1)ᵖ (γ↑ S⁺·S⁻ + (−1)ᵖ γ↓ S⁻·S⁺)."""
    if bath not in get_args(BathName):
        raise InvalidInput(
            f"bath must be one of {', '.join(get_args(BathName))}, but is {bath!r}: "
            "leave it out to count at the drive"
        )
    generator, hot = state.generator, bath == "hot"
    rates = state.engine.hot if hot else state.engine.cold
    up = generator.jump(UP_2 if hot else UP_1)
    down = generator.jump(DOWN_2 if hot else DOWN_1)

    def act(x: FloatArray) -> Derivatives:
        absorbed, emitted = rates.gamma_up * (up @ x), rates.gamma_down * (down @ x)
        # A quantum that the hot bath gives counts +1, and so does one that the cold bath takes.
        given = absorbed - emitted if hot else emitted - absorbed
        exchanged = absorbed + emitted
        return lambda p: given if p % 2 else exchanged

    return act


def at_drive(state: Stationary) -> Callable[[FloatArray], Derivatives]:
    """Derivatives of the generator tilted at the drive: L⁽ᵖ⁾ = 2⁻ᵖ (F + (−1)ᵖ B)."""
    moves = Moves(state)

    def act(x: FloatArray) -> Derivatives:
        odd, even = moves(x)
        return lambda p: (odd if p % 2 else even) * 2.0 ** (1 - p)

    return act


class Moves:
    """The halves (F − B)/2 = −ω₀ ½{X, ·} and (F + B)/2 = −½i[V, ·] of the drive's terms.

    F lowers 2 k₂ − q, the sum of k₂ over ket and bra, by one and B raises it; in the real gauge
    every element of F is negative and every one of B positive.  So the second half is the first
    with signs that depend on that number alone, and only {X, ·} has to be applied.
    """

    def __init__(self, state: Stationary) -> None:
        sector = state.generator.sector
        number = 2 * sector.k_2 - sector.q
        self._anticommutator = state.generator.hop_anticommutator()
        self._drive = state.engine.drive
        self._before = np.where(number // 2 % 2, -1.0, 1.0)
        self._after = np.where(number % 2, self._before, -self._before)

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.odd(x), self.even(x)

    def odd(self, x: FloatArray) -> FloatArray:
        """(F − B)x/2, the first derivative of the generator tilted at the drive."""
        return -self._drive * (self._anticommutator @ x)

    def even(self, x: FloatArray) -> FloatArray:
        """(F + B)x/2, twice its second derivative."""
        return self._drive * self._after * (self._anticommutator @ (self._before * x))


def respond(state: Stationary, terms: list[FloatArray]) -> tuple[FloatArray, float]:
    """Response to a sum of terms; its residual is relative to them, in case they cancel."""
    return state.respond(np.sum(terms, axis=0), magnitude=float(np.abs(terms).sum()))
