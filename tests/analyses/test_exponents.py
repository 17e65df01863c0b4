"""Exponents: known power laws, known crossovers, errors, laziness and the real engine."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from analyses import conductance, local_exponent, power_law_exponent, window_exponent
from analyses._lines import straight_line
from analyses._power_law import FitStatus, fit_above_saturation, log_and_sign
from ensemble import Engine, Exact, InvalidInput
from tests.analyses.conftest import no_computing

N = np.arange(1.0, 21.0)

ANALYSES = {
    "power_law_exponent": power_law_exponent,
    "window_exponent": lambda power, **options: window_exponent(power, start=1, stop=20, **options),
    "local_exponent": local_exponent,
}
each_analysis = pytest.mark.parametrize("analysis", ANALYSES.values(), ids=ANALYSES)


def as_dataset(result):
    return result if isinstance(result, xr.Dataset) else result.to_dataset()


def grid():
    """Nine curves: exponents 0.5, 1, 1.5 with the power law from N = 1, above 4 and never."""
    exponents, onsets = np.array([0.5, 1.0, 1.5]), np.array([0, 4, 19])
    values = N ** exponents[:, None, None] * np.where(onsets[:, None] >= N, 0.5, 1.0)
    return xr.DataArray(
        -values,
        dims=("T_mean", "delta_E", "N"),
        coords={"N": N, "T_mean": exponents, "delta_E": onsets, "E_1": 100.0},
        name="power",
        attrs={"units": "omega_0^2"},
    ).transpose("T_mean", "N", "delta_E")


class TestPowerLaw:
    """P = c N^α on the whole axis."""

    @pytest.mark.parametrize("alpha", [-1.0, 0.0, 1.0, 1.37, 3.0])
    @pytest.mark.parametrize("c", [-3e-9, 2.5e6])
    def test_exponent(self, curve, alpha, c):
        power = curve(c * N**alpha)
        fit = power_law_exponent(power)
        np.testing.assert_allclose(fit.exponent, alpha, atol=1e-13)
        for end in ("low", "high"):
            np.testing.assert_allclose(fit[f"exponent_{end}"], alpha, atol=1e-12)
            np.testing.assert_allclose(fit[f"local_exponent_{end}"], alpha, atol=1e-12)
        assert fit.fit_deviation < 1e-13
        assert (fit.N_sat, fit.n_points, fit.n_missing) == (0, 20, 0)
        assert (fit.first_label, fit.last_label) == (1, 20)
        assert fit.exponent_status == FitStatus.FITTED
        np.testing.assert_allclose(
            window_exponent(power, start=3, stop=9).exponent, alpha, atol=1e-13
        )
        np.testing.assert_allclose(local_exponent(power), alpha, atol=1e-12)

    def test_labels_need_not_be_whole_or_start_at_one(self, curve):
        power = curve([8.0, 27.0, 64.0, 125.0, 1e3], labels=[2.0, 3.0, 4.0, 5.0, 10.0])
        fit = power_law_exponent(power)
        np.testing.assert_allclose(fit.exponent, 3)
        assert (fit.N_sat, fit.n_points) == (0, 5)

    def test_integers(self):
        power = xr.DataArray(np.arange(1, 7) ** 2, coords={"N": np.arange(1, 7)}, dims="N")
        np.testing.assert_allclose(power_law_exponent(power).exponent, 2)


class TestCrossover:
    """N^1.3 above N₀ and half of that up to N₀: N_sat is N₀."""

    @pytest.mark.parametrize("onset", [1, 4, 11, 15])
    def test_n_sat(self, curve, onset):
        fit = power_law_exponent(curve(N**1.3 * np.where(onset >= N, 0.5, 1.0)))
        np.testing.assert_allclose(fit.exponent, 1.3)
        assert (fit.N_sat, fit.n_points) == (onset, 20 - onset)

    def test_window_would_be_too_short(self, curve):
        power = curve(N**1.3 * np.where(N <= 16, 0.5, 1.0))
        fit = power_law_exponent(power)
        assert fit.n_points == 0
        assert np.isnan([fit[name] for name in ("exponent", "exponent_low", "N_sat")]).all()
        assert fit.exponent_status == FitStatus.NOT_STRAIGHT
        # The tolerance that it would need, and no less.
        needed = float(fit.fit_deviation)
        assert power_law_exponent(power, tolerance=0.999 * needed).n_points == 0
        assert power_law_exponent(power, tolerance=1.001 * needed).n_points >= 5
        assert power_law_exponent(power, min_points=4).N_sat == 16

    def test_tolerance_is_on_the_largest_residual(self, curve):
        power = curve(N**1.3 * np.exp(0.02 * (-1) ** N))
        deviation = straight_line(np.log(N), np.log(power.values))[2]
        assert power_law_exponent(power, tolerance=deviation * 1.001).n_points == 20
        assert power_law_exponent(power, tolerance=deviation * 0.999).n_points < 20
        fit = power_law_exponent(power, tolerance=0.03)
        np.testing.assert_allclose(fit.fit_deviation, deviation)

    def test_smallest_n_sat_wins_even_if_one_between_fails(self, curve):
        log_power = 0.01 * np.array([-1, 1, -1, 1, 1, 0])
        deviations = [straight_line(np.log(N[start:6]), log_power[start:])[2] for start in range(3)]
        np.testing.assert_allclose(deviations, [0.01168, 0.01412, 0.00885], atol=1e-5)
        fit = power_law_exponent(curve(np.exp(log_power)), tolerance=0.0125, min_points=4)
        assert (fit.N_sat, fit.n_points) == (0, 6)

    def test_every_point_of_a_grid(self):
        fit = power_law_exponent(grid())
        assert fit.exponent.dims == ("T_mean", "delta_E")
        for alpha in (0.5, 1.0, 1.5):
            for onset in (0, 4):
                point = fit.sel(T_mean=alpha, delta_E=onset)
                np.testing.assert_allclose(point.exponent, alpha)
                assert (point.N_sat, point.n_points) == (onset, 20 - onset)
        assert (fit.sel(delta_E=19).n_points == 0).all()


def brute_force(power, *, tolerance, min_points):
    """α, N_sat and the extremes of `power_law_exponent`, one window at a time, by numpy.polyfit."""

    def fit(labels, values, within):
        for start in range(len(labels) - min_points + 1):
            x, y = np.log(labels[start:]), np.log(np.abs(values[start:]))
            line = np.polyfit(x, y, 1)
            if np.max(np.abs(y - np.polyval(line, x))) <= within:
                return line[0], start
        return None

    there = np.isfinite(power.values)
    labels, values = power.N.values[there], power.values[there]
    alpha, start = fit(labels, values, tolerance)
    others = [
        fit(labels[:end], values[:end], factor * tolerance)
        for end in range(min_points, len(labels) + 1)
        if labels[end - 1] >= labels[-1] / 2
        for factor in (0.5, 1, 2)
    ]
    slopes = [found[0] for found in others if found]
    # By second differences on the whole axis, so that only the last is one-sided.
    local = np.gradient(np.log(np.abs(values)), np.log(labels), edge_order=2)[start:]
    return [alpha, min(slopes), max(slopes), len(slopes), local.min(), local.max(), len(local)]


class TestSpread:
    """The slope drifts: α is reported with what other windows and tolerances make of it."""

    @pytest.mark.parametrize("holes", [[], [3, 11], [19], [1, 2, 18]])
    @pytest.mark.parametrize("tolerance", [0.003, 0.01, 0.05])
    def test_brute_force(self, curve, holes, tolerance):
        values = -(N**1.1) * (1 + 3 / N) ** -1.5
        values[holes] = np.nan
        power = curve(values)
        fit = power_law_exponent(power, tolerance=tolerance)
        names = ("exponent", "exponent_low", "exponent_high", "n_fits")
        names += ("local_exponent_low", "local_exponent_high", "n_points")
        expected = brute_force(power, tolerance=tolerance, min_points=5)
        np.testing.assert_allclose([float(fit[name]) for name in names], expected, rtol=1e-9)
        assert fit.exponent_low < fit.exponent < fit.exponent_high
        assert fit.n_missing == np.isnan(power.sel(N=fit.N_sat < power.N)).sum()

    def test_windows_by_brute_force(self, curve):
        values = N**1.1 * (1 + 3 / N) ** -1.5
        values[8] = np.nan
        fit = window_exponent(curve(values), start=3, stop=17)
        there = np.delete(N[2:17], 6)
        x, y = np.log(there), np.log(values[there.astype(int) - 1])
        slopes = [
            np.polyfit(x[i:j], y[i:j], 1)[0]
            for i in range(x.size)
            for j in range(i + 3, x.size + 1)
            if x[j - 1] - x[i] >= (x[-1] - x[0]) / 2
        ]
        assert fit.n_fits == len(slopes)
        np.testing.assert_allclose(fit.exponent, np.polyfit(x, y, 1)[0], rtol=1e-12)
        np.testing.assert_allclose(fit.exponent_low, min(slopes), rtol=1e-9)
        np.testing.assert_allclose(fit.exponent_high, max(slopes), rtol=1e-9)
        assert (fit.n_points, fit.n_missing) == (14, 1)

    def test_fig_2_at_its_hot_end(self):
        """T̄ = 250, ΔE = 125: α drifts; a sweep up to N = 20 instead of 24 says 1.249, not 1.205."""
        sizes = np.arange(1, 25)
        fixed = {"E_1": 100, "delta_E": 125, "T_mean": 250, "delta_T": 100}
        engines = [Engine(N=int(n), omega_0=1, Gamma_0=1, **fixed) for n in sizes]
        power = xr.DataArray(
            [Exact().solve(engine, ["power"]).values["power"] for engine in engines],
            coords={"N": sizes},
            dims="N",
        )
        fit = power_law_exponent(power)
        shorter = power_law_exponent(power.sel(N=slice(None, 20)))
        assert float(fit.exponent) == pytest.approx(1.205, abs=5e-4)
        assert float(shorter.exponent) == pytest.approx(1.249, abs=5e-4)
        assert float(fit.local_exponent_high) == pytest.approx(1.321, abs=5e-4)
        assert float(fit.local_exponent_low) == pytest.approx(1.131, abs=5e-4)
        assert fit.exponent_low <= fit.exponent < shorter.exponent <= fit.exponent_high
        for last in range(12, 24):
            other = power_law_exponent(power.sel(N=slice(None, last))).exponent
            assert np.isnan(other) or fit.exponent_low <= other <= fit.exponent_high


class TestUndefined:
    """A hole is left out; zero and a change of sign are never part of a window."""

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("place", [0, 3, 17, 19])
    def test_a_hole_anywhere_is_left_out(self, curve, bad, place):
        values = N**1.5
        values[place] = bad
        power = curve(values)
        for fit in (power_law_exponent(power), window_exponent(power, start=1, stop=20)):
            np.testing.assert_allclose(fit.exponent, 1.5)
            assert (fit.n_points, fit.n_missing) == (19, 1)
            ends = (2 if place == 0 else 1, 19 if place == 19 else 20)
            assert (fit.first_label, fit.last_label) == ends
            assert fit.exponent_status == FitStatus.FITTED

    @pytest.mark.parametrize("bad", [0.0, -1.0])
    def test_zero_and_sign_below_the_window(self, curve, bad):
        values = N**1.5
        values[3] *= bad
        fit = power_law_exponent(curve(values))
        np.testing.assert_allclose(fit.exponent, 1.5)
        assert (fit.N_sat, fit.n_points) == (4, 16)

    @pytest.mark.parametrize("bad", [0.0, -1.0])
    def test_zero_and_sign_inside(self, curve, bad):
        values = N**1.5
        values[17] *= bad
        power = curve(values)
        for fit in (power_law_exponent(power), window_exponent(power, start=2, stop=19)):
            assert np.isnan([fit.exponent, fit.exponent_low, fit.local_exponent_high]).all()
            assert fit.n_points == 0
            assert fit.exponent_status == FitStatus.ZERO_OR_SIGN_CHANGE
        np.testing.assert_allclose(window_exponent(power, start=2, stop=17).exponent, 1.5)
        assert np.isnan(local_exponent(power)).values.nonzero()[0].tolist() == [16, 17, 18, 19]

    def test_a_map_of_seven_sizes_says_why_it_has_no_exponent(self, curve):
        """Half of its curves drift too fast for five labels in a line; three would do."""
        labels = 2.0 ** np.arange(7)
        power = xr.concat(
            [curve(labels**1.2 * (1 + c / labels) ** -0.5, labels) for c in (0.0, 0.01, 2.0, 3.0)],
            dim=xr.Variable("T_mean", [1.0, 2.0, 3.0, 4.0]),
            coords="minimal",
            compat="override",
        )
        fit = power_law_exponent(power.drop_vars("wall_time"))
        assert fit.exponent_status.values.tolist() == [0, 0, 3, 3]
        assert np.isnan(fit.exponent).values.tolist() == [False, False, True, True]
        assert (fit.fit_deviation > 0.01).values.tolist() == [False, False, True, True]
        assert fit.exponent_status.attrs["flag_meanings"].split()[3] == "not_straight"
        assert (power_law_exponent(power, min_points=3).exponent_status == 0).all()
        few = power_law_exponent(power.where(power.N > 4))
        assert (few.exponent_status == FitStatus.TOO_FEW_LABELS).all()

    @pytest.mark.parametrize("bad", [np.nan, 0.0, np.inf, -1.0])
    def test_local_exponent_sees_the_middle_of_a_uniform_stencil(self, curve, bad):
        labels = 2.0 ** np.arange(7)  # ln N is uniform
        values = labels**1.5
        values[3] *= bad
        alpha = local_exponent(curve(values, labels=labels))
        assert np.isnan(alpha).values.tolist() == [False, False, True, True, True, False, False]

    def test_all_undefined(self, curve):
        for values in (np.zeros(20), np.full(20, np.nan)):
            assert power_law_exponent(curve(values)).n_points == 0
            assert window_exponent(curve(values), start=1, stop=20).n_points == 0
            assert np.isnan(local_exponent(curve(values))).all()

    def test_log_and_sign(self):
        log, sign = log_and_sign(np.array([1.0, -1.0, 0.0, -0.0, np.nan, np.inf, -np.inf]))
        np.testing.assert_array_equal(log, [0, 0] + [np.nan] * 5)
        np.testing.assert_array_equal(sign, [1, -1] + [np.nan] * 5)


class TestLocalExponent:
    def test_second_order(self, curve):
        """ln P = sin(x), x = ln N on a stretched grid: halving the step quarters the error."""
        errors = []
        for n in (40, 80, 160):
            u = np.linspace(0, 3, n + 1)
            x = u + 0.2 * np.sin(2 * u)
            alpha = local_exponent(curve(np.exp(np.sin(x)), labels=np.exp(x)))
            error = np.abs(alpha - np.cos(x)).values
            errors.append([error[1:-1].max(), error[0], error[-1]])
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        np.testing.assert_allclose(orders, 2, atol=0.2)

    def test_exact_on_parabolas(self, curve):
        x = np.log(N)
        alpha = local_exponent(curve(np.exp(1 + 2 * x - 0.3 * x**2)))
        np.testing.assert_allclose(alpha, 2 - 0.6 * x, atol=1e-12)

    def test_keeps_dims_and_labels(self):
        power = grid()
        alpha = local_exponent(power)
        assert alpha.dims == power.dims
        xr.testing.assert_identical(alpha.coords.to_dataset(), power.coords.to_dataset())


class TestProperties:
    noisy = npst.arrays(float, 12, elements=st.floats(-0.01, 0.01))
    scales = st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6)

    @given(noise=noisy, alpha=st.floats(-2, 3), scale=scales)
    def test_invariance(self, noise, alpha, scale):
        """α is that of cP, and one less than that of N P; the residuals are the same."""
        labels = np.arange(1.0, 13.0)
        power = xr.DataArray(labels**alpha * np.exp(noise), coords={"N": labels}, dims="N")
        for analysis in (
            lambda P: power_law_exponent(P, tolerance=0.1),
            lambda P: window_exponent(P, start=2, stop=9),
            lambda P: local_exponent(P).to_dataset(),
        ):
            original = analysis(power)
            raised = original.copy()
            for shifted in [n for n in original if str(n).startswith(("exponent", "local_"))]:
                if shifted != "exponent_status":
                    raised[shifted] = original[shifted] + 1
            xr.testing.assert_allclose(analysis(scale * power), original, rtol=1e-9, atol=1e-11)
            xr.testing.assert_allclose(analysis(power.N * power), raised, rtol=1e-9, atol=1e-11)

    @given(
        values=npst.arrays(float, (2, 8), elements=st.floats(0.1, 10)),
        tolerance=st.floats(0.01, 2),
        min_points=st.integers(3, 8),
    )
    def test_vectorised_as_one_by_one(self, values, tolerance, min_points):
        labels = np.arange(1.0, 9.0)
        options = {"labels": labels, "tolerance": tolerance, "min_points": min_points}
        together = fit_above_saturation(values, **options)
        apart = [fit_above_saturation(row, **options) for row in values]
        for column, rows in zip(together, zip(*apart, strict=True), strict=True):
            np.testing.assert_allclose(column, rows, rtol=1e-12, atol=1e-13)


class TestLabelled:
    def test_attributes(self, curve):
        fit = power_law_exponent(curve(N**1.5))
        ranges = {f"{of}exponent_{end}" for of in ("", "local_") for end in ("low", "high")}
        shared = {"exponent", "n_fits", "first_label", "last_label", "n_points", "n_missing"}
        shared |= ranges | {"fit_deviation", "exponent_status"}
        assert set(fit) == shared | {"N_sat"}
        for array in (*fit.values(), local_exponent(curve(N))):
            assert {"long_name", "symbol", "units", "dim"} <= set(array.attrs)
            assert array.attrs["units"] == "1"
        assert fit.exponent.attrs["tolerance"] == 0.01
        assert fit.n_points.dtype == np.int64
        window = window_exponent(curve(N), start=2, stop=9)
        assert set(window) == shared
        assert (window.exponent.attrs["start"], window.exponent.attrs["stop"]) == (2, 9)

    def test_n_sat_has_the_unit_of_its_axis(self, curve):
        power = curve(N).rename(N="T_mean_axis")
        power["T_mean_axis"].attrs["units"] = "omega_0"
        assert power_law_exponent(power, dim="T_mean_axis").N_sat.attrs["units"] == "omega_0"

    @each_analysis
    def test_coordinates_are_kept_with_their_attributes(self, analysis):
        power = grid()
        power["T_mean"].attrs["units"] = "omega_0"
        result = analysis(power)
        assert result.E_1 == 100
        assert result.T_mean.attrs == {"units": "omega_0"}
        xr.testing.assert_identical(result.T_mean, power.T_mean)

    @each_analysis
    def test_input_is_not_mutated(self, analysis):
        power = grid()
        before = power.copy(deep=True)
        analysis(power)
        xr.testing.assert_identical(power, before)

    @each_analysis
    def test_lazy(self, analysis):
        power = grid()
        chunked = power.chunk(N=1, T_mean=2)
        with no_computing():
            result = as_dataset(analysis(chunked))
        assert all(array.chunks is not None for array in result.values())
        xr.testing.assert_allclose(result.compute(), as_dataset(analysis(power)), rtol=1e-12)
        assert {name: array.dtype for name, array in result.items()} == {
            name: array.dtype for name, array in result.compute().items()
        }


class TestInvalidInput:
    @each_analysis
    def test_axis(self, analysis, curve):
        power = curve(N)
        for bad, match in (
            (power.to_dataset(name="power"), r"not Dataset: select one variable"),
            (power.astype(complex), r"power must be real .* convert it to float$"),
            (power.rename(N="n"), r"power has no dimension 'N': did you mean 'n'\?$"),
            (power.sel(N=1), r"no dimension 'N': keep N on selection$"),
            (power.drop_vars("N"), r"has no labels: name them with assign_coords\(N=…\)$"),
            (power.assign_coords(N=[f"{n}" for n in N]), r"but are <U4: choose another dimension$"),
            (power[::-1], r"positive and strictly increasing: .* sortby\('N'\)$"),
            (power.assign_coords(N=N - 1), r"positive and strictly increasing"),
            (power.isel(N=[0, 0, 1, 2, 3]), r"positive and strictly increasing"),
        ):
            with pytest.raises(InvalidInput, match=match):
                analysis(bad)

    def test_too_few_points(self, curve):
        with pytest.raises(InvalidInput, match=r"5 labels .* are 4: sweep or select more"):
            power_law_exponent(curve(N[:4]))
        with pytest.raises(InvalidInput, match=r"3 labels .* is 1: sweep or select more"):
            local_exponent(curve(N[:1]))
        for start, stop, count in ((1, 2, 2), (9, 4, 0), (30, 40, 0), (1.5, 3.5, 2)):
            with pytest.raises(InvalidInput, match=rf"holds {count} labels.*: widen it$"):
                window_exponent(curve(N), start=start, stop=stop)

    @pytest.mark.parametrize("tolerance", [0, -1e-3, np.nan])
    def test_tolerance(self, curve, tolerance):
        with pytest.raises(InvalidInput, match=r"tolerance must be positive.*: try 0\.01$"):
            power_law_exponent(curve(N), tolerance=tolerance)

    @pytest.mark.parametrize("min_points", [2, 0, 4.5])
    def test_min_points(self, curve, min_points):
        with pytest.raises(InvalidInput, match=r"min_points must be a whole number ≥ 3.*: try 5$"):
            power_law_exponent(curve(N), min_points=min_points)


class TestEngine:
    """Fig. 2's engine: superlinear at small N, and a slope that falls towards 1."""

    def test_local_exponent_falls_towards_one(self, sweep):
        alpha = local_exponent(sweep.power.sel(delta_E=125))
        beyond = alpha.isel(N=slice(int(alpha.argmax("N")), None))
        assert (beyond.diff("N") < 0).all()
        assert alpha.max() > 1.5
        assert 1 < beyond[-1] < 1.1

    def test_window_exponent_falls_towards_one(self, sweep):
        power = sweep.power.sel(delta_E=125)
        windows = [
            float(window_exponent(power, start=start, stop=start + 4).exponent)
            for start in range(1, 13)
        ]
        assert all(np.diff(windows) < 0)
        assert windows[-1] > 1

    def test_tighter_tolerance_higher_n_sat(self, sweep):
        power = sweep.power.sel(delta_E=125)
        fits = [power_law_exponent(power, tolerance=tolerance) for tolerance in (0.1, 0.01, 0.003)]
        assert fits[0].N_sat < fits[1].N_sat < fits[2].N_sat
        assert fits[0].exponent > fits[1].exponent > fits[2].exponent > 1

    def test_conductance_has_the_exponent_of_the_power_and_no_hole(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise)
        from_power, from_conductance = power_law_exponent(sweep.power), power_law_exponent(G)
        assert from_power.n_points.values.tolist() == [0, 9]
        assert (from_conductance.n_points > 0).all()
        xr.testing.assert_allclose(from_power.sel(delta_E=125), from_conductance.sel(delta_E=125))

    def test_high_temperature_scaling_shifts_the_exponent_by_one(self, hot_sweep):
        G = conductance(hot_sweep.constancy, hot_sweep.quanta_noise).sel(delta_E=125)
        power = hot_sweep.power.sel(delta_E=125)
        np.testing.assert_allclose(local_exponent(power), local_exponent(G) - 1, rtol=1e-10)
