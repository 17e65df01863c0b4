"""Variables of the heat engine over modes, orders, coherences and times."""

from __future__ import annotations

import numpy as np
import pytest
import qutip

import catalog
from catalog import HeatEngine, Sweep
from catalog.heat_engine.profiles import PROFILES, Profiles
from ensemble import Engine, Status
from tests.catalog.support import refused

FIXED = {
    "E_1": 1.0, "delta_E": 1.5, "T_mean": 2.0, "delta_T": 3.0, "omega_0": 0.5, "Gamma_0": 0.25,
}  # fmt: skip
TIMES = [0.0, 0.5, 3.0, 40.0]


def solved(**changes):
    arguments = {
        "name": "profiles", "axes": {"N": [1, 2]}, "fixed": FIXED,
        "profiles": {"modes": 4, "orders": 5, "coherences": 3, "times": TIMES},
    }  # fmt: skip
    found = catalog.dataset(Sweep(**{**arguments, **changes})).load()
    assert (found.status == Status.OK).all(), found.error.values
    return found


def liouvillian(N: int) -> tuple[qutip.Qobj, dict[str, qutip.Qobj]]:
    """The engine in the product basis of QuTiP."""
    engine = Engine(N=N, **FIXED)
    plus = qutip.jmat(N / 2, "+")
    one = qutip.qeye(N + 1)
    spins = [qutip.tensor(plus, one), qutip.tensor(one, plus)]
    coupling = spins[0] * spins[1].dag()
    H = engine.drive / 2 * (coupling + coupling.dag())
    jumps = []
    for bath, raising in zip((engine.cold, engine.hot), spins, strict=True):
        jumps += [np.sqrt(bath.gamma_up) * raising, np.sqrt(bath.gamma_down) * raising.dag()]
    z = qutip.jmat(N / 2, "z") * (2 / N)
    observables = {"1": qutip.tensor(z, one), "2": qutip.tensor(one, z)}
    return qutip.liouvillian(H, jumps), observables


@pytest.mark.parametrize("N", [1, 2])
def test_the_slowest_eigenvalues_are_those_of_the_whole_liouvillian(N):
    found = solved(variables=["slow_spectrum", "gap"]).sel(N=N).slow_spectrum.values
    expected = np.linalg.eigvals(liouvillian(N)[0].full())
    expected = expected[np.argsort(-expected.real)]
    assert abs(expected[0]) < 1e-12  # the stationary state
    for eigenvalue in found:
        assert np.abs(expected - eigenvalue).min() < 1e-9
    decays = -found.real
    assert (np.diff(decays) >= -1e-9).all()
    assert decays[0] == pytest.approx(-expected[1].real, rel=1e-9)


@pytest.mark.parametrize("start", ["excited", "ground", "mixed"])
@pytest.mark.parametrize("N", [1, 2])
def test_the_evolution_is_that_of_the_whole_master_equation(N, start):
    names = ["magnetization_1_evolution", "magnetization_2_evolution", "magnetization_1"]
    found = solved(variables=names, profiles={"times": TIMES, "start": start}).sel(N=N)
    generator, observables = liouvillian(N)
    top = qutip.basis(N + 1, 0)
    single = {
        "excited": qutip.ket2dm(top),
        "ground": qutip.ket2dm(qutip.basis(N + 1, N)),
        "mixed": qutip.qeye(N + 1) / (N + 1),
    }[start]
    rho = qutip.operator_to_vector(qutip.tensor(single, single))
    for time in TIMES:
        at = qutip.vector_to_operator((generator * time).expm() * rho)
        for which, observable in observables.items():
            value = found[f"magnetization_{which}_evolution"].sel(time=time).item()
            assert value == pytest.approx(qutip.expect(observable, at), abs=1e-9)
    assert found.time.attrs["units"] == "1/energy"


def test_cumulants_and_coherences_agree_with_the_scalars():
    names = ["quanta_cumulants", "coherence", "quanta_current", "quanta_noise", "l1_coherence"]
    ds = solved(variables=[*names, "quanta_cumulant_3"])
    for order, scalar in ((1, ds.quanta_current), (2, ds.quanta_noise), (3, ds.quanta_cumulant_3)):
        np.testing.assert_allclose(ds.quanta_cumulants.sel(order=order), scalar, rtol=1e-10)
    np.testing.assert_allclose(ds.coherence.sel(q=0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(
        ds.coherence.sel(q=slice(1, None)).sum("q"), ds.l1_coherence, rtol=1e-12
    )
    assert ds.coherence.sel(N=1, q=2).item() == 0  # a spin ½ has no second order


def test_the_undriven_ensemble_relaxes_to_its_stationary_moments():
    ds = solved(
        fixed={**FIXED, "omega_0": 0, "delta_E": 0, "delta_T": 0},
        method="undriven",
        variables=["magnetization_1_evolution", "magnetization_1_squared_evolution",
                   "magnetization_1", "magnetization_1_squared"],
        profiles={"times": [0, 1, 500]},
    )  # fmt: skip
    for moment in ("magnetization_1", "magnetization_1_squared"):
        np.testing.assert_allclose(ds[f"{moment}_evolution"].sel(time=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose(
            ds[f"{moment}_evolution"].sel(time=500), ds[moment], rtol=1e-9, atol=1e-12
        )
    # ⟨mᶻ⟩ of a spin ½ decays at the rate Γ₀ coth(E/2T).
    m, rate = ds.magnetization_1.sel(N=1).item(), 0.25 / np.tanh(1.0 / 4.0)
    expected = m + (1 - m) * np.exp(-rate)
    assert ds.magnetization_1_evolution.sel(N=1, time=1).item() == pytest.approx(expected)


def test_sensitivities_are_slopes_along_the_logarithms_of_parameters():
    names = ["power_sensitivity", "quanta_noise_sensitivity", "constancy_sensitivity"]
    ds = solved(variables=["power", "quanta_noise", "constancy", *names])
    step = 1e-4
    for parameter in FIXED:
        above, below = (
            solved(
                variables=["power", "quanta_noise", "constancy"],
                fixed={**FIXED, parameter: FIXED[parameter] * np.exp(sign * step)},
            )
            for sign in (1, -1)
        )
        for name in ("power", "quanta_noise", "constancy"):
            slope = (above[name] - below[name]).values / (2 * step)
            found = ds[f"{name}_sensitivity"].sel(parameter=parameter).values
            np.testing.assert_allclose(found, slope, rtol=1e-5, atol=1e-6 * ds[name].values.max())
    scale = ds.power_sensitivity.sel(parameter=["omega_0", "Gamma_0"]).sum("parameter")
    np.testing.assert_allclose(scale, ds.power, rtol=1e-12)
    # Bosonic baths of one rate have no μ and no Γ of their own.
    lacking = ds.power_sensitivity.sel(parameter=["Gamma_1", "Gamma_2", "mu_1", "mu_2"])
    assert np.isnan(lacking).all()


def test_another_unit_of_energy_scales_rates_and_times():
    names = ["slow_spectrum", "quanta_cumulants", "magnetization_1_evolution"]
    plain = solved(variables=names)
    factor = 1e-30
    scaled = solved(
        variables=names,
        fixed={name: value * factor for name, value in FIXED.items()},
        profiles={"modes": 4, "orders": 5, "times": [time / factor for time in TIMES]},
    )
    for name, power in (("slow_spectrum", 1), ("quanta_cumulants", 1)):
        np.testing.assert_allclose(scaled[name], plain[name] * factor**power, rtol=1e-9)
    np.testing.assert_allclose(
        scaled.magnetization_1_evolution.values, plain.magnetization_1_evolution.values, atol=1e-9
    )


def test_they_are_computed_on_request_only_and_are_part_of_what_a_sweep_is():
    plain = Sweep(name="plain", axes={"N": [1]}, fixed=FIXED)
    assert not {*plain.variables} & {*PROFILES}
    more = Sweep(name="plain", axes={"N": [1]}, fixed=FIXED, profiles={"modes": 3})
    assert more.grid.key != plain.grid.key
    assert HeatEngine.from_options(more.model.options()) == more.model
    assert "profiles" not in plain.model.options()


@pytest.mark.parametrize(
    ("profiles", "complaint"),
    [
        ({"modes": 0}, "modes must be a whole number from 1 to 50, but is 0: .*"),
        ({"moods": 2}, "profiles have no 'moods': did you mean 'modes'.*"),
        ({"times": [1, 1]}, "times must be ascending: sort them"),
        ({"times": [-1, 1]}, "times must be finite numbers ≥ 0: correct them"),
        ({"times": 3}, "times must be a list of numbers, but are 3: .*"),
        ({"start": "cold"}, "unknown start 'cold': .*"),
        (3, "profiles must be a mapping, but are 3: .*"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(profiles, complaint):
    with refused(complaint):
        Sweep(name="p", axes={"N": [1]}, fixed=FIXED, profiles=profiles)


def test_without_times_there_is_no_evolution():
    with refused("method exact does not define 'magnetization_1_evolution'.*"):
        Sweep(name="p", axes={"N": [1]}, fixed=FIXED, variables=["magnetization_1_evolution"])
    assert len(Profiles(times={"start": 0, "stop": 1, "num": 11}).times) == 11
