"""Emission and absorption rates of many baths, and dark baths replaced by warmer ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ensemble.arrays import FloatArray
from ensemble.closed_forms.dark import DARK


class Baths(NamedTuple):
    """Baths of one kind, each an array over points: as `ensemble.parameters.bath.Bath`."""

    Gamma_0: FloatArray
    log_ratio: FloatArray
    gamma_down: FloatArray
    gamma_up: FloatArray


def baths(Gamma_0: FloatArray, log_ratio: FloatArray, bosonic: NDArray[np.bool_]) -> Baths:
    """Baths with given spontaneous rate and ln(γ↓/γ↑)."""
    quanta = np.where(bosonic, log_ratio, 1.0)  # for fermions it may be 0
    boson_down = -Gamma_0 / np.expm1(-quanta)
    down = np.where(bosonic, boson_down, Gamma_0 * special.expit(log_ratio))
    up = np.where(bosonic, boson_down * np.exp(-quanta), Gamma_0 * special.expit(-log_ratio))
    return Baths(Gamma_0, log_ratio, down, up)


class Brightened(NamedTuple):
    """As of `ensemble.closed_forms.dark.brightened`, for arrays."""

    cold: FloatArray
    hot: FloatArray
    power_of_two: NDArray[np.int64]


def brightened(cold: FloatArray, hot: FloatArray, affinity: FloatArray) -> Brightened:
    """ln(γ↓/γ↑) of both baths, lowered alike where both are dark, and the power of two left out.

    Parameters
    ----------
    cold, hot, affinity : ndarray, shape (points,)
    """
    size_cold, size_hot = np.abs(cold), np.abs(hot)
    least = np.minimum(size_cold, size_hot)
    dark = (least > DARK) & (cold * hot > 0)
    halvings = np.where(dark, np.floor((least - DARK) / math.log(2)), 0.0)
    shift = np.copysign(halvings * math.log(2), cold)
    from_cold = size_cold == least
    dim_cold = np.where(from_cold, cold - shift, (hot - shift) + affinity)
    dim_hot = np.where(from_cold, (cold - shift) - affinity, hot - shift)
    return Brightened(
        np.where(dark, dim_cold, cold),
        np.where(dark, dim_hot, hot),
        -halvings.astype(np.int64),
    )
