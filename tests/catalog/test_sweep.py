"""Sweeps: every bad input in one line, canonical labels, keys, and blocks that tile the grid."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.heat_engine.methods import METHODS, method_from
from catalog.heat_engine.model import HeatEngine
from catalog.sweeps.cuts import BLOCK_POINTS
from catalog.sweeps.sweep import Sweep
from ensemble import Bosonic, Cumulant, Engine, Exact, InvalidInput, Qutip
from tests.catalog.support import AXES, FIXED, refused, tiny_sweep


def fixed_without(*names: str) -> dict[str, float]:
    return {name: value for name, value in FIXED.items() if name not in names}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(
            {"axes": {**AXES, "N": [0, 1]}},
            "N must be a whole number ≥ 1, but is 0: use N = 1, 2, 3, …",
            id="no pairs",
        ),
        pytest.param(
            {"axes": {**AXES, "N": [-2, 1]}}, "but is -2: use N = 1, 2, 3, …", id="negative N"
        ),
        pytest.param(
            {"axes": {**AXES, "N": [1, 1.5]}},
            "N must be a whole number, but is 1.5: use N = 1, 2, 3, …",
            id="fractional N",
        ),
        pytest.param(
            {"axes": {**AXES, "T_mean": [50, 60]}},
            r"T_mean must exceed delta_T/2 = 50 \(else T_1 ≤ 0\), but is 50: raise T_mean or "
            "lower delta_T",
            id="frozen cold bath",
        ),
        pytest.param(
            {
                "axes": {"N": [1], "delta_E": [50], "T_mean": [60, 100], "delta_T": [10, 50, 120]},
                "fixed": fixed_without("delta_T"),
                "blocks": {},
            },
            r"T_mean must exceed delta_T/2 = 60 .*: raise T_mean or lower delta_T",
            id="frozen cold bath at one corner",
        ),
        pytest.param(
            {"fixed": {**FIXED, "Gamma_0": -1}},
            "Gamma_0 must be positive, but is -1: give Gamma_0 > 0",
            id="negative rate",
        ),
        pytest.param(
            {"fixed": {**FIXED, "Gamma_0": 0}}, "but is 0: give Gamma_0 > 0", id="no rate"
        ),
        pytest.param(
            {"fixed": {**FIXED, "omega_0": -1}},
            "omega_0 must not be negative, but is -1: the sign of the drive is a choice of gauge",
            id="negative drive",
        ),
        pytest.param(
            {"fixed": {**FIXED, "spin_1": 0.75}},
            "spin_1 must be a positive half-integer, but is 0.75: use 0.5, 1, 1.5, …",
            id="spin",
        ),
        pytest.param(
            {"axes": {**AXES, "spin_2": [0.5, 1.2, 2]}},
            "spin_2 must be a positive half-integer, but is 1.2: use 0.5, 1, 1.5, …",
            id="spin amid an axis",
        ),
        pytest.param(
            {"scaling": "Bare"},
            "scaling must be one of bare, high-temperature, but is 'Bare': choose one",
            id="scaling",
        ),
        pytest.param(
            {"statistics": "fermi"},
            "statistics must be one of bosonic, fermionic, but is 'fermi': choose one",
            id="statistics",
        ),
        pytest.param(
            {"fixed": {**FIXED, "mu_1": 1}},
            "mu_1 is 1, but bosonic baths have no chemical potential: leave it 0 or choose "
            "fermionic statistics",
            id="chemical potential of bosons",
        ),
        pytest.param(
            {"method": Bosonic()},
            "method bosonic is the limit N → ∞: leave out N, or use method exact",
            id="size of a limit",
        ),
        pytest.param(
            {"method": Qutip(), "axes": {**AXES, "N": [1, 2, 40]}},
            "method qutip would need dimension 1681, but largest is 441: use method exact, or .*",
            id="too large for the method",
        ),
        pytest.param(
            {"axes": {**AXES, "delta_E": [50, 50, 125]}},
            r"axis delta_E has the label 50.0 twice or nearly so \(50.0 follows\): keep one.*",
            id="duplicate",
        ),
        pytest.param(
            {"axes": {**AXES, "N": [1, 2, 2]}},
            r"axis N has the label 2 twice or nearly so \(2 follows\): keep one of them",
            id="duplicate N",
        ),
        pytest.param(
            {"axes": {**AXES, "delta_E": [50, 50 * (1 + 1e-10)]}},
            r"label 50.0 twice or nearly so \(50.00000000500000. follows\): keep one of them",
            id="near duplicate",
        ),
        pytest.param(
            {"axes": {**AXES, "omega_0": [0.3, 0.1 + 0.2]}, "fixed": fixed_without("omega_0")},
            r"label 0.3 twice or nearly so \(0.30000000000000004 follows\): keep one of them",
            id="0.1 + 0.2",
        ),
        pytest.param(
            {"axes": {**AXES, "delta_E": [50, 125, 60]}},
            "axis delta_E must be ascending, but 60.0 follows 125.0: sort the labels",
            id="unsorted",
        ),
        pytest.param(
            {"axes": {**AXES, "N": []}},
            "axis N is empty: give at least one label or remove it",
            id="empty axis",
        ),
        pytest.param(
            {"axes": {}},
            r"a sweep needs at least one axis: give \[axes\], e.g. N = \[1, 2, 4\]",
            id="no axes",
        ),
        pytest.param(
            {"axes": {**AXES, "N": 3}},
            "axis N must be a list of numbers, but is 3: a single value goes under fixed",
            id="scalar axis",
        ),
        pytest.param(
            {"axes": {**AXES, "N": "12"}},
            "must be a list of numbers, but is '12': a single value goes under fixed",
            id="text axis",
        ),
        pytest.param(
            {"fixed": fixed_without("E_1", "Gamma_0")},
            "no value for E_1, Gamma_0: give it under axes or under fixed",
            id="missing",
        ),
        pytest.param(
            {"fixed": {**FIXED, "T̄": 100}},
            "T_mean is both an axis and fixed: keep one of the two",
            id="axis and fixed",
        ),
        pytest.param(
            {"fixed": {**FIXED, "Γ₀": 1}},
            "Gamma_0 is given twice under fixed: keep one",
            id="by name and symbol",
        ),
        pytest.param(
            {"fixed": {**FIXED, "spin1": 1}},
            r"unknown parameter 'spin1': did you mean 'spin_1'\?",
            id="unknown parameter",
        ),
        pytest.param(
            {"variables": ["power", "powr"]},
            r"method exact does not define 'powr': did you mean 'power'\?",
            id="unknown variable",
        ),
        pytest.param(
            {"variables": [1]},
            "variables must be text, but one is 1: put it in quotes",
            id="variable that is no text",
        ),
        pytest.param(
            {"variables": "power"},
            r"""variables must be a list, but is 'power': write \["power"\]""",
            id="bare variable",
        ),
        pytest.param(
            {"blocks": {"E_1": 2}},
            "blocks names E_1, which is not an axis: remove it",
            id="block of no axis",
        ),
        pytest.param(
            {"blocks": {"N": 0}},
            "blocks must be whole numbers ≥ 1, but N is 0: e.g. N = 8",
            id="empty block",
        ),
        pytest.param(
            {"blocks": {"N": True}}, "≥ 1, but N is True: e.g. N = 8", id="block is a truth value"
        ),
    ],
)
def test_bad_sweeps_are_refused_in_one_line_with_the_remedy(changes, complaint):
    with refused(complaint):
        tiny_sweep(**changes)


@pytest.mark.parametrize("where", ["axes", "fixed"])
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (math.nan, "must be finite, but is nan"),
        (math.inf, "must be finite, but is inf"),
        (-math.inf, "must be finite, but is -inf"),
        (10**400, "must be finite, but is a whole number of 401 digits"),
        ("1", "must be a number, but is '1'"),
        (True, "must be a number, but is True"),
        (np.True_, r"must be a number, but is np\.True_"),
        (None, "must be a number, but is None"),
        (1j, "must be a number, but is 1j"),
        ([1.0], r"must be a number, but is \[1.0\]"),
    ],
)
def test_labels_that_are_no_numbers_are_refused(where, value, complaint):
    changes = {
        "axes": {"axes": {**AXES, "E_1": [value]}, "fixed": fixed_without("E_1")},
        "fixed": {"fixed": {**FIXED, "E_1": value}},
    }
    with refused(rf"E_1 {complaint}: give e\.g\. E_1 = 1"):
        tiny_sweep(**changes[where])


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b", "..", ".hidden", "-x", "Ω", "a\n", "zarr.json", "a" * 101]
)
def test_names_that_cannot_be_groups_are_refused(name):
    with refused("cannot name a group: use at most 100 letters, digits, _, - and ."):
        tiny_sweep(name=name)


@pytest.mark.parametrize("name", ["a", "Fig.2", "fig2-quick", "3_x", "a" * 100])
def test_other_names_are_kept(name):
    assert tiny_sweep(name=name).name == name


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("exakt", r"unknown method 'exakt': did you mean 'exact'\?"),
        (
            {},
            "unknown method '': choose from exact, macroscopic, cumulant, .*qutip.*",
        ),
        (
            {"name": "exact", "tolerence": 1e-9},
            r"no option 'tolerence': did you mean 'tolerance'\?",
        ),
        ({"name": "exact", "tolerance": 2}, "tolerance must lie between 0 and 1.*: try 1e-10"),
        (
            {"name": "qutip", "largest": "9"},
            "largest must be a finite number, but is '9': correct it, or leave it out",
        ),
        (3, 'method must be a name or a table, but is 3: write "exact"'),
    ],
)
def test_bad_methods_are_refused(given, complaint):
    with refused(complaint):
        method_from(given)


@pytest.mark.parametrize(
    ("method", "option"),
    [(name, option.name) for name, method in METHODS.items() for option in fields(method)],
)
def test_no_option_takes_any_text(method, option):
    with pytest.raises(InvalidInput, match=option):
        method_from({"name": method, option: "nonsense"})


@pytest.mark.parametrize("name", METHODS)
def test_methods_come_from_their_name_or_a_table(name):
    assert method_from(name) == method_from({"name": name}) == METHODS[name]()


def test_labels_are_kept_as_they_are_given_in_one_type():
    sweep = tiny_sweep(
        axes={"T̄": np.array([60, 100]), "N": range(1, 4), "ΔE": (np.float32(0.5), 0.1 + 0.7)},
        blocks={},
    )
    assert sweep.axes == {"N": (1, 2, 3), "delta_E": (0.5, 0.1 + 0.7), "T_mean": (60.0, 100.0)}
    assert [type(labels[0]) for labels in sweep.axes.values()] == [int, float, float]
    assert sweep.dims == ("N", "delta_E", "T_mean")
    assert tiny_sweep(fixed={**FIXED, "omega_0": 0.1 + 0.2}).fixed["omega_0"] == 0.1 + 0.2


@pytest.mark.parametrize(
    "labels",
    [
        np.geomspace(1.3, 71.9, 15),
        np.linspace(50.1, 60.7, 11),
        pd.Index([50.0, 125.0, 250.0]),
        pd.Series([50.0, 125.0, 250.0], index=[7, 8, 9]),
        xr.DataArray([50.0, 125.0, 250.0], dims="x"),
        (value for value in (50.0, 125.0, 250.0)),
        [np.float64(50.0), np.array(125), xr.DataArray(250.0)],
        [Fraction(101, 2), Decimal("125.3"), 250],
        {"start": 50, "stop": 250, "num": 3},
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_whatever_holds_numbers_gives_labels(labels):
    expected = [50, 150, 250] if isinstance(labels, dict) else list(labels := [*labels])
    found = tiny_sweep(axes={**AXES, "delta_E": labels}, blocks={}).axes["delta_E"]
    assert list(found) == [float(label) for label in expected]
    assert {type(label) for label in found} == {float}


@pytest.mark.parametrize("ratio", [2, 3, 4, 5, 10])
@pytest.mark.parametrize("num", [2, 3, 4, 5])
def test_powers_are_whole_numbers_of_pairs(ratio, num):
    """NumPy's geomspace gives 7.999999999999999 for 8."""
    powers = tuple(ratio**i for i in range(num))
    fixed = {**FIXED, "T_mean": 60.0, "delta_E": 50.0}
    geometric = {"start": 1, "stop": powers[-1], "num": num, "spacing": "geometric"}
    for labels in (np.geomspace(1, powers[-1], num), geometric):
        sweep = Sweep(name="powers", axes={"N": labels}, fixed=fixed)
        assert sweep.axes["N"] == powers
        assert {type(label) for label in sweep.axes["N"]} == {int}


def test_a_negative_zero_is_a_zero():
    cold = {name: value for name, value in FIXED.items() if name != "delta_T"}
    sweeps = [tiny_sweep(fixed={**cold, "delta_T": zero}) for zero in (0.0, -0.0)]
    assert sweeps[0].grid.key == sweeps[1].grid.key


@pytest.mark.parametrize(
    "method", ["cumulant", {"name": "cumulant", "order": 4}, Cumulant(), Cumulant(order=4)]
)
def test_a_method_is_an_object_a_name_or_a_mapping(method):
    sweep = Sweep(
        name="named",
        axes={"T_mean": [60.0, 100.0]},
        fixed={**FIXED, "delta_E": 50.0},
        scaling="high-temperature",
        method=method,
    )
    assert isinstance(sweep.model.method, Cumulant)
    again = HeatEngine.from_options(json.loads(json.dumps(sweep.model.options())))
    assert again == sweep.model


def test_a_variable_that_is_not_in_the_vocabulary_is_refused():
    class Heavy(Exact):
        variables = (*Exact.variables, "weight")

    with refused("declares the variable 'weight', which is not in the vocabulary: add a row to .*"):
        tiny_sweep(method=Heavy())

    class Talkative(Exact):
        diagnostics = (*Exact.diagnostics, "words")

    with refused("declares the diagnostic 'words', which is not in the vocabulary: add a row .*"):
        tiny_sweep(method=Talkative())


def test_a_frame_and_a_mapping_give_the_same_points():
    columns = {"ΔE": [90.0, 50.0, 70.0], "T_mean": [80.0, 60.0, 65.1]}
    arguments = {"axes": {"N": [1, 2]}, "blocks": {}}
    sweep = tiny_sweep(points=pd.DataFrame(columns), **arguments)
    assert sweep == tiny_sweep(points=columns, **arguments)
    assert sweep.points["T_mean"] == (80.0, 60.0, 65.1)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"axes": {**AXES, "delta_E": range(10**9)}}, "more than 100000 labels: take fewer, or .*"),
        ({"axes": {**AXES, "delta_E": itertools.count(1)}}, "more than 100000 labels: .*"),
        (
            {"axes": {**AXES, "delta_E": {"start": 1, "stop": 2, "num": 10**9}}},
            "num of axis delta_E must be at most 100000, but is 1000000000: take fewer labels, .*",
        ),
        (
            {"axes": {"N": [1], "delta_E": range(1, 10**4), "T_mean": range(60, 10**4)}},
            r"1 × 9999 × 9940 = 99390060 points, more than 10000000: take fewer labels, or .*",
        ),
        ({"points": {"mu_1": range(10**9)}}, "points mu_1 has more than 100000 labels: .*"),
        ({"axes": {**AXES, "N": [1, 10**10]}}, "N must be at most 1000000000, .*: use a limit .*"),
        ({"axes": {**AXES, "delta_E": {"start": -1.7e308, "stop": 1.7e308, "num": 9}}}, "closer"),
    ],
)
def test_sizes_are_limited_before_anything_is_allocated(changes, complaint):
    with refused(complaint):
        tiny_sweep(**changes)


def test_points_that_are_not_given_are_no_axis():
    with refused("point is no parameter: leave it out, or give points"):
        tiny_sweep(axes={**AXES, "point": [0, 1]})


def test_variables_are_kept_in_the_order_of_the_table_once_each():
    sweep = tiny_sweep(variables=["constancy", "power", "power"])
    assert sweep.variables == ("power", "constancy")
    assert sweep.arrays[:2] == ("power", "constancy")
    assert sweep.arrays[-1] == "status"
    assert set(tiny_sweep().variables) == set(Exact().chosen(None))


def test_definition_is_plain_json_and_makes_the_same_sweep():
    sweep = tiny_sweep(variables=["power"], method=Exact(tolerance=1e-9), scaling="bare")
    stored = json.loads(json.dumps(sweep.definition()))
    assert stored == sweep.definition()
    model = HeatEngine.from_options(stored.pop("model")["options"])
    again = Sweep(**stored, model=model)
    assert again == sweep
    assert again.grid.key == sweep.grid.key


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {
                "axes": {"T̄": [60, 100], "\N{INCREMENT}E": [50, 125, 250], "N": [1.0, 2.0]},
                "fixed": {"Γ₀": 1, "ΔT": 100, "E₁": 100, "ω₀": 1},
                "blocks": {"T̄": 1, "ΔE": 2},
            },
            id="symbols, integers, another order",
        ),
        pytest.param({"blocks": {"N": 1, "delta_E": 2, "T_mean": 1}}, id="defaults spelt out"),
        pytest.param({"variables": Exact().chosen(None)[::-1]}, id="all variables by name"),
        pytest.param({"description": "another"}, id="words for people"),
        pytest.param({"method": Exact(), "scaling": "bare"}, id="default method"),
    ],
)
def test_the_same_sweep_has_the_same_key(changes):
    assert tiny_sweep(**changes).grid.key == tiny_sweep().grid.key


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"axes": {**AXES, "N": [1, 3]}},
        {"axes": {**AXES, "delta_E": [50.0, 125.0, 250.000001]}},
        {"axes": {**AXES, "E_1": [100]}, "fixed": fixed_without("E_1")},
        {"fixed": {**FIXED, "omega_0": 1.0 + 1e-12}},
        {"fixed": {**FIXED, "spin_1": 0.5}},
        {"scaling": "high-temperature"},
        {"statistics": "fermionic"},
        {"method": Exact(tolerance=1e-9)},
        {"variables": ["power"]},
        {"energy_unit": "E_1"},
        {"blocks": {"delta_E": 3, "T_mean": 1}},
    ],
    ids=str,
)
def test_another_sweep_has_another_key(changes):
    assert tiny_sweep(**changes).grid.key != tiny_sweep().grid.key


AXIS_LENGTHS = st.fixed_dictionaries(
    {"N": st.integers(1, 6), "delta_E": st.integers(1, 40), "T_mean": st.integers(1, 30)}
)


@settings(deadline=None)  # the machine may be busy
@given(
    lengths=AXIS_LENGTHS,
    order=st.permutations(["N", "delta_E", "T_mean"]),
    blocks=st.dictionaries(st.sampled_from(["N", "delta_E", "T_mean"]), st.integers(1, 50)),
)
def test_blocks_tile_the_grid_exactly_once(lengths, order, blocks):
    axes = {name: range(60, 60 + lengths[name]) for name in order}
    sweep = tiny_sweep(axes=axes, blocks=blocks)
    covered = np.zeros(sweep.shape, dtype=int)
    indices = list(sweep.grid.block_indices())
    for index in indices:
        part = sweep.grid.block_slices(index)
        assert covered[part].size
        covered[part] += 1
    assert (covered == 1).all()
    assert len(indices) == math.prod(sweep.grid.block_grid)
    assert sweep.size == covered.size
    if "N" not in blocks:
        assert sweep.grid.blocks["N"] == 1
    if not blocks:
        assert math.prod(sweep.grid.blocks.values()) <= BLOCK_POINTS
    assert all(sweep.grid.blocks[dim] == min(blocks[dim], lengths[dim]) for dim in blocks)


def test_engines_of_all_blocks_carry_the_labels_of_their_points():
    sweep = tiny_sweep(scaling="high-temperature")
    found = {}
    for index in sweep.grid.block_indices():
        part = sweep.grid.block_slices(index)
        for position, labels in sweep.grid.block_points(index):
            point = tuple(piece.start + i for piece, i in zip(part, position, strict=True))
            assert point not in found
            found[point] = sweep.model.engine(labels)
    for (i, j, k), engine in found.items():
        labels = {"N": AXES["N"][i], "delta_E": AXES["delta_E"][j], "T_mean": AXES["T_mean"][k]}
        assert engine == Engine(scaling="high-temperature", **labels, **FIXED)
    assert len(found) == sweep.size


def labels_around(low: float, high: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.integers(int(low), int(high)), min_size=1, max_size=3, unique=True).map(
        lambda values: sorted(value / 2 for value in values)
    )


@settings(deadline=None)
@given(
    axes=st.fixed_dictionaries(
        {
            "T_mean": labels_around(-2, 12),
            "delta_T": labels_around(-2, 16),
            "E_1": labels_around(-1, 9),
        },
        optional={"spin_1": labels_around(-1, 6), "omega_0": labels_around(-1, 8)},
    )
)
def test_a_sweep_is_accepted_exactly_if_all_its_engines_can_exist(axes):
    """The check at construction visits corners and edges only; here every point is tried."""
    fixed = {"N": 2, "delta_E": 3.0, "omega_0": 1.0, "Gamma_0": 1.0}
    fixed = {name: value for name, value in fixed.items() if name not in axes}

    def exists(labels):
        try:
            Engine(**dict(zip(axes, labels, strict=True)), **fixed)
        except InvalidInput:
            return False
        return True

    expected = all(exists(labels) for labels in itertools.product(*axes.values()))
    try:
        Sweep(name="random", axes=axes, fixed=fixed)
        accepted = True
    except InvalidInput:
        accepted = False
    assert accepted == expected
