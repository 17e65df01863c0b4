"""Fig. 7: constancy against the drive for growing N, and in the limit N → ∞, exact and closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analyses import best_constancy, last_violation, tur_violation
from ensemble import Status
from heatcat.figures.recipe import Recipe

PREFIXES = {"finite": "", "limit": "limit_", "closure": "closure_"}
"""Names in the reduced data: N spin pairs, the exact limit N → ∞, its third-cumulant closure."""
NEAR = (-5.0, 10.0)
"""Range of 10⁵ (C − 1) in the panel beside the bound."""
CLOSURE_COLOR = "#d95f02"


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Constancy, its excess over 1 and its maximum for each N, in the limit and in the closure."""
    parts = {}
    for part, prefix in PREFIXES.items():
        dataset = datasets[part]
        constancy = dataset.constancy.where(dataset.status == Status.OK)
        found = tur_violation(constancy)[["constancy_excess", "violation"]]
        found = found.assign(constancy=constancy).merge(
            best_constancy(constancy).drop_vars("n_unknown")
        )
        if part == "finite":
            parts["last_violation"] = last_violation(constancy).last_violation
        parts |= {prefix + str(name): values for name, values in found.items()}
    return xr.Dataset(parts, attrs=datasets["finite"].attrs)


def draw(reduced: xr.Dataset) -> Figure:
    """Main panel, the same beside the bound, and the limit N → ∞ (the paper's inset)."""
    figure = Figure(figsize=(11, 3.7), layout="constrained")
    main, near, limit = figure.subplots(1, 3)
    for axes, scale in ((main, 1e4), (near, 1e5)):
        for N, color in zip(reduced.N.values, _colors(reduced), strict=True):
            values = scale * reduced.constancy_excess.sel(N=N)
            axes.plot(reduced.omega_0, values, color=color, lw=1.4, label=str(N))
        values = scale * reduced.limit_constancy_excess
        axes.plot(reduced.omega_0, values, "k--", lw=1.6, label=r"$\infty$, exact")
        _bound(axes, 0.0)
    main.set_ylabel(r"$10^4\,(C_N - 1)$")
    main.set_title(r"(a) constancy of $N$ pairs; dotted: TUR bound")
    main.legend(title=r"$N$", loc="lower right", frameon=False)
    near.set(ylabel=r"$10^5\,(C_N - 1)$", ylim=NEAR)
    near.set_title("(b) beside the bound")

    limit.plot(reduced.omega_0, reduced.limit_constancy, "k--", lw=1.6, label="exact")
    limit.plot(
        reduced.omega_0,
        reduced.closure_constancy,
        color=CLOSURE_COLOR,
        lw=1.6,
        label="third-cumulant closure,\nas the paper has it",
    )
    _bound(limit, 1.0)
    limit.set(ylabel=r"$C_{N \to \infty}$", ylim=(0, 1.08))
    limit.set_title(r"(c) limit $N \to \infty$")
    limit.legend(loc="lower left", frameon=False)
    return figure


def _colors(reduced: xr.Dataset) -> Any:
    return colormaps["viridis"](np.linspace(0, 0.9, reduced.sizes["N"]))


def _bound(axes: Axes, value: float) -> None:
    axes.axhline(value, color="black", ls=":", lw=1.5)
    axes.set(xscale="log", xlabel=r"$\omega_0$ / $E_1$")


def interactive(reduced: xr.Dataset) -> Any:
    """The same panels, with values on hover."""
    import holoviews as hv

    hv.extension("bokeh", logo=False)
    colors = [to_hex(color) for color in _colors(reduced)]
    size = {"width": 520, "height": 400, "xlabel": "ω₀ / E₁", "logx": True}

    def curve(values: xr.DataArray, label: str, **style: Any) -> Any:
        table = (reduced.omega_0.values, values.values)
        shown = hv.Curve(table, "omega_0", "C", label=label)
        return shown.opts(tools=["hover"], line_width=2, **style)

    def bound(value: float) -> Any:
        return hv.HLine(value).opts(color="black", line_dash="dotted", line_width=2)

    panels = []
    for title, options in (
        ("(a) constancy of N pairs", {"legend_position": "bottom"}),
        ("(b) beside the bound", {"ylim": NEAR, "show_legend": False}),
    ):
        excess = 1e5 * reduced.constancy_excess
        curves = [
            curve(excess.sel(N=N), f"N = {N}", color=color)
            for N, color in zip(reduced.N.values, colors, strict=True)
        ]
        exact = 1e5 * reduced.limit_constancy_excess
        curves.append(curve(exact, "N → ∞, exact", color="black", line_dash="dashed"))
        overlay = hv.Overlay(curves) * bound(0.0)
        panels.append(overlay.opts(title=title, ylabel="10⁵ (C_N − 1)", **options, **size))
    both = (
        curve(reduced.limit_constancy, "exact", color="black", line_dash="dashed")
        * curve(reduced.closure_constancy, "third-cumulant closure", color=CLOSURE_COLOR)
        * bound(1.0)
    )
    panels.append(
        both.opts(
            title="(c) limit N → ∞",
            ylabel="C",
            ylim=(0, 1.08),
            legend_position="bottom_left",
            **size,
        )
    )
    return hv.Layout(panels).opts(shared_axes=False).cols(3)


FIG7 = Recipe(
    "fig7",
    {"finite": "fig7-finite", "limit": "fig7-limit", "closure": "fig7-closure"},
    reduce,
    draw,
    interactive,
)
