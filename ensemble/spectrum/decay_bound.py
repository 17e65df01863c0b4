"""A lower bound on the decay rates of a sector, for any drive: it says which sectors to search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ensemble.arrays import FloatArray
from ensemble.closed_forms.single_spin import decay_bands
from ensemble.engine import Engine
from ensemble.parameters.bath import Bath
from ensemble.spectrum.coherence_sectors import CoherenceSector, jump_rates

WEIGHTS = 9
"""Weights that are tried between the two baths' E/T."""
LARGEST_EXPONENT = 30.0
"""Largest growth of a jump rate, as an exponent: larger weights give no bound and overflow."""


@dataclass(frozen=True, eq=False)
class DecayBound:
    r"""Rates below which no mode of a sector can decay.

    In the balanced basis of weight w (``balanced_generator``) the drive is antisymmetric and drops
    out of the symmetric part of L, which is a sum over the two spins.  The eigenvalues of a
    matrix lie in its numerical range, so those of the sector d obey

    .. math:: -\mathrm{Re}\,\lambda \ge \max_w \min_q \left[ r_1(|q|, w) + r_2(|d - q|, w) \right],

    with rᵢ the smallest eigenvalue of ``decay_bands`` of spin i with the exchange
    ½(exp(−w/2)γ↓ᵢ + exp(w/2)γ↑ᵢ).  At the Carnot point E₁/T₁ = E₂/T₂ = w this is √(γ↓γ↑), and the
    bound is the exact rate without the drive: at a = 0 a drive can only speed up the decay of a
    sector's slowest mode.

    Attributes
    ----------
    weights : ndarray, shape (W,)
    rates_1, rates_2 : ndarray, shape (W, n₁ + 1) and (W, n₂ + 1)
        rᵢ for every weight and every coherence 0 … nᵢ of a spin.
    scale : float
        Slowest decay of a first coherence of either spin without the drive.
    """

    weights: FloatArray
    rates_1: FloatArray
    rates_2: FloatArray
    scale: float

    def of(self, sector: CoherenceSector) -> tuple[float, float]:
        """The bound on −Re λ in a sector, and the weight that gives it.

        In the symmetric part of d = 0 the bound is ≤ 0, since the stationary state is there.
        """
        orders = np.unique(sector.q)
        sums = self.rates_1[:, np.abs(orders)] + self.rates_2[:, np.abs(sector.difference - orders)]
        bounds = sums.min(axis=1)
        best = int(bounds.argmax())
        return float(bounds[best]), float(self.weights[best])


def decay_bound(engine: Engine) -> DecayBound:
    """Tabulate the bound of an engine; this takes some 20 (n₁ + n₂) tridiagonal eigenvalues.

    Examples
    --------
    At the Carnot point it is the rate of the dissipators, (γ↓ + γ↑)/2 for a coherence of a spin ½:

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=3, Gamma_0=1)
    >>> rate, _ = decay_bound(engine).of(CoherenceSector(1, 1, 2))
    >>> baths = engine.cold, engine.hot
    >>> round(rate - sum(bath.gamma_down + bath.gamma_up for bath in baths) / 2, 12)
    0.0
    """
    ratios = [bath.log_ratio for bath in (engine.cold, engine.hot)]
    low = max([min(ratios)] + [2 * (min(ratio, 0.0) - LARGEST_EXPONENT) for ratio in ratios])
    high = min([max(ratios)] + [2 * (max(ratio, 0.0) + LARGEST_EXPONENT) for ratio in ratios])
    weights = np.linspace(low, high, WEIGHTS) if high > low else np.array([low])
    spins = list(zip((engine.cold, engine.hot), engine.levels, strict=True))
    rates_1, rates_2 = (
        np.array([[_slowest(bath, n, d, weight) for d in range(n + 1)] for weight in weights])
        for bath, n in spins
    )
    scale = min(_slowest(bath, n, 1, bath.log_ratio) for bath, n in spins)
    return DecayBound(weights=weights, rates_1=rates_1, rates_2=rates_2, scale=scale)


def _slowest(bath: Bath, n: int, coherence: int, weight: float) -> float:
    """r(d, w) of one spin."""
    exchange = sum(jump_rates(bath, weight)) / 2
    bands = decay_bands(n, coherence, bath.gamma_down, bath.gamma_up, exchange)
    return float(eigh_tridiagonal(*bands, eigvals_only=True, select="i", select_range=(0, 0))[0])
