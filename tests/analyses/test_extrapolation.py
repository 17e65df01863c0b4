"""Extrapolation to N → ∞: exact arithmetic, series with known limits, the engine's own limit."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses._richardson import candidates, limit_at_zero, thinned, weights_at_zero
from analyses._series import SeriesStatus
from analyses.extrapolation import extrapolate
from ensemble import Engine, Exact, InvalidInput, Status
from tests.analyses.conftest import no_computing

EPS = np.finfo(float).eps
SIZES = np.array([4, 6, 8, 12, 16, 24, 32, 48])
NAMES = ("power_per_pair", "power_per_pair_variance", "constancy")


def at(values, labels=SIZES, **attrs):
    return xr.DataArray(
        np.asarray(values, dtype=float), coords={"N": labels}, dims="N", name="f", attrs=attrs
    )


def exact_weights(h: list[Fraction]) -> list[Fraction]:
    """Neville's recursion, which knows no weights, applied to each unit vector."""
    weights = []
    for i in range(len(h)):
        row = [Fraction(int(j == i)) for j in range(len(h))]
        for k in range(1, len(h)):
            row = [
                (h[j + k] * row[j] - h[j] * row[j + 1]) / (h[j + k] - h[j])
                for j in range(len(row) - 1)
            ]
        weights.append(row[0])
    return weights


labels_strategy = st.sets(st.integers(1, 200), min_size=3, max_size=16).map(sorted)


class TestKernel:
    @given(labels=labels_strategy)
    def test_weights_are_those_of_neville(self, labels):
        h = 1 / np.array(labels, dtype=float)
        exact = exact_weights([Fraction(x) for x in h])
        # 15 factors, each of one subtraction and one division, and their products.
        rounding = 3 * len(labels) * EPS
        np.testing.assert_allclose(weights_at_zero(h), [float(w) for w in exact], rtol=rounding)

    @given(labels=st.sets(st.integers(1, 200), min_size=3, max_size=40).map(sorted))
    def test_candidates_end_with_the_largest_label(self, labels):
        found = candidates(1 / np.array(labels, dtype=float))
        assert len({tuple(indices) for indices in found}) == len(found)
        for indices in found:
            assert indices[0] == len(labels) - 1
            assert 3 <= len(indices) <= 16
            assert all(a > b for a, b in itertools.pairwise(indices))

    def test_thinning_is_not_undone_by_rounding(self):
        """6k is in the ratio 1.2 to 5k, whatever 1/6k and 1/5k round to."""
        for k in range(1, 50):
            assert thinned(1 / np.array([5.0 * k, 6.0 * k]), 1.2) == [1, 0]

    def test_a_thousand_labels(self):
        """All sizes of a long sweep: the weights of many dense points must not drown the limit."""
        N = np.arange(1.0, 1001.0)
        limit, error, *_ = limit_at_zero(1 + 1 / (N + 3), 1 / N, accuracy=1e-15)
        assert abs(limit - 1) <= error < 1e-11


class TestPolynomials:
    """f(N) = Σ c_k N^−k with c_k ≥ 0: nothing but rounding is left."""

    # |h f′| ≤ 15 f, so that rounding of h and of f counts 16 ε/2, and the weights' 3·16 ε.
    accuracy = 64 * EPS

    @staticmethod
    def values(coefficients, labels):
        return [
            float(sum(c * Fraction(1, int(n)) ** k for k, c in enumerate(coefficients)))
            for n in labels
        ]

    @given(
        labels=labels_strategy,
        coefficients=st.lists(st.integers(0, 1000), min_size=1, max_size=14),
        sign=st.sampled_from([-1, 1]),
    )
    def test_within_the_error_if_neighbours_are_exact(self, labels, coefficients, sign):
        coefficients = coefficients[: len(labels) - 2]
        values = sign * np.array(self.values(coefficients, labels))
        found = extrapolate(at(values, labels), accuracy=self.accuracy)
        assert abs(found.limit - sign * coefficients[0]) <= found.limit_error
        assert found.rounding_error <= found.limit_error

    @given(coefficients=st.lists(st.integers(0, 1000), min_size=1, max_size=6))
    def test_to_rounding(self, coefficients):
        """Eight points for degree 5: T and its three neighbours are all exact."""
        values = self.values(coefficients, SIZES)
        amplification = np.abs(weights_at_zero(1 / SIZES)).sum()
        rounding = self.accuracy * amplification * max(values)
        found = extrapolate(at(values), accuracy=self.accuracy)
        assert abs(found.limit - coefficients[0]) <= found.limit_error
        # 1 + 3 (2 + 4/5) for the differences of entries that err by rounding, then the
        # enlargement: no candidate is wrong by more than 10 times its estimate here.
        assert found.limit_error <= 10 * 9.4 * rounding


def partial_sums_of_the_basel_series(n):
    return math.fsum(1 / k**2 for k in range(1, n + 1))


def harmonic_less_logarithm(n):
    return float(mpmath.harmonic(n) - mpmath.log(n))


def trapezoids(n):
    """Of e^x over [0, 1] in n steps: the Euler–Maclaurin series in 1/n² (Romberg)."""
    return math.fsum(math.exp(k / n) for k in range(1, n)) / n + (1 + math.e) / (2 * n)


SERIES = {
    "basel": (partial_sums_of_the_basel_series, math.pi**2 / 6, {}),
    "euler-mascheroni": (harmonic_less_logarithm, float(mpmath.euler), {}),
    "compound interest": (lambda n: float((1 + mpmath.mpf(1) / n) ** n), math.e, {}),
    "wallis": (
        lambda n: float(mpmath.gamma(n + 1) / mpmath.gamma(n + 0.5) / mpmath.sqrt(n)),
        1.0,
        {},
    ),
    "romberg": (trapezoids, math.e - 1, {"exponent": 2}),
    "even in 1/(N+1)": (lambda n: math.cos(3 / (n + 1)), 1.0, {"offset": 1, "exponent": 2}),
    "half powers": (lambda n: math.exp(1 / math.sqrt(n)), 1.0, {"exponent": 0.5}),
    "converges to zero": (lambda n: 1 / (n + 1), 0.0, {}),
}


class TestSeries:
    @pytest.mark.parametrize("name", SERIES)
    def test_limit_within_its_error(self, name):
        f, limit, options = SERIES[name]
        found = extrapolate(at([f(int(n)) for n in SIZES]), accuracy=1e-14, **options)
        assert abs(found.limit - limit) <= found.limit_error < 1e-6 * abs(f(4))

    def test_powers_that_the_data_have_are_better(self):
        for name in ("romberg", "even in 1/(N+1)", "half powers"):
            f, limit, options = SERIES[name]
            data = at([f(int(n)) for n in SIZES])
            right, wrong = extrapolate(data, accuracy=1e-14, **options), extrapolate(data)
            assert right.limit_error < wrong.limit_error
            assert abs(right.limit - limit) < abs(wrong.limit - limit)

    def test_error_shrinks_as_points_are_added(self):
        data = at([SERIES["basel"][0](int(n)) for n in SIZES])
        errors = [float(extrapolate(data[:k]).limit_error) for k in range(3, 9)]
        assert all(b < a / 3 for a, b in itertools.pairwise(errors))

    def test_too_small_sizes_are_told(self):
        """Poles at |N| = 100: sizes up to 48 see no series yet, and the error says so."""
        found = extrapolate(at(1 + 1 / (1 + (SIZES / 100) ** 2)))
        assert abs(found.limit - 1) > 0.1
        assert found.limit_error > 0.03

    def test_accidental_agreement_is_suspected(self):
        """The last three points are equal to 1, the limit is not: other candidates object."""
        h = 1 / SIZES
        found = extrapolate(at(1 + np.prod([h - x for x in h[-3:]], axis=0)))
        assert found.extrapolation_order == 2
        assert found.limit_error > 1000 * found.rounding_error


FOREIGN = {
    "1/√N": (lambda n: 1 + n**-0.5, 1.0),
    "log N/N": (lambda n: 1 + np.log(n) / n, 1.0),
    "N^−0.8": (lambda n: 1 + n**-0.8, 1.0),
    "N^−1.5": (lambda n: 1 + n**-1.5, 1.0),
    "1/N and N^−1.5": (lambda n: 1 + 1 / n + 0.3 * n**-1.5, 1.0),
    "1/N and a little 1/√N": (lambda n: 1 + 1 / n + 0.01 * n**-0.5, 1.0),
    "log N/N²": (lambda n: 1 + 1 / n + np.log(n) / n**2, 1.0),
}
"""Data with another power or a logarithm, and their limit."""
GRIDS = (SIZES, np.arange(1.0, 25.0), np.arange(1.0, 7.0), np.arange(2.0, 161.0))


class TestOtherPowers:
    """What is no series in 1/N is told, and the error covers what the polynomial does not know."""

    @pytest.mark.parametrize("labels", GRIDS, ids=lambda labels: f"{labels.size} sizes")
    @pytest.mark.parametrize("name", FOREIGN)
    def test_told_and_honest(self, name, labels):
        f, limit = FOREIGN[name]
        found = extrapolate(at(f(labels), labels))
        assert found.series_status == SeriesStatus.NOT_A_SERIES
        assert abs(found.limit - limit) <= found.limit_error < np.inf

    @pytest.mark.parametrize("power", [0.5, 0.8, 1.5])
    def test_observed_order_names_the_power(self, power):
        found = extrapolate(at(1 + np.arange(2.0, 161.0) ** -power, np.arange(2.0, 161.0)))
        assert found.observed_order == pytest.approx(power, abs=0.05)
        assert found.expected_order == 7

    def test_the_right_exponent_makes_it_a_series(self):
        wrong, right = (
            extrapolate(at(np.exp(1 / np.sqrt(SIZES))), exponent=exponent) for exponent in (1, 0.5)
        )
        assert wrong.series_status == SeriesStatus.NOT_A_SERIES
        assert right.series_status == SeriesStatus.SERIES
        assert abs(right.limit - 1) <= right.limit_error < 1e-5

    @pytest.mark.parametrize("f", [np.log, lambda n: n**0.2, lambda n: 1 + n**-0.1])
    def test_no_limit_in_sight(self, f):
        for labels in GRIDS:
            found = extrapolate(at(f(labels), labels))
            assert found.series_status == SeriesStatus.NOT_CONVERGING
            assert np.isinf(found.limit_error)

    @pytest.mark.parametrize(
        "f",
        [
            lambda n: 1 + n**-2.0,  # a series in 1/N without its first term
            lambda n: 1 + 1 / n,
            lambda n: np.exp(1 / n),
            lambda n: np.sqrt(1 + 1 / n),
            lambda n: 1 / n - 6 / n**2,
            lambda n: 3 + 0 * n,
        ],
    )
    def test_series_are_not_suspected(self, f):
        for labels in GRIDS:
            found = extrapolate(at(f(labels), labels))
            assert found.series_status == SeriesStatus.SERIES

    def test_noise_beyond_the_accuracy(self):
        """Told nearly always, and the error then covers the limit nearly always."""
        rng = np.random.default_rng(7)
        for labels in GRIDS[:2]:
            noise = 1e-3 * rng.standard_normal((400, labels.size))
            data = xr.DataArray(1 + 1 / labels + noise, coords={"N": labels}, dims=("draw", "N"))
            found = extrapolate(data)
            told = found.series_status >= SeriesStatus.NOT_A_SERIES
            assert told.mean() > 0.9
            within = abs(found.limit - 1) <= found.limit_error
            assert within.where(told, drop=True).mean() > 0.97
            # Data whose accuracy is stated are not suspected for their noise.
            stated = extrapolate(data, accuracy=1e-2).series_status
            assert (stated < SeriesStatus.NOT_A_SERIES).mean() > 0.95

    def test_too_few_to_judge(self):
        found = extrapolate(at(1 + SIZES**-0.5)[:4])
        assert found.series_status == SeriesStatus.NOT_JUDGED
        found = extrapolate(at(1 + SIZES**-0.5).where(SIZES < 7))
        assert found.series_status == SeriesStatus.TOO_FEW_POINTS
        assert np.isnan(found.observed_order)


class TestNoise:
    def test_coverage(self):
        """Gaussian noise of standard deviation δ/3 and ``accuracy`` δ, for three spacings."""
        accuracy, draws = 1e-6, 400
        for labels in (SIZES, np.arange(4, 20), np.arange(1, 49)):
            noise = np.random.default_rng(3).standard_normal((draws, labels.size)) * accuracy / 3
            values = np.exp(1 / labels) * (1 + noise)
            data = xr.DataArray(values, coords={"N": labels}, dims=("draw", "N"))
            found = extrapolate(data, accuracy=accuracy)
            within = abs(found.limit - 1) <= found.limit_error
            assert within.mean() >= 0.99
            assert float(found.limit_error.median()) < 1e-3

    def test_error_grows_with_the_noise(self):
        data = at(np.exp(1 / SIZES))
        errors = [float(extrapolate(data, accuracy=a).limit_error) for a in (1e-14, 1e-9, 1e-4)]
        assert errors[0] < errors[1] < errors[2]
        orders = [int(extrapolate(data, accuracy=a).extrapolation_order) for a in (1e-14, 1e-4)]
        assert orders[0] > orders[1]


def finite_size(N, even=False, **parameters):
    """(P/N, Var(P)/N², C) at one N; or Eq. 28 with N + 1 in place of N, which is even in it."""
    point = {"E_1": 1, "Gamma_0": 0.001} | parameters
    if not even:
        solution = Exact().solve(Engine(N=N, scaling="high-temperature", **point), NAMES)
        assert solution.status is Status.OK
        return [solution.values[name] for name in NAMES]
    for name in ("T_mean", "delta_T"):
        point[name] *= N + 1
    for name in ("omega_0", "Gamma_0"):
        point[name] /= N + 1
    solution = Exact().solve(Engine(N=N, **point), ("power", "power_variance", "constancy"))
    assert solution.status is Status.OK
    power, variance, constancy = solution.values.values()
    return [power / (N + 1), variance / (N + 1) ** 2, constancy]


def series(labels, point, even=False):
    values = [finite_size(N, even, **point) for N in labels]
    return xr.DataArray(
        values, coords={"N": labels, "variable": list(NAMES)}, dims=("N", "variable"), name="f"
    )


EXAMPLE = {"delta_E": 9, "T_mean": 13.5, "delta_T": 23, "omega_0": 0.006}
COLD = {"delta_E": 9, "T_mean": 10.05, "delta_T": 20, "omega_0": 0.006}
LIMITS = {
    "example": (EXAMPLE, [6.0779305204e-5, 0.0109401012777, 1.00001587362]),
    "large ΔE": (
        EXAMPLE | {"delta_E": 150, "delta_T": 20},
        [-0.018514161788, 0.955107314142, 0.947147608191],
    ),
    "hot": (
        EXAMPLE | {"T_mean": 50, "delta_T": 20},
        [-1.36742920026e-5, 0.00173743684275, 1.00000150319],
    ),
    "strong drive": (
        EXAMPLE | {"omega_0": 0.02, "delta_T": 20},
        [-0.000228990896961, 0.0294814074907, 0.999955275594],
    ),
    "cold, large ΔE": (
        COLD | {"delta_E": 150, "T_mean": 10.1},
        [0.00184892087144, 0.225507710679, 0.98879038958],
    ),
    "cold": (COLD, [0.00131748445603, 0.00144795017596, 0.839850541671]),
}
"""Classical Fokker–Planck equation of the two magnetizations, by spherical harmonics up to degree
14 to 26, whose last two degrees agree to 2e-12 (a code that shares nothing with the finite N)."""
each_limit = pytest.mark.parametrize(("point", "known"), LIMITS.values(), ids=LIMITS)
LIMIT_ROUNDING = 5e-12
"""The known limits have 12 digits."""


def assert_honest(found, known, at_most):
    """The actual error is within the estimate, and that below ``at_most``, both relative."""
    actual = abs(found.limit / known - 1)
    estimate = found.limit_error / abs(found.limit)
    assert (actual <= estimate + LIMIT_ROUNDING).all(), (actual.values, estimate.values)
    assert (estimate < at_most).all(), estimate.values


class TestEngines:
    def test_example(self):
        """The largest size that is solved differs from the limit by 7 %."""
        data = series(SIZES, EXAMPLE)
        known = LIMITS["example"][1]
        assert abs(data.sel(N=48, variable="power_per_pair") / known[0] - 1) > 0.05
        assert_honest(extrapolate(data), known, at_most=3e-8)

    @each_limit
    def test_series_in_inverse_N(self, point, known):
        data = series([5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32], point)
        assert_honest(extrapolate(data), known, at_most=2e-5 if point is COLD else 1e-7)

    @each_limit
    def test_series_in_inverse_square(self, point, known):
        """Smaller sizes, seven of them, reach further with N + 1 in place of N in Eq. 28."""
        data = series([4, 6, 8, 12, 16, 24, 32], point, even=True)
        found = extrapolate(data, offset=1, exponent=2)
        assert_honest(found, known, at_most=3e-5 if point is COLD else 1e-8)

    def test_sizes_too_small_for_a_cold_bath(self):
        """E₁/T₁ = 20: up to N = 16 the constancy is off by more than 1e-5, and says so."""
        found = extrapolate(series([4, 6, 8, 12, 16], COLD)).sel(variable="constancy")
        known = LIMITS["cold"][1][2]
        assert abs(found.limit - known) > 1e-3
        assert abs(found.limit - known) <= found.limit_error

    def test_no_difference_of_even_and_odd_sizes(self):
        even, odd = (
            extrapolate(series(labels, EXAMPLE))
            for labels in ([4, 6, 8, 12, 16, 24, 32], [5, 7, 9, 13, 17, 23, 31])
        )
        assert (abs(even.limit - odd.limit) <= even.limit_error + odd.limit_error).all()
        assert (even.limit_error < 1e-6 * abs(even.limit)).all()


class TestMissingPoints:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_left_out_as_if_absent(self, bad):
        values = np.exp(1 / SIZES)
        data = at(np.where(np.isin(SIZES, [6, 32]), bad, values))
        found, absent = extrapolate(data), extrapolate(at(values).drop_sel(N=[6, 32]))
        xr.testing.assert_identical(found, absent)
        assert found.n_points == 6
        assert found.limit_error > extrapolate(at(values)).limit_error

    def test_fewer_than_three(self):
        found = extrapolate(at([1.0, 2.0] + [np.nan] * 6))
        assert (int(found.n_points), int(found.extrapolation_order)) == (2, 0)
        assert all(np.isnan(found[name]) for name in ("limit", "limit_error", "rounding_error"))

    def test_each_row_has_its_own(self):
        values = np.exp(np.outer([1.0, 2.0, 3.0], 1 / SIZES))
        values[0, 2], values[2, 1:7] = np.nan, np.nan
        data = xr.DataArray(values, coords={"N": SIZES}, dims=("row", "N"))
        found = extrapolate(data)
        np.testing.assert_array_equal(found.n_points, [7, 8, 2])
        np.testing.assert_allclose(found.limit, [1, 1, np.nan], rtol=1e-8)
        for row in range(3):
            xr.testing.assert_identical(found.isel(row=row), extrapolate(data.isel(row=row)))

    def test_zero_everywhere(self):
        """The power at the Carnot point."""
        found = extrapolate(at(np.zeros(8)))
        assert (found.limit, found.limit_error) == (0, 0)


class TestLabels:
    def test_dimensions_units_and_how(self):
        data = at(np.exp(1 / SIZES), units="omega_0^2").expand_dims(T_mean=[1.0, 2.0])
        found = extrapolate(data.assign_coords(E_1=3.0), offset=0.5)
        counts = {
            "extrapolation_order": np.int64,
            "n_points": np.int64,
            "observed_order": np.float64,
            "expected_order": np.int64,
            "series_status": np.int8,
        }
        assert set(found) == {"limit", "limit_error", "rounding_error", *counts}
        assert found.series_status.attrs["flag_meanings"].startswith("series too_few_points")
        for name, variable in found.items():
            assert variable.dims == ("T_mean",)
            assert set(variable.coords) == {"T_mean", "E_1"}
            assert variable.attrs["units"] == ("1" if name in counts else "omega_0^2")
            assert variable.dtype == counts.get(name, np.float64)
            how = {"variable": "f", "dim": "N", "accuracy": 1e-12, "offset": 0.5, "exponent": 1.0}
            assert variable.attrs.items() >= how.items()

    def test_no_units_are_invented(self):
        found = extrapolate(at(np.exp(1 / SIZES)).rename(None))
        assert "units" not in found.limit.attrs
        assert "variable" not in found.limit.attrs

    def test_integers(self):
        found = extrapolate(at(SIZES).astype(int) * 0 + 3)
        np.testing.assert_allclose(found.limit, 3, rtol=1e-12)

    def test_any_position_of_the_axis(self):
        data = at(np.exp(1 / SIZES)).expand_dims(x=[0, 1], y=[0, 1, 2])
        xr.testing.assert_identical(
            extrapolate(data), extrapolate(data.transpose("x", "N", "y")).transpose("x", "y")
        )

    def test_lazy_and_pure(self):
        data = xr.DataArray(
            np.exp(np.outer(np.linspace(0.1, 2, 7), 1 / SIZES)),
            coords={"N": SIZES, "x": np.arange(7)},
            dims=("x", "N"),
        )
        before = data.copy(deep=True)
        with no_computing():
            found = extrapolate(data.chunk(x=2, N=3))
        assert all(variable.chunks is not None for variable in found.values())
        xr.testing.assert_identical(found.compute(), extrapolate(data))
        xr.testing.assert_identical(data, before)


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"accuracy": 0}, r"accuracy must lie between 0 and 1, but is 0: try 1e-12$"),
            ({"accuracy": np.nan}, r"accuracy must lie between 0 and 1, but is nan: try 1e-12$"),
            ({"exponent": -1}, r"exponent must be positive, but is -1: try 1, or 2 for 1/N²$"),
            ({"offset": -4}, r"offset must exceed −4, minus the first N, but is -4: try 0$"),
            ({"offset": np.inf}, r"offset must exceed −4, .* is inf: try 0$"),
            ({"dim": "n"}, r"f has no dimension 'n': did you mean 'N'\?$"),
        ],
    )
    def test_one_line_with_remedy(self, options, message):
        with pytest.raises(InvalidInput, match=message):
            extrapolate(at(np.ones(8)), **options)

    def test_too_few_labels(self):
        with pytest.raises(InvalidInput, match=r"3 labels are needed along 'N', but there are 2"):
            extrapolate(at([1, 2], [4, 8]))

    def test_unsorted(self):
        with pytest.raises(InvalidInput, match=r"strictly increasing: drop .* then sortby\('N'\)$"):
            extrapolate(at([1, 2, 3], [8, 4, 2]))
