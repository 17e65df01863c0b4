"""``heatcat browse`` in a real browser: what a person sees of ranges, colours and messages.

Run by ``make test-browser``; needs Chromium.
"""

from __future__ import annotations

import pytest

import catalog
from catalog.sweeps.sweep import Sweep
from ensemble import Cumulant, Macroscopic
from tests.heatcat.serving import serving
from tests.heatcat.stores import TINY, computed, half_computed
from tests.heatcat.test_browse_page import (
    BARS,
    CURVES,
    LAPTOP,
    LINE,
    MAP_IS_DRAWN,
    RANGES,
    click_cell,
    expect_engine,
    heading,
    idle,
    link,
    opened,
    shown,
)  # fmt: skip

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser


def test_a_running_sweep_fills_in_and_new_sweeps_are_offered(chromium, tmp_path):
    location = tmp_path / "store.zarr"
    catalog.dataset(TINY, location).sel(N=[1]).compute()
    with serving(location) as address, opened(chromium, address) as page:
        sync_api.expect(page.locator("li[data-status=ok]")).to_have_text("9 ok", timeout=10_000)
        sync_api.expect(page.locator("li[data-state=not_computed]").first).to_have_text(
            "9 of 9 not computed"
        )
        assert page.evaluate(BARS) == []  # no colour bar of made-up numbers
        stored = computed(location)
        sync_api.expect(page.locator("li[data-status=ok]")).to_have_text("45 ok", timeout=20_000)
        expect_engine(page, stored, N=6, delta_E=125.0, T_mean=100.0)
        page.wait_for_function(f"() => ({BARS})().length == 1")
        computed(location, LINE)
        menu = page.get_by_label("sweep", exact=True)
        sync_api.expect(menu.locator("option")).to_have_text(["line", "tiny"], timeout=20_000)
        catalog.rename(location, "line", "curve")
        sync_api.expect(menu.locator("option")).to_have_text(["curve", "tiny"], timeout=20_000)


def test_curves_stay_in_frame_whatever_cell_is_chosen(chromium, address, tiny):
    with opened(chromium, address) as page:
        for x, y in ((50.0, 60.0), (250.0, 180.0), (125.0, 180.0), (50.0, 180.0)):
            click_cell(page, x, y)
            expect_engine(page, tiny[1], N=6, delta_E=x, T_mean=y)
            idle(page)
            for (low, high), values in page.evaluate(CURVES):
                assert len(values) > 2
                assert low <= min(values) <= max(values) <= high
                assert max(values) - min(values) > 0.5 * (high - low)  # nor are they a flat line


def test_back_and_forward_change_the_page(chromium, address):
    with opened(chromium, address) as page:
        idle(page)
        sync_api.expect(heading(page)).to_contain_text("power output")
        page.get_by_label("variable", exact=True).select_option(label="constancy  C")
        sync_api.expect(heading(page)).to_contain_text("constancy")
        page.wait_for_timeout(800)  # changes that follow at once are one step
        page.get_by_label("up (y)", exact=True).select_option(label="none")
        sync_api.expect(heading(page)).to_contain_text("at N = 6, T̄ = 100")
        page.go_back()
        sync_api.expect(heading(page)).to_contain_text("constancy, 2J/(aD), at N = 6")
        page.go_back()
        sync_api.expect(heading(page)).to_contain_text("power output")
        page.go_forward()
        sync_api.expect(heading(page)).to_contain_text("constancy")


def test_a_link_leads_to_a_curve_of_a_map(chromium, address, tiny):
    at = {"N": 4, "T_mean": 180.0}
    with opened(chromium, link(address, x="delta_E", y="-", at=at, scale="linear")) as page:
        sync_api.expect(heading(page)).to_have_text("P [ω₀²] at N = 4, T̄ = 180 ω₀")
        idle(page)
        (_, values), *_ = page.evaluate(CURVES)
        assert values == tiny[1].power.sel(at).values.tolist()


def test_a_zoom_is_in_the_link_and_stays_when_the_variable_changes(chromium, address):
    with opened(chromium, link(address, zoom={"delta_E": [60.0, 200.0]})) as page:
        idle(page)
        assert page.evaluate(RANGES)[0] == [60, 200]
        page.get_by_label("variable", exact=True).select_option(label="constancy  C")
        sync_api.expect(heading(page)).to_contain_text("constancy")
        idle(page)
        assert page.evaluate(RANGES)[0] == [60, 200]
        assert "zoom" in page.url


def test_a_server_that_has_stopped_is_told(chromium, tiny):
    page = chromium.new_page(viewport=LAPTOP)
    with serving(tiny[0]) as address:
        page.goto(address)
        page.wait_for_function(MAP_IS_DRAWN)
        sync_api.expect(page.locator("#gone")).to_be_hidden()
    sync_api.expect(page.locator("#gone")).to_contain_text("The server has stopped")
    page.close()


def test_what_failed_and_what_is_missing_is_told_apart(chromium, tmp_path):
    location = half_computed(tmp_path / "store.zarr")
    at = {"N": 2, "delta_E": 250.0, "T_mean": 60.0}
    with serving(location) as server, opened(chromium, link(server, at=at)) as page:
        status = page.locator("p.status").first
        sync_api.expect(status).to_contain_text("failed: ValueError: the matrix is singular")
        sync_api.expect(shown(page, "power")).to_have_text("failed")
        page.get_by_text("traceback", exact=True).click()
        sync_api.expect(page.locator("details pre").first).to_contain_text("fails_somewhere")
        signs = page.locator("#maps .note").first.locator("li")
        sync_api.expect(signs).to_have_text(["2 of 9 failed"])
        cells = """name => [...Bokeh.documents[0]._all_models.values()].filter(m => m.name == name)
          .map(m => [m.data_source.get_column("left").length, m.glyph.hatch_pattern.value])[0]"""
        assert page.evaluate(cells, "cells FAILED") == [2, "x"]
        page.goto(link(server, at={**at, "N": 3}))
        sync_api.expect(page.locator("#maps .note").first.locator("li")).to_have_text(
            ["9 of 9 not computed"]
        )
        assert page.evaluate(cells, "cells NOT_COMPUTED") == [9, "/"]


def test_compared_maps_share_their_colours_and_show_their_difference(chromium, tmp_path):
    engines = {
        "axes": {"delta_E": [5.0, 9.0, 12.0], "omega_0": [0.006, 0.01]},
        "fixed": {"E_1": 1, "T_mean": 13.5, "delta_T": 23, "Gamma_0": 0.001},
        "scaling": "high-temperature",
        "variables": ["power_per_pair", "constancy"],
    }
    location = tmp_path / "store.zarr"
    closure = computed(location, Sweep(name="closure", method=Cumulant(order=3), **engines))
    exact = computed(location, Sweep(name="exact", method=Macroscopic(), **engines))
    words = {"variable": "constancy", "compare": True, "beside_sweep": "exact"}
    at = {"delta_E": 9.0, "omega_0": 0.006}
    with serving(location) as server:
        both = link(server, sweep="closure", relation="difference", at=at, **words)
        with opened(chromium, both) as page:
            headings = page.locator(".heading h2:visible")
            sync_api.expect(headings.nth(2)).to_have_text("difference: C of closure − C of exact")
            idle(page)
            first, second, third = page.evaluate(BARS)
            assert first == second != third
            difference = closure.constancy - exact.constancy
            assert third == [float(difference.min()), 0.0]
            row = page.locator(".both tr[data-name=constancy] td.number")
            here = [float(data.constancy.sel(at)) for data in (closure, exact)]
            expected = [*here, here[0] - here[1], here[0] / here[1]]
            sync_api.expect(row).to_have_text([f"{value:.6g}" for value in expected])


def test_both_signs_are_seen_and_colours_are_limited(chromium, address, tiny):
    with opened(chromium, link(address, variable="power", at={"N": 6})) as page:
        idle(page)
        ((low, high),) = page.evaluate(BARS)
        assert low < 0 < high
        page.get_by_label("scale of values", exact=True).select_option(label="linear")
        page.wait_for_function(f"() => ({BARS})()[0][1] > 5")
        ((low, high),) = page.evaluate(BARS)
        power = tiny[1].power.sel(N=6)
        assert (low, high) == (float(power.min()), float(power.max()))
        for name, text in (("colours from", "-1"), ("to", "2.5")):
            page.get_by_label(name, exact=True).fill(text)
            page.get_by_label(name, exact=True).press("Enter")
        page.wait_for_function(f"() => String(({BARS})()[0]) == '-1,2.5'")
        sync_api.expect(page.locator("#maps .note").first).to_contain_text(
            "values lie beyond the limits of the colours"
        )


def test_a_line_that_meets_nothing_says_so(chromium, address):
    with opened(
        chromium, link(address, overlays=["constancy"], contour="power", levels="1e9")
    ) as p:
        note = p.locator("#maps .note").first
        sync_api.expect(note).to_contain_text(
            "contours of power at 1000000000: no line lies in view"
        )
