"""Fig. 3: constancy against N in the bare scaling, for both readings of the caption's ΔT."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import ListedColormap, Normalize

from analyses import last_violation, tur_violation
from heatcat.figures.maps import tur_bound
from heatcat.figures.panels import Axis, Colours, Drawing, Layer, Line, Panel
from heatcat.figures.recipe import Recipe, certified

READINGS = {
    "printed": r"$\Delta T$ = 10 $E_1$, as printed",
    "doubled": r"$T_2 - T_1$ = 20 $E_1$: $C_1 > 1$",
}
"""Two readings of ΔT: with the caption's value the single pair stays below C = 1, but the text says
that it exceeds 1."""
COLORS = ListedColormap(colormaps["viridis"](np.linspace(0, 0.9, 256)), name="viridis_90")
"""Viridis without its yellow end, which is hardly visible on white."""
NEAR = {"printed": (-12.0, 1.2), "doubled": (-2.0, 0.2)}
"""Range of 10³ (C − 1) in the panels beside the bound, the paper's inset."""
NEAR_N = 4


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Constancy of both readings along delta_T, where it exceeds 1 and up to which N.

    At a mean temperature that one reading lacks (T̄ = ΔT/2, where T₁ = 0), its values are NaN.
    """
    readings = []
    for part in READINGS:
        dataset = datasets[part]
        constancy = certified(dataset, "constancy")
        readings.append(
            tur_violation(constancy).assign(
                constancy=constancy,
                affinity=dataset.affinity.sel(N=1, drop=True),
                last_violation=last_violation(constancy).last_violation,
            )
        )
    # Without a fill value, xarray would turn the booleans into objects at missing temperatures.
    reduced = xr.concat(
        readings,
        dim="delta_T",
        join="outer",
        fill_value={"violation": False},
        combine_attrs="override",
    )
    reduced.attrs = datasets["printed"].attrs
    return reduced


def draw(reduced: xr.Dataset) -> Drawing:
    """A column for each reading: all sizes above, beside the bound below."""
    ends = float(reduced.T_mean.min()), float(reduced.T_mean.max())
    colours = Colours(r"$\bar{T}$ / $E_1$", Normalize(*ends), COLORS)
    size = int(reduced.N.max())
    whole, near = [], []
    for part, title, reading in zip(
        READINGS, READINGS.values(), reduced.transpose("delta_T", ...).delta_T, strict=True
    ):
        at = reduced.sel(delta_T=reading)
        depth = 1 - float(at.constancy.min())
        whole.append(
            Panel(
                title,
                Axis("$N$", limits=(0.2, size + 0.8)),
                Axis("$C_N$", limits=(1 - 1.05 * depth, 1 + 0.1 * depth)),
                [*_curves(at.constancy, colours), tur_bound(1.0)],
                colours=colours,
            )
        )
        excess = 1e3 * at.constancy_excess
        near.append(
            Panel(
                f"{title.split(', ')[0].split(':')[0]}, beside the bound",
                Axis("$N$", limits=(0.8, NEAR_N + 0.2), ticks=range(1, NEAR_N + 1)),
                Axis(r"$10^3\,(C_N - 1)$", limits=NEAR[part]),
                [*_curves(excess, colours, marker="o"), tur_bound(0.0)],
                colours=colours,
            )
        )
    return Drawing("Fig. 3: constancy against N, for two readings of the caption", [whole, near])


def _curves(values: xr.DataArray, colours: Colours, *, marker: str = "") -> list[Layer]:
    shades = colours.hexes(values.T_mean)
    curves = [values.sel(T_mean=T_mean) for T_mean in values.T_mean.values]
    return [
        Line(curve.N, curve, color=color, marker=marker)
        for curve, color in zip(curves, shades, strict=True)
    ]


FIG3 = Recipe("fig3", {"printed": "fig3-printed", "doubled": "fig3-doubled"}, reduce, draw, "abcd")
