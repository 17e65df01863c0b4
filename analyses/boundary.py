"""Gain of the limit N → ∞ over one pair, and the line along which it is 1 (Fig. 6b)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._fits import FIRST, LAST, N_POINTS, deviation_term, fitted, flagged, slope_terms
from analyses._labels import FloatArray, axis_labels, labelled, whole
from analyses._lines import FEWEST, fit_lines
from analyses.gain import COLLECTIVE_GAIN, SAME_LABELS, conductance
from catalog.heat_engine.energy_term import EnergyTerm
from catalog.names.suggestion import suggestion
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
BOUNDARY = EnergyTerm(
    "gain_boundary", "(ΔE)_c", "variable", "label above which the collective gain exceeds the level"
)
BELOW = EnergyTerm("boundary_low", "", "variable", "last label with a value below the boundary")
ABOVE = EnergyTerm("boundary_high", "", "variable", "first label with a value above the boundary")
N_CROSSINGS = EnergyTerm(
    "n_crossings", "n", "variable", "times that the gain crosses the level", dtype="int64"
)
N_MISSING = EnergyTerm("n_missing", "", "variable", "labels without a positive gain", dtype="int64")
BOUNDARY_STATUS = EnergyTerm(
    "boundary_status", "", "variable", "whether there is a boundary, or why not", dtype="int8"
)
EXPONENTS = slope_terms(
    "exponent", "c", "algebraic exponent of the boundary", equation="(ΔE)_c ~ T̄^c"
)
FIT_DEVIATION = deviation_term("the logarithm of the boundary")


class BoundaryStatus(IntEnum):
    """Whether the lowest rise through the level is known."""

    FOUND = 0
    NONE = 1
    """The gain does not rise through the level within the labels."""
    IN_A_GAP = 2
    """It rises through the level between two values with missing ones between them."""
    CANNOT_TELL = 3
    """Values are missing at an end of the labels, where the rise may be."""


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
    for name in PARAMETERS:
        if name not in dataset.coords:
            known = suggestion(name, map(str, dataset.coords)) if dataset.coords else ""
            raise InvalidInput(f"the dataset has no coordinate {name!r}{known}")
    names = [*PARAMETERS, *(name for name in RATES if name in dataset.coords)]
    result = xr.apply_ufunc(
        _one_pair,
        *(dataset[name] for name in names),
        kwargs={"names": names},
        vectorize=True,
        output_dtypes=[float],
    )
    return labelled(result, SINGLE_PAIR_CONDUCTANCE, dataset["Gamma_0"].attrs.get("units"))


def gain_boundary(gain: xr.DataArray, *, dim: str = "delta_E", level: float = 1.0) -> xr.Dataset:
    r"""Label along ``dim`` at which the gain rises through a level: the dashed line of Fig. 6b.

    ln(gain/level) is interpolated linearly between the two labels of the crossing.

    Parameters
    ----------
    gain : xarray.DataArray
        Positive, with ``dim`` and any other dimensions; in memory or lazy.  What it compares with
        decides what the line means: `limit_gain` and `analyses.collective_gain`, which Fig. 6b
        shows, compare with single pairs of the same labels.
    dim : str
        Dimension to look along; labels positive and strictly increasing.
    level : float
        The gain on the line, positive.

    Returns
    -------
    xarray.Dataset
        On the other dimensions; labels are in the unit of ``dim``:

        - ``gain_boundary``: the lowest label of a rise through ``level``; NaN unless the status
          is 0,
        - ``boundary_low``, ``boundary_high``: the labels with a value on either side of it, NaN
          where there is none on that side,
        - ``n_crossings``: crossings up or down from one value to the next; more than 1 means that
          there are further lines,
        - ``n_missing``: labels where the gain is not a positive finite number,
        - ``boundary_status``: 0 found; 1 none: the gain does not rise through the level; 2 in a
          gap: it does between two values with missing ones between them, so that only
          ``boundary_low`` and ``boundary_high`` are known; 3 cannot tell: values are missing at
          the end of the labels where the lowest rise may be.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled or not positive and increasing, or ``level`` ≤ 0.

    Notes
    -----
    With spacing h and f = ln gain the error is at most h² max|f″| / (8 min|f′|).  Two crossings
    between one value and the next are not seen.

    Examples
    --------
    >>> spacing = xr.DataArray([1.0, 2.0, 4.0, 5.0], dims="delta_E")
    >>> gain = np.exp(spacing - 2.5).assign_coords(delta_E=spacing)
    >>> float(gain_boundary(gain).gain_boundary)
    2.5
    >>> found = gain_boundary(gain.where(spacing != 4))
    >>> BoundaryStatus(int(found.boundary_status)).name, float(found.boundary_high)
    ('IN_A_GAP', 5.0)
    """
    labels = axis_labels(gain, dim, at_least=2)
    if not 0 < level < np.inf:
        raise InvalidInput(f"level must be positive and finite, but is {level!r}: try 1.0")
    terms = (BOUNDARY, BELOW, ABOVE, N_CROSSINGS, N_MISSING, BOUNDARY_STATUS)
    columns = xr.apply_ufunc(
        _first_rise,
        whole(gain, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[]] * len(terms),
        kwargs={"labels": labels, "level": level},
        dask="parallelized",
        output_dtypes=[term.dtype for term in terms],
        keep_attrs=True,  # of the coordinates; those of the arrays are replaced below
    )
    how: dict[str, Any] = {"dim": dim, "level": level}
    if "compared_with" in gain.attrs:
        how["compared_with"] = gain.attrs["compared_with"]
    units = gain.coords[dim].attrs.get("units", "1")
    found = {}
    for term, column in zip(terms, columns, strict=True):
        if term is BOUNDARY_STATUS:
            found[term.name] = flagged(column, term, BoundaryStatus, **how)
        else:
            of_label = term in (BOUNDARY, BELOW, ABOVE)
            found[term.name] = labelled(column, term, units if of_label else None, **how)
    return xr.Dataset(found)


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
        On the other dimensions, dimensionless but for labels, which are as ``dim``:

        - ``exponent``: c, NaN with fewer than 3 points,
        - ``exponent_low``, ``exponent_high``: its least and largest value over the ``n_fits``
          windows of successive points, all of them included, that hold 3 or more and span at
          least half of the range of ln(T̄ − T_o),
        - ``local_exponent_low``, ``local_exponent_high``: range of d ln (ΔE)_c / d ln(T̄ − T_o),
        - ``first_label``, ``last_label``, ``n_points``: labels that the fit rests on,
        - ``fit_deviation``: largest |residual| of ln (ΔE)_c; where it is not small, or the ranges
          are wide, there is no power law.

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
    return fitted(
        _log_log,
        boundary,
        dim,
        (*EXPONENTS, FIRST, LAST, N_POINTS, FIT_DEVIATION),
        how={"dim": dim, "origin": origin, "start": start, "stop": stop},
        labels=labels,
        inside=inside,
        origin=origin,
    )


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


def _first_rise(gain: FloatArray, *, labels: FloatArray, level: float) -> tuple[Any, ...]:
    """Kernel of `gain_boundary`: labels last."""
    usable = np.isfinite(gain) & (gain > 0)
    log = np.log(np.where(usable, gain, level) / level)
    places = np.where(usable, np.arange(labels.size), -1)
    latest = np.maximum.accumulate(places, axis=-1)
    before = np.concatenate([np.full_like(latest[..., :1], -1), latest[..., :-1]], axis=-1)
    left = np.take_along_axis(log, np.maximum(before, 0), axis=-1)
    pair = usable & (before >= 0)
    rise, fall = pair & (left <= 0) & (log > 0), pair & (left > 0) & (log <= 0)
    step = np.where(rise, log - left, 1.0)
    below = labels[np.maximum(before, 0)]
    crossing = below - np.where(rise, left, 0.0) / step * (labels - below)

    def at(column: NDArray[Any], place: NDArray[np.int64]) -> NDArray[Any]:
        return np.take_along_axis(column, place[..., np.newaxis], axis=-1)[..., 0]

    rises, some = rise.any(axis=-1), usable.any(axis=-1)
    first = np.argmax(rise, axis=-1)
    lowest = np.argmax(usable, axis=-1)  # first and last label with a value
    highest = labels.size - 1 - np.argmax(usable[..., ::-1], axis=-1)
    hidden_below = some & (lowest > 0) & (at(log, lowest) > 0)
    hidden_above = some & ~rises & (highest < labels.size - 1) & (at(log, highest) <= 0)
    unknown = ~some | hidden_below | hidden_above
    gap = at(before, first) < first - 1
    status = np.where(rises, np.where(gap, BoundaryStatus.IN_A_GAP, BoundaryStatus.FOUND), 1)
    status = np.where(unknown, BoundaryStatus.CANNOT_TELL, status).astype(np.int8)

    low = np.where(rises, at(np.broadcast_to(below, gain.shape), first), np.nan)
    high = np.where(rises, labels[first], np.nan)
    low = np.where(hidden_below, np.nan, np.where(hidden_above, labels[highest], low))
    high = np.where(hidden_below, labels[lowest], np.where(hidden_above, np.nan, high))
    found = np.where(status == BoundaryStatus.FOUND, at(crossing, first), np.nan)
    return found, low, high, (rise | fall).sum(axis=-1), (~usable).sum(axis=-1), status


def _log_log(
    boundary: FloatArray, *, labels: FloatArray, inside: NDArray[np.bool_], origin: float
) -> tuple[Any, ...]:
    """Kernel of `boundary_exponent`: labels last."""
    use = inside & np.isfinite(boundary) & (boundary > 0)
    log = np.log(np.where(use, boundary, 1.0))
    x = np.log(labels[inside] - origin)
    found = fit_lines(x, np.where(use, log, np.nan)[..., inside])
    within, some = labels[inside], found.first >= 0
    return (
        *(found.slope, found.low, found.high, found.n_windows),
        *(found.local_low, found.local_high),
        np.where(some, within[found.first], np.nan) if within.size else found.slope,
        np.where(some, within[found.last], np.nan) if within.size else found.slope,
        found.n_points,
        found.deviation,
    )
