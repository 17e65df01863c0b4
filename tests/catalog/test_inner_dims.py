"""Variables with dimensions of their own: stored, selected, combined, exported, refined."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import catalog
from catalog import Parameter, Sweep, Variable
from tests.catalog.support import refused


@catalog.model(
    name="spiral",
    parameters=[
        Parameter("turns", "k", "turns", dtype="int64"),
        Parameter("rate", "r", "growth rate", unit="1/s"),
    ],
    variables=[
        Variable("length", "L", "length"),
        Variable("spectrum", "λ", "modes", dims={"mode": range(3)}, dtype="complex128", unit="1/s"),
        Variable("counts", "c", "counts", dims={"time": [0.0, 0.5], "side": ["left", "right"]},
                 dtype="int64"),
        Variable("names", "", "words", dims={"side": ["left", "right"]}, dtype="str"),
    ],
)  # fmt: skip
def spiral(turns, rate):
    if rate == 3.0:
        raise ArithmeticError("no such spiral")
    return {
        "length": turns * rate,
        "spectrum": np.exp(1j * rate * np.arange(3)) * turns,
        "counts": np.array([[turns, 0], [1, 2]]),
        "names": ["l" * turns, "ü"],
    }


def a_sweep(**changes) -> Sweep:
    arguments = {
        "name": "spiral", "model": spiral, "fixed": {},
        "axes": {"turns": [1, 2], "rate": [1.0, 2.0, 3.0]}, "blocks": {"rate": 2},
    }  # fmt: skip
    return Sweep(**{**arguments, **changes})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    location = tmp_path_factory.mktemp("inner") / "s"
    counts = catalog.run(a_sweep(), location, scheduler="synchronous")
    assert (counts["ok"], counts["failed"]) == (4, 2)
    return location


def test_they_are_whole_at_each_point_with_labels_and_units(store):
    for ds in (catalog.dataset(a_sweep()), catalog.open(store)["spiral"].dataset()):
        assert ds.spectrum.dims == ("turns", "rate", "mode")
        assert ds.counts.dims == ("turns", "rate", "time", "side")
        assert ds.spectrum.dtype == np.complex128
        assert ds.side.values.tolist() == ["left", "right"]
        assert ds.spectrum.attrs["units"] == "1/s"
        found = ds.sel(turns=2, rate=2.0).load()
        np.testing.assert_array_equal(found.spectrum, 2 * np.exp(2j * np.arange(3)))
        assert found.counts.sel(time=0.5, side="right").item() == 2
        assert found.names.values.tolist() == ["ll", "ü"]
        assert ds.length.sel(turns=2).dims == ("rate",)


def test_a_point_that_is_not_computed_has_fills_along_them(store):
    ds = catalog.open(store)["spiral"].dataset()
    failed = ds.sel(turns=1, rate=3.0).load()
    assert np.isnan(failed.spectrum).all()
    assert (failed.counts == -1).all()
    assert failed.names.values.tolist() == ["", ""]
    assert "no such spiral" in failed.error.item()


def test_plain_xarray_reads_them(store):
    with xr.open_zarr(store, group="spiral", consolidated=False) as ds:
        np.testing.assert_array_equal(ds.spectrum[1, 1], 2 * np.exp(2j * np.arange(3)))
        assert ds.spectrum.sizes == {"turns": 2, "rate": 3, "mode": 3}


def test_an_extended_sweep_shows_them_whole(store, tmp_path):
    more = a_sweep(axes={"turns": [1, 2, 3], "rate": [1.0, 1.5, 2.0, 3.0]})
    catalog.run(a_sweep(), tmp_path, scheduler="synchronous")
    catalog.run(more, tmp_path, scheduler="synchronous")
    ds = catalog.open(tmp_path)["spiral"].dataset()
    expected = np.arange(1, 4)[:, None, None] * np.exp(
        1j * np.array([1.0, 1.5, 2.0])[:, None] * np.arange(3)
    )
    np.testing.assert_array_equal(ds.spectrum.sel(rate=[1.0, 1.5, 2.0]), expected)
    assert catalog.check(tmp_path).sound


def test_a_flipped_bit_in_one_is_found_and_mended(store, tmp_path):
    catalog.run(a_sweep(), tmp_path, scheduler="synchronous")
    (chunk,) = [path for path in (tmp_path / "spiral/spectrum/c").rglob("*") if path.is_file()]
    content = bytearray(chunk.read_bytes())
    content[-9] ^= 4
    chunk.write_bytes(content)
    with refused(".* is damaged .*: run heatcat repair .*, then go on"):
        catalog.open(tmp_path)["spiral"].dataset().spectrum.load()
    assert not catalog.check(tmp_path).sound
    catalog.repair(tmp_path)
    catalog.run(a_sweep(), tmp_path, scheduler="synchronous")
    expected = catalog.open(store)["spiral"].dataset().spectrum.values
    np.testing.assert_array_equal(catalog.open(tmp_path)["spiral"].dataset().spectrum, expected)


def test_conditions_and_tables_have_one_row_a_point(store):
    ds = catalog.open(store)["spiral"].dataset()
    assert catalog.where_expression(ds, "L > 1 and r < 3").dims == ("turns", "rate")
    frame = catalog.table(ds)
    assert len(frame) == 6
    row = frame[(frame.turns == 2) & (frame.rate == 1.0)].iloc[0]
    assert row.counts == [[2, 0], [1, 2]]
    assert row["names"] == ["ll", "ü"]
    assert "mode" not in frame


def test_files_have_lists_and_parts_of_complex_numbers(store, tmp_path):
    ds = catalog.open(store)["spiral"].dataset()
    expected = 2 * np.exp(1j * np.arange(3))
    for suffix in (".nc", ".csv", ".parquet"):
        assert catalog.export(ds, tmp_path / f"x{suffix}").points == 6
    frame = pd.read_parquet(tmp_path / "x.parquet").set_index(["turns", "rate"])
    np.testing.assert_array_equal(frame.spectrum_real[2, 1.0], expected.real)
    np.testing.assert_array_equal(frame.spectrum_imag[2, 1.0], expected.imag)
    assert [row.tolist() for row in frame.counts[2, 1.0]] == [[2, 0], [1, 2]]
    text = pd.read_csv(tmp_path / "x.csv").set_index(["turns", "rate"])
    assert json.loads(text.spectrum_real[2, 1.0]) == expected.real.tolist()
    assert json.loads(text.spectrum_real[1, 3.0]) == [None] * 3
    assert json.loads(text["names"][2, 1.0]) == ["ll", "ü"]
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as back:
        np.testing.assert_array_equal(back.spectrum_imag.sel(turns=2, rate=1.0), expected.imag)
        assert back.spectrum_real.attrs["long_name"] == "real part of modes"
        assert back.counts.sel(turns=2, rate=1.0, time=0.0, side="left") == 2
        assert back.side.values.tolist() == ["left", "right"]


def test_a_map_is_refined_by_a_named_reduction(tmp_path):
    @catalog.model(
        name="edge",
        parameters=[Parameter("x"), Parameter("y")],
        variables=[Variable("profile", dims={"place": range(4)})],
    )
    def edge(x, y):
        return {"profile": np.arange(4) * float(x > 0.5) - y}

    sweep = Sweep(name="edge", model=edge, axes={"x": [0.0, 1.0], "y": [0.0, 1.0]}, fixed={})
    catalog.run(sweep, tmp_path, scheduler="synchronous")
    entry = catalog.open(tmp_path)["edge"]
    found = entry.refine(("x", "y"), "max(profile)", budget=12, model=edge, scheduler="synchronous")
    assert found.added == 12
    x, y = found.points.T
    np.testing.assert_array_equal(found.values, 3 * (x > 0.5) - y)
    for quantity, remedy in (
        ("profile", "reduce it, e.g. max(profile)"),
        ("most(profile)", "choose from max, min, mean, sum"),
        ("max(profle)", "did you mean 'profile'.*"),
    ):
        with refused(f".*{remedy.replace('(', '[(]').replace(')', '[)]')}"):
            entry.refine(("x", "y"), quantity, budget=1, model=edge, scheduler="synchronous")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (np.zeros(2), r"spectrum must have the shape \(3,\), but has \(2,\): .*"),
        (1.0, r"spectrum must have the shape \(3,\), but has \(\): .*"),
        (["a", "b", "c"], "spectrum must be complex128, but is .*: convert it"),
    ],
)
def test_a_value_of_another_shape_or_type_is_a_failed_point(value, complaint):
    @catalog.model(
        name="wrong",
        parameters=[Parameter("x")],
        variables=[Variable("spectrum", dims={"mode": range(3)}, dtype="complex128")],
    )
    def wrong(x):
        return {"spectrum": value}

    ds = catalog.dataset(Sweep(name="w", model=wrong, axes={"x": [1.0]}, fixed={})).load()
    assert ds.status.item() == catalog.Status.FAILED
    with refused(complaint):
        raise catalog.InvalidInput(ds.error.item())
