"""What every form of the generator of one engine can do, assembled or not."""

from __future__ import annotations

from typing import Protocol

from ensemble.arrays import FloatArray
from ensemble.generator.sector import Sector


class LinearMap(Protocol):
    """A linear map of the elements of a sector, applied by ``map @ x``."""

    def __matmul__(self, x: FloatArray) -> FloatArray: ...


class Generator(Protocol):
    """The generator L of one engine on a sector.

    Attributes
    ----------
    sector : Sector
    """

    @property
    def sector(self) -> Sector: ...

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        ...

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x, with the absolute values of all elements of L."""
        ...

    def jump(self, part: int) -> LinearMap:
        """The jump term ρ → S ρ S† of a dissipator part, per unit of its rate."""
        ...

    def hop_anticommutator(self) -> LinearMap:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺)."""
        ...
