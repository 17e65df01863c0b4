"""Fig. 7: constancy against the drive for growing N, and in the limit N → ∞, exact and closed."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from analyses import best_constancy, last_violation, tur_violation
from heatcat.figures.maps import CLOSURE, EXACT, LIMIT, size_color, tur_bound
from heatcat.figures.panels import Axis, Drawing, Layer, Line, Panel
from heatcat.figures.recipe import Recipe, certified

PREFIXES = {"finite": "", "limit": "limit_", "closure": "closure_"}
"""Names in the reduced data: N spin pairs, the exact limit N → ∞, its third-cumulant closure."""
NEAR = (-5.0, 10.0)
"""Range of 10⁵ (C − 1) in the panel beside the bound."""


def reduce(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Constancy, its excess over 1 and its maximum for each N, in the limit and in the closure."""
    parts = {}
    for part, prefix in PREFIXES.items():
        dataset = datasets[part]
        constancy = certified(dataset, "constancy")
        found = tur_violation(constancy)[["constancy_excess", "violation"]]
        found = found.assign(constancy=constancy).merge(
            best_constancy(constancy).drop_vars("n_unknown")
        )
        if part == "finite":
            parts["last_violation"] = last_violation(constancy).last_violation
        parts |= {prefix + str(name): values for name, values in found.items()}
    return xr.Dataset(parts, attrs=datasets["finite"].attrs)


def draw(reduced: xr.Dataset) -> Drawing:
    """Main panel, the same beside the bound, and the limit N → ∞ (the paper's inset)."""
    axis = Axis(r"$\omega_0$ / $E_1$", log=True)

    def sizes(scale: float) -> list[Layer]:
        curves: list[Layer] = [
            Line(
                reduced.omega_0, scale * reduced.constancy_excess.sel(N=N), f"$N$ = {N}",
                color=size_color(N),
            )
            for N in reduced.N.values
        ]  # fmt: skip
        limit = Line(
            reduced.omega_0, scale * reduced.limit_constancy_excess, LIMIT, dash="--", width=1.5
        )
        return [*curves, limit, tur_bound(0.0)]

    exact = Line(reduced.omega_0, reduced.limit_constancy, LIMIT, color=EXACT, dash="--", width=1.5)
    closure = Line(
        reduced.omega_0,
        reduced.closure_constancy,
        r"$N \to \infty$, closure",
        color=CLOSURE,
        width=1.5,
    )
    return Drawing(
        "Fig. 7: constancy against the drive",
        [
            [
                Panel("constancy of $N$ pairs", axis, Axis(r"$10^4\,(C_N - 1)$"), sizes(1e4)),
                Panel(
                    "beside the bound", axis, Axis(r"$10^5\,(C_N - 1)$", limits=NEAR), sizes(1e5)
                ),
                Panel(
                    r"limit $N \to \infty$",
                    axis,
                    Axis(r"$C$", limits=(0, 1.08)),
                    [exact, closure, tur_bound(1.0)],
                ),
            ]
        ],
        height=2.0,
    )


FIG7 = Recipe(
    "fig7",
    {"finite": "fig7-finite", "limit": "fig7-limit", "closure": "fig7-closure"},
    reduce,
    draw,
    "abc",
)
