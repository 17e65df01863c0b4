"""Fig. 5: relaxation gap against T̄, of the closure as printed and of the exact limit beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analyses import carnot_T_mean
from analyses.relaxation import relaxation_slopes
from heatcat.figures.fig6 import side_by_side
from heatcat.figures.maps import ENGINE, REFRIGERATOR, shades
from heatcat.figures.panels import Axis, Drawing, Layer, Line, Panel, Rule
from heatcat.figures.recipe import Recipe

ZOOM = {"T_mean": (10.0, 16.0), "gap": (0.0, 6.0)}
"""Enlarged: where the curves of the wider spacings have their Carnot points, in E₁ and Γ₀."""
TITLES = {"closure": "closure, Jacobian gap", "exact": r"exact limit, Liouvillian gap"}


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


def draw(reduced: xr.Dataset) -> Drawing:
    """Gap of the closure, gap of the limit, both enlarged, and the slopes of both."""
    high = 1.08 * float(reduced.gap_per_Gamma_0.max())
    hottest = float(reduced.T_mean.max())
    wide, near = (
        [
            Panel(
                title + more,
                Axis(r"$\bar{T}$ / $E_1$", limits=across),
                Axis(r"gap / $\Gamma_0$", limits=up),
                _gaps(reduced.sel(calculation=calculation)),
            )
            for calculation, title in TITLES.items()
        ]
        for more, across, up in (
            ("", (10.0, hottest), (0.0, high)),
            (", enlarged", ZOOM["T_mean"], ZOOM["gap"]),
        )
    )
    return Drawing(
        "Fig. 5: relaxation gap against the mean temperature", [wide, [*near], [_slopes(reduced)]]
    )


def _gaps(reduced: xr.Dataset) -> list[Layer]:
    layers: list[Layer] = []
    colors = shades(reduced.sizes["delta_E"])
    for delta_E, color in zip(reduced.delta_E.values, colors, strict=True):
        at = reduced.sel(delta_E=delta_E)
        layers += [
            Line(
                at.T_mean, at.gap_per_Gamma_0, rf"$\Delta E$ = {delta_E:g} $E_1$",
                color=color, width=1.6,
            ),
            Rule(float(at.carnot_T_mean), of="x", color=color, dash="--", width=0.8),
        ]  # fmt: skip
    slower = (reduced.T_mean - reduced.delta_T / 2) / reduced.E_1
    layers.append(
        Line([np.nan], [np.nan], r"Carnot, $\bar{T}_*$", color="grey", dash="--", width=0.8)
    )
    layers.append(Line(reduced.T_mean, slower, r"slope $\Gamma_0/E_1$", dash=":"))
    return layers


def _slopes(reduced: xr.Dataset) -> Panel:
    E_1 = float(reduced.E_1)
    fine = np.geomspace(float(reduced.delta_E.min()) / 1.2, float(reduced.delta_E.max()) * 1.2, 200)
    layers: list[Layer] = [
        Line(fine, np.full_like(fine, 1 / E_1), r"$\Gamma_0/E_1$", dash=":"),
        Line(fine, 1 / (E_1 + fine), r"$\Gamma_0/E_2$", dash="-."),
    ]
    for side, color, marker, mode in (
        ("below", ENGINE, "o", "engine"),
        ("above", REFRIGERATOR, "s", "refrigerator"),
    ):
        for calculation in TITLES:
            at = reduced.sel(side=side, calculation=calculation)
            # The closure beside the limit, so that both are seen.
            aside = 0.96 if calculation == "closure" else 1.04
            layers.append(
                Line(
                    aside * at.delta_E, at.slope, f"{mode}, {calculation}",
                    color=color, dash="", marker=marker, size=4.5, filled=calculation == "exact",
                    low=at.slope_low, high=at.slope_high,
                )
            )  # fmt: skip
    return Panel(
        r"slopes on the two sides of $\bar{T}_*$",
        Axis(r"$\Delta E$ / $E_1$", log=True, ticks=[0.5, 1, 2, 5, 10, 20]),
        Axis(r"slope of the gap / $(\Gamma_0/E_1)$", log=True, ticks=[0.03, 0.1, 0.3, 1]),
        layers,
    )


FIG5 = Recipe("fig5", {"closure": "fig5-closure", "exact": "fig5-exact"}, reduce, draw, "abcde")
