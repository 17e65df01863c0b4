"""The Fokker–Planck generator of two driven unit vectors in one symmetry sector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.classical_pair import ClassicalPair


@dataclass(frozen=True, eq=False)
class PairSector:
    r"""Densities Σ x_b[k₁, k₂] |k₁, μ₁⟩ |k₂, μ₂⟩ with μ₁ + μ₂ = d, one block b per μ₁.

    The modes are those of `BathModes`; their left reference is the function 1, so that the
    element of the state with itself, x₀[0, 0] at μ₁ = μ₂ = 0, is the norm, and averages of f are
    row 0 of the matrix of f.  With m₁⁺m₂⁻ = T, ν₂L₁⁺m₂⁻ + ν₁m₁⁺L₂⁻ = U and the gauge i^{μ₁}, in
    which everything is real, the generator of the densities is

    .. math:: G = D_1 + D_2 - \tfrac{\omega_0}{4}(U - U^T)
              + \tfrac12\left(\tfrac{\tilde b_1}{\nu_1} - \tfrac{\tilde b_2}{\nu_2}\right) p, \qquad
              p = -\tfrac{\omega_0 \nu_1 \nu_2}{8}(T + T^T)

    where p is the quanta current per N; the last term comes from the reference, since the drive
    conserves ν₁m₁ᶻ + ν₂m₂ᶻ.  T raises μ₁ by one: G is block tridiagonal.

    At d = 0 the reflection y → −y splits the sector: parity +1 holds the stationary state and is
    spanned by μ₁ ≥ 0, the others at weight √2.

    Attributes
    ----------
    pair : ClassicalPair
    difference, parity : int
        d ≥ 0, and ±1 at d = 0, else 0.
    orders : ndarray of int, shape (B,)
        μ₁ of each block.
    bath_1, bath_2 : ndarray, shapes (B, K₁, K₁), (B, K₂, K₂)
        D₁ and D₂.
    z_1, z_2 : ndarray, of the same shapes
    square_1, square_2 : ndarray, shapes (K₁,), (K₂,)
        Row 0 of z₁² and z₂² at μᵢ = 0.
    raising_1, rotation_1 : ndarray, shape (B − 1, K₁, K₁)
        m₁⁺ and L₁⁺ from block b to b + 1.
    lowering_2, rotation_2 : ndarray, shape (B − 1, K₂, K₂)
        m₂⁻ and L₂⁻.
    tilt : float
        Factor of p in G.
    """

    pair: ClassicalPair
    difference: int
    parity: int
    orders: np.ndarray
    bath_1: FloatArray
    bath_2: FloatArray
    z_1: FloatArray
    z_2: FloatArray
    square_1: FloatArray
    square_2: FloatArray
    raising_1: FloatArray
    rotation_1: FloatArray
    lowering_2: FloatArray
    rotation_2: FloatArray
    tilt: float

    @classmethod
    def of(
        cls,
        pair: ClassicalPair,
        modes: tuple[BathModes, BathModes],
        *,
        difference: int = 0,
        parity: int = 1,
    ) -> PairSector:
        """The sector with all orders |μᵢ| of the modes."""
        top = min(len(mode.rates) for mode in modes) - 1
        if difference == 0:
            orders = np.arange(0 if parity == 1 else 1, top + 1)
        else:
            orders, parity = np.arange(difference - top, top + 1), 0
        first, second = modes
        D_1, D_2 = (
            rate * _decay(mode, b)
            for rate, mode, b in zip(
                (pair.rates[0] * pair.y[0], pair.rates[1] * pair.y[1]), modes, pair.b, strict=True
            )
        )
        here, there = np.abs(orders), np.abs(difference - orders)
        m_1, L_1 = _raised(first, orders[:-1])
        # Lowering μ₂ is the transpose of raising μ₂ − 1.
        m_2, L_2 = (x.swapaxes(-1, -2) for x in _raised(second, difference - orders[:-1] - 1))
        if parity == 1:
            weight = np.where(orders[:-1] == 0, np.sqrt(2), 1.0)[:, np.newaxis, np.newaxis]
            m_1, L_1 = weight * m_1, weight * L_1
        affinity = pair.affinity
        if (first.reference, second.reference) != pair.b:
            affinity = first.reference / pair.share[0] - second.reference / pair.share[1]
        return cls(
            pair=pair,
            difference=difference,
            parity=parity,
            orders=orders,
            bath_1=D_1[here],
            bath_2=D_2[there],
            z_1=first.z[here],
            z_2=second.z[there],
            square_1=first.square,
            square_2=second.square,
            raising_1=m_1,
            rotation_1=L_1,
            lowering_2=m_2,
            rotation_2=L_2,
            tilt=affinity / 2,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, K₁, K₂), the shape of a density x."""
        return (len(self.orders), self.bath_1.shape[1], self.bath_2.shape[1])

    @property
    def decay(self) -> FloatArray:
        """Diagonal of −(D₁ + D₂): decay rates of the modes, shape ``shape``."""
        first, second = (np.diagonal(D, axis1=1, axis2=2) for D in (self.bath_1, self.bath_2))
        return np.asarray(-(first[:, :, np.newaxis] + second[:, np.newaxis, :]))

    def apply(self, x: FloatArray) -> FloatArray:
        """G x."""
        y = self.bath_1 @ x + x @ self.bath_2.swapaxes(-1, -2)
        y[1:] += self._up(x)
        y[:-1] += self._down(x)
        return y

    def current(self, x: FloatArray) -> FloatArray:
        """p x."""
        y = np.zeros_like(x)
        flux = -self.pair.flux / 2
        y[1:] += flux * (self.raising_1 @ x[:-1] @ self.lowering_2.swapaxes(-1, -2))
        y[:-1] += flux * (self.raising_1.swapaxes(-1, -2) @ x[1:] @ self.lowering_2)
        return y

    def _up(self, x: FloatArray) -> FloatArray:
        """The drive's part of G from each block to the next."""
        low = x[:-1]
        m_2, L_2 = (a.swapaxes(-1, -2) for a in (self.lowering_2, self.rotation_2))
        nu_1, nu_2 = self.pair.share
        moved = self.raising_1 @ low
        turn = nu_2 * (self.rotation_1 @ low @ m_2) + nu_1 * (moved @ L_2)
        return np.asarray(
            -self.pair.drive / 4 * turn - self.tilt * self.pair.flux / 2 * (moved @ m_2)
        )

    def _down(self, x: FloatArray) -> FloatArray:
        """The drive's part of G from each block to the one before."""
        high = x[1:]
        m_1, L_1 = (a.swapaxes(-1, -2) for a in (self.raising_1, self.rotation_1))
        nu_1, nu_2 = self.pair.share
        moved = m_1 @ high
        turn = nu_2 * (L_1 @ high @ self.lowering_2) + nu_1 * (moved @ self.rotation_2)
        return np.asarray(
            self.pair.drive / 4 * turn - self.tilt * self.pair.flux / 2 * (moved @ self.lowering_2)
        )


def _decay(modes: BathModes, b: float) -> FloatArray:
    """D/(Γ₀y) of a bath b in the modes of the reference."""
    K = modes.rates.shape[1]
    diagonal = modes.rates[:, :, np.newaxis] * np.eye(K)
    if b == modes.reference:
        return -diagonal
    return (b - modes.reference) / 2 * modes.drift - diagonal


def _raised(modes: BathModes, orders: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """m⁺ and L⁺ from the orders μ to μ + 1, which may be negative.

    The reflection y → −y maps order μ to −μ, m⁺ to m⁻ with a minus sign and L⁺ to L⁻.
    """
    backward = np.abs(orders + 1)  # where μ < 0: the order |μ| − 1, from which |μ| is reached
    index = np.where(orders >= 0, orders, backward)
    negative = (orders < 0)[:, np.newaxis, np.newaxis]
    m, L = modes.raising[index], modes.rotation[index]
    return (
        np.where(negative, -m.swapaxes(-1, -2), m),
        np.where(negative, L.swapaxes(-1, -2), L),
    )
