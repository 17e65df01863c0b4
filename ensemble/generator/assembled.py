"""The generator of one engine as sparse matrices, which can be factorised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.generator.liouvillian import Liouvillian, liouvillian
from ensemble.generator.sector import Sector


@dataclass(frozen=True, eq=False)
class Assembled:
    """L of one engine on a sector, stored; `Stencil` applies the same L without storing it.

    Attributes
    ----------
    liouvillian : Liouvillian
        The five parts that L is a sum of, with their sparsity pattern.
    values : ndarray, shape (nnz,)
        Stored elements of L on that pattern.
    """

    liouvillian: Liouvillian
    values: FloatArray

    @classmethod
    def of(cls, engine: Engine, sector: Sector, *, detuned: bool = False) -> Assembled:
        """The block of L on a sector, which may be truncated; without the detuning, if any."""
        parts = liouvillian(*engine.levels, sector.coherence_order, sector.cut_1, sector.cut_2)
        return cls(parts, parts.values(engine, detuned=detuned))

    @property
    def sector(self) -> Sector:
        """The sector that L acts on."""
        return self.liouvillian.sector

    @cached_property
    def matrix(self) -> sparse.csc_array:
        """L."""
        return self.liouvillian.matrix(self.values)

    @cached_property
    def magnitude(self) -> sparse.csc_array:
        """|L|, the absolute values of all elements."""
        return self.liouvillian.matrix(np.abs(self.values))

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self.matrix @ x

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x."""
        return self.magnitude @ x

    def jump(self, part: int) -> sparse.csc_array:
        """The jump term ρ → S ρ S† of a dissipator part, per unit of its rate."""
        return self.liouvillian.jump(part)

    def hop_anticommutator(self) -> sparse.csc_array:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺)."""
        return self.liouvillian.hop_anticommutator()
