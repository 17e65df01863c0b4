"""The site: every code block of its pages runs; it builds, and loads nothing from outside."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pytest
from matplotlib.testing.compare import compare_images

from tests.pages import ROOT, blocks, run_page

DOCS = ROOT / "docs"
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if any(block.runs for block in blocks(page))]
IMAGE_TOLERANCE = 2.0
"""Root mean square over the pixels, of 255: fonts and lines are drawn a little apart by different
versions of FreeType."""


@pytest.mark.pages
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_code_block_runs_and_prints_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, tmp_path)
    plt.close("all")
    for drawn in tmp_path.glob("*.png"):  # the picture on the page is the one that its code draws
        difference = compare_images(DOCS / "images" / drawn.name, drawn, tol=IMAGE_TOLERANCE)
        assert difference is None, f"copy {drawn} to docs/images: {difference}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it."""
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
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "Chromium is missing: apt-get install chromium"
    found = {}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        for file in sorted(site.rglob("*.html")):
            page.goto(file.as_uri())
            found[str(file.relative_to(site))] = page.evaluate(CUT)
        browser.close()
    assert len(found) > 40
    assert {name: fault for name, fault in found.items() if fault["wider"] or fault["cut"]} == {}


def test_the_tests_that_guarantees_rest_on_exist():
    """Each by its file and name; marked ◦ if it is slow, † if it needs SLURM."""
    text = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`( [◦†])?", text)
    assert len(named) == text.count(".py::") > 40
    for file, name, mark in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        found = re.search(rf"((?:^@.*\n(?:[ )].*\n)*)*)^def {name}\(", source, re.MULTILINE)
        assert found, f"guarantees.md names {file}::{name}, which is not there"
        slow = "pytest.mark.slow\n" in found[1]
        slurm = re.search(r"^pytestmark = .*mark\.slurm", source, re.MULTILINE)
        expected = " †" if slurm else " ◦" if slow else ""
        assert mark == expected, f"{file}::{name} should be marked {expected!r} in guarantees.md"


class TestWhatAPageMayNotDo:
    """The machinery itself: a page that is wrong fails, and nothing is skipped in silence."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("```python\n1 / 0\n```\n", "division by zero"),
            ("```python\n>>> 1 + 1\n3\n```\n", "Expected:\n    3"),
            ("```sh\nfalse | cat\n```\n", "exit code 1"),
            ("```sh\necho 1\n```\n```text output\n2\n```\n", "this is printed:\n1"),
            ("```text output\n2\n```\n", "without a sh block"),
            ("```toml\n[sweep]\n```\n", "begins with its name"),
            ('```toml\n# a.toml\n[sweep]\nname = "a"\n```\n', "at least one axis"),
            ("```yaml\na: 1\n```\n", "no way to run 'yaml'"),
            ("```python skip\n1 / 0\n```\n", "unknown mark 'skip'"),
            ("```sh checked-by=nobody\nsbatch\n```\n", "no check 'nobody'"),
            ("```sh checked-by=takes_minutes\nmake gold\n```\n", "no target 'gold'"),
            ("```sh checked-by=takes_minutes\nheatcat rum x\n```\n", "No such command 'rum'"),
            ("```sh checked-by=takes_minutes\nrm x\n```\n", "neither make nor heatcat"),
            ("```sh background\nfalse\n```\n```sh\nsleep 1\n```\n", "ended by itself"),
        ],
    )
    def test_it_is_an_error(self, text, message, tmp_path):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        with pytest.raises(AssertionError, match=re.escape(message)):
            run_page(page, tmp_path)

    def test_words_and_directives_do_not_run(self, tmp_path):
        page = tmp_path / "page.md"
        page.write_text("```\na = b\n```\n```{toctree}\nx\n```\n```text\nP > 0\n```\n")
        assert [block.runs for block in blocks(page)] == [False, False]
