r"""How well the assumptions of the master equation hold (the paper's App. A).

App. A asks for two things and gives no numbers: the linewidth is much smaller than the level
spacings Eᵢ, and the drive is weak.  Four ratios measure them.  The equations do not contain these
ratios: they have the same solution whatever the energies are in units of the rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.parameters.bath import Bath
from ensemble.steady.state import Stationary


@dataclass(frozen=True)
class Validity:
    r"""Ratios that App. A requires to be small, and the width of each ensemble's line.

    Attributes
    ----------
    weak_coupling_1, weak_coupling_2 : float
        Mean rate of quantum jumps of each ensemble over its level spacing,

        .. math:: R_i / E_i, \qquad R_i = \gamma_\downarrow \langle S_i^+S_i^-\rangle
                  + \gamma_\uparrow \langle S_i^-S_i^+\rangle .

        1/Rᵢ is the mean lifetime of the level that the ensemble is in, so that Rᵢ is the width of
        the levels by the golden rule, collectively enhanced.  Rᵢ ≪ Eᵢ is sufficient for App. A.
    linewidth_1, linewidth_2 : float
        Full width of the emission line, 2λᵢ with λᵢ the rate at which ⟨S⁺(t)S⁻(0)⟩ starts to
        decay through the bath,

        .. math:: \lambda_i = \gamma_\downarrow - (\gamma_\downarrow - \gamma_\uparrow)
                  \frac{\langle S_i^+ S_i^z S_i^-\rangle + \langle S_i^+S_i^-\rangle}
                       {\langle S_i^+ S_i^- \rangle} .

        Neighbouring transitions have nearly the same frequency and feed each other, so that the
        line is narrower than the levels: NΓ₀ for n ≪ N, however large n is.  In units of energy.
    rotating_wave : float
        √(N₁N₂) ω₀/ΔE, Nᵢ = 2Sᵢ: collective drive over its frequency ΔE; NaN for ΔE = 0.
    linewidth_over_drive : float
        √(N₁N₂Γ₁Γ₂)/ω₀: collective spontaneous rate over drive; NaN without drive.  Where it is
        small, the drive splits the lines, and dissipators without the drive need baths that are
        the same on all lines: rotating_wave and √(N₁N₂) ω₀/Tᵢ must be small.
    """

    weak_coupling_1: float
    weak_coupling_2: float
    linewidth_1: float
    linewidth_2: float
    rotating_wave: float
    linewidth_over_drive: float


def validity(state: Stationary, of: Engine) -> Validity:
    """App. A's ratios of a stationary state.

    Parameters
    ----------
    state : Stationary
    of : Engine
        The engine whose parameters count.  It differs from that of the state where two dark baths
        were replaced by warmer ones (`ensemble.closed_forms.dark`).

    Examples
    --------
    A single pair at a very weak drive: each spin jumps at the rate 2γ↓γ↑/(γ↓ + γ↑), and its line
    has the width γ↓ + γ↑.

    >>> from ensemble.steady.stationary import stationary
    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=2, delta_T=2, omega_0=1e-9, Gamma_0=0.001)
    >>> found, cold = validity(stationary(engine), engine), engine.cold
    >>> down, up = cold.gamma_down, cold.gamma_up
    >>> round(found.weak_coupling_1 / (2 * down * up / (down + up)), 9)
    1.0
    >>> round(found.linewidth_1 / (down + up), 9)
    1.0
    """
    sector, engine = state.generator.sector, state.engine
    populations = sector.trace * state.rho
    n_1, n_2 = engine.levels
    cold = engine.cold, sector.k_1, n_1
    hot = engine.hot, sector.k_2, n_2
    size = math.sqrt(n_1) * math.sqrt(n_2)
    spontaneous = math.sqrt(of.cold.Gamma_0) * math.sqrt(of.hot.Gamma_0)
    return Validity(
        weak_coupling_1=_jump_rate(*cold, populations) / of.E_1,
        weak_coupling_2=_jump_rate(*hot, populations) / of.E_2,
        linewidth_1=_linewidth(*cold, populations),
        linewidth_2=_linewidth(*hot, populations),
        rotating_wave=size * of.drive / of.delta_E if of.delta_E > 0 else math.nan,
        linewidth_over_drive=size * spontaneous / of.drive if of.drive > 0 else math.nan,
    )


def _jump_rate(bath: Bath, k: IntArray, top: int, populations: FloatArray) -> float:
    """γ↓⟨S⁺S⁻⟩ + γ↑⟨S⁻S⁺⟩ with k excitations of ``top`` at most."""
    rates = bath.gamma_down * k * (top + 1 - k) + bath.gamma_up * (k + 1) * (top - k)
    return float(rates @ populations)


def _linewidth(bath: Bath, k: IntArray, top: int, populations: FloatArray) -> float:
    """Full width of the line: 2⟨c [γ↓ − (γ↓ − γ↑)m]⟩/⟨c⟩, where S⁺S⁻ = c and Sᶻ = m on a level."""
    emission = k * (top + 1.0 - k) * populations
    total = float(np.sum(emission))
    if not total > 0:  # no quantum to emit, not even in the smallest number that a double holds
        return math.nan
    change = bath.gamma_down - (bath.gamma_down - bath.gamma_up) * (k - top / 2)
    return 2 * float(change @ emission) / total
