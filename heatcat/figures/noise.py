"""Local baths and dephasing of single spins: what is left of the gain and of the constancy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize

from analyses import carnot_delta_E, conductance, local_exponent, noise_threshold
from analyses.gain import collective_gain
from analyses.threshold import ThresholdStatus
from heatcat.figures.maps import (
    CLOSURE,
    SECOND,
    plane_axes,
    plane_carnot,
    plane_map,
    shades,
    size_axis,
    size_color,
)
from heatcat.figures.panels import Axis, Colours, Drawing, Layer, Line, Panel, Rule
from heatcat.figures.recipe import Recipe, certified

NOISES = {"local": "Gamma_local", "dephasing": "Gamma_dephasing"}
"""Dimension of the noise by part of the figure."""
SYMBOLS = {"local": r"$\Gamma_\mathrm{loc}/\Gamma_0$", "dephasing": r"$\Gamma_\varphi/\Gamma_0$"}
RULES = ("same", "noise_free")
"""What a gain compares with: pairs with the same local noise, or without any."""
DRAWN = (2, 4, 8, 12, 20)
"""Sizes of panels (a), (b) and (e), of those in the sweep."""
UNIT = r"$\omega_0$"
WEAK = r"$\Gamma_\mathrm{loc} \to 0^+$"


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Gains, exponents and constancy against noise, thresholds against N, and the map.

    Noise is labelled by its ratio to Γ₀; 0 is the engine of the symmetric states alone.
    """
    found: dict[str, xr.DataArray] = {}
    for part, dim in NOISES.items():
        at = _in_rates(datasets[part], dim)
        power = certified(at, "power")
        same = collective_gain(power)
        free = power / (power.N * power.sel(N=1).sel({dim: 0.0}).reset_coords(drop=True))
        free.attrs = {"long_name": "gain over pairs without noise", "units": "1"}
        for rule, gain in zip(RULES, (same, free), strict=True):
            found[f"gain_{rule}_{part}"] = gain
            threshold = noise_threshold(gain.where(gain[dim] > 0, drop=True), dim=dim)
            for name in ("noise_threshold", "threshold_status"):
                found[f"{name}_{rule}_{part}"] = threshold[name]
        found[f"exponent_{part}"] = local_exponent(power)
        found[f"constancy_{part}"] = certified(at, "constancy")
    weak = datasets["weak"]
    power = certified(weak, "power")
    found["gain_weak"] = collective_gain(power)
    found["exponent_weak"] = local_exponent(power)
    # Here the local rate is in the unit of Γ₀, so that C is this times the ratio.
    found["constancy_slope_weak"] = weak.constancy_over_Gamma_local * weak.Gamma_0
    found |= _scaled(_in_rates(datasets["scaled"], "Gamma_local"), datasets["scaled_weak"])
    found |= _map(datasets["map"])
    kept = {name: array.reset_coords(drop=True) for name, array in found.items()}
    reduced = xr.Dataset(kept, attrs=datasets["local"].attrs)
    fixed = datasets["map"]
    return reduced.assign_coords({name: fixed[name] for name in ("E_1", "delta_T")})


def _in_rates(dataset: xr.Dataset, dim: str) -> xr.Dataset:
    """The dataset with its noise in units of Γ₀."""
    ratio = (dataset[dim] / dataset.Gamma_0).reset_coords(drop=True)
    return dataset.assign_coords({dim: ratio.assign_attrs(dataset[dim].attrs, units="Gamma_0")})


def _scaled(dataset: xr.Dataset, weak: xr.Dataset) -> dict[str, xr.DataArray]:
    """Gain in the high-temperature scaling at a few local rates and for vanishing ones."""
    gain = collective_gain(certified(dataset, "power"))
    limit = collective_gain(certified(weak, "power"))
    names = {"N": "scaled_N", "Gamma_local": "scaled_Gamma_local"}
    engine = {name: float(dataset[name]) for name in ("delta_E", "T_mean")}
    return {
        "gain_scaled": gain.reset_coords(drop=True).rename(names).assign_attrs(engine),
        "gain_scaled_weak": limit.reset_coords(drop=True).rename(N="scaled_weak_N"),
    }


def _map(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Gain from conductances, which vanish nowhere, and constancy, with and without noise."""
    constancy = certified(dataset, "constancy")
    gain = collective_gain(conductance(constancy, dataset.quanta_noise))
    noisy = _in_rates(dataset, "Gamma_local").Gamma_local.values
    size = int(dataset.N[-1])
    maps = {"map_gain": gain, "map_constancy": constancy}
    found = {
        name: array.isel(N=-1, drop=True)
        .assign_coords(Gamma_local=noisy)
        .rename(Gamma_local="map_Gamma_local")
        .assign_attrs(N=size)
        for name, array in maps.items()
    }
    carnot = carnot_delta_E(dataset.T_mean, E_1=dataset.E_1, delta_T=dataset.delta_T)
    return {**found, "carnot_delta_E": carnot}


def draw(reduced: xr.Dataset) -> Drawing:
    """Bare scaling: gains, thresholds, exponent, constancy, maps; and the scaled engine."""
    return Drawing(
        "Local baths and dephasing of every spin: what is left of gain and constancy",
        [
            [
                _gains(reduced, "local", "gain, local baths"),
                _gains(reduced, "dephasing", "gain, dephasing"),
                _thresholds(reduced),
            ],
            [_exponents(reduced), _constancy(reduced), _scaled_panel(reduced)],
            _maps(reduced),
        ],
    )


def _sizes(reduced: xr.Dataset) -> list[int]:
    return [N for N in DRAWN if N in reduced.N.values]


def _positive(array: xr.DataArray, dim: str) -> xr.DataArray:
    return array.where(array[dim] > 0, drop=True)


def _key(label: str, **style: Any) -> Line:
    """An entry of the legend that stands for curves of several colours."""
    return Line([np.nan], [np.nan], label, color="#555555", **style)


def _gains(reduced: xr.Dataset, part: str, title: str) -> Panel:
    dim = NOISES[part]
    same, free = (_positive(reduced[f"gain_{rule}_{part}"], dim) for rule in RULES)
    edge = float(same[dim][0])
    layers: list[Layer] = []
    for N in _sizes(reduced):
        color = size_color(N)
        at = same.sel(N=N)
        layers.append(Line(at[dim], at, f"$N$ = {N}", color=color, marker="o", size=2.5))
        layers.append(Line(free[dim], free.sel(N=N), color=color, dash="--", width=1))
        symmetric = float(reduced[f"gain_same_{part}"].sel({"N": N, dim: 0.0}))
        layers.append(Line([edge / 6], [symmetric], color=color, dash="", marker=">", size=4.5))
        if part == "local":
            weak = float(reduced.gain_weak.sel(N=N))
            layers.append(Line([edge / 2], [weak], color=color, dash="", marker="x", size=4.5))
    layers += [
        _key("over pairs without noise", dash="--", width=1),
        _key("no noise", dash="", marker=">", size=4.5),
    ]
    if part == "local":
        layers.append(_key(WEAK, dash="", marker="x", size=4.5))
    return Panel(
        title,
        Axis(SYMBOLS[part], log=True),
        Axis("$P_N/(N P_1)$", log=True, limits=(0.05, 40)),
        [*layers, Rule(1)],
    )


def _thresholds(reduced: xr.Dataset) -> Panel:
    kept = all(
        bool((_many(reduced[f"threshold_status_same_{part}"]) == ThresholdStatus.KEPT).all())
        for part in NOISES
    )
    layers = []
    for part, marker, color in zip(NOISES, "os", (SECOND, CLOSURE), strict=True):
        at = reduced[f"noise_threshold_noise_free_{part}"]
        layers.append(Line(at.N, at, SYMBOLS[part], color=color, marker=marker))
    known = np.concatenate([np.asarray(line.y, dtype=float) for line in layers])
    top = 1.05 * float(np.nanmax(known)) if np.isfinite(known).any() else 1.0
    largest = int(reduced.N.max())
    return Panel(
        "noise that ends the gain",
        Axis("$N$", limits=(1, largest + 1), ticks=range(4, largest + 1, 4)),
        Axis(r"noise / $\Gamma_0$", limits=(0, top)),
        layers,
        legend="" if kept else "with the same noise\nin $P_1$, lost at some $N$",
    )


def _many(array: xr.DataArray) -> xr.DataArray:
    return array.where(array.N > 1, drop=True)


def _exponents(reduced: xr.Dataset) -> Panel:
    top = int(reduced.N.max())
    layers: list[Layer] = []
    for part, marker, color in zip(NOISES, "os", (SECOND, CLOSURE), strict=True):
        drawn = _positive(reduced[f"exponent_{part}"].sel(N=top), NOISES[part])
        line = Line(drawn[NOISES[part]], drawn, SYMBOLS[part], color=color, marker=marker)
        layers.append(line)
    clean = float(reduced.exponent_local.sel(N=top, Gamma_local=0.0))
    layers.append(Rule(clean, label="no noise", dash="-"))
    weak = float(reduced.exponent_weak.sel(N=top))
    layers.append(Rule(weak, label=WEAK, color="grey", dash="--"))
    return Panel(
        rf"local exponent at $N$ = {top}",
        Axis(r"noise / $\Gamma_0$", log=True),
        Axis(r"$d\,\ln P / d\,\ln N$"),
        layers,
    )


def _constancy(reduced: xr.Dataset) -> Panel:
    layers: list[Layer] = []
    rates = np.geomspace(1e-4, 1, 40)
    for N in _sizes(reduced):
        color = size_color(N)
        local, dephased = (
            _positive(reduced[f"constancy_{part}"].sel(N=N), dim) for part, dim in NOISES.items()
        )
        layers.append(
            Line(local.Gamma_local, local, f"$N$ = {N}", color=color, marker="o", size=2.5)
        )
        layers.append(Line(dephased.Gamma_dephasing, dephased, color=color, dash=":"))
        line = float(reduced.constancy_slope_weak.sel(N=N)) * rates
        layers.append(Line(rates[line < 1], line[line < 1], color=color, dash="--", width=0.8))
    layers.append(_key("dephasing", dash=":"))
    layers.append(_key(rf"{WEAK}, $\propto \Gamma_\mathrm{{loc}}$", dash="--", width=0.8))
    return Panel(
        "constancy",
        Axis(r"noise / $\Gamma_0$", log=True),
        Axis(r"$\mathcal{C}_N$", limits=(0, 1.05)),
        layers,
    )


def _scaled_panel(reduced: xr.Dataset) -> Panel:
    rates = reduced.scaled_Gamma_local.values
    layers: list[Layer] = []
    for ratio, color in zip(rates, shades(len(rates), "plasma", last=0.8), strict=True):
        at = reduced.gain_scaled.sel(scaled_Gamma_local=ratio)
        label = f"{ratio:g}" if ratio else "no noise"
        layers.append(Line(at.scaled_N, at, label, color=color, marker="o", size=2.5))
    at = reduced.gain_scaled_weak
    layers.append(Line(at.scaled_weak_N, at, WEAK, color="grey", dash="--"))
    delta_E, T_mean = (reduced.gain_scaled.attrs[name] for name in ("delta_E", "T_mean"))
    return Panel(
        "gain, baths at $NT$",
        size_axis(int(reduced.scaled_weak_N.max())),
        Axis("$P_N/(N P_1)$", log=True, limits=(0.5, 100)),
        [*layers, Rule(1)],
        legend=rf"$\Delta E$, $\bar{{T}}$ = {delta_E:g}, {T_mean:g} $E_1$; {SYMBOLS['local']}:",
    )


def _maps(reduced: xr.Dataset) -> list[Panel]:
    ratio = float(reduced.map_Gamma_local[-1])
    share = reduced.map_gain.isel(map_Gamma_local=-1) / reduced.map_gain.isel(map_Gamma_local=0)
    size = int(reduced.map_gain.attrs["N"])
    constancy = reduced.map_constancy.isel(map_Gamma_local=-1)
    noise = rf"$N$ = {size}, {SYMBOLS['local']} = {ratio:g}"
    panels = []
    for values, title, label in (
        (share, "share of the gain", "gain / gain without noise"),
        (constancy, "constancy", r"$\mathcal{C}_N$"),
    ):
        colours = Colours(label, Normalize(float(values.min()), float(values.max())))
        layers = [plane_map(values, colours), *plane_carnot(reduced)]
        panels.append(Panel(f"{title}, {noise}", *plane_axes(UNIT), layers))
    return panels


NOISE = Recipe(
    "noise",
    {
        "local": "noise-local",
        "dephasing": "noise-dephasing",
        "weak": "noise-weak",
        "scaled": "noise-scaled",
        "scaled_weak": "noise-scaled-weak",
        "map": "noise-map",
    },
    reduce,
    draw,
    "abcdefgh",
)
