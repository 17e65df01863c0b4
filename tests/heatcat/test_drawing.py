"""A drawing in print and on the page: the same panels, limits, colours and words, and legible."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import AsinhNorm, BoundaryNorm, ListedColormap, LogNorm, Normalize, to_hex
from matplotlib.figure import Figure

from heatcat.figures import page, printed
from heatcat.figures.maps import contour, marked, size_color
from heatcat.figures.panels import Axis, Colours, Drawing, Line, Map, Note, Panel, Rule

X, Y = np.geomspace(1, 100, 7), np.geomspace(1, 50, 5)
PLANE = Axis("$x$ / $E_1$", log=True), Axis("$y$", log=True)
VALUES = np.outer(np.log(Y) - 2, X)
SCALES = {
    "linear": Colours("$C$", Normalize(-400, 200), "RdBu_r"),
    "asinh": Colours("$P$", AsinhNorm(3.0, vmin=-400, vmax=400), "RdBu_r", ticks=(-100, 0, 100)),
    "log": Colours("$I$", LogNorm(1e-2, 1e3)),
    "steps": Colours(
        "$N$",
        BoundaryNorm([-500, -1, 50, 500], 3),
        ListedColormap(["#111111", "#444444", "#888888"]),
        ticks=(-200, 20, 200),
    ),
}
STEEP = np.linspace(0, 10, 40)


def map_panel(scale: Colours) -> Panel:
    shown = Map(X, Y, VALUES, scale)
    line = marked(contour(shown, 0.0, log=True, color="#B2182B"), "zero")
    return Panel("a map", *PLANE, [shown, *line])


def curves(count: int, *, through: bool) -> Panel:
    """Curves in a corner of the panel, or through all of it."""
    layers = [
        Line(STEEP, np.sin(STEEP * N) if through else STEEP**4 + N, f"$N$ = {N}", size_color(N))
        for N in range(1, count + 1)
    ]
    return Panel("curves", Axis("$N$"), Axis("$P_N$"), [*layers, Rule(0.0, label="bound")])


def drawing() -> Drawing:
    return Drawing(
        "All kinds of layers",
        [
            [map_panel(SCALES["linear"]), map_panel(SCALES["linear"]), curves(3, through=False)],
            [map_panel(SCALES["asinh"]), map_panel(SCALES["log"]), map_panel(SCALES["steps"])],
            [curves(9, through=True), points()],
        ],
    )


def points() -> Panel:
    x = np.array([1.0, 10.0, 100.0])
    layers = [
        Line(x, x**2, "points", dash="", marker="s", filled=False, low=x**2 / 2, high=2 * x**2),
        Note(10.0, 3.0, "note"),
    ]
    return Panel("points", Axis("$N$", log=True, ticks=[1, 10, 100]), Axis("$g$", log=True), layers)


@pytest.fixture(scope="module")
def figure() -> Figure:
    made = printed.draw(drawing())
    FigureCanvasAgg(made).draw()
    return made


def frames(figure: Figure) -> list[Any]:
    """Axes of the panels, in order, without colour bars and places of legends."""
    return [axes for axes in figure.axes if axes.get_title(loc="left").startswith("(")]


def test_every_panel_is_in_print_and_on_the_page_with_the_same_limits_and_scales(figure):
    panels = drawing().panels
    plots = [page.draw(panel) for panel in panels]
    assert len(frames(figure)) == len(plots) == 8
    for panel, axes, plot in zip(panels, frames(figure), plots, strict=True):
        assert axes.get_title(loc="left") == f"({panel.letter}) {panel.title}"
        for of, shown in (("x", plot.x_range), ("y", plot.y_range)):
            limits = getattr(axes, f"get_{of}lim")()
            assert (shown.start, shown.end) == pytest.approx(limits, rel=1e-12)
            log = getattr(axes, f"get_{of}scale")() == "log"
            scale = type(getattr(plot, f"{of}_scale")).__name__
            assert scale == ("LogScale" if log else "LinearScale")
            label = getattr(axes, f"get_{of}label")()
            assert getattr(plot, f"{of}axis")[0].axis_label == page.plain(label)
        entries = [item.label.value for legend in plot.legend for item in legend.items]
        assert entries == [page.plain(each.label) for each in panel.entries()]


@pytest.mark.parametrize("name", SCALES)
def test_a_cell_and_its_colour_bar_have_the_same_colour_in_both(name):
    scale = SCALES[name]
    plot = page.draw(map_panel(scale))
    cells = next(each for each in plot.renderers if "color" in each.data_source.data)
    mapped = scale.colormap(scale.norm(VALUES.ravel()))
    assert list(cells.data_source.data["color"]) == [to_hex(color) for color in mapped]
    [bar] = [each for each in plot.right if type(each).__name__ == "ColorBar"]
    palette = bar.color_mapper.palette
    for place, value in zip(bar.ticker.ticks, scale.tick_texts(), strict=True):
        shown = palette[min(int(place * len(palette)), len(palette) - 1)]
        expected = to_hex(scale.colormap(scale.norm(value)))
        # The bar has 256 colours, so neighbours may differ by one of them.
        distance = [
            abs(int(a, 16) - int(b, 16))
            for a, b in zip(_parts(shown), _parts(expected), strict=True)
        ]
        assert max(distance) <= 6
    kind = {"asinh": "asinh scale", "log": "log. scale"}.get(name)
    assert (kind is None) == ("(" not in bar.title)
    assert kind is None or bar.title.endswith(f"({kind})")


def _parts(color: str) -> list[str]:
    return re.findall("..", color[1:])


def test_missing_cells_have_no_colour():
    values = VALUES.copy()
    values[0, 0] = np.nan
    plot = page.draw(Panel("", *PLANE, [Map(X, Y, values, SCALES["steps"])]))
    assert len(plot.renderers[0].data_source.data["color"]) == VALUES.size - 1


def test_the_pointer_reads_the_values_that_the_axis_is_labelled_with():
    """Figs. 6 and 8 are logarithmic in T₁ and labelled by T̄ = T₁ + ΔT/2."""
    axes = Axis(r"$\bar{T}$", log=True, ticks=[11.0, 20.0, 110.0], shift=10.0), PLANE[1]
    shown = Map(X, Y, VALUES, SCALES["linear"])
    plot = page.draw(Panel("", *axes, [shown, Line(X, X)]))
    cells, line = (each.data_source.data for each in plot.renderers)
    assert sorted(set(cells["across"])) == pytest.approx(X + 10)
    assert line["across"] == pytest.approx(X + 10)
    [of_cells, of_line] = plot.hover
    assert ("T̄", "@across") in of_cells.tooltips
    assert ("T̄", "@across") in of_line.tooltips


def test_no_legend_covers_data(figure):
    """Where a legend stands, the panel without legends is as white as its background."""
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert len(legends) == 3  # inside, below, inside: the map's lines are named on them
    boxes = [legend.get_window_extent() for legend in legends]
    for legend in legends:
        legend.set_visible(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3]
    for legend in legends:
        legend.set_visible(True)
    for box in boxes:
        x0, y0, x1, y1 = (round(end) for end in box.extents)
        assert (x0 >= 0, y0 >= 0, x1 <= pixels.shape[1]) == (True, True, True)
        assert (pixels[y0:y1, x0:x1] == 255).all()


def ticks(axes: Any) -> list[Any]:
    """Labels of the ticks inside of the frame; others are not drawn."""
    low, high = axes.get_xlim()
    return [text for text in axes.get_xticklabels() if low <= text.get_position()[0] <= high]


def test_widths_of_a_journal_with_8_points_and_nothing_cut(figure):
    narrow = printed.draw(Drawing("", [drawing().rows[0]]), width=3.4)
    FigureCanvasAgg(narrow).draw()
    for made, width, columns in ((figure, 7.0, 3), (narrow, 3.4, 1)):
        assert made.get_figwidth() == width
        whole = made.bbox.padded(1)
        texts = [
            text
            for axes in made.axes
            if axes.axison
            for text in (axes._left_title, axes.xaxis.label, axes.yaxis.label, *ticks(axes))
            if text.get_text() and text.get_visible()
        ]
        for text in texts:
            assert text.get_fontsize() == 8
            box = text.get_window_extent()
            assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, text
            assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, text
        titles = [axes._left_title.get_window_extent() for axes in frames(made)]
        for index, one in enumerate(titles):
            assert not any(one.overlaps(other) for other in titles[:index])
        first = {round(axes.get_position().x0, 2) for axes in frames(made)[:3]}
        assert len(first) == columns


def test_fonts_are_embedded_as_truetype(tmp_path):
    made = printed.draw(Drawing("", [[curves(2, through=False)]]), width=3.4)
    printed.save(made, tmp_path / "small.pdf")
    content = (tmp_path / "small.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_chosen_panels_keep_their_letters():
    chosen = drawing().only("bh")
    assert [(panel.letter, panel.title) for panel in chosen.panels] == [
        ("b", "a map"),
        ("h", "points"),
    ]


def test_a_size_has_one_colour_and_larger_ones_are_lighter():
    colors = [size_color(N) for N in (1, 2, 4, 8, 16, 32, 100)]
    light = [np.dot([int(part, 16) for part in _parts(c)], [0.299, 0.587, 0.114]) for c in colors]
    assert (np.diff(light) > 0).all()


@pytest.mark.parametrize(
    ("tex", "unicode", "html"),
    [
        (r"$10^3\,(\mathcal{C}_N - 1)$", "10³ (C_N − 1)", "10<sup>3</sup> (C<sub>N</sub> − 1)"),
        (r"$\Gamma_\mathrm{loc} \to 0^+$", "Γ_loc → 0⁺", "Γ<sub>loc</sub> → 0<sup>+</sup>"),
        (r"$(\Delta E)_c \sim \bar{T}^{\,c}$", "(ΔE)_c ∼ T̄^c", "(ΔE)<sub>c</sub> ∼ T̄<sup>c</sup>"),
        ("a < b & c", "a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_mathematics_as_text(tex, unicode, html):
    assert page.plain(tex) == unicode
    assert page.html(tex) == html


def test_the_page_fits_screens_and_asks_for_nothing():
    text = page.write(drawing(), title="<x>")
    assert "<title>&lt;x&gt;</title>" in text
    assert 'name="viewport"' in text
    assert "max-width: 1280px" in text
    models = text[text.index("const docs_json") :]
    assert "http" not in models
    assert text.count("<figcaption>") == 8
    assert "stretch_width" in models
