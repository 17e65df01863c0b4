"""QuTiP objects of the model, and the reference method against the exact one."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.methods.qutip import Qutip
from ensemble.methods.qutip_model import state_to_qutip, to_qutip
from ensemble.steady.stationary import stationary
from tests.strategies import examples, log_uniform

EPS = np.finfo(float).eps
AGREEMENT = 1e-10
"""Relative.  QuTiP's elements are exact to some 5 eps, absolutely, and the coherences that carry
the currents below are 1e-4 and more: 1e-11, and a factor 10 to spare."""

ENGINES = {
    "engine": {"E_1": 100, "delta_E": 50, "T_mean": 150, "delta_T": 100, "omega_0": 1},
    "refrigerator": {"E_1": 100, "delta_E": 125, "T_mean": 150, "delta_T": 100, "omega_0": 3},
    "Fig. 7": {"E_1": 1, "delta_E": 9, "T_mean": 13.5, "delta_T": 23, "omega_0": 6},
}
SPINS = [(1, None, None), (2, None, None), (3, None, None), (4, None, None), (3, 0.5, 2.0)]


def an_engine(name: str, spins: tuple = (2, None, None), scaling: str = "bare") -> Engine:
    N, spin_1, spin_2 = spins
    return Engine(
        N=N, spin_1=spin_1, spin_2=spin_2, scaling=scaling, Gamma_0=1, **ENGINES[name]
    )  # fmt: skip


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("spins", SPINS, ids=str)
@pytest.mark.parametrize("name", ENGINES)
class TestAgainstExact:
    def test_every_variable(self, name, spins, scaling):
        engine = an_engine(name, spins, scaling)
        reference, exact = Qutip().solve(engine), Exact().solve(engine, Qutip.variables)
        assert (reference.status, reference.message) == (Status.OK, "")
        assert tuple(reference.values) == Qutip.variables
        assert set(reference.diagnostics) == set(Qutip.diagnostics)
        for variable, value in reference.values.items():
            close = pytest.approx(exact.values[variable], rel=AGREEMENT, abs=0, nan_ok=True)
            assert value == close, variable

    def test_state(self, name, spins, scaling):
        """The very matrix that QuTiP finds, phases and order of the basis included."""
        engine = an_engine(name, spins, scaling)
        model, rho = to_qutip(engine), state_to_qutip(stationary(engine))
        expected = qutip.steadystate(model.H, list(model.c_ops), method="direct")
        assert rho.dims == expected.dims == model.H.dims
        np.testing.assert_allclose(rho.full(), expected.full(), rtol=0, atol=100 * EPS)
        change = qutip.liouvillian(model.H, list(model.c_ops))(rho)
        rate = sum((c.dag() * c).norm() for c in model.c_ops)
        assert change.norm() <= 100 * EPS * rate


def test_state_is_a_sparse_density_matrix():
    rho = state_to_qutip(stationary(an_engine("Fig. 7", (4, None, None))))
    assert isinstance(rho.data, qutip.data.CSR)
    assert rho.isherm
    assert rho.tr() == pytest.approx(1, abs=16 * EPS)


def test_operators_are_the_models():
    """By hand at N = 1; the power is the energy that the drive takes from the spins per time."""
    engine = an_engine("engine", (1, None, None))
    model = to_qutip(engine)
    sp, one = qutip.sigmap(), qutip.qeye(2)
    up_1, up_2 = qutip.tensor(sp, one), qutip.tensor(one, sp)
    hop = up_1 * up_2.dag()
    assert (model.H - (hop + hop.dag()) / 2).norm() <= EPS
    assert model.raising == (up_1, up_2)
    n = [1 / math.expm1(100 / 100), 1 / math.expm1(150 / 200)]
    rates = [n[0] + 1, n[0], n[1] + 1, n[1]]
    jumps = [up_1.dag(), up_1, up_2.dag(), up_2]
    for c_op, rate, jump in zip(model.c_ops, rates, jumps, strict=True):
        assert (c_op - math.sqrt(rate) * jump).norm() <= 8 * EPS * math.sqrt(rate)
    # d⟨H₀⟩/dt under H is ⟨i[H, H₀]⟩, with H₀ the energy of the spins.
    H_0 = engine.E_1 * up_1 * up_1.dag() + engine.E_2 * up_2 * up_2.dag()
    lost = 1j * (H_0 * model.H - model.H * H_0)
    assert (model.power - lost).norm() <= 16 * EPS * model.power.norm()


@pytest.mark.parametrize("bath", [1, 2])
def test_noise_is_what_qutip_counts(bath):
    """By full counting statistics with QuTiP's own function at either bath."""
    engine = an_engine("engine")
    model, rho = to_qutip(engine), state_to_qutip(stationary(engine))
    jumps = list(model.c_ops)[2 * (bath - 1) : 2 * bath]
    L = qutip.liouvillian(model.H, list(model.c_ops))
    noise = qutip.countstat_current_noise(L, jumps, rhoss=rho)[1][:, :, 0]
    counted = noise[0, 0] + noise[1, 1] - noise[0, 1] - noise[1, 0]
    value = Qutip().solve(engine, ["quanta_noise"]).values["quanta_noise"]
    assert value == pytest.approx(counted, rel=AGREEMENT, abs=0)


def test_carnot_point():
    """The current is rounding there, and no digit of it is certain; what does not flow is."""
    carnot = replace(an_engine("engine"), delta_E=100)
    solution = Qutip().solve(carnot)
    assert abs(solution.values["quanta_current"]) <= 64 * EPS
    assert math.isnan(solution.values["constancy"])
    assert solution.status is Status.UNCERTIFIED
    assert re.fullmatch(
        r"rounding leaves \w+ certain to no digit, which exceeds 1\.0e-10: use method exact",
        solution.message,
    )
    assert Qutip().solve(carnot, ["quanta_noise", "magnetization_1"]).status is Status.OK
    assert Qutip().solve(carnot, ["constancy"]).status is Status.UNCERTIFIED  # it is 1, not 0/0


def test_small_rates_are_not_dropped():
    """QuTiP by itself drops elements below 1e-14: the absorption from a cold bath, for one."""
    engine = Engine(
        N=2, E_1=60, delta_E=10, T_mean=1.5, delta_T=0.5, omega_0=1e-8, Gamma_0=1
    )  # fmt: skip
    model = to_qutip(engine)
    assert engine.cold.gamma_up < 1e-20
    for c_op, rate in zip(
        model.c_ops[1::2], (engine.cold.gamma_up, engine.hot.gamma_up), strict=True
    ):
        assert c_op.norm("max") == pytest.approx(math.sqrt(2 * rate), rel=8 * EPS, abs=0)
    assert model.power.norm("max") == pytest.approx(1e-7, rel=8 * EPS, abs=0)
    names = ["quanta_current", "quanta_noise"]
    reference, exact = Qutip().solve(engine, names), Exact().solve(engine, names)
    assert reference.status is Status.OK, reference.message
    assert reference.values == pytest.approx(dict(exact.values), rel=AGREEMENT, abs=0)


def test_no_drive():
    still = Qutip().solve(replace(an_engine("engine"), delta_E=100, omega_0=0))
    assert still.status is Status.OK
    assert {k for k, v in still.values.items() if math.isnan(v)} == {
        "efficiency",
        "cop",
        "constancy",
    }
    assert still.values["heat_current_1"] == still.values["quanta_noise"] == 0


@st.composite
def near_and_far(draw: st.DrawFn) -> Engine:
    """Engines of all kinds: near the Carnot point, cold or hot, with a weak or a strong drive."""
    T_1, ratio = draw(log_uniform(1e-3, 1e3)), draw(log_uniform(1e-6, 1e3))
    E_1 = ratio * T_1
    T_2 = T_1 * (1 + draw(log_uniform(1e-4, 1e3)))
    wider = st.just(0.0) | log_uniform(1e-12, 1e3) | log_uniform(1e-12, 0.5).map(lambda a: -a)
    E_2 = E_1 * T_2 / T_1 * (1 + draw(wider))
    Gamma_0 = draw(log_uniform(1e-3, 1e3))
    return Engine(
        N=draw(st.sampled_from([1, 1, 2, 3])),
        E_1=E_1,
        delta_E=max(E_2 - E_1, 0.0),
        T_mean=(T_1 + T_2) / 2,
        delta_T=T_2 - T_1,
        omega_0=Gamma_0 * draw(log_uniform(1e-6, 1e6)),
        Gamma_0=Gamma_0,
        scaling=draw(st.sampled_from(["bare", "high-temperature"])),
        statistics=draw(st.sampled_from(["bosonic", "bosonic", "fermionic"])),
    )


def test_a_current_that_cancels_to_zero_certifies_no_constancy():
    """a = 8e-15 and E/T = 148: J is rounded to 0, which was certified as C = 0."""
    E = 1096.6331584284585
    engine = Engine(
        N=1, E_1=E, delta_E=E, T_mean=11.083584148395975, delta_T=7.38905609893065,
        omega_0=1, Gamma_0=1,
    )  # fmt: skip
    assert Qutip().solve(engine, ["constancy"]).status is Status.UNCERTIFIED


def test_a_noise_below_the_smallest_numbers_certifies_no_constancy():
    """Rates of e^−730: the current and its error bound are both rounded to 0."""
    engine = Engine(
        N=1, E_1=730.5151717727034, delta_E=1985.7461168433774, T_mean=2.3591409142295223,
        delta_T=2.718281828459045, omega_0=1.0, Gamma_0=1.0,
    )  # fmt: skip
    assert Qutip().solve(engine, ["constancy"]).status is Status.UNCERTIFIED
    assert Exact().solve(engine, ["constancy"]).values["constancy"] == pytest.approx(1, rel=1e-12)


@given(near_and_far(), st.sampled_from(Qutip.variables))
@settings(deadline=None, max_examples=examples(30))
def test_what_is_certified_is_right(engine, variable):
    """One value at a time and all together: whatever is "ok" agrees with the exact method.

    Where that method is not certain either there is nothing to compare with.  Both may err by
    their tolerance, that of a magnetisation being relative to 1.
    """
    for names in ([variable], Qutip.variables):
        reference = Qutip().solve(engine, names)
        exact = Exact().solve(engine, names)
        assert reference.status in (Status.OK, Status.UNCERTIFIED), reference.message
        if reference.status is not Status.OK or exact.status is not Status.OK:
            continue
        for name, value in reference.values.items():
            scale = 1.0 if name.startswith("magnetization") else abs(exact.values[name])
            close = pytest.approx(exact.values[name], abs=2 * AGREEMENT * scale, rel=0, nan_ok=True)
            assert value == close, name


def test_only_the_variables_asked_for_in_that_order():
    engine = an_engine("engine")
    whole, part = Qutip().solve(engine), Qutip().solve(engine, ("constancy", "power"))
    assert tuple(part.values) == ("constancy", "power")
    assert all(value == whole.values[name] for name, value in part.values.items())


def test_a_tolerance_below_rounding_is_a_status():
    solution = Qutip(tolerance=1e-30).solve(an_engine("engine"), ["power"])
    assert solution.status is Status.UNCERTIFIED
    assert solution.message.endswith(", which exceeds 1.0e-30: use method exact")


def test_wrong_requests_name_the_remedy():
    with pytest.raises(InvalidInput, match=r"does not define gap: choose from power, "):
        Qutip().solve(an_engine("engine"), ["gap"])
    with pytest.raises(InvalidInput, match=r"dimension 16, but largest is 9: use method exact"):
        Qutip(largest=9).solve(an_engine("engine", (3, None, None)))
    with pytest.raises(InvalidInput, match=r"tolerance must lie between 0 and 1"):
        Qutip(tolerance=0)
    with pytest.raises(InvalidInput, match=r"largest must be at least 4, but is 3: try 441"):
        Qutip(largest=3)


def test_without_qutip_the_remedy_is_named(monkeypatch):
    engine = an_engine("engine")
    monkeypatch.setitem(sys.modules, "qutip", None)  # Python's own way to fail an import
    for call in (lambda: to_qutip(engine), lambda: Qutip().solve(engine)):
        with pytest.raises(InvalidInput, match="not installed: run pip install qutip, or use"):
            call()
