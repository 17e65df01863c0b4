"""Predicted size of a sector, and the solver that will be used for it, without building it.

All functions take numbers or arrays that broadcast and return arrays: the solver uses them for one
engine, the estimate of costs for many.
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
DIRECT_SIZE = 6000
"""Unknowns up to which factorising is always chosen: it takes at most some 60 ms."""
SOLVES = 4
"""Right-hand sides of state and noise."""
MAX_ITERATIONS = 300
"""Iterations of GMRES in one pass."""
FACTORIZABLE = 400_000
"""Most unknowns that "auto" factorises (about 20 GB with SuperLU)."""
WELL_SCALED = 40.0
"""Largest fall (`largest_fall`) for which the baths are diagonalised; the eigenvectors' condition
is exp of its half."""
WEIGHTS = 200.0
"""Logarithm of the largest ratio of squared weights of the elements that GMRES scales."""


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


def common_ratio(
    cut_1: ArrayLike, cut_2: ArrayLike, log_ratio_1: ArrayLike, log_ratio_2: ArrayLike
) -> FloatArray:
    """ln(γ↓/γ↑) of the reference that GMRES scales elements with: that of the warmer bath.

    The populations of both spins fall at least as fast.  It is 0 if one bath is inverted, and
    limited so that the weights e^{−l(k₁+k₂)/2} stay far from the smallest numbers.
    """
    first, second = np.asarray(log_ratio_1, dtype=float), np.asarray(log_ratio_2, dtype=float)
    warmest = np.maximum(np.minimum(first, second), 0.0)
    most = np.asarray(cut_1, dtype=float) + np.asarray(cut_2, dtype=float) + 1
    return np.asarray(np.minimum(warmest, WEIGHTS / most))


def largest_fall(
    cut_1: ArrayLike, cut_2: ArrayLike, log_ratio_1: ArrayLike, log_ratio_2: ArrayLike
) -> FloatArray:
    """Logarithm of the largest ratio, within a sector, of thermal populations to the reference's.

    It is large for a bath that is much colder than the other one.
    """
    reference = common_ratio(cut_1, cut_2, log_ratio_1, log_ratio_2)
    first, second = (np.asarray(ratio, dtype=float) for ratio in (log_ratio_1, log_ratio_2))
    cold = (np.asarray(cut_1, dtype=float) + 1) * np.abs(first - reference)
    hot = (np.asarray(cut_2, dtype=float) + 1) * np.abs(second - reference)
    return np.maximum(cold, hot)


def coupling(
    drive: ArrayLike,
    N: ArrayLike,
    log_ratio_1: ArrayLike,
    log_ratio_2: ArrayLike,
    *,
    bosonic: bool,
) -> FloatArray:
    """Drive over damping, both collective: twice ω₀/Γ₀ in the cold and less where baths are hot.

    Parameters
    ----------
    drive : array_like
        ω₀/√(Γ₁Γ₂).
    N : array_like
    log_ratio_1, log_ratio_2 : array_like
        As of `excitation_cuts`.
    bosonic : bool
        Whether the rates of the baths grow with their temperature.

    Examples
    --------
    >>> round(float(coupling(1.0, 50, 40.0, 40.0, bosonic=True)), 2)
    1.92
    """
    damping = np.asarray(1.0)
    if bosonic:  # (γ↓ + γ↑)/Γ = 2n + 1
        first, second = (np.abs(ratio) / 2 for ratio in (log_ratio_1, log_ratio_2))
        damping = np.asarray((1 / np.tanh(first) + 1 / np.tanh(second)) / 2)
    damping = damping / np.asarray(N, dtype=float) + 0.5
    return np.asarray(np.asarray(drive, dtype=float) / damping)


def iterations(coupling: ArrayLike, fall: ArrayLike) -> FloatArray:
    """What a solve with GMRES takes, whatever N, in units of an iteration.

    Iterations were counted for the boxes of Figs. 2, 3, 6 and 7 at N = 32 and 48: 4 to 12 at a
    coupling below 0.3, 12 to 28 at 1.7, 55 to 90 at 10, and, where one bath is so much colder that
    it cannot be diagonalised, 30 in the box of Fig. 2 and 160 to 300 in that of Fig. 3.  Some eight
    of the twelve that are always added stand for the preparation.
    """
    fall = np.asarray(fall, dtype=float)
    steps = 12 + 6 * np.asarray(coupling, dtype=float) + np.minimum(fall, WELL_SCALED) / 2
    return np.where(fall > WELL_SCALED, 2 * steps, steps)


def iterated_seconds(
    size: ArrayLike, fall: ArrayLike, coupling: ArrayLike, *, solves: int = SOLVES
) -> FloatArray:
    """CPU time of some solves with GMRES; parameters as of `factorises`.

    An iteration takes twice as long where the baths cannot be diagonalised.
    """
    step = 1.9e-4 + 4.4e-8 * np.asarray(size, dtype=float)
    step = np.where(np.asarray(fall) > WELL_SCALED, 2 * step, step)
    return np.asarray(solves * iterations(coupling, fall) * step)


def factorised_seconds(size: ArrayLike, width: ArrayLike) -> FloatArray:
    """CPU time of a factorisation with SuperLU: layers of width² elements, size/width² thick."""
    size, width = np.asarray(size, dtype=float), np.asarray(width, dtype=float)
    return np.asarray(4.7e-8 * size**2 / width)


def factorises(
    size: ArrayLike,
    width: ArrayLike,
    fall: ArrayLike,
    coupling: ArrayLike,
    *,
    solves: int = SOLVES,
) -> Mask:
    """Whether "auto" factorises the equations of a sector; otherwise it iterates with GMRES.

    It takes what is faster by `factorised_seconds` and `iterated_seconds`, fits to CPU times that
    were measured once (docs/theory/large-n.md): the choice depends on the engine alone.

    Parameters
    ----------
    size, width : array_like
        Unknowns, and √((c₁ + 1)(c₂ + 1)).
    fall : array_like
        As from `largest_fall`.
    coupling : array_like
        As from `coupling`.
    solves : int
        Right-hand sides.

    Examples
    --------
    >>> factorises([5e3, 2e4, 1e5], [25, 49, 70], 10, 2.0).tolist()
    [True, False, False]
    """
    size = np.asarray(size, dtype=float)
    slow = factorised_seconds(size, width) < iterated_seconds(size, fall, coupling, solves=solves)
    slow |= iterations(coupling, fall) > MAX_ITERATIONS
    return np.asarray((size <= DIRECT_SIZE) | (slow & (size <= FACTORIZABLE)))
