"""Noise at which a gain is lost: the lowest label at which it falls through a level."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr

from analyses._labels import FloatArray
from analyses.boundary import N_CROSSINGS, N_MISSING, BoundaryStatus, first_rise, search
from catalog.heat_engine.energy_term import EnergyTerm

THRESHOLD = EnergyTerm(
    "noise_threshold", "Γ_c", "variable", "noise above which the gain is below the level"
)
KEPT_UP_TO = EnergyTerm("threshold_low", "", "variable", "last label with a gain before it is lost")
LOST_FROM = EnergyTerm(
    "threshold_high", "", "variable", "first label with a gain below the level after it"
)
STATUS = EnergyTerm(
    "threshold_status", "", "variable", "whether the gain is lost on the labels", dtype="int8"
)


class ThresholdStatus(IntEnum):
    """Whether the noise at which the gain is lost is known."""

    FOUND = 0
    KEPT = 1
    """The gain exceeds the level at the lowest label and does not fall through it."""
    IN_A_GAP = 2
    """It falls through the level between two values with missing ones between them."""
    CANNOT_TELL = 3
    """Values are missing at an end of the labels, where the fall may be."""
    LOST_BEFORE = 4
    """The gain is below the level at the lowest label and does not fall through it later."""


def noise_threshold(
    gain: xr.DataArray, *, dim: str = "Gamma_local", level: float = 1.0
) -> xr.Dataset:
    r"""Noise at which a gain falls through a level, for each N and every other label.

    ln gain is interpolated linearly in the logarithm of the label between the two labels of the
    fall, exact for a power law.

    Parameters
    ----------
    gain : xarray.DataArray
        Positive, with ``dim`` and any other dimensions; in memory or lazy.  What it compares with
        decides what the threshold means: `analyses.collective_gain` compares with single pairs
        that have the same noise.
    dim : str
        Dimension of the noise; labels positive and strictly increasing.  Leave out the label 0:
        the limit of vanishing noise differs from the engine without noise.
    level : float
        The gain at the threshold, positive.

    Returns
    -------
    xarray.Dataset
        On the other dimensions; labels are in the unit of ``dim``:

        - ``noise_threshold``: the lowest label of a fall through ``level``; NaN unless the status
          is 0,
        - ``threshold_low``, ``threshold_high``: the labels with a value on either side of it,
        - ``n_crossings``: crossings up or down; more than 1 means that the gain exceeds the level
          again at stronger noise, or does not exceed it at the weakest,
        - ``n_missing``: labels where the gain is not a positive finite number,
        - ``threshold_status``: 0 found; 1 kept up to the last label; 2 in a gap between missing
          values; 3 cannot tell; 4 lost before: at the lowest label the gain is below the level,
          and it does not fall through it later.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or ``level`` ≤ 0.

    Notes
    -----
    With spacing h of the logarithms of the labels and f = ln gain, the error of f is at most
    h² max|f″|/8.  Nothing is said about noise below the lowest label or above the last one, and two
    crossings between one value and the next are not seen.

    Examples
    --------
    >>> rates = xr.DataArray([0.1, 1.0, 10.0, 100.0], dims="Gamma_local")
    >>> gain = (40 / rates**2).assign_coords(Gamma_local=rates)
    >>> round(float(noise_threshold(gain).noise_threshold) ** 2, 9)
    40.0
    >>> ThresholdStatus(int(noise_threshold(gain, level=1e-9).threshold_status)).name
    'KEPT'
    """
    terms = (THRESHOLD, KEPT_UP_TO, LOST_FROM, N_CROSSINGS, N_MISSING, STATUS)
    return search(_first_fall, gain, dim, terms, level=level, codes=ThresholdStatus)


def _first_fall(gain: FloatArray, *, labels: FloatArray, level: float) -> tuple[Any, ...]:
    """Kernel of `noise_threshold`: labels last.  A fall of the gain is a rise of its inverse."""
    usable = np.isfinite(gain) & (gain > 0)
    log = np.log(level / np.where(usable, gain, level))
    log_label, *others, status = first_rise(log, usable, labels, np.log(labels))
    # Without a fall, a gain that is below the level anywhere is so from the lowest label on.
    never_there = (status == BoundaryStatus.NONE) & (log > 0).any(axis=-1)
    status = np.where(never_there, ThresholdStatus.LOST_BEFORE, status).astype(np.int8)
    return np.exp(log_label), *others, status
