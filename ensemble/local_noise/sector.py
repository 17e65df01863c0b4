"""The elements of two ensembles of spins ½ that hold the stationary state with local noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ensemble.arrays import FloatArray, IntArray
from ensemble.generator.sector import ladder
from ensemble.local_noise.spins import SpinBasis, log_multiplicity


@dataclass(frozen=True)
class SpinSector:
    r"""Elements |J₁,k₁; J₂,k₂⟩⟨J₁,k₁+q; J₂,k₂−q| of all total spins, 0 ≤ q ≤ ``coherence_order``.

    As in ``ensemble/generator/sector.py`` they are real if |k₁⟩ has k₁ factors of i, and the
    state is symmetric.  The elements of one q form a matrix: its rows are those of ensemble 1, its
    columns those of ensemble 2, each a `~ensemble.local_noise.spins.SpinBasis`: what acts on one
    ensemble is a matrix product from one side.  There are about (N+2)⁵/80 elements.

    Parameters
    ----------
    n_1, n_2 : int
        Numbers of spins ½.
    coherence_order : int, optional
        Highest q kept; all by default.

    Attributes
    ----------
    q, k_1, k_2, j_1, j_2 : ndarray of int, shape (size,)
        Order of coherence, excited spins of the ket, and 2J of each element.

    Examples
    --------
    >>> SpinSector(1, 1).size, SpinSector(2, 2).size, SpinSector(10, 10).size
    (5, 21, 3759)
    """

    n_1: int
    n_2: int
    coherence_order: int = -1
    bases_1: list[SpinBasis] = field(init=False, repr=False, compare=False)
    bases_2: list[SpinBasis] = field(init=False, repr=False, compare=False)
    start: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the instance is frozen
        highest = min(self.n_1, self.n_2)
        order = highest if self.coherence_order < 0 else min(self.coherence_order, highest)
        set_field(self, "coherence_order", order)
        for name, n in (("bases_1", self.n_1), ("bases_2", self.n_2)):
            set_field(self, name, [SpinBasis(n, q) for q in range(order + 1)])
        sizes = [int(np.prod(self.shape(q))) for q in range(order + 1)]
        set_field(self, "start", np.concatenate([[0], np.cumsum(sizes)]))

    def shape(self, q: int) -> tuple[int, int]:
        """Shape of the matrix of one coherence order."""
        return self.bases_1[q].size, self.bases_2[q].size

    def block(self, x: FloatArray, q: int) -> FloatArray:
        """The part of a vector with one coherence order, as a (writable) matrix."""
        return x[self.start[q] : self.start[q + 1]].reshape(self.shape(q))

    @property
    def size(self) -> int:
        """Number of real unknowns."""
        return int(self.start[-1])

    @property
    def complete(self) -> bool:
        """Whether no coherence is left out."""
        return self.coherence_order == min(self.n_1, self.n_2)

    def padded(self) -> SpinSector:
        """The sector with one order more, if there is one: all that the generator reaches."""
        return SpinSector(self.n_1, self.n_2, self.coherence_order + 1)

    def positions_in(self, larger: SpinSector) -> IntArray:
        """Indices of this sector's elements in one with more orders: the first ones."""
        return np.arange(self.size)

    @cached_property
    def q(self) -> IntArray:
        """Order of coherence."""
        return np.repeat(np.arange(self.coherence_order + 1), np.diff(self.start))

    @cached_property
    def k_1(self) -> IntArray:
        """Excited spins of ensemble 1 in the ket."""
        return self._rows([basis.low for basis in self.bases_1])

    @cached_property
    def k_2(self) -> IntArray:
        """Excited spins of ensemble 2 in the ket."""
        return self._columns([basis.low + basis.q for basis in self.bases_2])

    @cached_property
    def j_1(self) -> IntArray:
        """2J₁."""
        return self._rows([basis.j for basis in self.bases_1])

    @cached_property
    def j_2(self) -> IntArray:
        """2J₂."""
        return self._columns([basis.j for basis in self.bases_2])

    def _rows(self, of_bases: list[IntArray]) -> IntArray:
        widths = [basis.size for basis in self.bases_2]
        pairs = zip(of_bases, widths, strict=True)
        return np.concatenate([np.repeat(numbers, width) for numbers, width in pairs])

    def _columns(self, of_bases: list[IntArray]) -> IntArray:
        heights = [basis.size for basis in self.bases_1]
        pairs = zip(of_bases, heights, strict=True)
        return np.concatenate([np.tile(numbers, height) for numbers, height in pairs])

    @cached_property
    def trace(self) -> FloatArray:
        """Row vector t with Tr ρ = t · ρ."""
        return (self.q == 0).astype(float)

    @cached_property
    def hop(self) -> FloatArray:
        """Row vector h with Tr(S₁⁺S₂⁻ ρ) = h · ρ (the same for S₁⁻S₂⁺: ρ is symmetric)."""
        steps_1 = self.k_1 - (self.n_1 - self.j_1) // 2
        steps_2 = self.k_2 - (self.n_2 - self.j_2) // 2
        amplitude = ladder(steps_1 + 1, self.j_1) * ladder(steps_2, self.j_2)
        return np.where(self.q == 1, amplitude, 0.0)

    @property
    def real(self) -> SpinSector:
        """All elements are real."""
        return self

    def complex_elements(self, x: FloatArray) -> FloatArray:
        """The elements themselves, which are real."""
        return x

    def log_weight(self, log_ratio_1: float, log_ratio_2: float) -> FloatArray:
        """ln √(ρ₀(ket) ρ₀(bra)) of the product state ρ₀ ∝ exp(−k₁l₁ − k₂l₂), d_J summed over."""
        exponent = -(self.k_1 + self.q / 2) * log_ratio_1
        exponent -= (self.k_2 - self.q / 2) * log_ratio_2
        exponent += log_multiplicity(self.n_1, self.j_1) + log_multiplicity(self.n_2, self.j_2)
        return exponent

    def thermal(self, log_ratio_1: float, log_ratio_2: float) -> FloatArray:
        """Product state ∝ exp(−k₁ l₁ − k₂ l₂), scaled so that its largest element is 1."""
        exponent = self.log_weight(log_ratio_1, log_ratio_2)
        populations = self.q == 0
        return np.where(populations, np.exp(exponent - exponent[populations].max()), 0.0)


def spin_sector_size(n_1: ArrayLike, n_2: ArrayLike) -> FloatArray:
    """Unknowns of the complete sector, for numbers or arrays of numbers of spins.

    Examples
    --------
    >>> spin_sector_size([1, 2, 10, 20], [1, 2, 10, 20]).tolist()
    [5.0, 21.0, 3759.0, 71742.0]
    """
    n_1, n_2 = np.broadcast_arrays(np.asarray(n_1, dtype=float), np.asarray(n_2, dtype=float))
    total = np.zeros(n_1.shape)
    for q in range(int(np.minimum(n_1, n_2).max(initial=0)) + 1):
        total += _elements(n_1, q) * _elements(n_2, q)
    return total


def _elements(n: FloatArray, q: int) -> FloatArray:
    """Σ (2J + 1 − q) over 2J = n, n − 2, … ≥ q."""
    terms = np.maximum(np.floor((n - q) / 2) + 1, 0)
    return terms * (n + 1 - q) - terms * (terms - 1)
