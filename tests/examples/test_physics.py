"""The examples give the right numbers: against closed forms and equations written differently."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import qutip

from catalog.models.contract import Model
from tests.catalog.support import refused
from tests.examples.support import example, solved

EPS = float(np.finfo(float).eps)


class TestQubitOtto:
    """Against the cycle as a sum over the outcomes of its two measurements."""

    MODEL = example("qubit_otto:otto")

    @pytest.mark.parametrize("omega_h", [0.5, 1.5, 3.0, 4.5])
    @pytest.mark.parametrize("T_h", [1.0, 2.0, 4.0])
    def test_mean_and_variance_are_those_of_the_outcomes(self, omega_h, T_h):
        found = solved(self.MODEL, omega_c=1.0, omega_h=omega_h, T_h=T_h)
        work = heat = square = 0.0
        weights = [np.exp(-gap * np.arange(2) / T) for gap, T in ((1.0, 1.0), (omega_h, T_h))]
        cold, hot = (weight / weight.sum() for weight in weights)
        for before, after in itertools.product(range(2), repeat=2):
            chance, change = cold[before] * hot[after], after - before
            work += chance * (omega_h - 1.0) * change
            heat += chance * omega_h * change
            square += chance * ((omega_h - 1.0) * change) ** 2
        # Four terms of at most omega_h², each with a few roundings.
        rounding = 30 * EPS * max(1.0, omega_h) ** 2
        assert found["work"] == pytest.approx(work, rel=0, abs=rounding)
        assert found["heat"] == pytest.approx(heat, rel=0, abs=rounding)
        assert found["work_variance"] == pytest.approx(square - work**2, rel=0, abs=rounding)

    def test_it_is_an_engine_below_the_efficiency_of_carnot_alone(self):
        for omega_h in (0.5, 1.5, 1.999, 2.001, 3.0):
            found = solved(self.MODEL, omega_c=1.0, omega_h=omega_h, T_h=2.0)
            assert (found["work"] > 0) == (1.0 < omega_h < 2.0)
            if found["work"] > 0:
                # A quotient of two numbers of four roundings each.
                assert found["efficiency"] == pytest.approx(1 - 1 / omega_h, rel=1e-14)
                assert found["efficiency"] < 1 - 1.0 / 2.0
            else:
                assert np.isnan(found["efficiency"])


class TestMaser:
    """Against the rate equations that are left when the coherence is eliminated."""

    MODEL = example("maser:maser")
    POINTS = (
        {"omega_h": 3.0, "omega_c": 1.0, "T_h": 4.0, "T_c": 1.0, "field": 0.3},
        {"omega_h": 6.0, "omega_c": 1.0, "T_h": 4.0, "T_c": 1.0, "field": 2.0},
        {"omega_h": 3.0, "omega_c": 1.0, "T_h": 4.0, "T_c": 1.0, "field": 0.1, "Gamma_c": 0.2},
        {"omega_h": 2.0, "omega_c": 0.1, "T_h": 8.0, "T_c": 2.0, "field": 1.0, "Gamma_h": 3.0},
    )

    @staticmethod
    def current(omega_h, omega_c, T_h, T_c, field, Gamma_h=1.0, Gamma_c=1.0):
        """Quanta per time round the cycle 0 → 2 → 1 → 0.

        The coherence decays at (up_h + up_c)/2; eliminated from the steady state, it leaves the
        rate 4λ²/(up_h + up_c) of 0 ↔ 1.  The current of a cycle of three states is the product of
        the rates one way round minus the other, over the sum of all spanning trees.
        """
        n_h, n_c = 1 / np.expm1(omega_h / T_h), 1 / np.expm1(omega_c / T_c)
        up_h, down_h = Gamma_h * n_h, Gamma_h * (n_h + 1)
        up_c, down_c = Gamma_c * n_c, Gamma_c * (n_c + 1)
        lasing = 4 * field**2 / (up_h + up_c)
        trees = lasing * (2 * down_h + 2 * down_c + up_h + up_c)
        trees += up_c * down_h + up_h * down_c + up_h * up_c
        return lasing * Gamma_h * Gamma_c * (n_h - n_c) / trees

    @pytest.mark.parametrize("point", POINTS)
    def test_currents_are_those_of_the_rate_equations(self, point):
        found, current = solved(self.MODEL, **point), self.current(**point)
        # A sparse solve of 9 equations with condition numbers below 1e4, differences of terms
        # of order 10, and currents above 1e-3.
        tolerance = {"rel": 1e-9, "abs": 0}
        omega_h, omega_c = point["omega_h"], point["omega_c"]
        assert found["power"] == pytest.approx((omega_h - omega_c) * current, **tolerance)
        assert found["heat_current_h"] == pytest.approx(omega_h * current, **tolerance)
        assert found["heat_current_c"] == pytest.approx(-omega_c * current, **tolerance)

    @pytest.mark.parametrize("point", POINTS)
    def test_first_law_holds(self, point):
        found = solved(self.MODEL, **point)
        assert abs(found["first_law"]) < 1e-12 * max(1.0, abs(found["heat_current_h"]))

    def test_it_gives_power_below_the_efficiency_of_carnot_alone(self):
        for omega_h in (2.0, 3.9, 4.1, 6.0):
            found = solved(self.MODEL, omega_h=omega_h, omega_c=1.0, T_h=4.0, T_c=1.0, field=0.5)
            assert (found["power"] > 0) == (omega_h < 4.0)
            entropy = -found["heat_current_h"] / 4.0 - found["heat_current_c"] / 1.0
            assert entropy > 0
            if omega_h < 4.0:
                assert found["efficiency"] == pytest.approx(1 - 1 / omega_h, rel=1e-9)
                assert found["efficiency"] < 1 - 1.0 / 4.0

    def test_the_slowest_rates_of_a_dark_maser_are_those_of_its_parts(self):
        """Without a field the coherence ρ₀₁ decays at (up_h + up_c)/2, populations on their own."""
        found = solved(self.MODEL, omega_h=3.0, omega_c=1.0, T_h=4.0, T_c=1.0, field=0.0)
        n_h, n_c = 1 / np.expm1(3.0 / 4.0), 1 / np.expm1(1.0)
        populations = np.array(
            [
                [-n_h, 0, n_h + 1],
                [0, -n_c, n_c + 1],
                [n_h, n_c, -n_h - n_c - 2],
            ]
        )
        coherences = [(n_h + n_c) / 2, *[(n + n_h + n_c + 2) / 2 for n in (n_h, n_c)]]
        rates = [*-np.linalg.eigvals(populations), *coherences, *coherences]
        slowest = np.sort(np.real(rates))[: len(found["rates"])]
        assert found["rates"].shape == (4,)
        assert -found["rates"] == pytest.approx(slowest, rel=1e-12, abs=1e-12)

    def test_a_strong_field_makes_oscillations_at_twice_its_strength(self):
        """For λ ≫ Γ populations 0 and 1 oscillate at the Rabi frequency 2λ."""
        found = solved(self.MODEL, omega_h=3.0, omega_c=1.0, T_h=4.0, T_c=1.0, field=50.0)
        frequencies = np.abs(found["rates"].imag)
        # Corrections are of relative order (Γ/λ)².
        assert frequencies.max() == pytest.approx(100.0, rel=10 * (1 / 50.0) ** 2)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"omega_c": 3.0}, "omega_h = 3 must exceed omega_c = 3: raise omega_h"),
            ({"T_c": 0.0}, "T_c is 0, but must be positive: raise it"),
        ],
    )
    def test_what_is_no_maser_is_refused(self, changes, message):
        with refused(message):
            self.MODEL.check({**self.POINTS[0], **changes})


RATES = example("superradiance:Superradiance")
LIOUVILLIAN = example("superradiance:Superradiance", equations="liouvillian")
TOLERANCE = {RATES: 1e-11, LIOUVILLIAN: 10 * float(np.finfo(np.float32).eps)}
"""Double precision times the condition numbers of the small matrices here, below 1e4; PIQS rounds
the coefficients of the Liouvillian to single precision, some ten of which matter."""


class TestSuperradiance:
    """Against the Lindblad equation of all 2^N states, and one system in closed form."""

    @pytest.mark.parametrize("model", [RATES, LIOUVILLIAN], ids=lambda m: m.equations)
    @pytest.mark.parametrize("pump", [0.1, 1.0, 7.3])
    def test_one_system_is_excited_w_times_as_often_as_not(self, model: Model, pump):
        found = solved(model, N=1, pump=pump)
        assert found["emission"] == pytest.approx(pump / (1 + pump), rel=TOLERANCE[model])
        assert found["inversion"] == pytest.approx((pump - 1) / (pump + 1), abs=TOLERANCE[model])
        assert found["bunching"] == 0.0

    @pytest.mark.parametrize("field", [0.0, 0.4, 3.0])
    @pytest.mark.parametrize("pump", [0.1, 1.0, 7.3])
    def test_one_system_in_a_field_obeys_the_optical_bloch_equations(self, pump, field):
        """⟨σ_z⟩ = s₀/(1 + Ω²/(γ₁γ₂)), γ₁ = 1 + w, γ₂ = γ₁/2, and s₀ without a field."""
        found = solved(LIOUVILLIAN, N=1, pump=pump, field=field)
        saturation = 1 + field**2 / ((1 + pump) ** 2 / 2)
        expected = (pump - 1) / (pump + 1) / saturation
        assert found["inversion"] == pytest.approx(expected, abs=TOLERANCE[LIOUVILLIAN])

    @staticmethod
    def dense(N: int, pump: float, field: float) -> dict[str, float]:
        """From the Liouvillian of all 2^N states, by its singular vector."""
        single = [
            qutip.tensor([qutip.sigmam() if at == n else qutip.qeye(2) for at in range(N)])
            for n in range(N)
        ]
        lowering = sum(single[1:], single[0])
        raising = lowering.dag()
        jumps = [lowering, *(np.sqrt(pump) * each.dag() for each in single)]
        whole = qutip.liouvillian(field * (lowering + raising) / 2, jumps).full()
        rho = np.linalg.svd(whole)[2][-1].conj().reshape(2**N, 2**N).T
        rho = qutip.Qobj(rho / np.trace(rho), dims=lowering.dims)
        emission = qutip.expect(raising * lowering, rho)
        excited = sum(qutip.expect(each.dag() * each, rho) for each in single)
        pairs = qutip.expect(raising * raising * lowering * lowering, rho)
        return {
            "emission": emission,
            "inversion": 2 * excited / N - 1,
            "bunching": pairs / emission**2,
        }

    @pytest.mark.parametrize("N", [2, 3, 4])
    @pytest.mark.parametrize("field", [0.0, 1.3])
    def test_few_systems_are_those_of_all_their_states(self, N, field):
        found = solved(LIOUVILLIAN, N=N, pump=0.7, field=field)
        for name, value in self.dense(N, 0.7, field).items():
            assert found[name] == pytest.approx(value, rel=TOLERANCE[LIOUVILLIAN]), name

    @pytest.mark.parametrize("N", [2, 5, 12])
    def test_both_equations_agree(self, N):
        first, second = (solved(model, N=N, pump=0.7) for model in (RATES, LIOUVILLIAN))
        for name in RATES.default_variables:
            assert first[name] == pytest.approx(second[name], rel=TOLERANCE[LIOUVILLIAN]), name
        # Rates are at most of order N².
        assert first["residual"] < 10 * EPS * N**2
        assert second["residual"] < 10 * float(np.finfo(np.float32).eps) * N**2

    def test_emission_at_the_best_pump_grows_as_the_square(self):
        """Meiser and Holland: the greatest emission is N²/8, at w = N/2, for large N."""
        for N in (64, 128):
            found = solved(RATES, N=N, pump=N / 2)
            # Corrections are of relative order 1/N.
            assert found["emission"] == pytest.approx(N**2 / 8, rel=8 / N)

    @pytest.mark.parametrize(
        ("point", "message"),
        [
            ({"N": 0, "pump": 1.0}, "N is 0, but must be at least 1: raise it"),
            ({"N": 2, "pump": 0.0}, "the steady state is not unique: raise pump"),
            ({"N": 2, "pump": 1.0, "field": 0.1}, 'give the options equations = "liouvillian"'),
        ],
    )
    def test_what_has_no_such_steady_state_is_refused(self, point, message):
        with refused(message):
            RATES.check(point)

    def test_unknown_equations_are_refused(self):
        with refused("there are no equations 'rate': choose from rates, liouvillian"):
            example("superradiance:Superradiance", equations="rate")
