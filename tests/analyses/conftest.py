"""Fixtures: synthetic sweeps, a real one, and a guard of laziness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dask
import numpy as np
import pytest
import xarray as xr

from ensemble import Engine, Exact


@contextmanager
def no_computing() -> Iterator[None]:
    """Count what dask is asked to compute, and allow none of it."""
    computed = 0

    def counting(dsk: Any, keys: Any, **options: Any) -> Any:
        nonlocal computed
        computed += 1
        return dask.get(dsk, keys, **options)

    with dask.config.set(scheduler=counting):
        yield
    assert computed == 0, f"dask was asked to compute {computed} times"


def solved(**parameters: Any) -> xr.Dataset:
    """N = 1…16 at two spacings, the Carnot point and a refrigerator, by the exact method."""
    spacings, sizes = [100.0, 125.0], np.arange(1, 17)
    names = ("power", "constancy", "quanta_noise")
    fixed = {"E_1": 100, "T_mean": 150, "delta_T": 100, "omega_0": 1, "Gamma_0": 1} | parameters
    values = np.array(
        [
            [
                [
                    Exact().solve(Engine(N=N, delta_E=delta_E, **fixed)).values[name]
                    for name in names
                ]
                for delta_E in spacings
            ]
            for N in sizes
        ]
    )
    units = {"power": "omega_0^2", "constancy": "1", "quanta_noise": "omega_0"}
    return xr.Dataset(
        {
            name: (("N", "delta_E"), values[..., i], {"units": units[name]})
            for i, name in enumerate(names)
        },
        coords={
            "N": ("N", sizes, {"units": "1", "long_name": "number of spin pairs"}),
            "delta_E": ("delta_E", spacings, {"units": "omega_0"}),
            "T_mean": ((), 150.0, {"units": "omega_0"}),
        },
    )


@pytest.fixture(scope="session")
def sweep() -> xr.Dataset:
    """Fig. 2's parameters at T̄ = 150 ω₀, bare scaling."""
    return solved()


@pytest.fixture(scope="session")
def hot_sweep() -> xr.Dataset:
    """The same in the high-temperature scaling (Eq. 28)."""
    return solved(scaling="high-temperature")


@pytest.fixture
def curve() -> Callable[..., xr.DataArray]:
    """Builder of a labelled curve P(N), with scalar coordinates and attributes."""

    def build(values: Any, labels: Any = None) -> xr.DataArray:
        values = np.asarray(values, dtype=float)
        labels = np.arange(1, values.size + 1) if labels is None else labels
        return xr.DataArray(
            values,
            dims="N",
            coords={
                "N": ("N", labels, {"units": "1", "long_name": "number of spin pairs"}),
                "T_mean": 150.0,
                "wall_time": ("N", np.arange(values.size) / 7),
            },
            name="power",
            attrs={"units": "omega_0^2"},
        )

    return build
