"""Odd arguments to every public callable: each is taken, or refused as InvalidInput in one line.

The table crosses every argument of the functions of ``catalog``, of ``Sweep``, ``Engine`` and the
methods with odd values of every type that a user may have at hand.  ``HEATCAT_FUZZ=20000 python -m
pytest -m slow -s tests/catalog/test_fuzz_arguments.py`` changes several arguments at a time.
"""

from __future__ import annotations

import datetime
import itertools
import math
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import catalog
import catalog.reading.lazy
from catalog.heat_engine.methods import METHODS, method_from
from ensemble import Bath, Engine, Exact, InvalidInput, Solution, Status
from tests.catalog.samples import sample
from tests.catalog.support import AXES, FIXED, tiny_sweep

SEED = int(os.environ.get("HEATCAT_FUZZ_SEED", "1"))
MANY = int(os.environ.get("HEATCAT_FUZZ", "5000"))
MOST_ENGINES = 300_000
"""Engines that one call may build: some seconds of work."""


class Hostile:
    """An object whose text cannot be had."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def deep(levels: int) -> list:
    nested: list = []
    for _ in range(levels):
        nested = [nested]
    return nested


ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "empty text": lambda: "",
    "text": lambda: "power",
    "number in text": lambda: "1",
    "long text": lambda: "x" * 100_000,
    "control characters": lambda: "a\nb\x00\x1b[31m",
    "half a character": lambda: "a\udcff",
    "no user": lambda: "~nobody-of-that-name/x",
    "long path": lambda: "x/" * 3000,
    "URL": lambda: "ftp://a/b",
    "bytes": lambda: b"1",
    "bytearray": lambda: bytearray(b"12"),
    "True": lambda: True,
    "zero": lambda: 0,
    "minus one": lambda: -1,
    "one": lambda: 1,
    "half": lambda: 0.5,
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "1e308": lambda: 1e308,
    "smallest": lambda: 5e-324,
    "401 digits": lambda: 10**400,
    "5001 digits": lambda: 10**5000,
    "complex": lambda: 1j,
    "Fraction": lambda: Fraction(3, 2),
    "Decimal": lambda: Decimal("0.1"),
    "signalling nan": lambda: Decimal("sNaN"),
    "huge Decimal": lambda: Decimal("1e999999"),
    "numpy bool": lambda: np.True_,
    "numpy int": lambda: np.int8(2),
    "numpy float": lambda: np.float32(1.5),
    "numpy text": lambda: np.str_("power"),
    "numpy date": lambda: np.datetime64("2026-01-01"),
    "numpy duration": lambda: np.timedelta64(1, "s"),
    "long double": lambda: np.longdouble("1e4000"),
    "array without dimension": lambda: np.array(1.0),
    "array": lambda: np.array([1.0, 2.0]),
    "empty array": lambda: np.array([]),
    "array of objects": lambda: np.array([None, "x"], dtype=object),
    "matrix": lambda: np.ones((2, 2)),
    "masked array": lambda: np.ma.masked_array([1.0, 2.0], [False, True]),
    "masked": lambda: np.ma.masked,
    "records": lambda: np.zeros(2, dtype=[("a", "f8")]),
    "DataArray": lambda: xr.DataArray([1.0, 2.0], dims="x"),
    "DataArray without dimension": lambda: xr.DataArray(2.0),
    "Dataset": lambda: xr.Dataset({"a": ("x", [1.0])}),
    "empty Dataset": lambda: xr.Dataset(),
    "Index": lambda: pd.Index([1.0, 2.0]),
    "dates": lambda: pd.date_range("2026", periods=2),
    "Series": lambda: pd.Series([1.0, None]),
    "DataFrame": lambda: pd.DataFrame({"delta_E": [1.0, 2.0]}),
    "missing": lambda: pd.NA,
    "empty list": list,
    "list": lambda: [1, 2],
    "list of text": lambda: ["power"],
    "list of anything": lambda: [1, "x", None, [], {}],
    "deep list": lambda: deep(50_000),
    "list in itself": lambda: (lambda x: x.append(x) or x)([]),
    "tuple": lambda: (1.0, 2.0),
    "set": lambda: {1.0, 2.0},
    "frozenset": lambda: frozenset({"power"}),
    "dict": lambda: {"N": 1},
    "dict of anything": lambda: {1: None, None: "x"},
    "empty dict": dict,
    "range of numbers": lambda: {"start": 1, "stop": 2, "num": 10**9},
    "range": lambda: range(10**9),
    "endless": lambda: itertools.count(1),
    "generator": lambda: (x for x in (1.0, 2.0)),
    "slice": lambda: slice(1, 2),
    "odd slice": lambda: slice("a", [], -1.5),
    "Path": lambda: Path("power"),
    "folder": lambda: Path("/"),
    "date": lambda: datetime.date(2026, 1, 1),
    "function": lambda: nothing,
    "class": lambda: Exact,
    "module": lambda: math,
    "object": lambda: object(),
    "no text to be had": Hostile,
    "exception": lambda: ValueError("x"),
    "sweep": tiny_sweep,
    "engine": lambda: Engine(**ENGINE),
    "method": Exact,
    "Ellipsis": lambda: ...,
}

ENGINE: dict[str, Any] = {"N": 2, "delta_E": 50.0, "T_mean": 90.0, **FIXED}
SWEEP: dict[str, Any] = {
    "name": "odd",
    "axes": AXES,
    "fixed": FIXED,
    "scaling": "bare",
    "method": Exact(),
    "statistics": "bosonic",
    "variables": ["power"],
    "energy_unit": "meV",
    "blocks": {"delta_E": 2},
    "description": "words",
    "points": {},
}


def nested(name: str, outer: dict[str, Any], build: Callable[..., Any]) -> Callable[..., Any]:
    """A call with one entry of a mapping as its argument."""
    return lambda value: build(**{**outer, name: value})


class Table:
    """Public callables, and arguments with which each of them works."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "kept.zarr"
        sweep = tiny_sweep(variables=["power"])
        catalog.run(sweep, self.store, scheduler="synchronous")
        (folder / "odd.toml").write_text('[sweep]\nname = "odd"', encoding="utf-8")
        ds, lazy = sample(), sample(lazy=True)
        entry = catalog.open(self.store)["tiny"]
        fresh = (folder / f"new{number}.zarr" for number in itertools.count())
        where, here = self.store, {"scheduler": "synchronous", "workers": None, "on_block": None}
        engine = {**ENGINE, "scaling": "bare", "spin_1": 1.0, "statistics": "bosonic", "mu_1": 0.0}
        bath = {"energy": 1.0, "temperature": 1.0, "Gamma_0": 1.0, "statistics": "bosonic", "mu": 0}
        profile = {"kind": "slurm", "jobs": 2, "memory": "1GB", "cores": 1, "prologue": ()}
        refined = {"parameters": ("delta_E", "T_mean"), "N": 1, "quantity": "power", "budget": 1}
        options = {"batch": 1, "level": None, "resolution": 0.01, "spacing": ("linear", "linear")}
        near = {"delta_E": 51.0, "method": "nearest", "tolerance": 2.0}
        equal = {
            "query": {"N": 1},
            "method": None,
            "tolerance": None,
            "delta_E": 50.0,
            "E_1": 100.0,
        }
        self.calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
            "Sweep": (catalog.Sweep, SWEEP),
            "Engine": (Engine, engine),
            "Bath": (Bath, bath),
            "Sweep.point": (sweep.point, {"labels": {"N": 1, "delta_E": 50, "T_mean": 60}}),
            "HeatEngine": (catalog.HeatEngine, sweep.model.options()),
            "method_from": (method_from, {"given": "exact"}),
            "Profile": (catalog.Profile, profile),
            "create_or_open": (catalog.create_or_open, {"location": next(fresh), "sweep": sweep}),
            "find_stored": (catalog.find_stored, {"location": where, "sweep": sweep}),
            "open": (catalog.open, {"location": where}),
            "run": (catalog.run, {"sweep": sweep, "store": where, **here}),
            "dataset": (catalog.dataset, {"sweep": sweep, "store": where}),
            "plan": (catalog.plan, {"sweep": sweep, "stored": None}),
            "check": (catalog.check, {"location": where}),
            "repair": (catalog.repair, {"location": where}),
            "export": (catalog.export, {"ds": ds, "path": folder / "x.csv", "overwrite": True}),
            "zip_store": (
                catalog.zip_store,
                {"location": where, "path": folder / "x.zip", "overwrite": True},
            ),
            "table": (catalog.table, {"ds": ds, "computed_only": True}),
            "find_sweep": (catalog.find_sweep, {"name_or_path": "fig2-quick"}),
            "read_sweep": (catalog.read_sweep, {"path": folder / "odd.toml"}),
            "read_profile": (catalog.read_profile, {"path": folder / "odd.toml"}),
            "sweep_from_toml": (catalog.sweep_from_toml, {"text": "x = 1"}),
            "where_expression": (catalog.where_expression, {"ds": lazy, "text": "power > 0"}),
            "select": (catalog.select, {"ds": lazy, **equal}),
            "select nearest": (catalog.select, {"ds": ds, **near}),
            "Entry.point": (entry.point, {"query": {"N": 1}, "delta_E": 50.0, "T_mean": 60.0}),
            "Entry.refine": (entry.refine, {**refined, **options, **here}),
        }
        for name in ("N", "delta_E", "T_mean"):
            self.calls[f"Sweep axes {name}"] = nested(name, AXES, _with_axes), {"value": AXES[name]}
        for name in ("E_1", "mu_1", "spin_1"):
            self.calls[f"Sweep fixed {name}"] = (
                nested(name, FIXED, _with_fixed),
                {"value": 0.0 if name == "mu_1" else 1.0},
            )
        points = {"delta_E": [60.0, 50.0], "T_mean": [60.0, 90.0]}
        self.calls["Sweep points"] = (
            nested("delta_E", points, _with_points),
            {"value": [60.0, 50.0]},
        )
        self.calls["Sweep blocks"] = lambda value: tiny_sweep(blocks={"N": value}), {"value": 1}
        for name, method in METHODS.items():
            options = {item.name: getattr(method(), item.name) for item in fields(method)}
            self.calls[f"method {name}"] = partial(_with_options, name), options

    def cases(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each argument of each callable, with each odd value."""
        for call, (_, arguments) in self.calls.items():
            for argument, odd in itertools.product(arguments, ODD):
                yield call, {argument: odd}


def _with_axes(**axes: Any) -> catalog.Sweep:
    return tiny_sweep(axes=axes, blocks={})


def _with_options(method: str, **options: Any) -> Any:
    return method_from({"name": method, **options})


def nothing(*_: Any, **__: Any) -> None:
    """A function that gives nothing."""


def _with_fixed(**fixed: Any) -> catalog.Sweep:
    return tiny_sweep(fixed={**FIXED, **fixed})


def _with_points(**points: Any) -> catalog.Sweep:
    return tiny_sweep(axes={"N": [1, 2]}, points=points, blocks={})


@pytest.fixture
def table(tmp_path, monkeypatch) -> Table:
    def solve(method: Any, engine: Any, variables: Any = None) -> Solution:
        values = dict.fromkeys(method.chosen(variables), 1.0)
        return Solution(values=values, status=Status.OK, diagnostics={})

    for method in METHODS.values():
        monkeypatch.setattr(method, "solve", solve)
    monkeypatch.chdir(tmp_path)
    return Table(tmp_path)


class TooMuchWork(BaseException):
    pass


def judged(table: Table, call: str, changed: dict[str, str]) -> tuple[str, str]:
    function, arguments = table.calls[call]
    values = {**arguments, **{name: ODD[odd]() for name, odd in changed.items()}}
    try:
        function(**values)
    except InvalidInput as refusal:
        text = str(refusal)
        if "\n" in text or len(text) > 5000 or not re.search(": | must ", text):
            return "not one line with a remedy", text[:300]
        return "refused", text
    except TooMuchWork:
        return "too much work", ""
    except BaseException as failure:
        return "something else", f"{type(failure).__name__}: {str(failure)[:200]}"
    return "accepted", ""


def try_all(cases: Any, table: Table, capsys: Any, monkeypatch: Any) -> Counter[str]:
    built = 0
    build = Engine.__post_init__

    def counted(engine: Engine) -> None:
        nonlocal built
        built += 1
        if built > MOST_ENGINES:
            raise TooMuchWork
        build(engine)

    monkeypatch.setattr(Engine, "__post_init__", counted)
    counts: Counter[str] = Counter()
    wrong = []
    for call, changed in cases:
        built, start = 0, time.process_time()
        kind, text = judged(table, call, changed)
        counts[kind] += 1
        if os.environ.get("HEATCAT_FUZZ_SHOW") and (took := time.process_time() - start) > 0.1:
            with capsys.disabled():
                print(f"{took:.1f} s: {call}({changed})")
        if kind not in ("accepted", "refused"):
            wrong.append(f"{call}({changed}): {kind}: {text}")
    with capsys.disabled():
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"\n{counts.total()} calls: {shown}; {len(wrong)} wrong")
        if os.environ.get("HEATCAT_FUZZ_SHOW"):
            print("\n".join(wrong))
    assert not wrong, "\n".join(wrong[:60])
    return counts


def test_arguments_with_odd_values(table, capsys, monkeypatch):
    """A tenth of the table; all of it takes minutes."""
    counts = try_all(
        itertools.islice(table.cases(), SEED % 10, None, 10), table, capsys, monkeypatch
    )
    assert counts["refused"] > counts["accepted"] > 0
    assert not Path("None").exists()


@pytest.mark.slow
def test_the_whole_table(table, capsys, monkeypatch):
    try_all(table.cases(), table, capsys, monkeypatch)
    assert not Path("None").exists()


@pytest.mark.slow
def test_many_random_combinations(table, capsys, monkeypatch):
    chance = random.Random(SEED)

    def cases() -> Iterator[tuple[str, dict[str, str]]]:
        for _ in range(MANY):
            call = chance.choice(list(table.calls))
            names = list(table.calls[call][1])
            changed = chance.sample(names, min(len(names), chance.choice((1, 2, 3))))
            yield call, {name: chance.choice(list(ODD)) for name in changed}

    try_all(cases(), table, capsys, monkeypatch)


def test_the_calls_that_are_changed_work(table):
    for call in table.calls:
        if call not in ("sweep_from_toml", "read_sweep", "read_profile"):
            assert judged(table, call, {}) == ("accepted", ""), call
