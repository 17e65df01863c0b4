"""Fig. 6: power, gain and constancy as N → ∞, closed at order 3 as printed and exact beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.colors import AsinhNorm, Normalize, TwoSlopeNorm

from analyses import (
    boundary_exponent,
    carnot_delta_E,
    closure_error,
    gain_boundary,
    limit_gain,
    local_exponent,
)
from analyses.constancy import ERROR
from heatcat.figures.maps import (
    CLOSURE,
    ENGINE,
    EXACT,
    cold,
    cold_carnot,
    cold_map,
    contour,
    diverging,
    modes,
    signed_contours,
)
from heatcat.figures.panels import Axis, Colours, Drawing, Layer, Line, Panel
from heatcat.figures.recipe import Recipe

CALCULATIONS = {"closure": "closure", "exact": "exact limit"}
"""Parts of the recipe and labels of the dimension ``calculation``: the closure that the paper
prints, and the exact limit that the closure approximates."""
T_MEAN_TICKS = (10.02, 10.2, 12.0, 50.0)
DELTA_E_TICKS = (1, 3, 10, 30, 100)
HIGH_GAIN = 100.0
"""Contour on the constancy, for "high stability overlapping with high gains"."""
UNITY = "#0072B2"
"""Colour of the line C = 1."""
ERRORS = ("power_per_pair", "constancy")


def side_by_side(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The two sweeps along a dimension ``calculation``, with the variables that both have.

    The dimension is not called ``method``, because ``Dataset.sel`` has an option of this name.
    """
    shared = [name for name in datasets["exact"] if name in datasets["closure"]]
    both = xr.concat(
        [datasets[calculation][shared] for calculation in CALCULATIONS],
        dim=xr.Variable("calculation", list(CALCULATIONS)),
        join="exact",
        coords="minimal",
        compat="override",
    )
    both.attrs = {key: f"{datasets['exact'].attrs.get(key, '')}" for key in ("title", "scaling")}
    return both


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Maps of both, the lines of gain 1 with their exponents, and the errors of the closure."""
    both = side_by_side(datasets)
    power = both.power_per_pair / both.Gamma_0
    power.attrs = {
        "long_name": "power output per spin pair over the spontaneous rate",
        "symbol": "P/(N Γ₀)",
        "units": both.E_1.attrs.get("units", "1"),
    }
    gain = limit_gain(both)
    log_gain = xr.apply_ufunc(np.log10, gain, dask="allowed")
    log_gain.attrs = {
        "long_name": "decadic logarithm of the collective gain",
        "symbol": "log₁₀ P/(N P₁)",
        "units": "1",
    }
    boundary = gain_boundary(gain)
    fit = boundary_exponent(boundary.gain_boundary)
    errors = closure_error(
        both.sel(calculation="closure", drop=True),
        both.sel(calculation="exact", drop=True),
        variables=list(ERRORS),
    )
    reduced = xr.merge([boundary, fit, errors], compat="override", combine_attrs="drop").assign(
        power_per_Gamma_0=power,
        log_gain=log_gain,
        local_exponent=local_exponent(boundary.gain_boundary, dim="T_mean"),
        constancy=both.constancy,
        carnot_delta_E=carnot_delta_E(both.T_mean, E_1=both.E_1, delta_T=both.delta_T),
    )
    reduced.attrs = both.attrs
    return reduced


def draw(reduced: xr.Dataset) -> Drawing:
    """Rows of power, gain and constancy: closure, as printed, limit, and how they differ."""
    bound = float(np.abs(reduced.power_per_Gamma_0).max())
    lowest, highest = float(reduced.log_gain.min()), float(reduced.log_gain.max())
    power = Colours(
        r"$P/(N\Gamma_0)$ / $E_1$",
        AsinhNorm(linear_width=0.3, vmin=-bound, vmax=bound),
        "RdBu_r",
        ticks=(-20, -5, -1, 0, 1, 5, 20),
    )
    gain = Colours(
        r"$\log_{10}\, P/(N P_1)$",
        TwoSlopeNorm(0.0, vmin=min(lowest, -0.1), vmax=max(highest, 0.1)),
        "RdBu_r",
        ticks=(-0.9, -0.6, -0.3, 0, 1, 2, 3),
    )
    constancy = Colours(r"constancy $\mathcal{C}$", Normalize(0, 1))
    parts = [(reduced.sel(calculation=key), title) for key, title in CALCULATIONS.items()]
    axes = high_temperature_axes(reduced)
    powers, gains, steadiness = [], [], []
    for at, title in parts:
        shown = cold_map(at.power_per_Gamma_0, power)
        layers = [shown, *cold_carnot(at), *modes(shown, log=True)]
        powers.append(Panel(f"{title}: power", *axes, layers))
        boundary = Line(cold(at), at.gain_boundary, "gain 1", dash="--", width=1.4, on_map=True)
        layers = [cold_map(at.log_gain, gain), *cold_carnot(at), boundary]
        gains.append(Panel(f"{title}: gain", *axes, layers))
        steadiness.append(Panel(f"{title}: constancy", *axes, _constancy(at, constancy)))
    return Drawing(
        "Fig. 6: power, gain and constancy at N → ∞, third-cumulant closure and exact limit",
        [
            [*powers, _error(reduced, "power_per_pair", "power and gain")],
            [*gains, _boundaries(reduced)],
            [*steadiness, _error(reduced, "constancy", "constancy")],
        ],
        height=1.55,
    )


def high_temperature_axes(values: xr.Dataset) -> tuple[Axis, Axis]:
    """Axes of T̄ (across, as printed) and ΔE (up) of a `cold_map`.

    The axis across is logarithmic in T₁ = T̄ − ΔT/2 and labelled by T̄.  On an axis linear in T̄, the
    engine and the region of gain would be too narrow to see.
    """
    half = float(values.delta_T) / 2
    inside = [T for T in T_MEAN_TICKS if cold(values)[0] <= T - half + 1e-9]
    across = Axis(r"$\bar{T}$ / $E_1$ (log. in $T_1$)", log=True, ticks=inside, shift=half)
    return across, Axis(r"$\Delta E$ / $E_1$", log=True, ticks=DELTA_E_TICKS)


def _constancy(at: xr.Dataset, colours: Colours) -> list[Layer]:
    """The constancy with the line of a high gain, and C = 1 if more occurs off the Carnot line."""
    shown = cold_map(at.constancy, colours)
    layers: list[Layer] = [shown]
    excess = np.asarray(shown.values) - 1
    if excess.max() > ERROR:
        label = r"$\mathcal{C}$ = 1, more inside"
        layers.append(
            contour(shown, ERROR, values=excess, log=True, label=label, color=UNITY, width=1.4)
        )
    log_gain = at.log_gain.transpose("delta_E", "T_mean")
    layers.append(
        contour(
            shown, float(np.log10(HIGH_GAIN)), values=log_gain, log=True,
            label=f"gain {HIGH_GAIN:g}", color=ENGINE, dash="--",
        )
    )  # fmt: skip
    return [*layers, *cold_carnot(at)]


def _error(reduced: xr.Dataset, name: str, title: str) -> Panel:
    error = 100 * reduced[f"{name}_error"]
    colours = diverging("(closure − exact)/exact in %", float(np.abs(error).max()))
    shown = cold_map(error, colours)
    layers = [shown, *signed_contours(shown, log=True), *cold_carnot(reduced)]
    return Panel(f"error: {title}", *high_temperature_axes(reduced), layers)


def _boundaries(reduced: xr.Dataset) -> Panel:
    """The lines of gain 1, which would be straight if they were powers of T̄."""
    layers: list[Layer] = []
    for calculation, color, marker in (("closure", CLOSURE, "o"), ("exact", EXACT, "s")):
        at = reduced.sel(calculation=calculation)
        label = rf"{calculation}: $c$ = {float(at.exponent):.0f}"
        line = Line(at.T_mean, at.gain_boundary, label, color=color, marker=marker, size=2.5)
        layers.append(line)
    known = reduced.T_mean.where(reduced.gain_boundary.notnull().any("calculation"), drop=True)
    limits = None
    if known.size > 1:
        room = 0.05 * float(known.max() - known.min())
        limits = float(known.min()) - room, float(known.max()) + room
    return Panel(
        "line of gain 1, log-log",
        Axis(r"$\bar{T}$ / $E_1$", log=True, limits=limits, ticks=(10, 10.2, 10.4, 10.6)),
        Axis(r"$(\Delta E)_c$ / $E_1$", log=True, ticks=(20, 50, 100, 200)),
        layers,
        legend=r"$(\Delta E)_c \sim \bar{T}^{\,c}$",
    )


FIG6 = Recipe("fig6", {"closure": "fig6-closure", "exact": "fig6-exact"}, reduce, draw, "abcdefghi")
