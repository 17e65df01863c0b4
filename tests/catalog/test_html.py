"""Notebook views: complete, well-formed, and safe with any text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from catalog.reading.html import COLOURS, Summary, catalogue_html, entry_html
from ensemble import Status
from tests.catalog.support import tiny_sweep

COUNTS = {"not computed": 5, "ok": 4, "uncertified": 2, "unphysical": 0, "failed": 1}


class Page(HTMLParser):
    """Text of a page, its tags, and the shares of its first bar; fails if tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data + " "

    @property
    def shares(self) -> list[tuple[str, int]]:
        found = [attrs for tag, attrs in self.tags if tag == "i"]
        return [
            (attrs["title"], int(re.search(r"flex:(\d+)", attrs["style"])[1])) for attrs in found
        ]


def test_an_entry_shows_grid_method_progress_and_notes():
    sweep = tiny_sweep(description="engines and a refrigerator")
    summary = Summary(sweep.grid, COUNTS, "yesterday on node7", ["written by an older solver"])
    page = Page(entry_html(summary))
    for words in (
        "tiny",
        "engines and a refrigerator",
        "50, 125, 250",
        "omega_0",
        "T̄",
        "E₁ = 100 omega_0",
        "exact",
        "bare scaling",
        "4 ok",
        "5 not computed",
        "1 failed",
        "of 12 points",
        "yesterday on node7",
        "written by an older solver",
    ):
        assert words in page.text, words
    assert "unphysical" not in page.text  # there is none
    assert page.shares == [
        ("4 ok", 4),
        ("2 uncertified", 2),
        ("1 failed", 1),
        ("5 not computed", 5),
    ]


def test_a_catalogue_adds_up_its_sweeps():
    summaries = [Summary(tiny_sweep(name=name).grid, COUNTS) for name in ("one", "two")]
    page = Page(catalogue_html("engines.zarr", summaries))
    assert "2 sweeps" in page.text
    assert page.shares[:4] == [
        ("8 ok", 8),
        ("4 uncertified", 4),
        ("2 failed", 2),
        ("10 not computed", 10),
    ]
    assert sum(tag == "details" for tag, _ in page.tags) == 2
    assert "0 sweeps" in Page(catalogue_html("empty.zarr", [])).text


def test_text_is_never_markup():
    evil = '<script>alert("1")</script>&\' onload="x'
    sweep = tiny_sweep(description=evil, energy_unit=evil)
    summary = Summary(sweep.grid, {evil: 3, "ok": 9}, evil, [evil])
    for html in (entry_html(summary), catalogue_html(evil, [summary])):
        page = Page(html)
        assert "<script" not in html
        assert {tag for tag, _ in page.tags} <= {
            "style",
            "div",
            "span",
            "b",
            "i",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "details",
            "summary",
        }
        assert not any("onload" in attrs for _, attrs in page.tags)
        assert page.text.count(evil) >= 4


def test_nothing_is_loaded_from_elsewhere():
    html = entry_html(Summary(tiny_sweep().grid, COUNTS))
    assert not re.search(r"https?:|url\(|@import|src=|href=", html)


def test_every_state_has_a_colour_of_its_own_but_the_blank():
    labels = {status.label for status in Status} - {Status.NOT_COMPUTED.label}
    assert labels <= COLOURS.keys()
    assert len(set(COLOURS.values())) == len(COLOURS)


@pytest.mark.parametrize(("number", "shown"), [(8, "8"), (9, "1, 2, …, 9")])
def test_long_axes_are_shortened(number, shown):
    sweep = tiny_sweep(axes={"N": range(1, number + 1), "T_mean": [60], "delta_E": [50]}, blocks={})
    assert shown in Page(entry_html(Summary(sweep.grid, {"ok": number}))).text
