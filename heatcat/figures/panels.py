"""What several figures draw alike: maps over ΔE and T̄, the Carnot line, contours and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from analyses import carnot_delta_E


def draw_map(axes: Axes, values: xr.DataArray, *, unit: str, **options: Any) -> Any:
    """Colour map of values over ΔE (across) and T̄ (up), in a unit of energy."""
    values = values.transpose("T_mean", "delta_E")
    mesh = axes.pcolormesh(
        values.delta_E, values.T_mean, values, shading="nearest", rasterized=True, **options
    )
    axes.set_xlabel(rf"$\Delta E$ / {unit}")
    axes.set_ylabel(rf"$\bar{{T}}$ / {unit}")
    return mesh


def draw_carnot(axes: Axes, fixed: xr.Dataset, color: str, **legend: Any) -> None:
    """The line where every current vanishes, for the E₁ and ΔT among the coordinates."""
    limits = axes.get_xlim(), axes.get_ylim()
    fine = np.linspace(*limits[1], 400)
    half = float(fixed.delta_T) / 2
    fine = fine[fine > half]
    line = carnot_delta_E(fine, E_1=float(fixed.E_1), delta_T=float(fixed.delta_T))
    axes.plot(line, fine, color=color, lw=2, label=r"Carnot, $\Delta E_*$")
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.legend(**{"loc": "lower right", "labelcolor": color, "frameon": False, **legend})


def size_ticks(axes: Axes, largest: int) -> None:
    """Powers of two up to the largest N on a logarithmic axis."""
    ticks = [2**power for power in range(int(largest).bit_length())]
    axes.set_xticks(ticks, [str(N) for N in ticks])
    axes.minorticks_off()


def interactive_contour(
    x: Any, y: Any, values: xr.DataArray, levels: Sequence[float], *, dims: list[str], color: str
) -> Any:
    """Lines at the levels of values with rows y and columns x; empty where there are none."""
    import holoviews as hv
    from contourpy import contour_generator

    contours = contour_generator(np.asarray(x), np.asarray(y), values.to_numpy())
    lines = [line for level in levels for line in contours.lines(level)]
    return hv.Path(lines, dims).opts(color=color, line_width=2)
