"""What the browser reads, computes and offers, without a browser."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from bokeh.document import Document
from bokeh.models import Range1d

import catalog
import heatcat  # noqa: F401 (registers Dataset.heatcat)
from analyses import carnot_delta_E, closure_error, collective_gain, local_exponent
from catalog.store.storage import Storage
from catalog.sweeps.sweep import Sweep
from ensemble import Cumulant, Engine, Exact, InvalidInput, Macroscopic, Status
from heatcat.browser.drawn.map_figure import MapFigure
from heatcat.browser.drawn.slices import load_slice
from heatcat.browser.page import Page
from heatcat.browser.panels.point import as_html, load_point
from heatcat.browser.sections import export
from heatcat.browser.sections.live_point import LivePoint
from heatcat.browser.sections.live_solver import SLOW, LiveSolver
from heatcat.browser.server import serve
from heatcat.browser.shown.axes import MOST_LABELS, axis
from heatcat.browser.shown.colours import DIVERGING, SEQUENTIAL, centre, colours_for
from heatcat.browser.shown.derived import DERIVED, growing
from heatcat.browser.shown.labels import figure
from heatcat.browser.shown.picture import offered, picture_of
from heatcat.browser.shown.plane import load_plane
from heatcat.browser.shown.scales import Scale, automatic, is_flat, scale_for
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source
from heatcat.browser.shown.states import State, counted
from heatcat.browser.state.section import Shown
from heatcat.browser.state.view import View
from tests.analyses.test_gain import scaled
from tests.heatcat.stores import FIXED, MILLION, TINY, computed, synthetic, synthetic_power


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("browser") / "store.zarr"
    computed(location)
    return location


@pytest.fixture(scope="module")
def stored(location: Path) -> xr.Dataset:
    return computed(location)


@pytest.fixture
def sheet(location: Path) -> Sheet:
    return Source(str(location)).sheet("tiny")


@pytest.fixture
def chunks_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the chunks that are read from any local store."""
    keys: list[str] = []
    get = Storage.get

    def recording(self, key, **options):
        if "/c/" in key:
            keys.append(key)
        return get(self, key, **options)

    monkeypatch.setattr(Storage, "get", recording)
    return keys


def test_a_map_of_a_million_points_reads_only_the_chunks_in_view(tmp_path, chunks_read):
    synthetic(tmp_path / "store.zarr")
    chunks_read.clear()
    source = Source(str(tmp_path / "store.zarr"))
    sheet = source.sheet("million")
    picture = picture_of(sheet, "power", at={"N": 3})
    opening = len([key for key in chunks_read if key.split("/")[1] in ("power", "status")])
    plane = load_plane(sheet, picture)
    chunks = MILLION.grid.chunks
    assert chunks["N"] == 1
    assert chunks["omega_0"] < 40
    wanted = {
        f"million/{name}/c/2/{i}/{j}/{20 // chunks['omega_0']}"  # N = 3, and the 21st of 40 drives
        for name in ("power", "status")
        for i in range(-(-50 // chunks["delta_E"]))
        for j in range(-(-50 // chunks["T_mean"]))
    }
    read = {key for key in chunks_read if key.split("/")[1] not in MILLION.dims}
    assert opening == 0
    assert read - {key for key in read if key.split("/")[1] in FIXED} == wanted
    expected = synthetic_power()[2, :, :, 20].T
    assert np.array_equal(plane.values, expected)


def test_zooming_in_reads_less(tmp_path, chunks_read):
    synthetic(tmp_path / "store.zarr")
    sheet = Source(str(tmp_path / "store.zarr")).sheet("million")
    picture = picture_of(sheet, "power", at={"N": 3})
    chunks_read.clear()
    plane = load_plane(sheet, picture, x_range=(12.0, 30.0), y_range=(61.0, 70.0))
    read = {key for key in chunks_read if "/power/" in key}
    assert read == {f"million/power/c/2/0/0/{20 // MILLION.grid.chunks['omega_0']}"}
    assert plane.x.labels.tolist() == [label for label in MILLION.axes["delta_E"] if label < 32]


def test_the_map_is_the_stored_slice(sheet, stored):
    plane = load_plane(sheet, picture_of(sheet, "constancy", at={"N": 3}))
    assert np.array_equal(plane.values, stored.constancy.sel(N=3).T, equal_nan=True)
    assert np.array_equal(plane.status, stored.status.sel(N=3).T)
    assert plane.title == "C: constancy, 2J/(aD), at N = 3"
    assert (plane.x.text, plane.y.text) == ("ΔE [ω₀]", "T̄ [ω₀]")


def test_the_gain_in_the_same_baths_is_offered_for_the_scaled_engine_alone():
    data = scaled([1, 8])
    offered = DERIVED["same_bath_gain"]
    assert offered.computable(data)
    assert offered.compute(data).sel(N=8).item() == pytest.approx(50.65, abs=5e-3)
    assert not offered.computable(data.assign_attrs(scaling="bare"))  # it is the collective gain


def test_derived_variables_are_those_of_the_analyses(sheet, stored):
    grown = growing(stored)
    gain = collective_gain(grown).sel(N=4)
    assert sheet.variables["derived"] == [
        "collective_gain",
        "local_exponent",
        "exponent",
        "exponent_status",
    ]
    assert np.array_equal(sheet.select("collective_gain", {"N": 4}), gain)
    local = local_exponent(grown).sel(N=2, delta_E=50.0)
    chosen = sheet.select("local_exponent", {"N": 2, "delta_E": 50.0})
    assert np.array_equal(chosen, local, equal_nan=True)
    assert sheet.dims_of("exponent") == ("delta_E", "T_mean")
    # On neither side of the Carnot point does the choice of what grows change the gain.
    np.testing.assert_allclose(
        gain.sel(delta_E=50.0), collective_gain(stored.power).sel(N=4, delta_E=50.0), rtol=1e-9
    )


def test_an_analysis_that_lacks_its_data_is_not_offered(stored):
    limit = Sheet("one size", stored.isel(N=[2]))
    assert "derived" not in limit.variables
    with pytest.raises(InvalidInput, match="has no variable 'collective_gain'"):
        picture_of(limit, "collective_gain")


def test_the_error_of_a_closure_needs_the_exact_limit_on_its_labels(tmp_path):
    engines = {
        "axes": {"delta_E": [5.0, 9.0], "omega_0": [0.006, 0.01]},
        "fixed": {"E_1": 1, "T_mean": 13.5, "delta_T": 23, "Gamma_0": 0.001},
        "scaling": "high-temperature",
        "variables": ["power_per_pair", "constancy"],
    }
    closure = Sweep(name="closure", method=Cumulant(order=3), **engines)
    exact = Sweep(name="exact", method=Macroscopic(), **engines)
    other = {**engines, "fixed": {**engines["fixed"], "T_mean": 14.0}}
    found = computed(tmp_path / "store.zarr", closure)
    computed(tmp_path / "store.zarr", Sweep(name="another", method=Macroscopic(), **other))
    assert "derived" not in Source(str(tmp_path / "store.zarr")).sheet("closure").variables
    reference = computed(tmp_path / "store.zarr", exact)
    sheet = Source(str(tmp_path / "store.zarr")).sheet("closure")
    assert sheet.variables["derived"] == ["power_per_pair_error", "constancy_error"]
    expected = closure_error(found, reference).constancy_error.sel(omega_0=0.01)
    assert np.array_equal(sheet.select("constancy_error", {"omega_0": 0.01}), expected)


def test_the_carnot_line_is_its_closed_form_on_any_pair_of_axes(sheet, stored):
    plane = load_plane(sheet, picture_of(sheet, "power", overlays=("carnot",)))
    (line,) = plane.lines
    path = np.concatenate(line.paths)
    expected = carnot_delta_E(path[:, 1], E_1=100.0, delta_T=100.0)
    np.testing.assert_allclose(path[:, 0], expected, rtol=5e-3)  # of 201 interpolated points
    turned = load_plane(sheet, picture_of(sheet, x="N", y="T_mean", overlays=("carnot",)))
    heights = np.concatenate(turned.lines[0].paths)[:, 1]
    np.testing.assert_allclose(heights, 130.0, rtol=5e-3)  # T̄* at ΔE = 125


def test_lines_of_app_a_where_the_store_has_its_ratios(tmp_path, sheet):
    assert "weak_coupling" not in offered(sheet)
    with pytest.raises(InvalidInput, match="has no overlay 'weak_coupling'"):
        picture_of(sheet, "power", overlays=("weak_coupling",))
    sweep = Sweep(
        name="hot",
        axes={"N": [8, 24], "delta_E": [25.0, 125.0, 250.0], "T_mean": [60.0, 150.0, 250.0]},
        fixed={"E_1": 100.0, "delta_T": 100.0, "omega_0": 1.0, "Gamma_0": 1.0},
        variables=["power", "weak_coupling_1", "rotating_wave"],
    )
    hot = computed(tmp_path / "store.zarr", sweep)
    valid = Source(str(tmp_path / "store.zarr")).sheet("hot")
    assert {"weak_coupling", "rotating_wave"} <= set(offered(valid))
    overlays = ("weak_coupling", "rotating_wave")
    plane = load_plane(valid, picture_of(valid, "power", at={"N": 24}, overlays=overlays))
    texts = {line.text for line in plane.lines}
    assert texts == {"R₁/E₁ = 0.1", "R₁/E₁ = 1", "Nω₀/ΔE = 0.1"}
    (one,) = (line for line in plane.lines if line.text == "R₁/E₁ = 1")
    path = np.concatenate(one.paths)
    ratio = hot.weak_coupling_1.sel(N=24).interp(
        delta_E=xr.DataArray(path[:, 0], dims="at"), T_mean=xr.DataArray(path[:, 1], dims="at")
    )
    np.testing.assert_allclose(ratio, 1.0, atol=1e-9)


def test_uncomputed_points_are_said_and_not_shown_as_results(tmp_path):
    catalog.dataset(TINY, tmp_path / "store.zarr").sel(N=[1]).compute()
    source = Source(str(tmp_path / "store.zarr"))
    sheet = source.sheet("tiny")
    plane = load_plane(sheet, picture_of(sheet, "power", at={"N": 2}))
    assert np.isnan(plane.values).all()
    assert counted(plane.states) == {State.NOT_COMPUTED: 9}
    assert plane.colours.empty  # no colour bar of made-up numbers
    point = load_point(sheet, {"N": 2, "delta_E": 50.0, "T_mean": 100.0})
    assert point.status is Status.NOT_COMPUTED
    assert point.values == ()
    assert "Nothing is stored here yet" in as_html(point)
    assert source.counts("tiny") == {"running": 0} | {status.label: 0 for status in Status} | {
        "ok": 9,
        "not computed": 36,
    }
    catalog.run(TINY, tmp_path / "store.zarr", scheduler="synchronous")
    source.reread()
    again = load_plane(source.sheet("tiny"), picture_of(source.sheet("tiny"), at={"N": 2}))
    assert np.isfinite(again.values).all()


def test_a_failed_point_shows_what_failed_escaped(stored):
    data = stored.copy(deep=True)
    data["status"][0, 0, 0] = Status.FAILED
    data["error"] = data["error"].astype(object)
    data["error"][0, 0, 0] = "ValueError: <b>x</b>"
    at = {"N": 1, "delta_E": 50.0, "T_mean": 60.0}
    shown = as_html(load_point(Sheet("tiny", data), at))
    assert "status: <b>failed</b>: ValueError: &lt;b&gt;x&lt;/b&gt;" in shown
    plane = load_plane(Sheet("tiny", data), picture_of(Sheet("tiny", data), at={"N": 1}))
    assert counted(plane.states) == {State.FAILED: 1}


def test_a_point_lists_all_parameters_values_and_diagnostics(sheet, stored):
    at = {"N": 3, "delta_E": 125.0, "T_mean": 100.0}
    point = load_point(sheet, at, derived=["collective_gain"])
    assert {name for name, *_ in point.parameters} >= {*at, *FIXED, "scaling", "method"}
    assert [name for name, *_ in point.values] == [
        *("power", "quanta_noise", "constancy", "efficiency", "cop", "collective_gain")
    ]
    assert point.numbers["power"] == float(stored.power.sel(at))
    assert "residual" in [name for name, *_ in point.diagnostics]


def test_axes_suit_their_labels():
    def coordinate(values) -> xr.DataArray:
        return xr.DataArray(values, dims="omega_0", coords={"omega_0": values}).omega_0

    even, geometric = axis(coordinate([1.0, 2.0, 3.0])), axis(coordinate([0.01, 0.1, 1.0]))
    assert (even.log, geometric.log) == (False, True)
    assert even.edges.tolist() == [0.5, 1.5, 2.5, 3.5]
    np.testing.assert_allclose(geometric.edges, 10.0 ** np.array([-2.5, -1.5, -0.5, 0.5]))
    assert axis(coordinate([5.0])).limits == (4.75, 5.25)
    many = axis(coordinate(np.arange(1.0, 1000.0)))
    assert many.labels.size <= MOST_LABELS < many.total
    near = axis(coordinate(np.arange(1.0, 1000.0)), (100.2, 199.8))
    assert (near.labels[0], near.labels[-1], near.step) == (100.0, 200.0, 1)


def test_thinning_is_said():
    values = np.arange(400.0).reshape(1, 400) * np.ones((2, 1))
    data = xr.Dataset(
        {"power": (("T_mean", "delta_E"), values)},
        {"T_mean": [1.0, 2.0], "delta_E": np.arange(1.0, 401.0)},
    )
    sheet = Sheet("wide", data)
    plane = load_plane(sheet, picture_of(sheet))
    assert plane.note == "one in 3 of 400 labels of ΔE is drawn: zoom in"
    assert np.array_equal(plane.values, values[:, ::3])


def test_colours_are_symmetric_about_the_natural_centre_else_sequential():
    linear = Scale()
    gain = colours_for("collective_gain", linear, np.array([0.5, 1.0, 2.0]))
    assert gain.limits == (0.5, 2.0)
    assert (gain.palette[-1], len(gain.palette)) == (DIVERGING[-1], 384)  # the blue end is cut
    assert gain.palette[128] == DIVERGING[256]  # 1 is neutral
    assert colours_for("power", linear, np.array([-3.0, 1.0])).limits == (-3.0, 1.0)
    assert colours_for("quanta_noise", linear, np.array([2.0, 3.0])).palette == SEQUENTIAL
    low, high = colours_for("quanta_noise", linear, np.array([2.0, 2.0])).limits
    assert low < 2.0 < high


def test_scales_have_round_ticks():
    values = np.array([-1e3, -1.0, 0.0, 1e-3, 1e3])
    symlog = scale_for("symlog", values)
    drawn = symlog.forward(values)
    assert np.all(np.diff(drawn) > 0)
    assert drawn[2] == 0.0
    assert drawn[0] == -drawn[-1]
    texts = [text for _, text in symlog.ticks(drawn[0], drawn[-1])]
    assert texts == ["-1000", "-100", "-10", "-1", "0", "1", "10", "100", "1000"]
    assert np.isnan(scale_for("log", values).forward(values)[:3]).all()
    assert [text for _, text in Scale("log").ticks(-0.1, 0.9)] == ["1", "2", "5"]
    narrow = [float(text) for _, text in Scale("log").ticks(0.10, 0.15)]
    assert len(narrow) > 2
    assert np.ptp(np.diff(narrow)) < 1e-9


def test_the_automatic_scale_shows_both_signs():
    engines = np.concatenate([-np.geomspace(1, 1e4, 50), np.geomspace(1e-3, 1, 50)])
    assert automatic(engines, 0.0) == "symlog"
    scale = scale_for("automatic", engines, 0.0)
    colours = colours_for("power", scale, scale.forward(engines))
    neutral = 0.02 * colours.limits[1]
    assert np.mean(scale.forward(engines[50:]) > neutral) > 0.5  # most engines are to be seen
    assert automatic(np.array([-3.0, -1.0, 2.0]), 0.0) == "linear"
    assert automatic(np.geomspace(1, 1e5, 9), None) == "log"
    assert automatic(np.array([np.nan]), 0.0) == "linear"
    above = scale_for("automatic", np.array([0.2, 1 - 1e-3, 1 + 1e-5]), 1.0)
    assert (above.kind, above.centre) == ("symlog", 1.0)
    assert above.forward(1.0) == 0.0
    assert centre("power") == 0.0


def test_what_is_rounding_alone_is_flat():
    ones = np.array([1.0, 1 + 2e-16, 1 - 1e-16])
    assert is_flat(ones)
    assert not is_flat(np.array([1.0, 1 + 1e-9]))
    data = xr.Dataset(
        {"exponent": (("T_mean", "delta_E"), np.vstack([ones, ones]))},
        {"T_mean": [1.0, 2.0], "delta_E": [1.0, 2.0, 3.0]},
    )
    sheet = Sheet("flat", data)
    plane = load_plane(sheet, picture_of(sheet, "exponent"))
    assert plane.note == "all values are equal but for rounding"
    low, high = plane.colours.limits
    assert high - low > 1e-4
    cut = load_slice(sheet, picture_of(sheet, "exponent"), "delta_E")
    assert len(set(cut.drawn)) == 1


def test_axes_are_logarithmic_in_the_distance_to_a_bound(tmp_path):
    distances = np.geomspace(0.01, 100, 9)
    drop = xr.Variable((), 23.0, {"symbol": "ΔT", "role": "parameter"})
    data = xr.Dataset(coords={"T_mean": 11.5 + distances, "delta_T": drop})
    data["T_mean"].attrs |= {"symbol": "T̄", "units": "E_1"}
    side = axis(data["T_mean"])
    assert (side.log, side.bound, side.text) == (True, 11.5, "T̄ − ΔT/2 [E₁]")
    assert side.whole_text == "T̄ [E₁]"
    np.testing.assert_allclose(side.places, distances)
    other = axis(xr.DataArray(3 + distances, dims="x", coords={"x": 3 + distances}).x)
    assert (other.log, other.text) == (True, "x − 3")
    even = axis(xr.DataArray(np.arange(5.0), dims="x", coords={"x": np.arange(5.0)}).x)
    assert (even.log, even.bound) == (False, 0.0)


def test_a_link_that_does_not_fit_is_settled_with_a_note(location):
    source = Source(str(location))
    view = View(sweep="tinny", variable="power", at={"N": 5, "x": 1}, overlays=["carnto"])
    notes = view.settle(source)
    assert view.sweep == "tiny"
    assert view.at == {"N": 4, "delta_E": 125.0, "T_mean": 100.0}
    assert view.overlays == []
    assert notes == [
        "no sweep 'tinny': did you mean 'tiny'?",
        "tiny has no N = 5: shown is the nearest, 4",
        "no overlay 'carnto': did you mean 'carnot'?",
    ]
    assert view.settle(source) == []


def test_the_exported_python_and_netcdf_are_the_view(location, sheet, stored, tmp_path):
    picture = picture_of(sheet, "constancy", at={"N": 3}, overlays=("carnot",), scale="log")
    code = export.python(Source(str(location)), sheet, picture)
    *_, selecting, drawing = code.splitlines()
    names = {"ds": sheet.data}
    selected = eval(selecting, names)
    assert selected.identical(sheet.data.constancy.sel(N=3))
    assert type(eval(drawing, names)).__name__ == "Overlay"
    path = tmp_path / "view.nc"
    path.write_bytes(export.netcdf(sheet, picture).getvalue())
    with xr.open_dataset(path, engine="h5netcdf") as exported:
        assert np.array_equal(exported.constancy, stored.constancy.sel(N=3))
        assert exported.constancy.attrs["units"] == "1"
        assert float(exported.omega_0) == 1.0


@pytest.mark.parametrize("scale", ["linear", "log", "symlog"])
def test_images_are_drawn_for_maps_and_curves(sheet, scale):
    maps = picture_of(sheet, "power", scale=scale, overlays=("carnot", "gain"), contour="constancy")
    curve = picture_of(sheet, "power", scale=scale, x="N", y="")
    for picture in (maps, curve):
        assert export.image(sheet, picture, "png").getvalue().startswith(b"\x89PNG")
        assert b"</svg>" in export.image(sheet, picture, "svg").getvalue()


@pytest.mark.parametrize(("relation", "maps"), [("", 2), ("difference", 3), ("ratio", 3)])
def test_the_image_of_compared_maps_has_all_of_them(sheet, relation, maps):
    picture = picture_of(sheet, "power", contour="power", scale="symlog")
    beside = (sheet, picture_of(sheet, "power"))
    svg = export.image(sheet, picture, "svg", beside=beside, relation=relation).getvalue()
    drawn = re.findall(rb'<g id="axes_\d+">', svg)
    assert len(drawn) == 2 * maps  # each with its colour bar
    assert export.image(sheet, picture, "png", beside=beside).getvalue().startswith(b"\x89PNG")


def test_what_cannot_be_served_is_refused_in_one_line(location, tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no store at .*: check the path"):
        serve(str(tmp_path / "none.zarr"), port=0, host="127.0.0.1", show=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "heatcat", "browse", str(location), "--no-open"]
        done = subprocess.run([*command, "--port", str(port)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    told = f"heatcat: port {port} is taken: choose another --port, or 0 for any\n"
    assert done.stderr == told


def test_the_live_point_takes_what_follows_from_the_temperatures_of_the_baths():
    """T̄, ΔT and ΔE are coordinates of a sweep over T₁ and T₂: its cells can be solved live."""
    sweep = catalog.Sweep(
        name="natural",
        axes={"N": [1, 2], "T_1": [1.0, 2.0], "T_2": [3.0, 4.0]},
        fixed={"E_1": 1.0, "E_2": 2.0, "omega_0": 1.0, "Gamma_0": 1.0},
        variables=["power"],
    )
    sheet = Sheet("natural", catalog.dataset(sweep))
    at = {"N": 2, "T_1": 1.0, "T_2": 4.0}
    assert sheet.derived(at) == {
        "delta_E": 1.0, "T_mean": 2.5, "delta_T": 3.0, "carnot_efficiency": 0.75, "affinity": 0.5,
    }  # fmt: skip
    assert "N" not in sheet.derived(at)
    live = LivePoint(Page(Source("store.zarr")).context)
    live.start(sheet, at, {"power": 1.0})
    engine = Engine.of(N=2, E_1=1, E_2=2, T_1=1, T_2=4, omega_0=1, Gamma_0=1)
    exact = Exact().solve(engine, ["power", "tur_bound"]).values
    for name in ("power", "tur_bound"):
        row = live._result.object.partition(f'data-name="{name}"')[2].partition("</tr>")[0]
        assert figure(exact[name]) in row


def test_a_live_point_that_was_switched_on_before_there_was_a_cell_begins_with_the_first(
    sheet, monkeypatch
):
    monkeypatch.setattr(
        "heatcat.browser.sections.live_point.in_thread", lambda work, after: after(work())
    )
    live = LivePoint(Page(Source("store.zarr")).context)
    live._switch.value = True  # a visitor was quicker than the first map
    assert live._result.object == ""
    live.show(Shown(Source("store.zarr"), sheet, picture_of(sheet, "power")), None)
    assert 'data-name="power"' in live._result.object


def test_a_live_engine_is_followed_and_its_bounds_are_solved_after(monkeypatch):
    solver = LiveSolver(Exact(), "high-temperature", "bosonic")
    assert {*solver.at_once, *solver.later} == {*Exact().variables} - SLOW
    assert "power" in solver.at_once
    assert "response_bound" in solver.later
    fixed = {"N": 8, "E_1": 1.0, "T_mean": 13.5, "delta_T": 23.0, "omega_0": 0.006, "Gamma_0": 1e-3}
    for k in range(16):
        parameters = {**fixed, "delta_E": 9 + k / 50}
        solution, seconds = solver.move(parameters)
    assert solution.diagnostics["solver"] == "basis"
    assert seconds > 0
    exact = Exact().solve(solver.engine(parameters), [*solver.at_once, *solver.later])
    for name in solver.at_once:
        assert solution.values[name] == pytest.approx(exact.values[name], rel=1e-7, nan_ok=True)
    rest, _ = solver.rest(parameters)
    assert rest.values["response_bound"] == pytest.approx(exact.values["response_bound"], rel=1e-9)
    assert LiveSolver(Macroscopic(), "high-temperature", "bosonic").later == []


def test_scattered_points_lie_beside_the_cells_of_their_grid(tmp_path):
    sweep = Sweep(
        name="refined",
        axes={"N": [1, 2], "delta_E": [50.0, 150.0, 250.0], "T_mean": [60.0, 100.0, 180.0]},
        fixed=FIXED,
        variables=["power", "constancy"],
    )
    computed(tmp_path / "store.zarr", sweep)
    entry = catalog.open(tmp_path / "store.zarr")["refined"]
    entry.refine(("delta_E", "T_mean"), "power", budget=6, N=2, scheduler="synchronous")
    source = Source(str(tmp_path / "store.zarr"))
    sheet = source.sheet("refined")
    plane = load_plane(sheet, picture_of(sheet, "power", at={"N": 2}))
    assert plane.values.shape == (3, 3)
    assert counted(plane.states) == {}
    points = plane.scattered
    assert points is not None
    assert source.counts("refined")["ok"] == 18 + points.values.size == 24
    engine = Engine(N=2, delta_E=points.x[0], T_mean=points.y[0], **FIXED)
    assert points.values[0] == pytest.approx(Exact().solve(engine).values["power"], rel=1e-9)
    assert f"{points.values.size} points beside the grid are drawn as dots" in plane.note
    assert load_plane(sheet, picture_of(sheet, "power", at={"N": 1})).scattered.values.size == 0


def test_a_sweep_of_scattered_points_alone_is_drawn_point_by_point(tmp_path):
    sweep = Sweep(
        name="points",
        points={"delta_E": [50.0, 150.0, 250.0], "T_mean": [60.0, 100.0, 180.0]},
        axes={"N": [1, 2]},
        fixed=FIXED,
        variables=["power"],
    )
    computed(tmp_path / "store.zarr", sweep)
    sheet = Source(str(tmp_path / "store.zarr")).sheet("points")
    assert set(sheet.dims) == {"N", "point"}
    picture = picture_of(sheet, "power")
    assert load_plane(sheet, picture).values.size == 6
    at = {"N": 2, "point": 1}
    assert sheet.derived(at)["delta_E"] == 150.0
    assert "150" in as_html(load_point(sheet, at))


def test_another_map_on_the_same_axes_sends_only_its_values(sheet):
    planes = [load_plane(sheet, picture_of(sheet, "power", at={"N": N})) for N in (2, 3)]
    figure = MapFigure((False, False), (Range1d(), Range1d()), lambda x, y: None, lambda zoom: None)
    figure.show(planes[0], {})
    document = Document()
    document.add_root(figure.plot)
    sent: list[set[str]] = []
    document.on_change(lambda event: sent.append({*(getattr(event, "cols", None) or [])}))
    figure.show(planes[1], {})
    assert {"drawn", "value"} in sent
    assert not any({"left", "at_x", "state"} & columns for columns in sent)
    before = len(sent)
    figure.show(planes[1], {})
    assert len(sent) == before
