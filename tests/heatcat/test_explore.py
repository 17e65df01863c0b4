"""What the panels below the map read and compute, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from analyses import collective_gain, operating_regime, pareto_front
from catalog.sweeps.sweep import Sweep
from ensemble import Engine, Exact, InvalidInput, Macroscopic, Status
from heatcat.browser.panels.explain import glossary
from heatcat.browser.panels.listing import ROWS, file, listing
from heatcat.browser.panels.live_curve import Solved, Wanted, solve_more, thinned
from heatcat.browser.panels.pinned import as_table, load_pins
from heatcat.browser.panels.point import load_point
from heatcat.browser.sections.play import Play
from heatcat.browser.shown import cloud as clouds
from heatcat.browser.shown.cloud import load_cloud
from heatcat.browser.shown.condition import box_condition, condition_of, masked
from heatcat.browser.shown.extremes import extreme
from heatcat.browser.shown.families import load_curves, same_engine, through_points
from heatcat.browser.shown.outline import outline
from heatcat.browser.shown.picture import picture_of
from heatcat.browser.shown.plane import load_plane
from heatcat.browser.shown.points import load_points, of_points
from heatcat.browser.shown.regime_map import COLOURS, HATCHES, HIDDEN, legend, load_regimes
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.sides import side_of
from heatcat.browser.shown.small_maps import load_small_maps
from heatcat.browser.shown.source import Source
from heatcat.browser.state import threads
from heatcat.browser.state.view import View
from tests.heatcat.stores import FIXED, TINY, computed

AT = {"N": 6, "delta_E": 125.0, "T_mean": 100.0}


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("explore") / "store.zarr"
    computed(location)
    return location


@pytest.fixture(scope="module")
def stored(location: Path) -> xr.Dataset:
    return computed(location)


@pytest.fixture(scope="module")
def sheet(location: Path) -> Sheet:
    return Source(str(location)).sheet("tiny")


class TestCondition:
    def test_stored_and_derived_variables_and_symbols(self, sheet, stored):
        met = condition_of(sheet, "collective_gain > 1 and ΔE <= 125 and C < 1")
        gain = collective_gain(stored.constancy * stored.quanta_noise / 2)
        expected = (gain > 1) & (stored.delta_E <= 125) & (stored.constancy < 1)
        assert met.dims == sheet.dims
        assert np.array_equal(met, expected.transpose(*sheet.dims))
        assert condition_of(sheet, "  ") is None

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("powr > 0", "unknown name 'powr': did you mean 'power'"),
            ("power", "neither true nor false"),
            ("__import__('os').system('true')", "unknown name '__import__'|not understood"),
            ("power > 0" + " " * 600, "has 609 characters"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, sheet, text, told):
        with pytest.raises(InvalidInput, match=told):
            condition_of(sheet, text)

    def test_it_masks_maps_and_derived_variables(self, sheet, stored):
        """The gain of N pairs is that of the sweep, where N = 1 does not meet the condition."""
        cut = masked(sheet, "N > 1 and power > 0")
        met = (stored.N > 1) & (stored.power > 0)
        gain = collective_gain(stored.constancy * stored.quanta_noise / 2)
        for name, values in {"power": stored.power, "collective_gain": gain}.items():
            expected = values.where(met).sel(N=4)
            assert np.array_equal(cut.select(name, {"N": 4}), expected, equal_nan=True)
        plane = load_plane(cut, picture_of(cut, "power", at={"N": 1}))
        assert np.isnan(plane.values).all()
        assert cut.plain.select("power", {}).identical(sheet.select("power", {}))
        assert masked(sheet, "") is sheet

    def test_a_box_holds_its_points(self, sheet, stored):
        box = {"power": (-1.0, 0.5), "delta_E": (130.0, 40.0)}
        inside = (stored.power >= -1) & (stored.power <= 0.5) & (stored.delta_E <= 130)
        assert np.array_equal(condition_of(sheet, box_condition(box)), inside)
        assert box_condition({"C": (1.0, 1.0000158)}) == "1 <= C <= 1.0000158"


class TestPoints:
    def test_every_point_with_its_labels_and_values(self, sheet, stored):
        points = load_points(sheet, ["power", "collective_gain", "N"])
        assert (points.met, points.total) == (45, 45)
        gain = collective_gain(stored.constancy * stored.quanta_noise / 2)
        for row in range(45):
            at = points.at(row)
            assert points.columns["power"][row] == stored.power.sel(at)
            assert points.columns["collective_gain"][row] == gain.sel(at)

    def test_fixed_labels_a_filter_and_a_selection(self, sheet, stored):
        cold = masked(sheet, "power < 0")
        points = load_points(cold, ["power"], at={"N": 4}, selected="T_mean == 100")
        expected = stored.power.sel(N=4)
        assert points.total == 9
        assert sorted(points.columns["power"]) == sorted(expected.values[expected.values < 0])
        assert (points.columns["N"] == 4).all()
        assert np.array_equal(points.selected, points.columns["T_mean"] == 100.0)

    def test_scattered_points_have_their_parameters(self):
        along = {"point": [0, 1, 2], "N": ("point", [1, 2, 4]), "delta_E": ("point", [1.0, 2, 3])}
        sheet = Sheet("points", xr.Dataset({"power": ("point", [1.0, 3.0, 2.0])}, along))
        assert of_points(sheet) == ["N", "delta_E"]
        cloud = load_cloud(sheet, "N", "power", colour="delta_E")
        assert cloud.points.columns["N"].tolist() == [1, 2, 4]
        assert cloud.coloured.tolist() == [1.0, 2.0, 3.0]


class TestPointsBesideTheGrid:
    """Three points at ΔE = 60, T̄ = 70, 80, 90: the last is the largest, and not certified."""

    @pytest.fixture
    def refined(self, sheet, stored):
        points = xr.Dataset(
            {
                "power": ("point", [1e3, 2e3, 3e3]),
                "efficiency": ("point", [0.1, 0.2, 0.3]),
                "status": ("point", np.array([1, 1, 2], "u1")),
            },
            {
                "point": [0, 1, 2],
                "N": ("point", [4, 6, 6]),
                "delta_E": ("point", [60.0, 60.0, 60.0]),
                "T_mean": ("point", [70.0, 80.0, 90.0]),
                **{name: stored[name] for name in sheet.fixed()},
            },
        )
        for name in ("N", "delta_E", "T_mean"):
            points[name].attrs.update(stored[name].attrs)
        return replace(sheet, scattered=Sheet("tiny", points))

    def test_they_are_in_the_scatter_and_the_table(self, refined):
        cloud = load_cloud(refined, "power", "efficiency")
        assert {1e3, 2e3, 3e3} <= {*cloud.points.columns["power"].tolist()}
        assert cloud.notes[1] == "3 of them beside the grid"
        points = load_points(refined, ["power", "collective_gain"], at={"N": 6})
        assert (points.met, points.total, points.beside.sum()) == (11, 11, 2)
        assert np.isnan(points.columns["collective_gain"][points.beside]).all()
        listed = listing(points, ("T_mean", "power", "status"), by="power", descending=True)
        assert listed.texts(0)[:2] == [["90", "3000", "uncertified"], ["80", "2000", "ok"]]
        assert points.at(listed.order[1]) == {"N": 6, "delta_E": 60.0, "T_mean": 80.0}

    def test_the_maximum_is_the_certified_one(self, refined):
        found = extreme(refined, "power", largest=True)
        assert (found.value, found.at["T_mean"], found.left_out) == (2e3, 80.0, 1)
        assert extreme(refined, "power", largest=True, at={"N": 4}).at["T_mean"] == 70.0

    def test_conditions_hold_for_them_too(self, refined):
        some = masked(refined, "power > 1500 and N == 6")
        points = load_points(some, ["power"], selected="T_mean == 90")
        assert points.columns["power"].tolist() == [2e3, 3e3]
        assert points.selected.tolist() == [False, True]
        assert some.plain.scattered.met is None
        with_gain = load_points(masked(refined, "collective_gain > 1"), ["power"])
        assert not with_gain.beside.any()
        plane = load_plane(some, picture_of(some, "power", at={"N": 6}))
        assert plane.scattered.values.tolist() == [2e3, 3e3]
        assert "2 points beside the grid are drawn as dots, 1 of them, not certified" in plane.note

    def test_one_is_chosen_and_pinned_at_its_own_labels(self, refined, stored):
        view = View(sweep="tiny", at=refined.first())
        place = {"N": 6, "delta_E": 60.0, "T_mean": 80.0}
        view.choose(refined, place)
        assert (view.at, view.off_grid) == ({"N": 6, "delta_E": 50.0, "T_mean": 60.0}, place)
        assert load_point(refined, view.picture().chosen).numbers["power"] == 2e3
        (pin,) = load_pins(refined, [place], derived="collective_gain")
        assert (pin.letter, pin.at, pin.point.numbers["power"]) == ("A", place, 2e3)
        curves = through_points(refined, "power", "delta_E", {"A": place})
        assert curves.family[0].text.startswith("near A: N = 6, T̄ = 60")
        assert (
            curves.family[0].values.tolist() == stored.power.sel(N=6, T_mean=60.0).values.tolist()
        )
        view.choose(refined, {"delta_E": 125.0})
        assert (view.at["delta_E"], view.off_grid) == (125.0, {})


class TestCloud:
    def test_the_front_is_the_analysis(self, sheet, stored):
        cloud = load_cloud(sheet, "power", "constancy", front="large x, large y")
        dims = ["N", "delta_E", "T_mean"]
        expected = pareto_front(stored, objectives={"power": "max", "constancy": "max"}, dims=dims)
        assert cloud.front.columns["power"].tolist() == expected.power.values.tolist()
        assert cloud.notes[0] == "45 of 45 points shown"
        assert cloud.notes[-1] == f"Pareto front: {expected.front.size} of them (diamonds)"

    def test_what_has_no_place_is_counted(self, sheet, stored):
        cloud = load_cloud(sheet, "power", "efficiency", colour="N")
        engines = int(np.isfinite(stored.efficiency).sum())
        assert cloud.points.met == engines < 45
        assert f"{45 - engines} without P or η on these scales" in cloud.notes
        with pytest.raises(InvalidInput, match="none of 45 points has both"):
            load_cloud(sheet, "efficiency", "cop")

    def test_a_sample_is_named_and_the_front_is_of_all_points(self, sheet, monkeypatch):
        whole = load_cloud(sheet, "power", "constancy", front="large x, large y")
        monkeypatch.setattr(clouds, "MOST_SHOWN", 10)
        some = load_cloud(sheet, "power", "constancy", front="large x, large y")
        assert some.points.met == 10
        assert some.notes[:2] == (
            "10 of 45 points shown",
            "drawn is an even random sample of 45",
        )
        assert some.front.columns["power"].tolist() == whole.front.columns["power"].tolist()

    def test_symmetric_log_ticks_stand_at_round_values(self, sheet, stored):
        side = side_of(stored.power, [-2e3, 1e-1, 5.0, 700.0], "symlog")
        drawn = side.drawn(np.array([-2e3, 700.0]))
        for place, text in side.ticks(drawn).items():
            value = side.value(place)
            plain = text.replace("−", "-")
            exact = {"10⁴": 1e4, "-10⁴": -1e4}.get(plain) or float(plain)
            assert value == pytest.approx(exact, rel=1e-12, abs=1e-12)
        assert list(drawn) == sorted(drawn)


class TestListing:
    def test_sorted_with_undefined_last_in_both_directions(self, sheet):
        points = load_points(sheet, ["power", "efficiency"])
        for descending in (False, True):
            listed = listing(points, ("N", "efficiency"), by="efficiency", descending=descending)
            values = points.columns["efficiency"][listed.order]
            defined = values[np.isfinite(values)]
            steps = np.diff(defined)
            assert (steps <= 0).all() if descending else (steps >= 0).all()
            assert np.isnan(values[len(defined) :]).all()
        assert listed.pages == -(-45 // ROWS)
        assert len(listed.texts(listed.pages - 1)) == 45 % ROWS

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_files_hold_what_is_shown_in_full(self, sheet, kind, tmp_path):
        points = load_points(masked(sheet, "power > 0"), ["power"], selected="N > 2")
        columns = ("N", "delta_E", "T_mean", "power", "status")
        listed = listing(points, columns, by="power", descending=True, selected_only=True)
        path = tmp_path / f"points.{kind}"
        path.write_bytes(file(listed, kind).getvalue())
        read = pd.read_csv(path) if kind == "csv" else pd.read_parquet(path)
        assert tuple(read.columns) == columns
        chosen = points.columns["power"][points.selected]
        assert read["power"].tolist() == sorted(chosen, reverse=True)
        assert set(read["status"]) == {"ok"}
        assert (read["N"] > 2).all()


class TestCurves:
    def test_all_labels_at_once_in_order(self, sheet, stored):
        unsteady = masked(sheet, "constancy < 1")
        curves = load_curves(unsteady, "power", "delta_E", "N", at=AT)
        assert [curve.text for curve in curves.family] == [f"N = {N}" for N in (1, 2, 3, 4, 6)]
        kept = stored.power.where(stored.constancy < 1)
        for curve in curves.family:
            expected = kept.sel(N=curve.label, T_mean=100.0)
            assert np.array_equal(curve.values, expected, equal_nan=True)
        assert curves.at == "T̄ = 100 ω₀"
        with pytest.raises(InvalidInput, match="run along N already"):
            load_curves(sheet, "power", "N", "N", at=AT)

    def test_other_methods_where_they_hold_the_same_engine(self, tmp_path):
        axes = {"N": [1, 2], "delta_E": [5.0, 9.0], "T_mean": [13.0, 14.0]}
        rest = {"E_1": 1.0, "delta_T": 23.0, "omega_0": 0.006, "Gamma_0": 0.001}
        shared = {"scaling": "high-temperature", "variables": ["power_per_pair"]}
        limit = {name: axes[name] for name in ("delta_E", "T_mean")}
        computed(tmp_path / "s.zarr", Sweep(name="exact", axes=axes, fixed=rest, **shared))
        macroscopic = computed(
            tmp_path / "s.zarr",
            Sweep(name="limit", method=Macroscopic(), axes=limit, fixed=rest, **shared),
        )
        hotter = {**rest, "delta_T": 24.0}
        computed(
            tmp_path / "s.zarr",
            Sweep(name="hotter", method=Macroscopic(), axes=limit, fixed=hotter, **shared),
        )
        source = Source(str(tmp_path / "s.zarr"))
        assert same_engine(source, "exact") == ["limit"]
        at = {"N": 2, "delta_E": 9.0, "T_mean": 14.0}
        curves = load_curves(
            source.sheet("exact"), "power_per_pair", "delta_E", "N", at=at,
            others=[source.sheet("limit"), source.sheet("hotter")],
        )  # fmt: skip
        (beside,) = curves.others
        assert beside.text == "macroscopic (limit)"
        assert np.array_equal(beside.values, macroscopic.power_per_pair.sel(T_mean=14.0))
        assert curves.notes == ("hotter has ΔT = 24 alone",)


def test_small_maps_share_their_colours(sheet, stored):
    maps = load_small_maps(sheet, picture_of(sheet, "power", at=AT), "N")
    assert maps.texts == tuple(f"N = {N}" for N in (1, 2, 3, 4, 6))
    assert len({plane.colours.limits for plane in maps.planes}) == 1
    for plane, label in zip(maps.planes, maps.labels, strict=True):
        expected = stored.power.sel(N=label).transpose("T_mean", "delta_E")
        assert np.array_equal(plane.values, expected)
    with pytest.raises(InvalidInput, match="no further dimension 'delta_E': choose from N"):
        load_small_maps(sheet, picture_of(sheet, "power"), "delta_E")


def test_the_extremes_of_a_map_and_of_the_sweep(sheet, stored):
    best = extreme(sheet, "power", largest=True)
    assert best.value == stored.power.max()
    assert stored.power.sel(best.at) == best.value
    engines = masked(sheet, "power > 0")
    here = extreme(engines, "constancy", largest=False, at={"N": 4})
    expected = stored.constancy.where(stored.power > 0).sel(N=4)
    assert here.value == expected.min()
    assert extreme(sheet, "cop", largest=True).left_out == int(stored.cop.isnull().sum())
    with pytest.raises(InvalidInput, match="no point of tiny has a certified value"):
        extreme(masked(sheet, "power > 1e9"), "power", largest=True)


def test_failed_points_are_no_extremes(stored):
    data = stored.copy(deep=True)
    at = data.power.argmax(...)
    data["status"][at] = Status.FAILED
    best = extreme(Sheet("tiny", data), "power", largest=True)
    assert best.value == np.sort(stored.power.values.ravel())[-2]


def test_pins_show_values_and_differences(sheet, stored):
    pins = load_pins(sheet, [AT, {"N": 5, "delta_E": 50.0, "T_mean": 61.0}])
    assert [pin.letter for pin in pins] == ["A", "B"]
    assert pins[1].at == {"N": 4, "delta_E": 50.0, "T_mean": 60.0}
    (odd,) = load_pins(sheet, [{"N": "<b>", "delta_E": True, "x": 1}])
    assert odd.at == sheet.first()
    one, other = (float(stored.power.sel(pin.at)) for pin in pins)
    (power,) = (row for row in as_table(sheet, pins)["rows"] if row[0]["name"] == "power")
    assert power[0]["title"] == "power output; Eq. 10; in ω₀²"
    assert power[2]["below"].partition(",")[0] == f"{other - one:+.4g}".replace("-", "−")


def test_the_outline_separates_inside_from_outside():
    rng = np.random.default_rng(1)
    inside = rng.random((5, 7)) < 0.5
    x, y = np.arange(8.0), np.arange(6.0)
    pieces = outline(inside, x, y)
    framed = np.pad(inside, 1).astype(int)
    border = np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum()
    length = sum(abs(a[1] - a[0]) + abs(b[1] - b[0]) for a, b in pieces)
    assert length == border
    assert outline(np.zeros((2, 2), bool), x[:3], y[:3]) == []


def test_the_glossary_tells_names_equations_and_units_escaped(stored):
    data = stored.copy()
    data["power"] = data.power.assign_attrs(long_name="<b>power</b>")
    told = glossary(Sheet("tiny", data))
    for text in ("&lt;b&gt;power", "Eq. 10", "ω₀²", "collective gain", *FIXED, *TINY.dims):
        assert text.replace("_", "_<wbr>") in told or text in told


def test_a_live_curve_holds_solved_engines():
    engine = {"N": 2, "delta_E": 125.0, "T_mean": 100.0, **FIXED}
    positions = thinned([40.0, 60.0, 120.0], 100.0)
    assert positions.tolist() == [40.0, 60.0, 100.0, 120.0]
    wanted = Wanted(Exact(), engine, "T_mean", positions, "power")
    solved = Solved(wanted, np.full(4, np.nan))
    solve_more(solved, seconds=0.0)
    assert solved.done == 1
    solve_more(solved, seconds=10.0)
    assert (solved.done, solved.left_out) == (4, 1)  # at T̄ = 40 the cold bath is below 0
    for T_mean, value in zip(positions[1:], solved.values[1:], strict=True):
        exact = Exact().solve(Engine(**{**engine, "T_mean": T_mean}), ["power"])
        assert value == exact.values["power"]


def test_playing_goes_from_label_to_label_and_stops_at_the_last(sheet):
    view = View(sweep="tiny", at={**AT, "N": 4})
    play = Play(view, sheet, "N", "N")
    play.step()
    assert view.at == AT
    play.step()
    assert view.at == AT
    assert not play.button.value


class TestRegimes:
    def test_the_map_holds_the_analysis_and_what_is_hidden(self, sheet, stored):
        regimes = load_regimes(masked(sheet, "T_mean < 150"), picture_of(sheet, at=AT))
        gain = collective_gain(stored.constancy * stored.quanta_noise / 2)
        found = operating_regime(stored, gain=gain).sel(N=6).transpose("T_mean", "delta_E")
        expected = found.where(found.T_mean < 150, HIDDEN).values
        assert np.array_equal(regimes.codes, expected)
        shown = legend(regimes)
        for code, count in regimes.counts().items():
            assert f'data-regime="{code}"' in shown
            assert f": {count:,}</li>" in shown

    def test_colours_differ_in_lightness_or_pattern(self):
        """CIE lightness, as grey paper shows it; white ones have patterns."""
        filled = {code: colour for code, colour in COLOURS.items() if colour != "#ffffff"}
        lightness = sorted(_lightness(colour) for colour in filled.values())
        assert len(filled) == 5
        assert min(np.diff(lightness)) > 14
        assert len(set(HATCHES.values())) == len(HATCHES) == len(COLOURS) - 5


def _lightness(colour: str) -> float:
    """CIE L* of an sRGB colour."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16)


def test_a_step_that_fails_does_not_leave_the_page_busy(monkeypatch):
    waiting, said = [], []
    monkeypatch.setattr(threads, "in_thread", lambda load, show: waiting.append((load, show)))
    threads.Drawing(lambda: [(lambda: 1 / 0, said.append)], said.append).request()
    ((load, show),) = waiting
    outcome = load()
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        show(outcome)
    assert said == [True, False]
