"""Fig. 8: mutual information of one spin of each ensemble as N → ∞, against power and current."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from analyses.information import information_rank_correlation
from heatcat.figures.cold_maps import draw_carnot_line, interactive_carnot, interactive_map
from heatcat.figures.fig6 import CALCULATIONS, draw_high_temperature_map, side_by_side
from heatcat.figures.recipe import Recipe

OUTPUTS = {"power_per_pair": "power", "quanta_current_per_pair": "quanta current"}
"""Variables with which the mutual information is compared by rank."""
FLOOR = 1e-8
"""Lowest mutual information on the colour scale; it vanishes on the Carnot line."""
CEILING = 5e-3


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Maps of closure and limit, and rank correlations with the power and with the current."""
    both = side_by_side(datasets)
    ranks = xr.concat(
        [information_rank_correlation(both.mutual_information, both[name]) for name in OUTPUTS],
        dim=xr.Variable("output", list(OUTPUTS)),
    )
    kept = ["mutual_information", "concurrence", "discord", *OUTPUTS]
    reduced = both[kept].merge(ranks)
    reduced.attrs = both.attrs
    return reduced


def draw(reduced: xr.Dataset) -> Figure:
    """The two maps, and the mutual information against power and against current."""
    figure = Figure(figsize=(9.5, 7.4), layout="constrained")
    maps, scatters = figure.subplots(2, 2)
    for axes, letter, (calculation, title) in zip(maps, "ab", CALCULATIONS.items(), strict=True):
        at = reduced.sel(calculation=calculation)
        mesh = draw_high_temperature_map(
            axes,
            at.mutual_information.clip(min=FLOOR),
            cmap="viridis",
            norm=LogNorm(FLOOR, CEILING),
        )
        draw_carnot_line(axes, at)
        axes.legend(loc="lower left", frameon=False, labelcolor="white")
        axes.set_title(
            f"({letter}) {title} (largest concurrence: {float(at.concurrence.max()):.2g})"
        )
    figure.colorbar(
        mesh, ax=maps, label="mutual information $I$ / nat", extend="min", aspect=25, pad=0.01
    )
    exact = reduced.sel(calculation="exact")
    for axes, letter, (name, title) in zip(scatters, "cd", OUTPUTS.items(), strict=True):
        _against(axes, exact, name)
        axes.set_title(f"({letter}) exact limit: against {title}")
    scatters[0].set_xlabel(r"$|P|/(N\Gamma_0)$ / $E_1$")
    scatters[1].set_xlabel(r"$|J|/(N\Gamma_0)$")
    return figure


def _against(axes: Axes, exact: xr.Dataset, name: str) -> None:
    output = exact[name]
    for mode, color, marker, chosen in (
        ("engine", "tab:red", ".", output > 0),
        ("refrigerator", "tab:blue", "x", output < 0),
    ):
        rank = float(exact.rank_correlation.sel(output=name, mode=mode))
        axes.plot(
            (abs(output) / exact.Gamma_0).where(chosen).values.ravel(),
            exact.mutual_information.where(chosen).values.ravel(),
            marker,
            color=color,
            ms=3,
            alpha=0.5,
            mew=0.6,
            rasterized=True,
            label=rf"{mode}: $\rho_S$ = {rank:.3f}",
        )
    everything = float(exact.rank_correlation.sel(output=name, mode="all"))
    axes.set(xscale="log", yscale="log", ylabel="$I$ / nat", ylim=(FLOOR, CEILING))
    visible = abs(output).where(exact.mutual_information > FLOOR) / exact.Gamma_0
    axes.set_xlim(float(visible.min()) / 1.5, float(visible.max()) * 1.5)
    axes.legend(
        loc="lower right",
        title=rf"rank correlation, all: $\rho_S$ = {everything:.3f}",
        title_fontsize=8,
        markerscale=2,
        frameon=False,
    )


def interactive(reduced: xr.Dataset) -> Any:
    """The two maps, with values on hover."""
    import holoviews as hv

    panels = []
    for letter, (calculation, title) in zip("ab", CALCULATIONS.items(), strict=True):
        at = reduced.sel(calculation=calculation)
        information = at.mutual_information.clip(min=FLOOR)
        panels.append(
            interactive_map(
                information,
                "I (nat)",
                f"({letter}) {title}",
                cmap="viridis",
                cnorm="log",
                clim=(FLOOR, CEILING),
            )
            * interactive_carnot(at)
        )
    return hv.Layout(panels).cols(2)


FIG8 = Recipe("fig8", {"closure": "fig6-closure", "exact": "fig6-exact"}, reduce, draw, interactive)
