"""``heatcat browse`` in a real browser: what the page shows is what the store holds.

Run by ``make test-browser``; needs Chromium.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import h5netcdf
import numpy as np
import pytest
import xarray as xr

from catalog.sweeps.sweep import Sweep
from ensemble import Engine, Exact
from heatcat.browser.shown.labels import figure
from tests.heatcat.serving import serving
from tests.heatcat.stores import (
    FIXED,
    WIDE,
    computed,
    synthetic,
)

sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=20_000)  # milliseconds, for a machine that is busy

pytestmark = pytest.mark.browser

LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MOVE_MILLISECONDS = 100.0

FIGURES = """() => [...Bokeh.documents[0]._all_models.values()]
  .filter(m => m.type == "Figure").map(m => Bokeh.index.find_one(m))
  .filter(v => v && v.canvas_view && v.frame.bbox.width > 0)
  .map(v => [v, v.canvas_view.el.getBoundingClientRect()])
  .sort(([v, a], [w, b]) => a.top - b.top || a.left - b.left)"""
"""Plots with their places in the window, from the top: the maps come first."""

CELL = f"""([x, y]) => {{
  const [[view, box]] = ({FIGURES})()
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)]
}}"""
"""Where a point of the first map lies in the window."""

RANGES = f"""() => ({FIGURES})().slice(0, 2)
  .map(([view]) => [view.model.x_range.start, view.model.x_range.end])"""

MAP_IS_DRAWN = f"""() => Boolean(
  window.Bokeh && Bokeh.documents.length && ({FIGURES})().length
  && [...Bokeh.documents[0]._all_models.values()].some(
    m => (m.css_classes || []).includes("heading") && m.text)
)"""


CURVES = f"""() => ({FIGURES})().map(([view]) => view.model)
  .map(plot => [plot, plot.renderers.find(r => r.data_source.columns().includes("label"))])
  .filter(([plot, line]) => line)
  .map(([plot, line]) => [[plot.y_range.start, plot.y_range.end],
    Array.from(line.data_source.get_column("y")).filter(Number.isFinite)])"""
"""Range and values of every curve, from the top."""

BARS = f"""() => ({FIGURES})().map(([view]) => view.model)
  .flatMap(plot => plot.below.filter(part => part.type == "ColorBar" && part.visible))
  .map(bar => [bar.color_mapper.low, bar.color_mapper.high])"""
"""Ends of the colour bars that are to be seen."""

CELLS = """[...Bokeh.documents[0]._all_models.values()].filter(m => m.type == "ColumnDataSource"
  && m.columns().includes("left") && m.columns().includes("at_x"))"""
"""Sources of the cells of maps."""

LINE = Sweep(
    name="line",
    axes={"delta_E": [50.0, 125.0, 250.0]},
    fixed={**FIXED, "N": 2, "T_mean": 100.0},
    variables=["power", "constancy", "efficiency", "cop"],
    energy_unit="omega_0",
)


@contextmanager
def opened(chromium: Any, url: str, size: dict[str, int] = LAPTOP) -> Iterator[Any]:
    """A fresh page; at its end, it must have asked nobody else and complained of nothing."""
    page = chromium.new_page(viewport=size)
    outside: list[str] = []
    complaints: list[str] = []

    def requested(request: Any) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", request.url):
            outside.append(request.url)

    page.on("request", requested)
    page.on("websocket", requested)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.goto(url)
    page.locator("[data-status]").first.wait_for()
    yield page
    page.close()
    assert not outside
    assert not complaints


def shown(page: Any, name: str) -> Any:
    """The number of a row in the table of the chosen engine."""
    return page.locator(f".point:not(.live) tr[data-name='{name}'] td.number")


def expect_engine(page: Any, stored: xr.Dataset, **labels: float) -> None:
    """The table shows this very engine, and its values are those of the store."""
    point = stored.sel(labels)
    for dim, value in labels.items():
        sync_api.expect(shown(page, dim)).to_have_text(f"{value:g}")
    for name in ("power", "constancy", "efficiency", "cop"):
        sync_api.expect(shown(page, name)).to_have_text(figure(point[name].item()))


def heading(page: Any) -> Any:
    """What the first map says that it shows."""
    return page.locator(".heading h2").first


def click_cell(page: Any, x: float, y: float) -> None:
    page.mouse.click(*settled_place(page, x, y))


def idle(page: Any) -> None:
    """Wait until nothing is being read or drawn."""
    page.wait_for_function(MAP_IS_DRAWN)
    sync_api.expect(page.locator("p[role=progressbar]")).to_have_count(0)


def settled_place(page: Any, x: float, y: float) -> list[float]:
    """Where a point of the first map lies, once the page has made room for everything."""
    page.wait_for_function(MAP_IS_DRAWN)
    before, place = None, page.evaluate(CELL, [x, y])
    while place != before:
        page.wait_for_timeout(300)
        before, place = place, page.evaluate(CELL, [x, y])
    return place


def hovered(page: Any, x: float, y: float) -> Any:
    """The tooltip of a point of the first map.

    A map that is drawn once more drops its tooltip until the pointer moves again, so it is moved
    until the tooltip is there.
    """
    tooltip = page.locator(".bk-Tooltip").first
    for step in range(40):
        left, top = settled_place(page, x, y)
        page.mouse.move(left + step % 2, top)
        try:
            tooltip.wait_for(timeout=1000)
        except sync_api.TimeoutError:
            continue
        return tooltip
    raise AssertionError(f"no tooltip at ({x}, {y})")


def link(address: str, **words: Any) -> str:
    texts = {name: w if isinstance(w, str) else json.dumps(w) for name, w in words.items()}
    return f"{address}&{urlencode(texts)}"


def test_a_map_a_variable_a_slider_and_a_cell_show_the_values_of_the_store(chromium, address, tiny):
    stored = tiny[1]
    with opened(chromium, address) as page:
        expect_engine(page, stored, N=6, delta_E=125.0, T_mean=100.0)
        sync_api.expect(heading(page)).to_contain_text("power output, at N = 6")

        page.get_by_label("variable", exact=True).select_option(label="constancy  C")
        sync_api.expect(heading(page)).to_contain_text("constancy, 2J/(aD), at N = 6")

        page.locator(".noUi-handle").first.focus()  # by keyboard, as everything can be
        page.keyboard.press("ArrowLeft")
        sync_api.expect(heading(page)).to_contain_text("at N = 4")
        expect_engine(page, stored, N=4, delta_E=125.0, T_mean=100.0)

        click_cell(page, 250.0, 180.0)
        expect_engine(page, stored, N=4, delta_E=250.0, T_mean=180.0)
        click_cell(page, 52.0, 61.0)  # anywhere in a cell will do
        expect_engine(page, stored, N=4, delta_E=50.0, T_mean=60.0)


def test_the_pointer_shows_the_stored_number(chromium, address, tiny):
    with opened(chromium, address) as page:
        expect_engine(page, tiny[1], N=6, delta_E=125.0, T_mean=100.0)
        tooltip = hovered(page, 250.0, 180.0)
        power = tiny[1].power.sel(N=6, delta_E=250.0, T_mean=180.0).item()
        for text in (f"{power:.10g}", "250", "180", "ok"):
            sync_api.expect(tooltip).to_contain_text(text)


def test_a_cell_is_chosen_by_keyboard_too(chromium, address, tiny):
    with opened(chromium, address) as page:
        expect_engine(page, tiny[1], N=6, delta_E=125.0, T_mean=100.0)
        handles = page.locator(".noUi-handle")
        sync_api.expect(handles).to_have_count(3)
        for handle in handles.all():
            assert handle.get_attribute("tabindex") == "0"
        handles.nth(1).focus()
        page.keyboard.press("ArrowRight")
        expect_engine(page, tiny[1], N=6, delta_E=250.0, T_mean=100.0)


def test_the_text_of_a_slider_follows_its_handle(chromium, address):
    at = {"N": 1, "delta_E": 125.0, "T_mean": 100.0}
    with opened(chromium, link(address, at=at, tab="Live point")) as page:
        page.get_by_text("solve live from the chosen cell").click()
        page.locator("[data-milliseconds]").wait_for()
        handle = page.locator(".noUi-handle").nth(3)
        handle.focus()
        for last in (9, 17, 25, 33):
            for _ in range(8):  # quicker than the server answers
                page.keyboard.press("ArrowRight")
            page.wait_for_timeout(800)
            sync_api.expect(page.get_by_text(f"N: {last}", exact=True)).to_be_visible()
        page.evaluate("() => window.scrollTo(0, 0)")
        click_cell(page, 250.0, 180.0)  # and it follows Python
        sync_api.expect(page.get_by_text("ΔE [ω₀]: 250", exact=True)).to_be_visible()


def test_the_map_is_drawn_from_the_stored_numbers(chromium, address, tiny):
    stored = tiny[1]
    with opened(chromium, link(address, variable="power", at={"N": 3})) as page:
        sync_api.expect(heading(page)).to_contain_text("at N = 3")
        page.wait_for_function(MAP_IS_DRAWN)
        sources = page.evaluate(
            f"""() => {CELLS}
            .map(m => ["at_x", "at_y", "value"].map(name => Array.from(m.get_column(name))))"""
        )
        assert len(sources) == 1
        at_x, at_y, values = sources[0]
        assert len(values) == 9
        for x, y, value in zip(at_x, at_y, values, strict=True):
            assert value == float(stored.power.sel(N=3, delta_E=x, T_mean=y))


def test_a_link_keeps_the_view(chromium, address, tiny):
    with opened(chromium, address) as page:
        page.get_by_label("variable", exact=True).select_option(label="collective_gain")
        page.get_by_label("scale of values", exact=True).select_option(label="symmetric log")
        page.get_by_label("Carnot line").check()
        page.get_by_role("button", name="compare side by side").click()
        sync_api.expect(page.locator(".heading h2:visible")).to_have_count(2)
        for words in ("collective_gain", "scale='symlog'", "overlays=('carnot',)"):
            sync_api.expect(page.locator("pre.python")).to_contain_text(words)
        click_cell(page, 50.0, 100.0)
        expect_engine(page, tiny[1], N=6, delta_E=50.0, T_mean=100.0)
        page.wait_for_function("() => location.search.includes('compare=true')")
        page.wait_for_function("() => location.search.includes('50.0')")
        title, url = heading(page).text_content(), page.url
    with opened(chromium, url) as page:
        expect_engine(page, tiny[1], N=6, delta_E=50.0, T_mean=100.0)
        sync_api.expect(heading(page)).to_have_text(title)
        sync_api.expect(page.get_by_label("Carnot line")).to_be_checked()
        sync_api.expect(page.locator(".heading h2:visible")).to_have_count(2)
        python = page.locator("pre.python").text_content()
        assert "scale='symlog'" in python
        assert "overlays=('carnot',)" in python


def test_a_wrong_link_says_so_and_shows_something(chromium, address):
    wrong = link(address, variable="powr", scale="cubic", at={"N": 5, "delta_E": 125.0})
    with opened(chromium, wrong) as page:
        notes = page.locator("p[role=status]")
        sync_api.expect(notes).to_have_count(3)
        told = " ".join(notes.all_text_contents())
        assert "no variable 'powr': did you mean 'power'?" in told
        assert "scale = cubic" in told
        assert "no N = 5: shown is the nearest, 4" in told
        sync_api.expect(shown(page, "N")).to_have_text("4")


def test_two_maps_share_their_axes_and_their_cell(chromium, address, tiny):
    both = link(address, variable="power", compare=True, beside_variable="constancy")
    with opened(chromium, both) as page:
        page.wait_for_function(MAP_IS_DRAWN)
        first, second = page.evaluate(RANGES)
        assert first == second
        page.evaluate(
            f"""() => {{ const range = ({FIGURES})()[0][0].model.x_range
            range.start = 100; range.end = 200 }}"""
        )
        page.wait_for_timeout(300)
        assert page.evaluate(RANGES) == [[100, 200], [100, 200]]
        click_cell(page, 125.0, 180.0)
        expect_engine(page, tiny[1], N=6, delta_E=125.0, T_mean=180.0)
        frames = page.evaluate(
            """() => [...Bokeh.documents[0]._all_models.values()]
            .filter(m => m.type == "Quad").length"""
        )
        assert frames >= 2


def test_the_live_point_solves_within_a_tenth_of_a_second(chromium, address, tiny):
    with opened(chromium, address) as page:
        expect_engine(page, tiny[1], N=6, delta_E=125.0, T_mean=100.0)
        page.get_by_role("button", name="Live point").click()
        page.get_by_text("solve live from the chosen cell").click()
        power = page.locator(".live tr[data-name=power] td.number")
        engine = {"N": 6, "delta_E": 125.0, "T_mean": 100.0, **FIXED}
        exact = Exact().solve(Engine(**engine)).values["power"]
        stored = float(tiny[1].power.sel(N=6, delta_E=125.0, T_mean=100.0))
        sync_api.expect(power.nth(0)).to_have_text(figure(exact))
        sync_api.expect(power.nth(1)).to_have_text(figure(stored))

        page.locator(".noUi-handle").nth(3).focus()  # the live N
        page.keyboard.press("ArrowRight")
        exact = Exact().solve(Engine(**{**engine, "N": 7})).values["power"]
        sync_api.expect(power.nth(0)).to_have_text(figure(exact))
        sync_api.expect(page.locator(".live [data-status]")).to_contain_text("residual")
        bounds = Exact().solve(Engine(**{**engine, "N": 7}), ["response_bound"]).values
        found = page.locator(".live tr[data-name=response_bound] td.number").nth(0)
        sync_api.expect(found).to_have_text(figure(bounds["response_bound"]))
        took = page.locator("[data-milliseconds]").get_attribute("data-milliseconds")
        assert float(took) < MOVE_MILLISECONDS


def test_the_view_is_exported(chromium, address, tiny, tmp_path):
    stored = tiny[1]
    with opened(chromium, link(address, variable="power", at={"N": 2})) as page:
        expect_engine(page, stored, N=2, delta_E=125.0, T_mean=100.0)
        files = {}
        for kind in ("PNG", "SVG", "NetCDF"):
            with page.expect_download() as download:
                page.get_by_text(kind, exact=True).click()
            files[kind] = tmp_path / download.value.suggested_filename
            download.value.save_as(files[kind])
    assert files["PNG"].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in files["SVG"].read_bytes()[:2000]
    with h5netcdf.File(files["NetCDF"], "r") as data:
        expected = stored.power.sel(N=2).transpose(*data["power"].dimensions)
        assert np.array_equal(data["power"][...], expected.values)


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_is_wider_than_the_window(size, chromium, address):
    with opened(chromium, link(address, compare=True), size) as page:
        page.wait_for_function(MAP_IS_DRAWN)
        page.get_by_role("button", name="Live point").click()
        page.get_by_text("solve live from the chosen cell").click()
        page.locator("[data-milliseconds]").wait_for()
        page.get_by_label("scaling", exact=True).select_option("high-temperature")
        page.get_by_text("macroscopic").click()  # its names are the longest
        page.locator(".live tr[data-name=quanta_current_per_pair_noise]").wait_for()
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= size["width"]


def test_a_thinned_map_is_drawn_in_full_once_one_zooms_in(chromium, tmp_path):
    synthetic(tmp_path / "wide.zarr", WIDE)
    cells = f"() => {CELLS}.map(m => Array.from(m.get_column('at_x')))[0]"
    with serving(tmp_path / "wide.zarr") as address, opened(chromium, address) as page:
        told = page.get_by_text("one in 3 of 400 labels of ΔE is drawn: zoom in")
        sync_api.expect(told).to_be_visible()
        corners = settled_place(page, 100.0, 110.0), settled_place(page, 150.0, 190.0)
        assert set(page.evaluate(cells)) == set(WIDE.axes["delta_E"][::3])
        page.evaluate(
            f"""() => {{ ({FIGURES})()[0][0].model.toolbar.tools
            .find(tool => tool.type == "BoxZoomTool").active = true }}"""
        )
        page.mouse.move(*corners[0])
        page.mouse.down()
        page.mouse.move(*corners[1], steps=5)
        page.mouse.up()
        sync_api.expect(told).to_have_count(0)
        page.wait_for_function(f"() => Math.max(...({cells})()) < 160")
        page.wait_for_function("() => location.search.includes('zoom')")
        assert set(page.evaluate(cells)) == {float(label) for label in range(100, 151)}


def test_a_curve_is_what_a_sweep_of_one_dimension_has(chromium, tmp_path):
    location = tmp_path / "store.zarr"
    stored = computed(location, LINE)
    with serving(location) as address, opened(chromium, address) as page:
        expect_engine(page, stored, delta_E=125.0)
        click_cell(page, 250.0, float(stored.power.sel(delta_E=250.0)))
        expect_engine(page, stored, delta_E=250.0)


CONTRASTS = """() => {
  const shade = colour => {
    const [r, g, b, a] = colour.match(/[\\d.]+/g).map(Number)
    const part = c => (c /= 255, c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return {lightness: 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b), a: a ?? 1}
  }
  const found = []
  const behind = element => {
    for (let at = element; at; at = at.parentElement || at.getRootNode().host) {
      const {lightness, a} = shade(getComputedStyle(at).backgroundColor)
      if (a > 0.5) return lightness
    }
    return 1
  }
  const walk = root => root.querySelectorAll("*").forEach(element => {
    if (element.shadowRoot) walk(element.shadowRoot)
    const own = [...element.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())
    const box = element.getBoundingClientRect()
    if (!own || !box.width || element.disabled || getComputedStyle(element).visibility == "hidden")
      return
    if (element.closest("script, style, option, optgroup")) return
    const ink = shade(getComputedStyle(element).color).lightness, paper = behind(element)
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)
    found.push([ratio, element.textContent.trim().slice(0, 40)])
  })
  walk(document.body)
  return found
}"""
"""Contrast of each text that can be seen with what is behind it, as WCAG 2 defines it."""
READABLE, ICON = 4.5, 3.0
"""The contrast that WCAG 2.1 asks at level AA of text, and of an icon such as the toolbar's ⋮."""
PAPER = "() => getComputedStyle(document.body).backgroundColor"
PLOTS = f"() => ({FIGURES})().map(([view]) => view.model.border_fill_color)"
TABS = (
    *("Slices", "Curves", "Scatter", "Table", "Regimes"),
    *("Small maps", "Pinned", "Live point", "Names"),
)


def test_a_button_makes_the_page_dark_and_the_browser_remembers_it(chromium, address):
    at = {"N": 4, "delta_E": 125.0, "T_mean": 100.0}
    place = link(address, at=at, pins=[at], only="power > -10")
    context = chromium.new_context(viewport=LAPTOP, color_scheme="light")
    page = context.new_page()
    page.goto(place)
    idle(page)
    light = page.evaluate(PAPER)
    page.get_by_role("button", name="dark page").click()
    sync_api.expect(page.get_by_role("button", name="light page")).to_be_visible()
    for tab in TABS:
        page.get_by_role("button", name=tab, exact=True).click()
        idle(page)
        found = page.evaluate(CONTRASTS)
        assert len(found) > 30
        poor = [one for one in found if one[0] < (ICON if one[1] == "⋮" else READABLE)]
        assert not poor, tab
        assert not {"white", "#ffffff"} & {*page.evaluate(PLOTS)}, tab
    assert page.evaluate(PAPER) != light
    assert "at=" in page.url
    sync_api.expect(heading(page)).to_contain_text("at N = 4")
    later = context.new_page()
    later.goto(address)
    sync_api.expect(later.get_by_role("button", name="light page")).to_be_visible()
    context.close()


def test_the_page_follows_the_browser_until_one_chooses(chromium, address):
    context = chromium.new_context(viewport=PHONE, color_scheme="dark")
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="light page").click()
    sync_api.expect(page.get_by_role("button", name="dark page")).to_be_visible()
    page.reload()
    idle(page)
    assert page.evaluate(PAPER) == "rgb(255, 255, 255)"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()
