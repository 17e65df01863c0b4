"""The Carnot line, where every average current vanishes (Eqs. 18 and 23), in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from analyses._labels import FloatArray, labelled
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

Values = TypeVar("Values", float, FloatArray, xr.DataArray)

DELTA_E = EnergyTerm(
    "carnot_delta_E",
    "ΔE*",
    "variable",
    "level spacing difference at the Carnot point",
    energy_power=1,
    equation="Eq. 23",
)
T_MEAN = EnergyTerm(
    "carnot_T_mean",
    "T̄*",
    "variable",
    "mean temperature at the Carnot point",
    energy_power=1,
    equation="Eq. 23, corrected",
)
EFFICIENCY = EnergyTerm(
    "carnot_efficiency", "η_C", "variable", "Carnot efficiency", equation="Eq. 18, corrected"
)
COP = EnergyTerm(
    "carnot_cop", "ε_C", "variable", "Carnot coefficient of performance", equation="Eq. 18"
)


def carnot_delta_E(
    T_mean: Values,
    *,
    E_1: float | Values,
    delta_T: float | Values,
    mu_1: float | Values = 0.0,
    mu_2: float | Values = 0.0,
) -> Values:
    r"""Level spacing difference at which the engine reaches Carnot efficiency (Eq. 23).

    .. math:: \Delta E_* = \frac{(E_1 - \mu_1) \Delta T}{\bar T - \Delta T/2} + \mu_2 - \mu_1

    i.e. (E₁ − μ₁)/T₁ = (E₂ − μ₂)/T₂, for every N and both scalings.  Without chemical potentials
    it is an engine below ΔE* and a refrigerator above.

    Parameters
    ----------
    T_mean : float, ndarray or xarray.DataArray
        Mean temperature T̄ > ΔT/2.
    E_1, delta_T : float, ndarray or xarray.DataArray
        Level spacing E₁ > 0 and temperature difference ΔT ≥ 0, in the unit of ``T_mean``.
    mu_1, mu_2 : float, ndarray or xarray.DataArray
        Chemical potentials of fermionic baths.

    Returns
    -------
    float, ndarray or xarray.DataArray
        ΔE*, in the same unit; labelled if ``T_mean`` is.

    Raises
    ------
    InvalidInput
        If an argument is out of its range (on computing, for a lazy one).

    Examples
    --------
    >>> float(carnot_delta_E(150.0, E_1=100.0, delta_T=100.0))
    100.0
    """
    return _labelled_form(_delta_E, DELTA_E, T_mean, E_1, delta_T, mu_1, mu_2)


def carnot_T_mean(
    delta_E: Values,
    *,
    E_1: float | Values,
    delta_T: float | Values,
    mu_1: float | Values = 0.0,
    mu_2: float | Values = 0.0,
) -> Values:
    r"""Mean temperature at which the engine reaches Carnot efficiency: inverts `carnot_delta_E`.

    .. math:: {\bar T}_* = \frac{\Delta T}{2} \, \frac{h_2 + h_1}{h_2 - h_1}, \qquad
              h_1 = E_1 - \mu_1, \quad h_2 = E_1 + \Delta E - \mu_2

    which is (ΔT/2)(ΔE + 2E₁)/ΔE without chemical potentials.  Eq. 23 is printed with ΔE − 2E₁,
    which does not solve E₁/E₂ = T₁/T₂.

    Parameters
    ----------
    delta_E : float, ndarray or xarray.DataArray
        Level spacing difference ΔE > 0.
    E_1, delta_T : float, ndarray or xarray.DataArray
        Level spacing E₁ > 0 and temperature difference ΔT > 0, in the unit of ``delta_E``.
    mu_1, mu_2 : float, ndarray or xarray.DataArray
        Chemical potentials of fermionic baths.

    Returns
    -------
    float, ndarray or xarray.DataArray
        T̄*, in the same unit; labelled if ``delta_E`` is.  NaN where chemical potentials leave no
        temperatures at which (E₁ − μ₁)/T₁ = (E₂ − μ₂)/T₂.

    Raises
    ------
    InvalidInput
        If an argument is out of its range (on computing, for a lazy one).

    Examples
    --------
    >>> float(carnot_T_mean(100.0, E_1=100.0, delta_T=100.0))
    150.0
    """
    return _labelled_form(_T_mean, T_MEAN, delta_E, E_1, delta_T, mu_1, mu_2)


def carnot_efficiency(T_mean: Values, *, delta_T: float | Values) -> Values:
    r"""Carnot efficiency of the engine (Eq. 18, which prints β₁/β₂ for β₂/β₁).

    .. math:: \eta_C = 1 - \frac{T_1}{T_2} = \frac{\Delta T}{\bar T + \Delta T/2}

    Parameters
    ----------
    T_mean : float, ndarray or xarray.DataArray
        Mean temperature T̄ > ΔT/2.
    delta_T : float, ndarray or xarray.DataArray
        Temperature difference ΔT ≥ 0, in the unit of ``T_mean``.

    Returns
    -------
    float, ndarray or xarray.DataArray
        η_C, dimensionless; labelled if ``T_mean`` is.

    Raises
    ------
    InvalidInput
        If an argument is out of its range (on computing, for a lazy one).

    Examples
    --------
    >>> float(carnot_efficiency(150.0, delta_T=100.0))
    0.5
    """
    return _labelled_form(_efficiency, EFFICIENCY, T_mean, delta_T)


def carnot_cop(T_mean: Values, *, delta_T: float | Values) -> Values:
    r"""Carnot coefficient of performance of the refrigerator (Eq. 18).

    .. math:: \epsilon_C = \frac{T_1}{T_2 - T_1} = \frac{\bar T - \Delta T/2}{\Delta T}

    Parameters
    ----------
    T_mean : float, ndarray or xarray.DataArray
        Mean temperature T̄ > ΔT/2.
    delta_T : float, ndarray or xarray.DataArray
        Temperature difference ΔT > 0, in the unit of ``T_mean``.

    Returns
    -------
    float, ndarray or xarray.DataArray
        ε_C, dimensionless; labelled if ``T_mean`` is.

    Raises
    ------
    InvalidInput
        If an argument is out of its range (on computing, for a lazy one).

    Examples
    --------
    >>> float(carnot_cop(150.0, delta_T=100.0))
    1.0
    """
    return _labelled_form(_cop, COP, T_mean, delta_T)


def _delta_E(
    T_mean: FloatArray, E_1: FloatArray, delta_T: FloatArray, mu_1: FloatArray, mu_2: FloatArray
) -> FloatArray:
    _require(E_1, "E_1")
    cold, _ = _temperatures(T_mean, delta_T)
    return (E_1 - mu_1) * delta_T / cold + (mu_2 - mu_1)


def _T_mean(
    delta_E: FloatArray, E_1: FloatArray, delta_T: FloatArray, mu_1: FloatArray, mu_2: FloatArray
) -> FloatArray:
    for value, name in ((delta_E, "delta_E"), (E_1, "E_1"), (delta_T, "delta_T")):
        _require(value, name)
    work = delta_E - (mu_2 - mu_1)
    with np.errstate(divide="ignore", invalid="ignore"):
        T_mean = delta_T / 2 * (work + 2 * (E_1 - mu_1)) / work
    return np.where(T_mean > delta_T / 2, T_mean, np.nan)[()]


def _efficiency(T_mean: FloatArray, delta_T: FloatArray) -> FloatArray:
    _, hot = _temperatures(T_mean, delta_T)
    return delta_T / hot


def _cop(T_mean: FloatArray, delta_T: FloatArray) -> FloatArray:
    _require(delta_T, "delta_T")
    cold, _ = _temperatures(T_mean, delta_T)
    return cold / delta_T


def _temperatures(T_mean: FloatArray, delta_T: FloatArray) -> tuple[FloatArray, FloatArray]:
    """T₁ > 0 and T₂ ≥ T₁."""
    if not np.all(delta_T >= 0):
        raise InvalidInput("delta_T must not be negative: bath 2 is the hot one")
    cold = T_mean - delta_T / 2
    if not np.all(cold > 0):
        raise InvalidInput(
            "T_mean must exceed delta_T/2 (else T_1 ≤ 0): raise T_mean or lower delta_T"
        )
    return cold, T_mean + delta_T / 2


def _require(value: FloatArray, name: str) -> None:
    if not np.all(value > 0):
        raise InvalidInput(f"{name} must be positive: give {name} > 0")


def _labelled_form(kernel: Callable[..., FloatArray], term: EnergyTerm, *arguments: Any) -> Any:
    """Apply an elementwise kernel; label a DataArray in the unit of the first argument."""
    result = xr.apply_ufunc(
        _evaluate,
        *arguments,
        kwargs={"kernel": kernel},
        dask="parallelized",
        output_dtypes=[float],
        keep_attrs=True,  # of the coordinates; those of the array are replaced below
    )
    if not isinstance(result, xr.DataArray):
        return result
    units = getattr(arguments[0], "attrs", {}).get("units") if term.energy_power else None
    # Datasets of the heat engine have the Carnot efficiency as a coordinate, too.
    return labelled(result.drop_vars(term.name, errors="ignore"), term, units)


def _evaluate(*values: Any, kernel: Callable[..., FloatArray]) -> FloatArray:
    return kernel(*(np.asarray(value, dtype=float) for value in values))
