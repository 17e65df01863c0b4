"""The site: it builds, loads nothing from outside, its links lead somewhere, it fits the screen.

Run by ``make test-pages``; the test that needs Chromium by ``make test-browser``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.chromium import started
from tests.pages import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site that `make docs` has built, if HEATCAT_SITE names it; else it is built here."""
    if built := os.environ.get("HEATCAT_SITE"):
        assert (Path(built) / "index.html").is_file(), f"no site in {built}: run make docs"
        return Path(built).resolve()
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


class References(HTMLParser):
    """What a page of HTML loads by itself, and what it links to within the site."""

    LOADING = frozenset({"script", "img", "link", "iframe", "source", "audio", "video", "object"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        target = given.get("src") or given.get("href") or given.get("data")
        if target is None:
            return
        if tag in self.LOADING:
            self.loaded.append(target)
        elif tag == "a" and not re.match(r"[a-z]+:", target):
            self.links.append(target)


@pytest.mark.pages
def test_the_site_loads_nothing_from_outside(site):
    pages = list(site.rglob("*.html"))
    assert site / "index.html" in pages
    loaded = {target for page in pages for target in References(page.read_text("utf-8")).loaded}
    assert any(target.endswith(".css") or ".css?" in target for target in loaded)
    outside = [target for target in loaded if re.match(r"([a-z]+:)?//", target)]
    for sheet in site.rglob("*.css"):
        outside += re.findall(
            r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", sheet.read_text()
        )
    assert outside == []


@pytest.mark.pages
def test_no_raw_exponent_is_left_on_the_site(site):
    """Outside of code, where docstrings put their formulas too."""
    left = {}
    for page in site.rglob("*.html"):
        shown = re.sub(
            r"<(pre|code|math|script|style)\b.*?</\1>", "", page.read_text("utf-8"), flags=re.S
        )
        raw = re.findall(r"[\w)]\^[\w{(−]+", re.sub(r"<[^>]+>", "", shown))
        if raw:
            left[page.name] = raw
    assert left == {}


@pytest.mark.pages
def test_links_within_the_site_lead_somewhere(site):
    pages = {page: References(page.read_text("utf-8")) for page in site.rglob("*.html")}
    dead = []
    for page, found in pages.items():
        for link in found.links:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in pages[target].anchors):
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


CUT = """() => {
  const width = document.documentElement.clientWidth;
  const scrolls = node => node && node !== document.body &&
    (["auto", "scroll"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  const cut = [...document.querySelectorAll("article *")].filter(node => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && !scrolls(node);
  });
  return {wider: document.documentElement.scrollWidth > width,
          cut: cut.slice(0, 3).map(node => node.textContent.slice(0, 80))};
}"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1366, 390])
def test_no_page_is_wider_than_the_screen(site, width):
    """What is wider than the screen, such as a table or an equation, scrolls within itself."""
    found = {}
    with started() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800})
        for file in sorted(site.rglob("*.html")):
            page.goto(file.as_uri())
            found[str(file.relative_to(site))] = page.evaluate(CUT)
    assert len(found) > 40
    assert {name: fault for name, fault in found.items() if fault["wider"] or fault["cut"]} == {}
