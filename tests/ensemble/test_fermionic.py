"""Fermionic baths: rates, affinity, Carnot point, QuTiP, inverted baths, refusals."""

import math
from dataclasses import replace

import pytest

from ensemble import Bath, Engine, Exact, InvalidInput, Qutip, Status
from ensemble.closed_forms.single_pair import single_pair_power

ENGINE = Engine(
    N=3, E_1=1, delta_E=2, T_mean=3, delta_T=2, omega_0=1, Gamma_0=1,
    statistics="fermionic", mu_1=0.5, mu_2=1.0,
)  # fmt: skip


def test_rates_are_those_of_a_fermi_level():
    bath = Bath(energy=2, temperature=1, Gamma_0=3, statistics="fermionic", mu=2)
    assert bath.gamma_down == bath.gamma_up == 1.5  # half filled where E = μ
    filled = replace(bath, mu=2000)
    assert (filled.gamma_down, filled.gamma_up) == (0.0, 3.0)  # no overflow
    assert replace(bath, mu=1).log_ratio == 1.0


def test_affinity_is_that_of_the_rates():
    cold, hot = ENGINE.cold, ENGINE.hot
    from_rates = math.log(cold.gamma_down / cold.gamma_up) - math.log(hot.gamma_down / hot.gamma_up)
    assert ENGINE.affinity == pytest.approx(from_rates, rel=1e-14)


def test_chemical_potentials_move_the_carnot_point():
    """(1 − μ₁)/2 = (3 − μ₂)/4 with μ₁ = 0.5, μ₂ = 2: all currents vanish, C = 1."""
    solution = Exact().solve(replace(ENGINE, mu_2=2.0))
    assert solution.status is Status.OK
    assert solution.values["power"] == 0
    assert solution.values["constancy"] == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize("mu", [(0.0, 0.0), (0.5, 1.0), (3.0, 0.0), (3.0, 20.0)])
def test_against_qutip(mu):
    """Occupations below and above one half."""
    engine = replace(ENGINE, mu_1=mu[0], mu_2=mu[1])
    ours, reference = Exact().solve(engine), Qutip().solve(engine)
    assert ours.status is reference.status is Status.OK
    for name, value in reference.values.items():
        assert ours.values[name] == pytest.approx(value, rel=1e-10, nan_ok=True), name


@pytest.mark.parametrize("mu_1", [0.0, 3.0])
def test_one_pair_is_the_closed_form(mu_1):
    engine = replace(ENGINE, N=1, mu_1=mu_1)
    power = Exact().solve(engine).values["power"]
    assert power == pytest.approx(single_pair_power(engine), rel=1e-12)


@pytest.mark.parametrize("mu", [(0.5, 1.0), (3.0, 0.0), (0.5, 2.0)])
@pytest.mark.parametrize("solver", ["superlu", "gmres"])
def test_large_sectors_are_certified(mu, solver):
    """Inverted baths and the Carnot point, above the size where truncation sets in."""
    engine = replace(ENGINE, N=26, mu_1=mu[0], mu_2=mu[1])
    solution = Exact(solver=solver).solve(engine, ["power", "constancy"])
    assert (solution.status, solution.message) == (Status.OK, "")


def test_refusals():
    with pytest.raises(InvalidInput, match=r"mu_1 is 0\.5, but bosonic baths .* leave it 0"):
        replace(ENGINE, statistics="bosonic")
    with pytest.raises(InvalidInput, match="statistics must be one of bosonic, fermionic, but is"):
        replace(ENGINE, statistics="anyonic")
    with pytest.raises(InvalidInput, match=r"affinity must agree with the parameters, .* change"):
        ENGINE.with_affinity(ENGINE.affinity + 1e-3)


def test_a_known_affinity_is_forgotten_with_the_parameters_that_it_belongs_to():
    known = ENGINE.with_affinity(ENGINE.affinity * (1 + 1e-15))
    assert known.affinity != ENGINE.affinity
    assert replace(known, delta_E=1.5).affinity == replace(ENGINE, delta_E=1.5).affinity
