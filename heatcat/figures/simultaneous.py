"""Gain and C > 1 together without scalings: what the paper looked for, at other parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize

from analyses import (
    carnot_delta_E,
    collective_gain,
    conductance,
    last_violation,
    single_pair_conductance,
    tur_violation,
)
from heatcat.figures.maps import (
    CLOSURE,
    LIMIT,
    SECOND,
    cold_carnot,
    cold_map,
    contour,
    marked,
    shades,
    size_axis,
    size_color,
    tur_bound,
)
from heatcat.figures.panels import Axis, Colours, Drawing, Layer, Line, Panel, Rule
from heatcat.figures.recipe import Recipe, certified

SHOWN_N = 6
"""Size of the map of the constancy."""
CURVES = (2, 4, 6, 8, 12)
"""Sizes for which the steadiest engine of the map is followed over all N."""
GAINS = (1, 3, 10, 20, 30)
"""Gains whose lines are drawn."""
SHOWN_EXCESS = (-3.6, 1.5)
SHOWN_HOT = (-5.0, 2.0)
"""Ranges of 10³ (C − 1) against N."""
KILO = 1e3
"""Excesses are drawn in thousandths."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Excess and gain over the map, where both occur and up to which N, and their growth with T∝N.

    The gain is computed from the conductances J/a.  In the bare scaling a does not depend on N, so
    that their ratio is that of the powers, on the Carnot line, too.
    """
    fixed = datasets["map"]
    constancy = certified(fixed, "constancy")
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
    constancy = certified(hotter, "constancy")
    heated = {name: hotter.N * hotter[name] for name in ("T_mean", "delta_T")}
    # N single pairs at ω₀/N and Γ₀/N have N G₁(ω₀/N, Γ₀/N) = G₁(ω₀, Γ₀) at equal temperatures.
    single = single_pair_conductance(hotter.assign_coords(heated))
    gain = conductance(constancy, hotter.quanta_noise) / single
    excess = certified(limit, "constancy") - 1
    named = {
        "hotter_excess": (constancy - 1, "C − 1 with the baths at N T"),
        "hotter_gain": (gain, "gain with the baths at N T, over pairs with the same baths"),
        "limit_excess": (excess, "C − 1 for N → ∞"),
    }
    result = xr.Dataset(
        {
            name: array.reset_coords(drop=True)
            .rename({dim: f"hotter_{dim}" for dim in array.dims})
            .assign_attrs(long_name=text, units="1")
            for name, (array, text) in named.items()
        }
    )
    result.attrs = {}
    return result


def draw(reduced: xr.Dataset) -> Drawing:
    """Constancy at one size, up to which N both occur, and both against N."""
    drive = best_drive(reduced, SHOWN_N)
    ratio = drive / float(reduced.Gamma_0)
    axes = (
        Axis("$T_1$ / $E_1$", log=True),
        Axis(r"$\Delta E$ / $E_1$", log=True),
    )
    at = reduced.sel(N=SHOWN_N, omega_0=drive)
    scale = Colours(
        rf"$10^3\,(\mathcal{{C}}_{SHOWN_N} - 1)$", Normalize(-1, 1), "RdBu_r", extend="both"
    )
    shown = cold_map(KILO * at.constancy_excess, scale)
    gain = at.collective_gain.transpose("delta_E", "T_mean")
    gains = [
        layer
        for level in GAINS
        for layer in marked(
            contour(shown, level, values=gain, log=True, width=0.8), f"gain {level:g}", at=0.8
        )
    ]
    unity = contour(shown, 0.0, log=True, width=1.2, dash="--")
    sizes = reduced.N.values[1:]
    edges = np.concatenate([sizes - 0.5, [sizes[-1] + 0.5]])
    steps = ListedColormap(shades(sizes.size, last=1.0))  # far apart in grey, too
    largest = Colours("largest $N$", BoundaryNorm(edges, sizes.size), steps, ticks=sizes)
    carnot = cold_carnot(reduced)
    maps = [
        Panel(
            rf"constancy and gain, $N$ = {SHOWN_N}, $\omega_0/\Gamma_0$ = {ratio:.3g}",
            *axes,
            [shown, *gains, *marked(unity, r"$\mathcal{C}$ = 1", at=0.6), *carnot],
        ),
        Panel(
            r"up to which $N$ gain > 1 and $\mathcal{C}$ > 1",
            *axes,
            [cold_map(reduced.last_both, largest), *carnot],
        ),
    ]
    return Drawing(
        "Gain and C > 1 at once, without scalings", [maps, [_curves(reduced), *_hot(reduced)]]
    )


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


def _curves(reduced: xr.Dataset) -> Panel:
    layers: list[Layer] = []
    for N, place in followed(reduced).items():
        curve = KILO * reduced.constancy_excess.sel(place)
        gain = float(reduced.collective_gain.sel(place).sel(N=N))
        label = f"{N}, gain {gain:.3g} there"
        layers.append(Line(curve.N, curve, label, color=size_color(N), marker="o", size=3))
    return Panel(
        "baths as they are",
        size_axis(int(reduced.N.max())),
        Axis(r"$10^3\,(\mathcal{C}_N - 1)$", limits=SHOWN_EXCESS),
        [*layers, tur_bound(0.0)],
        legend="steadiest at $N$ =",
    )


def _hot(reduced: xr.Dataset) -> list[Panel]:
    drive = float(reduced.limit_excess.idxmax())
    at = reduced.sel(hotter_omega_0=drive)
    axis = size_axis(int(at.hotter_N.max()))
    excess: list[Layer] = [
        Line(at.hotter_N, KILO * at.hotter_excess, "$N$ pairs", color=SECOND, marker="o", size=3),
        Rule(KILO * float(at.limit_excess), label=LIMIT, dash="--"),
        tur_bound(0.0),
    ]
    gain = Line(at.hotter_N, at.hotter_gain, color=CLOSURE, marker="s", size=3)
    return [
        Panel(
            "baths $N$ times as hot",
            axis,
            Axis(r"$10^3\,(\mathcal{C}_N - 1)$", limits=SHOWN_HOT),
            excess,
        ),
        Panel("baths $N$ times as hot", axis, Axis("gain, same baths", log=True), [gain]),
    ]


SIMULTANEOUS = Recipe(
    "simultaneous",
    {"map": "simultaneous", "hotter": "simultaneous-hotter", "limit": "simultaneous-limit"},
    reduce,
    draw,
    "abcde",
)
