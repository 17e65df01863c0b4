"""One unit vector and its bath at N → ∞: matrix elements between the modes of a thermal reference.

In the high-temperature scaling a collective spin becomes a unit vector m, and its bath the
Fokker–Planck generator of a density f(m)

    D f = Γ₀ y (Rₓ² + R_y²) f + (Γ₀ ν/2) ∂_z-drift,   stationary at f ∝ exp(−b z/2),  b = ν/y,

with R the generators of rotations, y = T/E and ν = 2S/N.  Densities are written f = exp(−cz) g with
c = b̃/4 and a reference b̃.  With b̃ = b the generator of g is symmetric, and its eigenfunctions are
the natural basis: a few of them represent the state of an arbitrarily cold bath, for which about √b
spherical harmonics would be needed.  If the other spin heats a spin far above its own bath, a
smaller b̃ is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.errors import Unsolvable

MOST_HARMONICS = 900
"""Spherical harmonics of one order that a bath may need: 6√b̃ of them, hence T/E > 5e-5."""
MARGIN = 8
"""Harmonics beyond the estimate, doubled until the modes are resolved."""
RESOLVED = 1e-14
"""Largest coefficient of a mode at the highest harmonic: beyond it there is only rounding."""


@dataclass(frozen=True, eq=False)
class BathModes:
    r"""Matrix elements between the modes of the reference, order μ = 0 … M of the azimuth.

    The modes of order μ are the eigenfunctions, slowest first, of

    .. math:: H = L^2 - L_z^2 + c^2 (1 - z^2) + 2 c z, \qquad c = \tilde b / 4,

    which is -D/(Γ₀y) for b̃ = b, in the basis of normalised spherical harmonics.

    Attributes
    ----------
    reference : float
        b̃ ≥ 0.
    harmonics : int
        Highest degree l of the spherical harmonics behind the modes.
    rates : ndarray, shape (M + 1, K)
        Eigenvalues of H; the first one at μ = 0 belongs to the reference state and is 0.
    drift : ndarray, shape (M + 1, K, K)
        W = −2z + (1 − z²)(∂_z − c): what the bath adds per unit of Γ₀y(b − b̃)/2.
    z : ndarray, shape (M + 1, K, K)
    square : ndarray, shape (K,)
        Row 0 of z² at μ = 0, from the harmonics: the average of z² is its product with a density.
    raising : ndarray, shape (M, K, K)
        mˣ + i mʸ from order μ to μ + 1.
    rotation : ndarray, shape (M, K, K)
        Lₓ + i L_y from order μ to μ + 1.
    vectors : ndarray, shape (M + 1, n, K)
        The modes in spherical harmonics l = μ … μ + n − 1.
    """

    reference: float
    harmonics: int
    rates: FloatArray
    drift: FloatArray
    z: FloatArray
    square: FloatArray
    raising: FloatArray
    rotation: FloatArray
    vectors: FloatArray

    @classmethod
    @lru_cache(maxsize=16)  # neighbours in a sweep share baths
    def of(cls, reference: float, *, modes: int, orders: int) -> BathModes:
        """The first ``modes`` modes at each of the orders 0 … ``orders``.

        Raises
        ------
        Unsolvable
            If they need more than ``MOST_HARMONICS``.
        """
        margin = MARGIN
        while True:
            n = _harmonics_needed(reference, modes, margin)
            rates, vectors = _eigenmodes(reference, n, modes, orders)
            if np.abs(vectors[:, -2:]).max() <= RESOLVED:
                break
            margin = 2 * margin
        mu, degree, z_up = _harmonics(n, orders)
        c = reference / 4
        z = _between(vectors, _off_diagonal(z_up), vectors)
        # (1 − z²)∂_z takes Y_l to −l z_{l+1} Y_{l+1} + (l + 1) z_l Y_{l−1}.
        outside = _one_minus_z2(n, orders)
        square = -vectors[0, :, 0] @ outside[0] @ vectors[0]
        square[0] += 1.0
        derivative = np.zeros((orders + 1, n, n))
        i = np.arange(n - 1)
        derivative[:, i + 1, i] = -degree[:, :-1] * z_up
        derivative[:, i, i + 1] = (degree[:, 1:] + 1) * z_up
        drift = _between(vectors, derivative - c * outside, vectors) - 2 * z
        drift[0, 0] = 0.0  # the drift conserves probability
        low, l_0 = mu[:-1], degree[:-1]
        raising = np.zeros((orders, n, n))
        rotation = np.zeros((orders, n, n))
        # Row i at order μ + 1 is the degree μ + 1 + i, column i at order μ the degree μ + i.
        k = np.arange(n)
        raising[:, k, k] = -np.sqrt(
            (l_0 + low + 1) * (l_0 + low + 2) / ((2 * l_0 + 1) * (2 * l_0 + 3))
        )
        lower = (l_0 - low) * (l_0 - low - 1) / ((2 * l_0 - 1) * (2 * l_0 + 1))
        raising[:, k[:-2], k[2:]] = np.sqrt(lower[:, 2:])
        rotation[:, k[:-1], k[1:]] = np.sqrt((l_0 - low) * (l_0 + low + 1))[:, 1:]
        return cls(
            reference=reference,
            harmonics=n - 1 + orders,
            rates=rates,
            drift=drift,
            z=z,
            square=square,
            raising=_between(vectors[1:], raising, vectors[:-1]),
            rotation=_between(vectors[1:], rotation, vectors[:-1]),
            vectors=vectors,
        )


def work_of(reference: float, modes: int, orders: int) -> float:
    """Multiplications that ``BathModes.of`` takes, in the unit of those of an LU factorisation.

    Dense eigenproblems, of which each multiplication takes about three times as long.

    Raises
    ------
    Unsolvable
        If the modes need more than ``MOST_HARMONICS``.
    """
    return 30.0 * _harmonics_needed(reference, modes, MARGIN) ** 3 * (orders + 1)


def _harmonics_needed(reference: float, modes: int, margin: int) -> int:
    n = modes + margin + 6 * np.sqrt(reference)
    if not n <= MOST_HARMONICS:
        raise Unsolvable(
            f"modes of a bath at νE/T = {reference:.1e} need {n:.0f} spherical harmonics, and at "
            f"most {MOST_HARMONICS} are taken: raise the temperatures, lower ω₀/Γ₀, or use method "
            "exact at finite N"
        )
    return int(n)


def _harmonics(n: int, orders: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """μ, shape (M + 1, 1); degrees l = μ … μ + n − 1; and ⟨l + 1|z|l⟩, shape (M + 1, n − 1)."""
    mu = np.arange(orders + 1.0)[:, np.newaxis]
    degree = mu + np.arange(n)
    l_0 = degree[:, :-1]
    return mu, degree, np.sqrt(((l_0 + 1) ** 2 - mu**2) / ((2 * l_0 + 1) * (2 * l_0 + 3)))


def _off_diagonal(z_up: FloatArray) -> FloatArray:
    """The matrix of z from ⟨l + 1|z|l⟩."""
    orders, n = z_up.shape[0], z_up.shape[1] + 1
    matrix = np.zeros((orders, n, n))
    i = np.arange(n - 1)
    matrix[:, i, i + 1] = matrix[:, i + 1, i] = z_up
    return matrix


def _one_minus_z2(n: int, orders: int) -> FloatArray:
    """1 − z² between the first n harmonics of every order, with nothing cut off."""
    z = _off_diagonal(_harmonics(n + 1, orders)[2])
    return np.asarray(np.eye(n) - (z @ z)[:, :n, :n])


def _eigenmodes(reference: float, n: int, modes: int, orders: int) -> tuple[FloatArray, FloatArray]:
    mu, degree, z_up = _harmonics(n, orders)
    c = reference / 4
    H = c**2 * _one_minus_z2(n, orders) + 2 * c * _off_diagonal(z_up)
    i = np.arange(n)
    H[:, i, i] += degree * (degree + 1) - mu**2
    values, vectors = np.linalg.eigh(H)
    rates = values[:, :modes].copy()
    rates[0, 0] = 0.0
    vectors = vectors[:, :, :modes].copy()
    # The first mode of order 0, exp(−cz), is made positive, as averages assume.
    vectors[0, :, 0] *= np.sign(vectors[0, 0, 0])
    return rates, vectors


def _between(left: FloatArray, matrix: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(left.swapaxes(-1, -2) @ matrix @ right)
