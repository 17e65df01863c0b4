"""QuTiP objects of the model, and the reference method against the exact one."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import qutip

from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.interop import Qutip, state_to_qutip, to_qutip
from ensemble.stationary import stationary

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


def test_carnot_point_and_no_drive():
    """At a = 0 the reference has rounding for a current, and no constancy; no drive, no flow."""
    carnot = replace(an_engine("engine"), delta_E=100)
    solution = Qutip().solve(carnot)
    assert solution.status is Status.OK
    assert abs(solution.values["quanta_current"]) <= 64 * EPS
    assert math.isnan(solution.values["constancy"])
    still = Qutip().solve(replace(carnot, omega_0=0))
    assert still.status is Status.OK
    assert {k for k, v in still.values.items() if math.isnan(v)} == {
        "efficiency",
        "cop",
        "constancy",
    }


def test_only_the_variables_asked_for_in_that_order():
    engine = an_engine("engine")
    whole, part = Qutip().solve(engine), Qutip().solve(engine, ("constancy", "power"))
    assert tuple(part.values) == ("constancy", "power")
    assert all(value == whole.values[name] for name, value in part.values.items())


def test_a_tolerance_below_rounding_is_a_status():
    solution = Qutip(tolerance=1e-30).solve(an_engine("engine"), ["power"])
    assert solution.status is Status.UNCERTIFIED
    assert solution.message.endswith(" exceeds 1.0e-30")


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
