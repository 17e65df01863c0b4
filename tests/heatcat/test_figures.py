"""Fig. 2 from a small sweep: its files, what they hold, and that the page needs no network."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

import catalog
from ensemble import Engine, Exact, InvalidInput
from ensemble.closed_forms.single_pair import single_pair_power
from heatcat.figures import FIGURES
from heatcat.figures.fig2 import CUT_DELTA_E, CUT_T_MEAN, FIG2, WINDOWS
from tests.catalog.support import FIXED

SPACINGS = [50.0, CUT_DELTA_E]
SIZES = [1, 2, 4, 6, 9, 12, 18, 24]
"""Few, but at least three in every window."""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Path]:
    sweep = catalog.Sweep(
        name="fig2-tiny",
        axes={"N": SIZES, "delta_E": SPACINGS, "T_mean": CUT_T_MEAN},
        fixed=FIXED,
        energy_unit="omega_0",
        variables=[
            *("power", "constancy", "quanta_noise", "affinity"),
            *("weak_coupling_1", "weak_coupling_2"),
        ],
    )
    paths = FIG2.make(
        {"exact": catalog.dataset(sweep)}, tmp_path_factory.mktemp("figures") / "new" / "folder"
    )
    return {path.suffix: path for path in paths}


def test_presets_of_all_recipes_exist():
    for recipe in FIGURES.values():
        full, quick = recipe.presets(quick=False), recipe.presets(quick=True)
        assert set(full) == set(quick) == set(recipe.sweeps)
        for part, sweep in full.items():
            assert quick[part].name == f"{sweep.name}-quick"
            assert quick[part].size < sweep.size
            model = quick[part].model
            if isinstance(model.method, Exact):  # a basis serves large maps only
                solver = sweep.model.method.solver
                model = replace(model, method=replace(model.method, solver=solver))
            assert model == sweep.model


@pytest.mark.parametrize(
    ("suffix", "signature"),
    [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".html", b"<!DOCTYPE html>"), (".nc", b"\x89HDF")],
)
def test_a_figure_is_four_files(suffix, signature, made):
    assert made[suffix].name == f"fig2{suffix}"
    content = made[suffix].read_bytes()
    assert content.lstrip().startswith(signature)
    assert len(content) > 5000


def test_the_data_open_in_xarray_with_names_and_units(made):
    with xr.open_dataset(made[".nc"], engine="h5netcdf") as ds:
        assert {
            "single_pair_power",
            "power_ratio",
            "fitted_ratio",
            "exponent",
            "exponent_low",
            "local_exponent_high",
            "exponent_status",
            "N_sat",
            "window_exponent",
            "carnot_delta_E",
            "weak_coupling",
        } <= set(ds.data_vars)
        assert ds.N.values.tolist() == SIZES
        assert ds.delta_E.attrs["units"] == "omega_0"
        assert ds.single_pair_power.attrs["units"] == "omega_0^2"
        assert ds.exponent.attrs["units"] == "1"
        assert ds.carnot_delta_E.attrs["units"] == "omega_0"
        assert set(ds.exponent.dims) == {"delta_E", "T_mean"}
        assert set(ds.power_ratio.dims) == {"N", "T_mean"}
        assert ds.sizes["window"] == len(WINDOWS)
        assert ds.attrs["title"] == "fig2-tiny"
        assert {name: ds[name].item() for name in FIXED} == FIXED


def test_the_data_are_the_physics(made):
    """The map is the closed form of one pair, the ratio starts at 1, and α exceeds 1 a little."""
    with xr.open_dataset(made[".nc"], engine="h5netcdf") as ds:
        for delta_E in SPACINGS:
            for T_mean in CUT_T_MEAN:
                engine = Engine(N=1, delta_E=delta_E, T_mean=T_mean, **FIXED)
                found = ds.single_pair_power.sel(delta_E=delta_E, T_mean=T_mean).item()
                assert found == pytest.approx(single_pair_power(engine), rel=1e-10)
        np.testing.assert_allclose(ds.power_ratio.sel(N=1), 1.0, rtol=1e-12)
        # With so few sizes there are fits in the cold part only.
        exponent = ds.exponent.sel(delta_E=CUT_DELTA_E, T_mean=slice(None, 100))
        assert ((exponent > 1) & (exponent < 1.5)).all()
        assert (ds.window_exponent.sel(delta_E=CUT_DELTA_E).diff("window") < 0).all()
        # E₁/T₁ = E₂/T₂: ΔE = E₁ ΔT/T₁
        np.testing.assert_allclose(ds.carnot_delta_E, 1e4 / (ds.T_mean - 50), rtol=1e-12)


class Requests(HTMLParser):
    """What a browser would fetch for a page; the text of scripts is not parsed as tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.found += [f"{tag} {value}" for name, value in attrs if name in {"src", "href"}]


def test_the_page_asks_for_nothing_from_outside(made):
    page = made[".html"].read_text(encoding="utf-8")
    requests = Requests(page)
    assert requests.scripts > 1
    assert requests.found == []
    # Bokeh's code fetches what the models name; Panel's name style sheets on a server of theirs.
    models = page[page.index("const docs_json") :]
    assert "GlyphRenderer" in models
    assert "http" not in models


def test_the_page_has_the_panels(made):
    page = made[".html"].read_text(encoding="utf-8")
    for panel in ("(a) ", "(b) ", "(c) ", "(d) "):
        assert f"<figcaption>{panel}" in page


def test_a_figure_is_drawn_again_from_the_same_data_in_another_way(made, tmp_path):
    recipe = replace(FIG2, reduce=lambda datasets: datasets["reduced"])
    with xr.open_dataset(made[".nc"], engine="h5netcdf") as reduced:
        given = {"reduced": reduced}
        [path] = recipe.make(given, tmp_path, width=3.4, panels="d", formats=["svg"])
        with pytest.raises(InvalidInput, match=r"^fig2 has no panel 'x': choose from a to d$"):
            recipe.make(given, tmp_path, panels="ax")
    assert path.name == "fig2.svg"
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert root.attrib["width"] == f"{3.4 * 72:g}pt"
