"""Fig. 4: the undriven ensemble: magnetisation, gap, their growth with N, and the size N*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analyses import transient_size
from analyses.crossover import EPSILON
from ensemble.closed_forms.classical_spin import closure_fixed_point, jacobian_gap
from heatcat.figures.recipe import Recipe

GAP_SIZES = (1, 2, 5, 20, 100)
"""Finite sizes of panel (b)."""
CUT_BETA_E = (1.0, 10.0, 100.0, 1000.0)
"""Temperatures of panel (c)."""
ZERO_TEMPERATURE = {"gap": 0.5, "magnetization": -1.0}
"""What gap/Γ₀ and ⟨mᶻ⟩ are at T = 0, for every N."""
PAPER_SLOPE = 0.05
"""N* ~ 0.05 βE."""
CLOSURE = "#D55E00"
SECOND = "#0072B2"
BETA_E = r"$\beta E$"
M, M_2 = r"$\langle m^z\rangle$", r"$\langle (m^z)^2\rangle$"


def over_beta_E(dataset: xr.Dataset) -> xr.Dataset:
    """The sweep over βE = E₁/T in place of T, ascending; both baths have the temperature T."""
    beta_E = (dataset.E_1 / dataset.T_mean).round(12)
    beta_E.attrs = {"long_name": "βE before the scaling", "symbol": "βE", "units": "1"}
    return dataset.assign_coords(beta_E=beta_E).swap_dims(T_mean="beta_E").sortby("beta_E")


def closure_moments(beta_E: xr.DataArray) -> xr.DataArray:
    """⟨mᶻ⟩ and ⟨(mᶻ)²⟩ at the fixed point of Eqs. 38 and 39, along a dimension ``moment``."""
    values = np.array([closure_fixed_point(x) for x in beta_E.values])
    coords = {"beta_E": beta_E, "moment": [1, 2]}
    attrs = {"long_name": "moments at the closure's fixed point", "equation": "Eqs. 38, 39"}
    return xr.DataArray(values, coords, ("beta_E", "moment"), attrs=attrs | {"units": "1"})


def limit_moments(limit: xr.Dataset) -> xr.DataArray:
    """The same two of the exact limit."""
    parts = [limit.magnetization_1, limit.magnetization_1_squared]
    moments = xr.concat(
        parts, dim=xr.Variable("moment", [1, 2]), coords="minimal", combine_attrs="drop"
    )
    attrs = {"long_name": "moments at N → ∞", "equation": "Eqs. 33, 34", "units": "1"}
    return moments.rename("moments").assign_attrs(attrs)


def _rate(gap: xr.DataArray) -> xr.DataArray:
    """Gap in units of Γ₀."""
    attrs = {"long_name": "gap over Γ₀", "symbol": "gap/Γ₀", "units": "1", "equation": "Eq. 40"}
    return (gap / gap.Gamma_0).assign_attrs(attrs)


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Moments and gaps over βE, and N* from the sweep over every N."""
    finite, limit = over_beta_E(datasets["finite"]), over_beta_E(datasets["limit"])
    dense = over_beta_E(datasets["transient"]).rename(
        beta_E="transient_beta_E", T_mean="transient_T_mean"
    )
    closed = [jacobian_gap(x) for x in limit.beta_E.values]
    sizes = [
        transient_size(values, frozen=ZERO_TEMPERATURE[name]).transient_size
        for name, values in (("gap", _rate(dense.gap)), ("magnetization", dense.magnetization_1))
    ]
    size = xr.concat(
        sizes, dim=xr.Variable("of", list(ZERO_TEMPERATURE)), coords="minimal", combine_attrs="drop"
    )
    attrs = {"long_name": f"transient size at ε = {EPSILON:g}", "symbol": "N*", "units": "1"}
    reduced = xr.Dataset(
        {
            "magnetization": finite.magnetization_1,
            "gap": _rate(finite.gap),
            "limit_moments": limit_moments(limit),
            "limit_gap": _rate(limit.gap),
            "closure_moments": closure_moments(limit.beta_E),
            "jacobian_gap": (
                "beta_E",
                closed,
                {"long_name": "Jacobian gap over Γ₀", "equation": "Eq. 44", "units": "1"},
            ),
            "transient_size": size.assign_attrs(attrs),
        }
    )
    reduced.attrs = datasets["finite"].attrs
    return reduced


def draw(reduced: xr.Dataset) -> Figure:
    """The four panels, each above a strip that enlarges its small differences."""
    figure = Figure(figsize=(11, 9.2), layout="constrained")
    axes = figure.subplots(4, 2, height_ratios=[3, 1, 3, 1], sharex=False)
    _moments(axes[0, 0], axes[1, 0], reduced)
    _gaps(axes[0, 1], axes[1, 1], reduced)
    _growth(axes[2, 0], axes[3, 0], reduced)
    _transient(axes[2, 1], axes[3, 1], reduced)
    for main, strip in ((0, 1), (2, 3)):
        for column in (0, 1):
            axes[main, column].tick_params(labelbottom=False)
            axes[strip, column].set_xlim(axes[main, column].get_xlim())
            axes[strip, column].grid(alpha=0.3)
    return figure


def every(data: xr.DataArray, step: float = 0.2) -> xr.DataArray:
    """Points about ``step`` decades of βE apart, for markers."""
    spacing = float(np.diff(np.log10(data.beta_E)).mean())
    return data.isel(beta_E=slice(None, None, max(1, round(step / spacing))))


def _moments(main: Axes, strip: Axes, reduced: xr.Dataset) -> None:
    off = reduced.closure_moments - reduced.limit_moments
    for moment, symbol, color, equation in ((1, M, "black", 33), (2, M_2, SECOND, 34)):
        exact = reduced.limit_moments.sel(moment=moment)
        main.plot(exact.beta_E, exact, color=color, label=f"{symbol}, Eq. {equation}")
        marks = every(reduced.closure_moments.sel(moment=moment))
        style: dict[str, Any] = {"color": color, "mfc": "white", "ms": 4.5, "lw": 0}
        main.plot(marks.beta_E, marks, "o", label=f"{symbol}, Eqs. 38–39", **style)
        strip.plot(off.beta_E, off.sel(moment=moment), color=color)
    main.set(xscale="log", ylabel="stationary moments", ylim=(-1.08, 1.12))
    main.legend(loc="center right", frameon=False)
    worst = [float(np.abs(off.sel(moment=moment)).max()) for moment in (1, 2)]
    main.set_title(
        rf"(a) $N \to \infty$: the closure is off by {worst[0]:.3f} in {M}, {worst[1]:.3f} in {M_2}"
    )
    strip.set(xscale="log", xlabel=BETA_E, ylabel="Eqs. 38–39\nminus exact")


def size_colors(count: int) -> np.ndarray:
    return colormaps["viridis"](np.linspace(0, 0.9, count))


def _gaps(main: Axes, strip: Axes, reduced: xr.Dataset) -> None:
    heat = 1 / reduced.beta_E
    sizes = [N for N in GAP_SIZES if N in reduced.N]
    for N, color in zip(sizes, size_colors(len(sizes)), strict=True):
        gap = reduced.gap.sel(N=N)
        main.plot(heat, gap, color=color, lw=1.2, label=f"$N$ = {N}")
        strip.plot(heat, gap / reduced.jacobian_gap, color=color, lw=1.2)
    main.plot(heat, reduced.limit_gap, "k--", lw=1.8, label=r"$N \to \infty$, exact")
    strip.plot(heat, reduced.limit_gap / reduced.jacobian_gap, "k--", lw=1.8)
    main.plot(heat, reduced.jacobian_gap, color=CLOSURE, lw=1.8, label="Jacobian gap, Eq. 44")
    main.plot(heat, reduced.jacobian_gap / 2, ":", color=CLOSURE, lw=1.8, label="half of it")
    main.set(xscale="log", yscale="log", ylabel=r"gap / $\Gamma_0$")
    main.legend(loc="upper left", frameon=False)
    ratio = reduced.limit_gap / reduced.jacobian_gap
    main.set_title(
        r"(b) at $N \to \infty$ the gap is "
        rf"{float(ratio.min()):.3f} to {float(ratio.max()):.3f} times Eq. 44"
    )
    strip.set(xscale="log", xlabel=r"$k_B T / E$", ylabel="gap\nover Eq. 44", ylim=(0.44, 0.68))


def _growth(main: Axes, strip: Axes, reduced: xr.Dataset) -> None:
    colors = colormaps["plasma"](np.linspace(0.85, 0, len(CUT_BETA_E)))
    for beta_E, color in zip(CUT_BETA_E, colors, strict=True):
        at = reduced.sel(beta_E=beta_E, method="nearest")
        label = rf"$\beta E$ = {float(at.beta_E):g}"
        main.plot(at.N, at.magnetization, "o-", ms=3.5, lw=1, color=color, label=label)
        main.axhline(float(at.limit_moments.sel(moment=1)), color=color, ls=":", lw=1.2)
        excess = (1 + at.magnetization).where(lambda x: x > 1e-15)
        strip.plot(at.N, excess, "o-", ms=2.5, lw=1, color=color)
    main.plot([], [], "k:", lw=1.2, label=r"$N \to \infty$, Eq. 33")
    main.set(xscale="log", ylabel=M, ylim=(-1.05, 0.05))
    main.legend(loc="upper right", frameon=False, ncols=2, bbox_to_anchor=(1.0, 0.8))
    main.set_title("(c) a cold bath looks like one at zero temperature while $N$ is small")
    strip.axhline(EPSILON, color="black", ls="--", lw=1)
    strip.text(1.05, 3 * EPSILON, r"$\epsilon = 10^{-10}$", fontsize=8)
    strip.set(xscale="log", yscale="log", xlabel=r"$N$", ylabel=f"1 + {M}", ylim=(1e-15, 10))


def _transient(main: Axes, strip: Axes, reduced: xr.Dataset) -> None:
    beta_E = reduced.transient_beta_E
    styles = {"gap": ("s", SECOND, "from the gap"), "magnetization": ("o", "black", f"from {M}")}
    for name, (marker, color, label) in styles.items():
        size = reduced.transient_size.sel(of=name)
        style: dict[str, Any] = {"marker": marker, "color": color, "mfc": "white", "ms": 4, "lw": 0}
        main.plot(beta_E, size, label=label, **style)
        strip.plot(beta_E, (size / beta_E).where(size > 1), **style)
    line = PAPER_SLOPE * beta_E
    main.plot(beta_E, line, "--", color=CLOSURE, label=rf"{PAPER_SLOPE:g} $\beta E$")
    strip.axhline(PAPER_SLOPE, color=CLOSURE, ls="--")
    main.set(xscale="log", yscale="log", ylabel=r"$N^*$", ylim=(0.7, 100))
    main.legend(loc="upper left", frameon=False)
    main.set_title(r"(d) transient size: $N^* e^{\beta E/N^*} = O(1/\epsilon)$, not quite linear")
    strip.set(xscale="log", xlabel=BETA_E, ylabel=r"$N^* / \beta E$", ylim=(0.03, 0.1))


def interactive(reduced: xr.Dataset) -> Any:
    """The same panels, with values on hover."""
    import holoviews as hv
    import hvplot.xarray  # noqa: F401 (registers .hvplot)

    reduced = reduced.drop_attrs()  # hvplot would write the unit "1" after each number
    size = {"width": 560, "height": 380}
    axis = {"logx": True, "xlabel": "βE", **size}
    limit = reduced.limit_moments.rename("exact").hvplot.line(
        x="beta_E",
        by="moment",
        ylabel="⟨mᶻ⟩ and ⟨(mᶻ)²⟩",
        title="(a) line: exact, dots: closure",
        **axis,
    )
    closed = reduced.closure_moments.rename("closure").hvplot.scatter(
        x="beta_E", by="moment", size=20, legend=False, **axis
    )
    sizes = [N for N in GAP_SIZES if N in reduced.N]
    title = "(b) gap (colour: N); black: N → ∞, red: Eq. 44"
    gaps = reduced.gap.sel(N=sizes).hvplot.line(
        x="beta_E", by="N", logy=True, ylabel="gap / Γ₀", title=title, **axis
    )
    for values, color in ((reduced.limit_gap, "black"), (reduced.jacobian_gap, "red")):
        gaps = gaps * hv.Curve((reduced.beta_E.values, values.values), "beta_E", "gap").opts(
            color=color, line_dash="dashed"
        )
    cut = reduced.magnetization.sel(beta_E=list(CUT_BETA_E), method="nearest")
    growth = cut.hvplot.line(
        x="N", by="beta_E", logx=True, xlabel="N", ylabel="⟨mᶻ⟩", title="(c) colour: βE", **size
    )
    transient = reduced.transient_size.hvplot.scatter(
        x="transient_beta_E", by="of", logy=True, ylabel="N*", title="(d) dashed: 0.05 βE", **axis
    )
    slope = hv.Curve(
        (reduced.transient_beta_E.values, PAPER_SLOPE * reduced.transient_beta_E.values),
        "transient_beta_E",
        "transient_size",
    ).opts(color="red", line_dash="dashed")
    return ((limit * closed) + gaps + growth + (transient * slope)).cols(2).opts(shared_axes=False)


FIG4 = Recipe(
    "fig4",
    {"finite": "fig4", "limit": "fig4-limit", "transient": "fig4-transient"},
    reduce,
    draw,
    interactive,
)
