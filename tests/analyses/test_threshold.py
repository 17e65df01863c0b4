"""The noise at which a gain is lost: power laws, what comes back, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from analyses.threshold import ThresholdStatus, noise_threshold
from ensemble import InvalidInput
from tests.analyses.conftest import no_computing

RATES = np.geomspace(1e-3, 1e3, 13)
SIZES = [2, 4, 8]


def as_gain(values, **more):
    labels = {"Gamma_local": ("Gamma_local", RATES, {"units": "E_1"}), **more}
    return xr.DataArray(values, dims=(*more, "Gamma_local"), coords=labels)


def status(found):
    return ThresholdStatus(int(found.threshold_status))


def test_a_power_law_is_met_exactly_for_each_size():
    gain = as_gain([3.0 * N / np.sqrt(RATES) for N in SIZES], N=SIZES)
    gain.attrs["compared_with"] = "themselves"
    found = noise_threshold(gain, level=2.0)
    np.testing.assert_allclose(found.noise_threshold, [(1.5 * N) ** 2 for N in SIZES], rtol=1e-12)
    assert (found.threshold_status == ThresholdStatus.FOUND).all()
    assert found.noise_threshold.attrs["units"] == "E_1"
    assert found.noise_threshold.attrs["level"] == 2.0
    assert found.noise_threshold.attrs["compared_with"] == "themselves"
    assert (found.threshold_low <= found.noise_threshold).all()
    assert (found.noise_threshold <= found.threshold_high).all()
    for name in ("threshold_low", "threshold_high"):  # labels, not numbers close to them
        assert found[name].isin(RATES).all()
    assert "Gamma_local" not in found.coords


def test_kept_lost_before_and_coming_back():
    assert status(noise_threshold(as_gain(1 + RATES))) is ThresholdStatus.KEPT
    assert status(noise_threshold(as_gain(0.5 + 0 * RATES))) is ThresholdStatus.LOST_BEFORE
    back = noise_threshold(as_gain(0.5 + RATES))
    assert (status(back), int(back.n_crossings)) == (ThresholdStatus.LOST_BEFORE, 1)
    dip = noise_threshold(as_gain(np.where(np.abs(np.log(RATES)) < 1, 0.5, 2.0)))
    assert (status(dip), int(dip.n_crossings)) == (ThresholdStatus.FOUND, 2)


def test_missing_values_hide_a_fall():
    falling = as_gain(2 / RATES)
    gap = noise_threshold(falling.where(np.abs(np.log10(falling.Gamma_local)) > 0.6))
    assert status(gap) is ThresholdStatus.IN_A_GAP
    assert np.isnan(gap.noise_threshold)
    assert float(gap.threshold_low) == pytest.approx(0.1)
    assert float(gap.threshold_high) == pytest.approx(10)
    ended = noise_threshold(falling.where(falling.Gamma_local < 0.5))
    assert status(ended) is ThresholdStatus.CANNOT_TELL
    assert int(ended.n_missing) == 7
    assert status(noise_threshold(as_gain(np.nan * RATES))) is ThresholdStatus.CANNOT_TELL


def test_lazy_input_stays_lazy():
    gain = as_gain([N / RATES for N in SIZES], N=SIZES).chunk({"Gamma_local": 4})
    with no_computing():
        found = noise_threshold(gain)
    np.testing.assert_allclose(found.noise_threshold.compute(), SIZES, rtol=1e-12)


def test_bad_input_is_one_line():
    with pytest.raises(InvalidInput, match="positive and strictly increasing"):
        noise_threshold(as_gain(RATES).assign_coords(Gamma_local=RATES - RATES[0]))
    with pytest.raises(InvalidInput, match="level must be positive"):
        noise_threshold(as_gain(RATES), level=0.0)
