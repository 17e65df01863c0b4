"""Gain of the limit N → ∞ over one pair, and the line along which it is 1 (Fig. 6b)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._labels import FloatArray, axis_labels, labelled, whole
from analyses.gain import COLLECTIVE_GAIN, conductance
from analyses.relaxation import FEWEST, fit_where
from catalog.heat_engine.terms import EnergyTerm
from catalog.names.vocabulary import suggestion
from ensemble import Engine, InvalidInput
from ensemble.closed_forms.single_pair import single_pair_current

PARAMETERS = ("delta_E", "T_mean", "omega_0", "E_1", "delta_T", "Gamma_0")
"""Parameters of the engine of one pair: coordinates of the dataset, dimensions or scalars."""

SINGLE_PAIR_CONDUCTANCE = EnergyTerm(
    "single_pair_conductance",
    "G₁",
    "variable",
    "quanta current per affinity of one pair",
    energy_power=1,
    equation="G₁ = J₁/a",
)
BOUNDARY = EnergyTerm(
    "gain_boundary", "(ΔE)_c", "variable", "label above which the collective gain exceeds the level"
)
N_CROSSINGS = EnergyTerm(
    "n_crossings", "n", "variable", "times that the gain crosses the level", dtype="int64"
)
EXPONENT = EnergyTerm(
    "exponent", "c", "variable", "algebraic exponent of the boundary", equation="(ΔE)_c ~ T̄^c"
)
EXPONENT_STDERR = EnergyTerm("exponent_stderr", "σ_c", "variable", "standard error of the exponent")
FIT_DEVIATION = EnergyTerm("fit_deviation", "δ", "variable", "largest |residual| of the logarithm")
N_POINTS = EnergyTerm("n_points", "n", "variable", "number of points in the fit", dtype="int64")


def limit_gain(dataset: xr.Dataset) -> xr.DataArray:
    r"""Collective gain of the limit N → ∞ in the high-temperature scaling (Fig. 6b).

    .. math:: \lim_{N\to\infty} \frac{\mathcal{P}_N}{N\mathcal{P}_1}
              = \frac{(J/N)/(aN)}{J_1/a_1}, \qquad
              \frac{J/N}{aN} = \frac{\mathcal{C}}{2} \frac{D}{N^2}

    with one pair in closed form (`ensemble.closed_forms.single_pair`).  Its affinity
    a₁ = E₁/T₁ − E₂/T₂ is the limit's aN: the ratio of the powers is that of the
    conductances, which vanish nowhere, so that there is no 0/0 on the Carnot line.

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
    return labelled(collective / single_pair_conductance(dataset), COLLECTIVE_GAIN)


def single_pair_conductance(dataset: xr.Dataset) -> xr.DataArray:
    r"""Quanta current per affinity of one pair, in closed form, with its limit where a = 0.

    .. math:: G_1 = \frac{J_1}{a} = \frac{\omega_0^2\, \gamma_{\downarrow 1}\gamma_{\uparrow 2}}
                     {(\Gamma_1 + \Gamma_2)(\Gamma_1\Gamma_2 + \omega_0^2)} \,
                     \frac{1 - e^{-a}}{a}, \qquad
              \Gamma_i = \gamma_{\downarrow i} + \gamma_{\uparrow i}

    Parameters
    ----------
    dataset : xarray.Dataset
        The engine's parameters among its coordinates; bosonic baths.  At N = 1 the two scalings
        coincide.

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
    for name in PARAMETERS:
        if name not in dataset.coords:
            known = suggestion(name, map(str, dataset.coords)) if dataset.coords else ""
            raise InvalidInput(f"the dataset has no coordinate {name!r}{known}")
    result = xr.apply_ufunc(
        _one_pair, *(dataset[name] for name in PARAMETERS), vectorize=True, output_dtypes=[float]
    )
    return labelled(result, SINGLE_PAIR_CONDUCTANCE, dataset["Gamma_0"].attrs.get("units"))


def gain_boundary(gain: xr.DataArray, *, dim: str = "delta_E", level: float = 1.0) -> xr.Dataset:
    r"""Label along ``dim`` at which the gain rises through a level: the dashed line of Fig. 6b.

    ln(gain/level) is interpolated linearly between the two labels of the crossing.

    Parameters
    ----------
    gain : xarray.DataArray
        Positive, with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to look along; labels positive and strictly increasing.
    level : float
        The gain on the line, positive.

    Returns
    -------
    xarray.Dataset
        On the other dimensions:

        - ``gain_boundary``: the lowest label of a rise through ``level``, in the unit of ``dim``;
          NaN where the gain does not rise through it within the labels,
        - ``n_crossings``: crossings up or down; more than 1 means that there are further lines.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or ``level`` ≤ 0.

    Notes
    -----
    With spacing h and f = ln gain the error is at most h² max|f″| / (8 min|f′|).

    Examples
    --------
    >>> spacing = xr.DataArray([1.0, 2.0, 4.0], dims="delta_E")
    >>> gain = np.exp(spacing - 2.5).assign_coords(delta_E=spacing)
    >>> float(gain_boundary(gain).gain_boundary)
    2.5
    """
    labels = axis_labels(gain, dim, at_least=2)
    if not 0 < level < np.inf:
        raise InvalidInput(f"level must be positive and finite, but is {level!r}: try 1.0")
    boundary, crossings = xr.apply_ufunc(
        _first_rise,
        whole(gain, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[], []],
        kwargs={"labels": labels, "level": level},
        dask="parallelized",
        output_dtypes=[float, np.int64],
        keep_attrs=True,  # of the coordinates; those of the arrays are replaced below
    )
    how: dict[str, Any] = {"dim": dim, "level": level}
    units = gain.coords[dim].attrs.get("units", "1")
    return xr.Dataset(
        {
            BOUNDARY.name: labelled(boundary, BOUNDARY, units, **how),
            N_CROSSINGS.name: labelled(crossings, N_CROSSINGS, **how),
        }
    )


def boundary_exponent(
    boundary: xr.DataArray,
    *,
    dim: str = "T_mean",
    origin: float = 0.0,
    start: float = 0.0,
    stop: float = np.inf,
) -> xr.Dataset:
    r"""Algebraic exponent c of the boundary, and how well a power law describes it.

    .. math:: (\Delta E)_c \sim (\bar T - T_{\mathrm{o}})^c

    by least squares of ln (ΔE)_c against ln(T̄ − T_o).  The paper states T_o = 0, "roughly"; T_o =
    ΔT/2 gives the exponent in the cold temperature T₁.

    Parameters
    ----------
    boundary : xarray.DataArray
        (ΔE)_c, with ``dim`` and any other dimensions; in memory or lazy.  Labels at which it is
        not positive and finite are left out.
    dim : str
        Dimension to fit along; labels positive and strictly increasing.
    origin : float
        T_o, below every label that is used.
    start, stop : float
        Lowest and highest label of the fit, both included.

    Returns
    -------
    xarray.Dataset
        ``exponent``, ``exponent_stderr`` (n − 2 degrees of freedom), ``fit_deviation`` (largest
        |residual| of ln (ΔE)_c: where it is not small there is no power law) and ``n_points``.
        NaN with fewer than 3 points.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or ``origin`` is not
        below the labels.

    Examples
    --------
    >>> T = xr.DataArray([10.5, 11.0, 12.0, 14.0, 20.0], dims="T_mean")
    >>> boundary = (3 * (T - 10) ** 1.5).where(T < 20).assign_coords(T_mean=T)
    >>> fit = boundary_exponent(boundary, origin=10.0)
    >>> round(float(fit.exponent), 12), int(fit.n_points)
    (1.5, 4)
    """
    labels = axis_labels(boundary, dim, at_least=FEWEST)
    inside = (start <= labels) & (labels <= stop)
    if inside.any() and not origin < labels[inside][0]:
        raise InvalidInput(
            f"origin must lie below the labels of {dim!r}, which start at {labels[inside][0]:g}, "
            f"but is {origin!r}: lower it, or raise start"
        )
    columns = xr.apply_ufunc(
        _log_log,
        whole(boundary, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[]] * 4,
        kwargs={"labels": labels, "inside": inside, "origin": origin},
        dask="parallelized",
        output_dtypes=[float, float, float, np.int64],
    )
    how: dict[str, Any] = {"dim": dim, "origin": origin, "start": start, "stop": stop}
    terms = (EXPONENT, EXPONENT_STDERR, FIT_DEVIATION, N_POINTS)
    return xr.Dataset(
        {
            term.name: labelled(column, term, **how)
            for term, column in zip(terms, columns, strict=True)
        }
    )


def _one_pair(*values: float) -> float:
    """J₁/a of one engine of one pair."""
    parameters: dict[str, Any] = dict(zip(PARAMETERS, map(float, values), strict=True))
    engine = Engine(N=1, **parameters)
    if engine.affinity:
        return single_pair_current(engine) / engine.affinity
    cold, hot, square = engine.cold, engine.hot, engine.drive**2
    rate_1, rate_2 = cold.gamma_down + cold.gamma_up, hot.gamma_down + hot.gamma_up
    denominator = (rate_1 + rate_2) * (rate_1 * rate_2 + square)
    return square * cold.gamma_down * hot.gamma_up / denominator


def _first_rise(
    gain: FloatArray, *, labels: FloatArray, level: float
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Kernel of `gain_boundary`: labels last."""
    usable = np.isfinite(gain) & (gain > 0)
    log = np.log(np.where(usable, gain, np.nan) / level)
    left, right = log[..., :-1], log[..., 1:]
    rise, fall = (left <= 0) & (right > 0), (left > 0) & (right <= 0)
    step = np.where(rise, right - left, 1.0)
    crossing = labels[:-1] - np.where(rise, left, 0.0) / step * np.diff(labels)
    first = np.argmax(rise, axis=-1)[..., np.newaxis]
    found = np.take_along_axis(np.where(rise, crossing, np.nan), first, axis=-1)[..., 0]
    return found, (rise | fall).sum(axis=-1)


def _log_log(
    boundary: FloatArray, *, labels: FloatArray, inside: NDArray[np.bool_], origin: float
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64]]:
    """Kernel of `boundary_exponent`: labels last."""
    use = inside & np.isfinite(boundary) & (boundary > 0)
    x = np.log(np.where(inside, labels - origin, 1.0))
    slope, _, stderr, deviation, n = fit_where(x, np.log(np.where(use, boundary, 1.0)), use)
    return slope, stderr, deviation, n
