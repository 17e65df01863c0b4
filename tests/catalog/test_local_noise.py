"""Local noise in sweeps: its rates as axes, what is refused there, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest

import catalog
from catalog import HeatEngine, Sweep
from catalog.heat_engine.prior import predicted
from ensemble import Engine, Exact, InvalidInput, Status, WeakLocal

FIXED = {
    "E_1": 100.0, "delta_E": 125.0, "T_mean": 150.0, "delta_T": 100.0, "omega_0": 1.0,
    "Gamma_0": 1.0,
}  # fmt: skip
RATES = [0.0, 0.1, 1.0]

MEASURED = {
    # CPU seconds of one point with all variables, one BLAS thread of a 2-core x86-64.
    (1, 1.0): 0.0038, (4, 1.0): 0.0064, (6, 1.0): 0.011, (8, 1.0): 0.042, (10, 1.0): 0.27,
    (14, 1.0): 0.84, (20, 1.0): 2.1, (24, 1.0): 5.4, (30, 1.0): 15.2, (36, 1.0): 42.6,
    (12, 10.0): 1.36, (20, 6.0): 13.8, (24, 6.0): 48.0, (20, 50.0): 90.0,
}  # fmt: skip
MEASURED_LIMIT = {10: 0.05, 30: 3.1, 60: 71.0, 100: 252.0}


def test_rates_of_noise_are_axes():
    found = catalog.dataset(
        Sweep(
            name="noise",
            axes={"N": [1, 2], "Gamma_local": RATES, "Gamma_dephasing": [0.0, 0.5]},
            fixed=FIXED,
            variables=["power", "total_spin_1", "quanta_noise"],
        )
    ).load()
    assert (found.status == Status.OK).all()
    assert found.Gamma_local.attrs["units"] == "energy"
    for N, local, dephasing in np.ndindex(2, 3, 2):
        point = found.isel(N=N, Gamma_local=local, Gamma_dephasing=dephasing)
        engine = Engine(N=N + 1, **FIXED, Gamma_local=RATES[local], Gamma_dephasing=dephasing / 2)
        expected = Exact().solve(engine, ["power", "total_spin_1", "quanta_noise"]).values
        # Without noise, engines are solved together and differ in the last digit.
        assert {n: float(point[n]) for n in expected} == pytest.approx(expected, rel=1e-12)


def test_cumulants_and_coherences_have_local_noise_and_the_spectrum_says_that_it_has_none():
    def solved(variable):
        sweep = Sweep(
            name="profile",
            axes={"Gamma_local": [0.1]},
            fixed={**FIXED, "N": 2},
            variables=["quanta_noise", variable],
            profiles={"orders": 3, "coherences": 3},
        )
        return catalog.dataset(sweep).load().isel(Gamma_local=0)

    found = solved("quanta_cumulants")
    assert float(found.quanta_cumulants.sel(order=2)) == pytest.approx(float(found.quanta_noise))
    assert float(solved("coherence").coherence.sel(q=0)) == pytest.approx(1.0)
    refused = solved("slow_spectrum")
    assert refused.status == Status.FAILED
    assert "the spectrum takes collective baths only" in str(refused.error.item())


def test_a_method_without_local_noise_refuses_the_sweep_before_it_runs():
    with pytest.raises(InvalidInput, match="method qutip takes collective baths only"):
        Sweep(
            name="noise",
            axes={"N": [1, 2], "Gamma_local": [0.0, 0.1]},
            fixed=FIXED,
            model=HeatEngine(method="qutip"),
        )


def cost(method, N: int, **changes) -> float:
    point = {name: np.asarray(value) for name, value in {**FIXED, "N": N, **changes}.items()}
    names = [name for name in method.variables if name not in method.on_request]
    return float(predicted(method, "bare", "bosonic", point, names).seconds)


@pytest.mark.parametrize(("N", "omega_0"), MEASURED)
def test_costs_are_known_within_a_factor_of_two_and_a_half(N, omega_0):
    expected = cost(Exact(), N, omega_0=omega_0, Gamma_local=0.1)
    assert MEASURED[N, omega_0] / 2.5 < expected < 2.5 * MEASURED[N, omega_0]


@pytest.mark.parametrize("N", MEASURED_LIMIT)
def test_costs_of_the_limit_are_known_within_a_factor_of_two_and_a_half(N):
    assert MEASURED_LIMIT[N] / 2.5 < cost(WeakLocal(), N) < 2.5 * MEASURED_LIMIT[N]


def test_a_sweep_with_and_without_noise_costs_what_its_points_do():
    rates = np.array(RATES)
    point = {**FIXED, "N": 12}
    columns = {name: np.asarray(value) for name, value in point.items()}
    seconds = predicted(
        Exact(), "bare", "bosonic", {**columns, "Gamma_local": rates}, ["power"]
    ).seconds
    assert seconds[0] == float(predicted(Exact(), "bare", "bosonic", columns, ["power"]).seconds)
    assert 10 * seconds[0] < seconds[1] == seconds[2]
