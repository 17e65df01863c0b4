"""Arrays that users have added to the groups of a sweep, with xarray or any other Zarr writer."""

from __future__ import annotations

import warnings

import xarray as xr

from catalog.store.location import ROOT
from catalog.store.part import Part
from catalog.store.stored import StoredSweep
from catalog.sweeps.grid import Grid


def user_arrays(stored: StoredSweep, view: Grid) -> xr.Dataset:
    """The arrays that users added to a stored sweep, lazy, over the labels of a grid.

    A part that lacks an array has NaN there.  Arrays that xarray cannot read are left out, with a
    warning that names them; so are, silently, those of scattered points beside other parts.
    """
    labels = {name: list(view.axes[name]) for name in view.dims}
    found = xr.Dataset()
    for part in stored.parts:
        names = added_names(part)
        if not names or (part.grid.points and len(stored.parts) > 1):
            continue
        try:
            group = xr.open_zarr(part.storage.zarr, group=part.group, consolidated=False)
            added = group[[name for name in names if name in group.data_vars]]
            added = added.drop_vars([name for name in part.grid.fixed if name in added.coords])
            missing = {dim: labels[dim] for dim in labels if dim not in added.dims}
            grid = {dim: values for dim, values in labels.items() if dim in added.dims}
            if any(len(values) > 1 for values in missing.values()) and len(stored.parts) > 1:
                raise ValueError(f"it lacks the dimension {next(iter(missing))}")
            found = found.combine_first(added.reindex(grid))
        except (ValueError, KeyError, TypeError, RuntimeError, OSError) as failure:
            reason = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
            warnings.warn(
                f"arrays that were added to {part.group} are left out ({', '.join(names)}): "
                f"{reason}",
                stacklevel=2,
            )
    return found


def added_names(part: Part) -> list[str]:
    """Names of the Zarr arrays in the group of a part that are not of heatcat."""
    grid = part.grid
    inner = {dim for name in grid.arrays for dim in grid.term(name).dims}
    ours = {*grid.arrays, *grid.axes, *grid.fixed, *grid.points, *inner, ROOT}
    return sorted(
        name
        for name in part.storage.names(part.group)
        if name not in ours
        and not name.startswith(".")
        and part.storage.has(f"{part.group}/{name}/{ROOT}")
    )
