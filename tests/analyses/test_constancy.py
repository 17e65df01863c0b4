"""Violations of the classical bound: where, how far, up to which size."""

import numpy as np
import pytest
import xarray as xr

from analyses import best_constancy, last_violation, tur_violation
from ensemble import Engine, Exact, InvalidInput

SIZES = [1, 2, 4, 8]
CONSTANCY = xr.DataArray(
    [[1.002, 1.001, 0.99, 0.98], [0.9, 0.8, np.nan, 0.7], [0.99, 1.0 + 1e-12, 1.01, 1.02]],
    {"T_mean": [1.0, 2.0, 3.0], "N": SIZES},
    ("T_mean", "N"),
    name="constancy",
)


def test_a_violation_exceeds_the_error():
    found = tur_violation(CONSTANCY)
    expected = [[True, True, False, False], [False] * 4, [False, False, True, True]]
    np.testing.assert_array_equal(found.violation, expected)
    np.testing.assert_allclose(found.constancy_excess, CONSTANCY - 1, rtol=0)
    np.testing.assert_array_equal(found.violation_margin > 1, expected)
    assert found.violation.attrs["units"] == "1"


def test_an_error_of_each_point_is_respected():
    error = xr.full_like(CONSTANCY, 1e-9).where(CONSTANCY.N != 8, 0.1)
    found = tur_violation(CONSTANCY, error=error).violation
    assert not found.sel(N=8).any()
    assert found.sel(N=4, T_mean=3.0)


def test_the_last_size_that_violates():
    np.testing.assert_array_equal(last_violation(CONSTANCY).last_violation, [2.0, np.nan, 8.0])
    np.testing.assert_array_equal(
        last_violation(CONSTANCY, error=0.0015).last_violation, [1.0, np.nan, 8.0]
    )


def test_the_best_label_is_the_first_of_the_largest():
    best = best_constancy(CONSTANCY, dim="N")
    np.testing.assert_array_equal(best.best_constancy, [1.002, 0.9, 1.02])
    np.testing.assert_array_equal(best.best_N, [1, 1, 8])
    assert np.isnan(best_constancy(xr.full_like(CONSTANCY, np.nan), dim="N").best_N).all()


def test_lazy_in_lazy_out():
    lazy = CONSTANCY.chunk({"N": 1, "T_mean": 2})
    for found, expected in (
        (tur_violation(lazy).violation, tur_violation(CONSTANCY).violation),
        (last_violation(lazy).last_violation, last_violation(CONSTANCY).last_violation),
        (best_constancy(lazy, dim="N").best_N, best_constancy(CONSTANCY, dim="N").best_N),
    ):
        assert found.chunks is not None
        xr.testing.assert_identical(found.compute(), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tur_violation(CONSTANCY.to_dataset()), "an analysis takes a DataArray"),
        (lambda: tur_violation(CONSTANCY > 1), "must be real numbers"),
        (lambda: tur_violation(CONSTANCY, error=0.0), "error"),
        (lambda: last_violation(CONSTANCY, dim="M"), "no dimension 'M'"),
        (lambda: best_constancy(CONSTANCY), "no dimension 'omega_0'"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_fig_3_loses_its_violation_at_two_pairs():
    """ΔE = 9, T̄ = 11.5, T₂ − T₁ = 20: C₁ = 1.000137, and below 1 from N = 2."""
    engines = [
        Engine(N=N, E_1=1, delta_E=9, T_mean=11.5, delta_T=20, omega_0=0.006, Gamma_0=0.001)
        for N in (1, 2, 3)
    ]
    values = [Exact().solve(engine, ["constancy"]).values["constancy"] for engine in engines]
    assert values[0] == pytest.approx(1.000137, abs=5e-7)
    assert last_violation(xr.DataArray(values, {"N": [1, 2, 3]}, "N")).last_violation.item() == 1


def test_missing_values_that_could_change_the_result_are_counted():
    sizes = {"N": [1, 2, 4, 8]}
    for values, last, unknown in (
        ([1.1, np.nan, 0.9, np.nan], 1, 2),
        ([np.nan, 1.1, 0.9, 0.9], 2, 0),
        ([0.9, np.nan, 0.9, 0.9], np.nan, 1),
    ):
        constancy = xr.DataArray(values, sizes, "N")
        found = last_violation(constancy)
        np.testing.assert_array_equal(found.last_violation, last)
        assert found.n_unknown == unknown
        assert best_constancy(constancy, dim="N").n_unknown == np.isnan(values).sum()
