"""The recipe of gain and C > 1 together: what it says, against single engines and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from ensemble import Engine, Exact, Macroscopic
from ensemble.closed_forms.single_pair import single_pair_power
from heatcat.figures.simultaneous import SIMULTANEOUS, best_drive, steadiest
from tests.heatcat.tiny import assert_four_files, tiny_figure

FIXED = {"E_1": 1.0, "delta_T": 166.0, "Gamma_0": 0.001}
HOT = {"E_1": 1.0, "delta_E": 9.0, "T_mean": 6.46, "delta_T": 12.08, "Gamma_0": 0.001}
AXES = {
    "map": {
        "N": [1, 2, 4, 6, 8, 12],
        "omega_0": [0.001, 0.0022],
        "delta_E": [3.0, 18.0, 60.0],
        "T_mean": [84.0, 87.0, 103.0],
    },
    "hotter": {"N": [1, 2, 8, 16], "omega_0": [0.001, 0.0012]},
    "limit": {"omega_0": [0.001, 0.0012]},
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return tiny_figure(SIMULTANEOUS, AXES, tmp_path_factory.mktemp("figure"))


@pytest.fixture
def reduced(paths) -> xr.Dataset:
    return xr.load_dataset(paths[".nc"], engine="h5netcdf")


def test_a_figure_is_four_files(paths):
    assert_four_files(paths)


def test_gain_and_excess_are_those_of_single_engines(reduced):
    at = {"delta_E": 18.0, "T_mean": 87.0, "omega_0": 0.0022}
    found = reduced.sel(N=6, **at)
    many, one = (Engine(N=N, **at, **FIXED) for N in (6, 1))
    values = Exact().solve(many, ["power", "constancy"]).values
    assert float(found.constancy_excess) == pytest.approx(values["constancy"] - 1, abs=1e-12)
    expected = values["power"] / (6 * single_pair_power(one))
    assert float(found.collective_gain) == pytest.approx(expected, rel=1e-9)
    assert float(found.constancy_excess) > 5e-4
    assert float(reduced.sel(N=1, **at).constancy_excess) < -1e-3


def test_both_occur_up_to_the_last_size(reduced):
    both = reduced.both
    assert not both.sel(N=1).any()
    expected = both.N.where(both).max(["N", "omega_0"])
    np.testing.assert_array_equal(reduced.last_both, expected)
    there = both.sel(delta_E=18.0, T_mean=87.0)
    assert there.N.values[there.sel(omega_0=0.0022)].tolist() == [4, 6]
    assert float(reduced.last_both.sel(delta_E=18.0, T_mean=87.0)) == 8  # at the lower drive
    assert np.isnan(reduced.last_both.sel(delta_E=3.0, T_mean=84.0))
    place = steadiest(reduced, 6)
    assert float(reduced.constancy_excess.sel(N=6, **place)) == float(reduced.best_excess.sel(N=6))
    assert best_drive(reduced, 6) == place["omega_0"]


def test_hotter_engines_grow_in_both(reduced):
    """Against the bare engine at N T, and the limit of its constancy."""
    N, omega_0 = 8, 0.0012
    running = {
        **HOT, "omega_0": omega_0 / N, "Gamma_0": 0.001 / N, "T_mean": N * 6.46,
        "delta_T": N * 12.08,
    }  # fmt: skip
    values = Exact().solve(Engine(N=N, **running), ["power", "constancy"]).values
    at = reduced.sel(hotter_N=N, hotter_omega_0=omega_0)
    assert float(at.hotter_excess) == pytest.approx(values["constancy"] - 1, abs=1e-11)
    expected = values["power"] / (N * single_pair_power(Engine(N=1, **running)))
    assert float(at.hotter_gain) == pytest.approx(expected, rel=1e-9)
    curve = reduced.sel(hotter_omega_0=omega_0)
    assert (curve.hotter_excess.diff("hotter_N") > 0).all()
    assert (curve.hotter_gain.diff("hotter_N") > 0).all()
    engine = Engine(N=1, scaling="high-temperature", omega_0=omega_0, **HOT)
    limit = Macroscopic().solve(engine, ["constancy"]).values["constancy"] - 1
    assert float(at.limit_excess) == pytest.approx(limit, abs=1e-12)
    assert float(curve.hotter_excess.sel(hotter_N=16)) < limit
