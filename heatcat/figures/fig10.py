"""Fig. 10: collective gain against ΔE, for growing N and N → ∞, and how exponential it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analyses import collective_gain, growth_rate, local_growth_rate
from ensemble import Status
from heatcat.figures.recipe import Recipe

WINDOW = (1000.0, 2500.0)
"""Level spacings of the fit, in units of E₁: 10 to 25 T₂."""
COLD = 4.0
"""E₂/T₂ beyond which the asymptote of N → ∞ is drawn."""
CLOSURE_COLOR = "#d95f02"


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Gains, their rate of growth in the window and at each ΔE, and the rate they tend to.

    Names without prefix are for N pairs, those with ``limit_`` for the exact limit N → ∞, and those
    with ``closure_`` for its third-cumulant closure.  ``asymptotic_growth_rate`` is (1 − 1/N)/T₂,
    by the ratio of the Boltzmann factors exp(−E₂/(N T₂)) of N pairs and exp(−E₂/T₂) of one.  For
    N → ∞ the first factor is 1: where E₁ ≫ T₁ and E₂ ≫ T₂ the gain is ∝ exp(E₂/T₂) (T₂/E₂ − T₁/E₁),
    whose rate is ``limit_asymptotic_growth_rate``.
    """
    power = _certified(datasets["finite"], "power")
    gain = collective_gain(power)
    single = power.sel(N=1, drop=True)
    gains = {"": gain}
    for part in ("limit", "closure"):
        in_limit = _certified(datasets[part], "power_per_pair") / single
        in_limit.attrs = gain.attrs
        gains[f"{part}_"] = in_limit
    found = {}
    for prefix, values in gains.items():
        fit = growth_rate(values, start=WINDOW[0], stop=WINDOW[1])
        found[f"{prefix}gain"] = values
        found[f"{prefix}local_growth_rate"] = local_growth_rate(values)
        found |= {prefix + str(name): array for name, array in fit.items()}
    asymptote = (1 - 1 / gain.N) / _hot(gain)
    asymptote.attrs = found["growth_rate"].attrs | {
        "long_name": "growth rate of the ratio of Boltzmann factors",
        "equation": "(1 - 1/N)/T_2",
    }
    found["asymptotic_growth_rate"] = asymptote
    found["limit_asymptotic_growth_rate"] = _limit_asymptote(gain)
    return xr.Dataset(found, attrs=datasets["finite"].attrs)


def _certified(dataset: xr.Dataset, name: str) -> xr.DataArray:
    return dataset[name].where(dataset.status == Status.OK)


def _hot(data: xr.DataArray | xr.Dataset) -> float:
    """T₂, from the coordinates."""
    return float(data.coords["T_mean"]) + float(data.coords["delta_T"]) / 2


def _limit_asymptote(gain: xr.DataArray) -> xr.DataArray:
    """d ln[exp(E₂/T₂) (T₂/E₂ − T₁/E₁)] / dE₂."""
    hot, spacing = _hot(gain), gain.coords["E_1"] + gain.delta_E
    cold = float(gain.coords["T_mean"]) - float(gain.coords["delta_T"]) / 2
    bias = hot / spacing - cold / gain.coords["E_1"]
    rate = 1 / hot - hot / spacing**2 / bias
    rate.attrs = {
        "long_name": "growth rate of the gain of N → ∞ between cold baths",
        "units": f"{gain.delta_E.attrs['units']}^-1",
        "equation": "1/T_2 - (T_2/E_2^2)/(T_2/E_2 - T_1/E_1)",
    }
    return rate


def draw(reduced: xr.Dataset) -> Figure:
    """The gain, as printed, and the slope of its logarithm."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    gains, rates = figure.subplots(1, 2)
    hot = _hot(reduced)
    for prefix, N, label, style in _lines(reduced):
        at = reduced if N is None else reduced.sel(N=N)
        rate = hot * float(at[f"{prefix}growth_rate"])
        low, high = (hot * float(at[f"{prefix}growth_rate_{end}"]) for end in ("low", "high"))
        text = f"{label}:  {rate:.4f}  ({low:.4f}–{high:.4f})"
        gains.plot(reduced.delta_E, at[f"{prefix}gain"], label=text, **style)
        local = hot * at[f"{prefix}local_growth_rate"]
        rates.plot(reduced.delta_E, local, label=label, **style)
        if N is not None:
            rates.axhline(1 - 1 / N, color=style["color"], ls=":", lw=1)
    gains.axhline(1, color="grey", ls=":", lw=1.2)
    gains.set(yscale="log", ylabel=r"gain $P_N / (N P_1)$")
    gains.set_title(r"(a) collective gain; dotted: $N$ pairs apart, same labels")
    heading = (
        r"$N$:  $\kappa\,T_2$  (windows in it),  "
        + rf"{WINDOW[0]:g} ≤ $\Delta E / E_1$ ≤ {WINDOW[1]:g}"
    )
    gains.legend(title=heading, title_fontsize=8, loc="upper left", frameon=False)
    cold = reduced.delta_E > COLD * hot
    asymptote = hot * reduced.limit_asymptotic_growth_rate.where(cold)
    rates.plot(reduced.delta_E, asymptote, color="black", ls=":", lw=1)
    rates.set(ylabel=r"$\kappa\,T_2 = T_2\; d \ln(\mathrm{gain}) / d\Delta E$", ylim=(0, 1.04))
    rates.set_title(r"(b) rate of growth; dotted: where both baths are cold")
    rates.legend(title=r"$N$", loc="lower right", frameon=False, ncols=2)
    for axes in (gains, rates):
        axes.set_xlabel(r"$\Delta E$ / $E_1$")
        axes.set_xlim(0, float(reduced.delta_E.max()))
    return figure


def _lines(reduced: xr.Dataset) -> list[tuple[str, int | None, str, dict[str, Any]]]:
    """Prefix, N, label and style of every curve; the gain of one pair is 1 by definition."""
    sizes = [int(N) for N in reduced.N.values if N > 1]
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(sizes)))
    lines: list[tuple[str, int | None, str, dict[str, Any]]] = [
        ("", N, str(N), {"color": to_hex(color), "lw": 1.4})
        for N, color in zip(sizes, colors, strict=True)
    ]
    lines.append(("limit_", None, r"$\infty$, exact", {"color": "black", "ls": "--", "lw": 1.6}))
    closed = {"color": CLOSURE_COLOR, "ls": "-.", "lw": 1.6}
    lines.append(("closure_", None, r"$\infty$, closure", closed))
    return lines


def interactive(reduced: xr.Dataset) -> Any:
    """The same panels, with values on hover."""
    import holoviews as hv

    hv.extension("bokeh", logo=False)
    dashes = {"--": "dashed", "-.": "dotdash"}
    panels = []
    for name, factor, title, unit, options in (
        ("gain", 1.0, "(a) collective gain", "P_N / (N P₁)", {"logy": True}),
        ("local_growth_rate", _hot(reduced), "(b) rate of growth", "κ T₂", {"ylim": (0, 1.04)}),
    ):
        curves = []
        for prefix, N, label, style in _lines(reduced):
            at = reduced if N is None else reduced.sel(N=N)
            table = (reduced.delta_E.values, factor * at[prefix + name].values)
            text = "N = " + label if N is not None else label.replace(r"$\infty$", "N → ∞")
            curve = hv.Curve(table, "delta_E", hv.Dimension(name, label=unit), label=text)
            dash = dashes.get(style.get("ls", ""), "solid")
            curves.append(
                curve.opts(color=style["color"], line_dash=dash, line_width=2, tools=["hover"])
            )
        place = "top_left" if name == "gain" else "bottom_right"
        panels.append(
            hv.Overlay(curves).opts(
                title=title,
                xlabel="ΔE / E₁",
                ylabel=unit,
                width=600,
                height=440,
                legend_position=place,
                **options,
            )
        )
    return hv.Layout(panels).opts(shared_axes=False).cols(2)


FIG10 = Recipe(
    "fig10",
    {"finite": "fig10-finite", "limit": "fig10-limit", "closure": "fig10-closure"},
    reduce,
    draw,
    interactive,
)
