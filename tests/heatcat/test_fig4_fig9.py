"""Figs. 4 and 9 from small sweeps: the undriven ensemble, its limit, its closure and N*."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import catalog
from analyses import transient_size as transient_size_of_sweep
from analyses.crossover import EPSILON
from ensemble import InvalidInput, Macroscopic
from ensemble.closed_forms.classical_spin import jacobian_gap, magnetization, second_moment
from ensemble.closed_forms.single_spin import SingleSpin, transient_size
from ensemble.methods.undriven import Undriven
from heatcat.figures.fig4 import CUT_BETA_E, FIG4
from heatcat.figures.fig9 import FIG9, SIZES
from tests.heatcat.tiny import assert_four_files

FIXED = {"omega_0": 0.0, "E_1": 1.0, "delta_E": 0.0, "delta_T": 0.0, "Gamma_0": 2.0}
"""Γ₀ is not 1, so that a gap that is not divided by it shows."""
T_MEAN = np.geomspace(1e-3, 100, 11)
LIMIT_VARIABLES = ["magnetization_1", "magnetization_1_squared", "gap"]
DURATION = {0.1: 0.3, 10.0: 10.0}
"""βE of the baths of the lower panels, and how long each is followed, in 1/Γ₀."""
TRANSIENT_BETA_E = (1000.0, 300.0, 50.0, 10.0)


def tiny(name: str, **more: Any) -> xr.Dataset:
    arguments = {"fixed": FIXED, "scaling": "high-temperature", "energy_unit": "E"}
    return catalog.dataset(catalog.Sweep(name=name, **{**arguments, **more}))


@pytest.fixture(scope="module")
def datasets() -> dict[str, xr.Dataset]:
    return {
        "finite": tiny("sizes", axes={"N": SIZES, "T_mean": T_MEAN}, method=Undriven()),
        "limit": tiny(
            "limit", axes={"T_mean": T_MEAN}, method=Macroscopic(), variables=LIMIT_VARIABLES
        ),
        "transient": tiny(
            "transient",
            axes={"N": range(1, 31), "T_mean": [1 / x for x in TRANSIENT_BETA_E]},
            method=Undriven(),
            variables=["magnetization_1", "gap"],
        ),
        **{
            name: tiny(
                name,
                axes={"N": SIZES},
                method=Undriven(),
                variables=["magnetization_1_evolution", "magnetization_1_squared_evolution"],
                profiles={"times": np.linspace(0, duration / FIXED["Gamma_0"], 41)},
                fixed={**FIXED, "T_mean": 1 / beta_E},
            )
            for name, (beta_E, duration) in zip(("hot", "cold"), DURATION.items(), strict=True)
        },
    }


@pytest.fixture(scope="module")
def made(datasets, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("figures")
    paths = [path for recipe in (FIG4, FIG9) for path in recipe.make(datasets, folder)]
    return {path.name: path for path in paths}


def opened(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf") as ds:
        return ds.load()


@pytest.mark.parametrize("figure", ["fig4", "fig9"])
def test_files(figure, made):
    assert_four_files({path.suffix: path for path in made.values() if path.stem == figure})


class TestFig4:
    def test_panels_a_and_b_are_the_closed_forms(self, made):
        ds = opened(made["fig4.nc"])
        assert ds.beta_E.values == pytest.approx(1 / T_MEAN[::-1], rel=1e-9)
        for beta_E in ds.beta_E.values:
            at = ds.sel(beta_E=beta_E)
            exact = magnetization(beta_E), second_moment(beta_E)
            assert at.limit_moments.values == pytest.approx(exact, abs=1e-9)
            assert at.jacobian_gap.item() == pytest.approx(jacobian_gap(beta_E), rel=1e-12)
            for N in (1, 10, 100):
                spin = SingleSpin(N, beta_E)
                assert at.magnetization.sel(N=N).item() == pytest.approx(spin.magnetization)
                gap, _ = spin.slowest()  # at Γ₀ = 1
                assert at.gap.sel(N=N).item() == pytest.approx(gap, rel=1e-9)

    def test_closure_and_jacobian_gap_are_near_the_limit_but_not_it(self, made):
        ds = opened(made["fig4.nc"])
        off = np.abs(ds.closure_moments - ds.limit_moments).max("beta_E")
        assert (off > 0.01).all()
        assert (off < 0.027).all()
        ratio = ds.limit_gap / ds.jacobian_gap
        assert ratio.min() > 0.4674
        assert ratio.max() < 0.5313
        assert ratio.values[[0, -1]] == pytest.approx(0.5, abs=1e-3)

    def test_transient_size_of_the_sweep_is_that_of_the_closed_form(self, made):
        ds = opened(made["fig4.nc"])
        for beta_E in TRANSIENT_BETA_E:
            at = ds.transient_size.sel(transient_beta_E=beta_E, method="nearest")
            for name in ("gap", "magnetization"):
                found = at.sel(of=name).item()
                expected = transient_size(beta_E, epsilon=EPSILON, of=name)
                if expected > 30:  # beyond the sweep
                    assert np.isnan(found)
                else:
                    assert found == expected
        assert ds.transient_size.notnull().sum() == 6

    def test_first_deviation_needs_every_size(self, datasets):
        values = datasets["finite"].magnetization_1
        with pytest.raises(InvalidInput, match=r"sweep N = 1, 2, 3, … without a hole$"):
            transient_size_of_sweep(values, frozen=-1.0)

    def test_reduction_is_lazy(self, datasets):
        reduced = FIG4.reduced(datasets)
        for name in ("magnetization", "gap", "limit_moments", "transient_size"):
            assert reduced[name].chunks is not None

    def test_cuts_are_in_the_presets(self):
        for quick in (False, True):
            sweep = FIG4.presets(quick=quick)["finite"]
            distance = [min(abs(T * x - 1) for T in sweep.axes["T_mean"]) for x in CUT_BETA_E]
            assert max(distance) < 1e-9
            assert set(SIZES) <= set(sweep.axes["N"])
            assert sweep.axes["T_mean"] == FIG4.presets(quick=quick)["limit"].axes["T_mean"]


class TestFig9:
    def test_moments(self, made):
        ds = opened(made["fig9.nc"])
        assert ds.moments.dims == ("moment", "N", "beta_E")
        hot = ds.moments.isel(beta_E=0).sel(moment=2)
        # All levels alike: ⟨m²⟩ = (N + 2)/3N, up to (βE)².
        assert hot.values == pytest.approx((ds.N.values + 2) / (3 * ds.N.values), rel=1e-4)

    def test_relaxation_ends_and_starts_where_it_should(self, made):
        ds = opened(made["fig9.nc"])
        assert (ds.path.isel(instant=0) == 1).all()
        assert ds.limit_path.isel(instant=0).values == pytest.approx(1, abs=1e-12)
        for bath, duration in DURATION.items():
            at = ds.sel(bath=bath, moment=1)
            assert at.time[-1] == duration
            end = at.limit_path.isel(instant=-1).item()
            # The population's slowest mode decays by at least e^{-6} meanwhile.
            assert end == pytest.approx(magnetization(bath), abs=2e-2)
            # One after another the finite sizes come closer to the limit, in all by 1/N.
            distance = np.abs(at.path - at.limit_path).max("instant")
            assert (distance.diff("N") < 0).all()
            assert distance.values[-2] / distance.values[-1] == pytest.approx(100 / 30, rel=0.05)

    def test_closure_is_good_when_hot_and_off_by_some_percent_when_cold(self, made):
        ds = opened(made["fig9.nc"])
        off = np.abs(ds.closure_path - ds.limit_path).max("instant").sel(moment=1)
        assert off.sel(bath=0.1) < 5e-5
        assert off.sel(bath=10.0).item() == pytest.approx(0.0579, abs=5e-4)
