"""Averages in a stationary state with local noise: total spins, and a pair of spins."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from ensemble.arrays import FloatArray, IntArray
from ensemble.correlations.pair import PairState
from ensemble.counting.validity import Validity
from ensemble.engine import Engine
from ensemble.local_noise.sector import SpinSector
from ensemble.local_noise.spins import SpinBasis, spin_parts
from ensemble.parameters.bath import Bath
from ensemble.steady.state import Stationary


def spin_sector_of(state: Stationary) -> SpinSector:
    """The elements of a state with local noise.

    Raises
    ------
    TypeError
        If the state is one of two collective spins.
    """
    sector = state.generator.sector
    if not isinstance(sector, SpinSector):
        raise TypeError("this needs a state with local noise: use noisy_stationary")
    return sector


def total_spins(state: Stationary) -> tuple[float, float]:
    r"""Mean squares of the total spins over their largest value.

    .. math:: \frac{\langle J_i^2 \rangle}{\frac{n_i}{2}\left(\frac{n_i}{2} + 1\right)}

    with nᵢ spins ½ in ensemble i.  It is 1 in the symmetric sector J = n/2.
    """
    sector = spin_sector_of(state)
    weights = sector.trace * state.rho
    return (
        float(_relative_square(sector.j_1, sector.n_1) @ weights),
        float(_relative_square(sector.j_2, sector.n_2) @ weights),
    )


def _relative_square(j: IntArray, n: int) -> FloatArray:
    """J(J + 1) over its largest value, J = j/2."""
    return np.asarray(j * (j + 2) / (n * (n + 2)))


def noisy_pair_state(state: Stationary) -> PairState:
    r"""State of one spin ½ of each ensemble, exact at every N.

    .. math:: \langle\sigma_1^\alpha\sigma_2^\beta\rangle
              = \frac{4}{n_1 n_2}\langle S_1^\alpha S_2^\beta\rangle, \qquad
              \langle\sigma_i^z\rangle = \frac{2}{n_i}\langle S_i^z\rangle

    Permutations do not change the state, so every pair of spins has the same one.  As in
    `ensemble.correlations.pair.pair_state`, coherence and covariance come from the deviation from
    the product state: numbers of excited spins are taken from their thermal means nᵢfᵢ,
    fᵢ = 1/(exp(Eᵢ/Tᵢ) + 1), in which their averages vanish.
    """
    sector, engine = spin_sector_of(state), state.engine
    n_1, n_2 = sector.n_1, sector.n_2
    excess_1 = (sector.k_1 - n_1 * special.expit(-engine.cold.log_ratio)) * sector.trace
    excess_2 = (sector.k_2 - n_2 * special.expit(-engine.hot.log_ratio)) * sector.trace
    mean_1, mean_2 = state.current(excess_1), state.current(excess_2)
    covariance = state.current(excess_1 * excess_2) - mean_1 * mean_2
    populations = sector.trace * state.rho
    # In the real gauge Im⟨S₁⁺S₂⁻⟩ = −Tr(S₁⁺S₂⁻ρ), and xy = −2 Im⟨S₁⁺S₂⁻⟩/(n₁n₂).
    return PairState(
        p_1=float(sector.k_1 @ populations) / n_1,
        p_2=float(sector.k_2 @ populations) / n_2,
        covariance=covariance / (n_1 * n_2),
        xy=2 * state.current(sector.hop) / (n_1 * n_2),
    )


def noisy_validity(state: Stationary, of: Engine) -> Validity:
    r"""App. A's ratios with local noise (`ensemble.counting.validity.Validity`).

    Local jumps count in the jump rates.  Local baths and dephasing add their own decay of S⁺ to
    that of the emission line,

    .. math:: \Delta\omega_i \to \Delta\omega_i
              + \frac{\Gamma_{\mathrm{loc}}}{\Gamma_i}(\gamma_\downarrow + \gamma_\uparrow)
              + 2\Gamma_\varphi,

    and the collective part is averaged over the total spins.

    Parameters
    ----------
    state : Stationary
    of : Engine
        The engine whose parameters count.
    """
    sector, engine = spin_sector_of(state), state.engine
    populations = sector.block(state.rho, 0)
    cold = (engine.cold, sector.bases_1[0], populations.sum(axis=1), engine.local_shares[0])
    hot = (engine.hot, sector.bases_2[0], populations.sum(axis=0), engine.local_shares[1])
    size = math.sqrt(sector.n_1) * math.sqrt(sector.n_2)
    spontaneous = math.sqrt(of.cold.Gamma_0) * math.sqrt(of.hot.Gamma_0)
    return Validity(
        weak_coupling_1=_jump_rate(*cold) / of.E_1,
        weak_coupling_2=_jump_rate(*hot) / of.E_2,
        linewidth_1=_linewidth(*cold) + 2 * engine.dephasing,
        linewidth_2=_linewidth(*hot) + 2 * engine.dephasing,
        rotating_wave=size * of.drive / of.delta_E if of.delta_E > 0 else math.nan,
        linewidth_over_drive=size * spontaneous / of.drive if of.drive > 0 else math.nan,
    )


def _jump_rate(bath: Bath, basis: SpinBasis, levels: FloatArray, share: float) -> float:
    """Rate of all jumps of one ensemble with these populations."""
    parts = spin_parts(basis.n, 0)
    rates = bath.gamma_down * (parts.down_loss + share * parts.local_down_loss)
    rates += bath.gamma_up * (parts.up_loss + share * parts.local_up_loss)
    return float(rates @ levels)


def _linewidth(bath: Bath, basis: SpinBasis, levels: FloatArray, share: float) -> float:
    """Width of the line through both kinds of baths; NaN if there is no quantum to emit."""
    emission = spin_parts(basis.n, 0).down_loss * levels
    total = float(emission.sum())
    if not total > 0:
        return math.nan
    magnetisation = basis.low - basis.n / 2
    change = bath.gamma_down - (bath.gamma_down - bath.gamma_up) * magnetisation
    return 2 * float(change @ emission) / total + share * (bath.gamma_down + bath.gamma_up)
