"""Spins mixed by local noise: the closed form against one pair, finite N and strong noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from analyses import extrapolate
from ensemble import Engine, Exact, InvalidInput
from ensemble.closed_forms.mixed_spins import mixed_spins_current, mixed_spins_noise
from ensemble.closed_forms.single_pair import single_pair_current

SCALED = {
    "E_1": 1.0,
    "delta_E": 9.0,
    "T_mean": 13.5,
    "delta_T": 23.0,
    "omega_0": 0.006,
    "Gamma_0": 0.001,
    "scaling": "high-temperature",
}
BARE = {"E_1": 100.0, "delta_E": 125.0, "T_mean": 150.0, "delta_T": 100.0, "Gamma_0": 1.0}
SIZES = [4, 6, 8, 10, 12, 16]
LARGE = 10**6
"""At this N the closed form is its own limit N → ∞ to 1e-6."""


@pytest.mark.parametrize("noise", [{}, {"Gamma_local": 0.7}, {"Gamma_dephasing": 2.5}])
def test_one_pair_at_a_vanishing_drive(noise):
    """The relative correction is of order ω₀²."""
    engine = Engine(N=1, omega_0=1e-6, **BARE, **noise)
    assert mixed_spins_current(engine) == pytest.approx(single_pair_current(engine), rel=1e-11)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_limit_of_the_scaling_with_local_baths(rate):
    """J N and D, extrapolated from finite N, are those of the closed form within their errors."""
    noise = {"Gamma_local": rate * SCALED["Gamma_0"]}
    found = {"J": [], "D": [], "C": []}
    for N in SIZES:
        engine = Engine(N=N, **SCALED, **noise)
        values = Exact().solve(engine, ["quanta_current", "quanta_noise", "constancy"]).values
        found["J"].append(N * values["quanta_current"])
        found["D"].append(values["quanta_noise"])
        found["C"].append(1 - values["constancy"])
    at = Engine(N=LARGE, **SCALED, **noise)
    expected = {"J": LARGE * mixed_spins_current(at), "D": mixed_spins_noise(at)}
    for name, value in expected.items():
        limit = extrapolate(xr.DataArray(found[name], {"N": SIZES}, "N"), accuracy=1e-9)
        assert float(limit.limit_error) < 0.05 * value
        assert abs(float(limit.limit) - value) < float(limit.limit_error) + 1e-5 * value
    assert (np.diff(found["C"]) < 0).all()
    slope = math.log(found["C"][-1] / found["C"][-2]) / math.log(SIZES[-1] / SIZES[-2])
    assert -2 < slope < -1.5  # 1 − C falls, towards 1/N²


def test_limit_of_the_scaling_with_dephasing_alone():
    """The same mixture at each N, reached after a time of order N/Γ_φ: Γ_φ leaves the limit."""
    noise = {"Gamma_dephasing": SCALED["Gamma_0"]}
    current = [
        N
        * Exact().solve(Engine(N=N, **SCALED, **noise), ["quanta_current"]).values["quanta_current"]
        for N in SIZES
    ]
    limit = extrapolate(xr.DataArray(current, {"N": SIZES}, "N"), accuracy=1e-9)
    value = LARGE * mixed_spins_current(Engine(N=LARGE, **SCALED))
    assert float(limit.limit_error) < 0.1 * value
    assert abs(float(limit.limit) - value) < float(limit.limit_error)


@pytest.mark.parametrize("name", ["Gamma_local", "Gamma_dephasing"])
def test_strong_noise_without_scalings(name):
    """The gain tends to N: each spin of one ensemble exchanges quanta with each of the other."""
    deviations = []
    for rate in (1e2, 1e3):
        engine = Engine(N=4, omega_0=1.0, **BARE, **{name: rate})
        found = Exact().solve(engine, ["quanta_current", "constancy"]).values
        assert found["constancy"] == pytest.approx(
            math.tanh(engine.affinity / 2) / (engine.affinity / 2), abs=5e-3 / rate
        )
        deviations.append(abs(mixed_spins_current(engine) / found["quanta_current"] - 1))
    assert deviations[0] < 0.1
    assert deviations[1] < 0.15 * deviations[0]  # falls as 1/rate


def test_constancy_is_that_of_hops():
    engine = Engine(N=3, **SCALED)
    a = engine.affinity
    found = 2 * mixed_spins_current(engine) / (a * mixed_spins_noise(engine))
    assert found == pytest.approx(math.tanh(a / 2) / (a / 2), rel=1e-13)


def test_a_detuned_drive_is_refused():
    with pytest.raises(InvalidInput, match="use method exact"):
        mixed_spins_current(Engine(N=2, detuning=0.1, omega_0=1.0, **BARE))
