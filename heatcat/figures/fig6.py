"""Fig. 6: power, gain and constancy as N → ∞, closed at order 3 as printed and exact below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import AsinhNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from analyses import (
    boundary_exponent,
    carnot_delta_E,
    closure_error,
    gain_boundary,
    limit_gain,
    local_exponent,
)
from analyses.constancy import ERROR
from heatcat.figures.cold_maps import (
    cold,
    draw_carnot_line,
    draw_cold_map,
    interactive_carnot,
    interactive_map,
)
from heatcat.figures.panels import interactive_contour
from heatcat.figures.recipe import Recipe

CALCULATIONS = {"closure": "third-cumulant closure", "exact": "exact limit"}
"""Parts of the recipe and labels of the dimension ``calculation``: the closure that the paper
prints, and the exact limit that the closure approximates."""
T_MEAN_TICKS = (10.02, 10.1, 10.3, 11.0, 13.0, 20.0, 50.0)
DELTA_E_TICKS = (1, 3, 10, 30, 100, 200)
HIGH_GAIN = 100.0
"""Contour on the constancy, for "high stability overlapping with high gains"."""
UNITY = "tab:blue"
"""Colour of the line C = 1."""
ERRORS = {"power_per_pair": "(g)", "constancy": "(i)"}


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


def draw(reduced: xr.Dataset) -> Figure:
    """The closure, as printed, in the first row, the limit in the second, errors in the third."""
    figure = Figure(figsize=(11, 9.2), layout="constrained")
    rows = figure.subplots(3, 3)
    bound = float(np.abs(reduced.power_per_Gamma_0).max())
    lowest, highest = float(reduced.log_gain.min()), float(reduced.log_gain.max())
    norms = {
        "power_per_Gamma_0": AsinhNorm(linear_width=0.3, vmin=-bound, vmax=bound),
        "log_gain": TwoSlopeNorm(0.0, vmin=min(lowest, -0.1), vmax=max(highest, 0.1)),
        "constancy": None,
    }
    for axes_row, (calculation, title), letters in zip(
        rows[:2], CALCULATIONS.items(), ("abc", "def"), strict=True
    ):
        at = reduced.sel(calculation=calculation)
        power, gain, constancy = axes_row
        mesh = draw_high_temperature_map(
            power, at.power_per_Gamma_0, cmap="RdBu_r", norm=norms["power_per_Gamma_0"]
        )
        bar = figure.colorbar(mesh, ax=power, label=r"$P/(N\Gamma_0)$ / $E_1$")
        ticks = [tick for tick in (-20, -5, -1, -0.2, 0, 0.2, 1, 5, 20) if abs(tick) <= bound]
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
        draw_carnot_line(power, at)
        power.legend(loc="lower left", frameon=False)
        power.set_title(f"({letters[0]}) {title}: power")

        mesh = draw_high_temperature_map(gain, at.log_gain, cmap="RdBu_r", norm=norms["log_gain"])
        bar = figure.colorbar(mesh, ax=gain, label=r"$\log_{10}\, P/(N P_1)$", spacing="uniform")
        bar.set_ticks(
            [tick for tick in (-0.9, -0.6, -0.3, 0, 1, 2, 3) if lowest <= tick <= highest]
        )
        draw_carnot_line(gain, at)
        gain.plot(*_on_axes(at.gain_boundary), "k--", lw=1.6, label="gain 1")
        gain.legend(loc="lower left", frameon=False)
        gain.set_title(f"({letters[1]}) {title}: gain")

        mesh = draw_high_temperature_map(constancy, at.constancy, cmap="viridis", vmin=0, vmax=1)
        figure.colorbar(mesh, ax=constancy, label=r"constancy $\mathcal{C}$")
        draw_carnot_line(constancy, at)
        _unit_constancy(constancy, at)
        _high_gain(constancy, at)
        constancy.set_title(f"({letters[2]}) {title}: constancy")

    for axes, (name, letter) in zip(rows[2, ::2], ERRORS.items(), strict=True):
        error = 100 * reduced[f"{name}_error"]
        largest = float(np.abs(error).max())
        mesh = draw_high_temperature_map(axes, error, cmap="RdBu_r", vmin=-largest, vmax=largest)
        figure.colorbar(mesh, ax=axes, label="(closure − exact)/exact in %")
        draw_carnot_line(axes, reduced)
        what = {"power_per_pair": "power and gain", "constancy": "constancy"}[name]
        axes.set_title(f"{letter} error of the closure: {what}")
    _boundaries(rows[2, 1], reduced)
    return figure


def draw_high_temperature_map(axes: Axes, values: xr.DataArray, **options: Any) -> Any:
    """Colour map over T̄ (across, as printed) and ΔE (up), both logarithmic.

    The axis across is logarithmic in T₁ = T̄ − ΔT/2 and labelled by T̄.  On an axis linear in T̄, the
    engine and the region of gain would be too narrow to see.
    """
    mesh = draw_cold_map(axes, values, **options)
    _label_axes(axes, values)
    return mesh


def _on_axes(line: xr.DataArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cold(line), line.to_numpy()


def _label_axes(axes: Axes, values: xr.DataArray) -> None:
    half = float(values.delta_T) / 2
    inside = [T for T in T_MEAN_TICKS if cold(values)[0] <= T - half + 1e-9]
    axes.xaxis.set_major_locator(FixedLocator([T - half for T in inside]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks([T - half for T in inside], [f"{T:g}" for T in inside])
    axes.set_yticks(DELTA_E_TICKS, [str(tick) for tick in DELTA_E_TICKS])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(r"$\bar{T}$ / $E_1$  (log. in $\bar{T} - \Delta T/2$)")
    axes.set_ylabel(r"$\Delta E$ / $E_1$")


def _high_gain(axes: Axes, at: xr.Dataset) -> None:
    log_gain = at.log_gain.transpose("delta_E", "T_mean")
    level = float(np.log10(HIGH_GAIN))
    if float(log_gain.max()) > level:
        axes.contour(
            cold(at), at.delta_E, log_gain, [level], colors="red", linewidths=1.4, linestyles="--"
        )
    axes.plot([], [], "r--", lw=1.4, label=f"gain {HIGH_GAIN:g}")
    axes.legend(loc="upper right", labelcolor="white", facecolor="0.25", framealpha=0.75)


def _unit_constancy(axes: Axes, at: xr.Dataset) -> None:
    """The line C = 1 where the constancy exceeds 1 anywhere but on the Carnot line."""
    excess = (at.constancy - 1).transpose("delta_E", "T_mean")
    if float(excess.max()) > ERROR:
        axes.contour(cold(at), at.delta_E, excess, [ERROR], colors=UNITY, linewidths=1.6)
        axes.plot([], [], color=UNITY, lw=1.6, label=r"$\mathcal{C}$ = 1 (above 1 inside)")


def _boundaries(axes: Axes, reduced: xr.Dataset) -> None:
    """The lines of gain 1 and how far they follow a power of T̄."""
    for calculation, style in (("closure", "o-"), ("exact", "s-")):
        at = reduced.sel(calculation=calculation)
        ranges = [
            f"{float(at[f'{name}_low']):.0f}–{float(at[f'{name}_high']):.0f}"
            for name in ("exponent", "local_exponent")
        ]
        label = f"{calculation}: {float(at.exponent):.0f} ({'; '.join(ranges)})"
        axes.plot(at.T_mean, at.gain_boundary, style, ms=3, lw=1, label=label)
    axes.set(xscale="log", yscale="log", xlabel=r"$\bar{T}$ / $E_1$")
    axes.set_ylabel(r"$(\Delta E)_c$ / $E_1$")
    shown = reduced.T_mean.where(reduced.gain_boundary.notnull().any("calculation"), drop=True)
    if shown.size > 1:
        axes.set_xlim(float(shown.min()) - 0.02, float(shown.max()) + 0.03)
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = [T for T in (10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7) if axes.get_xlim()[1] >= T]
    axes.set_xticks(ticks, [f"{T:g}" for T in ticks])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(20, 700)  # room for the legend
    ticks_up = (20, 50, 100, 200, 500)
    axes.set_yticks(ticks_up, [str(tick) for tick in ticks_up])
    axes.legend(
        loc="upper left",
        frameon=False,
        title=r"$(\Delta E)_c \sim \bar{T}^{\,c}$:  $c$ (windows; local)",
    )
    axes.set_title("(h) line of gain 1, log-log")


def interactive(reduced: xr.Dataset) -> Any:
    """The maps of both calculations, with values on hover."""
    import holoviews as hv

    bound = float(np.abs(reduced.power_per_Gamma_0).max())
    top = float(np.abs(reduced.log_gain).max())
    panels = []
    for (calculation, title), letters in zip(CALCULATIONS.items(), ("abc", "def"), strict=True):
        at = reduced.sel(calculation=calculation)
        shown = (
            (at.power_per_Gamma_0, "P/(N Γ₀)", "RdBu_r", (-bound, bound)),
            (at.log_gain, "log₁₀ gain", "RdBu_r", (-top, top)),
            (at.constancy, "constancy", "viridis", (0.0, 1.0)),
        )
        for letter, (values, label, cmap, limits) in zip(letters, shown, strict=True):
            plot = interactive_map(values, label, f"({letter}) {title}", cmap=cmap, clim=limits)
            plot = plot * interactive_carnot(at)
            if values is shown[1][0]:
                line = at.gain_boundary.dropna("T_mean")
                unity = hv.Curve(_on_axes(line), "T_1", "delta_E")
                plot = plot * unity.opts(color="black", line_dash="dashed", line_width=2)
            if values is shown[2][0]:
                excess = (at.constancy - 1).transpose("delta_E", "T_mean")
                plot = plot * interactive_contour(
                    cold(at), at.delta_E, excess, [ERROR], dims=["T_1", "delta_E"], color=UNITY
                )
            panels.append(plot)
    return hv.Layout(panels).cols(3)


FIG6 = Recipe("fig6", {"closure": "fig6-closure", "exact": "fig6-exact"}, reduce, draw, interactive)
