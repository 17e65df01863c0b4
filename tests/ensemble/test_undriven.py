"""The undriven ensemble: gap and moments against whole Lindbladians, relaxation by other routes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.closed_forms.classical_spin import (
    closure_fixed_point,
    closure_rates,
    magnetization,
    second_moment,
)
from ensemble.closed_forms.single_spin import SingleSpin
from ensemble.evolution import dynamics
from ensemble.evolution import undriven_dynamics as relaxing
from ensemble.evolution.undriven_dynamics import (
    relax_closure,
    relax_limit,
    relax_spin,
)
from ensemble.limits.classical_dynamics import relax
from ensemble.methods.undriven import Undriven, cold_spin, slower_rates
from tests.strategies import log_uniform

EPS = float(np.finfo(float).eps)

ENGINE = Engine(
    N=4,
    E_1=1.0,
    delta_E=0.5,
    T_mean=0.4,
    delta_T=0.2,
    omega_0=0.0,
    Gamma_0=0.7,
    scaling="high-temperature",
)
"""βE = 10/3 at the cold bath; the hot ensemble differs from it."""
SYSTEMS = {
    "high-temperature": ENGINE,
    "bare": replace(ENGINE, scaling="bare"),
    "other spin": replace(ENGINE, spin_1=1.5),
    "one spin": replace(ENGINE, N=1),
    "hot": replace(ENGINE, T_mean=40.0),
}
each_system = pytest.mark.parametrize("engine", SYSTEMS.values(), ids=SYSTEMS)


def dissipator_spectrum(engine: Engine) -> np.ndarray:
    """Decay rates of the cold ensemble from its whole Lindbladian, ascending."""
    n = engine.levels[0]
    k = np.arange(1, n + 1)
    up = np.diag(np.sqrt(k * (n + 1.0 - k)), -1)
    one, whole = np.eye(n + 1), 0.0
    for rate, jump in ((engine.cold.gamma_down, up.T), (engine.cold.gamma_up, up)):
        loss = jump.T @ jump
        whole += rate * (np.kron(jump, jump) - (np.kron(loss, one) + np.kron(one, loss)) / 2)
    return np.sort(-np.linalg.eigvals(whole).real)


class TestMethod:
    @each_system
    def test_gap_is_that_of_the_whole_lindbladian(self, engine):
        solution = Undriven().solve(engine)
        assert (solution.status, solution.message) == (Status.OK, "")
        rates = dissipator_spectrum(engine)
        # Eigenvalues of a matrix that is not symmetric: conditions of up to some hundred.
        assert solution.values["gap"] == pytest.approx(rates[1], abs=1e4 * EPS * rates[-1])

    @each_system
    def test_moments_are_those_of_the_exact_engine(self, engine):
        names = ["magnetization_1"]
        expected = Exact().solve(engine, names).values
        solution = Undriven().solve(engine, ["magnetization_1", "magnetization_1_squared"])
        assert solution.values["magnetization_1"] == pytest.approx(
            expected["magnetization_1"], abs=1e-12
        )
        n, w = engine.levels[0], engine.cold.log_ratio
        p = np.exp(-w * np.arange(n + 1))
        square = (2 * np.arange(n + 1) / n - 1) ** 2 @ p / p.sum()
        assert solution.values["magnetization_1_squared"] == pytest.approx(square, rel=1e-13)
        assert set(solution.diagnostics) == set(Undriven.diagnostics)
        assert solution.diagnostics["residual"] <= 10 * EPS

    def test_the_hot_ensemble_does_not_count(self):
        other = replace(ENGINE, delta_E=3.0, spin_2=0.5)
        assert Undriven().solve(other).values == Undriven().solve(ENGINE).values

    def test_cold_spin_has_the_rates_of_the_cold_bath(self):
        for engine in SYSTEMS.values():
            spin = cold_spin(engine)
            assert spin.gamma_down == pytest.approx(engine.cold.gamma_down, rel=8 * EPS)
            assert spin.gamma_up == pytest.approx(engine.cold.gamma_up, rel=100 * EPS)

    def test_count_of_slower_rates(self):
        """Against all rates of all sectors, at thresholds between them."""
        spin = SingleSpin(6, 3.0)
        rates = np.sort(
            [0.0, *spin.decay_rates(0, count=9)]
            + [rate for d in range(1, 7) for rate in spin.decay_rates(d, count=9)]
        )
        assert rates.size == 28  # 7 populations and 6 + 5 + … + 1 coherences
        apart = np.flatnonzero(np.diff(rates) > 1e-6)
        assert apart.size > 20
        for i in apart:
            assert slower_rates(spin, (rates[i] + rates[i + 1]) / 2) == i + 1

    @pytest.mark.parametrize("factor", [0.999, 1.001])
    def test_a_wrong_gap_is_seen(self, monkeypatch, factor):
        gap, sector = SingleSpin.slowest(cold_spin(ENGINE))
        monkeypatch.setattr(SingleSpin, "slowest", lambda _: (factor * gap, sector))
        solution = Undriven().solve(ENGINE)
        assert solution.status == Status.UNCERTIFIED
        assert "of coherence 1 is not the gap" in solution.message
        assert Undriven().solve(ENGINE, ["magnetization_1"]).status == Status.OK

    def test_a_wrong_moment_is_seen(self, monkeypatch):
        monkeypatch.setattr(SingleSpin, "second_moment", 0.5)
        solution = Undriven().solve(ENGINE)
        assert solution.status == Status.UNPHYSICAL
        assert "sums over the levels differ" in solution.message

    def test_the_gap_is_certified_to_the_tolerance_or_not_at_all(self):
        large = replace(ENGINE, N=60)
        assert Undriven().solve(large).status == Status.OK
        strict = Undriven(tolerance=1e-14).solve(large)
        assert strict.status == Status.UNCERTIFIED
        assert strict.message.endswith("exceeds 1.0e-14")

    def test_zero_temperature_to_rounding(self):
        cold = replace(ENGINE, T_mean=1e-3, delta_T=0.0)  # γ↑ underflows
        values = Undriven().solve(cold).values
        assert values["magnetization_1"] == -1
        assert values["magnetization_1_squared"] == 1
        assert values["gap"] == pytest.approx(0.7 / 2, rel=8 * EPS)

    def test_refusals(self):
        with pytest.raises(InvalidInput, match=r"omega_0 is 0\.1: give omega_0 = 0, or use .*$"):
            Undriven().accept(replace(ENGINE, omega_0=0.1))
        with pytest.raises(InvalidInput, match=r"statistics is 'fermionic': use method exact$"):
            Undriven().accept(replace(ENGINE, statistics="fermionic"))
        with pytest.raises(InvalidInput, match="does not define power"):
            Undriven().solve(ENGINE, ["power"])


TIMES = np.array([0.0, 0.3, 1.0, 1.7, 2.4, 6.0])


class TestRelaxation:
    def test_finite_spin_as_the_engine_evolves(self):
        """The general propagator of the symmetry sector, with an idle second spin."""
        engine = replace(ENGINE, spin_2=0.5)
        times = TIMES / engine.Gamma_0
        expected = dynamics.evolve(engine, dynamics.fock(engine, 4, 0), times)
        path = relax_spin(cold_spin(engine), times)
        np.testing.assert_allclose(path.magnetization, expected.magnetization_1, atol=1e-12)
        assert path.error <= 1e-13
        assert path.second_moment[0] == 1

    def test_it_ends_in_the_stationary_state(self):
        spin = SingleSpin(20, 5.0)
        path = relax_spin(spin, [200.0], initial=0.0)
        assert path.magnetization[0] == pytest.approx(spin.magnetization, rel=1e-12)
        assert path.second_moment[0] == pytest.approx(spin.second_moment, rel=1e-12)
        limit = relax_limit(5.0, [200.0])
        assert limit.magnetization[0] == pytest.approx(magnetization(5.0), rel=1e-12)
        assert limit.second_moment[0] == pytest.approx(second_moment(5.0), rel=1e-12)

    @pytest.mark.parametrize(
        ("beta_E", "initial"), [(2.0, -3.0), (2.0, 0.0), (2.0, 4.0), (10.0, 4.0)]
    )
    def test_limit_as_the_pair_of_vectors_relaxes(self, beta_E, initial):
        """Modes of the bath in place of Legendre polynomials."""
        engine = replace(ENGINE, E_1=beta_E, delta_E=0.0, T_mean=1.0, delta_T=0.0, Gamma_0=1.0)
        expected = relax(engine, TIMES, initial=(initial, beta_E), tolerance=1e-8)
        path = relax_limit(beta_E, TIMES, initial=initial)
        np.testing.assert_allclose(path.magnetization, expected.magnetization_1, atol=2e-8)
        np.testing.assert_allclose(path.second_moment, expected.magnetization_1_squared, atol=2e-8)

    @pytest.mark.parametrize("initial", [-math.inf, -4.0, 4.0, math.inf])
    def test_finite_spins_approach_the_limit_as_1_over_N(self, initial):
        limit = relax_limit(8.0, TIMES, initial=initial)
        distance = [
            np.abs(relax_spin(SingleSpin(N, 8.0), TIMES, initial=initial).magnetization - limit_m)
            for N in (40, 80)
            for limit_m in (limit.magnetization,)
        ]
        ratio = distance[0].max() / distance[1].max()
        assert 1.85 < ratio < 2.15  # 2 up to a few percent of 1/N² at N = 40
        assert distance[1].max() < 0.1

    def test_closure_goes_where_its_equations_stand_still(self):
        for beta_E in (0.1, 3.6, 10.0):
            path = relax_closure(beta_E, [0.0, 0.1, 300.0])
            end = path.magnetization[-1], path.second_moment[-1]
            assert end == pytest.approx(closure_fixed_point(beta_E), abs=1e-8)
            assert path.error < 1e-6
            rate, _ = closure_rates(1.0, 1.0, beta_E)
            assert path.magnetization[0] == 1
            assert rate == -2 / beta_E

    def test_closure_is_the_limit_when_hot(self):
        times = [0.0, 1e-3, 3e-3]
        hot = relax_closure(1e-3, times), relax_limit(1e-3, times)
        np.testing.assert_allclose(hot[0].magnetization, hot[1].magnetization, atol=1e-6)
        cold = relax_closure(10.0, TIMES), relax_limit(10.0, TIMES)
        assert np.abs(cold[0].magnetization - cold[1].magnetization).max() > 0.01

    def test_starts_are_thermal(self):
        for b in (-2.0, 0.0, 2.0):
            spin = relax_spin(SingleSpin(7, 1.0), [0.0], initial=b)
            limit, closed = (f(1.0, [0.0], initial=b) for f in (relax_limit, relax_closure))
            expected = -np.sign(b) * -SingleSpin(7, abs(b)).magnetization if b else 0.0
            assert spin.magnetization[0] == pytest.approx(expected, abs=1e-14)
            assert limit.magnetization == pytest.approx(closed.magnetization, abs=1e-14)
            assert limit.second_moment == pytest.approx(closed.second_moment, abs=1e-14)
            assert np.sign(closed.magnetization[0]) == -np.sign(b)

    def test_a_wrong_propagator_is_seen(self, monkeypatch):
        expm = relaxing.expm
        monkeypatch.setattr(relaxing, "expm", lambda matrix: 1.0001 * expm(matrix))
        assert relax_spin(SingleSpin(3, 1.0), [1.0]).error == pytest.approx(1e-4, rel=1e-3)

    def test_refusals(self, monkeypatch):
        spin = SingleSpin(2, 1.0)
        with pytest.raises(InvalidInput, match="initial is not a number: give b"):
            relax_spin(spin, [1.0], initial=math.nan)
        with pytest.raises(InvalidInput, match="times must be finite"):
            relax_spin(spin, [1.0, 0.5])
        with pytest.raises(InvalidInput, match="beta_E must be positive and finite"):
            relax_limit(math.inf, [1.0])
        for function in (relax_closure, lambda beta_E, _: closure_fixed_point(beta_E)):
            with pytest.raises(InvalidInput, match="beta_E must be positive"):
                function(0.0, [1.0])
        monkeypatch.setattr(relaxing, "HIGHEST_DEGREE", relaxing.FIRST_DEGREE)
        with pytest.raises(ArithmeticError, match="32 Legendre polynomials do not resolve"):
            relax_limit(1.0, [1.0])


class TestClosureFixedPoint:
    @given(log_uniform(1e-6, 1e6))
    def test_both_rates_vanish(self, beta_E):
        first, second = closure_fixed_point(beta_E)
        assert -1 - 4 * EPS <= first < 0
        assert 0.3 < second <= 1 + 4 * EPS
        # Terms of up to 3 and 12/βE, from moments good to a few roundings.
        rates = closure_rates(first, second, beta_E)
        assert np.abs(rates).max() <= 32 * EPS * (3 + 12 / beta_E)

    def test_distance_to_the_exact_moments(self):
        beta_E = np.geomspace(0.1, 100, 601)
        closed = np.array([closure_fixed_point(x) for x in beta_E])
        exact = np.array([[magnetization(x), second_moment(x)] for x in beta_E])
        off = np.abs(closed - exact)
        assert off.max(axis=0) == pytest.approx([0.0205, 0.0263], abs=5e-5)
        assert beta_E[off.argmax(axis=0)] == pytest.approx([3.61, 2.68], rel=0.02)
        assert closure_fixed_point(math.inf) == pytest.approx((-1.0, 1.0), rel=4 * EPS)
