"""The symmetry sector that holds the stationary state and every observable of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def ladder(k: IntArray, top: int) -> FloatArray:
    """Matrix element ⟨k−1|S⁻|k⟩ = √(k (top − k + 1)) of a spin top/2; 0 outside 1 ≤ k ≤ top."""
    return np.sqrt(np.maximum(k * (top + 1.0 - k), 0.0))


@dataclass(frozen=True)
class Sector:
    r"""Elements ⟨k₁, k₂| ρ |k₁+q, k₂−q⟩ with coherence order 0 ≤ q ≤ ``coherence_order``.

    The generator conserves (k₁+k₂) of the ket minus that of the bra, so these elements form a
    closed set.  In the gauge |k₁,k₂⟩ → i^{k₁} |k₁,k₂⟩ they are real and ρ is symmetric: q ≥ 0
    suffices, Σ_q (n₁+1−q)(n₂+1−q) ≈ N³/3 real numbers.

    Parameters
    ----------
    n_1, n_2 : int
        Highest excitation numbers 2S₁ and 2S₂.
    coherence_order : int, optional
        Highest q kept; min(n₁, n₂), which keeps everything, by default.

    Attributes
    ----------
    k_1, k_2, q : ndarray of int, shape (size,)
        Quantum numbers of the ket, and the coherence order, of each element.

    Examples
    --------
    >>> Sector(1, 1).size
    5
    """

    n_1: int
    n_2: int
    coherence_order: int = -1
    k_1: IntArray = field(init=False, repr=False, compare=False)
    k_2: IntArray = field(init=False, repr=False, compare=False)
    q: IntArray = field(init=False, repr=False, compare=False)
    _start: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        highest = min(self.n_1, self.n_2)
        order = highest if self.coherence_order < 0 else min(self.coherence_order, highest)
        grids = [
            np.meshgrid(np.arange(self.n_1 + 1 - q), np.arange(q, self.n_2 + 1), indexing="ij")
            for q in range(order + 1)
        ]
        sizes = [k_1.size for k_1, _ in grids]
        object.__setattr__(self, "coherence_order", order)
        object.__setattr__(self, "k_1", np.concatenate([k_1.ravel() for k_1, _ in grids]))
        object.__setattr__(self, "k_2", np.concatenate([k_2.ravel() for _, k_2 in grids]))
        object.__setattr__(self, "q", np.repeat(np.arange(order + 1), sizes))
        object.__setattr__(self, "_start", np.concatenate([[0], np.cumsum(sizes)]))

    @property
    def size(self) -> int:
        """Number of real unknowns."""
        return self.q.size

    def index(self, k_1: IntArray, k_2: IntArray, q: IntArray) -> IntArray:
        """Positions of the elements ⟨k₁, k₂| · |k₁+q, k₂−q⟩, all of which must be in the sector."""
        width = self.n_2 + 1 - q
        return self._start[q] + k_1 * width + (k_2 - q)

    @property
    def trace(self) -> FloatArray:
        """Row vector t with Tr ρ = t · ρ."""
        return (self.q == 0).astype(float)

    @property
    def hop(self) -> FloatArray:
        """Row vector h with Tr(S₁⁺S₂⁻ ρ) = h · ρ (the same for S₁⁻S₂⁺: ρ is symmetric)."""
        amplitude = ladder(self.k_1 + 1, self.n_1) * ladder(self.k_2, self.n_2)
        return np.where(self.q == 1, amplitude, 0.0)

    def thermal(self, log_ratio_1: float, log_ratio_2: float) -> FloatArray:
        """Product state ∝ exp(−k₁ l₁ − k₂ l₂), scaled so that its largest element is 1."""
        exponent = -self.k_1 * log_ratio_1 - self.k_2 * log_ratio_2
        populations = self.q == 0
        return np.where(populations, np.exp(exponent - exponent[populations].max()), 0.0)
