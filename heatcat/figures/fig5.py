"""Fig. 5: relaxation gap against T̄, of the closure as printed and of the exact limit beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analyses import carnot_T_mean
from analyses.relaxation import relaxation_slopes
from heatcat.figures.fig6 import CALCULATIONS, side_by_side
from heatcat.figures.recipe import Recipe

ZOOM = {"T_mean": (10.0, 16.0), "gap": (0.0, 6.0)}
"""Inset: where the curves of the wider spacings have their Carnot points, in E₁ and Γ₀."""
MARKERS = {"closure": "o", "exact": "x"}


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Gaps in units of Γ₀, Carnot points, and slopes on the two sides of them.

    The paper does not say which ΔE it shows; these range from Carnot points near the hot end of
    the axis (ΔE = 0.5 E₁) to one near its cold end (20 E₁).  The fits take all labels on a side.
    """
    both = side_by_side(datasets)
    gap = (both.gap / both.Gamma_0).rename("gap_per_Gamma_0")
    gap.attrs = {"long_name": "gap in units of the spontaneous rate", "units": "1"}
    carnot = carnot_T_mean(both.delta_E, E_1=float(both.E_1), delta_T=float(both.delta_T))
    reduced = relaxation_slopes(gap, carnot).assign(gap_per_Gamma_0=gap, carnot_T_mean=carnot)
    reduced.attrs = both.attrs
    return reduced


def draw(reduced: xr.Dataset) -> Figure:
    """Gap of the closure, gap of the limit, and the slopes of both."""
    figure = Figure(figsize=(11, 3.9), layout="constrained")
    closure, exact, slopes = figure.subplots(1, 3)
    _gaps(closure, reduced.sel(calculation="closure"))
    closure.set_title("(a) third-cumulant closure: Jacobian gap")
    _gaps(exact, reduced.sel(calculation="exact"))
    exact.set_title(r"(b) exact limit $N \to \infty$: Liouvillian gap")
    _slopes(slopes, reduced)
    handles, labels = closure.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=8, frameon=False)
    return figure


def _colors(reduced: xr.Dataset) -> Any:
    return colormaps["viridis"](np.linspace(0, 0.92, reduced.sizes["delta_E"]))


def _gaps(axes: Axes, reduced: xr.Dataset) -> None:
    zoomed = axes.inset_axes((0.11, 0.54, 0.42, 0.42))
    for place in (axes, zoomed):
        for delta_E, color in zip(reduced.delta_E.values, _colors(reduced), strict=True):
            at = reduced.sel(delta_E=delta_E)
            label = rf"$\Delta E$ = {delta_E:g} $E_1$"
            place.plot(at.T_mean, at.gap_per_Gamma_0, color=color, lw=1.8, label=label)
            place.axvline(float(at.carnot_T_mean), color=color, ls="--", lw=0.9)
        slower = (reduced.T_mean - reduced.delta_T / 2) / reduced.E_1
        place.plot(
            reduced.T_mean, slower, ":", color="black", lw=1.2, label=r"slope $\Gamma_0/E_1$"
        )
    axes.plot([], [], "--", color="gray", lw=0.9, label=r"Carnot, $\bar{T}_*$")
    axes.set(
        xlabel=r"$\bar{T}$ / $E_1$",
        ylabel=r"gap / $\Gamma_0$",
        xlim=(10, float(reduced.T_mean.max())),
        ylim=(0, 1.08 * float(reduced.gap_per_Gamma_0.max())),
    )
    zoomed.set(xlim=ZOOM["T_mean"], ylim=ZOOM["gap"])
    zoomed.tick_params(labelsize=7, pad=2)
    zoomed.set_facecolor((1, 1, 1, 0.9))


def _slopes(axes: Axes, reduced: xr.Dataset) -> None:
    E_1 = float(reduced.E_1)
    fine = np.geomspace(float(reduced.delta_E.min()) / 1.2, float(reduced.delta_E.max()) * 1.2, 200)
    axes.plot(fine, np.full_like(fine, 1 / E_1), ":", color="black", label=r"$\Gamma_0/E_1$")
    axes.plot(fine, 1 / (E_1 + fine), "-.", color="black", lw=1, label=r"$\Gamma_0/E_2$")
    for side, color, mode in (
        ("below", "tab:red", "engine"),
        ("above", "tab:blue", "refrigerator"),
    ):
        for calculation, marker in MARKERS.items():
            at = reduced.sel(side=side, calculation=calculation)
            axes.errorbar(
                at.delta_E,
                at.slope,
                [at.slope - at.slope_low, at.slope_high - at.slope],
                fmt=marker,
                ms=5,
                mfc="none",
                capsize=2,
                color=color,
                label=f"{mode}, {calculation}",
            )
    axes.set(xscale="log", yscale="log", xlabel=r"$\Delta E$ / $E_1$")
    ticks = [0.5, 1, 2, 5, 10, 20]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ticks = [0.03, 0.1, 0.3, 1]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylabel(r"slope $c$ of the gap / $(\Gamma_0/E_1)$")
    axes.set_title(r"(c) slopes on the two sides of $\bar{T}_*$")
    axes.legend(loc="lower left", frameon=False)


def interactive(reduced: xr.Dataset) -> Any:
    """Both gaps with values on hover, and the slopes."""
    import holoviews as hv
    import hvplot.xarray  # noqa: F401 (registers .hvplot)

    size = {"width": 480, "height": 380}
    panels = []
    for letter, (calculation, title) in zip("ab", CALCULATIONS.items(), strict=True):
        at = reduced.sel(calculation=calculation)
        curves = at.gap_per_Gamma_0.hvplot.line(
            x="T_mean",
            by="delta_E",
            xlabel="T̄ / E₁",
            ylabel="gap / Γ₀",
            title=f"({letter}) gap, {title} (colour: ΔE / E₁)",
            legend="top_left",
            **size,
        )
        marks = [
            hv.VLine(float(T_mean)).opts(line_dash="dashed", line_width=1, color="gray")
            for T_mean in at.carnot_T_mean
        ]
        panels.append(hv.Overlay([curves, *marks]))
    table = reduced[["slope", "slope_low", "slope_high"]].to_dataframe().reset_index()
    table["fit"] = table["side"] + " T̄*, " + table["calculation"]
    slopes = hv.Scatter(table, "delta_E", ["slope", "slope_low", "slope_high", "fit"])
    panels.append(
        slopes.groupby("fit")
        .overlay()
        .opts(
            hv.opts.Scatter(size=8, tools=["hover"], logx=True, logy=True, **size),
            hv.opts.NdOverlay(
                title="(c) slopes below and above the Carnot point",
                xlabel="ΔE / E₁",
                ylabel="slope / (Γ₀/E₁)",
                legend_position="bottom_left",
            ),
        )
    )
    return hv.Layout(panels).cols(3)


FIG5 = Recipe("fig5", {"closure": "fig5-closure", "exact": "fig5-exact"}, reduce, draw, interactive)
