"""How large a sector will be and how it will be solved, without building it.

All functions take numbers or arrays that broadcast and return arrays: the solver decides with them
for one engine, an estimate of costs for many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ensemble.arrays import FloatArray

Mask = NDArray[np.bool_]

COMPLETE_SIZE = 6000
"""Sectors up to this size (N = 24) are kept whole: truncating them would gain little."""
AIM = 1e-3
"""Residual that a truncation aims at, relative to the tolerance: the relative error of a value may
be larger than the residual."""
DIRECT_SIZE = 25_000
"""Unknowns up to which factorising is always chosen: it takes less than a second."""
FACTORIZABLE = 400_000
"""Most unknowns that "auto" factorises (about 20 GB with SuperLU)."""
WELL_SCALED = 40.0
"""Largest cut · E/T for which the baths are diagonalised; the eigenvectors' condition is its
exp/2."""


def sector_size(coherence_order: ArrayLike, cut_1: ArrayLike, cut_2: ArrayLike) -> FloatArray:
    """Unknowns Σ_q (c₁+1−q)(c₂+1−q) of the orders q = 0 … ``coherence_order``.

    Examples
    --------
    >>> sector_size(1, 4, 4).tolist(), sector_size([0, 1, 2], 1, 1).tolist()
    (41.0, [4.0, 5.0, 5.0])
    """
    a, b = np.asarray(cut_1, dtype=float) + 1, np.asarray(cut_2, dtype=float) + 1
    m = np.minimum(coherence_order, np.minimum(a, b) - 1)
    first, second = m * (m + 1) / 2, m * (m + 1) * (2 * m + 1) / 6
    return np.asarray((m + 1) * a * b - (a + b) * first + second)


def complete_size(n_1: ArrayLike, n_2: ArrayLike) -> FloatArray:
    """Unknowns of the whole sector of spins n₁/2 and n₂/2."""
    return sector_size(np.minimum(n_1, n_2), n_1, n_2)


def kept_whole(n_1: ArrayLike, n_2: ArrayLike) -> Mask:
    """Whether the sector of spins n₁/2 and n₂/2 is solved without truncation."""
    return np.asarray(complete_size(n_1, n_2) <= COMPLETE_SIZE)


def excitation_cuts(
    n_1: ArrayLike,
    n_2: ArrayLike,
    log_ratio_1: ArrayLike,
    log_ratio_2: ArrayLike,
    *,
    tolerance: float,
) -> tuple[FloatArray, FloatArray]:
    """Excitation numbers beyond which the populations weigh less than the tolerance asks for.

    Populations fall at least as fast as the warmer bath's exp(−k ln(γ↓/γ↑)).

    Parameters
    ----------
    n_1, n_2 : array_like
        Highest excitation numbers 2S₁ and 2S₂.
    log_ratio_1, log_ratio_2 : array_like
        ln(γ↓/γ↑) = (E − μ)/T of the baths.  Where one is not positive (an inverted fermionic
        bath), the upper levels are filled and nothing is cut.
    tolerance : float
        Relative residual to reach.

    Returns
    -------
    cut_1, cut_2 : ndarray
        Whole numbers, n₁ and n₂ where nothing is cut.
    """
    n_1, n_2 = np.asarray(n_1, dtype=float), np.asarray(n_2, dtype=float)
    warmest = np.minimum(log_ratio_1, log_ratio_2)
    needed = np.log(np.maximum(n_1, n_2)) - np.log(AIM * tolerance)
    with np.errstate(over="ignore"):  # a bath so warm that nothing is cut
        cut = np.where(warmest > 0, np.ceil(needed / np.where(warmest > 0, warmest, 1)), np.inf)
    return np.minimum(n_1, cut), np.minimum(n_2, cut)


def largest_fall(
    cut_1: ArrayLike, cut_2: ArrayLike, log_ratio_1: ArrayLike, log_ratio_2: ArrayLike
) -> FloatArray:
    """Logarithm of the largest ratio of thermal populations within a sector."""
    cold = (np.asarray(cut_1, dtype=float) + 1) * np.abs(log_ratio_1)
    hot = (np.asarray(cut_2, dtype=float) + 1) * np.abs(log_ratio_2)
    return np.maximum(cold, hot)


def factorises(size: ArrayLike, fall: ArrayLike, omega_0: ArrayLike, Gamma_0: ArrayLike) -> Mask:
    """Whether "auto" factorises the equations of a sector; otherwise it iterates with GMRES.

    Measured: GMRES takes about 20 + 15 ω₀/Γ₀ iterations of 60 ns an unknown in each of four solves,
    SuperLU about 0.1 µs · size^1.5 in all.  GMRES is much slower where the populations fall so far
    that the baths cannot be diagonalised.

    Parameters
    ----------
    size : array_like
        Unknowns.
    fall : array_like
        As from `largest_fall`.
    omega_0, Gamma_0 : array_like
        Drive and spontaneous rate.

    Examples
    --------
    >>> factorises([1e4, 1e5, 1e6], 10, 1.0, 1.0).tolist()
    [True, False, False]
    """
    size = np.asarray(size, dtype=float)
    iterations = 20 + 15 * np.asarray(omega_0, dtype=float) / Gamma_0
    slow = (4 * iterations * 60e-9 > 1e-7 * np.sqrt(size)) | (np.asarray(fall) > WELL_SCALED)
    return np.asarray((size <= DIRECT_SIZE) | (slow & (size <= FACTORIZABLE)))
