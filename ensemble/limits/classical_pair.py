"""The engine at N → ∞ in the high-temperature scaling: two unit vectors, two baths, one drive."""

from __future__ import annotations

from dataclasses import dataclass, field

from ensemble.engine import Engine
from ensemble.errors import InvalidInput


@dataclass(frozen=True)
class ClassicalPair:
    r"""Parameters of the Fokker–Planck limit of an engine (ħ = k_B = 1).

    With :math:`m_i = S_i / |S_i|` observables obey d⟨f⟩/dt = ⟨𝓛f⟩,

    .. math:: \mathcal{L} f = \sum_i \left[\Gamma_i y_i (R_{ix}^2 + R_{iy}^2)
              - \tfrac{\Gamma_i \nu_i}{2}(m_i^x R_{iy} - m_i^y R_{ix})\right] f
              - \tfrac{\omega_0}{2}\left[\nu_2 (m_2^x R_{1x} + m_2^y R_{1y})
              + \nu_1 (m_1^x R_{2x} + m_1^y R_{2y})\right] f

    where :math:`R_a m_b = \epsilon_{abc} m_c`.

    Parameters
    ----------
    engine : Engine
        In the high-temperature scaling with bosonic baths.  Its N counts only in νᵢ.

    Attributes
    ----------
    y : tuple of float
        yᵢ = Tᵢ/Eᵢ before the scaling.
    share : tuple of float
        νᵢ = 2Sᵢ/N, 1 by default.
    b : tuple of float
        νᵢ/yᵢ: alone with its bath, spin i has the density exp(−bᵢ mᵢᶻ/2).
    drive : float
        ω₀.
    rates : tuple of float
        Γ₁ and Γ₂, which are Γ₀ by default.
    affinity : float
        aN = E₁/T₁ − E₂/T₂ (unscaled temperatures): entropy per quantum times N.

    Raises
    ------
    InvalidInput
        If the scaling is bare or the baths are fermionic.
    """

    engine: Engine
    y: tuple[float, float] = field(init=False)
    share: tuple[float, float] = field(init=False)
    b: tuple[float, float] = field(init=False)
    drive: float = field(init=False)
    rates: tuple[float, float] = field(init=False)
    affinity: float = field(init=False)

    def __post_init__(self) -> None:
        engine = self.engine
        require_classical_limit(engine)
        y = engine.T_1 / engine.E_1, engine.T_2 / engine.E_2
        share = engine.levels[0] / engine.N, engine.levels[1] / engine.N
        set_field = object.__setattr__  # the instance is frozen
        set_field(self, "y", y)
        set_field(self, "share", share)
        set_field(self, "b", (share[0] / y[0], share[1] / y[1]))
        set_field(self, "drive", engine.omega_0)
        set_field(self, "rates", engine.rates)
        set_field(self, "affinity", engine.affinity * engine.N)

    @property
    def flux(self) -> float:
        """ω₀ν₁ν₂/4: J/N = −(ω₀ν₁ν₂/4) ⟨m₁ˣm₂ʸ − m₁ʸm₂ˣ⟩."""
        return self.drive * self.share[0] * self.share[1] / 4


def require_classical_limit(engine: Engine) -> None:
    """Raise ``InvalidInput`` if the scaling is bare, the baths are fermionic or there is noise."""
    engine.require_collective("this limit N → ∞")
    if engine.scaling != "high-temperature":
        raise InvalidInput(
            "this limit N → ∞ is that of the high-temperature scaling, but scaling is "
            f"{engine.scaling!r}: use scaling high-temperature, or method bosonic"
        )
    if engine.statistics != "bosonic":
        raise InvalidInput(
            "fermionic baths have no limit in the high-temperature scaling: their rates do not "
            "grow with T, so that they vanish against the drive as 1/N: use statistics "
            "bosonic, or method exact"
        )
