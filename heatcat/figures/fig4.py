"""Fig. 4: the undriven ensemble: magnetisation, gap, their growth with N, and the size N*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from analyses import transient_size
from analyses.crossover import EPSILON
from ensemble.closed_forms.classical_spin import closure_fixed_point, jacobian_gap
from heatcat.figures.maps import CLOSURE, EXACT, LIMIT, SECOND, shades, size_color
from heatcat.figures.panels import Axis, Drawing, Layer, Line, Panel, Rule
from heatcat.figures.recipe import Recipe

GAP_SIZES = (1, 2, 5, 20, 100)
"""Finite sizes of panel (b)."""
CUT_BETA_E = (1.0, 10.0, 100.0, 1000.0)
"""Temperatures of panel (c)."""
ZERO_TEMPERATURE = {"gap": 0.5, "magnetization": -1.0}
"""What gap/Γ₀ and ⟨mᶻ⟩ are at T = 0, for every N."""
PAPER_SLOPE = 0.05
"""N* ~ 0.05 βE."""
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


def moments(dataset: xr.Dataset, long_name: str, equation: str) -> xr.DataArray:
    """The same two of a sweep."""
    joined = xr.concat(
        [dataset.magnetization_1, dataset.magnetization_1_squared],
        dim=xr.Variable("moment", [1, 2]),
        coords="minimal",
        combine_attrs="drop",
    )
    attrs = {"long_name": long_name, "equation": equation, "units": "1"}
    return joined.rename("moments").assign_attrs(attrs)


def limit_moments(limit: xr.Dataset) -> xr.DataArray:
    """The same two of the exact limit."""
    return moments(limit, "moments at N → ∞", "Eqs. 33, 34")


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


def draw(reduced: xr.Dataset) -> Drawing:
    """Four quantities on the left, and on the right of each its small differences, enlarged."""
    return Drawing(
        "Fig. 4: moments and gap of one undriven ensemble, their growth with N, and the size N*",
        [_moments(reduced), _gaps(reduced), _growth(reduced), _transient(reduced)],
        height=1.5,
    )


def every(data: xr.DataArray, step: float = 0.2) -> xr.DataArray:
    """Points about ``step`` decades of βE apart, for markers."""
    spacing = float(np.diff(np.log10(data.beta_E)).mean())
    return data.isel(beta_E=slice(None, None, max(1, round(step / spacing))))


def _moments(reduced: xr.Dataset) -> list[Panel]:
    off = reduced.closure_moments - reduced.limit_moments
    main: list[Layer] = []
    difference: list[Layer] = []
    for moment, symbol, color, equation in ((1, M, EXACT, 33), (2, M_2, SECOND, 34)):
        exact = reduced.limit_moments.sel(moment=moment)
        marks = every(reduced.closure_moments.sel(moment=moment))
        main += [
            Line(exact.beta_E, exact, f"{symbol}, Eq. {equation}", color=color),
            Line(
                marks.beta_E, marks, f"{symbol}, Eqs. 38–39",
                color=color, dash="", marker="o", filled=False,
            ),
        ]  # fmt: skip
        difference.append(Line(off.beta_E, off.sel(moment=moment), symbol, color=color))
    axis = Axis(BETA_E, log=True)
    return [
        Panel(r"stationary moments, $N \to \infty$", axis, Axis("moment"), main),
        Panel(r"error of the closure, $N \to \infty$", axis, Axis("closure − exact"), difference),
    ]


def _gaps(reduced: xr.Dataset) -> list[Panel]:
    heat = 1 / reduced.beta_E
    parts: list[tuple[xr.DataArray, dict[str, Any]]] = [
        (reduced.gap.sel(N=N), {"label": f"$N$ = {N}", "color": size_color(N)})
        for N in GAP_SIZES
        if N in reduced.N
    ]
    parts += [
        (reduced.limit_gap, {"label": LIMIT, "color": EXACT, "dash": "--", "width": 1.6}),
        (reduced.jacobian_gap, {"label": "Jacobian, Eq. 44", "color": CLOSURE}),
        (reduced.jacobian_gap / 2, {"label": "half of it", "color": CLOSURE, "dash": ":"}),
    ]
    axis = Axis("$k_B T / E$", log=True)
    return [
        Panel(
            "gap",
            axis,
            Axis(r"gap / $\Gamma_0$", log=True),
            [Line(heat, gap, **style) for gap, style in parts],
        ),
        Panel(
            "gap over Eq. 44",
            axis,
            Axis("gap / Eq. 44", limits=(0.44, 0.68)),
            [
                Line(heat, gap / reduced.jacobian_gap, **style)
                for gap, style in parts
                if style["label"] != "Jacobian, Eq. 44"
            ],
        ),
    ]


def _growth(reduced: xr.Dataset) -> list[Panel]:
    main: list[Layer] = []
    excess: list[Layer] = []
    for beta_E, color in zip(CUT_BETA_E, shades(len(CUT_BETA_E), "plasma", last=0.8), strict=True):
        at = reduced.sel(beta_E=beta_E, method="nearest")
        label = rf"{BETA_E} = {float(at.beta_E):g}"
        main.append(Line(at.N, at.magnetization, label, color=color, marker="o", size=2.5))
        limit = float(at.limit_moments.sel(moment=1))
        last = r"$N \to \infty$, Eq. 33" if beta_E == CUT_BETA_E[-1] else None
        main.append(Rule(limit, label=last, color=color))
        above = (1 + at.magnetization).where(lambda x: x > 1e-15)
        excess.append(Line(at.N, above, label, color=color, marker="o", size=2.5))
    excess.append(Rule(EPSILON, label=r"$\epsilon = 10^{-10}$", dash="--"))
    axis = Axis("$N$", log=True)
    return [
        Panel("magnetisation against $N$", axis, Axis(M), main),
        Panel(
            r"distance from $T = 0$", axis, Axis(f"1 + {M}", log=True, limits=(1e-15, 10)), excess
        ),
    ]


def _transient(reduced: xr.Dataset) -> list[Panel]:
    beta_E = reduced.transient_beta_E
    main: list[Layer] = []
    ratio: list[Layer] = []
    styles = {"gap": ("s", SECOND, "from the gap"), "magnetization": ("o", EXACT, f"from {M}")}
    for name, (marker, color, label) in styles.items():
        size = reduced.transient_size.sel(of=name)
        for layers, values in ((main, size), (ratio, (size / beta_E).where(size > 1))):
            layers.append(
                Line(beta_E, values, label, color=color, dash="", marker=marker, filled=False)
            )
    paper: dict[str, Any] = {
        "label": rf"${PAPER_SLOPE:g}\,\beta E$",
        "color": CLOSURE,
        "dash": "--",
    }
    main.append(Line(beta_E, PAPER_SLOPE * beta_E, **paper))
    ratio.append(Line(beta_E, PAPER_SLOPE + 0 * beta_E, **paper))
    axis = Axis(BETA_E, log=True)
    return [
        Panel("transient size", axis, Axis("$N^*$", log=True, limits=(0.7, 100)), main),
        Panel(
            r"transient size over $\beta E$",
            axis,
            Axis(r"$N^* / \beta E$", limits=(0.03, 0.1)),
            ratio,
        ),
    ]


FIG4 = Recipe(
    "fig4",
    {"finite": "fig4", "limit": "fig4-limit", "transient": "fig4-transient"},
    reduce,
    draw,
    "abcdefgh",
)
