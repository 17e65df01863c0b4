"""Local baths and dephasing of single spins: what is left of the gain and of the constancy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analyses import carnot_delta_E, conductance, local_exponent, noise_threshold
from analyses.gain import collective_gain
from analyses.threshold import ThresholdStatus
from ensemble import Status
from heatcat.figures.panels import draw_carnot, draw_map, size_ticks
from heatcat.figures.recipe import Recipe

NOISES = {"local": "Gamma_local", "dephasing": "Gamma_dephasing"}
"""Dimension of the noise by part of the figure."""
SYMBOLS = {"local": r"$\Gamma_\mathrm{loc}/\Gamma_0$", "dephasing": r"$\Gamma_\varphi/\Gamma_0$"}
RULES = ("same", "noise_free")
"""What a gain compares with: pairs with the same local noise, or without any."""
DRAWN = (2, 4, 8, 12, 20)
"""Sizes of panels (a), (b) and (e), of those in the sweep."""
UNIT = r"$\omega_0$"


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Gains, exponents and constancy against noise, thresholds against N, and the map.

    Noise is labelled by its ratio to Γ₀; 0 is the engine of the symmetric states alone.
    """
    found: dict[str, xr.DataArray] = {}
    for part, dim in NOISES.items():
        at = _in_rates(datasets[part], dim)
        power = at.power.where(at.status == Status.OK)
        same = collective_gain(power)
        free = power / (power.N * power.sel(N=1).sel({dim: 0.0}).reset_coords(drop=True))
        free.attrs = {"long_name": "gain over pairs without noise", "units": "1"}
        for rule, gain in zip(RULES, (same, free), strict=True):
            found[f"gain_{rule}_{part}"] = gain
            threshold = noise_threshold(gain.where(gain[dim] > 0, drop=True), dim=dim)
            for name in ("noise_threshold", "threshold_status"):
                found[f"{name}_{rule}_{part}"] = threshold[name]
        found[f"exponent_{part}"] = local_exponent(power)
        found[f"constancy_{part}"] = at.constancy.where(at.status == Status.OK)
    weak = datasets["weak"]
    power = weak.power.where(weak.status == Status.OK)
    found["gain_weak"] = collective_gain(power)
    found["exponent_weak"] = local_exponent(power)
    # Here the local rate is in the unit of Γ₀, so that C is this times the ratio.
    found["constancy_slope_weak"] = weak.constancy_over_Gamma_local * weak.Gamma_0
    found |= _scaled(_in_rates(datasets["scaled"], "Gamma_local"), datasets["scaled_weak"])
    found |= _map(datasets["map"])
    kept = {name: array.drop_vars(_scalars(array)) for name, array in found.items()}
    reduced = xr.Dataset(kept, attrs=datasets["local"].attrs)
    fixed = datasets["map"]
    return reduced.assign_coords({name: fixed[name] for name in ("E_1", "delta_T")})


def _in_rates(dataset: xr.Dataset, dim: str) -> xr.Dataset:
    """The dataset with its noise in units of Γ₀."""
    ratio = (dataset[dim] / dataset.Gamma_0).reset_coords(drop=True)
    return dataset.assign_coords({dim: ratio.assign_attrs(dataset[dim].attrs, units="Gamma_0")})


def _scalars(array: xr.DataArray) -> list[Any]:
    return [name for name in array.coords if name not in array.dims]


def _scaled(dataset: xr.Dataset, weak: xr.Dataset) -> dict[str, xr.DataArray]:
    """Gain in the high-temperature scaling at a few local rates and for vanishing ones."""
    gain = collective_gain(dataset.power.where(dataset.status == Status.OK))
    limit = collective_gain(weak.power.where(weak.status == Status.OK))
    names = {"N": "scaled_N", "Gamma_local": "scaled_Gamma_local"}
    engine = {name: float(dataset[name]) for name in ("delta_E", "T_mean")}
    return {
        "gain_scaled": gain.drop_vars(_scalars(gain)).rename(names).assign_attrs(engine),
        "gain_scaled_weak": limit.drop_vars(_scalars(limit)).rename(N="scaled_weak_N"),
    }


def _map(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Gain from conductances, which vanish nowhere, and constancy, with and without noise."""
    constancy = dataset.constancy.where(dataset.status == Status.OK)
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


def draw(reduced: xr.Dataset) -> Figure:
    """Bare scaling: gains, thresholds, exponent, constancy, maps; and the scaled engine."""
    figure = Figure(figsize=(16.5, 7.6), layout="constrained")
    (local, dephased, lost, alpha), (steady, scaled, left, right) = figure.subplots(2, 4)
    _gains(local, reduced, "local", "(a) gain, local baths")
    _gains(dephased, reduced, "dephasing", "(b) gain, dephasing")
    dephased.set_ylabel("")
    _thresholds(lost, reduced)
    _exponents(alpha, reduced)
    _constancy(steady, reduced)
    _scaled_panel(scaled, reduced)
    _maps(figure, (left, right), reduced)
    return figure


def _sizes(reduced: xr.Dataset) -> list[tuple[int, Any]]:
    drawn = [N for N in DRAWN if N in reduced.N.values]
    return list(zip(drawn, colormaps["viridis"](np.linspace(0, 0.85, len(drawn))), strict=True))


def _positive(array: xr.DataArray, dim: str) -> xr.DataArray:
    return array.where(array[dim] > 0, drop=True)


def _gains(axes: Axes, reduced: xr.Dataset, part: str, title: str) -> None:
    dim = NOISES[part]
    same, free = (_positive(reduced[f"gain_{rule}_{part}"], dim) for rule in RULES)
    edge = float(same[dim][0])
    for N, color in _sizes(reduced):
        at = same.sel(N=N)
        axes.plot(at[dim], at, "-o", ms=3, lw=1.3, color=color, label=f"$N$ = {N}")
        at = free.sel(N=N)
        axes.plot(at[dim], at, "--", lw=1, color=color)
        symmetric = float(reduced[f"gain_same_{part}"].sel({"N": N, dim: 0.0}))
        axes.plot(edge / 6, symmetric, ">", color=color)
        if part == "local":
            axes.plot(edge / 2, float(reduced.gain_weak.sel(N=N)), "x", color=color)
    axes.axhline(1, color="black", ls=":", lw=1)
    axes.set(xscale="log", yscale="log", xlabel=SYMBOLS[part], ylabel=r"$P_N/(N P_1)$")
    axes.set_ylim(0.05, 40)
    axes.set_title(title + r"; dashed: $P_1$ without noise")
    axes.title.set_fontsize(8)
    axes.legend(loc="lower left", frameon=False, title=_marks(part), title_fontsize=8)


def _marks(part: str) -> str:
    weak = r", × $\Gamma_\mathrm{loc}\to 0^+$" if part == "local" else ""
    return "▶ no noise" + weak


def _thresholds(axes: Axes, reduced: xr.Dataset) -> None:
    for part, marker in zip(NOISES, "os", strict=True):
        at = reduced[f"noise_threshold_noise_free_{part}"]
        axes.plot(at.N, at, marker + "-", ms=4, label=f"{SYMBOLS[part]}")
    kept = all(
        bool((_many(reduced[f"threshold_status_same_{part}"]) == ThresholdStatus.KEPT).all())
        for part in NOISES
    )
    note = "over pairs with the same noise:\n"
    note += "not lost at any $N$ and noise shown" if kept else "lost at some $N$: see the data"
    axes.text(0.04, 0.95, note, transform=axes.transAxes, va="top", fontsize=8)
    axes.set(xlabel=r"$N$", ylabel=r"noise / $\Gamma_0$ at which $P_N = N P_1$(no noise)")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower right", frameon=False)
    axes.set_title("(c) noise at which the gain is lost")


def _many(array: xr.DataArray) -> xr.DataArray:
    return array.where(array.N > 1, drop=True)


def _exponents(axes: Axes, reduced: xr.Dataset) -> None:
    top = int(reduced.N.max())
    for part, color in zip(NOISES, ("tab:blue", "tab:orange"), strict=True):
        at = reduced[f"exponent_{part}"].sel(N=top)
        drawn = _positive(at, NOISES[part])
        axes.plot(drawn[NOISES[part]], drawn, "o-", ms=3, color=color, label=SYMBOLS[part])
        if part == "local":
            axes.axhline(float(at.sel({NOISES[part]: 0.0})), color="black", lw=1, label="no noise")
            weak = float(reduced.exponent_weak.sel(N=top))
            axes.axhline(weak, color="gray", ls="--", lw=1, label=r"$\Gamma_\mathrm{loc}\to 0^+$")
    axes.set(xscale="log", xlabel="noise / $\\Gamma_0$", ylabel=r"$d \ln P / d \ln N$")
    axes.legend(frameon=False)
    axes.set_title(rf"(d) local exponent $\alpha$ at $N$ = {top}")


def _constancy(axes: Axes, reduced: xr.Dataset) -> None:
    for N, color in _sizes(reduced):
        for part, style in zip(NOISES, ("-o", ":"), strict=True):
            at = _positive(reduced[f"constancy_{part}"].sel(N=N), NOISES[part])
            label = f"$N$ = {N}" if part == "local" else None
            axes.plot(at[NOISES[part]], at, style, ms=3, lw=1.2, color=color, label=label)
        rates = np.geomspace(1e-4, 1, 40)
        line = float(reduced.constancy_slope_weak.sel(N=N)) * rates
        axes.plot(rates[line < 1], line[line < 1], "--", lw=0.8, color=color)
    axes.set(xscale="log", xlabel="noise / $\\Gamma_0$", ylabel=r"$\mathcal{C}_N$", ylim=(0, 1.05))
    axes.legend(frameon=False, loc="lower right", title="local (dotted: dephasing)")
    axes.set_title(
        r"(e) constancy (dashed: $\Gamma_\mathrm{loc}\to 0^+$, $\propto\Gamma_\mathrm{loc}$)"
    )


def _scaled_panel(axes: Axes, reduced: xr.Dataset) -> None:
    rates = reduced.scaled_Gamma_local.values
    colors = ["black", *colormaps["plasma"](np.linspace(0.1, 0.8, len(rates) - 1))]
    for ratio, color in zip(rates, colors, strict=True):
        at = reduced.gain_scaled.sel(scaled_Gamma_local=ratio)
        label = rf"$\Gamma_\mathrm{{loc}}$ = {ratio:g} $\Gamma_0$" if ratio else "no noise"
        axes.plot(at.scaled_N, at, "o-", ms=3, color=color, label=label)
    at = reduced.gain_scaled_weak
    axes.plot(at.scaled_weak_N, at, "--", color="gray", label=r"$\Gamma_\mathrm{loc}\to 0^+$")
    axes.axhline(1, color="black", ls=":", lw=1)
    axes.set(xscale="log", yscale="log", xlabel=r"$N$", ylabel=r"$P_N/(N P_1)$", ylim=(0.5, 100))
    size_ticks(axes, int(reduced.scaled_weak_N.max()))
    axes.legend(frameon=False, fontsize=7)
    delta_E, T_mean = (reduced.gain_scaled.attrs[name] for name in ("delta_E", "T_mean"))
    axes.set_title(
        rf"(f) gain, baths at $NT$; $\Delta E$ = {delta_E:g} $E_1$, $\bar{{T}}$ = {T_mean:g} $E_1$"
    )
    axes.title.set_fontsize(8)


def _maps(figure: Figure, pair: tuple[Axes, Axes], reduced: xr.Dataset) -> None:
    ratio = float(reduced.map_Gamma_local[-1])
    share = reduced.map_gain.isel(map_Gamma_local=-1) / reduced.map_gain.isel(map_Gamma_local=0)
    size = int(reduced.map_gain.attrs["N"])
    constancy = reduced.map_constancy.isel(map_Gamma_local=-1)
    panels = (
        (share, "(g) share of the gain that is left", "gain / gain without noise", "white"),
        (constancy, "(h) constancy", r"$\mathcal{C}_N$", "black"),
    )
    for axes, (values, title, label, color) in zip(pair, panels, strict=True):
        mesh = draw_map(axes, values, unit=UNIT, cmap="viridis")
        figure.colorbar(mesh, ax=axes, label=label)
        draw_carnot(axes, reduced, color, loc="upper right")
        axes.set_title(rf"{title}, $N$ = {size}, $\Gamma_\mathrm{{loc}}$ = {ratio:g} $\Gamma_0$")
        axes.title.set_fontsize(8)


def interactive(reduced: xr.Dataset) -> Any:
    """Gains, exponent, constancy and the maps, with values on hover."""
    import holoviews as hv
    import hvplot.xarray  # noqa: F401 (registers .hvplot)

    size = {"width": 480, "height": 380}
    curves = []
    panels: tuple[tuple[str, str, str, dict[str, bool]], ...] = (
        ("gain_same_local", "Gamma_local", "(a) gain, same noise", {"logy": True}),
        ("gain_same_dephasing", "Gamma_dephasing", "(b) gain, same noise", {"logy": True}),
        ("gain_noise_free_local", "Gamma_local", "gain over noise-free pairs", {"logy": True}),
        ("exponent_local", "Gamma_local", "(d) local exponent α", {}),
        ("constancy_local", "Gamma_local", "(e) constancy", {"logy": False}),
    )
    for name, dim, title, options in panels:
        values = _positive(reduced[name].drop_attrs(), dim)
        values = values.where(values.N > 1, drop=True).rename("value")
        curves.append(
            values.hvplot.line(
                x=dim, by="N", logx=True, title=title, xlabel="noise / Γ₀", **size, **options
            )
        )
    scaled = reduced.gain_scaled.drop_attrs().rename("value").hvplot.line(
        x="scaled_N", by="scaled_Gamma_local", logx=True, logy=True,
        title="(f) gain, baths at N T", xlabel="N", **size,
    )  # fmt: skip
    noisy = reduced.isel(map_Gamma_local=-1)
    maps = [
        values.drop_attrs().rename("value").hvplot.quadmesh(
            x="delta_E", y="T_mean", cmap="viridis", title=title,
            xlabel="ΔE / ω₀", ylabel="T̄ / ω₀", **size,
        )
        for values, title in (
            (noisy.map_gain, "(g) gain with local noise"),
            (noisy.map_constancy, "(h) constancy with local noise"),
        )
    ]  # fmt: skip
    return hv.Layout([*curves, scaled, *maps]).opts(shared_axes=False).cols(3)


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
    interactive,
)
