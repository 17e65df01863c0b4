"""What every form of the generator of one engine can do, assembled or not."""

from __future__ import annotations

from typing import Protocol

from ensemble.arrays import ComplexArray, FloatArray, IntArray


class LinearMap(Protocol):
    """A linear map of the elements of a sector, applied by ``map @ x``."""

    def __matmul__(self, x: FloatArray) -> FloatArray: ...


class Elements(Protocol):
    """The elements of ρ that a generator acts on, in the real gauge of `Sector`.

    Attributes
    ----------
    n_1, n_2 : int
        Highest numbers of excitations.
    coherence_order : int
        Highest q kept.
    size : int
        Number of elements.
    k_1, k_2, q : ndarray of int, shape (size,)
        Excitations of the ket, and the order of coherence.
    trace, hop : ndarray, shape (size,)
        Row vectors of the trace and of S₁⁺S₂⁻.
    """

    @property
    def n_1(self) -> int: ...
    @property
    def n_2(self) -> int: ...
    @property
    def coherence_order(self) -> int: ...
    @property
    def k_1(self) -> IntArray: ...
    @property
    def k_2(self) -> IntArray: ...
    @property
    def q(self) -> IntArray: ...
    @property
    def size(self) -> int: ...
    @property
    def trace(self) -> FloatArray: ...
    @property
    def hop(self) -> FloatArray: ...

    @property
    def real(self) -> Elements:
        """The elements that are real numbers: all, but for the imaginary parts of a detuned one."""
        ...

    def complex_elements(self, x: FloatArray) -> FloatArray | ComplexArray:
        """The elements with q ≥ 0 themselves."""
        ...

    def log_weight(self, log_ratio_1: float, log_ratio_2: float) -> FloatArray:
        """ln √(ρ₀(ket) ρ₀(bra)) of the product state, up to a constant."""
        ...


class Generator(Protocol):
    """The generator L of one engine on a sector.

    Attributes
    ----------
    sector : Elements
    """

    @property
    def sector(self) -> Elements: ...

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
