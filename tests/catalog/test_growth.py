"""Work grows with the number of points, not with its square: operations are counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest

import catalog
from catalog import Parameter, Variable
from catalog.store.storage import Storage
from catalog.sweeps import boxes
from catalog.sweeps.boxes import Box, refuse_near_misses, snapped, uncovered

FEW = 300
"""Points of the smaller sweep; the larger has twice as many."""


@catalog.model(
    name="sum",
    parameters=[Parameter("a", "a", "first"), Parameter("b", "b", "second")],
    variables=[Variable("y", "y", "sum")],
)
def total(a, b):
    return {"y": a + b}


def along_a_line(points: int) -> catalog.Sweep:
    return catalog.Sweep(
        name="line", model=total, axes={"a": 0.5 * np.arange(points)}, fixed={"b": 1.0}
    )


def scattered(points: int) -> catalog.Sweep:
    drawn = np.random.default_rng(0).random((2, points))
    return catalog.Sweep(
        name="line", model=total, axes={}, fixed={}, points={"a": drawn[0], "b": drawn[1]}
    )


def calls(action: Callable[[], Any]) -> tuple[int, Any]:
    """Number of calls of functions, in Python and in C, and the result."""
    count = 0

    def watch(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        result = action()
    finally:
        sys.setprofile(before)
    return count, result


@pytest.fixture(scope="module", autouse=True)
def _imported(tmp_path_factory):
    """What is imported or compiled once has been."""
    store, sweep = tmp_path_factory.mktemp("warm"), scattered(3)
    catalog.run(sweep, store, scheduler="synchronous")
    catalog.open(store)["line"].counts()
    catalog.dataset(sweep, store).y.compute(scheduler="synchronous")


def counted(sweep: catalog.Sweep, store: Path) -> dict[str, int]:
    """The calls that each step in the life of a sweep takes in this thread."""
    found = {}
    found["run"], _ = calls(lambda: catalog.run(sweep, store, scheduler="synchronous"))
    found["run again"], _ = calls(lambda: catalog.run(sweep, store, scheduler="synchronous"))
    found["status"], _ = calls(lambda: catalog.open(store)["line"].counts())
    found["Dataset"], ds = calls(lambda: catalog.dataset(sweep, store))
    with dask.config.set(scheduler="synchronous"):
        found["all values"], _ = calls(lambda: ds.y.compute())
    return found


@pytest.mark.parametrize("make", [along_a_line, scattered], ids=["line", "scattered"])
def test_each_step_takes_at_most_twice_the_calls_for_twice_the_points(make, tmp_path):
    few = counted(make(FEW), tmp_path / "few")
    many = counted(make(2 * FEW), tmp_path / "many")
    growth = {step: many[step] / few[step] for step in few}
    assert {step: times for step, times in growth.items() if times > 2.1} == {}


def test_a_chunk_is_read_once_for_all_of_its_scattered_points(tmp_path, monkeypatch):
    sweep, read = scattered(100), []
    catalog.run(sweep, tmp_path, scheduler="synchronous")
    found = catalog.dataset(sweep, tmp_path).y
    get = Storage.get
    monkeypatch.setattr(Storage, "get", lambda *a, **k: read.append(a[1]) or get(*a, **k))
    with dask.config.set(scheduler="synchronous"):
        assert found.values.tolist() == [a + b for a, b in zip(*sweep.points.values(), strict=True)]
    assert read.count("line/y/c/0") == 1
    assert len(read) < 10


class Counted(int):
    """A label that counts how often it is looked up."""

    looked_up = 0

    def __hash__(self) -> int:
        Counted.looked_up += 1
        return super().__hash__()


def test_the_difference_of_boxes_looks_each_label_up_a_few_times():
    labels = tuple(Counted(i) for i in range(1000))
    Counted.looked_up = 0
    box: Box = {"a": labels, "b": (1,)}
    assert uncovered(box, [{"a": labels[::2], "b": (1,)}]) == [{"a": labels[1::2], "b": (1,)}]
    assert Counted.looked_up < 10 * len(labels)


def test_the_labels_of_an_axis_are_compared_with_stored_ones_at_once(monkeypatch):
    compared, neighbours = [], boxes.neighbours
    monkeypatch.setattr(
        boxes, "neighbours", lambda *axes: compared.append(len(axes[0])) or neighbours(*axes)
    )
    sweep = along_a_line(1000)
    stored: Box = {"a": tuple((0.5 * np.arange(999) + 0.25).tolist()), "b": (1.0,)}
    refuse_near_misses({"a": sweep.axes["a"], "b": (1.0,)}, stored)
    assert snapped(sweep, stored) is sweep
    assert sorted(compared) == [1, 1000, 1000]
