"""Fig. 3: constancy against N in the bare scaling, for both readings of the caption's ΔT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_hex
from matplotlib.figure import Figure

from analyses import last_violation, tur_violation
from ensemble import Status
from heatcat.figures.recipe import Recipe

READINGS = {
    "printed": r"$\Delta T$ = 10 $E_1$, as printed",
    "doubled": r"$T_2 - T_1$ = 20 $E_1$, which reaches $C_1 > 1$",
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
        constancy = dataset.constancy.where(dataset.status == Status.OK)
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


def draw(reduced: xr.Dataset) -> Figure:
    """A column for each reading: all sizes above, beside the bound below."""
    figure = Figure(figsize=(9.5, 6), layout="constrained")
    panels = figure.subplots(2, len(READINGS))
    norm = _norm(reduced)
    for column, (part, title) in enumerate(READINGS.items()):
        reading = reduced.isel(delta_T=column)
        upper, lower = panels[:, column]
        _curves(upper, reading.constancy, norm, lw=1.2)
        upper.axhline(1, color="black", ls=":", lw=1.5)
        depth = 1 - float(reading.constancy.min())
        upper.set(ylim=(1 - 1.05 * depth, 1 + 0.1 * depth))
        upper.set_xlim(0.2, float(reduced.N.max()) + 0.8)
        upper.set_title(f"({'ab'[column]}) {title}")
        _curves(lower, 1e3 * reading.constancy_excess, norm, lw=1.2, marker="o", ms=4)
        lower.axhline(0, color="black", ls=":", lw=1.5)
        lower.set(xlim=(0.8, NEAR_N + 0.2), ylim=NEAR[part], xticks=range(1, NEAR_N + 1))
        lower.set_title(f"({'cd'[column]}) beside the bound")
        for axes, bound in ((upper, 1.0), (lower, 0.0)):
            axes.set_xlabel(r"$N$")
            _name_bound(axes, bound)
    for axes, label in zip(panels[:, 0], (r"$C_N$", r"$10^3\,(C_N - 1)$"), strict=True):
        axes.set_ylabel(label)
    figure.colorbar(
        ScalarMappable(norm, COLORS), ax=panels, label=r"$\bar{T}$ / $E_1$", aspect=40, pad=0.02
    )
    return figure


def _name_bound(axes: Axes, bound: float) -> None:
    axes.annotate(
        "TUR bound",
        (axes.get_xlim()[1], bound),
        xytext=(-4, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=8,
    )


def _norm(reduced: xr.Dataset) -> Normalize:
    return Normalize(float(reduced.T_mean.min()), float(reduced.T_mean.max()))


def _curves(axes: Axes, values: xr.DataArray, norm: Normalize, **style: Any) -> None:
    for T_mean in values.T_mean.values:
        curve = values.sel(T_mean=T_mean)
        axes.plot(curve.N, curve, color=COLORS(norm(T_mean)), **style)


def interactive(reduced: xr.Dataset) -> Any:
    """Both readings, and both again beside the bound, with T̄ and values on hover."""
    import holoviews as hv

    hv.extension("bokeh", logo=False)
    panels = []
    for values, unit, name in (
        (reduced.constancy, "C_N", "all sizes"),
        (1e3 * reduced.constancy_excess.sel(N=slice(None, NEAR_N)), "10³ (C_N − 1)", "near 1"),
    ):
        for part, title, reading in zip(
            READINGS,
            ("ΔT = 10 E₁, as printed", "T₂ − T₁ = 20 E₁"),
            values.transpose("delta_T", ...),
            strict=True,
        ):
            bound = 1.0 if name == "all sizes" else 0.0
            limits = {} if name == "all sizes" else {"ylim": NEAR[part]}
            curves = [
                _curve(hv, reading.sel(T_mean=T_mean), unit, _norm(reduced))
                for T_mean in reading.T_mean.values
                if reading.sel(T_mean=T_mean).notnull().any()
            ]
            line = hv.HLine(bound).opts(color="black", line_dash="dotted", line_width=2)
            panels.append(
                (hv.Overlay(curves) * line).opts(
                    title=f"{title}: {name}",
                    xlabel="N",
                    ylabel=unit,
                    width=560,
                    height=360,
                    show_legend=False,
                    **limits,
                )
            )
    return hv.Layout(panels).opts(shared_axes=False).cols(2)


def _curve(hv: Any, values: xr.DataArray, unit: str, norm: Normalize) -> Any:
    """One curve, with its T̄ in every row so that the tooltip shows it."""
    T_mean = float(values.T_mean)
    table = (values.N.values, values.values, np.full(values.size, T_mean))
    return hv.Curve(table, "N", [hv.Dimension("C", label=unit), hv.Dimension("T̄ / E₁")]).opts(
        color=to_hex(COLORS(norm(T_mean))), tools=["hover"], line_width=2
    )


FIG3 = Recipe(
    "fig3", {"printed": "fig3-printed", "doubled": "fig3-doubled"}, reduce, draw, interactive
)
