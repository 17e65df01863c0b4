"""The page of a model of somebody else: its map is drawn, its points are shown.

Run by ``make test-browser``; needs Chromium.
"""

from __future__ import annotations

import pytest

import catalog
from heatcat.browser.shown.labels import figure
from tests.chromium import started
from tests.heatcat.serving import serving
from tests.heatcat.test_browse_page import MAP_IS_DRAWN, opened, shown

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser


def test_the_map_is_drawn_and_the_chosen_point_is_shown(complete):
    entry = catalog.open(complete)["maser"]
    with (
        serving(complete) as address,
        started() as chromium,
        opened(chromium, address) as page,
    ):  # fmt: skip
        page.wait_for_function(MAP_IS_DRAWN)
        chosen = {dim: float(shown(page, dim).inner_text()) for dim in entry.grid.dims}
        values = entry.point(chosen).values
        for name in ("power", "heat_current_h", "heat_current_c"):
            sync_api.expect(shown(page, name)).to_have_text(figure(values[name]))
