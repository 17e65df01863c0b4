"""The symmetry sector that holds the stationary state and every observable of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ensemble.arrays import ComplexArray, FloatArray, IntArray


def ladder(k: IntArray, top: int | IntArray) -> FloatArray:
    """Matrix element ⟨k−1|S⁻|k⟩ = √(k (top − k + 1)) of a spin top/2; 0 outside 1 ≤ k ≤ top."""
    return np.sqrt(np.maximum(k * (top + 1.0 - k), 0.0))


@dataclass(frozen=True)
class Sector:
    r"""Elements ⟨k₁, k₂| ρ |k₁+q, k₂−q⟩ with coherence order 0 ≤ q ≤ ``coherence_order``.

    The generator conserves (k₁+k₂) of the ket minus that of the bra, so these elements form a
    closed set.  In the gauge |k₁,k₂⟩ → i^{k₁} |k₁,k₂⟩ they are real and ρ is symmetric: q ≥ 0
    suffices, Σ_q (n₁+1−q)(n₂+1−q) ≈ N³/3 real numbers.  A sector may be truncated, in q and in
    the excitation numbers of ket and bra.

    Parameters
    ----------
    n_1, n_2 : int
        Highest excitation numbers 2S₁ and 2S₂.
    coherence_order : int, optional
        Highest q kept; all by default.
    cut_1, cut_2 : int, optional
        Highest excitation numbers kept; n₁ and n₂ by default.

    Attributes
    ----------
    k_1, k_2, q : ndarray of int, shape (size,)
        Quantum numbers of the ket, and the coherence order, of each element.

    Examples
    --------
    >>> Sector(1, 1).size, Sector(4, 4, coherence_order=1).size
    (5, 41)
    """

    n_1: int
    n_2: int
    coherence_order: int = -1
    cut_1: int = -1
    cut_2: int = -1
    k_1: IntArray = field(init=False, repr=False, compare=False)
    k_2: IntArray = field(init=False, repr=False, compare=False)
    q: IntArray = field(init=False, repr=False, compare=False)
    start: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the instance is frozen
        for name, limit in (("cut_1", self.n_1), ("cut_2", self.n_2)):
            cut = getattr(self, name)
            set_field(self, name, limit if cut < 0 else min(cut, limit))
        highest = min(self.cut_1, self.cut_2)
        order = highest if self.coherence_order < 0 else min(self.coherence_order, highest)
        grids = [
            np.meshgrid(np.arange(rows), np.arange(q, q + columns), indexing="ij")
            for q, (rows, columns) in ((q, self.shape(q)) for q in range(order + 1))
        ]
        sizes = [k_1.size for k_1, _ in grids]
        set_field(self, "coherence_order", order)
        set_field(self, "k_1", np.concatenate([k_1.ravel() for k_1, _ in grids]))
        set_field(self, "k_2", np.concatenate([k_2.ravel() for _, k_2 in grids]))
        set_field(self, "q", np.repeat(np.arange(order + 1), sizes))
        set_field(self, "start", np.concatenate([[0], np.cumsum(sizes)]))

    def shape(self, q: int) -> tuple[int, int]:
        """Shape of the block of one coherence order: rows k₁ = 0…, columns k₂ = q…"""
        return self.cut_1 + 1 - q, self.cut_2 + 1 - q

    def block(self, x: FloatArray, q: int) -> FloatArray:
        """The part of a vector with one coherence order, as a (writable) matrix."""
        return x[self.start[q] : self.start[q + 1]].reshape(self.shape(q))

    @property
    def complete(self) -> bool:
        """Whether nothing is truncated."""
        limits = (self.n_1, self.n_2, min(self.n_1, self.n_2))
        return (self.cut_1, self.cut_2, self.coherence_order) == limits

    def padded(self) -> Sector:
        """The sector one step larger wherever it is truncated: all that the generator reaches."""
        return Sector(self.n_1, self.n_2, self.coherence_order + 1, self.cut_1 + 1, self.cut_2 + 1)

    def positions_in(self, larger: Sector) -> IntArray:
        """Indices of this sector's elements in a larger one."""
        return larger.index(self.k_1, self.k_2, self.q)

    @property
    def size(self) -> int:
        """Number of real unknowns."""
        return self.q.size

    def index(self, k_1: IntArray, k_2: IntArray, q: IntArray) -> IntArray:
        """Positions of the elements ⟨k₁, k₂| · |k₁+q, k₂−q⟩, all of which must be in the sector."""
        width = self.cut_2 + 1 - q
        return self.start[q] + k_1 * width + (k_2 - q)

    @property
    def trace(self) -> FloatArray:
        """Row vector t with Tr ρ = t · ρ."""
        return (self.q == 0).astype(float)

    @property
    def hop(self) -> FloatArray:
        """Row vector h with Tr(S₁⁺S₂⁻ ρ) = h · ρ (the same for S₁⁻S₂⁺: ρ is symmetric)."""
        amplitude = ladder(self.k_1 + 1, self.n_1) * ladder(self.k_2, self.n_2)
        return np.where(self.q == 1, amplitude, 0.0)

    def log_weight(self, log_ratio_1: float, log_ratio_2: float) -> FloatArray:
        """ln √(ρ₀(ket) ρ₀(bra)) of the product state ρ₀ ∝ exp(−k₁ l₁ − k₂ l₂)."""
        exponent = -(self.k_1 + self.q / 2) * log_ratio_1
        exponent -= (self.k_2 - self.q / 2) * log_ratio_2
        return exponent

    @property
    def real(self) -> Sector:
        """The sector of the real parts: itself."""
        return self

    @property
    def imaginary_hop(self) -> FloatArray:
        """Row vector h with Im Tr(S₁⁺S₂⁻ ρ) = h · ρ in the real gauge: 0 at resonance."""
        return np.zeros(self.size)

    def complex_elements(self, x: FloatArray) -> FloatArray | ComplexArray:
        """The elements with q ≥ 0 themselves, which are real at resonance."""
        return x

    def thermal(self, log_ratio_1: float, log_ratio_2: float) -> FloatArray:
        """Product state ∝ exp(−k₁ l₁ − k₂ l₂), scaled so that its largest element is 1."""
        exponent = -self.k_1 * log_ratio_1 - self.k_2 * log_ratio_2
        populations = self.q == 0
        return np.where(populations, np.exp(exponent - exponent[populations].max()), 0.0)
