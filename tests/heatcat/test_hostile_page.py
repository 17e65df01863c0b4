"""Whatever a store says, the page, reprs and pictures show it as text, and no script runs.

The tests with a browser are run by ``make test-browser``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest
import xarray as xr

import catalog
import heatcat.accessor  # noqa: F401 (registers .heatcat)
from heatcat.browser.sections import export
from heatcat.browser.shown import escape
from heatcat.browser.shown.picture import picture_of
from heatcat.browser.shown.sheet import Sheet
from heatcat.figures.fig2 import CUT_DELTA_E, CUT_T_MEAN, FIG2
from tests.catalog.support import FIXED
from tests.heatcat.hostile import (
    ALL,
    FORMATS,
    HTML,
    NAME,
    PAYLOADS,
    SCRIPT,
    SEEN,
    SEEN_OF_UNIT,
    TEX,
    computed,
    unit,
)
from tests.heatcat.serving import serving
from tests.heatcat.test_browse_page import MAP_IS_DRAWN, hovered

sync_api = pytest.importorskip("playwright.sync_api")

browser = pytest.mark.browser

SIZES = [1, 2, 4, 6, 9, 12, 18, 24]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return computed(tmp_path_factory.mktemp("hostile"))


@contextmanager
def guarded(chromium: Any) -> Iterator[Any]:
    """A page in which, at its end, no script of the store's has run and nothing was asked for."""
    page = chromium.new_page()
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert page.evaluate("() => window.ran") is None
    allowed = r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:|about:|file:"
    assert not [url for url in asked if not re.match(allowed, url) or re.search(r"/x\b", url)]
    assert page.locator("img[src=x], [onmouseover], svg[onload]").count() == 0
    assert page.locator("a[href^=javascript], mjx-container").count() == 0
    page.close()


def seen(place: Any, *pieces: str) -> None:
    """A place of the page shows these texts, spaces and breaks aside."""
    for piece in pieces:
        words = r"\s*".join(map(re.escape, piece.split()))
        sync_api.expect(place).to_contain_text(re.compile(words), timeout=20_000)


@browser
def test_no_script_runs_in_any_tab_nor_from_conditions_and_pins(store, chromium):
    words = {"only": f"power > {HTML}", "selected": f"{SCRIPT} < 1", "pins": '[{"N": "<b>"}, {}]'}
    with serving(store) as address, guarded(chromium) as page:
        page.goto(f"{address}&{urlencode(words)}")
        page.locator("[data-status]").first.wait_for()
        sync_api.expect(page.locator("#points p[role=alert]")).to_be_visible()
        tabs = page.locator("#tabs .bk-btn-group").first.get_by_role("button").all()
        assert len(tabs) == 9
        for tab in tabs:
            tab.click()
            page.wait_for_timeout(300)
            page.locator("[role=progressbar]").wait_for(state="detached")


@browser
def test_no_script_of_a_store_runs_in_the_page(store, chromium, tmp_path):
    with serving(store) as address, guarded(chromium) as page:
        page.goto(address)
        page.locator("[data-status]").first.wait_for()
        page.wait_for_function(MAP_IS_DRAWN)
        seen(page.locator("h1"), str(store))
        seen(page.locator(".heading h2").first, *SEEN_OF_UNIT)
        seen(page.locator(".heading p").first, *SEEN)  # the description
        seen(page.locator(".point").first, *SEEN)  # units, and the error of this point
        seen(page.locator("p.status").first, "ValueError", *SEEN)
        slider = page.locator(".bk-panel-models-layout-Column", has_text="ΔE [").last
        seen(slider, *SEEN_OF_UNIT)
        tooltip = hovered(page, 50.0, 60.0)
        seen(tooltip, SCRIPT)
        sync_api.expect(tooltip).to_contain_text("{javascript:window.ran=1}{x}$")
        page.get_by_role("button", name="Live point").click()
        page.get_by_text("solve live from the chosen cell").click()
        seen(page.locator(".live").first, *SEEN_OF_UNIT)
        page.get_by_role("button", name="compare side by side").click()
        seen(page.locator(".heading p").nth(1), "hostile:", *SEEN)
        page.get_by_label("contours of", exact=True).select_option(label="power  P")
        page.get_by_label("scale of values", exact=True).select_option(label="symmetric log")
        page.locator("li[data-status=failed]").wait_for()
        for kind in ("PNG", "SVG"):
            with page.expect_download() as download:
                page.get_by_text(kind, exact=True).click()
            download.value.save_as(tmp_path / kind)
        assert (tmp_path / "PNG").read_bytes().startswith(b"\x89PNG")
        assert SEEN[0] in drawn_text((tmp_path / "SVG").read_text(encoding="utf-8"))


@browser
@pytest.mark.parametrize("text", [SCRIPT, HTML[1], ALL], ids=["image", "script", "all"])
def test_no_script_of_a_link_runs_in_the_page(text, address, chromium):
    with guarded(chromium) as page:
        words = {"sweep": text, "variable": text, text: "1", "scale": text, "levels": text}
        page.goto(f"{address}&{urlencode(words)}#{quote(text)}")
        notes = page.locator("p[role=status]")
        sync_api.expect(notes.nth(2)).to_be_visible()
        seen(page.locator("body"), escape.visible(repr(text)))


@pytest.fixture(scope="module")
def address(store: Path) -> Iterator[str]:
    with serving(store) as found:
        yield found


def reprs(store: Path) -> dict[str, str]:
    entries = catalog.open(store)
    entry = entries["hostile"]
    dataset = entry.dataset()
    return {
        "catalogue": entries._repr_html_(),
        "entry": entry._repr_html_(),
        "dataset": dataset._repr_html_(),
        "array": dataset.power._repr_html_(),
        "tree": entries.tree()._repr_html_(),
    }


@browser
def test_no_script_of_a_store_runs_in_a_notebook(store, chromium):
    for name, text in reprs(store).items():
        with guarded(chromium) as page:
            page.set_content(f"<!DOCTYPE html><html><body>{text}</body></html>")
            page.wait_for_timeout(200)
            if name in ("catalogue", "entry"):
                seen(page.locator("body"), SEEN[0], "dE [meV]")


@browser
def test_no_script_of_a_sweep_runs_in_the_page_of_a_figure(chromium, tmp_path):
    sweep = catalog.Sweep(
        name="hostile",
        axes={
            "N": [1, 2, 4, 6, 9, 12, 18, 24],
            "delta_E": [50.0, CUT_DELTA_E],
            "T_mean": CUT_T_MEAN,
        },
        fixed=FIXED,
        energy_unit=unit(),
        description=ALL,
        variables=[
            *("power", "constancy", "quanta_noise", "affinity"),
            *("weak_coupling_1", "weak_coupling_2"),
        ],
    )
    FIG2.make({"exact": catalog.dataset(sweep)}, tmp_path)
    with guarded(chromium) as page:
        page.goto((tmp_path / "fig2.html").as_uri())
        page.wait_for_function("() => window.Bokeh && Bokeh.documents.length")
        page.wait_for_timeout(500)


def drawn_text(svg: str) -> str:
    """The texts of a picture, each as one word after the other."""
    return " ".join("".join(node.itertext()) for node in ElementTree.fromstring(svg).iter())


@pytest.fixture(scope="module")
def data(store: Path) -> xr.Dataset:
    return catalog.open(store)["hostile"].dataset().load()


PICTURES: dict[str, dict[str, Any]] = {
    "map": {"contour": "power", "overlays": ("carnot", "constancy")},
    "logarithmic map": {"scale": "symlog"},
    "curve": {"y": ""},
}
SHOWN = [("curve", text) for text in (*TEX, *FORMATS)] + [(kind, ALL) for kind in PICTURES]


@pytest.mark.parametrize(("kind", "text"), SHOWN)
def test_a_picture_shows_units_and_symbols_as_they_are(kind, text, data):
    """No TeX of Matplotlib, no format of HoloViews, and XML that can be read."""
    named = {"units": text, "symbol": text, "long_name": text}
    for name in data.variables:
        data[name].attrs |= named
    sheet = Sheet("hostile", data.assign_attrs(title=text, description=text))
    picture = picture_of(sheet, "power", **PICTURES[kind])
    svg = export.image(sheet, picture, "svg").read().decode()
    assert escape.visible(text)[:80] in drawn_text(svg)
    if text == ALL:
        assert export.image(sheet, picture, "png").read().startswith(b"\x89PNG")
        assert data.heatcat.map("power", **PICTURES[kind]) is not None


@pytest.mark.parametrize("text", PAYLOADS)
def test_html_of_a_text_has_neither_markup_nor_tex(text):
    assert not re.search(r"[<>\"'$\\]", escape.html(text))


def test_a_path_is_text_in_reprs(store):
    for name in ("catalogue", "entry"):
        text = reprs(store)[name]
        assert SCRIPT not in text
        assert NAME not in text
