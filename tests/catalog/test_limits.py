"""Sweeps of the limits N → ∞: the same labelled dimensions, without N."""

import pytest

import catalog
from catalog.heat_engine.methods import method_from
from catalog.running.plan import plan
from ensemble import Cumulant, Engine, InvalidInput, Macroscopic

AXES = {"delta_E": [4.0, 9.0], "T_mean": [12.0, 13.5], "omega_0": [0.002, 0.006]}
FIXED = {"E_1": 1.0, "delta_T": 20.0, "Gamma_0": 0.001}


def sweep(method, **more):
    return catalog.Sweep(
        name="limit", axes=AXES, fixed=FIXED, scaling="high-temperature",
        method=method_from(method), **more,
    )  # fmt: skip


@pytest.mark.parametrize("given", ["macroscopic", {"name": "cumulant", "order": 4}])
def test_a_sweep_of_a_limit_is_stored_and_equals_its_method(given, tmp_path):
    swept = sweep(given)
    store = str(tmp_path / "s.zarr")
    catalog.dataset(swept, store).compute()
    stored = catalog.dataset(swept, store).compute()
    assert "N" not in stored.dims
    assert (stored.status == 1).all()
    assert set(stored.dims) == set(AXES)
    assert stored.gap.attrs["units"] == "energy"
    engine = Engine(
        N=1, **FIXED, delta_E=9, T_mean=13.5, omega_0=0.002, scaling=swept.model.scaling
    )
    solution = swept.model.method.solve(engine)
    point = stored.sel(delta_E=9.0, T_mean=13.5, omega_0=0.002)
    for name, value in solution.values.items():
        assert point[name].item() == pytest.approx(value, nan_ok=True, rel=0, abs=0)
    for name, value in solution.diagnostics.items():
        assert point[name].item() == pytest.approx(value, nan_ok=True, rel=0, abs=0)


def test_definitions_keep_the_order_of_the_closure():
    swept = sweep({"name": "cumulant", "order": 2})
    again = catalog.HeatEngine.from_options(swept.definition()["model"]["options"])
    assert again.method == Cumulant(order=2)
    assert swept.replace(model=again).grid.key == swept.grid.key != sweep("cumulant").grid.key


def test_a_limit_refuses_a_size_and_the_bare_scaling():
    with pytest.raises(InvalidInput, match="limit N → ∞: leave out N"):
        catalog.Sweep(name="limit", axes={**AXES, "N": [1, 2]}, fixed=FIXED, method=Macroscopic())
    with pytest.raises(InvalidInput, match="use scaling high-temperature"):
        catalog.Sweep(name="limit", axes=AXES, fixed=FIXED, method=Macroscopic())


def test_plans_tell_the_methods_apart():
    """An exact point of N → ∞ takes longer than a closed one."""
    assert plan(sweep("macroscopic")).core_seconds > plan(sweep("cumulant")).core_seconds > 0
