"""``ds.heatcat``: selection by symbol, and plots with good defaults."""

from __future__ import annotations

import subprocess
import sys

import holoviews as hv
import numpy as np
import pytest
import xarray as xr
from matplotlib.text import Text

import heatcat  # noqa: F401 (registers Dataset.heatcat)
from ensemble import InvalidInput, Status
from tests.heatcat.stores import TINY, computed


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    return computed(tmp_path_factory.mktemp("accessor") / "store.zarr")


def test_labels_are_selected_by_symbol_in_canonical_form(stored):
    expected = stored.sel(N=4, delta_E=125.0, T_mean=180.0)
    assert stored.heatcat.sel({"N": 4, "ΔE": 125, "T̄": 180.0 + 1e-13}).identical(expected)
    assert stored.heatcat.sel({"N": 4.0}).identical(stored.sel(N=4))


def test_lists_and_slices_are_selected_too(stored):
    assert stored.heatcat.sel({"∆E": [50, 250]}).identical(stored.sel(delta_E=[50.0, 250.0]))
    assert stored.heatcat.sel({"T̄": slice(80, 200)}).identical(stored.sel(T_mean=slice(80, 200)))
    labels = xr.DataArray([50.0, 125.0], dims="delta_E")
    assert stored.heatcat.sel({"ΔE": labels}).sizes["delta_E"] == 2


def test_the_nearest_label_is_taken_within_a_tolerance(stored):
    near = stored.heatcat.sel({"ΔE": 130, "N": slice(2, 4)}, method="nearest", tolerance=10)
    assert near.identical(stored.sel(N=slice(2, 4), delta_E=125.0))


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ({"ΔE": 130}, {}, r"no delta_E = 130 \(nearest: 125 and 250\): choose a label or add"),
        (
            {"ΔE": 130},
            {"method": "nearest", "tolerance": 1},
            "choose a label or raise the tolerance of 1",
        ),
        ({"xyzzy": 1.0}, {}, "the dataset has no parameter 'xyzzy': choose from"),
        ({"deltaE": 50}, {}, "the dataset has no parameter 'deltaE': did you mean 'delta_E'"),
        ({"ΔE": 50, "delta_E": 50}, {}, "delta_E is given twice, once as delta_E: keep one"),
        ({"N": "two"}, {}, "N must be a number"),
    ],
)
def test_what_cannot_be_selected_is_refused_with_a_remedy(stored, labels, options, message):
    with pytest.raises(InvalidInput, match=message):
        stored.heatcat.sel(labels, **options)


def test_points_are_found_by_their_status_in_words(stored):
    ds = stored.assign(status=stored.status.where(stored.N < 4, np.uint8(Status.FAILED)))
    failed = (ds.N >= 4).broadcast_like(ds.status)
    assert ds.heatcat.status("failed").equals(failed.transpose(*ds.status.dims))
    assert (ds.heatcat.ok == ~failed).all()
    assert ds.heatcat.status_labels().sel(N=6, delta_E=50.0, T_mean=60.0) == "failed"
    longer = ds[["power", "status"]].reindex(N=[1, 1000]).chunk(N=1)
    assert longer.heatcat.status("not computed").all(["delta_E", "T_mean"]).values.tolist() == [
        False,
        True,
    ]
    assert longer.heatcat.status("ok", "failed").chunks is not None
    with pytest.raises(InvalidInput, match="unknown status 'okay': did you mean 'ok'"):
        ds.heatcat.status("okay")
    with pytest.raises(InvalidInput, match="has no status: keep status when you select"):
        ds.drop_vars("status").heatcat.ok  # noqa: B018 (a property)


def test_a_map_has_labels_units_and_a_centred_colour_scale(stored):
    drawn = stored.heatcat.map("power", at={"N": 2}, overlays=["carnot"], contour="constancy")
    mesh = drawn.get(0)
    assert [dim.label for dim in mesh.kdims] == ["ΔE [ω₀]", "T̄ [ω₀]"]
    values = mesh.dimension_values("value", flat=False)
    assert np.array_equal(values, stored.power.sel(N=2).T)
    figure = hv.render(drawn, backend="bokeh")
    assert figure.xaxis.axis_label == "ΔE [ω₀]"
    low, high = mesh.opts.get("plot").kwargs["clim"]
    assert low < 0 < high


def test_a_dataset_of_one_dimension_gives_a_curve(stored):
    one = stored.sel(delta_E=50.0, T_mean=100.0)
    drawn = one.heatcat.map("constancy")
    assert np.array_equal(drawn.get(0).dimension_values("value"), one.constancy)
    assert drawn.get(0).kdims[0].label == "N"


def test_slices_go_through_the_point_along_each_dimension(stored):
    layout = stored.heatcat.slices("power", at={"N": 2, "ΔE": 50.0, "T̄": 180.0})
    expected = [
        stored.power.sel(delta_E=50.0, T_mean=180.0),
        stored.power.sel(N=2, T_mean=180.0),
        stored.power.sel(N=2, delta_E=50.0),
    ]
    for curves, values in zip(layout, expected, strict=True):
        assert np.array_equal(curves.get(0).dimension_values("value"), values)
    assert len(stored.heatcat.slices("power", dims=["T̄"])) == 1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("powr",), {}, "tiny has no variable 'powr': did you mean 'power'"),
        (("power",), {"x": "E_1"}, "power has no dimension E_1: choose from N, delta_E, T_mean"),
        (("power",), {"x": "N", "y": "N"}, "x and y are both N: choose two"),
        (("power",), {"scale": "cubic"}, "unknown scale 'cubic': choose from automatic"),
        (("power",), {"at": {"N": 5}}, "tiny has no label N = 5: the nearest is 4"),
        (("power",), {"overlays": ["carno"]}, "did you mean 'carnot'"),
    ],
)
def test_a_map_that_cannot_be_is_refused(stored, arguments, options, message):
    with pytest.raises(InvalidInput, match=message):
        stored.heatcat.map(*arguments, **options)


def test_the_explorer_is_the_page_for_one_dataset(stored):
    explorer = stored.heatcat.explorer()
    assert explorer.get_root() is not None


def test_importing_heatcat_does_not_import_what_draws():
    drawing = "{'panel', 'holoviews', 'bokeh', 'matplotlib', 'hvplot'}"
    code = f"import sys, heatcat; print(sorted({drawing} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert TINY.dims == ("N", "delta_E", "T_mean")


class TestScatteredPoints:
    """Points of 2 sizes at 5 places, one of them not certified."""

    @pytest.fixture
    def points(self):
        spacing, mean = [50.0, 90.0, 125.0, 180.0, 250.0], [60.0, 150.0, 95.0, 210.0, 100.0]
        power = np.array([[1.0, 2.0, 3.0, -4.0, 5.0], [10.0, 20.0, 30.0, -40.0, np.nan]])
        symbols = {"N": "N", "delta_E": "ΔE", "T_mean": "T̄"}
        columns = {"N": np.repeat([1, 2], 5), "delta_E": spacing * 2, "T_mean": mean * 2}
        coords = {n: ("point", column, {"symbol": symbols[n]}) for n, column in columns.items()}
        status = np.array([1] * 8 + [2, 1], "u1")
        variables = {"power": ("point", power.ravel()), "status": ("point", status)}
        fixed = {"E_1": 100.0, "delta_T": 100.0}
        return xr.Dataset(variables, {"point": np.arange(10), **coords, **fixed})

    def test_are_dots_of_one_size_with_the_colours_of_a_map(self, points):
        figure = points.heatcat.map("power", overlays=["carnot"], backend="matplotlib")
        axes = figure.axes[0]
        (dots,) = [each for each in axes.collections if each.get_offsets().size]
        assert dots.get_offsets().tolist() == [
            [50.0, 60.0], [90.0, 150.0], [125.0, 95.0], [180.0, 210.0], [250.0, 100.0]
        ]  # fmt: skip
        assert np.ma.filled(dots.get_array(), -1).tolist() == [10.0, 20.0, 30.0, -40.0, -1]
        (low, high), (left, right) = dots.get_clim(), axes.get_xlim()
        assert (low, high) == (-40.0, 30.0)
        assert left < 50 < 250 < right
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("ΔE", "T̄")
        texts = [text.get_text().replace("\u00a0", " ") for text in figure.findobj(Text)]
        assert any("5 of 10 points, at N = 2" in " ".join(text.split()) for text in texts)
        assert {"Carnot", "not certified", "undefined"} <= {*texts}

    def test_other_parameters_and_labels_are_at_hand(self, points):
        drawn = points.heatcat.map("power", x="N", y="T̄", at={"ΔE": 125})
        (dots,) = [each for each in drawn.values() if isinstance(each, hv.Points) and len(each)]
        assert dots["value"].tolist() == [3.0, 30.0]
        assert dots["at_x"].tolist() == [1.0, 2.0]
        assert hv.render(drawn).title.text.startswith("P, 2 of 10 points, at ΔE = 125")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"x": "N", "y": "N"}, "no map over N and N: give two different ones of N, delta_E"),
            ({"x": "E_1"}, "no map over E_1 and T_mean"),
            ({"at": {"N": 7}}, "no point has N = 7: choose other labels"),
            ({"contour": "power"}, "scattered points have no contours: draw a grid"),
            ({"overlays": ["gain"]}, "'gain' is a contour, which points have none of: draw a grid"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, points, options, message):
        with pytest.raises(InvalidInput, match=message):
            points.heatcat.map("power", **options)

    def test_have_no_slices_but_along_further_dimensions(self, points):
        with pytest.raises(InvalidInput, match="points have none: draw their map"):
            points.heatcat.slices("power")
        by_size = points.set_xindex("N").isel(point=slice(0, 5)).drop_vars("N")
        both = xr.concat([by_size, by_size], dim=xr.Variable("N", [1, 2]))
        figure = both.transpose("point", "N").heatcat.slices("power", backend="matplotlib")
        assert [axes.get_xlabel() for axes in figure.axes] == ["N"]
