"""The state of two spins ½, one of each ensemble, and the correlations in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from ensemble.arrays import ComplexArray, FloatArray
from ensemble.correlations.information import (
    Discord,
    bracketed_discord,
    coherence_divergence,
    gained_information,
    population_divergence,
)
from ensemble.errors import InvalidInput
from ensemble.steady.state import Stationary

NEGATIVITY = 1e-12
"""Eigenvalues above −NEGATIVITY are rounding: each is a sum of five correlators of order one, which
solvers keep to 1e-13.  A closure that loses positivity misses it by far more."""


@dataclass(frozen=True, kw_only=True)
class PairState:
    r"""State of one spin ½ of each ensemble, as the U(1) symmetry leaves it.

    .. math:: \rho = \tfrac14\bigl[1 + z_1\sigma_1^z + z_2\sigma_2^z + zz\,\sigma_1^z\sigma_2^z
              + xx(\sigma_1^x\sigma_2^x + \sigma_1^y\sigma_2^y)
              + xy(\sigma_1^x\sigma_2^y - \sigma_1^y\sigma_2^x)\bigr]

    It is kept as excitation probabilities and their covariance, so that no value is a difference
    of nearly equal numbers for cold baths (zᵢ → −1) or weak correlations (zz → z₁z₂).

    Parameters
    ----------
    p_1, p_2 : float
        Probabilities pᵢ = (1 + zᵢ)/2 to find spin i excited.
    covariance : float
        (zz − z₁z₂)/4 = ⟨n₁n₂⟩ − p₁p₂, with nᵢ the excitation of spin i.
    xx, xy : float
        ⟨σ₁ˣσ₂ˣ⟩ = ⟨σ₁ʸσ₂ʸ⟩ and ⟨σ₁ˣσ₂ʸ⟩ = −⟨σ₁ʸσ₂ˣ⟩.

    Raises
    ------
    InvalidInput
        If a parameter is not finite, or an eigenvalue is negative beyond rounding.

    Notes
    -----
    Entropies are in nats.  Correlations as small as 1e-150 keep full relative accuracy.

    Examples
    --------
    A singlet has a mutual information of two bits; its discord is one of them:

    >>> singlet = PairState.from_correlators(z_1=0, z_2=0, zz=-1, xx=-1)
    >>> round(singlet.mutual_information / math.log(2), 12), singlet.concurrence
    (2.0, 1.0)
    >>> round(singlet.discord / math.log(2), 12)
    1.0
    """

    p_1: float
    p_2: float
    covariance: float
    xx: float = 0.0
    xy: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = float(getattr(self, item.name))
            if not math.isfinite(value):
                raise InvalidInput(
                    f"{item.name} must be finite, but is {value}: "
                    "check the method that gave the moments"
                )
            object.__setattr__(self, item.name, value)  # the instance is frozen
        up_up, up_down, down_up, down_down = self._raw_populations()
        radius = math.hypot((up_down - down_up) / 2, abs(self.coherence))
        # The p_i are between the populations' sums: they need no check of their own.
        lowest = min(up_up, down_down, (up_down + down_up) / 2 - radius)
        if not lowest >= -NEGATIVITY:
            raise InvalidInput(
                f"the correlators must give a positive state, but its lowest eigenvalue is "
                f"{lowest:.1e}: they are unphysical (a closure may do that), use an exact method"
            )

    @classmethod
    def from_correlators(
        cls, *, z_1: float, z_2: float, zz: float, xx: float = 0.0, xy: float = 0.0
    ) -> PairState:
        """Build the state from z₁ = ⟨σ₁ᶻ⟩, z₂ = ⟨σ₂ᶻ⟩, zz = ⟨σ₁ᶻσ₂ᶻ⟩, xx and xy.

        Cancellation in 1 + zᵢ and zz − z₁z₂ loses precision for cold baths and weak correlations.
        """
        return cls(
            p_1=(1 + z_1) / 2, p_2=(1 + z_2) / 2, covariance=(zz - z_1 * z_2) / 4, xx=xx, xy=xy
        )

    @property
    def z_1(self) -> float:
        """⟨σ₁ᶻ⟩."""
        return 2 * self.p_1 - 1

    @property
    def z_2(self) -> float:
        """⟨σ₂ᶻ⟩."""
        return 2 * self.p_2 - 1

    @property
    def zz(self) -> float:
        """⟨σ₁ᶻσ₂ᶻ⟩."""
        return self.z_1 * self.z_2 + 4 * self.covariance

    @property
    def coherence(self) -> complex:
        """⟨↑↓|ρ|↓↑⟩ = (xx + i xy)/2, the only coherence."""
        return complex(self.xx, self.xy) / 2

    def _uncorrelated(self) -> FloatArray:
        """Populations of ρ₁⊗ρ₂ in the order ↑↑, ↑↓, ↓↑, ↓↓."""
        return np.outer([self.p_1, 1 - self.p_1], [self.p_2, 1 - self.p_2]).ravel()

    def _raw_populations(self) -> FloatArray:
        return self._uncorrelated() + self.covariance * np.array([1, -1, -1, 1])

    @property
    def populations(self) -> FloatArray:
        """Probabilities of ↑↑, ↑↓, ↓↑, ↓↓, shape (4,)."""
        return np.maximum(self._raw_populations(), 0.0)

    @property
    def matrix(self) -> ComplexArray:
        """Density matrix, shape (4, 4), rows and columns ↑↑, ↑↓, ↓↑, ↓↓ (spin 1 first).

        The basis is the model's own, not the real gauge of the sector.
        """
        matrix = np.diag(self.populations).astype(complex)
        matrix[1, 2], matrix[2, 1] = self.coherence, self.coherence.conjugate()
        return matrix

    @property
    def mutual_information(self) -> float:
        r"""I = S(ρ₁) + S(ρ₂) − S(ρ₁₂) ≥ 0 in nats (Fig. 8).

        It is the relative entropy of ρ to ρ₁⊗ρ₂ and splits into that of the populations and that
        of the coherence, D(diag ρ‖ρ₁⊗ρ₂) + D(ρ‖diag ρ), both of which are sums of positive terms.
        """
        return self._classical_information() + self._coherence_information()

    def _classical_information(self) -> float:
        """Mutual information of the two σᶻ measurements."""
        change = self.covariance * np.array([1, -1, -1, 1])
        return float(population_divergence(self._uncorrelated(), change))

    def _coherence_information(self) -> float:
        """Relative entropy of coherence, S(diag ρ) − S(ρ)."""
        _, up_down, down_up, _ = self.populations
        return float(coherence_divergence(up_down, down_up, abs(self.coherence)))

    @property
    def concurrence(self) -> float:
        """Wootters' concurrence 2 max(0, |⟨↑↓|ρ|↓↑⟩| − √(ρ↑↑ ρ↓↓)) of this X state."""
        up_up, _, _, down_down = self.populations
        entangled = 2 * (abs(self.coherence) - math.sqrt(up_up) * math.sqrt(down_down))
        return float(min(max(entangled, 0.0), 1.0))

    @property
    def purity(self) -> float:
        """Tr ρ²."""
        return float(np.sum(self.populations**2)) + 2 * abs(self.coherence) ** 2

    @property
    def discord(self) -> float:
        """Quantum discord in nats, spin 2 (the hot ensemble's) being measured."""
        return self.discord_measuring(2).value

    def discord_measuring(self, spin: Literal[1, 2]) -> Discord:
        r"""Quantum discord (Ollivier and Zurek), with projective measurements on one spin.

        .. math:: D = I - \max_\theta J(\theta), \qquad
                  J(\theta) = \sum_\pm P_\pm\, S(\rho^\pm \| \rho_{\mathrm{other}})

        The U(1) symmetry leaves only the angle θ to the z axis.  θ = π/2 or θ = 0 is optimal where
        a theorem for X states says so (Chen et al., PRA 84, 042313); elsewhere the maximum is
        bracketed: J is convex in the Bloch vector of the measurement, so that on an arc it is
        below its largest value at the corners of the triangle of chord and tangents.

        Parameters
        ----------
        spin : {1, 2}
            The spin that is measured.

        Returns
        -------
        Discord
            The value (nats), the certified bound (0 where the theorem holds) and the angle.

        Raises
        ------
        InvalidInput
            If ``spin`` is neither 1 nor 2.

        Examples
        --------
        >>> state = PairState(p_1=0.2, p_2=0.4, covariance=-0.05, xy=0.2)
        >>> state.discord_measuring(2).value > state.discord_measuring(1).value
        False
        """
        if spin not in (1, 2):
            raise InvalidInput(f"spin must be 1 or 2, but is {spin!r}: the spins of the pair")
        kept, measured = (self.p_1, self.p_2) if spin == 2 else (self.p_2, self.p_1)
        kappa, w = self.covariance, abs(self.coherence)
        quantum = self._coherence_information()  # the discord of a σᶻ measurement
        if w == 0 or w * w <= (measured * (2 * kept - 1) + 2 * kappa) * (
            2 * kappa - (1 - measured) * (2 * kept - 1)
        ):
            return Discord(quantum, 0.0, 0.0)
        total = quantum + self._classical_information()
        up_up, up_down, down_up, down_down = np.sqrt(self.populations)
        # |√(ρ↑↑ρ↓↓) − √(ρ↑↓ρ↓↑)| ≤ w, where the two products differ by the covariance.
        if abs(kappa) <= w * (up_up * down_down + up_down * down_up):
            equator = float(gained_information(np.pi / 2, 1.0, kept, measured, kappa, w))
            return Discord(max(total - equator, 0.0), 0.0, math.pi / 2)
        return bracketed_discord(kept, measured, kappa, w, total, quantum)


def pair_state(state: Stationary, *, spins: tuple[int, int] | None = None) -> PairState:
    r"""State of one spin ½ of each ensemble, drawn at random (exact at every N).

    .. math:: \langle\sigma_1^\alpha\sigma_2^\beta\rangle
              = \frac{4}{N_1 N_2}\langle S_1^\alpha S_2^\beta\rangle, \qquad
              \langle\sigma_i^z\rangle = \frac{2}{N_i}\langle S_i^z\rangle

    The sum over all pairs of spins is the collective correlator.  In a state that permutations
    do not change, such as one of the symmetric subspace Sᵢ = Nᵢ/2, every pair has this state.

    Parameters
    ----------
    state : Stationary
    spins : tuple of int, optional
        Numbers of spins ½ (N₁, N₂); by default (2S₁, 2S₂), the symmetric subspaces.  A larger Nᵢ
        of the same parity means Nᵢ spins of which Nᵢ − 2Sᵢ are paired to singlets, averaged over
        the multiplicity of Sᵢ.

    Raises
    ------
    InvalidInput
        If Nᵢ spins ½ have no collective spin Sᵢ.

    Notes
    -----
    Coherence and covariance come from the deviation that the drive makes and vanish at the Carnot
    point: the coherence keeps its relative accuracy through it, the covariance has an error of
    eps·a, too small to matter for the mutual information (of order a²).
    """
    sector, levels = state.sector, state.engine.levels
    numbers = levels if spins is None else spins
    for number, level in zip(numbers, levels, strict=True):
        if number < level or (number - level) % 2:
            raise InvalidInput(
                f"{number} spins 1/2 have no collective spin {level / 2:g}: "
                f"use {level}, {level + 2}, {level + 4}, … spins"
            )
    k = (sector.k_1, sector.k_2)
    baths = (state.engine.cold, state.engine.hot)
    # Cov = E[(k₁−μ₁)(k₂−μ₂)] − E[k₁−μ₁] E[k₂−μ₂] with μᵢ the means of the product state ρ₀.  All
    # three averages vanish in ρ₀, so that each follows from the deviation alone.
    offset = [
        (number - _thermal_mean(bath.log_ratio, int(number.max()))) * sector.trace
        for number, bath in zip(k, baths, strict=True)
    ]
    first, second = (state.current(row) for row in offset)
    covariance = state.current(offset[0] * offset[1]) - first * second
    share = 1 / (numbers[0] * numbers[1])
    p_1, p_2 = (
        (float((excited * sector.trace) @ state.rho) + (number - level) / 2) / number
        for excited, number, level in zip(k, numbers, levels, strict=True)
    )
    # In the gauge of the sector ⟨S₁⁺S₂⁻⟩ = −i Tr(S₁⁺S₂⁻ρ), and xx − i xy = 2⟨S₁⁺S₂⁻⟩/(N₁N₂).
    return PairState(
        p_1=p_1,
        p_2=p_2,
        covariance=share * covariance,
        xx=2 * share * state.current(sector.imaginary_hop),
        xy=2 * share * state.current(sector.hop),
    )


def _thermal_mean(log_ratio: float, top: int) -> float:
    """Mean of k = 0 … top with weights exp(−k log_ratio)."""
    k = np.arange(top + 1)
    weight = np.exp(-k * log_ratio - max(0.0, -top * log_ratio))
    return float(k @ weight / weight.sum())


def l1_coherence(state: Stationary) -> float:
    r"""Coherence of the two collective spins in the basis |k₁, k₂⟩ (Baumgratz et al.).

    .. math:: C_{\ell_1} = \sum_{i \ne j} |\rho_{ij}|

    It is zero without drive, and at the Carnot point.  A truncated sector gives a lower bound.
    """
    sector = state.generator.sector
    elements = sector.complex_elements(state.rho)
    return 2 * float(np.abs(elements[sector.real.q > 0]).sum())
