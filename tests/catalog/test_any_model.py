"""The catalogue serves any model: one with parameters x, y, n, and every way to get it wrong."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import catalog
from catalog import Model, Parameter, Solution, Status, Sweep, Term, Variable
from catalog.models.loading import find_model
from catalog.models.recorded import RecordedModel
from catalog.running.workers import checked, packed
from heatcat.cli import cli
from tests.catalog.support import refused, stored_values

TOY = '''
"""A ridge u = n x − y² with its first powers."""
import os

import numpy as np

from catalog import Diagnostic, Index, InvalidInput, Parameter, Variable, model


def check(x, y, n, z=0.0):
    if n < 1:
        raise InvalidInput(f"n is {n}, but must be at least 1: raise it")


@model(
    name="toy",
    parameters=[
        Parameter("x", "ξ", "abscissa", unit="m"),
        Parameter("y", "υ", "ordinate", unit="m"),
        Parameter("n", "ν", "number of turns", dtype="int64"),
        Parameter("z", "ζ", "shift", unit="m"),
    ],
    variables=[
        Variable("ridge", "ρ", "height", unit="m^2"),
        Variable("powers", "u^k", "powers of the height", dims={"k": [1, 2]}, dtype="complex128"),
        Variable("side", "σ", "sign of the height", dtype="int8", fill=-100),
    ],
    diagnostics=[Diagnostic("how", "", "what was done", dtype="str")],
    indices=[Index("k", "k", "exponent")],
    check=check,
)
def toy(x, y, n, z=0.0):
    if os.environ.get("TOY_FAILS") and x > 2.5:
        raise ArithmeticError("the toy is out of order")
    u = n * x - y**2 + z
    return {"ridge": u, "powers": [1j * u, (1j * u) ** 2], "side": np.sign(u), "how": "by hand"}
'''

SWEEP_FILE = """
[sweep]
name = "toys"
model = "any_toy:toy"

[axes]
x = [1.0, 2.0, 3.0]
"υ" = {start = 0.0, stop = 2.0, num = 3}
n = [1, 2]

[blocks]
x = 1
y = 3
n = 1
"""
X, Y, N = [1.0, 2.0, 3.0], [0.0, 1.0, 2.0], [1, 2]


def ridge(x: Any, y: Any, n: Any) -> Any:
    return n * x - y**2


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A user's folder: the model and a sweep file beside it."""
    folder = tmp_path_factory.mktemp("toys")
    (folder / "any_toy.py").write_text(TOY, encoding="utf-8")
    (folder / "toys.toml").write_text(SWEEP_FILE, encoding="utf-8")
    yield folder
    sys.modules.pop("any_toy", None)
    if str(folder) in sys.path:
        sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def sweep(folder) -> Sweep:
    return catalog.read_sweep(folder / "toys.toml")


@pytest.fixture
def store(sweep, tmp_path) -> Path:
    location = tmp_path / "toys.zarr"
    catalog.run(sweep, location, scheduler="synchronous")
    return location


def entry(store: Path) -> catalog.Entry:
    return catalog.open(store)["toys"]


def call(*words: object) -> Result:
    """The command's outcome; a refusal is raised."""
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


class TestFromPlanToExport:
    def test_a_sweep_is_a_grid_in_the_order_of_the_model(self, sweep):
        assert sweep.dims == ("x", "y", "n")
        assert sweep.shape == (3, 3, 2)
        assert sweep.grid.variables == ("ridge", "powers", "side")

    def test_a_plan_counts_and_says_that_it_cannot_know_the_time(self, sweep, store, folder):
        forecast = catalog.plan(sweep)
        assert (forecast.points, forecast.blocks, forecast.blocks_done) == (18, 6, 0)
        assert np.isnan(forecast.core_seconds)
        shown = call("plan", folder / "toys.toml").stdout
        assert "18, 0 of them stored" in shown
        assert "unknown: the model predicts none, and nothing is stored yet" in shown
        # Once points are stored, their times are known.
        later = catalog.plan(sweep, catalog.find_stored(store, sweep))
        assert later.blocks_done == 6
        wider = catalog.plan(
            sweep.replace(axes={"x": [*X, 4.0], "y": Y, "n": N}), catalog.find_stored(store, sweep)
        )
        assert wider.points - wider.points_done == 6
        assert wider.measured_points == 18
        assert 0 < wider.core_seconds < 10

    def test_values_are_those_of_the_model(self, store):
        ds = entry(store).dataset()
        expected = ridge(ds.x, ds.y, ds.n)
        assert (ds.status == Status.OK).all()
        xr.testing.assert_equal(ds.ridge.compute(), expected.transpose("x", "y", "n"))
        assert np.array_equal(ds.powers.sel(k=1), 1j * ds.ridge)
        assert np.array_equal(ds.powers.sel(k=2), -(ds.ridge**2))
        assert np.array_equal(ds.side, np.sign(ds.ridge))
        assert (ds.how == "by hand").all()
        assert ds.k.attrs["long_name"] == "exponent"
        assert (ds.ridge.attrs["units"], ds.x.attrs["symbol"]) == ("m^2", "ξ")

    def test_xarray_opens_it_without_this_package(self, store):
        with xr.open_zarr(store, group="toys", consolidated=False, chunks=None) as ds:
            assert ds.ridge.sel(x=3.0, y=1.0, n=2).item() == 5.0
            assert ds.powers.sel(x=3.0, y=1.0, n=2, k=2).item() == -25.0
            assert ds.powers.dims == ("x", "y", "n", "k")

    def test_running_again_solves_nothing(self, sweep, store, solved):
        before = stored_values(store, "toys")
        assert catalog.run(sweep, store, scheduler="synchronous")["ok"] == 18
        assert solved == []
        assert stored_values(store, "toys") == before

    def test_more_labels_solve_the_new_points_alone(self, sweep, store, solved):
        wider = sweep.replace(axes={"x": [*X, 4.0], "y": Y, "n": [*N, 5]})
        counts = catalog.run(wider, store, scheduler="synchronous")
        assert counts["ok"] == 4 * 3 * 3
        assert len(solved) == 6  # x = 4 at n = 1, 2, and n = 5 at each x
        ds = entry(store).dataset()
        assert ds.sizes["x"] == 4
        assert np.array_equal(ds.ridge, ridge(ds.x, ds.y, ds.n).transpose("x", "y", "n"))

    def test_a_lazy_dataset_solves_what_it_is_asked_for(self, sweep, tmp_path, solved):
        ds = catalog.dataset(sweep, tmp_path / "lazy.zarr")
        assert solved == []
        value = ds.ridge.sel(x=2.0, y=1.0, n=2).compute(scheduler="synchronous").item()
        assert (value, len(solved)) == (3.0, 1)

    def test_symbols_select(self, store):
        point = entry(store).point({"ξ": 3.0, "υ": 1.0, "ν": 2})
        assert (point.values["ridge"], point.values["side"]) == (5.0, 1)
        assert point.values["powers"].tolist() == [5j, -25.0]
        assert point.diagnostics["how"] == "by hand"
        ds = catalog.select(entry(store).dataset(), {"ν": 2})
        assert ds.ridge.dims == ("x", "y")

    def test_conditions_speak_of_the_models_names(self, store):
        ds = entry(store).dataset()
        mask = catalog.where_expression(ds, "ρ > 1 and ξ < 3 and how == 'by hand'")
        expected = (ridge(ds.x, ds.y, ds.n) > 1) & (ds.x < 3)
        assert np.array_equal(mask, expected.transpose(*mask.dims))
        with refused(r"ridge.*"):
            catalog.where_expression(ds, "rigde > 1")

    def test_a_table_has_a_row_for_each_point(self, store):
        frame = catalog.table(entry(store).dataset())
        assert len(frame) == 18
        assert list(frame.columns[:7]) == ["x", "y", "n", "ridge", "powers", "side", "how"]
        assert all(len(powers) == 2 for powers in frame.powers)
        assert np.array_equal(frame.ridge, ridge(frame.x, frame.y, frame.n))
        assert set(frame.status) == {"ok"}

    def test_netcdf_and_parquet_keep_values(self, store, tmp_path):
        ds = entry(store).dataset()
        assert catalog.export(ds, tmp_path / "toys.nc").points == 18
        with xr.open_dataset(tmp_path / "toys.nc", engine="h5netcdf") as read:
            assert np.array_equal(read.ridge, ds.ridge)
            assert np.array_equal(read.powers_real + 1j * read.powers_imag, ds.powers)
        catalog.export(ds, tmp_path / "toys.parquet")
        frame = pd.read_parquet(tmp_path / "toys.parquet")
        assert len(frame) == 18
        height = ridge(frame.x, frame.y, frame.n)
        assert np.array_equal(frame.ridge, height)
        assert np.array_equal(np.stack(frame.powers_real)[:, 1], -(height**2))
        assert np.array_equal(np.stack(frame.powers_imag)[:, 0], height)

    def test_scattered_points_are_solved(self, sweep, tmp_path):
        points = {"x": [2.0, 1.0], "υ": [0.5, 1.5]}
        catalog.run(
            Sweep(name="toys", model=sweep.model, axes={}, fixed={"n": 3}, points=points),
            tmp_path / "points.zarr",
            scheduler="synchronous",
        )
        ds = entry(tmp_path / "points.zarr").dataset()
        found = ds.ridge.where(ds.status == Status.OK).to_series().dropna()
        assert sorted(found) == [3 - 1.5**2, 6 - 0.5**2]

    def test_the_log_knows_the_model_and_its_source(self, sweep, store):
        (record,) = json.loads(call("log", store, "--json").stdout)["toys"]
        assert record["solver_hash"] == sweep.model.source_hash()
        assert record["points_stored"] == {"ok": 18}
        assert json.loads(call("status", store, "--json").stdout)["toys"]["ok"] == 18

    def test_damage_is_found_reset_and_computed_again(self, sweep, store):
        before = stored_values(store, "toys")
        (chunk,) = (path for path in (store / "toys" / "powers" / "c").rglob("*") if path.is_file())
        content = bytearray(chunk.read_bytes())
        content[len(content) // 2] ^= 1
        chunk.write_bytes(content)
        assert not catalog.check(store).sound
        catalog.repair(store)
        assert catalog.check(store).sound
        assert entry(store).counts()["not computed"] > 0
        assert catalog.run(sweep, store, scheduler="synchronous")["ok"] == 18
        assert stored_values(store, "toys") == before


class TestSolvingWhatIsStored:
    """Opening a store imports no model: the user names it."""

    def test_a_store_does_not_make_a_process_import(self, store):
        assert isinstance(entry(store).family.model, RecordedModel)
        hint = r"name it yourself, --model any_toy:toy \(in Python model=…\)"
        with refused(hint):
            entry(store).recompute("x > 1")
        with refused(hint):
            entry(store).refine(("x", "y"), "ridge", budget=1, n=1)
        with refused(hint):
            entry(store).point(x=1.0, y=0.0, n=1).reproduce()
        with refused(hint):
            call("recompute", store, "--where", "x > 1", "--workers", 1)

    def test_a_point_is_reproduced_by_the_model(self, sweep, store):
        solution = entry(store).point(x=3.0, y=1.0, n=2).reproduce(sweep.model)
        assert (solution.values["ridge"], solution.status) == (5.0, Status.OK)

    def test_failed_points_are_computed_again_with_the_model(
        self, sweep, folder, tmp_path, monkeypatch
    ):
        location = tmp_path / "failing.zarr"
        monkeypatch.setenv("TOY_FAILS", "1")
        counts = catalog.run(sweep, location, scheduler="synchronous")
        assert (counts["ok"], counts["failed"]) == (12, 6)
        point = entry(location).point(x=3.0, y=1.0, n=2)
        assert point.error == "ArithmeticError: the toy is out of order"
        assert "any_toy.py" in point.traceback
        assert point.failure is not None
        assert point.failure["point"] == {"x": 3.0, "y": 1.0, "n": 2}
        assert np.isnan(point.values["ridge"])
        assert point.values["side"] == -100
        with pytest.raises(ArithmeticError, match="out of order"):
            point.reproduce(sweep.model)
        monkeypatch.delenv("TOY_FAILS")
        monkeypatch.chdir(folder)
        words = ("recompute", location, "--status", "failed", "--model", "any_toy:toy")
        found = json.loads(call(*words, "--workers", 1, "--json").stdout)
        assert found == {"sweep": "toys", "matched": 6, "blocks": 2, "points": 6, "now": {"ok": 6}}

    def test_the_python_call_takes_the_model(self, sweep, store, solved):
        done = entry(store).recompute("x > 1.5", model=sweep.model, scheduler="synchronous")
        assert (done.matched, done.blocks, len(solved)) == (12, 4, 4)

    def test_another_model_of_that_name_is_refused(self, store):
        @catalog.model(name="toy", version="2", parameters=[Parameter("x")], variables=[U])
        def other(x):
            return {"u": x}

        with refused(r"model toy 2 is not the model that computed 'toys', toy 1: name that one"):
            entry(store).recompute("x > 1", model=other)

    def test_a_map_is_refined(self, sweep, store, folder, monkeypatch):
        """New points lie where the height changes sign, near y² = n x."""
        monkeypatch.chdir(folder)
        words = ("--over", "ξ,υ", "--quantity", "ridge", "--level", 0, "--points", 8, "--at", "ν=1")
        result = call("refine", store, *words, "--model", "any_toy:toy", "--workers", 1, "--json")
        assert json.loads(result.stdout)["added"] == 8
        assert entry(store).dataset().ridge.shape == (3, 3, 2)
        ds = entry(store).points()
        ds = ds.isel(point=((ds.n == 1) & (ds.status == Status.OK)).values)
        found = ds[["x", "y", "ridge"]].to_dataframe()
        assert len(found) == 9 + 8
        new = found[~found.x.isin(X) | ~found.y.isin(Y)]
        assert np.allclose(new.ridge, ridge(new.x, new.y, 1), rtol=0, atol=1e-14)
        on_grid = found[found.x.isin(X) & found.y.isin(Y)]
        assert np.median(np.abs(new.ridge)) < 0.5 * np.median(np.abs(on_grid.ridge))


U = Variable("u", "u")


def declared(**changes: Any) -> Callable[..., Any]:
    """The decorator for a function of x and y; with some arguments replaced."""
    given = {"name": "m", "parameters": [Parameter("x", "ξ"), Parameter("y", "υ")]}
    return catalog.model(**{**given, "variables": [U], **changes})  # type: ignore[arg-type]


def function(x: float, y: float) -> Mapping[str, float]:
    return {"u": x + y}


class TestWhatIsNoModel:
    """Refused in one line, where the model is defined."""

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"parameters": [Parameter("x"), Parameter("status")]},
                "parameter status has a name that the catalogue uses itself: rename it",
            ),
            (
                {"variables": [Variable("error")]},
                "variable error has a name that the catalogue uses itself: rename it",
            ),
            ({"variables": [U, U]}, "two terms are called u: rename one"),
            (
                {"parameters": [Parameter("x", "ξ"), Parameter("y", "ξ")]},
                "y and x have the same symbol or name 'ξ': give one of them another",
            ),
            (
                {"variables": [Variable("u", "x")]},
                "u and x have the same symbol or name 'x': give one of them another",
            ),
            (
                {"variables": [Variable("u", dims={"x": [1, 2]})]},
                "the inner dimension x of u has the name of another term: rename it",
            ),
            (
                {"variables": [Variable("u", dims={"k": [1]}), Variable("v", dims={"k": [2]})]},
                "the inner dimension k has other labels for v than for another variable: .*",
            ),
            ({"variables": []}, "model m declares no variables: add variables"),
            ({"parameters": []}, "model m declares no parameters: add parameters"),
            (
                {"variables": [Parameter("u")]},
                "model m declares the parameter u among its variables: move it",
            ),
            (
                {"indices": [Variable("k")]},
                "model m declares the variable k among its indices: move it",
            ),
            ({"name": ""}, "name of model FunctionModel must be a text, but is '': .*"),
            ({"version": 1}, 'version of model FunctionModel must be a text, .*write e.g. .*"1"'),
            ({"on_request": ["w"]}, "on_request of model m names 'w': .*"),
            ({"split_by": ["u"]}, "split_by of model m names 'u': .*"),
            (
                {"parameters": [Parameter("x"), Parameter("y"), Parameter("w")]},
                "model m has the parameter w, which its function does not take: add it to def",
            ),
            (
                {"parameters": [Parameter("x")]},
                "the function of model m takes y, which is no parameter .*: declare it, .*",
            ),
        ],
    )
    def test_the_declaration_is_refused(self, changes, message):
        with refused(message):
            declared(**changes)(function)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda: Variable("u", dtype="float16"),
                "variable u cannot have the type 'float16': use one of float64, .*",
            ),
            (
                lambda: Parameter("x", dtype="complex128"),
                "parameter x cannot have the type 'complex128': use one of float64, int64",
            ),
            (lambda: Parameter("ΔE"), "a parameter cannot be called 'ΔE': use at most .*"),
            (lambda: Parameter("lambda"), "a parameter cannot be called 'lambda': use .*"),
            (lambda: Parameter("x", dims={"k": [1]}), "parameter x is one number: .*"),
            (
                lambda: Variable("u", dims={"k": []}),
                "the inner dimension k of u is empty: give it labels",
            ),
            (
                lambda: Variable("u", dims={"k": [1, 1]}),
                "the inner dimension k of u has a label twice: keep one",
            ),
            (
                lambda: Variable("u", dims={"k": range(100_001)}),
                "u has more than 100000 values at one point: give it fewer labels",
            ),
        ],
    )
    def test_the_term_is_refused(self, make: Callable[[], Term], message):
        with refused(message):
            make()

    def test_a_sweep_of_something_else_is_refused(self):
        with refused(r"model must be a model, but is .*: decorate a function with .*"):
            Sweep(name="s", model=function, axes={"x": [1.0]}, fixed={"y": 1.0})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("axes", "fixed", "message"),
        [
            ({"x": [1.0]}, {}, "no value for y: give it under axes or under fixed"),
            ({"x": [1.0]}, {"yy": 1.0}, "unknown parameter 'yy': .*"),
            ({"N": [1, 2]}, {"x": 1.0, "y": 1.0}, "unknown parameter 'N': .*"),
        ],
    )
    def test_parameters_are_the_models(self, axes, fixed, message):
        with refused(message):
            Sweep(name="s", model=declared()(function), axes=axes, fixed=fixed)

    def test_variables_are_the_models(self):
        with refused(r"model m does not define 'power': choose from u"):
            Sweep(
                name="s",
                model=declared()(function),
                axes={"x": [1.0]},
                fixed={"y": 1.0},
                variables=["power"],
            )

    def test_a_point_that_the_model_refuses_is_refused_before_anything_is_written(
        self, sweep, tmp_path
    ):
        with refused("n is 0, but must be at least 1: raise it"):
            catalog.run(sweep.replace(axes={"x": X, "y": Y, "n": [0, 1]}), tmp_path / "s.zarr")
        assert not (tmp_path / "s.zarr").exists()


class TestWhatModelsReturn:
    """What is not as it was declared fails the point, with one line that says what to return."""

    @staticmethod
    def errors(model: Model, tmp_path: Path, size: int = 1) -> list[str]:
        """Of each point: its message, empty if it is ok."""
        labels = [float(number) for number in range(1, size + 1)]
        sweep = Sweep(name="s", model=model, axes={"x": labels}, fixed={"y": 2.0})
        catalog.run(sweep, tmp_path / "s.zarr", scheduler="synchronous")
        ds = catalog.open(tmp_path / "s.zarr")["s"].dataset().load()
        failed = ds.status == Status.FAILED
        assert (failed == (ds.error != "")).all()
        assert ds.u.where(failed).isnull().all()
        return ds.error.values.tolist()

    @pytest.mark.parametrize(
        ("returned", "message"),
        [
            ({}, "InvalidInput|model m gave no u: return it, NaN where it is undefined"),
            ({"u": 1.0, "w": 1.0}, "model m gave 'w', which it does not declare: .*"),
            ({"u": [1.0, 2.0]}, r"u must have the shape \(\), but has \(2,\): .*"),
            ({"u": "one"}, "u must be float64, but is 'one': convert it"),
            ({"u": 1j}, "u must be float64, but is 1j: convert it"),
            ({"u": None}, "u must be float64, but is None: convert it"),
            (1.0, "TypeError: it returned 1.0 in place of a mapping of variables"),
        ],
        ids=repr,
    )
    def test_a_wrong_result_fails_the_point(self, returned, message, tmp_path):
        (error,) = self.errors(declared()(lambda x, y: returned), tmp_path)
        assert re.fullmatch(message, error), error

    @pytest.mark.parametrize(
        ("variable", "value", "message"),
        [
            (
                Variable("v", dims={"k": [1, 2]}),
                [1.0, 2.0, 3.0],
                r"v must have the shape \(2,\), but has \(3,\): .*",
            ),
            (Variable("v", dtype="int8"), 300, "v must be whole numbers that fit in int8, .*"),
            (Variable("v", dtype="int32"), 0.5, "v must be whole numbers that fit in int32, .*"),
            (Variable("v", dtype="str"), 1, "v must be a text, but is 1: convert it"),
        ],
        ids=lambda item: None,
    )
    def test_types_and_shapes_are_as_declared(self, variable, value, message, tmp_path):
        model = declared(variables=[U, variable])(lambda x, y: {"u": 1.0, "v": value})
        (error,) = self.errors(model, tmp_path)
        assert re.fullmatch(message, error), error

    def test_a_point_that_raises_leaves_the_others(self, tmp_path):
        def inverse(x, y):
            if x == y:
                raise ZeroDivisionError("x equals y")
            return {"u": 1 / (x - y)}

        errors = self.errors(declared()(inverse), tmp_path, 3)
        assert errors == ["", "ZeroDivisionError: x equals y", ""]

    def test_a_text_that_is_not_unicode_is_stored_escaped(self, tmp_path):
        """Python names a file that is not UTF-8 by half of a surrogate pair."""

        @declared(diagnostics=[catalog.Diagnostic("note", "note", dtype="str")])
        def reading(x, y):
            if x == y:
                raise OSError("cannot read \udcff.csv")
            return {"u": 1.0, "note": "from \udcff.csv"}

        assert self.errors(reading, tmp_path, 3) == ["", r"OSError: cannot read \udcff.csv", ""]
        entry = catalog.open(tmp_path / "s.zarr")["s"]
        notes = entry.dataset()["note"].values.ravel().tolist()
        assert notes == [r"from \udcff.csv", "", r"from \udcff.csv"]

    def test_what_a_model_foresees_is_its_own_sentence(self, tmp_path):
        def refusing(x, y):
            raise catalog.InvalidInput("x is too large: take a smaller one")

        assert self.errors(declared()(refusing), tmp_path) == ["x is too large: take a smaller one"]

    @pytest.mark.parametrize(
        ("given", "errors"),
        [
            (2, ["", "", "ValueError: it gave 2 solutions for 3 points"]),
            (0, ["ValueError: it gave 0 solutions for 3 points"] * 3),
            (3, ["", "", ""]),
        ],
    )
    def test_a_block_with_too_few_solutions_fails_the_rest(self, given, errors, tmp_path):
        assert self.errors(Together(given), tmp_path, 3) == errors

    def test_a_block_that_ends_in_an_error_fails_the_rest(self, tmp_path):
        errors = self.errors(Together(1, raises=True), tmp_path, 3)
        assert errors == ["", *["ArithmeticError: no further"] * 2]


class Together(Model):
    """It solves the points of a block together, but only some of them."""

    name = "together"
    parameters = (Parameter("x"), Parameter("y"))
    variables = (U,)

    def __init__(self, given: int, raises: bool = False) -> None:
        self.given, self.raises = given, raises

    def solve(self, points, variables):
        for point in points[: self.given]:
            yield Solution({"u": point["x"]})
        if self.raises:
            raise ArithmeticError("no further")


class TestWhereAModelLies:
    def test_a_worker_without_it_that_joins_late_is_refused(self, sweep, monkeypatch):
        content = packed(print, sweep.model, (0,))
        monkeypatch.delitem(sys.modules, "any_toy")
        monkeypatch.setattr(sys, "path", [])
        with refused(r"a worker cannot import toy \(ModuleNotFoundError: .*\): put its module .*"):
            checked(content, "toy", "")

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("toy", "a model is named by module:object, not 'toy': write e.g. otto:otto"),
            ("no_such_toy:toy", "there is no module 'no_such_toy' in .*: put its file there, .*"),
            ("any_toy:tyo", r"the module any_toy \(.*any_toy.py\) has no 'tyo': correct .*"),
            ("any_toy:check", "model must be a model, but is .*: decorate a function .*"),
            ("any_toy:toy.function", "model must be a model, but is .*: decorate .*"),
            ("broken_toy:toy", r"the module broken_toy cannot be imported \(SyntaxError.*"),
            ("needy_toy:toy", r"the module needy_toy cannot be imported \(No module.*"),
            ("json:toy", "another module json is imported already, from .*: rename the one in .*"),
        ],
    )
    def test_what_cannot_be_found_is_refused(self, path, message, folder, sweep):
        (folder / "broken_toy.py").write_text("def toy(:\n")
        (folder / "needy_toy.py").write_text("import a_package_that_is_nowhere\n")
        (folder / "json.py").write_text("")
        try:
            with refused(message):
                find_model(path, folder=folder)
        finally:
            (folder / "json.py").unlink()

    def test_a_function_has_no_options(self, folder):
        with refused("any_toy:toy takes no options: leave them out, or name a subclass of .*"):
            find_model("any_toy:toy", {"order": 2}, folder=folder)
