"""The tools that are compared: how each runs a sweep and reads its result.

Each tool is imported only when it is called.  A second run of the same sweep in the same folder
continues the first one if the tool can do that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

BATCH = 128
"""Points of a batch if the user has to choose it: as many as in a block of the catalogue."""

Axes = Mapping[str, Sequence[int]]


def loop(name: str, axes: Axes, folder: Path, workers: int) -> None:
    """No tool: a loop over the points, which writes one file at its end."""
    from sweeping import swept

    function, points = getattr(swept, name), list(product(*axes.values()))
    if workers:
        with ProcessPoolExecutor(workers) as pool:
            values = list(pool.map(function, *zip(*points, strict=True), chunksize=BATCH))
    else:
        values = [function(*point) for point in points]
    shape = [len(labels) for labels in axes.values()]
    np.save(folder / "y.npy", np.reshape(values, shape))


def heatcat(name: str, axes: Axes, folder: Path, workers: int) -> None:
    """`catalog.run`: a block of up to 128 points is stored when it is finished."""
    import catalog
    from sweeping import models

    sweep = catalog.Sweep(name="swept", model=getattr(models, name), axes=axes, fixed={})
    scheduler = "processes" if workers else "synchronous"
    catalog.run(sweep, folder / "store.zarr", scheduler=scheduler, workers=workers or None)


def read_catalogue(folder: Path) -> xr.Dataset:
    """A sweep of a store, its labels in order."""
    import catalog

    return catalog.open(folder / "store.zarr")["swept"].dataset()


def read_zarr(folder: Path) -> xr.Dataset:
    """A group of a Zarr store, opened by xarray alone."""
    return xr.open_zarr(folder / "store.zarr", group="swept", consolidated=False)


def _harvester(name: str, folder: Path) -> Any:
    import xyzpy

    from sweeping import swept

    inner = {"var_dims": {"y": ["mode"]}, "var_coords": {"mode": swept.MODES}}
    runner = xyzpy.Runner(getattr(swept, name), "y", **(inner if name == "spectrum" else {}))
    return xyzpy.Harvester(runner, data_name=str(folder / "data.h5"))


def harvest(name: str, axes: Axes, folder: Path, workers: int) -> None:
    """`Harvester.harvest_combos`: points are kept in memory, and written at the end."""
    _harvester(name, folder).harvest_combos(
        axes,
        missing_only=(folder / "data.h5").exists(),
        num_workers=workers or None,
        verbosity=0,
    )


def cultivate(name: str, axes: Axes, folder: Path, workers: int) -> None:
    """`Harvester.cultivate`: writes batches to disk, and collects them in one file at the end."""
    _harvester(name, folder).cultivate(
        axes,
        name="batches",
        parent_dir=str(folder),
        batchsize=BATCH,
        num_workers=workers or None,
        shuffle=False,
        raise_errors=False,
        on_existing="reap",
        on_error="reap",
        verbosity=0,
    )


def read_h5(folder: Path) -> xr.Dataset:
    """A NetCDF file, opened by xarray alone."""
    return xr.open_dataset(folder / "data.h5", engine="h5netcdf")


def pipefunc(storage: str, name: str, axes: Axes, folder: Path, workers: int) -> None:
    """`Pipeline.map` in a run folder; a run of other inputs cannot continue it and starts again."""
    from pipefunc import PipeFunc, Pipeline

    from sweeping import swept

    inner = name == "spectrum"
    function = PipeFunc(
        getattr(swept, name),
        "y",
        mapspec=f"a[i], b[j] -> y[i, j{', mode' if inner else ''}]",
        internal_shape=(len(swept.MODES),) if inner else None,
    )
    pipeline, run_folder = Pipeline([function]), folder / "run"
    options: dict[str, Any] = {
        "inputs": {axis: list(labels) for axis, labels in axes.items()},
        "run_folder": run_folder,
        "storage": storage,
        "show_progress": False,
        "return_results": False,
        "error_handling": "continue" if name == "failing" else "raise",
    }

    def start(resume: bool) -> None:
        if workers:
            with ProcessPoolExecutor(workers) as pool:
                pipeline.map(**options, resume=resume, executor=pool)
        else:
            pipeline.map(**options, resume=resume, parallel=False)

    if not run_folder.exists():
        start(resume=False)
        return
    try:
        start(resume=True)
    except ValueError as failure:
        print(f"pipefunc cannot go on: {failure}")
        start(resume=False)


def read_run_folder(folder: Path) -> xr.Dataset:
    """The Dataset that pipefunc makes of a run folder; its axes are called i and j there."""
    from pipefunc.map import load_xarray_dataset

    return load_xarray_dataset(run_folder=folder / "run")


def grid(name: str, axes: Axes, folder: Path, workers: int) -> None:
    """`xarray_sweep`; xarray writes its result, because the tool itself stores nothing."""
    import dask
    from xarray_sweep import xarray_sweep

    from sweeping import swept

    function = _labelled_spectrum if name == "spectrum" else getattr(swept, name)
    with dask.config.set(scheduler="processes", num_workers=workers or None):
        found = xarray_sweep(function, show_progress=False, use_dask=bool(workers), **axes)
    if isinstance(found, xr.DataArray):
        found = found.to_dataset(name="y")
    found.to_netcdf(folder / "data.h5", engine="h5netcdf")


def _labelled_spectrum(a: int, b: int) -> xr.Dataset:
    from sweeping import swept

    return xr.Dataset({"y": ("mode", swept.spectrum(a, b))}, {"mode": swept.MODES})


@dataclass(frozen=True)
class Tool:
    """A tool, used in one particular way.

    Attributes
    ----------
    title : str
    package : str
        Name of its distribution, of which the version is printed.
    module : str
        Name of the module that is imported.
    run : callable
        Sweeps a function of `swept`, by its name, over axes, in a folder, with a number of
        worker processes (0: in this process).
    read : callable or None
        The result in a folder as a labelled Dataset.
    read_alone : callable or None
        The same without the tool.
    """

    title: str
    package: str
    module: str
    run: Callable[[str, Axes, Path, int], None]
    read: Callable[[Path], xr.Dataset] | None
    read_alone: Callable[[Path], xr.Dataset] | None = None


TOOLS = {
    tool.title: tool
    for tool in (
        Tool("loop and np.save", "numpy", "numpy", loop, None),
        Tool("heatcat", "heatcat", "catalog", heatcat, read_catalogue, read_zarr),
        Tool("xyzpy harvest", "xyzpy", "xyzpy", harvest, read_h5, read_h5),
        Tool("xyzpy cultivate", "xyzpy", "xyzpy", cultivate, read_h5, read_h5),
        Tool(
            "pipefunc file_array",
            "pipefunc",
            "pipefunc",
            partial(pipefunc, "file_array"),
            read_run_folder,
        ),
        Tool("pipefunc dict", "pipefunc", "pipefunc", partial(pipefunc, "dict"), read_run_folder),
        Tool("xarray-sweep", "xarray-sweep", "xarray_sweep", grid, read_h5, read_h5),
    )
}
