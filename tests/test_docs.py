"""The pages of the docs: every code block runs and prints what the page says."""

from __future__ import annotations

import re

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
