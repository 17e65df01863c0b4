"""A drive off resonance: dense matrices, QuTiP, one pair in closed form, 60 digits at Carnot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ensemble import (
    Bosonic,
    Cumulant,
    Engine,
    Exact,
    IndependentSpins,
    InvalidInput,
    Macroscopic,
    Qutip,
    Status,
    Undriven,
)
from ensemble.closed_forms.single_pair import single_pair_current
from ensemble.counting.cumulants import cumulants
from ensemble.counting.generating_function import generating_function
from ensemble.detuned.sector import DetunedSector
from ensemble.evolution.dynamics import evolve, fock
from ensemble.generator.sector import Sector
from ensemble.methods.qutip_model import to_qutip
from tests.ensemble.dense import gauge, raisings, stationary_matrix

ENGINE = Engine(
    N=3, E_1=1, delta_E=2, T_mean=3, delta_T=4, omega_0=0.8, Gamma_0=0.5, Gamma_2=0.9,
    spin_1=1.0, spin_2=1.5, detuning=0.7,
)  # fmt: skip


def test_the_state_is_that_of_the_dense_generator():
    state = Exact().stationary(ENGINE)
    sector = state.generator.sector
    assert isinstance(sector, DetunedSector)
    n_1, n_2 = ENGINE.levels
    phases = gauge(n_1, n_2)
    dense = stationary_matrix(ENGINE)
    rho = dense * phases.conj()[:, np.newaxis] * phases
    real = sector.real
    ket = real.k_1 * (n_2 + 1) + real.k_2
    bra = (real.k_1 + real.q) * (n_2 + 1) + real.k_2 - real.q
    found = sector.complex_elements(state.rho)
    other = sector.complex_elements(state.rho).conj()
    direct = rho[ket, bra]
    # One of the two gauges i^{±k₁} is the one in which the resonant state is real.
    mirrored = (dense * phases[:, np.newaxis] * phases.conj())[ket, bra]
    assert min(np.abs(found - direct).max(), np.abs(found - mirrored).max()) < 1e-12
    assert np.abs(found - other).max() > 1e-3


@pytest.mark.parametrize("detuning", [0.7, -0.7, 1e-4, 30.0])
@pytest.mark.parametrize("statistics", ["bosonic", "fermionic"])
def test_against_qutip(detuning, statistics):
    engine = replace(ENGINE, detuning=detuning, statistics=statistics)
    ours, reference = Exact().solve(engine), Qutip().solve(engine)
    assert (ours.status, ours.message) == (Status.OK, "")
    assert reference.status is Status.OK
    for name, value in reference.values.items():
        assert ours.values[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name


def test_the_model_in_qutip_has_the_state():
    import qutip

    from ensemble.methods.qutip_model import state_to_qutip

    model = to_qutip(ENGINE)
    rho = state_to_qutip(Exact().stationary(ENGINE))
    residual = (qutip.liouvillian(model.H, model.c_ops) @ qutip.operator_to_vector(rho)).norm()
    assert residual < 1e-13
    assert rho.tr() == pytest.approx(1, rel=1e-14)
    assert rho.isherm


@pytest.mark.parametrize("detuning", [0.0, 0.3, -2.0, 50.0])
def test_one_pair_is_the_closed_form(detuning):
    engine = replace(ENGINE, N=1, spin_1=None, spin_2=None, detuning=detuning)
    found = Exact().solve(engine, ["quanta_current"]).values["quanta_current"]
    assert found == pytest.approx(single_pair_current(engine), rel=1e-13)


def test_pair_state_and_coherence_against_the_dense_state():
    engine = replace(ENGINE, N=1, spin_1=0.5, spin_2=0.5)
    rho = stationary_matrix(engine)
    values = Exact().solve(engine).values
    off = rho - np.diag(np.diag(rho))
    assert values["l1_coherence"] == pytest.approx(np.abs(off).sum(), rel=1e-12)
    assert values["pair_purity"] == pytest.approx(np.trace(rho @ rho).real, rel=1e-12)
    eigenvalues = np.linalg.eigvalsh(rho)
    one = np.array([rho[0, 0] + rho[1, 1], rho[2, 2] + rho[3, 3]]).real
    two = np.array([rho[0, 0] + rho[2, 2], rho[1, 1] + rho[3, 3]]).real
    entropy = sum(-np.sum(p * np.log(p)) for p in (one, two)) + np.sum(
        eigenvalues * np.log(eigenvalues)
    )
    assert values["mutual_information"] == pytest.approx(entropy, rel=1e-10)


def test_the_sign_of_the_detuning_does_not_matter_to_currents():
    names = ["power", "quanta_noise", "quanta_cumulant_3", "magnetization_1", "discord"]
    here, there = (
        Exact().solve(replace(ENGINE, detuning=sign * 0.7), names).values for sign in (1, -1)
    )
    for name in names:
        assert here[name] == pytest.approx(there[name], rel=1e-11), name


@pytest.mark.parametrize("a", [1e-3, 1e-9, 1e-13, 0.0])
def test_through_the_carnot_point(a):
    """C → 1, and J/a has its digits: the current of one detuned pair is known in closed form."""
    engine = Engine(
        N=2, E_1=100, delta_E=100 - 200 * a, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1,
        detuning=0.5,
    )  # fmt: skip
    values = Exact().solve(engine).values
    assert values["constancy"] == pytest.approx(1, abs=2 * a + 1e-13)
    pair = replace(engine, N=1)
    current = Exact().solve(pair, ["quanta_current"]).values["quanta_current"]
    assert current == pytest.approx(single_pair_current(pair), rel=1e-13, abs=0)


def test_cumulants_agree_at_every_counter_and_with_the_resonant_limit():
    state = Exact().stationary(ENGINE)
    at_drive, hot, cold = (
        cumulants(state, order=4, bath=bath).rates for bath in (None, "hot", "cold")
    )
    np.testing.assert_allclose(hot, at_drive, rtol=1e-10)
    np.testing.assert_allclose(cold, at_drive, rtol=1e-10)
    nearly = Exact().solve(replace(ENGINE, detuning=1e-7)).values
    resonant = Exact().solve(replace(ENGINE, detuning=0.0)).values
    for name, value in resonant.items():
        assert nearly[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name


@pytest.mark.parametrize("N", [12, 20])
def test_larger_engines_are_certified(N):
    engine = Engine(
        N=N, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1, detuning=2
    )
    solution = Exact().solve(engine)
    assert (solution.status, solution.message) == (Status.OK, "")
    assert solution.diagnostics["residual"] < 1e-13
    resonant = Exact().solve(replace(engine, detuning=0.0)).values["power"]
    assert 0 < solution.values["power"] < resonant


def test_independent_spins_average_over_detuned_engines():
    solution = IndependentSpins().solve(replace(ENGINE, spin_1=0.5, spin_2=0.5))
    engine = replace(ENGINE, spin_1=0.5, spin_2=0.5)
    expected = ENGINE.delta_E * single_pair_current(engine)
    assert solution.values["power"] == pytest.approx(expected, rel=1e-12)


def test_sizes():
    assert DetunedSector(1, 1).size == 6
    for n_1, n_2 in ((2, 2), (3, 5)):
        plain, both = Sector(n_1, n_2), DetunedSector(n_1, n_2)
        assert both.size == plain.size + int((plain.q > 0).sum())


@pytest.mark.parametrize(
    ("method", "changed", "message"),
    [
        (Macroscopic(), {"scaling": "high-temperature"}, "method macroscopic takes a resonant .*"),
        (Cumulant(), {"scaling": "high-temperature"}, "method cumulant takes a resonant drive .*"),
        (Bosonic(), {}, "method bosonic takes a resonant drive only, but detuning is 0.7: set .*"),
        (Undriven(), {"omega_0": 0.0}, "method undriven takes a resonant drive only"),
        (Exact(), {"Gamma_local": 0.1}, "local noise, which no method treats together"),
        (Exact(), {"N": 200, "spin_1": None, "spin_2": None}, "factorises a detuned engine whole"),
        (Exact(solver="gmres"), {}, "solver gmres is made for a resonant drive"),
        (Exact(coherence_order=3), {}, "coherence_order is 3, but a detuned engine .*: leave"),
    ],
)
def test_refusals(method, changed, message):
    with pytest.raises(InvalidInput, match=message):
        method.solve(replace(ENGINE, **changed))


def test_more_refusals():
    with pytest.raises(
        InvalidInput, match=r"finds gap of .*: leave it out, or set .* detuning = 0"
    ):
        Exact().solve(ENGINE, ["gap"])
    with pytest.raises(InvalidInput, match="takes a resonant drive only"):
        generating_function(ENGINE, 0.1)
    with pytest.raises(InvalidInput, match="takes a resonant drive only"):
        evolve(ENGINE, fock(ENGINE, 0, 0), [0.0, 1.0])
    with pytest.raises(InvalidInput, match="detuning must be a finite number"):
        replace(ENGINE, detuning=float("nan"))


def test_the_activity_is_the_mean_rate_of_jumps_of_the_dense_state():
    rho, engine = stationary_matrix(ENGINE), ENGINE
    expected = 0.0
    for bath, up in zip((engine.cold, engine.hot), raisings(engine), strict=True):
        down = up.conj().T
        expected += bath.gamma_up * np.trace(down @ up @ rho).real
        expected += bath.gamma_down * np.trace(up @ down @ rho).real
    found = Exact().solve(engine, ["dynamical_activity"]).values["dynamical_activity"]
    assert found == pytest.approx(expected, rel=1e-12)
