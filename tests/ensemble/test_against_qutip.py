"""The exact method against QuTiP, which knows no symmetry: state, currents and noise.

The reference starts from the raw parameters and does its own scaling (Eq. 28) and rates (Eq. 8).
Its state is QuTiP's direct steady state, its response a sparse solve with QuTiP's Liouvillian.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pytest
import qutip
from scipy.sparse import linalg

from ensemble import Engine, Exact
from ensemble.steady.stationary import stationary
from tests.ensemble.dense import Matrix, embed, gauge

EPS = np.finfo(float).eps
AGREEMENT = 1e-10
"""Relative.  QuTiP's matrix elements are good to some 5 eps, absolutely, and the coherences that
carry the current are as small as 6e-5 in the systems below: 2e-11, and a factor 5 to spare."""

SYSTEMS = {
    "engine": {"E_1": 100, "delta_E": 50, "T_mean": 150, "delta_T": 100, "omega_0": 1},
    "refrigerator": {"E_1": 100, "delta_E": 125, "T_mean": 150, "delta_T": 100, "omega_0": 1},
    "cold engine": {"E_1": 100, "delta_E": 50, "T_mean": 15, "delta_T": 10, "omega_0": 1},
    "Fig. 7": {"E_1": 1, "delta_E": 9, "T_mean": 13.5, "delta_T": 23, "omega_0": 6},
    "strong drive": {"E_1": 1, "delta_E": 9, "T_mean": 40, "delta_T": 23, "omega_0": 100},
    "weak drive": {"E_1": 1, "delta_E": 9, "T_mean": 40, "delta_T": 23, "omega_0": 0.1},
}
"""ω₀ in units of Γ₀, from E/T = 0.04 to 20; the last two are refrigerators."""
SPINS = [(N, None, None) for N in range(1, 7)] + [(2, 0.5, 2.5), (3, 3, 1), (4, 1.5, 2)]


@dataclass(frozen=True)
class Reference:
    """One engine by QuTiP: operators, state, current and noise."""

    up: list[qutip.Qobj]
    rates: list[tuple[float, float]]  # (γ↓, γ↑) of each bath
    current: qutip.Qobj
    liouvillian: qutip.Qobj
    rho: qutip.Qobj

    def flow(self, bath: int) -> tuple[float, float]:
        """Quanta from a bath into its spin, net and gross: γ↑⟨S⁻S⁺⟩ ∓ γ↓⟨S⁺S⁻⟩."""
        up, (gamma_down, gamma_up) = self.up[bath], self.rates[bath]
        absorbed = gamma_up * qutip.expect(up.dag() * up, self.rho)
        emitted = gamma_down * qutip.expect(up * up.dag(), self.rho)
        return absorbed - emitted, absorbed + emitted

    def noise(self) -> float:
        """Eq. 11 over ΔE², −2 Tr[J L⁺ (½{J,ρ} − ⟨J⟩ρ)], with one row replaced by the trace.

        Better than a pseudo-inverse: it costs a sparse LU, and refinement makes it backward stable.
        """
        mean = qutip.expect(self.current, self.rho)
        source = (self.current * self.rho + self.rho * self.current) / 2 - mean * self.rho
        right = qutip.operator_to_vector(source).full().ravel()
        right[0] = 0
        matrix = self.liouvillian.data.as_scipy().tolil()
        matrix[0, :] = qutip.operator_to_vector(qutip.qeye_like(self.rho)).full().ravel()
        matrix = matrix.tocsc()
        factors = linalg.splu(matrix)
        response = factors.solve(right)
        response += factors.solve(right - matrix @ response)
        dims = qutip.operator_to_vector(self.rho).dims
        response = qutip.vector_to_operator(qutip.Qobj(response, dims=dims))
        return -2 * (self.current * response).tr().real

    def noise_by_counting(self, bath: int) -> float:
        """Full counting statistics of absorption minus emission at one bath, by QuTiP."""
        gamma_down, gamma_up = self.rates[bath]
        up = self.up[bath]
        jumps = [math.sqrt(gamma_up) * up, math.sqrt(gamma_down) * up.dag()]
        # A dense state would make QuTiP build a dense pseudo-inverse.
        noise = qutip.countstat_current_noise(self.liouvillian, jumps, rhoss=self.rho.to("csr"))[1]
        return float(np.array([1, -1]) @ noise[:, :, 0] @ np.array([1, -1]))

    def matrix(self) -> Matrix:
        """The state over |k₁, k₂⟩: QuTiP numbers a spin's states from the top, we from below."""
        return self.rho.full()[::-1, ::-1]


def reference(engine: Engine) -> Reference:
    factor = engine.N if engine.scaling == "high-temperature" else 1
    omega_0, Gamma_0 = engine.omega_0 / factor, engine.Gamma_0 / factor
    energies = engine.E_1, engine.E_1 + engine.delta_E
    temperatures = (engine.T_mean - engine.delta_T / 2, engine.T_mean + engine.delta_T / 2)
    n = [1 / math.expm1(E / (T * factor)) for E, T in zip(energies, temperatures, strict=True)]
    rates = [(Gamma_0 * (n_i + 1), Gamma_0 * n_i) for n_i in n]

    spins = [qutip.jmat(spin, "+") for spin in (n / 2 for n in engine.levels)]
    ones = [qutip.qeye_like(spin) for spin in spins]
    up = [qutip.tensor(spins[0], ones[1]), qutip.tensor(ones[0], spins[1])]
    hop = up[0] * up[1].dag()
    hamiltonian = omega_0 / 2 * (hop + hop.dag())
    jumps = [
        math.sqrt(rate) * jump
        for up_i, (gamma_down, gamma_up) in zip(up, rates, strict=True)
        for rate, jump in ((gamma_down, up_i.dag()), (gamma_up, up_i))
    ]
    return Reference(
        up=up,
        rates=rates,
        current=-0.5j * omega_0 * (hop - hop.dag()),
        liouvillian=qutip.liouvillian(hamiltonian, jumps),
        rho=qutip.steadystate(hamiltonian, jumps, method="direct"),
    )


@functools.cache
def an_engine(system: str, spins: tuple, scaling: str) -> tuple[Engine, Reference]:
    N, spin_1, spin_2 = spins
    parameters = SYSTEMS[system] | {"Gamma_0": 1, "spin_1": spin_1, "spin_2": spin_2}
    engine = Engine(N=N, scaling=scaling, **parameters)
    return engine, reference(engine)


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("spins", SPINS, ids=str)
@pytest.mark.parametrize("system", SYSTEMS)
class TestSystems:
    """One system a row; the reference is computed once for all tests."""

    def test_state(self, system, spins, scaling):
        """Every matrix element, inside the sector and out, to QuTiP's absolute accuracy."""
        engine, qutip_engine = an_engine(system, spins, scaling)
        state = stationary(engine)
        phase = gauge(*engine.levels)
        rho = np.outer(phase, phase.conj()) * embed(state.generator.sector, state.rho)
        np.testing.assert_allclose(rho, qutip_engine.matrix(), rtol=0, atol=100 * EPS)

    def test_currents(self, system, spins, scaling):
        engine, qutip_engine = an_engine(system, spins, scaling)
        values = Exact().solve(engine, ["power", "heat_current_1", "heat_current_2"]).values
        power = engine.delta_E * qutip.expect(qutip_engine.current, qutip_engine.rho)
        assert (power > 0) == (engine.affinity > 0)
        assert values["power"] == pytest.approx(power, rel=AGREEMENT, abs=0)
        for bath, energy in enumerate((engine.E_1, engine.E_2)):
            net, gross = (energy * quanta for quanta in qutip_engine.flow(bath))
            # The reference subtracts two flows that a weak drive makes nearly equal.
            allowed = AGREEMENT * abs(net) + 100 * EPS * gross
            assert abs(values[f"heat_current_{bath + 1}"] - net) <= allowed

    def test_power_variance(self, system, spins, scaling):
        engine, qutip_engine = an_engine(system, spins, scaling)
        variance = Exact().solve(engine, ["power_variance"]).values["power_variance"]
        expected = engine.delta_E**2 * qutip_engine.noise()
        assert variance == pytest.approx(expected, rel=AGREEMENT, abs=0)


@pytest.mark.parametrize("spins", [(2, None, None), (2, 1.5, 0.5)], ids=str)
@pytest.mark.parametrize("system", ["engine", "Fig. 7"])
def test_noise_is_what_qutip_counts_at_either_bath(system, spins):
    engine, qutip_engine = an_engine(system, spins, "bare")
    noise = Exact().solve(engine, ["quanta_noise"]).values["quanta_noise"]
    for bath in (0, 1):
        assert noise == pytest.approx(qutip_engine.noise_by_counting(bath), rel=AGREEMENT, abs=0)
