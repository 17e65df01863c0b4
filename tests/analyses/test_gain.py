"""Collective gain, power ratio and conductance."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analyses import collective_gain, conductance, power_ratio, same_bath_gain
from analyses.gain import SAME_BATHS, SAME_LABELS
from ensemble import Engine, Exact, InvalidInput
from tests.analyses.conftest import no_computing

N = np.arange(1.0, 9.0)
RATIOS = {"collective_gain": collective_gain, "power_ratio": power_ratio}
each_ratio = pytest.mark.parametrize("ratio", RATIOS.values(), ids=RATIOS)


@given(alpha=st.floats(-3, 3), c=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6))
def test_power_law(alpha, c):
    power = xr.DataArray(c * N**alpha, coords={"N": N}, dims="N")
    np.testing.assert_allclose(collective_gain(power), N ** (alpha - 1), rtol=1e-13)
    np.testing.assert_allclose(power_ratio(power), N**alpha, rtol=1e-13)


class TestRatios:
    @each_ratio
    def test_labels_and_attributes(self, ratio, sweep):
        result = ratio(sweep.power)
        assert result.dims == sweep.power.dims
        xr.testing.assert_identical(result.coords.to_dataset(), sweep.power.coords.to_dataset())
        assert result.attrs["units"] == "1"
        assert {"long_name", "symbol"} <= set(result.attrs)
        assert result.name == ratio.__name__

    @each_ratio
    def test_coordinates_along_the_axis_are_kept(self, ratio, curve):
        power = curve(N)
        xr.testing.assert_identical(ratio(power).wall_time.variable, power.wall_time.variable)

    @each_ratio
    def test_undefined_without_power_of_one_pair(self, ratio, curve):
        for nothing in (0.0, np.nan):
            assert np.isnan(ratio(curve([nothing, 1.0, 2.0]))).all()
        assert ratio(curve([2.0, 0.0, 2.0]))[1] == 0

    @each_ratio
    def test_needs_one_pair_but_not_first(self, ratio, curve):
        with pytest.raises(InvalidInput, match=r"one pair is missing: add N = 1 to the sweep$"):
            ratio(curve(N, labels=N + 1))
        assert ratio(curve([1.0, 3.0, 4.0], labels=[0.5, 1.0, 2.0])).sel(N=1) == 1
        with pytest.raises(InvalidInput, match=r"no dimension 'N': did you mean 'n'\?$"):
            ratio(curve(N).rename(N="n"))

    @each_ratio
    def test_lazy_and_pure(self, ratio, sweep):
        before = sweep.copy(deep=True)
        with no_computing():
            result = ratio(sweep.power.chunk(N=1, delta_E=1))
        assert result.chunks is not None
        xr.testing.assert_identical(result.compute(), ratio(sweep.power))
        xr.testing.assert_identical(sweep, before)


README = {
    "E_1": 1.0,
    "delta_E": 9.0,
    "T_mean": 13.5,
    "delta_T": 23.0,
    "omega_0": 0.006,
    "Gamma_0": 0.001,
}


def scaled(sizes, **more):
    """README's engine in the high-temperature scaling."""
    power = [
        Exact().solve(Engine(N=n, scaling="high-temperature", **README), ["power"]).values["power"]
        for n in sizes
    ]
    dataset = xr.Dataset({"power": ("N", power)}, {"N": sizes} | README | more)
    return dataset.assign_attrs(scaling="high-temperature")


class TestTwoComparisons:
    def test_readme_engine(self):
        """Eight pairs: 0.28 against single pairs at the same labels, 50.6 in the same baths."""
        dataset = scaled([1, 8])
        labels, baths = collective_gain(dataset.power), same_bath_gain(dataset)
        assert float(labels.sel(N=8)) == pytest.approx(0.2816, abs=5e-5)
        assert float(baths.sel(N=8)) == pytest.approx(50.65, abs=5e-3)
        assert float(labels.sel(N=1)) == pytest.approx(1, rel=1e-12)
        assert float(baths.sel(N=1)) == pytest.approx(1, rel=1e-9)
        assert labels.attrs["compared_with"] == SAME_LABELS
        assert baths.attrs["compared_with"] == SAME_BATHS

    def test_against_the_master_equation_of_one_pair(self):
        """One pair at ω₀/8, Γ₀/8 and 8 T, by the exact method and not the closed form."""
        point = README | {name: README[name] / 8 for name in ("omega_0", "Gamma_0")}
        point |= {name: README[name] * 8 for name in ("T_mean", "delta_T")}
        single = Exact().solve(Engine(N=1, **point), ["power"]).values["power"]
        dataset = scaled([8])
        expected = float(dataset.power.item()) / (8 * single)
        assert same_bath_gain(dataset).item() == pytest.approx(expected, rel=1e-9)

    def test_only_the_papers_has_a_limit(self):
        """P₁ᵇ ∝ N⁻³ once N T ≫ E: the gain in the same baths grows as N³."""
        dataset = scaled([1, 16, 32, 64])
        paper, baths = collective_gain(dataset.power), same_bath_gain(dataset)
        assert 0.19 < paper.sel(N=64) < paper.sel(N=32) < paper.sel(N=16) < 0.24
        # The limit is 0.19785 (`limit_gain`): N³ to within the approach of P_N/N to its own.
        ratio = (baths / paper / dataset.N**3).values
        assert ratio[3] / ratio[2] == pytest.approx(1, rel=0.05)

    def test_the_same_without_scaling(self, sweep):
        point = {"E_1": 100.0, "delta_T": 100.0, "omega_0": 1.0, "Gamma_0": 1.0}
        dataset = sweep.assign_coords(point).assign_attrs(scaling="bare")
        found = same_bath_gain(dataset)
        assert found.dims == dataset.power.dims
        expected = collective_gain(dataset.power).sel(delta_E=125)
        np.testing.assert_allclose(found.sel(delta_E=125), expected, rtol=1e-10)
        assert np.isnan(found.sel(delta_E=100)).all()  # Carnot point

    def test_unequal_spins_are_compared_with_pairs_of_half_spins(self):
        dataset = scaled([8])
        assert same_bath_gain(dataset.assign_coords(spin_1=4.0)).item() == pytest.approx(
            same_bath_gain(dataset).item()
        )

    def test_statistics_of_the_sweep(self):
        sweep = '{"model": {"options": {"statistics": "fermionic"}}}'
        dataset = scaled([1, 8]).assign_attrs(sweep=sweep).assign_coords(mu_1=0.3, mu_2=0.1)
        point = README | {"statistics": "fermionic", "mu_1": 0.3, "mu_2": 0.1}
        engine = Engine(N=1, scaling="high-temperature", **point)
        single = Exact().solve(engine, ["power"]).values["power"]
        found = same_bath_gain(dataset).sel(N=1).item()
        assert found == pytest.approx(float(dataset.power.sel(N=1)) / single, rel=1e-9)

    def test_lazy_and_pure(self):
        dataset = scaled([1, 8])
        before = dataset.copy(deep=True)
        with no_computing():
            found = same_bath_gain(dataset.chunk(N=1))
        assert found.chunks is not None
        xr.testing.assert_identical(found.compute(), same_bath_gain(dataset))
        xr.testing.assert_identical(dataset, before)

    def test_what_is_missing_is_told(self):
        dataset = scaled([1])
        for bad, match in (
            (dataset.rename(power="P"), r"needs the variable 'power'"),
            (
                dataset.drop_attrs(),
                r"does not say its scaling: set its attribute 'scaling' to bare",
            ),
            (dataset.drop_vars("omega_0"), r"has no coordinate 'omega_0'"),
        ):
            with pytest.raises(InvalidInput, match=match):
                same_bath_gain(bad)


class TestConductance:
    def test_current_per_affinity(self, sweep):
        """P = ΔE a G away from the Carnot point, where a = E₁/T₁ − E₂/T₂ = 1 − 225/200."""
        G = conductance(sweep.constancy, sweep.quanta_noise).sel(delta_E=125)
        np.testing.assert_allclose(125 * (1 - 225 / 200) * G, sweep.power.sel(delta_E=125))

    def test_finite_at_the_carnot_point(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise).sel(delta_E=100)
        assert (sweep.power.sel(delta_E=100) == 0).all()
        assert (G > 0).all()

    def test_gain_is_that_of_the_power(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise)
        for ratio in RATIOS.values():
            from_power, from_conductance = ratio(sweep.power), ratio(G)
            xr.testing.assert_allclose(
                from_power.sel(delta_E=125), from_conductance.sel(delta_E=125), rtol=1e-12
            )
            assert np.isnan(from_power.sel(delta_E=100)).all()
            assert np.isfinite(from_conductance).all()

    def test_high_temperature_scaling(self, hot_sweep):
        """a ∝ 1/N: the power's ratio is the conductance's collective gain."""
        G = conductance(hot_sweep.constancy, hot_sweep.quanta_noise).sel(delta_E=125)
        power = hot_sweep.power.sel(delta_E=125)
        np.testing.assert_allclose(power_ratio(power), collective_gain(G), rtol=1e-12)

    def test_labels_and_units(self, sweep):
        G = conductance(sweep.constancy, sweep.quanta_noise)
        assert (G.name, G.attrs["units"]) == ("conductance", "omega_0")
        assert G.dims == sweep.constancy.dims
        xr.testing.assert_identical(G.coords.to_dataset(), sweep.coords.to_dataset())
        del (bare := sweep.quanta_noise.copy()).attrs["units"]
        assert "units" not in conductance(sweep.constancy, bare).attrs

    def test_lazy_and_pure(self, sweep):
        before = sweep.copy(deep=True)
        chunked = sweep.chunk(N=1, delta_E=1)
        with no_computing():
            G = conductance(chunked.constancy, chunked.quanta_noise)
        assert G.chunks is not None
        xr.testing.assert_identical(G.compute(), conductance(sweep.constancy, sweep.quanta_noise))
        xr.testing.assert_identical(sweep, before)

    def test_different_points_are_refused(self, sweep):
        constancy, noise = sweep.constancy, sweep.quanta_noise
        for other in (
            noise.isel(N=slice(1, None)),
            noise.assign_coords(N=sweep.N + 1),
            noise.assign_coords(T_mean=151.0),
        ):
            with pytest.raises(InvalidInput, match=r"different labels .*: select both from one"):
                conductance(constancy, other)
        with pytest.raises(InvalidInput, match=r"different labels or coordinates"):
            conductance(constancy.sel(delta_E=100), noise.sel(delta_E=125))
