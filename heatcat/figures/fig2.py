"""Fig. 2: power of one pair, power against N, and the exponent α over ΔE and T̄."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analyses import (
    carnot_delta_E,
    conductance,
    power_law_exponent,
    power_ratio,
    window_exponent,
)
from heatcat.figures.panels import draw_carnot, draw_map, interactive_contour
from heatcat.figures.recipe import Recipe

CUT_DELTA_E = 125.0
"""Panel (b) is at this ΔE, in units of ω₀ as everything here."""
CUT_T_MEAN = (60.0, 80.0, 100.0, 150.0, 250.0)
UNIT = r"$\omega_0$"
VALID = (0.1, 1.0)
"""Ratios of the jump rate to the level spacing that are drawn at the largest N (App. A)."""
WINDOWS = ((2, 6), (6, 12), (12, 24))
"""Windows of N over which α is fitted again, to show that it falls as they move up."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Power map, ratios at the cut, and exponents.

    Ratios and exponents are computed from the conductance J/a.  In the bare scaling the affinity a
    does not depend on N, so that they equal those of the power, and they are defined on the Carnot
    line, too.
    """
    dataset = datasets["exact"]
    growing = conductance(dataset.constancy, dataset.quanta_noise)
    fit = power_law_exponent(growing)
    carnot = carnot_delta_E(dataset.T_mean, E_1=dataset.E_1, delta_T=dataset.delta_T)
    windows = xr.concat(
        [window_exponent(growing, start=start, stop=stop).exponent for start, stop in WINDOWS],
        dim=xr.Variable("window", [f"{start} ≤ N ≤ {stop}" for start, stop in WINDOWS]),
        coords="minimal",
        compat="override",
    )
    ratio = power_ratio(growing)
    # The line of each fit passes through the mean of the logarithms that it was fitted to.
    log_N = np.log(dataset.N)
    fitted = fit.N_sat < dataset.N
    anchor = (np.log(ratio) - fit.exponent * log_N).where(fitted).mean("N")
    line = np.exp(anchor + fit.exponent * log_N).where(fitted)
    line.attrs = {"long_name": "fitted power law", "units": "1"}
    top = dataset.isel(N=-1, drop=True)
    jump_rate = np.maximum(top.weak_coupling_1, top.weak_coupling_2)
    jump_rate.attrs = {"long_name": "larger R/E of App. A at the largest N", "units": "1"}
    reduced = fit.assign(
        weak_coupling=jump_rate,
        single_pair_power=dataset.power.sel(N=1, drop=True),
        power_ratio=ratio.sel(delta_E=CUT_DELTA_E),
        fitted_ratio=line.sel(delta_E=CUT_DELTA_E),
        window_exponent=windows,
        carnot_delta_E=carnot,
    )
    reduced.attrs = dataset.attrs
    return reduced


def draw(reduced: xr.Dataset) -> Figure:
    """Three panels, as printed."""
    figure = Figure(figsize=(11, 3.5), layout="constrained")
    power_axes, ratio_axes, exponent_axes = figure.subplots(1, 3)

    power = reduced.single_pair_power
    bound = float(np.abs(power).max())
    mesh = draw_map(power_axes, power, unit=UNIT, cmap="RdBu_r", vmin=-bound, vmax=bound)
    figure.colorbar(mesh, ax=power_axes, label=r"$P_1$ / $\omega_0^2$")
    draw_carnot(power_axes, reduced, "black")
    power_axes.set_title("(a) one pair: engine red, refrigerator blue")

    _ratios(ratio_axes, reduced)

    mesh = draw_map(exponent_axes, reduced.exponent, unit=UNIT, cmap="viridis")
    figure.colorbar(mesh, ax=exponent_axes, label=r"exponent $\alpha$")
    _weak_coupling(exponent_axes, reduced)
    draw_carnot(exponent_axes, reduced, "white")
    exponent_axes.set_title(
        r"(c) $P_N \sim N^\alpha$ above $N_\mathrm{sat}$, $N \leq$ " + _top(reduced)
    )
    return figure


def _weak_coupling(axes: Axes, reduced: xr.Dataset) -> None:
    """Lines where the jump rate of an ensemble, which App. A wants small, is E/10 and E."""
    ratio = reduced.weak_coupling.transpose("T_mean", "delta_E")
    levels = [level for level in VALID if float(ratio.min()) < level < float(ratio.max())]
    if levels:
        drawn = axes.contour(ratio.delta_E, ratio.T_mean, ratio, levels, colors="red")
        # A label near the middle of each line: at its end it would be cut by the frame.
        middle = float(ratio.delta_E.mean())
        lines = [np.asarray(path.vertices) for path in drawn.get_paths()]
        places = [line[np.abs(line[:, 0] - middle).argmin()] for line in lines if line.size]
        axes.clabel(
            drawn,
            fmt=lambda level: f"R/E = {level:g}",
            fontsize=8,
            manual=[(x, y) for x, y in places],
        )


def _top(reduced: xr.Dataset) -> str:
    return str(int(reduced.N.max()))


def _ratios(axes: Axes, reduced: xr.Dataset) -> None:
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(CUT_T_MEAN)))
    for T_mean, color in zip(CUT_T_MEAN, colors, strict=True):
        at = reduced.sel(T_mean=T_mean, delta_E=CUT_DELTA_E)
        alpha = float(at.exponent)
        ranges = [
            f"{float(at[f'{name}_low']):.2f}–{float(at[f'{name}_high']):.2f}"
            for name in ("exponent", "local_exponent")
        ]
        label = f"{T_mean:g}: {alpha:.2f} ({'; '.join(ranges)})"
        axes.plot(at.N, at.power_ratio, "o", ms=4, color=color, label=label)
        axes.plot(at.N, at.fitted_ratio, "--", color="red", lw=1.2)
    axes.plot([], [], "--", color="red", lw=1.2, label=r"fits above $N_\mathrm{sat}$")
    axes.set(xscale="log", yscale="log", xlabel=r"$N$", ylabel=r"$P_N / P_1$")
    ticks = [tick for tick in (1, 2, 5, 10, 20) if tick <= int(reduced.N.max())]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_title(rf"(b) power ratio at $\Delta E$ = {CUT_DELTA_E:g} $\omega_0$")
    axes.set_ylim(bottom=0.03)  # room for the legend
    heading = r"$\bar{T}$ / $\omega_0$:  $\alpha$ (other fits; local)"
    axes.legend(
        loc="lower right",
        frameon=False,
        title=heading,
        title_fontsize=8,
        fontsize=8,
        labelspacing=0.2,
        handlelength=1.4,
        handletextpad=0.4,
    )


def interactive(reduced: xr.Dataset) -> Any:
    """The same panels, with values on hover."""
    import holoviews as hv
    import hvplot.xarray  # noqa: F401 (registers .hvplot)

    bound = float(np.abs(reduced.single_pair_power).max())
    size = {"width": 480, "height": 380}
    axis_labels = {"xlabel": "ΔE / ω₀", "ylabel": "T̄ / ω₀"}
    power = reduced.single_pair_power.hvplot.quadmesh(
        x="delta_E",
        y="T_mean",
        cmap="RdBu_r",
        clim=(-bound, bound),
        clabel="P₁ / ω₀²",
        title="(a) power of one pair",
        **axis_labels,
        **size,
    )
    exponent = reduced.exponent.hvplot.quadmesh(
        x="delta_E",
        y="T_mean",
        cmap="viridis",
        clabel="α",
        title="(c) exponent α",
        **axis_labels,
        **size,
    )
    limits = {
        "xlim": (float(reduced.delta_E.min()), float(reduced.delta_E.max())),
        "ylim": (float(reduced.T_mean.min()), float(reduced.T_mean.max())),
    }
    carnot = hv.Curve(
        (reduced.carnot_delta_E.values, reduced.T_mean.values), "delta_E", "T_mean"
    ).opts(line_width=3, **limits)
    cut = reduced[["power_ratio", "fitted_ratio"]].sel(T_mean=list(CUT_T_MEAN))
    ratio = cut.power_ratio.hvplot.scatter(x="N", by="T_mean", logx=True, logy=True, size=40)
    fitted = cut.fitted_ratio.hvplot.line(
        x="N", by="T_mean", logx=True, logy=True, line_dash="dashed", color="red", legend=False
    )
    ratios = (ratio * fitted).opts(
        title="(b) power ratio at ΔE = 125 ω₀ (colour: T̄)",
        xlabel="N",
        ylabel="P_N / P₁",
        legend_position="bottom_right",
        ylim=(0.03, 2 * float(cut.power_ratio.max())),  # room for the legend
        **size,
    )
    rates = reduced.weak_coupling.transpose("T_mean", "delta_E")
    coupling = interactive_contour(
        reduced.delta_E, reduced.T_mean, rates, VALID, dims=["delta_E", "T_mean"], color="red"
    )
    return (
        power * carnot.opts(color="black", clone=True)
        + ratios
        + exponent * coupling * carnot.opts(color="white", clone=True)
    ).cols(3)


FIG2 = Recipe("fig2", {"exact": "fig2"}, reduce, draw, interactive)
