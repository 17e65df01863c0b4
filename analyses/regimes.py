"""What an engine does at each point of a map: whether it gives power or cools, and how well."""

from __future__ import annotations

from enum import IntEnum
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._grid_points import usable_points
from analyses._labels import labelled
from analyses.constancy import ERROR
from analyses.gain import collective_gain
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput


class Regime(IntEnum):
    """What an engine does."""

    NO_VALUE = 0
    """It is not computed, its status is not ok, or its power is undefined."""
    NO_POWER = 1
    """The power is exactly 0, as on the Carnot line and without a drive."""
    DISSIPATES = 2
    """It takes power and does not cool the cold bath."""
    REFRIGERATOR = 3
    """It takes power and takes heat out of the cold bath."""
    ENGINE = 4
    """It gives power."""
    ENGINE_WITH_GAIN = 5
    """It gives more power than N engines of one pair."""
    STEADY_ENGINE = 6
    """It gives power with a constancy above the classical bound."""
    STEADY_ENGINE_WITH_GAIN = 7
    """It does both."""

    @property
    def text(self) -> str:
        """For a legend."""
        return _TEXTS[self]


_TEXTS = {
    Regime.NO_VALUE: "no value",
    Regime.NO_POWER: "no power",
    Regime.DISSIPATES: "takes power, cools nothing",
    Regime.REFRIGERATOR: "refrigerator",
    Regime.ENGINE: "engine",
    Regime.ENGINE_WITH_GAIN: "engine, gain > 1",
    Regime.STEADY_ENGINE: "engine, C > 1",
    Regime.STEADY_ENGINE_WITH_GAIN: "engine, gain > 1 and C > 1",
}
REGIME = EnergyTerm("regime", "", "variable", "what the engine does", dtype="int8")


def operating_regime(
    dataset: xr.Dataset, *, gain: xr.DataArray | None = None, error: float = ERROR
) -> xr.DataArray:
    r"""What the engine does at each point.

    .. math:: \mathcal{P} > 0 \text{ (engine)}, \qquad
              \mathcal{P} < 0 \text{ and } \dot Q_1 > 0 \text{ (refrigerator)}, \qquad
              \mathcal{P}_N > N \mathcal{P}_1, \qquad \mathcal{C} - 1 > \delta\mathcal{C}

    Parameters
    ----------
    dataset : xarray.Dataset
        With ``power`` or ``power_per_pair``; lazy or in memory.  ``heat_current_1``, if it is
        there, says where the engine cools; otherwise Q₁ = −(E₁/ΔE) P, which holds where every
        quantum passes the drive.  With ``constancy``, engines with C > 1 have regimes of their
        own.
    gain : xarray.DataArray, optional
        Collective gain on the same labels.  Without it, `analyses.collective_gain` of the power, if
        N = 1 is among the labels.
    error : float
        δC: C counts as above 1 if it exceeds 1 by more.

    Returns
    -------
    xarray.DataArray of int8
        ``regime``: values of ``Regime``, listed in the attributes ``flag_values`` and
        ``flag_meanings``.  The attribute ``not_judged`` names what the dataset does not hold: "gain
        > 1", "C > 1", both, or "".

    Raises
    ------
    InvalidInput
        If there is no power, or nothing that says where the engine cools.

    Examples
    --------
    >>> grid = xr.Dataset({"power": ("N", [1.0, 6.0, -1.0]), "constancy": ("N", [0.9, 1.1, 0.9])})
    >>> grid = grid.assign_coords(N=[1, 2, 3])
    >>> [Regime(code).text for code in operating_regime(grid).values]
    ['engine', 'engine, gain > 1 and C > 1', 'refrigerator']
    """
    power = next((n for n in ("power", "power_per_pair") if n in dataset), None)
    if power is None:
        raise InvalidInput(
            "a regime needs the variable 'power' or 'power_per_pair': compute one, or select it too"
        )
    usable, _ = usable_points(dataset, [power])
    if gain is None and power == "power" and "N" in dataset.sizes and 1 in dataset["N"].values:
        gain = collective_gain(dataset["power"])
    nothing = xr.DataArray(np.nan)
    steady = dataset.get("constancy", nothing)
    judged = {"gain > 1": gain is not None, "C > 1": "constancy" in dataset}
    regime = xr.apply_ufunc(
        partial(_regimes, error=error),
        usable,
        dataset[power],
        _heat_from_the_cold_bath(dataset, power),
        nothing if gain is None else gain,
        steady,
        dask="parallelized",
        output_dtypes=[np.int8],
    )
    return labelled(
        regime.transpose(*dataset[power].dims),
        REGIME,
        flag_values=[int(code) for code in Regime],
        flag_meanings=" ".join(code.name.lower() for code in Regime),
        not_judged=", ".join(name for name, known in judged.items() if not known),
    )


def _heat_from_the_cold_bath(dataset: xr.Dataset, power: str) -> xr.DataArray:
    """A number with the sign of Q₁."""
    per_pair = "heat_current_1_per_pair"
    for name in ("heat_current_1", per_pair):
        if name in dataset:
            return dataset[name]
    for leak in ("Gamma_local", "detuning"):
        if leak in dataset.coords and bool((dataset[leak] != 0).any()):
            raise InvalidInput(
                f"with {leak} it takes heat_current_1 to tell what cools: compute that variable too"
            )
    if "delta_E" in dataset.coords and bool((dataset["delta_E"] < 0).any()):
        return -dataset[power] / dataset["delta_E"]
    return -dataset[power]


def _regimes(
    usable: NDArray[np.bool_],
    power: NDArray[np.float64],
    heat: NDArray[np.float64],
    gain: NDArray[np.float64],
    constancy: NDArray[np.float64],
    *,
    error: float,
) -> NDArray[np.int8]:
    with np.errstate(invalid="ignore"):
        engine = power > 0
        better, steady = engine & (gain > 1), engine & (constancy - 1 > error)
    cases = {
        Regime.NO_VALUE: ~usable,
        Regime.STEADY_ENGINE_WITH_GAIN: better & steady,
        Regime.STEADY_ENGINE: steady,
        Regime.ENGINE_WITH_GAIN: better,
        Regime.ENGINE: engine,
        Regime.NO_POWER: power == 0,
        Regime.REFRIGERATOR: heat > 0,
    }
    shape = np.broadcast_shapes(*(np.shape(case) for case in cases.values()))
    conditions = [np.broadcast_to(case, shape) for case in cases.values()]
    return np.select(conditions, list(cases), Regime.DISSIPATES).astype(np.int8)
