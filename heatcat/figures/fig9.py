"""Fig. 9: the undriven ensemble: stationary moments over βE, and relaxation of ⟨mᶻ⟩."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ensemble.evolution.undriven_dynamics import (
    SpinRelaxation,
    relax_closure,
    relax_limit,
)
from heatcat.figures.fig4 import (
    CLOSURE,
    M_2,
    M,
    closure_moments,
    every,
    limit_moments,
    over_beta_E,
    size_colors,
)
from heatcat.figures.recipe import Recipe

SIZES = (1, 2, 5, 10, 30, 100)
"""Sizes of all panels."""
BATHS = ("hot", "cold")
"""The sweeps of the lower panels, one for each bath."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Moments and relaxation of the sweeps, beside those of the limit and of the closure."""
    finite = over_beta_E(datasets["finite"]).sel(N=list(SIZES))
    limit = over_beta_E(datasets["limit"])
    parts = [finite.magnetization_1, finite.magnetization_1_squared]
    moments = xr.concat(
        parts, dim=xr.Variable("moment", [1, 2]), coords="minimal", combine_attrs="drop"
    )
    attrs = {"long_name": "stationary moments of mᶻ", "equation": "Eq. 32", "units": "1"}
    reduced = xr.Dataset(
        {
            "moments": moments.assign_attrs(attrs),
            "limit_moments": limit_moments(limit),
            "closure_moments": closure_moments(limit.beta_E),
        }
    )
    reduced.attrs = datasets["finite"].attrs
    return reduced.merge(relaxation(datasets), combine_attrs="override")


def relaxation(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """⟨mᶻ⟩ and ⟨(mᶻ)²⟩ over time from the fully excited state, at the temperature of each bath."""
    beta_Es, times, finite, limit, closure = [], [], [], [], []
    for bath in BATHS:
        swept = datasets[bath].sel(N=list(SIZES))
        beta_E, instants = float(swept.E_1 / swept.T_mean), swept.time.values * float(swept.Gamma_0)
        paths = (swept.magnetization_1_evolution, swept.magnetization_1_squared_evolution)
        finite.append(np.stack([path.transpose("N", "time").values for path in paths], axis=1))
        limit.append(_both(relax_limit(beta_E, instants)))
        closure.append(_both(relax_closure(beta_E, instants)))
        beta_Es.append(beta_E)
        times.append(instants)
    dims = ("bath", "moment", "instant")
    time_attrs = {"long_name": "time in units of 1/Γ₀", "symbol": "Γ₀t", "units": "1"}
    bath_attrs = {"long_name": "βE of the bath before the scaling", "symbol": "βE", "units": "1"}

    def variable(dims: tuple[str, ...], values: list, what: str) -> tuple:
        return dims, np.array(values), {"long_name": f"moments of mᶻ, {what}", "units": "1"}

    return xr.Dataset(
        {
            "path": variable(("bath", "N", "moment", "instant"), finite, "finite N"),
            "limit_path": variable(dims, limit, "exact limit N → ∞"),
            "closure_path": variable(dims, closure, "closure of Eqs. 38 and 39"),
        },
        coords={
            "bath": ("bath", beta_Es, bath_attrs),
            "N": list(SIZES),
            "moment": [1, 2],
            "time": (("bath", "instant"), np.array(times), time_attrs),
        },
    )


def _both(path: SpinRelaxation) -> list[np.ndarray]:
    return [path.magnetization, path.second_moment]


def draw(reduced: xr.Dataset) -> Figure:
    """Moments above, relaxation below."""
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    axes = figure.subplots(2, 2)
    titles = (
        f"(a) stationary magnetisation {M}",
        f"(b) its second moment {M_2}",
    )
    for moment, symbol, panel, title in zip((1, 2), (M, M_2), axes[0], titles, strict=True):
        _moment(panel, reduced.sel(moment=moment))
        panel.set(xscale="log", xlabel=r"$\beta E$", ylabel=symbol)
        panel.set_title(title)
    axes[0, 0].legend(loc="lower left", frameon=False)
    for letter, bath, panel in zip("cd", reduced.bath.values, axes[1], strict=True):
        _relaxation(panel, reduced.sel(bath=bath, moment=1))
        panel.set_title(rf"({letter}) relaxation from full excitation at $\beta E$ = {bath:g}")
    return figure


def _differences(at: xr.Dataset) -> str:
    """Text with the largest distances of the closure and of the largest N from the limit."""
    closed = float(np.abs(at.closure_path - at.limit_path).max())
    finite = float(np.abs(at.path.isel(N=-1) - at.limit_path).max())
    size = f"$N$ = {int(at.N[-1])}"
    return (
        f"largest distance in {M} from the limit:\n"
        f"closure: {_rounded(closed)}\n{size}: {_rounded(finite)}"
    )


def _rounded(value: float) -> str:
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{value:.3f}" if value >= 1e-3 else rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def _moment(axes: Axes, at: xr.Dataset) -> None:
    for N, color in zip(SIZES, size_colors(len(SIZES)), strict=True):
        axes.plot(at.beta_E, at.moments.sel(N=N), color=color, lw=1.2, label=f"$N$ = {N}")
    exact = r"$N \to \infty$, exact"
    axes.plot(at.beta_E, at.limit_moments, "k--", lw=1.6, label=exact)
    marks = every(at.closure_moments)
    style: dict[str, Any] = {"color": CLOSURE, "mfc": "none", "ms": 4.5, "lw": 0}
    axes.plot(marks.beta_E, marks, "o", label="closure, Eqs. 38–39", **style)


def _relaxation(axes: Axes, at: xr.Dataset) -> None:
    for N, color in zip(SIZES, size_colors(len(SIZES)), strict=True):
        axes.plot(at.time, at.path.sel(N=N), color=color, lw=1.2)
    axes.plot(at.time, at.limit_path, "k--", lw=1.6)
    axes.plot(at.time[::4], at.closure_path[::4], "o", color=CLOSURE, mfc="none", ms=4.5)
    axes.set(xlabel=r"$\Gamma_0 t$", ylabel=M, xlim=(0, float(at.time[-1])))
    axes.text(0.97, 0.95, _differences(at), ha="right", va="top", transform=axes.transAxes)


def interactive(reduced: xr.Dataset) -> Any:
    """The same panels, with values on hover."""
    import holoviews as hv
    import hvplot.xarray  # noqa: F401 (registers .hvplot)

    reduced = reduced.drop_attrs()  # hvplot would write the unit "1" after each number
    size = {"width": 560, "height": 380}
    panels = []
    for moment, label in ((1, "⟨mᶻ⟩"), (2, "⟨(mᶻ)²⟩")):
        at = reduced.sel(moment=moment)
        lines = at.moments.hvplot.line(
            x="beta_E",
            by="N",
            logx=True,
            xlabel="βE",
            ylabel=label,
            title=f"{label} (colour: N); dashed: N → ∞, dots: closure",
            **size,
        )
        place = at.beta_E.values
        panels.append(
            lines
            * hv.Curve((place, at.limit_moments.values), "beta_E", "moments").opts(
                color="black", line_dash="dashed"
            )
            * hv.Scatter((place, at.closure_moments.values), "beta_E", "moments").opts(
                color="red", size=4
            )
        )
    for bath in reduced.bath.values:
        at = reduced.sel(bath=bath, moment=1)
        time = at.time.values
        curves = [
            hv.Curve((time, at.path.sel(N=N).values), "Γ₀t", "⟨mᶻ⟩", label=str(N)) for N in SIZES
        ]
        curves += [
            hv.Curve((time, at.limit_path.values), "Γ₀t", "⟨mᶻ⟩").opts(
                color="black", line_dash="dashed"
            ),
            hv.Scatter((time, at.closure_path.values), "Γ₀t", "⟨mᶻ⟩").opts(color="red", size=4),
        ]
        title = f"relaxation at βE = {bath:g} (colour: N)"
        panels.append(hv.Overlay(curves).opts(title=title, legend_position="right", **size))
    return hv.Layout(panels).cols(2).opts(shared_axes=False)


FIG9 = Recipe(
    "fig9",
    {"finite": "fig4", "limit": "fig4-limit", "hot": "fig9-hot", "cold": "fig9-cold"},
    reduce,
    draw,
    interactive,
)
