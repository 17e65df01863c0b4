"""The recipe of local noise: what it says, against single engines."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from analyses.threshold import ThresholdStatus
from ensemble import Engine, Exact, WeakLocal
from ensemble.closed_forms.single_pair import single_pair_power
from heatcat.figures.noise import NOISE
from tests.heatcat.tiny import assert_four_files, tiny_figure

FIG_2 = {"E_1": 100.0, "delta_E": 125.0, "T_mean": 150.0, "delta_T": 100.0, "omega_0": 1.0}
FIG_2 |= {"Gamma_0": 1.0}
FIG_6 = {"E_1": 1.0, "delta_E": 150.0, "T_mean": 10.1, "delta_T": 20.0, "omega_0": 0.006}
FIG_6 |= {"Gamma_0": 0.001, "scaling": "high-temperature"}
SIZES = [1, 2, 4, 6]
RATES = [0.0, 1e-4, 0.1, 1.0, 2.0, 4.0, 8.0]
AXES = {
    "local": {"N": SIZES, "Gamma_local": RATES},
    "dephasing": {"N": SIZES, "Gamma_dephasing": RATES},
    "weak": {"N": SIZES},
    "scaled": {"N": [1, 2, 4, 8], "Gamma_local": [0.0, 1e-3]},
    "scaled_weak": {"N": [1, 4, 8]},
    "map": {
        "N": [1, 3],
        "Gamma_local": [0.0, 0.1],
        "delta_E": [50.0, 125.0],
        "T_mean": [60.0, 130.0],
    },
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return tiny_figure(NOISE, AXES, tmp_path_factory.mktemp("figure"))


@pytest.fixture
def reduced(paths) -> xr.Dataset:
    return xr.load_dataset(paths[".nc"], engine="h5netcdf")


def test_a_figure_is_four_files(paths):
    assert_four_files(paths)


@pytest.mark.parametrize("part", ["local", "dephasing"])
def test_gains_and_constancy_are_those_of_single_engines(reduced, part):
    noise = {f"Gamma_{part}": 0.1}
    values = Exact().solve(Engine(N=4, **FIG_2, **noise), ["power", "constancy"]).values
    same, free = (single_pair_power(Engine(N=1, **FIG_2, **more)) for more in (noise, {}))
    at = reduced.sel(N=4, **noise)
    assert float(at[f"gain_same_{part}"]) == pytest.approx(values["power"] / (4 * same), rel=1e-9)
    assert float(at[f"gain_noise_free_{part}"]) == pytest.approx(
        values["power"] / (4 * free), rel=1e-9
    )
    assert float(at[f"constancy_{part}"]) == pytest.approx(values["constancy"], rel=1e-9)


def test_noise_is_labelled_in_rates(reduced):
    assert reduced.Gamma_local.attrs["units"] == "Gamma_0"
    assert reduced.scaled_Gamma_local.values.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("part", ["local", "dephasing"])
def test_thresholds(reduced, part):
    """Kept over pairs with the same noise; the other one grows with N and is where P_N = N P₁."""
    same = reduced[f"threshold_status_same_{part}"].sel(N=SIZES[1:])
    assert (same == ThresholdStatus.KEPT).all()
    found = reduced[f"noise_threshold_noise_free_{part}"].sel(N=SIZES[1:])
    assert (found.diff("N") > 0).all()
    noise = {f"Gamma_{part}": float(found.sel(N=6))}
    power = Exact().solve(Engine(N=6, **FIG_2, **noise), ["power"]).values["power"]
    gain = power / (6 * single_pair_power(Engine(N=1, **FIG_2)))
    # ln gain bends by at most 1/2 per unit of ln noise: interpolation errs by (ln 2)²/16 = 0.03.
    assert gain == pytest.approx(1, abs=0.03)


def test_vanishing_noise_is_the_limit(reduced):
    engine = Engine(N=4, Gamma_local=1.0, **FIG_2)
    values = WeakLocal().solve(engine).values
    gain = values["power"] / (4 * single_pair_power(Engine(N=1, **FIG_2)))
    assert float(reduced.gain_weak.sel(N=4)) == pytest.approx(gain, rel=1e-9)
    np.testing.assert_allclose(
        reduced.gain_same_local.sel(Gamma_local=1e-4), reduced.gain_weak, rtol=1e-3
    )
    slope = float(reduced.constancy_slope_weak.sel(N=4))
    assert slope == pytest.approx(values["constancy_over_Gamma_local"], rel=1e-9)
    assert float(reduced.constancy_local.sel(N=4, Gamma_local=1e-4)) < slope * 1e-4


def test_the_scaled_engine_loses_its_gain_with_size(reduced):
    clean, noisy = (reduced.gain_scaled.sel(scaled_Gamma_local=ratio) for ratio in (0.0, 1.0))
    assert (clean.diff("scaled_N") > 0).all()
    assert float(noisy.sel(scaled_N=8)) < float(noisy.sel(scaled_N=4))
    power = Exact().solve(Engine(N=8, Gamma_local=1e-3, **FIG_6), ["power"]).values["power"]
    one = single_pair_power(Engine(N=1, Gamma_local=1e-3, **FIG_6))
    assert float(noisy.sel(scaled_N=8)) == pytest.approx(power / (8 * one), rel=1e-8)


def test_the_map_passes_through_the_carnot_line(reduced):
    """ΔE = 125, T̄ = 130 is a Carnot point: C = 1, and the gain is that of the conductances."""
    at = reduced.sel(delta_E=125.0, T_mean=130.0, map_Gamma_local=0.1)
    assert float(at.map_constancy) == pytest.approx(1, abs=1e-9)
    assert 1 < float(at.map_gain) < 3
    near = {**FIG_2, "T_mean": 130.001, "Gamma_local": 0.1}
    power = Exact().solve(Engine(N=3, **near), ["power"]).values["power"]
    gain = power / (3 * single_pair_power(Engine(N=1, **near)))
    assert float(at.map_gain) == pytest.approx(gain, rel=1e-4)
