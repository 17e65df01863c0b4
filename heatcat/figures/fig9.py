"""Fig. 9: the undriven ensemble: stationary moments over βE, and relaxation of ⟨mᶻ⟩."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from ensemble.evolution.undriven_dynamics import SpinRelaxation, relax_closure, relax_limit
from heatcat.figures.fig4 import (
    BETA_E,
    M_2,
    M,
    closure_moments,
    every,
    limit_moments,
    moments,
    over_beta_E,
)
from heatcat.figures.maps import CLOSURE, LIMIT, size_color
from heatcat.figures.panels import Axis, Drawing, Line, Panel
from heatcat.figures.recipe import Recipe

SIZES = (1, 2, 5, 10, 30, 100)
"""Sizes of all panels."""
BATHS = ("hot", "cold")
"""The sweeps of the lower panels, one for each bath."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Moments and relaxation of the sweeps, beside those of the limit and of the closure."""
    finite = over_beta_E(datasets["finite"]).sel(N=list(SIZES))
    limit = over_beta_E(datasets["limit"])
    reduced = xr.Dataset(
        {
            "moments": moments(finite, "stationary moments of mᶻ", "Eq. 32"),
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


def draw(reduced: xr.Dataset) -> Drawing:
    """Moments above, relaxation below."""
    stationary = [
        Panel(title, Axis(BETA_E, log=True), Axis(symbol), _moment(reduced.sel(moment=moment)))
        for moment, symbol, title in (
            (1, M, f"stationary magnetisation {M}"),
            (2, M_2, f"its second moment {M_2}"),
        )
    ]
    paths = [_relaxation(reduced.sel(bath=bath, moment=1)) for bath in reduced.bath.values]
    return Drawing(
        "Fig. 9: stationary moments of one undriven ensemble, and their relaxation",
        [stationary, paths],
        height=2.0,
    )


def _moment(at: xr.Dataset) -> list[Line]:
    marks = every(at.closure_moments)
    return [
        *(
            Line(at.beta_E, at.moments.sel(N=N), f"$N$ = {N}", color=size_color(N))
            for N in SIZES
        ),
        Line(at.beta_E, at.limit_moments, LIMIT, dash="--", width=1.5),
        Line(
            marks.beta_E, marks, "closure, Eqs. 38–39",
            color=CLOSURE, dash="", marker="o", filled=False,
        ),
    ]  # fmt: skip


def _relaxation(at: xr.Dataset) -> Panel:
    """Paths of all; the legend has the largest distances from the limit."""
    finite = float(np.abs(at.path.isel(N=-1) - at.limit_path).max())
    closed = float(np.abs(at.closure_path - at.limit_path).max())
    labels = {SIZES[-1]: f"$N$ = {SIZES[-1]}: {_rounded(finite)}"}
    layers = [Line(at.time, at.path.sel(N=N), labels.get(N), color=size_color(N)) for N in SIZES]
    layers += [
        Line(at.time, at.limit_path, dash="--", width=1.5),
        Line(
            at.time[::4], at.closure_path[::4], f"closure: {_rounded(closed)}",
            color=CLOSURE, dash="", marker="o", filled=False,
        ),
    ]  # fmt: skip
    return Panel(
        rf"from full excitation at {BETA_E} = {float(at.bath):g}",
        Axis(r"$\Gamma_0 t$", limits=(0, float(at.time[-1]))),
        Axis(M),
        layers,
        legend="off the limit by at most",
    )


def _rounded(value: float) -> str:
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{value:.3f}" if value >= 1e-3 else rf"${mantissa} \times 10^{{{int(exponent)}}}$"


FIG9 = Recipe(
    "fig9",
    {"finite": "fig4", "limit": "fig4-limit", "hot": "fig9-hot", "cold": "fig9-cold"},
    reduce,
    draw,
    "abcd",
)
