"""Two-spin states of many engines: as `ensemble.correlations.pair`, for arrays over points."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray
from ensemble.correlations.information import coherence_divergence, population_divergence
from ensemble.correlations.pair import NEGATIVITY
from ensemble.together.certified import total
from ensemble.together.discord import discord
from ensemble.together.state import States

SIGNS = np.array([1.0, -1.0, -1.0, 1.0])


def pair_values(states: States, names: Collection[str]) -> tuple[dict[str, FloatArray], NDArray]:
    """Variables of the reduced state of two spins, and where that state is one.

    Parameters
    ----------
    states : States
    names : collection of str
        The discord is computed only if it is among them.
    """
    place, n_1, n_2 = states.layout, states.layout.n_1, states.layout.n_2
    among = place.populations
    k_1, k_2 = place.k_1[among], place.k_2[among]
    rho, delta = states.rho[among], states.delta[among]
    off_1 = k_1 - _thermal_mean(states.cold.log_ratio, n_1)
    off_2 = k_2 - _thermal_mean(states.hot.log_ratio, n_2)
    first, second, both = (
        states.contrast * total(row * delta) for row in (off_1, off_2, off_1 * off_2)
    )
    covariance = (both - first * second) / (n_1 * n_2)
    p_1, p_2 = total(k_1 * rho) / n_1, total(k_2 * rho) / n_2
    xy = 2 * states.current(place.hop) / (n_1 * n_2)
    found, positive = correlations(p_1, p_2, covariance, xy, names)
    zz = (2 * p_1 - 1) * (2 * p_2 - 1) + 4 * covariance
    return {"spin_correlation_zz": zz, "spin_correlation_xy": xy, **found}, positive


def correlations(
    p_1: FloatArray,
    p_2: FloatArray,
    covariance: FloatArray,
    xy: FloatArray,
    names: Collection[str],
) -> tuple[dict[str, FloatArray], NDArray]:
    """Variables of two-spin states as of `PairState` with xx = 0, and where each is one.

    Parameters
    ----------
    p_1, p_2, covariance, xy : ndarray, shape (points,)
    names : collection of str
        The discord is computed only if it is among them.

    Examples
    --------
    >>> half, none = np.array([0.5]), np.array([0.0])
    >>> found, _ = correlations(half, half, -half / 2, none, ["mutual_information"])
    >>> found["mutual_information"] / np.log(2)
    array([1.])
    """
    w = np.abs(xy) / 2

    uncorrelated = np.stack(
        [p_1 * p_2, p_1 * (1 - p_2), (1 - p_1) * p_2, (1 - p_1) * (1 - p_2)], axis=-1
    )
    change = covariance[:, np.newaxis] * SIGNS
    raw = uncorrelated + change
    radius = np.hypot((raw[:, 1] - raw[:, 2]) / 2, w)
    lowest = np.minimum(raw[:, [0, 3]].min(axis=1), (raw[:, 1] + raw[:, 2]) / 2 - radius)
    positive = lowest >= -NEGATIVITY
    populations = np.maximum(raw, 0.0)
    up_up, up_down, down_up, down_down = populations.T

    quantum = coherence_divergence(up_down, down_up, w)
    classical = population_divergence(uncorrelated, change)
    entangled = 2 * (w - np.sqrt(up_up) * np.sqrt(down_down))
    found = {
        "mutual_information": classical + quantum,
        "concurrence": np.clip(entangled, 0.0, 1.0),
        "pair_purity": total(populations.T**2) + 2 * w**2,
    }
    if "discord" in names:
        found["discord"], closed = discord(
            p_1, p_2, covariance, w, populations, quantum=quantum, mutual=classical + quantum
        )
        positive = positive & closed
    return found, positive


def _thermal_mean(log_ratio: FloatArray, top: int) -> FloatArray:
    """Mean of k = 0 … top with weights exp(−k log_ratio)."""
    k = np.arange(top + 1.0)[:, np.newaxis]
    weight = np.exp(-k * log_ratio - np.maximum(0.0, -top * log_ratio))
    return total(k * weight) / total(weight)
