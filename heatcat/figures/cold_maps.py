"""Maps over the cold temperature T₁ and ΔE, both logarithmic, with the Carnot line."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analyses import carnot_T_mean


def cold(values: xr.DataArray | xr.Dataset) -> NDArray[np.float64]:
    """T₁ of the labels of T̄."""
    return np.asarray(values.T_mean - values.delta_T / 2, dtype=float)


def draw_cold_map(axes: Axes, values: xr.DataArray, **options: Any) -> Any:
    """Colour map over T₁ = T̄ − ΔT/2 (across) and ΔE (up), both logarithmic."""
    values = values.transpose("delta_E", "T_mean")
    mesh = axes.pcolormesh(
        _edges(cold(values)),
        _edges(values.delta_E.to_numpy()),
        values,
        shading="flat",
        rasterized=True,
        **options,
    )
    axes.set(xscale="log", yscale="log")
    return mesh


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of cells on a logarithmic axis."""
    log = np.log(centres)
    middles = (log[1:] + log[:-1]) / 2
    return np.exp(np.concatenate([[2 * log[0] - middles[0]], middles, [2 * log[-1] - middles[-1]]]))


def draw_carnot_line(axes: Axes, fixed: xr.Dataset) -> None:
    """The line where every current vanishes, in a map of `draw_cold_map`."""
    limits = axes.get_xlim(), axes.get_ylim()
    fine = np.geomspace(*limits[1], 100)
    E_1, delta_T = float(fixed.E_1), float(fixed.delta_T)
    T_1 = carnot_T_mean(fine, E_1=E_1, delta_T=delta_T) - delta_T / 2
    axes.plot(T_1, fine, "k", lw=1.8, label="Carnot")
    axes.set(xlim=limits[0], ylim=limits[1])


def interactive_map(
    values: xr.DataArray, label: str, title: str, *, cmap: str, **options: Any
) -> Any:
    """Map over T₁ = T̄ − ΔT/2 and ΔE, both logarithmic, with values on hover."""
    import hvplot.xarray  # noqa: F401 (registers .hvplot)

    named = values.rename("value").to_dataset()
    named = named.assign_coords(T_1=("T_mean", cold(values))).swap_dims(T_mean="T_1")
    return named.hvplot.quadmesh(
        x="T_1",
        y="delta_E",
        z="value",
        cmap=cmap,
        logx=True,
        logy=True,
        clabel=label,
        title=f"{title}: {label}",
        xlabel="T₁ = T̄ − ΔT/2 (E₁)",
        ylabel="ΔE (E₁)",
        width=480,
        height=380,
        **options,
    )


def interactive_carnot(fixed: xr.Dataset) -> Any:
    """The Carnot line in an `interactive_map`: T₁ = E₁ ΔT/ΔE."""
    import holoviews as hv

    T_1 = float(fixed.E_1) * float(fixed.delta_T) / fixed.delta_E.to_numpy()
    inside = (cold(fixed)[0] <= T_1) & (cold(fixed)[-1] >= T_1)
    line = (T_1[inside], fixed.delta_E.to_numpy()[inside])
    return hv.Curve(line, "T_1", "delta_E").opts(color="black", line_width=2)
