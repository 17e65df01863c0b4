"""Von Neumann entropy of states in the symmetry sector, and how fast it changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.generator.sector import Sector

EPS = float(np.finfo(float).eps)


def excitation_blocks(sector: Sector) -> Iterator[IntArray]:
    """Positions of the blocks of ρ, one symmetric matrix for each total excitation k₁ + k₂.

    States of the sector are block diagonal: ``x[positions]`` is the block of an element ``x``.

    Examples
    --------
    >>> [block.shape for block in excitation_blocks(Sector(2, 1))]
    [(1, 1), (2, 2), (2, 2), (1, 1)]
    """
    for total in range(sector.n_1 + sector.n_2 + 1):
        k_1 = np.arange(max(0, total - sector.n_2), min(sector.n_1, total) + 1)
        ket = np.minimum.outer(k_1, k_1)
        yield sector.index(ket, total - ket, abs(np.subtract.outer(k_1, k_1)))


def von_neumann_entropy(sector: Sector, states: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Entropy :math:`S = -\mathrm{Tr}\,\rho\ln\rho` in nats, and the smallest eigenvalue of ρ.

    Parameters
    ----------
    sector : Sector
        A complete one.
    states : ndarray, shape (..., size)
        Elements of normalised states.

    Returns
    -------
    entropy, lowest : ndarray, shape (...)
        ``lowest`` is negative by rounding only, if the states are physical.

    Examples
    --------
    >>> sector = Sector(1, 1)
    >>> entropy, lowest = von_neumann_entropy(sector, sector.trace / 4)
    >>> round(float(entropy / np.log(2)), 12), float(lowest)
    (2.0, 0.25)
    """
    entropy, lowest = np.zeros(states.shape[:-1]), np.full(states.shape[:-1], np.inf)
    for positions in excitation_blocks(sector):
        p = np.linalg.eigvalsh(states[..., positions])
        entropy -= (p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1)
        lowest = np.minimum(lowest, p[..., 0])
    return entropy, lowest


def entropy_rate(sector: Sector, states: FloatArray, derivatives: FloatArray) -> FloatArray:
    r"""Rate :math:`\dot S = -\mathrm{Tr}\,\dot\rho\ln\rho`; infinite where an empty level fills.

    The logarithm of an eigenvalue below rounding has an error of a few units.  This does not matter
    if the rate of that eigenvalue is as small, which is the case except shortly after a pure state.

    Parameters
    ----------
    sector : Sector
        A complete one.
    states, derivatives : ndarray, shape (..., size)
        ρ and dρ/dt.

    Returns
    -------
    ndarray, shape (...)
    """
    rate = np.zeros(states.shape[:-1])
    filling = np.zeros(states.shape[:-1], dtype=bool)
    for positions in excitation_blocks(sector):
        p, vectors = np.linalg.eigh(states[..., positions])
        gain = np.einsum("...ij,...ik,...kj->...j", vectors, derivatives[..., positions], vectors)
        # Rounding may leave a negative eigenvalue; one that is exactly 0 is an empty level.
        floor = np.maximum(EPS * p[..., -1:], np.finfo(float).tiny)
        log = np.log(np.where(p > 0, p, floor))
        rate -= np.where(p == 0, 0.0, gain * log).sum(axis=-1)
        filling |= ((p == 0) & (gain > 0)).any(axis=-1)
    return np.where(filling, np.inf, rate)
