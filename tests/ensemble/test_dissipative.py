"""The purely dissipative spin: closed forms to 50 digits, rates against QuTiP, N* of Fig. 4."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import qutip
from hypothesis import given

from ensemble import InvalidInput
from ensemble.closed_forms.classical_spin import (
    closure_rates,
    jacobian,
    jacobian_eigenvalues,
    jacobian_gap,
    langevin,
    magnetization,
    moment_rates,
    second_moment,
    transverse_second_moment,
)
from ensemble.closed_forms.single_spin import SingleSpin, transient_size
from tests.strategies import log_uniform

EPS = float(np.finfo(float).eps)
BETAS = [*np.geomspace(1e-6, 1e3, 28).tolist(), 3.9999, 4.0, 4.0001]
"""βE; the last ones lie where the continued fraction ends."""


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mpmath.workdps(50):
        yield


def close(value: float, exact: mpmath.mpf, ulps: float) -> bool:
    return abs(mpmath.mpf(value) - exact) <= ulps * EPS * abs(exact)


class TestMacroscopic:
    """Eqs. 33–35 and 41–46."""

    @pytest.mark.parametrize("beta_E", BETAS)
    def test_closed_forms_as_printed(self, beta_E):
        """At 50 digits the printed forms can afford their cancellations."""
        x = mpmath.mpf(beta_E)
        coth = mpmath.coth(x / 2)
        m = -coth + 2 / x
        root = mpmath.sqrt(4 + 4 / x**2 + 12 * coth / x - 3 * coth**2)
        trace = -2 / x - 3 * coth
        # A handful of roundings each, none of which is amplified.
        assert close(magnetization(beta_E), m, 4)
        assert close(second_moment(beta_E), 1 + 4 * m / x, 4)
        assert close(transverse_second_moment(beta_E), 2 * coth / x - 4 / x**2, 4)
        plus, minus = jacobian_eigenvalues(beta_E)
        assert close(plus, (trace + root) / 2, 8)
        assert close(minus, (trace - root) / 2, 8)
        assert jacobian_gap(beta_E) == -plus

    @pytest.mark.parametrize("beta_E", [1e-3, 0.1, 1.0, 7.0, 300.0])
    def test_jacobian_is_the_derivative_of_the_closed_equations(self, beta_E):
        """Eqs. 38 and 39 as printed, differentiated by mpmath, at Γ₀ = 3."""
        x = mpmath.mpf(beta_E)
        m = mpmath.mpf(magnetization(beta_E)), mpmath.mpf(second_moment(beta_E))

        def first(m, m_2):
            return 3 * (-(1 - m_2) - 4 / x * m) / 2

        def second(m, m_2):
            return 3 * (m * (-1 + 3 * m_2 - 2 * m**2) + 2 / x * (1 - 3 * m_2))

        expected = [
            [mpmath.diff(f, m, order) for order in ((1, 0), (0, 1))] for f in (first, second)
        ]
        matrix = jacobian(beta_E, Gamma_0=3.0)
        # Entries are sums of numbers up to 12/βE + 6.
        allowed = 16 * EPS * 3 * (12 / beta_E + 6)
        assert abs(matrix - np.array(expected, dtype=float)).max() <= allowed
        rates = closure_rates(0.3, 0.2, beta_E, Gamma_0=3.0)
        printed = first(0.3, 0.2), second(0.3, 0.2)
        assert np.abs(np.array(rates) - np.array(printed, dtype=float)).max() <= allowed
        assert sorted(np.linalg.eigvals(matrix).real) == pytest.approx(
            sorted(jacobian_eigenvalues(beta_E, Gamma_0=3.0)), rel=1e-12
        )

    def test_jacobian_gap_in_both_regimes(self):
        """Eq. 46 with its constants: Γ₀(1 − 2/βE) when cold, (2Γ₀/βE)(1 + O(βE²)) when hot."""
        assert jacobian_gap(1e3, Gamma_0=2.0) == pytest.approx(2.0 * (1 - 2e-3), rel=1e-5)
        assert jacobian_gap(1e-6) == pytest.approx(2e6, rel=1e-11)
        assert jacobian_eigenvalues(math.inf) == (-1.0, -2.0)

    @pytest.mark.parametrize("beta_E", [1e-2, 1.0, 20.0])
    def test_moment_hierarchy_annuls_the_boltzmann_moments(self, beta_E):
        """Eq. 37 on ⟨mⁿ⟩ of exp(−βE m/2), Eq. 32 at N → ∞, integrated numerically."""
        m, weights = np.polynomial.legendre.leggauss(80)
        weights = weights * np.exp(-beta_E * (m + 1) / 2)
        moments = [weights @ m**n / weights.sum() for n in range(8)]
        assert moments[1] == pytest.approx(magnetization(beta_E), rel=1e-12)
        assert moments[2] == pytest.approx(second_moment(beta_E), rel=1e-12)
        # Terms of up to (21 + 6)·4/βE, each with moments good to some ten roundings.
        assert np.abs(moment_rates(moments, beta_E)).max() <= 10 * EPS * 54 * (1 + 2 / beta_E)

    def test_closure_is_not_exact(self):
        """The paper's closed equations do not stop at the exact second moment."""
        first, second = closure_rates(magnetization(8.0), second_moment(8.0), 8.0)
        assert abs(first) < 1e-15
        assert abs(second) > 1e-2

    @given(log_uniform(1e-8, 1e8))
    def test_langevin_is_monotonic_and_bounded(self, z):
        assert 0 < langevin(z) < min(z / 3 * (1 + 2 * EPS), 1)
        assert langevin(z * 1.01) > langevin(z)


class TestSingleSpin:
    """Finite N."""

    @pytest.mark.parametrize("N", [1, 2, 3, 10, 75])
    @pytest.mark.parametrize("beta_E", [1e-6, 1e-2, 0.9, 1.1, 12.0, 1e3])
    def test_moments_from_the_sum_over_levels(self, beta_E, N):
        spin = SingleSpin(N, beta_E)
        weights = [mpmath.exp(-mpmath.mpf(beta_E) * k / N) for k in range(N + 1)]
        total = sum(weights)
        fraction = sum(k * w for k, w in enumerate(weights)) / total / N
        square = sum((mpmath.mpf(2 * k) / N - 1) ** 2 * w for k, w in enumerate(weights)) / total
        assert close(spin.magnetization, 2 * fraction - 1, 8)
        assert close(spin.second_moment, square, 8)
        if fraction > 1e-300:
            # e^{−βE/N} amplifies the rounding of its exponent.
            assert close(spin.excited_fraction, fraction, 8 + beta_E / N)
        assert spin.populations == pytest.approx(np.array([float(w / total) for w in weights]))

    @pytest.mark.parametrize("N", [1, 2, 3, 4])
    @pytest.mark.parametrize("beta_E", [0.01, 1.0, 12.0])
    def test_decay_rates_make_up_the_spectrum_of_the_lindbladian(self, beta_E, N):
        spin = SingleSpin(N, beta_E, Gamma_0=2.0)
        n = 1 / math.expm1(beta_E / N)
        up = qutip.jmat(N / 2, "+")
        jumps = [math.sqrt(2 / N * (n + 1)) * up.dag(), math.sqrt(2 / N * n) * up]
        values = np.linalg.eigvals(qutip.liouvillian(0 * up, jumps).full())
        expected = np.sort(-values.real)
        rates = [0.0, *spin.decay_rates(0, count=99)]
        for d in range(1, N + 1):
            rates += 2 * spin.decay_rates(d, count=99).tolist()
        # QuTiP's matrix is not symmetric: its eigenvalues have conditions of up to 60.
        np.testing.assert_allclose(np.sort(rates), expected, rtol=0, atol=1e3 * EPS * expected[-1])
        assert spin.slowest()[0] == pytest.approx(expected[1], rel=1e-9)

    def test_zero_temperature(self):
        """Two sectors tie: the first coherence and the one between |0⟩ and |N⟩."""
        for N in (1, 2, 5, 40):
            spin = SingleSpin(N, math.inf)
            rates = spin.slowest()[0], spin.decay_rates(1)[0], spin.decay_rates(N)[0]
            assert rates == pytest.approx((0.5, 0.5, 0.5), rel=4 * N * EPS)  # ‖L‖/rate is N
            assert (spin.magnetization, spin.second_moment, spin.excited_fraction) == (-1, 1, 0)

    @pytest.mark.parametrize("beta_E", [1e-3, 1.0, 8.0])
    def test_large_N_approaches_the_closed_forms(self, beta_E):
        """As 1/N: halved from N to 2N, up to 1/N²."""
        for quantity, limit in (
            ("magnetization", magnetization(beta_E)),
            ("second_moment", second_moment(beta_E)),
        ):
            errors = [getattr(SingleSpin(N, beta_E), quantity) - limit for N in (400, 800)]
            assert errors[0] / errors[1] == pytest.approx(2, rel=2e-2)

    def test_gap_over_the_jacobian_gap(self):
        """½ at both ends, but neither constant between them nor exact for the populations."""
        ratios = {
            beta_E: SingleSpin(400, beta_E).slowest()[0] / jacobian_gap(beta_E)
            for beta_E in (1e-3, 1.0, 2.0, 8.0, 300.0)
        }
        assert ratios[1e-3] == pytest.approx(0.5, rel=1e-4)
        assert ratios[300.0] == pytest.approx(0.5, rel=1e-2)
        assert ratios[2.0] > 0.53
        assert ratios[8.0] < 0.47
        assert SingleSpin(400, 8.0).decay_rates(0)[0] / jacobian_gap(8.0) < 0.78

    def test_gap_falls_before_it_rises(self):
        """At low temperature gap = (Γ₀/2)(1 − 2n/N) for N ≥ 2, but (Γ₀/2)(1 + 2n) for N = 1."""
        for N in (2, 5, 9):
            n = 1 / math.expm1(16.0)
            shift = SingleSpin(N, 16.0 * N).slowest()[0] - 0.5
            assert shift == pytest.approx(-n / N, rel=1e-5)
        assert SingleSpin(1, 16.0).slowest()[0] - 0.5 == pytest.approx(n, rel=1e-5)


class TestTransientSize:
    """Fig. 4, bottom right."""

    @pytest.mark.parametrize("of", ["gap", "magnetization"])
    @pytest.mark.parametrize("beta_E", [1e-3, 1.0, 22.0, 60.0, 250.0])
    @pytest.mark.parametrize("epsilon", [1e-10, 1e-3])
    def test_it_is_the_first_size_that_deviates(self, beta_E, of, epsilon):
        """By trying one N after the other."""

        def deviation(N):
            spin = SingleSpin(N, beta_E)
            return abs(spin.slowest()[0] - 0.5 if of == "gap" else spin.magnetization + 1)

        first = next(N for N in range(1, 1000) if deviation(N) > epsilon)
        assert transient_size(beta_E, epsilon=epsilon, of=of) == first

    def test_slope_of_the_figure(self):
        """ "N* ∼ 0.05 βE": it is βE/ln(1/ε) up to a logarithm of N*."""
        for of in ("gap", "magnetization"):
            assert transient_size(1000.0, of=of) / 1000 == pytest.approx(0.05, rel=0.1)

    def test_invalid_requests(self):
        with pytest.raises(InvalidInput, match=r"at zero temperature N\* is infinite"):
            transient_size(math.inf)
        with pytest.raises(InvalidInput, match=r"epsilon must lie between 1e-12 and 0.1"):
            transient_size(1.0, epsilon=1e-15)
        with pytest.raises(InvalidInput, match=r"of must be 'gap' or 'magnetization', but is 'x'"):
            transient_size(1.0, of="x")
        with pytest.raises(InvalidInput, match=r"lower beta_E"):
            transient_size(1e9)


@pytest.mark.parametrize("function", [magnetization, second_moment, jacobian_gap, jacobian])
def test_temperature_must_be_positive(function):
    for beta_E in (0.0, -1.0, math.nan):
        with pytest.raises(InvalidInput, match=r"beta_E must be positive.*give beta_E > 0"):
            function(beta_E)


def test_invalid_spins_and_moments():
    with pytest.raises(InvalidInput, match=r"N must be a whole number ≥ 1, but is 1\.5"):
        SingleSpin(1.5, 1.0)
    with pytest.raises(InvalidInput, match=r"beta_E must be positive"):
        SingleSpin(2, -1.0)
    with pytest.raises(InvalidInput, match=r"Gamma_0 must be positive and finite, but is inf"):
        SingleSpin(2, 1.0, Gamma_0=math.inf)
    with pytest.raises(InvalidInput, match=r"coherence must lie between 0 and 2, but is 3"):
        SingleSpin(2, 1.0).decay_rates(3)
    with pytest.raises(InvalidInput, match=r"moments must have shape"):
        moment_rates([1.0, 0.0], 1.0)
