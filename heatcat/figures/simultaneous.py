"""Gain and C > 1 together without scalings: what the paper looked for, at other parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from analyses import (
    carnot_delta_E,
    collective_gain,
    conductance,
    last_violation,
    single_pair_conductance,
    tur_violation,
)
from ensemble import Status
from heatcat.figures.cold_maps import (
    cold,
    draw_carnot_line,
    draw_cold_map,
    interactive_carnot,
    interactive_map,
)
from heatcat.figures.panels import size_ticks
from heatcat.figures.recipe import Recipe

SHOWN_N = 6
"""Size of the map of the constancy."""
CURVES = (2, 4, 6, 8, 12)
"""Sizes for which the steadiest engine of the map is followed over all N."""
SHOWN_EXCESS = (-3.6, 3.2)
"""Range of panel (c) in thousandths, with room for the legend."""
UNIT = r"$E_1$"
KILO = 1e3
"""Excesses are drawn in thousandths."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Excess and gain over the map, where both occur and up to which N, and their growth with T∝N.

    The gain is computed from the conductances J/a.  In the bare scaling a does not depend on N, so
    that their ratio is that of the powers, on the Carnot line, too.
    """
    fixed = datasets["map"]
    ok = fixed.status == Status.OK
    constancy = fixed.constancy.where(ok)
    gain = collective_gain(conductance(constancy, fixed.quanta_noise))
    violation = tur_violation(constancy)
    both = violation.violation & (gain > 1) & (fixed.N > 1)
    both.attrs = {"long_name": "whether gain > 1 and C > 1", "units": "1"}
    with_gain = constancy.where((gain > 1) & (fixed.N > 1))
    last = last_violation(with_gain).last_violation.max("omega_0")
    last.attrs = {"long_name": "largest N with gain > 1 and C > 1, best drive", "units": "1"}
    best = violation.constancy_excess.where(both).max(["omega_0", "delta_E", "T_mean"])
    best.attrs = {"long_name": "largest C − 1 on the map with gain > 1", "units": "1"}
    reduced = xr.Dataset(
        {
            "constancy_excess": violation.constancy_excess,
            "collective_gain": gain,
            "both": both,
            "last_both": last,
            "best_excess": best,
            "weak_coupling": np.maximum(fixed.weak_coupling_1, fixed.weak_coupling_2),
            "carnot_delta_E": carnot_delta_E(fixed.T_mean, E_1=fixed.E_1, delta_T=fixed.delta_T),
        }
    )
    reduced.attrs = fixed.attrs
    return reduced.merge(_hotter(datasets["hotter"], datasets["limit"]), combine_attrs="override")


def _hotter(hotter: xr.Dataset, limit: xr.Dataset) -> xr.Dataset:
    """Excess and gain of one engine whose baths are N times as hot, with its limit N → ∞.

    Such an engine is that of Eq. 28 but for the unit of time, so that it has the same constancy.
    Its gain is counted against N single pairs at its own temperatures N T, drive and rate.
    """
    constancy = hotter.constancy.where(hotter.status == Status.OK)
    heated = {name: hotter.N * hotter[name] for name in ("T_mean", "delta_T")}
    # N single pairs at ω₀/N and Γ₀/N have N G₁(ω₀/N, Γ₀/N) = G₁(ω₀, Γ₀) at equal temperatures.
    single = single_pair_conductance(hotter.assign_coords(heated))
    gain = conductance(constancy, hotter.quanta_noise) / single
    excess = (limit.constancy - 1).where(limit.status == Status.OK)
    named = {
        "hotter_excess": (constancy - 1, "C − 1 with the baths at N T"),
        "hotter_gain": (gain, "gain with the baths at N T, over pairs with the same baths"),
        "limit_excess": (excess, "C − 1 for N → ∞"),
    }
    result = xr.Dataset(
        {
            name: array.drop_vars([c for c in array.coords if c not in array.dims])
            .rename({dim: f"hotter_{dim}" for dim in array.dims})
            .assign_attrs(long_name=text, units="1")
            for name, (array, text) in named.items()
        }
    )
    result.attrs = {}
    return result


def draw(reduced: xr.Dataset) -> Figure:
    """Constancy at one size, up to which N both occur, and both against N."""
    figure = Figure(figsize=(11, 8.4), layout="constrained")
    (excess_axes, last_axes), (curve_axes, hot_axes) = figure.subplots(2, 2)
    drive = best_drive(reduced, SHOWN_N)
    at = reduced.sel(N=SHOWN_N, omega_0=drive)
    mesh = _map(excess_axes, KILO * at.constancy_excess, cmap="coolwarm", vmin=-1, vmax=1)
    figure.colorbar(
        mesh, ax=excess_axes, extend="both", label=rf"$10^3\,(\mathcal{{C}}_{SHOWN_N} - 1)$"
    )
    draw_carnot_line(excess_axes, reduced)
    _gain_contours(excess_axes, at)
    excess_axes.legend(loc="lower left")
    ratio = drive / float(reduced.Gamma_0)
    excess_axes.set_title(rf"(a) constancy, $N$ = {SHOWN_N}, $\omega_0/\Gamma_0$ = {ratio:.3g}")

    sizes = reduced.N.values[1:]
    edges = np.concatenate([sizes - 0.5, [sizes[-1] + 0.5]])
    colors = colormaps["viridis"].resampled(sizes.size)
    mesh = _map(last_axes, reduced.last_both, cmap=colors, norm=BoundaryNorm(edges, sizes.size))
    bar = figure.colorbar(mesh, ax=last_axes, label=r"largest $N$", spacing="uniform")
    bar.set_ticks(sizes, labels=[str(N) for N in sizes])
    draw_carnot_line(last_axes, reduced)
    last_axes.set_title(r"(b) up to which $N$ gain > 1 and $\mathcal{C}$ > 1 (best $\omega_0$)")

    _curves(curve_axes, reduced)
    _hot(hot_axes, reduced)
    return figure


def best_drive(reduced: xr.Dataset, N: int) -> float:
    """The ω₀ at which C − 1 is largest on the map at this size."""
    largest = reduced.constancy_excess.sel(N=N).where(reduced.both.sel(N=N))
    return float(largest.max(["delta_E", "T_mean"]).idxmax("omega_0"))


def steadiest(reduced: xr.Dataset, N: int) -> dict[str, float]:
    """Labels of the engine of the map with the largest C − 1 at this size, and a gain."""
    excess = reduced.constancy_excess.sel(N=N).where(reduced.both.sel(N=N))
    place = excess.argmax(["omega_0", "delta_E", "T_mean"])
    return {str(dim): float(excess[dim][index]) for dim, index in place.items()}


def followed(reduced: xr.Dataset) -> dict[int, dict[str, float]]:
    """Labels of the engines that panel (c) follows over all N, by the N at which each is best."""
    sizes = [N for N in CURVES if N in reduced.N.values and bool(reduced.both.sel(N=N).any())]
    return {N: steadiest(reduced, N) for N in sizes}


def _map(axes: Axes, values: xr.DataArray, **options: Any) -> Any:
    mesh = draw_cold_map(axes, values, **options)
    axes.set_ylabel(rf"$\Delta E$ / {UNIT}")
    axes.set_xlabel(rf"$T_1 = \bar{{T}} - \Delta T/2$ / {UNIT}")
    return mesh


def _gain_contours(axes: Axes, at: xr.Dataset) -> None:
    gain = at.collective_gain.transpose("delta_E", "T_mean")
    levels = [level for level in (1, 3, 10, 20, 30) if gain.min() < level < gain.max()]
    if levels:
        drawn = axes.contour(cold(at), at.delta_E, gain, levels, colors="black", linewidths=0.8)
        axes.clabel(drawn, fmt=lambda level: f"gain {level:g}", fontsize=8)


def _curves(axes: Axes, reduced: xr.Dataset) -> None:
    places = followed(reduced)
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(places)))
    for (N, place), color in zip(places.items(), colors, strict=True):
        curve = KILO * reduced.constancy_excess.sel(place)
        gain = float(reduced.collective_gain.sel(place).sel(N=N))
        axes.plot(
            curve.N, curve, "o-", ms=4, lw=1.2, color=color,
            label=f"{N}, gain {gain:.3g} there",
        )  # fmt: skip
    axes.axhline(0, color="black", ls=":", lw=1.5)
    axes.set(xscale="log", xlabel=r"$N$", ylabel=r"$10^3\,(\mathcal{C}_N - 1)$", ylim=SHOWN_EXCESS)
    size_ticks(axes, int(reduced.N.max()))
    axes.legend(loc="upper left", frameon=False, title=r"steadiest at $N$ =", title_fontsize=8)
    axes.set_title(r"(c) constancy against $N$, baths as they are")


def _hot(axes: Axes, reduced: xr.Dataset) -> None:
    drive = float(reduced.limit_excess.idxmax())
    at = reduced.sel(hotter_omega_0=drive)
    axes.plot(at.hotter_N, KILO * at.hotter_excess, "o-", ms=4, label=r"$10^3\,(\mathcal{C}_N-1)$")
    axes.axhline(
        KILO * float(at.limit_excess), color="tab:blue", ls="--", lw=1, label=r"$N \to \infty$"
    )
    axes.axhline(0, color="black", ls=":", lw=1.5)
    axes.set(xscale="log", xlabel=r"$N$", ylabel=r"$10^3\,(\mathcal{C}_N - 1)$", ylim=(-5, 2))
    size_ticks(axes, int(at.hotter_N.max()))
    right = axes.twinx()
    right.plot(at.hotter_N, at.hotter_gain, "s-", ms=4, color="tab:red", label="gain")
    right.set(yscale="log", ylabel="gain over pairs with the same baths")
    for side, color in ((axes, "tab:blue"), (right, "tab:red")):
        side.yaxis.label.set_color(color)
        side.tick_params(axis="y", which="both", colors=color)
    lines = [*axes.get_lines()[:2], *right.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="center right", frameon=False)
    axes.set_title(r"(d) baths $N$ times as hot: both grow with $N$")


def interactive(reduced: xr.Dataset) -> Any:
    """The maps and the curves, with values on hover."""
    import holoviews as hv

    size = {"width": 560, "height": 400}
    drive = best_drive(reduced, SHOWN_N)
    excess = KILO * reduced.constancy_excess.sel(N=SHOWN_N, omega_0=drive)
    at = f"N = {SHOWN_N}, ω₀ = {drive:g}"
    maps = [
        interactive_map(excess, "10³ (C − 1)", f"(a) {at}", cmap="RdBu_r", clim=(-1, 1)),
        interactive_map(reduced.last_both, "largest N", "(b) gain > 1 and C > 1", cmap="viridis"),
    ]
    carnot = interactive_carnot(reduced)
    curves = [
        hv.Curve((reduced.N.values, (KILO * reduced.constancy_excess.sel(place)).values),
                 "N", "10³ (C_N − 1)", label=f"steadiest at N = {N}").opts(tools=["hover"])
        for N, place in followed(reduced).items()
    ]  # fmt: skip
    hot = reduced.sel(hotter_omega_0=float(reduced.limit_excess.idxmax()))
    hotter = hv.Curve(
        (hot.hotter_N.values, (KILO * hot.hotter_excess).values), "N", "10³ (C_N − 1)"
    ).opts(title="(d) baths N times as hot", logx=True, tools=["hover"], **size)
    over_N = hv.Overlay(curves).opts(
        title="(c) constancy against N", logx=True, ylim=SHOWN_EXCESS, **size
    )
    return hv.Layout([*(one * carnot for one in maps), over_N, hotter]).opts(
        shared_axes=False
    ).cols(2)  # fmt: skip


SIMULTANEOUS = Recipe(
    "simultaneous",
    {"map": "simultaneous", "hotter": "simultaneous-hotter", "limit": "simultaneous-limit"},
    reduce,
    draw,
    interactive,
)
