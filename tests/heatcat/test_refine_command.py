"""``heatcat refine``: what it asks for, what it says, and that the store holds the new points."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import catalog
from analyses import carnot_delta_E
from ensemble import InvalidInput
from heatcat.refine_command import refine
from tests.catalog.support import tiny_sweep

AXES = {"N": [1, 2], "delta_E": [50.0, 150.0, 250.0], "T_mean": [60.0, 130.0, 200.0]}


@pytest.fixture
def store(tmp_path) -> Path:
    """Engines and refrigerators of one and of two pairs."""
    location = tmp_path / "s.zarr"
    sweep = tiny_sweep(axes=AXES, variables=["power"], blocks={})
    catalog.run(sweep, location, scheduler="synchronous")
    return location


def command(store: Path, **options: object) -> object:
    asked = {"over": "ΔE,T̄", "quantity": "power", "points": 12, "workers": 1, **options}
    words = [
        word
        for name, value in asked.items()
        if value is not None
        for word in (f"--{name}", str(value))
    ]
    return CliRunner().invoke(refine, [str(store), *words, "--json"])


def test_new_points_lie_near_the_carnot_line_and_in_the_store(store):
    result = command(store, level=0, at="N=2", batch=6)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == {
        "sweep": "tiny",
        "added": 12,
        "undefined": 0,
        "known": 9 + 12,
    }
    table = catalog.table(catalog.open(store)["tiny"].points()).query("N == 2")
    assert len(table) == 21
    new = table[~table.delta_E.isin(AXES["delta_E"]) & ~table.T_mean.isin(AXES["T_mean"])]
    line = carnot_delta_E(new.T_mean.to_numpy(), E_1=100.0, delta_T=100.0)
    assert np.median(np.abs(new.delta_E - line)) < 25  # on a grid with steps of 100


def test_the_gain_takes_both_sizes(store):
    result = command(store, quantity="collective_gain", at="N=1,2", points=5)
    assert json.loads(result.output)["added"] == 5
    counts = catalog.open(store)["tiny"].counts()
    assert counts["ok"] == 18 + 10


def test_it_says_when_the_map_is_resolved(store):
    words = ["--over", "ΔE,T̄", "--quantity", "power", "--at", "N=2", "--workers", "1"]
    coarse = ["--points", "60", "--resolution", "0.2"]
    said = CliRunner().invoke(refine, [str(store), *words, *coarse]).output.splitlines()
    assert said[1] == "the map is resolved: lower --resolution for more points"


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"over": "ΔE"}, "give e.g. --over delta_E,T_mean"),
        ({"over": "ΔE,delta_E"}, "give e.g. --over delta_E,T_mean"),
        ({"over": "ΔE,E_1"}, "or a list"),
        ({"geometric": "N"}, "name one of them, or both"),
        ({"at": "N=two"}, "write e.g. --at N=4"),
        ({"at": "N"}, "write e.g. --at N=4"),
        ({"at": "N=3"}, r'method={"N": "nearest"}'),
        ({"at": None}, "or a list"),
        ({"quantity": "powr"}, "did you mean 'power'?"),
        ({"quantity": "collective_gain"}, "give e.g. --at N=1,4"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "keep one of them"),
    ],
)
def test_what_it_refuses_it_refuses_before_any_work(store, options, remedy):
    result = command(store, **{"at": "N=2", **options})
    assert isinstance(result.exception, InvalidInput)
    assert str(result.exception).endswith(remedy)
    assert sum(catalog.open(store)["tiny"].counts().values()) == 18


def test_an_axis_of_one_label_needs_no_label(tmp_path):
    sweep = tiny_sweep(axes={**AXES, "N": [1]}, variables=["power"], blocks={})
    catalog.run(sweep, tmp_path / "one.zarr", scheduler="synchronous")
    for more in ({}, {"at": "N=1"}):
        result = command(tmp_path / "one.zarr", points=3, **more)
        assert json.loads(result.output)["added"] == 3
    for axes, remedy in (("N,T_mean", "choose other axes"), ("mu_1,T_mean", "choose another axis")):
        refused = command(tmp_path / "one.zarr", over=axes).exception
        assert isinstance(refused, InvalidInput)
        assert str(refused).endswith(remedy)
