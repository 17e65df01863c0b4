"""All symmetry sectors of the generator, in an orthonormal basis; each has decaying modes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.generator.liouvillian import coefficients
from ensemble.generator.sector import ladder
from ensemble.parameters.bath import Bath

SYMMETRIC, WHOLE, ANTISYMMETRIC = 1, 0, -1
"""Parities under ρ → ρᵀ: a sector d ≠ 0 has none, since transposing it gives the sector −d."""


@dataclass(frozen=True)
class CoherenceSector:
    r"""Elements ⟨k₁, k₂| ρ |k₁+q, k₂+d−q⟩ at one difference d of total excitations, bra minus ket.

    The generator conserves d.  The sector −d is the transpose of d, so d ≥ 0 suffices, and d = 0
    splits into a symmetric part (which holds the stationary state) and an antisymmetric one.
    Spins take the coherences d₁ = q and d₂ = d − q: Σ_q (n₁+1−|q|)(n₂+1−|d−q|) elements.

    Parameters
    ----------
    n_1, n_2 : int
        Highest excitation numbers 2S₁ and 2S₂.
    difference : int
        d, from 0 to n₁ + n₂.
    parity : {0, 1, -1}
        For d = 0: the symmetric (1) or antisymmetric (−1) part, with q ≥ 0 or q ≥ 1; 0 keeps both
        signs of q.

    Attributes
    ----------
    k_1, k_2, q : ndarray of int, shape (size,)
        Quantum numbers of the ket, and the coherence of spin 1, of each element, sorted by q.

    Raises
    ------
    InvalidInput
        If d is out of range, or a sector d ≠ 0 is asked for a parity.

    Examples
    --------
    Two spins ½ have 16 elements: 6 at d = 0, 4 at d = ±1 and 1 at d = ±2.

    >>> [CoherenceSector(1, 1, d).size for d in range(3)]
    [6, 4, 1]
    >>> [CoherenceSector(1, 1, 0, parity).size for parity in (SYMMETRIC, ANTISYMMETRIC)]
    [5, 1]
    """

    n_1: int
    n_2: int
    difference: int
    parity: int = WHOLE
    k_1: IntArray = field(init=False, repr=False, compare=False)
    k_2: IntArray = field(init=False, repr=False, compare=False)
    q: IntArray = field(init=False, repr=False, compare=False)
    _start: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        d = self.difference
        if not 0 <= d <= self.n_1 + self.n_2:
            raise InvalidInput(
                f"difference must lie between 0 and {self.n_1 + self.n_2}, but is {d}: "
                "a negative sector is the transpose of its positive twin"
            )
        if self.parity not in (SYMMETRIC, WHOLE, ANTISYMMETRIC) or (self.parity and d):
            raise InvalidInput(
                f"parity must be 0, 1 or -1, and 0 unless the difference is 0, but is "
                f"{self.parity!r} at difference {d}: leave it out"
            )
        lowest = {SYMMETRIC: 0, WHOLE: max(-self.n_1, d - self.n_2), ANTISYMMETRIC: 1}[self.parity]
        orders = range(lowest, min(self.n_1, d + self.n_2) + 1)
        grids = [
            np.meshgrid(
                np.arange(max(0, -q), self.n_1 + 1 - max(0, q)),
                np.arange(max(0, q - d), self.n_2 + 1 - max(0, d - q)),
                indexing="ij",
            )
            for q in orders
        ]
        sizes = [k_1.size for k_1, _ in grids]
        object.__setattr__(self, "k_1", np.concatenate([k_1.ravel() for k_1, _ in grids]))
        object.__setattr__(self, "k_2", np.concatenate([k_2.ravel() for _, k_2 in grids]))
        object.__setattr__(self, "q", np.repeat(orders, sizes))
        object.__setattr__(self, "_start", np.concatenate([[0], np.cumsum(sizes)]))

    @property
    def size(self) -> int:
        """Number of real unknowns."""
        return self.q.size

    def index(self, k_1: IntArray, k_2: IntArray, q: IntArray) -> IntArray:
        """Positions of elements (k₁, k₂, q), all of which must be in the sector."""
        d = self.difference
        width = self.n_2 + 1 - np.abs(d - q)
        ket_1, ket_2 = k_1 - np.maximum(0, -q), k_2 - np.maximum(0, q - d)
        return self._start[q - self.q[0]] + ket_1 * width + ket_2

    def trace(self, weight: float = 0.0) -> FloatArray:
        """Left null vector of the balanced generator: Tr ρ, with ρ = exp(−w(k₁+k₂)/2) x.

        It is scaled so that its largest element is 1, and is zero unless d = 0.
        """
        if self.difference:
            return np.zeros(self.size)
        exponent = -weight * (self.k_1 + self.k_2) / 2
        populations = self.q == 0
        return np.where(populations, np.exp(exponent - exponent.max()), 0.0)


def sectors(n_1: int, n_2: int) -> Iterator[CoherenceSector]:
    """All sectors with d ≥ 0: the two parts of d = 0 first, then d = 1 … n₁ + n₂.

    Their spectra, those of d > 0 taken twice, make up the spectrum of the whole Liouvillian.
    """
    yield CoherenceSector(n_1, n_2, 0, SYMMETRIC)
    yield CoherenceSector(n_1, n_2, 0, ANTISYMMETRIC)
    for difference in range(1, n_1 + n_2 + 1):
        yield CoherenceSector(n_1, n_2, difference)


def jump_rates(bath: Bath, weight: float) -> tuple[float, float]:
    """Balanced jump rates exp(−w/2)γ↓ and exp(w/2)γ↑, taken from the larger of γ↓ and γ↑.

    Examples
    --------
    They are equal at w = E/T, even where exp(−E/T) underflows:

    >>> jump_rates(Bath(energy=1000.0, temperature=1.0, Gamma_0=1.0), 1000.0)
    (7.124576406741286e-218, 7.124576406741286e-218)
    """
    half, ratio = weight / 2, bath.log_ratio
    if ratio >= 0:
        return bath.gamma_down * math.exp(-half), bath.gamma_down * math.exp(half - ratio)
    return bath.gamma_up * math.exp(ratio - half), bath.gamma_up * math.exp(half)


def balanced_generator(
    engine: Engine, sector: CoherenceSector, *, weight: float = 0.0
) -> sparse.csr_array:
    r"""The generator of an engine on a sector, similar to L by a positive diagonal matrix.

    .. math:: L_w = U^{-1} L\, U, \qquad
              U = e^{-w\,(k_1 + k_2 + k_1' + k_2')/4}, \qquad
              \gamma_\downarrow S^- \rho S^+ \to e^{-w/2} \gamma_\downarrow S^- x S^+, \quad
              \gamma_\uparrow S^+ \rho S^- \to e^{w/2} \gamma_\uparrow S^+ x S^-,

    with k, k' the numbers of ket and bra.  The weight belongs to a thermal product state with
    E/T = w at both baths.  It leaves the losses alone and, depending on k₁ + k₂ only, the drive
    too, which is antisymmetric.  At w = E/T of a bath that bath's dissipator is symmetric.
    Real in the gauge |k₁,k₂⟩ → i^{k₁}|k₁,k₂⟩; the basis of a sector with a parity is
    (|·⟩⟨·| ± transpose)/√2 for q > 0.

    Parameters
    ----------
    engine : Engine
    sector : CoherenceSector
        A sector of the engine's ``levels``.
    weight : float
        w; 0 gives L itself.

    Returns
    -------
    csr_array, shape (size, size)

    Raises
    ------
    InvalidInput
        If the sector belongs to other spins.
    """
    n_1, n_2 = sector.n_1, sector.n_2
    if engine.levels != (n_1, n_2):
        raise InvalidInput(
            f"the sector has levels {(n_1, n_2)}, but the engine {engine.levels}: build the "
            "sector from engine.levels"
        )
    k_1, k_2, q = sector.k_1, sector.k_2, sector.q
    bra_1, bra_2 = k_1 + q, k_2 + sector.difference - q
    ket_up_1, ket_down_1 = ladder(k_1 + 1, n_1), ladder(k_1, n_1)
    bra_up_1, bra_down_1 = ladder(bra_1 + 1, n_1), ladder(bra_1, n_1)
    ket_up_2, ket_down_2 = ladder(k_2 + 1, n_2), ladder(k_2, n_2)
    bra_up_2, bra_down_2 = ladder(bra_2 + 1, n_2), ladder(bra_2, n_2)
    half, down_1, up_1, down_2, up_2 = coefficients(engine) * [0.5, 1.0, 1.0, 1.0, 1.0]
    (fall_1, rise_1), (fall_2, rise_2) = (
        jump_rates(bath, weight) for bath in (engine.cold, engine.hot)
    )

    row = np.arange(sector.size)
    loss = (
        down_1 * (ket_down_1**2 + bra_down_1**2)
        + up_1 * (ket_up_1**2 + bra_up_1**2)
        + down_2 * (ket_down_2**2 + bra_down_2**2)
        + up_2 * (ket_up_2**2 + bra_up_2**2)
    )
    entries = [(-loss / 2, row, row)]

    def couple(value: FloatArray, step_1: int, step_2: int, step_q: int) -> None:
        """A row takes ``value`` times the element that lies these steps of (k₁, k₂, q) away."""
        if sector.parity == SYMMETRIC and step_q:
            # q = −1 and q = +1 are one basis element, of norm 1: both reach q = 0.
            value = np.where(q + min(step_q, 0) == 0, math.sqrt(2), 1.0) * value
        kept = (value != 0) & (q + step_q >= q[0])
        column = sector.index(k_1[kept] + step_1, k_2[kept] + step_2, q[kept] + step_q)
        entries.append((value[kept], row[kept], column))

    couple(fall_1 * ket_up_1 * bra_up_1, 1, 0, 0)
    couple(rise_1 * ket_down_1 * bra_down_1, -1, 0, 0)
    couple(fall_2 * ket_up_2 * bra_up_2, 0, 1, 0)
    couple(rise_2 * ket_down_2 * bra_down_2, 0, -1, 0)
    # Half of Aᵀρ − Aρ − ρAᵀ + ρA with A = S₁⁺S₂⁻.
    couple(half * ket_up_1 * ket_down_2, 1, -1, -1)
    couple(-half * ket_down_1 * ket_up_2, -1, 1, 1)
    couple(-half * bra_down_1 * bra_up_2, 0, 0, -1)
    couple(half * bra_up_1 * bra_down_2, 0, 0, 1)

    values, rows, columns = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    shape = (sector.size, sector.size)
    return sparse.coo_array((values, (rows, columns)), shape=shape).tocsr()
