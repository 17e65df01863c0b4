"""Fig. 8: mutual information of one spin of each ensemble as N → ∞, against power and current."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from matplotlib.colors import LogNorm

from analyses.information import information_rank_correlation
from heatcat.figures.fig6 import CALCULATIONS, high_temperature_axes, side_by_side
from heatcat.figures.maps import ENGINE, REFRIGERATOR, cold_carnot, cold_map
from heatcat.figures.panels import Axis, Colours, Drawing, Layer, Line, Panel
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


def draw(reduced: xr.Dataset) -> Drawing:
    """The two maps, and the mutual information against power and against current."""
    colours = Colours("$I$ / nat", LogNorm(FLOOR, CEILING), extend="min")
    axes = high_temperature_axes(reduced)
    maps = []
    for calculation, title in CALCULATIONS.items():
        at = reduced.sel(calculation=calculation)
        shown = cold_map(at.mutual_information.clip(min=FLOOR), colours)
        concurrence = f"largest concurrence {float(at.concurrence.max()):.2g}"
        maps.append(Panel(f"{title}; {concurrence}", *axes, [shown, *cold_carnot(reduced)]))
    exact = reduced.sel(calculation="exact")
    against = [_against(exact, name, title) for name, title in OUTPUTS.items()]
    return Drawing(
        "Fig. 8: mutual information at N → ∞, against power and quanta current", [maps, against]
    )


SYMBOLS = {
    "power_per_pair": r"$|P|/(N\Gamma_0)$ / $E_1$",
    "quanta_current_per_pair": r"$|J|/(N\Gamma_0)$",
}


def _against(exact: xr.Dataset, name: str, title: str) -> Panel:
    output = exact[name]
    size = abs(output) / exact.Gamma_0
    layers: list[Layer] = []
    for mode, color, marker, chosen in (
        ("engine", ENGINE, "o", output > 0),
        ("refrigerator", REFRIGERATOR, "x", output < 0),
    ):
        rank = float(exact.rank_correlation.sel(output=name, mode=mode))
        layers.append(
            Line(
                size.where(chosen), exact.mutual_information.where(chosen),
                f"{mode}: {rank:.3f}", color=color, dash="", marker=marker, size=1.2,
            )
        )  # fmt: skip
    everything = float(exact.rank_correlation.sel(output=name, mode="all"))
    visible = size.where(exact.mutual_information > FLOOR)
    return Panel(
        f"exact limit: against {title}",
        Axis(
            SYMBOLS[name], log=True, limits=(float(visible.min()) / 1.5, float(visible.max()) * 1.5)
        ),
        Axis("$I$ / nat", log=True, limits=(FLOOR, CEILING)),
        layers,
        legend=rf"rank corr. $\rho_S$, all: {everything:.3f}",
    )


FIG8 = Recipe("fig8", {"closure": "fig6-closure", "exact": "fig6-exact"}, reduce, draw, "abcd")
