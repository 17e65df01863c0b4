"""App. A's ratios against dense matrices, in limits, and in every unit of energy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ensemble import Engine, Exact
from ensemble.variables import FROM_VALIDITY
from tests.ensemble.dense import raisings, stationary_matrix

HOT_CORNER = Engine(
    N=24, E_1=100, delta_E=125, T_mean=250, delta_T=100, omega_0=1, Gamma_0=1
)  # fmt: skip
SMALL = Engine(N=3, E_1=1, delta_E=0.7, T_mean=1.1, delta_T=1.2, omega_0=0.03, Gamma_0=0.01)
ENGINES = {
    "bare": SMALL,
    "scaled": replace(SMALL, scaling="high-temperature"),
    "unequal spins": replace(SMALL, spin_1=1.0, spin_2=2.0),
    "fermions": replace(SMALL, statistics="fermionic", mu_1=0.2, mu_2=-0.4),
}


def ratios(engine: Engine) -> dict[str, float]:
    solution = Exact().solve(engine, FROM_VALIDITY)
    assert solution.status.label == "ok"
    return dict(solution.values)


@pytest.mark.parametrize("name", ENGINES)
def test_rates_and_lines_of_dense_matrices(name):
    """Jump rates from Tr[L†Lρ]; lines from the bath's part of d/dt Tr[S⁺ exp(Lt) S⁻ρ] at t = 0."""
    engine = ENGINES[name]
    found, rho = ratios(engine), stationary_matrix(engine)
    for i, (bath, up, energy) in enumerate(
        zip((engine.cold, engine.hot), raisings(engine), (engine.E_1, engine.E_2), strict=True),
        start=1,
    ):
        down = up.conj().T
        jumps = np.trace((bath.gamma_down * up @ down + bath.gamma_up * down @ up) @ rho).real
        assert found[f"weak_coupling_{i}"] == pytest.approx(jumps / energy, rel=1e-10)
        # The other bath and the drive left out: their rates are negligible beside this one's.
        after = down @ rho
        change = np.zeros_like(after)
        for rate, jump in ((bath.gamma_down, down), (bath.gamma_up, up)):
            loss = jump.conj().T @ jump
            change += rate * (jump @ after @ jump.conj().T - (loss @ after + after @ loss) / 2)
        decay = -np.trace(up @ change).real / np.trace(up @ after).real
        assert found[f"linewidth_{i}"] == pytest.approx(2 * decay, rel=1e-10)


def test_ratios_of_parameters():
    found = ratios(SMALL)
    assert found["rotating_wave"] == pytest.approx(3 * 0.03 / 0.7, rel=1e-15)
    assert found["linewidth_over_drive"] == pytest.approx(3 * 0.01 / 0.03, rel=1e-15)
    # Eq. 28 divides drive and rate by N.
    scaled = ratios(ENGINES["scaled"])
    assert scaled["rotating_wave"] == pytest.approx(0.03 / 0.7, rel=1e-15)
    assert scaled["linewidth_over_drive"] == pytest.approx(found["linewidth_over_drive"], rel=1e-15)
    assert ratios(ENGINES["unequal spins"])["rotating_wave"] == pytest.approx(
        math.sqrt(2 * 4) * 0.03 / 0.7, rel=1e-15
    )


def test_what_is_undefined_is_nan():
    undriven = ratios(replace(SMALL, omega_0=0.0))
    assert undriven["rotating_wave"] == 0
    assert math.isnan(undriven["linewidth_over_drive"])
    assert math.isnan(ratios(replace(SMALL, delta_E=0.0))["rotating_wave"])


def test_a_cold_ensemble_has_the_line_of_superradiance():
    """n ≪ 1 ≪ N: an oscillator, whose line has the width NΓ₀."""
    cold = Engine(N=50, E_1=1, delta_E=1, T_mean=0.05, delta_T=0.02, omega_0=1e-4, Gamma_0=1e-4)
    assert ratios(cold)["linewidth_1"] == pytest.approx(50 * 1e-4, rel=1e-9)


def test_the_hot_corner_of_fig_2_is_not_weakly_coupled():
    """γ↓⟨S⁺S⁻⟩ + γ↑⟨S⁻S⁺⟩ is of the order of E₁ there, the emission line NΓ₀ is not."""
    found = ratios(HOT_CORNER)
    assert found["weak_coupling_1"] == pytest.approx(1.52, abs=0.005)
    assert found["linewidth_1"] == pytest.approx(22.2, abs=0.05)


def test_rates_hundred_times_smaller_change_the_ratios_alone():
    """The state, hence α, knows ω₀/Γ₀ and the occupations only."""
    weak = replace(HOT_CORNER, omega_0=0.01, Gamma_0=0.01)
    found, before = ratios(weak), ratios(HOT_CORNER)
    for name in ("weak_coupling_1", "weak_coupling_2", "rotating_wave"):
        assert found[name] == pytest.approx(before[name] / 100, rel=1e-9)
    one, other = (
        Exact().solve(engine, ["constancy", "power"]).values for engine in (weak, HOT_CORNER)
    )
    assert one["constancy"] == pytest.approx(other["constancy"], rel=1e-9)
    assert one["power"] == pytest.approx(other["power"] / 100, rel=1e-9)


@pytest.mark.parametrize("temperature", [1e-3, 5e-3])
def test_dark_baths_keep_their_ratios(temperature):
    """Below T = E/200 the engine is solved with warmer baths and its rates are scaled back."""
    dark = Engine(
        N=2, E_1=1, delta_E=1, T_mean=1.5 * temperature, delta_T=temperature,
        omega_0=1e-12, Gamma_0=1e-3,
    )  # fmt: skip
    found = ratios(dark)
    for i, bath, energy in ((1, dark.cold, 1.0), (2, dark.hot, 2.0)):
        # ⟨S⁻S⁺⟩ = N from the ground state, and as many quanta go as come.
        expected = 2 * 2 * bath.gamma_up / energy
        assert found[f"weak_coupling_{i}"] == pytest.approx(expected, rel=1e-9)
        assert found[f"linewidth_{i}"] == pytest.approx(2 * 1e-3, rel=1e-9)
