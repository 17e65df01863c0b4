"""The sector of a detuned engine: real and imaginary parts of the coherences."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ensemble.arrays import ComplexArray, FloatArray, IntArray
from ensemble.generator.sector import Sector


@dataclass(frozen=True)
class DetunedSector(Sector):
    """Elements ⟨k₁, k₂| ρ |k₁+q, k₂−q⟩, which are complex in the gauge of `Sector`.

    First come the real parts with q ≥ 0, in the order of `Sector`, then the imaginary parts with
    q ≥ 1.  The real part of ρ is symmetric and its imaginary part antisymmetric: that of the
    populations is 0, and elements with q < 0 follow from those with q > 0.

    Attributes
    ----------
    coherences : ndarray of int
        Positions in ``real`` of the elements that have an imaginary part.

    Examples
    --------
    >>> Sector(1, 1).size, DetunedSector(1, 1).size
    (5, 6)
    """

    _real: Sector = field(init=False, repr=False, compare=False)
    coherences: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        real = Sector(self.n_1, self.n_2, self.coherence_order, self.cut_1, self.cut_2)
        coherences = np.flatnonzero(real.q > 0)
        set_field = object.__setattr__  # the instance is frozen
        set_field(self, "_real", real)
        set_field(self, "coherences", coherences)
        for name in ("k_1", "k_2", "q"):
            numbers = getattr(real, name)
            set_field(self, name, np.concatenate([numbers, numbers[coherences]]))

    @property
    def real(self) -> Sector:
        """The sector of the real parts."""
        return self._real

    @property
    def hop(self) -> FloatArray:
        """Row vector h with Re Tr(S₁⁺S₂⁻ρ) = h · ρ."""
        return np.concatenate([self.real.hop, np.zeros(self.coherences.size)])

    @property
    def imaginary_hop(self) -> FloatArray:
        """Row vector h with Im Tr(S₁⁺S₂⁻ρ) = h · ρ, in the gauge |k₁,k₂⟩ → i^{k₁} |k₁,k₂⟩."""
        return np.concatenate([np.zeros(self.real.size), self.real.hop[self.coherences]])

    def complex_elements(self, x: FloatArray) -> ComplexArray:
        """The complex elements with q ≥ 0."""
        size = self.real.size
        found: ComplexArray = x[:size].astype(complex)
        found[self.coherences] += 1j * x[size:]
        return found
