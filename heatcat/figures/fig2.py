"""Fig. 2: power of one pair, power against N, and the exponent α over ΔE and T̄."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize

from analyses import (
    carnot_delta_E,
    conductance,
    power_law_exponent,
    power_ratio,
    window_exponent,
)
from heatcat.figures.maps import (
    CLOSURE,
    SECOND,
    contour,
    diverging,
    marked,
    modes,
    plane_axes,
    plane_carnot,
    plane_map,
    shades,
)
from heatcat.figures.panels import Axis, Colours, Drawing, Layer, Line, Panel
from heatcat.figures.recipe import Recipe

CUT_DELTA_E = 125.0
"""Panel (b) is at this ΔE, in units of ω₀ as everything here."""
CUT_T_MEAN = (60.0, 80.0, 100.0, 150.0, 250.0)
UNIT = r"$\omega_0$"
VALID = (0.1, 1.0)
"""Ratios of the jump rate to the level spacing that are drawn at the largest N (App. A)."""
WINDOWS = ((2, 6), (6, 12), (12, 24))
"""Windows of N over which α is fitted again, to show that it falls as they move up."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Power map, ratios at the cut, and exponents.

    Ratios and exponents are computed from the conductance J/a.  In the bare scaling the affinity a
    does not depend on N, so that they equal those of the power, and they are defined on the Carnot
    line, too.
    """
    dataset = datasets["exact"]
    growing = conductance(dataset.constancy, dataset.quanta_noise)
    fit = power_law_exponent(growing)
    carnot = carnot_delta_E(dataset.T_mean, E_1=dataset.E_1, delta_T=dataset.delta_T)
    windows = xr.concat(
        [window_exponent(growing, start=start, stop=stop).exponent for start, stop in WINDOWS],
        dim=xr.Variable("window", [f"{start} ≤ N ≤ {stop}" for start, stop in WINDOWS]),
        coords="minimal",
        compat="override",
    )
    ratio = power_ratio(growing)
    # The line of each fit passes through the mean of the logarithms that it was fitted to.
    log_N = np.log(dataset.N)
    fitted = fit.N_sat < dataset.N
    anchor = (np.log(ratio) - fit.exponent * log_N).where(fitted).mean("N")
    line = np.exp(anchor + fit.exponent * log_N).where(fitted)
    line.attrs = {"long_name": "fitted power law", "units": "1"}
    top = dataset.isel(N=-1, drop=True)
    jump_rate = np.maximum(top.weak_coupling_1, top.weak_coupling_2)
    jump_rate.attrs = {"long_name": "larger R/E of App. A at the largest N", "units": "1"}
    reduced = fit.assign(
        weak_coupling=jump_rate,
        single_pair_power=dataset.power.sel(N=1, drop=True),
        power_ratio=ratio.sel(delta_E=CUT_DELTA_E),
        fitted_ratio=line.sel(delta_E=CUT_DELTA_E),
        window_exponent=windows,
        carnot_delta_E=carnot,
    )
    reduced.attrs = dataset.attrs
    return reduced


def draw(reduced: xr.Dataset) -> Drawing:
    """The three panels, as printed, and the exponents along the cut with their ranges."""
    across, up = plane_axes(UNIT)
    power = reduced.single_pair_power
    one = plane_map(power, diverging(r"$P_1$ / $\omega_0^2$", float(np.abs(power).max())))
    low, high = float(reduced.exponent.min()), float(reduced.exponent.max())
    alpha = plane_map(reduced.exponent, Colours(r"exponent $\alpha$", Normalize(low, high)))
    rates = reduced.weak_coupling.transpose("T_mean", "delta_E")
    coupling = [
        layer
        for level in VALID
        for layer in marked(
            contour(alpha, level, values=rates, log=False, color="#B2182B"), f"R/E = {level:g}"
        )
    ]
    carnot = plane_carnot(reduced)
    top = int(reduced.N.max())
    return Drawing(
        "Fig. 2: power of one pair, power against N, and the exponent α",
        [
            [
                Panel("power of one pair", across, up, [one, *carnot, *modes(one, log=False)]),
                _ratios(reduced),
            ],
            [
                Panel(
                    rf"$P_N \sim N^\alpha$ above $N_\mathrm{{sat}}$, $N \leq$ {top}",
                    across,
                    up,
                    [alpha, *coupling, *carnot],
                ),
                _exponents(reduced),
            ],
        ],
    )


def _ratios(reduced: xr.Dataset) -> Panel:
    """P_N/P₁ along the cut, with the fitted power laws."""
    layers: list[Layer] = []
    for T_mean, color in zip(CUT_T_MEAN, shades(len(CUT_T_MEAN)), strict=True):
        at = reduced.sel(T_mean=T_mean, delta_E=CUT_DELTA_E)
        layers.append(
            Line(at.N, at.power_ratio, f"{T_mean:g}", color=color, dash="", marker="o", size=3)
        )
        fit = r"fit above $N_\mathrm{sat}$" if T_mean == CUT_T_MEAN[-1] else None
        layers.append(Line(at.N, at.fitted_ratio, fit, color=CLOSURE, dash="--"))
    ticks = [tick for tick in (1, 2, 5, 10, 20) if tick <= int(reduced.N.max())]
    return Panel(
        rf"power ratio at $\Delta E$ = {CUT_DELTA_E:g} $\omega_0$",
        Axis("$N$", log=True, ticks=ticks),
        Axis("$P_N / P_1$", log=True),
        layers,
        legend=r"$\bar{T}$ / $\omega_0$",
    )


def _exponents(reduced: xr.Dataset) -> Panel:
    """α along the cut, the range of other fits, and that of the local exponent."""
    at = reduced.sel(delta_E=CUT_DELTA_E).sortby("T_mean")
    layers: list[Layer] = [Line(at.T_mean, at.exponent, r"$\alpha$", width=1.8)]
    for name, text, color, dash in (
        ("exponent", "other fits: range", SECOND, "--"),
        ("local_exponent", "local exponent: range", CLOSURE, ":"),
    ):
        for end, label in (("low", text), ("high", None)):
            line = at[f"{name}_{end}"]
            layers.append(Line(at.T_mean, line, label, color=color, dash=dash))
    return Panel(
        rf"exponent at $\Delta E$ = {CUT_DELTA_E:g} $\omega_0$",
        Axis(rf"$\bar{{T}}$ / {UNIT}"),
        Axis(r"exponent of $N$"),
        layers,
    )


FIG2 = Recipe("fig2", {"exact": "fig2"}, reduce, draw, "abcd")
