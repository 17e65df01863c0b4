"""Averages of a stationary density at N → ∞, with what certifies them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BathCount:
    """Current and noise by counting the quanta that one bath exchanges.

    Attributes
    ----------
    current, noise : float
        J/N and D/N².
    activity : float
        ⟨𝒜⟩, which at weak drive cancels against the rest of the noise.
    residual : float
        Of the solve.
    """

    current: float
    noise: float
    activity: float
    residual: float


@dataclass(frozen=True)
class ClassicalAverages:
    """What is read off a stationary density, and how well it is known.

    Attributes
    ----------
    current : float
        J/N.
    current_per_affinity : float
        (J/N)/(aN); NaN at the Carnot point if the reference is not the baths', 0 without a drive.
    noise : float
        D/N².
    magnetizations, second_moments : tuple of float
        ⟨mᵢᶻ⟩ and ⟨(mᵢᶻ)²⟩.
    covariance : float
        ⟨m₁ᶻm₂ᶻ⟩ − ⟨m₁ᶻ⟩⟨m₂ᶻ⟩.
    residual, change, tail : float
        As of `ClassicalState`, without the residuals of the counts.
    complete : bool
    mode_count : int
        Modes of the density, the norm included.
    harmonics : int
        Highest degree l of the spherical harmonics behind the modes.
    counts : tuple of BathCount
        At both baths; empty without a drive.
    """

    current: float
    current_per_affinity: float
    noise: float
    magnetizations: tuple[float, float]
    second_moments: tuple[float, float]
    covariance: float
    residual: float
    change: float
    tail: float
    complete: bool
    mode_count: int
    harmonics: int
    counts: tuple[BathCount, ...]

    @property
    def disagreement(self) -> float:
        """Largest difference between the drive's count and a bath's.

        Of J/N relative to it, of D/N² relative to the bath's activity.
        """
        worst = 0.0
        for count in self.counts:
            if self.current:
                worst = max(worst, abs(count.current / self.current - 1))
            worst = max(worst, abs(count.noise - self.noise) / max(count.activity, self.noise))
        return worst
