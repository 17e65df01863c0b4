"""The panels of ``heatcat browse`` in a real browser: what a person sees and does.

Run by ``make test-browser``; needs Chromium.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

import catalog
from heatcat.browser.shown.labels import figure
from tests.heatcat.serving import serving
from tests.heatcat.stores import TINY, computed
from tests.heatcat.test_browse_page import (
    CELL,
    FIGURES,
    PHONE,
    link,
    opened,
    settled_place,
    shown,
    sync_api,
)

pytestmark = pytest.mark.browser

AT = {"N": 4, "delta_E": 125.0, "T_mean": 100.0}

PLOT = f"""name => {{
  const found = ({FIGURES})().find(([view]) => view.model.name == name)
  return found ? found[0].model.id : null
}}"""
"""A plot that can be seen, by its name."""


def columns(page: Any, name: str) -> Any:
    """Columns of the first source of a plot that can be seen."""
    page.wait_for_function(PLOT, arg=name)
    return page.evaluate(
        f"""name => {{
          const [view] = ({FIGURES})().find(([view]) => view.model.name == name)
          const source = view.model.renderers[0].data_source
          return Object.fromEntries(source.columns().map(c => [c, [...source.get_column(c)]]))
        }}""",
        name,
    )


DRAWN = f"""name => {{
  const [[view, box]] = ({FIGURES})()
  const source = view.model.renderers.find(r => r.name == name).data_source
  const x = [...source.get_column("x")], y = [...source.get_column("y")]
  return {{x, y, text: [...(source.get_column("text") || [])],
    seen: x.map((at, i) => [box.left + view.frame.x_scale.compute(at),
                            box.top + view.frame.y_scale.compute(y[i])])}}
}}"""
"""Signs of a kind on the first map: their labels, texts and places in the window."""


@pytest.fixture(scope="module")
def refined(tmp_path_factory) -> Iterator[tuple[str, xr.Dataset]]:
    """Address of a store of a sweep with points beside its grid, and all of its points."""
    location = tmp_path_factory.mktemp("refined") / "store.zarr"
    computed(location, replace(TINY, axes={**TINY.axes, "N": [1, 2]}))
    entry = catalog.open(location)["tiny"]
    entry.refine(("delta_E", "T_mean"), "power", budget=6, N=2, scheduler="synchronous")
    with serving(location) as address:
        yield address, catalog.open(location)["tiny"].points().load()


def test_points_beside_the_grid_are_tapped_found_filtered_and_pinned(chromium, refined):
    address, points = refined
    beside = points.where(~points.delta_E.isin(TINY.axes["delta_E"])
                          | ~points.T_mean.isin(TINY.axes["T_mean"]), drop=True)  # fmt: skip
    at = {"N": 2, "delta_E": 125.0, "T_mean": 100.0}
    with opened(chromium, link(address, at=at, tab="Scatter", pins=[at])) as page:
        sync_api.expect(
            page.get_by_text("24 of 24 points shown; 6 of them beside the grid")
        ).to_be_visible()
        assert sorted(columns(page, "scatter")["x"]) == sorted(points.power.values)
        settled_place(page, 125.0, 100.0)
        dots = page.evaluate(DRAWN, "scattered points")
        assert sorted(dots["x"]) == sorted(beside.delta_E.values)
        one = beside.isel(point=int(beside.power.argmax("point")))
        place = {name: one[name].item() for name in ("delta_E", "T_mean")}
        dot = list(zip(dots["x"], dots["y"], strict=True)).index(tuple(place.values()))
        page.mouse.click(*dots["seen"][dot])
        for name, value in place.items():
            sync_api.expect(shown(page, name)).to_have_text(f"{value:.12g}")
        sync_api.expect(shown(page, "power")).to_have_text(figure(one.power.item()))
        page.get_by_role("button", name="pin this cell").click()
        sync_api.expect(page.get_by_role("button", name="choose point B")).to_be_visible()
        pins = page.evaluate(DRAWN, "pins")
        assert pins["text"] == ["A", "B"]
        assert (pins["x"], pins["y"]) == ([125.0, place["delta_E"]], [100.0, place["T_mean"]])
        page.get_by_label("only points with").fill(f"power >= {one.power.item()!r}")
        page.get_by_label("only points with").press("Enter")
        sync_api.expect(page.get_by_text("1 points beside the grid are drawn")).to_be_visible()
        page.get_by_role("button", name="jump to minimum").click()
        least = points.power.where((points.power >= one.power.item()) & (points.N == 2)).min()
        sync_api.expect(page.locator(".extreme")).to_contain_text(figure(least.item()))


def test_a_condition_filters_map_scatter_and_table_alike(chromium, address, tiny):
    stored = tiny[1]
    engines = int((stored.power > 0).sum())
    with opened(chromium, link(address, at=AT, tab="Scatter")) as page:
        condition = page.get_by_label("only points with")
        sync_api.expect(page.get_by_text("45 of 45 points shown")).to_be_visible()
        condition.fill("powr > 0")
        condition.press("Enter")
        alert = page.locator("#points p[role=alert]")
        sync_api.expect(alert).to_contain_text("unknown name 'powr': did you mean 'power'")
        condition.fill("power > 0")
        condition.press("Enter")
        sync_api.expect(page.get_by_text(f"{engines} of 45 points shown")).to_be_visible()
        sync_api.expect(alert).to_have_count(0)
        assert sorted(columns(page, "scatter")["x"]) == sorted(
            stored.power.values[stored.power.values > 0]
        )
        values = np.array(
            page.evaluate(
                """() => [...Bokeh.documents[0]._all_models.values()]
                .filter(m => m.type == "ColumnDataSource" && m.columns().includes("at_x"))
                .map(m => [...m.get_column("value")])[0]"""
            ),
            dtype=float,
        )
        expected = stored.power.where(stored.power > 0).sel(N=4)
        assert sorted(values[np.isfinite(values)]) == sorted(
            expected.values[np.isfinite(expected.values)]
        )
        page.get_by_role("button", name="Table").click()
        sync_api.expect(page.get_by_text(f"{engines} of 45 points;")).to_be_visible()


def test_a_box_on_the_map_selects_in_the_scatter(chromium, address, tiny):
    stored = tiny[1]
    with opened(chromium, link(address, at=AT, tab="Scatter")) as page:
        sync_api.expect(page.get_by_text("45 of 45 points shown")).to_be_visible()
        settled_place(page, 125.0, 100.0)
        corners = [page.evaluate(CELL, place) for place in ([40.0, 50.0], [130.0, 120.0])]
        page.evaluate(
            f"""() => {{ ({FIGURES})()[0][0].model.toolbar.tools
            .find(tool => tool.type == "BoxSelectTool").active = true }}"""
        )
        page.mouse.move(*corners[0])
        page.mouse.down()
        page.mouse.move(*corners[1], steps=5)
        page.mouse.up()
        inside = 5 * int((stored.delta_E <= 125).sum()) * int((stored.T_mean <= 100).sum())
        sync_api.expect(page.get_by_text(f"{inside} selected")).to_be_visible()
        assert sum(alpha > 0.5 for alpha in columns(page, "scatter")["alpha"]) == inside
        page.get_by_role("button", name="show only these").click()
        sync_api.expect(page.get_by_text(f"{inside} of 45 points shown")).to_be_visible()
        page.wait_for_function("() => location.search.includes('only=')")


def test_the_table_sorts_chooses_and_downloads(chromium, address, tiny, tmp_path):
    stored = tiny[1]
    words = {"table.columns": ["constancy"], "table.by": "constancy", "table.descending": True}
    with opened(chromium, link(address, tab="Table", only="power > 0", **words)) as page:
        best = stored.constancy.where(stored.power > 0)
        first = page.locator("td").filter(has_text=figure(float(best.max()))).first
        sync_api.expect(first).to_be_visible()
        place = {dim: float(at) for dim, at in best.isel(best.argmax(...)).coords.items()
                 if dim in best.dims}  # fmt: skip
        page.get_by_role("button", name="choose the point of row 1", exact=True).click()
        for dim, at in place.items():
            sync_api.expect(shown(page, dim)).to_have_text(f"{at:g}")
        with page.expect_download() as download:
            page.get_by_text("CSV", exact=True).click()
        download.value.save_as(tmp_path / "points.csv")
    with (tmp_path / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = best.values[np.isfinite(best.values)]
    assert [float(row["constancy"]) for row in rows] == sorted(values, reverse=True)


def test_every_tab_shows_its_panel_on_a_phone(chromium, address):
    pins = [AT, {**AT, "N": 2}]
    with opened(chromium, link(address, at=AT, pins=pins), PHONE) as page:
        for tab, sign in {
            "Curves": "curves",
            "Scatter": "scatter",
            "Regimes": "regimes",
            "Small maps": "small map",
            "Pinned": "curves",
        }.items():
            page.get_by_role("button", name=tab, exact=True).click()
            page.wait_for_function(PLOT, arg=sign)
            width = page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= PHONE["width"], tab
        page.get_by_role("button", name="Names", exact=True).click()
        sync_api.expect(page.get_by_text("power output", exact=True).last).to_be_visible()


def test_extremes_and_names_of_controls(chromium, address, tiny):
    stored = tiny[1]
    with opened(chromium, link(address, at=AT)) as page:
        page.get_by_role("button", name="jump to maximum").click()
        best = stored.power.sel(N=4)
        told = page.locator(".extreme")
        sync_api.expect(told).to_contain_text(figure(float(best.max())))
        sync_api.expect(shown(page, "power")).to_have_text(figure(float(best.max())))
        page.wait_for_function(
            """() => { const found = []; const walk = root => root.querySelectorAll("*").forEach(
            e => { if (e.getAttribute("role") == "slider") found.push(e.getAttribute("aria-label"))
            if (e.shadowRoot) walk(e.shadowRoot) }); walk(document)
            return found.length == 3 && found.every(Boolean) }"""
        )
        session = page.context.new_cdp_session(page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        roles = {"slider", "button", "combobox", "textbox", "checkbox", "listbox"}
        controls = [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"] and node["role"]["value"] in roles
        ]
        assert len(controls) > 20
        assert [role for role, name in controls if not name.strip()] == []
        sliders = [name for role, name in controls if role == "slider"]
        assert sliders == ["N", "ΔE [ω₀]", "T̄ [ω₀]"]
