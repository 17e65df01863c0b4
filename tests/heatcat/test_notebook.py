"""Plots in notebooks and files: what they say, figures for a journal, and none needs a network."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import holoviews as hv
import matplotlib as mpl
import nbformat
import numpy as np
import panel as pn
import param
import pytest
import xarray as xr
from bokeh.models import Plot
from matplotlib.figure import Figure
from matplotlib.text import Text
from nbclient import NotebookClient

import heatcat
from ensemble import InvalidInput, Status
from tests.chromium import started
from tests.heatcat.stores import computed

browser = pytest.mark.browser


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook") / "store.zarr"


@pytest.fixture(scope="module")
def stored(location: Path) -> xr.Dataset:
    return computed(location)


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """What param would only warn about is an error."""
    monkeypatch.setattr(param.parameterized, "warnings_as_exceptions", True)


# What a plot says


ELSEWHERE = "ω₀ = 1, E₁ = 100 ω₀, ΔT = 100 ω₀, Γ₀ = 1 ω₀"


@pytest.mark.parametrize("selected", [True, False])
def test_the_title_says_where_a_map_is_cut_however_it_was(stored, strict, selected):
    """N was chosen by the map or selected before: it is named."""
    drawn = stored.sel(N=2).heatcat.map() if selected else stored.heatcat.map(at={"N": 2})
    figure = hv.render(drawn, backend="bokeh")
    words = figure.title.text.replace("\n", " ")
    assert words.startswith("P [ω₀²]: power output, at ")
    at = words.removeprefix("P [ω₀²]: power output, at ").split(", ")
    assert sorted(at) == sorted(["N = 2", *ELSEWHERE.split(", ")])


def test_slices_name_all_that_they_do_not_draw(stored, strict):
    layout = stored.heatcat.slices("power", at={"N": 2, "ΔE": 50.0, "T̄": 180.0})
    drawn = [*layout, stored.sel(N=2, T_mean=60.0).heatcat.map()]
    expected = (
        {"ΔE = 50 ω₀", "T̄ = 180 ω₀"},
        {"N = 2", "T̄ = 180 ω₀"},
        {"N = 2", "ΔE = 50 ω₀"},
        {"N = 2", "T̄ = 60 ω₀"},
    )
    for part, words in zip(drawn, expected, strict=True):
        title = hv.render(part, backend="bokeh").title.text.replace("\n", " ")
        assert {*title.removeprefix("at ").split(", ")} == words | {*ELSEWHERE.split(", ")}


def test_nothing_is_warned_about(stored, strict):
    for drawn in (stored.heatcat.map(), stored.heatcat.slices(), stored.heatcat.explorer()):
        root = pn.panel(drawn).get_root()
        assert list(root.select({"type": Plot}))


def test_an_array_is_selected_and_drawn_like_a_dataset(stored, strict):
    power = stored.power
    assert power.heatcat.sel({"ΔE": 50, "N": 2}).identical(power.sel(N=2, delta_E=50.0))
    mesh = power.heatcat.map(at={"N": 2}).get(0)
    assert np.array_equal(mesh.dimension_values("value", flat=False), power.sel(N=2).T)
    assert len(power.heatcat.slices()) == 3
    assert power.rename(None).heatcat.map(backend="matplotlib").axes[1].get_ylabel() == "P [ω₀²]"
    assert power.heatcat.explorer().get_root() is not None
    with pytest.raises(InvalidInput, match="delta_E is a coordinate: give the array another name"):
        stored.delta_E.heatcat.map()


# Figures for a journal


def test_a_figure_for_a_journal_is_a_column_wide_in_8_pt(stored):
    figure = stored.heatcat.map("power", at={"N": 4}, overlays=["carnot"], backend="matplotlib")
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] == 3.4
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    assert {text.get_fontsize() for text in texts} == {8.0}
    inside = figure.bbox.padded(2)
    words = [text for text in texts if not text.get_text().lstrip("−").isdigit()]
    assert len(words) == 5  # title, three labels and the legend
    for text in words:
        box = text.get_window_extent()
        assert inside.contains(*box.min), text
        assert inside.contains(*box.max), text
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == (
        "ΔE [ω₀]", "T̄ [ω₀]", "P [ω₀²]",
    )  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Carnot"]
    assert "N\u00a0=\u00a04" in figure.get_suptitle()
    wide = stored.heatcat.map("power", backend="matplotlib", width=7)
    assert wide.get_size_inches()[0] == 7.0


def test_colours_of_a_figure_diverge_about_zero_where_signs_matter(stored):
    signed = stored.heatcat.map("power", at={"N": 4}, backend="matplotlib").axes[0].collections[0]
    low, high = signed.get_clim()
    assert low < 0 < high
    nothing, lost, gained = (signed.to_rgba(value)[:3] for value in (0.0, low, high))
    assert min(nothing) > 0.95
    assert lost[2] > lost[0]
    assert gained[0] > gained[2]
    expected = stored.power.sel(N=4).transpose("T_mean", "delta_E").values.ravel()
    assert np.array_equal(signed.get_array().ravel(), expected)


def test_what_a_figure_cannot_show_is_in_its_legend(stored):
    data = stored.copy(deep=True)
    data["status"][0, 0, 0] = Status.UNCERTIFIED
    data["power"][0, 1, 1] = np.nan
    figure = data.heatcat.map(
        "power", at={"N": 1}, overlays=["gain"], scale="symlog", backend="matplotlib"
    )
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["no gain = 1 in view", "not certified", "undefined"]
    bar = figure.axes[1]
    assert bar.get_ylabel().replace("\n", " ") == "P [ω₀²], symmetric log scale"


def test_geometric_labels_have_a_logarithmic_axis():
    drive = np.geomspace(0.01, 1.0, 5)
    dims = {"omega_0": drive, "N": [1, 2, 3]}
    ds = xr.Dataset({"power": (list(dims), np.outer(drive, [1.0, 2.0, 3.0]))}, dims)
    axes = ds.heatcat.map(x="omega_0", y="N", backend="matplotlib").axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    curve = ds.sel(N=2).heatcat.map(backend="matplotlib").axes[0]
    assert curve.get_xscale() == "log"
    assert np.array_equal(curve.lines[0].get_ydata(), 2 * drive)


def test_a_figure_is_saved_in_every_format_without_a_browser(stored, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    maps = stored.heatcat.map("constancy", contour="power", backend="matplotlib")
    curves = stored.heatcat.slices("power", dims=["N"], backend="matplotlib")
    for name, figure in {"map": maps, "curves": curves}.items():
        for kind in ("png", "pdf", "svg"):
            figure.savefig(tmp_path / f"{name}.{kind}")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"/FontFile2" in (tmp_path / f"{name}.pdf").read_bytes()
        assert "ω₀" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert maps._repr_png_().startswith(b"\x89PNG")
    assert mpl.rcParams["font.size"] != 8.0  # of other figures of the user


def test_a_text_of_a_store_is_no_formula_in_a_figure(stored):
    data = stored.copy()
    data["power"].attrs = {"long_name": "$\\frac$ {N}", "symbol": "$x$"}
    figure = data.heatcat.map("power", backend="matplotlib")
    figure.savefig(io.BytesIO(), format="png")
    assert figure.axes[1].get_ylabel() == r"\$x\$"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "plotly"}, "unknown backend 'plotly': choose from bokeh, matplotlib"),
        ({"backend": "matplotlib", "width": 0}, "width is in inches, 1 to 50, but is 0: e.g. 3.4"),
        ({"backend": "matplotlib", "width": "a"}, "width is in inches"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(stored, options, message):
    for draw in (stored.heatcat.map, stored.heatcat.slices):
        with pytest.raises(InvalidInput, match=message):
            draw("power", **options)
    with pytest.raises(InvalidInput, match=r"x\.png is no HTML file: end it in \.html"):
        heatcat.save_html(stored.heatcat.map(), "x.png")


# Without a network

CANVASES = """() => {
    const found = [];
    const walk = root => root.querySelectorAll('*').forEach(element => {
        if (element.tagName === 'CANVAS' && element.width > 100) found.push(element);
        if (element.shadowRoot) walk(element.shadowRoot);
    });
    walk(document);
    return found.filter(canvas => {
        const {width, height} = canvas;
        const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
        return new Set(new Uint32Array(pixels.buffer)).size > 3;
    }).length;
}"""
"""Number of canvases on which something is drawn, those within shadow roots too."""
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"


@pytest.fixture(scope="module")
def offline() -> Iterator[Any]:
    """A Chromium that reaches no other machine."""
    with started(NO_NETWORK) as browser:
        yield browser


def assert_drawn(chromium: Any, file: Path, canvases: int) -> None:
    """All plots of a file are there, and nothing but the file was asked for."""
    page = chromium.new_page(viewport={"width": 1366, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(file.as_uri())
    page.wait_for_function(f"({CANVASES})() >= {canvases}", timeout=60_000)
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert problems == []
    page.close()


@browser
@pytest.mark.filterwarnings("default")  # of the kernel's client, not ours
def test_a_notebook_as_html_shows_its_plots_without_a_network(stored, location, offline, tmp_path):
    exporters = pytest.importorskip("nbconvert.exporters")
    cells = [
        f"import catalog, heatcat\nds = catalog.open({str(location)!r})['tiny'].dataset()",
        "ds.heatcat.map('power', at={'N': 2})",
        "ds.heatcat.slices('power')",
        "ds.heatcat.explorer()",
        "ds.power.heatcat.map(backend='matplotlib')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=300).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "stream"]
    assert "image/png" in outputs[-1].data
    # nbconvert's template itself would ask for RequireJS and MathJax, which no output needs.
    exporter = exporters.HTMLExporter(require_js_url="", mathjax_url="", jquery_url="")
    file = tmp_path / "notebook.html"
    file.write_text(exporter.from_notebook_node(notebook)[0], encoding="utf-8")
    assert_drawn(offline, file, canvases=1 + 3 + 1 + 3)


@browser
def test_saved_plots_need_no_network(stored, offline, tmp_path):
    plots = {
        "map": (stored.heatcat.map(), 1),
        "slices": (stored.heatcat.slices(), 3),
        "explorer": (stored.heatcat.explorer(), 4),
    }
    for name, (drawn, canvases) in plots.items():
        heatcat.save_html(drawn, tmp_path / f"{name}.html")
        assert_drawn(offline, tmp_path / f"{name}.html", canvases)


@browser
def test_hvplot_saves_our_plots_with_all_scripts(stored, offline, tmp_path):
    """Its file still asks for style sheets and an icon of Panel, which the plot does not need."""
    import hvplot
    from bokeh.resources import INLINE

    file = tmp_path / "map.html"
    hvplot.save(stored.heatcat.map(), file, resources=INLINE)
    page = offline.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function(f"({CANVASES})() >= 1", timeout=60_000)
    assert not [url for url in asked if ".js" in url]
    page.close()
