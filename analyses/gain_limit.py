"""Gain of the limit N → ∞ over one pair (Fig. 6b)."""

from __future__ import annotations

from typing import Any

import xarray as xr

from analyses._labels import labelled, require_coordinates
from analyses.gain import COLLECTIVE_GAIN, SAME_LABELS, conductance
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import Engine, InvalidInput
from ensemble.closed_forms.single_pair import single_pair_current

PARAMETERS = ("delta_E", "T_mean", "omega_0", "E_1", "delta_T", "Gamma_0")
"""Parameters of the engine of one pair: coordinates of the dataset, dimensions or scalars."""

RATES = ("Gamma_1", "Gamma_2")
"""Of baths that differ in them; used if they are coordinates, else both are Γ₀."""

SINGLE_PAIR_CONDUCTANCE = EnergyTerm(
    "single_pair_conductance",
    "G₁",
    "variable",
    "quanta current per affinity of one pair",
    energy_power=1,
    equation="G₁ = J₁/a",
)


def limit_gain(dataset: xr.Dataset) -> xr.DataArray:
    r"""Collective gain of the limit N → ∞ in the high-temperature scaling (Fig. 6b).

    .. math:: \lim_{N\to\infty} \frac{\mathcal{P}_N}{N\mathcal{P}_1}
              = \frac{(J/N)/(aN)}{J_1/a_1}, \qquad
              \frac{J/N}{aN} = \frac{\mathcal{C}}{2} \frac{D}{N^2}

    with one pair in closed form (`ensemble.closed_forms.single_pair`).  Its affinity
    a₁ = E₁/T₁ − E₂/T₂ is the limit's aN: the ratio of the powers is that of the
    conductances, which vanish nowhere, so that there is no 0/0 on the Carnot line.

    P₁ is the power of one pair with the same labels ΔE, T̄, ω₀, Γ₀, as in
    `analyses.collective_gain`: it does not depend on N, and its baths are those of the labels,
    while those of the N-pair engine are at N T.  Against pairs with the baths of the N-pair engine
    (`analyses.same_bath_gain`) there is no limit: that gain grows as N³.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of the method ``macroscopic``, or ``cumulant`` of order 3, in the high-temperature scaling:
        ``constancy`` and ``quanta_current_per_pair_noise``, and the engine's parameters among the
        coordinates; in memory or lazy.

    Returns
    -------
    xarray.DataArray
        ``collective_gain``, dimensionless and positive, on the dimensions of the variables.

    Raises
    ------
    InvalidInput
        If a variable or a parameter is missing.

    Examples
    --------
    An engine of Fig. 7, whose power in the limit is P/N = 6.07793052·10⁻⁵:

    >>> point = dict(omega_0=0.006, E_1=1.0, delta_T=23.0, Gamma_0=0.001)
    >>> labels = {"delta_E": [9.0], "T_mean": [13.5]}
    >>> grid = xr.Dataset(coords=labels | point)
    >>> shape = ("delta_E", "T_mean")
    >>> grid["constancy"] = shape, [[1.000015874]]
    >>> grid["quanta_current_per_pair_noise"] = shape, [[0.01094010128 / 81]]
    >>> engine = Engine(N=1, delta_E=9.0, T_mean=13.5, **point)
    >>> ratio = 6.07793052e-05 / (9.0 * single_pair_current(engine))
    >>> [round(gain, 8) for gain in (limit_gain(grid).item(), ratio)]
    [0.19785227, 0.19785227]
    """
    for name in ("constancy", "quanta_current_per_pair_noise"):
        if name not in dataset:
            raise InvalidInput(
                f"the gain of a limit needs {name!r}: compute it, or select a dataset of method "
                "macroscopic or cumulant"
            )
    collective = conductance(dataset["constancy"], dataset["quanta_current_per_pair_noise"])
    gain = collective / single_pair_conductance(dataset)
    return labelled(gain, COLLECTIVE_GAIN, compared_with=SAME_LABELS)


def single_pair_conductance(dataset: xr.Dataset) -> xr.DataArray:
    r"""Quanta current per affinity of one pair, in closed form, with its limit where a = 0.

    .. math:: G_1 = \frac{J_1}{a} = \frac{\omega_0^2\, \gamma_{\downarrow 1}\gamma_{\uparrow 2}}
                     {(\Gamma_1 + \Gamma_2)(\Gamma_1\Gamma_2 + \omega_0^2)} \,
                     \frac{1 - e^{-a}}{a}, \qquad
              \Gamma_i = \gamma_{\downarrow i} + \gamma_{\uparrow i}

    Parameters
    ----------
    dataset : xarray.Dataset
        The engine's parameters among its coordinates, Γ₁ and Γ₂ if they differ; bosonic baths.  At
        N = 1 the two scalings coincide.

    Returns
    -------
    xarray.DataArray
        G₁ on the dimensions of the parameters, in the unit of Γ₀.

    Raises
    ------
    InvalidInput
        If a parameter is missing, or no engine can have these values.

    Examples
    --------
    Fig. 2's engine at its Carnot point, where J₁ = 0:

    >>> point = dict(delta_E=125, T_mean=130, omega_0=1, E_1=100, delta_T=100, Gamma_0=1)
    >>> round(single_pair_conductance(xr.Dataset(coords=point)).item(), 5)
    0.03671
    """
    require_coordinates(dataset, PARAMETERS)
    names = [*PARAMETERS, *(name for name in RATES if name in dataset.coords)]
    result = xr.apply_ufunc(
        _one_pair,
        *(dataset[name] for name in names),
        kwargs={"names": names},
        vectorize=True,
        output_dtypes=[float],
    )
    return labelled(result, SINGLE_PAIR_CONDUCTANCE, dataset["Gamma_0"].attrs.get("units"))


def _one_pair(*values: float, names: list[str]) -> float:
    """J₁/a of one engine of one pair."""
    parameters: dict[str, Any] = dict(zip(names, map(float, values), strict=True))
    engine = Engine(N=1, **parameters)
    if engine.affinity:
        return single_pair_current(engine) / engine.affinity
    cold, hot, square = engine.cold, engine.hot, engine.drive**2
    rate_1, rate_2 = cold.gamma_down + cold.gamma_up, hot.gamma_down + hot.gamma_up
    denominator = (rate_1 + rate_2) * (rate_1 * rate_2 + square)
    return square * cold.gamma_down * hot.gamma_up / denominator
