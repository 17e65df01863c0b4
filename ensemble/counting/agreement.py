"""How far the three routes to the noise may differ, for one engine or arrays of many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray
from ensemble.method import AGREEMENT, ROUNDING


def allowed_disagreement(cancellation: float | FloatArray) -> FloatArray:
    """Relative difference allowed between the routes: that of the counting grows by rounding.

    Parameters
    ----------
    cancellation : float or ndarray
        As of `ensemble.counting.noise.Noise`.
    """
    return np.asarray(AGREEMENT + ROUNDING * cancellation)


def is_well_read(disagreement: float | FloatArray, reach: float | FloatArray) -> NDArray[np.bool_]:
    """Whether the noise at the drive is free of rounding: by its elements, or by the other routes.

    Parameters
    ----------
    disagreement, reach : float or ndarray
        As of `ensemble.counting.noise.Noise`.
    """
    agree = np.asarray(disagreement) <= AGREEMENT
    return np.asarray(agree | (ROUNDING * np.asarray(reach) <= AGREEMENT))
