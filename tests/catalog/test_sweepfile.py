"""Sweep files: what they may say, what the remedy is when they say something else, and presets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from catalog import find_sweep, presets, read_sweep, sweep_from_toml
from ensemble import Exact
from tests.catalog.support import refused, tiny_sweep

TINY = """
[sweep]
name = "tiny"
energy_unit = "omega_0"

[axes]
N = [1, 2]
"ΔE" = [50, 125, 250]
T_mean = [60, 100.0]

[fixed]
"ω₀" = 1
E_1 = 100
delta_T = 100
Gamma_0 = 1.0

[blocks]
delta_E = 2
"T̄" = 1
"""


def changed(old: str, new: str) -> str:
    assert old in TINY
    return TINY.replace(old, new)


def test_a_file_and_python_describe_the_same_sweep(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(TINY, encoding="utf-8")
    assert read_sweep(file) == find_sweep(str(file)) == tiny_sweep()


def test_method_scaling_and_variables_are_read():
    head = 'name = "tiny"\nscaling = "high-temperature"\nvariables = ["constancy", "power"]\n'
    text = changed('name = "tiny"', head + 'method = {name = "exact", tolerance = 1e-9}')
    sweep = sweep_from_toml(text)
    assert sweep == tiny_sweep(
        scaling="high-temperature",
        variables=["power", "constancy"],
        method=Exact(tolerance=1e-9),
    )


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ("{start = 1, stop = 4, num = 4}", [1, 2, 3, 4]),
        ("{start = 1, stop = 4, num = 3, spacing = 'geometric'}", [1, 2, 4]),
    ],
)
def test_ranges_include_both_ends(given, labels):
    sweep = sweep_from_toml(changed("N = [1, 2]", f"N = {given}"))
    assert sweep.axes["N"] == tuple(labels)
    assert all(isinstance(label, int) for label in sweep.axes["N"])


def test_labels_of_a_range_are_those_that_a_person_would_write():
    text = changed("T_mean = [60, 100.0]", "T_mean = {start = 60.1, stop = 60.7, num = 7}")
    labels = sweep_from_toml(text).axes["T_mean"]
    assert labels == (60.1, 60.2, 60.3, 60.4, 60.5, 60.6, 60.7)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            changed("[axes]", "[axs]"),
            r"unknown table 'axs': did you mean 'axes'\?",
            id="unknown table",
        ),
        pytest.param(
            "x = 1\n" + TINY,
            "unknown table 'x': choose from sweep, axes, fixed, points, blocks, options",
            id="key outside the tables",
        ),
        pytest.param(
            'name = "tiny"\n' + TINY,
            r"name stands outside of all tables: move it below a line \[sweep\]",
            id="key of the sweep outside the tables",
        ),
        pytest.param(
            changed("energy_unit", "energyunit"),
            r"unknown key in \[sweep\] 'energyunit': did you mean 'energy_unit'\?",
            id="unknown key",
        ),
        pytest.param(
            changed("Gamma_0", "Gama_0"),
            r"unknown parameter 'Gama_0': did you mean 'Gamma_0'\?",
            id="unknown parameter",
        ),
        pytest.param(
            changed("T_mean =", "Tmean ="),
            r"unknown parameter 'Tmean': did you mean 'T_mean'\?",
            id="unknown axis",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, nun = 4}"),
            r"unknown key in axis N 'nun': did you mean 'num'\?",
            id="unknown key of a range",
        ),
        pytest.param(
            changed("delta_E = 2", "deltaE = 2"),
            r"unknown parameter 'deltaE': did you mean 'delta_E'\?",
            id="unknown block",
        ),
        pytest.param(
            changed('name = "tiny"', 'name = "tiny"\nmethod = {name = "exact", tolerence = 1e-9}'),
            r"method exact has no option 'tolerence': did you mean 'tolerance'\?",
            id="unknown option",
        ),
        pytest.param(
            changed('name = "tiny"', 'name = "tiny"\nmethod = "exat"'),
            r"unknown method 'exat': did you mean 'exact'\?",
            id="unknown method",
        ),
        pytest.param(
            changed('name = "tiny"', 'name = "tiny"\nvariables = ["pwer"]'),
            r"method exact does not define 'pwer': did you mean 'power'\?",
            id="unknown variable",
        ),
        pytest.param(
            changed('name = "tiny"', 'name = "tiny"\nvariables = "power"'),
            r"""variables in \[sweep\] must be a list: e.g. variables = \["power"\]""",
            id="bare variable",
        ),
        pytest.param(
            changed('name = "tiny"', ""),
            r'\[sweep\] has no name: add name = "my-sweep"',
            id="no name",
        ),
        pytest.param(
            changed('name = "tiny"', "name = 3"),
            r"name in \[sweep\] must be a string, but is 3: quote it",
            id="name is a number",
        ),
        pytest.param(
            "sweep = 3", r"sweep must be a table: write \[sweep\] on a line of its own", id="number"
        ),
        pytest.param(
            changed("[axes]", "[[axes]]"),
            r"axes must be a table: write \[axes\] on a line of its own",
            id="array of tables",
        ),
        pytest.param("", r'\[sweep\] has no name: add name = "my-sweep"', id="empty file"),
        pytest.param(
            changed("[fixed]", "[fixed"), r"not valid TOML: .*\(at line 11, column .*\)", id="TOML"
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 4, stop = 1, num = 4}"),
            "axis N must be ascending, but stop = 1 lies below start = 4: swap them",
            id="reversed range",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4}"),
            r"axis N lacks num: give \{start, stop, num\}",
            id="incomplete range",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, num = 1}"),
            r"num of axis N must be .* ≥ 2, but is 1: write a single label as N = \[1\]",
            id="a range of one, whose stop would be lost",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, num = 4.0}"),
            r"num of axis N must be .* ≥ 2, but is 4.0: write a single label as N = \[1\]",
            id="fractional num",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, num = true}"),
            r"num of axis N must be .* ≥ 2, but is True: write a single label as N = \[1\]",
            id="num is a truth value",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, num = 3}"),
            "N must be a whole number, but is 2.5: use N = 1, 2, 3, …",
            id="N between whole numbers",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 2, stop = 2, num = 3}"),
            r"axis N has the label 2 twice or nearly so \(2 follows\): keep one of them",
            id="a range of equals",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = '1', stop = 4, num = 4}"),
            "N must be a number, but is '1': give e.g. N = 1",
            id="start is text",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = inf, num = 4}"),
            "N must be finite, but is inf: give e.g. N = 1",
            id="endless range",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, num = 4, spacing = 'geometrical'}"),
            r"unknown spacing 'geometrical' of axis N: did you mean 'geometric'\?",
            id="spacing",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = {start = 1, stop = 4, num = 4, spacing = ['linear']}"),
            "unknown spacing .* of axis N: .*linear.*",
            id="spacing is a list",
        ),
        pytest.param(
            changed("[50, 125, 250]", "{start = 0, stop = 4, num = 4, spacing = 'geometric'}"),
            "axis delta_E has geometric spacing: start it above 0, not 0.0",
            id="geometric from zero",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = []"),
            "axis N is empty: give at least one label or remove it",
            id="empty axis",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = [[1, 2]]"),
            r"N must be a number, but is \[1, 2\]: give e.g. N = 1",
            id="nested axis",
        ),
        pytest.param(
            changed("E_1 = 100", "E_1 = 2026-01-01"),
            r"E_1 must be a number, but is datetime.date\(2026, 1, 1\): give e.g. E_1 = 1",
            id="date",
        ),
        pytest.param(
            changed("N = [1, 2]", "N = [0, 1]"),
            "N must be a whole number ≥ 1, but is 0: use N = 1, 2, 3, …",
            id="no pairs",
        ),
    ],
)
def test_bad_files_are_refused_in_one_line_with_the_remedy(text, complaint, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with refused(f"bad.toml: {complaint}"):
        read_sweep(file)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with refused(
        r"cannot read the sweep file .*gone\.toml: No such file or directory: check the path"
    ):
        read_sweep(tmp_path / "gone.toml")
    with refused("cannot read the sweep file .*: Is a directory: check the path"):
        read_sweep(tmp_path)
    latin = tmp_path / "latin.toml"
    latin.write_bytes(
        TINY.replace("ΔE", "é").replace("ω₀", "x").replace("T̄", "T").encode("latin-1")
    )
    with refused("latin.toml is not UTF-8 text: save it as UTF-8"):
        read_sweep(latin)


def test_names_that_are_neither_preset_nor_file_are_answered_with_the_nearest():
    with refused(r"'fig2-quik' is neither a preset nor a sweep file: did you mean 'fig2-quick'\?"):
        find_sweep("fig2-quik")


def test_presets_are_found_by_their_names_and_say_what_they_are():
    assert {"fig2", "fig2-quick"} <= set(presets())
    for name, sweep in presets().items():
        assert find_sweep(name) == sweep
        assert sweep.name == name
        assert sweep.description


CAPTION = {"omega_0": 1.0, "E_1": 100.0, "delta_T": 100.0, "Gamma_0": 1.0}


def test_fig2_is_the_figure_of_the_paper():
    sweep = presets()["fig2"]
    assert sweep.axes["N"] == tuple(range(1, 25))
    assert len(sweep.axes["delta_E"]) >= 40
    assert len(sweep.axes["T_mean"]) >= 40
    assert np.ptp(sweep.axes["delta_E"]) > 200
    assert (sweep.fixed, sweep.model.scaling, sweep.model.energy_unit) == (
        CAPTION,
        "bare",
        "omega_0",
    )
    assert 125.0 in sweep.axes["delta_E"]  # panel (b)


def test_fig2_quick_is_the_same_figure_on_part_of_its_grid():
    full, quick = presets()["fig2"], presets()["fig2-quick"]
    assert quick.size * 8 < full.size
    assert quick.fixed == full.fixed
    assert full.model.method == Exact(solver="basis")
    assert quick.model == replace(full.model, method=Exact())
    assert set(quick.axes["N"]) <= set(full.axes["N"])
    assert quick.axes["N"][0] == 1
    assert quick.axes["N"][-1] == 24
    assert 125.0 in quick.axes["delta_E"]


COLUMNS = {"delta_E": [50.0, 125.0, 0.1 + 0.2], "T_mean": [60.0, 100.0, 70.0]}
SCATTERED = changed('"ΔE" = [50, 125, 250]\nT_mean = [60, 100.0]\n', "").replace(
    '[blocks]\ndelta_E = 2\n"T̄" = 1\n', ""
)


def expected_points():
    return tiny_sweep(axes={"N": [1, 2]}, points=COLUMNS, blocks={})


def test_points_are_a_table_of_lists():
    rows = "".join(f"{name} = {values}\n" for name, values in COLUMNS.items())
    assert sweep_from_toml(f"{SCATTERED}\n[points]\n{rows}") == expected_points()


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("place", ["top", "sweep", "home"])
def test_points_are_a_file_beside_the_sweep_file(place, mark, tmp_path, monkeypatch):
    folder = tmp_path / "sub"
    folder.mkdir()
    text = "# three points\nΔE, T_mean\n50,60\n125,100\n\n0.30000000000000004,70\n"
    (folder / "points.csv").write_text(mark + text, encoding="utf-8")
    monkeypatch.setenv("HOME", str(folder))
    file = {"top": "points.csv", "sweep": "points.csv", "home": "~/points.csv"}[place]
    content = f'points = "{file}"\n{SCATTERED}'
    if place == "sweep":
        content = SCATTERED.replace("[axes]", f'points = "{file}"\n[axes]')
    (folder / "scattered.toml").write_text(mark + content, encoding="utf-8")
    assert read_sweep(folder / "scattered.toml") == expected_points()
    assert read_sweep("~/scattered.toml") == find_sweep("~/scattered.toml") == expected_points()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty: write a line of names, then one line a point"),
        ("ΔE;T_mean\n1;2\n", "has one column 'ΔE;T_mean': separate by commas"),
        ("ΔE,T_mean\n1\n", "line 2 of .* has 1 values for 2 columns: give one a column"),
        ("ΔE,T_mean\n1,x\n", "line 2 of .*: T_mean must be a number, but is 'x': correct it"),
        ("ΔE,T_mean\n1,\n", "line 2 of .*: T_mean must be a number, but is '': correct it"),
        ("ΔE,T_mean\n1,nan\n", "T_mean must be finite, but is nan: give e.g. T_mean = 1"),
        ("ΔE,T_maen\n1,2\n", r"unknown parameter 'T_maen': did you mean 'T_mean'\?"),
        (",ΔE\n0,1\n", "line 1 of .*: column 1 has no name: name its parameter, or remove it"),
        ("ΔE,ΔE\n0,1\n", "line 1 of .* names a column twice: keep one of them"),
        ("ΔE\n" + "1\n" * 100_001, "has more than 100000 points: make several sweeps"),
    ],
)
def test_bad_files_of_points_are_refused_in_one_line(text, complaint, tmp_path):
    (tmp_path / "points.csv").write_text(text, encoding="utf-8")
    (tmp_path / "s.toml").write_text(f'points = "points.csv"\n{SCATTERED}', encoding="utf-8")
    with refused(complaint):
        read_sweep(tmp_path / "s.toml")


def test_a_file_of_points_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "s.toml").write_text(f'points = "gone.csv"\n{SCATTERED}', encoding="utf-8")
    with refused(r"cannot read the points .*gone\.csv: No such file or directory: check the path"):
        read_sweep(tmp_path / "s.toml")
    (tmp_path / "gone.csv").write_bytes(b"\xff\xfe1")
    with refused(r"gone\.csv is not UTF-8 text: save it as UTF-8"):
        read_sweep(tmp_path / "s.toml")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("9" * 5000, "a number has thousands of digits: write fewer"),
        ("[" * 50_000, "lists or tables are nested too deeply: write them flat"),
        ("{start = 1, stop = 2, num = 1000000000}", "num of axis N must be at most 100000, .*"),
    ],
)
def test_files_that_would_take_for_ever_are_refused(value, complaint):
    with refused(complaint):
        sweep_from_toml(changed("N = [1, 2]", f"N = {value}"))


def test_a_file_too_large_to_be_a_sweep_is_not_read():
    with refused("/dev/zero is larger than 16777216 bytes: it is no sweep file"):
        read_sweep("/dev/zero")
    with refused("there is no home directory for '~nobody-here/x.toml': give path in full"):
        read_sweep("~nobody-here/x.toml")
