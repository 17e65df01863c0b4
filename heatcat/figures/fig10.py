"""Fig. 10: collective gain against ΔE, for growing N and N → ∞, and how exponential it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from analyses import collective_gain, growth_rate, local_growth_rate
from heatcat.figures.maps import CLOSURE, LIMIT, size_color
from heatcat.figures.panels import Axis, Drawing, Layer, Line, Panel, Rule
from heatcat.figures.recipe import Recipe, certified

WINDOW = (1000.0, 2500.0)
"""Level spacings of the fit, in units of E₁: 10 to 25 T₂."""
COLD = 4.0
"""E₂/T₂ beyond which the asymptote of N → ∞ is drawn."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Gains, their rate of growth in the window and at each ΔE, and the rate they tend to.

    Names without prefix are for N pairs, those with ``limit_`` for the exact limit N → ∞, and those
    with ``closure_`` for its third-cumulant closure.  ``asymptotic_growth_rate`` is (1 − 1/N)/T₂,
    by the ratio of the Boltzmann factors exp(−E₂/(N T₂)) of N pairs and exp(−E₂/T₂) of one.  For
    N → ∞ the first factor is 1: where E₁ ≫ T₁ and E₂ ≫ T₂ the gain is ∝ exp(E₂/T₂) (T₂/E₂ − T₁/E₁),
    whose rate is ``limit_asymptotic_growth_rate``.
    """
    power = certified(datasets["finite"], "power")
    gain = collective_gain(power)
    single = power.sel(N=1, drop=True)
    gains = {"": gain}
    for part in ("limit", "closure"):
        in_limit = certified(datasets[part], "power_per_pair") / single
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


def draw(reduced: xr.Dataset) -> Drawing:
    """The gain, as printed, the slope of its logarithm, and that slope fitted."""
    hot, spacing = _hot(reduced), reduced.delta_E
    gains: list[Layer] = []
    rates: list[Layer] = []
    fitted: list[Layer] = []
    for prefix, N, style in _lines(reduced):
        at = reduced if N is None else reduced.sel(N=N)
        gains.append(Line(spacing, at[f"{prefix}gain"], **style))
        rates.append(Line(spacing, hot * at[f"{prefix}local_growth_rate"], **style))
        rate, low, high = (
            hot * float(at[f"{prefix}growth_rate{end}"]) for end in ("", "_low", "_high")
        )
        if N is None:
            fitted.append(Rule(rate, **style))
        else:
            bars: dict[str, Any] = {"low": [low], "high": [high]}
            fitted.append(Line([N], [rate], color=style["color"], dash="", marker="o", **bars))
    cold = spacing > COLD * hot
    asymptote = hot * reduced.limit_asymptotic_growth_rate.where(cold)
    rates.append(Line(spacing, asymptote, r"$N \to \infty$, both baths cold", dash=":"))
    gains.append(Rule(1, label="$N$ single pairs", color="grey", width=1.2))
    sizes = reduced.N[reduced.N > 1]
    fine = np.geomspace(float(sizes.min()), float(sizes.max()), 50)
    fitted.append(Line(fine, 1 - 1 / fine, "$1 - 1/N$", dash=":"))
    across = Axis(r"$\Delta E$ / $E_1$", limits=(0, float(spacing.max())))
    kappa = r"$\kappa\,T_2$"
    return Drawing(
        "Fig. 10: collective gain against ΔE, and its rate of growth κ",
        [
            [
                Panel("collective gain", across, Axis("gain $P_N / (N P_1)$", log=True), gains),
                Panel("rate of growth", across, Axis(kappa, limits=(0, 1.04)), rates),
                Panel(
                    rf"{WINDOW[0]:g} ≤ $\Delta E/E_1$ ≤ {WINDOW[1]:g}",
                    Axis("$N$", log=True, ticks=[int(N) for N in sizes]),
                    Axis(rf"{kappa}, fitted"),
                    fitted,
                ),
            ]
        ],
        height=2.0,
    )


def _lines(reduced: xr.Dataset) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Prefix, N and style of every curve; the gain of one pair is 1 by definition."""
    lines: list[tuple[str, int | None, dict[str, Any]]] = [
        ("", int(N), {"label": f"$N$ = {N}", "color": size_color(N)})
        for N in reduced.N.values
        if N > 1
    ]
    closed = {"label": r"$N \to \infty$, closure", "color": CLOSURE, "dash": "-.", "width": 1.5}
    lines.append(("limit_", None, {"label": LIMIT, "dash": "--", "width": 1.5}))
    lines.append(("closure_", None, closed))
    return lines


FIG10 = Recipe(
    "fig10",
    {"finite": "fig10-finite", "limit": "fig10-limit", "closure": "fig10-closure"},
    reduce,
    draw,
    "abc",
)
