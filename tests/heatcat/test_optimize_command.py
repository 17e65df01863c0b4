"""``heatcat optimize``: what it prints, its exit codes, and what it leaves in a store."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import catalog
from analyses import collective_gain
from ensemble import InvalidInput
from heatcat.optimize_command import optimize

WORDS = (
    *("--N", "4", "--E-1", "1", "--T-mean", "13.5", "--delta-T", "23", "--Gamma-0", "0.001"),
    *("--scaling", "high-temperature", "--over", "ΔE=1:11", "--over", "ω₀=1e-4:0.02"),
    *("--geometric", "omega_0", "--starts", "4"),
)


def command(*words: str):
    return CliRunner().invoke(optimize, [*WORDS, *words])


def test_every_search_is_reported_with_its_residual():
    result = command("--maximize", "power", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["maximize"] == "power"
    assert found["over"] == {"delta_E": [1, 11], "omega_0": [1e-4, 0.02]}
    assert found["engine"]["N"] == 4
    assert "delta_E" not in found["engine"]
    assert len(found["searches"]) == 4
    for search in found["searches"]:
        assert search["converged"]
        assert search["kkt_residual"] <= 1e-6
    powers = [search["values"]["power"] for search in found["searches"]]
    assert powers == sorted(powers, reverse=True)


def test_the_table_says_what_it_found():
    result = command("--maximize", "power", "--subject-to", "constancy>=1")
    assert result.exit_code == 0, result.output
    assert "maximal power, constancy >= 1" in result.output
    assert "searches converged" in result.output


def test_optima_are_stored_as_scattered_points_with_the_pair_that_the_gain_needs(tmp_path):
    store = tmp_path / "s.zarr"
    words = ("--maximize", "gain", "--subject-to", "power >= 1e-4", "--store", str(store))
    result = command(*words, "--json")
    assert result.exit_code == 0, result.output
    text = result.output[: result.output.rindex("}") + 1]
    best = json.loads(text)["searches"][0]
    ds = catalog.open(store)["optima"].dataset().load()
    assert ds.N.values.tolist() == [1, 4]
    assert (ds.status == 1).all()
    gain = collective_gain(ds.power).sel(N=4)
    assert float(gain.max()) == pytest.approx(best["values"]["collective_gain"], rel=1e-12)
    assert best["parameters"]["delta_E"] in ds.delta_E.values.ravel()


def test_nothing_found_is_exit_code_1_and_stores_nothing(tmp_path):
    store = tmp_path / "s.zarr"
    result = command("--maximize", "power", "--subject-to", "constancy>=2", "--store", str(store))
    assert result.exit_code == 1
    assert "no search converged: no feasible point found" in result.output
    assert not store.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--maximize", "power", "--delta-E", "2"), "--delta-E and --over both give delta_E"),
        (("--maximize", "power", "--over", "E_1"), "--over E_1 is no range"),
        (("--maximize", "power", "--over", "E_1=a:2"), "--over E_1=a:2 is no range"),
        (("--maximize", "power", "--over", "delta_E=1:2"), "--over gives delta_E twice"),
        (("--maximize", "power", "--over", "foo=1:2"), "unknown parameter 'foo'"),
        (("--maximize", "power", "--geometric", "E_1"), "'E_1' is not varied"),
        (("--maximize", "power", "--E-2", "3"), "--E-2 does not stay where it is while delta_E"),
        (("--maximize", "power", "--T-1", "3"), "T_mean, delta_T, T_1 are given: give exactly two"),
        (("--maximize", "pwer",), "'pwer' cannot be optimised"),
        ((), "one objective"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(words, message):
    result = command(*words)
    assert isinstance(result.exception, InvalidInput)
    assert message in str(result.exception)


def test_what_is_missing_is_named():
    engine = ("--N", "1", "--E-1", "1", "--T-mean", "3", "--delta-T", "1")
    result = CliRunner().invoke(optimize, ["--maximize", "power", "--over", "ΔE=1:2", *engine])
    assert isinstance(result.exception, InvalidInput)
    assert "omega_0 is missing: give --omega-0, or a range with --over" in str(result.exception)
