"""Crossover and transient sizes, against closed forms and the bosonic limit."""

import numpy as np
import pytest
import xarray as xr

from analyses import crossover_size, local_exponent, transient_size
from ensemble import InvalidInput

N = np.arange(1, 65)


def exponents(alpha, labels=N):
    return xr.DataArray(alpha, {"N": labels}, "N")


def test_the_crossing_is_interpolated_in_the_logarithm():
    """α = 2 − log₂(N)/3 reaches 1.5 at N = 2^1.5, between labels."""
    labels = [1, 2, 4, 8]
    found = crossover_size(exponents(2 - np.log2(labels) / 3, labels), threshold=1.5).crossover_size
    assert found.item() == pytest.approx(2**1.5, rel=1e-14)
    assert found.attrs["threshold"] == 1.5


def test_power_over_one_plus_size_crosses_where_its_derivative_says():
    """P = N²/(N + s) has α = 1 + s/(N + s): 1.05 at N = 19 s."""
    size = xr.DataArray([0.5, 1.0, 2.0], dims="s")
    n = xr.DataArray(np.geomspace(1, 400, 300), dims="N", coords={"N": np.geomspace(1, 400, 300)})
    alpha = local_exponent((n**2 / (n + size)).transpose("s", "N"))
    # Second-order differences on a grid of ratio 1.02: errors of 1e-4 relative.
    np.testing.assert_allclose(crossover_size(alpha).crossover_size, 19 * size, rtol=1e-3)


def test_the_last_crossing_counts():
    labels = [1, 2, 3, 4, 5]
    found = crossover_size(exponents([1.2, 1.0, 1.2, 1.0, 1.0], labels), threshold=1.1)
    assert 3 < found.crossover_size.item() < 4


@pytest.mark.parametrize(
    ("alpha", "expected", "unknown"),
    [
        ([1.0, 1.01, 1.02], 1.0, 0),
        ([1.3, 1.2, 1.1], np.nan, 0),
        ([1.3, 1.0, np.nan], np.nan, 1),
        ([1.3, np.nan, 1.0], np.nan, 1),
        ([np.nan, np.nan, 1.0], np.nan, 2),
        ([np.nan, 1.3, 1.0], 2 ** (1 + np.log2(1.5) * 0.25 / 0.3), 0),
    ],
)
def test_ends_and_holes(alpha, expected, unknown):
    found = crossover_size(exponents(alpha, [1, 2, 3]), threshold=1.05)
    assert found.crossover_size.item() == pytest.approx(expected, nan_ok=True, rel=1e-14)
    assert found.n_unknown.item() == unknown


def test_lazy_in_lazy_out():
    alpha = exponents(np.linspace(1.5, 1.0, 64)).chunk({"N": 7})
    found = crossover_size(alpha)
    assert found.crossover_size.chunks is not None
    xr.testing.assert_identical(found.compute(), crossover_size(alpha.compute()))


def test_transient_size_is_the_first_deviation():
    """X = −1 + exp(−20/N): beyond 1e-10 from N = 1 (2e-9), beyond 1e-4 from N = 3 on."""
    x = exponents(-1 + np.exp(-20 / N))
    assert transient_size(x, frozen=-1.0).transient_size.item() == 1
    assert transient_size(x, frozen=-1.0, epsilon=1e-4).transient_size.item() == 3
    assert np.isnan(transient_size(x, frozen=-1.0, epsilon=1.0).transient_size.item())


def test_sizes_without_a_value_below_the_first_deviation_are_counted():
    x = exponents(-1 + np.exp(-20 / N))
    holes = x.where(~np.isin(N, [2, 4]))
    found = transient_size(holes, frozen=-1.0, epsilon=1e-4)
    assert (found.transient_size.item(), found.n_unknown.item()) == (3, 1)
    found = transient_size(x.where(N > 3), frozen=-1.0, epsilon=1e-4)
    assert (found.transient_size.item(), found.n_unknown.item()) == (4, 3)


def test_transient_size_needs_every_size():
    with pytest.raises(InvalidInput, match="N\\* needs every size"):
        transient_size(exponents(-1 + np.exp(-20 / N)).isel(N=slice(1, None)), frozen=-1.0)
    with pytest.raises(InvalidInput, match="epsilon must be positive"):
        transient_size(exponents(-1 + np.exp(-20 / N)), frozen=-1.0, epsilon=0.0)
