"""The generator of a detuned engine as sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray
from ensemble.detuned.sector import DetunedSector
from ensemble.engine import Engine
from ensemble.generator.assembled import Assembled


@dataclass(frozen=True, eq=False)
class DetunedGenerator:
    r"""L of an engine whose drive is off resonance by δ.

    .. math:: \frac{d}{dt} \mathrm{Re}\,\rho_q = L_0\, \mathrm{Re}\,\rho_q
              - \delta q\, \mathrm{Im}\,\rho_q, \qquad
              \frac{d}{dt} \mathrm{Im}\,\rho_q = L_0\, \mathrm{Im}\,\rho_q
              + \delta q\, \mathrm{Re}\,\rho_q

    with L₀ the resonant generator, which is real.  For the imaginary parts, which are
    antisymmetric, it has no terms from and to q = 0.

    Attributes
    ----------
    sector : DetunedSector
    resonant : Assembled
        L₀ on the real parts.
    detuning : float
        δ.
    """

    sector: DetunedSector
    resonant: Assembled
    detuning: float

    @classmethod
    def of(cls, engine: Engine, sector: DetunedSector) -> DetunedGenerator:
        """The generator of an engine on a complete sector."""
        return cls(sector, Assembled.of(engine, sector.real, detuned=True), engine.detuning)

    def _on_both(self, matrix: sparse.csc_array) -> sparse.csc_array:
        """A real map on real and imaginary parts."""
        kept = self.sector.coherences
        return sparse.csc_array(sparse.block_diag([matrix, matrix[kept][:, kept]], format="csc"))

    @cached_property
    def matrix(self) -> sparse.csc_array:
        """L."""
        real, kept = self.sector.real, self.sector.coherences
        turned = self.detuning * real.q[kept]
        imaginary = real.size + np.arange(kept.size)
        rows, columns = np.concatenate([kept, imaginary]), np.concatenate([imaginary, kept])
        values = np.concatenate([-turned, turned])
        rotation = sparse.csc_array(
            (values, (rows, columns)), shape=(self.sector.size, self.sector.size)
        )
        return sparse.csc_array(self._on_both(self.resonant.matrix) + rotation)

    @cached_property
    def magnitude(self) -> sparse.csc_array:
        """|L|, the absolute values of all elements."""
        return abs(self.matrix)

    def apply(self, x: FloatArray) -> FloatArray:
        """L x."""
        return self.matrix @ x

    def apply_magnitude(self, x: FloatArray) -> FloatArray:
        """|L| x."""
        return self.magnitude @ x

    def jump(self, part: int) -> sparse.csc_array:
        """The jump term ρ → S ρ S† of a dissipator part, per unit of its rate."""
        return self._on_both(self.resonant.jump(part))

    def hop_anticommutator(self) -> sparse.csc_array:
        """ρ → ½{X, ρ} with X = ½ (S₁⁺S₂⁻ + S₁⁻S₂⁺)."""
        return self._on_both(self.resonant.hop_anticommutator())
