"""The table is consistent, and people can spell its words in more than one way."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from catalog.heat_engine.methods import METHODS
from catalog.heat_engine.model import HeatEngine
from catalog.heat_engine.terms import NAMES, VOCABULARY
from catalog.names.suggestion import suggestion
from catalog.sweeps.arrays import array_dtype
from ensemble import Status
from tests.catalog.support import refused

TERMS = tuple(NAMES.values())
ARRAYS = [term for term in TERMS if term.kind in ("variable", "diagnostic")]
names, parameter_name = NAMES.names, NAMES.parameter_name


def test_names_are_unique_ascii_identifiers():
    assert set(VOCABULARY) < set(NAMES)
    for name in NAMES:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)


def test_symbols_of_parameters_are_unique_and_no_name_of_another():
    symbols = [NAMES[name].symbol for name in names("parameter")]
    assert len(set(symbols)) == len(symbols)
    for name, symbol in zip(names("parameter"), symbols, strict=True):
        assert symbol == name or symbol not in VOCABULARY


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_what_a_method_returns_is_in_the_table(method):
    assert set(method.variables) <= set(names("variable"))
    assert set(method.diagnostics) <= set(names("diagnostic"))


def test_the_parameters_that_a_sweep_needs_are_in_the_table():
    assert set(HeatEngine().required) <= set(names("parameter"))


def test_status_comes_last_because_blocks_are_written_in_this_order():
    assert TERMS[-1].name == "status"


@pytest.mark.parametrize("term", ARRAYS, ids=lambda term: term.name)
def test_fills_cannot_be_mistaken_for_results(term):
    dtype = array_dtype(term)
    if dtype.kind == "f":
        assert math.isnan(term.fill_value)
    elif dtype.kind == "T":
        assert term.fill_value == ""
    elif term.name == "status":
        assert term.fill_value == Status.NOT_COMPUTED == 0
    else:
        assert term.fill_value == -1  # the other integers count something
    assert np.full(1, term.fill_value, dtype).dtype == dtype


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_every_term_says_what_it_is_and_in_what_unit(term):
    attributes = term.attributes()
    assert attributes["long_name"]
    assert attributes["units"]
    assert not attributes["units"].endswith("^None")


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("delta_E", "omega_0"),
        ("power", "omega_0^2"),
        ("power_variance", "omega_0^3"),
        ("quanta_noise", "omega_0"),
        ("affinity", "nat"),
        ("constancy", "1"),
        ("N", "1"),
    ],
)
def test_units_are_powers_of_the_unit_of_energy(name, units):
    assert VOCABULARY[name].units("omega_0") == units


def test_status_explains_its_numbers_as_cf_flags():
    attributes = NAMES["status"].attributes()
    flags = dict(zip(attributes["flag_values"], attributes["flag_meanings"].split(), strict=True))
    assert flags == {int(status): status.name.lower() for status in Status}
    assert "flag_values" not in NAMES["error"].attributes()


@pytest.mark.parametrize("name", names("parameter"))
def test_parameters_go_by_name_or_symbol(name):
    assert parameter_name(name) == name
    assert parameter_name(NAMES[name].symbol) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\N{GREEK CAPITAL LETTER DELTA}E", "delta_E"),
        ("\N{INCREMENT}E", "delta_E"),
        ("\N{INCREMENT}T", "delta_T"),
        ("T\N{COMBINING MACRON}", "T_mean"),
        ("\N{GREEK SMALL LETTER OMEGA}\N{SUBSCRIPT ZERO}", "omega_0"),
        ("\N{GREEK SMALL LETTER OMEGA}0", "omega_0"),
        (" E₁ ", "E_1"),
    ],
)
def test_symbols_go_by_any_of_their_unicode_forms(text, name):
    assert parameter_name(text) == name


@pytest.mark.parametrize(
    ("typo", "nearest"),
    [("delta_e", "delta_E"), ("deltaE", "delta_E"), ("Tmean", "T_mean"), ("gamma_0", "Gamma_0")],
)
def test_typos_are_answered_with_the_nearest_name(typo, nearest):
    with refused(rf"unknown parameter '{typo}': did you mean '{nearest}'\?"):
        parameter_name(typo)


def test_words_like_no_other_are_answered_with_the_whole_list():
    with refused("unknown parameter 'pressure': choose from N, delta_E, T_mean, .*, spin_2.*"):
        parameter_name("pressure")
    assert suggestion("", ["power"]) == ": choose from power"


def test_variables_are_no_parameters():
    with refused("unknown parameter 'power'.*"):
        parameter_name("power")


def test_parameters_are_ordered_as_in_the_table():
    assert list(NAMES.ordered(["T_mean", "E_1", "N"])) == ["N", "T_mean", "E_1"]


def test_terms_are_frozen():
    with pytest.raises(AttributeError):
        NAMES["power"].name = "P"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("unit", "squared"),
    [
        ("meV", "meV^2"),
        ("E_1", "E_1^2"),
        ("cm^-1", "(cm^-1)^2"),
        ("k_B T", "(k_B T)^2"),
        ("eV/ħ", "(eV/ħ)^2"),
        ("µeV", "µeV^2"),
    ],
)
def test_powers_of_compound_units_have_brackets(unit, squared):
    assert VOCABULARY["power"].units(unit) == squared
    assert VOCABULARY["delta_E"].units(unit) == unit
